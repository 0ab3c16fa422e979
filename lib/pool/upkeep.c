/* One round of upkeep: what has expired is ended, and every idle connection is looked at, so that
 * none whose peer has closed it stands about half closed.
 *
 * A connection that is looked at is taken out for that long, as by a lease, since a look happens
 * without the lock; then it goes back to the very place it had among the idle, and keeps its time.
 * One at a time: whoever wants a connection meanwhile finds all others. */

#include "pool/core.h"

/* bury_expired ends all that has expired, wherever it stands among the idle; returns how many. */
static size_t bury_expired(struct urlp_pool_core *core, struct urlp_change *change) URLP_HOLDS_LOCK
{
    struct urlp_list *link;
    struct urlp_list *next;
    size_t num = 0;

    for (link = core->locked.idle.next; link != &core->locked.idle; link = next) {
        struct urlp_seat *seat = URLP_CONTAINER(link, struct urlp_seat, in_core);

        next = link->next;
        if (seat->expires_ns <= change->now_ns) {
            urlp_seat_bury(seat->pool, seat, URLP_PLACE_IDLE, seat->why, true, change);
            num++;
        }
    }
    return num;
}

/* take_unseen takes out the oldest idle connection that was not looked at in this round, and a
 * reference to its pool; NULL: all were. */
static struct urlp_seat *take_unseen(struct urlp_pool_core *core, uint64_t round) URLP_HOLDS_LOCK
{
    for (struct urlp_list *link = core->locked.idle.prev; link != &core->locked.idle;
         link = link->prev) {
        struct urlp_seat *seat = URLP_CONTAINER(link, struct urlp_seat, in_core);

        if (seat->round < round) {
            seat->round = round;
            seat->users++;
            seat->pool->locked.num_refs++;
            urlp_list_remove(&seat->in_pool);
            urlp_list_remove(&seat->in_core);
            urlp_place_move(seat->pool, URLP_PLACE_IDLE, URLP_PLACE_LEASED);
            return seat;
        }
    }
    return NULL;
}

/* give_back puts a connection that was looked at back, or ends it; says whether it was ended. */
static bool give_back(struct urlp_seat *seat, enum urlp_look look,
                      struct urlp_change *change) URLP_HOLDS_LOCK
{
    struct urlpool_pool *pool = seat->pool;
    bool is_good = look == URLP_LOOK_GOOD && urlp_may_rest(pool, seat);

    if (is_good) {
        urlp_idle_return(pool, seat);
    } else if (look == URLP_LOOK_GOOD) {
        urlp_seat_bury(pool, seat, URLP_PLACE_LEASED, seat->why, seat->is_polite, change);
    } else {
        bool is_polite;
        enum urlpool_closed why = urlp_look_why(look, &is_polite);

        urlp_seat_bury(pool, seat, URLP_PLACE_LEASED, why, is_polite, change);
    }
    urlp_settle(pool, change);
    urlp_idle_trim(pool, change);
    urlp_pool_drop(pool, change);
    return !is_good;
}

size_t urlp_pool_set_maintain(struct urlp_pool_set *set)
{
    const struct urlp_connector *connector = &set->connector;
    struct urlp_pool_core *core = urlp_core_of(set);
    struct urlp_seat *seat;
    struct urlp_change change;
    uint64_t round;
    size_t num;

    if (core == NULL) {
        return 0;
    }
    urlp_change_begin(&change);
    urlp_mutex_lock(&core->mutex);
    num = bury_expired(core, &change);
    round = ++core->locked.round;
    seat = take_unseen(core, round);
    urlp_mutex_unlock(&core->mutex);
    urlp_change_end(&change, set, NULL);
    while (seat != NULL) {
        enum urlp_look look = connector->look(connector->user, seat->connection);

        urlp_change_begin(&change);
        urlp_mutex_lock(&core->mutex);
        num += give_back(seat, look, &change) ? 1 : 0;
        seat = take_unseen(core, round);
        urlp_mutex_unlock(&core->mutex);
        urlp_change_end(&change, set, NULL);
    }
    return num;
}
