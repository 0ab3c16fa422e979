/* What is heard while a request is being sent, over a scripted stream: answers that come early,
 * peers that stop taking the request, writes that find no room. */

#include <errno.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "conn/wire.h"
#include "net/tcp.h"
#include "net/tls.h"
#include "support/certs.h"
#include "support/conn_fixture.h"
#include "support/loopback.h"
#include "support/run_tests.h"

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static struct fixture fixture;

/* set_post makes the exchange a POST of `len` bytes 'x'. */
static void set_post(size_t len)
{
    static char fields[64];
    char *bytes = malloc(len);

    ck_assert_ptr_nonnull(bytes);
    memset(bytes, 'x', len);
    (void)snprintf(fields, sizeof(fields), "Content-Length: %zu\n", len);
    fixture.method = "POST";
    fixture.fields = fields;
    fixture.body = urlpool_body_bytes(bytes, len);
}

static void free_post(void)
{
    free((void *)(uintptr_t)fixture.body.data);
}

START_TEST(turn__stops_sending_when_an_answer_comes_early)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    set_post(5000);
    script_take(fixture.script, 1000);
    script_give_after(fixture.script, 1000,
                      "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig");
    response = fixture_exchange(&fixture);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->status, 413);
    ck_assert_uint_eq(script_written_len(fixture.script), 1000);
    ck_assert_int_eq(urlpool_response_read_all(response, NULL), URLPOOL_OK);
    ck_assert_str_eq((const char *)response->data, "big");
    ck_assert_uint_eq(fixture.num_ended, 1);
    ck_assert(!fixture.verdict.is_reusable);
    ck_assert_int_eq(fixture.verdict.why, URLPOOL_CLOSED_NOT_REUSABLE);
    ck_assert_ptr_null(strstr(fixture.traced, "SENT"));
    urlpool_response_free(response);
    free_post();
    fixture_end(&fixture);
}
END_TEST

START_TEST(turn__hears_an_early_answer_in_pieces_and_sends_until_its_head_is_whole)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    set_post(5000);
    script_take(fixture.script, 1000);
    script_take(fixture.script, 1000);
    script_take(fixture.script, 1000);
    script_give_after(fixture.script, 1000, "HTTP/1.1 413 Content ");
    script_give_after(fixture.script, 3000, "Too Large\r\nContent-Length: 0\r\n\r\n");
    response = fixture_exchange(&fixture);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->status, 413);
    ck_assert_uint_eq(script_written_len(fixture.script), 3000);
    ck_assert(!fixture.verdict.is_reusable);
    urlpool_response_free(response);
    free_post();
    fixture_end(&fixture);
}
END_TEST

START_TEST(turn__goes_on_sending_after_an_interim_response)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    set_post(5000);
    script_take(fixture.script, 1000);
    script_give_after(fixture.script, 1000, "HTTP/1.1 100 Continue\r\n\r\n");
    script_give_after(fixture.script, 5050, OK_EMPTY);
    response = fixture_exchange(&fixture);
    ck_assert_msg(response != NULL, "%s", fixture.err.message);
    ck_assert_int_eq(response->status, 200);
    ck_assert_uint_eq(script_written_len(fixture.script), 5050);
    ck_assert(fixture.verdict.is_reusable);
    ck_assert_ptr_nonnull(strstr(fixture.traced, "INTERIM 100 HTTP/1.1 100 Continue"));
    urlpool_response_free(response);
    free_post();
    fixture_end(&fixture);
}
END_TEST

START_TEST(turn__hears_an_early_answer_while_a_write_has_no_room)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    set_post(5000);
    script_take(fixture.script, 1000);
    script_take(fixture.script, 0);
    script_take(fixture.script, 0);
    /* The look after the first write sees nothing: the answer takes three more bytes. */
    script_take(fixture.script, 3);
    script_take(fixture.script, 0);
    script_give_after(fixture.script, 1003, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
    response = fixture_exchange(&fixture);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->status, 503);
    ck_assert_uint_eq(script_written_len(fixture.script), 1003);
    urlpool_response_free(response);
    free_post();
    fixture_end(&fixture);
}
END_TEST

