#ifndef URLP_H1_CHUNK_H
#define URLP_H1_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "urlpool/error.h"

#include "h1/bounds.h"

/* Where in a chunk the reader is. */
enum urlp_h1_chunk_state {
    URLP_H1_CHUNK_BAD = 0, /* zero, so that a byte that is not in the table is an error */
    URLP_H1_CHUNK_SIZE_FIRST,
    URLP_H1_CHUNK_SIZE,
    URLP_H1_CHUNK_SIZE_BLANK,
    URLP_H1_CHUNK_EXT,
    URLP_H1_CHUNK_EXT_NAME,
    URLP_H1_CHUNK_EXT_NAME_BLANK,
    URLP_H1_CHUNK_EXT_EQUALS,
    URLP_H1_CHUNK_EXT_VALUE,
    URLP_H1_CHUNK_EXT_QUOTED,
    URLP_H1_CHUNK_EXT_QUOTED_PAIR,
    URLP_H1_CHUNK_EXT_QUOTED_END,
    URLP_H1_CHUNK_EXT_VALUE_BLANK,
    URLP_H1_CHUNK_LINE_LF,
    URLP_H1_CHUNK_DATA,
    URLP_H1_CHUNK_DATA_CR,
    URLP_H1_CHUNK_DATA_LF,
    URLP_H1_CHUNK_TRAILERS /* the last chunk is read; what follows is a trailer section */
};

struct urlp_h1_chunk_reader {
    enum urlp_h1_chunk_state state;
    unsigned num_digits;
    uint64_t remaining; /* of the data of this chunk */
    size_t line_len;
    size_t excess; /* bytes of chunk lines that no data made up for */
};

/* What a step did: `used` bytes are done with, the last `data_len` of them being chunk data. */
struct urlp_h1_chunk_run {
    size_t used;
    size_t data_len;
};

/* urlp_h1_chunk_begin makes `reader` ready for the first chunk of a body. */
void urlp_h1_chunk_begin(struct urlp_h1_chunk_reader *reader);

/* urlp_h1_chunk_step reads on in `data` up to and with the next run of chunk data, to the end of
 * the last chunk, or to the end of the bytes.
 *
 * Errors:  URLPOOL_E_BAD_CHUNK; URLPOOL_E_LINE_TOO_LONG, also for lines out of all proportion to
 *          the data.
 * Spec:    RFC 9112 section 7.1. */
URLPOOL_MUST_USE enum urlpool_code urlp_h1_chunk_step(struct urlp_h1_chunk_reader *reader,
                                                      const struct urlp_h1_bounds *bounds,
                                                      const uint8_t *data, size_t len,
                                                      struct urlp_h1_chunk_run *out,
                                                      struct urlpool_error *err);

/* urlp_h1_chunk_took says that `len` bytes of data, at most `remaining`, were read past the reader.
 */
void urlp_h1_chunk_took(struct urlp_h1_chunk_reader *reader, size_t len);

#endif /* URLP_H1_CHUNK_H */
