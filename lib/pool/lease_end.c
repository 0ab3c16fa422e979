/* How a lease goes on or ends: another connection in the same place, or home.
 *
 * Whether a connection that comes home is kept is decided here, under the lock, by the first reason
 * against it; then all is settled. The lease of a parent process is known by its pool, and ends
 * silently without a look at that pool's lock. */

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "pool/core.h"

/* end_foreign ends the lease of a parent process: not a byte may be sent on its connection. */
static void end_foreign(struct urlp_lease *lease, const struct urlp_call *call) URLP_MAY_BLOCK
{
    struct urlp_pool_set *set = lease->pool->set;
    struct urlp_pool_core *core = urlp_core_of(set);
    struct urlp_change change;

    urlp_change_begin(&change);
    if (core != NULL) { /* counted here, in the child: the parent still has its own */
        urlp_mutex_lock(&core->mutex);
        core->locked.stats.closed[URLPOOL_CLOSED_FORK]++;
        urlp_mutex_unlock(&core->mutex);
    }
    lease->seat->why = URLPOOL_CLOSED_FORK;
    lease->seat->is_polite = false;
    urlp_list_push_back(&change.dead, &lease->seat->in_pool);
    urlp_change_end(&change, set, call);
}

enum urlpool_code urlp_lease_redial(struct urlp_lease *lease, int64_t connect_ms,
                                    const struct urlp_call *call, struct urlpool_error *err)
{
    struct urlpool_pool *pool = lease->pool;
    struct urlp_seat *seat = lease->seat;
    struct urlp_call bounded = urlp_call_until(call, connect_ms);
    struct urlp_permit permit = {.connect_ms = connect_ms};
    struct urlp_change change;
    struct urlp_lease old = *lease;

    memset(lease, 0, sizeof(*lease));
    if (urlp_pool_is_foreign(pool)) {
        end_foreign(&old, call);
        return urlp_fail(err, URLPOOL_E_FORKED, URLPOOL_PHASE_POOL,
                         "the connection to %s belongs to the parent process", pool->name);
    }
    urlp_change_begin(&change);
    urlp_mutex_lock(&pool->core->mutex);
    urlp_seat_bury(pool, seat, URLP_PLACE_LEASED, URLPOOL_CLOSED_STALE, false, &change);
    urlp_place_move(pool, URLP_PLACE_NONE, URLP_PLACE_DIALLING);
    urlp_line_up(pool); /* in back-off nobody else may dial now */
    urlp_mutex_unlock(&pool->core->mutex);
    urlp_change_end(&change, pool->set, call);
    return urlp_permit_dial(pool, &permit, &bounded, lease, err);
}

/* must_die says whether a connection that comes home is not kept, why, and how it goes. */
static bool must_die(struct urlpool_pool *pool, struct urlp_seat *seat,
                     const struct urlp_lease_end *end,
                     const struct urlp_change *change) URLP_HOLDS_LOCK
{
    const struct urlp_pool_settings *settings = &pool->set->settings;

    if (!end->is_reusable) {
        seat->why = end->why;
        seat->is_polite = end->is_polite;
        return true;
    }
    if (!urlp_may_rest(pool, seat)) {
        return true;
    }
    if (end->is_unused) {
        urlp_seat_begin_idle(seat, settings, change->now_ns);
    } else {
        seat->is_spare = false;
        pool->locked.warm_pause_ns = 0; /* the origin is well */
        urlp_seat_end_use(seat, settings, end, change->now_ns);
    }
    return seat->expires_ns <= change->now_ns || urlp_is_surplus(pool, seat);
}

/* come_home decides over a connection whose lease has ended, and settles. */
static void come_home(struct urlpool_pool *pool, struct urlp_seat *seat,
                      const struct urlp_lease_end *end, struct urlp_change *change) URLP_HOLDS_LOCK
{
    urlp_sweep(pool->core, change);
    if (must_die(pool, seat, end, change)) {
        urlp_seat_bury(pool, seat, URLP_PLACE_LEASED, seat->why, seat->is_polite, change);
    } else {
        urlp_idle_put(pool, seat);
    }
    urlp_settle(pool, change);
    urlp_idle_trim(pool, change);
    urlp_pool_drop(pool, change);
}

/* end_gone is how a lease ends whose connection DNS leads to no more. */
static struct urlp_lease_end end_gone(const struct urlp_lease_end *end)
{
    struct urlp_lease_end gone = *end;

    gone.is_reusable = false;
    gone.why = URLPOOL_CLOSED_ADDRESS;
    gone.is_polite = true;
    return gone;
}

void urlp_lease_release(struct urlp_lease *lease, const struct urlp_lease_end *end)
{
    struct urlp_lease old = *lease;
    struct urlp_lease_end gone;
    const struct urlp_connector *connector;
    struct urlp_pool_core *core;
    struct urlp_pool_set *set;
    struct urlp_change change;

    memset(lease, 0, sizeof(*lease));
    if (old.pool == NULL) {
        return;
    }
    if (urlp_pool_is_foreign(old.pool)) {
        end_foreign(&old, end->call);
        return;
    }
    core = old.pool->core;
    set = old.pool->set;
    connector = &set->connector;
    if (end->is_reusable && urlp_seat_is_gone(old.pool, old.seat)) {
        gone = end_gone(end);
        end = &gone;
    }
    if (end->is_reusable) {
        connector->rest(connector->user, old.connection);
    }
    urlp_change_begin(&change);
    urlp_mutex_lock(&core->mutex);
    come_home(old.pool, old.seat, end, &change);
    urlp_mutex_unlock(&core->mutex);
    urlp_change_end(&change, set, end->call);
}

void urlp_lease_release_unused(struct urlp_lease *lease, const struct urlp_call *call)
{
    const struct urlp_lease_end unused = {.is_reusable = true,
                                          .keep_alive_timeout_s = -1,
                                          .keep_alive_max = -1,
                                          .is_unused = true,
                                          .call = call};

    urlp_lease_release(lease, &unused);
}
