/* What the numbers of option structs mean. */

#include <stdio.h>

#include "base/option.h"
#include "support/run_tests.h"

START_TEST(resolve__zero_none_no_timeout_and_values)
{
    int64_t out = 77;

    ck_assert_int_eq(urlp_option_resolve("x", 0, 55, &out, NULL), URLPOOL_OK);
    ck_assert_int_eq(out, 55);
    ck_assert_int_eq(urlp_option_resolve("x", URLPOOL_NONE, 55, &out, NULL), URLPOOL_OK);
    ck_assert_int_eq(out, 0);
    ck_assert_int_eq(urlp_option_resolve("x", URLPOOL_NO_TIMEOUT, 55, &out, NULL), URLPOOL_OK);
    ck_assert_int_eq(out, -1);
    ck_assert_int_eq(urlp_option_resolve("x", INT64_MAX, 55, &out, NULL), URLPOOL_OK);
    ck_assert(out == INT64_MAX);
}
END_TEST

START_TEST(resolve__any_other_negative_value_is_refused_by_name)
{
    struct urlpool_error err;
    int64_t out = 77;

    ck_assert_int_eq(urlp_option_resolve("idle_ms", -3, 55, &out, &err), URLPOOL_E_INVALID);
    ck_assert_str_eq(err.message, "idle_ms may not be -3");
    ck_assert_int_eq(urlp_option_resolve("idle_ms", INT64_MIN, 55, &out, &err), URLPOOL_E_INVALID);
    ck_assert_int_eq(out, 77);
}
END_TEST

START_TEST(resolve_int__needs_a_bound)
{
    struct urlpool_error err;
    int out = 77;

    ck_assert_int_eq(urlp_option_resolve_int("maxsize", URLPOOL_NO_TIMEOUT, 64, &out, &err),
                     URLPOOL_E_INVALID);
    ck_assert_str_eq(err.message, "maxsize needs a bound");
    ck_assert_int_eq(urlp_option_resolve_int("maxsize", -3, 64, &out, &err), URLPOOL_E_INVALID);
    ck_assert_int_eq(out, 77);
    ck_assert_int_eq(urlp_option_resolve_int("maxsize", 0, 64, &out, &err), URLPOOL_OK);
    ck_assert_int_eq(out, 64);
    ck_assert_int_eq(urlp_option_resolve_int("maxsize", URLPOOL_NONE, 64, &out, &err), URLPOOL_OK);
    ck_assert_int_eq(out, 0);
    ck_assert_int_eq(urlp_option_resolve_int("maxsize", INT32_MAX, 64, &out, &err), URLPOOL_OK);
    ck_assert_int_eq(out, INT32_MAX);
}
END_TEST

START_TEST(reserved__every_byte_is_looked_at)
{
    unsigned char reserved[24] = {0};
    struct urlpool_error err;

    ck_assert_int_eq(urlp_option_check_reserved("retry", reserved, sizeof(reserved), &err),
                     URLPOOL_OK);
    for (size_t i = 0; i < sizeof(reserved); i++) {
        reserved[i] = 1;
        ck_assert_int_eq(urlp_option_check_reserved("retry", reserved, sizeof(reserved), &err),
                         URLPOOL_E_INVALID);
        reserved[i] = 0;
    }
    ck_assert_str_eq(err.message, "retry asks for what this version does not know");
}
END_TEST

START_TEST(timeout__each_field_is_resolved_by_itself)
{
    const struct urlpool_timeout given = {
        .connect_ms = 5, .write_ms = URLPOOL_NONE, .total_ms = 9, .pool_ms = URLPOOL_NO_TIMEOUT};
    const struct urlpool_timeout fallback = {1, 2, 3, 4, 5, {0}};
    struct urlpool_timeout out;

    ck_assert_int_eq(urlp_timeout_resolve(&given, &fallback, &out, NULL), URLPOOL_OK);
    ck_assert_int_eq(out.connect_ms, 5);
    ck_assert_int_eq(out.read_ms, 2);
    ck_assert_int_eq(out.write_ms, 0);
    ck_assert_int_eq(out.total_ms, 9);
    ck_assert_int_eq(out.pool_ms, -1);
}
END_TEST

START_TEST(timeout__defaults_are_as_documented)
{
    const struct urlpool_timeout given = {0};
    struct urlpool_timeout out;

    ck_assert_int_eq(urlp_timeout_resolve(&given, &urlp_timeout_defaults, &out, NULL), URLPOOL_OK);
    ck_assert_int_eq(out.connect_ms, 10000);
    ck_assert_int_eq(out.read_ms, 60000);
    ck_assert_int_eq(out.write_ms, 60000);
    ck_assert_int_eq(out.total_ms, -1);
    ck_assert_int_eq(out.pool_ms, -1);
}
END_TEST

START_TEST(timeout__a_bad_field_is_named_and_nothing_written)
{
    static const char *const names[] = {"connect_ms", "read_ms", "write_ms", "total_ms", "pool_ms"};

    for (size_t i = 0; i < 5; i++) {
        int64_t values[5] = {0};
        struct urlpool_timeout given;
        struct urlpool_timeout out = {.read_ms = 77};
        struct urlpool_error err;
        char expected[64];

        values[i] = -9;
        given =
            (struct urlpool_timeout){values[0], values[1], values[2], values[3], values[4], {0}};
        ck_assert_int_eq(urlp_timeout_resolve(&given, &urlp_timeout_defaults, &out, &err),
                         URLPOOL_E_INVALID);
        (void)snprintf(expected, sizeof(expected), "timeout.%s may not be -9", names[i]);
        ck_assert_str_eq(err.message, expected);
        ck_assert_int_eq(out.read_ms, 77);
    }
}
END_TEST

START_TEST(timeout__reserved_bytes_are_refused)
{
    struct urlpool_timeout given = {0};
    struct urlpool_timeout out;

    given.reserved[sizeof(given.reserved) - 1] = 1;
    ck_assert_int_eq(urlp_timeout_resolve(&given, &urlp_timeout_defaults, &out, NULL),
                     URLPOOL_E_INVALID);
}
END_TEST

RUN_TESTS("option", resolve__zero_none_no_timeout_and_values,
          resolve__any_other_negative_value_is_refused_by_name, resolve_int__needs_a_bound,
          reserved__every_byte_is_looked_at, timeout__each_field_is_resolved_by_itself,
          timeout__defaults_are_as_documented, timeout__a_bad_field_is_named_and_nothing_written,
          timeout__reserved_bytes_are_refused)
