/* What a pool says of itself. */

#include <check.h>

#include "base/clock.h"
#include "base/counters.h"
#include "support/pool_fixture.h"
#include "support/run_tests.h"

START_TEST(closed_name__has_a_word_for_every_reason)
{
    for (int why = 0; why < URLPOOL_CLOSED_NUM; why++) {
        const char *name = urlpool_closed_name((enum urlpool_closed)why);

        ck_assert_str_ne(name, "unknown");
        ck_assert_str_ne(name, "");
        for (int other = 0; other < why; other++) {
            ck_assert_str_ne(name, urlpool_closed_name((enum urlpool_closed)other));
        }
    }
    ck_assert_str_eq(urlpool_closed_name(URLPOOL_CLOSED_BY_PEER), "by peer");
    ck_assert_str_eq(urlpool_closed_name(URLPOOL_CLOSED_NUM), "unknown");
    ck_assert_str_eq(urlpool_closed_name((enum urlpool_closed) - 1), "unknown");
}
END_TEST

START_TEST(stats__have_room_for_every_reason)
{
    struct urlpool_stats stats;

    ck_assert_uint_ge(sizeof(stats.closed) / sizeof(stats.closed[0]), URLPOOL_CLOSED_NUM);
}
END_TEST

START_TEST(stats__of_the_set_are_the_sum_of_its_pools)
{
    struct pool_fixture f;
    struct urlpool_pool *b;
    struct urlp_lease leases[3];
    struct urlpool_stats stats;

    pool_begin(&f, NULL);
    b = pool_get(&f, "b");
    leases[0] = lease_take(&f, f.pool);
    leases[1] = lease_take(&f, b);
    leases[2] = lease_take(&f, b);
    lease_give(&leases[1]);
    stats = pool_stats(&f, NULL);
    ck_assert_uint_eq(stats.pools, 2);
    ck_assert_uint_eq(stats.open, 3);
    ck_assert_uint_eq(stats.idle, 1);
    ck_assert_uint_eq(stats.leased, 2);
    ck_assert_uint_eq(stats.opened, 3);
    ck_assert_uint_eq(stats.peak_open, 3);
    stats = pool_stats(&f, b);
    ck_assert_uint_eq(stats.pools, 1);
    ck_assert_uint_eq(stats.open, 2);
    ck_assert_uint_eq(stats.leased, 1);
    lease_give(&leases[0]);
    lease_give(&leases[2]);
    urlp_pool_unref(b);
    pool_end(&f);
}
END_TEST

START_TEST(stats__of_the_set_outlive_its_pools)
{
    struct pool_fixture f;
    struct urlpool_pool *b;
    struct urlp_lease lease;
    struct urlpool_stats stats;

    pool_begin(&f, NULL);
    b = pool_get(&f, "b");
    lease = lease_take(&f, b);
    lease_give(&lease);
    lease = lease_take(&f, b);
    lease_give(&lease);
    urlp_pool_unref(b);
    urlp_pool_set_clear(f.set); /* b is no more */
    stats = pool_stats(&f, NULL);
    ck_assert_uint_eq(stats.open, 0);
    ck_assert_uint_eq(stats.opened, 1);
    ck_assert_uint_eq(stats.reused, 1);
    ck_assert_uint_eq(stats.closed[URLPOOL_CLOSED_CLEARED], 1);
    pool_end(&f);
}
END_TEST

START_TEST(stats__take_the_place_of_what_was_there)
{
    struct pool_fixture f;
    struct urlp_lease lease;
    struct urlpool_stats stats = {.open = 5, .opened = 7, .requests = 3, .peak_open = 40};

    pool_begin(&f, NULL);
    lease = lease_take(&f, f.pool);
    urlp_pool_set_stats(f.set, NULL, &stats);
    ck_assert_uint_eq(stats.open, 1);
    ck_assert_uint_eq(stats.opened, 1);
    ck_assert_uint_eq(stats.requests, 0);
    ck_assert_uint_eq(stats.peak_open, 1);
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

START_TEST(stats__remember_the_peak)
{
    struct pool_fixture f;
    struct urlp_lease a;
    struct urlp_lease b;

    pool_begin(&f, NULL);
    a = lease_take(&f, f.pool);
    b = lease_take(&f, f.pool);
    lease_kill(&a, URLPOOL_CLOSED_ERROR);
    lease_kill(&b, URLPOOL_CLOSED_ERROR);
    ck_assert_uint_eq(pool_stats(&f, f.pool).open, 0);
    ck_assert_uint_eq(pool_stats(&f, f.pool).peak_open, 2);
    pool_end(&f);
}
END_TEST

START_TEST(stats__count_waits_by_how_long_they_took)
{
    static const struct {
        int64_t waited_ns;
        size_t bucket;
    } waits[] = {
        {0,                     0},
        {1 * MS,                0},
        {1 * MS + 1,            1},
        {25 * MS,               2},
        {100 * MS,              3},
        {500 * MS,              4},
        {2500 * MS,             5},
        {10 * S,                6},
        {10 * S + 1,            7},
        {INT64_C(3600) * S * 9, 7},
    };
    uint64_t expected[URLPOOL_WAIT_BUCKETS] = {0};
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlpool_stats all;
    struct urlpool_stats one;
    uint64_t sum_ns = 0;

    settings.maxsize = 1;
    settings.idle_ms = -1;
    pool_begin(&f, &settings);
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        struct urlp_lease lease = lease_take(&f, f.pool);
        struct lease_thread thread;

        lease_thread_start_waiting(&thread, &f, -1, 1);
        urlp_clock_fake_advance(waits[i].waited_ns);
        lease_give(&lease);
        ck_assert_int_eq(lease_thread_join(&thread), URLPOOL_OK);
        lease_give(&thread.lease);
        expected[waits[i].bucket]++;
        sum_ns += (uint64_t)waits[i].waited_ns;
    }
    all = pool_stats(&f, NULL);
    one = pool_stats(&f, f.pool);
    ck_assert_uint_eq(all.waits, sizeof(waits) / sizeof(waits[0]));
    ck_assert_uint_eq(all.wait_ns, sum_ns);
    ck_assert_uint_eq(one.wait_ns, sum_ns);
    ck_assert_mem_eq(all.wait_buckets, expected, sizeof(expected));
    ck_assert_mem_eq(one.wait_buckets, expected, sizeof(expected));
    pool_end(&f);
}
END_TEST

