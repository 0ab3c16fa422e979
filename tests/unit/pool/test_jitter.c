/* Durations that are not all the same. */

#include <stdint.h>

#include "pool/jitter.h"
#include "support/run_tests.h"

START_TEST(jitter__is_ten_per_cent_either_way)
{
    int64_t least = INT64_MAX;
    int64_t most = 0;

    for (uint64_t i = 0; i < 1000; i++) {
        int64_t ns = urlp_jitter_ns(1000000, i);

        least = ns < least ? ns : least;
        most = ns > most ? ns : most;
    }
    ck_assert_int_ge(least, 900000);
    ck_assert_int_lt(least, 905000);
    ck_assert_int_le(most, 1100000);
    ck_assert_int_gt(most, 1095000);
}
END_TEST

START_TEST(jitter__of_neighbouring_numbers_is_far_apart)
{
    int num_close = 0;

    for (uint64_t i = 0; i < 100; i++) {
        int64_t apart = urlp_jitter_ns(1000000, i) - urlp_jitter_ns(1000000, i + 1);

        num_close += apart > -1000 && apart < 1000 ? 1 : 0;
    }
    ck_assert_int_lt(num_close, 10);
}
END_TEST

START_TEST(jitter__of_the_same_number_is_the_same)
{
    ck_assert_int_eq(urlp_jitter_ns(1000000, 42), urlp_jitter_ns(1000000, 42));
}
END_TEST

START_TEST(jitter__knows_nothing_and_for_ever)
{
    ck_assert_int_eq(urlp_jitter_ns(0, 7), 0);
    for (uint64_t i = 0; i < 100; i++) {
        ck_assert_int_gt(urlp_jitter_ns(INT64_MAX, i), INT64_MAX / 2);
    }
}
END_TEST

RUN_TESTS("jitter", jitter__is_ten_per_cent_either_way,
          jitter__of_neighbouring_numbers_is_far_apart, jitter__of_the_same_number_is_the_same,
          jitter__knows_nothing_and_for_ever)
