#ifndef URLPOOL_RETRY_H
#define URLPOOL_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "urlpool/export.h"

URLPOOL_BEGIN_DECLS

/* The most statuses that status_forcelist holds. */
#define URLPOOL_RETRY_STATUSES_MAX 16

/* struct urlpool_retry says when a request is made again, how often, and after which pause. A
 * value: zero bytes are the defaults; of a request's, each field that is not zero wins over the
 * manager's, and a switch holds when either sets it.
 *
 * A failure is made good again only while total and the count of its kind both allow it, and only
 * with a body that can be rewound. The one free try after a stale connection is not counted.
 *
 * Units:   counts of tries after the first: 0 is the default, URLPOOL_NONE zero,
 *          URLPOOL_NO_TIMEOUT no bound. Milliseconds: 0 is the default, URLPOOL_NONE zero.
 * Model:   urllib3.Retry. */
struct urlpool_retry {
    int32_t
        total; /* retries of all kinds; default 3. URLPOOL_NONE: no retry, and no redirect either */
    int32_t connect;  /* no connection was had: any method; default as total allows, as for those
                         below */
    int32_t read;     /* the connection failed under the request: allowed methods only */
    int32_t redirect; /* when set, redirects count against it and total; default: redirects_max */
    int32_t status;   /* the answer's status asks for it: allowed methods only */
    int32_t other;    /* whatever else can be made good: TLS handshakes */
    const char *allowed_methods; /* "GET, PUT"; "*" is any; default "HEAD, GET, PUT, DELETE,
                                    OPTIONS, TRACE". Idempotency-Key allows any */
    uint16_t status_forcelist[URLPOOL_RETRY_STATUSES_MAX]; /* statuses to try again on, up to the
                                                              first 0; default none */
    int64_t backoff_factor_ms;  /* the pause before retry n of a row is factor·2^(n−1), but none
                                   before the first; default none */
    int64_t backoff_max_ms;     /* default 120 000 */
    int64_t backoff_jitter_ms;  /* up to so much is added, by chance; default none */
    int64_t retry_after_max_ms; /* a server that asks for more is not waited for: its response is
                                   returned; default 120 000 */
    bool clamp_retry_after; /* a server that asks for more is waited for so long, as urllib3 does */
    bool ignore_retry_after;   /* Retry-After does not count: 413, 429 and 503 are tried again only
                                  when in the list */
    bool raise_on_status;      /* out of retries: URLPOOL_E_MAX_RETRIES, not the last response */
    bool return_last_redirect; /* out of redirects: the last response, not an error */
    const char *remove_headers_on_redirect; /* what is not sent on to another origin; default
                                               "Authorization, Cookie, Cookie2,
                                               Proxy-Authorization"; "" removes none */
    unsigned char reserved[64];
};

/* struct urlpool_retry_budget bounds the retries of all threads to one origin together, so that a
 * server in trouble is not drowned: a bucket of tokens, full at first. A retry takes one; a request
 * that ends well puts `percent` of one back. While the bucket is empty a failed try is not made
 * again: its response is returned, or its failure with URLPOOL_E_MAX_RETRIES. The free try after a
 * stale connection takes none. A value: zero bytes are no bound. */
struct urlpool_retry_budget {
    int32_t tokens;  /* the bucket's size; 0: no budget */
    int32_t percent; /* 1..100; default 10 */
    unsigned char reserved[8];
};

/* enum urlpool_keep_post names the redirects that keep POST and its body, as urllib3 does for 301
 * and 302: an OR for `keep_post`. */
enum urlpool_keep_post {
    URLPOOL_KEEP_POST_301 = 1, /* Moved Permanently */
    URLPOOL_KEEP_POST_302 = 2, /* Found */
    URLPOOL_KEEP_POST_303 = 4  /* See Other */
};

/* enum urlpool_scheme says where redirects may lead: an OR for `redirect_schemes`; there is nothing
 * but these two. */
enum urlpool_scheme {
    URLPOOL_SCHEME_HTTP = 1, /* to http */
    URLPOOL_SCHEME_HTTPS = 2 /* to https */
};

URLPOOL_END_DECLS

#endif /* URLPOOL_RETRY_H */