START_TEST(counters__of_a_pool_outlive_it_in_the_sum)
{
    struct pool_fixture f;
    struct urlpool_pool *b;
    struct urlp_lease lease;

    pool_begin(&f, NULL);
    b = pool_get(&f, "b");
    urlp_count(&urlp_pool_counters(f.pool)->requests, 3);
    urlp_count(&urlp_pool_counters(b)->requests, 5);
    urlp_count(&urlp_pool_counters(b)->bytes_sent, 50);
    ck_assert_uint_eq(pool_stats(&f, f.pool).requests, 3);
    ck_assert_uint_eq(pool_stats(&f, b).requests, 5);
    ck_assert_uint_eq(pool_stats(&f, NULL).requests, 8);
    lease = lease_take(&f, b);
    urlp_pool_unref(b);
    urlp_pool_set_clear(f.set); /* b lives on with its lease */
    ck_assert_uint_eq(pool_stats(&f, NULL).requests, 8);
    lease_give(&lease); /* and now it is no more */
    ck_assert_uint_eq(pool_stats(&f, NULL).requests, 8);
    ck_assert_uint_eq(pool_stats(&f, NULL).bytes_sent, 50);
    pool_end(&f);
}
END_TEST

START_TEST(describe__says_one_line_a_pool)
{
    struct pool_fixture f;
    struct urlp_route route = {
        .origin = {.host = urlp_span_of("::1"), .port = 443, .is_https = true},
          .tls_serial = 1
    };
    struct urlpool_pool *six;
    struct urlp_lease leases[2];
    struct urlp_buf out = {0};

    pool_begin(&f, NULL);
    leases[0] = lease_take(&f, f.pool);
    leases[1] = lease_take(&f, f.pool);
    lease_give(&leases[0]);
    leases[0] = lease_take(&f, f.pool);
    lease_give(&leases[0]);
    lease_give(&leases[1]);
    six = urlp_pool_set_get(f.set, &route, NULL);
    ck_assert_int_eq(urlp_pool_set_describe(f.set, &out), URLPOOL_OK);
    ck_assert_int_eq(urlp_buf_append(&out, "", 1), URLPOOL_OK);
    ck_assert_str_eq((const char *)out.data,
                     "http://a.test:80 open 2 idle 2 leased 0 dialling 0 waiting 0 reused 1 "
                     "opened 2\n"
                     "https://[::1]:443 open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 "
                     "opened 0\n");
    urlp_buf_deinit(&out);
    urlp_pool_unref(six);
    pool_end(&f);
}
END_TEST

START_TEST(describe__stops_at_the_limit_of_the_buffer)
{
    struct pool_fixture f;
    struct urlp_buf out;

    pool_begin(&f, NULL);
    urlp_buf_init(&out, 20);
    ck_assert_int_eq(urlp_pool_set_describe(f.set, &out), URLPOOL_E_DATA_TOO_LARGE);
    urlp_buf_deinit(&out);
    pool_end(&f);
}
END_TEST

RUN_TESTS("pool_report", closed_name__has_a_word_for_every_reason,
          stats__have_room_for_every_reason, stats__of_the_set_are_the_sum_of_its_pools,
          stats__of_the_set_outlive_its_pools, stats__take_the_place_of_what_was_there,
          stats__remember_the_peak, stats__count_waits_by_how_long_they_took,
          counters__of_a_pool_outlive_it_in_the_sum, describe__says_one_line_a_pool,
          describe__stops_at_the_limit_of_the_buffer)
