/* Which pools there are: found by key, made, counted, retired, closed.
 *
 * A pool is in the set (live) until it is the least recently used of too many, is cleared or
 * closed; it is freed when it has left the set and nobody holds it. Leaving never closes what
 * another thread uses: that connection dies when it comes home. */

#include "base/alloc.h"
#include "base/error.h"
#include "pool/upkeep.h"

struct urlp_pool_set *urlp_pool_set_new(const struct urlp_pool_settings *settings,
                                        const struct urlp_connector *connector,
                                        struct urlpool_error *err)
{
    struct urlp_pool_set *set;
    struct urlp_pool_core *core;

    if (settings->num_pools < 0 || settings->maxsize < (settings->block ? 1 : 0)) {
        urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                  "num_pools %d, maxsize %d%s: no place to give", settings->num_pools,
                  settings->maxsize, settings->block ? " with block" : "");
        return NULL;
    }
    if (settings->max_total == 0) {
        urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "max_total 0: no place to give");
        return NULL;
    }
    set = urlp_zalloc(sizeof(*set));
    core = urlp_core_new();
    if (set == NULL || core == NULL) {
        if (core != NULL) {
            urlp_core_free(core);
        }
        urlp_free(set);
        urlp_fail_nomem(err);
        return NULL;
    }
    set->settings = *settings;
    set->connector = *connector;
    atomic_init(&set->core, core);
    if (settings->upkeep_thread && urlp_upkeep_start(core, set, err) != URLPOOL_OK) {
        urlp_core_free(core);
        urlp_free(set);
        return NULL;
    }
    return set;
}

/* discard hands over a pool that has left the set and that nobody holds. */
static void discard(struct urlpool_pool *pool, struct urlp_change *change) URLP_HOLDS_LOCK
{
    urlp_list_remove(&pool->locked.in_all);
    urlp_list_push_back(&change->pools, &pool->locked.in_all);
    urlp_counters_add(&pool->core->locked.gone, &pool->counters);
}

void urlp_pool_leave(struct urlpool_pool *pool, enum urlp_pool_state state, enum urlpool_closed why,
                     struct urlp_change *change)
{
    struct urlp_pool_core *core = pool->core;

    if (pool->locked.state == URLP_POOL_LIVE) {
        (void)urlp_map_remove(&core->locked.by_key, pool->key, pool->key_len);
        urlp_list_remove(&pool->locked.in_live);
        URLP_TALLY(pool, pools, -1);
        URLP_TALLY(pool, pools_retired, state == URLP_POOL_RETIRED ? 1 : 0);
    }
    pool->locked.state = state;
    pool->locked.why = why;
    urlp_idle_bury_all(pool, why, change);
    urlp_half_bury_all(pool, change);
    urlp_settle(pool, change);
    if (pool->locked.num_refs == 0) {
        discard(pool, change);
    }
}

void urlp_pool_drop(struct urlpool_pool *pool, struct urlp_change *change)
{
    if (--pool->locked.num_refs > 0) {
        return;
    }
    if (pool->locked.state != URLP_POOL_LIVE) {
        discard(pool, change);
        return;
    }
    if (pool->set->settings.num_pools == 0) {
        urlp_pool_leave(pool, URLP_POOL_RETIRED, URLPOOL_CLOSED_RETIRED, change);
    }
}

/* retire_surplus keeps the number of pools; the newest stays in any case. */
static void retire_surplus(struct urlp_pool_set *set, struct urlp_pool_core *core,
                           struct urlp_change *change) URLP_HOLDS_LOCK
{
    uint64_t num_max = set->settings.num_pools > 0 ? (uint64_t)set->settings.num_pools : 1;

    while (core->locked.stats.pools > num_max) {
        urlp_pool_leave(URLP_CONTAINER(core->locked.live.prev, struct urlpool_pool, locked.in_live),
                        URLP_POOL_RETIRED, URLPOOL_CLOSED_RETIRED, change);
    }
}

void urlp_pool_touch(struct urlpool_pool *pool)
{
    struct urlp_list *live = &pool->core->locked.live;

    if (pool->locked.state == URLP_POOL_LIVE && live->next != &pool->locked.in_live) {
        urlp_list_remove(&pool->locked.in_live);
        urlp_list_push_front(live, &pool->locked.in_live);
    }
}

/* enter puts a new pool into the set, held by the caller; on failure the caller frees it. */
static enum urlpool_code enter(struct urlpool_pool *pool, int64_t now_ns) URLP_HOLDS_LOCK
{
    struct urlp_pool_core *core = pool->core;

