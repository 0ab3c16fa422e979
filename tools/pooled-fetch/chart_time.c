/* Charts over time: areas in steps, one on the other, as the run was counted: what is level was one
 * stretch of time. Each stretch says its figures to who points at it; the table has them all.
 */

#include <inttypes.h>

#include "chart.h"
#include "count_of.h"
#include "html.h"

enum {
    UNITS_WIDE = 1000, /* how wide the area is to its shapes */
    TICKS_MAX = 7
};

static int64_t moment_ns(const struct pf_view *view, size_t index)
{
    return index + 1 < view->count ? view->width_ns : view->last_ns;
}

static int64_t whole_ns(const struct pf_view *view)
{
    return (int64_t)(view->count - 1) * view->width_ns + view->last_ns;
}

static double place_of(const struct pf_view *view, size_t index)
{
    int64_t at_ns = index < view->count ? (int64_t)index * view->width_ns : whole_ns(view);

    return UNITS_WIDE * (double)at_ns / (double)whole_ns(view);
}

/* height_of is the sum of the first `num` series. */
static double height_of(const struct pf_time_chart *chart, const struct pf_view *view, size_t index,
                        size_t num)
{
    double sum = 0;

    for (size_t i = 0; i < num; i++) {
        sum += chart->series[i].value(&view->moments[index], moment_ns(view, index));
    }
    return sum;
}

static double highest_of(const struct pf_time_chart *chart, const struct pf_view *view)
{
    double highest = 0;

    for (size_t i = 0; i < view->count; i++) {
        double height = height_of(chart, view, i, chart->num_drawn);
        highest = height > highest ? height : highest;
    }
    return highest;
}

/* add_area draws series `at` on those before it: along its upper edge and back along its lower. */
static void add_area(struct pf_text *out, const struct pf_time_chart *chart,
                     const struct pf_view *view, const struct pf_scale *scale, size_t at)
{
    pf_text_addf(out, "<path class=\"%s\" d=\"M0,%.1f", chart->series[at].css,
                 pf_scale_y(scale, height_of(chart, view, 0, at)));
    for (size_t i = 0; i < view->count; i++) {
        pf_text_addf(out, "V%.1fH%.1f", pf_scale_y(scale, height_of(chart, view, i, at + 1)),
                     place_of(view, i + 1));
    }
    for (size_t i = view->count; i-- > 0;) {
        pf_text_addf(out, "V%.1fH%.1f", pf_scale_y(scale, height_of(chart, view, i, at)),
                     place_of(view, i));
    }
    pf_text_adds(out, "Z\"/>\n");
}

static void add_stretch(struct pf_text *out, const struct pf_view *view, size_t index)
{
    int64_t from_ns = (int64_t)index * view->width_ns;

    pf_html_ns(out, from_ns);
    pf_text_adds(out, " – ");
    pf_html_ns(out, from_ns + moment_ns(view, index));
}

/* add_hints lays over each moment what it says when it is pointed at. */
static void add_hints(struct pf_text *out, const struct pf_time_chart *chart,
                      const struct pf_view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        pf_text_addf(out, "<rect class=\"hint\" x=\"%.1f\" width=\"%.1f\" height=\"%d\"><title>",
                     place_of(view, i), place_of(view, i + 1) - place_of(view, i), PF_CHART_HEIGHT);
        add_stretch(out, view, i);
        for (size_t k = 0; k < chart->num_series; k++) {
            const struct pf_series *series = &chart->series[k];
            pf_text_addf(out, "%s %s ", k > 0 ? "," : ":", series->name);
            pf_value_add(out, series->value(&view->moments[i], moment_ns(view, i)), chart->unit);
        }
        pf_text_adds(out, "</title></rect>\n");
    }
}

/* tick_step is the time between two words of the axis: at most eight find room. */
static int64_t tick_step(int64_t whole)
{
    static const int64_t rounds[] = {2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600};
    const int64_t second = 1000000000;
    int64_t step = 1000;

    for (int i = 0; step < second && whole / step > TICKS_MAX; i++) {
        step = step / (i % 3 == 1 ? 2 : 1) * (i % 3 == 1 ? 5 : 2); /* 1, 2, 5, 10 */
    }
    for (size_t i = 0; i < COUNT_OF(rounds) && whole / step > TICKS_MAX; i++) {
        step = rounds[i] * second;
    }
    while (whole / step > TICKS_MAX) {
        step *= 2;
    }
    return step;
}

