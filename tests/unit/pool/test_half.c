/* Dials that were broken off: how long they are kept, and for whom they give way. */

#include <check.h>
#include <errno.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "pool/core.h"
#include "support/pool_fixture.h"
#include "support/run_tests.h"

/* park leaves a half in `pool`, as if a dial had been broken off. */
static void park(struct pool_fixture *f, struct urlpool_pool *pool, int64_t keep_ms)
{
    struct urlp_seat *seat = urlp_zalloc(sizeof(*seat));
    struct urlp_change change;

    ck_assert_ptr_nonnull(seat);
    seat->half = fake_half_new(&f->fake, 7);
    urlp_change_begin(&change);
    urlp_mutex_lock(&pool->core->mutex);
    urlp_place_move(pool, URLP_PLACE_NONE, URLP_PLACE_DIALLING);
    urlp_half_park(pool, seat, keep_ms, &change);
    urlp_settle(pool, &change);
    urlp_mutex_unlock(&pool->core->mutex);
    urlp_change_end(&change, f->set, NULL);
}

START_TEST(half__is_ended_when_its_time_is_over)
{
    struct pool_fixture f;

    pool_begin(&f, NULL);
    park(&f, f.pool, 300);
    ASSERT_POOL(&f, "open 1 idle 0 leased 0 dialling 1 waiting 0 reused 0 opened 0");
    urlp_clock_fake_advance(300 * MS - 1);
    (void)urlp_pool_set_maintain(f.set);
    ck_assert_int_eq(f.fake.num_dropped, 0);
    urlp_clock_fake_advance(1);
    (void)urlp_pool_set_maintain(f.set);
    ck_assert_int_eq(f.fake.num_dropped, 1);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 0");
    pool_end(&f);
}
END_TEST

START_TEST(half__is_ended_by_a_visit_to_any_pool)
{
    struct pool_fixture f;
    struct urlpool_pool *other;
    struct urlp_lease lease;

    pool_begin(&f, NULL);
    other = pool_get(&f, "b");
    park(&f, f.pool, 300);
    urlp_clock_fake_advance(300 * MS);
    lease = lease_take(&f, other);
    ck_assert_int_eq(f.fake.num_dropped, 1);
    lease_give(&lease);
    urlp_pool_unref(other);
    pool_end(&f);
}
END_TEST

START_TEST(half__is_kept_no_longer_than_a_server_waits)
{
    struct pool_fixture f;
    const int64_t keeps_ms[] = {-1, 60000};

    for (int i = 0; i < 2; i++) {
        pool_begin(&f, NULL);
        park(&f, f.pool, keeps_ms[i]);
        urlp_clock_fake_advance(10 * S - 1);
        (void)urlp_pool_set_maintain(f.set);
        ck_assert_int_eq(f.fake.num_dropped, 0);
        urlp_clock_fake_advance(1);
        (void)urlp_pool_set_maintain(f.set);
        ck_assert_int_eq(f.fake.num_dropped, 1);
        pool_end(&f);
    }
}
END_TEST

START_TEST(half__that_expires_first_is_gone_on_with_first)
{
    struct pool_fixture f;
    struct urlp_lease leases[2];

    pool_begin(&f, NULL);
    park(&f, f.pool, 500);
    park(&f, f.pool, 300);
    ck_assert_int_eq((int)pool_stats(&f, f.pool).half_dials, 2);
    leases[0] = lease_take(&f, f.pool);
    urlp_clock_fake_advance(300 * MS); /* the other is good still */
    leases[1] = lease_take(&f, f.pool);
    ck_assert_int_eq(f.fake.num_resumed, 2);
    lease_give(&leases[0]);
    lease_give(&leases[1]);
    pool_end(&f);
}
END_TEST

