/* Who gets which connection, and in what order. */

#include <check.h>
#include <stdio.h>

#include "base/clock.h"
#include "support/pool_fixture.h"
#include "support/run_tests.h"

START_TEST(settle__gives_a_permit_while_there_is_room)
{
    struct pool_fixture f;
    struct urlp_lease a;
    struct urlp_lease b;

    pool_begin(&f, NULL);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 0");
    a = lease_take_number(&f, 1);
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 0 reused 0 opened 1");
    b = lease_take_number(&f, 2);
    ASSERT_POOL(&f, "open 2 idle 0 leased 2 dialling 0 waiting 0 reused 0 opened 2");
    ck_assert(!a.is_reused);
    lease_give(&a);
    lease_give(&b);
    ASSERT_POOL(&f, "open 2 idle 2 leased 0 dialling 0 waiting 0 reused 0 opened 2");
    pool_end(&f);
}
END_TEST

START_TEST(settle__opens_no_more_than_maxsize_when_it_blocks)
{
    struct pool_fixture f;
    struct urlp_lease a;
    struct urlp_lease b;

    pool_begin(&f, NULL);
    a = lease_take(&f, f.pool);
    b = lease_take(&f, f.pool);
    ck_assert_int_eq(lease_fail(&f), URLPOOL_E_POOL_TIMEOUT);
    ASSERT_POOL(&f, "open 2 idle 0 leased 2 dialling 0 waiting 0 reused 0 opened 2");
    ck_assert_int_eq(f.fake.num_dials, 2);
    lease_give(&a);
    a = lease_take_number(&f, 1);
    ck_assert(a.is_reused);
    lease_give(&a);
    lease_give(&b);
    pool_end(&f);
}
END_TEST

START_TEST(settle__opens_as_many_as_are_asked_for_without_block)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlp_lease leases[5];

    settings.block = false;
    pool_begin(&f, &settings);
    for (int i = 0; i < 5; i++) {
        leases[i] = lease_take_number(&f, i + 1);
    }
    ASSERT_POOL(&f, "open 5 idle 0 leased 5 dialling 0 waiting 0 reused 0 opened 5");
    for (int i = 0; i < 5; i++) {
        lease_give(&leases[i]);
    }
    ASSERT_POOL(&f, "open 2 idle 2 leased 0 dialling 0 waiting 0 reused 0 opened 5");
    ck_assert_uint_eq(pool_stats(&f, f.pool).closed[URLPOOL_CLOSED_SURPLUS], 3);
    ck_assert_uint_eq(pool_stats(&f, f.pool).waits, 0);
    pool_end(&f);
}
END_TEST

START_TEST(settle__keeps_nothing_when_maxsize_is_none)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlp_lease lease;

    settings.block = false;
    settings.maxsize = 0;
    pool_begin(&f, &settings);
    lease = lease_take(&f, f.pool);
    lease_give(&lease);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    pool_end(&f);
}
END_TEST

START_TEST(settle__gives_the_newest_idle_connection_first)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlp_lease leases[3];

    settings.maxsize = 3;
    pool_begin(&f, &settings);
    for (int i = 0; i < 3; i++) {
        leases[i] = lease_take(&f, f.pool);
    }
    lease_give(&leases[1]);
    lease_give(&leases[2]);
    lease_give(&leases[0]);
    leases[0] = lease_take_number(&f, 1);
    leases[2] = lease_take_number(&f, 3);
    leases[1] = lease_take_number(&f, 2);
    ASSERT_POOL(&f, "open 3 idle 0 leased 3 dialling 0 waiting 0 reused 3 opened 3");
    for (int i = 0; i < 3; i++) {
        lease_give(&leases[i]);
    }
    pool_end(&f);
}
END_TEST

START_TEST(settle__hands_over_to_the_oldest_waiter_first)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlp_lease lease;
    struct lease_thread waiters[4];
    char text[128];

    settings.maxsize = 1;
    pool_begin(&f, &settings);
    lease = lease_take(&f, f.pool);
    for (int i = 0; i < 4; i++) {
        lease_thread_start_waiting(&waiters[i], &f, -1, i + 1);
    }
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 4 reused 0 opened 1");
    for (int i = 0; i < 4; i++) {
        lease_give(&lease);
        ck_assert_int_eq(lease_thread_join(&waiters[i]), URLPOOL_OK);
        lease = waiters[i].lease;
        ck_assert_int_eq(fake_number(lease.connection), 1);
        ck_assert(lease.is_reused);
        snprintf(text, sizeof(text),
                 "open 1 idle 0 leased 1 dialling 0 waiting %d reused %d opened 1", 3 - i, i + 1);
        ASSERT_POOL(&f, text);
    }
    lease_give(&lease);
    ASSERT_POOL(&f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 4 opened 1");
    pool_end(&f);
}
END_TEST

START_TEST(settle__lets_no_newcomer_overtake_a_waiter)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlp_lease lease;
    struct lease_thread waiter;

    settings.maxsize = 1;
    pool_begin(&f, &settings);
    lease = lease_take(&f, f.pool);
    lease_thread_start_waiting(&waiter, &f, -1, 1);
    lease_give(&lease);
    /* The waiter may not have run yet; what it was handed is not there for anybody else. */
    ck_assert_int_eq(lease_fail(&f), URLPOOL_E_POOL_TIMEOUT);
    ck_assert_int_eq(lease_thread_join(&waiter), URLPOOL_OK);
    ck_assert_int_eq(fake_number(waiter.lease.connection), 1);
    lease_give(&waiter.lease);
    pool_end(&f);
}
END_TEST

START_TEST(settle__gives_a_permit_when_a_connection_died_in_use)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlp_lease lease;
    struct lease_thread waiter;

    settings.maxsize = 1;
    pool_begin(&f, &settings);
    lease = lease_take(&f, f.pool);
    lease_thread_start_waiting(&waiter, &f, -1, 1);
    lease_kill(&lease, URLPOOL_CLOSED_ERROR);
    ck_assert_int_eq(lease_thread_join(&waiter), URLPOOL_OK);
    ck_assert_int_eq(fake_number(waiter.lease.connection), 2);
    ck_assert(!waiter.lease.is_reused);
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 0 reused 0 opened 2");
    lease_give(&waiter.lease);
    pool_end(&f);
}
END_TEST

START_TEST(settle__serves_each_pool_for_itself)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlpool_pool *other;
    struct urlp_lease a;
    struct urlp_lease b;

    settings.maxsize = 1;
    pool_begin(&f, &settings);
    other = pool_get(&f, "b");
    a = lease_take(&f, f.pool);
    b = lease_take(&f, other);
    ck_assert_int_eq(lease_fail(&f), URLPOOL_E_POOL_TIMEOUT);
    lease_give(&b);
    ck_assert_int_eq(lease_fail(&f), URLPOOL_E_POOL_TIMEOUT);
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 0 reused 0 opened 1");
    ASSERT_POOL_OF(other, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    lease_give(&a);
    urlp_pool_unref(other);
    pool_end(&f);
}
END_TEST

RUN_TESTS("settle", settle__gives_a_permit_while_there_is_room,
          settle__opens_no_more_than_maxsize_when_it_blocks,
          settle__opens_as_many_as_are_asked_for_without_block,
          settle__keeps_nothing_when_maxsize_is_none,
          settle__gives_the_newest_idle_connection_first,
          settle__hands_over_to_the_oldest_waiter_first, settle__lets_no_newcomer_overtake_a_waiter,
          settle__gives_a_permit_when_a_connection_died_in_use, settle__serves_each_pool_for_itself)
