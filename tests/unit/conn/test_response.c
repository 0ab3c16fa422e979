/* What a caller gets out of a response, over a scripted stream: all ways to read, all ways in which
 * a body ends or fails to, and what becomes of the connection then. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn/wire.h"
#include "support/conn_fixture.h"
#include "support/run_tests.h"

#define SIZED(len)  "HTTP/1.1 200 OK\r\nContent-Length: " #len "\r\n\r\n"
#define CHUNKED     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define UNTIL_CLOSE "HTTP/1.1 200 OK\r\n\r\n"

static struct fixture fixture;

/* pattern is `len` bytes that repeat at no power of two; for free(). */
static char *pattern(size_t len)
{
    char *bytes = malloc(len + 1);
    size_t i;

    ck_assert_ptr_nonnull(bytes);
    for (i = 0; i < len; i++) {
        bytes[i] = (char)('a' + i % 23);
    }
    bytes[len] = '\0';
    return bytes;
}

START_TEST(read_all__puts_a_small_body_into_the_response)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, SIZED(5) "hello");
    fixture_expect_end(&fixture, 0, false);
    ck_assert_ptr_null(response->data);
    fixture_expect_body(&fixture, response, "hello");
    fixture_expect_end(&fixture, 1, true);
    fixture_expect_body(&fixture, response, "hello"); /* again is harmless */
    fixture_expect_end(&fixture, 1, true);
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(read_all__after_read_gives_the_rest)
{
    struct urlpool_response *response;
    char buf[3];
    size_t len;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, SIZED(5) "hello");
    ck_assert_int_eq(urlpool_response_read(response, buf, 3, &len, NULL), URLPOOL_OK);
    fixture_expect_body(&fixture, response, "lo");
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(read_all__reads_bodies_of_every_size_in_pieces_of_any)
{
    static const size_t sizes[] = {1, 4094, 4095, 4096, 4097, 16384, 65536, 300001};
    static const size_t pieces[] = {1000, 4096, 16384, 100000};
    size_t i, j, at;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (j = 0; j < sizeof(pieces) / sizeof(pieces[0]); j++) {
            struct urlpool_response *response;
            char *body = pattern(sizes[i]);
            char head[128];

            fixture_begin(&fixture);
            (void)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
                           sizes[i]);
            script_give(fixture.script, head);
            for (at = 0; at < sizes[i]; at += pieces[j]) {
                script_give_bytes(fixture.script, body + at,
                                  sizes[i] - at < pieces[j] ? sizes[i] - at : pieces[j]);
            }
            response = fixture_exchange(&fixture);
            fixture_expect_body(&fixture, response, body);
            fixture_expect_end(&fixture, 1, true);
            fixture_finish(&fixture, response);
            free(body);
        }
    }
}
END_TEST

START_TEST(read_all__reads_large_bodies_into_their_own_memory_in_few_reads)
{
    struct urlpool_response *response;
    char *body = pattern(1 << 20);

    fixture_begin(&fixture);
    script_give(fixture.script, SIZED(1048576));
    script_give_bytes(fixture.script, body, 1 << 20);
    response = fixture_exchange(&fixture);
    fixture_expect_body(&fixture, response, body);
    /* Head; then reads as large as the memory, which doubles from 16 KiB. */
    ck_assert_uint_le(script_num_reads(fixture.script), 1 + 8);
    fixture_finish(&fixture, response);
    free(body);
}
END_TEST

