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

struct urlp_span urlp_span_of(const char *text); /* NULL gives the empty span */
struct urlp_span urlp_span_make(const void *data, size_t len);
bool urlp_span_equals(struct urlp_span a, struct urlp_span b);
bool urlp_span_is(struct urlp_span a, const char *text);
bool urlp_span_equals_nocase(struct urlp_span a, struct urlp_span b); /* ASCII letters only */
bool urlp_span_is_nocase(struct urlp_span a, const char *text);
struct urlp_span urlp_span_trim(struct urlp_span a); /* SP and HTAB at both ends (OWS) */

/* urlp_span_split_list takes the next element of a comma-separated list off `rest`, trimmed, empty
 * elements skipped; false when none is left. Commas inside quoted strings do not split. */
bool urlp_span_split_list(struct urlp_span *rest, struct urlp_span *out_element);

/* urlp_span_to_u64 reads 1*DIGIT (nothing else); false on any other byte, none, or overflow. */
bool urlp_span_to_u64(struct urlp_span a, uint64_t *out_value);

/* ASCII, whatever the locale. */
bool urlp_is_tchar(unsigned char c); /* RFC 9110 section 5.6.2 */
bool urlp_is_digit(unsigned char c);
bool urlp_is_alpha(unsigned char c);
int urlp_hex_value(unsigned char c); /* 0..15, or -1 */
char urlp_to_lower(char c);

#endif /* URLP_BASE_SPAN_H */
