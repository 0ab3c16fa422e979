/* What a pool says of itself. */

#include <check.h>

#include "base/clock.h"
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

START_TEST(stats__are_added_to_what_is_there)
{
    struct pool_fixture f;
    struct urlp_lease lease;
    struct urlpool_stats stats = {.open = 5, .opened = 7, .requests = 3, .peak_open = 40};

    pool_begin(&f, NULL);
    lease = lease_take(&f, f.pool);
    urlp_pool_set_stats(f.set, NULL, &stats);
    ck_assert_uint_eq(stats.open, 6);
    ck_assert_uint_eq(stats.opened, 8);
    ck_assert_uint_eq(stats.requests, 3);
    ck_assert_uint_eq(stats.peak_open, 40);
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
    six = urlp_pool_set_get(f.set, &route, NULL);
    ck_assert_int_eq(urlp_pool_set_describe(f.set, &out), URLPOOL_OK);
    ck_assert_int_eq(urlp_buf_append(&out, "", 1), URLPOOL_OK);
    ck_assert_str_eq((const char *)out.data,
                     "http://a.test:80 open 2 idle 1 leased 1 dialling 0 waiting 0 reused 1 "
                     "opened 2\n"
                     "https://[::1]:443 open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 "
                     "opened 0\n");
    urlp_buf_deinit(&out);
    lease_give(&leases[1]);
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
          stats__of_the_set_outlive_its_pools, stats__are_added_to_what_is_there,
          stats__remember_the_peak, describe__says_one_line_a_pool,
          describe__stops_at_the_limit_of_the_buffer)
