#ifndef URLP_H1_HEAD_PARSER_H
#define URLP_H1_HEAD_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "urlpool/error.h"

#include "h1/bounds.h"
#include "http/field.h"

/* struct urlp_h1_field_place is a field line found so far: offsets, as the bytes may yet move. When
 * the section is complete each becomes a struct urlp_field, in the same memory. */
struct urlp_h1_field_place {
    size_t name_at;
    size_t name_len;
    size_t value_at;
    size_t value_end;
};

/* struct urlp_h1_head_parser reads a response head, or a trailer section, line by line out of a
 * buffer that is the caller's. It looks at every byte once, however often it is called. Its array
 * is kept from head to head, in memory that is lent as long as that suffices. Zero bytes are a
 * valid parser that has not begun. */
struct urlp_h1_head_parser {
    bool is_trailers;
    bool has_status_line;
    bool is_lent;      /* `places` lies in memory that somebody has lent */
    uint8_t reason_at; /* behind the status, or 0 */
    size_t bytes_max;  /* of the section, this head */
    size_t line_at;    /* where the line in hand begins */
    size_t scanned;    /* no LF from line_at up to here */
    size_t num_places;
    size_t places_cap;
    struct urlp_h1_field_place *places;
    struct urlp_response_head head; /* valid once complete */
};

/* urlp_h1_head_deinit gives the array back and leaves zero bytes. */
void urlp_h1_head_deinit(struct urlp_h1_head_parser *parser);

/* urlp_h1_head_lend gives the parser memory for its array: `size` bytes that are aligned for any
 * type; 0: none any more. Where it has it in lent memory already, its content has moved here with
 * it; an array of its own it keeps, unless there is none any more.
 *
 * Owns:    the memory stays the caller's. */
void urlp_h1_head_lend(struct urlp_h1_head_parser *parser, void *memory, size_t size);

/* urlp_h1_head_begin starts on a new section of at most `bytes_max` bytes, whose first byte will be
 * the first one given to urlp_h1_head_step. */
void urlp_h1_head_begin(struct urlp_h1_head_parser *parser, bool is_trailers, size_t bytes_max);

/* urlp_h1_head_step reads on in `data`, all bytes of the section so far. `*out_used` is 0 when more
 * are needed, else the length of the section; parser->head then points into `data`. In a folded
 * field line the line end is overwritten with spaces.
 *
 * Errors:  BAD_STATUS_LINE, UNKNOWN_PROTOCOL, BAD_FIELD, BAD_LENGTH, TRANSFER_ENCODING, NOMEM,
 *          LINE_TOO_LONG, TOO_MANY_HEADERS, HEAD_TOO_LARGE.
 * Spec:    RFC 9112 sections 2.2, 4, 5, 7.1.2. */
URLPOOL_MUST_USE enum urlpool_code urlp_h1_head_step(struct urlp_h1_head_parser *parser,
                                                     const struct urlp_h1_bounds *bounds,
                                                     uint8_t *data, size_t len, size_t *out_used,
                                                     struct urlpool_error *err);

#endif /* URLP_H1_HEAD_PARSER_H */
