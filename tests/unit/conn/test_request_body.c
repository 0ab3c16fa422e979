/* Bodies of requests on the wire: descriptors in each framing, trailers, answers that come early.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "conn/wire.h"
#include "support/conn_fixture.h"
#include "support/run_tests.h"

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static struct fixture fixture;

/* file_with is an unlinked file that holds `text`, its offset at the beginning. */
static int file_with(const char *text, size_t len)
{
    char path[] = "/tmp/urlpool-body-XXXXXX";
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

/* begin_put makes the exchange a PUT of `fd`. */
static void begin_put(const char *fields, int fd)
{
    fixture_begin(&fixture);
    script_hide(fixture.script);
    fixture.method = "PUT";
    fixture.fields = fields;
    fixture.body = urlpool_body_fd(fd);
}

/* body_sent is what was written behind the head. */
static const char *body_sent(void)
{
    const char *end = strstr(script_written(fixture.script), "\r\n\r\n");

    return end == NULL ? "" : end + 4;
}

START_TEST(file__is_sent_from_its_offset_with_the_head_in_one_write)
{
    int fd = file_with("0123456789", 10);

    ck_assert_int_eq(lseek(fd, 4, SEEK_SET), 4);
    begin_put("Content-Length: 6\n", fd);
    urlpool_response_free(fixture_answer(&fixture, OK_EMPTY));
    ck_assert_str_eq(body_sent(), "456789");
    ck_assert_uint_eq(script_num_writes(fixture.script), 1);
    ck_assert(fixture.verdict.is_reusable);
    fixture_end(&fixture);
    close(fd);
}
END_TEST

START_TEST(file__that_is_empty_is_sent_as_a_head_alone)
{
    int fd = file_with("", 0);

    begin_put("Content-Length: 0\n", fd);
    urlpool_response_free(fixture_answer(&fixture, OK_EMPTY));
    ck_assert_str_eq(body_sent(), "");
    ck_assert(fixture.verdict.is_reusable);
    fixture_end(&fixture);
    close(fd);
}
END_TEST

START_TEST(file__is_sent_whole_whatever_its_size)
{
    static const size_t sizes[] = {65535, 65536, 65537, 200000};
    static char bytes[200000];
    size_t i;

    for (i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)('a' + i % 23);
    }
    for (i = 0; i < 4; i++) {
        char fields[64];
        int fd = file_with(bytes, sizes[i]);

        (void)snprintf(fields, sizeof(fields), "Content-Length: %zu\n", sizes[i]);
        begin_put(fields, fd);
        urlpool_response_free(fixture_answer(&fixture, OK_EMPTY));
        ck_assert_uint_eq(strlen(body_sent()), sizes[i]);
        ck_assert_mem_eq(body_sent(), bytes, sizes[i]);
        ck_assert(fixture.verdict.is_reusable);
        fixture_end(&fixture);
        close(fd);
    }
}
END_TEST

/* check_refused sends a file as `fields` announce it: not all that was announced may be sent. */
static void check_refused(const char *text, const char *fields, size_t announced)
{
    struct urlp_connection_verdict verdict;
    int fd = file_with(text, strlen(text));

    begin_put(fields, fd);
    script_give(fixture.script, OK_EMPTY);
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_BODY);
    ck_assert_int_eq(fixture.err.phase, URLPOOL_PHASE_SEND);
    ck_assert_uint_lt(strlen(body_sent()), announced);
    urlp_connection_judge(fixture.connection, &verdict);
    ck_assert(!verdict.is_reusable);
    fixture_end(&fixture);
    close(fd);
}

START_TEST(file__that_shrank_fails_the_request)
{
    check_refused("01234", "Content-Length: 6\n", 6);
    check_refused("", "Content-Length: 6\n", 6);
}
END_TEST

START_TEST(file__that_grew_fails_the_request_before_its_last_byte)
{
    check_refused("0123456", "Content-Length: 6\n", 6);
    check_refused("0", "Content-Length: 0\n", 1);
}
END_TEST

START_TEST(file__that_cannot_be_read_fails_the_request)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

    begin_put("Content-Length: 6\n", fd);
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_BODY);
    ck_assert_int_eq(fixture.err.os_errno, EBADF);
    ck_assert(!fixture.facts.request_bytes_sent);
    fixture_end(&fixture);
    close(fd);
}
END_TEST

START_TEST(file__is_sent_chunked_where_the_head_says_so)
{
    int fd = file_with("0123456789", 10);

    begin_put("Transfer-Encoding: chunked\n", fd);
    urlpool_response_free(fixture_answer(&fixture, OK_EMPTY));
    ck_assert_str_eq(body_sent(), "a\r\n0123456789\r\n0\r\n\r\n");
    ck_assert(fixture.verdict.is_reusable);
    fixture_end(&fixture);
    close(fd);
}
END_TEST

