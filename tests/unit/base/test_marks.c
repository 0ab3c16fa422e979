/* When the steps of a request were over: what tells the trace of them marks them, too. */

#include <string.h>

#include "base/call.h"
#include "base/clock.h"
#include "support/run_tests.h"

#define START_NS ((int64_t)1000 * 1000000000)

static struct urlp_marks marks;
static const struct urlp_call call = {.marks = &marks};

/* tell tells of a step, 1 ns after the last. */
static int64_t tell(enum urlpool_trace_kind kind)
{
    urlp_clock_fake_advance(1);
    urlp_call_trace(&call, kind, NULL, 0, 0);
    return urlp_now_ns();
}

static void begin(void)
{
    urlp_clock_fake_begin(START_NS);
    urlp_marks_begin(&marks, urlp_now_ns());
}

START_TEST(marks__are_made_by_what_tells_the_trace)
{
    begin();
    ck_assert_int_eq(marks.call_ns, START_NS);
    ck_assert_int_eq(marks.try_ns, START_NS);
    ck_assert_int_eq(tell(URLPOOL_TRACE_LEASED), marks.leased_ns);
    ck_assert_int_eq(tell(URLPOOL_TRACE_RESOLVED), marks.resolved_ns);
    ck_assert_int_eq(tell(URLPOOL_TRACE_CONNECTED), marks.connected_ns);
    ck_assert_int_eq(tell(URLPOOL_TRACE_TUNNELLED), marks.proxied_ns);
    ck_assert_int_eq(tell(URLPOOL_TRACE_SECURED), marks.secured_ns);
    ck_assert_int_eq(tell(URLPOOL_TRACE_REQUEST_SENT), marks.sent_ns);
    ck_assert_int_eq(tell(URLPOOL_TRACE_FIRST_BYTE), marks.first_byte_ns);
    ck_assert_int_eq(tell(URLPOOL_TRACE_BODY_END), marks.end_ns);
    ck_assert_int_eq(marks.end_ns, START_NS + 8);
    (void)tell(URLPOOL_TRACE_CLOSED);
    ck_assert_int_eq(marks.leased_ns, START_NS + 1);
}
END_TEST

static struct urlpool_trace_event seen;

static void record(void *user, const struct urlpool_trace_event *event)
{
    (void)user;
    seen = *event;
}

START_TEST(marks__are_the_instants_that_the_sink_is_told)
{
    const struct urlpool_trace trace = {.event = record};
    const struct urlp_call watched = {.trace = &trace, .marks = &marks};

    urlp_marks_begin(&marks, urlp_now_ns()); /* on the real clock, which never stands still */
    urlp_call_trace(&watched, URLPOOL_TRACE_LEASED, NULL, 0, 0);
    ck_assert_int_eq(marks.leased_ns, seen.at_ns);
    ck_assert_int_ge(marks.leased_ns, marks.call_ns);
}
END_TEST

START_TEST(marks__of_a_try_are_forgotten_at_the_next)
{
    begin();
    (void)tell(URLPOOL_TRACE_LEASED);
    (void)tell(URLPOOL_TRACE_FIRST_BYTE);
    urlp_marks_begin_try(&marks, START_NS + 9);
    ck_assert_int_eq(marks.call_ns, START_NS);
    ck_assert_int_eq(marks.try_ns, START_NS + 9);
    ck_assert_int_eq(marks.leased_ns, 0);
    ck_assert_int_eq(marks.first_byte_ns, 0);
}
END_TEST

START_TEST(marks__of_a_dial_that_was_overtaken_are_a_wait_for_the_place)
{
    begin();
    (void)tell(URLPOOL_TRACE_LEASED);
    (void)tell(URLPOOL_TRACE_RESOLVED);
    (void)tell(URLPOOL_TRACE_LEASED);
    ck_assert_int_eq(marks.leased_ns, START_NS + 3);
    ck_assert_int_eq(marks.resolved_ns, 0);
}
END_TEST

START_TEST(marks__tell_the_way_to_a_proxy_from_that_to_the_origin)
{
    begin();
    (void)tell(URLPOOL_TRACE_RESOLVED);
    (void)tell(URLPOOL_TRACE_CONNECTED);
    (void)tell(URLPOOL_TRACE_SECURED); /* with the proxy */
    urlp_marks_greeted(&marks);
    ck_assert_int_eq(marks.proxied_ns, START_NS + 3);
    ck_assert_int_eq(marks.secured_ns, 0);
    (void)tell(URLPOOL_TRACE_RESOLVED); /* what the proxy is told in place of a name */
    ck_assert_int_eq(marks.resolved_ns, START_NS + 1);
    (void)tell(URLPOOL_TRACE_TUNNELLED);
    ck_assert_int_eq(marks.proxied_ns, START_NS + 5);
    (void)tell(URLPOOL_TRACE_SECURED); /* with the origin */
    ck_assert_int_eq(marks.proxied_ns, START_NS + 5);
    ck_assert_int_eq(marks.secured_ns, START_NS + 6);
    urlp_marks_greeted(NULL);
}
END_TEST

RUN_TESTS("marks", marks__are_made_by_what_tells_the_trace,
          marks__are_the_instants_that_the_sink_is_told, marks__of_a_try_are_forgotten_at_the_next,
          marks__of_a_dial_that_was_overtaken_are_a_wait_for_the_place,
          marks__tell_the_way_to_a_proxy_from_that_to_the_origin)
