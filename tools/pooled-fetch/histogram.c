/* Durations in logarithmic buckets: below 128 each value has its own, above every power of two is
 * cut into 128. A bucket is read back as its upper end, and never as more than the longest seen. */

#include "histogram.h"

#include <stddef.h>

enum {
    SUB_BITS = 7,
    SUB_BUCKETS = 1 << SUB_BITS,
    OCTAVES_MAX = PF_HISTOGRAM_BUCKETS / SUB_BUCKETS - 1 /* up to 2^42 ns, over an hour */
};

static size_t bucket_of(int64_t ns)
{
    uint64_t value = (uint64_t)ns;
    int octave;

    if (value < SUB_BUCKETS) {
        return (size_t)value;
    }
    octave = 63 - __builtin_clzll(value) - SUB_BITS;
    if (octave >= OCTAVES_MAX) {
        return PF_HISTOGRAM_BUCKETS - 1;
    }
    return (size_t)(octave + 1) * SUB_BUCKETS + (size_t)((value >> octave) - SUB_BUCKETS);
}

/* upper_end is the longest duration that may be in a bucket; the last has no bound but the longest
 * seen. */
static int64_t upper_end(const struct pf_histogram *histogram, size_t bucket)
{
    size_t octave = bucket / SUB_BUCKETS;
    int64_t end = (int64_t)bucket;

    if (octave > 0) {
        end = (int64_t)(((bucket % SUB_BUCKETS + SUB_BUCKETS + 1) << (octave - 1)) - 1);
    }
    if (bucket == PF_HISTOGRAM_BUCKETS - 1 || end > histogram->max_ns) {
        end = histogram->max_ns;
    }
    return end;
}

void pf_histogram_add(struct pf_histogram *histogram, int64_t ns)
{
    if (ns < 0) {
        ns = 0;
    }
    histogram->counts[bucket_of(ns)]++;
    if (histogram->count == 0 || ns < histogram->min_ns) {
        histogram->min_ns = ns;
    }
    if (ns > histogram->max_ns) {
        histogram->max_ns = ns;
    }
    histogram->sum_ns += ns;
    histogram->count++;
}

int64_t pf_histogram_at(const struct pf_histogram *histogram, double percent)
{
    double wanted = (double)histogram->count * percent / 100.0;
    uint64_t seen = 0;

    if (histogram->count == 0) {
        return 0;
    }
    for (size_t i = 0; i < PF_HISTOGRAM_BUCKETS; i++) {
        seen += histogram->counts[i];
        if (seen > 0 && (double)seen >= wanted) {
            return upper_end(histogram, i);
        }
    }
    return histogram->max_ns;
}

uint64_t pf_histogram_between(const struct pf_histogram *histogram, int64_t from_ns, int64_t to_ns)
{
    uint64_t count = 0;

    for (size_t i = 0; i < PF_HISTOGRAM_BUCKETS; i++) {
        int64_t ns = upper_end(histogram, i);
        if (ns > from_ns && ns <= to_ns) {
            count += histogram->counts[i];
        }
    }
    return count;
}
