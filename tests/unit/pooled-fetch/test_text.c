/* pooled-fetch: numbers as users and servers write them, and what an errno is called. */

#include <check.h>
#include <errno.h>
#include <stdint.h>

#include "support/run_tests.h"
#include "text.h"

START_TEST(digits__are_read_up_to_what_is_none)
{
    static const char text[] = "120,5";
    int64_t number = -1;

    ck_assert_ptr_eq(pf_digits(text, &number), text + 3);
    ck_assert_int_eq(number, 120);
}
END_TEST

START_TEST(digits__know_neither_blanks_nor_signs_nor_hexadecimals)
{
    static const char *const texts[] = {"", " 1", "\t1", "+1", "-1", "x1", "\xb2"};
    int64_t number = -1;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        ck_assert_ptr_eq(pf_digits(texts[i], &number), texts[i]);
        ck_assert_int_eq(number, 0);
    }
    ck_assert_str_eq(pf_digits("0x10", &number), "x10");
}
END_TEST

START_TEST(digits__stop_at_the_greatest_number)
{
    int64_t number = -1;

    ck_assert_str_eq(pf_digits("9223372036854775807", &number), "");
    ck_assert(number == INT64_MAX);
    ck_assert_str_eq(pf_digits("9223372036854775806;", &number), ";");
    ck_assert(number == INT64_MAX - 1);
    ck_assert_str_eq(pf_digits("9223372036854775808", &number), "");
    ck_assert(number == INT64_MAX);
    ck_assert_str_eq(pf_digits("99999999999999999999999;", &number), ";");
    ck_assert(number == INT64_MAX);
}
END_TEST

START_TEST(errno_text__is_there_for_each_errno)
{
    ck_assert_str_eq(pf_errno_text(ENOENT), "No such file or directory");
    ck_assert_str_eq(pf_errno_text(-1), "an unknown error");
}
END_TEST

RUN_TESTS("text", digits__are_read_up_to_what_is_none,
          digits__know_neither_blanks_nor_signs_nor_hexadecimals,
          digits__stop_at_the_greatest_number, errno_text__is_there_for_each_errno)
