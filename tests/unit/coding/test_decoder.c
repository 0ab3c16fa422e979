/* Codings on codings: which are undone, how many, in which order, and that neither memory nor work
 * follows what they expand to. */

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "urlpool/export.h"

#include "bomb.h"
#include "coded.h"
#include "support/run_tests.h"

static struct urlpool_error err;

/* open_decoder returns the code of urlp_decoder_new, and whether there was anything to undo. */
static enum urlpool_code open_decoder(const char *codings, int codings_max, bool *out_is_needed)
{
    struct urlp_decoder *decoder = (struct urlp_decoder *)&err;
    enum urlpool_code code =
        urlp_decoder_new(urlp_span_of(codings), codings_max, 0, &decoder, &err);

    if (code != URLPOOL_OK) {
        ck_assert_ptr_eq(decoder, &err);
        return code;
    }
    *out_is_needed = decoder != NULL;
    urlp_decoder_free(decoder);
    return code;
}

static void check_needed(const char *codings, bool is_needed)
{
    bool is;

    ck_assert_int_eq(open_decoder(codings, 0, &is), URLPOOL_OK);
    ck_assert_msg(is == is_needed, "\"%s\"", codings);
}

START_TEST(decoder__is_none_without_a_coding)
{
    check_needed("", false);
    check_needed(" , ,", false);
    check_needed("identity", false);
    check_needed("Identity, identity", false);
    urlp_decoder_free(NULL);
}
END_TEST

START_TEST(decoder__is_none_with_an_unknown_coding_anywhere)
{
    check_needed("foo", false);
    check_needed("gzip, foo", false);
    check_needed("foo, gzip", false);
    check_needed("gzipx", false);
    check_needed("gzip;q=1", false);
    check_needed("\"gzip\"", false);
    check_needed("gzip deflate", false);
    check_needed("compress", false);
    check_needed("br", URLP_HAS_BROTLI);
    check_needed("zstd", URLP_HAS_ZSTD);
    check_needed("zstandard", false);
}
END_TEST

START_TEST(decoder__is_one_for_every_known_coding)
{
    check_needed("gzip", true);
    check_needed("x-gzip", true);
    check_needed("deflate", true);
    check_needed("identity, gzip,", true);
    check_needed("gzip,deflate,x-gzip", true);
}
END_TEST

START_TEST(decoder__offers_only_what_it_can_undo)
{
    struct urlp_span offer = urlp_span_of(urlp_decoder_accept_encoding());
    struct urlp_span name;
    size_t count = 0;

    while (urlp_span_split_list(&offer, &name)) {
        char text[32] = "";

        ck_assert_uint_lt(name.len, sizeof(text));
        memcpy(text, name.data, name.len);
        check_needed(text, true);
        count++;
    }
    ck_assert_uint_ge(count, 2);
}
END_TEST

START_TEST(decoder__limits_how_many_there_are)
{
    bool is_needed;

    ck_assert_int_eq(open_decoder("gzip,gzip,gzip,gzip,gzip", 0, &is_needed), URLPOOL_OK);
    ck_assert(is_needed);
    ck_assert_int_eq(open_decoder("gzip,gzip,gzip,gzip,gzip,gzip", 0, &is_needed),
                     URLPOOL_E_DECODE);
    ck_assert_int_eq(err.code, URLPOOL_E_DECODE);
    ck_assert_int_eq(open_decoder("gzip", 1, &is_needed), URLPOOL_OK);
    ck_assert_int_eq(open_decoder("gzip, deflate", 1, &is_needed), URLPOOL_E_DECODE);
    ck_assert_int_eq(open_decoder("gzip", URLPOOL_NONE, &is_needed), URLPOOL_E_DECODE);
    ck_assert_int_eq(open_decoder("identity", URLPOOL_NONE, &is_needed), URLPOOL_OK);
    ck_assert_int_eq(open_decoder("gzip,gzip,gzip,gzip,gzip,gzip", 6, &is_needed), URLPOOL_OK);
}
END_TEST

