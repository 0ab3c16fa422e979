#ifndef URLP_BASE_IP_H
#define URLP_BASE_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum urlp_ip_family {
    URLP_IP_NONE = 0,
    URLP_IP_V4 = 4,
    URLP_IP_V6 = 6
};

/* struct urlp_ip is an address. `bytes` holds 4 or 16 in network order, the rest zero. */
struct urlp_ip {
    enum urlp_ip_family family;
    uint8_t bytes[16];
    uint32_t scope_id; /* of a link-local IPv6 address with a zone, else 0 */
};

/* struct urlp_cidr is a range of addresses. */
struct urlp_cidr {
    struct urlp_ip ip;
    unsigned prefix_len;
};

/* urlp_ip_parse reads an address of either family. Strict: IPv4 is four decimal parts without
 * leading zeros (no 127.1, 0x7f.1, 2130706433), IPv6 has no brackets and no zone. `out` is
 * untouched on failure.
 *
 * Spec:    RFC 3986 section 3.2.2, RFC 4291 section 2.2. */
bool urlp_ip_parse(struct urlp_span text, struct urlp_ip *out);

/* urlp_ip_parse_v4 is urlp_ip_parse for IPv4 alone. */
bool urlp_ip_parse_v4(struct urlp_span text, struct urlp_ip *out);

/* urlp_ip_parse_v6 is urlp_ip_parse for IPv6 alone. */
bool urlp_ip_parse_v6(struct urlp_span text, struct urlp_ip *out);

#define URLP_IP_TEXT_MAX 46

/* urlp_ip_format writes the canonical text of `ip`, without brackets and zone.
 *
 * Sizes:   `out` has URLP_IP_TEXT_MAX bytes; the text ends in a NUL.
 * Spec:    RFC 5952. */
void urlp_ip_format(const struct urlp_ip *ip, char out[URLP_IP_TEXT_MAX]);

/* urlp_ip_equals says whether `a` and `b` are the same address in the same zone. IPv4 and the IPv6
 * mapped from it differ. */
bool urlp_ip_equals(const struct urlp_ip *a, const struct urlp_ip *b);

/* urlp_cidr_parse reads "10.0.0.0/8", or one address, which is a range of its own. Bits behind the
 * prefix do not count. `out` is untouched on failure. */
bool urlp_cidr_parse(struct urlp_span text, struct urlp_cidr *out);

/* urlp_cidr_contains says whether `ip` lies in `cidr`. IPv4-mapped IPv6 is its IPv4, on both sides.
 */
bool urlp_cidr_contains(const struct urlp_cidr *cidr, const struct urlp_ip *ip);

/* enum urlp_ip_class says what an address is good for. */
enum urlp_ip_class {
    URLP_IP_PUBLIC,
    URLP_IP_LOOPBACK,
    URLP_IP_PRIVATE, /* also what carriers share (100.64/10), unique local, site-local */
    URLP_IP_LINK_LOCAL,
    URLP_IP_MULTICAST,
    URLP_IP_UNSPECIFIED,
    URLP_IP_RESERVED /* documentation, benchmarking, broadcast, not assigned */
};

/* urlp_ip_classify classes `ip`. One that carries an IPv4 address (IPv4-mapped, NAT64, 6to4) is
 * classed as that.
 *
 * Spec:    RFC 6890 and the IANA special-purpose address registries. */
enum urlp_ip_class urlp_ip_classify(const struct urlp_ip *ip);

#endif /* URLP_BASE_IP_H */
