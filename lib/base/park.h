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
    bool woken;
};

enum urlp_park_end {
    URLP_PARK_WOKEN,
    URLP_PARK_TIMEOUT,
    URLP_PARK_CANCELLED
};

URLPOOL_MUST_USE enum urlpool_code urlp_park_init(struct urlp_park *park,
                                                  const struct urlpool_cancel *cancel,
                                                  struct urlpool_error *err);
void urlp_park_deinit(struct urlp_park *park);

/* urlp_park_wake ends the wait, also one that has not begun. Call it with the mutex held. */
void urlp_park_wake(struct urlp_park *park) URLP_HOLDS_LOCK;

/* urlp_park_wait waits, giving `mutex` up meanwhile, until woken, cancelled or `by`. When several
 * are true at once, WOKEN wins. Holds `mutex` again when it returns. */
enum urlp_park_end urlp_park_wait(struct urlp_park *park, struct urlp_mutex *mutex,
                                  struct urlpool_deadline by)
    URLP_TSA(requires_capability(*mutex, urlp_any_lock));

/* urlp_park_sleep sleeps until `until`, or less when `call` ends first: back-off.
 *
 * Errors:  URLPOOL_E_CANCELLED, URLPOOL_E_TOTAL_TIMEOUT. */
URLPOOL_MUST_USE enum urlpool_code urlp_park_sleep(const struct urlp_call *call,
                                                   struct urlpool_deadline until,
                                                   struct urlpool_error *err) URLP_MAY_BLOCK;

#endif /* URLP_BASE_PARK_H */
