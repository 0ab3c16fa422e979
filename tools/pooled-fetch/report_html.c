/* The report as a page: one file that needs no other, no network and no script; a script that sorts
 * the table is an extra. Its policy allows exactly the style and the script that are in it, by
 * their digests, and nothing else: what a URL smuggled in could not run. */

#include "report_html.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "urlpool/version.h"

#include "chart.h"
#include "count_of.h"
#include "html.h"
#include "report.h"

enum {
    TITLE_URL_MAX = 120,
    /* How many moments a chart has at most: each is to be a few px wide. */
    MOMENTS_MAX = 128,
    RATE_MOMENTS_MIN = 8,
    TRANSFERS_PER_MOMENT = 4 /* at least, or a rate would be noise */
};

/* --- head ------------------------------------------------------------------------------------- */

static void add_digest(struct pf_text *out, const char *content)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    unsigned char encoded[64];

    (void)SHA256((const unsigned char *)content, strlen(content), digest);
    (void)EVP_EncodeBlock(encoded, digest, sizeof(digest));
    pf_text_addf(out, "'sha256-%s'", (const char *)encoded);
}

static void add_title(struct pf_text *out, const struct pf_page *page)
{
    pf_html_count(out, page->sums->num_done);
    pf_text_adds(out, page->sums->num_done == 1 ? " transfer" : " transfers");
    if (page->settings->num_entries > 0) {
        pf_text_adds(out, " from ");
        pf_html_add_clipped(out, page->settings->entries[0].shown, TITLE_URL_MAX);
    }
    if (page->settings->num_entries > 1) {
        pf_text_addf(out, " and %zu more", page->settings->num_entries - 1);
    }
}

static void add_head(struct pf_text *out, const struct pf_page *page)
{
    pf_text_adds(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                      "style-src ");
    add_digest(out, pf_page_style);
    pf_text_adds(out, "; script-src ");
    add_digest(out, pf_page_script);
    pf_text_adds(out, "; base-uri 'none'; form-action 'none'\">\n"
                      "<meta name=\"referrer\" content=\"no-referrer\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>pooled-fetch: ");
    add_title(out, page);
    pf_text_addf(out, "</title>\n<style>%s</style>\n</head>\n", pf_page_style);
}

