/* The machine is on another network: no connection of the one before is used again. */

#include <check.h>

#include "support/pool_fixture.h"
#include "support/run_tests.h"

static uint64_t num_closed(struct pool_fixture *f)
{
    return pool_stats(f, f->pool).closed[URLPOOL_CLOSED_NETWORK];
}

START_TEST(change__closes_what_is_idle_at_once_and_what_is_used_as_it_comes_home)
{
    struct pool_fixture f;
    struct urlp_lease used;
    struct urlp_lease idle;

    pool_begin(&f, NULL);
    used = lease_take(&f, f.pool);
    idle = lease_take(&f, f.pool);
    lease_give(&idle);
    urlp_pool_set_network_changed(f.set);
    ck_assert_uint_eq(num_closed(&f), 1);
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 0 reused 0 opened 2");
    lease_give(&used);
    ck_assert_uint_eq(num_closed(&f), 2);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 2");
    ck_assert_int_eq(f.fake.num_polite, 2);
    pool_end(&f);
}
END_TEST

START_TEST(change__keeps_what_is_dialled_after_it)
{
    struct pool_fixture f;
    struct urlp_lease lease;

    pool_begin(&f, NULL);
    urlp_pool_set_network_changed(f.set);
    lease = lease_take(&f, f.pool);
    lease_give(&lease);
    lease = lease_take_number(&f, 1);
    lease_give(&lease);
    ck_assert_uint_eq(num_closed(&f), 0);
    pool_end(&f);
}
END_TEST

START_TEST(change__in_the_middle_of_a_dial_is_a_change_for_it_too)
{
    struct pool_fixture f;
    struct lease_thread thread;

    pool_begin(&f, NULL);
    fake_hold_dials(&f.fake);
    lease_thread_start(&thread, &f, -1);
    fake_await_held(&f.fake, 1);
    urlp_pool_set_network_changed(f.set);
    fake_let_dials(&f.fake, 1);
    ck_assert_int_eq(lease_thread_join(&thread), URLPOOL_OK);
    lease_give(&thread.lease);
    ck_assert_uint_eq(num_closed(&f), 1);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    pool_end(&f);
}
END_TEST

START_TEST(change__lets_who_waits_dial_anew)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct lease_thread thread;
    struct urlp_lease held;

    settings.maxsize = 1;
    pool_begin(&f, &settings);
    held = lease_take(&f, f.pool);
    lease_thread_start_waiting(&thread, &f, -1, 1);
    urlp_pool_set_network_changed(f.set);
    lease_give(&held);
    ck_assert_int_eq(lease_thread_join(&thread), URLPOOL_OK);
    ck_assert_int_eq(fake_number(thread.lease.connection), 2);
    ck_assert(!thread.lease.is_reused);
    lease_give(&thread.lease);
    ASSERT_POOL(&f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 2");
    pool_end(&f);
}
END_TEST

START_TEST(change__has_an_origin_in_trouble_be_dialled_at_once)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlp_lease lease;

    settings.dial_pause_max_ms = 1000;
    pool_begin(&f, &settings);
    fake_fail_dials(&f.fake, 3, URLPOOL_E_CONNECT, 0);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(lease_fail(&f), URLPOOL_E_CONNECT);
    }
    ck_assert_int_eq(lease_fail(&f), URLPOOL_E_POOL_TIMEOUT); /* it is paused */
    ck_assert_int_eq(f.fake.num_dials, 3);
    urlp_pool_set_network_changed(f.set);
    lease = lease_take_number(&f, 1);
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

START_TEST(change__has_min_idle_be_dialled_anew)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;

    settings.min_idle = 2;
    pool_begin(&f, &settings);
    (void)urlp_pool_set_maintain(f.set);
    urlp_pool_set_network_changed(f.set);
    ck_assert_uint_eq(num_closed(&f), 2);
    (void)urlp_pool_set_maintain(f.set);
    ASSERT_POOL(&f, "open 2 idle 2 leased 0 dialling 0 waiting 0 reused 0 opened 4");
    pool_end(&f);
}
END_TEST

RUN_TESTS("network change", change__has_an_origin_in_trouble_be_dialled_at_once,
          change__has_min_idle_be_dialled_anew,
          change__closes_what_is_idle_at_once_and_what_is_used_as_it_comes_home,
          change__keeps_what_is_dialled_after_it,
          change__in_the_middle_of_a_dial_is_a_change_for_it_too, change__lets_who_waits_dial_anew)
