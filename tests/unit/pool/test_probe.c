/* Origins that cannot be reached: who tries again, when, and who hears of it. */

#include <check.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "pool/core.h"
#include "support/pool_fixture.h"
#include "support/run_tests.h"

/* The first pause is 50 ms, ±10 %. */
#define BEFORE_DUE (44 * MS)
#define TILL_DUE   (12 * MS)

/* begin makes a pool without a bound of places. */
static void begin(struct pool_fixture *f)
{
    struct urlp_pool_settings settings = pool_defaults();

    settings.block = false;
    settings.dial_pause_max_ms = 1000;
    pool_begin(f, &settings);
}

/* fail_three lets three dials fail in a row, and the next `num_more`. */
static void fail_three(struct pool_fixture *f, int num_more)
{
    fake_fail_dials(&f->fake, 3 + num_more, URLPOOL_E_CONNECT, ECONNREFUSED);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(lease_fail(f), URLPOOL_E_CONNECT);
    }
    ck_assert_int_eq(f->fake.num_dials, 3);
}

START_TEST(probe__is_made_a_pause_after_the_third_failure)
{
    struct pool_fixture f;
    struct lease_thread waiter;

    begin(&f);
    fail_three(&f, 0);
    lease_thread_start_waiting(&waiter, &f, -1, 1);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 1 reused 0 opened 0");
    urlp_clock_fake_advance(BEFORE_DUE);
    ck_assert_int_eq(urlp_clock_fake_num_waiters(), 1);
    ck_assert_int_eq(f.fake.num_dials, 3);
    urlp_clock_fake_advance(TILL_DUE);
    ck_assert_int_eq(lease_thread_join(&waiter), URLPOOL_OK);
    lease_give(&waiter.lease);
    pool_end(&f);
}
END_TEST

START_TEST(probe__is_not_waited_for_when_it_is_due_already)
{
    struct pool_fixture f;

    begin(&f);
    fail_three(&f, 2);
    urlp_clock_fake_advance(56 * MS);
    ck_assert_int_eq(lease_fail(&f), URLPOOL_E_CONNECT); /* it does not wait at all */
    ck_assert_int_eq(f.fake.num_dials, 4);
    urlp_clock_fake_advance(56 * MS);
    ck_assert_int_eq(lease_fail(&f), URLPOOL_E_POOL_TIMEOUT); /* the pause is 100 ms now */
    urlp_clock_fake_advance(56 * MS);
    ck_assert_int_eq(lease_fail(&f), URLPOOL_E_CONNECT);
    pool_end(&f);
}
END_TEST

START_TEST(probe__delays_a_single_user_by_the_bound_at_most)
{
    struct pool_fixture f;
    struct lease_thread waiter;

    begin(&f);
    fail_three(&f, 100);
    for (int i = 0; i < 20; i++) {
        lease_thread_start_waiting(&waiter, &f, -1, 1);
        urlp_clock_fake_advance(1000 * MS);
        ck_assert_int_eq(lease_thread_join(&waiter), URLPOOL_E_CONNECT);
    }
    ck_assert_int_eq(f.fake.num_dials, 23);
    pool_end(&f);
}
END_TEST

START_TEST(probe__ends_it_when_it_succeeds)
{
    struct pool_fixture f;
    struct urlp_lease leases[2];

    begin(&f);
    fail_three(&f, 0);
    urlp_clock_fake_advance(56 * MS);
    leases[0] = lease_take(&f, f.pool);
    leases[1] = lease_take(&f, f.pool);
    lease_kill(&leases[0], URLPOOL_CLOSED_ERROR);
    fake_fail_dials(&f.fake, 2, URLPOOL_E_CONNECT, ECONNREFUSED);
    ck_assert_int_eq(lease_fail(&f), URLPOOL_E_CONNECT);
    ck_assert_int_eq(lease_fail(&f), URLPOOL_E_CONNECT);
    leases[0] = lease_take(&f, f.pool); /* two in a row are none */
    lease_give(&leases[0]);
    lease_give(&leases[1]);
    pool_end(&f);
}
END_TEST

