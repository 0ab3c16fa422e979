/* pooled-fetch: what is tried again, after which pause, and for how long. */

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/run_tests.h"
#include "tries.h"

#define MS_NS INT64_C(1000000)

static int64_t next(const struct pf_settings *settings, const struct pf_transfer *transfer)
{
    struct pf_tries tries;

    pf_tries_init(&tries, settings, 0);
    return pf_tries_next(&tries, settings, transfer, 0);
}

START_TEST(tries__pauses_double_from_a_second_to_ten_minutes)
{
    static const int64_t pauses_s[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600};
    const struct pf_settings settings = {.retry = 12};
    const struct pf_transfer transfer = {.status = 503};
    struct pf_tries tries;

    pf_tries_init(&tries, &settings, 0);
    for (size_t i = 0; i < 12; i++) {
        ck_assert_int_eq(pf_tries_next(&tries, &settings, &transfer, 0), pauses_s[i] * 1000);
    }
    ck_assert_int_eq(pf_tries_next(&tries, &settings, &transfer, 0), -1);
}
END_TEST

START_TEST(tries__a_delay_stays_as_it_is)
{
    const struct pf_settings settings = {.retry = 3, .retry_delay_ms = 250};
    const struct pf_transfer transfer = {.status = 503};
    struct pf_tries tries;

    pf_tries_init(&tries, &settings, 0);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(pf_tries_next(&tries, &settings, &transfer, 0), 250);
    }
    ck_assert_int_eq(pf_tries_next(&tries, &settings, &transfer, 0), -1);
}
END_TEST

START_TEST(tries__there_is_none_unless_asked_for)
{
    const struct pf_settings settings = {.retry_all_errors = true, .retry_connrefused = true};
    const struct pf_transfer transfer = {.status = 503};

    ck_assert_int_eq(next(&settings, &transfer), -1);
}
END_TEST

START_TEST(tries__statuses_are_those_of_curl_or_of_the_list)
{
    static const int transient[] = {408, 429, 500, 502, 503, 504};
    const struct pf_settings settings = {.retry = 1};
    const struct pf_settings listing = {
        .retry = 1, .retry_on = {404, 418},
             .num_retry_on = 2
    };

    for (int status = 100; status < 600; status++) {
        const struct pf_transfer whole = {.status = status};
        const struct pf_transfer failed = {.status = status, .exit_code = PF_EXIT_STATUS};
        bool is_transient = false;

        for (size_t i = 0; i < sizeof(transient) / sizeof(transient[0]); i++) {
            is_transient |= transient[i] == status;
        }
        ck_assert_int_eq(next(&settings, &whole), is_transient ? 1000 : -1);
        ck_assert_int_eq(next(&settings, &failed), is_transient ? 1000 : -1);
        ck_assert_int_eq(next(&listing, &whole), status == 404 || status == 418 ? 1000 : -1);
    }
}
END_TEST

START_TEST(tries__an_error_is_tried_again_as_the_options_say)
{
    const struct pf_settings plain = {.retry = 1};
    const struct pf_settings refused = {.retry = 1, .retry_connrefused = true};
    const struct pf_settings all = {.retry = 1, .retry_all_errors = true};

    for (int code = 1; code < PF_EXIT_NUM; code++) {
        const struct pf_transfer transfer = {.exit_code = (enum pf_exit)code,
                                             .err.os_errno = ECONNREFUSED};
        const struct pf_transfer unreachable = {.exit_code = (enum pf_exit)code,
                                                .err.os_errno = EHOSTUNREACH};
        bool always =
            code == PF_EXIT_TIMEOUT || code == PF_EXIT_RESOLVE || code == PF_EXIT_PROXY_NAME;

        ck_assert_int_eq(next(&plain, &transfer), always ? 1000 : -1);
        ck_assert_int_eq(next(&refused, &transfer), always || code == PF_EXIT_CONNECT ? 1000 : -1);
        ck_assert_int_eq(next(&refused, &unreachable), always ? 1000 : -1);
        ck_assert_int_eq(next(&all, &unreachable), code == PF_EXIT_INTERRUPTED ? -1 : 1000);
    }
}
END_TEST

