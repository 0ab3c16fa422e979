/* Spans: comparing, trimming, splitting lists, reading numbers. */

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include "base/span.h"
#include "support/run_tests.h"

START_TEST(span__of_null_is_empty)
{
    ck_assert_uint_eq(urlp_span_of(NULL).len, 0);
    ck_assert(urlp_span_equals(urlp_span_of(NULL), urlp_span_of("")));
}
END_TEST

START_TEST(span__equals_needs_the_same_bytes_and_length)
{
    ck_assert(urlp_span_is(urlp_span_make("abcdef", 3), "abc"));
    ck_assert(!urlp_span_is(urlp_span_make("abcdef", 3), "abd"));
    ck_assert(!urlp_span_is(urlp_span_make("abcdef", 3), "ab"));
    ck_assert(!urlp_span_is(urlp_span_make("abcdef", 3), "ABC"));
    ck_assert(urlp_span_equals(urlp_span_make("a\0b", 3), urlp_span_make("a\0b", 3)));
    ck_assert(!urlp_span_equals(urlp_span_make("a\0b", 3), urlp_span_make("a\0c", 3)));
}
END_TEST

START_TEST(span__nocase_folds_ascii_letters_only)
{
    ck_assert(urlp_span_is_nocase(urlp_span_of("Content-LENGTH"), "content-length"));
    ck_assert(!urlp_span_is_nocase(urlp_span_of("Content-LENGTH"), "content_length"));
    ck_assert(!urlp_span_is_nocase(urlp_span_of("abc"), "abcd"));
    /* '@' and '`', '[' and '{' differ by the same bit as letters do. */
    ck_assert(!urlp_span_is_nocase(urlp_span_of("@["), "`{"));
    ck_assert(!urlp_span_is_nocase(urlp_span_of("\xc0"), "\xe0"));
}
END_TEST

START_TEST(span__trim_takes_blanks_and_tabs_only)
{
    ck_assert(urlp_span_is(urlp_span_trim(urlp_span_of(" \t a b\t ")), "a b"));
    ck_assert(urlp_span_is(urlp_span_trim(urlp_span_of("\r\na\v")), "\r\na\v"));
    ck_assert(urlp_span_is(urlp_span_trim(urlp_span_of(" \t ")), ""));
    ck_assert(urlp_span_is(urlp_span_trim(urlp_span_of("")), ""));
}
END_TEST

/* join splits `text` and joins the elements with '|'. */
static const char *join(const char *text, char *out, size_t size)
{
    struct urlp_span rest = urlp_span_of(text);
    struct urlp_span element;
    size_t len = 0;

    out[0] = '\0';
    while (urlp_span_split_list(&rest, &element)) {
        len += (size_t)snprintf(out + len, size - len, "%.*s|", (int)element.len, element.data);
    }
    return out;
}

START_TEST(split_list__trims_elements_and_skips_empty_ones)
{
    char out[64];

    ck_assert_str_eq(join("gzip, br ,\tdeflate", out, sizeof(out)), "gzip|br|deflate|");
    ck_assert_str_eq(join(", ,a,, ,b,", out, sizeof(out)), "a|b|");
    ck_assert_str_eq(join("", out, sizeof(out)), "");
    ck_assert_str_eq(join(" , ", out, sizeof(out)), "");
}
END_TEST

START_TEST(split_list__commas_in_quoted_strings_do_not_split)
{
    char out[64];

    ck_assert_str_eq(join("a=\"x,y\",b", out, sizeof(out)), "a=\"x,y\"|b|");
    ck_assert_str_eq(join("a=\"x\\\",y\",b", out, sizeof(out)), "a=\"x\\\",y\"|b|");
    ck_assert_str_eq(join("a\\,b", out, sizeof(out)), "a\\|b|"); /* no quotes, no escape */
    ck_assert_str_eq(join("a=\"x,y", out, sizeof(out)), "a=\"x,y|");
    ck_assert_str_eq(join("a=\"x\\", out, sizeof(out)), "a=\"x\\|");
}
END_TEST

