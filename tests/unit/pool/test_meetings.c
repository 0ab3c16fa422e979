/* What comes home or frees a place just while another has one in hand: bounds hold whoever is
 * first, and nobody waits for what another cannot use. */

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/error.h"
#include "pool/core.h"
#include "support/pool_fixture.h"
#include "support/run_tests.h"

static void begin(struct pool_fixture *f, int maxsize, int64_t max_total)
{
    struct urlp_pool_settings settings = pool_defaults();

    settings.block = false;
    settings.maxsize = maxsize;
    settings.max_total = max_total;
    settings.dial_pause_max_ms = 1000;
    pool_begin(f, &settings);
}

/* struct meeting is what happens in the middle of something else. */
struct meeting {
    struct pool_fixture f;
    struct urlp_lease first, second;
    struct urlpool_cancel *cancel;
    struct urlpool_pool *pool;
    bool has_met;
};

static struct meeting meeting;

static enum urlp_look look_while_one_comes_home(void *user, struct urlpool_connection *connection)
{
    lease_give(&meeting.first);
    return meeting.f.fake.table.look(user, connection);
}

START_TEST(maxsize__holds_when_one_comes_home_while_upkeep_looks_at_another)
{
    struct pool_fixture *f = &meeting.f;
    struct urlp_lease idle;

    begin(f, 1, -1);
    meeting.first = lease_take(f, f->pool);
    idle = lease_take(f, f->pool);
    lease_give(&idle);
    f->set->connector.look = look_while_one_comes_home;
    ck_assert_uint_eq(urlp_pool_set_maintain(f->set), 1);
    f->set->connector.look = f->fake.table.look;
    ASSERT_POOL(f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 2");
    ck_assert_uint_eq(pool_stats(f, f->pool).closed[URLPOOL_CLOSED_SURPLUS], 1);
    pool_end(f);
}
END_TEST

/* overtake_and_give_up has a dial be overtaken, its thread give up and one more come home. */
static void overtake_and_give_up(void *user)
{
    (void)user;
    if (meeting.has_met) {
        return;
    }
    meeting.has_met = true;
    lease_give(&meeting.first);
    urlpool_cancel_now(meeting.cancel);
    lease_give(&meeting.second);
}

START_TEST(maxsize__holds_when_who_was_overtaken_has_given_up)
{
    struct pool_fixture *f = &meeting.f;
    struct lease_thread thread;
    struct urlp_call call;

    begin(f, 1, -1);
    meeting.first = lease_take(f, f->pool);
    meeting.second = lease_take(f, f->pool);
    meeting.cancel = urlpool_cancel_new(NULL);
    ck_assert_ptr_nonnull(meeting.cancel);
    call = f->call;
    call.cancel = meeting.cancel;
    fake_hold_dials(&f->fake);
    f->fake.on_dial = overtake_and_give_up;
    lease_thread_start_call(&thread, f->pool, -1, -1, &call);
    ck_assert_int_eq(lease_thread_join(&thread), URLPOOL_E_CANCELLED);
    ASSERT_POOL(f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 2");
    ck_assert_uint_eq(pool_stats(f, f->pool).closed[URLPOOL_CLOSED_SURPLUS], 1);
    urlpool_cancel_free(meeting.cancel);
    pool_end(f);
}
END_TEST

/* Somebody of "b" waits behind somebody of "a" for a place of max_total when "a", which is in
 * back-off, begins the one dial it may have: the next place is of no use to "a". */

static void free_a_place(void *user)
{
    (void)user;
    if (meeting.has_met) {
        return;
    }
    meeting.has_met = true;
    lease_kill(&meeting.second, URLPOOL_CLOSED_ERROR);
    ck_assert_uint_eq(pool_stats(&meeting.f, meeting.pool).waiting, 0);
    ck_assert_uint_eq(pool_stats(&meeting.f, meeting.f.pool).waiting, 1);
}

/* take_three begins: "a", which is in back-off but may try, "b" and "c" have a place each:
 * `meeting.first`, `of_b` and `meeting.second`. */
static void take_three(struct urlp_lease *of_b, struct urlpool_pool **c)
{
    struct pool_fixture *f = &meeting.f;

    begin(f, 4, 3);
    meeting.pool = pool_get(f, "b");
    *c = pool_get(f, "c");
    meeting.first = lease_take(f, f->pool);
    *of_b = lease_take(f, meeting.pool);
    fake_fail_dials(&f->fake, 3, URLPOOL_E_CONNECT, ECONNREFUSED);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(lease_fail(f), URLPOOL_E_CONNECT);
    }
    meeting.second = lease_take(f, *c);
    urlp_clock_fake_advance(S);
}

/* stand_in_line has somebody wait for one more place of "a", and then of "b". */
static void stand_in_line(struct lease_thread waiters[2])
{
    struct pool_fixture *f = &meeting.f;

    for (int i = 0; i < 2; i++) {
        lease_thread_start_call(&waiters[i], i == 0 ? f->pool : meeting.pool, -1, -1, &f->call);
        urlp_clock_fake_await_waiters(i + 1);
    }
}

static void end_line(struct urlp_lease *of_b, struct lease_thread waiters[2],
                     struct urlpool_pool *c)
{
    struct pool_fixture *f = &meeting.f;

    ck_assert(meeting.has_met);
    lease_give(&meeting.first);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(lease_thread_join(&waiters[i]), URLPOOL_OK);
        lease_give(&waiters[i].lease);
    }
    lease_give(of_b);
    urlp_pool_unref(meeting.pool);
    urlp_pool_unref(c);
    pool_end(f);
}

