/* An exchange over a scripted stream: which bytes leave in which writes, what is heard while they
 * do, and what becomes of the connection when something goes wrong. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn/wire.h"
#include "support/conn_fixture.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static struct fixture fixture;

START_TEST(exchange__of_a_small_get_is_one_write_and_one_read)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    ck_assert_int_eq(urlpool_response_read_all(response, NULL), URLPOOL_OK);
    ck_assert_str_eq(script_written(fixture.script), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert_str_eq(script_calls(fixture.script), "write read");
    ck_assert_uint_eq(script_num_writes(fixture.script), 1);
    ck_assert_uint_eq(script_num_reads(fixture.script), 1);
    ck_assert(fixture.facts.request_bytes_sent);
    ck_assert(fixture.facts.response_bytes_seen);
    urlpool_response_free(response);
    fixture_end(&fixture);
}
END_TEST

START_TEST(exchange__sends_head_and_small_body_in_one_write)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    fixture.method = "POST";
    fixture.fields = "Content-Length: 5\n";
    fixture.body = urlpool_body_bytes("hello", 5);
    response = fixture_answer(&fixture, OK_EMPTY);
    ck_assert_str_eq(script_written(fixture.script),
                     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    ck_assert_uint_eq(script_num_writes(fixture.script), 1);
    ck_assert(fixture.verdict.is_reusable);
    urlpool_response_free(response);
    fixture_end(&fixture);
}
END_TEST

START_TEST(exchange__sends_chunked_bytes_in_one_write)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    fixture.method = "POST";
    fixture.fields = "Transfer-Encoding: chunked\n";
    fixture.body = urlpool_body_bytes("hello, world, hello", 19);
    response = fixture_answer(&fixture, OK_EMPTY);
    ck_assert_str_eq(script_written(fixture.script),
                     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "13\r\nhello, world, hello\r\n0\r\n\r\n");
    ck_assert_uint_eq(script_num_writes(fixture.script), 1);
    urlpool_response_free(response);
    fixture_end(&fixture);
}
END_TEST

START_TEST(exchange__sends_an_empty_chunked_body_as_its_last_chunk_alone)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    fixture.method = "POST";
    fixture.fields = "Transfer-Encoding: chunked\n";
    fixture.body = urlpool_body_bytes("", 0);
    response = fixture_answer(&fixture, OK_EMPTY);
    ck_assert_str_eq(script_written(fixture.script),
                     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    urlpool_response_free(response);
    fixture_end(&fixture);
}
END_TEST

START_TEST(exchange__allocates_the_response_and_nothing_else)
{
    struct urlpool_response *response;

    failing_allocator_install();
    fixture_begin(&fixture);
    fixture.fields = "Accept: */*\nUser-Agent: test\n";
    response = fixture_answer(&fixture, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    ck_assert_int_eq(urlpool_response_read_all(response, NULL), URLPOOL_OK);
    urlpool_response_free(response);

    fixture.call.trace = NULL; /* as text the heads take memory */
    script_give(fixture.script, "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 2\r\n\r\nhi");
    failing_allocator_fail_nth(0);
    response = fixture_exchange(&fixture);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(urlp_response_set_url(response, urlp_span_of("http://a/"), NULL), URLPOOL_OK);
    ck_assert_int_eq(urlpool_response_read_all(response, NULL), URLPOOL_OK);
    ck_assert_uint_eq(failing_allocator_num_tried(), 1);
    ck_assert_str_eq((const char *)response->data, "hi");
    ck_assert_str_eq(response->url, "http://a/");
    ck_assert_str_eq(urlpool_response_header(response, "server"), "x");
    urlpool_response_free(response);
    fixture_end(&fixture);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
}
END_TEST

START_TEST(exchange__goes_on_after_writes_that_took_a_part)
{
    static const char request[] =
        "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789";
    struct urlpool_response *response;
    size_t cut_at;

    for (cut_at = 1; cut_at < sizeof(request) - 1; cut_at++) {
        fixture_begin(&fixture);
        script_hide(fixture.script);
        fixture.method = "PUT";
        fixture.fields = "Content-Length: 10\n";
        fixture.body = urlpool_body_bytes("0123456789", 10);
        script_take(fixture.script, cut_at);
        script_take(fixture.script, 1);
        response = fixture_answer(&fixture, OK_EMPTY);
        ck_assert_str_eq(script_written(fixture.script), request);
        ck_assert_uint_eq(script_num_writes(fixture.script), cut_at == sizeof(request) - 2 ? 2 : 3);
        ck_assert(fixture.verdict.is_reusable);
        urlpool_response_free(response);
        fixture_end(&fixture);
    }
}
END_TEST