START_TEST(read_all__takes_memory_for_what_came_and_not_for_what_was_announced)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, SIZED(4611686018427387904) "hello");
    script_end(fixture.script, URLP_END_CLEAN);
    ck_assert_int_eq(urlpool_response_read_all(response, &fixture.err), URLPOOL_E_INCOMPLETE_READ);
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(read_all__is_cut_off_at_data_bytes_max)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    fixture.data_bytes_max = 5;
    response = fixture_answer(&fixture, SIZED(5) "hello");
    fixture_expect_body(&fixture, response, "hello");
    fixture_finish(&fixture, response);

    fixture_begin(&fixture);
    fixture.data_bytes_max = 4;
    response = fixture_answer(&fixture, SIZED(5));
    ck_assert_int_eq(urlpool_response_read_all(response, &fixture.err), URLPOOL_E_DATA_TOO_LARGE);
    ck_assert_uint_eq(script_num_reads(fixture.script), 1); /* known from the head */
    fixture_expect_end(&fixture, 1, false);
    fixture_finish(&fixture, response);

    fixture_begin(&fixture);
    fixture.data_bytes_max = 5;
    response = fixture_answer(&fixture, CHUNKED "5\r\nhello\r\n0\r\n\r\n");
    fixture_expect_body(&fixture, response, "hello");
    fixture_finish(&fixture, response);

    fixture_begin(&fixture);
    fixture.data_bytes_max = 4;
    response = fixture_answer(&fixture, CHUNKED "5\r\nhello\r\n0\r\n\r\n");
    ck_assert_int_eq(urlpool_response_read_all(response, &fixture.err), URLPOOL_E_DATA_TOO_LARGE);
    ck_assert_ptr_null(response->data);
    fixture_finish(&fixture, response);

    fixture_begin(&fixture);
    fixture.data_bytes_max = 0;
    response = fixture_answer(&fixture, CHUNKED "1\r\nh\r\n0\r\n\r\n");
    ck_assert_int_eq(urlpool_response_read_all(response, &fixture.err), URLPOOL_E_DATA_TOO_LARGE);
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(read__is_not_bound_by_data_bytes_max)
{
    struct urlpool_response *response;
    char buf[8];
    size_t len;

    fixture_begin(&fixture);
    fixture.data_bytes_max = 4;
    response = fixture_answer(&fixture, SIZED(5) "hello");
    ck_assert_int_eq(urlpool_response_read_exact(response, buf, 8, &len, NULL), URLPOOL_OK);
    ck_assert_uint_eq(len, 5);
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(read__gives_what_is_there_and_ends_with_nothing)
{
    struct urlpool_response *response;
    char buf[8];
    size_t len;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, SIZED(5) "he");
    ck_assert_int_eq(urlpool_response_read(response, buf, 8, &len, NULL), URLPOOL_OK);
    ck_assert_uint_eq(len, 2);
    ck_assert_mem_eq(buf, "he", 2);
    script_give(fixture.script, "llo");
    ck_assert_int_eq(urlpool_response_read(response, buf, 1, &len, NULL), URLPOOL_OK);
    ck_assert_mem_eq(buf, "l", 1);
    fixture_expect_end(&fixture, 0, false);
    ck_assert_int_eq(urlpool_response_read(response, buf, 8, &len, NULL), URLPOOL_OK);
    ck_assert_uint_eq(len, 2);
    fixture_expect_end(&fixture, 1, true); /* with the last byte, not at the call after it */
    ck_assert_int_eq(urlpool_response_read(response, buf, 8, &len, NULL), URLPOOL_OK);
    ck_assert_uint_eq(len, 0);
    ck_assert_int_eq(urlpool_response_read(response, buf, 8, &len, NULL), URLPOOL_OK);
    ck_assert_uint_eq(len, 0);
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(read__of_a_chunked_body_goes_home_with_its_last_chunk)
{
    struct urlpool_response *response;
    char buf[8];
    size_t len;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, CHUNKED "2\r\nhi\r\n3\r\nyou\r\n0\r\n\r\n");
    ck_assert_int_eq(urlpool_response_read_exact(response, buf, 5, &len, NULL), URLPOOL_OK);
    ck_assert_mem_eq(buf, "hiyou", 5);
    fixture_expect_end(&fixture, 1, true);
    ck_assert_ptr_null(urlpool_response_trailers(response));
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(read__refuses_arguments_that_make_no_sense)
{
    struct urlpool_response *response;
    char buf[8];
    size_t len = 77;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, SIZED(5) "hello");
    ck_assert_int_eq(urlpool_response_read(NULL, buf, 1, &len, NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_response_read(response, NULL, 1, &len, NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_response_read(response, buf, 1, NULL, NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_response_read(response, buf, 0, &len, NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_response_read_exact(NULL, buf, 1, &len, NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_response_read_all(NULL, NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_response_stream(response, NULL, NULL, NULL), URLPOOL_E_INVALID);
    ck_assert_ptr_null(urlpool_response_trailers(NULL));
    ck_assert_ptr_null(urlpool_response_header(response, NULL));
    ck_assert_uint_eq(len, 77);
    fixture_expect_body(&fixture, response, "hello");
    ck_assert_int_eq(urlpool_response_read(response, buf, 1, &len, NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_response_read_exact(response, buf, 1, &len, NULL), URLPOOL_E_INVALID);
    urlpool_response_free(NULL);
    urlpool_response_close(NULL);
    urlpool_response_drain(NULL);
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(read_exact__gives_fewer_bytes_only_at_the_end)
{
    struct urlpool_response *response;
    char buf[16];
    size_t len;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, CHUNKED "2\r\nhe\r\n");
    script_give(fixture.script, "3\r\nllo\r\n");
    script_give(fixture.script, "0\r\n\r\n");
    ck_assert_int_eq(urlpool_response_read_exact(response, buf, 4, &len, NULL), URLPOOL_OK);
    ck_assert_uint_eq(len, 4);
    ck_assert_mem_eq(buf, "hell", 4);
    ck_assert_int_eq(urlpool_response_read_exact(response, buf, 0, &len, NULL), URLPOOL_OK);
    ck_assert_uint_eq(len, 0);
    ck_assert_int_eq(urlpool_response_read_exact(response, buf, 16, &len, NULL), URLPOOL_OK);
    ck_assert_uint_eq(len, 1);
    ck_assert_mem_eq(buf, "o", 1);
    fixture_expect_end(&fixture, 1, true);
    fixture_finish(&fixture, response);
}
END_TEST

/* What a sink was given. */
struct heap {
    char bytes[262144];
    size_t len, num_pieces, largest;
    size_t stop_at;
};

static enum urlpool_code collect(void *user, const void *data, size_t len,
                                 struct urlpool_error *err)
{
    struct heap *heap = user;

    (void)err;
    ck_assert_uint_gt(len, 0);
    memcpy(heap->bytes + heap->len, data, len);
    heap->len += len;
    heap->num_pieces++;
    heap->largest = len > heap->largest ? len : heap->largest;
    return heap->stop_at != 0 && heap->len >= heap->stop_at ? URLPOOL_E_CANCELLED : URLPOOL_OK;
}

START_TEST(stream__gives_the_whole_body_to_the_sink)
{
    static struct heap heap;
    struct urlpool_response *response;
    char *body = pattern(200000);

    fixture_begin(&fixture);
    script_give(fixture.script, SIZED(200000));
    script_give_bytes(fixture.script, body, 200000);
    response = fixture_exchange(&fixture);
    ck_assert_int_eq(urlpool_response_stream(response, collect, &heap, NULL), URLPOOL_OK);
    ck_assert_uint_eq(heap.len, 200000);
    ck_assert_mem_eq(heap.bytes, body, 200000);
    ck_assert_uint_le(heap.largest, 65536);
    ck_assert_ptr_null(response->data);
    fixture_expect_end(&fixture, 1, true);
    fixture_finish(&fixture, response);
    free(body);
}
END_TEST

START_TEST(stream__ends_with_the_code_of_the_sink)
{
    static struct heap heap;
    struct urlpool_response *response;

    heap.stop_at = 2;
    fixture_begin(&fixture);
    response = fixture_answer(&fixture, SIZED(4) "ab");
    script_give(fixture.script, "cd");
    ck_assert_int_eq(urlpool_response_stream(response, collect, &heap, NULL), URLPOOL_E_CANCELLED);
    ck_assert_uint_eq(heap.len, 2);
    fixture_expect_end(&fixture, 0, false);
    fixture_expect_body(&fixture, response, "cd"); /* the body is still there */
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(drain__reads_what_is_left_so_that_the_connection_can_be_used_again)
{
    static const char *const answers[] = {SIZED(5) "hello", CHUNKED "5\r\nhello\r\n0\r\n\r\n"};
    size_t i;

    for (i = 0; i < 2; i++) {
        struct urlpool_response *response;
        size_t len;
        char byte;

        fixture_begin(&fixture);
        response = fixture_answer(&fixture, answers[i]);
        urlpool_response_drain(response);
        fixture_expect_end(&fixture, 1, true);
        ck_assert_ptr_null(response->data);
        ck_assert_int_eq(urlpool_response_read(response, &byte, 1, &len, NULL), URLPOOL_OK);
        ck_assert_uint_eq(len, 0);
        fixture_finish(&fixture, response);
    }
}
END_TEST

START_TEST(drain__reads_64_kib_and_no_more)
{
    char *body = pattern(200000);
    struct urlpool_response *response;

    fixture_begin(&fixture);
    script_give(fixture.script, SIZED(65536));
    script_give_bytes(fixture.script, body, 65536);
    response = fixture_exchange(&fixture);
    urlpool_response_drain(response);
    fixture_expect_end(&fixture, 1, true);
    fixture_finish(&fixture, response);

    fixture_begin(&fixture); /* known from the head: not worth a read */
    script_give(fixture.script, SIZED(65537));
    script_give_bytes(fixture.script, body, 65537);
    response = fixture_exchange(&fixture);
    urlpool_response_drain(response);
    fixture_expect_end(&fixture, 1, false);
    ck_assert_int_eq(fixture.verdict.why, URLPOOL_CLOSED_UNREAD);
    ck_assert(fixture.verdict.is_polite);
    ck_assert_uint_eq(script_num_reads(fixture.script), 1);
    fixture_finish(&fixture, response);

    fixture_begin(&fixture); /* learnt on the way */
    script_give(fixture.script, CHUNKED "30d40\r\n");
    script_give_bytes(fixture.script, body, 200000);
    response = fixture_exchange(&fixture);
    urlpool_response_drain(response);
    fixture_expect_end(&fixture, 1, false);
    ck_assert_int_eq(fixture.verdict.why, URLPOOL_CLOSED_UNREAD);
    ck_assert_uint_le(script_num_reads(fixture.script), 1 + 5);
    fixture_finish(&fixture, response);
    free(body);
}
END_TEST

START_TEST(drain__does_not_wait_for_what_does_not_come)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, SIZED(5) "he");
    urlpool_response_drain(response);
    fixture_expect_end(&fixture, 1, false);
    ck_assert_int_eq(fixture.verdict.why, URLPOOL_CLOSED_UNREAD);
    ck_assert(fixture.verdict.is_polite);
    fixture_finish(&fixture, response);

    fixture_begin(&fixture); /* cannot bring the connection home, so is not tried */
    response = fixture_answer(&fixture, UNTIL_CLOSE "hello");
    urlpool_response_drain(response);
    fixture_expect_end(&fixture, 1, false);
    ck_assert_uint_eq(script_num_reads(fixture.script), 1);
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(free__drains_what_is_unread)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, SIZED(5) "he");
    script_give(fixture.script, "llo");
    urlpool_response_free(response);
    fixture_expect_end(&fixture, 1, true);
    fixture_end(&fixture);
}
END_TEST

START_TEST(release__keeps_the_connection_when_the_rest_is_here_and_reads_nothing)
{
    static const struct {
        const char *answer;
        bool is_reusable;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole",                                  true },
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n",
         true                                                                                       },
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhalf",                                   false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",                                       false},
        {"HTTP/1.1 200 OK\r\n\r\nuntil close",                                                 false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct urlpool_response *response;
        size_t len;
        char byte;

        fixture_begin(&fixture);
        response = fixture_answer(&fixture, cases[i].answer);
        script_give(fixture.script, "more");
        urlpool_response_release(response);
        fixture_expect_end(&fixture, 1, cases[i].is_reusable);
        ck_assert_uint_eq(script_num_reads(fixture.script), 1);
        ck_assert_int_eq(urlpool_response_read(response, &byte, 1, &len, NULL),
                         cases[i].is_reusable ? URLPOOL_OK : URLPOOL_E_NOT_CONNECTED);
        urlpool_response_release(response);
        fixture_finish(&fixture, response);
    }
    urlpool_response_release(NULL);
}
END_TEST

START_TEST(close__gives_the_connection_up_at_once)
{
    struct urlpool_response *response;
    size_t len;
    char byte;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, SIZED(5) "hello");
    urlpool_response_close(response);
    fixture_expect_end(&fixture, 1, false);
    ck_assert_int_eq(fixture.verdict.why, URLPOOL_CLOSED_UNREAD);
    ck_assert_int_eq(urlpool_response_read(response, &byte, 1, &len, NULL),
                     URLPOOL_E_NOT_CONNECTED);
    ck_assert_int_eq(urlpool_response_read_all(response, NULL), URLPOOL_E_NOT_CONNECTED);
    urlpool_response_close(response);
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(close__of_a_response_that_has_gone_home_does_nothing)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, SIZED(2) "hi");
    fixture_expect_body(&fixture, response, "hi");
    urlpool_response_close(response);
    urlpool_response_drain(response);
    fixture_expect_end(&fixture, 1, true);
    ck_assert_str_eq((const char *)response->data, "hi");
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(response__outlives_its_connection)
{
    struct urlpool_response *response;
    size_t len;
    char buf[8];

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, SIZED(5) "hello");
    ck_assert_int_eq(urlpool_response_read(response, buf, 2, &len, NULL), URLPOOL_OK);
    urlp_connection_end(fixture.connection, false);
    fixture.connection = NULL;
    ck_assert_int_eq(urlpool_response_read(response, buf, 2, &len, &fixture.err),
                     URLPOOL_E_NOT_CONNECTED);
    ck_assert_int_eq(fixture.err.http_status, 200);
    ck_assert_int_eq(urlpool_response_read_all(response, NULL), URLPOOL_E_NOT_CONNECTED);
    urlpool_response_drain(response);
    urlpool_response_close(response);
    ck_assert_int_eq(response->status, 200);
    urlpool_response_free(response);
    ck_assert_uint_eq(fixture.num_ended, 0); /* who ended the connection knows */
    fixture_end(&fixture);
}
END_TEST

START_TEST(response__that_nobody_owns_can_be_freed)
{
    struct urlp_connection_verdict verdict;
    const struct urlp_field host = {urlp_span_of("Host"), urlp_span_of("a")};
    const struct urlp_request_head head = {.method = urlp_span_of("GET"),
                                           .target = urlp_span_of("/"),
                                           .fields = &host,
                                           .num_fields = 1};
    const struct urlp_exchange exchange = {
        .head = &head, .read_ms = -1, .write_ms = -1, .data_bytes_max = -1};
    struct urlpool_response *response;

    fixture_begin(&fixture);
    fixture_open(&fixture);
    script_give(fixture.script, SIZED(0));
    response = urlp_connection_exchange(fixture.connection, &exchange, &fixture.call,
                                        &fixture.facts, &fixture.err);
    ck_assert_ptr_nonnull(response);
    ck_assert_ptr_null(urlp_connection_exchange(fixture.connection, &exchange, &fixture.call,
                                                &fixture.facts, &fixture.err));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_CANNOT_SEND_REQUEST);
    urlpool_response_free(response);
    urlp_connection_judge(fixture.connection, &verdict);
    ck_assert(verdict.is_reusable);

    script_give(fixture.script, SIZED(100000));
    response = urlp_connection_exchange(fixture.connection, &exchange, &fixture.call,
                                        &fixture.facts, &fixture.err);
    ck_assert_ptr_nonnull(response);
    urlpool_response_free(response);
    urlp_connection_judge(fixture.connection, &verdict);
    ck_assert(!verdict.is_reusable);
    fixture_end(&fixture);
}
END_TEST

RUN_TESTS("response", read_all__puts_a_small_body_into_the_response,
          read_all__after_read_gives_the_rest,
          read_all__reads_bodies_of_every_size_in_pieces_of_any,
          read_all__reads_large_bodies_into_their_own_memory_in_few_reads,
          read_all__takes_memory_for_what_came_and_not_for_what_was_announced,
          read_all__is_cut_off_at_data_bytes_max, read__is_not_bound_by_data_bytes_max,
          read__gives_what_is_there_and_ends_with_nothing,
          read__of_a_chunked_body_goes_home_with_its_last_chunk,
          read__refuses_arguments_that_make_no_sense, read_exact__gives_fewer_bytes_only_at_the_end,
          stream__gives_the_whole_body_to_the_sink, stream__ends_with_the_code_of_the_sink,
          drain__reads_what_is_left_so_that_the_connection_can_be_used_again,
          drain__reads_64_kib_and_no_more, drain__does_not_wait_for_what_does_not_come,
          free__drains_what_is_unread,
          release__keeps_the_connection_when_the_rest_is_here_and_reads_nothing,
          close__gives_the_connection_up_at_once,
          close__of_a_response_that_has_gone_home_does_nothing, response__outlives_its_connection,
          response__that_nobody_owns_can_be_freed)