START_TEST(half__that_has_expired_is_not_gone_on_with)
{
    struct pool_fixture f;
    struct urlp_lease lease;

    pool_begin(&f, NULL);
    park(&f, f.pool, 300);
    urlp_clock_fake_advance(300 * MS);
    lease = lease_take(&f, f.pool);
    ck_assert(!lease.is_reused);
    ck_assert_int_eq(f.fake.num_resumed, 0);
    ck_assert_int_eq(f.fake.num_dropped, 1);
    ck_assert_uint_eq(pool_stats(&f, f.pool).dials_resumed, 0);
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

START_TEST(half__keeps_its_place_until_somebody_wants_it)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlp_lease lease;

    settings.maxsize = 1;
    pool_begin(&f, &settings);
    park(&f, f.pool, -1);
    lease = lease_take(&f, f.pool); /* the place is taken, and his */
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 0 reused 0 opened 1");
    ck_assert_int_eq(f.fake.num_resumed, 1);
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

START_TEST(half__gives_way_to_another_origin_before_what_is_idle)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlpool_pool *other;
    struct urlp_lease leases[2];

    settings.max_total = 2;
    pool_begin(&f, &settings);
    other = pool_get(&f, "b");
    leases[0] = lease_take_number(&f, 1);
    lease_give(&leases[0]);
    park(&f, f.pool, -1);
    leases[0] = lease_take(&f, other);
    ck_assert_int_eq(f.fake.num_dropped, 1);
    ASSERT_POOL(&f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    lease_give(&leases[0]);
    urlp_pool_unref(other);
    pool_end(&f);
}
END_TEST

START_TEST(half__gives_way_to_who_waits_for_max_total)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlpool_pool *other;
    struct urlp_lease lease;
    struct lease_thread dialler;
    struct lease_thread waiter;

    settings.max_total = 2;
    pool_begin(&f, &settings);
    other = pool_get(&f, "b");
    lease = lease_take_number(&f, 1);
    fake_hold_dials(&f.fake);
    f.fake.is_deaf = true;
    lease_thread_start(&dialler, &f, -1);
    fake_await_held(&f.fake, 1);
    lease_give(&lease); /* to the dialler, who does not notice yet */
    lease_thread_start_call(&waiter, other, -1, -1, &f.call);
    urlp_clock_fake_await_waiters(1);
    fake_fail_dials(&f.fake, 1, URLPOOL_E_CONNECT, ECONNREFUSED);
    fake_let_dials(&f.fake, 1);
    ck_assert_int_eq(lease_thread_join(&dialler), URLPOOL_OK);
    fake_await_held(&f.fake, 1); /* the waiter, in the place of the dial */
    fake_let_dials(&f.fake, 1);
    ck_assert_int_eq(lease_thread_join(&waiter), URLPOOL_OK);
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 0 reused 1 opened 1");
    lease_give(&dialler.lease);
    lease_give(&waiter.lease);
    urlp_pool_unref(other);
    pool_end(&f);
}
END_TEST

START_TEST(half__gives_way_when_descriptors_run_out)
{
    struct pool_fixture f;
    struct urlpool_pool *other;
    struct urlp_lease lease;

    pool_begin(&f, NULL);
    other = pool_get(&f, "b");
    lease = lease_take(&f, f.pool);
    lease_give(&lease);
    park(&f, f.pool, -1);
    fake_fail_dials(&f.fake, 1, URLPOOL_E_CONNECT, EMFILE);
    lease = lease_take(&f, other);
    ck_assert_int_eq(f.fake.num_dropped, 1);
    ASSERT_POOL(&f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    lease_give(&lease);
    urlp_pool_unref(other);
    pool_end(&f);
}
END_TEST

static void close_idle(struct pool_fixture *f)
{
    ck_assert_uint_eq(urlp_pool_set_close_idle(f->set), 0);
}

static void clear(struct pool_fixture *f)
{
    urlp_pool_set_clear(f->set);
}

static void change_network(struct pool_fixture *f)
{
    urlp_pool_set_network_changed(f->set);
}

static void close_pool(struct pool_fixture *f)
{
    urlp_pool_close(f->pool);
}

static void close_set(struct pool_fixture *f)
{
    urlp_pool_set_close(f->set);
}

static void retire_by_number(struct pool_fixture *f)
{
    urlp_pool_unref(pool_get(f, "b"));
}

START_TEST(half__ends_with_what_it_belongs_to)
{
    static void (*const ends[])(struct pool_fixture *) = {close_idle, clear,     change_network,
                                                          close_pool, close_set, retire_by_number};
    struct urlp_pool_settings settings = pool_defaults();

    settings.num_pools = 1;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        struct pool_fixture f;

        pool_begin(&f, &settings);
        park(&f, f.pool, -1);
        ends[i](&f);
        ck_assert_int_eq(f.fake.num_dropped, 1);
        ck_assert_uint_eq(pool_stats(&f, NULL).open, 0);
        pool_end(&f);
    }
}
END_TEST