START_TEST(turn__gives_up_a_write_that_finds_no_room_for_write_ms)
{
    size_t i;

    urlp_clock_fake_begin(0); /* a write without room takes all the time it is given */
    fixture_begin(&fixture);
    set_post(5000);
    fixture.write_ms = 250;
    script_take(fixture.script, 1000);
    for (i = 0; i < 20; i++) {
        script_take(fixture.script, 0);
    }
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_WRITE_TIMEOUT);
    ck_assert_int_eq(fixture.err.phase, URLPOOL_PHASE_SEND);
    ck_assert_uint_eq(script_num_writes(fixture.script), 1 + 3); /* 100 + 100 + 50 ms */
    ck_assert_int_eq(urlp_now_ns(), 250 * URLP_NS_PER_MS);
    ck_assert(fixture.err.maybe_processed);
    free_post();
    fixture_end(&fixture);
    urlp_clock_fake_end();
}
END_TEST

START_TEST(turn__counts_write_ms_anew_after_each_byte_taken)
{
    struct urlpool_response *response;
    size_t i;

    fixture_begin(&fixture);
    script_hide(fixture.script);
    set_post(5000);
    urlp_clock_fake_begin(0);
    fixture.write_ms = 150;
    for (i = 0; i < 10; i++) {
        script_take(fixture.script, 0); /* 100 ms each */
        script_take(fixture.script, 100);
    }
    response = fixture_answer(&fixture, OK_EMPTY);
    ck_assert_uint_eq(script_written_len(fixture.script), 5050);
    ck_assert(fixture.verdict.is_reusable);
    urlpool_response_free(response);
    free_post();
    fixture_end(&fixture);
    urlp_clock_fake_end();
}
END_TEST

START_TEST(turn__ends_a_stalled_write_at_the_end_of_the_call)
{
    fixture_begin(&fixture);
    set_post(5000);
    fixture.call.by = fixture.call.total_by = urlp_deadline_in(0);
    script_take(fixture.script, 1000);
    script_take(fixture.script, 0);
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_TOTAL_TIMEOUT);
    ck_assert_uint_eq(script_num_writes(fixture.script), 2);
    free_post();
    fixture_end(&fixture);

    fixture_begin(&fixture); /* the end of a phase, such as opening a tunnel */
    set_post(5000);
    fixture.call.by = urlp_deadline_in(0);
    script_take(fixture.script, 1000);
    script_take(fixture.script, 0);
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_WRITE_TIMEOUT);
    ck_assert_uint_eq(script_num_writes(fixture.script), 2);
    free_post();
    fixture_end(&fixture);
}
END_TEST

/* begin_broken_pipe makes a POST whose second write fails with RESET. */
static void begin_broken_pipe(void)
{
    fixture_begin(&fixture);
    script_hide(fixture.script);
    set_post(5000);
    script_take(fixture.script, 1000);
    script_fail_write(fixture.script, URLPOOL_E_RESET);
}

START_TEST(turn__after_a_broken_pipe_still_reads_the_answer)
{
    struct urlpool_response *response;

    begin_broken_pipe();
    response = fixture_answer(&fixture, "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    ck_assert_int_eq(response->status, 403);
    ck_assert_int_eq(urlpool_response_read_all(response, NULL), URLPOOL_OK);
    ck_assert_str_eq((const char *)response->data, "no");
    ck_assert(!fixture.verdict.is_reusable);
    ck_assert_uint_eq(script_num_writes(fixture.script), 2);
    ck_assert(fixture.facts.request_bytes_sent);
    ck_assert_ptr_null(strstr(fixture.traced, "SENT"));
    urlpool_response_free(response);
    free_post();
    fixture_end(&fixture);
}
END_TEST

START_TEST(turn__after_a_broken_pipe_without_an_answer_blames_the_pipe)
{
    begin_broken_pipe();
    script_end(fixture.script, URLP_END_CLEAN);
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_RESET);
    ck_assert_int_eq(fixture.err.phase, URLPOOL_PHASE_SEND);
    ck_assert_int_eq(fixture.err.os_errno, EPIPE);
    ck_assert(fixture.err.maybe_processed);
    ck_assert(fixture.facts.request_bytes_sent);
    ck_assert(!fixture.facts.response_bytes_seen);
    free_post();
    fixture_end(&fixture);
}
END_TEST

