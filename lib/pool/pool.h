#ifndef URLP_POOL_POOL_H
#define URLP_POOL_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "urlpool/stats.h"

#include "base/buf.h"
#include "base/call.h"
#include "base/counters.h"
#include "base/sync.h"
#include "conn/connection.h"
#include "http/field.h"
#include "http/route.h"

/* Who may use which connection, and when one must die.
 *
 * A pool set is all the pools of one manager under one mutex; a stand-alone pool is a set of its
 * own. A lease is one thread's right to one place, with a connection in it. Below it, a grant is a
 * connection or a permit to dial, and one function, settle, gives grants: oldest waiter first,
 * newest idle connection first, else a permit while there is room. The pool's own terms are in
 * pool/core.h. */

struct urlpool_tls;
struct urlpool_pool;
struct urlp_pool_set;
struct urlp_seat;

/* enum urlp_look is what a look at an idle connection showed. */
enum urlp_look {
    URLP_LOOK_GOOD,
    URLP_LOOK_CLOSED,     /* its end */
    URLP_LOOK_UNEXPECTED, /* bytes that nobody had asked for */
    URLP_LOOK_GONE        /* it is good, but leads to an address that DNS gives no more */
};

/* struct urlp_connector is how the pool gets, judges and ends connections: conn's in earnest, a
 * fake one in the pool's tests. All are called without a lock; only `open` blocks. */
struct urlp_connector {
    /* open dials within `call->by`. NULL with `err` filled in: it failed, or was broken off
     * (`call->break_off`). */
    struct urlpool_connection *(*open)(void *user, const struct urlp_route *route,
                                       const struct urlp_call *call, struct urlpool_error *err);
    /* look says whether an idle connection may be used. */
    enum urlp_look (*look)(void *user, struct urlpool_connection *connection);
    /* rest is called before a connection becomes idle: it can give memory back. */
    void (*rest)(void *user, struct urlpool_connection *connection);
    /* end closes and frees: politely, or without a byte. */
    void (*end)(void *user, struct urlpool_connection *connection, bool is_polite);
    /* is_gone says whether a connection leads to an address that DNS gives no more. `*seen` is its
     * own, 0 for a new connection. NULL: never. */
    bool (*is_gone)(void *user, const struct urlp_route *route,
                    const struct urlpool_connection *connection, uint64_t *seen);
    /* ask_names asks DNS for the name a route leads to unless what is known is good still, and
     * returns for how many ms it will be, -1: for ever. Blocks until `call->by`. NULL: as -1. */
    int64_t (*ask_names)(void *user, const struct urlp_route *route, const struct urlp_call *call);
    /* drop_half ends what a dial that was broken off has left. NULL: no dial leaves anything. */
    void (*drop_half)(void *user, struct urlp_half_dial *half);
    /* descriptor is what can be watched for the peer's end of a connection, -1: nothing. NULL: as
     * -1. */
    int (*descriptor)(void *user, const struct urlpool_connection *connection);
    /* hold sees to it that the owner of the set lives until let_go; false: it is about to end the
     * set. let_go returns true when its hold was the last, and owner and set are gone. Both may be
     * NULL: the owner ends the set while nobody uses it. */
    bool (*hold)(void *user);
    bool (*let_go)(void *user);
    /* tls_ref and tls_unref hold the TLS settings of a route while its pool lives. Both may be
     * NULL: then the settings outlive the set. */
    void (*tls_ref)(void *user, struct urlpool_tls *tls);
    void (*tls_unref)(void *user, struct urlpool_tls *tls);
    void *user;
};

/* struct urlp_pool_settings are resolved options: no zero means default here. Durations in ms, -1:
 * no bound. */
