/* What a pool says of itself: why connections died in a word, figures, one line for people. */

#include <inttypes.h>

#include "base/clock.h"
#include "pool/core.h"

static const char *const closed_names[URLPOOL_CLOSED_NUM] = {
    [URLPOOL_CLOSED_IDLE] = "idle",
    [URLPOOL_CLOSED_LIFETIME] = "lifetime",
    [URLPOOL_CLOSED_REQUESTS] = "requests",
    [URLPOOL_CLOSED_BY_PEER] = "by peer",
    [URLPOOL_CLOSED_UNEXPECTED] = "unexpected bytes",
    [URLPOOL_CLOSED_NOT_REUSABLE] = "not reusable",
    [URLPOOL_CLOSED_UNREAD] = "unread",
    [URLPOOL_CLOSED_ERROR] = "error",
    [URLPOOL_CLOSED_SURPLUS] = "surplus",
    [URLPOOL_CLOSED_RETIRED] = "retired",
    [URLPOOL_CLOSED_CLEARED] = "cleared",
    [URLPOOL_CLOSED_SHUTDOWN] = "shutdown",
    [URLPOOL_CLOSED_FORK] = "fork",
    [URLPOOL_CLOSED_STALE] = "stale",
    [URLPOOL_CLOSED_EVICTED] = "evicted",
    [URLPOOL_CLOSED_ADDRESS] = "address",
    [URLPOOL_CLOSED_NETWORK] = "network",
    [URLPOOL_CLOSED_UPGRADED] = "upgraded",
};

const char *urlpool_closed_name(enum urlpool_closed why)
{
    if ((unsigned)why >= URLPOOL_CLOSED_NUM) {
        return "unknown";
    }
    return closed_names[why];
}

/* show_all_counters sums what all pools there ever were have counted. */
static void show_all_counters(struct urlp_pool_core *core,
                              struct urlpool_stats *out) URLP_HOLDS_LOCK
{
    urlp_counters_show(&core->locked.gone, out);
    for (struct urlp_list *link = core->locked.all.next; link != &core->locked.all;
         link = link->next) {
        urlp_counters_show(&URLP_CONTAINER(link, struct urlpool_pool, locked.in_all)->counters,
                           out);
    }
}

void urlp_pool_set_stats(struct urlp_pool_set *set, struct urlpool_pool *pool,
                         struct urlpool_stats *out)
{
    struct urlp_pool_core *core = pool != NULL ? pool->core : urlp_core_of(set);

    if (core == NULL || (pool != NULL && urlp_pool_is_foreign(pool))) {
        return; /* out of memory, or a parent's pool, which has nothing in this process */
    }
    urlp_mutex_lock(&core->mutex);
    if (pool != NULL) {
        *out = pool->locked.stats;
        urlp_counters_show(&pool->counters, out);
    } else {
        *out = core->locked.stats;
        show_all_counters(core, out);
    }
    urlp_mutex_unlock(&core->mutex);
}

/* show_pool appends the figures of one pool, and takes a reference to it. */
static enum urlpool_code show_pool(struct urlpool_pool *pool, struct urlp_buf *out) URLP_HOLDS_LOCK
{
    struct urlp_pool_figures figures = {
        .pool = pool, .origin = pool->origin, .made_wall_s = pool->made_wall_s};
    enum urlpool_code code;

    figures.stats = pool->locked.stats;
    urlp_counters_show(&pool->counters, &figures.stats);
    urlp_counters_add(&figures.counters, &pool->counters);
    code = urlp_buf_append(out, &figures, sizeof(figures));
    pool->locked.num_refs += code == URLPOOL_OK ? 1 : 0;
    return code;
}

enum urlpool_code urlp_pool_set_figures(struct urlp_pool_set *set,
                                        struct urlp_pool_figures *out_all, struct urlp_buf *out)
{
    struct urlp_pool_core *core = urlp_core_of(set);
    enum urlpool_code code = URLPOOL_OK;

    if (core == NULL) {
        return URLPOOL_E_NOMEM;
    }
    *out_all = (struct urlp_pool_figures){.made_wall_s = core->made_wall_s};
    urlp_mutex_lock(&core->mutex);
    out_all->stats = core->locked.stats;
    show_all_counters(core, &out_all->stats);
    for (struct urlp_list *link = core->locked.live.next;
         link != &core->locked.live && code == URLPOOL_OK; link = link->next) {
        code = show_pool(URLP_CONTAINER(link, struct urlpool_pool, locked.in_live), out);
    }
    urlp_mutex_unlock(&core->mutex);
    return code;
}

static enum urlpool_code describe(const struct urlpool_pool *pool, int64_t now_ns,
                                  struct urlp_buf *out) URLP_HOLDS_LOCK
{
    static const char *const states[] = {
        [URLP_POOL_LIVE] = "", [URLP_POOL_RETIRED] = " retired", [URLP_POOL_CLOSED] = " closed"};
    const struct urlpool_stats *stats = &pool->locked.stats;
    enum urlpool_code code =
        urlp_buf_printf(out,
                        "%s open %" PRIu64 " idle %" PRIu64 " leased %" PRIu64 " dialling %" PRIu64
                        " waiting %" PRIu64 " reused %" PRIu64 " opened %" PRIu64 "%s",
                        pool->name, stats->open, stats->idle, stats->leased, stats->dialling,
                        stats->waiting, stats->reused, stats->opened, states[pool->locked.state]);

    if (code == URLPOOL_OK) {
        code = urlp_holders_describe(pool, now_ns, out);
    }
    return code == URLPOOL_OK ? urlp_buf_append_text(out, "\n") : code;
}

enum urlpool_code urlp_pool_set_describe(struct urlp_pool_set *set, struct urlp_buf *out)
{
    struct urlp_pool_core *core = urlp_core_of(set);
    int64_t now_ns = urlp_boot_ns();
    enum urlpool_code code = URLPOOL_OK;

    if (core == NULL) {
        return URLPOOL_E_NOMEM;
    }
    urlp_mutex_lock(&core->mutex);
    for (struct urlp_list *link = core->locked.all.next;
         link != &core->locked.all && code == URLPOOL_OK; link = link->next) {
        code = describe(URLP_CONTAINER(link, struct urlpool_pool, locked.in_all), now_ns, out);
    }
    urlp_mutex_unlock(&core->mutex);
    return code;
}

enum urlpool_code urlp_pool_describe(struct urlpool_pool *pool, struct urlp_buf *out)
{
    int64_t now_ns = urlp_boot_ns();
    enum urlpool_code code;

    if (urlp_pool_is_foreign(pool)) {
        return urlp_buf_printf(out, "%s of the parent process\n", pool->name);
    }
    urlp_mutex_lock(&pool->core->mutex);
    code = describe(pool, now_ns, out);
    urlp_mutex_unlock(&pool->core->mutex);
    return code;
}
