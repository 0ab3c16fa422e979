/* Letting go of connections on somebody's word: all that were used so far, those of a TLS context
 * that is no more, the idle ones, those of a network that has changed. Nothing is closed that a
 * thread uses: it dies when it comes home. */

#include "pool/upkeep.h"

void urlp_pool_set_clear(struct urlp_pool_set *set)
{
    struct urlp_pool_core *core = urlp_core_of(set);
    struct urlp_change change;

    if (core == NULL) {
        return;
    }
    urlp_change_begin(&change);
    urlp_mutex_lock(&core->mutex);
    urlp_pools_leave(core, URLP_POOL_RETIRED, URLPOOL_CLOSED_CLEARED, &change);
    urlp_mutex_unlock(&core->mutex);
    urlp_change_end(&change, set, NULL);
}

void urlp_pool_set_retire_tls(struct urlp_pool_set *set, uint64_t tls_serial)
{
    struct urlp_pool_core *core = urlp_core_of(set);
    struct urlp_change change;
    struct urlp_list *link;
    struct urlp_list *next;

    if (core == NULL) {
        return;
    }
    urlp_change_begin(&change);
    urlp_mutex_lock(&core->mutex);
    for (link = core->locked.live.next; link != &core->locked.live; link = next) {
        struct urlpool_pool *pool = URLP_CONTAINER(link, struct urlpool_pool, locked.in_live);

        next = link->next;
        if (pool->route.tls_serial == tls_serial) {
            urlp_pool_leave(pool, URLP_POOL_RETIRED, URLPOOL_CLOSED_CLEARED, &change);
        }
    }
    urlp_mutex_unlock(&core->mutex);
    urlp_change_end(&change, set, NULL);
}

/* bury_idle ends every idle connection of all pools, and returns how many. */
static size_t bury_idle(struct urlp_pool_core *core, enum urlpool_closed why,
                        struct urlp_change *change) URLP_HOLDS_LOCK
{
    size_t num = 0;

    while (urlp_idle_bury_oldest(core, why, change)) {
        num++;
    }
    if (num > 0) {
        urlp_upkeep_expect(core, change->now_ns); /* min_idle may be missing some */
    }
    return num;
}

size_t urlp_pool_set_close_idle(struct urlp_pool_set *set)
{
    struct urlp_pool_core *core = urlp_core_of(set);
    struct urlp_change change;
    size_t num;

    if (core == NULL) {
        return 0;
    }
    urlp_change_begin(&change);
    urlp_mutex_lock(&core->mutex);
    num = bury_idle(core, URLPOOL_CLOSED_CLEARED, &change);
    urlp_half_bury_every(core, &change);
    urlp_mutex_unlock(&core->mutex);
    urlp_change_end(&change, set, NULL);
    return num;
}

/* forget_failures has every origin be dialled as if it had never failed: what could not be reached
 * from there may be reached from here. */
static void forget_failures(struct urlp_pool_core *core, struct urlp_change *change) URLP_HOLDS_LOCK
{
    for (struct urlp_list *link = core->locked.all.next; link != &core->locked.all;
         link = link->next) {
        struct urlpool_pool *pool = URLP_CONTAINER(link, struct urlpool_pool, locked.in_all);

        urlp_backoff_succeeded(&pool->locked.backoff);
        pool->locked.warm_pause_ns = 0;
        pool->locked.warm_due_ns = 0;
        urlp_settle(pool, change);
    }
}

void urlp_pool_set_network_changed(struct urlp_pool_set *set)
{
    struct urlp_pool_core *core = urlp_core_of(set);
    struct urlp_change change;

    if (core == NULL) {
        return;
    }
    urlp_change_begin(&change);
    urlp_mutex_lock(&core->mutex);
    (void)atomic_fetch_add_explicit(&core->network, 1, memory_order_relaxed);
    (void)bury_idle(core, URLPOOL_CLOSED_NETWORK, &change);
    urlp_half_bury_every(core, &change);
    forget_failures(core, &change);
    urlp_mutex_unlock(&core->mutex);
    urlp_change_end(&change, set, NULL);
}
