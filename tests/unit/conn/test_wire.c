/* A connection at rest: the look at it, what it may be used for, and the memory it keeps. */

#include <string.h>

#include "conn/wire.h"
#include "support/conn_fixture.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static struct fixture fixture;

static void check_look(bool is_good, bool is_closed)
{
    bool out_is_closed = !is_closed;

    ck_assert_int_eq(urlp_connection_look(fixture.connection, &out_is_closed), is_good);
    ck_assert_int_eq(out_is_closed, is_closed);
}

static void check_judge(bool is_reusable, enum urlpool_closed why, bool is_polite)
{
    struct urlp_connection_verdict verdict;

    urlp_connection_judge(fixture.connection, &verdict);
    ck_assert_int_eq(verdict.is_reusable, is_reusable);
    if (!is_reusable) {
        ck_assert_int_eq(verdict.why, why);
        ck_assert_int_eq(verdict.is_polite, is_polite);
    }
}

START_TEST(look__sees_quiet_bytes_and_the_end)
{
    fixture_begin(&fixture);
    fixture_open(&fixture);
    check_look(true, false);
    script_give(fixture.script, "HTTP/1.1 408 Request Timeout\r\n\r\n");
    check_look(false, false);
    fixture_end(&fixture);

    fixture_begin(&fixture);
    fixture_open(&fixture);
    script_end(fixture.script, URLP_END_CLEAN);
    check_look(false, true);
    urlp_connection_shut(fixture.connection, true);
    check_look(false, true);
    fixture_end(&fixture);
}
END_TEST

START_TEST(look__sees_bytes_that_are_in_memory_already)
{
    fixture_begin(&fixture);
    urlpool_response_free(fixture_answer(&fixture, OK_EMPTY "x"));
    check_look(false, false);
    fixture_end(&fixture);
}
END_TEST

START_TEST(look__does_not_read)
{
    fixture_begin(&fixture);
    fixture_open(&fixture);
    script_give(fixture.script, "x");
    check_look(false, false);
    check_look(false, false);
    ck_assert_uint_eq(script_num_reads(fixture.script), 0);
    fixture_end(&fixture);
}
END_TEST

START_TEST(judge__a_fresh_connection_is_good_and_a_closed_one_is_not)
{
    fixture_begin(&fixture);
    fixture_open(&fixture);
    check_judge(true, 0, true);
    urlp_connection_shut(fixture.connection, true);
    check_judge(false, URLPOOL_CLOSED_NOT_REUSABLE, true);
    fixture_end(&fixture);
}
END_TEST

