/* The report for programs: one JSON object. Times are in milliseconds. */

#include <inttypes.h>
#include <stdio.h>

#include "json.h"
#include "report.h"

static double in_ms(int64_t ns)
{
    return (double)ns / 1e6;
}

/* add_histogram adds how many transfers each part of the time has, by its end. */
static void add_histogram(struct pf_json *json, const struct pf_histogram *latency)
{
    struct pf_bar bars[PF_NUM_BARS];
    char end[32];

    pf_bars_cut(latency, bars);
    pf_json_begin(json, "histogram");
    for (int i = 0; i < PF_NUM_BARS; i++) {
        (void)snprintf(end, sizeof(end), "%.6f", in_ms(bars[i].to_ns));
        pf_json_int(json, end, (int64_t)bars[i].count);
    }
    pf_json_end(json);
}

static void add_latency(struct pf_json *json, const struct pf_histogram *latency)
{
    pf_json_begin(json, "latency_ms");
    pf_json_int(json, "count", (int64_t)latency->count);
    if (latency->count > 0) {
        pf_json_number(json, "min", in_ms(latency->min_ns), 6);
        pf_json_number(json, "mean", in_ms(latency->sum_ns) / (double)latency->count, 6);
        for (int i = 0; i < PF_NUM_PERCENTILES; i++) {
            pf_json_number(json, pf_percentiles[i].name,
                           in_ms(pf_histogram_at(latency, pf_percentiles[i].percent)), 6);
        }
        pf_json_number(json, "max", in_ms(latency->max_ns), 6);
        add_histogram(json, latency);
    }
    pf_json_end(json);
}

/* add_counts adds an object of those counts that are not 0, by their index. */
static void add_counts(struct pf_json *json, const char *key, const uint64_t *counts, int num)
{
    char name[16];

    pf_json_begin(json, key);
    for (int i = 0; i < num; i++) {
        if (counts[i] > 0) {
            (void)snprintf(name, sizeof(name), "%d", i);
            pf_json_int(json, name, (int64_t)counts[i]);
        }
    }
    pf_json_end(json);
}

static void add_pool(struct pf_json *json, const struct urlpool_stats *pool,
                     const struct pf_histogram *waits)
{
    pf_json_begin(json, "pool");
    pf_json_int(json, "opened", (int64_t)pool->opened);
    pf_json_int(json, "reused", (int64_t)pool->reused);
    pf_json_int(json, "peak_open", (int64_t)pool->peak_open);
    pf_json_int(json, "dial_failures", (int64_t)pool->dial_failures);
    pf_json_int(json, "stale_retries", (int64_t)pool->stale_retries);
    pf_json_int(json, "waits", (int64_t)pool->waits);
    pf_json_int(json, "wait_timeouts", (int64_t)pool->wait_timeouts);
    pf_json_number(json, "wait_ms", (double)pool->wait_ns / 1e6, 6);
    pf_json_number(json, "wait_p50_ms", in_ms(pf_histogram_at(waits, 50)), 6);
    pf_json_number(json, "wait_p99_ms", in_ms(pf_histogram_at(waits, 99)), 6);
    pf_json_int(json, "tls_full", (int64_t)pool->tls_full);
    pf_json_int(json, "tls_resumed", (int64_t)pool->tls_resumed);
    pf_json_int(json, "bytes_sent", (int64_t)pool->bytes_sent);
    pf_json_int(json, "bytes_received", (int64_t)pool->bytes_received);
    pf_json_begin(json, "closed");
    for (int why = 0; why < URLPOOL_CLOSED_NUM; why++) {
        pf_json_int(json, urlpool_closed_name((enum urlpool_closed)why),
                    (int64_t)pool->closed[why]);
    }
    pf_json_end(json);
    pf_json_end(json);
}

void pf_report_json(struct pf_text *out, const struct pf_sums *sums,
                    const struct urlpool_stats *pool)
{
    struct pf_json json = {.out = out, .is_pretty = true};
    double seconds = pf_sums_seconds(sums);

    pf_json_begin(&json, NULL);
    pf_json_int(&json, "transfers", (int64_t)sums->num_done);
    pf_json_int(&json, "failed", (int64_t)sums->num_failed);
    pf_json_int(&json, "requests", (int64_t)(pool->requests + pool->redirects));
    pf_json_int(&json, "redirects", (int64_t)pool->redirects);
    pf_json_int(&json, "retries", (int64_t)sums->num_retries);
    pf_json_number(&json, "seconds", seconds, 6);
    pf_json_number(&json, "requests_per_second",
                   (double)(pool->requests + pool->redirects) / seconds, 3);
    pf_json_int(&json, "body_bytes", sums->num_bytes);
    pf_json_int(&json, "body_bytes_received", sums->num_wire_bytes);
    add_latency(&json, &sums->latency);
    add_counts(&json, "status", sums->statuses, PF_STATUS_NUM);
    add_counts(&json, "errors", sums->errors, PF_EXIT_NUM);
    add_pool(&json, pool, &sums->waits);
    pf_json_end(&json);
    pf_text_adds(out, "\n");
}
