#ifndef URLP_BASE_SYNC_H
#define URLP_BASE_SYNC_H

#include <pthread.h>

#include "urlpool/deadline.h"

#ifdef __clang__
#define URLP_TSA(attribute) __attribute__((attribute))
#else
#define URLP_TSA(attribute)
#endif

/* struct urlp_mutex is a pthread mutex that clang's -Wthread-safety can follow. */
struct URLP_TSA(capability("mutex")) urlp_mutex {
    pthread_mutex_t native;
};
#define URLP_MUTEX_INIT {PTHREAD_MUTEX_INITIALIZER}

/* struct urlp_role carries no data. Holding urlp_any_lock means "this thread holds some urlpool
 * lock". Whatever may block is declared URLP_MAY_BLOCK, so with clang's -Wthread-safety and
 * -Wthread-safety-negative I/O under a lock does not build; each `locked` sub-struct is
 * URLP_GUARDED, so neither does a look at it without one. Function pointers stay blind: blocking
 * primitives also assert a thread-local lock count of zero in the developers' builds. */
struct URLP_TSA(capability("role")) urlp_role {
    char unused;
};
extern struct urlp_role urlp_any_lock_role;
static struct urlp_role *const urlp_any_lock = &urlp_any_lock_role;

#define URLP_HOLDS_LOCK URLP_TSA(requires_capability(urlp_any_lock))
#define URLP_MAY_BLOCK  URLP_TSA(requires_capability(!urlp_any_lock))
#define URLP_GUARDED    URLP_TSA(guarded_by(urlp_any_lock))

void urlp_mutex_init(struct urlp_mutex *mutex);
void urlp_mutex_deinit(struct urlp_mutex *mutex);
void urlp_mutex_lock(struct urlp_mutex *mutex) URLP_TSA(acquire_capability(*mutex, urlp_any_lock));
void urlp_mutex_unlock(struct urlp_mutex *mutex)
    URLP_TSA(release_capability(*mutex, urlp_any_lock));

/* struct urlp_cond is a condition variable on the monotonic clock, or on the fake one in tests. */
struct urlp_cond {
    pthread_cond_t native;
};
void urlp_cond_init(struct urlp_cond *cond);
void urlp_cond_deinit(struct urlp_cond *cond);
void urlp_cond_signal(struct urlp_cond *cond);
void urlp_cond_broadcast(struct urlp_cond *cond);

/* urlp_cond_wait waits until signalled or until `by`; wakes may be spurious. */
void urlp_cond_wait(struct urlp_cond *cond, struct urlp_mutex *mutex, struct urlpool_deadline by)
    URLP_TSA(requires_capability(*mutex, urlp_any_lock));

/* struct urlp_once runs a function once in a process. */
struct urlp_once {
    pthread_once_t native;
};
#define URLP_ONCE_INIT {PTHREAD_ONCE_INIT}
void urlp_once_run(struct urlp_once *once, void (*function)(void));

/* urlp_assert_no_lock stops the process, in builds with URLP_CHECKED, when the calling thread holds
 * a urlpool lock; in others it is nothing. */
#ifdef URLP_CHECKED
void urlp_assert_no_lock(const char *where);
#else
static inline void urlp_assert_no_lock(const char *where)
{
    (void)where;
}
#endif

#endif /* URLP_BASE_SYNC_H */
