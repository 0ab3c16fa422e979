/* What becomes of a connection that comes home, and of its place. */

#include <check.h>

#include "base/clock.h"
#include "support/pool_fixture.h"
#include "support/run_tests.h"

START_TEST(release__ends_what_is_not_reusable_for_its_reason)
{
    static const enum urlpool_closed reasons[] = {URLPOOL_CLOSED_NOT_REUSABLE,
                                                  URLPOOL_CLOSED_UNREAD, URLPOOL_CLOSED_ERROR};
    struct pool_fixture f;

    pool_begin(&f, NULL);
    for (int i = 0; i < 3; i++) {
        struct urlp_lease lease = lease_take_number(&f, i + 1);

        lease_kill(&lease, reasons[i]);
        ck_assert_uint_eq(pool_stats(&f, f.pool).closed[reasons[i]], 1);
        ck_assert_uint_eq(pool_stats(&f, NULL).closed[reasons[i]], 1);
        ck_assert_int_eq(f.fake.num_ended, i + 1);
    }
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 3");
    pool_end(&f);
}
END_TEST

START_TEST(release__ends_politely_only_when_told_so)
{
    struct pool_fixture f;
    struct urlp_lease lease;
    struct urlp_lease_end end = {.why = URLPOOL_CLOSED_NOT_REUSABLE, .is_polite = true};

    pool_begin(&f, NULL);
    lease = lease_take(&f, f.pool);
    lease_kill(&lease, URLPOOL_CLOSED_ERROR);
    ck_assert_int_eq(f.fake.num_polite, 0);
    lease = lease_take(&f, f.pool);
    urlp_lease_release(&lease, &end);
    ck_assert_int_eq(f.fake.num_polite, 1);
    pool_end(&f);
}
END_TEST

START_TEST(release__accepts_a_lease_of_nothing)
{
    struct urlp_lease lease = {0};
    struct urlp_lease_end end = {.is_reusable = true};

    urlp_lease_release(&lease, &end);
    ck_assert_ptr_null(lease.pool);
}
END_TEST

START_TEST(release__closes_the_surplus)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlp_lease leases[3];

    settings.block = false;
    settings.maxsize = 1;
    pool_begin(&f, &settings);
    for (int i = 0; i < 3; i++) {
        leases[i] = lease_take(&f, f.pool);
    }
    lease_give(&leases[1]);
    ASSERT_POOL(&f, "open 3 idle 1 leased 2 dialling 0 waiting 0 reused 0 opened 3");
    lease_give(&leases[0]);
    ck_assert_int_eq(f.fake.last_ended, 1);
    ck_assert_int_eq(f.fake.num_polite, 1);
    lease_give(&leases[2]);
    ASSERT_POOL(&f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 3");
    ck_assert_uint_eq(pool_stats(&f, f.pool).closed[URLPOOL_CLOSED_SURPLUS], 2);
    pool_end(&f);
}
END_TEST

START_TEST(release__does_not_count_what_has_expired_as_kept)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlp_lease leases[2];

    settings.block = false;
    settings.maxsize = 1;
    pool_begin(&f, &settings);
    leases[0] = lease_take(&f, f.pool);
    leases[1] = lease_take(&f, f.pool);
    lease_give(&leases[0]);
    urlp_clock_fake_advance(55 * S);
    lease_give(&leases[1]);
    ASSERT_POOL(&f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 2");
    ck_assert_int_eq(f.fake.last_ended, 1);
    ck_assert_uint_eq(pool_stats(&f, f.pool).closed[URLPOOL_CLOSED_IDLE], 1);
    pool_end(&f);
}
END_TEST

