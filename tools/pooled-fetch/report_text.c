/* The report for people. */

#include <inttypes.h>

#include "count_of.h"
#include "monotonic.h"
#include "report.h"

enum {
    BAR_WIDTH = 40
};

static double in_ms(int64_t ns)
{
    return (double)ns / PF_NS_PER_MS;
}

/* add_size adds a number of bytes in a unit that keeps it short. */
static void add_size(struct pf_text *out, double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;

    while (bytes >= 1024 && unit + 1 < COUNT_OF(units)) {
        bytes /= 1024;
        unit++;
    }
    pf_text_addf(out, "%.*f %s", unit > 0 ? 1 : 0, bytes, units[unit]);
}

static void add_summary(struct pf_text *out, const struct pf_sums *sums,
                        const struct urlpool_stats *pool)
{
    double seconds = pf_sums_seconds(sums);

    pf_text_adds(out, "Summary\n");
    pf_text_addf(out, "  transfers            %" PRIu64 " (%" PRIu64 " failed)\n", sums->num_done,
                 sums->num_failed);
    pf_text_addf(out, "  requests             %" PRIu64 " (%" PRIu64 " redirects followed)\n",
                 pool->requests + pool->redirects, pool->redirects);
    pf_text_addf(out, "  tried again          %" PRIu64 " (%" PRIu64 " after stale connections)\n",
                 sums->num_retries, pool->stale_retries);
    pf_text_addf(out, "  time                 %.3f s\n", seconds);
    pf_text_addf(out, "  requests a second    %.1f\n",
                 (double)(pool->requests + pool->redirects) / seconds);
    pf_text_adds(out, "  bodies               ");
    add_size(out, (double)sums->num_bytes);
    pf_text_adds(out, ", ");
    add_size(out, (double)sums->num_wire_bytes / seconds);
    pf_text_adds(out, "/s as sent\n");
}

static void add_bar(struct pf_text *out, uint64_t count, uint64_t most)
{
    int width = most > 0 ? (int)(count * BAR_WIDTH / most) : 0;

    pf_text_addf(out, " %8" PRIu64 " ", count);
    for (int i = 0; i < width; i++) {
        pf_text_adds(out, "#");
    }
    pf_text_adds(out, "\n");
}

static void add_bars(struct pf_text *out, const struct pf_histogram *latency)
{
    struct pf_bar bars[PF_NUM_BARS];
    uint64_t most = 0;

    pf_bars_cut(latency, bars);
    for (int i = 0; i < PF_NUM_BARS; i++) {
        most = bars[i].count > most ? bars[i].count : most;
    }
    for (int i = 0; i < PF_NUM_BARS; i++) {
        pf_text_addf(out, "  to %10.3f", in_ms(bars[i].to_ns));
        add_bar(out, bars[i].count, most);
    }
}

static void add_latency(struct pf_text *out, const struct pf_histogram *latency)
{
    if (latency->count == 0) {
        return;
    }
    pf_text_adds(out, "\nLatency of whole transfers, ms\n");
    for (int i = 0; i < PF_NUM_PERCENTILES; i++) {
        pf_text_addf(out, "  %-8s %10.3f\n", pf_percentiles[i].name,
                     in_ms(pf_histogram_at(latency, pf_percentiles[i].percent)));
    }
    pf_text_addf(out, "  %-8s %10.3f\n", "max", in_ms(latency->max_ns));
    pf_text_addf(out, "  %-8s %10.3f\n\n", "mean", in_ms(latency->sum_ns) / (double)latency->count);
    add_bars(out, latency);
}

static void add_outcomes(struct pf_text *out, const struct pf_sums *sums)
{
    bool has_title = false;

    for (int status = 0; status < PF_STATUS_NUM; status++) {
        if (sums->statuses[status] > 0) {
            pf_text_addf(out, "%s  %d %*s %10" PRIu64 "\n", has_title ? "" : "\nStatus\n", status,
                         16, "", sums->statuses[status]);
            has_title = true;
        }
    }
    has_title = false;
    for (int code = 0; code < PF_EXIT_NUM; code++) {
        if (sums->errors[code] > 0) {
            pf_text_addf(out, "%s  (%d) %-16s %10" PRIu64 "\n", has_title ? "" : "\nErrors\n", code,
                         pf_exit_name((enum pf_exit)code), sums->errors[code]);
            has_title = true;
        }
    }
}

static void add_pool(struct pf_text *out, const struct urlpool_stats *pool,
                     const struct pf_histogram *waits)
{
    const struct {
        const char *name;
        uint64_t count;
    } lines[] = {
        {"connections opened",      pool->opened       },
        {"connections reused",      pool->reused       },
        {"most at once with dials", pool->peak_open    },
        {"failed dials",            pool->dial_failures},
        {"stale retries",           pool->stale_retries},
        {"TLS handshakes, full",    pool->tls_full     },
        {"TLS handshakes, resumed", pool->tls_resumed  },
    };

    pf_text_adds(out, "\nPool\n");
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        pf_text_addf(out, "  %-24s %6" PRIu64 "\n", lines[i].name, lines[i].count);
    }
    pf_text_addf(out, "  %-24s %6" PRIu64 ", %.3f ms together, %" PRIu64 " in vain\n",
                 "waits for a connection", pool->waits, (double)pool->wait_ns / PF_NS_PER_MS,
                 pool->wait_timeouts);
    pf_text_addf(out, "  %-24s p50 %.3f ms, p99 %.3f ms\n", "time to a connection",
                 in_ms(pf_histogram_at(waits, 50)), in_ms(pf_histogram_at(waits, 99)));
    for (int why = 0; why < URLPOOL_CLOSED_NUM; why++) {
        if (pool->closed[why] > 0) {
            pf_text_addf(out, "  closed: %-16s %6" PRIu64 "\n",
                         urlpool_closed_name((enum urlpool_closed)why), pool->closed[why]);
        }
    }
}

void pf_report_text(struct pf_text *out, const struct pf_sums *sums,
                    const struct urlpool_stats *pool)
{
    add_summary(out, sums, pool);
    add_latency(out, &sums->latency);
    add_outcomes(out, sums);
    add_pool(out, pool, &sums->waits);
}