    urlp_list_init(&pool->locked.in_live);
    urlp_list_init(&pool->locked.in_all);
    urlp_list_init(&pool->locked.in_line);
    urlp_list_init(&pool->locked.waiters);
    urlp_list_init(&pool->locked.idle);
    urlp_list_init(&pool->locked.halves);
    urlp_list_init(&pool->locked.held);
    urlp_list_init(&pool->locked.dialled);
    urlp_list_init(&pool->locked.diallers);
    if (urlp_map_put(&core->locked.by_key, pool->key, pool->key_len, pool) != URLPOOL_OK) {
        return URLPOOL_E_NOMEM;
    }
    urlp_list_push_front(&core->locked.live, &pool->locked.in_live);
    urlp_list_push_back(&core->locked.all, &pool->locked.in_all);
    pool->locked.num_refs = 1;
    URLP_TALLY(pool, pools, 1);
    urlp_pool_note_use(pool, now_ns);
    pool->locked.names_due_ns = INT64_MAX;
    urlp_upkeep_expect_dial(pool, now_ns);
    return URLPOOL_OK;
}

/* take gives the caller of a visit `pool`, and a reference to it. */
static struct urlpool_pool *take(struct urlpool_pool *pool) URLP_HOLDS_LOCK
{
    pool->locked.num_refs++;
    urlp_pool_touch(pool);
    return pool;
}

/* find_again gives the pool that was used last, if `route` leads there, and takes a reference to
 * it; NULL: it has to be looked for. Most requests go where the last one went, and to compare two
 * routes costs less than to make a key of one. */
static struct urlpool_pool *find_again(struct urlp_pool_core *core,
                                       const struct urlp_route *route) URLP_HOLDS_LOCK
{
    const struct urlp_list *first = core->locked.live.next;
    struct urlpool_pool *pool;

    if (first == &core->locked.live || core->locked.is_closed) {
        return NULL;
    }
    pool = URLP_CONTAINER(first, struct urlpool_pool, locked.in_live);
    return urlp_route_is_same(&pool->route, route) ? take(pool) : NULL;
}

/* find gives the live pool of `key` and takes a reference to it; NULL: there is none. */
static enum urlpool_code find(struct urlp_pool_core *core, const struct urlp_pool_key *key,
                              struct urlpool_pool **out) URLP_HOLDS_LOCK
{
    struct urlpool_pool *pool;

    if (core->locked.is_closed) {
        return URLPOOL_E_POOL_CLOSED;
    }
    pool = urlp_map_get(&core->locked.by_key, key->bytes, key->len);
    *out = pool != NULL ? take(pool) : NULL;
    return URLPOOL_OK;
}

/* find_or_make is find, and makes the pool if there is none. The new one is built without the lock,
 * so somebody else may have entered one meanwhile: then that one is it. */
static enum urlpool_code find_or_make(struct urlp_pool_set *set, struct urlp_pool_core *core,
                                      const struct urlp_route *route,
                                      const struct urlp_pool_key *key,
                                      struct urlpool_pool **out) URLP_MAY_BLOCK
{
    struct urlpool_pool *made = urlp_pool_new(set, core, route, key);
    struct urlp_change change;
    enum urlpool_code code;
    bool starts_thread;

    if (made == NULL) {
        return URLPOOL_E_NOMEM;
    }
    urlp_change_begin(&change);
    urlp_mutex_lock(&core->mutex);
    code = find(core, key, out);
    if (code == URLPOOL_OK && *out == NULL) {
        code = enter(made, change.now_ns);
        if (code == URLPOOL_OK) {
            *out = made;
            made = NULL;
            retire_surplus(set, core, &change);
            urlp_drop_empty(core, &change);
        }
    }
    starts_thread = core->locked.wants_thread;
    core->locked.wants_thread = false;
    urlp_mutex_unlock(&core->mutex);
    urlp_change_end(&change, set, NULL);
    if (starts_thread) {
        (void)urlp_upkeep_start(core, set, NULL); /* it can be done without, as by default */
    }
    if (made != NULL) {
        urlp_pool_free(made);
    }
    return code;
}

struct urlpool_pool *urlp_pool_set_get(struct urlp_pool_set *set, const struct urlp_route *route,
                                       struct urlpool_error *err)
{
    struct urlp_pool_core *core = urlp_core_of(set);
    struct urlpool_pool *pool = NULL;
    struct urlp_pool_key key;
    enum urlpool_code code = URLPOOL_OK;

