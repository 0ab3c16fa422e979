#ifndef TESTS_DIFFER_GRAMMAR_H
#define TESTS_DIFFER_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The rules of RFC 9110 and 9112 that need no context, each a question about a run of bytes. */

struct text {
    const unsigned char *at;
    size_t len;
};

struct text text_of(const char *string);
/* text_from is what is left of `text` behind its first `begin` bytes. */
struct text text_from(struct text text, size_t begin);
struct text text_trim(struct text text); /* without SP and HTAB at either end */
bool text_is(struct text text, const char *string);
bool text_is_nocase(struct text text, const char *string);
bool text_equals_nocase(struct text a, struct text b);

bool is_token(struct text text);      /* 1*tchar */
bool is_field_text(struct text text); /* *( HTAB / SP / VCHAR / obs-text ) */

/* next_member takes the next member that is not empty off the list `rest`; false: there is none.
 * With `minds_quotes` a comma within a quoted string, or behind a quotation mark that is not
 * closed, does not divide. */
bool next_member(struct text *rest, bool minds_quotes, struct text *out);

/* read_status_line: HTTP/1.x SP 3DIGIT [ SP reason-phrase ]; `out_version` is 10 or 11. */
bool read_status_line(struct text line, bool needs_reason_space, int *out_version, int *out_status,
                      struct text *out_reason);

/* read_decimal: 1*DIGIT below 2^63. */
bool read_decimal(struct text text, uint64_t *out);

/* read_chunk_line: chunk-size, at most 16 digits and below 2^63, with [ chunk-ext ], without CRLF.
 * Blanks behind the size are a tolerance. */
bool read_chunk_line(struct text line, bool refuses_blanks, uint64_t *out_size);

#endif /* TESTS_DIFFER_GRAMMAR_H */
