/* Which pools there are: found, retired, cleared, closed, while threads work in them. */

#include <check.h>
#include <string.h>

#include "base/clock.h"
#include "pool/core.h"
#include "support/failing_allocator.h"
#include "support/pool_fixture.h"
#include "support/run_tests.h"

static struct urlp_route route_to(const char *host)
{
    return (struct urlp_route){
        .origin = {.host = urlp_span_of(host), .port = 80}
    };
}

START_TEST(get__finds_the_same_pool_for_the_same_route)
{
    struct pool_fixture f;
    struct urlp_route route = route_to("a.test");
    struct urlpool_pool *pool;

    pool_begin(&f, NULL);
    pool = urlp_pool_set_get(f.set, &route, NULL);
    ck_assert_ptr_eq(pool, f.pool);
    urlp_pool_unref(pool);
    ck_assert_uint_eq(pool_stats(&f, NULL).pools, 1);
    pool_end(&f);
}
END_TEST

START_TEST(get__makes_another_pool_for_another_route)
{
    struct urlp_route routes[6];
    struct urlpool_pool *pools[6];
    struct pool_fixture f;

    for (int i = 0; i < 6; i++) {
        routes[i] = route_to("a.test");
    }
    routes[1].origin.host = urlp_span_of("b.test");
    routes[2].origin.port = 8080;
    routes[3].origin.is_https = true;
    routes[4].origin.is_https = true;
    routes[4].tls_serial = 2;
    routes[5].origin.zone = urlp_span_of("eth0");
    pool_begin(&f, NULL);
    for (int i = 0; i < 6; i++) {
        pools[i] = urlp_pool_set_get(f.set, &routes[i], NULL);
        for (int j = 0; j < i; j++) {
            ck_assert_ptr_ne(pools[i], pools[j]);
        }
    }
    ck_assert_uint_eq(pool_stats(&f, NULL).pools, 6);
    ck_assert_str_eq(pools[2]->name, "http://a.test:8080");
    ck_assert_str_eq(pools[3]->name, "https://a.test:80");
    for (int i = 0; i < 6; i++) {
        urlp_pool_unref(pools[i]);
    }
    pool_end(&f);
}
END_TEST

START_TEST(get__copies_the_route)
{
    struct pool_fixture f;
    char host[] = "copied.test";
    char zone[] = "eth0";
    struct urlp_route route = route_to(host);
    struct urlpool_pool *pool;
    const struct urlp_route *kept;

    pool_begin(&f, NULL);
    route.origin.zone = urlp_span_of(zone);
    pool = urlp_pool_set_get(f.set, &route, NULL);
    host[0] = zone[0] = 'X';
    kept = urlp_pool_route(pool);
    ck_assert(urlp_span_is(kept->origin.host, "copied.test"));
    ck_assert(urlp_span_is(kept->origin.zone, "eth0"));
    ck_assert_int_eq(kept->origin.port, 80);
    ck_assert_ptr_eq(urlp_pool_user(pool), &f.fake);
    urlp_pool_unref(pool);
    pool_end(&f);
}
END_TEST

