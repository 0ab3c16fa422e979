/* A connection that comes free while somebody dials, and what becomes of the dial. */

#include <check.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "pool/core.h"
#include "support/pool_fixture.h"
#include "support/run_tests.h"

/* begin makes a pool of `maxsize` places, one of them leased as connection 1, in which every dial
 * is held from now on. */
static struct urlp_lease begin(struct pool_fixture *f, int maxsize)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct urlp_lease lease;

    settings.maxsize = maxsize;
    pool_begin(f, &settings);
    lease = lease_take_number(f, 1);
    fake_hold_dials(&f->fake);
    return lease;
}

/* start_dial starts a thread that dials, the `nth` at the same time. */
static void start_dial(struct lease_thread *thread, struct pool_fixture *f, int nth)
{
    lease_thread_start(thread, f, -1);
    fake_await_held(&f->fake, nth);
}

/* joined joins a thread that has got connection `number`. */
static struct urlp_lease joined(struct lease_thread *thread, int number)
{
    ck_assert_int_eq(lease_thread_join(thread), URLPOOL_OK);
    ck_assert_int_eq(fake_number(thread->lease.connection), number);
    return thread->lease;
}

START_TEST(overtake__gives_what_comes_free_to_who_dials)
{
    struct pool_fixture f;
    struct urlp_lease lease = begin(&f, 2);
    struct lease_thread dialler;

    start_dial(&dialler, &f, 1);
    ASSERT_POOL(&f, "open 2 idle 0 leased 1 dialling 1 waiting 0 reused 0 opened 1");
    lease_give(&lease);
    lease = joined(&dialler, 1);
    ck_assert(lease.is_reused);
    ASSERT_POOL(&f, "open 2 idle 0 leased 1 dialling 1 waiting 0 reused 1 opened 1");
    ck_assert_uint_eq(pool_stats(&f, f.pool).half_dials, 1);
    ck_assert_uint_eq(pool_stats(&f, f.pool).dials_overtaken, 1);
    ck_assert_uint_eq(pool_stats(&f, NULL).dials_overtaken, 1);
    ck_assert_uint_eq(pool_stats(&f, NULL).dial_failures, 0);
    lease_give(&lease);
    pool_end(&f);
    ck_assert_int_eq(f.fake.num_dropped, 1);
}
END_TEST

START_TEST(overtake__lets_the_next_who_dials_go_on_with_the_half)
{
    struct pool_fixture f;
    struct urlp_lease lease = begin(&f, 2);
    struct urlp_lease other;
    struct lease_thread dialler;

    start_dial(&dialler, &f, 1);
    lease_give(&lease);
    lease = joined(&dialler, 1);
    fake_let_dials(&f.fake, 1);
    other = lease_take_number(&f, 2);
    ck_assert_int_eq(f.fake.last_resumed, 2);
    ck_assert(other.is_reused); /* its peer has waited, and may have given up */
    ck_assert_uint_eq(pool_stats(&f, f.pool).dials_resumed, 1);
    ck_assert_uint_eq(pool_stats(&f, f.pool).half_dials, 0);
    ASSERT_POOL(&f, "open 2 idle 0 leased 2 dialling 0 waiting 0 reused 1 opened 2");
    lease_give(&lease);
    lease_give(&other);
    pool_end(&f);
}
END_TEST

