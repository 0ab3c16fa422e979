#ifndef POOLED_FETCH_TIMELINE_H
#define POOLED_FETCH_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many stretches a timeline is cut into, and how long each is at first. */
enum {
    PF_TIMELINE_MOMENTS = 256,
    PF_TIMELINE_FIRST_NS = 1000000
};

/* struct pf_sample is how the pool stood at one instant. */
struct pf_sample {
    uint64_t num_busy, num_idle, num_dialling, num_waiting;
    uint64_t num_received, num_sent; /* bytes since the start */
};

/* struct pf_moment is one stretch of a run. Connections are sums over `num_samples`. */
struct pf_moment {
    uint64_t num_ok, num_failed;
    uint64_t num_received, num_sent; /* bytes on the wire */
    uint64_t num_samples;
    uint64_t num_busy, num_idle, num_dialling, num_waiting;
};

/* struct pf_timeline is a run cut into stretches of one length, which doubles whenever the run
 * outgrows them. Threads: one at a time. */
struct pf_timeline {
    int64_t started_ns, width_ns;
    int64_t sampled_ns; /* when `last` was */
    struct pf_sample last;
    struct pf_moment moments[PF_TIMELINE_MOMENTS];
};

/* Instants are CLOCK_MONOTONIC in ns; one before the start counts as the start. */
void pf_timeline_init(struct pf_timeline *timeline, int64_t started_ns);
/* pf_timeline_add counts a transfer that has ended at `at_ns`. */
void pf_timeline_add(struct pf_timeline *timeline, int64_t at_ns, bool is_ok);
void pf_timeline_sample(struct pf_timeline *timeline, int64_t at_ns,
                        const struct pf_sample *sample);

/* struct pf_view is a timeline made coarse enough to be looked at. */
struct pf_view {
    int64_t width_ns; /* of all moments but the last */
    int64_t last_ns;  /* of that: half as long at least, or the run itself; it ends with the run */
    size_t count;     /* never 0 */
    struct pf_moment moments[PF_TIMELINE_MOMENTS];
};

/* pf_timeline_view gives the time until `ended_ns` in at most `num_max` moments. One that no sample
 * fell into has those of the one before it. */
void pf_timeline_view(const struct pf_timeline *timeline, int64_t ended_ns, size_t num_max,
                      struct pf_view *out);

#endif /* POOLED_FETCH_TIMELINE_H */