START_TEST(half__is_what_warming_goes_on_with)
{
    struct pool_fixture f;

    pool_begin(&f, NULL);
    park(&f, f.pool, -1);
    ck_assert_int_eq(urlp_pool_warm(f.pool, 2, -1, &f.call, NULL), URLPOOL_OK);
    ck_assert_int_eq(f.fake.num_resumed, 1);
    ck_assert_int_eq(f.fake.num_dials, 2);
    ASSERT_POOL(&f, "open 2 idle 2 leased 0 dialling 0 waiting 0 reused 0 opened 2");
    pool_end(&f);
}
END_TEST

START_TEST(half__of_who_cannot_use_it_any_more_is_put_back)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlpool_cancel *cancel = urlpool_cancel_new(NULL);
    struct urlp_lease lease;
    struct urlp_call call;
    struct lease_thread waiter;
    struct urlp_seat *seat = urlp_zalloc(sizeof(*seat));
    struct urlp_change change;

    settings.maxsize = 1;
    pool_begin(&f, &settings);
    lease = lease_take(&f, f.pool);
    call = f.call;
    call.cancel = cancel;
    lease_thread_start_call(&waiter, f.pool, -1, -1, &call);
    urlp_clock_fake_await_waiters(1);
    /* The grant and the cancel come at the same moment: the half takes the place of connection 1.
     */
    seat->half = fake_half_new(&f.fake, 7);
    urlp_change_begin(&change);
    urlp_mutex_lock(&f.pool->core->mutex);
    urlp_seat_bury(f.pool, lease.seat, URLP_PLACE_LEASED, URLPOOL_CLOSED_ERROR, false, &change);
    urlp_place_move(f.pool, URLP_PLACE_NONE, URLP_PLACE_DIALLING);
    urlp_half_park(f.pool, seat, -1, &change);
    urlp_settle(f.pool, &change);
    urlpool_cancel_now(cancel);
    urlp_pool_drop(f.pool, &change);
    urlp_mutex_unlock(&f.pool->core->mutex);
    urlp_change_end(&change, f.set, NULL);
    ck_assert_int_eq(lease_thread_join(&waiter), URLPOOL_E_CANCELLED);
    ASSERT_POOL(&f, "open 1 idle 0 leased 0 dialling 1 waiting 0 reused 0 opened 1");
    ck_assert_uint_eq(pool_stats(&f, f.pool).dials_resumed, 0);
    ck_assert_uint_eq(pool_stats(&f, f.pool).half_dials, 1);
    lease = lease_take(&f, f.pool);
    ck_assert_int_eq(f.fake.num_resumed, 1);
    lease_give(&lease);
    urlpool_cancel_free(cancel);
    pool_end(&f);
}
END_TEST

START_TEST(half__of_who_gives_up_while_dialling_on_is_left_to_nobody)
{
    struct pool_fixture f;
    struct urlpool_cancel *cancel = urlpool_cancel_new(NULL);
    struct urlp_call call;
    struct lease_thread dialler;

    pool_begin(&f, NULL);
    fake_hold_dials(&f.fake);
    park(&f, f.pool, -1);
    call = f.call;
    call.cancel = cancel;
    lease_thread_start_call(&dialler, f.pool, -1, -1, &call);
    fake_await_held(&f.fake, 1);
    urlpool_cancel_now(cancel);
    ck_assert_int_eq(lease_thread_join(&dialler), URLPOOL_E_CANCELLED);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 0");
    ck_assert_int_eq(f.fake.num_halves, 0);
    urlpool_cancel_free(cancel);
    pool_end(&f);
}
END_TEST

RUN_TESTS("half", half__is_ended_when_its_time_is_over, half__is_ended_by_a_visit_to_any_pool,
          half__is_kept_no_longer_than_a_server_waits,
          half__that_expires_first_is_gone_on_with_first,
          half__that_has_expired_is_not_gone_on_with, half__keeps_its_place_until_somebody_wants_it,
          half__gives_way_to_another_origin_before_what_is_idle,
          half__gives_way_to_who_waits_for_max_total, half__gives_way_when_descriptors_run_out,
          half__ends_with_what_it_belongs_to, half__is_what_warming_goes_on_with,
          half__of_who_cannot_use_it_any_more_is_put_back,
          half__of_who_gives_up_while_dialling_on_is_left_to_nobody)
