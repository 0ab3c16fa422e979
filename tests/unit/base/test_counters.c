/* Sums of counters, and buckets. */

#include <string.h>

#include "base/counters.h"
#include "support/run_tests.h"

START_TEST(bucket__is_the_first_whose_bound_is_not_exceeded)
{
    const int64_t bounds[] = {10, 20, 30};

    ck_assert_uint_eq(urlp_bucket_of(-1, bounds, 3), 0);
    ck_assert_uint_eq(urlp_bucket_of(10, bounds, 3), 0);
    ck_assert_uint_eq(urlp_bucket_of(11, bounds, 3), 1);
    ck_assert_uint_eq(urlp_bucket_of(20, bounds, 3), 1);
    ck_assert_uint_eq(urlp_bucket_of(30, bounds, 3), 2);
    ck_assert_uint_eq(urlp_bucket_of(31, bounds, 3), 3);
    ck_assert_uint_eq(urlp_bucket_of(INT64_MAX, bounds, 3), 3);
}
END_TEST

START_TEST(bounds__grow)
{
    for (size_t i = 1; i < URLP_DURATION_BUCKETS - 1; i++) {
        ck_assert_int_gt(urlp_try_bounds_ns[i], urlp_try_bounds_ns[i - 1]);
        ck_assert_int_gt(urlp_connection_bounds_ns[i], urlp_connection_bounds_ns[i - 1]);
    }
    for (size_t i = 1; i < URLPOOL_WAIT_BUCKETS - 1; i++) {
        ck_assert_int_gt(urlp_wait_bounds_ns[i], urlp_wait_bounds_ns[i - 1]);
    }
    ck_assert_int_eq(urlp_try_bounds_ns[0], 5000000);
    ck_assert_int_eq(urlp_try_bounds_ns[URLP_DURATION_BUCKETS - 2], INT64_C(10000000000));
    ck_assert_int_eq(urlp_wait_bounds_ns[URLPOOL_WAIT_BUCKETS - 2], INT64_C(10000000000));
}
END_TEST

START_TEST(durations__are_counted_in_one_bucket_and_summed)
{
    struct urlp_durations durations = {0};

    urlp_durations_count(&durations, urlp_try_bounds_ns, 5000000);
    urlp_durations_count(&durations, urlp_try_bounds_ns, 5000001);
    urlp_durations_count(&durations, urlp_try_bounds_ns, INT64_C(10000000001));
    urlp_durations_count(&durations, urlp_try_bounds_ns, -7); /* never less than nothing */
    ck_assert_uint_eq(durations.buckets[0], 2);
    ck_assert_uint_eq(durations.buckets[1], 1);
    ck_assert_uint_eq(durations.buckets[2], 0);
    ck_assert_uint_eq(durations.buckets[URLP_DURATION_BUCKETS - 1], 1);
    ck_assert_uint_eq(durations.sum_ns, UINT64_C(10010000002));
}
END_TEST

/* fill gives each counter another number. */
static void fill(struct urlp_counters *counters, uint64_t from)
{
    _Atomic uint64_t *all = (void *)counters;

    for (size_t i = 0; i < sizeof(*counters) / sizeof(*all); i++) {
        all[i] = from + i;
    }
}

START_TEST(add__adds_every_counter)
{
    struct urlp_counters sum;
    struct urlp_counters more;
    const _Atomic uint64_t *all = (const void *)&sum;

    fill(&sum, 100);
    fill(&more, 7000);
    urlp_counters_add(&sum, &more);
    for (size_t i = 0; i < sizeof(sum) / sizeof(*all); i++) {
        ck_assert_uint_eq(all[i], 7100 + 2 * i);
    }
}
END_TEST

START_TEST(show__adds_each_figure_to_its_own_field)
{
    struct urlp_counters counters = {.requests = 1,
                                     .redirects = 2,
                                     .stale_retries = 3,
                                     .retries = 4,
                                     .retries_withheld = 5,
                                     .failures = 6,
                                     .bytes_sent = 7,
                                     .bytes_received = 8,
                                     .dns_queries = 9,
                                     .dns_hits = 10,
                                     .tls_full = 11,
                                     .tls_resumed = 12,
                                     .tls_refused = 13};
    struct urlpool_stats stats = {0};

    urlp_counters_show(&counters, &stats);
    urlp_counters_show(&counters, &stats);
    ck_assert_uint_eq(stats.requests, 2);
    ck_assert_uint_eq(stats.redirects, 4);
    ck_assert_uint_eq(stats.stale_retries, 6);
    ck_assert_uint_eq(stats.retries, 8);
    ck_assert_uint_eq(stats.retries_withheld, 10);
    ck_assert_uint_eq(stats.failures, 12);
    ck_assert_uint_eq(stats.bytes_sent, 14);
    ck_assert_uint_eq(stats.bytes_received, 16);
    ck_assert_uint_eq(stats.dns_queries, 18);
    ck_assert_uint_eq(stats.dns_hits, 20);
    ck_assert_uint_eq(stats.tls_full, 22);
    ck_assert_uint_eq(stats.tls_resumed, 24);
    ck_assert_uint_eq(stats.tls_refused, 26);
}
END_TEST

RUN_TESTS("counters", bucket__is_the_first_whose_bound_is_not_exceeded, bounds__grow,
          durations__are_counted_in_one_bucket_and_summed, add__adds_every_counter,
          show__adds_each_figure_to_its_own_field)
