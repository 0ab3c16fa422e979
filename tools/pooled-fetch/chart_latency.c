/* The histogram of durations. They spread over decades, so the axis is logarithmic: its bars end at
 * preferred numbers (10^(i/k): 1, 1.25, 1.6, 2 ...), with as many to a decade as make them few
 * enough to be seen, and are all of one width. */

#include <inttypes.h>
#include <math.h>

#include "chart.h"
#include "count_of.h"
#include "html.h"

enum {
    BARS_MAX = 48,
    BARS_MIN = 16,
    MARK_HEIGHT = 15 /* of a line of words above the area */
};

static const struct mark {
    double percent;
    const char *name;
} marks[] = {
    {50, "p50"},
    {90, "p90"},
    {99, "p99"},
};

/* struct bars is where they lie: bar i goes from 10^((first + i) / per_decade) ns. */
struct bars {
    int per_decade, first, count;
};

static double end_of(const struct bars *bars, int index)
{
    return pow(10, (double)(bars->first + index) / bars->per_decade);
}

static double log_of(int64_t ns)
{
    return log10(ns > 1 ? (double)ns : 1);
}

static struct bars choose_bars(const struct pf_histogram *latency)
{
    static const int steps[] = {1, 2, 5, 10, 20, 40, 80};
    struct bars bars = {0};

    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        struct bars finer = {.per_decade = steps[i]};

        finer.first = (int)floor(log_of(latency->min_ns) * steps[i]);
        finer.count = (int)floor(log_of(latency->max_ns) * steps[i]) - finer.first + 1;
        if (finer.count > BARS_MAX) {
            break;
        }
        bars = finer;
    }
    if (bars.count < BARS_MIN) { /* a few in the middle, rather than as wide as a house */
        bars.first -= (BARS_MIN - bars.count) / 2;
        bars.count = BARS_MIN;
    }
    return bars;
}

static uint64_t count_in(const struct pf_histogram *latency, const struct bars *bars, int index)
{
    int64_t from = index > 0 ? (int64_t)end_of(bars, index) : -1;
    int64_t to = index + 1 < bars->count ? (int64_t)end_of(bars, index + 1) : INT64_MAX;

    return pf_histogram_between(latency, from, to);
}

static double place_of(const struct bars *bars, double ns)
{
    double place = 100 * (log10(ns > 1 ? ns : 1) * bars->per_decade - bars->first) / bars->count;

    return place < 0 ? 0 : place > 100 ? 100 : place;
}

static void add_range(struct pf_text *out, const struct bars *bars, int index)
{
    pf_html_ns(out, (int64_t)end_of(bars, index));
    pf_text_adds(out, " – ");
    pf_html_ns(out, (int64_t)end_of(bars, index + 1));
}

static void add_bars(struct pf_text *out, const struct pf_histogram *latency,
                     const struct bars *bars, const struct pf_scale *scale, int above)
{
    double width = 100.0 / bars->count;

    for (int i = 0; i < bars->count; i++) {
        uint64_t count = count_in(latency, bars, i);
        double height = PF_CHART_HEIGHT - pf_scale_y(scale, (double)count);

        if (count == 0) {
            continue;
        }
        height = height < 2 ? 2 : height; /* one among thousands is to be seen */
        pf_text_addf(out,
                     "<rect class=\"bar\" x=\"%.2f%%\" width=\"%.2f%%\" y=\"%.1f\""
                     " height=\"%.1f\"><title>",
                     i * width + width * 0.05, width * 0.9, above + PF_CHART_HEIGHT - height,
                     height);
        add_range(out, bars, i);
        pf_text_adds(out, ": ");
        pf_html_count(out, count);
        pf_text_adds(out, "</title></rect>\n");
    }
}

