/* Clocks, deadlines, and the fake clock. */

#include <limits.h>

#include "base/clock.h"
#include "support/run_tests.h"

#define START_NS ((int64_t)1000 * 1000000000)

static struct urlpool_deadline after_ns(int64_t ns)
{
    return (struct urlpool_deadline){urlp_now_ns() + ns};
}

START_TEST(clock__real_ones_run)
{
    int64_t now = urlp_now_ns();
    int64_t boot = urlp_boot_ns();

    ck_assert(!urlp_clock_is_fake());
    while (urlp_now_ns() == now || urlp_boot_ns() == boot) {
    }
    ck_assert(urlp_now_ns() > now);
    ck_assert(urlp_boot_ns() > boot);
    ck_assert(urlp_wall_seconds() > 1700000000); /* November 2023 */
}
END_TEST

START_TEST(clock__fake_ones_stand_still_until_advanced)
{
    int64_t wall = urlp_wall_seconds();

    urlp_clock_fake_begin(START_NS);
    ck_assert(urlp_clock_is_fake());
    ck_assert(urlp_now_ns() == START_NS);
    ck_assert(urlp_boot_ns() == START_NS);
    ck_assert_int_le(urlp_wall_seconds() - wall, 10);
    wall = urlp_wall_seconds();
    urlp_clock_fake_advance(2500000000);
    ck_assert(urlp_now_ns() == START_NS + 2500000000);
    ck_assert(urlp_boot_ns() == START_NS + 2500000000);
    ck_assert(urlp_wall_seconds() == wall + 2);
    urlp_clock_fake_set_wall(784111777);
    ck_assert(urlp_wall_seconds() == 784111777);
    ck_assert(urlp_now_ns() == START_NS + 2500000000);
    urlp_clock_fake_end();
    ck_assert(!urlp_clock_is_fake());
    ck_assert(urlp_wall_seconds() >= wall);
}
END_TEST

START_TEST(deadline__in_is_that_far_from_now)
{
    urlp_clock_fake_begin(START_NS);
    ck_assert(urlp_deadline_in(1500).at_ns == START_NS + 1500 * (int64_t)URLP_NS_PER_MS);
    ck_assert(urlp_deadline_in(0).at_ns == START_NS);
    ck_assert(urlp_deadline_in(-1).at_ns == INT64_MAX);
    ck_assert(urlp_deadline_in(-2).at_ns == INT64_MAX);
}
END_TEST

START_TEST(deadline__too_far_off_is_never)
{
    urlp_clock_fake_begin(START_NS);
    ck_assert(urlp_deadline_in(INT64_MAX).at_ns == INT64_MAX);
    ck_assert(urlp_deadline_in(INT64_MAX / 1000).at_ns == INT64_MAX);
    ck_assert(urlp_deadline_in(INT64_MAX / URLP_NS_PER_MS).at_ns == INT64_MAX); /* the sum */
}
END_TEST

START_TEST(deadline__has_passed_at_its_instant)
{
    urlp_clock_fake_begin(START_NS);
    ck_assert(!urlp_deadline_has_passed(after_ns(1)));
    ck_assert(urlp_deadline_has_passed(after_ns(0)));
    ck_assert(urlp_deadline_has_passed((struct urlpool_deadline){0}));
    ck_assert(urlp_deadline_has_passed((struct urlpool_deadline){INT64_MIN}));
    ck_assert(!urlp_deadline_has_passed(URLP_NEVER));
    urlp_clock_fake_advance(INT64_MAX - START_NS);
    ck_assert(!urlp_deadline_has_passed(URLP_NEVER));
}
END_TEST

START_TEST(deadline__earliest_is_the_earlier_one)
{
    struct urlpool_deadline one = {1};
    struct urlpool_deadline two = {2};

    ck_assert(urlpool_deadline_earliest(one, two).at_ns == 1);
    ck_assert(urlpool_deadline_earliest(two, one).at_ns == 1);
    ck_assert(urlpool_deadline_earliest(two, URLP_NEVER).at_ns == 2);
}
END_TEST

START_TEST(poll_ms__rounds_up_so_that_the_deadline_has_passed_after)
{
    urlp_clock_fake_begin(START_NS);
    ck_assert_int_eq(urlp_deadline_poll_ms(after_ns(1)), 1);
    ck_assert_int_eq(urlp_deadline_poll_ms(after_ns(URLP_NS_PER_MS)), 1);
    ck_assert_int_eq(urlp_deadline_poll_ms(after_ns(URLP_NS_PER_MS + 1)), 2);
    ck_assert_int_eq(urlp_deadline_poll_ms(after_ns(0)), 0);
    ck_assert_int_eq(urlp_deadline_poll_ms((struct urlpool_deadline){0}), 0);
    ck_assert_int_eq(urlp_deadline_poll_ms((struct urlpool_deadline){INT64_MIN}), 0);
    ck_assert_int_eq(urlp_deadline_poll_ms(URLP_NEVER), -1);
}
END_TEST

START_TEST(poll_ms__is_short_under_a_fake_clock)
{
    urlp_clock_fake_begin(START_NS);
    ck_assert_int_eq(urlp_deadline_poll_ms(after_ns(60000 * (int64_t)URLP_NS_PER_MS)), 10);
}
END_TEST

START_TEST(poll_ms__long_ones_end_early_and_fit_an_int)
{
    int ms = urlp_deadline_poll_ms(urlp_deadline_in(60000));

    ck_assert_int_gt(ms, 50000);
    ck_assert_int_lt(ms, 60000 - 500); /* the kernel is late by 60 ms at the most */
    ms = urlp_deadline_poll_ms(urlp_deadline_in(5000));
    ck_assert_int_gt(ms, 3000);
    ck_assert_int_le(ms, 5000);
    ck_assert_int_eq(urlp_deadline_poll_ms((struct urlpool_deadline){INT64_MAX - 1}), INT_MAX);
}
END_TEST

RUN_TESTS("clock", clock__real_ones_run, clock__fake_ones_stand_still_until_advanced,
          deadline__in_is_that_far_from_now, deadline__too_far_off_is_never,
          deadline__has_passed_at_its_instant, deadline__earliest_is_the_earlier_one,
          poll_ms__rounds_up_so_that_the_deadline_has_passed_after,
          poll_ms__is_short_under_a_fake_clock, poll_ms__long_ones_end_early_and_fit_an_int)
