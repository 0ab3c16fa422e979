/* Prometheus' text format and OpenMetrics', which differ in few places: where a counter's "_total"
 * belongs, whether a family tells its unit and since when it counts, and how the page ends. What
 * both allow is written the same way in both: numbers without exponent, bounds of buckets with a
 * decimal point.
 *
 * It knows nothing of what the figures mean. */

#include "client/exposition.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

/* "18446744073.709551615" */
#define SECONDS_MAX 32

static void put(struct urlp_exposition *page, const char *text)
{
    if (page->code == URLPOOL_OK) {
        page->code = urlp_buf_append_text(page->out, text);
    }
}

static void put_number(struct urlp_exposition *page, uint64_t number)
{
    if (page->code == URLPOOL_OK) {
        page->code = urlp_buf_append_number(page->out, number);
    }
}

/* struct seconds is a duration as text, with as many decimals as it needs, and one at least. */
struct seconds {
    char text[SECONDS_MAX];
};

static struct seconds seconds_of(uint64_t ns)
{
    struct seconds out;
    int len = snprintf(out.text, sizeof(out.text), "%" PRIu64 ".%09" PRIu64, ns / URLP_NS_PER_S,
                       ns % URLP_NS_PER_S);

    while (len > 2 && out.text[len - 1] == '0' && out.text[len - 2] != '.') {
        out.text[--len] = '\0';
    }
    return out;
}

static void describe(struct urlp_exposition *page, const char *keyword, const char *text)
{
    bool has_suffix = page->family->type == URLP_FAMILY_COUNTER && !page->is_openmetrics;

    put(page, "# ");
    put(page, keyword);
    put(page, " ");
    put(page, page->family->name);
    put(page, has_suffix ? "_total " : " ");
    put(page, text);
    put(page, "\n");
}

void urlp_exposition_family(struct urlp_exposition *page, const struct urlp_family *family)
{
    static const char *const types[] = {
        [URLP_FAMILY_GAUGE] = "gauge",
        [URLP_FAMILY_COUNTER] = "counter",
        [URLP_FAMILY_HISTOGRAM] = "histogram",
    };

    page->family = family;
    describe(page, "HELP", family->help);
    describe(page, "TYPE", types[family->type]);
    if (page->is_openmetrics && family->unit != NULL) {
        describe(page, "UNIT", family->unit);
    }
}

/* put_value_of_label writes a value between quotation marks. "Label values MUST be escaped": the
 * backslash, the quotation mark and the line feed. */
static void put_value_of_label(struct urlp_exposition *page, struct urlp_span value)
{
    for (size_t i = 0; i < value.len && page->code == URLPOOL_OK; i++) {
        char c = value.data[i];

        if (c == '\n') {
            put(page, "\\n");
            continue;
        }
        if (c == '\\' || c == '"') {
            put(page, "\\");
        }
        if (page->code == URLPOOL_OK) {
            page->code = urlp_buf_append(page->out, &c, 1);
        }
    }
}

static void put_label(struct urlp_exposition *page, bool is_first, const char *name,
                      struct urlp_span value)
{
    put(page, is_first ? "{" : ",");
    put(page, name);
    put(page, "=\"");
    put_value_of_label(page, value);
    put(page, "\"");
}

/* begin_sample writes all but the value. `bound` NULL: it has no such label. */
static void begin_sample(struct urlp_exposition *page, const char *suffix,
                         const struct urlp_labels *labels, const char *bound)
{
    put(page, page->family->name);
    put(page, suffix);
    for (size_t i = 0; i < labels->num; i++) {
        put_label(page, i == 0, labels->of[i].name, labels->of[i].value);
    }
    if (bound != NULL) {
        put_label(page, labels->num == 0, "le", urlp_span_of(bound));
    }
    put(page, labels->num > 0 || bound != NULL ? "} " : " ");
}

static const char *suffix_of(const struct urlp_family *family)
{
    return family->type == URLP_FAMILY_COUNTER ? "_total" : "";
}

void urlp_exposition_number(struct urlp_exposition *page, const struct urlp_labels *labels,
                            uint64_t value)
{
    begin_sample(page, suffix_of(page->family), labels, NULL);
    put_number(page, value);
    put(page, "\n");
}

void urlp_exposition_duration(struct urlp_exposition *page, const struct urlp_labels *labels,
                              uint64_t value_ns)
{
    begin_sample(page, suffix_of(page->family), labels, NULL);
    put(page, seconds_of(value_ns).text);
    put(page, "\n");
}

/* put_bucket writes how many were at most as long as `bound`. */
static void put_bucket(struct urlp_exposition *page, const struct urlp_labels *labels,
                       const char *bound, uint64_t num)
{
    begin_sample(page, "_bucket", labels, bound);
    put_number(page, num);
    put(page, "\n");
}

void urlp_exposition_histogram(struct urlp_exposition *page, const struct urlp_labels *labels,
                               const struct urlp_distribution *value)
{
    uint64_t num = 0;

    for (size_t i = 0; i <= value->num_bounds; i++) {
        bool is_last = i == value->num_bounds;

        num += value->buckets[i];
        put_bucket(page, labels, is_last ? "+Inf" : seconds_of((uint64_t)value->bounds_ns[i]).text,
                   num);
    }
    begin_sample(page, "_sum", labels, NULL);
    put(page, seconds_of(value->sum_ns).text);
    put(page, "\n");
    begin_sample(page, "_count", labels, NULL);
    put_number(page, num);
    put(page, "\n");
}

void urlp_exposition_created(struct urlp_exposition *page, const struct urlp_labels *labels,
                             int64_t wall_s)
{
    if (!page->is_openmetrics || wall_s <= 0) {
        return;
    }
    begin_sample(page, "_created", labels, NULL);
    put_number(page, (uint64_t)wall_s);
    put(page, "\n");
}

void urlp_exposition_end(struct urlp_exposition *page)
{
    if (page->is_openmetrics) {
        put(page, "# EOF\n");
    }
}
