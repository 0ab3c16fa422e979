/* Addresses as values: text to bytes, bytes to text, ranges, and what an address is good for.
 *
 * Reading is strict, because what one parser takes for 127.0.0.1 another takes for a host name: no
 * octal, no hexadecimal, no missing parts. Wherever two addresses mean the same host, an
 * IPv4-mapped IPv6 address counts as its IPv4. No sockets and no resolver here: those are
 * lib/net's. */

#include "base/ip.h"

#include <stdio.h>
#include <string.h>

#include "base/count.h"

#define V4_BYTES     4
#define V6_BYTES     16
#define NUM_GROUPS   8
#define MAPPED_BYTES 12 /* ::ffff:0:0/96 */

static const uint8_t mapped_prefix[MAPPED_BYTES] = {[10] = 0xff, [11] = 0xff};

/* parse_v4_bytes reads dotted decimal: dec-octet of RFC 3986 section 3.2.2, four times. */
static bool parse_v4_bytes(struct urlp_span text, uint8_t out[V4_BYTES])
{
    size_t at = 0;

    for (size_t part = 0; part < V4_BYTES; part++) {
        size_t start;
        unsigned value = 0;

        if (part > 0 && (at >= text.len || text.data[at++] != '.')) {
            return false;
        }
        start = at;
        while (at < text.len && at - start < 3 && urlp_is_digit((unsigned char)text.data[at])) {
            value = value * 10 + (unsigned)(text.data[at++] - '0');
        }
        if (at == start || value > UINT8_MAX || (at - start > 1 && text.data[start] == '0')) {
            return false;
        }
        out[part] = (uint8_t)value;
    }
    return at == text.len;
}

bool urlp_ip_parse_v4(struct urlp_span text, struct urlp_ip *out)
{
    struct urlp_ip ip = {.family = URLP_IP_V4};

    if (!parse_v4_bytes(text, ip.bytes)) {
        return false;
    }
    *out = ip;
    return true;
}

/* struct v6_reader is what has been read of an IPv6 address: bytes, and where "::" stood. */
struct v6_reader {
    struct urlp_span rest;
    uint8_t bytes[V6_BYTES];
    size_t len;
    size_t gap_at;
    bool has_gap;
};

static bool starts_with_gap(struct urlp_span rest)
{
    return rest.len >= 2 && rest.data[0] == ':' && rest.data[1] == ':';
}

static void skip(struct v6_reader *reader, size_t len)
{
    reader->rest.data += len;
    reader->rest.len -= len;
}

static bool read_gap(struct v6_reader *reader)
{
    if (reader->has_gap) {
        return false;
    }
    reader->has_gap = true;
    reader->gap_at = reader->len;
    skip(reader, 2);
    return true;
}

/* read_group reads h16 of RFC 3986, or the IPv4 address that may stand for the last two. */
static bool read_group(struct v6_reader *reader)
{
    struct urlp_span rest = reader->rest;
    size_t len = 0;
    unsigned value = 0;

    while (len < rest.len && len < 5 && urlp_hex_value((unsigned char)rest.data[len]) >= 0) {
        value = value << 4 | (unsigned)urlp_hex_value((unsigned char)rest.data[len++]);
    }
    if (len < rest.len && rest.data[len] == '.') {
        if (reader->len > V6_BYTES - V4_BYTES ||
            !parse_v4_bytes(rest, reader->bytes + reader->len)) {
            return false;
        }
        reader->len += V4_BYTES;
        skip(reader, rest.len);
        return true;
    }
    if (len == 0 || len > 4 || reader->len > V6_BYTES - 2) {
        return false;
    }
    reader->bytes[reader->len++] = (uint8_t)(value >> 8);
    reader->bytes[reader->len++] = (uint8_t)value;
    skip(reader, len);
    return true;
}