START_TEST(get__refuses_a_zone_that_fits_no_key)
{
    static char zone[1000];
    struct pool_fixture f;
    struct urlp_route route = route_to("a.test");
    struct urlpool_error err;

    memset(zone, 'z', sizeof(zone));
    route.origin.zone = urlp_span_make(zone, sizeof(zone));
    pool_begin(&f, NULL);
    ck_assert_ptr_null(urlp_pool_set_get(f.set, &route, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_URL);
    pool_end(&f);
}
END_TEST

START_TEST(get__holds_the_tls_settings_while_the_pool_lives)
{
    struct pool_fixture f;
    struct urlp_route route = route_to("a.test");
    struct urlpool_pool *pool;
    int settings;

    pool_begin(&f, NULL);
    route.origin.is_https = true;
    route.tls = (struct urlpool_tls *)(void *)&settings;
    route.tls_serial = 1;
    pool = urlp_pool_set_get(f.set, &route, NULL);
    ck_assert_int_eq(f.fake.num_tls_refs, 1);
    ck_assert_ptr_eq(urlp_pool_set_get(f.set, &route, NULL), pool);
    urlp_pool_unref(pool);
    ck_assert_int_eq(f.fake.num_tls_refs, 1);
    urlp_pool_set_clear(f.set);
    ck_assert_int_eq(f.fake.num_tls_refs, 1); /* held still */
    urlp_pool_unref(pool);
    ck_assert_int_eq(f.fake.num_tls_refs, 0);
    pool_end(&f);
}
END_TEST

START_TEST(set__refuses_settings_without_a_place)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct fake_connector fake;
    struct urlpool_error err;
    struct urlp_pool_set *set;

    fake_connector_init(&fake);
    settings.maxsize = 0;
    ck_assert_ptr_null(urlp_pool_set_new(&settings, &fake.table, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_INVALID);
    settings.maxsize = -1;
    settings.block = false;
    ck_assert_ptr_null(urlp_pool_set_new(&settings, &fake.table, &err));
    settings.maxsize = 0;
    settings.num_pools = -1;
    ck_assert_ptr_null(urlp_pool_set_new(&settings, &fake.table, &err));
    settings.num_pools = 0;
    set = urlp_pool_set_new(&settings, &fake.table, &err);
    ck_assert_ptr_nonnull(set);
    urlp_pool_set_free(set);
    urlp_pool_set_free(NULL);
    fake_connector_deinit(&fake);
}
END_TEST

START_TEST(set__loses_nothing_when_memory_is_out)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct urlp_route route = route_to("a.test");
    struct fake_connector fake;
    struct urlpool_error err;

    fake_connector_init(&fake);
    failing_allocator_install();
    for (uint64_t n = 1;; n++) {
        struct urlp_pool_set *set;
        struct urlpool_pool *pool = NULL;

        failing_allocator_fail_nth(n);
        set = urlp_pool_set_new(&settings, &fake.table, &err);
        if (set != NULL) {
            pool = urlp_pool_set_get(set, &route, &err);
        }
        if (pool == NULL) {
            ck_assert_int_eq(err.code, URLPOOL_E_NOMEM);
        }
        ck_assert_int_eq(pool == NULL, failing_allocator_has_failed());
        urlp_pool_unref(pool);
        urlp_pool_set_free(set);
        ck_assert_int_eq(failing_allocator_num_live(), 0);
        if (!failing_allocator_has_failed()) {
            ck_assert_uint_ge(n, 5); /* set, core, name, pool, key and slots of the map */
            break;
        }
    }
    failing_allocator_remove();
    fake_connector_deinit(&fake);
}
END_TEST

START_TEST(retire__takes_the_least_recently_used_of_too_many)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlpool_pool *b;
    struct urlpool_pool *c;
    struct urlp_lease lease;

    settings.num_pools = 2;
    pool_begin(&f, &settings);
    b = pool_get(&f, "b");
    lease = lease_take(&f, b);
    lease_give(&lease);
    urlp_pool_unref(b);
    urlp_pool_unref(pool_get(&f, "a")); /* so that b is the older */
    c = pool_get(&f, "c");
    ck_assert_uint_eq(pool_stats(&f, NULL).pools, 2);
    ck_assert_uint_eq(pool_stats(&f, NULL).pools_retired, 1);
    ck_assert_uint_eq(pool_stats(&f, NULL).closed[URLPOOL_CLOSED_RETIRED], 1);
    ck_assert_int_eq(f.fake.num_ended, 1);
    ck_assert_int_eq(f.fake.num_polite, 1);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 0");
    urlp_pool_unref(c);
    pool_end(&f);
}
END_TEST

START_TEST(retire__counts_a_lease_as_use)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlpool_pool *b;
    struct urlp_lease lease;

    settings.num_pools = 2;
    pool_begin(&f, &settings);
    b = pool_get(&f, "b");
    lease = lease_take(&f, f.pool); /* through a reference taken long ago */
    lease_give(&lease);
    urlp_pool_unref(pool_get(&f, "c"));
    ASSERT_POOL_OF(b, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 0 retired");
    ASSERT_POOL(&f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    urlp_pool_unref(b);
    pool_end(&f);
}
END_TEST

START_TEST(retire__never_closes_what_is_used)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlp_lease lease;
    struct lease_thread waiter;
    struct lease_thread dialler;

    settings.num_pools = 1;
    pool_begin(&f, &settings);
    lease = lease_take(&f, f.pool);
    fake_hold_dials(&f.fake);
    lease_thread_start(&dialler, &f, -1);
    fake_await_held(&f.fake, 1);
    lease_thread_start_waiting(&waiter, &f, -1, 1);
    urlp_pool_unref(pool_get(&f, "b"));
    ASSERT_POOL(&f, "open 2 idle 0 leased 1 dialling 1 waiting 1 reused 0 opened 1 retired");
    ck_assert_int_eq(f.fake.num_ended, 0);

    /* It works on for who holds it, and keeps nothing: the connection dies when it comes home, and
     * the waiter gets its place. */
    lease_give(&lease);
    ck_assert_int_eq(f.fake.num_ended, 1);
    fake_await_held(&f.fake, 2);
    ASSERT_POOL(&f, "open 2 idle 0 leased 0 dialling 2 waiting 0 reused 0 opened 1 retired");
    fake_let_dials(&f.fake, 2);
    ck_assert_int_eq(lease_thread_join(&dialler), URLPOOL_OK);
    ck_assert_int_eq(lease_thread_join(&waiter), URLPOOL_OK);
    lease_give(&dialler.lease);
    lease_give(&waiter.lease);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 3 retired");
    ck_assert_uint_eq(pool_stats(&f, f.pool).closed[URLPOOL_CLOSED_RETIRED], 3);
    pool_end(&f);
}
END_TEST