    if (core == NULL) {
        urlp_fail_nomem(err);
        return NULL;
    }
    urlp_mutex_lock(&core->mutex);
    pool = find_again(core, route);
    if (pool == NULL) {
        code = urlp_pool_key_of(route, &key) ? find(core, &key, &pool) : URLPOOL_E_URL;
    }
    urlp_mutex_unlock(&core->mutex);
    if (code == URLPOOL_OK && pool == NULL) {
        code = find_or_make(set, core, route, &key, &pool);
    }
    if (code == URLPOOL_E_NOMEM) {
        urlp_fail_nomem(err);
    } else if (code == URLPOOL_E_URL) {
        urlp_fail(err, code, URLPOOL_PHASE_NONE, "host or zone too long: %s",
                  urlp_quote(route->origin.zone.data, route->origin.zone.len).text);
    } else if (code != URLPOOL_OK) {
        urlp_fail(err, code, URLPOOL_PHASE_POOL, "closed");
    }
    return pool;
}

struct urlpool_pool *urlp_pool_here(struct urlpool_pool *pool, struct urlpool_error *err)
{
    if (urlp_pool_is_foreign(pool)) {
        return urlp_pool_set_get(pool->set, &pool->route, err);
    }
    urlp_pool_ref(pool);
    return pool;
}

void urlp_pool_ref(struct urlpool_pool *pool)
{
    if (urlp_pool_is_foreign(pool)) {
        return;
    }
    urlp_mutex_lock(&pool->core->mutex);
    pool->locked.num_refs++;
    urlp_mutex_unlock(&pool->core->mutex);
}

/* stays_without says whether one reference less changes nothing else. */
static bool stays_without(const struct urlpool_pool *pool) URLP_HOLDS_LOCK
{
    return pool->locked.num_refs > 1 ||
           (pool->locked.state == URLP_POOL_LIVE && pool->set->settings.num_pools != 0);
}

void urlp_pool_unref(struct urlpool_pool *pool)
{
    struct urlp_pool_core *core;
    struct urlp_pool_set *set;
    struct urlp_change change;

    if (pool == NULL || urlp_pool_is_foreign(pool)) {
        return;
    }
    core = pool->core;
    set = pool->set;
    urlp_mutex_lock(&core->mutex);
    if (stays_without(pool)) {
        pool->locked.num_refs--;
        urlp_mutex_unlock(&core->mutex);
        return;
    }
    urlp_change_begin(&change);
    urlp_pool_drop(pool, &change);
    urlp_mutex_unlock(&core->mutex);
    urlp_change_end(&change, set, NULL);
}

void urlp_pool_close(struct urlpool_pool *pool)
{
    struct urlp_change change;

    if (urlp_pool_is_foreign(pool)) {
        return;
    }
    urlp_change_begin(&change);
    urlp_mutex_lock(&pool->core->mutex);
    urlp_pool_leave(pool, URLP_POOL_CLOSED, URLPOOL_CLOSED_SHUTDOWN, &change);
    urlp_mutex_unlock(&pool->core->mutex);
    urlp_change_end(&change, pool->set, NULL);
}

void urlp_pools_leave(struct urlp_pool_core *core, enum urlp_pool_state state,
                      enum urlpool_closed why, struct urlp_change *change)
{
    struct urlp_list *link;
    struct urlp_list *next;

    for (link = core->locked.all.next; link != &core->locked.all; link = next) {
        struct urlpool_pool *pool = URLP_CONTAINER(link, struct urlpool_pool, locked.in_all);

        next = link->next;
        if (state == URLP_POOL_CLOSED || pool->locked.state == URLP_POOL_LIVE) {
            urlp_pool_leave(pool, state, why, change);
        }
    }
}

void urlp_pool_set_close(struct urlp_pool_set *set)
{
    struct urlp_pool_core *core = urlp_core_of(set);
    struct urlp_change change;

    if (core == NULL) {
        return;
    }
    urlp_change_begin(&change);
    urlp_mutex_lock(&core->mutex);
    core->locked.is_closed = true;
    urlp_pools_leave(core, URLP_POOL_CLOSED, URLPOOL_CLOSED_SHUTDOWN, &change);
    urlp_mutex_unlock(&core->mutex);
    urlp_change_end(&change, set, NULL);
    urlp_upkeep_settle(core);
}

void urlp_pool_set_free(struct urlp_pool_set *set)
{
    struct urlp_pool_core *core;

    if (set == NULL) {
        return;
    }
    urlp_pool_set_close(set);
    core = urlp_core_of(set);
    if (core != NULL) {
        urlp_core_free(core);
    }
    urlp_free(set);
}
