/* When a connection dies of itself, to the nanosecond. */

#include <check.h>

#include "base/clock.h"
#include "pool/core.h"
#include "support/pool_fixture.h"
#include "support/run_tests.h"

static const struct urlp_lease_end used = {
    .is_reusable = true, .keep_alive_timeout_s = -1, .keep_alive_max = -1};

/* closed is how many connections of the pool died of `why`. */
static uint64_t closed(struct pool_fixture *f, enum urlpool_closed why)
{
    return pool_stats(f, f->pool).closed[why];
}

START_TEST(idle__keeps_a_connection_until_idle_ms_have_passed)
{
    struct pool_fixture f;
    struct urlp_lease lease;

    pool_begin(&f, NULL);
    lease = lease_take(&f, f.pool);
    lease_give(&lease);
    urlp_clock_fake_advance(55 * S - 1);
    lease = lease_take_number(&f, 1);
    lease_give(&lease);
    urlp_clock_fake_advance(55 * S);
    lease = lease_take_number(&f, 2);
    ck_assert_int_eq(f.fake.num_ended, 1);
    ck_assert_int_eq(f.fake.num_polite, 1);
    ck_assert_int_eq(f.fake.num_looks, 1); /* the expired one was not looked at */
    ck_assert_uint_eq(closed(&f, URLPOOL_CLOSED_IDLE), 1);
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

START_TEST(idle__has_no_bound_when_asked_so)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlp_lease lease;

    settings.idle_ms = -1;
    pool_begin(&f, &settings);
    lease = lease_take(&f, f.pool);
    lease_give(&lease);
    urlp_clock_fake_advance(400 * 24 * 3600 * S);
    lease = lease_take_number(&f, 1);
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

START_TEST(idle__keeps_nothing_when_none)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlp_lease lease;

    settings.idle_ms = 0;
    pool_begin(&f, &settings);
    lease = lease_take(&f, f.pool);
    lease_give(&lease);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    ck_assert_uint_eq(closed(&f, URLPOOL_CLOSED_IDLE), 1);
    pool_end(&f);
}
END_TEST

