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
 * Errors:  URLPOOL_E_DECODE when more than `codings_max`; URLPOOL_E_NOMEM.
 * Spec:    RFC 9110 section 8.4. */
URLPOOL_MUST_USE enum urlpool_code urlp_decoder_new(struct urlp_span codings, int codings_max,
                                                    struct urlp_decoder **out,
                                                    struct urlpool_error *err);
void urlp_decoder_free(struct urlp_decoder *decoder);

/* urlp_decoder_step takes bytes from `in` and puts at most `out_cap` decoded ones into `out`. Either
 * count may be 0, not both unless `in_len` is 0 or the data has ended; output held back by `out_cap`
 * comes at the next call, also with `in_len` 0.
 *
 * Errors:  URLPOOL_E_DECODE; sticky. */
URLPOOL_MUST_USE enum urlpool_code urlp_decoder_step(struct urlp_decoder *decoder,
                                                     const uint8_t *in, size_t in_len,
                                                     size_t *out_in_used, uint8_t *out,
                                                     size_t out_cap, size_t *out_len,
                                                     struct urlpool_error *err);
/* urlp_decoder_finish checks, when all input was given and a step yields no more, that no layer is
 * cut short. An input of no bytes at all is fine. Errors: URLPOOL_E_DECODE. */
URLPOOL_MUST_USE enum urlpool_code urlp_decoder_finish(struct urlp_decoder *decoder,
                                                       struct urlpool_error *err);

/* urlp_decoder_accept_encoding is the value for Accept-Encoding: only what is built in. */
const char *urlp_decoder_accept_encoding(void);

#endif /* URLP_CODING_DECODER_H */
