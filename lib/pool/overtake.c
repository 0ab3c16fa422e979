/* Connections that come free while somebody dials.
 *
 * Who dials is a waiter of second rank: what no thread in the queue wants goes to the one that has
 * dialled for longest, if its dial can still be broken off without loss. Whether it can is settled
 * between the dial and us by whoever is first (struct urlp_break_off), so that no connection lies
 * in the hands of a thread that is busy with a handshake. The connection is handed over here, under
 * the lock, like any grant; what becomes of the dial, permit.c says. */

#include "pool/core.h"

void urlp_dialler_begin(struct urlpool_pool *pool, struct urlp_dialler *me,
                        struct urlp_change *change)
{
    urlp_list_push_back(&pool->locked.diallers, &me->link);
    urlp_overtake(pool, change);
}

/* take_breakable takes out the thread that has dialled for longest and can be overtaken, after it
 * was asked to break off; NULL: there is none. Those that are too far leave the list for good. */
static struct urlp_dialler *take_breakable(struct urlpool_pool *pool) URLP_HOLDS_LOCK
{
    while (!urlp_list_is_empty(&pool->locked.diallers)) {
        struct urlp_dialler *dialler =
            URLP_CONTAINER(pool->locked.diallers.next, struct urlp_dialler, link);

        urlp_list_remove(&dialler->link);
        if (urlp_break_off_ask(&dialler->break_off)) {
            return dialler;
        }
    }
    return NULL;
}

void urlp_overtake(struct urlpool_pool *pool, struct urlp_change *change)
{
    while (urlp_list_is_empty(&pool->locked.waiters) && !urlp_list_is_empty(&pool->locked.idle) &&
           !urlp_list_is_empty(&pool->locked.diallers)) {
        struct urlp_seat *seat = urlp_idle_take(pool, change);
        struct urlp_dialler *dialler = seat != NULL ? take_breakable(pool) : NULL;

        if (dialler != NULL) {
            dialler->overtaker = seat;
            urlp_seat_hold(pool, seat, dialler->who, change->now_ns);
        } else if (seat != NULL) {
            urlp_uncount_reused(pool);
            urlp_idle_return(pool, seat);
        }
    }
}
