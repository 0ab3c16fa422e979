/* A permit to dial: from a place without connection to a lease, or back.
 *
 * A failed dial goes back as a permit, which wakes the next waiter; its error is told only to who
 * dialled, unless the origin cannot be reached (probe.c). A dial may be overtaken by a connection
 * that comes free (overtake.c): then its thread has two places, and gives up the one that dials,
 * with the half in it if there is one. Whatever else may happen at that moment, the dial succeeds,
 * fails or is cancelled, one of the two is used and the other passed on. Out of descriptors, a
 * half, else the idle connection that was not used for the longest time, of whatever pool, makes
 * room, once. */

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fork.h"
#include "base/own_fd.h"
#include "pool/upkeep.h"

/* struct dial is one dial on a permit. */
struct dial {
    struct urlp_dialler me;
    struct urlp_permit *permit;
    struct urlp_seat *seat; /* of the connection to be */
    uint64_t generation;    /* of urlp_fork_generation */
    bool is_over;           /* it was overtaken before it began */
    bool is_connected;
    struct urlpool_error failure;
};

/* evict_one is urlp_evict_one, and ends it at once. */
static bool evict_one(struct urlp_pool_set *set, struct urlp_pool_core *core,
                      const struct urlp_call *call) URLP_MAY_BLOCK
{
    struct urlp_change change;
    bool has_one;

    urlp_change_begin(&change);
    urlp_mutex_lock(&core->mutex);
    has_one = urlp_evict_one(core, &change);
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
    if (connection == NULL && !urlpool_code_is(err->code, URLPOOL_CLASS_TIMEOUT) &&
        (err->os_errno == EMFILE || err->os_errno == ENFILE) &&
        evict_one(pool->set, pool->core, call)) {
        connection = connector->open(connector->user, &pool->route, call, err);
    }
    return connection;
}

/* begin notes who dials, and lets the dial be overtaken, unless there is no descriptor left for it.
 */
static void begin(struct urlpool_pool *pool, struct dial *dial,
                  const struct urlp_call *call) URLP_MAY_BLOCK
{
    struct urlp_change change;

    urlp_list_init(&dial->me.link);
    dial->me.began_ns = urlp_now_ns();
    dial->me.break_off.half = dial->seat->half;
    dial->seat->half = NULL;
    dial->me.break_off.wake_fd = dial->permit->may_be_overtaken ? urlp_wake_open() : -1;
    urlp_own_fd_note(dial->me.break_off.wake_fd);
    dial->generation = urlp_fork_generation();
    dial->me.who = &dial->seat->holder;
    urlp_change_begin(&change);
    urlp_holder_begin(&dial->seat->holder, call, change.now_ns);
    urlp_mutex_lock(&pool->core->mutex);
    urlp_list_push_back(&pool->locked.dialled, &dial->seat->in_pool);
    if (dial->me.break_off.wake_fd >= 0) {
        urlp_dialler_begin(pool, &dial->me, &change);
    }
    dial->is_over = dial->me.overtaker != NULL;
    urlp_mutex_unlock(&pool->core->mutex);
    urlp_change_end(&change, pool->set, call);
}

/* run dials, unless that was overtaken before it began. */
static void run(struct urlpool_pool *pool, struct dial *dial,
                const struct urlp_call *call) URLP_MAY_BLOCK
{
    struct urlp_break_off *break_off = &dial->me.break_off;
    struct urlp_call own = *call;

    if (dial->is_over) {
        break_off->is_broken_off = true;
        return;
    }
    own.break_off = break_off;
    own.counters = &pool->counters;
    dial->seat->connection = open_connection(pool, &own, &dial->failure);
    dial->is_connected = dial->seat->connection != NULL;
    if (!break_off->is_broken_off && break_off->half != NULL) { /* it never came to use it */
        pool->set->connector.drop_half(pool->set->connector.user, break_off->half);
        break_off->half = NULL;
    }
}

/* see_who_won decides between the dial and the connection that overtook it, if one has. Who has
 * given up meanwhile wants neither. */
static void see_who_won(const struct urlpool_pool *pool, struct dial *dial,
                        const struct urlp_call *call)
{
    bool is_cancelled = urlpool_cancel_is_set(call->cancel);

    if (dial->is_connected || dial->me.overtaker == NULL) {
        return;
    }
    if (is_cancelled || urlp_deadline_has_passed(call->total_by)) {
        (void)urlp_fail(&dial->failure,
                        is_cancelled ? URLPOOL_E_CANCELLED : URLPOOL_E_TOTAL_TIMEOUT,
                        URLPOOL_PHASE_CONNECT, "%s while connecting to %s",
                        is_cancelled ? "cancelled" : "out of time", pool->name);
        return;
    }
    dial->permit->overtaker = dial->me.overtaker;
}

/* count_end counts a dial that is over, and takes note of what it says of the origin. Its place is
 * not dialling any more. */
