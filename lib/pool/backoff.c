/* When an origin that cannot be reached is dialled again. Pure: instants and chance are passed in.
 *
 * Three failures in a row begin it: one or two happen to any origin. The first pause is short
 * enough not to be noticed where a server restarts, the last one makes a thousand threads cost a
 * dead server one dial a second. It knows nothing of who dials, and who waits meanwhile: probe.c
 * does. */

#include "pool/backoff.h"

#include "base/clock.h"
#include "pool/jitter.h"

#define FAILURES_MAX   3
#define PAUSE_FIRST_MS 50
/* Longer than anybody waits; keeps the arithmetic far from its bounds. */
#define PAUSE_LAST_MS (INT64_C(24) * 3600 * 1000)

static int64_t longer(int64_t pause_ms, int64_t max_ms)
{
    int64_t next_ms = pause_ms == 0 ? PAUSE_FIRST_MS : 2 * pause_ms;
    int64_t bound_ms = max_ms < 0 || max_ms > PAUSE_LAST_MS ? PAUSE_LAST_MS : max_ms;

    return next_ms < bound_ms ? next_ms : bound_ms;
}

/* after returns the instant a pause from `now_ns` has passed, and none later than `max_ms`. */
static int64_t after(int64_t now_ns, int64_t pause_ms, int64_t max_ms, uint64_t spread)
{
    int64_t pause_ns = urlp_jitter_ns(pause_ms * URLP_NS_PER_MS, spread);

    if (max_ms >= 0 && max_ms <= PAUSE_LAST_MS && pause_ns > max_ms * URLP_NS_PER_MS) {
        pause_ns = max_ms * URLP_NS_PER_MS;
    }
    return now_ns + pause_ns;
}

void urlp_backoff_failed(struct urlp_backoff *backoff, int64_t max_ms, int64_t began_ns,
                         int64_t now_ns, uint64_t spread)
{
    if (max_ms == 0) {
        return;
    }
    if (backoff->num_failures < FAILURES_MAX) {
        backoff->num_failures++;
    }
    if (backoff->num_failures < FAILURES_MAX) {
        return;
    }
    if (backoff->pause_ms == 0 || began_ns >= backoff->next_ns) {
        backoff->pause_ms = longer(backoff->pause_ms, max_ms);
    }
    backoff->next_ns = after(now_ns, backoff->pause_ms, max_ms, spread);
}

void urlp_backoff_succeeded(struct urlp_backoff *backoff)
{
    *backoff = (struct urlp_backoff){0};
}

bool urlp_backoff_is_on(const struct urlp_backoff *backoff)
{
    return backoff->pause_ms > 0;
}
