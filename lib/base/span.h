#ifndef URLP_BASE_SPAN_H
#define URLP_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/byte_class.h"

/* struct urlp_span is a borrowed run of bytes, not NUL-terminated. */
struct urlp_span {
    const char *data;
    size_t len;
};

/* URLP_SPAN is the span of a string literal, as an initialiser. */
#define URLP_SPAN(text)          \
    {                            \
        (text), sizeof(text) - 1 \
    }

/* Characters: ASCII, whatever the locale. What is asked for every byte on the wire, or with names
 * that the compiler knows, is inline. */

/* urlp_is_digit says whether `c` is 0 to 9. */
static inline bool urlp_is_digit(unsigned char c)
{
    return urlp_byte_is(c, URLP_BYTE_DIGIT);
}

/* urlp_is_alpha says whether `c` is a letter. */
static inline bool urlp_is_alpha(unsigned char c)
{
    return urlp_byte_is(c, URLP_BYTE_ALPHA);
}

/* urlp_is_tchar says whether `c` may stand in a token.
 *
 * Spec:    RFC 9110 section 5.6.2. */
static inline bool urlp_is_tchar(unsigned char c)
{
    return urlp_byte_is(c, URLP_BYTE_TCHAR);
}

/* urlp_to_lower makes a capital letter small and leaves all else. */
static inline char urlp_to_lower(char c)
{
    if (c < 'A' || c > 'Z') {
        return c;
    }
    return (char)(c | 0x20);
}

/* urlp_hex_value is the value of a hexadecimal digit, or -1. */
int urlp_hex_value(unsigned char c);

/* urlp_span_make is the span of `len` bytes at `data`. */
static inline struct urlp_span urlp_span_make(const void *data, size_t len)
{
    const struct urlp_span span = {(const char *)data, len};

    return span;
}

/* urlp_span_of is the span of a string, without its NUL; NULL gives the empty span. */
static inline struct urlp_span urlp_span_of(const char *text)
{
    return urlp_span_make(text, text != NULL ? strlen(text) : 0);
}

/* urlp_span_equals says whether `a` and `b` hold the same bytes. */
static inline bool urlp_span_equals(struct urlp_span a, struct urlp_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* urlp_span_is says whether `a` holds the bytes of the string `text`. */
static inline bool urlp_span_is(struct urlp_span a, const char *text)
{
    return urlp_span_equals(a, urlp_span_of(text));
}

/* urlp_span_equals_nocase is urlp_span_equals without regard to the case of ASCII letters. */
static inline bool urlp_span_equals_nocase(struct urlp_span a, struct urlp_span b)
{
    size_t i = 0;

    if (a.len != b.len) {
        return false;
    }
    if (a.len == 0 || memcmp(a.data, b.data, b.len) == 0) {
        return true; /* most names are spelled as everybody does */
    }
    while (i < a.len && urlp_to_lower(a.data[i]) == urlp_to_lower(b.data[i])) {
        i++;
    }
    return i == a.len;
}

/* urlp_span_is_nocase is urlp_span_is without regard to the case of ASCII letters. */
static inline bool urlp_span_is_nocase(struct urlp_span a, const char *text)
{
    return urlp_span_equals_nocase(a, urlp_span_of(text));
}

/* urlp_span_token_len is the length of the token that `a` begins with: 0 when there is none.
 *
 * Spec:    RFC 9110 section 5.6.2. */
size_t urlp_span_token_len(struct urlp_span a);

/* urlp_span_is_token says whether `a` is a token: one tchar or more. */
static inline bool urlp_span_is_token(struct urlp_span a)
{
    return a.len > 0 && urlp_span_token_len(a) == a.len;
}

/* urlp_is_blank says whether `c` is SP or HTAB.
 *
 * Spec:    RFC 9110 section 5.6.3. */
static inline bool urlp_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* urlp_span_until is how many bytes of `a` stand before the first one of `classes`, of enum
 * urlp_byte_class, joined by "|". */
size_t urlp_span_until(struct urlp_span a, unsigned classes);

/* urlp_span_trim returns `a` without SP and HTAB (OWS) at either end. */
static inline struct urlp_span urlp_span_trim(struct urlp_span a)
{
    while (a.len > 0 && urlp_is_blank(a.data[0])) {
        a.data++;
        a.len--;
    }
    while (a.len > 0 && urlp_is_blank(a.data[a.len - 1])) {
        a.len--;
    }
    return a;
}

/* urlp_span_split_list takes the next element of a comma-separated list off `rest`, trimmed, empty
 * elements skipped; false when none is left. Commas inside quoted strings do not split. */
bool urlp_span_split_list(struct urlp_span *rest, struct urlp_span *out_element);
/* urlp_span_list_has says whether `token` is an element of such a list, in any case. */
bool urlp_span_list_has(struct urlp_span list, struct urlp_span token);

/* urlp_span_to_u64 reads 1*DIGIT (nothing else); false on any other byte, none, or overflow. */
bool urlp_span_to_u64(struct urlp_span a, uint64_t *out_value);

#endif /* URLP_BASE_SPAN_H */
