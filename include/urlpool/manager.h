#ifndef URLPOOL_MANAGER_H
#define URLPOOL_MANAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "urlpool/body.h"
#include "urlpool/cancel.h"
#include "urlpool/error.h"
#include "urlpool/export.h"
#include "urlpool/form.h"
#include "urlpool/headers.h"
#include "urlpool/limits.h"
#include "urlpool/network.h"
#include "urlpool/proxy.h"
#include "urlpool/response.h"
#include "urlpool/retry.h"
#include "urlpool/stats.h"
#include "urlpool/timeout.h"
#include "urlpool/tls.h"
#include "urlpool/trace.h"

URLPOOL_BEGIN_DECLS

/* struct urlpool_manager hands requests of any number of threads to connections it keeps per
 * origin.
 *
 * Threads: any number at once.
 * Model:   urllib3 PoolManager. */
struct urlpool_manager;

/* struct urlpool_manager_options: zero bytes are the defaults. Strings and headers are copied,
 * `tls` is referenced. */
struct urlpool_manager_options {
    int32_t num_pools;      /* origins whose connections are kept; default 64 */
    int32_t maxsize;        /* connections kept per origin; default 64 */
    bool block;             /* `maxsize` also bounds the open ones: threads wait their turn */
    int64_t idle_ms;        /* an idle connection is kept this long; default 55 000 */
    int64_t lifetime_ms;    /* a connection is used this long, ±10 %; default 600 000 */
    int64_t requests_max;   /* requests of one connection; default no bound */
    int64_t max_total;      /* open connections of all origins; default no bound. Used up, the least
                               recently used idle one makes room, else threads wait, `block` or not,
                               and origins are served in turn */
    int64_t max_idle_total; /* idle connections of all origins; default 256. The least recently used
                               is closed first */
    int64_t max_waiters;    /* threads that wait for one origin; default no bound. One more gets
                               URLPOOL_E_POOL_FULL at once */
    struct urlpool_timeout timeout; /* of requests that bring none of their own */
    struct urlpool_retry retries;   /* of requests that bring none of their own */
    struct urlpool_limits limits;   /* of what peers may send */
    struct urlpool_tls *tls; /* NULL: the default configuration, built at the first https request */
    const struct urlpool_headers *headers; /* sent with requests that bring none of their own, or
                                              merge theirs */
    const char *user_agent;                /* default: "urlpool/<version>"; "" sends none */
    int32_t redirects_max;  /* redirects that are followed; default 20; URLPOOL_NONE: none is, the
                               first is an error */
    int64_t data_bytes_max; /* the most bytes of a decoded body held in memory; default 1 GiB */
    struct urlpool_trace trace;     /* `event` NULL: nobody watches */
    struct urlpool_network network; /* how hosts are found and reached */
    struct urlpool_proxy proxy;     /* whom requests go through */
    struct urlpool_proxy preproxy;  /* whom the proxy is reached through; without one, origins */
    bool proxy_from_environment;    /* hear http_proxy, https_proxy and all_proxy where `proxy` has
                                       no URL, and no_proxy for proxies that have no such list:
                                       once, when the manager is made */
    bool upkeep_thread; /* a thread of the manager's own does what urlpool_manager_maintain does,
                           at the moment it is due, and notices at once when a peer closes an idle
                           connection. It sleeps in between, takes no signals, and is gone when the
                           manager is; a forked child starts one of its own with its first request.
                           `trace`, and the hooks of `network`, are called in it, too */
    bool share_retry_after; /* what a 429 or 503 asks for in Retry-After, no request to that origin
                               is sent before, by whatever thread: it waits, within its limits */
    bool ignore_dns_change; /* keep connections whose address DNS no longer gives: else they end
                               when three fresh answers over at least a minute did not have it */
    int32_t min_idle;       /* idle connections that upkeep sees to for each origin that was asked
                               for something in the last ten minutes; default none. Without
                               upkeep_thread it is done in urlpool_manager_maintain */
    int64_t dial_pause_max_ms; /* of an origin that cannot be reached, one dial at a time is tried,
                                  after pauses that grow to this; default 1000, URLPOOL_NONE: at
                                  once and by all */
    int64_t leak_ms;           /* a connection held by one caller for longer is told to `trace` by
                                  upkeep; default never */
    struct urlpool_retry_budget retry_budget; /* bounds the retries of all threads together */
    unsigned char reserved[128];
};