START_TEST(decoder__undoes_the_last_coding_first)
{
    struct urlp_buf text = {0};
    struct urlp_buf once = {0};
    struct urlp_buf twice = {0};
    struct urlp_buf decoded = {0};

    coded_text(&text, 100000);
    coded_append(&once, CODED_RAW, text.data, text.len);
    coded_append(&twice, CODED_GZIP, once.data, once.len);
    ck_assert_int_eq(coded_decode("deflate, gzip", &twice, 1000, 777, &decoded), URLPOOL_OK);
    ck_assert_uint_eq(decoded.len, text.len);
    ck_assert_mem_eq(decoded.data, text.data, text.len);
    decoded.len = 0;
    ck_assert_int_eq(coded_decode("gzip, deflate", &twice, 1000, 777, &decoded), URLPOOL_E_DECODE);
    urlp_buf_deinit(&text);
    urlp_buf_deinit(&once);
    urlp_buf_deinit(&twice);
    urlp_buf_deinit(&decoded);
}
END_TEST

START_TEST(decoder__tells_an_inner_coding_that_is_cut_short)
{
    struct urlp_buf once = {0};
    struct urlp_buf twice = {0};
    struct urlp_buf decoded = {0};

    coded_append(&once, CODED_GZIP, "some text", 9);
    coded_append(&twice, CODED_GZIP, once.data, once.len - 1);
    ck_assert_int_eq(coded_decode("gzip, gzip", &twice, 1000, 1000, &decoded), URLPOOL_E_DECODE);
    ck_assert_mem_eq(decoded.data, "some text", 9);
    urlp_buf_deinit(&once);
    urlp_buf_deinit(&twice);
    urlp_buf_deinit(&decoded);
}
END_TEST

START_TEST(decoder__takes_an_empty_body_for_an_empty_one)
{
    const char *const codings[] = {"gzip", "deflate", "gzip, deflate, gzip",
                                   urlp_decoder_accept_encoding()};
    struct urlp_buf empty = {0};
    struct urlp_buf decoded = {0};

    for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++) {
        ck_assert_int_eq(coded_decode(codings[i], &empty, 1, 1, &decoded), URLPOOL_OK);
        ck_assert_uint_eq(decoded.len, 0);
    }
    urlp_buf_deinit(&decoded);
}
END_TEST

START_TEST(decoder__stays_with_its_first_error)
{
    struct urlp_decoder *decoder = NULL;
    struct urlp_decoder_io io = {.in = (const uint8_t *)"garbage", .in_len = 7};
    struct urlpool_error again;
    uint8_t out[16];

    ck_assert_int_eq(urlp_decoder_new(urlp_span_of("gzip"), 0, 0, &decoder, &err), URLPOOL_OK);
    io.out = out;
    io.out_cap = sizeof(out);
    ck_assert_int_eq(urlp_decoder_step(decoder, &io, &err), URLPOOL_E_DECODE);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_BODY);
    ck_assert_int_eq(urlp_decoder_step(decoder, &io, &again), URLPOOL_E_DECODE);
    ck_assert_str_eq(again.message, err.message);
    ck_assert_int_eq(urlp_decoder_finish(decoder, &again), URLPOOL_E_DECODE);
    ck_assert_str_eq(again.message, err.message);
    urlp_decoder_free(decoder);
}
END_TEST

START_TEST(decoder__takes_nothing_and_loses_nothing_without_room)
{
    struct urlp_decoder *decoder = NULL;
    struct urlp_buf coded = {0};
    struct urlp_decoder_io io;
    uint8_t out[16];

    coded_append(&coded, CODED_GZIP, "some text", 9);
    ck_assert_int_eq(urlp_decoder_new(urlp_span_of("gzip"), 0, 0, &decoder, &err), URLPOOL_OK);
    io = (struct urlp_decoder_io){.in = coded.data, .in_len = coded.len};
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(urlp_decoder_step(decoder, &io, &err), URLPOOL_OK);
        ck_assert_uint_eq(io.out_cap, 0);
    }
    ck_assert_int_eq(urlp_decoder_finish(decoder, &err), URLPOOL_E_DECODE);
    urlp_decoder_free(decoder);
    ck_assert_int_eq(urlp_decoder_new(urlp_span_of("gzip"), 0, 0, &decoder, &err), URLPOOL_OK);
    io = (struct urlp_decoder_io){.in = coded.data, .in_len = coded.len};
    ck_assert_int_eq(urlp_decoder_step(decoder, &io, &err), URLPOOL_OK);
    io.out = out;
    io.out_cap = 9;
    ck_assert_int_eq(urlp_decoder_step(decoder, &io, &err), URLPOOL_OK);
    ck_assert_uint_eq(io.out_cap, 0);
    ck_assert_uint_eq(io.in_len, 0);
    ck_assert_mem_eq(out, "some text", 9);
    ck_assert_int_eq(urlp_decoder_finish(decoder, &err), URLPOOL_OK);
    urlp_decoder_free(decoder);
    urlp_buf_deinit(&coded);
}
END_TEST

