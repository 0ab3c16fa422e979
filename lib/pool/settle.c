/* Who may use which connection: the whole policy of the pool is urlp_settle.
 *
 * It is called with the lock held after every change, and gives the oldest waiter of a pool the
 * newest idle connection, else a permit to dial, to go on with a half or while there is room, until
 * one of the two sides is used up; what no waiter wants goes to who dials (overtake.c). Room there
 * must be in the pool and in the set; where the set has none, a half or whoever is idle longest
 * gives way, and pools are served in turn (line.c). A thread that comes takes an idle connection,
 * of which there is none while anybody waits for one, or queues up and settles then, so nobody
 * barges in; a grant is handed to its waiter here, under the lock, so it can be neither lost nor
 * given twice.
 *
 * Does no I/O: what dies is put on the list of the change. Knows nothing of dialling and looks. */

#include "pool/upkeep.h"

/* count_places adds `more`, which may be less than zero, to the places of one use. */
static void count_places(struct urlpool_stats *stats, enum urlp_place place, int more)
{
    switch (place) {
    case URLP_PLACE_IDLE:
        stats->idle += (uint64_t)more;
        break;
    case URLP_PLACE_LEASED:
        stats->leased += (uint64_t)more;
        break;
    case URLP_PLACE_DIALLING:
        stats->dialling += (uint64_t)more;
        break;
    case URLP_PLACE_NONE:
        break;
    }
}

static void count_move(struct urlpool_stats *stats, enum urlp_place from, enum urlp_place to)
{
    count_places(stats, from, -1);
    count_places(stats, to, 1);
    stats->open = stats->idle + stats->leased + stats->dialling;
    if (stats->open > stats->peak_open) {
        stats->peak_open = stats->open;
    }
}

void urlp_place_move(struct urlpool_pool *pool, enum urlp_place from, enum urlp_place to)
{
    count_move(&pool->locked.stats, from, to);
    count_move(&pool->core->locked.stats, from, to);
}

/* step_aside has `*beside`, which may be the link that goes, be the one before it. */
static void step_aside(struct urlp_list **beside, const struct urlp_list *link)
{
    if (*beside == link) {
        *beside = link->prev;
    }
}

void urlp_seat_unlink(struct urlp_seat *seat)
{
    step_aside(&seat->pool->locked.beside, &seat->in_pool);
    step_aside(&seat->pool->core->locked.beside, &seat->in_core);
    urlp_list_remove(&seat->in_pool);
    urlp_list_remove(&seat->in_core);
}

void urlp_seat_bury(struct urlpool_pool *pool, struct urlp_seat *seat, enum urlp_place from,
                    enum urlpool_closed why, bool is_polite, struct urlp_change *change)
{
    urlp_seat_unlink(seat);
    if (seat->watched_as != 0) {
        (void)urlp_map_remove(&pool->core->locked.watched, &seat->watched_as,
                              sizeof(seat->watched_as));
    }
    urlp_place_move(pool, from, URLP_PLACE_NONE);
    urlp_durations_count(&pool->counters.connections, urlp_connection_bounds_ns,
                         change->now_ns - seat->dialled_ns);
    URLP_TALLY(pool, closed[why], 1);
    seat->why = why;
    seat->is_polite = is_polite;
    urlp_list_push_back(&change->dead, &seat->in_pool);
}

static bool has_expired(const struct urlp_seat *seat, const struct urlp_change *change)
{
    return seat->expires_ns <= change->now_ns;
}

struct urlp_seat *urlp_idle_take(struct urlpool_pool *pool, struct urlp_change *change)
{
    while (!urlp_list_is_empty(&pool->locked.idle)) {
        struct urlp_seat *seat = URLP_CONTAINER(pool->locked.idle.next, struct urlp_seat, in_pool);

        if (has_expired(seat, change)) {
            urlp_seat_bury(pool, seat, URLP_PLACE_IDLE, seat->why, true, change);
            continue;
        }
        /* With a capacity above one (HTTP/2) it would stay until users reaches it. */
        seat->users++;
        URLP_TALLY(pool, reused, 1);
        urlp_seat_unlink(seat);
        urlp_place_move(pool, URLP_PLACE_IDLE, URLP_PLACE_LEASED);
        return seat;
    }
    return NULL;
}

void urlp_idle_put_back(struct urlpool_pool *pool, struct urlp_seat *seat,
                        struct urlp_change *change)
{
    urlp_uncount_reused(pool);
    if (urlp_may_be_idle(pool, seat)) {
        urlp_idle_put(pool, seat);
    } else {
        urlp_seat_bury(pool, seat, URLP_PLACE_LEASED, seat->why, seat->is_polite, change);
    }
}

void urlp_uncount_reused(struct urlpool_pool *pool)
{
    URLP_TALLY(pool, reused, -1);
}

