/* The one door to the clocks, and the seam at which tests put a clock of their own.
 *
 * While a fake clock is set, the three clocks stand still together and move only by
 * urlp_clock_fake_advance. Outside tests the seam costs one load of a flag that nobody writes. Who
 * waits on the clock is known to sync.c, which alone may touch pthread; this file changes the time
 * first and tells it afterwards, and a waiter looks at the time under the same lock as it is told
 * under, so no advance is missed. */

#include "base/clock.h"

#include <limits.h>
#include <stdatomic.h>
#include <time.h>

#include "base/sync.h"

#define POLL_STEP_ABOVE_MS 5000
#define POLL_STEP_PART     64
#define FAKE_POLL_MS       10

static _Atomic bool fake_is_set;
static _Atomic int64_t fake_ns;
static _Atomic int64_t fake_wall_offset_seconds; /* wall clock less the fake one */

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;

    if (urlp_clock_is_fake()) {
        return atomic_load(&fake_ns);
    }
    (void)clock_gettime(clock, &now); /* cannot fail for a clock that exists */
    return (int64_t)now.tv_sec * URLP_NS_PER_S + now.tv_nsec;
}

int64_t urlp_now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t urlp_boot_ns(void)
{
    return read_clock(CLOCK_BOOTTIME);
}

int64_t urlp_wall_seconds(void)
{
    int64_t seconds = read_clock(CLOCK_REALTIME) / URLP_NS_PER_S;

    return urlp_clock_is_fake() ? seconds + atomic_load(&fake_wall_offset_seconds) : seconds;
}

int64_t urlp_ns_after_ms(int64_t from_ns, int64_t wait_ms)
{
    int64_t wait_ns;
    int64_t at_ns;

    if (wait_ms < 0 || __builtin_mul_overflow(wait_ms, (int64_t)URLP_NS_PER_MS, &wait_ns) ||
        __builtin_add_overflow(from_ns, wait_ns, &at_ns)) {
        return INT64_MAX;
    }
    return at_ns;
}

struct urlpool_deadline urlp_deadline_in(int64_t wait_ms)
{
    return (struct urlpool_deadline){urlp_ns_after_ms(urlp_now_ns(), wait_ms)};
}

bool urlp_deadline_has_passed(struct urlpool_deadline by)
{
    return by.at_ns != INT64_MAX && urlp_now_ns() >= by.at_ns;
}

int urlp_deadline_poll_ms(struct urlpool_deadline by)
{
    int64_t now_ns;
    int64_t left_ns;
    int64_t left_ms;

    if (by.at_ns == INT64_MAX) {
        return -1;
    }
    now_ns = urlp_now_ns();
    if (by.at_ns <= now_ns) {
        return 0;
    }
    left_ns = by.at_ns - now_ns;
    left_ms = left_ns / URLP_NS_PER_MS + (left_ns % URLP_NS_PER_MS != 0);
    if (urlp_clock_is_fake()) {
        return left_ms < FAKE_POLL_MS ? (int)left_ms : FAKE_POLL_MS;
    }
    if (left_ms > POLL_STEP_ABOVE_MS) {
        left_ms -= left_ms / POLL_STEP_PART;
    }
    return left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}

void urlp_clock_fake_begin(int64_t now_ns)
{
    int64_t wall = urlp_wall_seconds();

    atomic_store(&fake_ns, now_ns);
    atomic_store(&fake_wall_offset_seconds, wall - now_ns / URLP_NS_PER_S);
    atomic_store(&fake_is_set, true);
}

void urlp_clock_fake_advance(int64_t ns)
{
    atomic_fetch_add(&fake_ns, ns);
    urlp_fake_wake_passed();
}

void urlp_clock_fake_set_wall(int64_t seconds)
{
    atomic_store(&fake_wall_offset_seconds, seconds - atomic_load(&fake_ns) / URLP_NS_PER_S);
}

void urlp_clock_fake_end(void)
{
    atomic_store(&fake_is_set, false);
    urlp_fake_wake_passed();
}

bool urlp_clock_is_fake(void)
{
    return atomic_load_explicit(&fake_is_set, memory_order_acquire);
}