/* add_instant writes a round time; all of an axis have one unit. */
static void add_instant(struct pf_text *out, int64_t ns, int64_t whole)
{
    static const struct {
        double ns;
        const char *name;
    } units[] = {
        {1e3,    "µs"},
        {1e6,    "ms" },
        {1e9,    "s"  },
        {60e9,   "min"},
        {3600e9, "h"  },
    };
    size_t unit = 0;

    while (unit + 1 < COUNT_OF(units) && (double)whole >= 2 * units[unit + 1].ns) {
        unit++;
    }
    pf_text_addf(out, "%g %s", (double)ns / units[unit].ns, units[unit].name);
}

static void add_ticks(struct pf_text *out, const struct pf_view *view)
{
    struct pf_ticks ticks = {.above = PF_CHART_TOP};
    int64_t whole = whole_ns(view);
    int64_t step = tick_step(whole);

    for (int64_t first = 0; first < 2; first++) { /* every other one is for narrow windows too */
        for (int64_t i = first; i * step <= whole; i += 2) {
            struct pf_text word = {0};

            add_instant(&word, i * step, whole);
            pf_chart_tick(out, &ticks, 100.0 * (double)(i * step) / (double)whole, word.data);
            pf_text_free(&word);
        }
    }
}

static void add_legend(struct pf_text *out, const struct pf_time_chart *chart)
{
    pf_text_adds(out, "<ul class=\"legend\">");
    for (size_t i = chart->num_drawn; i-- > 0;) { /* as they lie on each other */
        pf_text_addf(out,
                     "<li><svg class=\"key\" width=\"12\" height=\"12\" aria-hidden=\"true\">"
                     "<rect class=\"%s\" width=\"12\" height=\"12\"/></svg>%s</li>",
                     chart->series[i].css, chart->series[i].name);
    }
    pf_text_adds(out, "</ul>\n");
}

static void add_table(struct pf_text *out, const struct pf_time_chart *chart,
                      const struct pf_view *view)
{
    pf_text_addf(out,
                 "<details><summary>%s as a table</summary>\n"
                 "<div class=\"scroll\" tabindex=\"0\" role=\"region\""
                 " aria-label=\"%s, table\"><table><thead><tr><th scope=\"col\">Time</th>",
                 chart->title, chart->title);
    for (size_t i = 0; i < chart->num_series; i++) {
        pf_text_addf(out, "<th scope=\"col\" class=\"number\">%s</th>", chart->series[i].name);
    }
    pf_text_adds(out, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < view->count; i++) {
        pf_text_adds(out, "<tr><th scope=\"row\">");
        add_stretch(out, view, i);
        pf_text_adds(out, "</th>");
        for (size_t k = 0; k < chart->num_series; k++) {
            pf_text_adds(out, "<td>");
            pf_value_add(out, chart->series[k].value(&view->moments[i], moment_ns(view, i)),
                         chart->unit);
            pf_text_adds(out, "</td>");
        }
        pf_text_adds(out, "</tr>\n");
    }
    pf_text_adds(out, "</tbody></table></div></details>\n");
}

void pf_chart_over_time(struct pf_text *out, const struct pf_time_chart *chart,
                        const struct pf_view *view, const char *summary)
{
    double highest = highest_of(chart, view);
    struct pf_scale scale = pf_scale_for(highest, chart->unit);

    pf_text_addf(out, "<figure id=\"%s\"><figcaption><h3>%s</h3><p>%s</p></figcaption>\n",
                 chart->id, chart->title, chart->what);
    if (!(highest > 0)) {
        pf_text_adds(out, "<p class=\"nothing\">None at any time.</p></figure>\n");
        return;
    }
    add_legend(out, chart);
    pf_chart_begin(out, &scale, summary, PF_CHART_TOP);
    pf_text_addf(out,
                 "<svg y=\"%d\" width=\"100%%\" height=\"%d\" viewBox=\"0 0 %d %d\""
                 " preserveAspectRatio=\"none\">\n",
                 PF_CHART_TOP, PF_CHART_HEIGHT, UNITS_WIDE, PF_CHART_HEIGHT);
    for (size_t i = 0; i < chart->num_drawn; i++) {
        add_area(out, chart, view, &scale, i);
    }
    add_hints(out, chart, view);
    pf_text_adds(out, "</svg>\n");
    add_ticks(out, view);
    pf_chart_end(out);
    add_table(out, chart, view);
    pf_text_adds(out, "</figure>\n");
}
