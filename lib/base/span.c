/* Borrowed runs of bytes: comparing, trimming, splitting and reading numbers.
 *
 * Everything is ASCII and blind to the locale: <ctype.h> is not, and the wire is not in anybody's
 * language. No function here looks past `len`, and none needs a NUL. */

#include "base/span.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct urlp_span urlp_span_trim(struct urlp_span a)
{
    while (a.len > 0 && is_blank(a.data[0])) {
        a.data++;
        a.len--;
    }
    while (a.len > 0 && is_blank(a.data[a.len - 1])) {
        a.len--;
    }
    return a;
}

/* find_list_end returns the index of the comma that ends the first element of `list`, or its
 * length. RFC 9110 section 5.6.4: in a quoted-string a backslash makes the next byte an ordinary
 * one. */
static size_t find_list_end(struct urlp_span list)
{
    bool is_quoted = false;

    for (size_t i = 0; i < list.len; i++) {
        char c = list.data[i];

        if (c == ',' && !is_quoted) {
            return i;
        }
        if (c == '"') {
            is_quoted = !is_quoted;
        } else if (c == '\\' && is_quoted) {
            i++;
        }
    }
    return list.len;
}

bool urlp_span_split_list(struct urlp_span *rest, struct urlp_span *out_element)
{
    while (rest->len > 0) {
        size_t end = find_list_end(*rest);
        struct urlp_span element = urlp_span_trim(urlp_span_make(rest->data, end));
        size_t used = end < rest->len ? end + 1 : end;

        rest->data += used;
        rest->len -= used;
        if (element.len > 0) {
            *out_element = element;
            return true;
        }
    }
    return false;
}

bool urlp_span_to_u64(struct urlp_span a, uint64_t *out_value)
{
    uint64_t value = 0;

    if (a.len == 0) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        unsigned char c = (unsigned char)a.data[i];

        if (!urlp_is_digit(c) || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(c - '0'), &value)) {
            return false;
        }
    }
    *out_value = value;
    return true;
}

bool urlp_span_is_token(struct urlp_span a)
{
    unsigned common = URLP_BYTE_TCHAR;

    for (size_t i = 0; i < a.len; i++) {
        common &= urlp_byte_classes[(unsigned char)a.data[i]];
    }
    return a.len > 0 && common != 0;
}

int urlp_hex_value(unsigned char c)
{
    if (urlp_is_digit(c)) {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

bool urlp_span_list_has(struct urlp_span list, struct urlp_span token)
{
    struct urlp_span member;

    while (urlp_span_split_list(&list, &member)) {
        if (urlp_span_equals_nocase(member, token)) {
            return true;
        }
    }
    return false;
}
