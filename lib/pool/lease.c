/* How a thread comes to a place: waits its turn, looks at what it was given, takes the next.
 *
 * A waiter is in the queue from before the first settle until it has a grant or has left, all of it
 * under the lock; a grant that its waiter cannot use is passed on. Who has nothing but a connection
 * that does not pass the look takes the next or dials; where nobody may dial it queues up again. On
 * every failure the place has been given back, and the reference to the pool with it. Looks, dials
 * and closes happen without the lock. */

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "pool/upkeep.h"

/* --- waiting ---------------------------------------------------------------------------------- */

static void enqueue(struct urlpool_pool *pool, struct urlp_waiter *me) URLP_HOLDS_LOCK
{
    me->grant = URLP_GRANT_NONE;
    me->seat = NULL;
    me->since_ns = urlp_backoff_is_on(&pool->locked.backoff) ? urlp_now_ns() : 0;
    me->told_ns = 0;
    me->connect_by = (struct urlpool_deadline){0};
    urlp_list_push_back(&pool->locked.waiters, &me->link);
    URLP_TALLY(pool, waiting, 1);
}

static void forget(struct urlpool_pool *pool, struct urlp_waiter *me) URLP_HOLDS_LOCK
{
    urlp_list_remove(&me->link);
    URLP_TALLY(pool, waiting, -1);
    urlp_line_up(pool);
    urlp_probe_next(pool);
}

/* pass_on gives the grant of a waiter that has no use for it any more to the next. */
static void pass_on(struct urlpool_pool *pool, struct urlp_waiter *me,
                    struct urlp_change *change) URLP_HOLDS_LOCK
{
    if (me->grant == URLP_GRANT_CONNECTION) {
        urlp_idle_put_back(pool, me->seat, change);
    } else if (me->grant == URLP_GRANT_PERMIT && me->seat != NULL) {
        urlp_half_put_back(pool, me->seat, change);
    } else if (me->grant == URLP_GRANT_PERMIT) {
        urlp_place_move(pool, URLP_PLACE_DIALLING, URLP_PLACE_NONE);
    }
    me->grant = URLP_GRANT_NONE;
    urlp_settle(pool, change);
    urlp_idle_trim(pool, change);
}

static void count_wait(struct urlpool_stats *stats, int64_t waited_ns, bool in_vain)
{
    stats->waits++;
    stats->wait_buckets[urlp_bucket_of(waited_ns, urlp_wait_bounds_ns, URLPOOL_WAIT_BUCKETS - 1)]++;
    stats->wait_ns += (uint64_t)waited_ns;
    stats->wait_timeouts += in_vain ? 1 : 0;
}

/* sleep_until_woken waits on `park` until there is a grant or no time left, and settles when the
 * next dial of an origin that cannot be reached is due. */
static enum urlp_park_end sleep_until_woken(struct urlpool_pool *pool, struct urlp_waiter *me,
                                            struct urlp_park *park, const struct urlp_call *call,
                                            struct urlp_change *change)
    URLP_TSA(requires_capability(pool->core->mutex, urlp_any_lock))
{
    for (;;) {
        struct urlpool_deadline by = urlpool_deadline_earliest(call->by, urlp_probe_time(pool, me));
        enum urlp_park_end end;

        me->park = park;
        end = urlp_park_wait(park, &pool->core->mutex, by);
        me->park = NULL;
        change->now_ns = urlp_boot_ns();
        if (me->grant != URLP_GRANT_NONE || end == URLP_PARK_CANCELLED) {
            return end;
        }
        if (urlp_deadline_has_passed(call->by)) {
            return URLP_PARK_TIMEOUT;
        }
        urlp_settle(pool, change);
        if (me->grant != URLP_GRANT_NONE) {
            return URLP_PARK_WOKEN;
        }
    }
}

/* sleep_until_granted waits on `park` and says how that ended. Whatever else is true, a grant that
 * has been made is kept, unless the caller could not use it any more: then it is passed on. */
static enum urlp_park_end sleep_until_granted(struct urlpool_pool *pool, struct urlp_waiter *me,
                                              struct urlp_park *park, const struct urlp_call *call,
                                              struct urlp_change *change)
    URLP_TSA(requires_capability(pool->core->mutex, urlp_any_lock))
{
    int64_t began_ns = urlp_now_ns();
    enum urlp_park_end end = sleep_until_woken(pool, me, park, call, change);
    int64_t waited_ns;

    if (me->grant == URLP_GRANT_NONE) {
        forget(pool, me);
    } else if (urlpool_cancel_is_set(call->cancel)) {
        end = URLP_PARK_CANCELLED;
        pass_on(pool, me, change);
    } else if (urlp_deadline_has_passed(call->total_by)) {
        end = URLP_PARK_TIMEOUT;
        pass_on(pool, me, change);
    }
    waited_ns = urlp_now_ns() - began_ns;
    count_wait(&pool->locked.stats, waited_ns, end == URLP_PARK_TIMEOUT);
    count_wait(&pool->core->locked.stats, waited_ns, end == URLP_PARK_TIMEOUT);
    return end;
}

