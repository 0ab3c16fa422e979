#ifndef POOLED_FETCH_PACE_H
#define POOLED_FETCH_PACE_H

#include <stddef.h>

#include "settings.h"

/* struct pf_pace holds a body, coming or going, to --limit-rate, and watches over --speed-limit. */
struct pf_pace {
    int64_t started_ns;
    int64_t second_ns;     /* when the second began that is being looked at */
    int64_t second_bytes;  /* how many there were then */
    int64_t slow_since_ns; /* 0: it is fast enough */
};

void pf_pace_init(struct pf_pace *pace, int64_t now_ns);
/* pf_pace_step is how much to read at most at once. */
size_t pf_pace_step(const struct pf_settings *settings, size_t max);
/* pf_pace_pause_ms is how long to wait when `num_bytes` are there at `now_ns`. */
int64_t pf_pace_pause_ms(const struct pf_pace *pace, const struct pf_settings *settings,
                         int64_t num_bytes, int64_t now_ns);
/* pf_pace_is_too_slow says that it has been so for longer than --speed-time. */
bool pf_pace_is_too_slow(struct pf_pace *pace, const struct pf_settings *settings,
                         int64_t num_bytes, int64_t now_ns);
/* pf_pace_wait waits. Returns false when --max-time, of a transfer that began at `started_ns`, ends
 * first: the library sees only how long it waits itself. */
bool pf_pace_wait(const struct pf_settings *settings, int64_t started_ns, int64_t pause_ms);
/* pf_pace_wait_until waits for an instant, or until all is over. */
void pf_pace_wait_until(int64_t at_ns);

#endif /* POOLED_FETCH_PACE_H */