struct urlp_pool_settings {
    int num_pools;          /* kept; 0: a pool is retired as soon as nobody holds it */
    int maxsize;            /* idle connections kept per pool; with `block` also open ones */
    bool block;             /* wait for a place; else open as many as are asked for */
    int64_t idle_ms;        /* a connection may be idle this long */
    int64_t lifetime_ms;    /* and be used this long, ±10 % of its own */
    int64_t requests_max;   /* of one connection, -1: any number */
    int64_t max_total;      /* open connections of all pools, -1: any number; with it threads wait,
                               `block` or not */
    int64_t max_idle_total; /* idle ones of all pools, -1: any number */
    int64_t max_waiters;    /* threads in the queue of one pool, -1: any number */
    bool ignore_dns_change; /* keep connections to addresses that DNS gives no more */
    int64_t dial_pause_max_ms; /* between two dials of an origin that cannot be reached, at most; 0:
                                  it is dialled at once and by all, -1: no bound */
    int min_idle;              /* idle connections that upkeep sees to for each pool in use */
    bool upkeep_thread;        /* a thread of the set's own does the upkeep */
    int64_t upkeep_ms;         /* bounds each dial of upkeep, -1: no bound */
    const struct urlpool_trace *trace; /* is told of these dials, and of leaks; outlives the set.
                                          NULL: nobody */
    int64_t leak_ms;                   /* a connection held for longer is told of, -1: never */
};

/* urlp_pool_set_new makes a set without pools. `settings` and `connector` are copied.
 *
 * Owns:    the caller ends it with urlp_pool_set_free.
 * Errors:  NULL with URLPOOL_E_INVALID (block or max_total without a place to give),
 *          URLPOOL_E_NOMEM; with upkeep_thread URLPOOL_E_SYSTEM. */