START_TEST(turn__after_a_broken_pipe_with_half_an_answer_blames_the_answer)
{
    begin_broken_pipe();
    script_give(fixture.script, "HTTP/1.1 403 Forb");
    script_end(fixture.script, URLP_END_CLEAN);
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_INCOMPLETE_READ);
    ck_assert_int_eq(fixture.err.phase, URLPOOL_PHASE_HEAD);
    ck_assert(fixture.facts.response_bytes_seen);
    free_post();
    fixture_end(&fixture);
}
END_TEST

START_TEST(turn__whose_first_write_fails_reads_nothing)
{
    fixture_begin(&fixture);
    script_fail_write(fixture.script, URLPOOL_E_RESET);
    script_give(fixture.script, "HTTP/1.1 408 Too Late\r\nContent-Length: 0\r\n\r\n");
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_RESET);
    ck_assert_uint_eq(script_num_reads(fixture.script), 0);
    ck_assert(!fixture.facts.request_bytes_sent);
    ck_assert(!fixture.err.maybe_processed);
    fixture_end(&fixture);
}
END_TEST

START_TEST(turn__stops_sending_to_a_peer_that_has_closed)
{
    fixture_begin(&fixture);
    set_post(5000);
    script_take(fixture.script, 1000);
    script_end_after(fixture.script, 1000, URLP_END_CLEAN);
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_REMOTE_DISCONNECTED);
    ck_assert_uint_eq(script_written_len(fixture.script), 1000);
    free_post();
    fixture_end(&fixture);
}
END_TEST

START_TEST(turn__fails_with_what_the_stream_fails_with)
{
    static const enum urlpool_code codes[] = {URLPOOL_E_TLS, URLPOOL_E_CANCELLED,
                                              URLPOOL_E_TOTAL_TIMEOUT, URLPOOL_E_SYSTEM};
    struct urlp_connection_verdict verdict;
    size_t i;

    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        fixture_begin(&fixture);
        script_fail_write(fixture.script, codes[i]);
        ck_assert_ptr_null(fixture_exchange(&fixture));
        ck_assert_int_eq(fixture.err.code, codes[i]);
        fixture_end(&fixture);

        fixture_begin(&fixture);
        script_fail_read(fixture.script, codes[i]);
        ck_assert_ptr_null(fixture_exchange(&fixture));
        ck_assert_int_eq(fixture.err.code, codes[i]);
        ck_assert_int_eq(fixture.err.phase, URLPOOL_PHASE_HEAD);
        ck_assert(fixture.err.maybe_processed);
        urlp_connection_judge(fixture.connection, &verdict);
        ck_assert(!verdict.is_reusable);
        ck_assert(!verdict.is_polite);
        ck_assert_int_eq(verdict.why, URLPOOL_CLOSED_ERROR);
        fixture_end(&fixture);
    }
}
END_TEST

START_TEST(turn__that_fails_while_it_listens_has_failed_to_send)
{
    static const enum urlpool_code codes[] = {URLPOOL_E_TLS, URLPOOL_E_CANCELLED, URLPOOL_E_SYSTEM};

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        fixture_begin(&fixture);
        set_post(5000);
        script_take(fixture.script, 1000);
        script_fail_read(fixture.script, codes[i]);
        ck_assert_ptr_null(fixture_exchange(&fixture));
        ck_assert_int_eq(fixture.err.code, codes[i]);
        ck_assert_int_eq(fixture.err.phase, URLPOOL_PHASE_SEND);
        ck_assert_uint_eq(script_written_len(fixture.script), 1000);
        free_post();
        fixture_end(&fixture);
    }
}
END_TEST

enum {
    RECORDS_MAX = 4096
};

/* struct late_reader is a TLS server that does not read for a while, then counts what it reads. */
struct late_reader {
    int fd;
    SSL_CTX *context;
    size_t expected;
    size_t num_good;
    bool says_half; /* before it reads, the first half of a record; the rest behind the last byte */
};

