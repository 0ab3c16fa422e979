/* The host and port of a URL: which spellings are one, and which are none.
 *
 * A host has one spelling behind this file, since pools, credentials and certificates are kept by
 * it. What other parsers read in two ways is refused: short and non-decimal IPv4, IPvFuture, names
 * in brackets, percent-encoded delimiters. Internationalised names are in A-labels behind this
 * file. Whether a name exists is not known here. */

#include "http/url_host.h"

#include <string.h>

#include "base/error.h"
#include "base/ip.h"
#include "http/idna.h"
#include "http/url_text.h"

enum {
    LABEL_BYTES_MAX = 63,                        /* RFC 1035 section 2.3.4 */
    WRITTEN_BYTES_MAX = 4 * URLP_HOST_BYTES_MAX, /* of a name before its letters become ASCII */
    PORT_MAX = 65535
};

static const char too_long[] = "is longer than 253 bytes";

static enum urlpool_code refuse(struct urlp_span raw, const char *why, struct urlpool_error *err)
{
    return urlp_fail(err, URLPOOL_E_URL, URLPOOL_PHASE_NONE, "host \"%s\" %s",
                     urlp_quote(raw.data, raw.len).text, why);
}

/* Takes one byte off `in`, a triplet counting as the byte it stands for. */
static bool take_byte(struct urlp_span *in, unsigned char *out_byte, bool *out_encoded)
{
    *out_byte = (unsigned char)in->data[0];
    *out_encoded = *out_byte == '%';
    if (!*out_encoded) {
        *in = urlp_span_make(in->data + 1, in->len - 1);
        return true;
    }

    int high = in->len < 3 ? -1 : urlp_hex_value((unsigned char)in->data[1]);
    int low = in->len < 3 ? -1 : urlp_hex_value((unsigned char)in->data[2]);

    if (high < 0 || low < 0) {
        return false;
    }
    *out_byte = (unsigned char)(high * 16 + low);
    *in = urlp_span_make(in->data + 3, in->len - 3);
    return true;
}

static const char *name_byte_fault(unsigned char c, bool is_encoded)
{
    if (urlp_byte_is(c, URLP_BYTE_UNRESERVED) && c != '~') {
        return NULL;
    }
    return is_encoded ? "holds a percent-encoded byte that no name may have"
                      : "holds a byte that no name may have";
}

/* struct written is a name as it was written, triplets undone. */
struct written {
    size_t len;
    bool is_ascii;
    char text[WRITTEN_BYTES_MAX + 1];
};

static const char *decode_name(struct urlp_span raw, struct written *out)
{
    out->len = 0;
    out->is_ascii = true;
    while (raw.len > 0) {
        unsigned char c = 0;
        bool is_encoded = false;

        if (!take_byte(&raw, &c, &is_encoded)) {
            return "holds a malformed percent-encoding";
        }

        const char *fault = c < 0x80 ? name_byte_fault(c, is_encoded) : NULL;

        if (fault != NULL) {
            return fault;
        }
        if (out->len == WRITTEN_BYTES_MAX) {
            return too_long;
        }
        out->is_ascii &= c < 0x80;
        out->text[out->len++] = (char)c;
    }
    out->text[out->len] = '\0';
    return NULL;
}

/* settle_name writes the one spelling of a name. What IDNA makes of letters is looked at as if it
 * had been written: there are letters that stand for "/" and for digits. */
static const char *settle_name(struct written *written, struct urlp_host *out)
{
    if (!written->is_ascii) {
        const char *fault = urlp_idna_to_ascii(written->text, written->text, sizeof(written->text));

        if (fault != NULL) {
            return fault;
        }
        written->len = strlen(written->text);
    }
    if (written->len > URLP_HOST_BYTES_MAX) {
        return too_long;
    }
    for (size_t i = 0; i < written->len; i++) {
        unsigned char c = (unsigned char)written->text[i];
        const char *fault = name_byte_fault(c, false);

        if (fault != NULL) {
            return fault;
        }
        out->text[out->len++] = urlp_to_lower((char)c);
    }
    return NULL;
}

