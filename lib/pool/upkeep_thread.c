/* The thread that does the upkeep at the moment it is due, where it was asked for.
 *
 * It sleeps on a watch (base/watch.h): until the instant that urlp_upkeep_next gave, until a socket
 * tells that its peer has closed it, or until somebody brings about something earlier and wakes it
 * (urlp_upkeep_expect). That instant is written under the lock together with the finding that there
 * is nothing to do, so no wake is lost.
 *
 * Ends.  While it works it holds the owner of the set, so that what it uses stays; asleep it holds
 * nothing, so that the owner can end. Whoever lets go last ends the set: another thread then finds
 * this one asleep and joins it; this one, when its own hold was the last, detaches itself and is
 * gone with the set. Who ends the set's service waits until it has come to rest, so that no
 * callback of the user's is called after that; only the thread itself, from within one, does not.
 *
 * Forks. It belongs to a core, and a child has no more of it than the descriptors' numbers. The
 * child's own core starts one of its own (pool_core.c). */

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/own_fd.h"
#include "base/watch.h"
#include "pool/upkeep.h"

#define TOLD_AT_ONCE 64

struct urlp_upkeep {
    struct urlp_pool_set *set;
    struct urlp_pool_core *core;
    struct urlp_watch watch;
    struct urlpool_cancel *cancel; /* of what it waits for outside its sleep */
    struct urlp_thread thread;
    struct urlp_cond has_come_to_rest; /* with the core's mutex */
};

void urlp_upkeep_expect(struct urlp_pool_core *core, int64_t at_ns)
{
    if (at_ns < core->locked.wakes_ns) {
        core->locked.wakes_ns = INT64_MIN;
        core->locked.asked_ns = at_ns;
        urlp_watch_wake(&core->locked.upkeep->watch);
    }
}

/* --- the thread ------------------------------------------------------------------------------- */

/* note_ended takes note of a peer that has ended its side. */
static void note_ended(struct urlp_pool_core *core, uint64_t number) URLP_HOLDS_LOCK
{
    struct urlp_seat *seat = urlp_map_get(&core->locked.watched, &number, sizeof(number));

    if (seat != NULL) { /* else it was ended here, too, since it was told of */
        seat->is_ended = true;
    }
}

/* sleep_till_due sleeps until something is to be done; false: the thread is to end. */
static bool sleep_till_due(struct urlp_upkeep *upkeep) URLP_MAY_BLOCK
{
    struct urlp_pool_core *core = upkeep->core;
    uint64_t told[TOLD_AT_ONCE];
    int64_t until_ns;
    size_t num_told;
    bool goes_on;

    urlp_mutex_lock(&core->mutex);
    until_ns = core->locked.wakes_ns;
    urlp_mutex_unlock(&core->mutex);
    num_told = urlp_watch_sleep(&upkeep->watch, until_ns, told, TOLD_AT_ONCE);
    urlp_mutex_lock(&core->mutex);
    core->locked.wakes_ns = INT64_MIN;
    for (size_t i = 0; i < num_told; i++) {
        note_ended(core, told[i]);
    }
    goes_on = !core->locked.is_stopping && !core->locked.is_closed;
    core->locked.is_busy = goes_on;
    urlp_mutex_unlock(&core->mutex);
    return goes_on;
}

/* wake_at is when to wake for what is due at `due_ns`. What the thread was woken for counts
 * although it may be gone, as an idle connection is that was taken again: it will be back, and
 * would wake the thread again at every return. */
static int64_t wake_at(const struct urlp_pool_core *core, int64_t due_ns,
                       int64_t now_ns) URLP_HOLDS_LOCK
{
    return core->locked.asked_ns > now_ns ? urlp_less(due_ns, core->locked.asked_ns) : due_ns;
}

/* begin_errand finds the next thing to do; false: there is none, and the thread may sleep. */
static bool begin_errand(struct urlp_upkeep *upkeep, struct urlp_round *round,
                         struct urlp_errand *out) URLP_MAY_BLOCK
{
    struct urlp_pool_core *core = upkeep->core;
    struct urlp_change change;
    int64_t due_ns;

    urlp_change_begin(&change);
    urlp_mutex_lock(&core->mutex);
    due_ns = urlp_upkeep_next(core, round, out, &change);
    if (out->kind == URLP_ERRAND_NONE) {
        core->locked.wakes_ns = wake_at(core, due_ns, change.now_ns);
    }
    urlp_mutex_unlock(&core->mutex);
    urlp_change_end(&change, upkeep->set, NULL);
    return out->kind != URLP_ERRAND_NONE;
}

static void come_to_rest(struct urlp_upkeep *upkeep, bool for_good) URLP_MAY_BLOCK
{
    struct urlp_pool_core *core = upkeep->core;

    urlp_mutex_lock(&core->mutex);
    core->locked.wakes_ns = for_good ? INT64_MAX : core->locked.wakes_ns;
    core->locked.is_busy = false;
    urlp_cond_broadcast(&upkeep->has_come_to_rest);
    urlp_mutex_unlock(&core->mutex);
}

