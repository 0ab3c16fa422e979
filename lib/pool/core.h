#ifndef URLP_POOL_CORE_H
#define URLP_POOL_CORE_H

#include <stdatomic.h>

#include "base/counters.h"
#include "base/error.h"
#include "base/list.h"
#include "base/map.h"
#include "base/park.h"
#include "pool/backoff.h"
#include "pool/pool.h"

/* What the files of this layer share; nobody else includes it.
 *
 * Words.
 *   place    a unit of `open` of one pool: idle, leased or dialling
 *   seat     the record of one connection, or of a half; while it is leased the shared state knows
 *            who holds it, and nothing else
 *   waiter   a thread in its pool's queue, on its own stack; a grant is what it waits for
 *   dialler  a thread that dials on a permit
 *   half     a dial that was broken off, in the seat of the connection it was to become; it keeps
 *            its place, which is dialling
 *
 * Always, whenever the mutex is free.
 *   - Of every pool, and of the set as the sum of its pools, open = idle + leased + dialling, and
 *     half_dials <= dialling.
 *   - Of a pool, idle <= maxsize, and with `block` open, too; of the set, open <= max_total and
 *     idle <= max_idle_total.
 *   - A pool with a waiter has no idle connection, and, while it may dial, no half and no room.
 *   - A pool whose waiters only max_total keeps waiting stands in line; while one does, there is no
 *     idle connection and no half anywhere.
 *   - A pool with a dialler that can be overtaken has no idle connection.
 *   - Of a pool in back-off with a waiter either somebody dials, or the oldest waiter has been told
 *     when the next dial is due.
 *   - A pool that is not live has no idle connection and no half.
 *
 * Locks.   One mutex a core guards all that is called `locked`. Nothing below urlp_change_end is
 *          called with it held: what dies goes to the list of a struct urlp_change, and is ended
 *          after unlock.
 * Forks.   A core belongs to one process. The set makes a new one in a child (urlp_core_of), and
 *          never looks into its parent's again: its mutex may have been held. A pool, too, belongs
 *          to its core; its fields outside `locked` never change, so a child may read them. */

/* enum urlp_place is what a place is used for. */
enum urlp_place {
    URLP_PLACE_NONE, /* it is not there */
    URLP_PLACE_IDLE,
    URLP_PLACE_LEASED,
    URLP_PLACE_DIALLING
};

/* struct urlp_pool_core is one process's state of a pool set. */
struct urlp_pool_core {
    uint64_t generation; /* of urlp_fork_generation */
    int64_t made_wall_s;
    _Atomic uint64_t network; /* how often it has changed; written under the mutex */
    struct urlp_mutex mutex;
    struct {
        struct urlp_map by_key;     /* pool key → live pool */
        struct urlp_list live;      /* of in_live: most recently used first */
        struct urlp_list all;       /* of in_all: also who has left but is held */
        struct urlp_list idle;      /* of in_core: every idle seat, most recently used first */
        struct urlp_list halves;    /* of in_core: every half, the next to expire first */
        struct urlp_list starved;   /* of in_line: without a place, next in turn first */
        struct urlp_list hungry;    /* of in_line: with places, but for more, the same */
        uint64_t num_rests;         /* how often a connection became idle */
        uint64_t round;             /* of urlp_pool_set_maintain */
        struct urlp_list *beside;   /* of `idle`: what is before the seat looked at last; or NULL */
        uint64_t num_walks;         /* by upkeep over `idle`; the last one goes on from `beside` */
        int num_passed;             /* grants that went past the first of `hungry` */
        struct urlpool_stats stats; /* sums over all pools there ever were */
        struct urlp_counters gone;  /* sums over the pools that are no more */
        bool is_closed;
        struct urlp_map watched; /* of a thread: number → seat, whatever its place is used for */
        uint64_t num_watched;    /* that there ever were */
        int64_t wakes_ns;        /* when the thread will wake; INT64_MIN: it is awake, or there is
                                    none */
        int64_t asked_ns;        /* when somebody last woke it to be awake */
        struct urlp_upkeep *upkeep; /* of the thread; NULL: there is none */
        bool wants_thread;          /* in a child: the first pool starts it */
        bool is_stopping;           /* the thread is to end */
        bool is_busy;               /* it is not at rest */
    } locked URLP_GUARDED;
};

