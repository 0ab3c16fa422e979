/* What holds over all pools of a set: max_total and whose turn it is, max_idle_total, and how many
 * may wait. */

#include <check.h>
#include <string.h>

#include "base/clock.h"
#include "support/pool_fixture.h"
#include "support/run_tests.h"

/* begin makes a set of at most `max_total` connections, as many of them in a pool as it likes, and
 * the pools "a" (of the fixture), "b" and "c". */
static void begin(struct pool_fixture *f, int64_t max_total, struct urlpool_pool **b,
                  struct urlpool_pool **c)
{
    struct urlp_pool_settings settings = pool_defaults();

    settings.block = false;
    settings.maxsize = 16;
    settings.max_total = max_total;
    pool_begin(f, &settings);
    *b = pool_get(f, "b");
    *c = pool_get(f, "c");
}

static void end(struct pool_fixture *f, struct urlpool_pool *b, struct urlpool_pool *c)
{
    urlp_pool_unref(b);
    urlp_pool_unref(c);
    pool_end(f);
}

/* wait_for starts a thread that waits for a place in `pool`, the `nth` that waits. */
static void wait_for(struct lease_thread *thread, struct pool_fixture *f, struct urlpool_pool *pool,
                     int nth)
{
    lease_thread_start_call(thread, pool, -1, -1, &f->call);
    urlp_clock_fake_await_waiters(nth);
}

/* served joins a thread that has got connection `number`. */
static struct urlp_lease served(struct lease_thread *thread, int number)
{
    ck_assert_int_eq(lease_thread_join(thread), URLPOOL_OK);
    ck_assert_int_eq(fake_number(thread->lease.connection), number);
    return thread->lease;
}