/* make_bomb appends `len` zeros coded `num_layers` times. */
static void make_bomb(struct urlp_buf *out, size_t len, int num_layers)
{
    struct urlp_buf inner = {0};

    ck_assert_int_eq(urlp_buf_reserve(&inner, len), URLPOOL_OK);
    memset(inner.data, 0, len);
    inner.len = len;
    for (int i = 0; i < num_layers; i++) {
        out->len = 0;
        coded_append(out, CODED_GZIP, inner.data, inner.len);
        inner.len = 0;
        ck_assert_int_eq(urlp_buf_append(&inner, out->data, out->len), URLPOOL_OK);
    }
    urlp_buf_deinit(&inner);
}

START_TEST(decoder__holds_no_more_however_much_a_body_expands)
{
    const size_t len = 16 * 1024 * 1024;
    struct urlp_buf bomb = {0};

    bomb_begin();
    make_bomb(&bomb, len, 1);
    ck_assert_uint_lt(bomb.len, len / 900);
    bomb_check("gzip", &bomb, len, 48 * 1024);
    make_bomb(&bomb, len, 2);
    ck_assert_uint_lt(bomb.len, 300);
    bomb_check("gzip, gzip", &bomb, len, 2 * 48 * 1024 + 16 * 1024);
    urlp_buf_deinit(&bomb);
    bomb_end();
}
END_TEST

/* ratio_fate decodes all of `bomb` with a bound on its ratio. */
static enum urlpool_code ratio_fate(const char *codings, const struct urlp_buf *bomb, int ratio_max)
{
    static uint8_t out[65536];
    struct urlp_decoder *decoder = NULL;
    struct urlp_decoder_io io = {bomb->data, bomb->len, out, sizeof(out)};
    enum urlpool_code code;

    ck_assert_int_eq(urlp_decoder_new(urlp_span_of(codings), 0, ratio_max, &decoder, &err),
                     URLPOOL_OK);
    do {
        io.out = out;
        io.out_cap = sizeof(out);
        code = urlp_decoder_step(decoder, &io, &err);
    } while (code == URLPOOL_OK && io.out_cap < sizeof(out));
    urlp_decoder_free(decoder);
    return code;
}

START_TEST(decoder__ends_a_body_that_expands_past_ratio_max)
{
    struct urlp_buf bomb = {0};

    make_bomb(&bomb, 32 << 20, 1);
    ck_assert_int_eq(ratio_fate("gzip", &bomb, 0), URLPOOL_OK);
    ck_assert_int_eq(ratio_fate("gzip", &bomb, 100), URLPOOL_E_DECODE);
    ck_assert_ptr_nonnull(strstr(err.message, "100 times"));
    ck_assert_int_eq(ratio_fate("gzip", &bomb, URLPOOL_NONE), URLPOOL_E_DECODE);
    /* Half of it is past what is free, so that the ratio that counts is half of 1030. */
    ck_assert_int_eq(ratio_fate("gzip", &bomb, 500), URLPOOL_E_DECODE);
    ck_assert_int_eq(ratio_fate("gzip", &bomb, 530), URLPOOL_OK);
    make_bomb(&bomb, 32 << 20, 2);
    ck_assert_int_eq(ratio_fate("gzip, gzip", &bomb, 0), URLPOOL_E_DECODE);
    ck_assert_ptr_nonnull(strstr(err.message, "2000 times"));
    ck_assert_int_eq(ratio_fate("gzip, gzip", &bomb, 1000000), URLPOOL_OK);
    urlp_buf_deinit(&bomb);
}
END_TEST

START_TEST(decoder__counts_no_ratio_for_a_short_body)
{
    struct urlp_buf bomb = {0};

    make_bomb(&bomb, 16 << 20, 2);
    ck_assert_int_eq(ratio_fate("gzip, gzip", &bomb, URLPOOL_NONE), URLPOOL_OK);
    make_bomb(&bomb, (16 << 20) + 1, 2);
    ck_assert_int_eq(ratio_fate("gzip, gzip", &bomb, URLPOOL_NONE), URLPOOL_E_DECODE);
    ck_assert_int_eq(ratio_fate("gzip, gzip", &bomb, 1), URLPOOL_OK);
    urlp_buf_deinit(&bomb);
}
END_TEST

