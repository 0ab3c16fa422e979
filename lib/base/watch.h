#ifndef URLP_BASE_WATCH_H
#define URLP_BASE_WATCH_H

#include <stddef.h>
#include <stdint.h>

#include "urlpool/error.h"

#include "base/sync.h"

/* A watch is what a thread sleeps on that has an instant to wait for, sockets whose peers may close
 * them, and others who wake it. The instant is one of CLOCK_BOOTTIME: a machine that was suspended
 * past it wakes the thread. A socket is told of when its peer has ended its side or reset it, and
 * only once; bytes that arrive wake nobody. A forked child has none of its descriptors. */
struct urlp_watch {
    int epoll_fd;
    int timer_fd;
    int wake_fd;
};

/* urlp_watch_init makes a watch of nothing.
 *
 * Owns:    the caller ends it with urlp_watch_deinit, but not after a failure.
 * Errors:  URLPOOL_E_SYSTEM. */
URLPOOL_MUST_USE enum urlpool_code urlp_watch_init(struct urlp_watch *watch,
                                                   struct urlpool_error *err);

/* urlp_watch_deinit ends a watch, on which nobody sleeps. */
void urlp_watch_deinit(struct urlp_watch *watch);

/* urlp_watch_add begins to watch the socket `fd`, until it is closed; `id`, which is not 0, is what
 * it is told of by. False: it cannot be watched.
 *
 * Threads: any number at once; does not wait. */
bool urlp_watch_add(const struct urlp_watch *watch, int fd, uint64_t id);

/* urlp_watch_wake ends the sleep, also one that has not begun.
 *
 * Threads: any number at once; does not wait. */
void urlp_watch_wake(const struct urlp_watch *watch);

/* urlp_watch_sleep sleeps until there is something to tell, until urlp_watch_wake, or until
 * `until_ns` of urlp_boot_ns, INT64_MAX: for ever. May end early. Returns how many of `out_ids`, at
 * most `max`, it has filled in.
 *
 * Threads: one at a time. */
size_t urlp_watch_sleep(const struct urlp_watch *watch, int64_t until_ns, uint64_t *out_ids,
                        size_t max) URLP_MAY_BLOCK;

#endif /* URLP_BASE_WATCH_H */
