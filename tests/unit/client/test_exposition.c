/* How metrics are spelled, in both formats. */

#include "client/exposition.h"
#include "support/run_tests.h"

static const struct urlp_family hits = {"a_hits", URLP_FAMILY_COUNTER, NULL, "Hits"};
static const struct urlp_family size = {"a_size_bytes", URLP_FAMILY_GAUGE, "bytes", "Size"};
static const struct urlp_family delay = {"a_delay_seconds", URLP_FAMILY_HISTOGRAM, "seconds",
                                         "Delay"};
static const struct urlp_labels none;

/* What is written, in both formats. */
struct pages {
    struct urlp_buf text[2];
    struct urlp_exposition of[2]; /* Prometheus, OpenMetrics */
};

static void begin(struct pages *pages)
{
    *pages = (struct pages){0};
    for (int i = 0; i < 2; i++) {
        pages->of[i] = (struct urlp_exposition){.out = &pages->text[i], .is_openmetrics = i == 1};
    }
}

static void assert_pages(struct pages *pages, const char *prometheus, const char *openmetrics)
{
    const char *const expected[] = {prometheus, openmetrics};

    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(pages->of[i].code, URLPOOL_OK);
        ck_assert_int_eq(urlp_buf_append(&pages->text[i], "", 1), URLPOOL_OK);
        ck_assert_str_eq((const char *)pages->text[i].data, expected[i]);
        urlp_buf_deinit(&pages->text[i]);
    }
}

START_TEST(counter__has_its_suffix_where_the_format_has_it)
{
    struct pages pages;

    begin(&pages);
    for (int i = 0; i < 2; i++) {
        urlp_exposition_family(&pages.of[i], &hits);
        urlp_exposition_number(&pages.of[i], &none, UINT64_MAX);
        urlp_exposition_created(&pages.of[i], &none, 1700000000);
        urlp_exposition_end(&pages.of[i]);
    }
    assert_pages(&pages,
                 "# HELP a_hits_total Hits\n# TYPE a_hits_total counter\n"
                 "a_hits_total 18446744073709551615\n",
                 "# HELP a_hits Hits\n# TYPE a_hits counter\n"
                 "a_hits_total 18446744073709551615\na_hits_created 1700000000\n# EOF\n");
}
END_TEST

START_TEST(gauge__tells_its_unit_to_openmetrics)
{
    struct pages pages;

    begin(&pages);
    for (int i = 0; i < 2; i++) {
        urlp_exposition_family(&pages.of[i], &size);
        urlp_exposition_number(&pages.of[i], &none, 0);
    }
    assert_pages(&pages, "# HELP a_size_bytes Size\n# TYPE a_size_bytes gauge\na_size_bytes 0\n",
                 "# HELP a_size_bytes Size\n# TYPE a_size_bytes gauge\n# UNIT a_size_bytes bytes\n"
                 "a_size_bytes 0\n");
}
END_TEST

START_TEST(labels__are_escaped)
{
    const struct urlp_labels labels = {
        {{"first", {"a\\b\"c\nd", 7}}, {"second", {"", 0}}},
        2
    };
    struct pages pages;

    begin(&pages);
    for (int i = 0; i < 2; i++) {
        pages.of[i].family = &size;
        urlp_exposition_number(&pages.of[i], &labels, 1);
    }
    assert_pages(&pages, "a_size_bytes{first=\"a\\\\b\\\"c\\nd\",second=\"\"} 1\n",
                 "a_size_bytes{first=\"a\\\\b\\\"c\\nd\",second=\"\"} 1\n");
}
END_TEST

START_TEST(durations__have_the_decimals_they_need)
{
    static const struct {
        uint64_t ns;
        const char *expected;
    } rows[] = {
        {0,                     "a_size_bytes 0.0\n"                  },
        {1,                     "a_size_bytes 0.000000001\n"          },
        {2500000000,            "a_size_bytes 2.5\n"                  },
        {UINT64_C(60000000000), "a_size_bytes 60.0\n"                 },
        {UINT64_MAX,            "a_size_bytes 18446744073.709551615\n"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pages pages;

        begin(&pages);
        pages.of[0].family = pages.of[1].family = &size;
        urlp_exposition_duration(&pages.of[0], &none, rows[i].ns);
        urlp_exposition_duration(&pages.of[1], &none, rows[i].ns);
        assert_pages(&pages, rows[i].expected, rows[i].expected);
    }
}
END_TEST

START_TEST(histogram__has_buckets_that_contain_those_before)
{
    const uint64_t buckets[] = {2, 0, 5};
    const int64_t bounds[] = {5000000, 1000000000};
    const struct urlp_distribution value = {buckets, bounds, 2, 7250000000};
    const struct urlp_labels labels = {{{"x", {"y", 1}}}, 1};
    struct pages pages;

    begin(&pages);
    for (int i = 0; i < 2; i++) {
        pages.of[i].family = &delay;
        urlp_exposition_histogram(&pages.of[i], &labels, &value);
        urlp_exposition_histogram(&pages.of[i], &none, &value);
        urlp_exposition_created(&pages.of[i], &none, 0); /* unknown: not told */
    }
    assert_pages(&pages,
                 "a_delay_seconds_bucket{x=\"y\",le=\"0.005\"} 2\n"
                 "a_delay_seconds_bucket{x=\"y\",le=\"1.0\"} 2\n"
                 "a_delay_seconds_bucket{x=\"y\",le=\"+Inf\"} 7\n"
                 "a_delay_seconds_sum{x=\"y\"} 7.25\na_delay_seconds_count{x=\"y\"} 7\n"
                 "a_delay_seconds_bucket{le=\"0.005\"} 2\na_delay_seconds_bucket{le=\"1.0\"} 2\n"
                 "a_delay_seconds_bucket{le=\"+Inf\"} 7\n"
                 "a_delay_seconds_sum 7.25\na_delay_seconds_count 7\n",
                 "a_delay_seconds_bucket{x=\"y\",le=\"0.005\"} 2\n"
                 "a_delay_seconds_bucket{x=\"y\",le=\"1.0\"} 2\n"
                 "a_delay_seconds_bucket{x=\"y\",le=\"+Inf\"} 7\n"
                 "a_delay_seconds_sum{x=\"y\"} 7.25\na_delay_seconds_count{x=\"y\"} 7\n"
                 "a_delay_seconds_bucket{le=\"0.005\"} 2\na_delay_seconds_bucket{le=\"1.0\"} 2\n"
                 "a_delay_seconds_bucket{le=\"+Inf\"} 7\n"
                 "a_delay_seconds_sum 7.25\na_delay_seconds_count 7\n");
}
END_TEST

START_TEST(page__that_cannot_be_written_stays_failed)
{
    struct urlp_buf text;
    struct urlp_exposition page = {.out = &text};

    urlp_buf_init(&text, 16);
    urlp_exposition_family(&page, &hits);
    urlp_exposition_number(&page, &none, 1);
    urlp_exposition_end(&page);
    ck_assert_int_eq(page.code, URLPOOL_E_DATA_TOO_LARGE);
    urlp_buf_deinit(&text);
}
END_TEST

RUN_TESTS("exposition", counter__has_its_suffix_where_the_format_has_it,
          gauge__tells_its_unit_to_openmetrics, labels__are_escaped,
          durations__have_the_decimals_they_need, histogram__has_buckets_that_contain_those_before,
          page__that_cannot_be_written_stays_failed)
