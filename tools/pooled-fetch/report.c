/* What both kinds of report share. */

#include "report.h"

const struct pf_percentile pf_percentiles[PF_NUM_PERCENTILES] = {
    {50.0, "p50"  },
    {75.0, "p75"  },
    {90.0, "p90"  },
    {95.0, "p95"  },
    {99.0, "p99"  },
    {99.9, "p99.9"},
};

double pf_sums_seconds(const struct pf_sums *sums)
{
    int64_t ns = sums->ended_ns - sums->started_ns;

    return (double)(ns > 0 ? ns : 1) / 1e9;
}

void pf_report_add(struct pf_text *out, enum pf_report kind, const struct pf_sums *sums,
                   const struct urlpool_stats *pool)
{
    if (kind == PF_REPORT_JSON) {
        pf_report_json(out, sums, pool);
    } else if (kind == PF_REPORT_TEXT) {
        pf_report_text(out, sums, pool);
    }
}

void pf_bars_cut(const struct pf_histogram *latency, struct pf_bar bars[PF_NUM_BARS])
{
    int64_t width = (latency->max_ns - latency->min_ns) / PF_NUM_BARS + 1;

    for (int i = 0; i < PF_NUM_BARS; i++) {
        int64_t from = i > 0 ? bars[i - 1].to_ns : -1;

        bars[i].to_ns = latency->min_ns + (i + 1) * width;
        bars[i].count = pf_histogram_between(latency, from, bars[i].to_ns);
    }
}