static void add_header(struct pf_text *out, const struct pf_page *page)
{
    char when[32] = "";
    struct tm tm = {0};

    (void)gmtime_r(&page->ended_at, &tm);
    (void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
    pf_text_adds(out, "<body>\n<header>\n<p class=\"program\">pooled-fetch report</p>\n<h1>");
    add_title(out, page);
    pf_text_addf(out, "</h1>\n<p>%.10s %.8s UTC · ", when, when + 11);
    pf_html_count(out, (uint64_t)page->settings->concurrency);
    pf_text_adds(out, page->settings->concurrency == 1 ? " thread" : " threads");
    pf_text_adds(out, " · one shared pool</p>\n");
    if (page->is_interrupted) {
        pf_text_adds(out, "<p class=\"warning\"><strong>Interrupted.</strong> What follows is of"
                          " the time until then.</p>\n");
    }
    pf_text_adds(out, "</header>\n<main>\n");
}

/* --- headline figures ------------------------------------------------------------------------- */

/* begin_tile begins a figure and its note: <figure> is `text` until end_tile. */
static void begin_tile(struct pf_text *out, const char *name, bool is_bad)
{
    pf_text_addf(out, "<div%s><dt>%s</dt><dd>", is_bad ? " class=\"bad\"" : "", name);
}

static void end_tile(struct pf_text *out)
{
    pf_text_adds(out, "</small></dd></div>\n");
}

static void add_count_tiles(struct pf_text *out, const struct pf_page *page)
{
    const struct pf_sums *sums = page->sums;

    begin_tile(out, "Transfers", false);
    pf_html_count(out, sums->num_done);
    pf_text_adds(out, " <small>in ");
    pf_html_ns(out, sums->ended_ns - sums->started_ns);
    end_tile(out);
    begin_tile(out, "Failed", sums->num_failed > 0);
    pf_html_count(out, sums->num_failed);
    pf_text_adds(out, " <small>");
    if (sums->num_failed > 0) {
        pf_html_share(out, sums->num_failed, sums->num_done);
    } else {
        pf_text_adds(out, "none");
    }
    end_tile(out);
}

static void add_rate_tiles(struct pf_text *out, const struct pf_page *page)
{
    const struct pf_sums *sums = page->sums;
    double seconds = pf_sums_seconds(sums);

    begin_tile(out, "Rate", false);
    pf_html_number(out, (double)sums->num_done / seconds);
    pf_text_adds(out, " <small>transfers a second");
    end_tile(out);
    begin_tile(out, "Bodies", false);
    pf_html_bytes(out, (double)sums->num_bytes);
    pf_text_adds(out, " <small>");
    pf_html_bytes(out, (double)sums->num_wire_bytes / seconds);
    pf_text_adds(out, " a second as sent");
    end_tile(out);
}

static void add_latency_tiles(struct pf_text *out, const struct pf_page *page)
{
    const struct pf_histogram *latency = &page->sums->latency;

    if (latency->count == 0) {
        return;
    }
    begin_tile(out, "Median", false);
    pf_html_ns(out, pf_histogram_at(latency, 50));
    pf_text_adds(out, " <small>mean ");
    pf_html_ns(out, latency->sum_ns / (int64_t)latency->count);
    end_tile(out);
    begin_tile(out, "99th percentile", false);
    pf_html_ns(out, pf_histogram_at(latency, 99));
    pf_text_adds(out, " <small>longest ");
    pf_html_ns(out, latency->max_ns);
    end_tile(out);
}

static void add_pool_tiles(struct pf_text *out, const struct pf_page *page)
{
    const struct urlpool_stats *pool = page->pool;

    begin_tile(out, "Connections", false);
    pf_html_count(out, pool->opened);
    pf_text_adds(out, " <small>opened, at most ");
    pf_html_count(out, pool->peak_open);
    pf_text_adds(out, " at once");
    end_tile(out);
    begin_tile(out, "Reuse", false);
    if (pool->reused + pool->opened > 0) {
        pf_html_share(out, pool->reused, pool->reused + pool->opened);
    } else {
        pf_text_adds(out, "–");
    }
    pf_text_adds(out, " <small>of requests found a connection open");
    end_tile(out);
}

static void add_tiles(struct pf_text *out, const struct pf_page *page)
{
    pf_html_begin_section(out, "summary", "Summary");
    pf_text_adds(out, "<dl class=\"tiles\">\n");
    add_count_tiles(out, page);
    add_rate_tiles(out, page);
    add_latency_tiles(out, page);
    add_pool_tiles(out, page);
    pf_text_adds(out, "</dl>\n");
    pf_html_end_section(out);
}

/* --- latency ---------------------------------------------------------------------------------- */

static void add_percentiles(struct pf_text *out, const struct pf_histogram *latency)
{
    pf_text_adds(
        out,
        "<div class=\"card\"><table class=\"figures\"><caption>Percentiles of latency</caption>"
        "<tbody>\n<tr><th scope=\"row\">shortest</th><td>");
    pf_html_ns(out, latency->min_ns);
    pf_text_adds(out, "</td></tr>\n");
    for (int i = 0; i < PF_NUM_PERCENTILES; i++) {
        pf_text_addf(out, "<tr><th scope=\"row\">%s</th><td>", pf_percentiles[i].name);
        pf_html_ns(out, pf_histogram_at(latency, pf_percentiles[i].percent));
        pf_text_adds(out, "</td></tr>\n");
    }
    pf_text_adds(out, "<tr><th scope=\"row\">longest</th><td>");
    pf_html_ns(out, latency->max_ns);
    pf_text_adds(out, "</td></tr>\n</tbody></table></div>\n");
}

static void add_latency(struct pf_text *out, const struct pf_page *page)
{
    const struct pf_histogram *latency = &page->sums->latency;
    struct pf_text summary = {0};

    pf_html_begin_section(out, "latency", "How long transfers took");
    if (latency->count == 0) {
        pf_text_adds(out, "<p>No transfer succeeded, so there is no latency to show.</p>\n");
        pf_html_end_section(out);
        return;
    }
    pf_text_adds(&summary, "Histogram of latency: ");
    pf_html_count(&summary, latency->count);
    pf_text_adds(&summary, " transfers from ");
    pf_html_ns(&summary, latency->min_ns);
    pf_text_adds(&summary, " to ");
    pf_html_ns(&summary, latency->max_ns);
    pf_text_adds(&summary, ", half of them within ");
    pf_html_ns(&summary, pf_histogram_at(latency, 50));
    pf_text_adds(out, "<div class=\"beside\">\n");
    pf_chart_latency(out, latency, summary.data);
    add_percentiles(out, latency);
    pf_text_adds(out, "</div>\n");
    pf_html_end_section(out);
    pf_text_free(&summary);
}

/* --- over time -------------------------------------------------------------------------------- */

static double per_second(uint64_t count, int64_t ns)
{
    return (double)count * 1e9 / (double)(ns > 0 ? ns : 1);
}

static double mean_of(uint64_t sum, const struct pf_moment *moment)
{
    return moment->num_samples > 0 ? (double)sum / (double)moment->num_samples : 0;
}

static double ok_rate(const struct pf_moment *moment, int64_t ns)
{
    return per_second(moment->num_ok, ns);
}

static double failed_rate(const struct pf_moment *moment, int64_t ns)
{
    return per_second(moment->num_failed, ns);
}

static double received_rate(const struct pf_moment *moment, int64_t ns)
{
    return per_second(moment->num_received, ns);
}

static double sent_rate(const struct pf_moment *moment, int64_t ns)
{
    return per_second(moment->num_sent, ns);
}

static double busy_mean(const struct pf_moment *moment, int64_t ns)
{
    (void)ns;
    return mean_of(moment->num_busy, moment);
}

static double idle_mean(const struct pf_moment *moment, int64_t ns)
{
    (void)ns;
    return mean_of(moment->num_idle, moment);
}

static double dialling_mean(const struct pf_moment *moment, int64_t ns)
{
    (void)ns;
    return mean_of(moment->num_dialling, moment);
}

static double waiting_mean(const struct pf_moment *moment, int64_t ns)
{
    (void)ns;
    return mean_of(moment->num_waiting, moment);
}

static const struct pf_series rates[] = {
    {"succeeded", "ok",     ok_rate    },
    {"failed",    "failed", failed_rate},
};
static const struct pf_series bytes[] = {
    {"received", "received", received_rate},
    {"sent",     "sent",     sent_rate    },
};
static const struct pf_series connections[] = {
    {"busy",            "busy",     busy_mean    },
    {"idle",            "idle",     idle_mean    },
    {"dialling",        "dialling", dialling_mean},
    {"threads waiting", "",         waiting_mean },
};

static const struct pf_time_chart rate_chart = {.id = "rate",
                                                .title = "Transfers a second",
                                                .what =
                                                    "Transfers that ended, averaged over each step",
                                                .unit = PF_UNIT_NUMBER,
                                                .series = rates,
                                                .num_series = COUNT_OF(rates),
                                                .num_drawn = COUNT_OF(rates)};
static const struct pf_time_chart bytes_chart = {.id = "bytes",
                                                 .title = "Bytes a second",
                                                 .what = "On the wire: bodies as sent, heads, TLS",
                                                 .unit = PF_UNIT_BYTES,
                                                 .series = bytes,
                                                 .num_series = COUNT_OF(bytes),
                                                 .num_drawn = COUNT_OF(bytes)};
static const struct pf_time_chart connections_chart = {
    .id = "connections",
    .title = "Connections",
    .what = "Connections of the pool by what they were doing",
    .unit = PF_UNIT_NUMBER,
    .series = connections,
    .num_series = COUNT_OF(connections),
    .num_drawn = COUNT_OF(connections) - 1};

static void add_chart(struct pf_text *out, const struct pf_page *page,
                      const struct pf_time_chart *chart, size_t num_max, const char *summary)
{
    struct pf_view *view = pf_alloc(sizeof(*view));

    pf_timeline_view(&page->findings->timeline, page->sums->ended_ns, num_max, view);
    pf_chart_over_time(out, chart, view, summary);
    free(view);
}

/* rate_moments is how many moments a rate is shown in: of few transfers few, or each would be a
 * peak of its own. */
static size_t rate_moments(const struct pf_page *page)
{
    uint64_t num = page->sums->num_done / TRANSFERS_PER_MOMENT;

    if (num < RATE_MOMENTS_MIN) {
        return RATE_MOMENTS_MIN;
    }
    return num < MOMENTS_MAX ? (size_t)num : MOMENTS_MAX;
}

static void add_rate_charts(struct pf_text *out, const struct pf_page *page)
{
    const struct pf_sums *sums = page->sums;
    struct pf_text summary = {0};

    pf_text_adds(&summary, "Transfers a second over time: ");
    pf_html_number(&summary, (double)sums->num_done / pf_sums_seconds(sums));
    pf_text_adds(&summary, " on average, ");
    pf_html_count(&summary, sums->num_failed);
    pf_text_adds(&summary, " failed in all");
    add_chart(out, page, &rate_chart, rate_moments(page), summary.data);
    pf_text_cut(&summary, 0);
    pf_text_adds(&summary, "Bytes a second over time: ");
    pf_html_bytes(&summary, (double)page->pool->bytes_received);
    pf_text_adds(&summary, " received and ");
    pf_html_bytes(&summary, (double)page->pool->bytes_sent);
    pf_text_adds(&summary, " sent in all");
    add_chart(out, page, &bytes_chart, rate_moments(page), summary.data);
    pf_text_free(&summary);
}

static void add_over_time(struct pf_text *out, const struct pf_page *page)
{
    struct pf_text summary = {0};

    pf_html_begin_section(out, "time", "Over time");
    pf_text_adds(out, "<div class=\"charts\">\n");
    add_rate_charts(out, page);
    pf_text_adds(&summary, "Connections over time, by state: busy, idle and dialling; ");
    pf_html_count(&summary, page->pool->peak_open);
    pf_text_adds(&summary, " at most, ");
    pf_html_count(&summary, page->pool->opened);
    pf_text_adds(&summary, " opened in all");
    add_chart(out, page, &connections_chart, MOMENTS_MAX, summary.data);
    pf_text_adds(out, "</div>\n");
    pf_html_end_section(out);
    pf_text_free(&summary);
}

/* --- the whole -------------------------------------------------------------------------------- */

void pf_page_add(struct pf_text *out, const struct pf_page *page)
{
    add_head(out, page);
    add_header(out, page);
    add_tiles(out, page);
    add_latency(out, page);
    add_over_time(out, page);
    pf_page_add_outcomes(out, page);
    pf_page_add_slowest(out, page);
    pf_page_add_pool(out, page);
    pf_text_adds(out, "</main>\n<footer>Made by pooled-fetch with ");
    pf_html_add(out, urlpool_version());
    pf_text_addf(out, "</footer>\n<script>%s</script>\n</body>\n</html>\n", pf_page_script);
}