START_TEST(probe__is_one_at_a_time)
{
    struct pool_fixture f;
    struct lease_thread threads[3];

    begin(&f);
    fail_three(&f, 0);
    fake_hold_dials(&f.fake);
    for (int i = 0; i < 3; i++) {
        lease_thread_start_waiting(&threads[i], &f, -1, i + 1);
    }
    urlp_clock_fake_advance(56 * MS);
    fake_await_held(&f.fake, 1);
    urlp_clock_fake_advance(5 * S);
    ASSERT_POOL(&f, "open 1 idle 0 leased 0 dialling 1 waiting 2 reused 0 opened 0");
    fake_let_dials(&f.fake, 3); /* it succeeds, and all dial */
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(lease_thread_join(&threads[i]), URLPOOL_OK);
    }
    ck_assert_int_eq(f.fake.num_dials, 6);
    for (int i = 0; i < 3; i++) {
        lease_give(&threads[i].lease);
    }
    pool_end(&f);
}
END_TEST

START_TEST(probe__that_fails_is_told_to_all_who_waited_for_it)
{
    struct pool_fixture f;
    struct lease_thread threads[3];

    begin(&f);
    fail_three(&f, 1);
    for (int i = 0; i < 3; i++) {
        lease_thread_start_waiting(&threads[i], &f, -1, i + 1);
    }
    urlp_clock_fake_advance(56 * MS);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(lease_thread_join(&threads[i]), URLPOOL_E_CONNECT);
        ck_assert_str_eq(threads[i].err.message, threads[0].err.message);
        ck_assert_int_eq(threads[i].err.os_errno, ECONNREFUSED);
        ck_assert_int_eq(threads[i].err.phase, URLPOOL_PHASE_CONNECT);
    }
    ck_assert_int_eq(f.fake.num_dials, 4);
    ck_assert_uint_eq(pool_stats(&f, f.pool).dials_shared, 2);
    ck_assert_uint_eq(pool_stats(&f, NULL).dials_shared, 2);
    ck_assert_uint_eq(pool_stats(&f, NULL).dial_failures, 4);
    pool_end(&f);
}
END_TEST

START_TEST(probe__is_told_to_who_wants_no_words)
{
    struct pool_fixture f;
    struct lease_thread threads[2];
    struct urlp_waiter silent = {.connect_ms = -1};

    begin(&f);
    fail_three(&f, 1);
    lease_thread_start_waiting(&threads[0], &f, -1, 1);
    /* A waiter without an error to write to. */
    urlp_mutex_lock(&f.pool->core->mutex);
    urlp_list_push_back(&f.pool->locked.waiters, &silent.link);
    f.pool->locked.stats.waiting++;
    f.pool->core->locked.stats.waiting++;
    urlp_mutex_unlock(&f.pool->core->mutex);
    urlp_clock_fake_advance(56 * MS);
    ck_assert_int_eq(lease_thread_join(&threads[0]), URLPOOL_E_CONNECT);
    ck_assert_int_eq(silent.grant, URLP_GRANT_FAILED);
    ck_assert_int_eq(silent.failed, URLPOOL_E_CONNECT);
    pool_end(&f);
}
END_TEST

START_TEST(probe__is_not_told_to_who_came_after_it_began)
{
    struct pool_fixture f;
    struct lease_thread prober;
    struct lease_thread late;

    begin(&f);
    fail_three(&f, 1);
    fake_hold_dials(&f.fake);
    urlp_clock_fake_advance(56 * MS);
    lease_thread_start(&prober, &f, -1);
    fake_await_held(&f.fake, 1);
    urlp_clock_fake_advance(1 * MS);
    lease_thread_start_waiting(&late, &f, -1, 1);
    fake_let_dials(&f.fake, 1);
    ck_assert_int_eq(lease_thread_join(&prober), URLPOOL_E_CONNECT);
    urlp_clock_fake_await_waiters(1); /* woken, and told when the next one is due */
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 1 reused 0 opened 0");
    ck_assert_uint_eq(pool_stats(&f, NULL).dials_shared, 0);
    urlp_clock_fake_advance(112 * MS);
    fake_await_held(&f.fake, 1);
    fake_let_dials(&f.fake, 1);
    ck_assert_int_eq(lease_thread_join(&late), URLPOOL_OK);
    lease_give(&late.lease);
    pool_end(&f);
}
END_TEST

START_TEST(probe__is_not_told_while_a_connection_may_come_home)
{
    struct pool_fixture f;
    struct urlp_lease lease;
    struct lease_thread threads[2];

    begin(&f);
    lease = lease_take_number(&f, 1);
    fake_fail_dials(&f.fake, 4, URLPOOL_E_CONNECT, ECONNREFUSED);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(lease_fail(&f), URLPOOL_E_CONNECT);
    }
    lease_thread_start_waiting(&threads[0], &f, -1, 1);
    lease_thread_start_waiting(&threads[1], &f, -1, 2);
    urlp_clock_fake_advance(56 * MS);
    ck_assert_int_eq(lease_thread_join(&threads[0]), URLPOOL_E_CONNECT);
    urlp_clock_fake_await_waiters(1);
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 1 reused 0 opened 1");
    lease_give(&lease); /* it needs no pause */
    ck_assert_int_eq(lease_thread_join(&threads[1]), URLPOOL_OK);
    lease_give(&threads[1].lease);
    ck_assert_uint_eq(pool_stats(&f, NULL).dials_shared, 0);
    pool_end(&f);
}
END_TEST