URLPOOL_MUST_USE struct urlp_pool_set *urlp_pool_set_new(const struct urlp_pool_settings *settings,
                                                         const struct urlp_connector *connector,
                                                         struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_pool_set_close ends the set's service: waiters and later leases get URLPOOL_E_POOL_CLOSED,
 * idle connections are closed now, leased ones as they come home. May be called while threads work;
 * again is harmless. */
void urlp_pool_set_close(struct urlp_pool_set *set) URLP_MAY_BLOCK;

/* urlp_pool_set_free closes and frees; accepts NULL. Every lease has come home and every pool
 * reference is gone. */
void urlp_pool_set_free(struct urlp_pool_set *set) URLP_MAY_BLOCK;

/* urlp_pool_set_get finds or makes the pool of `route` and takes a reference. When there are more
 * than num_pools, the least recently used is retired: it leaves the set, keeps working for who
 * holds it, its idle connections are closed, its leased ones as they come home.
 *
 * Owns:    the caller gives its reference back with urlp_pool_unref. The pool copies `route`.
 * Errors:  NULL with URLPOOL_E_POOL_CLOSED, URLPOOL_E_URL (a zone too long), URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE struct urlpool_pool *urlp_pool_set_get(struct urlp_pool_set *set,
                                                        const struct urlp_route *route,
                                                        struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_pool_ref takes another reference. The caller has one. */
void urlp_pool_ref(struct urlpool_pool *pool) URLP_MAY_BLOCK;

/* urlp_pool_unref gives one back; accepts NULL. */
void urlp_pool_unref(struct urlpool_pool *pool) URLP_MAY_BLOCK;

/* urlp_pool_close does to one pool what urlp_pool_set_close does to all. It leaves its set, in
 * which a later urlp_pool_set_get makes a new one. */
void urlp_pool_close(struct urlpool_pool *pool) URLP_MAY_BLOCK;

/* urlp_pool_user is `user` of the connector its set was made with. */
void *urlp_pool_user(const struct urlpool_pool *pool);

/* urlp_pool_route is the way to the pool's origin. Owns: valid as long as the pool. */
const struct urlp_route *urlp_pool_route(const struct urlpool_pool *pool);

/* urlp_pool_here takes a reference to this process's pool for the origin of `pool`: to `pool`
 * itself, unless that is a parent process's.
 *
 * Errors:  those of urlp_pool_set_get. */
URLPOOL_MUST_USE struct urlpool_pool *urlp_pool_here(struct urlpool_pool *pool,
                                                     struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_pool_counters is where what is done with the pool's connections is counted. Owns: valid as
 * long as the pool. */
struct urlp_counters *urlp_pool_counters(struct urlpool_pool *pool);

/* urlp_pool_ready_fields is what urlp_pool_keep_fields has left with `pool`; NULL: nothing yet.
 *
 * Owns:    valid as long as the pool. */
const struct urlp_ready_fields *urlp_pool_ready_fields(const struct urlpool_pool *pool);

/* urlp_pool_keep_fields leaves with `pool` what its requests say in their fields. The first stays.
 *
 * Owns:    `fields`, one block of memory or NULL, is the pool's.
 * Threads: any number at once. */
void urlp_pool_keep_fields(struct urlpool_pool *pool, struct urlp_ready_fields *fields);

/* urlp_pool_set_clear retires every pool. */
void urlp_pool_set_clear(struct urlp_pool_set *set) URLP_MAY_BLOCK;

/* urlp_pool_set_retire_tls retires the pools whose TLS settings have this serial number. */
void urlp_pool_set_retire_tls(struct urlp_pool_set *set, uint64_t tls_serial) URLP_MAY_BLOCK;

/* urlp_pool_set_close_idle closes what is idle and returns how many that were. */
size_t urlp_pool_set_close_idle(struct urlp_pool_set *set) URLP_MAY_BLOCK;

/* urlp_pool_set_network_changed closes what is idle, and has what is used or being dialled now be
 * closed as it comes home. Pools, waiters and requests under way go on. */
void urlp_pool_set_network_changed(struct urlp_pool_set *set) URLP_MAY_BLOCK;

/* urlp_pool_set_maintain does one round of upkeep: ends idle connections that have expired or do
 * not pass the look, asks DNS anew where it is time to, opens what min_idle asks for, forgets pools
 * that were not used for long. Returns how many connections it has ended.
 *
 * Threads: any number at once; blocks. */
size_t urlp_pool_set_maintain(struct urlp_pool_set *set) URLP_MAY_BLOCK;

/* struct urlp_lease is a place in use. The caller's storage; zero bytes: none. */
struct urlp_lease {
    struct urlpool_pool *pool;             /* a reference; not always the pool that was asked, see
                                              urlp_lease_acquire */
    struct urlpool_connection *connection; /* the lease's to use, the pool's to end */
    struct urlp_seat *seat;                /* the pool's own record of the connection */
    bool is_reused;                        /* it was idle before, or half made by a dial that was
                                              broken off, so it may be stale */
};

/* urlp_lease_acquire waits its turn for a place in `pool` and fills it: with an idle connection
 * that passes the look, else by dialling, unless a connection comes free before TCP is up. In a
 * forked child the place is in a new, empty pool to the same origin: `out->pool`.
 *
 * Units:   `pool_ms` bounds the waiting, `connect_ms` the dialling, -1: no bound; `call->by` bounds
 *          both.
 * Owns:    a lease ends by urlp_lease_release, and holds its own reference to its pool. Untouched
 *          on failure: then the place has been passed on.
 * Errors:  URLPOOL_E_POOL_TIMEOUT or TOTAL_TIMEOUT, POOL_FULL, POOL_CLOSED, CANCELLED, SYSTEM (no
 *          descriptor to wait with), all of phase POOL; NOMEM; those of dialling, which may have
 *          been another thread's when the origin cannot be reached.
 * Threads: any number at once; blocks.
 * Model:   urllib3 HTTPConnectionPool._get_conn. */
URLPOOL_MUST_USE enum urlpool_code urlp_lease_acquire(struct urlpool_pool *pool, int64_t pool_ms,
                                                      int64_t connect_ms,
                                                      const struct urlp_call *call,
                                                      struct urlp_lease *out,
                                                      struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_lease_redial ends the lease's connection, without a byte, and dials another in the same
 * place: the one free try after a stale connection.
 *
 * Owns:    on failure the lease is over, and becomes zero bytes.
 * Errors:  those of dialling; URLPOOL_E_FORKED when the lease is a parent process's. */
URLPOOL_MUST_USE enum urlpool_code urlp_lease_redial(struct urlp_lease *lease, int64_t connect_ms,
                                                     const struct urlp_call *call,
                                                     struct urlpool_error *err) URLP_MAY_BLOCK;

/* struct urlp_lease_end is how an exchange left its connection. */
struct urlp_lease_end {
    bool is_reusable;
    enum urlpool_closed why;      /* when not reusable */
    bool is_polite;               /* when not reusable: may close_notify be sent */
    int64_t keep_alive_timeout_s; /* the server's hints, -1: none */
    int64_t keep_alive_max;       /* requests it will still take */
    int64_t num_requests;         /* made on this lease; 0 counts as 1 */
    bool is_unused;               /* none was made: the connection was opened for later */
    const struct urlp_call *call; /* whose trace is told if a connection dies; NULL: nobody's */
};

/* urlp_lease_release gives the place back and settles; the lease becomes zero bytes. One of a
 * parent process ends silently. Accepts a lease of zero bytes.
 *
 * Threads: any number at once; never waits, but closes connections.
 * Model:   HTTPConnectionPool._put_conn. */
void urlp_lease_release(struct urlp_lease *lease, const struct urlp_lease_end *end) URLP_MAY_BLOCK;

/* urlp_pool_warm opens connections, one after the other, until `pool` has `num` of them, idle, in
 * use or being dialled, or a bound is reached.
 *
 * Units:   `connect_ms` bounds all of it, -1: no bound, and so does `call->by`.
 * Errors:  those of the first dial that fails; URLPOOL_E_POOL_CLOSED, URLPOOL_E_FORKED. What was
 *          opened before stays. */
URLPOOL_MUST_USE enum urlpool_code urlp_pool_warm(struct urlpool_pool *pool, size_t num,
                                                  int64_t connect_ms, const struct urlp_call *call,
                                                  struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_pool_set_tell_leaks tells `trace` URLPOOL_TRACE_LEAK of every connection that is held for
 * leak_ms and was not told before, and counts them. A part of upkeep. */
void urlp_pool_set_tell_leaks(struct urlp_pool_set *set) URLP_MAY_BLOCK;

/* urlp_pool_set_tell_held tells `trace` of every connection that is held, however short, and was
 * not told before. */
void urlp_pool_set_tell_held(struct urlp_pool_set *set) URLP_MAY_BLOCK;

/* urlp_pool_set_stats gives the figures of one pool, or of all when `pool` is NULL; `out` is
 * untouched when this process has none. */
void urlp_pool_set_stats(struct urlp_pool_set *set, struct urlpool_pool *pool,
                         struct urlpool_stats *out) URLP_MAY_BLOCK;

/* struct urlp_pool_figures are the figures of one pool, or of all there ever were. */
struct urlp_pool_figures {
    struct urlpool_pool *pool; /* a reference; NULL: of all */
    struct urlp_origin origin; /* where its connections lead, of `pool`: of one that is shared by
                                  all origins behind a proxy, the proxy */
    int64_t made_wall_s;
    struct urlpool_stats stats;
    struct urlp_counters counters; /* nobody adds to them any more */
};

/* urlp_pool_set_figures writes the figures of all pools to `out_all`, and appends those of each one
 * that is in the set: struct urlp_pool_figures after struct urlp_pool_figures.
 *
 * Owns:    the caller gives the references back with urlp_pool_unref, on failure too.
 * Errors:  URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE enum urlpool_code urlp_pool_set_figures(struct urlp_pool_set *set,
                                                         struct urlp_pool_figures *out_all,
                                                         struct urlp_buf *out) URLP_MAY_BLOCK;

/* urlp_pool_set_describe appends one line a pool, each ending in LF: "https://example.com:443 open
 * 3 idle 2 leased 1 dialling 0 waiting 0 reused 17 opened 3; held 3.2 s by thread 4711: GET /slow".
 * A pool that has left the set but is still held says so behind the figures: " retired", " closed".
 *
 * Errors:  URLPOOL_E_NOMEM; DATA_TOO_LARGE past the buffer's limit. */
URLPOOL_MUST_USE enum urlpool_code urlp_pool_set_describe(struct urlp_pool_set *set,
                                                          struct urlp_buf *out) URLP_MAY_BLOCK;

/* urlp_pool_describe appends the line of one pool. Errors: those of urlp_pool_set_describe. */
URLPOOL_MUST_USE enum urlpool_code urlp_pool_describe(struct urlpool_pool *pool,
                                                      struct urlp_buf *out) URLP_MAY_BLOCK;

#endif /* URLP_POOL_POOL_H */
