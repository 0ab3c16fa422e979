/* The one door to pthread: mutex, condition variable, thread, once, a thread's SIGPIPE, and who
 * waits on the fake clock.
 *
 * Under a fake clock a thread does not wait on its condition variable but in the list `fake`, under
 * that list's own mutex. It enters the list before it gives its mutex up, and whoever signals it
 * has changed what it waits for under that mutex, so no wake is lost; the time is looked at under
 * the list's mutex, and an advance changes it before it walks the list, so no advance is lost. The
 * list's mutex comes after any other and is held for no more than a walk: it is no urlpool lock, is
 * not counted as one, and does not exist outside tests.
 *
 * Errors of pthread calls are not looked at: on a default mutex and a valid condition variable
 * there are none but a time-out, which the caller finds out from the clock. Making one cannot fail
 * either: both begin as their static initialisers, and the clock is named at each wait. */

#include "base/sync.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fork.h"

#define THREAD_NAME_BYTES 16 /* what the kernel keeps of one, with its NUL */

struct urlp_role urlp_any_lock_role;

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct urlp_list waiters; /* oldest first */
} fake = {
    PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, {&fake.waiters, &fake.waiters}
};

#ifdef URLP_CHECKED
static _Thread_local int num_held;

void urlp_assert_no_lock(const char *where)
{
    if (num_held != 0) {
        (void)fprintf(stderr, "urlpool: %s under a lock\n", where);
        abort();
    }
}

static void note_held(int change)
{
    num_held += change;
}
#else
static void note_held(int change)
{
    (void)change;
}
#endif

int64_t urlp_thread_id(void)
{
    static _Thread_local struct {
        uint64_t generation; /* 0: not asked yet; a forked child asks again */
        int64_t id;
    } mine;

    if (mine.generation == 0 || urlp_fork_has_happened(mine.generation)) {
        mine.generation = urlp_fork_generation();
        mine.id = gettid();
    }
    return mine.id;
}

