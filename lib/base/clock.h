#ifndef URLP_BASE_CLOCK_H
#define URLP_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "urlpool/deadline.h"

#define URLP_NS_PER_MS 1000000
#define URLP_NS_PER_S  INT64_C(1000000000)
#define URLP_NEVER     ((struct urlpool_deadline){INT64_MAX})

/* urlp_now_ns reads CLOCK_MONOTONIC: deadlines. */
int64_t urlp_now_ns(void);

/* urlp_boot_ns reads CLOCK_BOOTTIME, which runs on while suspended: ages and idle times. */
int64_t urlp_boot_ns(void);

/* urlp_wall_seconds reads CLOCK_REALTIME: certificates and HTTP dates only. */
int64_t urlp_wall_seconds(void);

/* urlp_ns_after_ms returns the instant `wait_ms` after `from_ns`; INT64_MAX for a wait that is
 * negative, which is for ever, or too long. */
int64_t urlp_ns_after_ms(int64_t from_ns, int64_t wait_ms);

/* urlp_less is the lesser of two: the instant that comes first. */
static inline int64_t urlp_less(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* urlp_deadline_in returns the instant `wait_ms` from now; negative means never; saturates. */
struct urlpool_deadline urlp_deadline_in(int64_t wait_ms);

/* urlp_deadline_after is urlp_deadline_in for who has just read the clock. */
static inline struct urlpool_deadline urlp_deadline_after(int64_t now_ns, int64_t wait_ms)
{
    return (struct urlpool_deadline){urlp_ns_after_ms(now_ns, wait_ms)};
}

/* urlp_deadline_has_passed says whether `by` is now or earlier; never has not. */
bool urlp_deadline_has_passed(struct urlpool_deadline by);

/* urlp_deadline_poll_ms is how long to poll() for `by`: the time left rounded up, 0 when passed, -1
 * for never. The caller polls again until the deadline has passed: the kernel lets a poll come late
 * by a thousandth, so one of more than 5 s is made to end early, and the rest of it is exact. Under
 * a fake clock it is 10 ms at the most, so that a loop around poll() notices an advance. */
int urlp_deadline_poll_ms(struct urlpool_deadline by);

/* The seam, for tests only. Begin before and end after other threads use urlpool: a thread that
 * already waits on the real clock does not notice. */

/* urlp_clock_fake_begin stops all clocks at `now_ns`; the wall clock keeps its time of day. */
void urlp_clock_fake_begin(int64_t now_ns);

/* urlp_clock_fake_advance moves all clocks on by `ns` and ends every wait (condition variable,
 * park, sleep) whose deadline that reaches.
 *
 * Threads: any number at once. */
void urlp_clock_fake_advance(int64_t ns);

/* urlp_clock_fake_set_wall sets the wall clock alone. */
void urlp_clock_fake_set_wall(int64_t seconds);

/* urlp_clock_fake_end goes back to the real clocks. Whoever still waits wakes without reason. */
void urlp_clock_fake_end(void);

/* urlp_clock_is_fake says whether a fake clock is set. */
bool urlp_clock_is_fake(void);

/* urlp_clock_fake_num_waiters is how many threads wait on the clock, with a deadline or without.
 * One that was woken, or whose deadline has come, no longer counts, even if it has not run yet; one
 * whose cancel token was used counts until it has. */
int urlp_clock_fake_num_waiters(void);

/* urlp_clock_fake_await_waiters blocks until exactly `num` threads wait on the clock, so that a
 * test can act when everybody has come to rest. Works while a fake clock is set. */
void urlp_clock_fake_await_waiters(int num);

#endif /* URLP_BASE_CLOCK_H */
