#ifndef URLP_POLICY_REDIRECT_H
#define URLP_POLICY_REDIRECT_H

#include <stdbool.h>

#include "urlpool/error.h"

#include "base/span.h"
#include "http/field.h"
#include "http/url.h"

/* What the caller allows. */
struct urlp_redirect_rules {
    bool return_redirects; /* hand the 3xx to the caller */
    bool allow_downgrade;  /* https to http */
    unsigned schemes;      /* an OR of enum urlpool_scheme; 0: both */
    unsigned keep_post;    /* an OR of enum urlpool_keep_post */
};

/* What happened. Facts only. */
struct urlp_redirect_facts {
    const struct urlp_url *url; /* of the request answered */
    struct urlp_span method;
    int status;
    const struct urlp_field *fields;
    size_t num_fields;
    bool can_rewind; /* the request's body, or there is none */
};

/* What follows. */
struct urlp_redirect {
    bool follow;       /* false: the response is the caller's */
    bool to_get;       /* method becomes GET; body and Content-* fields are dropped */
    bool cross_origin; /* scheme, host or port changed: credentials go, for good */
};

/* urlp_redirect_judge decides where a response leads; whether it may once more is policy/verdict's
 * to say. Pure: same facts, same verdict. When it follows, `next` is the URL to go to, fragment
 * inherited; it is not `facts->url`. The response is the caller's when its status is no redirect,
 * Location is absent or empty, redirects are to be returned, or a body that must go on cannot be
 * sent again.
 *
 * Owns:    the caller calls urlp_url_deinit on `next`, also on failure.
 * Errors:  URLPOOL_E_REDIRECT (two differing Location lines, https to http, a scheme that is not
 *          allowed (cause SCHEME), userinfo or a bad URL in Location), with phase REDIRECT and
 *          the status;
 *          URLPOOL_E_NOMEM. `out` is untouched then.
 * Spec:    RFC 9110 sections 10.2.2, 15.4.
 * Model:   urllib3 PoolManager.urlopen. */
URLPOOL_MUST_USE enum urlpool_code urlp_redirect_judge(const struct urlp_redirect_rules *rules,
                                                       const struct urlp_redirect_facts *facts,
                                                       struct urlp_redirect *out,
                                                       struct urlp_url *next,
                                                       struct urlpool_error *err);

/* urlp_redirect_drops says whether a request field must not go on: those in `remove_headers`, a
 * list of names in any case, NULL while the origin is the same; `to_get` Content-*, Digest,
 * Last-Modified, Transfer-Encoding …; Host always, it is made anew.
 *
 * Spec:    RFC 9110 section 15.4.
 * Model:   urllib3 Retry.remove_headers_on_redirect, HTTPHeaderDict._prepare_for_method_change. */
bool urlp_redirect_drops(struct urlp_span name, const char *remove_headers, bool to_get);

#endif /* URLP_POLICY_REDIRECT_H */
