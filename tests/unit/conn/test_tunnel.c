/* CONNECT over a scripted stream: what is asked of the proxy, and each way in which it can answer.
 */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "conn/tunnel.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"
#include "support/script_stream.h"

static struct script *script;
static struct urlpool_error err;
static struct urlpool_limits limits;
static struct urlp_call call;
static struct urlp_tunnel tunnel;
static struct urlpool_headers *answer;
static char traced[256];

static void record(void *user, const struct urlpool_trace_event *event)
{
    (void)user;
    if (event->kind == URLPOOL_TRACE_TUNNELLED) {
        (void)snprintf(traced, sizeof(traced), "%.*s %d", (int)event->text_len, event->text,
                       (int)event->number);
    }
}

static const struct urlpool_trace trace = {.event = record};

static void begin(void)
{
    script = script_new();
    urlpool_headers_free(answer);
    answer = NULL;
    limits = (struct urlpool_limits){0};
    tunnel = (struct urlp_tunnel){
        .target = {.host = urlp_span_of("example.com"), .port = 443}
    };
    call = (struct urlp_call){
        .by = urlp_deadline_in(3600000), .total_by = URLP_NEVER, .trace = &trace};
}

static struct urlp_stream *wrap(void)
{
    return urlp_tunnel_wrap(script_open(script), &tunnel, &limits, &call, &answer, &err);
}

/* check_refused says that no tunnel came about, and that the stream below is still the caller's. */
static void check_refused(enum urlpool_code code, enum urlpool_code cause, const char *message)
{
    struct urlp_stream *stream = wrap();

    ck_assert_ptr_null(stream);
    ck_assert_int_eq(err.code, code);
    ck_assert_int_eq(err.cause, cause);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_PROXY);
    ck_assert_str_eq(err.message, message);
    ck_assert_ptr_null(strstr(script_calls(script), "free"));
    script_free(script);
}

START_TEST(tunnel__is_one_step_of_the_callers_request)
{
    struct urlp_marks marks;
    struct urlp_stream *stream;

    begin();
    urlp_marks_begin(&marks, 1);
    call.marks = &marks;
    script_give(script, "HTTP/1.1 200 OK\r\n\r\n");
    stream = wrap();
    ck_assert_int_gt(marks.proxied_ns, 0);
    ck_assert_int_eq(marks.sent_ns, 0);
    ck_assert_int_eq(marks.first_byte_ns, 0);
    urlp_stream_free(stream, URLP_CLOSE_SILENT);
    script_free(script);
}
END_TEST

START_TEST(tunnel__asks_for_host_and_port)
{
    struct urlp_stream *stream;

    begin();
    script_give(script, "HTTP/1.1 200 Connection established\r\n\r\n");
    stream = wrap();
    ck_assert_ptr_eq(stream, script_open(script));
    ck_assert_str_eq(script_written(script),
                     "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n");
    ck_assert_str_eq(script_calls(script), "write read");
    ck_assert_str_eq(traced, "example.com:443 200");
    urlp_stream_free(stream, URLP_CLOSE_SILENT);
    script_free(script);
}
END_TEST

START_TEST(tunnel__puts_an_ipv6_address_in_brackets_and_leaves_its_zone_out)
{
    struct urlp_stream *stream;

    begin();
    tunnel.target.host = urlp_span_of("fe80::1");
    tunnel.target.zone = urlp_span_of("eth0");
    tunnel.target.port = 80;
    script_give(script, "HTTP/1.1 200 OK\r\n\r\n");
    stream = wrap();
    ck_assert_str_eq(script_written(script),
                     "CONNECT [fe80::1]:80 HTTP/1.1\r\nHost: [fe80::1]:80\r\n\r\n");
    urlp_stream_free(stream, URLP_CLOSE_SILENT);
    script_free(script);
}
END_TEST

