/* zstd as it comes from servers: frames, skippable ones, windows, cut, corrupt, and expanding
 * without measure. */

#include <string.h>
#include <zstd.h>

#include "bomb.h"
#include "coded.h"
#include "support/run_tests.h"

#define MAGIC     "\x28\xb5\x2f\xfd"
#define SKIPPABLE "\x5a\x2a\x4d\x18"
/* The last block: "hello" as it is. */
#define HELLO_BLOCK "\x29\0\0hello"
/* One segment of five bytes, no checksum. */
#define HELLO MAGIC "\x20\x05" HELLO_BLOCK

static struct urlp_buf text;
static struct urlp_buf coded;
static struct urlp_buf decoded;

static void end(void)
{
    urlp_buf_deinit(&text);
    urlp_buf_deinit(&coded);
    urlp_buf_deinit(&decoded);
}

#define ADD(literal) add(literal, sizeof(literal) - 1)

static void add(const void *data, size_t len)
{
    ck_assert_int_eq(urlp_buf_append(&coded, data, len), URLPOOL_OK);
}

/* code appends a frame with a checksum that holds `data` `times` over; its length is in the head
 * only for once. */
static void code(struct urlp_buf *out, int window_log, const void *data, size_t len, int times)
{
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    ZSTD_outBuffer room;

    ck_assert_ptr_nonnull(zstd);
    ck_assert_int_eq(urlp_buf_reserve(out, ZSTD_compressBound(len) + 64 + (size_t)times * 1000),
                     URLPOOL_OK);
    room = (ZSTD_outBuffer){out->data, out->cap, out->len};
    ck_assert(!ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1)));
    ck_assert(!ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_windowLog, window_log)));
    for (int i = 1; i <= times; i++) {
        ZSTD_inBuffer in = {data, len, 0};

        ck_assert_uint_eq(
            ZSTD_compressStream2(zstd, &room, &in, i == times ? ZSTD_e_end : ZSTD_e_flush), 0);
    }
    out->len = room.pos;
    (void)ZSTD_freeCCtx(zstd);
}

START_TEST(zstd__is_decoded_in_pieces_of_any_size)
{
    coded_text(&text, 300000);
    code(&coded, 18, text.data, text.len, 1);
    coded_check("zstd", &coded, &text);
    coded_check("ZSTD", &coded, &text);
    end();
}
END_TEST

START_TEST(zstd__is_decoded_cut_at_every_offset_and_only_whole)
{
    coded_text(&text, 1000);
    code(&coded, 18, text.data, text.len, 1);
    coded_check_cut("zstd", &coded, &text);
    end();
}
END_TEST

START_TEST(zstd__frames_follow_one_another)
{
    coded_text(&text, 3000);
    code(&coded, 18, text.data, 1000, 1);
    ADD(SKIPPABLE "\3\0\0\0abc");
    code(&coded, 18, NULL, 0, 1);
    ADD("\x50\x2a\x4d\x18\0\0\0\0");
    code(&coded, 18, text.data + 1000, 1, 1);
    code(&coded, 20, text.data + 1001, text.len - 1001, 1);
    ADD("\x5f\x2a\x4d\x18\1\0\0\0z");
    coded_check("zstd", &coded, &text);
    end();
}
END_TEST

START_TEST(zstd__of_nothing_is_nothing)
{
    code(&coded, 18, NULL, 0, 1);
    coded_check("zstd", &coded, &text);
    coded.len = 0;
    ADD(SKIPPABLE "\3\0\0\0abc");
    coded_check("zstd", &coded, &text);
    end();
}
END_TEST

START_TEST(zstd__second_frame_cut_short_is_an_error)
{
    static const char next[] = HELLO;
    static const char skipped[] = SKIPPABLE "\3\0\0\0abc";

    for (size_t len = 1; len < sizeof(next) - 1; len++) {
        coded.len = 0;
        ADD(HELLO);
        add(next, len);
        coded_check_fails("zstd", &coded);
    }
    for (size_t len = 1; len < sizeof(skipped) - 1; len++) {
        coded.len = 0;
        ADD(HELLO);
        add(skipped, len);
        coded_check_fails("zstd", &coded);
    }
    end();
}
END_TEST