START_TEST(pipe__is_sent_chunked_until_its_end)
{
    int fds[2];

    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(write(fds[1], "hello", 5), 5);
    close(fds[1]);
    begin_put("Transfer-Encoding: chunked\n", fds[0]);
    urlpool_response_free(fixture_answer(&fixture, OK_EMPTY));
    ck_assert_str_eq(body_sent(), "5\r\nhello\r\n0\r\n\r\n");
    fixture_end(&fixture);
    close(fds[0]);
}
END_TEST

START_TEST(pipe__that_does_not_block_is_waited_for)
{
    int fds[2];

    ck_assert_int_eq(pipe2(fds, O_NONBLOCK), 0);
    ck_assert_int_eq(write(fds[1], "hello", 5), 5);
    begin_put("Content-Length: 5\n", fds[0]);
    fixture.call.by = fixture.call.total_by = urlp_deadline_in(30);
    ck_assert_ptr_null(fixture_exchange(&fixture)); /* its end does not come */
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_TOTAL_TIMEOUT);
    fixture_end(&fixture);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

/* An early answer is looked for every 100 ms: a deadline just behind such a look is still the
 * deadline. */
START_TEST(pipe__that_gives_nothing_is_left_at_the_deadline_whatever_comes_before_it)
{
    static const int64_t extra_us[] = {50, 200, 400, 800};
    int fds[2];

    for (size_t i = 0; i < sizeof(extra_us) / sizeof(extra_us[0]); i++) {
        ck_assert_int_eq(pipe(fds), 0);
        begin_put("Transfer-Encoding: chunked\n", fds[0]);
        fixture.call.total_by.at_ns = urlp_deadline_in(100).at_ns + extra_us[i] * 1000;
        fixture.call.by = fixture.call.total_by;
        ck_assert_ptr_null(fixture_exchange(&fixture));
        ck_assert_int_eq(fixture.err.code, URLPOOL_E_TOTAL_TIMEOUT);
        fixture_end(&fixture);
        close(fds[0]);
        close(fds[1]);
    }
}
END_TEST

START_TEST(pipe__that_gives_nothing_is_left_at_the_deadline)
{
    int fds[2];
    int64_t began = urlp_now_ns();

    ck_assert_int_eq(pipe(fds), 0);
    begin_put("Transfer-Encoding: chunked\n", fds[0]);
    fixture.call.by = fixture.call.total_by = urlp_deadline_in(430);
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_TOTAL_TIMEOUT);
    ck_assert_int_eq(fixture.err.phase, URLPOOL_PHASE_SEND);
    ck_assert_int_ge(urlp_now_ns() - began, 430 * (int64_t)URLP_NS_PER_MS);
    ck_assert_ptr_nonnull(
        strstr(script_written(fixture.script), "\r\n\r\n")); /* the head was sent */
    fixture_end(&fixture);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

START_TEST(pipe__that_gives_nothing_is_left_at_a_cancel)
{
    struct urlpool_cancel *cancel = urlpool_cancel_new(NULL);
    int fds[2];

    ck_assert_int_eq(pipe(fds), 0);
    urlpool_cancel_now(cancel);
    begin_put("Transfer-Encoding: chunked\n", fds[0]);
    fixture.call.cancel = cancel;
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_CANCELLED);
    fixture_end(&fixture);
    urlpool_cancel_free(cancel);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

