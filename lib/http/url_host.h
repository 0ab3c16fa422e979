#ifndef URLP_HTTP_URL_HOST_H
#define URLP_HTTP_URL_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include "urlpool/error.h"

#include "base/span.h"

/* A name has 253 bytes (RFC 1035 section 2.3.4 as text), and may end in the root's dot. */
#define URLP_HOST_BYTES_MAX 254
/* Interface names have 15 bytes, numbers fewer; more is nobody's. */
#define URLP_ZONE_BYTES_MAX 63

/* struct urlp_host is a host in canonical form: one spelling for one host. */
struct urlp_host {
    size_t len;
    size_t zone_len;
    bool is_v6;
    char text[URLP_HOST_BYTES_MAX + 1]; /* lower case; IPv6 as in RFC 5952, no brackets, no zone */
    char zone[URLP_ZONE_BYTES_MAX + 1]; /* decoded; unreserved bytes only */
};

/* urlp_host_parse reads the host of an authority, brackets included; an empty one is let through.
 *
 * Errors:  URLPOOL_E_URL: a number that is no strict IPv4 address, brackets around anything but an
 *          IPv6 literal with at most a zone, percent-encoding of more than unreserved bytes,
 *          letters that IDNA has no form for, an empty or overlong label. URLPOOL_E_NOMEM.
 * Spec:    RFC 3986 section 3.2.2, RFC 6874 section 2. */
URLPOOL_MUST_USE enum urlpool_code urlp_host_parse(struct urlp_span raw, struct urlp_host *out,
                                                   struct urlpool_error *err);

/* urlp_host_is_settled says whether `raw`, whose bytes are all of URLP_BYTE_HOST, is a name or an
 * IPv4 address as it stands: urlp_host_parse would take it and change nothing. It may say no of one
 * that is. */
bool urlp_host_is_settled(struct urlp_span raw);

/* urlp_port_parse reads the digits behind the colon; none at all gives -1, the default.
 *
 * Errors:  URLPOOL_E_URL for anything but digits, or above 65535.
 * Spec:    RFC 3986 section 3.2.3. */
URLPOOL_MUST_USE enum urlpool_code urlp_port_parse(struct urlp_span digits, int *out_port,
                                                   struct urlpool_error *err);

#endif /* URLP_HTTP_URL_HOST_H */