void urlp_idle_put(struct urlpool_pool *pool, struct urlp_seat *seat)
{
    seat->users--;
    seat->rest = ++pool->core->locked.num_rests;
    urlp_list_remove(&seat->in_pool);
    urlp_list_push_front(&pool->locked.idle, &seat->in_pool);
    urlp_list_push_front(&pool->core->locked.idle, &seat->in_core);
    urlp_place_move(pool, URLP_PLACE_LEASED, URLP_PLACE_IDLE);
    urlp_upkeep_expect(pool->core, seat->expires_ns);
}

bool urlp_may_rest(const struct urlpool_pool *pool, struct urlp_seat *seat)
{
    seat->is_polite = true;
    if (pool->locked.state != URLP_POOL_LIVE) {
        seat->why = pool->locked.why;
        return false;
    }
    if (seat->network != atomic_load_explicit(&pool->core->network, memory_order_relaxed)) {
        seat->why = URLPOOL_CLOSED_NETWORK;
        return false;
    }
    if (seat->is_ended) {
        seat->why = URLPOOL_CLOSED_BY_PEER;
        seat->is_polite = false;
        return false;
    }
    return true;
}

bool urlp_is_surplus(const struct urlpool_pool *pool, struct urlp_seat *seat)
{
    if (pool->locked.stats.idle < (uint64_t)pool->set->settings.maxsize) {
        return false;
    }
    seat->why = URLPOOL_CLOSED_SURPLUS;
    return true;
}

bool urlp_may_be_idle(const struct urlpool_pool *pool, struct urlp_seat *seat)
{
    return urlp_may_rest(pool, seat) && !urlp_is_surplus(pool, seat);
}

/* rest_of is when the seat of a link, of in_core or else of in_pool, became idle. */
static uint64_t rest_of(const struct urlp_list *link, bool is_in_core)
{
    return is_in_core ? URLP_CONTAINER(link, const struct urlp_seat, in_core)->rest
                      : URLP_CONTAINER(link, const struct urlp_seat, in_pool)->rest;
}

/* insert_by_rest puts `link` among the others, the newest first; looks from `at` on, which is one
 * of them or the list, and NULL for the old end. */
static void insert_by_rest(struct urlp_list *list, struct urlp_list *link, struct urlp_list *at,
                           bool is_in_core)
{
    uint64_t rest = rest_of(link, is_in_core);

    at = at != NULL ? at : list->prev;
    while (at != list && rest_of(at, is_in_core) < rest) {
        at = at->prev;
    }
    while (at->next != list && rest_of(at->next, is_in_core) > rest) {
        at = at->next;
    }
    urlp_list_insert_between(link, at, at->next);
}

void urlp_idle_return(struct urlpool_pool *pool, struct urlp_seat *seat)
{
    seat->users--;
    insert_by_rest(&pool->locked.idle, &seat->in_pool, pool->locked.beside, false);
    insert_by_rest(&pool->core->locked.idle, &seat->in_core, pool->core->locked.beside, true);
    urlp_place_move(pool, URLP_PLACE_LEASED, URLP_PLACE_IDLE);
}

void urlp_idle_bury_all(struct urlpool_pool *pool, enum urlpool_closed why,
                        struct urlp_change *change)
{
    while (!urlp_list_is_empty(&pool->locked.idle)) {
        struct urlp_seat *seat = URLP_CONTAINER(pool->locked.idle.next, struct urlp_seat, in_pool);

        urlp_seat_bury(pool, seat, URLP_PLACE_IDLE, why, true, change);
    }
}

bool urlp_idle_bury_oldest(struct urlp_pool_core *core, enum urlpool_closed why,
                           struct urlp_change *change)
{
    struct urlp_seat *seat;

    if (urlp_list_is_empty(&core->locked.idle)) {
        return false;
    }
    seat = URLP_CONTAINER(core->locked.idle.prev, struct urlp_seat, in_core);
    urlp_seat_bury(seat->pool, seat, URLP_PLACE_IDLE, why, true, change);
    return true;
}

bool urlp_evict_one(struct urlp_pool_core *core, struct urlp_change *change)
{
    return urlp_half_bury_oldest(core, change) ||
           urlp_idle_bury_oldest(core, URLPOOL_CLOSED_EVICTED, change);
}

void urlp_idle_trim(struct urlpool_pool *pool, struct urlp_change *change)
{
    int64_t max = pool->set->settings.max_idle_total;

    while (max >= 0 && pool->core->locked.stats.idle > (uint64_t)max) {
        (void)urlp_idle_bury_oldest(pool->core, URLPOOL_CLOSED_EVICTED, change);
    }
}

