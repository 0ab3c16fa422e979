/* The page: hostile text, runs with nothing in them, and figures at their ends. */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chart.h"
#include "report_html.h"
#include "support/run_tests.h"

static struct pf_settings settings;
static struct pf_sums sums;
static struct urlpool_stats pool;
static struct pf_findings findings;
static struct pf_entry entry;
static struct pf_text out;

static void setup(char *shown)
{
    entry = (struct pf_entry){.url = shown, .shown = shown};
    settings = (struct pf_settings){.entries = &entry, .num_entries = 1, .concurrency = 8};
    memset(&sums, 0, sizeof(sums));
    memset(&pool, 0, sizeof(pool));
    memset(&findings, 0, sizeof(findings));
    sums.started_ns = 1000;
    sums.ended_ns = 1001;
    pf_timeline_init(&findings.timeline, 1000);
}

static void write_page(void)
{
    pf_text_cut(&out, 0);
    pf_page_add(&out, &(struct pf_page){.settings = &settings,
                                        .sums = &sums,
                                        .pool = &pool,
                                        .findings = &findings,
                                        .ended_at = 1795356000});
}

static void add_transfer(const char *message, enum pf_exit code, int64_t ns)
{
    struct pf_transfer transfer = {
        .entry = &entry, .started_ns = 1000, .ended_ns = 1000 + ns, .exit_code = code};

    (void)snprintf(transfer.message, sizeof(transfer.message), "%s", message);
    (void)snprintf(transfer.watch.method, sizeof(transfer.watch.method), "%.31s", message);
    transfer.watch.started_ns = 1000;
    transfer.watch.hop_ns = 1000;
    transfer.num_redirects = 1;
    transfer.url = entry.shown;
    transfer.status = 200;
    sums.num_done++;
    sums.statuses[200]++;
    if (code != PF_EXIT_OK) {
        sums.num_failed++;
        sums.errors[code]++;
    } else {
        pf_histogram_add(&sums.latency, ns);
    }
    sums.ended_ns = sums.ended_ns > 1000 + ns ? sums.ended_ns : 1000 + ns;
    pf_findings_add(&findings, &transfer);
}

static void assert_has(const char *part)
{
    ck_assert_msg(strstr(out.data, part) != NULL, "no \"%s\"", part);
}

static void assert_lacks(const char *part)
{
    ck_assert_msg(strstr(out.data, part) == NULL, "\"%s\" is there: %.60s", part,
                  strstr(out.data, part));
}

/* assert_balanced walks over the markup: every element is closed by its own end. */
static void assert_balanced(void)
{
    static const char *const alone[] = {"meta", "br", "!DOCTYPE"};
    char open[64][16];
    size_t depth = 0;

    for (const char *at = strchr(out.data, '<'); at != NULL; at = strchr(at + 1, '<')) {
        bool is_end = at[1] == '/';
        const char *name = at + 1 + is_end;
        size_t len = strcspn(name, " />\n");
        const char *end = strchr(at, '>');
        bool is_alone = end[-1] == '/';

        ck_assert_msg(len < 16 && (isalpha((unsigned char)*name) || *name == '!'), "\"%.40s\"", at);
        for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++) {
            is_alone = is_alone || (len == strlen(alone[i]) && memcmp(name, alone[i], len) == 0);
        }
        if (is_end) {
            ck_assert_uint_gt(depth, 0);
            depth--;
            ck_assert_msg(strlen(open[depth]) == len && memcmp(open[depth], name, len) == 0,
                          "%s ended by %.*s", open[depth], (int)len, name);
        } else if (!is_alone) {
            (void)snprintf(open[depth++], 16, "%.*s", (int)len, name);
        }
        if (!is_end && (strncmp(name, "style>", 6) == 0 || strncmp(name, "script>", 7) == 0)) {
            at = strstr(at, *name == 's' && name[1] == 't' ? "</style>" : "</script>") - 1;
        }
    }
    ck_assert_uint_eq(depth, 0);
}

static char hostile[] =
    "http://a/</title><script>alert(1)</script>\"'><img src=x onerror=y>\x01\xff";

START_TEST(page__hostile_text_stays_text)
{
    setup(hostile);
    add_transfer(hostile, PF_EXIT_CONNECT, 5000);
    add_transfer(hostile, PF_EXIT_OK, 7000);
    write_page();
    assert_balanced();
    assert_lacks("<img");
    assert_lacks("alert(1)</script>");
    assert_lacks("\x01");
    assert_lacks("\xff");
    assert_has("&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&gt;&lt;img");
    pf_text_free(&out);
}
END_TEST

START_TEST(page__needs_nothing_from_elsewhere_and_allows_nothing_else)
{
    char url[] = "https://example.com/a";
    size_t num_scripts = 0;

    setup(url);
    add_transfer("", PF_EXIT_OK, 7000);
    write_page();
    assert_has("content=\"default-src 'none'; style-src 'sha256-");
    assert_has("; script-src 'sha256-");
    assert_lacks("unsafe-");
    assert_lacks(" src=");
    assert_lacks("href=");
    assert_lacks("@import");
    assert_lacks("url(");
    assert_lacks(" style=");
    assert_lacks(" onclick=");
    for (const char *at = out.data; (at = strstr(at, "<script")) != NULL; at++) {
        num_scripts++;
    }
    ck_assert_uint_eq(num_scripts, 1);
    pf_text_free(&out);
}
END_TEST

START_TEST(page__style_and_script_cannot_end_their_elements)
{
    ck_assert_ptr_null(strstr(pf_page_style, "</"));
    ck_assert_ptr_null(strstr(pf_page_script, "</"));
    ck_assert_ptr_null(strstr(pf_page_script, "<!--"));
}
END_TEST

