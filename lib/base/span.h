#ifndef URLP_BASE_SPAN_H
#define URLP_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* struct urlp_span is a borrowed run of bytes, not NUL-terminated. */
struct urlp_span {
    const char *data;
    size_t len;
};

/* urlp_span_of is the span of a string, without its NUL; NULL gives the empty span. */
struct urlp_span urlp_span_of(const char *text);

/* urlp_span_make is the span of `len` bytes at `data`. */
struct urlp_span urlp_span_make(const void *data, size_t len);

/* urlp_span_equals says whether `a` and `b` hold the same bytes. */
bool urlp_span_equals(struct urlp_span a, struct urlp_span b);

/* urlp_span_is says whether `a` holds the bytes of the string `text`. */
bool urlp_span_is(struct urlp_span a, const char *text);

/* urlp_span_equals_nocase is urlp_span_equals without regard to the case of ASCII letters. */
bool urlp_span_equals_nocase(struct urlp_span a, struct urlp_span b);

/* urlp_span_is_nocase is urlp_span_is without regard to the case of ASCII letters. */
bool urlp_span_is_nocase(struct urlp_span a, const char *text);

/* urlp_span_trim returns `a` without SP and HTAB (OWS) at either end. */
struct urlp_span urlp_span_trim(struct urlp_span a);

/* urlp_span_split_list takes the next element of a comma-separated list off `rest`, trimmed, empty
 * elements skipped; false when none is left. Commas inside quoted strings do not split. */
bool urlp_span_split_list(struct urlp_span *rest, struct urlp_span *out_element);

/* urlp_span_to_u64 reads 1*DIGIT (nothing else); false on any other byte, none, or overflow. */
bool urlp_span_to_u64(struct urlp_span a, uint64_t *out_value);

/* Characters: ASCII, whatever the locale. */

/* urlp_is_tchar says whether `c` may stand in a token.
 *
 * Spec:    RFC 9110 section 5.6.2. */
bool urlp_is_tchar(unsigned char c);

/* urlp_span_is_token says whether `a` is a token: one tchar or more.
 *
 * Spec:    RFC 9110 section 5.6.2. */
bool urlp_span_is_token(struct urlp_span a);

/* urlp_is_digit says whether `c` is 0 to 9. */
bool urlp_is_digit(unsigned char c);

/* urlp_is_alpha says whether `c` is a letter. */
bool urlp_is_alpha(unsigned char c);

/* urlp_hex_value is the value of a hexadecimal digit, or -1. */
int urlp_hex_value(unsigned char c);

/* urlp_to_lower makes a capital letter small and leaves all else. */
char urlp_to_lower(char c);

#endif /* URLP_BASE_SPAN_H */
