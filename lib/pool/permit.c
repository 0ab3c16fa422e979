/* A permit to dial: from a place without connection to a lease, or back.
 *
 * A failed dial goes back as a permit, which wakes the next waiter; its error is told only to who
 * dialled. Out of descriptors, the idle connection that was not used for the longest time, of
 * whatever pool, makes room, once. */

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "pool/core.h"

/* give_back_permit gives up a place that holds no connection, and the reference that goes with it.
 */
static void give_back_permit(struct urlpool_pool *pool, bool dial_failed,
                             const struct urlp_call *call) URLP_MAY_BLOCK
{
    struct urlp_pool_core *core = pool->core;
    struct urlp_pool_set *set = pool->set;
    struct urlp_change change;

    urlp_change_begin(&change);
    urlp_mutex_lock(&core->mutex);
    urlp_place_move(pool, URLP_PLACE_DIALLING, URLP_PLACE_NONE);
    pool->locked.stats.dial_failures += dial_failed ? 1 : 0;
    core->locked.stats.dial_failures += dial_failed ? 1 : 0;
    urlp_settle(pool, &change);
    urlp_pool_drop(pool, &change);
    urlp_mutex_unlock(&core->mutex);
    urlp_change_end(&change, set, call);
}

/* evict_one closes the least recently used idle connection of all pools; false: there is none. */
static bool evict_one(struct urlp_pool_set *set, struct urlp_pool_core *core,
                      const struct urlp_call *call) URLP_MAY_BLOCK
{
    struct urlp_change change;
    bool has_one;

    urlp_change_begin(&change);
    urlp_mutex_lock(&core->mutex);
    has_one = urlp_idle_bury_oldest(core, URLPOOL_CLOSED_EVICTED, &change);
    urlp_mutex_unlock(&core->mutex);
    urlp_change_end(&change, set, call);
    return has_one;
}

/* open_connection dials; when the process or the system is out of descriptors, it makes room and
 * dials once more. */
static struct urlpool_connection *open_connection(struct urlpool_pool *pool,
                                                  const struct urlp_call *call,
                                                  struct urlpool_error *err) URLP_MAY_BLOCK
{
    const struct urlp_connector *connector = &pool->set->connector;
    struct urlpool_connection *connection;

    urlp_assert_no_lock("open_connection");
    connection = connector->open(connector->user, &pool->route, call, err);
    if (connection == NULL && (err->os_errno == EMFILE || err->os_errno == ENFILE) &&
        evict_one(pool->set, pool->core, call)) {
        connection = connector->open(connector->user, &pool->route, call, err);
    }
    return connection;
}

static void count_opened(struct urlpool_pool *pool) URLP_MAY_BLOCK
{
    urlp_mutex_lock(&pool->core->mutex);
    urlp_place_move(pool, URLP_PLACE_DIALLING, URLP_PLACE_LEASED);
    pool->locked.stats.opened++;
    pool->core->locked.stats.opened++;
    urlp_mutex_unlock(&pool->core->mutex);
}

enum urlpool_code urlp_permit_dial(struct urlpool_pool *pool, int64_t connect_ms,
                                   const struct urlp_call *call, struct urlp_lease *out,
                                   struct urlpool_error *err)
{
    struct urlp_call bounded = urlp_call_until(call, connect_ms);
    struct urlp_seat *seat = urlp_zalloc(sizeof(*seat));
    struct urlpool_error failure = {0};

    bounded.counters = &pool->counters;
    urlp_call_trace(call, URLPOOL_TRACE_LEASED, pool->name, strlen(pool->name), 0);
    if (seat != NULL) {
        /* What changes while it dials has changed for it, too. */
        seat->network = atomic_load_explicit(&pool->core->network, memory_order_relaxed);
        seat->connection = open_connection(pool, &bounded, &failure);
    } else {
        urlp_fail_nomem(&failure);
    }
    if (seat == NULL || seat->connection == NULL) {
        give_back_permit(pool, seat != NULL, call);
        urlp_free(seat);
        return urlp_fail_with(err, &failure);
    }
    seat->pool = pool;
    urlp_list_init(&seat->in_pool);
    urlp_list_init(&seat->in_core);
    urlp_seat_begin(seat, &pool->set->settings, urlp_boot_ns(),
                    atomic_fetch_add_explicit(&pool->set->num_seats, 1, memory_order_relaxed));
    count_opened(pool);
    *out = (struct urlp_lease){pool, seat->connection, seat, false};
    return URLPOOL_OK;
}
