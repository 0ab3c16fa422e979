/* Other libraries' locks and fork: a child has one thread, and a lock that another held at the fork
 * is held for ever. So fork() waits until nobody is inside.
 *
 * Who is inside is counted, each thread always in the same of a few counters. A handler of fork()
 * closes the bar and waits until the counters are at zero, but for the thread itself, when it is a
 * signal handler's of one inside. Who comes to a closed bar waits for the mutex that the thread
 * which forks holds meanwhile. Counting and looking at the bar are in one order for all threads, so
 * either the one who enters sees it closed or the one who forks sees him inside. */

#include "base/no_fork.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/sync.h"

#define NUM_COUNTERS 16

struct counter {
    _Alignas(64) atomic_uint num_inside; /* a cache line of its own */
};

static struct counter counters[NUM_COUNTERS];
static atomic_uint num_threads;

static atomic_bool is_closed;
static pthread_mutex_t forking = PTHREAD_MUTEX_INITIALIZER; /* held as long as it is closed */
static sem_t left;                                          /* posted by who leaves meanwhile */
static struct urlp_once once = URLP_ONCE_INIT;

static _Thread_local struct {
    struct counter *counter; /* this thread's; NULL: it was never inside */
    unsigned depth;
} mine;

static bool is_anybody_else_inside(void)
{
    unsigned num = 0;

    for (size_t i = 0; i < NUM_COUNTERS; i++) {
        num += atomic_load(&counters[i].num_inside);
    }
    return num > (mine.depth > 0 ? 1 : 0);
}

static void close_bar(void)
{
    (void)pthread_mutex_lock(&forking);
    atomic_store(&is_closed, true);
    while (is_anybody_else_inside()) {
        (void)sem_wait(&left);
    }
}

static void open_bar(void)
{
    atomic_store(&is_closed, false);
    (void)pthread_mutex_unlock(&forking);
}

/* begin_child: who was about to come in, or to go, is not there. */
static void begin_child(void)
{
    for (size_t i = 0; i < NUM_COUNTERS; i++) {
        atomic_store(&counters[i].num_inside, 0);
    }
    if (mine.depth > 0) {
        atomic_store(&mine.counter->num_inside, 1);
    }
    (void)sem_init(&left, 0, 0);
    open_bar();
}

static void watch_forks(void)
{
    (void)sem_init(&left, 0, 0);
    urlp_around_fork(close_bar, open_bar, begin_child);
}

static void leave(void)
{
    atomic_fetch_sub(&mine.counter->num_inside, 1);
    if (atomic_load(&is_closed)) {
        (void)sem_post(&left);
    }
}

static void enter(void)
{
    atomic_fetch_add(&mine.counter->num_inside, 1);
    while (atomic_load(&is_closed)) {
        leave();
        (void)pthread_mutex_lock(&forking);
        (void)pthread_mutex_unlock(&forking);
        atomic_fetch_add(&mine.counter->num_inside, 1);
    }
}

void urlp_no_fork_begin(void)
{
    if (mine.counter == NULL) {
        urlp_once_run(&once, watch_forks);
        mine.counter = &counters[atomic_fetch_add(&num_threads, 1) % NUM_COUNTERS];
    }
    mine.depth++; /* before it is counted, and longer: a signal's handler may fork in between */
    atomic_signal_fence(memory_order_seq_cst);
    if (mine.depth == 1) {
        enter();
    }
}

void urlp_no_fork_end(void)
{
    if (mine.depth == 1) {
        leave();
    }
    atomic_signal_fence(memory_order_seq_cst);
    mine.depth--;
}
