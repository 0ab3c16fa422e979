/* Dials that were broken off, kept for the next who dials.
 *
 * A half stands in the seat of the connection it was to become, so that keeping it takes no memory
 * that could be missing. It keeps its place, since its sockets are open; but that is the first
 * place to go when anybody needs one: an idle connection is worth more. It lasts as long as its
 * dial would have been given, and not longer than a server waits for the first byte; who ends it
 * then is whoever visits next, or upkeep. Nobody counts it as a connection, neither opened nor
 * closed. */

#include "base/clock.h"
#include "pool/upkeep.h"

/* No half is kept longer: what is connected at its other end is a server that waits for a request.
 */
#define KEEP_MS_MAX 10000

/* insert puts a half among the others, which mostly expire before it. */
static void insert(struct urlpool_pool *pool, struct urlp_seat *seat) URLP_HOLDS_LOCK
{
    struct urlp_list *in_pool = pool->locked.halves.prev;
    struct urlp_list *in_core = pool->core->locked.halves.prev;

    while (in_pool != &pool->locked.halves &&
           URLP_CONTAINER(in_pool, struct urlp_seat, in_pool)->expires_ns > seat->expires_ns) {
        in_pool = in_pool->prev;
    }
    while (in_core != &pool->core->locked.halves &&
           URLP_CONTAINER(in_core, struct urlp_seat, in_core)->expires_ns > seat->expires_ns) {
        in_core = in_core->prev;
    }
    urlp_list_insert_between(&seat->in_pool, in_pool, in_pool->next);
    urlp_list_insert_between(&seat->in_core, in_core, in_core->next);
}

void urlp_half_park(struct urlpool_pool *pool, struct urlp_seat *seat, int64_t keep_ms,
                    const struct urlp_change *change)
{
    int64_t kept_ms = keep_ms < 0 || keep_ms > KEEP_MS_MAX ? KEEP_MS_MAX : keep_ms;

    seat->pool = pool;
    seat->expires_ns = change->now_ns + kept_ms * URLP_NS_PER_MS;
    insert(pool, seat);
    URLP_TALLY(pool, half_dials, 1);
    urlp_upkeep_expect(pool->core, seat->expires_ns);
}

/* take_out takes a half out of the shared state; its place is the caller's. */
static void take_out(struct urlp_seat *seat) URLP_HOLDS_LOCK
{
    urlp_list_remove(&seat->in_pool);
    urlp_list_remove(&seat->in_core);
    URLP_TALLY(seat->pool, half_dials, -1);
}

static void bury(struct urlp_seat *seat, struct urlp_change *change) URLP_HOLDS_LOCK
{
    take_out(seat);
    urlp_place_move(seat->pool, URLP_PLACE_DIALLING, URLP_PLACE_NONE);
    urlp_list_push_back(&change->dead, &seat->in_pool);
}

struct urlp_seat *urlp_half_take(struct urlpool_pool *pool, struct urlp_change *change)
{
    while (!urlp_list_is_empty(&pool->locked.halves)) {
        struct urlp_seat *seat =
            URLP_CONTAINER(pool->locked.halves.next, struct urlp_seat, in_pool);

        if (seat->expires_ns > change->now_ns) {
            take_out(seat);
            URLP_TALLY(pool, dials_resumed, 1);
            return seat;
        }
        bury(seat, change);
    }
    return NULL;
}

void urlp_half_put_back(struct urlpool_pool *pool, struct urlp_seat *seat,
                        struct urlp_change *change)
{
    URLP_TALLY(pool, dials_resumed, -1);
    insert(pool, seat);
    URLP_TALLY(pool, half_dials, 1);
    if (!urlp_may_rest(pool, seat)) {
        bury(seat, change);
    }
}

void urlp_half_bury_all(struct urlpool_pool *pool, struct urlp_change *change)
{
    while (!urlp_list_is_empty(&pool->locked.halves)) {
        bury(URLP_CONTAINER(pool->locked.halves.next, struct urlp_seat, in_pool), change);
    }
}

bool urlp_half_bury_oldest(struct urlp_pool_core *core, struct urlp_change *change)
{
    if (urlp_list_is_empty(&core->locked.halves)) {
        return false;
    }
    bury(URLP_CONTAINER(core->locked.halves.next, struct urlp_seat, in_core), change);
    return true;
}

void urlp_half_bury_every(struct urlp_pool_core *core, struct urlp_change *change)
{
    while (urlp_half_bury_oldest(core, change)) {
    }
}

void urlp_half_sweep(struct urlp_pool_core *core, struct urlp_change *change)
{
    while (urlp_half_expires_ns(core) <= change->now_ns) {
        (void)urlp_half_bury_oldest(core, change);
    }
}

int64_t urlp_half_expires_ns(const struct urlp_pool_core *core)
{
    return urlp_list_is_empty(&core->locked.halves)
               ? INT64_MAX
               : URLP_CONTAINER(core->locked.halves.next, struct urlp_seat, in_core)->expires_ns;
}