struct urlp_pool_set {
    struct urlp_pool_settings settings;
    struct urlp_connector connector;
    _Atomic(struct urlp_pool_core *) core; /* urlp_core_of */
    _Atomic uint64_t num_seats;            /* made; spreads their lifetimes, and pauses */
};

enum urlp_pool_state {
    URLP_POOL_LIVE,    /* in the set */
    URLP_POOL_RETIRED, /* works on for who holds it, keeps no connection */
    URLP_POOL_CLOSED   /* grants nothing */
};

struct urlpool_pool {
    struct urlp_pool_set *set;
    struct urlp_pool_core *core;
    struct urlp_route route; /* its strings are in the pool's own block */
    const char *name;        /* "https://example.com:443" */
    size_t key_len;
    const uint8_t *key;
    struct urlp_origin origin; /* that it is named for */
    int64_t made_wall_s;
    struct urlp_counters counters; /* under no lock; `gone` has them when the pool is no more */
    _Atomic(struct urlp_ready_fields *) fields; /* written once; NULL: not yet */
    struct {
        struct urlp_list in_live, in_all;
        struct urlp_list in_line;  /* of starved or hungry, or of no list */
        bool is_starved;           /* which of them */
        struct urlp_list waiters;  /* of link: oldest first */
        struct urlp_list idle;     /* of in_pool: newest first */
        struct urlp_list *beside;  /* of `idle`: what is before the seat looked at last; or NULL */
        struct urlp_list halves;   /* of in_pool: the next to expire first */
        struct urlp_list diallers; /* of link: oldest first; those that can be overtaken */
        struct urlp_list held;     /* of in_pool: seats in a caller's hands, longest held first */
        struct urlp_list dialled;  /* of in_pool: seats that get their connection, the same */
        struct urlp_backoff backoff;
        struct urlpool_stats stats;
        uint64_t num_refs; /* callers and leases; being in the set is none */
        enum urlp_pool_state state;
        enum urlpool_closed why; /* not live: said of connections that come home */
        int64_t used_ns;         /* when somebody last wanted a connection */
        int64_t names_due_ns;    /* when upkeep asks DNS for its name, INT64_MAX: never */
        int64_t warm_due_ns;     /* when upkeep may dial */
        int64_t warm_pause_ns;   /* after the last dial in vain; 0: there was none */
    } locked URLP_GUARDED;
};

/* struct urlp_holder says who has a place, since when and for what. */
struct urlp_holder {
    int64_t since_ns; /* urlp_boot_ns */
    int64_t thread;   /* urlp_thread_id */
    bool is_told;     /* as a leak */
    uint8_t what_len;
    char what[URLP_QUOTED_BYTES + 1]; /* as much of it as is shown, and one more */
};

/* struct urlp_seat is the record of a connection, or of a half. Who owns it moves with what is in
 * it: the core while it is idle or a half, its lease while it is leased, its thread while that
 * dials, a change once it is dead. */
struct urlp_seat {
    struct urlpool_connection *connection; /* NULL: there is none yet */
    struct urlp_half_dial *half;           /* of a half */
    struct urlpool_pool *pool; /* valid while idle; a lease has a reference of its own */
    struct urlp_list in_pool; /* of a pool's idle, halves, held or dialled, or of a change's dead */
    struct urlp_list in_core;
    struct urlp_holder holder; /* while held or dialled */
    int64_t dialled_ns;        /* urlp_boot_ns */