START_TEST(zstd__checksum_is_checked)
{
    coded_text(&text, 1000);
    code(&coded, 18, text.data, text.len, 1);
    for (size_t i = 1; i <= 4; i++) {
        coded.data[coded.len - i] ^= 1;
        coded_check_fails("zstd", &coded);
        coded.data[coded.len - i] ^= 1;
    }
    coded_check("zstd", &coded, &text);
    end();
}
END_TEST

START_TEST(zstd__window_is_of_eight_mebibytes_at_most)
{
    static const struct {
        const char *frame;
        size_t len;
        bool is_good;
    } cases[] = {
#define CASE(literal, is_good) {literal, sizeof(literal) - 1, is_good}
        CASE(MAGIC "\0\x68" HELLO_BLOCK, true),
        CASE(MAGIC "\0\x69" HELLO_BLOCK, false),
        CASE(MAGIC "\0\x70" HELLO_BLOCK, false),
        /* With the length known, libzstd would let it pass were it given the frame in one piece. */
        CASE(MAGIC "\x80\x68\5\0\0\0" HELLO_BLOCK, true),
        CASE(MAGIC "\x80\x69\5\0\0\0" HELLO_BLOCK, false),
        /* In one segment the length is the window. */
        CASE(MAGIC "\xa0\5\0\0\0" HELLO_BLOCK, true),
        CASE(MAGIC "\xa0\1\0\x80\0" HELLO_BLOCK, false),
        CASE(MAGIC "\xe0\0\0\0\0\1\0\0\0" HELLO_BLOCK, false),
#undef CASE
    };

    ck_assert_int_eq(urlp_buf_append_text(&text, "hello"), URLPOOL_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        coded.len = 0;
        add(cases[i].frame, cases[i].len);
        if (cases[i].is_good) {
            coded_check("zstd", &coded, &text);
        } else {
            coded_check_fails("zstd", &coded);
        }
    }
    end();
}
END_TEST

START_TEST(zstd__window_is_of_window_max_at_most)
{
    for (int log = 10; log <= 23; log++) {
        const char descriptor[] = {0, (char)((log - 10) << 3)};

        coded.len = 0;
        ADD(MAGIC);
        add(descriptor, sizeof(descriptor));
        ADD(HELLO_BLOCK);
        ck_assert_int_eq(window_fate("zstd", &coded, 1 << log), URLPOOL_OK);
        ck_assert_int_eq(window_fate("zstd", &coded, 0), URLPOOL_OK);
        ck_assert_int_eq(window_fate("zstd", &coded, (1 << log) - 1),
                         log == 10 ? URLPOOL_OK : URLPOOL_E_DECODE);
        ck_assert_int_eq(window_fate("zstd", &coded, URLPOOL_NONE),
                         log == 10 ? URLPOOL_OK : URLPOOL_E_DECODE);
    }
    coded.len = 0;
    ADD(MAGIC "\0\x69" HELLO_BLOCK);
    ck_assert_int_eq(window_fate("zstd", &coded, 1 << 24), URLPOOL_E_DECODE);
    end();
}
END_TEST

START_TEST(zstd__that_is_none_is_an_error)
{
    static const struct {
        const char *data;
        size_t len;
    } bad[] = {
#define CASE(literal) {literal, sizeof(literal) - 1}
        CASE("<html>"),
        CASE("\x28\xb5\x2f\xfe\x20\x05" HELLO_BLOCK),
        CASE("\x27\xb5\x2f\xfd\x20\x05" HELLO_BLOCK), /* a format of before RFC 8878 */
        CASE("\x60\x2a\x4d\x18\0\0\0\0"),             /* one past the last skippable */
        CASE(MAGIC "\x28\x05" HELLO_BLOCK),           /* a reserved bit */
        CASE(MAGIC "\x21\x07\x05" HELLO_BLOCK),       /* a dictionary */
        CASE(MAGIC "\x20\x05\x2f\0\0hello"),          /* a reserved type of block */
        CASE(MAGIC "\x20\x06" HELLO_BLOCK),           /* less than was announced */
        CASE(HELLO "\0"),
        CASE(HELLO "\0\0\0\0"),
#undef CASE
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        coded.len = 0;
        add(bad[i].data, bad[i].len);
        coded_check_fails("zstd", &coded);
    }
    end();
}
END_TEST

