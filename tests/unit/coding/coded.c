/* Coded data for the tests of the decoder, and a caller of it that gives and takes in pieces. */

#include "coded.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/span.h"
#include "support/failing_allocator.h"

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
    enum urlpool_code code = urlp_decoder_new(urlp_span_of(codings), 0, 0, &decoder, NULL);

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

void coded_check(const char *codings, const struct urlp_buf *coded, const struct urlp_buf *expected)
{
    static const size_t steps[][2] = {
        {1 << 20, 1 << 20},
        {1,       1 << 20},
        {1 << 20, 1      },
        {1,       1      },
        {7,       13     },
        {2,       3      },
    };
    struct urlp_buf decoded = {0};

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        decoded.len = 0;
        ck_assert_int_eq(coded_decode(codings, coded, steps[i][0], steps[i][1], &decoded),
                         URLPOOL_OK);
        ck_assert_uint_eq(decoded.len, expected->len);
        if (expected->len > 0) {
            ck_assert_mem_eq(decoded.data, expected->data, expected->len);
        }
    }
    urlp_buf_deinit(&decoded);
}

void coded_check_fails(const char *codings, const struct urlp_buf *coded)
{
    static const size_t steps[] = {1 << 20, 1, 3};
    struct urlp_buf decoded = {0};

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        ck_assert_int_eq(coded_decode(codings, coded, steps[i], 1 << 20, &decoded),
                         URLPOOL_E_DECODE);
    }
    urlp_buf_deinit(&decoded);
}

void coded_check_cut(const char *codings, const struct urlp_buf *coded,
                     const struct urlp_buf *expected)
{
    struct urlp_buf decoded = {0};

    for (size_t at = 1; at < coded->len; at++) {
        struct urlp_buf begin = {.data = coded->data, .len = at};

        decoded.len = 0;
        ck_assert_int_eq(coded_decode(codings, coded, at, 64, &decoded), URLPOOL_OK);
        ck_assert_uint_eq(decoded.len, expected->len);
        ck_assert_mem_eq(decoded.data, expected->data, expected->len);
        ck_assert_int_eq(coded_decode(codings, &begin, at, 64, &decoded), URLPOOL_E_DECODE);
    }
    urlp_buf_deinit(&decoded);
}

static enum urlpool_code decode_a_little(const char *codings, const uint8_t *coded, size_t len,
                                         struct urlpool_error *err)
{
    struct urlp_decoder *decoder = NULL;
    uint8_t out[64];
    struct urlp_decoder_io io = {coded, len, out, sizeof(out)};
    enum urlpool_code code = urlp_decoder_new(urlp_span_of(codings), 0, 0, &decoder, err);

    if (code == URLPOOL_OK) {
        code = urlp_decoder_step(decoder, &io, err);
        urlp_decoder_free(decoder);
    }
    return code;
}

void coded_check_short_of_memory(const char *codings, const uint8_t *coded, size_t len,
                                 uint64_t num_least)
{
    uint64_t num_failed = 0;

    failing_allocator_install();
    for (uint64_t n = 1;; n++) {
        struct urlpool_error err;
        enum urlpool_code code;

        failing_allocator_fail_nth(n);
        code = decode_a_little(codings, coded, len, &err);
        ck_assert_int_eq(failing_allocator_num_live(), 0);
        if (!failing_allocator_has_failed()) {
            ck_assert_int_eq(code, URLPOOL_OK);
            break;
        }
        ck_assert_int_eq(code, URLPOOL_E_NOMEM);
        ck_assert_int_eq(err.code, URLPOOL_E_NOMEM);
        num_failed++;
    }
    ck_assert_uint_ge(num_failed, num_least);
    failing_allocator_remove();
}