    int capacity; /* requests at once: 1 in HTTP/1.1 */
    int users;
    int64_t ends_ns;         /* of its lifetime; urlp_boot_ns, INT64_MAX: never */
    int64_t requests_left;   /* INT64_MAX: any number */
    int64_t server_idle_ms;  /* the server's hint, -1: none yet */
    int64_t expires_ns;      /* while idle or a half */
    uint64_t rest;           /* while idle: which of num_rests, so that it finds its place again */
    uint64_t round;          /* the last in which it was looked at */
    uint64_t network;        /* of the core when it was dialled */
    uint64_t names_seen;     /* the connector's: of is_gone */
    uint64_t watched_as;     /* its number in `watched`, 0: none. Written before it is shared */
    bool is_suspect;         /* while idle: upkeep is to look at it */
    bool is_ended;           /* the peer has ended its side; guarded by the mutex */
    bool is_spare;           /* opened by upkeep, and not used yet */
    enum urlpool_closed why; /* while idle: of what it will die; once dead: of what it did */
    bool is_polite;          /* once dead */
};

enum urlp_grant {
    URLP_GRANT_NONE,
    URLP_GRANT_CONNECTION, /* `seat`, whose place is leased */
    URLP_GRANT_PERMIT,     /* a place that is dialling; `seat`: a half to go on with, or NULL */
    URLP_GRANT_CLOSED,     /* nothing: the pool is closed */
    URLP_GRANT_FAILED      /* nothing: somebody's dial has failed for all, see `failed` */
};

/* struct urlp_waiter is a thread in the queue, on that thread's stack. */
struct urlp_waiter {
    struct urlp_list link;
    struct urlp_park *park; /* NULL: it does not sleep */
    enum urlp_grant grant;
    struct urlp_seat *seat;
    struct urlpool_deadline pool_by;    /* of its waiting; 0: it did not have to yet */
    int64_t connect_ms;                 /* what it would give a dial */
    struct urlpool_deadline connect_by; /* of its dialling; 0: it did not have to yet */
    int64_t since_ns;          /* urlp_now_ns when it queued up; only in back-off, else 0 */
    int64_t told_ns;           /* the time of the next dial it knows of */
    enum urlpool_code failed;  /* of a dial that was another's */
    struct urlpool_error *err; /* where the words for that go; may be NULL */
    struct urlp_holder who;    /* while it is in the queue */
};

/* struct urlp_dialler is a thread that dials, on that thread's stack. */
struct urlp_dialler {
    struct urlp_list link; /* of diallers, or of no list: it cannot be overtaken any more */
    struct urlp_break_off break_off;
    struct urlp_seat *overtaker; /* the connection it has been given meanwhile; leased */
    const struct urlp_holder *who;
    int64_t began_ns; /* urlp_now_ns */
};

/* struct urlp_change is one visit to the shared state: the time of it, and what is to be done after
 * unlock. */
struct urlp_change {
    int64_t now_ns;         /* urlp_boot_ns */
    struct urlp_list dead;  /* of seats, by in_pool: with a connection, a half, or nothing */
    struct urlp_list pools; /* to be freed, by in_all */
};

/* expiry.c: when one connection must die. Pure. */

/* urlp_seat_begin starts the life of a new connection. `spread` is any number, of which the jitter
 * is made. */
void urlp_seat_begin(struct urlp_seat *seat, const struct urlp_pool_settings *settings,
                     int64_t now_ns, uint64_t spread);

/* urlp_seat_begin_idle computes expires_ns and why of a connection that becomes idle: at or before
 * `now_ns`, it must not be kept. */
void urlp_seat_begin_idle(struct urlp_seat *seat, const struct urlp_pool_settings *settings,
                          int64_t now_ns);

/* urlp_seat_end_use takes note of an exchange that ended well, and does what urlp_seat_begin_idle
 * does. */
void urlp_seat_end_use(struct urlp_seat *seat, const struct urlp_pool_settings *settings,
                       const struct urlp_lease_end *end, int64_t now_ns);

/* look.c: what a look at a connection means. */

/* urlp_seat_look looks at a connection that the caller has taken out. */
enum urlp_look urlp_seat_look(const struct urlpool_pool *pool,
                              struct urlp_seat *seat) URLP_MAY_BLOCK;

/* urlp_seat_is_gone is that part of a look which is due when a connection comes home, too: whether
 * it leads to an address that DNS gives no more. */
