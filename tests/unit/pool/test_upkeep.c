/* One round of upkeep. */

#include <check.h>

#include "base/clock.h"
#include "support/pool_fixture.h"
#include "support/run_tests.h"

/* begin makes a pool with three idle connections, 1 the oldest. */
static void begin(struct pool_fixture *f, int64_t hint_s)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct urlp_lease leases[3];

    settings.maxsize = 3;
    pool_begin(f, &settings);
    for (int i = 0; i < 3; i++) {
        leases[i] = lease_take(f, f->pool);
    }
    for (int i = 0; i < 3; i++) {
        lease_give_hinted(&leases[i], i == 1 ? hint_s : -1, -1);
    }
    ASSERT_POOL(f, "open 3 idle 3 leased 0 dialling 0 waiting 0 reused 0 opened 3");
}

START_TEST(maintain__keeps_what_is_good_in_its_order)
{
    struct pool_fixture f;
    struct urlp_lease leases[3];

    begin(&f, -1);
    ck_assert_uint_eq(urlp_pool_set_maintain(f.set), 0);
    ck_assert_int_eq(f.fake.num_looks, 3);
    ASSERT_POOL(&f, "open 3 idle 3 leased 0 dialling 0 waiting 0 reused 0 opened 3");
    for (int i = 0; i < 3; i++) {
        leases[i] = lease_take_number(&f, 3 - i);
    }
    for (int i = 0; i < 3; i++) {
        lease_give(&leases[i]);
    }
    pool_end(&f);
}
END_TEST

START_TEST(maintain__closes_what_its_peer_has_closed)
{
    struct pool_fixture f;

    begin(&f, -1);
    fake_set_look(&f.fake, 2, URLP_LOOK_CLOSED);
    fake_set_look(&f.fake, 3, URLP_LOOK_UNEXPECTED);
    ck_assert_uint_eq(urlp_pool_set_maintain(f.set), 2);
    ASSERT_POOL(&f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 3");
    ck_assert_uint_eq(pool_stats(&f, f.pool).closed[URLPOOL_CLOSED_BY_PEER], 1);
    ck_assert_uint_eq(pool_stats(&f, f.pool).closed[URLPOOL_CLOSED_UNEXPECTED], 1);
    ck_assert_int_eq(f.fake.num_polite, 0);
    pool_end(&f);
}
END_TEST

START_TEST(maintain__closes_what_has_expired_behind_what_has_not)
{
    struct pool_fixture f;

    begin(&f, 11); /* the server says so of 2, in the middle */
    urlp_clock_fake_advance(10 * S);
    ck_assert_uint_eq(urlp_pool_set_maintain(f.set), 1);
    ck_assert_int_eq(f.fake.last_ended, 2);
    ASSERT_POOL(&f, "open 2 idle 2 leased 0 dialling 0 waiting 0 reused 0 opened 3");
    ck_assert_uint_eq(pool_stats(&f, f.pool).closed[URLPOOL_CLOSED_IDLE], 1);
    pool_end(&f);
}
END_TEST

START_TEST(maintain__does_not_make_a_connection_younger)
{
    struct pool_fixture f;

    begin(&f, -1);
    urlp_clock_fake_advance(54 * S);
    ck_assert_uint_eq(urlp_pool_set_maintain(f.set), 0);
    urlp_clock_fake_advance(1 * S);
    ck_assert_uint_eq(urlp_pool_set_maintain(f.set), 3);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 3");
    pool_end(&f);
}
END_TEST

RUN_TESTS("upkeep", maintain__keeps_what_is_good_in_its_order,
          maintain__closes_what_its_peer_has_closed,
          maintain__closes_what_has_expired_behind_what_has_not,
          maintain__does_not_make_a_connection_younger)
