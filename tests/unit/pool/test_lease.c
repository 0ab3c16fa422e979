/* Waiting for a place, and the look at what comes with it. */

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "pool/core.h"
#include "support/pool_fixture.h"
#include "support/run_tests.h"

/* A pool with one place. */
static void begin_single(struct pool_fixture *f)
{
    struct urlp_pool_settings settings = pool_defaults();

    settings.maxsize = 1;
    pool_begin(f, &settings);
}

START_TEST(lease__times_out_when_every_place_is_taken)
{
    struct pool_fixture f;
    struct urlp_lease lease;
    struct lease_thread waiter;

    begin_single(&f);
    lease = lease_take(&f, f.pool);
    lease_thread_start_waiting(&waiter, &f, 250, 1);
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 1 reused 0 opened 1");
    urlp_clock_fake_advance(250 * MS - 1);
    ck_assert_int_eq(urlp_clock_fake_num_waiters(), 1);
    urlp_clock_fake_advance(1);
    ck_assert_int_eq(lease_thread_join(&waiter), URLPOOL_E_POOL_TIMEOUT);
    ck_assert_int_eq(waiter.err.phase, URLPOOL_PHASE_POOL);
    ck_assert_str_eq(waiter.err.message,
                     "no connection to http://a.test:80 came free in time: all 1 are in use");
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 0 reused 0 opened 1");
    lease_give(&lease);
    ASSERT_POOL(&f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    pool_end(&f);
}
END_TEST

START_TEST(lease__says_total_when_the_whole_request_ran_out_of_time)
{
    struct pool_fixture f;
    struct urlp_lease lease;
    struct urlp_call call;
    struct lease_thread waiter;

    begin_single(&f);
    lease = lease_take(&f, f.pool);
    call = f.call;
    call.by = call.total_by = urlp_deadline_in(100);
    lease_thread_start_call(&waiter, f.pool, 5000, -1, &call);
    urlp_clock_fake_await_waiters(1);
    urlp_clock_fake_advance(100 * MS);
    ck_assert_int_eq(lease_thread_join(&waiter), URLPOOL_E_TOTAL_TIMEOUT);
    ck_assert_int_eq(waiter.err.phase, URLPOOL_PHASE_POOL);
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

START_TEST(lease__waits_without_bound_when_asked_to)
{
    struct pool_fixture f;
    struct urlp_lease lease;
    struct lease_thread waiter;

    begin_single(&f);
    lease = lease_take(&f, f.pool);
    lease_thread_start_waiting(&waiter, &f, -1, 1);
    urlp_clock_fake_advance(30 * 24 * 3600 * S);
    ck_assert_int_eq(urlp_clock_fake_num_waiters(), 1);
    lease_kill(&lease, URLPOOL_CLOSED_ERROR);
    ck_assert_int_eq(lease_thread_join(&waiter), URLPOOL_OK);
    lease_give(&waiter.lease);
    pool_end(&f);
}
END_TEST

START_TEST(lease__leaves_the_queue_in_order_when_one_in_the_middle_times_out)
{
    struct pool_fixture f;
    struct urlp_lease lease;
    struct lease_thread waiters[3];

    begin_single(&f);
    lease = lease_take(&f, f.pool);
    lease_thread_start_waiting(&waiters[0], &f, -1, 1);
    lease_thread_start_waiting(&waiters[1], &f, 10, 2);
    lease_thread_start_waiting(&waiters[2], &f, -1, 3);
    urlp_clock_fake_advance(10 * MS);
    ck_assert_int_eq(lease_thread_join(&waiters[1]), URLPOOL_E_POOL_TIMEOUT);
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 2 reused 0 opened 1");
    lease_give(&lease);
    ck_assert_int_eq(lease_thread_join(&waiters[0]), URLPOOL_OK);
    lease_give(&waiters[0].lease);
    ck_assert_int_eq(lease_thread_join(&waiters[2]), URLPOOL_OK);
    lease_give(&waiters[2].lease);
    ASSERT_POOL(&f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 2 opened 1");
    pool_end(&f);
}
END_TEST

START_TEST(lease__counts_waits_and_their_time)
{
    struct pool_fixture f;
    struct urlp_lease lease;
    struct lease_thread waiters[2];
    struct urlpool_stats stats;

    begin_single(&f);
    lease = lease_take(&f, f.pool);
    ck_assert_uint_eq(pool_stats(&f, f.pool).waits, 0);
    lease_thread_start_waiting(&waiters[0], &f, -1, 1);
    lease_thread_start_waiting(&waiters[1], &f, 40, 2);
    urlp_clock_fake_advance(40 * MS);
    ck_assert_int_eq(lease_thread_join(&waiters[1]), URLPOOL_E_POOL_TIMEOUT);
    urlp_clock_fake_advance(5 * MS);
    lease_give(&lease);
    ck_assert_int_eq(lease_thread_join(&waiters[0]), URLPOOL_OK);
    stats = pool_stats(&f, f.pool);
    ck_assert_uint_eq(stats.waits, 2);
    ck_assert_uint_eq(stats.wait_ns, (40 + 45) * MS);
    ck_assert_uint_eq(stats.wait_timeouts, 1);
    stats = pool_stats(&f, NULL);
    ck_assert_uint_eq(stats.waits, 2);
    ck_assert_uint_eq(stats.wait_ns, (40 + 45) * MS);
    ck_assert_uint_eq(stats.wait_timeouts, 1);
    lease_give(&waiters[0].lease);
    pool_end(&f);
}
END_TEST

START_TEST(lease__ends_its_wait_when_cancelled)
{
    struct pool_fixture f;
    struct urlpool_cancel *cancel = urlpool_cancel_new(NULL);
    struct urlp_lease lease;
    struct urlp_call call;
    struct lease_thread waiter;

    begin_single(&f);
    lease = lease_take(&f, f.pool);
    call = f.call;
    call.cancel = cancel;
    lease_thread_start_call(&waiter, f.pool, -1, -1, &call);
    urlp_clock_fake_await_waiters(1);
    urlpool_cancel_now(cancel);
    ck_assert_int_eq(lease_thread_join(&waiter), URLPOOL_E_CANCELLED);
    ck_assert_int_eq(waiter.err.phase, URLPOOL_PHASE_POOL);
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 0 reused 0 opened 1");
    ck_assert_uint_eq(pool_stats(&f, f.pool).wait_timeouts, 0);
    lease_give(&lease);
    urlpool_cancel_free(cancel);
    pool_end(&f);
}
END_TEST

START_TEST(lease__takes_no_place_when_cancelled_before)
{
    struct pool_fixture f;
    struct urlpool_cancel *cancel = urlpool_cancel_new(NULL);
    struct urlp_lease lease = {0};
    struct urlpool_error err;
    struct urlp_call call;

    begin_single(&f);
    urlpool_cancel_now(cancel);
    call = f.call;
    call.cancel = cancel;
    ck_assert_int_eq(urlp_lease_acquire(f.pool, -1, -1, &call, &lease, &err), URLPOOL_E_CANCELLED);
    ck_assert_int_eq(f.fake.num_dials, 0);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 0");
    urlpool_cancel_free(cancel);
    pool_end(&f);
}
END_TEST

START_TEST(lease__can_be_had_with_a_token_that_is_not_used)
{
    struct pool_fixture f;
    struct urlpool_cancel *cancel = urlpool_cancel_new(NULL);
    struct urlp_lease lease;
    struct urlp_call call;
    struct lease_thread waiter;

    begin_single(&f);
    lease = lease_take(&f, f.pool);
    call = f.call;
    call.cancel = cancel;
    lease_thread_start_call(&waiter, f.pool, -1, -1, &call);
    urlp_clock_fake_await_waiters(1);
    lease_give(&lease);
    ck_assert_int_eq(lease_thread_join(&waiter), URLPOOL_OK);
    lease_give(&waiter.lease);
    urlpool_cancel_free(cancel);
    pool_end(&f);
}
END_TEST

/* grant_now lets the connection of `lease` come home under a lock that the caller holds: to make
 * something else happen between a grant and the moment its waiter runs. */
static void grant_now(struct pool_fixture *f, struct urlp_lease *lease)
{
    struct urlp_change change;

    urlp_change_begin(&change);
    lease->seat->expires_ns = INT64_MAX;
    urlp_idle_put(f->pool, lease->seat);
    urlp_settle(f->pool, &change);
    urlp_pool_drop(f->pool, &change);
    memset(lease, 0, sizeof(*lease));
}

START_TEST(lease__passes_on_what_it_was_given_when_cancelled_at_once)
{
    struct pool_fixture f;
    struct urlpool_cancel *cancel = urlpool_cancel_new(NULL);
    struct urlp_lease lease;
    struct urlp_call call;
    struct lease_thread cancelled;
    struct lease_thread next;

    begin_single(&f);
    lease = lease_take(&f, f.pool);
    call = f.call;
    call.cancel = cancel;
    lease_thread_start_call(&cancelled, f.pool, -1, -1, &call);
    urlp_clock_fake_await_waiters(1);
    lease_thread_start_waiting(&next, &f, -1, 2);

    urlp_mutex_lock(&f.pool->core->mutex);
    urlpool_cancel_now(cancel);
    grant_now(&f, &lease);
    urlp_mutex_unlock(&f.pool->core->mutex);

    ck_assert_int_eq(lease_thread_join(&cancelled), URLPOOL_E_CANCELLED);
    ck_assert_int_eq(lease_thread_join(&next), URLPOOL_OK);
    ck_assert_int_eq(fake_number(next.lease.connection), 1);
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 0 reused 1 opened 1");
    lease_give(&next.lease);
    urlpool_cancel_free(cancel);
    pool_end(&f);
}
END_TEST

/* permit_now lets the connection of `lease` die under a lock that the caller holds. */
static void permit_now(struct pool_fixture *f, struct urlp_lease *lease, struct urlp_change *change)
{
    urlp_change_begin(change);
    urlp_seat_bury(f->pool, lease->seat, URLP_PLACE_LEASED, URLPOOL_CLOSED_ERROR, false, change);
    urlp_settle(f->pool, change);
    urlp_pool_drop(f->pool, change);
    memset(lease, 0, sizeof(*lease));
}

START_TEST(lease__passes_on_a_permit_when_cancelled_at_once)
{
    struct pool_fixture f;
    struct urlpool_cancel *cancel = urlpool_cancel_new(NULL);
    struct urlp_change change;
    struct urlp_lease lease;
    struct urlp_call call;
    struct lease_thread cancelled;
    struct lease_thread next;

    begin_single(&f);
    lease = lease_take(&f, f.pool);
    call = f.call;
    call.cancel = cancel;
    lease_thread_start_call(&cancelled, f.pool, -1, -1, &call);
    urlp_clock_fake_await_waiters(1);
    lease_thread_start_waiting(&next, &f, -1, 2);

    urlp_mutex_lock(&f.pool->core->mutex);
    urlpool_cancel_now(cancel);
    permit_now(&f, &lease, &change);
    urlp_mutex_unlock(&f.pool->core->mutex);
    urlp_change_end(&change, f.set, NULL);

    ck_assert_int_eq(lease_thread_join(&cancelled), URLPOOL_E_CANCELLED);
    ck_assert_int_eq(lease_thread_join(&next), URLPOOL_OK);
    ck_assert_int_eq(fake_number(next.lease.connection), 2);
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 0 reused 0 opened 2");
    lease_give(&next.lease);
    urlpool_cancel_free(cancel);
    pool_end(&f);
}
END_TEST

START_TEST(lease__passes_nothing_on_in_a_pool_that_keeps_nothing)
{
    struct pool_fixture f;
    struct urlpool_cancel *cancel = urlpool_cancel_new(NULL);
    struct urlp_lease lease;
    struct urlp_call call;
    struct lease_thread cancelled;

    begin_single(&f);
    lease = lease_take(&f, f.pool);
    call = f.call;
    call.cancel = cancel;
    lease_thread_start_call(&cancelled, f.pool, -1, -1, &call);
    urlp_clock_fake_await_waiters(1);

    urlp_mutex_lock(&f.pool->core->mutex);
    urlpool_cancel_now(cancel);
    grant_now(&f, &lease);
    f.pool->locked.state = URLP_POOL_RETIRED; /* all that urlp_pool_set_clear would do here */
    f.pool->locked.why = URLPOOL_CLOSED_CLEARED;
    urlp_list_remove(&f.pool->locked.in_live);
    urlp_mutex_unlock(&f.pool->core->mutex);

    ck_assert_int_eq(lease_thread_join(&cancelled), URLPOOL_E_CANCELLED);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 1 retired");
    ck_assert_uint_eq(pool_stats(&f, f.pool).closed[URLPOOL_CLOSED_CLEARED], 1);
    urlpool_cancel_free(cancel);
    pool_end(&f);
}
END_TEST

START_TEST(lease__passes_on_what_it_was_given_when_its_request_is_over)
{
    struct pool_fixture f;
    struct urlp_lease lease;
    struct urlp_call call;
    struct lease_thread late;
    struct lease_thread next;

    begin_single(&f);
    lease = lease_take(&f, f.pool);
    call = f.call;
    call.by = call.total_by = urlp_deadline_in(10);
    lease_thread_start_call(&late, f.pool, -1, -1, &call);
    urlp_clock_fake_await_waiters(1);
    lease_thread_start_waiting(&next, &f, -1, 2);

    urlp_mutex_lock(&f.pool->core->mutex);
    urlp_clock_fake_advance(10 * MS);
    grant_now(&f, &lease);
    urlp_mutex_unlock(&f.pool->core->mutex);

    ck_assert_int_eq(lease_thread_join(&late), URLPOOL_E_TOTAL_TIMEOUT);
    ck_assert_int_eq(lease_thread_join(&next), URLPOOL_OK);
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 0 reused 1 opened 1");
    lease_give(&next.lease);
    pool_end(&f);
}
END_TEST

START_TEST(lease__keeps_what_it_was_given_at_the_last_moment_of_its_wait)
{
    struct pool_fixture f;
    struct urlp_lease lease;
    struct lease_thread waiter;

    begin_single(&f);
    lease = lease_take(&f, f.pool);
    lease_thread_start_waiting(&waiter, &f, 10, 1);
    urlp_mutex_lock(&f.pool->core->mutex);
    urlp_clock_fake_advance(10 * MS); /* the wait is over, and the place is there all the same */
    grant_now(&f, &lease);
    urlp_mutex_unlock(&f.pool->core->mutex);
    ck_assert_int_eq(lease_thread_join(&waiter), URLPOOL_OK);
    ck_assert_uint_eq(pool_stats(&f, f.pool).wait_timeouts, 0);
    lease_give(&waiter.lease);
    pool_end(&f);
}
END_TEST

START_TEST(lease__looks_at_idle_connections_only)
{
    struct pool_fixture f;
    struct urlp_lease lease;

    begin_single(&f);
    lease = lease_take(&f, f.pool);
    ck_assert_int_eq(f.fake.num_looks, 0);
    lease_give(&lease);
    ck_assert_int_eq(f.fake.num_rests, 1);
    lease = lease_take(&f, f.pool);
    ck_assert_int_eq(f.fake.num_looks, 1);
    lease_kill(&lease, URLPOOL_CLOSED_ERROR);
    ck_assert_int_eq(f.fake.num_rests, 1);
    pool_end(&f);
}
END_TEST

START_TEST(lease__takes_the_next_idle_one_when_a_look_fails)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlp_lease leases[3];

    settings.maxsize = 3;
    pool_begin(&f, &settings);
    for (int i = 0; i < 3; i++) {
        leases[i] = lease_take(&f, f.pool);
    }
    for (int i = 0; i < 3; i++) {
        lease_give(&leases[i]);
    }
    fake_set_look(&f.fake, 3, URLP_LOOK_CLOSED);
    fake_set_look(&f.fake, 2, URLP_LOOK_UNEXPECTED);
    ASSERT_POOL(&f, "open 3 idle 3 leased 0 dialling 0 waiting 0 reused 0 opened 3");
    leases[0] = lease_take_number(&f, 1);
    ck_assert(leases[0].is_reused);
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 0 reused 1 opened 3");
    ck_assert_uint_eq(pool_stats(&f, f.pool).closed[URLPOOL_CLOSED_BY_PEER], 1);
    ck_assert_uint_eq(pool_stats(&f, f.pool).closed[URLPOOL_CLOSED_UNEXPECTED], 1);
    ck_assert_uint_eq(pool_stats(&f, NULL).reused, 1);
    ck_assert_int_eq(f.fake.num_polite, 0);
    ck_assert_int_eq(f.fake.num_ended, 2);
    lease_give(&leases[0]);
    pool_end(&f);
}
END_TEST

START_TEST(lease__dials_in_the_same_place_when_every_look_fails)
{
    struct pool_fixture f;
    struct urlp_lease lease;
    struct lease_thread first;
    struct lease_thread second;

    begin_single(&f);
    lease = lease_take(&f, f.pool);
    lease_give(&lease);
    fake_set_look(&f.fake, 1, URLP_LOOK_CLOSED);
    fake_hold_dials(&f.fake);
    lease_thread_start(&first, &f, -1);
    fake_await_held(&f.fake, 1);
    ASSERT_POOL(&f, "open 1 idle 0 leased 0 dialling 1 waiting 0 reused 0 opened 1");
    lease_thread_start_waiting(&second, &f, -1, 1); /* gets nothing of that place */
    ASSERT_POOL(&f, "open 1 idle 0 leased 0 dialling 1 waiting 1 reused 0 opened 1");
    fake_let_dials(&f.fake, 1);
    ck_assert_int_eq(lease_thread_join(&first), URLPOOL_OK);
    ck_assert_int_eq(fake_number(first.lease.connection), 2);
    ck_assert(!first.lease.is_reused);
    lease_give(&first.lease);
    ck_assert_int_eq(lease_thread_join(&second), URLPOOL_OK);
    lease_give(&second.lease);
    ASSERT_POOL(&f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 1 opened 2");
    pool_end(&f);
}
END_TEST

struct sink {
    char text[512];
};

static void write_event(void *user, const struct urlpool_trace_event *event)
{
    struct sink *sink = user;
    size_t len = strlen(sink->text);

    urlp_assert_no_lock("write_event");
    snprintf(sink->text + len, sizeof(sink->text) - len, "%s %.*s %d\n",
             event->kind == URLPOOL_TRACE_LEASED ? "leased" : "closed", (int)event->text_len,
             event->text, (int)event->number);
}

START_TEST(lease__tells_the_sink_of_leases_and_deaths)
{
    struct pool_fixture f;
    struct sink sink = {""};
    const struct urlpool_trace trace = {.event = write_event, .user = &sink};
    struct urlp_lease lease;
    struct urlp_lease_end end = {.why = URLPOOL_CLOSED_UNREAD};

    begin_single(&f);
    f.call.trace = &trace;
    lease = lease_take(&f, f.pool);
    lease_give(&lease);
    lease = lease_take(&f, f.pool);
    lease_give(&lease);
    fake_set_look(&f.fake, 1, URLP_LOOK_CLOSED);
    lease = lease_take(&f, f.pool);
    end.call = &f.call;
    urlp_lease_release(&lease, &end);
    ck_assert_str_eq(sink.text, "leased http://a.test:80 0\n"
                                "leased http://a.test:80 1\n"
                                "closed by peer 0\n"
                                "leased http://a.test:80 0\n"
                                "closed unread 0\n");
    pool_end(&f);
}
END_TEST

RUN_TESTS("lease", lease__times_out_when_every_place_is_taken,
          lease__says_total_when_the_whole_request_ran_out_of_time,
          lease__waits_without_bound_when_asked_to,
          lease__leaves_the_queue_in_order_when_one_in_the_middle_times_out,
          lease__counts_waits_and_their_time, lease__ends_its_wait_when_cancelled,
          lease__takes_no_place_when_cancelled_before,
          lease__can_be_had_with_a_token_that_is_not_used,
          lease__passes_on_what_it_was_given_when_cancelled_at_once,
          lease__passes_on_a_permit_when_cancelled_at_once,
          lease__passes_nothing_on_in_a_pool_that_keeps_nothing,
          lease__passes_on_what_it_was_given_when_its_request_is_over,
          lease__keeps_what_it_was_given_at_the_last_moment_of_its_wait,
          lease__looks_at_idle_connections_only, lease__takes_the_next_idle_one_when_a_look_fails,
          lease__dials_in_the_same_place_when_every_look_fails,
          lease__tells_the_sink_of_leases_and_deaths)
