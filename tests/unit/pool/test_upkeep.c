/* Upkeep: one round of it, what is due and when, and what is done then. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "pool/upkeep.h"
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

static int64_t cpu_ns(void)
{
    struct timespec now;

    ck_assert_int_eq(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now), 0);
    return now.tv_sec * (int64_t)S + now.tv_nsec;
}

/* maintain_ns is the least of three rounds' time over `num` idle connections. */
static int64_t maintain_ns(int num)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct urlp_lease *leases = calloc((size_t)num, sizeof(*leases));
    struct pool_fixture f;
    int64_t least_ns = INT64_MAX;

    settings.maxsize = num;
    settings.max_idle_total = num;
    pool_begin(&f, &settings);
    for (int i = 0; i < num; i++) {
        leases[i] = lease_take(&f, f.pool);
    }
    for (int i = 0; i < num; i++) {
        lease_give(&leases[i]);
    }
    for (int i = 1; i <= 3; i++) {
        const int64_t from_ns = cpu_ns();

        ck_assert_uint_eq(urlp_pool_set_maintain(f.set), 0);
        least_ns = urlp_less(least_ns, cpu_ns() - from_ns);
        ck_assert_int_eq(f.fake.num_looks, i * num);
    }
    pool_end(&f);
    free(leases);
    return least_ns;
}

START_TEST(maintain__costs_as_much_as_there_are_connections)
{
    const int64_t few_ns = maintain_ns(200);
    const int64_t many_ns = maintain_ns(6400);

    ck_assert_msg(many_ns < 8 * 32 * few_ns, "200 in %lld ns, 6400 in %lld ns", (long long)few_ns,
                  (long long)many_ns);
}
END_TEST

/* --- what is due, and when ------------------------------------------------------------------- */

/* due asks what is to be done at once; the test fails unless that is nothing. Returns in how many
 * ms something will be, -1: never. */
static int64_t due_ms(struct pool_fixture *f)
{
    struct urlp_pool_core *core = f->pool->core;
    struct urlp_round round = {0};
    struct urlp_errand errand;
    struct urlp_change change;
    int64_t due_ns;

    urlp_change_begin(&change);
    urlp_mutex_lock(&core->mutex);
    due_ns = urlp_upkeep_next(core, &round, &errand, &change);
    urlp_mutex_unlock(&core->mutex);
    urlp_change_end(&change, f->set, NULL);
    ck_assert_int_eq(errand.kind, URLP_ERRAND_NONE);
    return due_ns == INT64_MAX ? -1 : (due_ns - urlp_boot_ns()) / MS;
}

/* do_due does what is due now, as the thread would; returns how many errands that were. */
static int do_due(struct pool_fixture *f)
{
    struct urlp_pool_core *core = f->pool->core;
    struct urlp_round round = {0};
    struct urlp_errand errand;
    int num = 0;

    for (;;) {
        struct urlp_change change;

        urlp_change_begin(&change);
        urlp_mutex_lock(&core->mutex);
        (void)urlp_upkeep_next(core, &round, &errand, &change);
        urlp_mutex_unlock(&core->mutex);
        urlp_change_end(&change, f->set, NULL);
        if (errand.kind == URLP_ERRAND_NONE) {
            return num;
        }
        urlp_errand_run(&errand, &round, NULL);
        num++;
    }
}

static void advance_ms(int64_t ms)
{
    urlp_clock_fake_advance(ms * MS);
}

/* begin_with makes a pool that may be asked for names, and of which `min_idle` connections are to
 * be idle. */
static void begin_with(struct pool_fixture *f, int min_idle)
{
    struct urlp_pool_settings settings = pool_defaults();

    settings.maxsize = 4;
    settings.min_idle = min_idle;
    settings.ignore_dns_change = true;
    pool_begin(f, &settings);
}

START_TEST(due__is_when_the_first_connection_expires_to_the_millisecond)
{
    struct pool_fixture f;
    struct urlp_lease a;
    struct urlp_lease b;

    begin_with(&f, 0);
    ck_assert_int_eq(due_ms(&f), -1);
    a = lease_take(&f, f.pool);
    b = lease_take(&f, f.pool);
    ck_assert_int_eq(due_ms(&f), -1);
    lease_give(&a);
    ck_assert_int_eq(due_ms(&f), 55000);
    advance_ms(1000);
    lease_give_hinted(&b, 6, -1); /* the server's word, less a second */
    ck_assert_int_eq(due_ms(&f), 5000);
    advance_ms(4999);
    ck_assert_int_eq(due_ms(&f), 1);
    ck_assert_uint_eq(pool_stats(&f, NULL).idle, 2);
    advance_ms(1);
    ck_assert_int_eq(due_ms(&f), 49000);
    ck_assert_uint_eq(pool_stats(&f, NULL).idle, 1);
    pool_end(&f);
}
END_TEST

