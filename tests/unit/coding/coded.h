#ifndef TESTS_UNIT_CODING_CODED_H
#define TESTS_UNIT_CODING_CODED_H

#include <stddef.h>

#include "base/buf.h"
#include "coding/decoder.h"

/* Making coded data, by zlib, and decoding it in pieces. */

enum coded_wrap {
    CODED_GZIP,
    CODED_GZIP_FULL, /* with an extra field, a name, a comment and a header CRC */
    CODED_ZLIB,
    CODED_RAW
};

/* coded_append appends `len` bytes at `data`, coded, to `out`. */
void coded_append(struct urlp_buf *out, enum coded_wrap wrap, const void *data, size_t len);

/* coded_text appends lines of text of about `len` bytes, the same each time. */
void coded_text(struct urlp_buf *out, size_t len);

/* coded_decode decodes `in` as `codings` into `out`, `in_step` bytes in and `out_step` bytes out at
 * a time, and finishes. Returns the first error. */
enum urlpool_code coded_decode(const char *codings, const struct urlp_buf *in, size_t in_step,
                               size_t out_step, struct urlp_buf *out);

/* coded_check checks that `coded` gives `expected`, in several sizes of pieces. */
void coded_check(const char *codings, const struct urlp_buf *coded,
                 const struct urlp_buf *expected);

/* coded_check_fails checks that `coded` does not: whole, in pieces, byte by byte. */
void coded_check_fails(const char *codings, const struct urlp_buf *coded);

/* coded_check_cut checks that `coded` gives `expected` cut at every offset, and that it fails when
 * it ends at any but its last. */
void coded_check_cut(const char *codings, const struct urlp_buf *coded,
                     const struct urlp_buf *expected);

/* coded_check_short_of_memory lets each allocation of decoding `coded` fail once, at least
 * `num_least` of them. `coded` must not be urlpool's memory: the heap is exchanged. */
void coded_check_short_of_memory(const char *codings, const uint8_t *coded, size_t len,
                                 uint64_t num_least);

#endif /* TESTS_UNIT_CODING_CODED_H */