bool urlp_seat_is_gone(const struct urlpool_pool *pool, struct urlp_seat *seat) URLP_MAY_BLOCK;

/* urlp_look_why is the reason to end a connection of which a look showed anything but GOOD;
 * `*out_is_polite` says how. */
enum urlpool_closed urlp_look_why(enum urlp_look look, bool *out_is_polite);

/* settle.c: who may use which connection. */

/* URLP_TALLY adds `more`, which may be less than zero, to a figure of `pool` and to the sum over
 * all pools. */
#define URLP_TALLY(pool, figure, more)                         \
    do {                                                       \
        (pool)->locked.stats.figure += (uint64_t)(more);       \
        (pool)->core->locked.stats.figure += (uint64_t)(more); \
    } while (0)

/* urlp_place_move changes what one place of `pool` is used for. */
void urlp_place_move(struct urlpool_pool *pool, enum urlp_place from,
                     enum urlp_place to) URLP_HOLDS_LOCK;

/* urlp_waiter_grant gives a waiter in the queue its grant, and wakes it. */
void urlp_waiter_grant(struct urlpool_pool *pool, struct urlp_waiter *waiter,
                       enum urlp_grant grant) URLP_HOLDS_LOCK;

/* urlp_grant_idle gives `me`, who is not in the queue, the newest idle connection: what urlp_settle
 * would, were he the only one in it. Whoever finds one has nobody before him, since there is none
 * while anybody waits, here or in line. False: there is none. */
bool urlp_grant_idle(struct urlpool_pool *pool, struct urlp_waiter *me,
                     const struct urlp_call *call, struct urlp_change *change) URLP_HOLDS_LOCK;

/* urlp_settle gives out all that can be given, to `pool` and to who stands in line for a place of
 * max_total. To be called after every change. */
void urlp_settle(struct urlpool_pool *pool, struct urlp_change *change) URLP_HOLDS_LOCK;

/* urlp_seat_unlink takes a seat out of the lists it is in, if any. */
void urlp_seat_unlink(struct urlp_seat *seat) URLP_HOLDS_LOCK;

/* urlp_idle_take leases the newest idle connection that has not expired; NULL: there is none. */
struct urlp_seat *urlp_idle_take(struct urlpool_pool *pool,
                                 struct urlp_change *change) URLP_HOLDS_LOCK;

/* urlp_idle_put makes a leased connection idle. */
void urlp_idle_put(struct urlpool_pool *pool, struct urlp_seat *seat) URLP_HOLDS_LOCK;

/* urlp_may_rest says whether a connection that could be used again may become idle; else `why` and
 * `is_polite` of the seat say what becomes of it. */
bool urlp_may_rest(const struct urlpool_pool *pool, struct urlp_seat *seat) URLP_HOLDS_LOCK;

/* urlp_is_surplus says whether `pool` has maxsize idle connections already: then `why` of the seat
 * says so. Another may come home while this one is only looked at or handed over. */
bool urlp_is_surplus(const struct urlpool_pool *pool, struct urlp_seat *seat) URLP_HOLDS_LOCK;

/* urlp_may_be_idle is urlp_may_rest of what would be one more idle connection. */
bool urlp_may_be_idle(const struct urlpool_pool *pool, struct urlp_seat *seat) URLP_HOLDS_LOCK;

/* urlp_idle_return puts a connection that was only looked at where it was among the idle. */
void urlp_idle_return(struct urlpool_pool *pool, struct urlp_seat *seat) URLP_HOLDS_LOCK;

/* urlp_seat_bury ends a connection: its place goes, itself after unlock. */
void urlp_seat_bury(struct urlpool_pool *pool, struct urlp_seat *seat, enum urlp_place from,
                    enum urlpool_closed why, bool is_polite,
                    struct urlp_change *change) URLP_HOLDS_LOCK;

/* urlp_idle_bury_all ends every idle connection of `pool`. */
void urlp_idle_bury_all(struct urlpool_pool *pool, enum urlpool_closed why,
                        struct urlp_change *change) URLP_HOLDS_LOCK;