/* struct urlpool_into is memory of the caller's that a body is read into. */
struct urlpool_into {
    void *buf;  /* where it begins */
    size_t len; /* how many bytes it has */
    unsigned char reserved[16];
};

/* struct urlpool_request_options: zero bytes are the defaults, those of the manager.
 *
 * What the headers say wins over what the library would: Host (on the first hop; redirects make it
 * anew), Accept-Encoding, User-Agent, Authorization, which else is made of the URL's userinfo, and
 * Content-Type and Trailer, which else are the body's. Content-Length must be the truth,
 * Transfer-Encoding: chunked and Expect: 100-continue ask for what `body` has members for. */
struct urlpool_request_options {
    const struct urlpool_headers *headers; /* sent in place of the manager's, as in urllib3 */
    bool merge_headers;                    /* `headers` are set on top of the manager's */
    unsigned skip; /* an OR of enum urlpool_skip: fields that are not sent by themselves; Host, when
                      skipped, must be among the headers */
    struct urlpool_body body;          /* what the request carries */
    const struct urlpool_form *fields; /* in place of `body`: with GET, HEAD, DELETE and OPTIONS
                                          behind the URL's query, else a multipart body */
    bool fields_urlencoded;            /* `fields` are a url-encoded body, where they are one */
    struct urlpool_timeout timeout;    /* each field that is not zero wins over the manager's */
    struct urlpool_retry retries;      /* each field that is not zero wins over the manager's */
    int32_t redirects_max;             /* redirects that are followed; 0: as the manager says */
    bool return_redirects;             /* give the 3xx to the caller */
    bool allow_downgrade;              /* follow from https to http */
    unsigned redirect_schemes;         /* an OR of enum urlpool_scheme; default both */
    unsigned keep_post;     /* an OR of enum urlpool_keep_post; default: all become GET */
    bool stream;            /* leave the body to urlpool_response_read; `data` is NULL */
    bool keep_encoded;      /* neither ask for nor undo content codings */
    int64_t data_bytes_max; /* the most bytes of the decoded body held in memory; 0: as the manager
                               says */
    struct urlpool_into into; /* read the body here and take no memory for it: `data` points into it
                                 and no NUL follows. A body that is longer is
                                 URLPOOL_E_DATA_TOO_LARGE. Of a failed request it holds anything */
    bool keep_partial; /* a body that cannot be read whole, and is not tried again, is no failure:
                          `data` has what arrived, `error_code` says why there is no more */
    struct urlpool_response *recycle;    /* a response no longer needed, whose memory this request
                                            takes, whether it fails or not: it is freed by the call. Of
                                            what the call is given only the URL may lie in it */
    const struct urlpool_cancel *cancel; /* ends it from elsewhere; must outlive the response */
    struct urlpool_trace trace; /* told of it instead of the manager's; must outlive the response */
    unsigned char reserved[64];
};

/* urlpool_manager_new makes a manager; NULL options are the defaults. No thread is started, unless
 * upkeep_thread asks for it.
 *
 * Owns:    the caller ends it with urlpool_manager_free.
 * Errors:  NULL with URLPOOL_E_INVALID (an option), URLPOOL_E_HEADER (user_agent, what is for a
 *          proxy), URLPOOL_E_SCHEME and URLPOOL_E_URL (a proxy's URL), those of urlpool_tls_new
 *          (the default configuration of an https proxy), URLPOOL_E_NOMEM, URLPOOL_E_SYSTEM.
 * Threads: any number at once. */
URLPOOL_API URLPOOL_MUST_USE struct urlpool_manager *urlpool_manager_new(
    const struct urlpool_manager_options *options, struct urlpool_error *err);