START_TEST(overtake__serves_who_waits_before_who_dials)
{
    struct pool_fixture f;
    struct urlp_lease lease = begin(&f, 2);
    struct lease_thread dialler;
    struct lease_thread waiter;

    start_dial(&dialler, &f, 1);
    lease_thread_start_waiting(&waiter, &f, -1, 1);
    lease_give(&lease);
    lease = joined(&waiter, 1);
    ASSERT_POOL(&f, "open 2 idle 0 leased 1 dialling 1 waiting 0 reused 1 opened 1");
    ck_assert_int_eq(f.fake.num_halves, 0);
    lease_give(&lease); /* now nobody waits */
    lease = joined(&dialler, 1);
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

START_TEST(overtake__serves_who_has_dialled_for_longest)
{
    struct pool_fixture f;
    struct urlp_lease lease = begin(&f, 3);
    struct lease_thread diallers[2];

    start_dial(&diallers[0], &f, 1);
    start_dial(&diallers[1], &f, 2);
    lease_give(&lease);
    lease = joined(&diallers[0], 1);
    ASSERT_POOL(&f, "open 3 idle 0 leased 1 dialling 2 waiting 0 reused 1 opened 1");
    ck_assert_uint_eq(pool_stats(&f, f.pool).half_dials, 1);
    lease_give(&lease);
    lease = joined(&diallers[1], 1);
    ck_assert_uint_eq(pool_stats(&f, f.pool).half_dials, 2);
    lease_give(&lease);
    ASSERT_POOL(&f, "open 3 idle 1 leased 0 dialling 2 waiting 0 reused 2 opened 1");
    pool_end(&f);
}
END_TEST

START_TEST(overtake__leaves_alone_whose_tcp_is_up)
{
    struct pool_fixture f;
    struct urlp_lease lease = begin(&f, 3);
    struct lease_thread shaking_hands;
    struct lease_thread connecting;

    f.fake.tcp_is_up = true;
    start_dial(&shaking_hands, &f, 1);
    lease_give(&lease);
    ASSERT_POOL(&f, "open 2 idle 1 leased 0 dialling 1 waiting 0 reused 0 opened 1");
    lease = lease_take_number(&f, 1); /* it does not lie in anybody's hands */
    f.fake.tcp_is_up = false;
    start_dial(&connecting, &f, 2);
    lease_give(&lease);
    lease = joined(&connecting, 1); /* who came later, but can use it */
    fake_let_dials(&f.fake, 1);
    (void)joined(&shaking_hands, 2);
    lease_give(&shaking_hands.lease);
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

START_TEST(overtake__in_vain_passes_the_connection_on)
{
    struct pool_fixture f;
    struct urlp_lease lease = begin(&f, 2);
    struct lease_thread dialler;

    f.fake.is_deaf = true; /* TCP comes up just then, and the dial goes to its end */
    start_dial(&dialler, &f, 1);
    lease_give(&lease);
    ASSERT_POOL(&f, "open 2 idle 0 leased 1 dialling 1 waiting 0 reused 1 opened 1");
    fake_let_dials(&f.fake, 1);
    lease = joined(&dialler, 2);
    ck_assert(!lease.is_reused);
    ASSERT_POOL(&f, "open 2 idle 1 leased 1 dialling 0 waiting 0 reused 0 opened 2");
    ck_assert_uint_eq(pool_stats(&f, f.pool).dials_overtaken, 0);
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

START_TEST(overtake__in_vain_serves_who_has_queued_up_meanwhile)
{
    struct pool_fixture f;
    struct urlp_lease lease = begin(&f, 2);
    struct lease_thread dialler;
    struct lease_thread waiter;

    f.fake.is_deaf = true;
    start_dial(&dialler, &f, 1);
    lease_give(&lease);
    lease_thread_start_waiting(&waiter, &f, -1, 1);
    fake_let_dials(&f.fake, 1);
    (void)joined(&dialler, 2);
    (void)joined(&waiter, 1);
    lease_give(&dialler.lease);
    lease_give(&waiter.lease);
    ASSERT_POOL(&f, "open 2 idle 2 leased 0 dialling 0 waiting 0 reused 1 opened 2");
    pool_end(&f);
}
END_TEST

START_TEST(overtake__makes_good_for_a_dial_that_fails)
{
    struct pool_fixture f;
    struct urlp_lease lease = begin(&f, 2);
    struct lease_thread dialler;

    f.fake.is_deaf = true;
    start_dial(&dialler, &f, 1);
    lease_give(&lease);
    fake_fail_dials(&f.fake, 1, URLPOOL_E_CONNECT, ECONNREFUSED);
    fake_let_dials(&f.fake, 1);
    lease = joined(&dialler, 1);
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 0 reused 1 opened 1");
    ck_assert_uint_eq(pool_stats(&f, f.pool).dial_failures, 1);
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

/* give_up starts a dial that is overtaken in vain, since its caller has given up by then. */
static enum urlpool_code give_up(struct pool_fixture *f, bool by_token)
{
    struct urlp_lease lease = begin(f, 2);
    struct urlpool_cancel *cancel = urlpool_cancel_new(NULL);
    struct lease_thread dialler;
    struct urlp_call call = f->call;
    enum urlpool_code code;

    f->fake.is_deaf = true;
    if (by_token) {
        call.cancel = cancel;
    } else {
        call.by = call.total_by = urlp_deadline_in(100);
        fake_fail_dials(&f->fake, 1, URLPOOL_E_TOTAL_TIMEOUT, 0);
    }
    lease_thread_start_call(&dialler, f->pool, -1, -1, &call);
    fake_await_held(&f->fake, 1);
    lease_give(&lease);
    if (by_token) {
        urlpool_cancel_now(cancel);
    } else {
        urlp_clock_fake_advance(100 * MS);
        fake_let_dials(&f->fake, 1);
    }
    code = lease_thread_join(&dialler);
    ck_assert_int_eq(dialler.err.phase, URLPOOL_PHASE_CONNECT);
    ASSERT_POOL(f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    ck_assert_uint_eq(pool_stats(f, f->pool).dials_overtaken, 0);
    urlpool_cancel_free(cancel);
    return code;
}

START_TEST(overtake__of_who_was_cancelled_passes_the_connection_on)
{
    struct pool_fixture f;

    ck_assert_int_eq(give_up(&f, true), URLPOOL_E_CANCELLED);
    pool_end(&f);
}
END_TEST

START_TEST(overtake__of_who_has_no_time_left_passes_the_connection_on)
{
    struct pool_fixture f;

    ck_assert_int_eq(give_up(&f, false), URLPOOL_E_TOTAL_TIMEOUT);
    pool_end(&f);
}
END_TEST

START_TEST(overtake__of_a_dial_that_leaves_nothing_gives_its_place_back)
{
    struct pool_fixture f;
    struct urlp_lease lease = begin(&f, 2);
    struct lease_thread dialler;

    f.fake.leaves_nothing = true;
    start_dial(&dialler, &f, 1);
    lease_give(&lease);
    lease = joined(&dialler, 1);
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 0 reused 1 opened 1");
    ck_assert_uint_eq(pool_stats(&f, f.pool).dials_overtaken, 1);
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

START_TEST(overtake__by_a_dead_connection_goes_on_with_its_own_half)
{
    struct pool_fixture f;
    struct urlp_lease lease = begin(&f, 2);
    struct lease_thread dialler;

    fake_set_look(&f.fake, 1, URLP_LOOK_CLOSED);
    start_dial(&dialler, &f, 1);
    lease_give(&lease);
    fake_let_dials(&f.fake, 1);
    lease = joined(&dialler, 2);
    ck_assert_int_eq(f.fake.last_resumed, 2);
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 0 reused 0 opened 2");
    ck_assert_uint_eq(pool_stats(&f, f.pool).closed[URLPOOL_CLOSED_BY_PEER], 1);
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

START_TEST(overtake__gives_a_dial_that_was_broken_off_the_time_it_has_left)
{
    struct pool_fixture f;
    struct urlp_lease lease = begin(&f, 2);
    struct lease_thread dialler;

    fake_set_look(&f.fake, 1, URLP_LOOK_CLOSED);
    lease_thread_start_call(&dialler, f.pool, -1, 300, &f.call);
    fake_await_held(&f.fake, 1);
    urlp_clock_fake_advance(100 * MS);
    lease_give(&lease);
    fake_let_dials(&f.fake, 1);
    lease = joined(&dialler, 2);
    ck_assert_int_eq(f.fake.last_connect_ns, 1000 * S + 300 * MS);
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

START_TEST(overtake__comes_before_the_dial_if_a_connection_is_idle_already)
{
    struct pool_fixture f;
    struct urlp_lease lease;
    struct urlp_lease none = {0};
    struct urlp_permit permit = {.connect_ms = -1, .may_be_overtaken = true};

    pool_begin(&f, NULL);
    lease = lease_take_number(&f, 1);
    /* A permit, and a connection that comes home before it is used. */
    urlp_mutex_lock(&f.pool->core->mutex);
    f.pool->locked.num_refs++;
    urlp_place_move(f.pool, URLP_PLACE_NONE, URLP_PLACE_DIALLING);
    urlp_mutex_unlock(&f.pool->core->mutex);
    lease_give(&lease);
    ck_assert_int_eq(urlp_permit_dial(f.pool, &permit, &f.call, &none, NULL), URLPOOL_OK);
    ck_assert_ptr_null(none.pool);
    ck_assert_int_eq(f.fake.num_dials, 1);
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 0 reused 1 opened 1");
    lease = (struct urlp_lease){f.pool, permit.overtaker->connection, permit.overtaker, true};
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

/* redial_thread dials anew in the place of a lease. */
static void *redial_thread(void *arg)
{
    struct lease_thread *thread = arg;

    thread->code = urlp_lease_redial(&thread->lease, -1, &thread->call, &thread->err);
    return NULL;
}

START_TEST(overtake__leaves_a_fresh_connection_to_who_needs_one)
{
    struct pool_fixture f;
    struct urlp_lease lease;
    struct lease_thread redialler = {0};

    pool_begin(&f, NULL);
    redialler.call = f.call;
    redialler.lease = lease_take_number(&f, 1);
    lease = lease_take_number(&f, 2);
    fake_hold_dials(&f.fake);
    ck_assert_int_eq(pthread_create(&redialler.thread, NULL, redial_thread, &redialler), 0);
    fake_await_held(&f.fake, 1);
    lease_give(&lease);
    ASSERT_POOL(&f, "open 2 idle 1 leased 0 dialling 1 waiting 0 reused 0 opened 2");
    fake_let_dials(&f.fake, 1);
    (void)joined(&redialler, 3);
    lease_give(&redialler.lease);
    pool_end(&f);
}
END_TEST

START_TEST(overtake__is_given_up_when_descriptors_run_out)
{
    struct pool_fixture f;
    struct urlp_lease lease;
    struct rlimit before;
    struct rlimit none;

    pool_begin(&f, NULL);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    lease = lease_take_number(&f, 1);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0); /* what looks for leaks needs some */
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

START_TEST(overtake__of_a_retired_pool_keeps_no_half)
{
    struct pool_fixture f;
    struct urlp_lease lease = begin(&f, 2);
    struct lease_thread dialler;
    struct urlp_change change;

    start_dial(&dialler, &f, 1);
    /* The connection comes home, and the pool retires before the dialler knows. */
    urlp_change_begin(&change);
    urlp_mutex_lock(&f.pool->core->mutex);
    lease.seat->expires_ns = INT64_MAX;
    urlp_idle_put(f.pool, lease.seat);
    urlp_settle(f.pool, &change);
    urlp_pool_drop(f.pool, &change);
    f.pool->locked.state = URLP_POOL_RETIRED;
    urlp_mutex_unlock(&f.pool->core->mutex);
    urlp_change_end(&change, f.set, NULL);
    lease = joined(&dialler, 1);
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 0 reused 1 opened 1 retired");
    ck_assert_int_eq(f.fake.num_dropped, 1);
    lease_kill(&lease, URLPOOL_CLOSED_ERROR);
    urlp_mutex_lock(&f.pool->core->mutex);
    f.pool->locked.state = URLP_POOL_LIVE;
    urlp_mutex_unlock(&f.pool->core->mutex);
    pool_end(&f);
}
END_TEST

/* serve_thread gets a connection and gives it back. */
static void *serve_thread(void *arg)
{
    struct lease_thread *thread = arg;

    thread->code = urlp_lease_acquire(thread->pool, -1, -1, &thread->call, &thread->lease, NULL);
    lease_give(&thread->lease);
    return NULL;
}

START_TEST(overtake__a_burst_of_waiters_starts_no_more_dials_than_they_are)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct lease_thread threads[8];

    settings.block = false;
    settings.maxsize = 8;
    pool_begin(&f, &settings);
    fake_hold_dials(&f.fake);
    for (int i = 0; i < 8; i++) {
        threads[i] = (struct lease_thread){.pool = f.pool, .call = f.call};
        ck_assert_int_eq(pthread_create(&threads[i].thread, NULL, serve_thread, &threads[i]), 0);
    }
    fake_await_held(&f.fake, 8);
    fake_let_dials(&f.fake, 1); /* one connection is enough for all of them */
    for (int i = 0; i < 8; i++) {
        ck_assert_int_eq(pthread_join(threads[i].thread, NULL), 0);
        ck_assert_int_eq(threads[i].code, URLPOOL_OK);
    }
    ck_assert_int_eq(f.fake.num_dials, 8);
    ck_assert_int_eq(f.fake.num_opened, 1);
    ASSERT_POOL(&f, "open 8 idle 1 leased 0 dialling 7 waiting 0 reused 7 opened 1");
    ck_assert_uint_eq(pool_stats(&f, NULL).half_dials, 7);
    pool_end(&f);
}
END_TEST

RUN_TESTS("overtake", overtake__gives_what_comes_free_to_who_dials,
          overtake__lets_the_next_who_dials_go_on_with_the_half,
          overtake__serves_who_waits_before_who_dials, overtake__serves_who_has_dialled_for_longest,
          overtake__leaves_alone_whose_tcp_is_up, overtake__in_vain_passes_the_connection_on,
          overtake__in_vain_serves_who_has_queued_up_meanwhile,
          overtake__makes_good_for_a_dial_that_fails,
          overtake__of_who_was_cancelled_passes_the_connection_on,
          overtake__of_who_has_no_time_left_passes_the_connection_on,
          overtake__of_a_dial_that_leaves_nothing_gives_its_place_back,
          overtake__by_a_dead_connection_goes_on_with_its_own_half,
          overtake__gives_a_dial_that_was_broken_off_the_time_it_has_left,
          overtake__comes_before_the_dial_if_a_connection_is_idle_already,
          overtake__leaves_a_fresh_connection_to_who_needs_one,
          overtake__is_given_up_when_descriptors_run_out, overtake__of_a_retired_pool_keeps_no_half,
          overtake__a_burst_of_waiters_starts_no_more_dials_than_they_are)