/* urlp_idle_put_back takes a connection back that was granted and is not used after all. */
void urlp_idle_put_back(struct urlpool_pool *pool, struct urlp_seat *seat,
                        struct urlp_change *change) URLP_HOLDS_LOCK;

/* urlp_uncount_reused takes back what urlp_idle_take has counted: the connection was not used. */
void urlp_uncount_reused(struct urlpool_pool *pool) URLP_HOLDS_LOCK;

/* urlp_idle_bury_oldest ends the least recently used idle connection of all pools; false: there is
 * none. */
bool urlp_idle_bury_oldest(struct urlp_pool_core *core, enum urlpool_closed why,
                           struct urlp_change *change) URLP_HOLDS_LOCK;

/* urlp_evict_one ends what is worth least to all pools, for a place or a descriptor: a half, else
 * the least recently used idle connection; false: there is none. */
bool urlp_evict_one(struct urlp_pool_core *core, struct urlp_change *change) URLP_HOLDS_LOCK;

/* urlp_idle_trim keeps max_idle_total. To be called after settling what may have become idle. */
void urlp_idle_trim(struct urlpool_pool *pool, struct urlp_change *change) URLP_HOLDS_LOCK;

/* urlp_sweep ends what has expired at the long unused end of all pools' idle connections. */
void urlp_sweep(struct urlp_pool_core *core, struct urlp_change *change) URLP_HOLDS_LOCK;

/* holders.c: who has what, and for how long. */

/* urlp_holder_begin makes a holder of the calling thread. */
void urlp_holder_begin(struct urlp_holder *holder, const struct urlp_call *call, int64_t now_ns);

/* urlp_seat_hold notes that a seat, which is in no list, is `who`'s from `now_ns` on. */
void urlp_seat_hold(struct urlpool_pool *pool, struct urlp_seat *seat,
                    const struct urlp_holder *who, int64_t now_ns) URLP_HOLDS_LOCK;

/* urlp_holders_describe appends who holds, dials and waits: "; held 3.2 s by thread 4711: GET
 * /slow". Of many it tells the first few, and how many more there are.
 *
 * Errors:  those of urlp_buf_printf. */
URLPOOL_MUST_USE enum urlpool_code urlp_holders_describe(const struct urlpool_pool *pool,
                                                         int64_t now_ns,
                                                         struct urlp_buf *out) URLP_HOLDS_LOCK;

/* urlp_leak_due_ns is when the next connection will have been held for leak_ms, and `*out` its
 * pool; INT64_MAX: none is held that was not told already, or leaks are not looked for. */
int64_t urlp_leak_due_ns(struct urlp_pool_core *core, struct urlpool_pool **out) URLP_HOLDS_LOCK;

/* line.c: which origin is next when max_total is used up. */

/* urlp_has_room says whether `pool` itself may have one more place, whatever max_total says. */
bool urlp_has_room(const struct urlpool_pool *pool) URLP_HOLDS_LOCK;

/* urlp_line_up puts `pool` in line, at the end, takes it out, or leaves it where it is: whichever
 * is right now. To be called when its waiters or its places are others than they were. */
void urlp_line_up(struct urlpool_pool *pool) URLP_HOLDS_LOCK;

/* urlp_line_first is the pool whose turn it is; NULL: none is in line. */
struct urlpool_pool *urlp_line_first(struct urlp_pool_core *core) URLP_HOLDS_LOCK;

/* urlp_line_keeps says whether `pool`, which has an idle connection and a waiter for it, may keep
 * it for itself though others are in line. */
bool urlp_line_keeps(const struct urlpool_pool *pool) URLP_HOLDS_LOCK;

/* urlp_line_granted takes note that `pool` got `grant`: a turn, or another one kept. */
void urlp_line_granted(struct urlpool_pool *pool, enum urlp_grant grant) URLP_HOLDS_LOCK;

/* half.c: dials that were broken off. */