void urlp_mutex_init(struct urlp_mutex *mutex)
{
    mutex->native = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

void urlp_mutex_deinit(struct urlp_mutex *mutex)
{
    (void)pthread_mutex_destroy(&mutex->native);
}

void urlp_mutex_lock(struct urlp_mutex *mutex) URLP_TSA(no_thread_safety_analysis)
{
    urlp_assert_no_lock("urlp_mutex_lock");
    (void)pthread_mutex_lock(&mutex->native);
    note_held(1);
}

void urlp_mutex_unlock(struct urlp_mutex *mutex) URLP_TSA(no_thread_safety_analysis)
{
    note_held(-1);
    (void)pthread_mutex_unlock(&mutex->native);
}

void urlp_cond_init(struct urlp_cond *cond)
{
    cond->native = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
}

void urlp_cond_deinit(struct urlp_cond *cond)
{
    (void)pthread_cond_destroy(&cond->native);
}

/* leave_fake_list takes `waiter` out and tells everybody. Under fake.mutex. */
static void leave_fake_list(struct urlp_fake_waiter *waiter)
{
    urlp_list_remove(&waiter->link);
    (void)pthread_cond_broadcast(&fake.changed);
}

/* wake_fake wakes the oldest, or all, of those who wait on `cond`. */
static void wake_fake(const struct urlp_cond *cond, bool all)
{
    struct urlp_list *link;
    struct urlp_list *next;

    (void)pthread_mutex_lock(&fake.mutex);
    for (link = fake.waiters.next; link != &fake.waiters; link = next) {
        struct urlp_fake_waiter *waiter = URLP_CONTAINER(link, struct urlp_fake_waiter, link);

        next = link->next;
        if (waiter->cond != cond) {
            continue;
        }
        leave_fake_list(waiter);
        if (!all) {
            break;
        }
    }
    (void)pthread_mutex_unlock(&fake.mutex);
}

void urlp_cond_signal(struct urlp_cond *cond)
{
    if (urlp_clock_is_fake()) {
        wake_fake(cond, false);
    }
    (void)pthread_cond_signal(&cond->native);
}

void urlp_cond_broadcast(struct urlp_cond *cond)
{
    if (urlp_clock_is_fake()) {
        wake_fake(cond, true);
    }
    (void)pthread_cond_broadcast(&cond->native);
}

/* wait_is_over says whether a wait until `by` on the fake clock need not begin, or go on. */
static bool wait_is_over(struct urlpool_deadline by)
{
    return !urlp_clock_is_fake() || urlp_deadline_has_passed(by);
}

/* enter_fake_list puts `waiter` into the list unless its wait is over already. Under fake.mutex. */
static void enter_fake_list(struct urlp_fake_waiter *waiter, const struct urlp_cond *cond,
                            struct urlpool_deadline by)
{
    waiter->cond = cond;
    waiter->by = by;
    urlp_list_init(&waiter->link);
    if (!wait_is_over(by)) {
        urlp_list_push_back(&fake.waiters, &waiter->link);
        (void)pthread_cond_broadcast(&fake.changed);
    }
}

static void wait_fake(const struct urlp_cond *cond, struct urlp_mutex *mutex,
                      struct urlpool_deadline by)
{
    struct urlp_fake_waiter me;

    (void)pthread_mutex_lock(&fake.mutex);
    enter_fake_list(&me, cond, by);
    (void)pthread_mutex_unlock(&mutex->native);
    while (!urlp_list_is_empty(&me.link)) {
        (void)pthread_cond_wait(&fake.changed, &fake.mutex);
    }
    (void)pthread_mutex_unlock(&fake.mutex);
    (void)pthread_mutex_lock(&mutex->native);
}

void urlp_cond_wait(struct urlp_cond *cond, struct urlp_mutex *mutex, struct urlpool_deadline by)
{
    struct timespec at = {.tv_sec = (time_t)(by.at_ns / URLP_NS_PER_S),
                          .tv_nsec = (long)(by.at_ns % URLP_NS_PER_S)};

    if (urlp_clock_is_fake()) {
        wait_fake(cond, mutex, by);
        return;
    }
    if (by.at_ns == INT64_MAX) {
        (void)pthread_cond_wait(&cond->native, &mutex->native);
        return;
    }
    if (by.at_ns > 0) { /* what lies before the clock began has passed, and is no timespec */
        (void)pthread_cond_clockwait(&cond->native, &mutex->native, CLOCK_MONOTONIC, &at);
    }
}

int urlp_thread_start(struct urlp_thread *thread, const char *name, void *(*run)(void *arg),
                      void *arg)
{
    char short_name[THREAD_NAME_BYTES];
    sigset_t all;
    sigset_t before;
    int os_errno;

    (void)snprintf(short_name, sizeof(short_name), "%s", name);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* the new thread begins with these */
    os_errno = pthread_create(&thread->native, NULL, run, arg);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (os_errno == 0) {
        (void)pthread_setname_np(thread->native, short_name);
    }
    return os_errno;
}

bool urlp_thread_is_self(const struct urlp_thread *thread)
{
    return pthread_equal(thread->native, pthread_self()) != 0;
}

void urlp_thread_join(struct urlp_thread *thread)
{
    urlp_assert_no_lock("urlp_thread_join");
    (void)pthread_join(thread->native, NULL);
}

void urlp_thread_detach(struct urlp_thread *thread)
{
    (void)pthread_detach(thread->native);
}

void urlp_once_run(struct urlp_once *once, void (*function)(void))
{
    (void)pthread_once(&once->native, function);
}

void urlp_around_fork(void (*before)(void), void (*in_parent)(void), void (*in_child)(void))
{
    (void)pthread_atfork(before, in_parent, in_child);
}

void urlp_fake_wait_begin(struct urlp_fake_waiter *waiter, const struct urlp_cond *cond,
                          struct urlpool_deadline by)
{
    (void)pthread_mutex_lock(&fake.mutex);
    enter_fake_list(waiter, cond, by);
    (void)pthread_mutex_unlock(&fake.mutex);
}

void urlp_fake_wait_end(struct urlp_fake_waiter *waiter)
{
    (void)pthread_mutex_lock(&fake.mutex);
    leave_fake_list(waiter);
    (void)pthread_mutex_unlock(&fake.mutex);
}

void urlp_fake_wake_passed(void)
{
    struct urlp_list *link;
    struct urlp_list *next;

    (void)pthread_mutex_lock(&fake.mutex);
    for (link = fake.waiters.next; link != &fake.waiters; link = next) {
        struct urlp_fake_waiter *waiter = URLP_CONTAINER(link, struct urlp_fake_waiter, link);

        next = link->next;
        if (wait_is_over(waiter->by)) {
            leave_fake_list(waiter);
        }
    }
    (void)pthread_mutex_unlock(&fake.mutex);
}

static int count_fake_waiters(void)
{
    int num = 0;

    for (const struct urlp_list *p = fake.waiters.next; p != &fake.waiters; p = p->next) {
        num++;
    }
    return num;
}

int urlp_clock_fake_num_waiters(void)
{
    int num;

    (void)pthread_mutex_lock(&fake.mutex);
    num = count_fake_waiters();
    (void)pthread_mutex_unlock(&fake.mutex);
    return num;
}

void urlp_clock_fake_await_waiters(int num)
{
    (void)pthread_mutex_lock(&fake.mutex);
    while (count_fake_waiters() != num) {
        (void)pthread_cond_wait(&fake.changed, &fake.mutex);
    }
    (void)pthread_mutex_unlock(&fake.mutex);
}

void urlp_sigpipe_hold(struct urlp_sigpipe *hold)
{
    sigset_t pipe_only;
    sigset_t pending;

    (void)sigemptyset(&pipe_only);
    (void)sigaddset(&pipe_only, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &pipe_only, &hold->before);
    hold->was_blocked = sigismember(&hold->before, SIGPIPE) == 1;
    /* One that nobody blocked cannot have been waiting. */
    hold->was_pending =
        hold->was_blocked && sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

void urlp_sigpipe_release(const struct urlp_sigpipe *hold, bool may_be_raised)
{
    const struct timespec at_once = {0, 0};
    const int saved = errno;
    sigset_t pipe_only;

    if (may_be_raised && !hold->was_pending) {
        (void)sigemptyset(&pipe_only);
        (void)sigaddset(&pipe_only, SIGPIPE);
        while (sigtimedwait(&pipe_only, NULL, &at_once) < 0 && errno == EINTR) {
            /* another signal was first */
        }
    }
    if (!hold->was_blocked) {
        (void)pthread_sigmask(SIG_SETMASK, &hold->before, NULL);
    }
    errno = saved;
}