/* is_false_a_label says whether a label says of itself that it stands for other letters and stands
 * for none: in "xn--google-" nothing follows the ASCII letters, in "xn--" nothing at all. Who
 * decodes it sees "google", who compares it does not. Names are in small letters here.
 *
 * RFC 3492 section 6.2; RFC 5890 section 2.3.2.1: an A-label is the form of one U-label alone. */
static bool is_false_a_label(struct urlp_span label)
{
    static const char prefix[] = "xn--";

    return label.len >= sizeof(prefix) - 1 && memcmp(label.data, prefix, sizeof(prefix) - 1) == 0 &&
           label.data[label.len - 1] == '-';
}

/* Walks the labels; `*out_last` becomes the last one that is not the root's empty one. */
static const char *check_labels(struct urlp_span name, struct urlp_span *out_last)
{
    while (name.len > 0) {
        size_t len = 0;

        while (len < name.len && name.data[len] != '.') {
            len++; /* labels are short */
        }
        if (len == 0) {
            return "has an empty label";
        }
        if (len > LABEL_BYTES_MAX) {
            return "has a label longer than 63 bytes";
        }
        *out_last = urlp_span_make(name.data, len);
        if (is_false_a_label(*out_last)) {
            return "has an xn-- label that stands for no other letters";
        }
        len += len < name.len ? 1 : 0;
        name = urlp_span_make(name.data + len, name.len - len);
    }
    return NULL;
}

/* What inet_aton and its kin take for the last part of an address: decimal, octal, hexadecimal. No
 * top-level domain looks like this. */
static bool is_number(struct urlp_span label)
{
    bool is_hex = label.len >= 2 && label.data[0] == '0' && label.data[1] == 'x';

    for (size_t i = is_hex ? 2 : 0; i < label.len; i++) {
        unsigned char c = (unsigned char)label.data[i];

        if (is_hex ? urlp_hex_value(c) < 0 : !urlp_is_digit(c)) {
            return false;
        }
    }
    return true;
}

/* write_plain writes a name that needs neither decoding nor IDNA, as most do, and says whether it
 * was one. */
static bool write_plain(struct urlp_span raw, struct urlp_host *out)
{
    if (raw.len > URLP_HOST_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < raw.len; i++) {
        if (name_byte_fault((unsigned char)raw.data[i], false) != NULL) {
            return false;
        }
        out->text[i] = urlp_to_lower(raw.data[i]);
    }
    out->len = raw.len;
    return true;
}

/* write_name writes the one spelling of a name. */
static const char *write_name(struct urlp_span raw, struct urlp_host *out)
{
    struct written written;
    const char *fault;

    if (write_plain(raw, out)) {
        return NULL;
    }
    fault = decode_name(raw, &written);
    return fault != NULL ? fault : settle_name(&written, out);
}

static const char *parse_name(struct urlp_span raw, struct urlp_host *out)
{
    struct urlp_span last = {NULL, 0};
    struct urlp_span name;
    struct urlp_ip ip;
    const char *fault = write_name(raw, out);

    name = urlp_span_make(out->text, out->len);
    if (fault == NULL) {
        fault = check_labels(name, &last);
    }
    if (fault != NULL) {
        return fault;
    }
    if (out->len == URLP_HOST_BYTES_MAX && out->text[out->len - 1] != '.') {
        return too_long;
    }
    if (last.len > 0 && is_number(last) && !urlp_ip_parse_v4(name, &ip)) {
        return "ends in a number but is no IPv4 address of four decimal parts";
    }
    return NULL;
}

