/* The slowest transfers, where their time went, and ways of failing. */

#include <stdio.h>
#include <string.h>

#include "findings.h"
#include "support/run_tests.h"

static struct pf_findings findings;
static char url[] = "http://a/";
static const struct pf_entry entry = {.url = url, .shown = url};

static struct pf_transfer took(int64_t ns)
{
    return (struct pf_transfer){
        .entry = &entry, .started_ns = 1000, .ended_ns = 1000 + ns, .watch = {.started_ns = 1000}};
}

static void setup(void)
{
    memset(&findings, 0, sizeof(findings));
    pf_timeline_init(&findings.timeline, 1000);
}

START_TEST(findings__keep_the_slowest_in_order_whatever_order_they_came_in)
{
    setup();
    for (int64_t i = 0; i < 10007; i++) {
        struct pf_transfer transfer = took(i * 7919 % 10007);
        pf_findings_add(&findings, &transfer);
    }
    ck_assert_uint_eq(findings.num_slowest, PF_SLOWEST_MAX);
    for (int64_t i = 0; i < PF_SLOWEST_MAX; i++) {
        ck_assert_int_eq(findings.slowest[i].total_ns, 10006 - i);
    }
}
END_TEST

START_TEST(findings__of_equals_the_first_stays)
{
    setup();
    for (unsigned i = 0; i < 2 * PF_SLOWEST_MAX; i++) {
        struct pf_transfer transfer = took(5);
        transfer.num_retries = i;
        pf_findings_add(&findings, &transfer);
    }
    for (unsigned i = 0; i < PF_SLOWEST_MAX; i++) {
        ck_assert_uint_eq(findings.slowest[i].num_retries, i);
    }
}
END_TEST

START_TEST(findings__count_each_way_of_failing_by_itself)
{
    setup();
    for (int i = 0; i < 10; i++) {
        struct pf_transfer transfer = took(5);
        transfer.exit_code = PF_EXIT_TIMEOUT;
        transfer.err.code = URLPOOL_E_READ_TIMEOUT;
        transfer.err.phase = i < 7 ? URLPOOL_PHASE_HEAD : URLPOOL_PHASE_BODY;
        (void)snprintf(transfer.message, sizeof(transfer.message), "number %d", i);
        pf_findings_add(&findings, &transfer);
    }
    ck_assert_uint_eq(findings.num_kinds, 2);
    ck_assert_uint_eq(findings.kinds[0].count, 7);
    ck_assert_str_eq(findings.kinds[0].message, "number 0");
    ck_assert_uint_eq(findings.kinds[1].count, 3);
    ck_assert_str_eq(findings.kinds[1].message, "number 7");
    ck_assert_uint_eq(findings.timeline.moments[0].num_failed, 10);
}
END_TEST

START_TEST(findings__more_ways_of_failing_than_there_are_places_are_counted)
{
    setup();
    for (int i = 1; i < PF_EXIT_NUM; i++) {
        struct pf_transfer transfer = took(5);
        transfer.exit_code = (enum pf_exit)i;
        pf_findings_add(&findings, &transfer);
    }
    ck_assert_uint_eq(findings.num_kinds, PF_KINDS_MAX);
    ck_assert_uint_eq(findings.num_other_kinds, PF_EXIT_NUM - 1 - PF_KINDS_MAX);
}
END_TEST

START_TEST(findings__a_long_url_is_cut)
{
    char name[1000];
    struct pf_transfer transfer = took(5);

    setup();
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    transfer.num_redirects = 1;
    transfer.url = name;
    pf_findings_add(&findings, &transfer);
    ck_assert_uint_eq(strlen(findings.slowest[0].url), PF_URL_SHOWN_MAX - 1);
}
END_TEST

/* --- phases ----------------------------------------------------------------------------------- */

START_TEST(phases__of_an_answered_one_are_the_librarys_timings)
{
    struct pf_transfer transfer = took(1000);
    int64_t phases[PF_PHASE_NUM];

    transfer.watch.started_ns = 1100; /* a try before it */
    transfer.timings = (struct urlpool_timings){.before_ns = 50,
                                                .pool_ns = 1,
                                                .resolve_ns = 2,
                                                .connect_ns = 3,
                                                .proxy_ns = 4,
                                                .tls_ns = 5,
                                                .send_ns = 6,
                                                .wait_ns = 7,
                                                .receive_ns = 522,
                                                .total_ns = 600};
    pf_phases_of(&transfer, phases);
    ck_assert_int_eq(phases[PF_PHASE_BEFORE], 150);
    ck_assert_int_eq(phases[PF_PHASE_POOL], 1);
    ck_assert_int_eq(phases[PF_PHASE_DNS], 2);
    ck_assert_int_eq(phases[PF_PHASE_DIAL], 3);
    ck_assert_int_eq(phases[PF_PHASE_PROXY], 4);
    ck_assert_int_eq(phases[PF_PHASE_TLS], 5);
    ck_assert_int_eq(phases[PF_PHASE_SEND], 6);
    ck_assert_int_eq(phases[PF_PHASE_WAIT], 7);
    ck_assert_int_eq(phases[PF_PHASE_READ], 522);
    ck_assert_int_eq(phases[PF_PHASE_REST], 300);
}
END_TEST

START_TEST(phases__of_one_that_failed_end_with_the_step_it_failed_in)
{
    struct pf_transfer transfer = took(1000);
    int64_t phases[PF_PHASE_NUM];
    int64_t sum = 0;

    transfer.watch.hop_ns = 1100;
    transfer.watch.leased_ns = 1110;
    transfer.watch.resolved_ns = 1130;
    transfer.watch.connected_ns = 1160;
    transfer.err.phase = URLPOOL_PHASE_TLS;
    pf_phases_of(&transfer, phases);
    ck_assert_int_eq(phases[PF_PHASE_BEFORE], 100);
    ck_assert_int_eq(phases[PF_PHASE_POOL], 10);
    ck_assert_int_eq(phases[PF_PHASE_DNS], 20);
    ck_assert_int_eq(phases[PF_PHASE_DIAL], 30);
    ck_assert_int_eq(phases[PF_PHASE_TLS], 840);
    for (int i = 0; i < PF_PHASE_NUM; i++) {
        sum += phases[i];
    }
    ck_assert_int_eq(sum, 1000);
}
END_TEST

RUN_TESTS("pooled-fetch findings", findings__keep_the_slowest_in_order_whatever_order_they_came_in,
          findings__of_equals_the_first_stays, findings__count_each_way_of_failing_by_itself,
          findings__more_ways_of_failing_than_there_are_places_are_counted,
          findings__a_long_url_is_cut, phases__of_an_answered_one_are_the_librarys_timings,
          phases__of_one_that_failed_end_with_the_step_it_failed_in)
