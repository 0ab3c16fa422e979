#ifndef URLP_POOL_UPKEEP_H
#define URLP_POOL_UPKEEP_H

#include "pool/core.h"

/* What nobody's request does: for the files of this layer, as core.h. */

/* upkeep.c: what upkeep has to do, and when. Under the lock; the thread and urlp_pool_set_maintain
 * go by it. */

/* enum urlp_errand_kind is what is done without the lock. */
enum urlp_errand_kind {
    URLP_ERRAND_NONE,
    URLP_ERRAND_LOOK, /* at `seat`, whose place is leased */
    URLP_ERRAND_ASK,  /* DNS for the name that `pool` dials */
    URLP_ERRAND_DIAL, /* on `permit` */
    URLP_ERRAND_TELL  /* of leaks, of `pool` at least */
};

/* struct urlp_errand holds a reference to its pool. */
struct urlp_errand {
    enum urlp_errand_kind kind;
    struct urlpool_pool *pool;
    struct urlp_seat *seat;
    struct urlp_permit permit;
};

/* struct urlp_round is one round of upkeep. */
struct urlp_round {
    uint64_t number; /* looks at each idle connection once; 0: at suspects alone */
    size_t num_ended;
    uint64_t walk; /* its last over the idle connections: of num_walks, 0: none yet */
};

/* urlp_upkeep_next ends what has expired, lets pools leave that were not used for long, and says
 * what is to be done next: `out`. When that is nothing, returns the instant at which something will
 * be, INT64_MAX: none is known. */
int64_t urlp_upkeep_next(struct urlp_pool_core *core, struct urlp_round *round,
                         struct urlp_errand *out, struct urlp_change *change) URLP_HOLDS_LOCK;

/* urlp_upkeep_expect sees to it that the thread, if there is one, is awake at `at_ns`. */
void urlp_upkeep_expect(struct urlp_pool_core *core, int64_t at_ns) URLP_HOLDS_LOCK;

/* urlp_upkeep_expect_dial does so for the dial that min_idle may ask for now. */
void urlp_upkeep_expect_dial(struct urlpool_pool *pool, int64_t now_ns) URLP_HOLDS_LOCK;

/* urlp_pool_note_use takes note that somebody wants a connection, or that one has come. */
void urlp_pool_note_use(struct urlpool_pool *pool, int64_t now_ns) URLP_HOLDS_LOCK;

/* urlp_pool_note_opened takes note of a dial that went well: DNS was asked for it. */
void urlp_pool_note_opened(struct urlpool_pool *pool, int64_t now_ns) URLP_HOLDS_LOCK;

/* urlp_pool_note_in_vain takes note that upkeep has dialled in vain: a pause follows, longer each
 * time. */
void urlp_pool_note_in_vain(struct urlpool_pool *pool, int64_t now_ns) URLP_HOLDS_LOCK;

/* urlp_drop_empty lets a few pools leave the set that nobody holds, that have no connection, and
 * that were not used for long. */
void urlp_drop_empty(struct urlp_pool_core *core, struct urlp_change *change) URLP_HOLDS_LOCK;

/* errand.c: doing it. */

/* urlp_errand_run does what urlp_upkeep_next has given. `cancel` may be NULL. */
void urlp_errand_run(struct urlp_errand *errand, struct urlp_round *round,
                     const struct urlpool_cancel *cancel) URLP_MAY_BLOCK;

/* upkeep_thread.c: the thread that does it at the moment. */

/* urlp_upkeep_start starts the thread of a core that has none.
 *
 * Errors:  URLPOOL_E_SYSTEM, URLPOOL_E_NOMEM; the core is as it was. */
enum urlpool_code urlp_upkeep_start(struct urlp_pool_core *core, struct urlp_pool_set *set,
                                    struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_upkeep_settle cuts short what the thread of a closed core is doing, and waits until it has
 * come to rest, unless that thread is the caller. */
void urlp_upkeep_settle(struct urlp_pool_core *core) URLP_MAY_BLOCK;

/* urlp_upkeep_stop ends the thread, if there is one; when it is the caller, it has nothing of the
 * core any more and ends by itself. */
void urlp_upkeep_stop(struct urlp_pool_core *core) URLP_MAY_BLOCK;

/* urlp_upkeep_watch begins to watch a connection that has just been opened, and that only the
 * caller has. */
void urlp_upkeep_watch(struct urlpool_pool *pool, struct urlp_seat *seat) URLP_MAY_BLOCK;

#endif /* URLP_POOL_UPKEEP_H */