/* read_separator takes the ":" between two groups; false where a "::" or nothing must follow. */
static bool read_separator(struct v6_reader *reader)
{
    if (reader->rest.len < 2 || reader->rest.data[0] != ':') {
        return false;
    }
    skip(reader, 1);
    return true;
}

/* read_groups reads the whole of an address into `reader`. */
static bool read_groups(struct v6_reader *reader)
{
    if (starts_with_gap(reader->rest) && !read_gap(reader)) {
        return false;
    }
    while (reader->rest.len > 0) {
        if (!read_group(reader)) {
            return false;
        }
        if (reader->rest.len == 0) {
            break;
        }
        if (starts_with_gap(reader->rest) ? !read_gap(reader) : !read_separator(reader)) {
            return false;
        }
    }
    /* RFC 4291 section 2.2: "::" stands for one group of zeros or more. */
    return reader->has_gap ? reader->len <= V6_BYTES - 2 : reader->len == V6_BYTES;
}

bool urlp_ip_parse_v6(struct urlp_span text, struct urlp_ip *out)
{
    struct v6_reader reader = {.rest = text};
    struct urlp_ip ip = {.family = URLP_IP_V6};
    size_t tail;

    if (!read_groups(&reader)) {
        return false;
    }
    if (!reader.has_gap) {
        reader.gap_at = reader.len;
    }
    tail = reader.len - reader.gap_at;
    memcpy(ip.bytes, reader.bytes, reader.gap_at);
    memcpy(ip.bytes + V6_BYTES - tail, reader.bytes + reader.gap_at, tail);
    *out = ip;
    return true;
}

bool urlp_ip_parse(struct urlp_span text, struct urlp_ip *out)
{
    return urlp_ip_parse_v4(text, out) || urlp_ip_parse_v6(text, out);
}

static bool is_mapped(const struct urlp_ip *ip)
{
    return ip->family == URLP_IP_V6 && memcmp(ip->bytes, mapped_prefix, MAPPED_BYTES) == 0;
}

static unsigned get_group(const struct urlp_ip *ip, size_t index)
{
    return (unsigned)ip->bytes[index * 2] << 8 | ip->bytes[index * 2 + 1];
}

/* find_zeros finds the longest run of zero groups, the first of equals; RFC 5952 section 4.2.2: one
 * group alone is not shortened. Returns its length, or 0. */
static size_t find_zeros(const struct urlp_ip *ip, size_t *out_first)
{
    size_t longest = 0;
    size_t run = 0;

    for (size_t i = 0; i < NUM_GROUPS; i++) {
        run = get_group(ip, i) == 0 ? run + 1 : 0;
        if (run > longest && run > 1) {
            longest = run;
            *out_first = i - run + 1;
        }
    }
    return longest;
}

static void format_v4(const uint8_t bytes[V4_BYTES], const char *prefix, char out[URLP_IP_TEXT_MAX])
{
    (void)snprintf(out, URLP_IP_TEXT_MAX, "%s%u.%u.%u.%u", prefix, bytes[0], bytes[1], bytes[2],
                   bytes[3]);
}

static void format_v6(const struct urlp_ip *ip, char out[URLP_IP_TEXT_MAX])
{
    size_t zeros_first = NUM_GROUPS;
    size_t zeros = find_zeros(ip, &zeros_first);
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < NUM_GROUPS; i++) {
        const char *separator = i > 0 && i != zeros_first + zeros ? ":" : "";

        if (i == zeros_first) {
            len += (size_t)snprintf(out + len, URLP_IP_TEXT_MAX - len, "::");
            i += zeros - 1;
            continue;
        }
        len += (size_t)snprintf(out + len, URLP_IP_TEXT_MAX - len, "%s%x", separator,
                                get_group(ip, i));
    }
}