/* add_marks shows percentiles as lines, each named on a line of its own. */
static void add_marks(struct pf_text *out, const struct pf_histogram *latency,
                      const struct bars *bars, int above)
{
    for (size_t i = 0; i < COUNT_OF(marks); i++) {
        int64_t ns = pf_histogram_at(latency, marks[i].percent);
        double place = place_of(bars, (double)ns);
        int y = (int)(i + 1) * MARK_HEIGHT - 4;

        pf_text_addf(out,
                     "<line class=\"mark\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\"/>"
                     "<text class=\"mark\" x=\"%.2f%%\" dx=\"%d\" y=\"%d\" text-anchor=\"%s\">%s ",
                     place, place, y - 8, above + PF_CHART_HEIGHT, place, place > 70 ? -5 : 5, y,
                     place > 70 ? "end" : "start", marks[i].name);
        pf_html_ns(out, ns);
        pf_text_adds(out, "</text>\n");
    }
}

/* add_words writes round times below the area, those of whole decades first, as many as find room.
 */
static void add_words(struct pf_text *out, const struct bars *bars, int above)
{
    static const double nice[] = {1, 5, 2, 3, 7, 1.5, 4, 6, 8, 2.5};
    struct pf_ticks ticks = {.above = above};
    int first = (int)floor((double)bars->first / bars->per_decade);
    int last = (int)floor((double)(bars->first + bars->count) / bars->per_decade);

    for (size_t i = 0; i < COUNT_OF(nice); i++) {
        for (int decade = first; decade <= last; decade++) {
            double ns = nice[i] * pow(10, decade);
            double place = 100 * (log10(ns) * bars->per_decade - bars->first) / bars->count;
            struct pf_text word = {0};

            if (place < 0 || place > 100) {
                continue;
            }
            pf_html_round_ns(&word, ns);
            pf_chart_tick(out, &ticks, place, word.data);
            pf_text_free(&word);
        }
    }
}

static void add_table(struct pf_text *out, const struct pf_histogram *latency,
                      const struct bars *bars)
{
    pf_text_adds(out, "<details><summary>Latency as a table</summary>\n"
                      "<div class=\"scroll\" tabindex=\"0\" role=\"region\""
                      " aria-label=\"Latency, table\"><table><thead><tr>"
                      "<th scope=\"col\">Took</th><th scope=\"col\" class=\"number\">Transfers</th>"
                      "<th scope=\"col\" class=\"number\">Share</th></tr></thead>\n<tbody>\n");
    for (int i = 0; i < bars->count; i++) {
        uint64_t count = count_in(latency, bars, i);

        if (count == 0) {
            continue;
        }
        pf_text_adds(out, "<tr><th scope=\"row\">");
        add_range(out, bars, i);
        pf_text_adds(out, "</th><td>");
        pf_html_count(out, count);
        pf_text_adds(out, "</td><td>");
        pf_html_share(out, count, latency->count);
        pf_text_adds(out, "</td></tr>\n");
    }
    pf_text_adds(out, "</tbody></table></div></details>\n");
}

void pf_chart_latency(struct pf_text *out, const struct pf_histogram *latency, const char *summary)
{
    struct bars bars = choose_bars(latency);
    int above = PF_CHART_TOP + (int)COUNT_OF(marks) * MARK_HEIGHT;
    uint64_t most = 0;
    struct pf_scale scale;

    for (int i = 0; i < bars.count; i++) {
        uint64_t count = count_in(latency, &bars, i);
        most = count > most ? count : most;
    }
    scale = pf_scale_for((double)most, PF_UNIT_COUNT);
    pf_text_adds(out,
                 "<figure id=\"latency\"><figcaption><h3>Latency</h3>"
                 "<p>Successful transfers by how long they took, from the start to the last byte;"
                 " time on a logarithmic scale</p></figcaption>\n");
    pf_chart_begin(out, &scale, summary, above);
    add_bars(out, latency, &bars, &scale, above);
    add_marks(out, latency, &bars, above);
    add_words(out, &bars, above);
    pf_chart_end(out);
    add_table(out, latency, &bars);
    pf_text_adds(out, "</figure>\n");
}
