/* A run over time, in memory of one size. */

#include "support/run_tests.h"
#include "timeline.h"

enum {
    MS = 1000000
};

static const int64_t start = INT64_C(5000000000000);
static struct pf_timeline timeline;
static struct pf_view view;

static struct pf_moment sum_of_view(void)
{
    struct pf_moment sum = {0};

    for (size_t i = 0; i < view.count; i++) {
        sum.num_ok += view.moments[i].num_ok;
        sum.num_failed += view.moments[i].num_failed;
        sum.num_received += view.moments[i].num_received;
        sum.num_sent += view.moments[i].num_sent;
    }
    return sum;
}

START_TEST(timeline__empty_one_is_one_moment)
{
    pf_timeline_init(&timeline, start);
    pf_timeline_view(&timeline, start, 128, &view);
    ck_assert_uint_eq(view.count, 1);
    ck_assert_int_gt(view.last_ns, 0);
    ck_assert_uint_eq(view.moments[0].num_ok, 0);
}
END_TEST

START_TEST(timeline__counts_transfers_where_they_end)
{
    pf_timeline_init(&timeline, start);
    pf_timeline_add(&timeline, start + MS / 2, true);
    pf_timeline_add(&timeline, start + 3 * MS, false);
    pf_timeline_add(&timeline, start + 3 * MS + 1, true);
    pf_timeline_view(&timeline, start + 4 * MS, 128, &view);
    ck_assert_uint_eq(view.count, 4);
    ck_assert_int_eq(view.width_ns, MS);
    ck_assert_int_eq(view.last_ns, MS);
    ck_assert_uint_eq(view.moments[0].num_ok, 1);
    ck_assert_uint_eq(view.moments[3].num_ok, 1);
    ck_assert_uint_eq(view.moments[3].num_failed, 1);
}
END_TEST

START_TEST(timeline__loses_nothing_when_it_coarsens)
{
    int64_t at = start;

    pf_timeline_init(&timeline, start);
    for (uint64_t i = 0; i < 1000000; i++) {
        at = start + (int64_t)i * 37 * MS / 10; /* an hour and two minutes */
        pf_timeline_add(&timeline, at, i % 10 != 0);
    }
    ck_assert_int_ge(timeline.width_ns * PF_TIMELINE_MOMENTS, at - start);
    ck_assert_int_lt(timeline.width_ns * PF_TIMELINE_MOMENTS / 2, at - start);
    pf_timeline_view(&timeline, at, 100, &view);
    ck_assert_uint_le(view.count, 100);
    ck_assert_uint_gt(view.count, 50);
    ck_assert_uint_eq(sum_of_view().num_ok, 900000);
    ck_assert_uint_eq(sum_of_view().num_failed, 100000);
    for (size_t i = 0; i + 1 < view.count; i++) { /* they came evenly */
        uint64_t num = view.moments[i].num_ok + view.moments[i].num_failed;
        ck_assert_uint_ge(num, view.moments[0].num_ok + view.moments[0].num_failed - 2);
        ck_assert_uint_le(num, view.moments[0].num_ok + view.moments[0].num_failed + 2);
    }
}
END_TEST

START_TEST(timeline__takes_instants_from_before_its_start_and_from_years_after)
{
    pf_timeline_init(&timeline, start);
    pf_timeline_add(&timeline, start - MS, true);
    pf_timeline_add(&timeline, INT64_MAX / 2, true);
    pf_timeline_view(&timeline, INT64_MAX / 2, 128, &view);
    ck_assert_uint_eq(sum_of_view().num_ok, 2);
}
END_TEST

START_TEST(timeline__samples_are_carried_to_where_there_are_none)
{
    pf_timeline_init(&timeline, start);
    pf_timeline_sample(&timeline, start + MS, &(struct pf_sample){.num_busy = 4, .num_idle = 2});
    pf_timeline_sample(&timeline, start + MS + 1, &(struct pf_sample){.num_busy = 6});
    pf_timeline_sample(&timeline, start + 5 * MS, &(struct pf_sample){.num_dialling = 1});
    pf_timeline_view(&timeline, start + 6 * MS, 128, &view);
    ck_assert_uint_eq(view.count, 6);
    ck_assert_uint_eq(view.moments[0].num_samples, 0);
    for (size_t i = 1; i < 5; i++) {
        ck_assert_uint_eq(view.moments[i].num_samples, 2);
        ck_assert_uint_eq(view.moments[i].num_busy, 10);
        ck_assert_uint_eq(view.moments[i].num_idle, 2);
    }
    ck_assert_uint_eq(view.moments[5].num_busy, 0);
    ck_assert_uint_eq(view.moments[5].num_dialling, 1);
}
END_TEST

START_TEST(timeline__bytes_are_spread_over_the_time_since_the_last_sample)
{
    pf_timeline_init(&timeline, start);
    pf_timeline_sample(&timeline, start + MS / 2, &(struct pf_sample){.num_received = 50});
    pf_timeline_sample(&timeline, start + 4 * MS + MS / 2,
                       &(struct pf_sample){.num_received = 451, .num_sent = 80});
    pf_timeline_view(&timeline, start + 5 * MS, 128, &view);
    ck_assert_uint_eq(view.count, 5);
    ck_assert_uint_eq(view.moments[0].num_received, 100);
    for (size_t i = 1; i < 4; i++) {
        ck_assert_uint_eq(view.moments[i].num_received, 100);
        ck_assert_uint_eq(view.moments[i].num_sent, 20);
    }
    ck_assert_uint_eq(view.moments[4].num_received, 51);
    ck_assert_uint_eq(sum_of_view().num_received, 451);
    ck_assert_uint_eq(sum_of_view().num_sent, 80);
}
END_TEST

START_TEST(timeline__a_short_end_is_part_of_the_moment_before)
{
    pf_timeline_init(&timeline, start);
    pf_timeline_add(&timeline, start + 3 * MS + 1, true);
    pf_timeline_view(&timeline, start + 3 * MS + 2, 128, &view);
    ck_assert_uint_eq(view.count, 3);
    ck_assert_int_eq(view.last_ns, MS + 2);
    ck_assert_uint_eq(view.moments[2].num_ok, 1);
}
END_TEST

RUN_TESTS("pooled-fetch timeline", timeline__empty_one_is_one_moment,
          timeline__counts_transfers_where_they_end, timeline__loses_nothing_when_it_coarsens,
          timeline__takes_instants_from_before_its_start_and_from_years_after,
          timeline__samples_are_carried_to_where_there_are_none,
          timeline__bytes_are_spread_over_the_time_since_the_last_sample,
          timeline__a_short_end_is_part_of_the_moment_before)
