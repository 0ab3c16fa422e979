/* Which descriptors a child must not keep, in a table that needs no lock: another thread may hold
 * any at the fork.
 *
 * It is done by a handler of fork() and not later, at the child's first use of urlpool: by then the
 * child may have closed the numbers and be using them for something else. A descriptor is noted
 * after it was opened and forgotten before it is closed, so what is in the table is ours to close.
 * A child made by vfork or a bare clone runs no handler and keeps them until exec. */

#include "base/own_fd.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/sync.h"

#define NUM_FDS_MAX 65536

static atomic_bool is_own[NUM_FDS_MAX];
static atomic_int num_noted; /* one more than the highest there ever was */
static struct urlp_once once = URLP_ONCE_INIT;

/* close_in_child runs in the child, inside fork(): nothing but close may be called. */
static void close_in_child(void)
{
    int num = atomic_load(&num_noted);

    for (int fd = 0; fd < num; fd++) {
        if (atomic_load_explicit(&is_own[fd], memory_order_relaxed)) {
            atomic_store_explicit(&is_own[fd], false, memory_order_relaxed);
            (void)close(fd);
        }
    }
}

static void begin_watching(void)
{
    urlp_around_fork(NULL, NULL, close_in_child);
}

void urlp_own_fd_note(int fd)
{
    int num = atomic_load_explicit(&num_noted, memory_order_relaxed);

    if (fd < 0 || fd >= NUM_FDS_MAX) {
        return;
    }
    urlp_once_run(&once, begin_watching);
    while (num <= fd && !atomic_compare_exchange_weak(&num_noted, &num, fd + 1)) {
    }
    atomic_store(&is_own[fd], true);
}

void urlp_own_fd_forget(int fd)
{
    if (fd >= 0 && fd < NUM_FDS_MAX) {
        atomic_store(&is_own[fd], false);
    }
}

void urlp_own_fd_close(int fd)
{
    urlp_own_fd_forget(fd);
    (void)close(fd);
}