static void count_end(struct urlpool_pool *pool, const struct dial *dial) URLP_HOLDS_LOCK
{
    URLP_TALLY(pool, opened, dial->is_connected ? 1 : 0);
    URLP_TALLY(pool, dials_overtaken, dial->permit->overtaker != NULL ? 1 : 0);
    if (!dial->me.break_off.is_broken_off) {
        URLP_TALLY(pool, dial_failures, dial->is_connected ? 0 : 1);
        urlp_probe_ended(pool, dial->me.began_ns, dial->permit->connect_ms,
                         dial->is_connected ? NULL : &dial->failure);
    }
}

/* finish says what becomes of the place that was dialling, and of the connection that overtook it
 * in vain. What is left of a dial that came to nothing goes with the change. */
static void finish(struct urlpool_pool *pool, struct dial *dial,
                   struct urlp_change *change) URLP_HOLDS_LOCK
{
    struct urlp_seat *seat = dial->seat;
    bool is_overtaken = dial->permit->overtaker != NULL;

    seat->half = dial->me.break_off.half;
    urlp_list_remove(&seat->in_pool);
    if (dial->is_connected) {
        seat->dialled_ns = change->now_ns;
        urlp_seat_hold(pool, seat, &seat->holder, change->now_ns);
        urlp_place_move(pool, URLP_PLACE_DIALLING, URLP_PLACE_LEASED);
        urlp_pool_note_opened(pool, change->now_ns);
    } else if (is_overtaken && seat->half != NULL && urlp_may_rest(pool, seat)) {
        urlp_half_park(pool, seat, dial->permit->connect_ms, change);
    } else {
        urlp_place_move(pool, URLP_PLACE_DIALLING, URLP_PLACE_NONE);
        urlp_list_push_back(&change->dead, &seat->in_pool);
    }
    if (!is_overtaken && dial->me.overtaker != NULL) {
        urlp_idle_put_back(pool, dial->me.overtaker, change);
    }
    count_end(pool, dial);
    urlp_settle(pool, change);
    urlp_idle_trim(pool, change);
    if (!dial->is_connected && !is_overtaken) {
        urlp_pool_drop(pool, change);
    }
}

/* end finishes the dial, and lets go of what it took. */
static void end(struct urlpool_pool *pool, struct dial *dial,
                const struct urlp_call *call) URLP_MAY_BLOCK
{
    struct urlp_pool_set *set = pool->set;
    struct urlp_pool_core *core = pool->core;
    struct urlp_change change;

    urlp_change_begin(&change);
    if (dial->is_connected) {
        urlp_seat_begin(dial->seat, &set->settings, change.now_ns,
                        atomic_fetch_add_explicit(&set->num_seats, 1, memory_order_relaxed));
        urlp_upkeep_watch(pool, dial->seat);
    }
    urlp_mutex_lock(&core->mutex);
    urlp_list_remove(&dial->me.link);
    see_who_won(pool, dial, call);
    finish(pool, dial, &change);
    urlp_mutex_unlock(&core->mutex);
    urlp_change_end(&change, set, call);
    if (dial->me.break_off.wake_fd >= 0 && !urlp_fork_has_happened(dial->generation)) {
        urlp_own_fd_close(dial->me.break_off.wake_fd);
    }
}

/* make_seat makes the record of the connection to be; NULL: out of memory, and the place and the
 * reference are gone. */
static struct urlp_seat *make_seat(struct urlpool_pool *pool,
                                   const struct urlp_call *call) URLP_MAY_BLOCK
{
    struct urlp_seat *seat = urlp_zalloc(sizeof(*seat));
    struct urlp_pool_core *core = pool->core;
    struct urlp_pool_set *set = pool->set;
    struct urlp_change change;

    if (seat != NULL) {
        seat->pool = pool;
        /* What changes while it dials has changed for it, too. */
        seat->network = atomic_load_explicit(&pool->core->network, memory_order_relaxed);
        urlp_list_init(&seat->in_pool);
        urlp_list_init(&seat->in_core);
        return seat;
    }
    urlp_change_begin(&change);
    urlp_mutex_lock(&core->mutex);
    urlp_place_move(pool, URLP_PLACE_DIALLING, URLP_PLACE_NONE);
    urlp_settle(pool, &change);
    urlp_pool_drop(pool, &change);
    urlp_mutex_unlock(&core->mutex);
    urlp_change_end(&change, set, call);
    return NULL;
}

enum urlpool_code urlp_permit_dial(struct urlpool_pool *pool, struct urlp_permit *permit,
                                   const struct urlp_call *call, struct urlp_lease *out,
                                   struct urlpool_error *err)
{
    bool is_resumed = permit->half != NULL;
    struct dial dial = {.permit = permit, .seat = permit->half};

    urlp_call_trace(call, URLPOOL_TRACE_LEASED, pool->name, strlen(pool->name), 0);
    permit->overtaker = NULL;
    if (dial.seat == NULL) {
        dial.seat = make_seat(pool, call);
    }
    if (dial.seat == NULL) {
        return urlp_fail_nomem(err);
    }
    begin(pool, &dial, call);
    run(pool, &dial, call);
    end(pool, &dial, call);
    if (dial.is_connected) {
        *out = (struct urlp_lease){pool, dial.seat->connection, dial.seat, is_resumed};
    }
    return dial.is_connected || permit->overtaker != NULL ? URLPOOL_OK
                                                          : urlp_fail_with(err, &dial.failure);
}