/* urlp_half_park puts a half among those that the next permits go on with, for `keep_ms`, -1: as
 * long as halves are kept. Its place, which is dialling, stays taken. */
void urlp_half_park(struct urlpool_pool *pool, struct urlp_seat *seat, int64_t keep_ms,
                    const struct urlp_change *change) URLP_HOLDS_LOCK;

/* urlp_half_take gives a half, whose place is dialling, to who may dial; NULL: there is none. */
struct urlp_seat *urlp_half_take(struct urlpool_pool *pool,
                                 struct urlp_change *change) URLP_HOLDS_LOCK;

/* urlp_half_put_back takes a half back that nobody has gone on with after all. */
void urlp_half_put_back(struct urlpool_pool *pool, struct urlp_seat *seat,
                        struct urlp_change *change) URLP_HOLDS_LOCK;

/* urlp_half_bury_all ends every half of `pool`, urlp_half_bury_every one every half of the set. */
void urlp_half_bury_all(struct urlpool_pool *pool, struct urlp_change *change) URLP_HOLDS_LOCK;
void urlp_half_bury_every(struct urlp_pool_core *core, struct urlp_change *change) URLP_HOLDS_LOCK;

/* urlp_half_bury_oldest ends the half that would be the next to expire; false: there is none. */
bool urlp_half_bury_oldest(struct urlp_pool_core *core, struct urlp_change *change) URLP_HOLDS_LOCK;

/* urlp_half_sweep ends the halves that have expired. */
void urlp_half_sweep(struct urlp_pool_core *core, struct urlp_change *change) URLP_HOLDS_LOCK;

/* urlp_half_expires_ns is when the next half expires, of urlp_boot_ns; INT64_MAX: there is none. */
int64_t urlp_half_expires_ns(const struct urlp_pool_core *core) URLP_HOLDS_LOCK;

/* overtake.c: connections that come free while somebody dials. */

/* urlp_dialler_begin lets `me`, which has a wake descriptor, be overtaken from now on: at once if
 * there is an idle connection. */
void urlp_dialler_begin(struct urlpool_pool *pool, struct urlp_dialler *me,
                        struct urlp_change *change) URLP_HOLDS_LOCK;

/* urlp_overtake gives what is idle in `pool`, and what no waiter wants, to those that dial. */
void urlp_overtake(struct urlpool_pool *pool, struct urlp_change *change) URLP_HOLDS_LOCK;

/* probe.c: origins that cannot be reached. */

/* urlp_may_dial says whether `pool` may begin a dial now, as far as its failures go. */
bool urlp_may_dial(const struct urlpool_pool *pool) URLP_HOLDS_LOCK;

/* urlp_probe_next tells the oldest waiter of a pool in back-off when the next dial is due, if it
 * sleeps and does not know. To be called when either may have changed. */
void urlp_probe_next(struct urlpool_pool *pool) URLP_HOLDS_LOCK;

/* urlp_probe_time is until when `me` may sleep: if it is the one to try next, until that is due. */
struct urlpool_deadline urlp_probe_time(const struct urlpool_pool *pool,
                                        struct urlp_waiter *me) URLP_HOLDS_LOCK;

/* urlp_probe_ended takes note of how a dial of `pool` ended, whose place is not dialling any more:
 * `failure` NULL is success. A failure of the next dial of an origin that cannot be reached is told
 * to those who waited for it. */
void urlp_probe_ended(struct urlpool_pool *pool, int64_t began_ns, int64_t connect_ms,
                      const struct urlpool_error *failure) URLP_HOLDS_LOCK;

/* permit.c: dialling. */

/* struct urlp_permit is a place that is dialling, in its thread's hands. */
struct urlp_permit {
    struct urlp_seat *half; /* to go on with; NULL: from the start */
    int64_t connect_ms;     /* how long a half is kept */
    bool may_be_overtaken;
    struct urlp_seat *overtaker; /* out: the connection that came instead, leased; not looked at */
};

/* urlp_permit_dial fills the place of `permit`, whose reference the caller has, and makes the
 * lease. Success with an overtaker: that is what the caller has, and no other place; `out` is
 * untouched. On failure the place and the reference are gone, and `out` is untouched. */
