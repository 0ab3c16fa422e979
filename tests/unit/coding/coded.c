/* Coded data for the tests of the decoder, and a caller of it that gives and takes in pieces. */

#include "coded.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/span.h"

static void must(int holds)
{
    if (!holds) {
        abort();
    }
}

void coded_append(struct urlp_buf *out, enum coded_wrap wrap, const void *data, size_t len)
{
    static const int bits[] = {15 + 16, 15 + 16, 15, -15};
    gz_header header = {
        .name = (Bytef *)"name.txt",
        .comment = (Bytef *)"comment",
        .extra = (Bytef *)"extra",
        .extra_len = 5,
        .hcrc = 1,
    };
    z_stream zlib = {0};

    must(deflateInit2(&zlib, Z_BEST_COMPRESSION, Z_DEFLATED, bits[wrap], 8, Z_DEFAULT_STRATEGY) ==
         Z_OK);
    if (wrap == CODED_GZIP_FULL) {
        must(deflateSetHeader(&zlib, &header) == Z_OK);
    }
    must(urlp_buf_reserve(out, deflateBound(&zlib, len) + 64) == URLPOOL_OK);
    zlib.next_in = (Bytef *)data;
    zlib.avail_in = (unsigned)len;
    zlib.next_out = out->data + out->len;
    zlib.avail_out = (unsigned)(out->cap - out->len);
    must(deflate(&zlib, Z_FINISH) == Z_STREAM_END);
    out->len = out->cap - zlib.avail_out;
    (void)deflateEnd(&zlib);
}

void coded_text(struct urlp_buf *out, size_t len)
{
    unsigned long line = 0;

    while (out->len < len) {
        line++;
        must(urlp_buf_printf(out, "%lu is line %lu\n", line * 2654435761UL % 1000003, line) ==
             URLPOOL_OK);
    }
}

/* step_all takes all input, `out_step` bytes of output at a time, into `out`. */
static enum urlpool_code step_all(struct urlp_decoder *decoder, const uint8_t *in, size_t in_len,
                                  size_t out_step, struct urlp_buf *out)
{
    struct urlp_decoder_io io = {.in = in, .in_len = in_len};

    for (;;) {
        enum urlpool_code code;
        size_t made;

        must(urlp_buf_reserve(out, out_step) == URLPOOL_OK);
        io.out = out->data + out->len;
        io.out_cap = out_step;
        code = urlp_decoder_step(decoder, &io, NULL);
        made = out_step - io.out_cap;
        must(io.out == out->data + out->len + made);
        out->len += made;
        if (code != URLPOOL_OK) {
            return code;
        }
        if (made == 0) {
            must(io.in_len == 0 && io.in == in + in_len);
            return URLPOOL_OK;
        }
    }
}

enum urlpool_code coded_decode(const char *codings, const struct urlp_buf *in, size_t in_step,
                               size_t out_step, struct urlp_buf *out)
{
    struct urlp_decoder *decoder = NULL;
    enum urlpool_code code = urlp_decoder_new(urlp_span_of(codings), 0, &decoder, NULL);

    if (code != URLPOOL_OK) {
        return code;
    }
    must(decoder != NULL);
    for (size_t at = 0; code == URLPOOL_OK && at < in->len; at += in_step) {
        size_t len = in->len - at < in_step ? in->len - at : in_step;

        code = step_all(decoder, in->data + at, len, out_step, out);
    }
    if (code == URLPOOL_OK) {
        code = urlp_decoder_finish(decoder, NULL);
    }
    urlp_decoder_free(decoder);
    return code;
}
