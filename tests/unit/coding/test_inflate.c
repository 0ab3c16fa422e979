/* gzip and deflate as they come from servers: members, headers, raw or not, cut and corrupt. */

#include <string.h>

#include "coded.h"
#include "support/run_tests.h"

#define TEXT_LEN 5000

static struct urlp_buf text;
static struct urlp_buf coded;
static struct urlp_buf decoded;

static void begin(void)
{
    coded_text(&text, TEXT_LEN);
}

static void end(void)
{
    urlp_buf_deinit(&text);
    urlp_buf_deinit(&coded);
    urlp_buf_deinit(&decoded);
}

static void check_decodes(const char *codings, const struct urlp_buf *expected)
{
    coded_check(codings, &coded, expected);
}

static void check_fails(const char *codings, size_t in_step)
{
    decoded.len = 0;
    ck_assert_int_eq(coded_decode(codings, &coded, in_step, 4096, &decoded), URLPOOL_E_DECODE);
}

START_TEST(gzip__is_decoded_by_both_its_names_in_any_case)
{
    begin();
    coded_append(&coded, CODED_GZIP, text.data, text.len);
    check_decodes("gzip", &text);
    check_decodes("x-gzip", &text);
    check_decodes("GZip", &text);
    check_decodes(" \tgzip\t", &text);
    end();
}
END_TEST

START_TEST(gzip__header_may_hold_everything_it_can)
{
    begin();
    coded_append(&coded, CODED_GZIP_FULL, text.data, text.len);
    check_decodes("gzip", &text);
    end();
}
END_TEST

START_TEST(gzip__header_crc_is_checked)
{
    begin();
    coded_append(&coded, CODED_GZIP_FULL, text.data, text.len);
    ck_assert_mem_eq(coded.data + 17, "name.txt", 8);
    coded.data[17] = 'N';
    check_fails("gzip", 1000);
    end();
}
END_TEST

START_TEST(gzip__members_follow_one_another)
{
    begin();
    coded_append(&coded, CODED_GZIP, text.data, 1000);
    coded_append(&coded, CODED_GZIP_FULL, text.data + 1000, 1);
    coded_append(&coded, CODED_GZIP, NULL, 0);
    coded_append(&coded, CODED_GZIP, text.data + 1001, text.len - 1001);
    check_decodes("gzip", &text);
    end();
}
END_TEST

START_TEST(gzip__of_nothing_is_nothing)
{
    coded_append(&coded, CODED_GZIP, NULL, 0);
    check_decodes("gzip", &text);
    end();
}
END_TEST

START_TEST(gzip__garbage_behind_is_ignored_and_never_comes_out)
{
    static const struct {
        const char *data;
        size_t len;
    } garbage[] = {
        {"\0",                 1},
        {"\0\0\0\0\0\0\0\0",   8},
        {"\x1f",               1},
        {"\x1f\x1f",           2},
        {"\x1f\0\x1f\x8b\x08", 5},
        {"text",               4},
    };

    begin();
    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        coded.len = 0;
        coded_append(&coded, CODED_GZIP, text.data, text.len);
        ck_assert_int_eq(urlp_buf_append(&coded, garbage[i].data, garbage[i].len), URLPOOL_OK);
        check_decodes("gzip", &text);
    }
    end();
}
END_TEST

START_TEST(gzip__second_member_cut_short_is_an_error)
{
    begin();
    coded_append(&coded, CODED_GZIP, text.data, text.len);
    ck_assert_int_eq(urlp_buf_append(&coded, "\x1f\x8b", 2), URLPOOL_OK);
    check_fails("gzip", 1);
    check_fails("gzip", 100000);
    end();
}
END_TEST

START_TEST(gzip__cut_anywhere_is_an_error)
{
    size_t whole;

    begin();
    coded_append(&coded, CODED_GZIP_FULL, text.data, 300);
    whole = coded.len;
    for (size_t len = 1; len < whole; len++) {
        coded.len = len;
        check_fails("gzip", 100000);
    }
    end();
}
END_TEST

START_TEST(gzip__crc_and_length_are_checked)
{
    begin();
    coded_append(&coded, CODED_GZIP, text.data, text.len);
    for (size_t i = 1; i <= 8; i++) {
        coded.data[coded.len - i] ^= 1;
        check_fails("gzip", 1000);
        /* The text itself has come out by then. */
        ck_assert_uint_eq(decoded.len, text.len);
        coded.data[coded.len - i] ^= 1;
    }
    end();
}
END_TEST

