/* The chunked coding of whatever bytes. In pieces, and with data read past the reader, the same
 * comes out as whole; no more data than bytes; and what came out, chunked anew by us, comes out
 * again. An input is a byte of choices, the size of the pieces, and the coded body. */

#include "base/buf.h"
#include "fuzz/input.h"
#include "h1/chunk.h"
#include "h1/codec.h"

enum {
    CHOICE_STRICT = 1,
    CHOICE_SMALL = 2,
    CHOICE_LEAST = 4
};

/* struct outcome is what a reader made of a body. */
struct outcome {
    struct urlp_h1_chunk_reader reader;
    enum urlpool_code code;
    size_t used;
    struct urlp_buf data;
};

static struct urlp_h1_bounds bounds_of(uint8_t choices)
{
    struct urlpool_limits limits = {0};
    struct urlp_h1_bounds bounds;

    limits.refuse_chunk_blanks = limits.refuse_bare_lf = (choices & CHOICE_STRICT) != 0;
    if ((choices & CHOICE_SMALL) != 0) {
        limits.chunk_line_bytes_max = (choices & CHOICE_LEAST) != 0 ? 4 : 20;
    }
    if (urlp_h1_bounds_of(&limits, &bounds, NULL) != URLPOOL_OK) {
        abort();
    }
    return bounds;
}

/* take lets the reader step once over the next `len` bytes. */
static void take(struct outcome *out, const struct urlp_h1_bounds *bounds, struct urlp_span text,
                 size_t len)
{
    const struct urlp_span next = urlp_span_make(text.data + out->used, len);
    uint8_t *piece = fuzz_copy(next);
    struct urlp_h1_chunk_run run = {0};

    out->code = urlp_h1_chunk_step(&out->reader, bounds, piece, len, &run, NULL);
    if (out->code == URLPOOL_OK) {
        fuzz_require(run.used <= len && run.data_len <= run.used, "more used than there was", text);
        fuzz_require(run.used > 0, "no step forward", text);
        if (urlp_buf_append(&out->data, piece + run.used - run.data_len, run.data_len) !=
            URLPOOL_OK) {
            abort();
        }
        out->used += run.used;
    }
    free(piece);
}

/* take_direct takes data past the reader. */
static void take_direct(struct outcome *out, struct urlp_span text, size_t len)
{
    if (urlp_buf_append(&out->data, text.data + out->used, len) != URLPOOL_OK) {
        abort();
    }
    urlp_h1_chunk_took(&out->reader, len);
    out->used += len;
}

static void read_all(struct outcome *out, const struct urlp_h1_bounds *bounds,
                     struct urlp_span text, size_t step, bool direct)
{
    *out = (struct outcome){.code = URLPOOL_OK};
    urlp_h1_chunk_begin(&out->reader);
    while (out->code == URLPOOL_OK && out->used < text.len &&
           out->reader.state != URLP_H1_CHUNK_TRAILERS) {
        const size_t left = text.len - out->used;
        const size_t len = step > 0 && step < left ? step : left;

        if (direct && out->reader.state == URLP_H1_CHUNK_DATA && out->reader.remaining > 0) {
            take_direct(out, text, len < out->reader.remaining ? len : out->reader.remaining);
        } else {
            take(out, bounds, text, len);
        }
    }
    fuzz_require(out->data.len <= out->used, "more data than bytes", text);
}

static void check_equal(const struct outcome *a, const struct outcome *b, struct urlp_span text)
{
    fuzz_require(a->code == b->code, "another code in pieces", text);
    fuzz_require(a->code != URLPOOL_OK ||
                     (a->used == b->used && a->reader.state == b->reader.state &&
                      a->reader.remaining == b->reader.remaining),
                 "another state in pieces", text);
    fuzz_require(a->data.len == b->data.len &&
                     (a->data.len == 0 || memcmp(a->data.data, b->data.data, a->data.len) == 0),
                 "other data in pieces", text);
}

/* check_again chunks the data anew, by `step`, and reads that. */
static void check_again(const struct outcome *outcome, size_t step, struct urlp_span text)
{
    const struct urlp_h1_bounds bounds = bounds_of(CHOICE_STRICT);
    struct urlp_buf wire = {0};
    struct outcome again;
    enum urlpool_code code = URLPOOL_OK;

    for (size_t at = 0; at < outcome->data.len && code == URLPOOL_OK; at += step) {
        const size_t len = outcome->data.len - at < step ? outcome->data.len - at : step;
        char prefix[URLP_H1_CHUNK_PREFIX_MAX];

        code = urlp_buf_append(&wire, prefix, urlp_h1_chunk_prefix(prefix, len));
        if (code == URLPOOL_OK) {
            code = urlp_buf_append(&wire, outcome->data.data + at, len);
        }
        if (code == URLPOOL_OK) {
            code = urlp_buf_append(&wire, "\r\n", 2);
        }
    }
    if (code != URLPOOL_OK || urlp_buf_append(&wire, "0\r\n", 3) != URLPOOL_OK) {
        abort();
    }
    read_all(&again, &bounds, urlp_span_make(wire.data, wire.len), 0, false);
    fuzz_require(again.code == URLPOOL_OK && again.reader.state == URLP_H1_CHUNK_TRAILERS &&
                     again.used == wire.len,
                 "refused when chunked anew", text);
    fuzz_require(again.data.len == outcome->data.len &&
                     (again.data.len == 0 ||
                      memcmp(again.data.data, outcome->data.data, again.data.len) == 0),
                 "other data when chunked anew", text);
    urlp_buf_deinit(&again.data);
    urlp_buf_deinit(&wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    const uint8_t choices = fuzz_byte(&input);
    const size_t step = 1 + (size_t)fuzz_byte(&input);
    const struct urlp_span text = fuzz_rest(&input);
    const struct urlp_h1_bounds bounds = bounds_of(choices);
    struct outcome whole;
    struct outcome cut;
    struct outcome direct;

    read_all(&whole, &bounds, text, 0, false);
    read_all(&cut, &bounds, text, step, false);
    read_all(&direct, &bounds, text, step, true);
    check_equal(&whole, &cut, text);
    check_equal(&whole, &direct, text);
    if (whole.code == URLPOOL_OK && whole.reader.state == URLP_H1_CHUNK_TRAILERS) {
        check_again(&whole, step, text);
    }
    urlp_buf_deinit(&whole.data);
    urlp_buf_deinit(&cut.data);
    urlp_buf_deinit(&direct.data);
    return 0;
}
