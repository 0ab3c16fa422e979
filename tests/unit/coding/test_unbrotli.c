/* br as it comes from servers: whole, in pieces, cut, corrupt, and expanding without measure. */

#include <brotli/encode.h>
#include <string.h>

#include "bomb.h"
#include "coded.h"
#include "support/run_tests.h"

/* "hello", as the encoder makes it, for where none must be near. */
static const uint8_t hello[] = {0x0b, 0x02, 0x80, 'h', 'e', 'l', 'l', 'o', 0x03};

static struct urlp_buf text;
static struct urlp_buf coded;
static struct urlp_buf decoded;

static void end(void)
{
    urlp_buf_deinit(&text);
    urlp_buf_deinit(&coded);
    urlp_buf_deinit(&decoded);
}

static void code(struct urlp_buf *out, int window, const void *data, size_t len)
{
    size_t made = BrotliEncoderMaxCompressedSize(len) + 64;

    ck_assert_int_eq(urlp_buf_reserve(out, made), URLPOOL_OK);
    ck_assert(BrotliEncoderCompress(5, window, BROTLI_MODE_GENERIC, len, data, &made,
                                    out->data + out->len));
    out->len += made;
}

START_TEST(br__is_decoded_in_pieces_of_any_size)
{
    coded_text(&text, 50000);
    code(&coded, 22, text.data, text.len);
    coded_check("br", &coded, &text);
    coded_check("Br", &coded, &text);
    end();
}
END_TEST

START_TEST(br__is_decoded_cut_at_every_offset_and_only_whole)
{
    coded_text(&text, 1000);
    code(&coded, 22, text.data, text.len);
    coded_check_cut("br", &coded, &text);
    end();
}
END_TEST

START_TEST(br__of_nothing_is_nothing)
{
    code(&coded, 22, NULL, 0);
    ck_assert_uint_gt(coded.len, 0);
    coded_check("br", &coded, &text);
    end();
}
END_TEST

START_TEST(br__with_bytes_behind_its_end_is_an_error)
{
    ck_assert_int_eq(urlp_buf_append(&coded, hello, sizeof(hello)), URLPOOL_OK);
    ck_assert_int_eq(coded_decode("br", &coded, 1, 1, &decoded), URLPOOL_OK);
    ck_assert_int_eq(urlp_buf_append(&coded, "\0", 1), URLPOOL_OK);
    coded_check_fails("br", &coded);
    coded.len--;
    ck_assert_int_eq(urlp_buf_append(&coded, hello, sizeof(hello)), URLPOOL_OK);
    coded_check_fails("br", &coded);
    end();
}
END_TEST

START_TEST(br__that_is_none_is_an_error)
{
    static const char *const bad[] = {"<html>", "\x1f\x8b\x08", "\xff\xff\xff\xff"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        coded.len = 0;
        ck_assert_int_eq(urlp_buf_append_text(&coded, bad[i]), URLPOOL_OK);
        coded_check_fails("br", &coded);
    }
    end();
}
END_TEST

START_TEST(br__with_a_window_beyond_the_standard_is_an_error)
{
    /* The mark of a large window, which RFC 7932 section 9.1 reserves. */
    ck_assert_int_eq(urlp_buf_append(&coded, "\x11\x1e\x03", 3), URLPOOL_OK);
    coded_check_fails("br", &coded);
    end();
}
END_TEST

START_TEST(br__with_a_window_beyond_window_max_is_an_error)
{
    coded_text(&text, 1000);
    for (int log = 10; log <= 24; log++) {
        coded.len = 0;
        code(&coded, log, text.data, text.len);
        ck_assert_int_eq(window_fate("br", &coded, 1 << log), URLPOOL_OK);
        ck_assert_int_eq(window_fate("br", &coded, 0), URLPOOL_OK);
        ck_assert_int_eq(window_fate("br", &coded, (1 << log) - 1),
                         log == 10 ? URLPOOL_OK : URLPOOL_E_DECODE);
        ck_assert_int_eq(window_fate("br", &coded, URLPOOL_NONE),
                         log == 10 ? URLPOOL_OK : URLPOOL_E_DECODE);
    }
    end();
}
END_TEST

START_TEST(br__gives_what_waits_once_there_is_room)
{
    struct urlp_decoder *decoder = NULL;
    struct urlp_decoder_io io = {.in = hello, .in_len = sizeof(hello)};
    uint8_t out[5];

    ck_assert_int_eq(urlp_decoder_new(urlp_span_of("br"), 0, 0, &decoder, NULL), URLPOOL_OK);
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(urlp_decoder_step(decoder, &io, NULL), URLPOOL_OK);
    }
    ck_assert_int_eq(urlp_decoder_finish(decoder, NULL), URLPOOL_E_DECODE);
    urlp_decoder_free(decoder);
    ck_assert_int_eq(urlp_decoder_new(urlp_span_of("br"), 0, 0, &decoder, NULL), URLPOOL_OK);
    io = (struct urlp_decoder_io){hello, sizeof(hello), out, sizeof(out)};
    ck_assert_int_eq(urlp_decoder_step(decoder, &io, NULL), URLPOOL_OK);
    ck_assert_uint_eq(io.out_cap, 0);
    ck_assert_mem_eq(out, "hello", 5);
    ck_assert_int_eq(urlp_decoder_finish(decoder, NULL), URLPOOL_OK);
    urlp_decoder_free(decoder);
}
END_TEST

START_TEST(br__lies_within_and_around_other_codings)
{
    struct urlp_buf outer = {0};

    coded_text(&text, 20000);
    coded_append(&coded, CODED_GZIP, text.data, text.len);
    code(&outer, 22, coded.data, coded.len);
    coded_check("gzip, br", &outer, &text);
    coded_check_fails("br, gzip", &outer);
    coded.len = 0;
    outer.len = 0;
    code(&coded, 22, text.data, text.len);
    coded_append(&outer, CODED_GZIP, coded.data, coded.len);
    coded_check("br, gzip", &outer, &text);
    urlp_buf_deinit(&outer);
    end();
}
END_TEST

START_TEST(br__holds_its_window_and_no_more)
{
    const size_t len = (size_t)64 << 20;
    struct urlp_buf zeros = {0};

    bomb_begin();
    ck_assert_int_eq(urlp_buf_reserve(&zeros, len), URLPOOL_OK);
    memset(zeros.data, 0, len);
    code(&coded, 24, zeros.data, len);
    urlp_buf_deinit(&zeros);
    ck_assert_uint_lt(coded.len, 1000);
    bomb_check("br", &coded, len, (size_t)20 << 20);
    end();
    bomb_end();
}
END_TEST

START_TEST(br__survives_every_allocation_that_fails)
{
    coded_check_short_of_memory("br", hello, sizeof(hello), 4);
}
END_TEST

RUN_TESTS("unbrotli", br__is_decoded_in_pieces_of_any_size,
          br__is_decoded_cut_at_every_offset_and_only_whole, br__of_nothing_is_nothing,
          br__with_bytes_behind_its_end_is_an_error, br__that_is_none_is_an_error,
          br__with_a_window_beyond_the_standard_is_an_error,
          br__with_a_window_beyond_window_max_is_an_error, br__gives_what_waits_once_there_is_room,
          br__lies_within_and_around_other_codings, br__holds_its_window_and_no_more,
          br__survives_every_allocation_that_fails)