START_TEST(exchange__refuses_a_request_while_a_response_is_unread)
{
    struct urlpool_response *response;
    size_t written;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
    written = script_written_len(fixture.script);
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_CANNOT_SEND_REQUEST);
    ck_assert_uint_eq(script_written_len(fixture.script), written);
    ck_assert(!fixture.facts.request_bytes_sent);
    ck_assert(!fixture.facts.response_bytes_seen);

    script_give(fixture.script, "cde"); /* the response is none the worse for it */
    ck_assert_int_eq(urlpool_response_read_all(response, NULL), URLPOOL_OK);
    ck_assert_str_eq((const char *)response->data, "abcde");
    ck_assert(fixture.verdict.is_reusable);
    urlpool_response_free(response);
    fixture_end(&fixture);
}
END_TEST

START_TEST(exchange__on_a_closed_connection_is_not_connected)
{
    fixture_begin(&fixture);
    fixture_open(&fixture);
    urlp_connection_shut(fixture.connection, true);
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_NOT_CONNECTED);
    fixture_end(&fixture);
}
END_TEST

START_TEST(exchange__refuses_an_unfit_head_and_leaves_the_connection_as_it_was)
{
    struct urlp_connection_verdict verdict;

    fixture_begin(&fixture);
    fixture.target = "/a b";
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_HEADER);
    ck_assert_uint_eq(script_num_writes(fixture.script), 0);
    urlp_connection_judge(fixture.connection, &verdict);
    ck_assert(verdict.is_reusable);

    fixture.target = "/";
    urlpool_response_free(fixture_answer(&fixture, OK_EMPTY));
    fixture_end(&fixture);
}
END_TEST

START_TEST(exchange__refuses_bytes_that_are_not_as_many_as_announced)
{
    static const char *const lengths[] = {"Content-Length: 4\n", "Content-Length: 6\n", ""};
    size_t i;

    for (i = 0; i < 3; i++) {
        fixture_begin(&fixture);
        fixture.method = "POST";
        fixture.fields = lengths[i];
        fixture.body = urlpool_body_bytes("hello", 5);
        ck_assert_ptr_null(fixture_exchange(&fixture));
        ck_assert_int_eq(fixture.err.code, URLPOOL_E_BODY);
        ck_assert_uint_eq(script_num_writes(fixture.script), 0);
        ck_assert(!fixture.facts.request_bytes_sent);
        ck_assert(!fixture.err.maybe_processed);
        fixture_end(&fixture);
    }
}
END_TEST

START_TEST(exchange__refuses_content_with_trace)
{
    fixture_begin(&fixture);
    fixture.method = "TRACE";
    fixture.fields = "Content-Length: 5\n";
    fixture.body = urlpool_body_bytes("hello", 5);
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_BODY);
    ck_assert_uint_eq(script_num_writes(fixture.script), 0);
    fixture_end(&fixture);
}
END_TEST

START_TEST(exchange__is_not_repeated_on_a_connection_that_failed)
{
    fixture_begin(&fixture);
    script_fail_read(fixture.script, URLPOOL_E_RESET);
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_CANNOT_SEND_REQUEST);
    ck_assert_uint_eq(script_num_writes(fixture.script), 1);
    fixture_end(&fixture);
}
END_TEST

