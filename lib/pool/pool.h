#ifndef URLP_POOL_POOL_H
#define URLP_POOL_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "urlpool/stats.h"
#include "urlpool/timeout.h"

#include "base/buf.h"
#include "base/call.h"
#include "base/sync.h"
#include "conn/connection.h"
#include "http/route.h"

/* Who may use which connection, and when one must die.
 *
 * A pool set is all the pools of one manager under one mutex. A lease is one thread's right to one
 * place: with a connection in it. Below it, a grant is a connection or a permit to dial, and settle()
 * gives grants: oldest waiter first, newest idle connection first. */

/* struct urlp_connector is how the pool gets, judges and ends connections: conn's in earnest, a fake
 * in the pool's tests. All are called without a lock; only open blocks. */
struct urlp_connector {
    struct urlpool_connection *(*open)(void *user, const struct urlp_route *route,
                                       const struct urlp_call *call, struct urlpool_error *err);
    enum urlp_look {
        URLP_LOOK_GOOD,
        URLP_LOOK_CLOSED,
        URLP_LOOK_UNEXPECTED
    } (*look)(void *user, struct urlpool_connection *connection);
    void (*rest)(void *user, struct urlpool_connection *connection);
    void (*end)(void *user, struct urlpool_connection *connection, bool is_polite);
    void *user;
};

/* Resolved options: no zero means default here. Durations in ms, -1: no bound. */
struct urlp_pool_settings {
    int num_pools;     /* kept; 0: a pool is retired as soon as nobody uses it */
    int maxsize;       /* connections kept per pool; with `block` also open ones */
    bool block;
    int64_t idle_ms;
    int64_t lifetime_ms; /* ±10 % jitter a connection */
    int64_t requests_max; /* of one connection, -1: any number */
};

struct urlp_pool_set;
struct urlpool_pool;

URLPOOL_MUST_USE struct urlp_pool_set *urlp_pool_set_new(const struct urlp_pool_settings *settings,
                                                         const struct urlp_connector *connector,
                                                         struct urlpool_error *err);
/* urlp_pool_set_close: waiters and later leases get URLPOOL_E_POOL_CLOSED, idle connections are
 * closed now, leased ones as they come home. May be called while threads work; again is harmless. */
void urlp_pool_set_close(struct urlp_pool_set *set) URLP_MAY_BLOCK;
/* urlp_pool_set_free: every lease has come home and every pool reference is gone. */
void urlp_pool_set_free(struct urlp_pool_set *set);

/* urlp_pool_set_get finds or makes the pool of `route` and takes a reference. When there are more
 * than num_pools, the least recently used is retired: it leaves the set, keeps working for who holds
 * it, its idle connections are closed, its leased ones as they come home. */
URLPOOL_MUST_USE struct urlpool_pool *urlp_pool_set_get(struct urlp_pool_set *set,
                                                        const struct urlp_route *route,
                                                        struct urlpool_error *err) URLP_MAY_BLOCK;
void urlp_pool_ref(struct urlpool_pool *pool);
void urlp_pool_unref(struct urlpool_pool *pool) URLP_MAY_BLOCK;

/* urlp_pool_set_clear retires every pool; urlp_pool_set_close_idle closes what is idle. */
void urlp_pool_set_clear(struct urlp_pool_set *set) URLP_MAY_BLOCK;
size_t urlp_pool_set_close_idle(struct urlp_pool_set *set) URLP_MAY_BLOCK;

/* struct urlp_lease is a place in use. The caller's storage; zero bytes: none. */
struct urlp_lease {
    struct urlpool_pool *pool;               /* a reference */
    struct urlpool_connection *connection;
    struct urlp_seat *seat;                  /* the pool's own record of the connection */
    bool is_reused;
};

/* urlp_lease_acquire waits its turn for a place in `pool` and fills it: with an idle connection that
 * passes the look, else by dialling.
 *
 * Units:   `pool_ms` bounds the waiting, `connect_ms` the dialling; both also `call->by`.
 * Owns:    a lease ends by urlp_lease_release. Takes its own reference to `pool`.
 * Errors:  URLPOOL_E_POOL_TIMEOUT or TOTAL_TIMEOUT (phase POOL), POOL_CLOSED, CANCELLED, FORKED, those
 *          of dialling; the place has been passed on then.
 * Threads: any number at once; blocks. */
URLPOOL_MUST_USE enum urlpool_code urlp_lease_acquire(struct urlpool_pool *pool,
                                                      int64_t pool_ms, int64_t connect_ms,
                                                      const struct urlp_call *call,
                                                      struct urlp_lease *out,
                                                      struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_lease_redial ends the lease's connection and dials another in the same place: the one free try
 * after a stale connection. On failure the lease is over. */
URLPOOL_MUST_USE enum urlpool_code urlp_lease_redial(struct urlp_lease *lease, int64_t connect_ms,
                                                     const struct urlp_call *call,
                                                     struct urlpool_error *err) URLP_MAY_BLOCK;

/* How an exchange left its connection. */
struct urlp_lease_end {
    bool is_reusable;
    enum urlpool_closed why;      /* when not reusable */
    bool is_polite;               /* when not reusable: may close_notify be sent */
    int64_t keep_alive_timeout_s; /* the server's hints, -1: none */
    int64_t keep_alive_max;
};
/* urlp_lease_release gives the place back and settles; the lease becomes zero bytes. */
void urlp_lease_release(struct urlp_lease *lease, const struct urlp_lease_end *end) URLP_MAY_BLOCK;

/* Figures of one pool, or of all when `pool` is NULL, added to `out`. */
void urlp_pool_set_stats(struct urlp_pool_set *set, struct urlpool_pool *pool,
                         struct urlpool_stats *out) URLP_MAY_BLOCK;
/* urlp_pool_set_describe appends one line a pool: "https://example.com:443 open 3 idle 2 leased 1 …". */
URLPOOL_MUST_USE enum urlpool_code urlp_pool_set_describe(struct urlp_pool_set *set,
                                                          struct urlp_buf *out) URLP_MAY_BLOCK;

/* urlp_pool_describe appends the line of one pool. */
URLPOOL_MUST_USE enum urlpool_code urlp_pool_describe(struct urlpool_pool *pool,
                                                      struct urlp_buf *out) URLP_MAY_BLOCK;

/* urlp_pool_close ends one pool's service as urlp_pool_set_close does that of all: it is retired, its
 * waiters and later leases get URLPOOL_E_POOL_CLOSED. Again is harmless. */
void urlp_pool_close(struct urlpool_pool *pool) URLP_MAY_BLOCK;

/* urlp_pool_route is the way the pool's connections go; immutable, the pool's own. */
const struct urlp_route *urlp_pool_route(const struct urlpool_pool *pool);

/* urlp_pool_user is the `user` of the connector: how client finds the manager of a pool. */
void *urlp_pool_user(const struct urlpool_pool *pool);

#endif /* URLP_POOL_POOL_H */
