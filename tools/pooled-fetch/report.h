#ifndef POOLED_FETCH_REPORT_H
#define POOLED_FETCH_REPORT_H

#include "urlpool/stats.h"

#include "settings.h"
#include "tally.h"

/* pf_report_add appends the report of a run, as text or as one JSON object. */
void pf_report_add(struct pf_text *out, enum pf_report kind, const struct pf_sums *sums,
                   const struct urlpool_stats *pool);

/* The percentiles both kinds show. */
struct pf_percentile {
    double percent;
    const char *name;
};
enum {
    PF_NUM_PERCENTILES = 6
};
extern const struct pf_percentile pf_percentiles[PF_NUM_PERCENTILES];

/* struct pf_bar is one of the ten equal parts that the time between the shortest and the longest is
 * cut into, as hey does: how many took longer than the part before, and not longer than `to_ns`. */
struct pf_bar {
    int64_t to_ns;
    uint64_t count;
};
enum {
    PF_NUM_BARS = 10
};
void pf_bars_cut(const struct pf_histogram *latency, struct pf_bar bars[PF_NUM_BARS]);

/* The two kinds; report_text.c, report_json.c. */
void pf_report_text(struct pf_text *out, const struct pf_sums *sums,
                    const struct urlpool_stats *pool);
void pf_report_json(struct pf_text *out, const struct pf_sums *sums,
                    const struct urlpool_stats *pool);

/* pf_sums_seconds is how long the run took; never 0. */
double pf_sums_seconds(const struct pf_sums *sums);

#endif /* POOLED_FETCH_REPORT_H */
