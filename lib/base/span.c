/* Borrowed runs of bytes: comparing, trimming, splitting and reading numbers.
 *
 * Everything is ASCII and blind to the locale: <ctype.h> is not, and the wire is not in anybody's
 * language. No function here looks past `len`, and none needs a NUL. */

#include "base/span.h"

#include <string.h>

struct urlp_span urlp_span_of(const char *text)
{
    return (struct urlp_span){text, text != NULL ? strlen(text) : 0};
}

struct urlp_span urlp_span_make(const void *data, size_t len)
{
    return (struct urlp_span){data, len};
}

bool urlp_span_equals(struct urlp_span a, struct urlp_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool urlp_span_is(struct urlp_span a, const char *text)
{
    return urlp_span_equals(a, urlp_span_of(text));
}

bool urlp_span_equals_nocase(struct urlp_span a, struct urlp_span b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (urlp_to_lower(a.data[i]) != urlp_to_lower(b.data[i])) {
            return false;
        }
    }
    return true;
}

bool urlp_span_is_nocase(struct urlp_span a, const char *text)
{
    return urlp_span_equals_nocase(a, urlp_span_of(text));
}

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

bool urlp_is_tchar(unsigned char c)
{
    /* A bit for each of the 128 ASCII bytes: every name on the wire goes through here. */
    static const uint32_t is_tchar[4] = {0, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff};

    return c < 128 && (is_tchar[c / 32] >> (c % 32) & 1) != 0;
}

bool urlp_span_is_token(struct urlp_span a)
{
    for (size_t i = 0; i < a.len; i++) {
        if (!urlp_is_tchar((unsigned char)a.data[i])) {
            return false;
        }
    }
    return a.len > 0;
}

bool urlp_is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

bool urlp_is_alpha(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
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

char urlp_to_lower(char c)
{
    if (c < 'A' || c > 'Z') {
        return c;
    }
    return "abcdefghijklmnopqrstuvwxyz"[c - 'A'];
}
