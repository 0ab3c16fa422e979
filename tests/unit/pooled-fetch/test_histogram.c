/* Percentiles out of buckets. */

#include "histogram.h"
#include "support/run_tests.h"

static struct pf_histogram histogram;

START_TEST(histogram__empty_one_says_zero)
{
    ck_assert_int_eq(pf_histogram_at(&histogram, 50), 0);
    ck_assert_uint_eq(pf_histogram_between(&histogram, -1, INT64_MAX), 0);
}
END_TEST

START_TEST(histogram__small_values_are_exact)
{
    for (int64_t ns = 1; ns <= 100; ns++) {
        pf_histogram_add(&histogram, ns);
    }
    ck_assert_int_eq(pf_histogram_at(&histogram, 50), 50);
    ck_assert_int_eq(pf_histogram_at(&histogram, 99), 99);
    ck_assert_int_eq(pf_histogram_at(&histogram, 99.9), 100);
    ck_assert_int_eq(pf_histogram_at(&histogram, 100), 100);
    ck_assert_int_eq(histogram.min_ns, 1);
    ck_assert_int_eq(histogram.sum_ns, 5050);
}
END_TEST

START_TEST(histogram__any_value_is_right_to_one_part_in_a_hundred)
{
    for (int64_t ns = 1; ns < INT64_C(3000000000000); ns += ns / 3 + 1) {
        histogram = (struct pf_histogram){{0}, 0, 0, 0, 0};
        pf_histogram_add(&histogram, ns);
        pf_histogram_add(&histogram, INT64_C(4000000000000));
        ck_assert_int_ge(pf_histogram_at(&histogram, 50), ns);
        ck_assert_int_le(pf_histogram_at(&histogram, 50), ns + ns / 100);
        ck_assert_uint_eq(pf_histogram_between(&histogram, ns - 1, ns + ns / 100 + 1), 1);
    }
}
END_TEST

START_TEST(histogram__values_off_the_scale_are_kept)
{
    pf_histogram_add(&histogram, -5);
    pf_histogram_add(&histogram, INT64_MAX / 2);
    ck_assert_int_eq(pf_histogram_at(&histogram, 50), 0);
    ck_assert_int_eq(pf_histogram_at(&histogram, 100), INT64_MAX / 2);
}
END_TEST

RUN_TESTS("pooled-fetch histogram", histogram__empty_one_says_zero,
          histogram__small_values_are_exact, histogram__any_value_is_right_to_one_part_in_a_hundred,
          histogram__values_off_the_scale_are_kept)