START_TEST(tries__a_body_that_broke_off_is_no_matter_of_status)
{
    const struct pf_settings settings = {.retry = 1};
    const struct pf_transfer transfer = {.status = 503, .exit_code = PF_EXIT_PARTIAL};

    ck_assert_int_eq(next(&settings, &transfer), -1);
}
END_TEST

START_TEST(tries__the_time_for_it_ends)
{
    const struct pf_settings settings = {.retry = 9, .retry_max_time_ms = 3000};
    const struct pf_transfer transfer = {.status = 503};
    struct pf_tries tries;

    pf_tries_init(&tries, &settings, 50 * MS_NS);
    ck_assert_int_eq(pf_tries_next(&tries, &settings, &transfer, 60 * MS_NS), 1000);
    ck_assert_int_eq(pf_tries_next(&tries, &settings, &transfer, 3049 * MS_NS), 2000);
    ck_assert_int_eq(pf_tries_next(&tries, &settings, &transfer, 3050 * MS_NS), -1);
}
END_TEST

START_TEST(tries__a_server_may_ask_for_a_longer_pause)
{
    const struct pf_settings settings = {.retry = 1};
    const struct pf_settings hasty = {.retry = 1, .retry_max_time_ms = 4999};
    const struct pf_settings patient = {.retry = 1, .retry_max_time_ms = 5000};
    const struct pf_transfer more = {.status = 503, .retry_after_ms = 5000};
    const struct pf_transfer less = {.status = 503, .retry_after_ms = 500};

    ck_assert_int_eq(next(&settings, &more), 5000);
    ck_assert_int_eq(next(&settings, &less), 1000);
    ck_assert_int_eq(next(&hasty, &more), -1);
    ck_assert_int_eq(next(&patient, &more), 5000);
}
END_TEST

START_TEST(retry_after__is_seconds)
{
    ck_assert_int_eq(pf_retry_after_ms("0"), 0);
    ck_assert_int_eq(pf_retry_after_ms("7"), 7000);
    ck_assert_int_eq(pf_retry_after_ms("21600"), 21600000);
    ck_assert_int_eq(pf_retry_after_ms("21601"), 21600000);
    ck_assert_int_eq(pf_retry_after_ms("99999999999999999999"), 21600000);
}
END_TEST

START_TEST(retry_after__is_each_of_the_three_dates)
{
    static const char *const values[] = {"Sat, 06 Nov 2060 08:49:37 GMT",
                                         "Saturday, 06-Nov-60 08:49:37 GMT",
                                         "Sat Nov  6 08:49:37 2060"};
    char soon[64];
    time_t then = time(NULL) + 100;
    struct tm tm;
    int64_t ms;

    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(pf_retry_after_ms(values[i]), 21600000);
    }
    ck_assert_uint_gt(
        strftime(soon, sizeof(soon), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&then, &tm)), 0);
    ms = pf_retry_after_ms(soon);
    ck_assert_msg(ms > 60000 && ms <= 100000, "%s: %lld", soon, (long long)ms);
}
END_TEST

START_TEST(retry_after__that_is_nothing_of_the_kind_asks_for_nothing)
{
    static const char *const values[] = {"",
                                         "-1",
                                         "1.5",
                                         "soon",
                                         "7 ",
                                         "Sun, 06 Nov 1994 08:49:37 GMT",
                                         "Sun, 06 Nov 2094 08:49:37 GMT x"};

    ck_assert_int_eq(pf_retry_after_ms(NULL), 0);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        ck_assert_int_eq(pf_retry_after_ms(values[i]), 0);
    }
}
END_TEST

RUN_TESTS("tries", tries__pauses_double_from_a_second_to_ten_minutes, tries__a_delay_stays_as_it_is,
          tries__there_is_none_unless_asked_for, tries__statuses_are_those_of_curl_or_of_the_list,
          tries__an_error_is_tried_again_as_the_options_say,
          tries__a_body_that_broke_off_is_no_matter_of_status, tries__the_time_for_it_ends,
          tries__a_server_may_ask_for_a_longer_pause, retry_after__is_seconds,
          retry_after__is_each_of_the_three_dates,
          retry_after__that_is_nothing_of_the_kind_asks_for_nothing)