/* wait_failed says why there is no grant. */
static enum urlpool_code wait_failed(const struct urlpool_pool *pool, enum urlp_park_end end,
                                     bool is_pausing, const struct urlp_call *call,
                                     struct urlpool_error *err)
{
    const struct urlp_pool_settings *settings = &pool->set->settings;
    enum urlpool_code code = urlp_call_timeout_code(call, URLPOOL_E_POOL_TIMEOUT);

    if (end == URLP_PARK_CANCELLED) {
        return urlp_fail(err, URLPOOL_E_CANCELLED, URLPOOL_PHASE_POOL,
                         "cancelled while waiting for a connection to %s", pool->name);
    }
    if (is_pausing) {
        return urlp_fail(err, code, URLPOOL_PHASE_POOL,
                         "%s cannot be reached, and the next try is not due in time", pool->name);
    }
    if (settings->block) {
        return urlp_fail(err, code, URLPOOL_PHASE_POOL,
                         "no connection to %s came free in time: all %d are in use%s", pool->name,
                         settings->maxsize,
                         settings->max_total >= 0 ? ", or all of max_total" : "");
    }
    return urlp_fail(err, code, URLPOOL_PHASE_POOL,
                     "no connection to %s came free in time: all %" PRId64
                     " of max_total are in use",
                     pool->name, settings->max_total);
}

/* wait_turn sleeps for a grant. On failure the waiter has left the queue. */
static enum urlpool_code wait_turn(struct urlpool_pool *pool, struct urlp_waiter *me,
                                   const struct urlp_call *call, struct urlp_change *change,
                                   struct urlpool_error *err)
    URLP_TSA(requires_capability(pool->core->mutex, urlp_any_lock))
{
    struct urlp_park park;
    enum urlp_park_end end;
    bool is_pausing;

    if (urlp_park_init(&park, call->cancel, err) != URLPOOL_OK) {
        forget(pool, me);
        if (err != NULL) {
            err->phase = URLPOOL_PHASE_POOL;
        }
        return URLPOOL_E_SYSTEM;
    }
    end = sleep_until_granted(pool, me, &park, call, change);
    is_pausing = urlp_backoff_is_on(&pool->locked.backoff);
    urlp_park_deinit(&park);
    return me->grant != URLP_GRANT_NONE ? URLPOOL_OK
                                        : wait_failed(pool, end, is_pausing, call, err);
}

static enum urlpool_code closed(const struct urlpool_pool *pool, struct urlpool_error *err)
{
    return urlp_fail(err, URLPOOL_E_POOL_CLOSED, URLPOOL_PHASE_POOL, "the pool of %s is closed",
                     pool->name);
}

/* queue_is_too_long says whether the newest waiter is one too many. */
static bool queue_is_too_long(const struct urlpool_pool *pool) URLP_HOLDS_LOCK
{
    int64_t max = pool->set->settings.max_waiters;

    return max >= 0 && pool->locked.stats.waiting > (uint64_t)max;
}

/* wait_by_pool_ms is wait_turn within `pool_ms` from the moment that this waiter first had to. */
static enum urlpool_code wait_by_pool_ms(struct urlpool_pool *pool, struct urlp_waiter *me,
                                         int64_t pool_ms, const struct urlp_call *call,
                                         struct urlp_change *change, struct urlpool_error *err)
    URLP_TSA(requires_capability(pool->core->mutex, urlp_any_lock))
{
    struct urlp_call bounded = *call;

    if (me->pool_by.at_ns == 0) {
        me->pool_by = urlp_deadline_in(pool_ms);
    }
    bounded.by = urlpool_deadline_earliest(call->by, me->pool_by);
    return wait_turn(pool, me, &bounded, change, err);
}

/* refused says what is wrong with a grant that is nothing. */
static enum urlpool_code refused(const struct urlpool_pool *pool, const struct urlp_waiter *me,
                                 struct urlpool_error *err)
{
    switch (me->grant) {
    case URLP_GRANT_CLOSED:
        return closed(pool, err);
    case URLP_GRANT_FAILED:
        return me->failed; /* with the words already there */
    default:
        return URLPOOL_OK;
    }
}

