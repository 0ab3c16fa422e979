/* How fast bodies come, and when transfers begin. */

#include "pace.h"

#include "interrupt.h"
#include "monotonic.h"

enum {
    STEPS_PER_SECOND = 10
};

void pf_pace_init(struct pf_pace *pace, int64_t now_ns)
{
    *pace = (struct pf_pace){.started_ns = now_ns, .second_ns = now_ns};
}

size_t pf_pace_step(const struct pf_settings *settings, size_t max)
{
    int64_t step = settings->limit_rate / STEPS_PER_SECOND + 1;

    return settings->limit_rate > 0 && step < (int64_t)max ? (size_t)step : max;
}

int64_t pf_pace_pause_ms(const struct pf_pace *pace, const struct pf_settings *settings,
                         int64_t num_bytes, int64_t now_ns)
{
    double due_ns;

    if (settings->limit_rate == 0) {
        return 0;
    }
    due_ns = (double)num_bytes * 1e9 / (double)settings->limit_rate;
    due_ns -= (double)(now_ns - pace->started_ns);
    return due_ns > 0 ? (int64_t)(due_ns / PF_NS_PER_MS) : 0;
}

bool pf_pace_is_too_slow(struct pf_pace *pace, const struct pf_settings *settings,
                         int64_t num_bytes, int64_t now_ns)
{
    int64_t elapsed_ns = now_ns - pace->second_ns;
    double rate;

    if (settings->speed_limit == 0 || elapsed_ns < PF_NS_PER_SECOND) {
        return false;
    }
    rate = (double)(num_bytes - pace->second_bytes) * 1e9 / (double)elapsed_ns;
    if (rate >= (double)settings->speed_limit) {
        pace->slow_since_ns = 0;
    } else if (pace->slow_since_ns == 0) {
        pace->slow_since_ns = pace->second_ns;
    }
    pace->second_ns = now_ns;
    pace->second_bytes = num_bytes;
    return pace->slow_since_ns != 0 &&
           now_ns - pace->slow_since_ns >= settings->speed_time_s * PF_NS_PER_SECOND;
}

bool pf_pace_wait(const struct pf_settings *settings, int64_t started_ns, int64_t pause_ms)
{
    const int64_t max_ms = settings->max_time_ms;
    const int64_t left_ms = max_ms - (pf_now_ns() - started_ns) / PF_NS_PER_MS;

    if (max_ms > 0 && left_ms < pause_ms) {
        pause_ms = left_ms > 0 ? left_ms : 0;
    }
    pf_interrupt_wait(pause_ms);
    return max_ms == 0 || pf_now_ns() - started_ns < max_ms * PF_NS_PER_MS;
}

void pf_pace_wait_until(int64_t at_ns)
{
    int64_t left_ns = at_ns - pf_now_ns();

    if (left_ns > 0) {
        pf_interrupt_wait((left_ns + PF_NS_PER_MS - 1) / PF_NS_PER_MS);
    }
}
