#ifndef URLP_POOL_BACKOFF_H
#define URLP_POOL_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

/* struct urlp_backoff is what is known of the last dials of one origin. Zero bytes: all is well. It
 * is on after three failures in a row, until a success: then dials are made one at a time, each a
 * pause after the last failure. The pauses are 50 ms, 100 ms and so on to a bound, each ±10 %.
 * Instants are urlp_now_ns, given by the caller. */
struct urlp_backoff {
    int num_failures; /* in a row, counted to three */
    int64_t pause_ms; /* the last one, without its jitter; 0: off */
    int64_t next_ns;  /* when the next dial is due */
};

/* urlp_backoff_failed takes note of a dial that began at `began_ns` and failed now. Only one that
 * was made as the next due makes the pause longer: those that were under way before begin it again.
 * `max_ms` bounds it, 0: it is never on, -1: no bound. `spread` is any number, of which the jitter
 * is made. */
void urlp_backoff_failed(struct urlp_backoff *backoff, int64_t max_ms, int64_t began_ns,
                         int64_t now_ns, uint64_t spread);

/* urlp_backoff_succeeded ends it. */
void urlp_backoff_succeeded(struct urlp_backoff *backoff);

/* urlp_backoff_is_on says whether only one may dial at a time. */
bool urlp_backoff_is_on(const struct urlp_backoff *backoff);

#endif /* URLP_POOL_BACKOFF_H */