START_TEST(retire__frees_the_pool_with_its_last_lease)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlpool_pool *b;
    struct urlp_lease lease;

    settings.num_pools = 1;
    pool_begin(&f, &settings);
    b = pool_get(&f, "b");
    lease = lease_take(&f, b);
    urlp_pool_unref(b);
    urlp_pool_unref(pool_get(&f, "c"));
    lease_give(&lease); /* b is freed here: the sanitizers say if not, or if too early */
    ck_assert_int_eq(f.fake.num_ended, 1);
    pool_end(&f);
}
END_TEST

START_TEST(retire__happens_at_once_when_num_pools_is_none)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlp_lease lease;
    struct urlpool_pool *pool;

    settings.num_pools = 0;
    pool_begin(&f, &settings);
    lease = lease_take(&f, f.pool);
    pool = pool_get(&f, "a");
    ck_assert_ptr_eq(pool, f.pool); /* shared while somebody holds it */
    urlp_pool_unref(pool);
    lease_give(&lease);
    ASSERT_POOL(&f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    urlp_pool_unref(f.pool);
    ck_assert_uint_eq(pool_stats(&f, NULL).pools, 0);
    ck_assert_int_eq(f.fake.num_ended, 1);
    f.pool = NULL;
    pool_end(&f);
}
END_TEST

START_TEST(clear__retires_every_pool)
{
    struct pool_fixture f;
    struct urlpool_pool *fresh;
    struct urlp_lease idle;
    struct urlp_lease leased;

    pool_begin(&f, NULL);
    idle = lease_take(&f, f.pool);
    leased = lease_take(&f, f.pool);
    lease_give(&idle);
    urlp_pool_set_clear(f.set);
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 0 reused 0 opened 2 retired");
    ck_assert_uint_eq(pool_stats(&f, NULL).pools, 0);
    fresh = pool_get(&f, "a");
    ck_assert_ptr_ne(fresh, f.pool);
    lease_give(&leased);
    ck_assert_uint_eq(pool_stats(&f, NULL).closed[URLPOOL_CLOSED_CLEARED], 2);
    ck_assert_uint_eq(pool_stats(&f, NULL).pools_retired, 1);
    urlp_pool_unref(fresh);
    pool_end(&f);
}
END_TEST