START_TEST(due__after_a_suspend_is_at_once)
{
    struct pool_fixture f;
    struct urlp_lease lease;

    begin_with(&f, 0);
    lease = lease_take(&f, f.pool);
    lease_give(&lease);
    advance_ms(8 * 3600 * 1000); /* all clocks of the fake stand for CLOCK_BOOTTIME here */
    ck_assert_int_eq(due_ms(&f), -1);
    ck_assert_uint_eq(pool_stats(&f, NULL).closed[URLPOOL_CLOSED_IDLE], 1);
    pool_end(&f);
}
END_TEST

START_TEST(min_idle__is_kept_by_dials)
{
    struct pool_fixture f;
    struct urlp_lease lease;

    begin_with(&f, 2);
    ck_assert_int_eq(do_due(&f), 2); /* the pool is there, and new */
    ASSERT_POOL(&f, "open 2 idle 2 leased 0 dialling 0 waiting 0 reused 0 opened 2");
    lease = lease_take(&f, f.pool);
    ck_assert_int_eq(do_due(&f), 1);
    ASSERT_POOL(&f, "open 3 idle 2 leased 1 dialling 0 waiting 0 reused 1 opened 3");
    lease_give(&lease);
    ck_assert_int_eq(do_due(&f), 0);
    (void)urlp_pool_set_close_idle(f.set);
    ck_assert_int_eq(do_due(&f), 2);
    pool_end(&f);
}
END_TEST

START_TEST(min_idle__stays_within_maxsize_and_takes_nobodys_place)
{
    struct pool_fixture f;
    struct urlp_lease leases[4];
    struct lease_thread thread;

    begin_with(&f, 3);
    for (int i = 0; i < 4; i++) {
        leases[i] = lease_take(&f, f.pool);
    }
    ck_assert_int_eq(do_due(&f), 0); /* maxsize, with block */
    lease_thread_start_waiting(&thread, &f, -1, 1);
    ck_assert_int_eq(do_due(&f), 0);
    lease_give(&leases[0]);
    ck_assert_int_eq(lease_thread_join(&thread), URLPOOL_OK);
    lease_give(&thread.lease);
    ck_assert_int_eq(do_due(&f), 0);
    for (int i = 1; i < 4; i++) {
        lease_give(&leases[i]);
    }
    ASSERT_POOL(&f, "open 4 idle 4 leased 0 dialling 0 waiting 0 reused 1 opened 4");
    pool_end(&f);
}
END_TEST

