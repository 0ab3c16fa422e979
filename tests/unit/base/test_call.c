/* What goes down with everything that may block. */

#include <string.h>
#include <unistd.h>

#include "base/call.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/park.h"
#include "support/run_tests.h"

#define START_NS ((int64_t)1000 * 1000000000)
#define MS(n)    ((int64_t)(n)*URLP_NS_PER_MS)

START_TEST(until__shortens_and_never_lengthens)
{
    struct urlp_call call = {.total_by = URLP_NEVER};

    urlp_clock_fake_begin(START_NS);
    call.by = urlp_deadline_in(100);
    ck_assert(urlp_call_until(&call, 40).by.at_ns == START_NS + MS(40));
    ck_assert(urlp_call_until(&call, 0).by.at_ns == START_NS);
    ck_assert(urlp_call_until(&call, 200).by.at_ns == START_NS + MS(100));
    ck_assert(urlp_call_until(&call, -1).by.at_ns == START_NS + MS(100));
    ck_assert(call.by.at_ns == START_NS + MS(100));
}
END_TEST

START_TEST(until__keeps_everything_else)
{
    struct urlp_counters counters = {0};
    const struct urlpool_trace trace = {0};
    struct urlp_call call = {.by = URLP_NEVER, .total_by = {5}, .trace = &trace};
    struct urlp_call shorter;

    call.counters = &counters;
    shorter = urlp_call_until(&call, 1);
    ck_assert(shorter.total_by.at_ns == 5);
    ck_assert_ptr_eq(shorter.trace, &trace);
    ck_assert_ptr_eq(shorter.counters, &counters);
    ck_assert_ptr_null(shorter.cancel);
}
END_TEST

START_TEST(timeout_code__is_total_when_the_whole_request_ran_out)
{
    struct urlp_call call = {.by = {10}, .total_by = {20}};

    ck_assert_int_eq(urlp_call_timeout_code(&call, URLPOOL_E_READ_TIMEOUT), URLPOOL_E_READ_TIMEOUT);
    call.by.at_ns = 20;
    ck_assert_int_eq(urlp_call_timeout_code(&call, URLPOOL_E_READ_TIMEOUT),
                     URLPOOL_E_TOTAL_TIMEOUT);
    call.total_by = URLP_NEVER;
    ck_assert_int_eq(urlp_call_timeout_code(&call, URLPOOL_E_CONNECT_TIMEOUT),
                     URLPOOL_E_CONNECT_TIMEOUT);
}
END_TEST

static struct urlpool_trace_event seen;
static char seen_text[64];
static int num_seen;

static void note(void *user, const struct urlpool_trace_event *event)
{
    ck_assert_ptr_eq(user, &num_seen);
    seen = *event;
    if (event->text != NULL) {
        memcpy(seen_text, event->text, event->text_len);
    }
    num_seen++;
}

START_TEST(trace__tells_the_sink_what_happened_when)
{
    const struct urlpool_trace trace = {.event = note, .user = &num_seen};
    const struct urlp_call call = {.trace = &trace};

    urlp_clock_fake_begin(START_NS);
    urlp_call_trace(&call, URLPOOL_TRACE_CONNECTED, "127.0.0.1:80", 9, 3);
    ck_assert_int_eq(num_seen, 1);
    ck_assert_int_eq(seen.kind, URLPOOL_TRACE_CONNECTED);
    ck_assert(seen.at_ns == START_NS);
    ck_assert_int_eq(seen.number, 3);
    ck_assert_uint_eq(seen.text_len, 9);
    ck_assert_str_eq(seen_text, "127.0.0.1");
    urlp_call_trace(&call, URLPOOL_TRACE_FIRST_BYTE, NULL, 0, 0);
    ck_assert_int_eq(num_seen, 2);
    ck_assert_int_eq(seen.kind, URLPOOL_TRACE_FIRST_BYTE);
    ck_assert_int_eq(seen.code, URLPOOL_OK);
    ck_assert_uint_eq(seen.text_len, 0);
    urlp_call_trace(&call, URLPOOL_TRACE_RETRY, "stale", 5, URLPOOL_E_RESET);
    ck_assert_int_eq(seen.code, URLPOOL_E_RESET);
    ck_assert_int_eq(seen.number, URLPOOL_E_RESET);
}
END_TEST

START_TEST(trace__without_a_sink_is_nothing)
{
    const struct urlpool_trace empty = {0};
    struct urlp_call call = {0};

    urlp_call_trace(&call, URLPOOL_TRACE_CONNECTED, "x", 1, 3);
    call.trace = &empty;
    urlp_call_trace(&call, URLPOOL_TRACE_CONNECTED, "x", 1, 3);
    ck_assert_int_eq(num_seen, 0);
}
END_TEST

START_TEST(count__adds_up_when_somebody_counts)
{
    struct urlp_counters counters = {0};
    struct urlp_call call = {.counters = &counters};

    URLP_COUNT(&call, bytes_sent, 100);
    URLP_COUNT(&call, bytes_sent, 11);
    ck_assert_uint_eq(atomic_load(&counters.bytes_sent), 111);
    ck_assert_uint_eq(atomic_load(&counters.bytes_received), 0);
    call.counters = NULL;
    URLP_COUNT(&call, bytes_sent, 1);
    ck_assert_uint_eq(atomic_load(&counters.bytes_sent), 111);
}
END_TEST

START_TEST(break_off__is_decided_by_whoever_is_first)
{
    struct urlp_call call = {.by = URLP_NEVER, .total_by = URLP_NEVER};
    struct urlp_break_off asked = {.wake_fd = urlp_wake_open()};
    struct urlp_break_off shut = {.wake_fd = urlp_wake_open()};

    ck_assert(urlp_break_off_ask(&asked));
    ck_assert_int_eq(urlp_wait_readable(asked.wake_fd, &call, URLPOOL_E_SYSTEM, NULL), URLPOOL_OK);
    ck_assert(!urlp_break_off_ask(&asked));
    ck_assert(!urlp_break_off_shut(&asked));

    ck_assert(urlp_break_off_shut(&shut));
    ck_assert(urlp_break_off_shut(&shut));
    ck_assert(!urlp_break_off_ask(&shut));
    call.by = (struct urlpool_deadline){0};
    ck_assert_int_eq(urlp_wait_readable(shut.wake_fd, &call, URLPOOL_E_SYSTEM, NULL),
                     URLPOOL_E_SYSTEM);
    (void)close(asked.wake_fd);
    (void)close(shut.wake_fd);
}
END_TEST

START_TEST(break_off__of_nobody_is_nothing)
{
    struct urlp_break_off deaf = {.wake_fd = -1};

    ck_assert(urlp_break_off_shut(NULL));
    ck_assert(!urlp_break_off_ask(&deaf));
    ck_assert(urlp_break_off_shut(&deaf));
}
END_TEST

RUN_TESTS("call", until__shortens_and_never_lengthens, until__keeps_everything_else,
          timeout_code__is_total_when_the_whole_request_ran_out,
          trace__tells_the_sink_what_happened_when, trace__without_a_sink_is_nothing,
          count__adds_up_when_somebody_counts, break_off__is_decided_by_whoever_is_first,
          break_off__of_nobody_is_nothing)
