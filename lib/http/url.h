#ifndef URLP_HTTP_URL_H
#define URLP_HTTP_URL_H

#include <stdbool.h>
#include <stdint.h>

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

/* urlp_url_parse reads `text` into `out`, whose old text memory is used again: `text` must not
 * point into it.
 *
 * Sizes:   at most 64 KiB, as written and in normal form.
 * Owns:    the caller calls urlp_url_deinit, also on failure.
 * Errors:  URLPOOL_E_URL, URLPOOL_E_NOMEM; `out` is then empty. Messages never hold userinfo.
 * Spec:    RFC 3986. */
URLPOOL_MUST_USE enum urlpool_code urlp_url_parse(struct urlp_span text, struct urlp_url *out,
                                                  struct urlpool_error *err);
/* urlp_url_resolve resolves `reference` against `base`, which has a scheme and is not `out`.
 *
 * Errors:  those of urlp_url_parse; URLPOOL_E_INVALID when `base` has no scheme.
 * Spec:    RFC 3986 section 5.2, strict: "http:x" is not relative. */
URLPOOL_MUST_USE enum urlpool_code urlp_url_resolve(const struct urlp_url *base,
                                                    struct urlp_span reference,
                                                    struct urlp_url *out,
                                                    struct urlpool_error *err);
/* urlp_url_resolve_redirect is urlp_url_resolve for a Location field: a fragment missing there is
 * that of `base`.
 *
 * Spec:    RFC 9110 section 10.2.2. */
URLPOOL_MUST_USE enum urlpool_code urlp_url_resolve_redirect(const struct urlp_url *base,
                                                             struct urlp_span location,
                                                             struct urlp_url *out,
                                                             struct urlpool_error *err);
/* urlp_url_parse_authority reads "host", "host:port", "[v6]:port" or a bare IPv6 address into the
 * host, zone and port of `out`; everything else is absent.
 *
 * Errors:  URLPOOL_E_URL, userinfo and paths included; URLPOOL_E_NOMEM; `out` is then empty.
 * Model:   http.client.HTTPConnection._get_hostport. */
URLPOOL_MUST_USE enum urlpool_code urlp_url_parse_authority(struct urlp_span text,
                                                            struct urlp_url *out,
                                                            struct urlpool_error *err);
/* urlp_url_parse_host is urlp_url_parse_authority for a host and a port that are given apart; with
 * `port` 0 the one in `host` holds, if there is one.
 *
 * Errors:  also URLPOOL_E_URL for a port outside 0..65535, and for two that differ. */
URLPOOL_MUST_USE enum urlpool_code urlp_url_parse_host(const char *host, int port,
                                                       struct urlp_url *out,
                                                       struct urlpool_error *err);
/* urlp_url_deinit gives the memory back and leaves zero bytes. NULL is accepted. */
void urlp_url_deinit(struct urlp_url *url);

/* urlp_url_require_http checks that a request can be made of it: scheme http or https
 * (URLPOOL_E_SCHEME), a host (URLPOOL_E_URL).
 *
 * Spec:    RFC 9110 section 4.2. */
URLPOOL_MUST_USE enum urlpool_code urlp_url_require_http(const struct urlp_url *url,
                                                         struct urlpool_error *err);
/* urlp_url_has_http_scheme says whether the scheme is http or https. */
bool urlp_url_has_http_scheme(const struct urlp_url *url);
/* urlp_url_is_https says whether the scheme is https. */
bool urlp_url_is_https(const struct urlp_url *url);
/* urlp_url_default_port is the port of the scheme where a URL names none.
 *
 * Spec:    RFC 9110 sections 4.2.1, 4.2.2. */
uint16_t urlp_url_default_port(bool is_https);
/* urlp_url_effective_port returns the port to connect to: the one written, 0 too, else 443 for
 * https and 80 for all others. */
int urlp_url_effective_port(const struct urlp_url *url);

/* urlp_url_shows_target says whether the origin-form stands in the URL's own text, as it does
 * unless the path is empty; `out` is it then. */
bool urlp_url_shows_target(const struct urlp_url *url, struct urlp_span *out);
/* urlp_url_shows_authority says whether what Host says stands in the URL's own text, as it does but
 * for a zone and for the scheme's own port; `out` is it then. */
bool urlp_url_shows_authority(const struct urlp_url *url, struct urlp_span *out);

/* urlp_url_append_target appends the origin-form: path, "/" when empty, and "?query" if present.
 *
 * Errors:  those of urlp_buf_reserve; `out` is unchanged then.
 * Spec:    RFC 9112 section 3.2.1. */
URLPOOL_MUST_USE enum urlpool_code urlp_url_append_target(const struct urlp_url *url,
                                                          struct urlp_buf *out);
/* urlp_url_append_absolute_target appends the absolute-form: what a proxy is asked for. No
 * userinfo, no fragment, no zone.
 *
 * Errors:  those of urlp_buf_reserve; `out` is unchanged then.
 * Spec:    RFC 9112 section 3.2.2, RFC 9110 section 4.2.4. */
URLPOOL_MUST_USE enum urlpool_code urlp_url_append_absolute_target(const struct urlp_url *url,
                                                                   struct urlp_buf *out);
/* urlp_url_append_without_secrets appends the URL without userinfo, for messages and logs.
 *
 * Errors:  those of urlp_buf_reserve; `out` is unchanged then. */
URLPOOL_MUST_USE enum urlpool_code urlp_url_append_without_secrets(const struct urlp_url *url,
                                                                   struct urlp_buf *out);

#endif /* URLP_HTTP_URL_H */