START_TEST(max_total__bounds_what_is_open_in_all_pools)
{
    struct pool_fixture f;
    struct urlpool_pool *b;
    struct urlpool_pool *c;
    struct urlp_lease leases[2];
    struct lease_thread late;

    begin(&f, 2, &b, &c);
    leases[0] = lease_take(&f, f.pool);
    leases[1] = lease_take(&f, b);
    lease_thread_start_call(&late, c, 0, -1, &f.call);
    ck_assert_int_eq(lease_thread_join(&late), URLPOOL_E_POOL_TIMEOUT);
    ck_assert_ptr_nonnull(strstr(late.err.message, "all 2 of max_total"));
    ck_assert_int_eq(lease_fail(&f), URLPOOL_E_POOL_TIMEOUT);
    ASSERT_POOL_OF(c, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 0");
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 0 reused 0 opened 1");
    ck_assert_uint_eq(pool_stats(&f, NULL).peak_open, 2);
    lease_give(&leases[0]);
    lease_give(&leases[1]);
    end(&f, b, c);
}
END_TEST

START_TEST(max_total__lets_the_least_recently_used_idle_connection_give_way)
{
    struct pool_fixture f;
    struct urlpool_pool *b;
    struct urlpool_pool *c;
    struct urlp_lease leases[2];

    begin(&f, 2, &b, &c);
    leases[0] = lease_take(&f, f.pool); /* 1 */
    leases[1] = lease_take(&f, b);      /* 2 */
    lease_give(&leases[1]);
    lease_give(&leases[0]);
    leases[0] = lease_take(&f, c); /* 3 */
    ck_assert_int_eq(f.fake.last_ended, 2);
    ASSERT_POOL_OF(b, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    ASSERT_POOL(&f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    ck_assert_uint_eq(pool_stats(&f, b).closed[URLPOOL_CLOSED_EVICTED], 1);
    leases[1] = lease_take_number(&f, 1); /* a's own stays a's */
    ck_assert_uint_eq(pool_stats(&f, NULL).closed[URLPOOL_CLOSED_EVICTED], 1);
    lease_give(&leases[0]);
    lease_give(&leases[1]);
    end(&f, b, c);
}
END_TEST

START_TEST(max_total__serves_waiting_origins_in_turn)
{
    struct pool_fixture f;
    struct urlpool_pool *b;
    struct urlpool_pool *c;
    struct urlp_lease lease;
    struct lease_thread waiters[4];

    begin(&f, 1, &b, &c);
    lease = lease_take(&f, f.pool);
    wait_for(&waiters[0], &f, f.pool, 1);
    wait_for(&waiters[1], &f, b, 2);
    wait_for(&waiters[2], &f, b, 3);
    wait_for(&waiters[3], &f, c, 4);
    lease_give(&lease);
    lease = served(&waiters[1], 2); /* of b: it has no place; nor has c, which came later */
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 1 reused 0 opened 1");
    ASSERT_POOL_OF(b, "open 1 idle 0 leased 1 dialling 0 waiting 1 reused 0 opened 1");
    lease_give(&lease);
    lease = served(&waiters[3], 3); /* of c */
    lease_give(&lease);
    lease = served(&waiters[0], 4); /* of a, whose connection gave way */
    lease_give(&lease);
    lease = served(&waiters[2], 5); /* of b again */
    lease_give(&lease);
    ASSERT_POOL_OF(b, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 2");
    end(&f, b, c);
}
END_TEST

START_TEST(max_total__an_origin_with_a_place_keeps_eight_and_then_gives)
{
    struct pool_fixture f;
    struct urlpool_pool *b;
    struct urlpool_pool *c;
    struct urlp_lease held;
    struct urlp_lease lease;
    struct lease_thread poor;
    struct lease_thread busy[9];

    begin(&f, 2, &b, &c);
    held = lease_take(&f, b); /* 1 */
    lease = lease_take(&f, f.pool);
    wait_for(&poor, &f, b, 1);
    for (int i = 0; i < 9; i++) {
        wait_for(&busy[i], &f, f.pool, i + 2);
    }
    for (int i = 0; i < 8; i++) {
        lease_give(&lease);
        lease = served(&busy[i], 2);
    }
    ASSERT_POOL_OF(b, "open 1 idle 0 leased 1 dialling 0 waiting 1 reused 0 opened 1");
    lease_give(&lease);
    lease = served(&poor, 3);
    ASSERT_POOL_OF(b, "open 2 idle 0 leased 2 dialling 0 waiting 0 reused 0 opened 2");
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 1 reused 8 opened 1");
    lease_give(&lease);
    lease = served(&busy[8], 4);
    lease_give(&lease);
    lease_give(&held);
    end(&f, b, c);
}
END_TEST

/* An origin that has a place is not passed over for ever by others that have none. */
START_TEST(max_total__who_has_a_place_comes_after_eight_who_have_none)
{
    struct pool_fixture f;
    struct urlpool_pool *b;
    struct urlpool_pool *c;
    struct urlp_lease held;
    struct urlp_lease lease;
    struct lease_thread rich;
    struct lease_thread poor[9];

    begin(&f, 2, &b, &c);
    held = lease_take(&f, b);
    lease = lease_take(&f, f.pool);
    wait_for(&rich, &f, b, 1);
    for (int i = 0; i < 9; i++) { /* each gives its place up to the other */
        wait_for(&poor[i], &f, i % 2 == 0 ? c : f.pool, i + 2);
    }
    for (int i = 0; i < 8; i++) {
        lease_give(&lease);
        lease = served(&poor[i], i + 3);
    }
    ASSERT_POOL_OF(b, "open 1 idle 0 leased 1 dialling 0 waiting 1 reused 0 opened 1");
    lease_give(&lease);
    lease = served(&rich, 11);
    ASSERT_POOL_OF(b, "open 2 idle 0 leased 2 dialling 0 waiting 0 reused 0 opened 2");
    lease_give(&lease);
    lease = served(&poor[8], 12);
    lease_give(&lease);
    lease_give(&held);
    end(&f, b, c);
}
END_TEST

START_TEST(max_total__a_place_without_connection_goes_to_the_line)
{
    struct pool_fixture f;
    struct urlpool_pool *b;
    struct urlpool_pool *c;
    struct urlp_lease leases[3];
    struct lease_thread waiters[2];

    begin(&f, 3, &b, &c);
    leases[0] = lease_take(&f, f.pool);
    leases[1] = lease_take(&f, f.pool);
    leases[2] = lease_take(&f, b);
    wait_for(&waiters[0], &f, b, 1);
    wait_for(&waiters[1], &f, f.pool, 2);
    lease_kill(&leases[0], URLPOOL_CLOSED_ERROR);
    leases[0] = served(&waiters[0], 4);
    ASSERT_POOL_OF(b, "open 2 idle 0 leased 2 dialling 0 waiting 0 reused 0 opened 2");
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 1 reused 0 opened 2");
    lease_kill(&leases[0], URLPOOL_CLOSED_ERROR);
    leases[0] = served(&waiters[1], 5);
    for (int i = 0; i < 3; i++) {
        lease_give(&leases[i]);
    }
    end(&f, b, c);
}
END_TEST

START_TEST(max_total__who_leaves_the_queue_leaves_the_line)
{
    struct pool_fixture f;
    struct urlpool_pool *b;
    struct urlpool_pool *c;
    struct urlp_lease lease;
    struct lease_thread waiter;

    begin(&f, 1, &b, &c);
    lease = lease_take(&f, f.pool);
    lease_thread_start_call(&waiter, b, 10, -1, &f.call);
    urlp_clock_fake_await_waiters(1);
    urlp_clock_fake_advance(10 * MS);
    ck_assert_int_eq(lease_thread_join(&waiter), URLPOOL_E_POOL_TIMEOUT);
    lease_give(&lease);
    ASSERT_POOL(&f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    ck_assert_int_eq(fake_num_live(&f.fake), 1);
    end(&f, b, c);
}
END_TEST

START_TEST(max_total__a_failed_dial_serves_the_next_in_line)
{
    struct pool_fixture f;
    struct urlpool_pool *b;
    struct urlpool_pool *c;
    struct urlp_lease lease;
    struct lease_thread waiters[2];

    begin(&f, 1, &b, &c);
    lease = lease_take(&f, f.pool);
    wait_for(&waiters[0], &f, b, 1);
    wait_for(&waiters[1], &f, c, 2);
    fake_fail_dials(&f.fake, 1, URLPOOL_E_CONNECT, 0);
    lease_give(&lease);
    ck_assert_int_eq(lease_thread_join(&waiters[0]), URLPOOL_E_CONNECT);
    lease = served(&waiters[1], 2);
    ASSERT_POOL_OF(c, "open 1 idle 0 leased 1 dialling 0 waiting 0 reused 0 opened 1");
    lease_give(&lease);
    end(&f, b, c);
}
END_TEST

START_TEST(max_total__maxsize_holds_beside_it)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlpool_pool *b;
    struct urlp_lease a;
    struct urlp_lease other;
    struct lease_thread waiter;

    settings.maxsize = 1;
    settings.max_total = 2;
    pool_begin(&f, &settings);
    b = pool_get(&f, "b");
    a = lease_take(&f, f.pool);
    wait_for(&waiter, &f, f.pool, 1); /* for maxsize: it stands in no line */
    other = lease_take(&f, b);
    lease_give(&other);
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 1 reused 0 opened 1");
    ASSERT_POOL_OF(b, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    lease_give(&a);
    a = served(&waiter, 1);
    lease_give(&a);
    urlp_pool_unref(b);
    pool_end(&f);
}
END_TEST

START_TEST(max_total__closing_ends_who_stands_in_line)
{
    struct pool_fixture f;
    struct urlpool_pool *b;
    struct urlpool_pool *c;
    struct urlp_lease lease;
    struct lease_thread waiters[3];

    begin(&f, 1, &b, &c);
    lease = lease_take(&f, f.pool);
    wait_for(&waiters[0], &f, b, 1);
    wait_for(&waiters[1], &f, c, 2);
    wait_for(&waiters[2], &f, f.pool, 3);
    urlp_pool_close(b);
    ck_assert_int_eq(lease_thread_join(&waiters[0]), URLPOOL_E_POOL_CLOSED);
    urlp_pool_set_close(f.set);
    ck_assert_int_eq(lease_thread_join(&waiters[1]), URLPOOL_E_POOL_CLOSED);
    ck_assert_int_eq(lease_thread_join(&waiters[2]), URLPOOL_E_POOL_CLOSED);
    ck_assert_int_eq(f.fake.num_dials, 1);
    lease_give(&lease);
    end(&f, b, c);
}
END_TEST

START_TEST(max_total__of_none_is_refused)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct fake_connector fake;
    struct urlpool_error err;

    settings.max_total = 0;
    fake_connector_init(&fake);
    ck_assert_ptr_null(urlp_pool_set_new(&settings, &fake.table, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_INVALID);
    fake_connector_deinit(&fake);
}
END_TEST

START_TEST(max_idle_total__closes_the_least_recently_used_first)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlpool_pool *b;
    struct urlp_lease leases[3];

    settings.max_idle_total = 2;
    pool_begin(&f, &settings);
    b = pool_get(&f, "b");
    leases[0] = lease_take(&f, f.pool);
    leases[1] = lease_take(&f, b);
    leases[2] = lease_take(&f, b);
    lease_give(&leases[1]);
    lease_give(&leases[0]);
    ck_assert_int_eq(fake_num_live(&f.fake), 3);
    lease_give(&leases[2]);
    ck_assert_int_eq(f.fake.last_ended, 2);
    ASSERT_POOL(&f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    ASSERT_POOL_OF(b, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 2");
    ck_assert_uint_eq(pool_stats(&f, b).closed[URLPOOL_CLOSED_EVICTED], 1);
    urlp_pool_unref(b);
    pool_end(&f);
}
END_TEST

START_TEST(max_idle_total__of_none_still_hands_over)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlp_lease lease;
    struct lease_thread waiter;

    settings.maxsize = 1;
    settings.max_idle_total = 0;
    pool_begin(&f, &settings);
    lease = lease_take(&f, f.pool);
    wait_for(&waiter, &f, f.pool, 1);
    lease_give(&lease);
    lease = served(&waiter, 1);
    lease_give(&lease);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 1 opened 1");
    pool_end(&f);
}
END_TEST

START_TEST(max_waiters__one_more_is_told_at_once)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlp_lease lease;
    struct lease_thread waiters[2];

    settings.maxsize = 1;
    settings.max_waiters = 1;
    pool_begin(&f, &settings);
    lease = lease_take(&f, f.pool);
    wait_for(&waiters[0], &f, f.pool, 1);
    lease_thread_start(&waiters[1], &f, -1);
    ck_assert_int_eq(lease_thread_join(&waiters[1]), URLPOOL_E_POOL_FULL);
    ck_assert_int_eq(waiters[1].err.phase, URLPOOL_PHASE_POOL);
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 1 reused 0 opened 1");
    lease_give(&lease);
    lease = served(&waiters[0], 1);
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

START_TEST(max_waiters__of_none_lets_nobody_wait)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlp_lease lease;

    settings.maxsize = 1;
    settings.max_waiters = 0;
    pool_begin(&f, &settings);
    lease = lease_take(&f, f.pool);
    ck_assert_int_eq(lease_fail(&f), URLPOOL_E_POOL_FULL);
    lease_give(&lease);
    lease = lease_take(&f, f.pool); /* who need not wait is no waiter */
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

RUN_TESTS("line", max_total__bounds_what_is_open_in_all_pools,
          max_total__lets_the_least_recently_used_idle_connection_give_way,
          max_total__serves_waiting_origins_in_turn,
          max_total__an_origin_with_a_place_keeps_eight_and_then_gives,
          max_total__who_has_a_place_comes_after_eight_who_have_none,
          max_total__a_place_without_connection_goes_to_the_line,
          max_total__who_leaves_the_queue_leaves_the_line,
          max_total__a_failed_dial_serves_the_next_in_line, max_total__maxsize_holds_beside_it,
          max_total__closing_ends_who_stands_in_line, max_total__of_none_is_refused,
          max_idle_total__closes_the_least_recently_used_first,
          max_idle_total__of_none_still_hands_over, max_waiters__one_more_is_told_at_once,
          max_waiters__of_none_lets_nobody_wait)