START_TEST(to_u64__reads_digits_up_to_the_largest)
{
    uint64_t value = 1;

    ck_assert(urlp_span_to_u64(urlp_span_of("0"), &value));
    ck_assert_uint_eq(value, 0);
    ck_assert(urlp_span_to_u64(urlp_span_of("007"), &value));
    ck_assert_uint_eq(value, 7);
    ck_assert(urlp_span_to_u64(urlp_span_of("18446744073709551615"), &value));
    ck_assert(value == UINT64_MAX);
}
END_TEST

START_TEST(to_u64__refuses_all_else_and_leaves_the_output)
{
    static const char *const bad[] = {"",    "-1",  "+1",  " 1",
                                      "1 ",  "0x1", "1,1", "18446744073709551616",
                                      "1e3", "1.0", "１",  "99999999999999999999"};
    uint64_t value = 77;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(!urlp_span_to_u64(urlp_span_of(bad[i]), &value), "%s", bad[i]);
    }
    ck_assert(!urlp_span_to_u64(urlp_span_make("1\0", 2), &value));
    ck_assert_uint_eq(value, 77);
}
END_TEST

START_TEST(tchar__is_the_set_of_rfc_9110)
{
    static const char tchars[] = "!#$%&'*+-.^_`|~0123456789"
                                 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    int num = 0;

    for (int c = 0; c < 256; c++) {
        num += urlp_is_tchar((unsigned char)c);
    }
    ck_assert_int_eq(num, (int)sizeof(tchars) - 1);
    for (const char *p = tchars; *p != '\0'; p++) {
        ck_assert(urlp_is_tchar((unsigned char)*p));
    }
}
END_TEST

START_TEST(characters__are_classed_as_ascii)
{
    int num_digits = 0;
    int num_letters = 0;
    int num_hex = 0;
    int num_folded = 0;

    for (int c = 0; c < 256; c++) {
        num_digits += urlp_is_digit((unsigned char)c);
        num_letters += urlp_is_alpha((unsigned char)c);
        num_hex += urlp_hex_value((unsigned char)c) >= 0;
        num_folded += urlp_to_lower((char)c) != (char)c;
    }
    ck_assert_int_eq(num_digits, 10);
    ck_assert_int_eq(num_letters, 52);
    ck_assert_int_eq(num_hex, 22);
    ck_assert_int_eq(num_folded, 26);
    ck_assert_int_eq(urlp_hex_value('9'), 9);
    ck_assert_int_eq(urlp_hex_value('a'), 10);
    ck_assert_int_eq(urlp_hex_value('F'), 15);
    ck_assert_int_eq(urlp_hex_value('g'), -1);
    ck_assert_int_eq(urlp_to_lower('Z'), 'z');
}
END_TEST

/* Runs are looked at four bytes at a time and then one by one: each length, each place. */
START_TEST(runs__end_at_the_first_byte_that_ends_them_wherever_it_stands)
{
    char text[20];

    for (size_t len = 0; len <= sizeof(text); len++) {
        for (size_t at = 0; at <= len; at++) {
            struct urlp_span span = urlp_span_make(text, len);

            memset(text, 'a', sizeof(text));
            if (at < len) {
                text[at] = '/';
            }
            ck_assert_uint_eq(urlp_span_token_len(span), at);
            ck_assert_uint_eq(urlp_span_until(span, URLP_BYTE_COLON | URLP_BYTE_SLASH), at);
            ck_assert_uint_eq(urlp_span_until(span, URLP_BYTE_COLON), len);
            ck_assert(urlp_span_is_token(span) == (len > 0 && at == len));
        }
    }
}
END_TEST

RUN_TESTS("span", span__of_null_is_empty, span__equals_needs_the_same_bytes_and_length,
          span__nocase_folds_ascii_letters_only, span__trim_takes_blanks_and_tabs_only,
          split_list__trims_elements_and_skips_empty_ones,
          split_list__commas_in_quoted_strings_do_not_split, to_u64__reads_digits_up_to_the_largest,
          to_u64__refuses_all_else_and_leaves_the_output, tchar__is_the_set_of_rfc_9110,
          characters__are_classed_as_ascii,
          runs__end_at_the_first_byte_that_ends_them_wherever_it_stands)
