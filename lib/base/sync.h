#ifndef URLP_BASE_SYNC_H
#define URLP_BASE_SYNC_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "urlpool/deadline.h"

#include "base/list.h"

#ifdef __clang__
#define URLP_TSA(attribute) __attribute__((attribute))
#else
#define URLP_TSA(attribute)
#endif

/* Locks, and how clang checks them (-Wthread-safety -Wthread-safety-negative).
 *
 * urlp_any_lock is a role without data, held together with every mutex: having it means "this
 * thread holds some urlpool lock". From that follow three marks:
 *
 *   URLP_MAY_BLOCK   on a function that blocks, calls a user's callback, or takes a lock itself
 *   URLP_HOLDS_LOCK  on a function that is called with the lock held
 *   URLP_GUARDED     on every sub-struct named `locked`
 *
 * A caller of a URLP_MAY_BLOCK function must itself be marked, all the way up: "I was called
 * without a lock" is a promise that only the caller can make. urlp_mutex_lock asks for it too,
 * since nobody holds two. The mark stands on the prototype in an internal header; for a static
 * function and for a public one (whose header knows no marks) on the definition, between `)` and
 * `{`:
 *
 *   struct urlpool_response *urlpool_request(…) URLP_MAY_BLOCK
 *   {
 *
 * A function that is not marked and neither locks nor calls a marked one needs nothing. Between
 * urlp_mutex_lock and urlp_mutex_unlock a marked function cannot be called; after the unlock it
 * can. Lock and unlock must balance on every path of a function. Function pointers and public
 * functions called across files stay blind, so whatever blocks also calls urlp_assert_no_lock
 * first. */
struct URLP_TSA(capability("role")) urlp_role {
    char unused;
};
extern struct urlp_role urlp_any_lock_role;
static struct urlp_role *const urlp_any_lock __attribute__((unused)) = &urlp_any_lock_role;

#define URLP_HOLDS_LOCK URLP_TSA(requires_capability(urlp_any_lock))
#define URLP_MAY_BLOCK  URLP_TSA(requires_capability(!urlp_any_lock))
#define URLP_GUARDED    URLP_TSA(guarded_by(urlp_any_lock))

/* struct urlp_mutex is a pthread mutex that clang's -Wthread-safety can follow. */
struct URLP_TSA(capability("mutex")) urlp_mutex {
    pthread_mutex_t native;
};
#define URLP_MUTEX_INIT           \
    {                             \
        PTHREAD_MUTEX_INITIALIZER \
    }

/* urlp_mutex_init makes `mutex` ready; URLP_MUTEX_INIT does so for a static one. */
void urlp_mutex_init(struct urlp_mutex *mutex);

/* urlp_mutex_deinit ends `mutex`, which nobody holds. */
void urlp_mutex_deinit(struct urlp_mutex *mutex);

/* urlp_mutex_lock takes `mutex`. With URLP_CHECKED it stops the process when the thread already
 * holds a urlpool lock. */
void urlp_mutex_lock(struct urlp_mutex *mutex) URLP_TSA(acquire_capability(*mutex, urlp_any_lock));

/* urlp_mutex_unlock gives `mutex` back. */
void urlp_mutex_unlock(struct urlp_mutex *mutex)
    URLP_TSA(release_capability(*mutex, urlp_any_lock));

/* struct urlp_cond is a condition variable on the monotonic clock, or on the fake one in tests. */
struct urlp_cond {
    pthread_cond_t native;
};

/* urlp_cond_init makes `cond` ready. */
void urlp_cond_init(struct urlp_cond *cond);

/* urlp_cond_deinit ends `cond`, on which nobody waits. */
void urlp_cond_deinit(struct urlp_cond *cond);

/* urlp_cond_signal wakes one thread that waits on `cond`, if there is one. Change what it waits for
 * under the mutex, before. */
void urlp_cond_signal(struct urlp_cond *cond);

/* urlp_cond_broadcast wakes all threads that wait on `cond`. */
void urlp_cond_broadcast(struct urlp_cond *cond);