START_TEST(decoder__does_not_work_for_ever_on_what_never_comes_out)
{
    struct urlp_buf inner = {0};
    struct urlp_buf bomb = {0};
    struct urlp_buf decoded = {0};

    /* A whole body, and behind it, within the outer coding, megabytes that are no part of it. */
    coded_append(&inner, CODED_GZIP, "x", 1);
    ck_assert_int_eq(urlp_buf_reserve(&inner, 8 << 20), URLPOOL_OK);
    memset(inner.data + inner.len, 0, 8 << 20);
    inner.len += 8 << 20;
    coded_append(&bomb, CODED_GZIP, inner.data, inner.len);
    ck_assert_int_eq(coded_decode("gzip, gzip", &bomb, SIZE_MAX, 4096, &decoded), URLPOOL_E_DECODE);
    ck_assert_uint_eq(decoded.len, 1);
    urlp_buf_deinit(&inner);
    urlp_buf_deinit(&bomb);
    urlp_buf_deinit(&decoded);
}
END_TEST

/* feed gives `num` times `coded` to a decoder of gzip that has had `first`; returns the first
 * error.
 */
static enum urlpool_code feed(const struct urlp_buf *first, const void *coded, size_t len, int num)
{
    struct urlp_decoder *decoder = NULL;
    enum urlpool_code code = urlp_decoder_new(urlp_span_of("gzip"), 0, 0, &decoder, &err);
    uint8_t out[64];

    for (int i = -1; i < num && code == URLPOOL_OK; i++) {
        struct urlp_decoder_io io = {.in = i < 0 ? first->data : coded,
                                     .in_len = i < 0 ? first->len : len,
                                     .out = out,
                                     .out_cap = sizeof(out)};

        code = urlp_decoder_step(decoder, &io, &err);
    }
    urlp_decoder_free(decoder);
    return code;
}

/* A peer without end: members of nothing, blocks of nothing, bytes behind the end. */
START_TEST(decoder__does_not_read_for_ever_what_yields_nothing)
{
    static const uint8_t behind[1000];
    struct urlp_buf member = {0};
    struct urlp_buf text = {0};

    coded_append(&member, CODED_GZIP, "", 0);
    coded_append(&text, CODED_GZIP, "some text", 9);
    ck_assert_int_eq(feed(&text, behind, sizeof(behind), 1000), URLPOOL_OK);
    ck_assert_int_eq(feed(&text, behind, sizeof(behind), 1100), URLPOOL_E_DECODE);
    ck_assert_int_eq(feed(&text, member.data, member.len, 50000), URLPOOL_OK);
    ck_assert_int_eq(feed(&text, member.data, member.len, 60000), URLPOOL_E_DECODE);
    urlp_buf_deinit(&member);
    urlp_buf_deinit(&text);
}
END_TEST

START_TEST(decoder__survives_every_allocation_that_fails)
{
    static uint8_t stored[256];
    struct urlp_buf once = {0};
    struct urlp_buf twice = {0};
    size_t len;

    coded_append(&once, CODED_ZLIB, "some text", 9);
    coded_append(&twice, CODED_GZIP, once.data, once.len);
    memcpy(stored, twice.data, twice.len);
    len = twice.len;
    urlp_buf_deinit(&once);
    urlp_buf_deinit(&twice);
    coded_check_short_of_memory("deflate, gzip", stored, len, 6);
}
END_TEST

RUN_TESTS("decoder", decoder__is_none_without_a_coding,
          decoder__is_none_with_an_unknown_coding_anywhere, decoder__is_one_for_every_known_coding,
          decoder__offers_only_what_it_can_undo, decoder__limits_how_many_there_are,
          decoder__undoes_the_last_coding_first, decoder__tells_an_inner_coding_that_is_cut_short,
          decoder__takes_an_empty_body_for_an_empty_one, decoder__stays_with_its_first_error,
          decoder__takes_nothing_and_loses_nothing_without_room,
          decoder__holds_no_more_however_much_a_body_expands,
          decoder__ends_a_body_that_expands_past_ratio_max,
          decoder__counts_no_ratio_for_a_short_body,
          decoder__does_not_work_for_ever_on_what_never_comes_out,
          decoder__does_not_read_for_ever_what_yields_nothing,
          decoder__survives_every_allocation_that_fails)