START_TEST(probe__of_little_patience_says_nothing_to_who_has_more)
{
    static const int64_t connects_ms[] = {100, 300, 50, -1};
    struct pool_fixture f;
    struct lease_thread threads[4];

    begin(&f);
    fail_three(&f, 0);
    fake_fail_dials(&f.fake, 1, URLPOOL_E_CONNECT_TIMEOUT, 0);
    fake_hold_dials(&f.fake);
    for (int i = 0; i < 4; i++) {
        lease_thread_start_call(&threads[i], f.pool, -1, connects_ms[i], &f.call);
        urlp_clock_fake_await_waiters(i + 1);
    }
    urlp_clock_fake_advance(56 * MS);
    fake_await_held(&f.fake, 1);
    fake_let_dials(&f.fake, 1);
    ck_assert_int_eq(lease_thread_join(&threads[0]), URLPOOL_E_CONNECT_TIMEOUT);
    ck_assert_int_eq(lease_thread_join(&threads[2]), URLPOOL_E_CONNECT_TIMEOUT);
    urlp_clock_fake_await_waiters(2);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 2 reused 0 opened 0");
    urlp_clock_fake_advance(112 * MS);
    fake_await_held(&f.fake, 1);
    fake_let_dials(&f.fake, 2);
    ck_assert_int_eq(lease_thread_join(&threads[1]), URLPOOL_OK);
    ck_assert_int_eq(lease_thread_join(&threads[3]), URLPOOL_OK);
    lease_give(&threads[1].lease);
    lease_give(&threads[3].lease);
    pool_end(&f);
}
END_TEST

START_TEST(probe__failures_that_are_the_callers_own_do_not_count)
{
    static const struct {
        enum urlpool_code code;
        int os_errno;
    } rows[] = {
        {URLPOOL_E_CANCELLED,       0     },
        {URLPOOL_E_TOTAL_TIMEOUT,   0     },
        {URLPOOL_E_NOMEM,           0     },
        {URLPOOL_E_SYSTEM,          EACCES},
        {URLPOOL_E_CONNECT,         EMFILE},
        {URLPOOL_E_CONNECT,         ENFILE},
        {URLPOOL_E_INVALID,         0     },
        {URLPOOL_E_ADDRESS_REFUSED, 0     },
    };
    struct pool_fixture f;

    begin(&f);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fake_fail_dials(&f.fake, 4, rows[i].code, rows[i].os_errno);
        for (int j = 0; j < 4; j++) { /* none has to wait */
            ck_assert_int_eq(lease_fail(&f), rows[i].code);
        }
    }
    pool_end(&f);
}
END_TEST

START_TEST(probe__that_was_cancelled_hands_on_at_once)
{
    struct pool_fixture f;
    struct urlpool_cancel *cancel = urlpool_cancel_new(NULL);
    struct urlp_call call;
    struct lease_thread prober;
    struct lease_thread next;

    begin(&f);
    fail_three(&f, 0);
    fake_hold_dials(&f.fake);
    urlp_clock_fake_advance(56 * MS);
    call = f.call;
    call.cancel = cancel;
    lease_thread_start_call(&prober, f.pool, -1, -1, &call);
    fake_await_held(&f.fake, 1);
    lease_thread_start_waiting(&next, &f, -1, 1);
    urlpool_cancel_now(cancel);
    ck_assert_int_eq(lease_thread_join(&prober), URLPOOL_E_CANCELLED);
    fake_await_held(&f.fake, 1);
    fake_let_dials(&f.fake, 1);
    ck_assert_int_eq(lease_thread_join(&next), URLPOOL_OK);
    lease_give(&next.lease);
    urlpool_cancel_free(cancel);
    pool_end(&f);
}
END_TEST

