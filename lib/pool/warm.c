/* Connections opened before anybody asks for them.
 *
 * What is there already counts, whatever it is used for, so that threads that warm the same pool at
 * once do not open more together than each was asked for. Nobody is pushed aside: a pool with
 * waiters is warm enough, and where a bound is reached it ends there, without an error. Each
 * connection goes through the same doors as any other: a place, a permit, a lease, and home. */

#include <string.h>

#include "base/error.h"
#include "pool/upkeep.h"

/* has_place says whether a connection may be opened: a half has its place already. */
static bool has_place(const struct urlpool_pool *pool) URLP_HOLDS_LOCK
{
    int64_t max_total = pool->set->settings.max_total;

    return !urlp_list_is_empty(&pool->locked.halves) ||
           (urlp_has_room(pool) &&
            (max_total < 0 || pool->core->locked.stats.open < (uint64_t)max_total));
}

uint64_t urlp_num_warm(const struct urlpool_pool *pool)
{
    const struct urlpool_stats *stats = &pool->locked.stats;

    return stats->idle + stats->dialling - stats->half_dials;
}

bool urlp_may_warm(const struct urlpool_pool *pool)
{
    const struct urlp_pool_settings *settings = &pool->set->settings;
    const struct urlpool_stats *all = &pool->core->locked.stats;
    const struct urlpool_stats *own = &pool->locked.stats;

    return own->waiting == 0 && has_place(pool) &&
           urlp_num_warm(pool) < (uint64_t)settings->maxsize &&
           (settings->max_idle_total < 0 ||
            all->idle + all->dialling - all->half_dials < (uint64_t)settings->max_idle_total);
}

void urlp_warm_take(struct urlpool_pool *pool, struct urlp_permit *out, struct urlp_change *change)
{
    *out = (struct urlp_permit){.connect_ms = -1, .half = urlp_half_take(pool, change)};
    pool->locked.num_refs++;
    if (out->half == NULL) {
        urlp_place_move(pool, URLP_PLACE_NONE, URLP_PLACE_DIALLING);
    }
}

/* take_permit takes a place for dialling, and a reference with it; false: none is to be had, or
 * wanted. */
static bool take_permit(struct urlpool_pool *pool, uint64_t num, struct urlp_permit *out,
                        enum urlpool_code *out_code, struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_change change;
    bool is_closed;
    bool may;

    urlp_change_begin(&change);
    urlp_mutex_lock(&pool->core->mutex);
    urlp_sweep(pool->core, &change);
    is_closed = pool->locked.state == URLP_POOL_CLOSED;
    urlp_pool_note_use(pool, change.now_ns);
    may = pool->locked.state == URLP_POOL_LIVE &&
          pool->locked.stats.open - pool->locked.stats.half_dials < num && urlp_may_warm(pool);
    if (may) {
        urlp_warm_take(pool, out, &change);
    }
    urlp_mutex_unlock(&pool->core->mutex);
    urlp_change_end(&change, pool->set, NULL);
    *out_code = is_closed ? urlp_fail(err, URLPOOL_E_POOL_CLOSED, URLPOOL_PHASE_POOL,
                                      "the pool of %s is closed", pool->name)
                          : URLPOOL_OK;
    return may;
}

enum urlpool_code urlp_pool_warm(struct urlpool_pool *pool, size_t num, int64_t connect_ms,
                                 const struct urlp_call *call, struct urlpool_error *err)
{
    struct urlp_call bounded = urlp_call_until(call, connect_ms);
    struct urlp_permit permit;
    enum urlpool_code code = URLPOOL_OK;

    if (urlp_pool_is_foreign(pool)) {
        return urlp_fail(err, URLPOOL_E_FORKED, URLPOOL_PHASE_POOL,
                         "the pool of %s belongs to the parent process", pool->name);
    }
    while (code == URLPOOL_OK && take_permit(pool, num, &permit, &code, err)) {
        struct urlp_lease lease = {0};

        code = urlp_permit_dial(pool, &permit, &bounded, &lease, err);
        if (code == URLPOOL_OK) {
            urlp_lease_release_unused(&lease, call);
        }
    }
    return code;
}