/* struct bad_head is what a peer answers, and what that is. */
struct bad_head {
    const char *text;
    enum urlpool_code code;
};
static const struct bad_head bad_heads[] = {
    {"",                                                   URLPOOL_E_REMOTE_DISCONNECTED},
    {"HTTP/1.1 20",                                        URLPOOL_E_INCOMPLETE_READ    },
    {"HTTP/1.1 200 OK\r\nA: b\r\n",                        URLPOOL_E_INCOMPLETE_READ    },
    {"HTTP/1.1 100 Continue\r\n\r\n",                      URLPOOL_E_INCOMPLETE_READ    },
    {"<html>",                                             URLPOOL_E_BAD_STATUS_LINE    },
    {"HTTP/2.0 200 OK\r\n\r\n",                            URLPOOL_E_UNKNOWN_PROTOCOL   },
    {"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",                URLPOOL_E_BAD_FIELD          },
    {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",      URLPOOL_E_BAD_LENGTH         },
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", URLPOOL_E_TRANSFER_ENCODING  },
    {"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",       URLPOOL_E_PROTOCOL           },
};

static void check_bad_head(const struct bad_head *bad)
{
    struct urlp_connection_verdict verdict;

    fixture_begin(&fixture);
    if (bad->text[0] != '\0') {
        script_give(fixture.script, bad->text);
    }
    script_end(fixture.script, URLP_END_CLEAN);
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_msg(fixture.err.code == bad->code, "%s: %s", bad->text, fixture.err.message);
    ck_assert_int_eq(fixture.err.phase, URLPOOL_PHASE_HEAD);
    ck_assert_int_eq(fixture.facts.response_bytes_seen, bad->text[0] != '\0');
    urlp_connection_judge(fixture.connection, &verdict);
    ck_assert(!verdict.is_reusable);
    ck_assert_int_eq(verdict.why, URLPOOL_CLOSED_ERROR);
    fixture_end(&fixture);
}

START_TEST(exchange__refuses_what_is_no_head)
{
    size_t i;

    for (i = 0; i < sizeof(bad_heads) / sizeof(bad_heads[0]); i++) {
        check_bad_head(&bad_heads[i]);
    }
}
END_TEST

START_TEST(exchange__without_an_answer_times_out_in_the_head)
{
    fixture_begin(&fixture);
    fixture.read_ms = 50;
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_READ_TIMEOUT);
    ck_assert_int_eq(fixture.err.phase, URLPOOL_PHASE_HEAD);
    ck_assert(fixture.facts.request_bytes_sent);
    ck_assert(!fixture.facts.response_bytes_seen);
    fixture_end(&fixture);
}
END_TEST

/* long_head is a head of more than 40 000 bytes. */
static char *long_head(void)
{
    char *text = malloc(65536);
    size_t len = 0;
    int i;

    ck_assert_ptr_nonnull(text);
    len += (size_t)sprintf(text, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n");
    for (i = 0; i < 40; i++) {
        len += (size_t)sprintf(text + len, "X-Field-%02d: %01000d\r\n", i, i);
    }
    (void)sprintf(text + len, "\r\nbody");
    return text;
}

START_TEST(exchange__reads_a_head_larger_than_its_first_memory)
{
    struct urlpool_response *response;
    char *text = long_head();
    size_t len = strlen(text);
    size_t at;

    fixture_begin(&fixture);
    for (at = 0; at < len; at += 5000) {
        script_give_bytes(fixture.script, text + at, len - at < 5000 ? len - at : 5000);
    }
    response = fixture_exchange(&fixture);
    ck_assert_msg(response != NULL, "%s", fixture.err.message);
    ck_assert_uint_eq(urlpool_headers_count(response->headers), 41);
    ck_assert_int_eq(atoi(urlpool_response_header(response, "x-field-39")), 39);
    ck_assert_int_eq(urlpool_response_read_all(response, NULL), URLPOOL_OK);
    ck_assert_str_eq((const char *)response->data, "body");
    urlpool_response_free(response);
    fixture_end(&fixture);
    free(text);
}
END_TEST

START_TEST(exchange__keeps_to_the_limits_of_the_connection)
{
    char *text = long_head();

    fixture_begin(&fixture);
    fixture.limits.head_bytes_max = 20000;
    script_give(fixture.script, text);
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_HEAD_TOO_LARGE);
    fixture_end(&fixture);

    fixture_begin(&fixture);
    fixture.limits.fields_max = 40;
    script_give(fixture.script, text);
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_TOO_MANY_HEADERS);
    fixture_end(&fixture);
    free(text);
}
END_TEST

START_TEST(exchange__that_changes_the_protocol_is_the_last)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    fixture.fields = "Connection: upgrade\nUpgrade: echo\n";
    response = fixture_answer(&fixture, "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\n"
                                        "Upgrade: echo\r\n\r\nnot HTTP");
    ck_assert_int_eq(response->status, 101);
    ck_assert_uint_eq(fixture.num_ended, 0);
    ck_assert_int_eq(urlpool_response_read_all(response, NULL), URLPOOL_OK);
    ck_assert_uint_eq(response->data_len, 0);
    fixture_finish(&fixture, response);
    ck_assert(!fixture.verdict.is_reusable);
}
END_TEST

