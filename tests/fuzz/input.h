#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "urlpool/error.h"

#include "base/span.h"

/* What fuzz targets share: taking values off an input, and saying what does not hold. Each target
 * begins by taking its choices, one byte each, so that inputs stay readable and a change of one
 * byte is a change of one choice. An input that is used up gives zeros and empty spans. */

/* LLVMFuzzerTestOneInput is what each target defines, and libFuzzer, AFL++ and run_corpus.c call.
 * It returns 0, and aborts when something does not hold. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_input {
    const uint8_t *data;
    size_t len;
};

/* fuzz_byte takes the next byte. */
static inline uint8_t fuzz_byte(struct fuzz_input *input)
{
    if (input->len == 0) {
        return 0;
    }
    input->len--;
    return *input->data++;
}

/* fuzz_below takes a number below `bound`. */
static inline unsigned fuzz_below(struct fuzz_input *input, unsigned bound)
{
    return fuzz_byte(input) % bound;
}

/* fuzz_span takes `len` bytes, or what is left. */
static inline struct urlp_span fuzz_span(struct fuzz_input *input, size_t len)
{
    const size_t taken = len < input->len ? len : input->len;
    const struct urlp_span span = urlp_span_make(input->data, taken);

    if (taken > 0) {
        input->data += taken;
        input->len -= taken;
    }
    return span;
}

/* fuzz_rest takes all that is left. */
static inline struct urlp_span fuzz_rest(struct fuzz_input *input)
{
    return fuzz_span(input, input->len);
}

/* fuzz_line takes what stands before the next LF, and the LF. */
static inline struct urlp_span fuzz_line(struct fuzz_input *input)
{
    const uint8_t *end = input->len == 0 ? NULL : memchr(input->data, '\n', input->len);
    struct urlp_span line =
        fuzz_span(input, end != NULL ? (size_t)(end - input->data) : input->len);

    if (end != NULL) {
        (void)fuzz_byte(input);
    }
    return line;
}

/* fuzz_must is for what only fails when the machine has no memory: that is no finding. */
static inline void *fuzz_must(void *pointer)
{
    if (pointer == NULL) {
        (void)fprintf(stderr, "out of memory\n");
        exit(1);
    }
    return pointer;
}

/* fuzz_ok is fuzz_must for what returns a code. */
static inline void fuzz_ok(enum urlpool_code code)
{
    if (code != URLPOOL_OK) {
        (void)fprintf(stderr, "%s\n", urlpool_code_name(code));
        abort();
    }
}

/* fuzz_copy is a copy of `span` in a block of exactly its size, so that a sanitizer sees a read too
 * far; for free(). */
static inline uint8_t *fuzz_copy(struct urlp_span span)
{
    uint8_t *copy = fuzz_must(malloc(span.len > 0 ? span.len : 1));

    if (span.len > 0) {
        memcpy(copy, span.data, span.len);
    }
    return copy;
}

/* fuzz_text is a copy of `span` as a string, which ends at its first NUL; for free(). */
static inline char *fuzz_text(struct urlp_span span)
{
    return fuzz_must(strndup(span.len > 0 ? span.data : "", span.len));
}

/* fuzz_require ends the run when `holds` is false: `what` was found, in `shown`. */
static inline void fuzz_require(bool holds, const char *what, struct urlp_span shown)
{
    if (!holds) {
        (void)fprintf(stderr, "%s: \"%.*s\"\n", what, (int)shown.len,
                      shown.len > 0 ? shown.data : "");
        abort();
    }
}

/* fuzz_require_within fails unless `part` lies in `whole`, or is empty. */
static inline void fuzz_require_within(struct urlp_span part, struct urlp_span whole)
{
    fuzz_require(part.len == 0 || (part.data >= whole.data && part.len <= whole.len &&
                                   (size_t)(part.data - whole.data) <= whole.len - part.len),
                 "a span that points elsewhere", whole);
}

#endif /* TESTS_FUZZ_INPUT_H */