START_TEST(line__is_left_by_an_origin_whose_stale_connection_is_dialled_anew)
{
    struct lease_thread waiters[2];
    struct urlp_lease of_b;
    struct urlpool_pool *c;

    take_three(&of_b, &c);
    stand_in_line(waiters);
    meeting.f.fake.on_dial = free_a_place;
    ck_assert_int_eq(urlp_lease_redial(&meeting.first, -1, &meeting.f.call, NULL), URLPOOL_OK);
    end_line(&of_b, waiters, c);
}
END_TEST

static struct lease_thread waiters_behind_look[2];

static enum urlp_look look_while_others_line_up(void *user, struct urlpool_connection *connection)
{
    struct pool_fixture *f = &meeting.f;

    (void)user;
    (void)connection;
    stand_in_line(waiters_behind_look);
    f->set->connector.look = f->fake.table.look;
    return URLP_LOOK_CLOSED;
}

START_TEST(line__is_left_by_an_origin_that_dials_for_what_did_not_pass_the_look)
{
    struct pool_fixture *f = &meeting.f;
    struct urlp_lease of_b;
    struct urlpool_pool *c;

    take_three(&of_b, &c);
    lease_give(&meeting.first);
    f->set->connector.look = look_while_others_line_up;
    f->fake.on_dial = free_a_place;
    meeting.first = lease_take(f, f->pool);
    end_line(&of_b, waiters_behind_look, c);
}
END_TEST

static atomic_bool is_dialling;

/* open_until_broken_off takes no lock and waits for none, so that nothing but the pool's own lock
 * orders what its thread does and what another does. */
static struct urlpool_connection *open_until_broken_off(void *user, const struct urlp_route *route,
                                                        const struct urlp_call *call,
                                                        struct urlpool_error *err)
{
    struct pollfd fd = {.fd = call->break_off->wake_fd, .events = POLLIN};

    (void)user;
    (void)route;
    atomic_store_explicit(&is_dialling, true, memory_order_relaxed);
    ck_assert_int_eq(poll(&fd, 1, -1), 1);
    call->break_off->is_broken_off = true;
    (void)urlp_fail(err, URLPOOL_E_CANCELLED, URLPOOL_PHASE_CONNECT, "broken off");
    return NULL;
}

START_TEST(overtaking__of_a_dial_that_has_just_begun_is_ordered_by_the_lock)
{
    struct pool_fixture *f = &meeting.f;
    struct lease_thread thread;

    begin(f, 1, -1);
    meeting.first = lease_take(f, f->pool);
    f->set->connector.open = open_until_broken_off;
    lease_thread_start_call(&thread, f->pool, -1, -1, &f->call);
    while (!atomic_load_explicit(&is_dialling, memory_order_relaxed)) {
        sched_yield();
    }
    lease_give(&meeting.first);
    ck_assert_int_eq(lease_thread_join(&thread), URLPOOL_OK);
    lease_give(&thread.lease);
    pool_end(f);
}
END_TEST

RUN_TESTS("meetings", overtaking__of_a_dial_that_has_just_begun_is_ordered_by_the_lock,
          maxsize__holds_when_one_comes_home_while_upkeep_looks_at_another,
          maxsize__holds_when_who_was_overtaken_has_given_up,
          line__is_left_by_an_origin_whose_stale_connection_is_dialled_anew,
          line__is_left_by_an_origin_that_dials_for_what_did_not_pass_the_look)
