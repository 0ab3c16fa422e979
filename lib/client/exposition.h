#ifndef URLP_CLIENT_EXPOSITION_H
#define URLP_CLIENT_EXPOSITION_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/span.h"

/* How families of metrics are spelled: Prometheus' text format 0.0.4 or OpenMetrics 1.0. */

enum urlp_family_type {
    URLP_FAMILY_GAUGE,
    URLP_FAMILY_COUNTER,
    URLP_FAMILY_HISTOGRAM
};

/* struct urlp_family is what a family says of itself. `name` ends in the unit if there is one, and
 * never in what the format appends ("_total"). */
struct urlp_family {
    const char *name;
    enum urlp_family_type type;
    const char *unit; /* NULL: none */
    const char *help; /* no backslash, quotation mark or line end */
};

/* struct urlp_label has a value that may hold anything. */
struct urlp_label {
    const char *name;
    struct urlp_span value;
};

#define URLP_LABELS_MAX 5

/* struct urlp_labels are the labels of one sample. */
struct urlp_labels {
    struct urlp_label of[URLP_LABELS_MAX];
    size_t num;
};

/* struct urlp_exposition is a page being written. Whatever fails first stays in `code`, and nothing
 * more is written. */
struct urlp_exposition {
    struct urlp_buf *out;
    bool is_openmetrics;
    const struct urlp_family *family; /* that is being written */
    enum urlpool_code code;
};

/* struct urlp_distribution is a histogram of durations to be shown. */
struct urlp_distribution {
    const uint64_t *buckets; /* num_bounds + 1, each without those before it */
    const int64_t *bounds_ns;
    size_t num_bounds;
    uint64_t sum_ns;
};

/* urlp_exposition_family begins a family. All its samples follow before the next one. `family`
 * stays until then. */
void urlp_exposition_family(struct urlp_exposition *page, const struct urlp_family *family);

/* urlp_exposition_number writes the sample of a gauge or a counter. */
void urlp_exposition_number(struct urlp_exposition *page, const struct urlp_labels *labels,
                            uint64_t value);

/* urlp_exposition_duration is the same in seconds. */
void urlp_exposition_duration(struct urlp_exposition *page, const struct urlp_labels *labels,
                              uint64_t value_ns);

/* urlp_exposition_histogram writes the samples of one histogram. */
void urlp_exposition_histogram(struct urlp_exposition *page, const struct urlp_labels *labels,
                               const struct urlp_distribution *value);

/* urlp_exposition_created writes since when a counter or a histogram counts, in formats that say
 * so; 0: unknown. Behind the value. */
void urlp_exposition_created(struct urlp_exposition *page, const struct urlp_labels *labels,
                             int64_t wall_s);

/* urlp_exposition_end ends the page. */
void urlp_exposition_end(struct urlp_exposition *page);

#endif /* URLP_CLIENT_EXPOSITION_H */