void urlp_sweep(struct urlp_pool_core *core, struct urlp_change *change)
{
    urlp_half_sweep(core, change);
    while (!urlp_list_is_empty(&core->locked.idle)) {
        struct urlp_seat *seat = URLP_CONTAINER(core->locked.idle.prev, struct urlp_seat, in_core);

        if (!has_expired(seat, change)) {
            return;
        }
        urlp_seat_bury(seat->pool, seat, URLP_PLACE_IDLE, seat->why, true, change);
    }
}

/* make_room sees to it that one more place may be opened in the set: when max_total is used up, a
 * half, else the least recently used idle connection, gives way. */
static bool make_room(struct urlpool_pool *pool, struct urlp_change *change) URLP_HOLDS_LOCK
{
    int64_t max = pool->set->settings.max_total;

    return max < 0 || pool->core->locked.stats.open < (uint64_t)max ||
           urlp_evict_one(pool->core, change);
}

/* next_grant is what the oldest waiter gets, if anything. */
static enum urlp_grant next_grant(struct urlpool_pool *pool, struct urlp_seat **out_seat,
                                  struct urlp_change *change) URLP_HOLDS_LOCK
{
    if (pool->locked.state == URLP_POOL_CLOSED || pool->core->locked.is_closed) {
        return URLP_GRANT_CLOSED;
    }
    *out_seat = urlp_idle_take(pool, change);
    if (*out_seat != NULL) {
        return URLP_GRANT_CONNECTION;
    }
    if (!urlp_may_dial(pool)) {
        return URLP_GRANT_NONE;
    }
    *out_seat = urlp_half_take(pool, change);
    if (*out_seat != NULL) {
        return URLP_GRANT_PERMIT;
    }
    if (urlp_has_room(pool) && make_room(pool, change)) {
        urlp_place_move(pool, URLP_PLACE_NONE, URLP_PLACE_DIALLING);
        return URLP_GRANT_PERMIT;
    }
    return URLP_GRANT_NONE;
}

void urlp_waiter_grant(struct urlpool_pool *pool, struct urlp_waiter *waiter, enum urlp_grant grant)
{
    waiter->grant = grant;
    urlp_list_remove(&waiter->link);
    URLP_TALLY(pool, waiting, -1);
    if (waiter->park != NULL) {
        urlp_park_wake(waiter->park);
    }
}

/* grant_one gives the oldest waiter of `pool` something; false: there is no waiter, or nothing. */
static bool grant_one(struct urlpool_pool *pool, struct urlp_change *change) URLP_HOLDS_LOCK
{
    struct urlp_waiter *first;
    enum urlp_grant grant;

    if (urlp_list_is_empty(&pool->locked.waiters)) {
        return false;
    }
    first = URLP_CONTAINER(pool->locked.waiters.next, struct urlp_waiter, link);
    grant = next_grant(pool, &first->seat, change);
    if (grant == URLP_GRANT_NONE) {
        return false;
    }
    if (grant == URLP_GRANT_CONNECTION) {
        urlp_seat_hold(pool, first->seat, &first->who, change->now_ns);
    }
    urlp_waiter_grant(pool, first, grant);
    urlp_line_granted(pool, grant);
    return true;
}

bool urlp_grant_idle(struct urlpool_pool *pool, struct urlp_waiter *me,
                     const struct urlp_call *call, struct urlp_change *change)
{
    struct urlp_seat *seat = urlp_idle_take(pool, change);

    if (seat == NULL) {
        return false;
    }
    me->seat = seat;
    me->grant = URLP_GRANT_CONNECTION;
    urlp_holder_begin(&seat->holder, call, change->now_ns);
    urlp_seat_hold(pool, seat, &seat->holder, change->now_ns);
    urlp_upkeep_expect_dial(pool, change->now_ns);
    return true;
}

/* has_precedence says whether `pool` is served before who stands in line. */
static bool has_precedence(const struct urlpool_pool *pool) URLP_HOLDS_LOCK
{
    return pool->locked.state == URLP_POOL_CLOSED ||
           (!urlp_list_is_empty(&pool->locked.idle) && urlp_line_keeps(pool));
}

/* grant_next gives one grant to who is next, of `pool` and the line; false: nothing more can be
 * given. */
static bool grant_next(struct urlpool_pool *pool, struct urlp_change *change) URLP_HOLDS_LOCK
{
    struct urlpool_pool *first = urlp_line_first(pool->core);

    if (first == NULL || first == pool) {
        return grant_one(pool, change);
    }
    if (has_precedence(pool)) {
        return grant_one(pool, change) || grant_one(first, change);
    }
    return grant_one(first, change) || grant_one(pool, change);
}

void urlp_settle(struct urlpool_pool *pool, struct urlp_change *change)
{
    urlp_line_up(pool);
    while (grant_next(pool, change)) {
        urlp_line_up(pool);
    }
    urlp_line_up(pool);
    urlp_overtake(pool, change);
    urlp_probe_next(pool);
    urlp_upkeep_expect_dial(pool, change->now_ns);
}