bool urlp_host_is_settled(struct urlp_span raw)
{
    struct urlp_span last = {NULL, 0};
    struct urlp_ip ip;

    if (raw.len == 0 || raw.len >= URLP_HOST_BYTES_MAX) {
        return false;
    }
    if (urlp_is_digit((unsigned char)raw.data[0]) && urlp_ip_parse_v4(raw, &ip)) {
        return true;
    }
    return check_labels(raw, &last) == NULL && (last.len == 0 || !is_number(last));
}

static const char *parse_zone(struct urlp_span raw, struct urlp_host *out)
{
    /* RFC 6874 section 2: ZoneID = 1*( unreserved / pct-encoded ), behind "%25". */
    if (raw.len < 3 || memcmp(raw.data, "%25", 3) != 0) {
        return "has a zone that does not begin with \"%25\"";
    }
    raw = urlp_span_make(raw.data + 3, raw.len - 3);
    if (raw.len == 0) {
        return "has an empty zone";
    }
    while (raw.len > 0) {
        unsigned char c = 0;
        bool is_encoded = false;

        if (!take_byte(&raw, &c, &is_encoded) || !urlp_url_is_unreserved(c)) {
            return "has a zone of other bytes than letters, digits and \"-._~\"";
        }
        if (out->zone_len == URLP_ZONE_BYTES_MAX) {
            return "has a zone longer than 63 bytes";
        }
        out->zone[out->zone_len++] = (char)c;
    }
    return NULL;
}

static const char *parse_literal(struct urlp_span raw, struct urlp_host *out)
{
    if (raw.len < 2 || raw.data[raw.len - 1] != ']') {
        return "lacks its closing bracket";
    }

    struct urlp_span inner = urlp_span_make(raw.data + 1, raw.len - 2);
    const char *percent = memchr(inner.data, '%', inner.len);
    size_t address_len = percent == NULL ? inner.len : (size_t)(percent - inner.data);
    struct urlp_ip ip;
    char text[URLP_IP_TEXT_MAX];

    if (!urlp_ip_parse_v6(urlp_span_make(inner.data, address_len), &ip)) {
        return "has brackets around something that is no IPv6 address";
    }
    urlp_ip_format(&ip, text);
    out->is_v6 = true;
    out->len = strlen(text);
    memcpy(out->text, text, out->len);
    if (percent == NULL) {
        return NULL;
    }
    return parse_zone(urlp_span_make(percent, inner.len - address_len), out);
}

enum urlpool_code urlp_host_parse(struct urlp_span raw, struct urlp_host *out,
                                  struct urlpool_error *err)
{
    bool is_literal = raw.len > 0 && raw.data[0] == '[';
    const char *fault = NULL;

    out->len = 0;
    out->zone_len = 0;
    out->is_v6 = false;
    fault = is_literal ? parse_literal(raw, out) : parse_name(raw, out);
    out->text[out->len] = '\0';
    out->zone[out->zone_len] = '\0';
    if (fault == urlp_idna_no_memory) {
        return urlp_fail_nomem(err);
    }
    return fault == NULL ? URLPOOL_OK : refuse(raw, fault, err);
}

enum urlpool_code urlp_port_parse(struct urlp_span digits, int *out_port, struct urlpool_error *err)
{
    int port = 0;

    for (size_t i = 0; i < digits.len; i++) {
        unsigned char c = (unsigned char)digits.data[i];

        /* Not quoted: behind a colon that was meant for userinfo stands a password. */
        if (!urlp_is_digit(c)) {
            return urlp_fail(err, URLPOOL_E_URL, URLPOOL_PHASE_NONE,
                             "port is not a number from 0 to 65535");
        }
        port = port * 10 + (c - '0');
        if (port > PORT_MAX) {
            return urlp_fail(err, URLPOOL_E_URL, URLPOOL_PHASE_NONE,
                             "port %s is not a number from 0 to 65535",
                             urlp_quote(digits.data, digits.len).text);
        }
    }
    *out_port = digits.len == 0 ? -1 : port;
    return URLPOOL_OK;
}
