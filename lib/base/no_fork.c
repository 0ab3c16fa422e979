/* Other libraries' locks and fork: a child has one thread, and a lock that another held at the fork
 * is held for ever. So fork() waits until nobody is inside.
 *
 * Who is inside holds one of a few locks for reading, always the same in a thread; fork() takes all
 * of them for writing, in a handler, and gives them back in the parent. In the child they are made
 * anew: the number by which they know their holder is the parent's thread's.
 *
 * A signal handler that forks while its own thread is inside does not wait for itself. */

#include "base/no_fork.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "base/sync.h"

#define NUM_BARS 16

/* A fork that waits goes first, or busy threads would keep it waiting. */
#ifdef PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP
#define FRESH PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP
#else
#define FRESH PTHREAD_RWLOCK_INITIALIZER
#endif

struct bar {
    _Alignas(64) pthread_rwlock_t lock; /* a cache line of its own */
};

static struct bar bars[NUM_BARS];
static atomic_uint num_threads;
static struct urlp_once once = URLP_ONCE_INIT;

static _Thread_local struct {
    struct bar *bar; /* this thread's; NULL: it was never inside */
    unsigned depth;
} mine;

/* is_held_by_me says whether this thread is inside already, holding `bar`. */
static bool is_held_by_me(const struct bar *bar)
{
    return mine.depth > 0 && mine.bar == bar;
}

static void close_all(void)
{
    for (size_t i = 0; i < NUM_BARS; i++) {
        if (!is_held_by_me(&bars[i])) {
            (void)pthread_rwlock_wrlock(&bars[i].lock);
        }
    }
}

static void open_all(void)
{
    for (size_t i = 0; i < NUM_BARS; i++) {
        if (!is_held_by_me(&bars[i])) {
            (void)pthread_rwlock_unlock(&bars[i].lock);
        }
    }
}

static void make_all(void)
{
    for (size_t i = 0; i < NUM_BARS; i++) {
        bars[i].lock = (pthread_rwlock_t)FRESH;
    }
}

static void begin_child(void)
{
    make_all();
    if (mine.depth > 0) {
        (void)pthread_rwlock_rdlock(&mine.bar->lock);
    }
}

static void watch_forks(void)
{
    make_all();
    urlp_around_fork(close_all, open_all, begin_child);
}

void urlp_no_fork_begin(void)
{
    if (mine.depth == 0) {
        if (mine.bar == NULL) {
            urlp_once_run(&once, watch_forks);
            mine.bar = &bars[atomic_fetch_add(&num_threads, 1) % NUM_BARS];
        }
        (void)pthread_rwlock_rdlock(&mine.bar->lock);
    }
    mine.depth++;
}

void urlp_no_fork_end(void)
{
    mine.depth--;
    if (mine.depth == 0) {
        (void)pthread_rwlock_unlock(&mine.bar->lock);
    }
}
