/* What pool/core.h says is always true, as asserts. Under the lock, so that nobody is half way. */

#include "support/pool_invariants.h"

#include <check.h>

#include "base/clock.h"
#include "pool/core.h"

static uint64_t length(const struct urlp_list *list)
{
    uint64_t num = 0;

    for (const struct urlp_list *link = list->next; link != list; link = link->next) {
        num++;
    }
    return num;
}

static bool is_in_line(const struct urlpool_pool *pool) URLP_HOLDS_LOCK
{
    return !urlp_list_is_empty(&pool->locked.in_line);
}

static bool is_full(const struct urlp_pool_core *core,
                    const struct urlp_pool_settings *settings) URLP_HOLDS_LOCK
{
    return settings->max_total >= 0 && core->locked.stats.open == (uint64_t)settings->max_total;
}

/* check_places holds the figures of a pool against what it has. */
static void check_places(const struct urlpool_pool *pool) URLP_HOLDS_LOCK
{
    const struct urlpool_stats *stats = &pool->locked.stats;
    const struct urlp_pool_settings *settings = &pool->set->settings;

    ck_assert_uint_eq(stats->open, stats->idle + stats->leased + stats->dialling);
    ck_assert_uint_eq(stats->idle, length(&pool->locked.idle));
    ck_assert_uint_eq(stats->half_dials, length(&pool->locked.halves));
    ck_assert_uint_eq(stats->waiting, length(&pool->locked.waiters));
    ck_assert_uint_le(stats->half_dials, stats->dialling);
    ck_assert_uint_le(length(&pool->locked.diallers), stats->dialling - stats->half_dials);
    ck_assert_uint_le(stats->idle, (uint64_t)settings->maxsize);
    ck_assert(!settings->block || stats->open <= (uint64_t)settings->maxsize);
    if (pool->locked.state != URLP_POOL_LIVE) {
        ck_assert_uint_eq(stats->idle + stats->half_dials, 0);
    }
}

/* check_backoff: somebody tries, or the oldest waiter knows when to. */
static void check_backoff(const struct urlpool_pool *pool) URLP_HOLDS_LOCK
{
    const struct urlp_waiter *oldest =
        URLP_CONTAINER(pool->locked.waiters.next, const struct urlp_waiter, link);

    ck_assert(pool->locked.stats.dialling > pool->locked.stats.half_dials || oldest->park == NULL ||
              oldest->park->woken || oldest->told_ns >= pool->locked.backoff.next_ns);
}

/* check_waiting: nobody waits for what there is. */
static void check_waiting(const struct urlpool_pool *pool) URLP_HOLDS_LOCK
{
    const struct urlp_pool_settings *settings = &pool->set->settings;
    bool has_waiter = !urlp_list_is_empty(&pool->locked.waiters);

    ck_assert(has_waiter || !is_in_line(pool));
    if (!has_waiter) {
        return;
    }
    ck_assert_int_ne(pool->locked.state, URLP_POOL_CLOSED);
    ck_assert_uint_eq(pool->locked.stats.idle, 0);
    if (urlp_backoff_is_on(&pool->locked.backoff)) {
        check_backoff(pool);
        return;
    }
    ck_assert_uint_eq(pool->locked.stats.half_dials, 0);
    ck_assert(!urlp_has_room(pool) || is_full(pool->core, settings));
    ck_assert(is_in_line(pool) == (settings->max_total >= 0 && urlp_has_room(pool)));
}

/* check_dialling: nobody dials who could have what is idle. */
static void check_dialling(const struct urlpool_pool *pool) URLP_HOLDS_LOCK
{
    for (const struct urlp_list *link = pool->locked.diallers.next; link != &pool->locked.diallers;
         link = link->next) {
        const struct urlp_dialler *dialler = URLP_CONTAINER(link, const struct urlp_dialler, link);

        ck_assert_ptr_null(dialler->overtaker);
        ck_assert(pool->locked.stats.idle == 0 ||
                  atomic_load(&dialler->break_off.state) != URLP_BREAK_OPEN);
    }
}

static void add(struct urlpool_stats *sum, const struct urlpool_stats *more)
{
    sum->open += more->open;
    sum->idle += more->idle;
    sum->leased += more->leased;
    sum->dialling += more->dialling;
    sum->half_dials += more->half_dials;
    sum->waiting += more->waiting;
}

static void check_sums(const struct urlp_pool_core *core, const struct urlp_pool_settings *settings,
                       const struct urlpool_stats *sum, bool has_line) URLP_HOLDS_LOCK
{
    const struct urlpool_stats *all = &core->locked.stats;

    ck_assert_uint_eq(all->open, sum->open);
    ck_assert_uint_eq(all->idle, sum->idle);
    ck_assert_uint_eq(all->leased, sum->leased);
    ck_assert_uint_eq(all->dialling, sum->dialling);
    ck_assert_uint_eq(all->half_dials, sum->half_dials);
    ck_assert_uint_eq(all->waiting, sum->waiting);
    ck_assert_uint_eq(all->idle, length(&core->locked.idle));
    ck_assert_uint_eq(all->half_dials, length(&core->locked.halves));
    ck_assert(settings->max_total < 0 || all->open <= (uint64_t)settings->max_total);
    ck_assert(settings->max_idle_total < 0 || all->idle <= (uint64_t)settings->max_idle_total);
    ck_assert(!has_line || (is_full(core, settings) && all->idle + all->half_dials == 0));
}

void pool_check_invariants(struct urlp_pool_set *set)
{
    struct urlp_pool_core *core = urlp_core_of(set);
    struct urlpool_stats sum = {0};
    bool has_line = false;

    ck_assert_ptr_nonnull(core);
    urlp_mutex_lock(&core->mutex);
    for (const struct urlp_list *link = core->locked.all.next; link != &core->locked.all;
         link = link->next) {
        const struct urlpool_pool *pool =
            URLP_CONTAINER(link, const struct urlpool_pool, locked.in_all);

        check_places(pool);
        check_waiting(pool);
        check_dialling(pool);
        add(&sum, &pool->locked.stats);
        has_line = has_line || (is_in_line(pool) && !urlp_backoff_is_on(&pool->locked.backoff));
    }
    check_sums(core, &set->settings, &sum, has_line);
    urlp_mutex_unlock(&core->mutex);
}
