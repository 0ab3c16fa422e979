#ifndef POOLED_FETCH_MONOTONIC_H
#define POOLED_FETCH_MONOTONIC_H

#include <stdint.h>
#include <time.h>

/* Time that never goes back, in ns. */
enum {
    PF_MS_PER_SECOND = 1000,
    PF_NS_PER_MS = 1000000,
    PF_NS_PER_SECOND = 1000000000
};

/* pf_now_ns is CLOCK_MONOTONIC. Threads: any number at once, signal handlers too. */
int64_t pf_now_ns(void);
/* pf_instant is an instant of it as pthread_cond_timedwait has it. */
struct timespec pf_instant(int64_t at_ns);

#endif /* POOLED_FETCH_MONOTONIC_H */