START_TEST(judge__knows_how_the_last_exchange_left_it)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    urlpool_response_free(fixture_answer(&fixture, OK_EMPTY));
    check_judge(true, 0, true);
    response = fixture_answer(&fixture, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    check_judge(false, URLPOOL_CLOSED_UNREAD, true);
    urlpool_response_close(response);
    check_judge(false, URLPOOL_CLOSED_UNREAD, true);
    urlpool_response_free(response);
    fixture_end(&fixture);

    fixture_begin(&fixture);
    urlpool_response_free(fixture_answer(&fixture, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"));
    check_judge(false, URLPOOL_CLOSED_NOT_REUSABLE, true);
    fixture_end(&fixture);

    fixture_begin(&fixture);
    script_fail_read(fixture.script, URLPOOL_E_RESET);
    ck_assert_ptr_null(fixture_exchange(&fixture));
    check_judge(false, URLPOOL_CLOSED_ERROR, false);
    fixture_end(&fixture);
}
END_TEST

START_TEST(rest__gives_back_what_an_idle_connection_need_not_hold)
{
    int64_t before;

    failing_allocator_install();
    fixture_begin(&fixture);
    fixture_open(&fixture);
    fixture.call.trace = NULL;
    urlpool_response_free(fixture_answer(&fixture, OK_EMPTY));
    before = failing_allocator_num_live();
    urlp_connection_rest(fixture.connection);
    ck_assert_int_eq(failing_allocator_num_live(), before - 1); /* what came */
    check_judge(true, 0, true);
    urlpool_response_free(fixture_answer(&fixture, OK_EMPTY));
    fixture_end(&fixture);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
}
END_TEST

START_TEST(rest__keeps_what_an_unread_response_needs)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    urlp_connection_rest(fixture.connection);
    ck_assert_int_eq(urlpool_response_read_all(response, NULL), URLPOOL_OK);
    ck_assert_str_eq((const char *)response->data, "hello");
    urlpool_response_free(response);
    fixture_end(&fixture);
}
END_TEST

START_TEST(end__is_polite_or_silent_as_asked)
{
    fixture_begin(&fixture);
    fixture_open(&fixture);
    urlp_connection_end(fixture.connection, true);
    ck_assert_str_eq(script_calls(fixture.script), "free-polite");
    fixture.connection = NULL;
    fixture_end(&fixture);

    fixture_begin(&fixture);
    fixture_open(&fixture);
    urlp_connection_end(fixture.connection, false);
    ck_assert_str_eq(script_calls(fixture.script), "free-silent");
    fixture.connection = NULL;
    fixture_end(&fixture);
    urlp_connection_end(NULL, true);
}
END_TEST

START_TEST(connection__refuses_limits_that_make_no_sense)
{
    struct urlpool_limits limits = {.fields_max = -7};

    ck_assert_int_eq(urlp_connection_check_limits(&limits, NULL), URLPOOL_E_INVALID);
    limits.fields_max = 0;
    ck_assert_int_eq(urlp_connection_check_limits(&limits, NULL), URLPOOL_OK);
}
END_TEST

/* lend makes the fixture's connection one that a pool has lent, with `read_ms`. */
static void lend(int64_t read_ms)
{
    static int loan;
    const struct urlpool_timeout timeout = {read_ms, read_ms, read_ms, -1, -1, {0}};

    fixture_begin(&fixture);
    fixture_open(&fixture);
    urlp_connection_set_loan(fixture.connection, &loan);
    ck_assert_int_eq(
        urlp_connection_lend(fixture.connection, &timeout, NULL, &fixture.trace, NULL, NULL),
        URLPOOL_OK);
    ck_assert_ptr_eq(urlp_connection_get_loan(fixture.connection), &loan);
}

START_TEST(loan__speaks_on_the_lower_floor_and_tells_the_lenders_sink)
{
    struct urlpool_response *response;

    lend(60);
    script_give(fixture.script, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    ck_assert_int_eq(urlpool_connection_request(fixture.connection, "GET", "/", NULL, NULL, NULL),
                     URLPOOL_OK);
    check_judge(false, URLPOOL_CLOSED_UNREAD, true); /* given back before its answer */
    response = urlpool_connection_getresponse(fixture.connection, NULL);
    ck_assert_ptr_nonnull(response);
    check_judge(false, URLPOOL_CLOSED_UNREAD, true);
    ck_assert_int_eq(urlpool_response_read_all(response, NULL), URLPOOL_OK);
    check_judge(true, 0, true);
    ck_assert_ptr_nonnull(strstr(fixture.traced, "REQUEST 0 GET / HTTP/1.1\r\nHost: a\r\n"));
    urlpool_response_free(response);
    fixture_end(&fixture);
}
END_TEST

START_TEST(loan__keeps_to_the_lenders_time_limits)
{
    lend(60);
    ck_assert_int_eq(urlpool_connection_request(fixture.connection, "GET", "/", NULL, NULL, NULL),
                     URLPOOL_OK);
    ck_assert_ptr_null(urlpool_connection_getresponse(fixture.connection, &fixture.err));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_READ_TIMEOUT);
    check_judge(false, URLPOOL_CLOSED_ERROR, false);
    fixture_end(&fixture);
}
END_TEST

START_TEST(loan__is_never_opened_again_nor_sent_through_a_tunnel)
{
    lend(60);
    ck_assert_int_eq(urlpool_connection_set_tunnel(fixture.connection, "h", 80, NULL, &fixture.err),
                     URLPOOL_E_INVALID);
    urlpool_connection_close(fixture.connection);
    ck_assert_int_eq(urlpool_connection_request(fixture.connection, "GET", "/", NULL, NULL, NULL),
                     URLPOOL_E_NOT_CONNECTED);
    ck_assert_int_eq(urlpool_connection_connect(fixture.connection, NULL), URLPOOL_E_NOT_CONNECTED);
    ck_assert_int_eq(urlpool_connection_set_tunnel(fixture.connection, "h", 80, NULL, &fixture.err),
                     URLPOOL_E_INVALID);
    fixture_end(&fixture);
}
END_TEST

START_TEST(loan__that_is_freed_by_mistake_is_closed_and_stays_the_lenders)
{
    lend(60);
    urlpool_connection_free(fixture.connection);
    ck_assert(!urlpool_connection_is_connected(fixture.connection));
    check_judge(false, URLPOOL_CLOSED_NOT_REUSABLE, true);
    fixture_end(&fixture);
}
END_TEST

RUN_TESTS("wire", look__sees_quiet_bytes_and_the_end, look__sees_bytes_that_are_in_memory_already,
          look__does_not_read, judge__a_fresh_connection_is_good_and_a_closed_one_is_not,
          judge__knows_how_the_last_exchange_left_it,
          rest__gives_back_what_an_idle_connection_need_not_hold,
          rest__keeps_what_an_unread_response_needs, end__is_polite_or_silent_as_asked,
          connection__refuses_limits_that_make_no_sense,
          loan__speaks_on_the_lower_floor_and_tells_the_lenders_sink,
          loan__keeps_to_the_lenders_time_limits,
          loan__is_never_opened_again_nor_sent_through_a_tunnel,
          loan__that_is_freed_by_mistake_is_closed_and_stays_the_lenders)
