/* The steps that pool tests are made of. Each checks that it worked, so that a test shows only what
 * it is about. */

#include "support/pool_fixture.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "pool/core.h"
#include "support/pool_invariants.h"

struct urlp_pool_settings pool_defaults(void)
{
    return (struct urlp_pool_settings){
        .num_pools = 8,
        .maxsize = 2,
        .block = true,
        .idle_ms = 55000,
        .lifetime_ms = -1,
        .requests_max = -1,
        .max_total = -1,
        .max_idle_total = -1,
        .max_waiters = -1,
        .leak_ms = -1,
    };
}

void pool_begin(struct pool_fixture *f, const struct urlp_pool_settings *settings)
{
    struct urlp_pool_settings defaults = pool_defaults();

    memset(f, 0, sizeof(*f));
    urlp_clock_fake_begin(1000 * S);
    fake_connector_init(&f->fake);
    f->set = urlp_pool_set_new(settings != NULL ? settings : &defaults, &f->fake.table, NULL);
    ck_assert_ptr_nonnull(f->set);
    f->call.by = f->call.total_by = URLP_NEVER;
    f->pool = pool_get(f, "a");
}

/* check_books holds the set's figures against each other when every lease is over. */
static void check_books(struct pool_fixture *f)
{
    struct urlpool_stats stats = pool_stats(f, NULL);
    uint64_t num_closed = 0;

    pool_check_invariants(f->set);

    for (int i = 0; i < URLPOOL_CLOSED_NUM; i++) {
        num_closed += stats.closed[i];
    }
    ck_assert_uint_eq(stats.leased, 0);
    ck_assert_uint_eq(stats.dialling, stats.half_dials);
    ck_assert_int_eq(f->fake.num_halves, (int)stats.half_dials);
    ck_assert_uint_eq(stats.waiting, 0);
    ck_assert_uint_eq(stats.open, stats.idle + stats.half_dials);
    ck_assert_uint_eq(stats.opened, stats.idle + num_closed);
    ck_assert_int_eq(fake_num_live(&f->fake), (int)stats.idle);
    ck_assert(f->pool == NULL || f->pool->locked.num_refs == 1);
}

void pool_end(struct pool_fixture *f)
{
    check_books(f);
    urlp_pool_unref(f->pool);
    urlp_pool_set_free(f->set);
    ck_assert_int_eq(fake_num_live(&f->fake), 0);
    ck_assert_int_eq(f->fake.num_tls_refs, 0);
    fake_connector_deinit(&f->fake);
    urlp_clock_fake_end();
}

struct urlpool_pool *pool_get(struct pool_fixture *f, const char *host)
{
    char name[64];
    struct urlp_route route = {.origin = {.port = 80}};
    struct urlpool_error err;
    struct urlpool_pool *pool;

    snprintf(name, sizeof(name), "%s.test", host);
    route.origin.host = urlp_span_of(name);
    pool = urlp_pool_set_get(f->set, &route, &err);
    ck_assert_msg(pool != NULL, "%s", err.message);
    return pool;
}

void pool_assert(struct urlpool_pool *pool, const char *text, const char *file, int line)
{
    struct urlp_buf out = {0};
    const char *state;
    char *holders;

    pool_check_invariants(pool->set);
    ck_assert_int_eq(urlp_pool_describe(pool, &out), URLPOOL_OK);
    ck_assert_uint_gt(out.len, 0);
    ck_assert_int_eq(out.data[out.len - 1], '\n');
    out.data[out.len - 1] = '\0';
    holders = strchr((char *)out.data, ';');
    if (holders != NULL) {
        *holders = '\0';
    }
    state = strchr((const char *)out.data, ' ');
    ck_assert_ptr_nonnull(state);
    if (strcmp(state + 1, text) != 0) {
        ck_abort_msg("%s:%d: the pool is\n  %s\nand should be\n  %s", file, line, state + 1, text);
    }
    urlp_buf_deinit(&out);
}

struct urlpool_stats pool_stats(struct pool_fixture *f, struct urlpool_pool *pool)
{
    struct urlpool_stats stats = {0};

    urlp_pool_set_stats(f->set, pool, &stats);
    return stats;
}

struct urlp_lease lease_take(struct pool_fixture *f, struct urlpool_pool *pool)
{
    struct urlp_lease lease = {0};
    struct urlpool_error err = {0};

    if (urlp_lease_acquire(pool, 0, -1, &f->call, &lease, &err) != URLPOOL_OK) {
        ck_abort_msg("no lease: %s", err.message);
    }
    ck_assert_ptr_nonnull(lease.connection);
    return lease;
}

struct urlp_lease lease_take_number(struct pool_fixture *f, int number)
{
    struct urlp_lease lease = lease_take(f, f->pool);

    ck_assert_int_eq(fake_number(lease.connection), number);
    return lease;
}

enum urlpool_code lease_fail(struct pool_fixture *f)
{
    struct urlp_lease lease = {0};
    struct urlpool_error err = {0};
    enum urlpool_code code = urlp_lease_acquire(f->pool, 0, -1, &f->call, &lease, &err);

    ck_assert_int_ne(code, URLPOOL_OK);
    ck_assert_int_eq(err.code, code);
    ck_assert_ptr_null(lease.pool);
    ck_assert_ptr_null(lease.connection);
    return code;
}

void lease_give_hinted(struct urlp_lease *lease, int64_t timeout_s, int64_t max)
{
    struct urlp_lease_end end = {
        .is_reusable = true, .keep_alive_timeout_s = timeout_s, .keep_alive_max = max};

    urlp_lease_release(lease, &end);
    ck_assert_ptr_null(lease->pool);
}

void lease_give(struct urlp_lease *lease)
{
    lease_give_hinted(lease, -1, -1);
}

void lease_kill(struct urlp_lease *lease, enum urlpool_closed why)
{
    struct urlp_lease_end end = {.why = why, .keep_alive_timeout_s = -1, .keep_alive_max = -1};

    urlp_lease_release(lease, &end);
    ck_assert_ptr_null(lease->pool);
}

static void *run_lease_thread(void *arg)
{
    struct lease_thread *thread = arg;

    thread->code = urlp_lease_acquire(thread->pool, thread->pool_ms, thread->connect_ms,
                                      &thread->call, &thread->lease, &thread->err);
    return NULL;
}

void lease_thread_start_call(struct lease_thread *thread, struct urlpool_pool *pool,
                             int64_t pool_ms, int64_t connect_ms, const struct urlp_call *call)
{
    memset(thread, 0, sizeof(*thread));
    thread->pool = pool;
    thread->pool_ms = pool_ms;
    thread->connect_ms = connect_ms;
    thread->call = *call;
    ck_assert_int_eq(pthread_create(&thread->thread, NULL, run_lease_thread, thread), 0);
}

void lease_thread_start(struct lease_thread *thread, struct pool_fixture *f, int64_t pool_ms)
{
    lease_thread_start_call(thread, f->pool, pool_ms, -1, &f->call);
}

void lease_thread_start_waiting(struct lease_thread *thread, struct pool_fixture *f,
                                int64_t pool_ms, int nth)
{
    lease_thread_start(thread, f, pool_ms);
    urlp_clock_fake_await_waiters(nth);
}

enum urlpool_code lease_thread_join(struct lease_thread *thread)
{
    ck_assert_int_eq(pthread_join(thread->thread, NULL), 0);
    if (thread->code != URLPOOL_OK) {
        ck_assert_int_eq(thread->err.code, thread->code);
        ck_assert_ptr_null(thread->lease.connection);
    }
    return thread->code;
}
