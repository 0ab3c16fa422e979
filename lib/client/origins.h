#ifndef URLP_CLIENT_ORIGINS_H
#define URLP_CLIENT_ORIGINS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "urlpool/retry.h"

#include "base/call.h"
#include "base/sync.h"
#include "http/route.h"

/* The most origins that something is known of; the one that was longest not asked about is
 * forgotten first. */
#define URLP_ORIGINS_MAX 1024

struct urlp_origins_state;

/* struct urlp_origins is what the requests of all threads know together of origins in trouble: what
 * is left of their retry budget, and until when they have asked to be left alone. Of all others
 * nothing is kept, and nothing is paid for them but the look at a counter. Zero bytes: nothing is
 * ever known.
 *
 * Threads: any number at once, after urlp_origins_make. */
struct urlp_origins {
    bool has_budget;
    int64_t tokens_max; /* the bucket's size, in hundredths of a token */
    int64_t refill;     /* of a request that ends well, in hundredths */
    bool share_retry_after;
    atomic_bool is_closed;
    _Atomic(struct urlp_origins_state *) state; /* this process's; made when there is something */
};

/* urlp_origins_make resolves the options.
 *
 * Owns:    the caller ends it with urlp_origins_deinit, also after a failure.
 * Errors:  URLPOOL_E_INVALID. */
URLPOOL_MUST_USE enum urlpool_code urlp_origins_make(struct urlp_origins *origins,
                                                     const struct urlpool_retry_budget *budget,
                                                     bool share_retry_after,
                                                     struct urlpool_error *err);
/* urlp_origins_deinit forgets everything; no request is under way. */
void urlp_origins_deinit(struct urlp_origins *origins) URLP_MAY_BLOCK;

/* urlp_origins_take_token takes the token for a retry; false: there is none left. Out of memory it
 * is as if the bucket were full. */
bool urlp_origins_take_token(struct urlp_origins *origins,
                             const struct urlp_origin *origin) URLP_MAY_BLOCK;
/* urlp_origins_note_success puts back what a request that ended well puts back. */
void urlp_origins_note_success(struct urlp_origins *origins,
                               const struct urlp_origin *origin) URLP_MAY_BLOCK;

/* urlp_origins_pause keeps requests away from `origin` for `wait_ms` from now, if that ends later
 * than what it has asked for before; not when this is not shared. */
void urlp_origins_pause(struct urlp_origins *origins, const struct urlp_origin *origin,
                        int64_t wait_ms) URLP_MAY_BLOCK;

/* urlp_origins_await waits until a request may go to `origin`, or all pauses are over.
 *
 * Units:   `*pool_ms` bounds the wait, -1: no bound, and so does `call->by`; what is left of it is
 *          for the wait for a place.
 * Errors:  URLPOOL_E_POOL_TIMEOUT, TOTAL_TIMEOUT, CANCELLED, SYSTEM (no descriptor to wait with);
 *          phase POOL. */
URLPOOL_MUST_USE enum urlpool_code urlp_origins_await(struct urlp_origins *origins,
                                                      const struct urlp_origin *origin,
                                                      int64_t *pool_ms,
                                                      const struct urlp_call *call,
                                                      struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_origins_close ends all pauses, for good: who waits goes on, and is told by the pools that
 * they are closed. */
void urlp_origins_close(struct urlp_origins *origins) URLP_MAY_BLOCK;

/* urlp_origins_count is of how many origins something is known. */
size_t urlp_origins_count(struct urlp_origins *origins) URLP_MAY_BLOCK;

#endif /* URLP_CLIENT_ORIGINS_H */