/* say_half writes the first half of a record, and gives the rest, and those behind it. */
static void say_half(const struct late_reader *reader, SSL *ssl, char rest[RECORDS_MAX],
                     size_t *out_len)
{
    static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
    BIO *memory = BIO_new(BIO_s_mem());
    char record[RECORDS_MAX];
    int len;

    SSL_set0_wbio(ssl, memory);
    ck_assert_int_eq(SSL_write(ssl, interim, sizeof(interim) - 1), sizeof(interim) - 1);
    len = BIO_read(memory, record, sizeof(record));
    ck_assert(len > 20 && len < RECORDS_MAX);
    ck_assert_int_eq(write(reader->fd, record, 10), 10);
    *out_len = (size_t)len - 10;
    memcpy(rest, record + 10, *out_len);
    SSL_set0_wbio(ssl, BIO_new_socket(reader->fd, BIO_NOCLOSE));
}

static void *read_late(void *arg)
{
    struct late_reader *reader = arg;
    SSL *ssl = SSL_new(reader->context);
    /* Longer than it takes until the client looks for an early answer: the stall is the point. */
    const struct timespec stall = {.tv_nsec = 250 * 1000 * 1000};
    size_t total = 0;
    size_t rest_len = 0;
    char bytes[4096];
    char rest[RECORDS_MAX];
    int len = 1;

    ck_assert_int_eq(SSL_set_fd(ssl, reader->fd), 1);
    ck_assert_int_eq(SSL_accept(ssl), 1);
    if (reader->says_half) {
        say_half(reader, ssl, rest, &rest_len);
    }
    nanosleep(&stall, NULL);
    while (total < reader->expected && len > 0) {
        int i;

        len = SSL_read(ssl, bytes, sizeof(bytes));
        for (i = 0; i < len; i++) {
            reader->num_good += bytes[i] == 'x';
        }
        total += len > 0 ? (size_t)len : 0;
    }
    if (total == reader->expected) {
        ck_assert_int_eq(write(reader->fd, rest, rest_len), rest_len);
        ck_assert_int_eq(SSL_write(ssl, OK_EMPTY, sizeof(OK_EMPTY) - 1), sizeof(OK_EMPTY) - 1);
    }
    SSL_free(ssl);
    return NULL;
}

/* post_over_tls sends 8 MiB, more than the kernel holds, to a late reader. */
static void post_over_tls(bool says_half)
{
    struct test_cert *leaf = test_leaf("a", NULL);
    const struct test_cert *const certs[] = {leaf, NULL};
    struct urlpool_tls *tls =
        urlpool_tls_new(&(struct urlpool_tls_options){.insecure_no_verify = true}, NULL);
    const struct urlp_tls_target target = {.host = urlp_span_of("a")};
    const struct urlp_origin origin = {.host = urlp_span_of("a"), .is_https = true};
    struct late_reader reader = {.context = test_cert_context(certs), .says_half = says_half};
    struct urlpool_response *response;
    struct urlp_stream *stream;
    pthread_t thread;
    int fds[2];

    fixture_begin(&fixture);
    set_post(8 << 20);
    fixture.read_ms = 2000;
    fixture.call.trace = NULL;
    reader.expected = (8 << 20) + 53;
    loopback_pair(fds);
    reader.fd = fds[1];
    ck_assert_int_eq(pthread_create(&thread, NULL, read_late, &reader), 0);
    stream = urlp_tls_wrap(urlp_tcp_wrap(fds[0], NULL), tls, &target, NULL, &fixture.call, NULL);
    ck_assert_ptr_nonnull(stream);
    fixture.connection = urlp_connection_create(&origin, &fixture.limits, NULL);
    ck_assert_int_eq(urlp_connection_attach(fixture.connection, stream, NULL), URLPOOL_OK);
    response = fixture_exchange(&fixture);
    if (response == NULL) {
        ck_assert_int_eq(shutdown(fds[1], SHUT_RDWR), 0); /* who reads need not wait */
    }
    pthread_join(thread, NULL);
    urlpool_response_free(response);
    ck_assert_msg(fixture.verdict.is_reusable, "%s", fixture.err.message);
    ck_assert_uint_eq(reader.num_good, 8 << 20);
    free_post();
    fixture_end(&fixture);
    close(fds[1]);
    SSL_CTX_free(reader.context);
    urlpool_tls_unref(tls);
    test_cert_free(leaf);
}

