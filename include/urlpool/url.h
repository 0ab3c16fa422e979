#ifndef URLPOOL_URL_H
#define URLPOOL_URL_H

#include "urlpool/error.h"
#include "urlpool/export.h"
#include "urlpool/memory.h"

URLPOOL_BEGIN_DECLS

/* struct urlpool_url is a parsed and normalised URI reference; made only by the library, so fields
 * may be appended. An absent part is NULL (path: ""), a present but empty one "".
 *
 * Threads: immutable.
 * Spec:    RFC 3986.
 * Model:   urllib3.util.Url. */
struct urlpool_url {
    const char *scheme;   /* lower case */
    const char *userinfo; /* as written, percent-encoded */
    const char *host;     /* lower case; an IPv6 literal without its brackets and zone */
    const char *zone;     /* of an IPv6 literal, decoded */
    int port;             /* as written, 0..65535; -1 when absent */
    const char *path;     /* dot segments removed */
    const char *query;    /* without the question mark */
    const char *fragment; /* without the hash */

    /* The same in other cuts. */
    const char *authority; /* userinfo, host and port as in the text, with brackets and zone */
    const char *netloc;    /* host and port alone */
    const char *target;    /* what a request asks for: path, "/" when empty, and query */
    const char *user;      /* decoded; NULL also for what holds an encoded NUL */
    const char *password;  /* decoded; NULL also without a colon */
};

/* urlpool_url_free ends the object's life. NULL is accepted. */
URLPOOL_API void urlpool_url_free(struct urlpool_url *url);

/* urlpool_url_parse reads an absolute http or https URL, or any RFC 3986 reference, and puts it
 * into normal form: scheme and host in lower case, IPv6 as in RFC 5952, percent-encoding in upper
 * case, unreserved bytes decoded, bytes that may not stand in their part encoded, dot segments
 * removed.
 *
 * Sizes:   at most 64 KiB of text, as written and in normal form.
 * Owns:    the caller frees the result with urlpool_url_free.
 * Errors:  NULL with URLPOOL_E_URL: a control, space or backslash anywhere; several "@"; an http
 *          URL with an empty host; a host that is no name (international ones become A-labels, in
 *          builds with IDNA), strict IPv4 address or IPv6 literal; a port that is no number, or one
 *          above 65535. NULL with URLPOOL_E_INVALID for NULL, or URLPOOL_E_NOMEM. No message
 *          holds a password.
 * Threads: any number at once.
 * Spec:    RFC 3986 sections 3, 6.2.2; RFC 6874; RFC 9110 section 4.2; UTS 46.
 * Model:   urllib3.util.parse_url, which takes a text without scheme for a host: this does not. */
URLPOOL_API URLPOOL_MUST_USE struct urlpool_url *urlpool_url_parse(const char *text,
                                                                   struct urlpool_error *err)
    URLPOOL_FREED_BY(urlpool_url_free, 1);

/* urlpool_url_join resolves `reference` against `base`.
 *
 * Owns:    the caller frees the result with urlpool_url_free.
 * Errors:  NULL with those of urlpool_url_parse, or URLPOOL_E_INVALID when `base` has no scheme.
 * Threads: any number at once.
 * Spec:    RFC 3986 section 5.2, strict.
 * Model:   urllib.parse.urljoin. */
URLPOOL_API URLPOOL_MUST_USE struct urlpool_url *urlpool_url_join(const struct urlpool_url *base,
                                                                  const char *reference,
                                                                  struct urlpool_error *err)
    URLPOOL_FREED_BY(urlpool_url_free, 1);

/* urlpool_url_format writes `url` as text, userinfo included.
 *
 * Owns:    the caller frees it with urlpool_string_free.
 * Errors:  NULL with URLPOOL_E_NOMEM, or URLPOOL_E_INVALID for NULL.
 * Threads: any number at once.
 * Spec:    RFC 3986 section 5.3. */
URLPOOL_API URLPOOL_MUST_USE char *urlpool_url_format(const struct urlpool_url *url,
                                                      struct urlpool_error *err) URLPOOL_MALLOC
    URLPOOL_FREED_BY(urlpool_string_free, 1);

URLPOOL_END_DECLS

#endif /* URLPOOL_URL_H */
