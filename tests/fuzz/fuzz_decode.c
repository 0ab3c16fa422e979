/* Content codings of whatever bytes. In pieces, in and out, the same bytes and the same verdict
 * come out as whole; no step yields more than it has room for, or goes on for ever; what has failed
 * stays failed. And what zlib made of the input is decoded to that. An input is a byte that says
 * which codings, one for the pieces that go in and one for those that come out, and the coded
 * bytes. */

#include <zlib.h>

#include "base/buf.h"
#include "coding/decoder.h"
#include "fuzz/input.h"

/* As much as is looked at of what comes out: bombs are another test's. */
#define OUT_BYTES_MAX (1 << 20)

static const char *const stacks[] = {
    "gzip",
    "deflate",
    "br",
    "zstd",
    "gzip, gzip",
    "deflate, gzip",
    "br, zstd",
    "zstd, deflate",
    "identity, x-gzip",
    "gzip, br",
    "deflate, br, zstd, gzip, deflate",
};

/* struct outcome is what came out. */
struct outcome {
    struct urlp_buf out;
    enum urlpool_code code;
    bool is_cut; /* at OUT_BYTES_MAX */
};

struct sizes {
    size_t in, out;
};

/* step lets the decoder work on one piece, into a block of exactly the room there is. */
static enum urlpool_code step(struct urlp_decoder *decoder, struct urlp_span *rest,
                              const struct sizes *sizes, struct outcome *outcome, size_t *out_made)
{
    const size_t len = sizes->in > 0 && sizes->in < rest->len ? sizes->in : rest->len;
    uint8_t *piece = fuzz_copy(urlp_span_make(rest->data, len));
    uint8_t *room = fuzz_must(malloc(sizes->out));
    struct urlp_decoder_io io = {piece, len, room, sizes->out};
    const enum urlpool_code code = urlp_decoder_step(decoder, &io, NULL);

    fuzz_require(io.in_len <= len && io.in == piece + len - io.in_len, "input that grows", *rest);
    fuzz_require(io.out_cap <= sizes->out && io.out == room + sizes->out - io.out_cap,
                 "more than there is room for", *rest);
    *out_made = sizes->out - io.out_cap;
    if (urlp_buf_append(&outcome->out, room, *out_made) != URLPOOL_OK) {
        abort();
    }
    *rest = urlp_span_make(rest->data + len - io.in_len, rest->len - len + io.in_len);
    free(room);
    free(piece);
    return code;
}

static void decode(struct outcome *out, const char *codings, struct urlp_span text,
                   const struct sizes *sizes)
{
    struct urlp_decoder *decoder = NULL;
    size_t made = 1;

    *out = (struct outcome){.code = urlp_decoder_new(urlp_span_of(codings), 0, 0, &decoder, NULL)};
    fuzz_require(out->code == URLPOOL_OK, "no decoder", urlp_span_of(codings));
    if (decoder == NULL) {
        return; /* not built with this coding */
    }
    while (out->code == URLPOOL_OK && (text.len > 0 || made > 0) && !out->is_cut) {
        const size_t before = text.len;

        out->code = step(decoder, &text, sizes, out, &made);
        out->is_cut = out->out.len > OUT_BYTES_MAX;
        if (out->code == URLPOOL_OK && made == 0 && text.len == before) {
            fuzz_require(text.len == 0, "input that is never taken", text);
        }
    }
    if (out->code == URLPOOL_OK && !out->is_cut) {
        out->code = urlp_decoder_finish(decoder, NULL);
    }
    if (out->code != URLPOOL_OK) {
        uint8_t byte = 0;
        struct urlp_decoder_io io = {&byte, 1, &byte, 1};

        fuzz_require(urlp_decoder_step(decoder, &io, NULL) == out->code &&
                         urlp_decoder_finish(decoder, NULL) == out->code,
                     "a failure that does not last", urlp_span_of(codings));
    }
    urlp_decoder_free(decoder);
}

static void check_equal(const struct outcome *a, const struct outcome *b, struct urlp_span text)
{
    const struct outcome *less = a->out.len < b->out.len ? a : b;

    if (less->out.len > 0) {
        fuzz_require(memcmp(a->out.data, b->out.data, less->out.len) == 0, "other bytes in pieces",
                     text);
    }
    if (a->is_cut || b->is_cut) {
        return;
    }
    fuzz_require(a->code == b->code, "another verdict in pieces", text);
    fuzz_require(a->code != URLPOOL_OK || a->out.len == b->out.len, "fewer bytes in pieces", text);
}

/* check_coded decodes what zlib makes of `text`. */
static void check_coded(struct urlp_span text, const struct sizes *sizes, bool is_gzip)
{
    z_stream deflater = {0};
    const size_t cap = text.len + text.len / 100 + 256;
    uint8_t *coded = fuzz_must(malloc(cap));
    struct outcome outcome;

    if (deflateInit2(&deflater, 6, Z_DEFLATED, is_gzip ? 31 : 15, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        abort();
    }
    deflater.next_in = (Bytef *)(uintptr_t)text.data;
    deflater.avail_in = (uInt)text.len;
    deflater.next_out = coded;
    deflater.avail_out = (uInt)cap;
    if (deflate(&deflater, Z_FINISH) != Z_STREAM_END) {
        abort();
    }
    decode(&outcome, is_gzip ? "gzip" : "deflate", urlp_span_make(coded, cap - deflater.avail_out),
           sizes);
    fuzz_require(outcome.code == URLPOOL_OK, "refused, though it is what zlib made", text);
    fuzz_require(outcome.is_cut ||
                     (outcome.out.len == text.len &&
                      (text.len == 0 || memcmp(outcome.out.data, text.data, text.len) == 0)),
                 "not what zlib was given", text);
    (void)deflateEnd(&deflater);
    urlp_buf_deinit(&outcome.out);
    free(coded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sizes at_once = {0, 65536};
    struct fuzz_input input = {data, size};
    const char *codings = stacks[fuzz_below(&input, sizeof(stacks) / sizeof(stacks[0]))];
    const uint8_t in = fuzz_byte(&input);
    const uint8_t out = fuzz_byte(&input);
    const struct sizes sizes = {1 + (size_t)in, 1 + (size_t)out * 64};
    const struct urlp_span text = fuzz_rest(&input);
    struct outcome whole;
    struct outcome cut;

    decode(&whole, codings, text, &at_once);
    decode(&cut, codings, text, &sizes);
    check_equal(&whole, &cut, text);
    if (in % 16 == 0) {
        check_coded(text, &sizes, out % 2 == 0);
    }
    urlp_buf_deinit(&whole.out);
    urlp_buf_deinit(&cut.out);
    return 0;
}