START_TEST(idle__ends_the_old_ones_while_the_new_one_is_in_use)
{
    struct pool_fixture f;
    struct urlp_lease a;
    struct urlp_lease b;

    pool_begin(&f, NULL);
    a = lease_take(&f, f.pool);
    b = lease_take(&f, f.pool);
    lease_give(&b);
    lease_give(&a);
    for (int i = 0; i < 6; i++) { /* connection 1 works on; 2 lies below it */
        urlp_clock_fake_advance(10 * S);
        a = lease_take_number(&f, 1);
        lease_give(&a);
    }
    ASSERT_POOL(&f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 6 opened 2");
    ck_assert_int_eq(f.fake.last_ended, 2);
    pool_end(&f);
}
END_TEST

START_TEST(idle__ends_what_lies_in_pools_that_nobody_asks)
{
    struct pool_fixture f;
    struct urlpool_pool *quiet;
    struct urlp_lease lease;

    pool_begin(&f, NULL);
    quiet = pool_get(&f, "quiet");
    lease = lease_take(&f, quiet);
    lease_give(&lease);
    urlp_clock_fake_advance(55 * S);
    lease = lease_take(&f, f.pool);
    ASSERT_POOL_OF(quiet, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    ck_assert_int_eq(f.fake.num_ended, 1);
    lease_give(&lease);
    urlp_pool_unref(quiet);
    pool_end(&f);
}
END_TEST

START_TEST(hint__shortens_idle_by_the_servers_timeout_less_a_second)
{
    struct pool_fixture f;
    struct urlp_lease lease;

    pool_begin(&f, NULL);
    lease = lease_take(&f, f.pool);
    lease_give_hinted(&lease, 5, -1);
    urlp_clock_fake_advance(4 * S - 1);
    lease = lease_take_number(&f, 1);
    lease_give(&lease); /* said once, remembered */
    urlp_clock_fake_advance(4 * S);
    lease = lease_take_number(&f, 2);
    ck_assert_uint_eq(closed(&f, URLPOOL_CLOSED_IDLE), 1);
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

START_TEST(hint__never_lengthens_idle)
{
    struct pool_fixture f;
    struct urlp_lease lease;

    pool_begin(&f, NULL);
    lease = lease_take(&f, f.pool);
    lease_give_hinted(&lease, 3600, -1);
    urlp_clock_fake_advance(55 * S);
    lease = lease_take_number(&f, 2);
    lease_give_hinted(&lease, INT64_MAX, -1);
    urlp_clock_fake_advance(55 * S - 1);
    lease = lease_take_number(&f, 2);
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

START_TEST(hint__of_a_second_or_less_keeps_nothing)
{
    struct pool_fixture f;

    pool_begin(&f, NULL);
    for (int timeout_s = 0; timeout_s <= 1; timeout_s++) {
        struct urlp_lease lease = lease_take_number(&f, timeout_s + 1);

        lease_give_hinted(&lease, timeout_s, -1);
        ASSERT_POOL(&f, timeout_s == 0
                            ? "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 1"
                            : "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 2");
    }
    ck_assert_uint_eq(closed(&f, URLPOOL_CLOSED_IDLE), 2);
    pool_end(&f);
}
END_TEST

START_TEST(hint__of_max_ends_after_as_many_requests)
{
    struct pool_fixture f;
    struct urlp_lease lease;

    pool_begin(&f, NULL);
    lease = lease_take(&f, f.pool);
    lease_give_hinted(&lease, -1, 2); /* two more */
    lease = lease_take_number(&f, 1);
    lease_give(&lease);
    lease = lease_take_number(&f, 1);
    lease_give(&lease);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 2 opened 1");
    ck_assert_uint_eq(closed(&f, URLPOOL_CLOSED_REQUESTS), 1);
    pool_end(&f);
}
END_TEST

START_TEST(hint__of_max_counts_down_with_the_server)
{
    struct pool_fixture f;
    struct urlp_lease lease;

    pool_begin(&f, NULL);
    for (int left = 5; left > 0; left--) {
        lease = lease_take_number(&f, 1);
        lease_give_hinted(&lease, 15, left);
    }
    ASSERT_POOL(&f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 4 opened 1");
    lease = lease_take_number(&f, 1);
    lease_give_hinted(&lease, 15, 0);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 5 opened 1");
    pool_end(&f);
}
END_TEST

START_TEST(requests__end_a_connection_after_requests_max)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;

    settings.requests_max = 3;
    pool_begin(&f, &settings);
    for (int i = 0; i < 7; i++) {
        struct urlp_lease lease = lease_take_number(&f, i / 3 + 1);

        lease_give(&lease);
    }
    ck_assert_uint_eq(closed(&f, URLPOOL_CLOSED_REQUESTS), 2);
    ASSERT_POOL(&f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 4 opened 3");
    pool_end(&f);
}
END_TEST

START_TEST(requests__of_one_lease_all_count)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlp_lease lease;
    struct urlp_lease_end end = used;

    settings.requests_max = 10;
    pool_begin(&f, &settings);
    end.num_requests = 9;
    lease = lease_take(&f, f.pool);
    urlp_lease_release(&lease, &end);
    lease = lease_take_number(&f, 1);
    urlp_lease_release(&lease, &end); /* past the bound, which no minus can come of */
    ck_assert_uint_eq(closed(&f, URLPOOL_CLOSED_REQUESTS), 1);
    pool_end(&f);
}
END_TEST

START_TEST(lifetime__ends_a_connection_that_is_never_idle_long)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlp_lease lease;
    int num = 0;

    settings.lifetime_ms = 600000;
    pool_begin(&f, &settings);
    do {
        lease = lease_take(&f, f.pool);
        lease_give(&lease);
        urlp_clock_fake_advance(S);
        num++;
    } while (closed(&f, URLPOOL_CLOSED_LIFETIME) == 0);
    ck_assert_int_ge(num, 540);
    ck_assert_int_le(num, 662);
    ck_assert_uint_eq(closed(&f, URLPOOL_CLOSED_IDLE), 0);
    pool_end(&f);
}
END_TEST

START_TEST(lifetime__ends_on_the_way_home_too)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlp_lease lease;

    settings.lifetime_ms = 600000;
    pool_begin(&f, &settings);
    lease = lease_take(&f, f.pool);
    urlp_clock_fake_advance(660 * S);
    lease_give(&lease);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    ck_assert_uint_eq(closed(&f, URLPOOL_CLOSED_LIFETIME), 1);
    pool_end(&f);
}
END_TEST

START_TEST(lifetime__is_spread_by_ten_percent_each_way)
{
    const struct urlp_pool_settings settings = {.lifetime_ms = 1000, .requests_max = -1};
    int64_t least = INT64_MAX;
    int64_t most = 0;

    for (uint64_t i = 0; i < 1000; i++) {
        struct urlp_seat seat = {0};

        urlp_seat_begin(&seat, &settings, 5 * S, i);
        least = seat.ends_ns < least ? seat.ends_ns : least;
        most = seat.ends_ns > most ? seat.ends_ns : most;
    }
    ck_assert_int_ge(least, 5 * S + 900 * MS);
    ck_assert_int_lt(least, 5 * S + 905 * MS);
    ck_assert_int_le(most, 5 * S + 1100 * MS);
    ck_assert_int_gt(most, 5 * S + 1095 * MS);
}
END_TEST

START_TEST(lifetime__is_exact_once_it_is_drawn)
{
    const struct urlp_pool_settings settings = {
        .idle_ms = -1, .lifetime_ms = 1000, .requests_max = -1};
    struct urlp_seat seat = {0};

    urlp_seat_begin(&seat, &settings, 0, 7);
    urlp_seat_end_use(&seat, &settings, &used, seat.ends_ns - 1);
    ck_assert_int_eq(seat.expires_ns, seat.ends_ns);
    ck_assert_int_eq(seat.why, URLPOOL_CLOSED_LIFETIME);
}
END_TEST

START_TEST(expiry__of_huge_bounds_is_never)
{
    const struct urlp_pool_settings settings = {
        .idle_ms = INT64_MAX, .lifetime_ms = INT64_MAX / 2, .requests_max = INT64_MAX};
    struct urlp_seat seat = {0};

    urlp_seat_begin(&seat, &settings, INT64_MAX / 2, 1);
    urlp_seat_end_use(&seat, &settings, &used, INT64_MAX - 1);
    ck_assert_int_eq(seat.ends_ns, INT64_MAX);
    ck_assert_int_eq(seat.expires_ns, INT64_MAX);
}
END_TEST

/* Whatever a huge lifetime draws, it is no instant of the past. */
START_TEST(expiry__of_nearly_huge_bounds_is_far_away)
{
    const struct urlp_pool_settings settings = {.lifetime_ms = INT64_MAX / MS - 1,
                                                .requests_max = -1};

    for (uint64_t i = 0; i < 100; i++) {
        struct urlp_seat seat = {0};

        urlp_seat_begin(&seat, &settings, 0, i);
        ck_assert_int_ge(seat.ends_ns, INT64_MAX / 10 * 9 - S);
    }
}
END_TEST

RUN_TESTS("expiry", idle__keeps_a_connection_until_idle_ms_have_passed,
          idle__has_no_bound_when_asked_so, idle__keeps_nothing_when_none,
          idle__ends_the_old_ones_while_the_new_one_is_in_use,
          idle__ends_what_lies_in_pools_that_nobody_asks,
          hint__shortens_idle_by_the_servers_timeout_less_a_second, hint__never_lengthens_idle,
          hint__of_a_second_or_less_keeps_nothing, hint__of_max_ends_after_as_many_requests,
          hint__of_max_counts_down_with_the_server, requests__end_a_connection_after_requests_max,
          requests__of_one_lease_all_count, lifetime__ends_a_connection_that_is_never_idle_long,
          lifetime__ends_on_the_way_home_too, lifetime__is_spread_by_ten_percent_each_way,
          lifetime__is_exact_once_it_is_drawn, expiry__of_huge_bounds_is_never,
          expiry__of_nearly_huge_bounds_is_far_away)