START_TEST(turn__over_tls_goes_on_after_writes_that_found_no_room)
{
    post_over_tls(false);
}
END_TEST

START_TEST(turn__over_tls_waits_for_no_record_while_it_sends)
{
    post_over_tls(true);
}
END_TEST

#define START_NS  ((int64_t)1000 * URLP_NS_PER_MS)
#define EXPECTING "Content-Length: 5\nExpect: 100-continue\n"
#define HEAD_LEN  ((size_t)69)

/* begin_expecting makes the exchange a POST of "hello" that waits for 100 (Continue), under a fake
 * clock. */
static void begin_expecting(void)
{
    urlp_clock_fake_begin(START_NS);
    fixture_begin(&fixture);
    fixture.method = "POST";
    fixture.fields = EXPECTING;
    fixture.body = urlpool_body_bytes("hello", 5);
    fixture.body.expect_continue = true;
}

static void end_expecting(void)
{
    fixture_end(&fixture);
    urlp_clock_fake_end();
}

static int64_t waited_ms(void)
{
    return (urlp_now_ns() - START_NS) / URLP_NS_PER_MS;
}

static bool is_body_sent(void)
{
    return strstr(script_written(fixture.script), "\r\n\r\nhello") != NULL;
}

START_TEST(expect__sends_the_body_when_100_comes_and_not_before)
{
    struct urlpool_response *response;

    begin_expecting();
    script_give_after(fixture.script, HEAD_LEN, "HTTP/1.1 103 Early Hints\r\n\r\n");
    script_give_after(fixture.script, HEAD_LEN, "HTTP/1.1 100 Continue\r\n\r\n");
    script_give_after(fixture.script, HEAD_LEN + 5, OK_EMPTY);
    response = fixture_exchange(&fixture);
    ck_assert_msg(response != NULL, "%s", fixture.err.message);
    ck_assert_int_eq(response->status, 200);
    ck_assert_str_eq(script_calls(fixture.script), "write read write read");
    ck_assert(strstr(fixture.traced, "INTERIM 100") < strstr(fixture.traced, "SENT"));
    ck_assert_ptr_nonnull(strstr(fixture.traced, "INTERIM 103")); /* which did not end the wait */
    ck_assert(is_body_sent());
    ck_assert_int_eq(waited_ms(), 0);
    ck_assert(fixture.verdict.is_reusable);
    urlpool_response_free(response);
    end_expecting();
}
END_TEST

START_TEST(expect__sends_the_body_when_nothing_comes_in_time)
{
    static const struct {
        int64_t given_ms, waited_ms;
    } cases[] = {
        {0,            1000},
        {20,           20  },
        {URLPOOL_NONE, 0   }
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin_expecting();
        fixture.body.expect_ms = cases[i].given_ms;
        script_give_after(fixture.script, HEAD_LEN + 5, OK_EMPTY);
        urlpool_response_free(fixture_exchange(&fixture));
        ck_assert_int_eq(fixture.err.code, URLPOOL_OK);
        ck_assert(is_body_sent());
        ck_assert_uint_eq(script_num_writes(fixture.script), 2);
        ck_assert_int_eq(waited_ms(), cases[i].waited_ms);
        ck_assert(fixture.verdict.is_reusable);
        end_expecting();
    }
}
END_TEST

START_TEST(expect__takes_a_100_that_comes_late)
{
    begin_expecting();
    script_give_after(fixture.script, HEAD_LEN + 5, "HTTP/1.1 100 Continue\r\n\r\n" OK_EMPTY);
    urlpool_response_free(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_OK);
    ck_assert_int_eq(waited_ms(), 1000);
    ck_assert(fixture.verdict.is_reusable);
    end_expecting();
}
END_TEST