START_TEST(retire_tls__retires_the_pools_of_one_configuration)
{
    struct pool_fixture f;
    struct urlp_route route = route_to("s.test");
    struct urlpool_pool *pools[3];
    struct urlp_lease lease;

    pool_begin(&f, NULL); /* and one without TLS, the serial of which is 0 */
    route.origin.is_https = true;
    route.tls_serial = 1;
    pools[0] = urlp_pool_set_get(f.set, &route, NULL);
    lease = lease_take(&f, pools[0]);
    lease_give(&lease);
    route.tls_serial = 2;
    pools[1] = urlp_pool_set_get(f.set, &route, NULL);
    lease = lease_take(&f, pools[1]);
    lease_give(&lease);
    urlp_pool_set_retire_tls(f.set, 1);
    ASSERT_POOL_OF(pools[0],
                   "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 1 retired");
    ASSERT_POOL_OF(pools[1], "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    ck_assert_uint_eq(pool_stats(&f, NULL).pools, 2);
    ck_assert_uint_eq(pool_stats(&f, NULL).closed[URLPOOL_CLOSED_CLEARED], 1);
    pools[2] = urlp_pool_set_get(f.set, &route, NULL);
    ck_assert_ptr_eq(pools[2], pools[1]);
    for (int i = 0; i < 3; i++) {
        urlp_pool_unref(pools[i]);
    }
    pool_end(&f);
}
END_TEST

START_TEST(close_idle__closes_what_is_idle_and_nothing_else)
{
    struct pool_fixture f;
    struct urlpool_pool *b;
    struct urlp_lease leases[3];

    pool_begin(&f, NULL);
    b = pool_get(&f, "b");
    leases[0] = lease_take(&f, f.pool);
    leases[1] = lease_take(&f, f.pool);
    leases[2] = lease_take(&f, b);
    lease_give(&leases[0]);
    lease_give(&leases[2]);
    ck_assert_uint_eq(urlp_pool_set_close_idle(f.set), 2);
    ck_assert_uint_eq(urlp_pool_set_close_idle(f.set), 0);
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 0 reused 0 opened 2");
    ASSERT_POOL_OF(b, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 1");
    ck_assert_uint_eq(pool_stats(&f, NULL).closed[URLPOOL_CLOSED_CLEARED], 2);
    lease_give(&leases[1]);
    ASSERT_POOL(&f, "open 1 idle 1 leased 0 dialling 0 waiting 0 reused 0 opened 2");
    urlp_pool_unref(b);
    pool_end(&f);
}
END_TEST

START_TEST(close__ends_waiting_and_idle_and_lets_the_rest_come_home)
{
    struct pool_fixture f;
    struct urlpool_pool *b;
    struct urlp_lease leases[2];
    struct urlp_lease idle;
    struct lease_thread waiters[3];
    struct urlp_route route = route_to("a.test");
    struct urlpool_error err;

    pool_begin(&f, NULL);
    b = pool_get(&f, "b");
    idle = lease_take(&f, b);
    lease_give(&idle);
    leases[0] = lease_take(&f, f.pool);
    leases[1] = lease_take(&f, f.pool);
    for (int i = 0; i < 3; i++) {
        lease_thread_start_waiting(&waiters[i], &f, -1, i + 1);
    }
    urlp_pool_set_close(f.set);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(lease_thread_join(&waiters[i]), URLPOOL_E_POOL_CLOSED);
        ck_assert_str_eq(waiters[i].err.message, "the pool of http://a.test:80 is closed");
    }
    ck_assert_int_eq(f.fake.num_ended, 1);
    ASSERT_POOL(&f, "open 2 idle 0 leased 2 dialling 0 waiting 0 reused 0 opened 2 closed");
    ck_assert_int_eq(lease_fail(&f), URLPOOL_E_POOL_CLOSED);
    ck_assert_ptr_null(urlp_pool_set_get(f.set, &route, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_POOL_CLOSED);

    lease_give(&leases[0]);
    ck_assert_int_eq(f.fake.num_ended, 2);
    urlp_pool_set_close(f.set); /* again is harmless */
    lease_give(&leases[1]);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 2 closed");
    ck_assert_uint_eq(pool_stats(&f, NULL).closed[URLPOOL_CLOSED_SHUTDOWN], 3);
    ck_assert_int_eq(f.fake.num_polite, 3);
    urlp_pool_unref(b);
    pool_end(&f);
}
END_TEST

START_TEST(close__reaches_retired_pools_too)
{
    struct urlp_pool_settings settings = pool_defaults();
    struct pool_fixture f;
    struct urlp_lease lease;
    struct lease_thread waiter;

    settings.maxsize = 1;
    pool_begin(&f, &settings);
    lease = lease_take(&f, f.pool);
    urlp_pool_set_clear(f.set);
    lease_thread_start_waiting(&waiter, &f, -1, 1);
    urlp_pool_set_close(f.set);
    ck_assert_int_eq(lease_thread_join(&waiter), URLPOOL_E_POOL_CLOSED);
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

START_TEST(close__lets_a_dial_finish)
{
    struct pool_fixture f;
    struct lease_thread dialler;

    pool_begin(&f, NULL);
    fake_hold_dials(&f.fake);
    lease_thread_start(&dialler, &f, -1);
    fake_await_held(&f.fake, 1);
    urlp_pool_set_close(f.set);
    fake_let_dials(&f.fake, 1);
    ck_assert_int_eq(lease_thread_join(&dialler), URLPOOL_OK);
    lease_give(&dialler.lease);
    ck_assert_int_eq(fake_num_live(&f.fake), 0);
    pool_end(&f);
}
END_TEST

/* A look during which the set is closed. */
static enum urlp_look look_and_close(void *user, struct urlpool_connection *connection)
{
    struct pool_fixture *f = user;

    (void)connection;
    urlp_pool_set_close(f->set);
    return URLP_LOOK_CLOSED;
}

static struct urlpool_connection *open_through(void *user, const struct urlp_route *route,
                                               const struct urlp_call *call,
                                               struct urlpool_error *err)
{
    struct pool_fixture *f = user;

    return f->fake.table.open(&f->fake, route, call, err);
}

static void rest_not(void *user, struct urlpool_connection *connection)
{
    (void)user;
    (void)connection;
}

static void end_through(void *user, struct urlpool_connection *connection, bool is_polite)
{
    struct pool_fixture *f = user;

    f->fake.table.end(&f->fake, connection, is_polite);
}

START_TEST(close__during_a_look_that_fails_opens_nothing_new)
{
    struct pool_fixture f;
    const struct urlp_connector table = {.open = open_through,
                                         .look = look_and_close,
                                         .rest = rest_not,
                                         .end = end_through,
                                         .user = &f};
    const struct urlp_pool_settings settings = pool_defaults();
    const struct urlp_route route = route_to("a.test");
    struct urlp_lease lease;

    pool_begin(&f, NULL);
    urlp_pool_unref(f.pool);
    urlp_pool_set_free(f.set);
    f.set = urlp_pool_set_new(&settings, &table, NULL);
    f.pool = urlp_pool_set_get(f.set, &route, NULL);
    lease = lease_take(&f, f.pool);
    lease_give(&lease);
    ck_assert_int_eq(lease_fail(&f), URLPOOL_E_POOL_CLOSED);
    ASSERT_POOL(&f, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 1 closed");
    ck_assert_int_eq(f.fake.num_dials, 1);
    pool_end(&f);
}
END_TEST

START_TEST(pool_close__ends_one_pool_only)
{
    struct pool_fixture f;
    struct urlpool_pool *b;
    struct urlpool_pool *fresh;
    struct urlp_lease leased;
    struct urlp_lease idle;
    struct urlp_lease other;

    pool_begin(&f, NULL);
    b = pool_get(&f, "b");
    leased = lease_take(&f, f.pool);
    idle = lease_take(&f, f.pool);
    lease_give(&idle);
    urlp_pool_close(f.pool);
    ck_assert_int_eq(lease_fail(&f), URLPOOL_E_POOL_CLOSED);
    ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 0 reused 0 opened 2 closed");
    lease_give(&leased);
    ck_assert_uint_eq(pool_stats(&f, f.pool).closed[URLPOOL_CLOSED_SHUTDOWN], 2);
    ck_assert_uint_eq(pool_stats(&f, f.pool).pools_retired, 0);

    other = lease_take(&f, b);
    lease_give(&other);
    fresh = pool_get(&f, "a");
    ck_assert_ptr_ne(fresh, f.pool);
    ASSERT_POOL_OF(fresh, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 0");
    urlp_pool_close(f.pool); /* again is harmless */
    urlp_pool_unref(fresh);
    urlp_pool_unref(b);
    pool_end(&f);
}
END_TEST

START_TEST(ref__keeps_a_pool_that_has_left)
{
    struct pool_fixture f;
    struct urlpool_pool *b;

    pool_begin(&f, NULL);
    b = pool_get(&f, "b");
    urlp_pool_ref(b);
    urlp_pool_unref(b);
    urlp_pool_set_clear(f.set);
    ASSERT_POOL_OF(b, "open 0 idle 0 leased 0 dialling 0 waiting 0 reused 0 opened 0 retired");
    urlp_pool_unref(b);
    urlp_pool_unref(NULL);
    pool_end(&f);
}
END_TEST

RUN_TESTS("pool_set", get__finds_the_same_pool_for_the_same_route,
          get__makes_another_pool_for_another_route, get__copies_the_route,
          get__refuses_a_zone_that_fits_no_key, get__holds_the_tls_settings_while_the_pool_lives,
          set__refuses_settings_without_a_place, set__loses_nothing_when_memory_is_out,
          retire__takes_the_least_recently_used_of_too_many, retire__counts_a_lease_as_use,
          retire__never_closes_what_is_used, retire__frees_the_pool_with_its_last_lease,
          retire__happens_at_once_when_num_pools_is_none, clear__retires_every_pool,
          retire_tls__retires_the_pools_of_one_configuration,
          close_idle__closes_what_is_idle_and_nothing_else,
          close__ends_waiting_and_idle_and_lets_the_rest_come_home,
          close__reaches_retired_pools_too, close__lets_a_dial_finish,
          close__during_a_look_that_fails_opens_nothing_new, pool_close__ends_one_pool_only,
          ref__keeps_a_pool_that_has_left)