START_TEST(pipe__that_gives_nothing_is_left_for_an_early_answer)
{
    struct urlpool_response *response;
    int fds[2];

    ck_assert_int_eq(pipe(fds), 0);
    fixture_begin(&fixture);
    fixture.method = "PUT";
    fixture.fields = "Transfer-Encoding: chunked\n";
    fixture.body = urlpool_body_fd(fds[0]);
    script_give_after(fixture.script, 20, "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n");
    response = fixture_exchange(&fixture);
    ck_assert_msg(response != NULL, "%s", fixture.err.message);
    ck_assert_int_eq(response->status, 401);
    ck_assert(!fixture.verdict.is_reusable);
    urlpool_response_free(response);
    fixture_end(&fixture);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

static struct urlpool_headers *trailers;

static enum urlpool_code read_and_sum(void *user, void *buf, size_t len, size_t *out_len,
                                      struct urlpool_error *err)
{
    int *num_calls = user;

    (void)len;
    (*num_calls)++;
    *out_len = *num_calls == 1 ? 2 : 0;
    memcpy(buf, "hi", 2);
    return *num_calls == 1 ? URLPOOL_OK : urlpool_headers_add(trailers, "Sum", "209", err);
}

START_TEST(trailers__stand_behind_the_last_chunk_and_may_be_added_by_the_body)
{
    int num_calls = 0;

    trailers = urlpool_headers_new(NULL);
    ck_assert_int_eq(urlpool_headers_add(trailers, "A", "1", NULL), URLPOOL_OK);
    begin_put("Transfer-Encoding: chunked\n", -1);
    fixture.body = urlpool_body_callback(read_and_sum, NULL, &num_calls, 0);
    fixture.body.trailers = trailers;
    urlpool_response_free(fixture_answer(&fixture, OK_EMPTY));
    ck_assert_str_eq(body_sent(), "2\r\nhi\r\n0\r\nA: 1\r\nSum: 209\r\n\r\n");
    ck_assert(fixture.verdict.is_reusable);
    fixture_end(&fixture);
    urlpool_headers_free(trailers);
}
END_TEST

START_TEST(trailers__follow_bytes_in_the_same_write)
{
    trailers = urlpool_headers_new(NULL);
    ck_assert_int_eq(urlpool_headers_add(trailers, "A", "1", NULL), URLPOOL_OK);
    begin_put("Transfer-Encoding: chunked\n", -1);
    fixture.body = urlpool_body_bytes("", 0);
    fixture.body.trailers = trailers;
    urlpool_response_free(fixture_answer(&fixture, OK_EMPTY));
    ck_assert_str_eq(body_sent(), "0\r\nA: 1\r\n\r\n");
    ck_assert_uint_eq(script_num_writes(fixture.script), 1);
    fixture_end(&fixture);
    urlpool_headers_free(trailers);
}
END_TEST

static void add_bad_trailer(struct fixture *unused)
{
    (void)unused;
    ck_assert_int_eq(urlpool_headers_add(trailers, "Content-Length", "1", NULL), URLPOOL_OK);
}

START_TEST(trailers__that_are_added_and_cannot_be_fail_the_request)
{
    struct urlp_connection_verdict verdict;

    trailers = urlpool_headers_new(NULL);
    begin_put("Transfer-Encoding: chunked\n", -1);
    fixture.body = urlpool_body_bytes("hi", 2);
    fixture.body.trailers = trailers;
    fixture.planned = add_bad_trailer;
    script_give(fixture.script, OK_EMPTY);
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_HEADER);
    ck_assert_int_eq(fixture.err.phase, URLPOOL_PHASE_SEND);
    ck_assert_ptr_nonnull(strstr(fixture.err.message, "Content-Length"));
    ck_assert_ptr_null(strstr(body_sent(), "0\r\n"));
    urlp_connection_judge(fixture.connection, &verdict);
    ck_assert(!verdict.is_reusable);
    fixture_end(&fixture);
    urlpool_headers_free(trailers);
}
END_TEST

START_TEST(trailers__are_refused_where_the_head_says_a_length)
{
    trailers = urlpool_headers_new(NULL);
    begin_put("Content-Length: 2\n", -1);
    fixture.body = urlpool_body_bytes("hi", 2);
    fixture.body.trailers = trailers;
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_BODY);
    ck_assert_uint_eq(script_written_len(fixture.script), 0);
    fixture_end(&fixture);
    urlpool_headers_free(trailers);
}
END_TEST

START_TEST(sending__of_a_large_body_in_pieces_looks_for_an_answer_now_and_then)
{
    static char bytes[1000000];
    struct urlpool_response *response;
    int fd;

    memset(bytes, 'x', sizeof(bytes));
    fd = file_with(bytes, sizeof(bytes));
    fixture_begin(&fixture);
    fixture.method = "PUT";
    fixture.fields = "Content-Length: 1000000\n";
    fixture.body = urlpool_body_fd(fd);
    script_give_after(fixture.script, 300000, "HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n");
    response = fixture_exchange(&fixture);
    ck_assert_msg(response != NULL, "%s", fixture.err.message);
    ck_assert_int_eq(response->status, 413);
    ck_assert_uint_lt(script_written_len(fixture.script), 700000);
    urlpool_response_free(response);
    fixture_end(&fixture);
    close(fd);
}
END_TEST

RUN_TESTS("request_body", file__is_sent_from_its_offset_with_the_head_in_one_write,
          file__that_is_empty_is_sent_as_a_head_alone, file__is_sent_whole_whatever_its_size,
          file__that_shrank_fails_the_request,
          file__that_grew_fails_the_request_before_its_last_byte,
          file__that_cannot_be_read_fails_the_request, file__is_sent_chunked_where_the_head_says_so,
          pipe__is_sent_chunked_until_its_end, pipe__that_does_not_block_is_waited_for,
          pipe__that_gives_nothing_is_left_at_the_deadline,
          pipe__that_gives_nothing_is_left_at_the_deadline_whatever_comes_before_it,
          pipe__that_gives_nothing_is_left_at_a_cancel,
          pipe__that_gives_nothing_is_left_for_an_early_answer,
          trailers__stand_behind_the_last_chunk_and_may_be_added_by_the_body,
          trailers__follow_bytes_in_the_same_write,
          trailers__that_are_added_and_cannot_be_fail_the_request,
          trailers__are_refused_where_the_head_says_a_length,
          sending__of_a_large_body_in_pieces_looks_for_an_answer_now_and_then)
