/* What charts are made of: an SVG for the values' axis and one for the area, side by side. The area
 * has no viewBox: places across are in percent and heights in px, so that it is as wide as the
 * window and its words keep their size. No style attributes: the page's policy forbids them.
 */

#include "chart.h"

#include <math.h>
#include <string.h>

#include "count_of.h"
#include "html.h"

enum {
    AXIS_WIDTH = 64,
    AXIS_GAP = 8,
    STEPS_MAX = 5,
    /* The least an area is wide, px, in a narrow window and in one where minor words are shown. */
    AREA_NARROW = 240,
    AREA_WIDE = 410,
    LETTER_WIDTH = 7,
    WORD_GAP = 6,
    EDGE_PERCENT = 4 /* so near to an end, words do not stand over it */
};

/* base_of is what the steps of a scale are multiples of: 1, or the size of a unit of bytes. */
static double base_of(double max, enum pf_unit unit)
{
    double base = 1;

    while (unit == PF_UNIT_BYTES && max / base >= 1024) {
        base *= 1024;
    }
    return base;
}

struct pf_scale pf_scale_for(double max, enum pf_unit unit)
{
    static const double nice[] = {1, 2, 2.5, 5, 10};
    double base = base_of(max, unit);
    double wanted = max / base / STEPS_MAX;
    double decade = wanted > 0 ? pow(10, floor(log10(wanted))) : 1;
    double step = decade * 10;

    if (!(max > 0)) {
        return (struct pf_scale){.top = 1, .step = 1, .unit = unit};
    }
    for (size_t i = COUNT_OF(nice); i-- > 0;) {
        if (nice[i] * decade >= wanted * (1 - 1e-9)) {
            step = nice[i] * decade;
        }
    }
    if (unit == PF_UNIT_COUNT && step < 1) {
        step = 1;
    } else if (unit == PF_UNIT_COUNT && step > 1 && step < 5) {
        step = ceil(step); /* no halves of what is counted */
    }
    step *= base;
    return (struct pf_scale){
        .top = ceil(max / step * (1 - 1e-9)) * step, .step = step, .unit = unit};
}

double pf_scale_y(const struct pf_scale *scale, double value)
{
    return PF_CHART_HEIGHT * (1 - value / scale->top);
}

void pf_value_add(struct pf_text *out, double value, enum pf_unit unit)
{
    if (unit == PF_UNIT_BYTES) {
        pf_html_bytes(out, value);
    } else {
        pf_html_number(out, value);
    }
}

/* add_tick_value is pf_value_add for the round numbers at an axis. */
static void add_tick_value(struct pf_text *out, double value, enum pf_unit unit)
{
    if (unit == PF_UNIT_BYTES && value > 0) {
        pf_html_round_bytes(out, value);
    } else {
        pf_html_number(out, value);
    }
}

void pf_chart_begin(struct pf_text *out, const struct pf_scale *scale, const char *summary,
                    int above)
{
    int height = above + PF_CHART_HEIGHT + PF_CHART_BOTTOM;
    int num_steps = (int)lround(scale->top / scale->step);

    pf_text_addf(out,
                 "<div class=\"plot\"><svg class=\"axis\" width=\"%d\" height=\"%d\""
                 " aria-hidden=\"true\">",
                 AXIS_WIDTH, height);
    for (int i = 0; i <= num_steps; i++) {
        pf_text_addf(out, "<text x=\"%d\" y=\"%.1f\">", AXIS_WIDTH - AXIS_GAP,
                     above + pf_scale_y(scale, i * scale->step) + 4);
        add_tick_value(out, i * scale->step, scale->unit);
        pf_text_adds(out, "</text>");
    }
    pf_text_addf(out, "</svg>\n<svg class=\"area\" height=\"%d\" role=\"img\" aria-label=\"%s\">",
                 height, summary);
    for (int i = 0; i <= num_steps; i++) {
        double y = above + pf_scale_y(scale, i * scale->step);
        pf_text_addf(out, "<line class=\"%s\" x1=\"0\" x2=\"100%%\" y1=\"%.1f\" y2=\"%.1f\"/>",
                     i > 0 ? "grid" : "base", y, y);
    }
    pf_text_adds(out, "\n");
}

void pf_chart_end(struct pf_text *out)
{
    pf_text_adds(out, "</svg></div>\n");
}

/* --- words below ------------------------------------------------------------------------------ */

/* struct extent is what a word covers of an area `width` px wide, in percent. */
struct extent {
    double from, to;
};

static const char *anchor_at(double percent)
{
    if (percent < EDGE_PERCENT) {
        return "start";
    }
    return percent > 100 - EDGE_PERCENT ? "end" : "middle";
}

static struct extent extent_of(double percent, size_t len, int width)
{
    double wide = 100.0 * (double)(len * LETTER_WIDTH + WORD_GAP) / width;

    if (percent < EDGE_PERCENT) {
        return (struct extent){percent, percent + wide};
    }
    if (percent > 100 - EDGE_PERCENT) {
        return (struct extent){percent - wide, percent};
    }
    return (struct extent){percent - wide / 2, percent + wide / 2};
}

/* has_room says whether a word lies on none of those shown in an area `width` px wide. */
static bool has_room(const struct pf_ticks *ticks, double percent, size_t len, int width)
{
    struct extent own = extent_of(percent, len, width);

    for (size_t i = 0; i < ticks->count; i++) {
        struct extent other = extent_of(ticks->placed[i].percent, ticks->placed[i].len, width);

        if (width == AREA_NARROW && ticks->placed[i].is_minor) {
            continue;
        }
        if (own.from < other.to && other.from < own.to) {
            return false;
        }
    }
    return true;
}

void pf_chart_tick(struct pf_text *out, struct pf_ticks *ticks, double percent, const char *word)
{
    size_t len = strlen(word);
    bool is_minor = !has_room(ticks, percent, len, AREA_NARROW);

    if (ticks->count == COUNT_OF(ticks->placed) || !has_room(ticks, percent, len, AREA_WIDE)) {
        return;
    }
    ticks->placed[ticks->count].percent = percent;
    ticks->placed[ticks->count].len = len;
    ticks->placed[ticks->count].is_minor = is_minor;
    ticks->count++;
    pf_text_addf(out, "<text class=\"tick%s\" x=\"%.2f%%\" y=\"%d\" text-anchor=\"%s\">%s</text>\n",
                 is_minor ? " minor" : "", percent,
                 ticks->above + PF_CHART_HEIGHT + PF_CHART_BOTTOM - 6, anchor_at(percent), word);
}
