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

/* Strict: four decimal parts without leading zeros (no 127.1, 0x7f.1, 2130706433); RFC 4291 text
 * for IPv6, no brackets; a zone is not accepted here. */
bool urlp_ip_parse(struct urlp_span text, struct urlp_ip *out);
bool urlp_ip_parse_v4(struct urlp_span text, struct urlp_ip *out);
bool urlp_ip_parse_v6(struct urlp_span text, struct urlp_ip *out);

/* RFC 5952 form, no brackets, no zone. Sizes: out has URLP_IP_TEXT_MAX bytes; NUL-terminated. */
#define URLP_IP_TEXT_MAX 46
void urlp_ip_format(const struct urlp_ip *ip, char out[URLP_IP_TEXT_MAX]);

bool urlp_ip_equals(const struct urlp_ip *a, const struct urlp_ip *b);
bool urlp_cidr_parse(struct urlp_span text,
                     struct urlp_cidr *out); /* "10.0.0.0/8", or one address */
bool urlp_cidr_contains(const struct urlp_cidr *cidr,
                        const struct urlp_ip *ip); /* mapped v4 = v4 */

/* What an address is good for; IPv4-mapped IPv6 is classed as its IPv4. */
enum urlp_ip_class {
    URLP_IP_PUBLIC,
    URLP_IP_LOOPBACK,
    URLP_IP_PRIVATE,
    URLP_IP_LINK_LOCAL,
    URLP_IP_MULTICAST,
    URLP_IP_UNSPECIFIED,
    URLP_IP_RESERVED
};
enum urlp_ip_class urlp_ip_classify(const struct urlp_ip *ip);

#endif /* URLP_BASE_IP_H */