START_TEST(zstd__gives_what_waits_once_there_is_room)
{
    struct urlp_decoder *decoder = NULL;
    struct urlp_decoder_io io;
    uint8_t out[5];

    ADD(HELLO);
    ck_assert_int_eq(urlp_decoder_new(urlp_span_of("zstd"), 0, 0, &decoder, NULL), URLPOOL_OK);
    io = (struct urlp_decoder_io){.in = coded.data, .in_len = coded.len};
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(urlp_decoder_step(decoder, &io, NULL), URLPOOL_OK);
    }
    ck_assert_int_eq(urlp_decoder_finish(decoder, NULL), URLPOOL_E_DECODE);
    urlp_decoder_free(decoder);
    ck_assert_int_eq(urlp_decoder_new(urlp_span_of("zstd"), 0, 0, &decoder, NULL), URLPOOL_OK);
    io = (struct urlp_decoder_io){coded.data, coded.len, out, sizeof(out)};
    ck_assert_int_eq(urlp_decoder_step(decoder, &io, NULL), URLPOOL_OK);
    ck_assert_uint_eq(io.out_cap, 0);
    ck_assert_mem_eq(out, "hello", 5);
    ck_assert_int_eq(urlp_decoder_finish(decoder, NULL), URLPOOL_OK);
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(urlp_decoder_step(decoder, &io, NULL), URLPOOL_OK);
    }
    urlp_decoder_free(decoder);
    end();
}
END_TEST

START_TEST(zstd__lies_within_and_around_other_codings)
{
    struct urlp_buf outer = {0};

    coded_text(&text, 200000);
    coded_append(&coded, CODED_GZIP, text.data, text.len);
    code(&outer, 18, coded.data, coded.len, 1);
    coded_check("gzip, zstd", &outer, &text);
    coded_check_fails("zstd, gzip", &outer);
    coded.len = 0;
    outer.len = 0;
    code(&coded, 18, text.data, text.len, 1);
    coded_append(&outer, CODED_GZIP, coded.data, coded.len);
    coded_check("zstd, gzip", &outer, &text);
    urlp_buf_deinit(&outer);
    end();
}
END_TEST

START_TEST(zstd__holds_its_window_and_no_more)
{
    static uint8_t zeros[1 << 20];

    bomb_begin();
    code(&coded, 23, zeros, sizeof(zeros), 64);
    ck_assert_uint_lt(coded.len, 64 * 100);
    bomb_check("zstd", &coded, 64 * sizeof(zeros), (size_t)9 << 20);
    end();
    bomb_end();
}
END_TEST

START_TEST(zstd__survives_every_allocation_that_fails)
{
    coded_check_short_of_memory("zstd", (const uint8_t *)HELLO, sizeof(HELLO) - 1, 4);
}
END_TEST

RUN_TESTS("unzstd", zstd__is_decoded_in_pieces_of_any_size,
          zstd__is_decoded_cut_at_every_offset_and_only_whole, zstd__frames_follow_one_another,
          zstd__of_nothing_is_nothing, zstd__second_frame_cut_short_is_an_error,
          zstd__checksum_is_checked, zstd__window_is_of_eight_mebibytes_at_most,
          zstd__window_is_of_window_max_at_most, zstd__that_is_none_is_an_error,
          zstd__gives_what_waits_once_there_is_room, zstd__lies_within_and_around_other_codings,
          zstd__holds_its_window_and_no_more, zstd__survives_every_allocation_that_fails)
