#ifndef POOLED_FETCH_CHART_H
#define POOLED_FETCH_CHART_H

#include <stdbool.h>

#include "histogram.h"
#include "text.h"
#include "timeline.h"

/* The page's charts: figures of static SVG, as wide as the window, each with what it shows in a
 * sentence and as a table. What is passed as text is markup of the program's own. */

enum pf_unit {
    PF_UNIT_COUNT,
    PF_UNIT_NUMBER,
    PF_UNIT_BYTES
};

/* struct pf_series is one area of a chart over time. */
struct pf_series {
    const char *name;
    const char *css; /* its class */
    /* its value in a moment that took `ns` */
    double (*value)(const struct pf_moment *moment, int64_t ns);
};

/* struct pf_time_chart is a chart over time, its series one on the other. */
struct pf_time_chart {
    const char *id, *title, *what; /* `what`: the unit in words, "transfers a second" */
    enum pf_unit unit;
    const struct pf_series *series;
    size_t num_series, num_drawn; /* those behind the drawn ones are in the table alone */
};

/* pf_chart_over_time appends the figure; `summary` is its sentence. */
void pf_chart_over_time(struct pf_text *out, const struct pf_time_chart *chart,
                        const struct pf_view *view, const char *summary);
/* pf_chart_latency appends the histogram of durations, of which there is at least one. */
void pf_chart_latency(struct pf_text *out, const struct pf_histogram *latency, const char *summary);

/* --- what both are made of; chart.c ----------------------------------------------------------- */

enum {
    PF_CHART_HEIGHT = 180, /* of the area, px */
    PF_CHART_TOP = 10,     /* above it */
    PF_CHART_BOTTOM = 24   /* below it, for the times */
};

/* struct pf_scale is an axis of values, from 0 to its top. */
struct pf_scale {
    double top, step;
    enum pf_unit unit;
};

/* pf_scale_for gives one that `max` fits on, with three to six steps. */
struct pf_scale pf_scale_for(double max, enum pf_unit unit);
/* pf_scale_y is how far below the top of the area a value is, in px. */
double pf_scale_y(const struct pf_scale *scale, double value);
/* pf_value_add appends a value as people read it. */
void pf_value_add(struct pf_text *out, double value, enum pf_unit unit);

/* pf_chart_begin appends all in front of the area's shapes, whose coordinates begin `above` px
 * below the top; pf_chart_end all behind them. */
void pf_chart_begin(struct pf_text *out, const struct pf_scale *scale, const char *summary,
                    int above);
void pf_chart_end(struct pf_text *out);
/* struct pf_ticks is where words stand below the area; zero bytes are none. */
struct pf_ticks {
    int above; /* as in pf_chart_begin */
    size_t count;
    struct {
        double percent;
        size_t len;
        bool is_minor;
    } placed[16];
};

/* pf_chart_tick appends a word below the area at `percent` of its width, unless it would lie on one
 * that is there; where there is room for it in wide windows alone, narrow ones do not show it. */
void pf_chart_tick(struct pf_text *out, struct pf_ticks *ticks, double percent, const char *word);

#endif /* POOLED_FETCH_CHART_H */