void urlp_ip_format(const struct urlp_ip *ip, char out[URLP_IP_TEXT_MAX])
{
    if (ip->family == URLP_IP_V4) {
        format_v4(ip->bytes, "", out);
        return;
    }
    if (is_mapped(ip)) {
        format_v4(ip->bytes + MAPPED_BYTES, "::ffff:", out); /* RFC 5952 section 5 */
        return;
    }
    if (ip->family == URLP_IP_V6) {
        format_v6(ip, out);
        return;
    }
    out[0] = '\0';
}

bool urlp_ip_equals(const struct urlp_ip *a, const struct urlp_ip *b)
{
    return a->family == b->family && a->scope_id == b->scope_id &&
           memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* unmap returns the IPv4 address that `ip` is mapped from, or `ip` itself. */
static struct urlp_ip unmap(const struct urlp_ip *ip)
{
    struct urlp_ip plain = {.family = URLP_IP_V4};

    if (!is_mapped(ip)) {
        return *ip;
    }
    memcpy(plain.bytes, ip->bytes + MAPPED_BYTES, V4_BYTES);
    return plain;
}

/* shares_prefix says whether the first `prefix_len` bits of `a` and `b` are the same. */
static bool shares_prefix(const uint8_t *a, const uint8_t *b, unsigned prefix_len)
{
    size_t whole = prefix_len / 8;
    unsigned rest = prefix_len % 8;
    uint8_t mask = (uint8_t)(0xff00U >> rest);

    return memcmp(a, b, whole) == 0 && (rest == 0 || ((a[whole] ^ b[whole]) & mask) == 0);
}

bool urlp_cidr_parse(struct urlp_span text, struct urlp_cidr *out)
{
    const char *slash = text.len > 0 ? memchr(text.data, '/', text.len) : NULL;
    size_t ip_len = slash != NULL ? (size_t)(slash - text.data) : text.len;
    struct urlp_cidr cidr;
    unsigned bits;
    uint64_t prefix_len;

    if (!urlp_ip_parse(urlp_span_make(text.data, ip_len), &cidr.ip)) {
        return false;
    }
    bits = cidr.ip.family == URLP_IP_V4 ? V4_BYTES * 8 : V6_BYTES * 8;
    prefix_len = bits;
    if (slash != NULL) {
        struct urlp_span digits = urlp_span_make(slash + 1, text.len - ip_len - 1);

        if (!urlp_span_to_u64(digits, &prefix_len) || prefix_len > bits ||
            (digits.len > 1 && digits.data[0] == '0')) {
            return false;
        }
    }
    cidr.prefix_len = (unsigned)prefix_len;
    *out = cidr;
    return true;
}

bool urlp_cidr_contains(const struct urlp_cidr *cidr, const struct urlp_ip *ip)
{
    struct urlp_ip range = cidr->ip;
    struct urlp_ip plain = unmap(ip);
    unsigned prefix_len = cidr->prefix_len;

    if (is_mapped(&cidr->ip) && prefix_len >= MAPPED_BYTES * 8) {
        range = unmap(&cidr->ip);
        prefix_len -= MAPPED_BYTES * 8;
    }
    if (range.family == plain.family) {
        return range.family != URLP_IP_NONE && shares_prefix(range.bytes, plain.bytes, prefix_len);
    }
    /* What is left is a wide IPv6 range, which may take in ::ffff:0:0/96 itself. */
    return range.family == ip->family && shares_prefix(range.bytes, ip->bytes, prefix_len);
}

struct class_row {
    uint8_t bytes[V6_BYTES];
    unsigned prefix_len;
    enum urlp_ip_class class;
};

/* From the IANA special-purpose address registries; narrower ranges stand before wider ones. */
static const struct class_row v4_classes[] = {
    {{0, 0, 0, 0},   32, URLP_IP_UNSPECIFIED},
    {{0},            8,  URLP_IP_RESERVED   }, /* this network */
    {{10},           8,  URLP_IP_PRIVATE    },
    {{100, 64},      10, URLP_IP_PRIVATE    }, /* shared by carriers, RFC 6598 */
    {{127},          8,  URLP_IP_LOOPBACK   },
    {{169, 254},     16, URLP_IP_LINK_LOCAL },
    {{172, 16},      12, URLP_IP_PRIVATE    },
    {{192, 0, 0},    24, URLP_IP_RESERVED   }, /* protocol assignments */
    {{192, 0, 2},    24, URLP_IP_RESERVED   }, /* documentation */
    {{192, 88, 99},  24, URLP_IP_RESERVED   }, /* 6to4 relays, withdrawn */
    {{192, 168},     16, URLP_IP_PRIVATE    },
    {{198, 18},      15, URLP_IP_RESERVED   }, /* benchmarking */
    {{198, 51, 100}, 24, URLP_IP_RESERVED   }, /* documentation */
    {{203, 0, 113},  24, URLP_IP_RESERVED   }, /* documentation */
    {{224},          4,  URLP_IP_MULTICAST  },
    {{240},          4,  URLP_IP_RESERVED   }, /* and the broadcast address */
    {{0},            0,  URLP_IP_PUBLIC     },
};

static const struct class_row v6_classes[] = {
    {{0},                            128, URLP_IP_UNSPECIFIED},
    {{[15] = 1},                     128, URLP_IP_LOOPBACK   },
    {{0x01, 0x00},                   64,  URLP_IP_RESERVED   }, /* discard-only */
    {{0x20, 0x01, 0x0d, 0xb8},       32,  URLP_IP_RESERVED   }, /* documentation */
    {{0x20, 0x01, 0x00},             23,  URLP_IP_RESERVED   }, /* protocol assignments, Teredo */
    {{0x3f, 0xff, 0x00},             20,  URLP_IP_RESERVED   }, /* documentation */
    {{0x20},                         3,   URLP_IP_PUBLIC     }, /* global unicast */
    {{0xfc},                         7,   URLP_IP_PRIVATE    }, /* unique local */
    {{0xfe, 0x80},                   10,  URLP_IP_LINK_LOCAL },
    {{0xfe, 0xc0},                   10,  URLP_IP_PRIVATE    }, /* site-local, withdrawn */
    {{0xff},                         8,   URLP_IP_MULTICAST  },
    {{0x00, 0x64, 0xff, 0x9b, 0, 1}, 48,  URLP_IP_PRIVATE    }, /* local translation, RFC 8215 */
    {{0},                            0,   URLP_IP_RESERVED   },
};

/* Prefixes under which an IPv4 address travels, and where in the address it stands: it is as good
 * as what it leads to. */
static const struct {
    uint8_t bytes[V6_BYTES];
    unsigned prefix_len;
    size_t v4_at;
} carriers[] = {
    {{[10] = 0xff, [11] = 0xff}, 96, 12}, /* IPv4-mapped */
    {{0x00, 0x64, 0xff, 0x9b},   96, 12}, /* NAT64, RFC 6052 */
    {{0x20, 0x02},               16, 2 }, /* 6to4, RFC 3056 */
};

static enum urlp_ip_class look_up(const struct class_row *rows, const uint8_t *bytes)
{
    while (!shares_prefix(rows->bytes, bytes, rows->prefix_len)) {
        rows++; /* the last row has all */
    }
    return rows->class;
}

enum urlp_ip_class urlp_ip_classify(const struct urlp_ip *ip)
{
    if (ip->family == URLP_IP_V4) {
        return look_up(v4_classes, ip->bytes);
    }
    if (ip->family != URLP_IP_V6) {
        return URLP_IP_UNSPECIFIED;
    }
    for (size_t i = 0; i < URLP_COUNT_OF(carriers); i++) {
        if (shares_prefix(carriers[i].bytes, ip->bytes, carriers[i].prefix_len)) {
            return look_up(v4_classes, ip->bytes + carriers[i].v4_at);
        }
    }
    return look_up(v6_classes, ip->bytes);
}
