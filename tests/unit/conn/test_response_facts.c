/* How long each step of an exchange took, on a clock that stands still but where the script or the
 * sink lets it go on; and whom a stream of one's own leads to. */

#include <string.h>

#include "base/clock.h"
#include "support/conn_fixture.h"
#include "support/run_tests.h"

#define START_NS   ((int64_t)1000 * 1000000000)
#define SIZED(len) "HTTP/1.1 200 OK\r\nContent-Length: " #len "\r\n\r\n"

static struct fixture fixture;
static struct urlp_marks marks;
static int64_t pauses[32]; /* by enum urlpool_trace_kind: what goes by once it is told */

static void pause_after(void *user, const struct urlpool_trace_event *event)
{
    (void)user;
    urlp_clock_fake_advance(pauses[event->kind]);
}

static const struct urlpool_trace pausing = {.event = pause_after};

/* begin makes a fixture whose call is marked. */
static void begin(void)
{
    memset(pauses, 0, sizeof(pauses));
    urlp_clock_fake_begin(START_NS);
    fixture_begin(&fixture);
    fixture.call.trace = &pausing;
    fixture.call.marks = &marks;
    urlp_marks_begin(&marks, urlp_now_ns());
}

static int64_t sum_of(const struct urlpool_timings *timings)
{
    return timings->before_ns + timings->pool_ns + timings->resolve_ns + timings->connect_ns +
           timings->proxy_ns + timings->tls_ns + timings->send_ns + timings->wait_ns +
           timings->receive_ns;
}

