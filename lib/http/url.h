#ifndef URLP_HTTP_URL_H
#define URLP_HTTP_URL_H

#include <stdbool.h>

#include "urlpool/url.h"

#include "base/buf.h"
#include "base/span.h"

/* struct urlp_url is a parsed URL as spans into its own normalised text. Meaning of the parts as in
 * struct urlpool_url; absent ones have data NULL. Zero bytes are a valid empty URL. */
struct urlp_url {
    struct urlp_buf text; /* the whole URL as urlpool_url_format writes it, NUL behind it */
    struct urlp_span scheme, userinfo, host, zone, path, query, fragment;
    int port; /* as written, or -1 */
};

/* urlp_url_parse reads `text` into `out`, whose old text memory is used again.
 *
 * Errors:  URLPOOL_E_URL, URLPOOL_E_NOMEM; `out` is then empty.
 * Spec:    RFC 3986. */
URLPOOL_MUST_USE enum urlpool_code urlp_url_parse(struct urlp_span text, struct urlp_url *out,
                                                  struct urlpool_error *err);
/* urlp_url_resolve resolves `reference` against `base` (RFC 3986 section 5.2). */
URLPOOL_MUST_USE enum urlpool_code urlp_url_resolve(const struct urlp_url *base,
                                                    struct urlp_span reference, struct urlp_url *out,
                                                    struct urlpool_error *err);
void urlp_url_deinit(struct urlp_url *url);

/* urlp_url_require_http checks that a request can be made of it: scheme http or https
 * (URLPOOL_E_SCHEME), a host (URLPOOL_E_URL). */
URLPOOL_MUST_USE enum urlpool_code urlp_url_require_http(const struct urlp_url *url,
                                                         struct urlpool_error *err);
bool urlp_url_is_https(const struct urlp_url *url);
int urlp_url_effective_port(const struct urlp_url *url); /* 80 and 443 by default; port 0 is kept */

/* urlp_url_append_target appends the origin-form: path, "/" when empty, and "?query" if present.
 * Spec: RFC 9112 section 3.2.1. */
URLPOOL_MUST_USE enum urlpool_code urlp_url_append_target(const struct urlp_url *url,
                                                          struct urlp_buf *out);
/* urlp_url_append_without_secrets appends the URL without userinfo, for messages and logs. */
URLPOOL_MUST_USE enum urlpool_code urlp_url_append_without_secrets(const struct urlp_url *url,
                                                                   struct urlp_buf *out);

#endif /* URLP_HTTP_URL_H */
