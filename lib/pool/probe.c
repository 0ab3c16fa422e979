/* Origins that cannot be reached: who tries, and who hears of it.
 *
 * While a pool is in back-off (backoff.h) one thread dials at a time, a pause after the last
 * failure. No thread is there for it: the oldest waiter sleeps until the next dial is due and gets
 * the permit then, by settle, as any other; when another becomes the oldest it is woken and told.
 * When that dial fails, too, and nothing of the origin is open that could come home, all who had
 * waited for it get the failure, for they would only try the same in a row.
 *
 * What is the caller's own fault, or his machine's, says nothing of the origin. A dial that ran out
 * of time says nothing to who would give it more. */

#include "base/clock.h"
#include "base/error.h"
#include "pool/core.h"

/* num_dials is how many threads dial. */
static uint64_t num_dials(const struct urlpool_pool *pool) URLP_HOLDS_LOCK
{
    return pool->locked.stats.dialling - pool->locked.stats.half_dials;
}

bool urlp_may_dial(const struct urlpool_pool *pool)
{
    return !urlp_backoff_is_on(&pool->locked.backoff) ||
           (num_dials(pool) == 0 && urlp_now_ns() >= pool->locked.backoff.next_ns);
}

static struct urlp_waiter *oldest(const struct urlpool_pool *pool) URLP_HOLDS_LOCK
{
    return urlp_list_is_empty(&pool->locked.waiters)
               ? NULL
               : URLP_CONTAINER(pool->locked.waiters.next, struct urlp_waiter, link);
}

/* is_pausing says whether time is what the pool's waiters wait for. */
static bool is_pausing(const struct urlpool_pool *pool) URLP_HOLDS_LOCK
{
    return urlp_backoff_is_on(&pool->locked.backoff) && num_dials(pool) == 0;
}

void urlp_probe_next(struct urlpool_pool *pool)
{
    struct urlp_waiter *next = oldest(pool);

    if (next != NULL && next->park != NULL && is_pausing(pool) &&
        next->told_ns < pool->locked.backoff.next_ns) {
        urlp_park_wake(next->park);
    }
}

struct urlpool_deadline urlp_probe_time(const struct urlpool_pool *pool, struct urlp_waiter *me)
{
    const struct urlp_waiter *first = oldest(pool);
    struct urlpool_deadline next = {pool->locked.backoff.next_ns};

    if (first == NULL || first != me || !is_pausing(pool)) {
        return URLP_NEVER;
    }
    me->told_ns = next.at_ns;
    /* When it is due already, max_total is what keeps it waiting. */
    return urlp_deadline_has_passed(next) ? URLP_NEVER : next;
}

/* tells_of_origin says whether a failed dial says anything of whom it was to reach. */
static bool tells_of_origin(const struct urlpool_error *failure)
{
    switch (failure->code) {
    case URLPOOL_E_CANCELLED:
    case URLPOOL_E_TOTAL_TIMEOUT:
    case URLPOOL_E_NOMEM:
    case URLPOOL_E_SYSTEM:
    case URLPOOL_E_INVALID:
    case URLPOOL_E_ADDRESS_REFUSED:
        return false;
    default:
        return !urlp_is_shortage(failure->os_errno);
    }
}

/* is_told says whether `waiter` hears of a failure of a dial that was given `connect_ms`. */
static bool is_told(const struct urlp_waiter *waiter, int64_t began_ns, int64_t connect_ms,
                    const struct urlpool_error *failure)
{
    if (waiter->since_ns > began_ns) {
        return false;
    }
    return failure->code != URLPOOL_E_CONNECT_TIMEOUT || connect_ms < 0 ||
           (waiter->connect_ms >= 0 && waiter->connect_ms <= connect_ms);
}

/* tell_all fails who waited for a dial that failed. */
static void tell_all(struct urlpool_pool *pool, int64_t began_ns, int64_t connect_ms,
                     const struct urlpool_error *failure) URLP_HOLDS_LOCK
{
    struct urlp_list *link;
    struct urlp_list *next;

    for (link = pool->locked.waiters.next; link != &pool->locked.waiters; link = next) {
        struct urlp_waiter *waiter = URLP_CONTAINER(link, struct urlp_waiter, link);

        next = link->next;
        if (!is_told(waiter, began_ns, connect_ms, failure)) {
            continue;
        }
        waiter->failed = urlp_fail_with(waiter->err, failure);
        URLP_TALLY(pool, dials_shared, 1);
        urlp_waiter_grant(pool, waiter, URLP_GRANT_FAILED);
    }
}

void urlp_probe_ended(struct urlpool_pool *pool, int64_t began_ns, int64_t connect_ms,
                      const struct urlpool_error *failure)
{
    struct urlp_backoff *backoff = &pool->locked.backoff;
    bool was_probe = urlp_backoff_is_on(backoff) && began_ns >= backoff->next_ns;

    if (failure == NULL) {
        urlp_backoff_succeeded(backoff);
        return;
    }
    if (!tells_of_origin(failure)) {
        return;
    }
    urlp_backoff_failed(backoff, pool->set->settings.dial_pause_max_ms, began_ns, urlp_now_ns(),
                        atomic_fetch_add_explicit(&pool->set->num_seats, 1, memory_order_relaxed));
    if (was_probe && pool->locked.stats.open == pool->locked.stats.half_dials) {
        tell_all(pool, began_ns, connect_ms, failure);
    }
}
