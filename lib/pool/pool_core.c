/* One process's part of a pool set, and a visit to it.
 *
 * After a fork the child gets a new core, empty; the parent's is left as it is, unlocked and
 * unwalked, since a lock of it may have been held. The first thread that asks makes it, without any
 * lock.
 *
 * A visit leaves things to be done after unlock: ending connections, which may write to a socket
 * and call the trace sink, and freeing pools, which drops TLS settings. */

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fork.h"
#include "pool/upkeep.h"

struct urlp_pool_core *urlp_core_new(void)
{
    struct urlp_pool_core *core = urlp_zalloc(sizeof(*core));

    if (core == NULL) {
        return NULL;
    }
    core->generation = urlp_fork_generation();
    core->made_wall_s = urlp_wall_seconds();
    urlp_mutex_init(&core->mutex);
    urlp_mutex_lock(&core->mutex); /* nobody else has it: for the analysis alone */
    urlp_list_init(&core->locked.live);
    urlp_list_init(&core->locked.all);
    urlp_list_init(&core->locked.idle);
    urlp_list_init(&core->locked.halves);
    urlp_list_init(&core->locked.starved);
    urlp_list_init(&core->locked.hungry);
    core->locked.wakes_ns = INT64_MIN;
    urlp_mutex_unlock(&core->mutex);
    return core;
}

void urlp_core_free(struct urlp_pool_core *core)
{
    urlp_upkeep_stop(core);
    urlp_mutex_lock(&core->mutex);
    urlp_map_deinit(&core->locked.by_key);
    urlp_map_deinit(&core->locked.watched);
    urlp_mutex_unlock(&core->mutex);
    urlp_mutex_deinit(&core->mutex);
    urlp_free(core);
}

struct urlp_pool_core *urlp_core_of(struct urlp_pool_set *set)
{
    struct urlp_pool_core *core = atomic_load_explicit(&set->core, memory_order_acquire);
    struct urlp_pool_core *made;

    if (!urlp_fork_has_happened(core->generation)) {
        return core;
    }
    made = urlp_core_new();
    if (made == NULL) {
        return NULL;
    }
    urlp_mutex_lock(&made->mutex);
    made->locked.wants_thread = set->settings.upkeep_thread;
    urlp_mutex_unlock(&made->mutex);
    if (atomic_compare_exchange_strong(&set->core, &core, made)) {
        return made;
    }
    urlp_core_free(made); /* another thread of the child was first */
    return core;
}

bool urlp_pool_is_foreign(const struct urlpool_pool *pool)
{
    return urlp_fork_has_happened(pool->core->generation);
}

void urlp_change_begin(struct urlp_change *change)
{
    change->now_ns = urlp_boot_ns();
    urlp_list_init(&change->dead);
    urlp_list_init(&change->pools);
}

static void end_seat(struct urlp_seat *seat, const struct urlp_connector *connector,
                     const struct urlp_call *call) URLP_MAY_BLOCK
{
    if (seat->half != NULL) {
        connector->drop_half(connector->user, seat->half);
    }
    if (seat->connection != NULL) {
        const char *why = urlpool_closed_name(seat->why);

        connector->end(connector->user, seat->connection, seat->is_polite);
        if (call != NULL) {
            urlp_call_trace(call, URLPOOL_TRACE_CLOSED, why, strlen(why), 0);
        }
    }
    urlp_free(seat);
}

void urlp_change_end(struct urlp_change *change, const struct urlp_pool_set *set,
                     const struct urlp_call *call)
{
    struct urlp_list *link;

    urlp_assert_no_lock("urlp_change_end");
    while ((link = change->dead.next) != &change->dead) {
        urlp_list_remove(link);
        end_seat(URLP_CONTAINER(link, struct urlp_seat, in_pool), &set->connector, call);
    }
    while ((link = change->pools.next) != &change->pools) {
        struct urlpool_pool *pool = URLP_CONTAINER(link, struct urlpool_pool, locked.in_all);

        urlp_list_remove(link);
        urlp_pool_free(pool);
    }
}