START_TEST(page__of_a_run_without_transfers_is_whole)
{
    setup(NULL);
    settings.num_entries = 0;
    write_page();
    assert_balanced();
    assert_has("<h1>0 transfers</h1>");
    assert_has("No transfer succeeded");
    assert_has("No transfer failed");
    assert_has("None at any time");
    assert_lacks("nan");
    assert_lacks("inf\"");
    assert_lacks(">-");
    pf_text_free(&out);
}
END_TEST

START_TEST(page__of_failures_alone_has_no_latency)
{
    char url[] = "http://a/";

    setup(url);
    for (int code = 1; code < PF_EXIT_NUM; code++) {
        add_transfer("it did not work", (enum pf_exit)code, 1000 * code);
    }
    write_page();
    assert_balanced();
    assert_has("No transfer succeeded");
    assert_has("Errors by kind");
    assert_has(">others<");
    assert_lacks("id=\"latency\"");
    pf_text_free(&out);
}
END_TEST

/* Durations from nothing to a century, alone and together. */
static const int64_t spans[][2] = {
    {0,           0                           },
    {1,           1                           },
    {1000000,     1000000                     },
    {1000000,     1000001                     },
    {0,           INT64_C(3153600000000000000)},
    {999999,      1000000                     },
    {86400000000, INT64_C(86400000000000)     },
};

START_TEST(page__shows_any_latency)
{
    char url[] = "http://a/";

    setup(url);
    add_transfer("", PF_EXIT_OK, spans[_i][0]);
    add_transfer("", PF_EXIT_OK, spans[_i][1]);
    write_page();
    assert_balanced();
    assert_has("id=\"latency\"");
    assert_has("class=\"bar\" x=");
    assert_lacks("nan");
    assert_lacks("inf\"");
    assert_lacks(" x=\"-");
    assert_lacks(" y=\"-");
    assert_lacks("width=\"-");
    assert_lacks("height=\"-");
    pf_text_free(&out);
}
END_TEST

START_TEST(page__figures_at_their_ends_are_shown)
{
    char url[] = "http://a/";

    setup(url);
    add_transfer("", PF_EXIT_OK, 1000000);
    sums.num_done = UINT64_MAX;
    sums.num_bytes = INT64_MAX;
    sums.num_wire_bytes = INT64_MAX;
    memset(&pool, 0x7f, sizeof(pool));
    pf_timeline_sample(&findings.timeline, 500000,
                       &(struct pf_sample){.num_busy = UINT64_MAX / 2,
                                           .num_idle = UINT64_MAX / 2,
                                           .num_received = UINT64_MAX / 2});
    write_page();
    assert_balanced();
    assert_has("18,446,744,073,709,551,615");
    assert_lacks("nan");
    assert_lacks("inf\"");
    pf_text_free(&out);
}
END_TEST

START_TEST(page__says_that_it_was_interrupted)
{
    char url[] = "http://a/";

    setup(url);
    pf_text_cut(&out, 0);
    pf_page_add(&out, &(struct pf_page){.settings = &settings,
                                        .sums = &sums,
                                        .pool = &pool,
                                        .findings = &findings,
                                        .is_interrupted = true});
    assert_has("Interrupted");
    write_page();
    assert_lacks("Interrupted");
    pf_text_free(&out);
}
END_TEST

START_TEST(page__its_size_has_a_bound)
{
    char url[] = "http://a/";

    setup(url);
    for (int64_t i = 0; i < 200000; i++) {
        add_transfer("", i % 3 == 0 ? PF_EXIT_TIMEOUT : PF_EXIT_OK, i * 54321);
        if (i % 1000 == 0) {
            pf_timeline_sample(&findings.timeline, 1000 + i * 54321,
                               &(struct pf_sample){.num_busy = 8, .num_received = (uint64_t)i});
        }
    }
    write_page();
    assert_balanced();
    ck_assert_uint_lt(out.len, 300000);
    pf_text_free(&out);
}
END_TEST

/* --- scales ----------------------------------------------------------------------------------- */

START_TEST(scale__has_round_steps_that_hold_the_most)
{
    for (double max = 1e-6; max < 1e18; max *= 1.37) {
        for (int unit = PF_UNIT_COUNT; unit <= PF_UNIT_BYTES; unit++) {
            struct pf_scale scale = pf_scale_for(max, (enum pf_unit)unit);
            double steps = scale.top / scale.step;

            ck_assert_double_ge(scale.top * 1.000001, max);
            ck_assert_double_ge(steps, 0.999);
            ck_assert_double_le(steps, 6.001);
            ck_assert(unit != PF_UNIT_COUNT || scale.step >= 1);
        }
    }
    ck_assert_double_eq(pf_scale_for(0, PF_UNIT_COUNT).top, 1);
    ck_assert_double_eq(pf_scale_for(9, PF_UNIT_COUNT).step, 2);
    ck_assert_double_eq(pf_scale_for(10 * 1024, PF_UNIT_BYTES).step, 2 * 1024);
}
END_TEST

RUN_LOOPS("pooled-fetch report_html", TEST_ONCE(page__hostile_text_stays_text),
          TEST_ONCE(page__needs_nothing_from_elsewhere_and_allows_nothing_else),
          TEST_ONCE(page__style_and_script_cannot_end_their_elements),
          TEST_ONCE(page__of_a_run_without_transfers_is_whole),
          TEST_ONCE(page__of_failures_alone_has_no_latency),
          TEST_ROWS(page__shows_any_latency, spans),
          TEST_ONCE(page__figures_at_their_ends_are_shown),
          TEST_ONCE(page__says_that_it_was_interrupted), TEST_ONCE(page__its_size_has_a_bound),
          TEST_ONCE(scale__has_round_steps_that_hold_the_most))