static void *run(void *arg) URLP_MAY_BLOCK
{
    struct urlp_upkeep *upkeep = arg;
    const struct urlp_connector *connector = &upkeep->set->connector;

    while (sleep_till_due(upkeep)) {
        struct urlp_round round = {0};
        struct urlp_errand errand;

        if (connector->hold != NULL && !connector->hold(connector->user)) {
            come_to_rest(upkeep, true);
            continue; /* its end is under way, and wakes this thread once more */
        }
        while (begin_errand(upkeep, &round, &errand)) {
            urlp_errand_run(&errand, &round, upkeep->cancel);
        }
        if (connector->let_go != NULL && connector->let_go(connector->user)) {
            return NULL; /* and nothing of all this is there any more */
        }
        come_to_rest(upkeep, false);
    }
    return NULL;
}

/* --- its life --------------------------------------------------------------------------------- */

static void upkeep_free(struct urlp_upkeep *upkeep)
{
    urlp_watch_deinit(&upkeep->watch);
    urlp_cond_deinit(&upkeep->has_come_to_rest);
    urlp_own_fd_forget(urlp_cancel_fd(upkeep->cancel));
    urlpool_cancel_free(upkeep->cancel);
    urlp_free(upkeep);
}

static enum urlpool_code upkeep_new(struct urlp_upkeep **out, struct urlpool_error *err)
{
    struct urlp_upkeep *upkeep = urlp_zalloc(sizeof(*upkeep));
    struct urlpool_error why;
    enum urlpool_code code;

    if (upkeep == NULL) {
        return urlp_fail_nomem(err);
    }
    code = urlp_watch_init(&upkeep->watch, err);
    if (code != URLPOOL_OK) {
        urlp_free(upkeep);
        return code;
    }
    urlp_cond_init(&upkeep->has_come_to_rest);
    upkeep->cancel = urlpool_cancel_new(&why);
    if (upkeep->cancel == NULL) {
        upkeep_free(upkeep);
        return urlp_fail_with(err, &why);
    }
    urlp_own_fd_note(urlp_cancel_fd(upkeep->cancel));
    *out = upkeep;
    return URLPOOL_OK;
}

enum urlpool_code urlp_upkeep_start(struct urlp_pool_core *core, struct urlp_pool_set *set,
                                    struct urlpool_error *err)
{
    struct urlp_upkeep *upkeep = NULL;
    enum urlpool_code code = upkeep_new(&upkeep, err);
    int os_errno;

    if (upkeep == NULL) {
        return code;
    }
    upkeep->set = set;
    upkeep->core = core;
    urlp_mutex_lock(&core->mutex); /* which the thread waits for first of all */
    os_errno = urlp_thread_start(&upkeep->thread, "urlpool-upkeep", run, upkeep);
    core->locked.upkeep = os_errno == 0 ? upkeep : NULL;
    urlp_mutex_unlock(&core->mutex);
    if (os_errno == 0) {
        return URLPOOL_OK;
    }
    upkeep_free(upkeep);
    return urlp_fail_errno(err, URLPOOL_E_SYSTEM, URLPOOL_PHASE_NONE, os_errno,
                           "the thread of upkeep");
}

void urlp_upkeep_settle(struct urlp_pool_core *core)
{
    struct urlp_upkeep *upkeep;

    urlp_mutex_lock(&core->mutex);
    upkeep = core->locked.upkeep;
    if (upkeep != NULL) {
        urlpool_cancel_now(upkeep->cancel);
        urlp_watch_wake(&upkeep->watch);
    }
    while (upkeep != NULL && core->locked.is_busy && !urlp_thread_is_self(&upkeep->thread)) {
        urlp_cond_wait(&upkeep->has_come_to_rest, &core->mutex, URLP_NEVER);
    }
    urlp_mutex_unlock(&core->mutex);
}

void urlp_upkeep_stop(struct urlp_pool_core *core)
{
    struct urlp_upkeep *upkeep;

    urlp_mutex_lock(&core->mutex);
    upkeep = core->locked.upkeep;
    core->locked.upkeep = NULL;
    core->locked.is_stopping = true;
    core->locked.wakes_ns = INT64_MIN; /* nobody is woken any more */
    urlp_mutex_unlock(&core->mutex);
    if (upkeep == NULL) {
        return;
    }
    urlp_watch_wake(&upkeep->watch);
    if (urlp_thread_is_self(&upkeep->thread)) {
        urlp_thread_detach(&upkeep->thread);
    } else {
        urlp_thread_join(&upkeep->thread);
    }
    upkeep_free(upkeep);
}

/* --- what it watches -------------------------------------------------------------------------- */

void urlp_upkeep_watch(struct urlpool_pool *pool, struct urlp_seat *seat)
{
    const struct urlp_connector *connector = &pool->set->connector;
    struct urlp_pool_core *core = pool->core;
    uint64_t number;
    int fd;

    if (!pool->set->settings.upkeep_thread || connector->descriptor == NULL) {
        return;
    }
    fd = connector->descriptor(connector->user, seat->connection);
    urlp_mutex_lock(&core->mutex);
    number = ++core->locked.num_watched;
    if (fd >= 0 && core->locked.upkeep != NULL &&
        urlp_map_put(&core->locked.watched, &number, sizeof(number), seat) == URLPOOL_OK) {
        seat->watched_as = number;
        (void)urlp_watch_add(&core->locked.upkeep->watch, fd, number);
    }
    urlp_mutex_unlock(&core->mutex);
}
