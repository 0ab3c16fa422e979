#ifndef URLP_CODING_DECODER_H
#define URLP_CODING_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "urlpool/error.h"

#include "base/span.h"

/* A decoder undoes a stack of content codings, always into a bounded output. */
struct urlp_decoder;

/* urlp_decoder_new makes a decoder for the field value `codings` (all lines joined by ", "), the
 * last coding undone first. `*out` is NULL, and the code OK, when there is nothing to undo: no
 * coding, identity only, or an unknown one among them (the body is then passed on as it is).
 *
 * Units:   `codings_max` as in struct urlpool_limits: 0 the default of 5, URLPOOL_NONE none at all;
 *          `ratio_max` is its coding_ratio_max: 0 the default of 2000.
 * Errors:  URLPOOL_E_DECODE when more than `codings_max`; URLPOOL_E_NOMEM.
 * Spec:    RFC 9110 section 8.4. */
URLPOOL_MUST_USE enum urlpool_code urlp_decoder_new(struct urlp_span codings, int codings_max,
                                                    int ratio_max, struct urlp_decoder **out,
                                                    struct urlpool_error *err);
/* urlp_decoder_set_window_max bounds the windows of br and zstd before the first step; accepts
 * NULL.
 *
 * Units:   `window_max` is coding_window_max of struct urlpool_limits: 0 the default of 16 MiB. */
void urlp_decoder_set_window_max(struct urlp_decoder *decoder, int window_max);
/* urlp_decoder_free ends a decoder at whatever point it is; accepts NULL. */
void urlp_decoder_free(struct urlp_decoder *decoder);

/* struct urlp_decoder_io is what a step takes from and puts to. Each step moves the pointers on and
 * makes the lengths smaller by what it took and put. */
struct urlp_decoder_io {
    const uint8_t *in;
    size_t in_len;
    uint8_t *out;
    size_t out_cap;
};

/* urlp_decoder_step takes coded bytes from `io->in` and puts at most `io->out_cap` decoded ones
 * into `io->out`. A step that puts nothing has taken all input or the data has ended; output held
 * back by `out_cap` comes at the next call, also with `in_len` 0.
 *
 * Sizes:   what is held back is bounded by the number of codings, never by what they expand to: for
 *          gzip and deflate 48 KiB each, for zstd 9 MiB, for br 25 MiB.
 * Errors:  URLPOOL_E_DECODE, URLPOOL_E_NOMEM; sticky. What was put before the fault is good.
 * Spec:    RFC 9110 section 8.4.1, RFC 1950, 1951, 1952, 7932, 8878, 9659. */
URLPOOL_MUST_USE enum urlpool_code urlp_decoder_step(struct urlp_decoder *decoder,
                                                     struct urlp_decoder_io *io,
                                                     struct urlpool_error *err);

/* urlp_decoder_finish checks, when all input was given and a step yields no more, that no layer is
 * cut short. An input of no bytes at all is fine.
 *
 * Errors:  URLPOOL_E_DECODE. */
URLPOOL_MUST_USE enum urlpool_code urlp_decoder_finish(struct urlp_decoder *decoder,
                                                       struct urlpool_error *err);

/* urlp_decoder_accept_encoding is the value for Accept-Encoding: only what is built in. */
const char *urlp_decoder_accept_encoding(void);

/* urlp_decoder_libraries writes what is built in: "zlib/1.2.13 brotli/1.0.9 zstd/1.5.4". */
void urlp_decoder_libraries(char *out, size_t out_size);

#endif /* URLP_CODING_DECODER_H */