/* queue_up waits for a grant as long as it may, unless there is one at once. */
static enum urlpool_code queue_up(struct urlpool_pool *pool, int64_t pool_ms,
                                  const struct urlp_call *call, struct urlp_waiter *me,
                                  struct urlp_change *change, struct urlpool_error *err)
    URLP_TSA(requires_capability(pool->core->mutex, urlp_any_lock))
{
    enum urlpool_code code = URLPOOL_OK;

    urlp_holder_begin(&me->who, call, change->now_ns);
    enqueue(pool, me);
    urlp_settle(pool, change);
    if (me->grant == URLP_GRANT_NONE && queue_is_too_long(pool)) {
        forget(pool, me);
        code = urlp_fail(err, URLPOOL_E_POOL_FULL, URLPOOL_PHASE_POOL,
                         "%" PRId64 " threads wait for a connection to %s already",
                         pool->set->settings.max_waiters, pool->name);
    } else if (me->grant == URLP_GRANT_NONE) {
        code = wait_by_pool_ms(pool, me, pool_ms, call, change, err);
    }
    return code == URLPOOL_OK ? refused(pool, me, err) : code;
}

/* get_grant returns with a grant, and with a reference to `pool`, or with neither. */
static enum urlpool_code get_grant(struct urlpool_pool *pool, int64_t pool_ms,
                                   const struct urlp_call *call, struct urlp_waiter *me,
                                   struct urlpool_error *err) URLP_MAY_BLOCK
{
    enum urlpool_code code = URLPOOL_OK;
    struct urlp_change change;

    urlp_change_begin(&change);
    urlp_mutex_lock(&pool->core->mutex);
    pool->locked.num_refs++;
    urlp_pool_touch(pool);
    urlp_pool_note_use(pool, change.now_ns);
    urlp_sweep(pool->core, &change);
    if (!urlp_grant_idle(pool, me, call, &change)) {
        code = queue_up(pool, pool_ms, call, me, &change, err);
    }
    if (code != URLPOOL_OK) {
        urlp_pool_drop(pool, &change);
    }
    urlp_mutex_unlock(&pool->core->mutex);
    urlp_change_end(&change, pool->set, call);
    return code;
}

/* --- acquiring -------------------------------------------------------------------------------- */

/* dial_instead lets a place that has no connection any more be dialled, by a half if there is one;
 * where nobody may dial now, the place and the reference go, and the grant is nothing. */
static void dial_instead(struct urlpool_pool *pool, struct urlp_waiter *me,
                         struct urlp_change *change) URLP_HOLDS_LOCK
{
    bool may_dial = urlp_may_dial(pool);

    me->seat = may_dial ? urlp_half_take(pool, change) : NULL;
    me->grant = may_dial ? URLP_GRANT_PERMIT : URLP_GRANT_NONE;
    if (may_dial && me->seat == NULL) {
        urlp_place_move(pool, URLP_PLACE_NONE, URLP_PLACE_DIALLING);
        urlp_line_up(pool); /* in back-off nobody else may dial now */
        return;
    }
    urlp_settle(pool, change);
    if (!may_dial) {
        urlp_pool_drop(pool, change);
    }
}

/* replace ends a leased connection that did not pass the look and takes the next idle one in the
 * same place, else dials in it. A pool with idle connections has no waiters, so this overtakes
 * nobody.
 *
 * Errors:  URLPOOL_E_POOL_CLOSED: the place and the reference are gone. */
static enum urlpool_code replace(struct urlpool_pool *pool, struct urlp_waiter *me,
                                 enum urlp_look look, const struct urlp_call *call,
                                 struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_pool_core *core = pool->core;
    struct urlp_pool_set *set = pool->set;
    enum urlpool_code code = URLPOOL_OK;
    struct urlp_change change;
    bool is_polite;
    const enum urlpool_closed why = urlp_look_why(look, &is_polite);

    urlp_change_begin(&change);
    urlp_mutex_lock(&core->mutex);
    urlp_uncount_reused(pool);
    urlp_seat_bury(pool, me->seat, URLP_PLACE_LEASED, why, is_polite, &change);
    if (pool->locked.state == URLP_POOL_CLOSED) {
        code = closed(pool, err);
        urlp_pool_drop(pool, &change);
    } else {
        me->seat = urlp_idle_take(pool, &change);
        if (me->seat != NULL) {
            urlp_holder_begin(&me->seat->holder, call, change.now_ns);
            urlp_seat_hold(pool, me->seat, &me->seat->holder, change.now_ns);
        } else {
            dial_instead(pool, me, &change);
        }
    }
    urlp_mutex_unlock(&core->mutex);
    urlp_change_end(&change, set, call);
    return code;
}

