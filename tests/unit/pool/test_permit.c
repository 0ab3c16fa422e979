/* Dialling: what a failure leaves behind, and for whom. */

#include <check.h>
#include <errno.h>

#include "base/clock.h"
#include "support/failing_allocator.h"
#include "support/pool_fixture.h"
#include "support/run_tests.h"

static void begin_single(struct pool_fixture *f)
{
    struct urlp_pool_settings settings = pool_defaults();

    settings.maxsize = 1;
    pool_begin(f, &settings);
}

START_TEST(permit__goes_back_when_the_dial_fails)
{
    struct pool_fixture f;
    struct urlp_lease lease;

    begin_single(&f);
    fake_fail_dials(&f.fake, 2, URLPOOL_E_CONNECT, ECONNREFUSED);
    ck_assert_int_eq(lease_fail(&f), URLPOOL_E_CONNECT);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 0");
    ck_assert_int_eq(lease_fail(&f), URLPOOL_E_CONNECT);
    ck_assert_uint_eq(pool_stats(&f, f.pool).dial_failures, 2);
    ck_assert_uint_eq(pool_stats(&f, NULL).dial_failures, 2);
    lease = lease_take_number(&f, 1);
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

START_TEST(permit__of_a_failed_dial_wakes_the_next_waiter)
{
    struct pool_fixture f;
    struct lease_thread threads[3];

    begin_single(&f);
    fake_hold_dials(&f.fake);
    lease_thread_start(&threads[0], &f, -1);
    fake_await_held(&f.fake, 1);
    lease_thread_start_waiting(&threads[1], &f, -1, 1);
    lease_thread_start_waiting(&threads[2], &f, -1, 2);
    ASSERT_POOL(&f, "open 1 idle 0 leased 0 dialling 1 waiting 2 reused 0 opened 0");

    fake_fail_dials(&f.fake, 1, URLPOOL_E_RESOLVE, 0);
    fake_let_dials(&f.fake, 1);
    ck_assert_int_eq(lease_thread_join(&threads[0]), URLPOOL_E_RESOLVE);
    ck_assert_str_eq(threads[0].err.message, "dial refused by the test: Success");
    fake_await_held(&f.fake, 1); /* the oldest waiter dials now, on a permit of its own */
    ASSERT_POOL(&f, "open 1 idle 0 leased 0 dialling 1 waiting 1 reused 0 opened 0");

    fake_let_dials(&f.fake, 1);
    ck_assert_int_eq(lease_thread_join(&threads[1]), URLPOOL_OK);
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 1 reused 0 opened 1");
    lease_give(&threads[1].lease);
    ck_assert_int_eq(lease_thread_join(&threads[2]), URLPOOL_OK);
    lease_give(&threads[2].lease);
    ASSERT_POOL(&f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 1 opened 1");
    pool_end(&f);
}
END_TEST

START_TEST(permit__counts_as_open_while_it_is_dialling)
{
    struct pool_fixture f;
    struct lease_thread threads[2];

    pool_begin(&f, NULL);
    fake_hold_dials(&f.fake);
    lease_thread_start(&threads[0], &f, -1);
    lease_thread_start(&threads[1], &f, -1);
    fake_await_held(&f.fake, 2);
    ASSERT_POOL(&f, "open 2 idle 0 leased 0 dialling 2 waiting 0 reused 0 opened 0");
    ck_assert_int_eq(lease_fail(&f), URLPOOL_E_POOL_TIMEOUT);
    ck_assert_int_eq(f.fake.num_dials, 2);
    fake_let_dials(&f.fake, 2);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(lease_thread_join(&threads[i]), URLPOOL_OK);
        lease_give(&threads[i].lease);
    }
    pool_end(&f);
}
END_TEST

START_TEST(permit__is_dialled_within_connect_ms)
{
    struct pool_fixture f;
    struct urlp_lease lease = {0};

    begin_single(&f);
    ck_assert_int_eq(urlp_lease_acquire(f.pool, -1, 300, &f.call, &lease, NULL), URLPOOL_OK);
    ck_assert_int_eq(f.fake.last_connect_ns, 1000 * S + 300 * MS);
    lease_kill(&lease, URLPOOL_CLOSED_ERROR);
    ck_assert_int_eq(urlp_lease_acquire(f.pool, 5, -1, &f.call, &lease, NULL), URLPOOL_OK);
    ck_assert_int_eq(f.fake.last_connect_ns, INT64_MAX); /* pool_ms does not bound the dial */
    lease_kill(&lease, URLPOOL_CLOSED_ERROR);
    f.call.by = f.call.total_by = urlp_deadline_in(200);
    ck_assert_int_eq(urlp_lease_acquire(f.pool, -1, 300, &f.call, &lease, NULL), URLPOOL_OK);
    ck_assert_int_eq(f.fake.last_connect_ns, 1000 * S + 200 * MS);
    lease_kill(&lease, URLPOOL_CLOSED_ERROR);
    pool_end(&f);
}
END_TEST

START_TEST(permit__begins_connect_ms_after_the_wait)
{
    struct pool_fixture f;
    struct urlp_lease lease;
    struct lease_thread waiter;

    begin_single(&f);
    lease = lease_take(&f, f.pool);
    lease_thread_start_call(&waiter, f.pool, -1, 300, &f.call);
    urlp_clock_fake_await_waiters(1);
    urlp_clock_fake_advance(50 * MS);
    lease_kill(&lease, URLPOOL_CLOSED_ERROR);
    ck_assert_int_eq(lease_thread_join(&waiter), URLPOOL_OK);
    ck_assert_int_eq(f.fake.last_connect_ns, 1000 * S + (50 + 300) * MS);
    lease_give(&waiter.lease);
    pool_end(&f);
}
END_TEST

START_TEST(permit__makes_room_when_descriptors_run_out)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlpool_pool *other;
    struct urlp_lease leases[3];

    settings.maxsize = 3;
    pool_begin(&f, &settings);
    other = pool_get(&f, "b");
    leases[0] = lease_take(&f, other); /* 1 */
    leases[1] = lease_take(&f, other); /* 2 */
    lease_give(&leases[1]);
    lease_give(&leases[0]);
    fake_fail_dials(&f.fake, 1, URLPOOL_E_CONNECT, EMFILE);
    leases[2] = lease_take_number(&f, 3);
    ck_assert_int_eq(f.fake.last_ended, 2); /* the one not used for the longest time */
    ASSERT_POOL_OF(other, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 2");
    ck_assert_uint_eq(pool_stats(&f, other).closed[URLPOOL_CLOSED_EVICTED], 1);
    ck_assert_uint_eq(pool_stats(&f, f.pool).dial_failures, 0);

    fake_fail_dials(&f.fake, 2, URLPOOL_E_CONNECT, ENFILE); /* once only */
    ck_assert_int_eq(lease_fail(&f), URLPOOL_E_CONNECT);
    ck_assert_uint_eq(pool_stats(&f, other).closed[URLPOOL_CLOSED_EVICTED], 2);
    ck_assert_int_eq(f.fake.num_to_fail, 0);

    fake_fail_dials(&f.fake, 1, URLPOOL_E_CONNECT, EMFILE); /* nothing idle is left */
    ck_assert_int_eq(lease_fail(&f), URLPOOL_E_CONNECT);
    lease_give(&leases[2]);
    urlp_pool_unref(other);
    pool_end(&f);
}
END_TEST

START_TEST(permit__evicts_nobody_for_another_failure)
{
    struct pool_fixture f;
    struct urlpool_pool *other;
    struct urlp_lease lease;

    pool_begin(&f, NULL);
    other = pool_get(&f, "b");
    lease = lease_take(&f, other);
    lease_give(&lease);
    fake_fail_dials(&f.fake, 1, URLPOOL_E_CONNECT, ECONNREFUSED);
    ck_assert_int_eq(lease_fail(&f), URLPOOL_E_CONNECT);
    ASSERT_POOL_OF(other, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    urlp_pool_unref(other);
    pool_end(&f);
}
END_TEST

START_TEST(permit__goes_back_when_memory_is_out)
{
    struct pool_fixture f;
    struct urlp_lease lease;

    failing_allocator_install();
    begin_single(&f);
    failing_allocator_fail_nth(1);
    ck_assert_int_eq(lease_fail(&f), URLPOOL_E_NOMEM);
    ck_assert_int_eq(f.fake.num_dials, 0);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 0");
    ck_assert_uint_eq(pool_stats(&f, f.pool).dial_failures, 0);
    lease = lease_take_number(&f, 1);
    lease_give(&lease);
    pool_end(&f);
    failing_allocator_remove();
}
END_TEST

RUN_TESTS("permit", permit__goes_back_when_the_dial_fails,
          permit__of_a_failed_dial_wakes_the_next_waiter,
          permit__counts_as_open_while_it_is_dialling, permit__is_dialled_within_connect_ms,
          permit__begins_connect_ms_after_the_wait, permit__makes_room_when_descriptors_run_out,
          permit__evicts_nobody_for_another_failure, permit__goes_back_when_memory_is_out)
