/* Connections opened before anybody asks for them. */

#include <check.h>

#include "base/clock.h"
#include "support/pool_fixture.h"
#include "support/run_tests.h"

static void warm(struct pool_fixture *f, size_t num)
{
    struct urlpool_error err = {0};

    ck_assert_msg(urlp_pool_warm(f->pool, num, -1, &f->call, &err) == URLPOOL_OK, "%s",
                  err.message);
}

START_TEST(warm__opens_as_many_as_are_asked_for)
{
    struct pool_fixture f;
    struct urlp_lease lease;

    pool_begin(&f, NULL);
    warm(&f, 2);
    ASSERT_POOL(&f, "open 2 idle 2 leased 0 dialling 0 waiting 0 reused 0 opened 2");
    lease = lease_take(&f, f.pool);
    ck_assert(lease.is_reused);
    ASSERT_POOL(&f, "open 2 idle 1 leased 1 dialling 0 waiting 0 reused 1 opened 2");
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

START_TEST(warm__counts_what_is_there)
{
    struct pool_fixture f;
    struct urlp_lease lease;

    pool_begin(&f, NULL);
    lease = lease_take(&f, f.pool);
    warm(&f, 2);
    ASSERT_POOL(&f, "open 2 idle 1 leased 1 dialling 0 waiting 0 reused 0 opened 2");
    warm(&f, 2);
    warm(&f, 0);
    ck_assert_int_eq(f.fake.num_dials, 2);
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

START_TEST(warm__ends_at_maxsize)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;

    settings.block = false;
    pool_begin(&f, &settings);
    warm(&f, 5);
    ASSERT_POOL(&f, "open 2 idle 2 leased 0 dialling 0 waiting 0 reused 0 opened 2");
    pool_end(&f);
}
END_TEST

START_TEST(warm__ends_at_the_bounds_of_the_set_and_evicts_nothing)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlpool_pool *b;
    struct urlp_lease lease;

    settings.maxsize = 8;
    settings.max_total = 3;
    settings.max_idle_total = 2;
    pool_begin(&f, &settings);
    b = pool_get(&f, "b");
    lease = lease_take(&f, b);
    lease_give(&lease);
    warm(&f, 8);
    ASSERT_POOL(&f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    ASSERT_POOL_OF(b, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    lease = lease_take(&f, b);
    warm(&f, 8);
    ASSERT_POOL(&f, "open 2 idle 2 leased 0 dialling 0 waiting 0 reused 0 opened 2");
    ck_assert_uint_eq(pool_stats(&f, NULL).closed[URLPOOL_CLOSED_EVICTED], 0);
    lease_kill(&lease, URLPOOL_CLOSED_ERROR);
    urlp_pool_unref(b);
    pool_end(&f);
}
END_TEST

START_TEST(warm__tells_of_the_dial_that_failed_and_keeps_the_others)
{
    struct pool_fixture f;
    struct urlpool_error err = {0};

    pool_begin(&f, NULL);
    warm(&f, 1);
    fake_fail_dials(&f.fake, 1, URLPOOL_E_CONNECT, 0);
    ck_assert_int_eq(urlp_pool_warm(f.pool, 2, -1, &f.call, &err), URLPOOL_E_CONNECT);
    ck_assert_int_eq(err.code, URLPOOL_E_CONNECT);
    ASSERT_POOL(&f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    pool_end(&f);
}
END_TEST

START_TEST(warm__is_bounded_as_a_whole)
{
    struct pool_fixture f;

    pool_begin(&f, NULL);
    ck_assert_int_eq(urlp_pool_warm(f.pool, 2, 500, &f.call, NULL), URLPOOL_OK);
    ck_assert_int_eq(f.fake.last_connect_ns, urlp_now_ns() + 500 * MS);
    pool_end(&f);
}
END_TEST

START_TEST(warm__uses_up_no_request)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlp_lease lease;

    settings.requests_max = 1;
    pool_begin(&f, &settings);
    warm(&f, 1);
    ASSERT_POOL(&f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    lease = lease_take_number(&f, 1);
    lease_give(&lease);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 1 opened 1");
    pool_end(&f);
}
END_TEST

START_TEST(warm__connections_expire_as_others_do)
{
    struct pool_fixture f;

    pool_begin(&f, NULL);
    warm(&f, 1);
    urlp_clock_fake_advance(55 * S);
    warm(&f, 1);
    ASSERT_POOL(&f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 2");
    ck_assert_uint_eq(pool_stats(&f, NULL).closed[URLPOOL_CLOSED_IDLE], 1);
    pool_end(&f);
}
END_TEST

START_TEST(warm__does_nothing_in_a_closed_pool)
{
    struct pool_fixture f;

    pool_begin(&f, NULL);
    urlp_pool_close(f.pool);
    ck_assert_int_eq(urlp_pool_warm(f.pool, 2, -1, &f.call, NULL), URLPOOL_E_POOL_CLOSED);
    ck_assert_int_eq(f.fake.num_dials, 0);
    pool_end(&f);
}
END_TEST

RUN_TESTS("warm", warm__opens_as_many_as_are_asked_for, warm__counts_what_is_there,
          warm__ends_at_maxsize, warm__ends_at_the_bounds_of_the_set_and_evicts_nothing,
          warm__tells_of_the_dial_that_failed_and_keeps_the_others, warm__is_bounded_as_a_whole,
          warm__uses_up_no_request, warm__connections_expire_as_others_do,
          warm__does_nothing_in_a_closed_pool)