START_TEST(probe__is_the_next_waiters_when_the_oldest_leaves)
{
    struct pool_fixture f;
    struct lease_thread oldest;
    struct lease_thread next;

    begin(&f);
    fail_three(&f, 0);
    lease_thread_start_waiting(&oldest, &f, 20, 1);
    lease_thread_start_waiting(&next, &f, -1, 2);
    urlp_clock_fake_advance(20 * MS);
    ck_assert_int_eq(lease_thread_join(&oldest), URLPOOL_E_POOL_TIMEOUT);
    ck_assert_str_eq(oldest.err.message,
                     "http://a.test:80 cannot be reached, and the next try is not due in time");
    urlp_clock_fake_await_waiters(1);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 1 reused 0 opened 0");
    urlp_clock_fake_advance(36 * MS);
    ck_assert_int_eq(lease_thread_join(&next), URLPOOL_OK);
    lease_give(&next.lease);
    pool_end(&f);
}
END_TEST

START_TEST(probe__waits_no_longer_than_the_request_may_take)
{
    struct pool_fixture f;
    struct lease_thread waiter;
    struct urlp_call call;

    begin(&f);
    fail_three(&f, 0);
    call = f.call;
    call.by = call.total_by = urlp_deadline_in(30);
    lease_thread_start_call(&waiter, f.pool, -1, -1, &call);
    urlp_clock_fake_await_waiters(1);
    urlp_clock_fake_advance(30 * MS);
    ck_assert_int_eq(lease_thread_join(&waiter), URLPOOL_E_TOTAL_TIMEOUT);
    ck_assert_int_eq(f.fake.num_dials, 3);
    pool_end(&f);
}
END_TEST

START_TEST(probe__ends_its_wait_when_cancelled)
{
    struct pool_fixture f;
    struct urlpool_cancel *cancel = urlpool_cancel_new(NULL);
    struct urlp_call call;
    struct lease_thread waiter;

    begin(&f);
    fail_three(&f, 0);
    call = f.call;
    call.cancel = cancel;
    lease_thread_start_call(&waiter, f.pool, -1, -1, &call);
    urlp_clock_fake_await_waiters(1);
    urlpool_cancel_now(cancel);
    ck_assert_int_eq(lease_thread_join(&waiter), URLPOOL_E_CANCELLED);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 0");
    urlpool_cancel_free(cancel);
    pool_end(&f);
}
END_TEST

START_TEST(probe__waits_with_a_token_as_well)
{
    struct pool_fixture f;
    struct urlpool_cancel *cancel = urlpool_cancel_new(NULL);
    struct urlp_call call;
    struct lease_thread waiter;

    begin(&f);
    fail_three(&f, 0);
    call = f.call;
    call.cancel = cancel;
    lease_thread_start_call(&waiter, f.pool, -1, -1, &call);
    urlp_clock_fake_await_waiters(1);
    urlp_clock_fake_advance(56 * MS);
    ck_assert_int_eq(lease_thread_join(&waiter), URLPOOL_OK);
    lease_give(&waiter.lease);
    urlpool_cancel_free(cancel);
    pool_end(&f);
}
END_TEST

START_TEST(probe__is_for_each_origin_apart)
{
    struct pool_fixture f;
    struct urlpool_pool *other;
    struct urlp_lease lease;

    begin(&f);
    other = pool_get(&f, "b");
    fail_three(&f, 0);
    lease = lease_take(&f, other);
    lease_give(&lease);
    ck_assert_int_eq(lease_fail(&f), URLPOOL_E_POOL_TIMEOUT);
    urlp_pool_unref(other);
    pool_end(&f);
}
END_TEST

START_TEST(probe__is_off_when_asked)
{
    struct pool_fixture f;

    pool_begin(&f, NULL);
    fake_fail_dials(&f.fake, 50, URLPOOL_E_CONNECT, ECONNREFUSED);
    for (int i = 0; i < 50; i++) {
        ck_assert_int_eq(lease_fail(&f), URLPOOL_E_CONNECT);
    }
    pool_end(&f);
}
END_TEST

