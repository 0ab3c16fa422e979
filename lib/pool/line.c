/* Which origin is next when max_total is used up.
 *
 * A pool stands in line while it has a waiter that only max_total keeps waiting; one in back-off
 * only from when its next dial is due. Those without any place come first, in turn: whatever place
 * comes free is theirs. The others have places of their own, which come home to them sooner or
 * later; a connection that comes home serves its own origin, since one that is closed for another's
 * sake costs two a dial. But only PASSED_MAX grants in a row go past the first of them: then it is
 * its turn before all, so that an origin whose few places are held for long is not starved by busy
 * ones. A place that comes free without a connection always goes to the line.
 *
 * Knows nothing of connections; settle.c asks here and gives. */

#include "pool/core.h"

/* A place moves between origins that both have some at most once in so many grants. */
#define PASSED_MAX 8

bool urlp_has_room(const struct urlpool_pool *pool)
{
    const struct urlp_pool_settings *settings = &pool->set->settings;

    return !settings->block || pool->locked.stats.open < (uint64_t)settings->maxsize;
}

/* line_of is the list in which `pool` belongs, or NULL. */
static struct urlp_list *line_of(const struct urlpool_pool *pool) URLP_HOLDS_LOCK
{
    struct urlp_pool_core *core = pool->core;

    if (urlp_list_is_empty(&pool->locked.waiters) || !urlp_has_room(pool) ||
        pool->locked.state == URLP_POOL_CLOSED || !urlp_may_dial(pool)) {
        return NULL;
    }
    return pool->locked.stats.open == 0 ? &core->locked.starved : &core->locked.hungry;
}

void urlp_line_up(struct urlpool_pool *pool)
{
    struct urlp_list *line;
    bool is_starved;

    if (pool->set->settings.max_total < 0) {
        return;
    }
    line = line_of(pool);
    is_starved = line == &pool->core->locked.starved;
    if (line != NULL && !urlp_list_is_empty(&pool->locked.in_line) &&
        is_starved == pool->locked.is_starved) {
        return;
    }
    urlp_list_remove(&pool->locked.in_line);
    pool->locked.is_starved = is_starved;
    if (line != NULL) {
        urlp_list_push_back(line, &pool->locked.in_line);
    }
}

static struct urlpool_pool *front(struct urlp_list *line)
{
    return urlp_list_is_empty(line)
               ? NULL
               : URLP_CONTAINER(line->next, struct urlpool_pool, locked.in_line);
}

struct urlpool_pool *urlp_line_first(struct urlp_pool_core *core)
{
    struct urlpool_pool *starved = front(&core->locked.starved);
    struct urlpool_pool *hungry = front(&core->locked.hungry);

    if (starved == NULL || (hungry != NULL && core->locked.num_passed >= PASSED_MAX)) {
        return hungry;
    }
    return starved;
}

bool urlp_line_keeps(const struct urlpool_pool *pool)
{
    return urlp_list_is_empty(&pool->core->locked.starved) &&
           pool->core->locked.num_passed < PASSED_MAX;
}

void urlp_line_granted(struct urlpool_pool *pool, enum urlp_grant grant)
{
    struct urlp_pool_core *core = pool->core;
    struct urlpool_pool *hungry = front(&core->locked.hungry);

    if (pool == hungry) {
        core->locked.num_passed = 0;
    } else if (hungry != NULL) {
        core->locked.num_passed++;
    }
    if (!urlp_list_is_empty(&pool->locked.in_line) &&
        (pool == hungry || grant == URLP_GRANT_PERMIT)) {
        urlp_list_remove(&pool->locked.in_line); /* its next turn is after all others' */
        urlp_line_up(pool);
    }
}
