#ifndef URLP_BASE_PARK_H
#define URLP_BASE_PARK_H

#include <stdbool.h>

#include "urlpool/cancel.h"
#include "urlpool/deadline.h"

#include "base/call.h"
#include "base/sync.h"

/* struct urlp_park is where one thread waits for one event; it lives on the waiter's stack. Without
 * a cancel token it is a condition variable, with one a poll over two descriptors. */
struct urlp_park {
    struct urlp_cond cond;
    const struct urlpool_cancel *cancel;
    int wake_fd; /* -1 without a token */
    bool woken;  /* guarded by the mutex of urlp_park_wait */
};

enum urlp_park_end {
    URLP_PARK_WOKEN,
    URLP_PARK_TIMEOUT,
    URLP_PARK_CANCELLED
};

/* urlp_park_init makes `park` ready. `cancel` may be NULL, and must outlive the park.
 *
 * Owns:    the caller ends it with urlp_park_deinit, but not after a failure.
 * Errors:  URLPOOL_E_SYSTEM when a token is given and there is no descriptor left. */
URLPOOL_MUST_USE enum urlpool_code urlp_park_init(struct urlp_park *park,
                                                  const struct urlpool_cancel *cancel,
                                                  struct urlpool_error *err);

/* urlp_park_deinit ends `park`. Nobody may wake it any more. */
void urlp_park_deinit(struct urlp_park *park);

/* urlp_park_wake ends the wait, also one that has not begun. Call it with the mutex held. */
void urlp_park_wake(struct urlp_park *park) URLP_HOLDS_LOCK;

/* urlp_park_wait waits, giving `mutex` up meanwhile, until woken, cancelled or `by`. When several
 * are true at once, WOKEN wins, then CANCELLED. Holds `mutex` again when it returns. A wake is used
 * up by the wait that it ended. */
enum urlp_park_end urlp_park_wait(struct urlp_park *park, struct urlp_mutex *mutex,
                                  struct urlpool_deadline by)
    URLP_TSA(requires_capability(*mutex, urlp_any_lock));

/* urlp_park_sleep sleeps until `until`, or less when `call` ends first: back-off.
 *
 * Errors:  URLPOOL_E_CANCELLED, URLPOOL_E_TOTAL_TIMEOUT. */
URLPOOL_MUST_USE enum urlpool_code urlp_park_sleep(const struct urlp_call *call,
                                                   struct urlpool_deadline until,
                                                   struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_wait_readable waits until `fd` has bytes to read or has come to its end.
 *
 * Errors:  `timeout_code` or TOTAL_TIMEOUT when `call->by` comes first; URLPOOL_E_CANCELLED. */
URLPOOL_MUST_USE enum urlpool_code urlp_wait_readable(int fd, const struct urlp_call *call,
                                                      enum urlpool_code timeout_code,
                                                      struct urlpool_error *err) URLP_MAY_BLOCK;

/* A wake descriptor is an eventfd: readable (POLLIN) once signalled. */

/* urlp_wake_open makes one, CLOEXEC and non-blocking; -1 with errno set when it cannot. */
int urlp_wake_open(void);

/* urlp_wake_signal makes `fd` readable.
 *
 * Threads: any number at once; async-signal-safe, keeps errno. */
void urlp_wake_signal(int fd);

/* urlp_wake_drain makes `fd` not readable. */
void urlp_wake_drain(int fd);

#endif /* URLP_BASE_PARK_H */