START_TEST(redial__keeps_the_place)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlp_lease lease;
    struct lease_thread waiter;

    settings.maxsize = 1;
    pool_begin(&f, &settings);
    lease = lease_take(&f, f.pool);
    lease_give(&lease);
    lease = lease_take(&f, f.pool);
    lease_thread_start_waiting(&waiter, &f, -1, 1);
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 1 reused 1 opened 1");
    ck_assert_int_eq(urlp_lease_redial(&lease, 70, &f.call, NULL), URLPOOL_OK);
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 1 reused 1 opened 2");
    ck_assert_int_eq(fake_number(lease.connection), 2);
    ck_assert(!lease.is_reused);
    ck_assert_int_eq(f.fake.last_connect_ns, 1000 * S + 70 * MS);
    ck_assert_int_eq(f.fake.last_ended, 1);
    ck_assert_int_eq(f.fake.num_polite, 0);
    ck_assert_uint_eq(pool_stats(&f, f.pool).closed[URLPOOL_CLOSED_STALE], 1);
    lease_give(&lease);
    ck_assert_int_eq(lease_thread_join(&waiter), URLPOOL_OK);
    lease_give(&waiter.lease);
    pool_end(&f);
}
END_TEST

START_TEST(redial__gives_the_place_on_when_it_fails)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlp_lease lease;
    struct lease_thread waiter;
    struct urlpool_error err;

    settings.maxsize = 1;
    pool_begin(&f, &settings);
    lease = lease_take(&f, f.pool);
    lease_thread_start_waiting(&waiter, &f, -1, 1);
    fake_fail_dials(&f.fake, 1, URLPOOL_E_CONNECT_TIMEOUT, 0);
    ck_assert_int_eq(urlp_lease_redial(&lease, -1, &f.call, &err), URLPOOL_E_CONNECT_TIMEOUT);
    ck_assert_int_eq(err.code, URLPOOL_E_CONNECT_TIMEOUT);
    ck_assert_ptr_null(lease.pool);
    ck_assert_int_eq(lease_thread_join(&waiter), URLPOOL_OK);
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 0 reused 0 opened 2");
    lease_give(&waiter.lease);
    pool_end(&f);
}
END_TEST

/* Each way to lose a connection, with somebody waiting for the place. */
static void fail_by_dial(struct pool_fixture *f, struct urlp_lease *lease)
{
    fake_fail_dials(&f->fake, 1, URLPOOL_E_CONNECT, 0);
    ck_assert_int_eq(urlp_lease_redial(lease, -1, &f->call, NULL), URLPOOL_E_CONNECT);
}

static void fail_by_error(struct pool_fixture *f, struct urlp_lease *lease)
{
    (void)f;
    lease_kill(lease, URLPOOL_CLOSED_ERROR);
}

static void fail_by_age(struct pool_fixture *f, struct urlp_lease *lease)
{
    (void)f;
    lease_give_hinted(lease, 0, -1);
}

static void fail_by_count(struct pool_fixture *f, struct urlp_lease *lease)
{
    (void)f;
    lease_give_hinted(lease, -1, 0);
}

START_TEST(release__loses_no_place_whatever_happens)
{
    static void (*const failures[])(struct pool_fixture *, struct urlp_lease *) = {
        fail_by_dial, fail_by_error, fail_by_age, fail_by_count};
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlp_lease lease;

    settings.maxsize = 1;
    pool_begin(&f, &settings);
    lease = lease_take(&f, f.pool);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
            struct lease_thread waiter;

            lease_thread_start_waiting(&waiter, &f, -1, 1);
            failures[i](&f, &lease);
            ck_assert_int_eq(lease_thread_join(&waiter), URLPOOL_OK);
            lease = waiter.lease;
            ck_assert(!lease.is_reused);
        }
    }
    lease_give(&lease);
    ASSERT_POOL(&f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 13");
    pool_end(&f);
}
END_TEST

RUN_TESTS("lease_end", release__ends_what_is_not_reusable_for_its_reason,
          release__ends_politely_only_when_told_so, release__accepts_a_lease_of_nothing,
          release__closes_the_surplus, release__does_not_count_what_has_expired_as_kept,
          redial__keeps_the_place, redial__gives_the_place_on_when_it_fails,
          release__loses_no_place_whatever_happens)