START_TEST(gzip__that_is_none_is_an_error)
{
    static const char *const bad[] = {"<html>", "\x1f\x8c", "\x1f\x8b\x09", "PK\3\4", "xx"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        coded.len = 0;
        ck_assert_int_eq(urlp_buf_append_text(&coded, bad[i]), URLPOOL_OK);
        check_fails("gzip", 1);
        ck_assert_uint_eq(decoded.len, 0);
    }
    coded.len = 0;
    coded_append(&coded, CODED_ZLIB, "text", 4);
    check_fails("gzip", 100);
    end();
}
END_TEST

START_TEST(deflate__is_taken_with_and_without_its_wrapping)
{
    begin();
    coded_append(&coded, CODED_ZLIB, text.data, text.len);
    check_decodes("deflate", &text);
    check_decodes("DEFLATE", &text);
    coded.len = 0;
    coded_append(&coded, CODED_RAW, text.data, text.len);
    check_decodes("deflate", &text);
    end();
}
END_TEST

START_TEST(deflate__of_nothing_is_nothing)
{
    coded_append(&coded, CODED_ZLIB, NULL, 0);
    check_decodes("deflate", &text);
    coded.len = 0;
    coded_append(&coded, CODED_RAW, NULL, 0);
    check_decodes("deflate", &text);
    end();
}
END_TEST

START_TEST(deflate__cut_anywhere_is_an_error)
{
    begin();
    for (int wrap = CODED_ZLIB; wrap <= CODED_RAW; wrap++) {
        size_t whole;

        coded.len = 0;
        coded_append(&coded, (enum coded_wrap)wrap, text.data, 300);
        whole = coded.len;
        for (size_t len = 1; len < whole; len++) {
            coded.len = len;
            check_fails("deflate", 100000);
        }
    }
    end();
}
END_TEST

START_TEST(deflate__checksum_is_checked)
{
    begin();
    coded_append(&coded, CODED_ZLIB, text.data, text.len);
    coded.data[coded.len - 1] ^= 1;
    check_fails("deflate", 1000);
    end();
}
END_TEST

START_TEST(deflate__that_needs_a_dictionary_is_an_error)
{
    /* FDICT set, check bits right. */
    ck_assert_int_eq(urlp_buf_append(&coded, "\x78\xbb\1\2\3\4\3\0", 8), URLPOOL_OK);
    check_fails("deflate", 1);
    end();
}
END_TEST

START_TEST(deflate__garbage_behind_is_ignored_and_never_comes_out)
{
    begin();
    for (int wrap = CODED_ZLIB; wrap <= CODED_RAW; wrap++) {
        coded.len = 0;
        coded_append(&coded, (enum coded_wrap)wrap, text.data, text.len);
        coded_append(&coded, (enum coded_wrap)wrap, "more", 4);
        check_decodes("deflate", &text);
    }
    end();
}
END_TEST

START_TEST(deflate__that_is_none_is_an_error)
{
    ck_assert_int_eq(urlp_buf_append_text(&coded, "<html>"), URLPOOL_OK);
    check_fails("deflate", 1);
    ck_assert_uint_eq(decoded.len, 0);
    end();
}
END_TEST

RUN_TESTS("inflate", gzip__is_decoded_by_both_its_names_in_any_case,
          gzip__header_may_hold_everything_it_can, gzip__header_crc_is_checked,
          gzip__members_follow_one_another, gzip__of_nothing_is_nothing,
          gzip__garbage_behind_is_ignored_and_never_comes_out,
          gzip__second_member_cut_short_is_an_error, gzip__cut_anywhere_is_an_error,
          gzip__crc_and_length_are_checked, gzip__that_is_none_is_an_error,
          deflate__is_taken_with_and_without_its_wrapping, deflate__of_nothing_is_nothing,
          deflate__cut_anywhere_is_an_error, deflate__checksum_is_checked,
          deflate__that_needs_a_dictionary_is_an_error,
          deflate__garbage_behind_is_ignored_and_never_comes_out, deflate__that_is_none_is_an_error)