/* urlp_cond_wait waits until signalled or until `by`, giving `mutex` up meanwhile; wakes may be
 * spurious, so the caller looks again at what it waits for and at the time. */
void urlp_cond_wait(struct urlp_cond *cond, struct urlp_mutex *mutex, struct urlpool_deadline by)
    URLP_TSA(requires_capability(*mutex, urlp_any_lock));

/* struct urlp_thread is a thread of the library's own. All signals are blocked in it, so that none
 * that is meant for the program is delivered there. */
struct urlp_thread {
    pthread_t native;
};

/* urlp_thread_start starts `run` with `arg` in a thread of that name, of which 15 bytes are kept.
 *
 * Owns:    it ends by urlp_thread_join or urlp_thread_detach.
 * Errors:  an errno, 0 for success. */
int urlp_thread_start(struct urlp_thread *thread, const char *name, void *(*run)(void *arg),
                      void *arg);

/* urlp_thread_is_self says whether it is the calling thread. */
bool urlp_thread_is_self(const struct urlp_thread *thread);

/* urlp_thread_join waits until it has ended; not to be called by itself. */
void urlp_thread_join(struct urlp_thread *thread) URLP_MAY_BLOCK;

/* urlp_thread_detach lets it end by itself. */
void urlp_thread_detach(struct urlp_thread *thread);

/* struct urlp_once runs a function once in a process. */
struct urlp_once {
    pthread_once_t native;
};
#define URLP_ONCE_INIT    \
    {                     \
        PTHREAD_ONCE_INIT \
    }

/* urlp_once_run runs `function` unless that was done already, and returns when it is done. */
void urlp_once_run(struct urlp_once *once, void (*function)(void));

/* urlp_around_fork lets these run around each fork() from now on: `before` it, and before it
 * returns `in_parent` and `in_child`, which may call only what a signal handler may. Any of them
 * may be NULL. Not done when memory is out. */
void urlp_around_fork(void (*before)(void), void (*in_parent)(void), void (*in_child)(void));

/* urlp_thread_id is the system's number of the calling thread, as debuggers and logs show it. A
 * thread asks the system once. */
int64_t urlp_thread_id(void);

/* struct urlp_sigpipe holds the thread's SIGPIPE back around a call that may raise it and cannot be
 * told not to. */
struct urlp_sigpipe {
    sigset_t before;
    bool was_blocked, was_pending;
};

/* urlp_sigpipe_hold holds SIGPIPE back in this thread. */
void urlp_sigpipe_hold(struct urlp_sigpipe *hold);

/* urlp_sigpipe_release puts all back as it was; `may_be_raised` says that there may be a SIGPIPE
 * which was not there before: it is taken, and nobody hears of it. Keeps errno. */
void urlp_sigpipe_release(const struct urlp_sigpipe *hold, bool may_be_raised);

/* urlp_assert_no_lock stops the process, in builds with URLP_CHECKED, when the calling thread holds
 * a urlpool lock; in others it is nothing. `where` is for the message. */
#ifdef URLP_CHECKED
void urlp_assert_no_lock(const char *where);
#else
static inline void urlp_assert_no_lock(const char *where)
{
    (void)where;
}
#endif

/* struct urlp_fake_waiter stands in the list of those who wait on the fake clock. */
struct urlp_fake_waiter {
    struct urlp_list link; /* in the list while neither woken nor past `by` */
    const struct urlp_cond *cond;
    struct urlpool_deadline by;
};

/* urlp_fake_wait_begin puts `waiter`, whose thread is about to poll, into the list, so that tests
 * can see that it waits; a wake of `cond` or an advance past `by` takes it out. */
void urlp_fake_wait_begin(struct urlp_fake_waiter *waiter, const struct urlp_cond *cond,
                          struct urlpool_deadline by);

/* urlp_fake_wait_end takes `waiter` out of the list, if it is still there. */
void urlp_fake_wait_end(struct urlp_fake_waiter *waiter);

/* urlp_fake_wake_passed wakes whoever's deadline has come; everybody, when no fake clock is set. */
void urlp_fake_wake_passed(void);

#endif /* URLP_BASE_SYNC_H */