START_TEST(expect__does_not_send_the_body_after_a_final_answer)
{
    static const char *const answers[] = {
        "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n", OK_EMPTY};
    static const int statuses[] = {417, 200};

    for (size_t i = 0; i < 2; i++) {
        struct urlpool_response *response;

        begin_expecting();
        script_give_after(fixture.script, HEAD_LEN, answers[i]);
        response = fixture_exchange(&fixture);
        ck_assert_msg(response != NULL, "%s", fixture.err.message);
        ck_assert_int_eq(response->status, statuses[i]);
        ck_assert(!is_body_sent());
        ck_assert(!fixture.verdict.is_reusable); /* it announced a body, and owes it */
        urlpool_response_free(response);
        end_expecting();
    }
}
END_TEST

START_TEST(expect__notices_that_the_peer_has_closed)
{
    begin_expecting();
    script_end_after(fixture.script, HEAD_LEN, URLP_END_CLEAN);
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_REMOTE_DISCONNECTED);
    ck_assert(!is_body_sent());
    ck_assert(fixture.facts.request_bytes_sent);
    ck_assert(!fixture.facts.response_bytes_seen);
    end_expecting();
    begin_expecting();
    script_fail_read(fixture.script, URLPOOL_E_RESET);
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_RESET);
    ck_assert(!is_body_sent());
    end_expecting();
}
END_TEST

START_TEST(expect__waits_no_longer_than_the_deadline)
{
    begin_expecting();
    fixture.call.by = fixture.call.total_by = urlp_deadline_in(300);
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_TOTAL_TIMEOUT);
    ck_assert_int_eq(fixture.err.phase, URLPOOL_PHASE_SEND);
    ck_assert(!is_body_sent());
    ck_assert_int_eq(waited_ms(), 300);
    end_expecting();
}
END_TEST

START_TEST(expect__is_not_waited_for_when_the_head_does_not_say_it)
{
    begin_expecting();
    fixture.fields = "Content-Length: 5\n";
    script_give_after(fixture.script, 47 + 5, OK_EMPTY);
    urlpool_response_free(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_OK);
    ck_assert_int_eq(waited_ms(), 0);
    ck_assert_uint_eq(script_num_writes(fixture.script), 1);
    end_expecting();
}
END_TEST

START_TEST(expect__takes_nothing_from_a_body_that_is_not_asked_for)
{
    int fds[2];

    ck_assert_int_eq(pipe(fds), 0);
    begin_expecting();
    fixture.fields = "Transfer-Encoding: chunked\nExpect: 100-continue\n";
    fixture.body = urlpool_body_fd(fds[0]);
    fixture.body.expect_continue = true;
    script_give_after(fixture.script, 78, "HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
    urlpool_response_free(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_OK);
    ck_assert(urlp_body_plan_can_rewind(&fixture.plan)); /* it can be sent, for the first time */
    end_expecting();
    close(fds[0]);
    close(fds[1]);
}
END_TEST

RUN_TESTS("turn", turn__stops_sending_when_an_answer_comes_early,
          turn__hears_an_early_answer_in_pieces_and_sends_until_its_head_is_whole,
          turn__goes_on_sending_after_an_interim_response,
          turn__hears_an_early_answer_while_a_write_has_no_room,
          turn__gives_up_a_write_that_finds_no_room_for_write_ms,
          turn__counts_write_ms_anew_after_each_byte_taken,
          turn__ends_a_stalled_write_at_the_end_of_the_call,
          turn__after_a_broken_pipe_still_reads_the_answer,
          turn__after_a_broken_pipe_without_an_answer_blames_the_pipe,
          turn__after_a_broken_pipe_with_half_an_answer_blames_the_answer,
          turn__whose_first_write_fails_reads_nothing,
          turn__stops_sending_to_a_peer_that_has_closed,
          turn__fails_with_what_the_stream_fails_with,
          turn__that_fails_while_it_listens_has_failed_to_send,
          turn__over_tls_goes_on_after_writes_that_found_no_room,
          turn__over_tls_waits_for_no_record_while_it_sends,
          expect__sends_the_body_when_100_comes_and_not_before,
          expect__sends_the_body_when_nothing_comes_in_time, expect__takes_a_100_that_comes_late,
          expect__does_not_send_the_body_after_a_final_answer,
          expect__notices_that_the_peer_has_closed, expect__waits_no_longer_than_the_deadline,
          expect__is_not_waited_for_when_the_head_does_not_say_it,
          expect__takes_nothing_from_a_body_that_is_not_asked_for)