START_TEST(timings__are_what_lies_between_the_marks)
{
    static const enum urlpool_trace_kind dial[] = {URLPOOL_TRACE_LEASED, URLPOOL_TRACE_RESOLVED,
                                                   URLPOOL_TRACE_CONNECTED, URLPOOL_TRACE_TUNNELLED,
                                                   URLPOOL_TRACE_SECURED};
    struct urlpool_response *response;
    struct urlpool_timings timings;

    begin();
    urlp_clock_fake_advance(1000);
    urlp_marks_begin_try(&marks, urlp_now_ns());
    for (int i = 0; i < 5; i++) {
        urlp_clock_fake_advance(1 << i);
        urlp_call_trace(&fixture.call, dial[i], NULL, 0, 0);
    }
    pauses[URLPOOL_TRACE_REQUEST_HEAD] = 100;
    pauses[URLPOOL_TRACE_REQUEST_SENT] = 200;
    pauses[URLPOOL_TRACE_FIRST_BYTE] = 300;
    response = fixture_answer(&fixture, SIZED(5) "whole");
    fixture_expect_body(&fixture, response, "whole");
    urlp_clock_fake_advance(999999); /* long after */
    timings = urlpool_response_timings(response);
    ck_assert_int_eq(timings.before_ns, 1000);
    ck_assert_int_eq(timings.pool_ns, 1);
    ck_assert_int_eq(timings.resolve_ns, 2);
    ck_assert_int_eq(timings.connect_ns, 4);
    ck_assert_int_eq(timings.proxy_ns, 8);
    ck_assert_int_eq(timings.tls_ns, 16);
    ck_assert_int_eq(timings.send_ns, 100);
    ck_assert_int_eq(timings.wait_ns, 200);
    ck_assert_int_eq(timings.receive_ns, 300);
    ck_assert_int_eq(timings.total_ns, 1631);
    ck_assert_int_eq(sum_of(&timings), timings.total_ns);
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(timings__of_steps_not_taken_are_nothing)
{
    struct urlpool_response *response;
    struct urlpool_timings timings;

    begin();
    pauses[URLPOOL_TRACE_REQUEST_SENT] = 7;
    response = fixture_answer(&fixture, SIZED(0));
    timings = urlpool_response_timings(response);
    ck_assert_int_eq(timings.wait_ns, 7);
    ck_assert_int_eq(timings.total_ns, 7);
    fixture_finish(&fixture, response);
    timings = urlpool_response_timings(NULL);
    ck_assert_int_eq(timings.total_ns, 0);
}
END_TEST

START_TEST(timings__go_on_until_a_streamed_body_ends)
{
    struct urlpool_response *response;
    char buf[8];
    size_t len;

    begin();
    response = fixture_answer(&fixture, SIZED(5) "who");
    urlp_clock_fake_advance(50);
    ck_assert_int_eq(urlpool_response_timings(response).receive_ns, 50);
    urlp_clock_fake_advance(50);
    ck_assert_int_eq(urlpool_response_timings(response).receive_ns, 100);
    script_give(fixture.script, "le");
    ck_assert_int_eq(urlpool_response_read_exact(response, buf, 5, &len, NULL), URLPOOL_OK);
    urlp_clock_fake_advance(50);
    ck_assert_int_eq(urlpool_response_timings(response).receive_ns, 100);
    ck_assert_int_eq(urlpool_response_timings(response).total_ns, 100);
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(timings__end_with_a_body_that_is_given_up_or_fails)
{
    for (int i = 0; i < 3; i++) {
        struct urlpool_response *response;
        char byte;
        size_t len;

        begin();
        response = fixture_answer(&fixture, SIZED(5));
        urlp_clock_fake_advance(50);
        if (i == 0) {
            urlpool_response_close(response);
        } else if (i == 1) {
            script_fail_read(fixture.script, URLPOOL_E_RESET);
            ck_assert_int_eq(urlpool_response_read(response, &byte, 1, &len, NULL),
                             URLPOOL_E_RESET);
        } else {
            urlpool_connection_close(fixture.connection);
        }
        urlp_clock_fake_advance(50);
        ck_assert_int_eq(urlpool_response_timings(response).receive_ns, 50);
        urlpool_response_free(response);
        fixture_end(&fixture);
    }
}
END_TEST

START_TEST(timings__wait_for_the_final_head_and_not_an_interim_one)
{
    static const char interim[] = "HTTP/1.1 103 Early\r\n\r\n";

    for (int i = 0; i < 2; i++) {
        struct urlpool_response *response;

        begin();
        pauses[URLPOOL_TRACE_REQUEST_SENT] = 10;
        pauses[URLPOOL_TRACE_INTERIM_HEAD] = 1000;
        pauses[URLPOOL_TRACE_RESPONSE_HEAD] = 5;
        if (i == 0) { /* in one packet, or in two */
            script_give(fixture.script, interim);
            response = fixture_answer(&fixture, SIZED(0));
        } else {
            response = fixture_answer(&fixture, "HTTP/1.1 103 Early\r\n\r\n" SIZED(0));
        }
        ck_assert_int_eq(urlpool_response_timings(response).wait_ns, 1010);
        ck_assert_int_eq(urlpool_response_timings(response).receive_ns, 5);
        fixture_finish(&fixture, response);
    }
}
END_TEST

START_TEST(timings__of_an_answer_that_came_early_have_no_wait)
{
    struct urlpool_response *response;
    struct urlpool_timings timings;
    static char body[600 * 1024];

    begin();
    memset(body, 'x', sizeof(body));
    fixture.method = "POST";
    fixture.fields = "Content-Length: 614400\n";
    fixture.body = urlpool_body_bytes(body, sizeof(body));
    pauses[URLPOOL_TRACE_REQUEST_HEAD] = 40;
    script_take(fixture.script, 100);
    script_give_after(fixture.script, 100, SIZED(0));
    response = fixture_exchange(&fixture);
    ck_assert_msg(response != NULL, "%s", fixture.err.message);
    timings = urlpool_response_timings(response);
    ck_assert_int_eq(timings.send_ns, 40);
    ck_assert_int_eq(timings.wait_ns, 0);
    ck_assert_int_eq(timings.total_ns, 40);
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(timings__of_a_call_that_is_not_marked_are_nothing)
{
    struct urlpool_response *response;

    begin();
    fixture.call.marks = NULL;
    response = fixture_answer(&fixture, SIZED(0));
    urlp_clock_fake_advance(50);
    ck_assert_int_eq(urlpool_response_timings(response).total_ns, 0);
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(peer__of_a_stream_of_ones_own_has_no_address)
{
    struct urlpool_response *response;
    struct urlpool_peer peer = urlpool_response_peer(NULL);

    ck_assert_str_eq(peer.address, "");
    begin();
    response = fixture_answer(&fixture, SIZED(0));
    peer = urlpool_response_peer(response);
    ck_assert_str_eq(peer.address, "");
    ck_assert_int_eq(peer.port, 0);
    ck_assert_ptr_null(peer.tls_version);
    ck_assert_ptr_null(peer.tls_cipher);
    ck_assert_ptr_null(peer.certificate);
    ck_assert_uint_eq(peer.certificate_len, 0);
    ck_assert(!peer.tls_verified && !peer.tls_resumed);
    fixture_finish(&fixture, response);
}
END_TEST

RUN_TESTS("response facts", timings__are_what_lies_between_the_marks,
          timings__of_steps_not_taken_are_nothing, timings__go_on_until_a_streamed_body_ends,
          timings__end_with_a_body_that_is_given_up_or_fails,
          timings__wait_for_the_final_head_and_not_an_interim_one,
          timings__of_an_answer_that_came_early_have_no_wait,
          timings__of_a_call_that_is_not_marked_are_nothing,
          peer__of_a_stream_of_ones_own_has_no_address)