/* urlpool_manager_ref takes one more reference and returns `manager`; NULL is accepted.
 *
 * Threads: any number at once. */
URLPOOL_API struct urlpool_manager *urlpool_manager_ref(struct urlpool_manager *manager);

/* urlpool_manager_unref gives a reference back; the last one ends the manager. NULL is accepted.
 *
 * Threads: any number at once. */
URLPOOL_API void urlpool_manager_unref(struct urlpool_manager *manager);

/* urlpool_manager_close ends the manager's service: threads that wait and calls yet to come get
 * URLPOOL_E_POOL_CLOSED, idle connections close, running exchanges finish. May be called while
 * threads work, and again.
 *
 * Threads: any number at once. */
URLPOOL_API void urlpool_manager_close(struct urlpool_manager *manager);

/* urlpool_manager_free is urlpool_manager_close and urlpool_manager_unref; accepts NULL. Calls in
 * progress and streamed responses hold references of their own, so the manager lives on until they
 * end; its sink `trace` is told who still holds a connection (URLPOOL_TRACE_LEAK). A thread of
 * upkeep is at rest when this returns, and calls none of the caller's functions any more: do not
 * hold a lock that they take.
 *
 * Threads: any number at once. */
URLPOOL_API void urlpool_manager_free(struct urlpool_manager *manager);

/* urlpool_default returns the one manager of the process, made at the first call with default
 * options; never freed.
 *
 * Owns:    nobody's; no reference is to be given back.
 * Errors:  NULL with those of urlpool_manager_new.
 * Threads: any number at once.
 * Model:   urllib3.request's module-level manager. */
URLPOOL_API URLPOOL_MUST_USE struct urlpool_manager *urlpool_default(struct urlpool_error *err);

/* urlpool_request makes a request: waits for a connection or opens one, sends, follows redirects,
 * reads and decodes the body.
 *
 * Units:   time limits in `options`, else the manager's.
 * Owns:    the response is the caller's: urlpool_response_free. Arguments are only borrowed.
 * Errors:  NULL with any code but the lower floor's four; `maybe_processed` says whether the
 *          server may have acted.
 * Threads: any number at once; blocks.
 * Spec:    RFC 9110, RFC 9112.
 * Model:   urllib3 PoolManager.request. */
URLPOOL_API URLPOOL_MUST_USE struct urlpool_response *urlpool_request(
    struct urlpool_manager *manager, const char *method, const char *url,
    const struct urlpool_request_options *options, struct urlpool_error *err)
    URLPOOL_FREED_BY(urlpool_response_free, 1);

/* urlpool_manager_set_tls has new connections be made with `tls`, a reference to which the manager
 * takes; NULL: the default configuration, built anew at the next https request. So certificates and
 * roots are read again: build a configuration with the same options and set it. Idle connections of
 * the one before close now, used ones as they come home; requests that wait for a connection, and
 * pools in a caller's hands, go on with the one they began with.
 *
 * Errors:  URLPOOL_E_INVALID for a NULL manager, URLPOOL_E_NOMEM; then all is as it was.
 * Threads: any number at once. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_manager_set_tls(
    struct urlpool_manager *manager, struct urlpool_tls *tls, struct urlpool_error *err);

/* urlpool_manager_clear forgets all pools: idle connections close now, used ones as they come home.
 *
 * Threads: any number at once.
 * Model:   urllib3 PoolManager.clear. */
URLPOOL_API void urlpool_manager_clear(struct urlpool_manager *manager);

/* urlpool_manager_close_idle closes idle connections and returns how many.
 *
 * Threads: any number at once. */
URLPOOL_API size_t urlpool_manager_close_idle(struct urlpool_manager *manager);

/* urlpool_manager_maintain does one round of upkeep: idle connections that have expired, or whose
 * peer has closed them, are closed now and not when they would next be used, and so are those whose
 * address DNS no longer gives: where a minute and its TTL have passed, DNS is asked anew. Then
 * connections are opened, one after the other, until min_idle are there; one that cannot be is not
 * tried again before a pause, which grows. Origins that were not asked for anything in ten minutes,
 * and have no connection, are forgotten. Returns how many connections were closed. To be called now
 * and then where that matters; nothing depends on it.
 *
 * Units:   connect_ms bounds each connection that is opened.
 * Threads: any number at once; blocks. */