/* look_at looks at the connection of a grant; what does not pass is replaced.
 *
 * Errors:  those of replace. */
static enum urlpool_code look_at(struct urlpool_pool *pool, struct urlp_waiter *me,
                                 const struct urlp_call *call, struct urlp_lease *out,
                                 struct urlpool_error *err) URLP_MAY_BLOCK
{
    enum urlp_look look = urlp_seat_look(pool, me->seat);

    if (look == URLP_LOOK_GOOD) {
        *out = (struct urlp_lease){pool, me->seat->connection, me->seat, true};
        urlp_call_trace(call, URLPOOL_TRACE_LEASED, pool->name,
                        call->trace != NULL ? strlen(pool->name) : 0, 1);
        return URLPOOL_OK;
    }
    return replace(pool, me, look, call, err);
}

/* dial_for dials on the permit of a grant, within connect_ms from the first time since it waited; a
 * connection that overtakes the dial is the grant then.
 *
 * Errors:  those of urlp_permit_dial. */
static enum urlpool_code dial_for(struct urlpool_pool *pool, struct urlp_waiter *me,
                                  const struct urlp_call *call, struct urlp_lease *out,
                                  struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_permit permit = {
        .half = me->seat, .connect_ms = me->connect_ms, .may_be_overtaken = true};
    struct urlp_call bounded = *call;
    enum urlpool_code code;

    if (me->connect_by.at_ns == 0) {
        me->connect_by = urlp_deadline_in(me->connect_ms);
    }
    bounded.by = urlpool_deadline_earliest(call->by, me->connect_by);
    code = urlp_permit_dial(pool, &permit, &bounded, out, err);
    if (permit.overtaker != NULL) {
        me->grant = URLP_GRANT_CONNECTION;
        me->seat = permit.overtaker;
    }
    return code;
}

/* fill puts a connection into the place of a grant. Success without a lease: the place and the
 * reference are gone, and the caller has to wait again. On failure they are gone, too. */
static enum urlpool_code fill(struct urlpool_pool *pool, struct urlp_waiter *me,
                              const struct urlp_call *call, struct urlp_lease *out,
                              struct urlpool_error *err) URLP_MAY_BLOCK
{
    enum urlpool_code code = URLPOOL_OK;

    while (code == URLPOOL_OK && out->pool == NULL && me->grant != URLP_GRANT_NONE) {
        if (me->grant == URLP_GRANT_CONNECTION) {
            code = look_at(pool, me, call, out, err);
        } else {
            code = dial_for(pool, me, call, out, err);
        }
    }
    return code;
}

/* acquire_in_child acquires from this process's pool to the same origin as a parent process's. */
static enum urlpool_code acquire_in_child(const struct urlpool_pool *parents, int64_t pool_ms,
                                          int64_t connect_ms, const struct urlp_call *call,
                                          struct urlp_lease *out,
                                          struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlpool_error failure = {0};
    struct urlpool_pool *pool = urlp_pool_set_get(parents->set, &parents->route, &failure);
    enum urlpool_code code;

    if (pool == NULL) {
        return urlp_fail_with(err, &failure);
    }
    code = urlp_lease_acquire(pool, pool_ms, connect_ms, call, out, err);
    urlp_pool_unref(pool);
    return code;
}

enum urlpool_code urlp_lease_acquire(struct urlpool_pool *pool, int64_t pool_ms, int64_t connect_ms,
                                     const struct urlp_call *call, struct urlp_lease *out,
                                     struct urlpool_error *err)
{
    struct urlp_waiter me; /* the rest of it is written when it queues up */
    struct urlp_lease lease = {0};
    enum urlpool_code code;

    if (urlp_pool_is_foreign(pool)) {
        return acquire_in_child(pool, pool_ms, connect_ms, call, out, err);
    }
    if (urlpool_cancel_is_set(call->cancel)) {
        return wait_failed(pool, URLP_PARK_CANCELLED, false, call, err);
    }
    me.park = NULL;
    me.pool_by = me.connect_by = (struct urlpool_deadline){0};
    me.connect_ms = connect_ms;
    me.err = err;
    do {
        code = get_grant(pool, pool_ms, call, &me, err);
        if (code == URLPOOL_OK) {
            code = fill(pool, &me, call, &lease, err);
        }
    } while (code == URLPOOL_OK && lease.pool == NULL);
    if (code == URLPOOL_OK) {
        *out = lease;
    }
    return code;
}
