#ifndef TEST_SUPPORT_POOL_FIXTURE_H
#define TEST_SUPPORT_POOL_FIXTURE_H

#include <pthread.h>

#include "support/fake_connector.h"

#define MS INT64_C(1000000) /* in ns */
#define S  INT64_C(1000000000)

/* A pool to http://a.test:80 on the fake connector and the fake clock. */
struct pool_fixture {
    struct fake_connector fake;
    struct urlp_pool_set *set;
    struct urlpool_pool *pool; /* "a", a reference */
    struct urlp_call call;     /* no bound, no token */
};

/* pool_defaults are settings for tests: 8 pools, maxsize 2, block, 55 s idle, no lifetime. */
struct urlp_pool_settings pool_defaults(void);
void pool_begin(struct pool_fixture *f, const struct urlp_pool_settings *settings);
/* pool_end frees all, and checks that the figures agree, that nobody but the fixture holds "a" and
 * that every connection was ended. All leases are over. */
void pool_end(struct pool_fixture *f);

/* pool_get gets the pool to http://<host>.test:80; the caller unrefs it. */
struct urlpool_pool *pool_get(struct pool_fixture *f, const char *host);

/* ASSERT_POOL compares what the pool "a" says of itself, but for its name and its holders:
 * ASSERT_POOL(&f, "open 1 idle 0 leased 1 dialling 0 waiting 0 reused 0 opened 1"). It also checks
 * what is always true (support/pool_invariants.h). */
#define ASSERT_POOL(f, text)       pool_assert((f)->pool, text, __FILE__, __LINE__)
#define ASSERT_POOL_OF(pool, text) pool_assert(pool, text, __FILE__, __LINE__)
void pool_assert(struct urlpool_pool *pool, const char *text, const char *file, int line);

/* pool_stats are the figures of `pool`, or of the set when it is NULL. */
struct urlpool_stats pool_stats(struct pool_fixture *f, struct urlpool_pool *pool);

/* lease_take acquires without waiting; it has to work. lease_take_number also says which connection
 * it has to be. */
struct urlp_lease lease_take(struct pool_fixture *f, struct urlpool_pool *pool);
struct urlp_lease lease_take_number(struct pool_fixture *f, int number);
/* lease_fail acquires without waiting from "a" and returns why it did not work. */
enum urlpool_code lease_fail(struct pool_fixture *f);

/* lease_give gives a connection back reusable, lease_kill not. */
void lease_give(struct urlp_lease *lease);
void lease_kill(struct urlp_lease *lease, enum urlpool_closed why);
void lease_give_hinted(struct urlp_lease *lease, int64_t timeout_s, int64_t max);

/* A thread that acquires from a pool and ends with the result. */
struct lease_thread {
    pthread_t thread;
    struct urlpool_pool *pool;
    struct urlp_call call;
    int64_t pool_ms;
    int64_t connect_ms;
    struct urlp_lease lease;
    enum urlpool_code code;
    struct urlpool_error err;
};

/* lease_thread_start begins one on "a", bounded by `pool_ms`. lease_thread_start_call has its own
 * call. */
void lease_thread_start(struct lease_thread *thread, struct pool_fixture *f, int64_t pool_ms);
void lease_thread_start_call(struct lease_thread *thread, struct urlpool_pool *pool,
                             int64_t pool_ms, int64_t connect_ms, const struct urlp_call *call);
/* lease_thread_start_waiting also waits until it is the `nth` thread that waits on the clock. */
void lease_thread_start_waiting(struct lease_thread *thread, struct pool_fixture *f,
                                int64_t pool_ms, int nth);
/* lease_thread_join returns the code it got. */
enum urlpool_code lease_thread_join(struct lease_thread *thread);

#endif /* TEST_SUPPORT_POOL_FIXTURE_H */