URLPOOL_API size_t urlpool_manager_maintain(struct urlpool_manager *manager);

/* urlpool_manager_network_changed says that the machine is on another network, or awake again: idle
 * connections close now, used ones as they come home, half-made ones too, and names are asked for
 * anew. Requests under way go on.
 *
 * Threads: any number at once. */
URLPOOL_API void urlpool_manager_network_changed(struct urlpool_manager *manager);

/* urlpool_manager_preconnect opens connections to the origin of `url` in the calling thread, until
 * `n` are there, idle or in use; fewer where a bound (maxsize, max_total, max_idle_total) is
 * reached, which is no error.
 *
 * Units:   the manager's connect_ms bounds all of it.
 * Errors:  those of urlpool_manager_pool_for_url and of the first connection that cannot be opened;
 *          those opened before it stay.
 * Threads: any number at once; blocks. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_manager_preconnect(
    struct urlpool_manager *manager, const char *url, size_t n, struct urlpool_error *err);

/* urlpool_manager_stats fills `out`; of a NULL manager all is zero.
 *
 * Sizes:   `out_size` is the caller's sizeof(*out).
 * Threads: any number at once. */
URLPOOL_API void urlpool_manager_stats(struct urlpool_manager *manager, struct urlpool_stats *out,
                                       size_t out_size);

/* urlpool_manager_describe returns one line per origin, for people: "https://example.com:443 open 3
 * idle 2 leased 1 dialling 0 waiting 0 reused 17 opened 3; held 3.2 s by thread 4711: GET /slow".
 * Of those that hold, dial or wait eight each are told; of a request the path, without query.
 *
 * Owns:    the caller frees it with urlpool_string_free.
 * Errors:  NULL with URLPOOL_E_INVALID for NULL, or URLPOOL_E_NOMEM.
 * Threads: any number at once. */
URLPOOL_API URLPOOL_MUST_USE char *urlpool_manager_describe(struct urlpool_manager *manager,
                                                            struct urlpool_error *err)
    URLPOOL_MALLOC URLPOOL_FREED_BY(urlpool_string_free, 1);

/* struct urlpool_headers_choice says which headers urlpool_headers_make makes; zero bytes are none.
 */
struct urlpool_headers_choice {
    bool keep_alive;              /* Connection: keep-alive */
    bool accept_encoding;         /* Accept-Encoding: all codings of this build */
    const char *accept_encodings; /* Accept-Encoding with these: "gzip, br" */
    const char *user_agent;       /* User-Agent; "" is none */
    const char *basic_auth;       /* Authorization, of "user:password". Without a colon a user whose
                                     password is empty */
    const char *bearer_auth;      /* Authorization, of a token */
    const char *proxy_basic_auth; /* Proxy-Authorization, made as by basic_auth */
    bool disable_cache;           /* Cache-Control: no-cache */
    unsigned char reserved[32];
};

/* urlpool_headers_make makes a list of the headers chosen.
 *
 * Owns:    the caller frees it with urlpool_headers_free.
 * Errors:  NULL with URLPOOL_E_INVALID (NULL, basic and bearer at once, reserved bytes),
 *          URLPOOL_E_HEADER for what is not fit to send, URLPOOL_E_NOMEM. No message holds a
 *          credential.
 * Threads: any number at once.
 * Spec:    RFC 7617, RFC 6750 section 2.1.
 * Model:   urllib3.util.make_headers, whose user and password are Latin-1: these are sent as given.
 */
URLPOOL_API URLPOOL_MUST_USE struct urlpool_headers *urlpool_headers_make(
    const struct urlpool_headers_choice *choice, struct urlpool_error *err)
    URLPOOL_FREED_BY(urlpool_headers_free, 1);

URLPOOL_END_DECLS

#endif /* URLPOOL_MANAGER_H */