START_TEST(tunnel__sends_the_headers_for_the_proxy_and_one_host)
{
    struct urlpool_headers *headers = urlpool_headers_new(NULL);
    struct urlp_stream *stream;

    ck_assert_int_eq(urlpool_headers_add(headers, "host", "elsewhere", NULL), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(headers, "Proxy-Authorization", "Basic eA==", NULL),
                     URLPOOL_OK);
    begin();
    tunnel.headers = headers;
    script_give(script, "HTTP/1.1 200 OK\r\n\r\n");
    stream = wrap();
    ck_assert_str_eq(script_written(script), "CONNECT example.com:443 HTTP/1.1\r\n"
                                             "Host: example.com:443\r\n"
                                             "Proxy-Authorization: Basic eA==\r\n\r\n");
    urlp_stream_free(stream, URLP_CLOSE_SILENT);
    script_free(script);
    urlpool_headers_free(headers);
}
END_TEST

START_TEST(tunnel__gives_out_first_what_came_behind_the_answer)
{
    struct urlp_stream *stream;
    enum urlp_end end;
    char buf[16];
    size_t len;

    begin();
    script_give(script,
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
    script_give(script, "lo");
    stream = wrap();
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_eq(urlp_stream_read(stream, buf, 16, &len, &end, &call, NULL), URLPOOL_OK);
    ck_assert_uint_eq(len, 3);
    ck_assert_mem_eq(buf, "hel", 3);
    ck_assert_int_eq(urlp_stream_read(stream, buf, 16, &len, &end, &call, NULL), URLPOOL_OK);
    ck_assert_mem_eq(buf, "lo", 2);
    urlp_stream_free(stream, URLP_CLOSE_SILENT);
    script_free(script);
}
END_TEST

START_TEST(tunnel__that_is_refused_says_by_which_status)
{
    begin();
    script_give(script,
                "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\nno");
    check_refused(URLPOOL_E_PROXY, URLPOOL_OK,
                  "tunnel to example.com:443 refused: 407 Proxy Authentication Required");
    ck_assert_int_eq(err.http_status, 407);
    ck_assert_str_eq(traced, "example.com:443 407");

    begin();
    script_give(script, "HTTP/1.1 302 x\xffy\r\nLocation: /\r\n\r\n");
    check_refused(URLPOOL_E_PROXY, URLPOOL_OK, "tunnel to example.com:443 refused: 302 x\\xffy");

    begin();
    script_give(script, "HTTP/1.1 502\r\n\r\n");
    check_refused(URLPOOL_E_PROXY, URLPOOL_OK, "tunnel to example.com:443 refused: 502");
}
END_TEST

START_TEST(tunnel__through_a_proxy_that_speaks_no_http_fails_with_the_cause)
{
    begin();
    script_give(script, "SSH-2.0-OpenSSH\r\n");
    ck_assert_ptr_null(wrap());
    ck_assert_int_eq(err.code, URLPOOL_E_PROXY);
    ck_assert_int_eq(err.cause, URLPOOL_E_BAD_STATUS_LINE);
    ck_assert_int_eq(strncmp(err.message, "tunnel to example.com:443: ", 27), 0);
    script_free(script);

    begin();
    script_end(script, URLP_END_CLEAN);
    ck_assert_ptr_null(wrap());
    ck_assert_int_eq(err.code, URLPOOL_E_PROXY);
    ck_assert_int_eq(err.cause, URLPOOL_E_REMOTE_DISCONNECTED);
    script_free(script);

    begin();
    script_fail_write(script, URLPOOL_E_RESET);
    ck_assert_ptr_null(wrap());
    ck_assert_int_eq(err.code, URLPOOL_E_PROXY);
    ck_assert_int_eq(err.cause, URLPOOL_E_RESET);
    script_free(script);
}
END_TEST

START_TEST(tunnel__through_a_silent_proxy_is_a_connect_timeout)
{
    begin();
    check_refused(URLPOOL_E_CONNECT_TIMEOUT, URLPOOL_E_READ_TIMEOUT,
                  "tunnel to example.com:443: the script has nothing to give");

    begin();
    call.total_by = call.by;
    check_refused(URLPOOL_E_TOTAL_TIMEOUT, URLPOOL_OK,
                  "tunnel to example.com:443: the script has nothing to give");

    begin();
    script_fail_read(script, URLPOOL_E_CANCELLED);
    ck_assert_ptr_null(wrap());
    ck_assert_int_eq(err.code, URLPOOL_E_CANCELLED);
    script_free(script);
}
END_TEST

START_TEST(tunnel__keeps_to_the_limits_of_heads)
{
    begin();
    limits.fields_max = 1;
    script_give(script, "HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\n\r\n");
    ck_assert_ptr_null(wrap());
    ck_assert_int_eq(err.cause, URLPOOL_E_TOO_MANY_HEADERS);
    script_free(script);
}
END_TEST

START_TEST(tunnel__survives_each_allocation_that_fails)
{
    bool has_failed = true;
    uint64_t n;

    failing_allocator_install();
    for (n = 1; has_failed; n++) {
        struct urlp_stream *stream;

        begin();
        script_give(script, "HTTP/1.1 200 OK\r\n\r\nmore");
        failing_allocator_fail_nth(n);
        stream = wrap();
        has_failed = failing_allocator_has_failed();
        failing_allocator_fail_nth(0);
        if (stream == NULL) {
            ck_assert_int_eq(err.code, URLPOOL_E_NOMEM);
        }
        urlp_stream_free(stream, URLP_CLOSE_SILENT);
        urlpool_headers_free(answer);
        answer = NULL;
        ck_assert_int_eq(failing_allocator_num_live(), 0);
        script_free(script);
    }
    ck_assert_uint_gt(n, 5);
}
END_TEST

START_TEST(tunnel__keeps_what_the_proxy_said)
{
    struct urlp_stream *stream;

    begin();
    script_give(script, "HTTP/1.1 103 Early Hints\r\nX: early\r\n\r\n"
                        "HTTP/1.1 200 OK\r\nVia: one\r\nX: 1\r\nx: 2\r\n\r\n");
    stream = wrap();
    ck_assert_uint_eq(urlpool_headers_count(answer), 3);
    ck_assert_str_eq(urlpool_headers_get(answer, "via"), "one");
    ck_assert_str_eq(urlpool_headers_get_nth(answer, "X", 1), "2");
    urlp_stream_free(stream, URLP_CLOSE_SILENT);
    script_free(script);

    script = script_new(); /* the answer of another takes the place of that */
    script_give(script, "HTTP/1.1 403 No\r\nX: no\r\n\r\n");
    ck_assert_ptr_null(wrap());
    ck_assert_uint_eq(urlpool_headers_count(answer), 1);
    ck_assert_str_eq(urlpool_headers_get(answer, "X"), "no");
    script_free(script);

    begin();
    script_end(script, URLP_END_CLEAN);
    ck_assert_ptr_null(wrap());
    ck_assert_ptr_null(answer);
    script_free(script);
}
END_TEST

START_TEST(tunnel__says_what_a_407_asks_for)
{
    begin();
    script_give(script, "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"a\xff\"\r\n"
                        "Proxy-Authenticate: Digest\r\n\r\n");
    check_refused(
        URLPOOL_E_PROXY, URLPOOL_OK,
        "tunnel to example.com:443 refused: 407 Who; asked for is Basic realm=\"a\\xff\"");

    begin();
    script_give(script, "HTTP/1.1 403 No\r\nProxy-Authenticate: Basic\r\n\r\n");
    check_refused(URLPOOL_E_PROXY, URLPOOL_OK, "tunnel to example.com:443 refused: 403 No");
}
END_TEST

RUN_TESTS("tunnel", tunnel__asks_for_host_and_port, tunnel__is_one_step_of_the_callers_request,
          tunnel__puts_an_ipv6_address_in_brackets_and_leaves_its_zone_out,
          tunnel__sends_the_headers_for_the_proxy_and_one_host,
          tunnel__gives_out_first_what_came_behind_the_answer,
          tunnel__that_is_refused_says_by_which_status, tunnel__keeps_what_the_proxy_said,
          tunnel__says_what_a_407_asks_for,
          tunnel__through_a_proxy_that_speaks_no_http_fails_with_the_cause,
          tunnel__through_a_silent_proxy_is_a_connect_timeout, tunnel__keeps_to_the_limits_of_heads,
          tunnel__survives_each_allocation_that_fails)
