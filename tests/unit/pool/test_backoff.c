/* When an origin that cannot be reached is dialled again. */

#include "pool/backoff.h"
#include "support/run_tests.h"

#define MS INT64_C(1000000)

/* fail_at_due fails a dial that was made as soon as it was due, and returns the pause it leads to,
 * in ms. */
static int64_t fail_at_due(struct urlp_backoff *backoff, int64_t max_ms, uint64_t spread)
{
    int64_t now_ns = backoff->next_ns;

    urlp_backoff_failed(backoff, max_ms, now_ns, now_ns, spread);
    return (backoff->next_ns - now_ns) / MS;
}

static void fail_times(struct urlp_backoff *backoff, int num, int64_t max_ms)
{
    for (int i = 0; i < num; i++) {
        urlp_backoff_failed(backoff, max_ms, 0, 0, 1);
    }
}

START_TEST(backoff__begins_with_the_third_failure)
{
    struct urlp_backoff backoff = {0};

    fail_times(&backoff, 2, 1000);
    ck_assert(!urlp_backoff_is_on(&backoff));
    fail_times(&backoff, 1, 1000);
    ck_assert(urlp_backoff_is_on(&backoff));
    ck_assert_int_ge(backoff.next_ns, 45 * MS);
    ck_assert_int_le(backoff.next_ns, 55 * MS);
}
END_TEST

START_TEST(backoff__pauses_grow_to_the_bound)
{
    static const int64_t pauses_ms[] = {100, 200, 400, 800, 1000, 1000};
    struct urlp_backoff backoff = {0};

    fail_times(&backoff, 3, 1000);
    for (int i = 0; i < 6; i++) {
        int64_t pause_ms = fail_at_due(&backoff, 1000, (uint64_t)i);

        ck_assert_int_ge(pause_ms, pauses_ms[i] * 9 / 10 - 1);
        ck_assert_int_le(pause_ms, pauses_ms[i] * 11 / 10);
        ck_assert_int_le(pause_ms, 1000); /* never longer than asked for, whatever the jitter */
    }
}
END_TEST

START_TEST(backoff__pauses_differ)
{
    bool is_early = false;
    bool is_late = false;

    for (uint64_t i = 0; i < 100; i++) {
        struct urlp_backoff backoff = {0};

        urlp_backoff_failed(&backoff, 1000, 0, 0, i);
        urlp_backoff_failed(&backoff, 1000, 0, 0, i);
        urlp_backoff_failed(&backoff, 1000, 0, 0, i);
        is_early = is_early || backoff.next_ns < 47 * MS;
        is_late = is_late || backoff.next_ns > 53 * MS;
    }
    ck_assert(is_early && is_late);
}
END_TEST

START_TEST(backoff__ends_with_a_success)
{
    struct urlp_backoff backoff = {0};

    fail_times(&backoff, 3, 1000);
    (void)fail_at_due(&backoff, 1000, 1);
    urlp_backoff_succeeded(&backoff);
    ck_assert(!urlp_backoff_is_on(&backoff));
    fail_times(&backoff, 2, 1000);
    ck_assert(!urlp_backoff_is_on(&backoff));
    fail_times(&backoff, 1, 1000);
    ck_assert_int_le(backoff.next_ns, 55 * MS);
}
END_TEST

START_TEST(backoff__two_failures_before_a_success_do_not_count)
{
    struct urlp_backoff backoff = {0};

    fail_times(&backoff, 2, 1000);
    urlp_backoff_succeeded(&backoff);
    fail_times(&backoff, 2, 1000);
    ck_assert(!urlp_backoff_is_on(&backoff));
}
END_TEST

START_TEST(backoff__of_a_burst_is_one_pause_after_the_last_of_it)
{
    struct urlp_backoff backoff = {0};

    for (int i = 0; i < 50; i++) { /* all begun at 0 */
        urlp_backoff_failed(&backoff, 1000, 0, i * MS, 1);
    }
    ck_assert_int_ge(backoff.next_ns, (49 + 45) * MS);
    ck_assert_int_le(backoff.next_ns, (49 + 55) * MS);
}
END_TEST

START_TEST(backoff__may_be_shorter_than_its_first_pause)
{
    struct urlp_backoff backoff = {0};

    fail_times(&backoff, 3, 10);
    ck_assert_int_le(backoff.next_ns, 10 * MS);
    ck_assert_int_le(fail_at_due(&backoff, 10, 3), 10);
}
END_TEST

START_TEST(backoff__can_be_turned_off)
{
    struct urlp_backoff backoff = {0};

    fail_times(&backoff, 100, 0);
    ck_assert(!urlp_backoff_is_on(&backoff));
}
END_TEST

START_TEST(backoff__without_a_bound_ends_at_a_day)
{
    struct urlp_backoff backoff = {0};

    fail_times(&backoff, 3, -1);
    for (int i = 0; i < 100; i++) {
        (void)fail_at_due(&backoff, -1, 1);
    }
    ck_assert_int_eq(backoff.pause_ms, INT64_C(24) * 3600 * 1000);
    backoff.pause_ms = 0;
    urlp_backoff_failed(&backoff, INT64_MAX, 0, 0, 1); /* a bound as large as none */
    ck_assert_int_eq(backoff.pause_ms, 50);
}
END_TEST

RUN_TESTS("backoff", backoff__begins_with_the_third_failure, backoff__pauses_grow_to_the_bound,
          backoff__pauses_differ, backoff__ends_with_a_success,
          backoff__two_failures_before_a_success_do_not_count,
          backoff__of_a_burst_is_one_pause_after_the_last_of_it,
          backoff__may_be_shorter_than_its_first_pause, backoff__can_be_turned_off,
          backoff__without_a_bound_ends_at_a_day)
