#ifndef POOLED_FETCH_HISTOGRAM_H
#define POOLED_FETCH_HISTOGRAM_H

#include <stdint.h>

enum {
    PF_HISTOGRAM_BUCKETS = 4608
};

/* struct pf_histogram counts durations in buckets that grow with the value: what is read back is
 * right to one part in 128. Zero bytes are an empty one. Threads: one at a time. */
struct pf_histogram {
    uint64_t counts[PF_HISTOGRAM_BUCKETS];
    uint64_t count;
    int64_t min_ns, max_ns, sum_ns;
};

void pf_histogram_add(struct pf_histogram *histogram, int64_t ns);
/* pf_histogram_at is the duration that `percent` of all do not exceed; 0 when there are none. */
int64_t pf_histogram_at(const struct pf_histogram *histogram, double percent);
/* pf_histogram_between counts those longer than `from_ns` and not longer than `to_ns`, as exactly
 * as the buckets allow. */
uint64_t pf_histogram_between(const struct pf_histogram *histogram, int64_t from_ns, int64_t to_ns);

#endif /* POOLED_FETCH_HISTOGRAM_H */