START_TEST(probe__begins_for_those_who_sleep_already)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct lease_thread threads[5];

    settings.maxsize = 1;
    settings.dial_pause_max_ms = 1000;
    pool_begin(&f, &settings);
    fake_hold_dials(&f.fake);
    fake_fail_dials(&f.fake, 3, URLPOOL_E_CONNECT, ECONNREFUSED);
    lease_thread_start(&threads[0], &f, -1);
    fake_await_held(&f.fake, 1);
    for (int i = 1; i < 5; i++) {
        lease_thread_start_waiting(&threads[i], &f, -1, i);
    }
    for (int i = 0; i < 3; i++) { /* each is told of his own */
        fake_let_dials(&f.fake, 1);
        ck_assert_int_eq(lease_thread_join(&threads[i]), URLPOOL_E_CONNECT);
        if (i < 2) {
            fake_await_held(&f.fake, 1);
        }
    }
    urlp_clock_fake_await_waiters(2);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 2 reused 0 opened 0");
    urlp_clock_fake_advance(56 * MS);
    fake_await_held(&f.fake, 1);
    fake_let_dials(&f.fake, 1);
    ck_assert_int_eq(lease_thread_join(&threads[3]), URLPOOL_OK);
    lease_give(&threads[3].lease);
    ck_assert_int_eq(lease_thread_join(&threads[4]), URLPOOL_OK);
    lease_give(&threads[4].lease);
    pool_end(&f);
}
END_TEST

START_TEST(probe__is_waited_for_by_who_has_only_a_dead_connection)
{
    struct pool_fixture f;
    struct urlp_lease lease;

    begin(&f);
    lease = lease_take_number(&f, 1);
    fake_fail_dials(&f.fake, 3, URLPOOL_E_CONNECT, ECONNREFUSED);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(lease_fail(&f), URLPOOL_E_CONNECT);
    }
    lease_give(&lease);
    fake_set_look(&f.fake, 1, URLP_LOOK_CLOSED);
    ck_assert_int_eq(lease_fail(&f), URLPOOL_E_POOL_TIMEOUT);
    ck_assert_int_eq(f.fake.num_dials, 4);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    urlp_clock_fake_advance(56 * MS);
    lease = lease_take_number(&f, 2);
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

START_TEST(probe__that_is_not_due_takes_no_place_of_another_origin)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlpool_pool *other;
    struct urlp_lease lease;
    struct lease_thread waiter;

    settings.max_total = 1;
    settings.dial_pause_max_ms = 1000;
    pool_begin(&f, &settings);
    other = pool_get(&f, "b");
    fail_three(&f, 0);
    lease = lease_take(&f, other);
    lease_thread_start_waiting(&waiter, &f, -1, 1);
    lease_give(&lease);
    ASSERT_POOL_OF(other, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    lease = lease_take(&f, other);
    urlp_clock_fake_advance(56 * MS); /* now it is, and the origin stands in line */
    urlp_clock_fake_await_waiters(1);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 1 reused 0 opened 0");
    lease_give(&lease);
    ck_assert_int_eq(lease_thread_join(&waiter), URLPOOL_OK);
    ASSERT_POOL_OF(other, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 1 opened 1");
    lease_give(&waiter.lease);
    urlp_pool_unref(other);
    pool_end(&f);
}
END_TEST

START_TEST(probe__ends_for_all_when_the_pool_is_closed)
{
    struct pool_fixture f;
    struct lease_thread threads[2];

    begin(&f);
    fail_three(&f, 0);
    lease_thread_start_waiting(&threads[0], &f, -1, 1);
    lease_thread_start_waiting(&threads[1], &f, -1, 2);
    urlp_pool_close(f.pool);
    ck_assert_int_eq(lease_thread_join(&threads[0]), URLPOOL_E_POOL_CLOSED);
    ck_assert_int_eq(lease_thread_join(&threads[1]), URLPOOL_E_POOL_CLOSED);
    pool_end(&f);
}
END_TEST

RUN_TESTS("probe", probe__is_made_a_pause_after_the_third_failure,
          probe__is_not_waited_for_when_it_is_due_already,
          probe__delays_a_single_user_by_the_bound_at_most, probe__ends_it_when_it_succeeds,
          probe__is_one_at_a_time, probe__that_fails_is_told_to_all_who_waited_for_it,
          probe__is_told_to_who_wants_no_words, probe__is_not_told_to_who_came_after_it_began,
          probe__is_not_told_while_a_connection_may_come_home,
          probe__of_little_patience_says_nothing_to_who_has_more,
          probe__failures_that_are_the_callers_own_do_not_count,
          probe__that_was_cancelled_hands_on_at_once,
          probe__is_the_next_waiters_when_the_oldest_leaves,
          probe__waits_no_longer_than_the_request_may_take, probe__ends_its_wait_when_cancelled,
          probe__waits_with_a_token_as_well, probe__is_for_each_origin_apart,
          probe__is_off_when_asked, probe__begins_for_those_who_sleep_already,
          probe__is_waited_for_by_who_has_only_a_dead_connection,
          probe__that_is_not_due_takes_no_place_of_another_origin,
          probe__ends_for_all_when_the_pool_is_closed)