START_TEST(min_idle__dials_in_vain_come_with_growing_pauses)
{
    static const int64_t pauses_ms[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
    struct pool_fixture f;
    struct urlp_lease lease;

    begin_with(&f, 1);
    fake_fail_dials(&f.fake, 8, URLPOOL_E_CONNECT, 0);
    for (int i = 0; i < 8; i++) {
        ck_assert_int_eq(do_due(&f), 1);
        ck_assert_int_eq(f.fake.num_dials, i + 1);
        ck_assert_int_eq(due_ms(&f), pauses_ms[i]);
        advance_ms(pauses_ms[i]);
    }
    ck_assert_int_eq(do_due(&f), 1); /* which works */
    lease = lease_take(&f, f.pool);
    lease_give(&lease); /* and is used: all is forgotten */
    (void)urlp_pool_set_close_idle(f.set);
    fake_fail_dials(&f.fake, 1, URLPOOL_E_CONNECT, 0);
    ck_assert_int_eq(do_due(&f), 1);
    ck_assert_int_eq(due_ms(&f), 1000);
    pool_end(&f);
}
END_TEST

START_TEST(min_idle__a_server_that_closes_at_once_is_not_dialled_in_a_loop)
{
    struct pool_fixture f;

    begin_with(&f, 1);
    for (int i = 1; i <= 3; i++) {
        ck_assert_int_eq(do_due(&f), 1);
        fake_set_look(&f.fake, i, URLP_LOOK_CLOSED);
        (void)urlp_pool_set_maintain(f.set);
        ck_assert_uint_eq(pool_stats(&f, NULL).idle, 0);
        ck_assert_int_eq(due_ms(&f), 1000 << (i - 1));
        advance_ms(1000 << (i - 1));
    }
    ck_assert_uint_eq(pool_stats(&f, NULL).closed[URLPOOL_CLOSED_BY_PEER], 3);
    pool_end(&f);
}
END_TEST

START_TEST(min_idle__ends_when_nobody_has_wanted_the_origin_for_long)
{
    struct pool_fixture f;

    begin_with(&f, 1);
    ck_assert_int_eq(do_due(&f), 1);
    for (int i = 0; i < 10; i++) {
        advance_ms(55000);
        ck_assert_int_eq(do_due(&f), 1);
    }
    advance_ms(55000); /* 605 s */
    ck_assert_int_eq(do_due(&f), 0);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 11");
    pool_end(&f);
}
END_TEST

/* note_ended is what the thread does when the kernel tells of a peer's end. */
static void note_ended(struct pool_fixture *f, struct urlp_seat *seat)
{
    urlp_mutex_lock(&f->pool->core->mutex);
    seat->is_ended = true;
    urlp_mutex_unlock(&f->pool->core->mutex);
}

START_TEST(ended__connection_in_use_is_not_kept_when_it_comes_home)
{
    struct pool_fixture f;
    struct urlp_lease lease;

    begin_with(&f, 0);
    lease = lease_take(&f, f.pool);
    note_ended(&f, lease.seat);
    lease_give(&lease);
    ck_assert_uint_eq(pool_stats(&f, NULL).closed[URLPOOL_CLOSED_BY_PEER], 1);
    ck_assert_int_eq(f.fake.num_polite, 0);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    pool_end(&f);
}
END_TEST

START_TEST(ended__idle_connection_is_looked_at_and_goes_whatever_the_look_shows)
{
    struct pool_fixture f;
    struct urlp_lease lease;
    struct urlp_seat *seat;

    begin_with(&f, 0);
    lease = lease_take(&f, f.pool);
    seat = lease.seat;
    lease_give(&lease);
    note_ended(&f, seat);
    ck_assert_int_eq(do_due(&f), 1);
    ck_assert_int_eq(f.fake.num_looks, 1);
    ck_assert_uint_eq(pool_stats(&f, NULL).closed[URLPOOL_CLOSED_BY_PEER], 1);
    pool_end(&f);
}
END_TEST

/* --- names ----------------------------------------------------------------------------------- */

static void begin_asking(struct pool_fixture *f)
{
    struct urlp_pool_settings settings = pool_defaults();

    settings.idle_ms = 24 * 3600 * 1000;
    pool_begin(f, &settings);
}

START_TEST(names__are_asked_for_as_often_as_ttl_and_a_minute_allow)
{
    struct pool_fixture f;
    struct urlp_lease lease;

    begin_asking(&f);
    ck_assert_int_eq(due_ms(&f), -1); /* nothing is open */
    lease = lease_take(&f, f.pool);
    lease_give(&lease);
    ck_assert_int_eq(due_ms(&f), 60000);
    f.fake.names_good_ms = 5000;
    advance_ms(60000);
    ck_assert_int_eq(do_due(&f), 2); /* and a look at what is idle there */
    ck_assert_int_eq(f.fake.num_asks, 1);
    ck_assert_int_eq(due_ms(&f), 60000);
    f.fake.names_good_ms = 3600000;
    advance_ms(60000);
    ck_assert_int_eq(do_due(&f), 2);
    ck_assert_int_eq(due_ms(&f), 3600000);
    f.fake.names_good_ms = -1; /* it is no name */
    advance_ms(3600000);
    ck_assert_int_eq(do_due(&f), 2);
    ck_assert_int_eq(f.fake.num_asks, 3);
    ck_assert_int_eq(due_ms(&f), 24 * 3600 * 1000 - 3720000);
    pool_end(&f);
}
END_TEST

START_TEST(names__that_lead_elsewhere_end_idle_connections)
{
    struct pool_fixture f;
    struct urlp_lease lease;

    begin_asking(&f);
    lease = lease_take(&f, f.pool);
    lease_give(&lease);
    f.fake.num_gone_below = 2;
    ck_assert_int_eq(do_due(&f), 0); /* not before DNS is asked */
    advance_ms(60000);
    ck_assert_int_eq(do_due(&f), 2);
    ck_assert_uint_eq(pool_stats(&f, NULL).closed[URLPOOL_CLOSED_ADDRESS], 1);
    ck_assert_int_eq(f.fake.num_polite, 1);
    pool_end(&f);
}
END_TEST

START_TEST(names__that_lead_elsewhere_end_a_connection_before_its_next_use)
{
    struct pool_fixture f;
    struct urlp_lease lease;

    begin_asking(&f);
    lease = lease_take_number(&f, 1);
    lease_give(&lease);
    f.fake.num_gone_below = 2;
    lease = lease_take_number(&f, 2);
    ck_assert(!lease.is_reused);
    ck_assert_uint_eq(pool_stats(&f, NULL).closed[URLPOOL_CLOSED_ADDRESS], 1);
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

START_TEST(names__that_lead_elsewhere_end_a_connection_as_it_comes_home)
{
    struct pool_fixture f;
    struct urlp_lease lease;

    begin_asking(&f);
    lease = lease_take_number(&f, 1);
    f.fake.num_gone_below = 2;
    lease_give(&lease);
    ck_assert_uint_eq(pool_stats(&f, NULL).closed[URLPOOL_CLOSED_ADDRESS], 1);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    pool_end(&f);
}
END_TEST

START_TEST(names__do_not_matter_where_they_are_to_be_ignored)
{
    struct pool_fixture f;
    struct urlp_lease lease;

    begin_with(&f, 0); /* ignores them */
    lease = lease_take_number(&f, 1);
    f.fake.num_gone_below = 2;
    lease_give(&lease);
    ck_assert_int_eq(due_ms(&f), 55000);
    (void)urlp_pool_set_maintain(f.set);
    lease = lease_take_number(&f, 1);
    lease_give(&lease);
    ck_assert_int_eq(f.fake.num_asks, 0);
    pool_end(&f);
}
END_TEST

/* --- pools that nobody uses ------------------------------------------------------------------- */

START_TEST(pool__that_was_empty_for_long_leaves_the_set)
{
    struct pool_fixture f;
    struct urlpool_pool *other;
    struct urlp_lease lease;

    begin_with(&f, 0);
    other = pool_get(&f, "b");
    lease = lease_take(&f, other);
    lease_give(&lease);
    urlp_pool_unref(other);
    ck_assert_uint_eq(pool_stats(&f, NULL).pools, 2);
    advance_ms(55000);
    ck_assert_int_eq(due_ms(&f), 545000); /* it has no connection any more */
    advance_ms(544999);
    ck_assert_int_eq(due_ms(&f), 1);
    ck_assert_uint_eq(pool_stats(&f, NULL).pools, 2);
    advance_ms(1);
    ck_assert_int_eq(due_ms(&f), -1);
    ck_assert_uint_eq(pool_stats(&f, NULL).pools, 1); /* the fixture holds "a" */
    pool_end(&f);
}
END_TEST

START_TEST(pools__of_ten_thousand_origins_do_not_stay)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    uint64_t most = 0;

    settings.num_pools = 100000;
    pool_begin(&f, &settings);
    for (int i = 0; i < 10000; i++) {
        char name[32];
        struct urlpool_pool *pool;
        struct urlp_lease lease;

        (void)snprintf(name, sizeof(name), "o%d", i);
        pool = pool_get(&f, name);
        lease = lease_take(&f, pool);
        lease_give(&lease);
        urlp_pool_unref(pool);
        advance_ms(1000);
        most = pool_stats(&f, NULL).pools > most ? pool_stats(&f, NULL).pools : most;
    }
    ck_assert_uint_le(most, 610); /* who was used in the last ten minutes, and "a" */
    pool_end(&f);
}
END_TEST

RUN_TESTS("upkeep", maintain__keeps_what_is_good_in_its_order,
          maintain__closes_what_its_peer_has_closed,
          maintain__closes_what_has_expired_behind_what_has_not,
          maintain__does_not_make_a_connection_younger,
          maintain__costs_as_much_as_there_are_connections,
          due__is_when_the_first_connection_expires_to_the_millisecond,
          due__after_a_suspend_is_at_once, ended__connection_in_use_is_not_kept_when_it_comes_home,
          ended__idle_connection_is_looked_at_and_goes_whatever_the_look_shows,
          min_idle__is_kept_by_dials, min_idle__stays_within_maxsize_and_takes_nobodys_place,
          min_idle__dials_in_vain_come_with_growing_pauses,
          min_idle__a_server_that_closes_at_once_is_not_dialled_in_a_loop,
          min_idle__ends_when_nobody_has_wanted_the_origin_for_long,
          names__are_asked_for_as_often_as_ttl_and_a_minute_allow,
          names__that_lead_elsewhere_end_idle_connections,
          names__that_lead_elsewhere_end_a_connection_before_its_next_use,
          names__that_lead_elsewhere_end_a_connection_as_it_comes_home,
          names__do_not_matter_where_they_are_to_be_ignored,
          pool__that_was_empty_for_long_leaves_the_set, pools__of_ten_thousand_origins_do_not_stay)