START_TEST(exchange__tells_the_sink_what_happens_in_order)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                                        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    ck_assert_int_eq(urlpool_response_read_all(response, NULL), URLPOOL_OK);
    ck_assert_str_eq(fixture.traced, "REQUEST 0 GET / HTTP/1.1\r\nHost: a\r\n\r\n\n"
                                     "SENT 27\n"
                                     "FIRST 0\n"
                                     "INTERIM 103 HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n\n"
                                     "RESPONSE 200 HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\n"
                                     "END 2\n");
    urlpool_response_free(response);
    fixture_end(&fixture);
}
END_TEST

START_TEST(exchange__masks_credentials_in_what_it_tells)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    fixture.fields = "Authorization: Basic hush\nCookie: hush\nX-Open: seen\n";
    response = fixture_answer(&fixture, "HTTP/1.1 200 OK\r\nSet-Cookie: hush\r\nX-Too: shown\r\n"
                                        "Content-Length: 0\r\n\r\n");
    ck_assert_ptr_null(strstr(fixture.traced, "hush"));
    ck_assert_ptr_nonnull(strstr(fixture.traced, "Authorization: ***\r\n"));
    ck_assert_ptr_nonnull(strstr(fixture.traced, "Set-Cookie: ***\r\n"));
    ck_assert_ptr_nonnull(strstr(fixture.traced, "X-Open: seen\r\n"));
    ck_assert_ptr_nonnull(strstr(fixture.traced, "X-Too: shown\r\n"));
    ck_assert_ptr_nonnull(strstr(script_written(fixture.script), "Authorization: Basic hush\r\n"));
    urlpool_response_free(response);
    fixture_end(&fixture);
}
END_TEST

START_TEST(exchange__survives_each_allocation_that_fails)
{
    uint64_t n;
    bool has_failed = true;

    failing_allocator_install();
    for (n = 1; has_failed; n++) {
        struct urlpool_response *response;

        fixture_begin(&fixture);
        fixture_open(&fixture);
        script_give(fixture.script, "HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n"
                                    "2\r\nhi\r\n0\r\nT: x\r\n\r\n");
        failing_allocator_fail_nth(n);
        response = fixture_exchange(&fixture);
        if (response == NULL) {
            ck_assert_int_eq(fixture.err.code, URLPOOL_E_NOMEM);
        } else if (urlpool_response_read_all(response, &fixture.err) != URLPOOL_OK) {
            ck_assert_int_eq(fixture.err.code, URLPOOL_E_NOMEM);
        }
        urlpool_response_free(response);
        has_failed = failing_allocator_has_failed();
        failing_allocator_fail_nth(0);
        fixture_end(&fixture);
        ck_assert_int_eq(failing_allocator_num_live(), 0);
    }
    ck_assert_uint_ge(n, 5);
}
END_TEST

RUN_TESTS(
    "exchange", exchange__of_a_small_get_is_one_write_and_one_read,
    exchange__sends_head_and_small_body_in_one_write, exchange__sends_chunked_bytes_in_one_write,
    exchange__sends_an_empty_chunked_body_as_its_last_chunk_alone,
    exchange__allocates_the_response_and_nothing_else,
    exchange__goes_on_after_writes_that_took_a_part,
    exchange__refuses_a_request_while_a_response_is_unread,
    exchange__on_a_closed_connection_is_not_connected,
    exchange__refuses_an_unfit_head_and_leaves_the_connection_as_it_was,
    exchange__refuses_bytes_that_are_not_as_many_as_announced, exchange__refuses_content_with_trace,
    exchange__is_not_repeated_on_a_connection_that_failed, exchange__refuses_what_is_no_head,
    exchange__without_an_answer_times_out_in_the_head,
    exchange__reads_a_head_larger_than_its_first_memory,
    exchange__keeps_to_the_limits_of_the_connection,
    exchange__that_changes_the_protocol_is_the_last, exchange__tells_the_sink_what_happens_in_order,
    exchange__masks_credentials_in_what_it_tells, exchange__survives_each_allocation_that_fails)