enum urlpool_code urlp_permit_dial(struct urlpool_pool *pool, struct urlp_permit *permit,
                                   const struct urlp_call *call, struct urlp_lease *out,
                                   struct urlpool_error *err) URLP_MAY_BLOCK;

/* lease_end.c */

/* urlp_lease_release_unused takes a connection home that was opened for later. */
void urlp_lease_release_unused(struct urlp_lease *lease,
                               const struct urlp_call *call) URLP_MAY_BLOCK;

/* warm.c: connections before they are asked for. */

/* urlp_num_warm is how many connections are there, or about to be, that nobody uses. A half is
 * none: nobody dials it on. */
uint64_t urlp_num_warm(const struct urlpool_pool *pool) URLP_HOLDS_LOCK;

/* urlp_may_warm says whether one more connection would be kept, and be in nobody's way. */
bool urlp_may_warm(const struct urlpool_pool *pool) URLP_HOLDS_LOCK;

/* urlp_warm_take takes a place for dialling one, after urlp_may_warm, and a reference with it. */
void urlp_warm_take(struct urlpool_pool *pool, struct urlp_permit *out,
                    struct urlp_change *change) URLP_HOLDS_LOCK;

/* pool_core.c: one process's part of a set, and a visit to it. */

/* urlp_core_new makes an empty core of this process; NULL out of memory. */
struct urlp_pool_core *urlp_core_new(void) URLP_MAY_BLOCK;

/* urlp_core_free frees a core that has no pools any more. */
void urlp_core_free(struct urlp_pool_core *core) URLP_MAY_BLOCK;

/* urlp_core_of returns this process's core, and makes it at the first call in a forked child; NULL
 * out of memory. */
struct urlp_pool_core *urlp_core_of(struct urlp_pool_set *set) URLP_MAY_BLOCK;

/* urlp_pool_is_foreign says whether `pool` belongs to a parent process: its locked part must not be
 * touched. Ask before the lock. */
bool urlp_pool_is_foreign(const struct urlpool_pool *pool);

/* urlp_change_begin begins a visit: now, and nothing to do yet. */
void urlp_change_begin(struct urlp_change *change);

/* urlp_change_end ends the dead connections and frees the pools. `call` may be NULL. */
void urlp_change_end(struct urlp_change *change, const struct urlp_pool_set *set,
                     const struct urlp_call *call) URLP_MAY_BLOCK;

/* pool_object.c: one pool as an object. */

/* urlp_pool_new makes a pool that no list has yet; NULL out of memory. */
struct urlpool_pool *urlp_pool_new(struct urlp_pool_set *set, struct urlp_pool_core *core,
                                   const struct urlp_route *route, const struct urlp_pool_key *key);

/* urlp_pool_free frees a pool that no list has and nobody holds. */
void urlp_pool_free(struct urlpool_pool *pool) URLP_MAY_BLOCK;

/* pool_set.c: which pools there are. */

/* urlp_pool_touch makes `pool` the most recently used. */
void urlp_pool_touch(struct urlpool_pool *pool) URLP_HOLDS_LOCK;

/* urlp_pool_leave takes a pool out of the set, if it is in it, and lets it go on as `state`. It may
 * be freed with the change. */
void urlp_pool_leave(struct urlpool_pool *pool, enum urlp_pool_state state, enum urlpool_closed why,
                     struct urlp_change *change) URLP_HOLDS_LOCK;

/* urlp_pools_leave lets every pool leave. */
void urlp_pools_leave(struct urlp_pool_core *core, enum urlp_pool_state state,
                      enum urlpool_closed why, struct urlp_change *change) URLP_HOLDS_LOCK;

/* urlp_pool_drop gives one reference back; a pool that nobody needs any more goes with `change`. */
void urlp_pool_drop(struct urlpool_pool *pool, struct urlp_change *change) URLP_HOLDS_LOCK;

#endif /* URLP_POOL_CORE_H */
