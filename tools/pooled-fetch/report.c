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
