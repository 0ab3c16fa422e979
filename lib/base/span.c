/* Borrowed runs of bytes: comparing, trimming, splitting and reading numbers.
 *
 * Everything is ASCII and blind to the locale: <ctype.h> is not, and the wire is not in anybody's
 * language. No function here looks past `len`, and none needs a NUL. */

#include "base/span.h"

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

/* is_token_of_four says whether four bytes are tchars. */
static bool is_token_of_four(const char *data)
{
    const unsigned char *bytes = (const unsigned char *)data;

    return (urlp_byte_classes[bytes[0]] & urlp_byte_classes[bytes[1]] &
            urlp_byte_classes[bytes[2]] & urlp_byte_classes[bytes[3]] & URLP_BYTE_TCHAR) != 0;
}

size_t urlp_span_token_len(struct urlp_span a)
{
    size_t len = 0;

    while (len + 4 <= a.len && is_token_of_four(a.data + len)) {
        len += 4;
    }
    while (len < a.len && urlp_is_tchar((unsigned char)a.data[len])) {
        len++;
    }
    return len;
}

/* classes_of_four is all that one of four bytes is. */
static unsigned classes_of_four(const char *data)
{
    const unsigned char *bytes = (const unsigned char *)data;

    return (unsigned)(urlp_byte_classes[bytes[0]] | urlp_byte_classes[bytes[1]] |
                      urlp_byte_classes[bytes[2]] | urlp_byte_classes[bytes[3]]);
}

size_t urlp_span_until(struct urlp_span a, unsigned classes)
{
    size_t len = 0;

    while (len + 4 <= a.len && (classes_of_four(a.data + len) & classes) == 0) {
        len += 4;
    }
    while (len < a.len && !urlp_byte_is((unsigned char)a.data[len], classes)) {
        len++;
    }
    return len;
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
