/* How bodies end, and how they fail to, over a scripted stream; content codings; and what the
 * connection is good for then. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/clock.h"
#include "conn/wire.h"
#include "support/conn_fixture.h"
#include "support/run_tests.h"

#define SIZED(len)  "HTTP/1.1 200 OK\r\nContent-Length: " #len "\r\n\r\n"
#define CHUNKED     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define UNTIL_CLOSE "HTTP/1.1 200 OK\r\n\r\n"

static struct fixture fixture;

START_TEST(body__until_close_is_whole_at_a_clean_end_and_never_reusable)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, UNTIL_CLOSE "hel");
    script_give(fixture.script, "lo");
    script_end(fixture.script, URLP_END_CLEAN);
    fixture_expect_body(&fixture, response, "hello");
    fixture_expect_end(&fixture, 1, false);
    ck_assert_int_eq(fixture.verdict.why, URLPOOL_CLOSED_NOT_REUSABLE);
    ck_assert(fixture.verdict.is_polite);
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(body__until_close_is_cut_short_by_a_ragged_end)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, UNTIL_CLOSE "hello");
    script_end(fixture.script, URLP_END_RAGGED);
    ck_assert_int_eq(urlpool_response_read_all(response, &fixture.err), URLPOOL_E_INCOMPLETE_READ);
    fixture_expect_end(&fixture, 1, false);
    ck_assert_int_eq(fixture.verdict.why, URLPOOL_CLOSED_ERROR);
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(body__of_known_length_does_not_mind_a_ragged_end_behind_it)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, SIZED(5) "hello");
    script_end(fixture.script, URLP_END_RAGGED);
    fixture_expect_body(&fixture, response, "hello");
    fixture_finish(&fixture, response);
}
END_TEST

/* struct broken is a body that fails, behind `good` bytes that do not. */
struct broken {
    const char *text;
    size_t good;
    enum urlpool_code code;
};
static const struct broken broken_bodies[] = {
    {SIZED(5) "hell",                               4, URLPOOL_E_INCOMPLETE_READ},
    {SIZED(5),                                      0, URLPOOL_E_INCOMPLETE_READ},
    {CHUNKED,                                       0, URLPOOL_E_INCOMPLETE_READ},
    {CHUNKED "5\r\nhell",                           4, URLPOOL_E_INCOMPLETE_READ},
    {CHUNKED "5\r\nhello\r\n",                      5, URLPOOL_E_INCOMPLETE_READ},
    {CHUNKED "5\r\nhello\r\n0\r\n",                 5, URLPOOL_E_INCOMPLETE_READ},
    {CHUNKED "5\r\nhello\r\nzz\r\n",                5, URLPOOL_E_BAD_CHUNK      },
    {CHUNKED "zz\r\n",                              0, URLPOOL_E_BAD_CHUNK      },
    {CHUNKED "5\r\nhelloXX",                        5, URLPOOL_E_BAD_CHUNK      },
    {CHUNKED "5\r\nhello\r\n0\r\nno colon\r\n\r\n", 5, URLPOOL_E_BAD_FIELD      },
};

/* read_broken reads until the body fails; the failure stays the same ever after. */
static void read_broken(const struct broken *broken)
{
    struct urlp_connection_verdict verdict;
    struct urlpool_response *response;
    enum urlpool_code code = URLPOOL_OK;
    size_t total = 0;
    size_t len = 0;
    char buf[16];
    int i;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, broken->text);
    script_end(fixture.script, URLP_END_CLEAN);
    while (code == URLPOOL_OK) {
        code = urlpool_response_read(response, buf, 16, &len, &fixture.err);
        total += code == URLPOOL_OK ? len : 0;
        ck_assert(code != URLPOOL_OK || len > 0);
    }
    ck_assert_msg(code == broken->code, "%s: %s", broken->text, fixture.err.message);
    ck_assert_uint_eq(total, broken->good);
    for (i = 0; i < 2; i++) {
        struct urlpool_error again;

        ck_assert_int_eq(urlpool_response_read(response, buf, 16, &len, &again), broken->code);
        ck_assert_int_eq(urlpool_response_read_all(response, &again), broken->code);
        ck_assert_str_eq(again.message, fixture.err.message);
        ck_assert_int_eq(again.http_status, 200);
        ck_assert(again.maybe_processed);
    }
    fixture_expect_end(&fixture, 1, false);
    ck_assert_int_eq(fixture.verdict.why, URLPOOL_CLOSED_ERROR);
    ck_assert(!fixture.verdict.is_polite);
    urlp_connection_judge(fixture.connection, &verdict); /* says so to whoever asks later, too */
    ck_assert(!verdict.is_reusable);
    ck_assert_int_eq(verdict.why, URLPOOL_CLOSED_ERROR);
    ck_assert_ptr_null(strstr(fixture.traced, "END"));
    fixture_finish(&fixture, response);
}

START_TEST(body__that_breaks_gives_what_was_good_and_then_fails_for_ever)
{
    size_t i;

    for (i = 0; i < sizeof(broken_bodies) / sizeof(broken_bodies[0]); i++) {
        read_broken(&broken_bodies[i]);
    }
}
END_TEST

START_TEST(body__that_does_not_come_times_out)
{
    struct urlpool_response *response;
    char buf[8];
    size_t len;

    fixture_begin(&fixture);
    fixture.read_ms = 50;
    response = fixture_answer(&fixture, SIZED(5) "he");
    ck_assert_int_eq(urlpool_response_read(response, buf, 8, &len, NULL), URLPOOL_OK);
    fixture.err.code = URLPOOL_OK;
    ck_assert_int_eq(urlpool_response_read(response, buf, 8, &len, &fixture.err),
                     URLPOOL_E_READ_TIMEOUT);
    ck_assert_int_eq(fixture.err.phase, URLPOOL_PHASE_BODY);
    fixture_expect_end(&fixture, 1, false);
    script_give(fixture.script, "llo"); /* late bytes reach nobody */
    ck_assert_int_eq(urlpool_response_read(response, buf, 8, &len, NULL), URLPOOL_E_READ_TIMEOUT);
    fixture_finish(&fixture, response);

    fixture_begin(&fixture);
    fixture.call.by = fixture.call.total_by = urlp_deadline_in(1000000);
    response = fixture_answer(&fixture, SIZED(5) "he");
    ck_assert_int_eq(urlpool_response_read_all(response, NULL), URLPOOL_E_TOTAL_TIMEOUT);
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(connection__with_bytes_left_over_is_not_used_again)
{
    static const char *const answers[] = {SIZED(2) "hiX", SIZED(0) "HTTP/1.1 200 OK\r\n\r\n",
                                          CHUNKED "0\r\n\r\n\r\n",
                                          "HTTP/1.1 304 x\r\nContent-Length: 2\r\n\r\nhi"};
    size_t i;

    for (i = 0; i < 4; i++) {
        struct urlpool_response *response;

        fixture_begin(&fixture);
        response = fixture_answer(&fixture, answers[i]);
        ck_assert_int_eq(urlpool_response_read_all(response, NULL), URLPOOL_OK);
        fixture_expect_end(&fixture, 1, false);
        ck_assert_int_eq(fixture.verdict.why, URLPOOL_CLOSED_NOT_REUSABLE);
        fixture_finish(&fixture, response);
    }
}
END_TEST

START_TEST(connection__that_either_side_closes_is_not_used_again)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, "HTTP/1.1 200 OK\r\nConnection: close\r\n"
                                        "Content-Length: 2\r\n\r\nhi");
    fixture_expect_body(&fixture, response, "hi");
    fixture_expect_end(&fixture, 1, false);
    ck_assert_int_eq(fixture.verdict.why, URLPOOL_CLOSED_NOT_REUSABLE);
    fixture_finish(&fixture, response);

    fixture_begin(&fixture);
    fixture.fields = "Connection: close\n";
    response = fixture_answer(&fixture, SIZED(2) "hi");
    fixture_expect_body(&fixture, response, "hi");
    fixture_expect_end(&fixture, 1, false);
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(connection__brings_the_hints_of_the_server_home)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=7, max=42\r\n"
                                        "Content-Length: 0\r\n\r\n");
    ck_assert_int_eq(fixture.verdict.keep_alive_timeout_s, 7);
    ck_assert_int_eq(fixture.verdict.keep_alive_max, 42);
    fixture_finish(&fixture, response);

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, SIZED(0));
    ck_assert_int_eq(fixture.verdict.keep_alive_timeout_s, -1);
    ck_assert_int_eq(fixture.verdict.keep_alive_max, -1);
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(connection__serves_one_response_after_the_other)
{
    int i;

    fixture_begin(&fixture);
    for (i = 1; i <= 5; i++) {
        struct urlpool_response *response = fixture_answer(&fixture, SIZED(2) "hi");

        fixture_expect_body(&fixture, response, "hi");
        ck_assert_uint_eq(fixture.num_ended, (unsigned)i);
        ck_assert(fixture.verdict.is_reusable);
        urlpool_response_free(response);
        urlp_connection_rest(fixture.connection);
    }
    fixture_end(&fixture);
}
END_TEST

START_TEST(trailers__are_there_once_the_body_has_ended)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, CHUNKED "2\r\nhi\r\n0\r\n");
    ck_assert_ptr_null(urlpool_response_trailers(response));
    script_give(fixture.script, "Digest: x\r\nDigest: y\r\n\r\n");
    fixture_expect_body(&fixture, response, "hi");
    ck_assert_uint_eq(urlpool_headers_count(urlpool_response_trailers(response)), 2);
    ck_assert_str_eq(urlpool_headers_get_nth(urlpool_response_trailers(response), "digest", 1),
                     "y");
    ck_assert_ptr_null(urlpool_response_header(response, "Digest"));
    fixture_expect_end(&fixture, 1, true);
    fixture_finish(&fixture, response);
}
END_TEST

/* packed is `data` as gzip; for free(). */
static unsigned char *packed(const void *data, size_t len, size_t *out_len)
{
    z_stream z = {0};
    size_t cap = len + 1024;
    unsigned char *out = malloc(cap);

    ck_assert_ptr_nonnull(out);
    ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (unsigned char *)(uintptr_t)data;
    z.avail_in = (unsigned)len;
    z.next_out = out;
    z.avail_out = (unsigned)cap;
    ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    *out_len = z.total_out;
    ck_assert_int_eq(deflateEnd(&z), Z_OK);
    return out;
}

/* layered is `data` as gzip, `num_layers` times over, behind a head that says so; for free(). */
static char *layered(const void *data, size_t len, int num_layers, size_t *out_len)
{
    unsigned char *body = malloc(len + 1);
    char *out = NULL;
    int head_len = 0;
    int i;

    ck_assert_ptr_nonnull(body);
    memcpy(body, data, len);
    for (i = 0; i < num_layers; i++) {
        unsigned char *next = packed(body, len, &len);

        free(body);
        body = next;
    }
    out = malloc(len + 1024);
    ck_assert_ptr_nonnull(out);
    head_len = sprintf(out, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n", len);
    for (i = 0; i < num_layers; i++) {
        head_len += sprintf(out + head_len, "Content-Encoding: gzip\r\n");
    }
    head_len += sprintf(out + head_len, "\r\n");
    memcpy(out + head_len, body, len);
    *out_len = (size_t)head_len + len;
    free(body);
    return out;
}

static char *gzipped(const void *data, size_t len, size_t *out_len)
{
    return layered(data, len, 1, out_len);
}

START_TEST(decoding__undoes_the_content_coding_whatever_the_pieces)
{
    static const char text[] = "hello, hello, hello, world";
    size_t len;
    char *answer = gzipped(text, strlen(text), &len);
    size_t cut;

    for (cut = 1; cut < len; cut++) {
        struct urlpool_response *response;

        fixture_begin(&fixture);
        script_give_bytes(fixture.script, answer, cut);
        script_give_bytes(fixture.script, answer + cut, len - cut);
        response = fixture_exchange(&fixture);
        fixture_expect_body(&fixture, response, text);
        fixture_expect_end(&fixture, 1, true);
        fixture_finish(&fixture, response);
    }
    free(answer);
}
END_TEST

START_TEST(decoding__gives_a_reader_no_more_than_it_asks_for)
{
    static char zeros[1 << 20];
    static char got[1 << 20];
    size_t len;
    size_t total = 0;
    size_t piece = 1;
    char *answer = gzipped(zeros, sizeof(zeros), &len);
    struct urlpool_response *response;

    fixture_begin(&fixture);
    script_give_bytes(fixture.script, answer, len);
    response = fixture_exchange(&fixture);
    while (piece > 0) {
        ck_assert_int_eq(urlpool_response_read(response, got + total, 1000, &piece, NULL),
                         URLPOOL_OK);
        ck_assert_uint_le(piece, 1000);
        total += piece;
    }
    ck_assert_uint_eq(total, sizeof(zeros));
    ck_assert_mem_eq(got, zeros, sizeof(zeros));
    fixture_expect_end(&fixture, 1, true);
    fixture_finish(&fixture, response);
    free(answer);
}
END_TEST

START_TEST(decoding__counts_decoded_bytes_against_data_bytes_max)
{
    static char zeros[1 << 20];
    size_t len;
    char *answer = gzipped(zeros, sizeof(zeros), &len);
    struct urlpool_response *response;

    ck_assert_uint_lt(len, 5000);
    fixture_begin(&fixture);
    fixture.data_bytes_max = 5000;
    script_give_bytes(fixture.script, answer, len);
    response = fixture_exchange(&fixture);
    ck_assert_int_eq(urlpool_response_read_all(response, &fixture.err), URLPOOL_E_DATA_TOO_LARGE);
    fixture_finish(&fixture, response);

    fixture_begin(&fixture);
    fixture.data_bytes_max = sizeof(zeros);
    script_give_bytes(fixture.script, answer, len);
    response = fixture_exchange(&fixture);
    ck_assert_int_eq(urlpool_response_read_all(response, NULL), URLPOOL_OK);
    ck_assert_uint_eq(response->data_len, sizeof(zeros));
    fixture_finish(&fixture, response);
    free(answer);
}
END_TEST

START_TEST(decoding__is_left_undone_where_that_was_asked_for)
{
    size_t len;
    char *answer = gzipped("hello", 5, &len);
    struct urlpool_response *response;

    fixture_begin(&fixture);
    fixture.keep_encoded = true;
    script_give_bytes(fixture.script, answer, len);
    response = fixture_exchange(&fixture);
    ck_assert_int_eq(urlpool_response_read_all(response, NULL), URLPOOL_OK);
    ck_assert_mem_eq(response->data, "\x1f\x8b", 2);
    fixture_expect_end(&fixture, 1, true);
    fixture_finish(&fixture, response);
    free(answer);
}
END_TEST

START_TEST(decoding__fails_on_what_is_cut_short_though_its_length_was_right)
{
    size_t len;
    char *answer = gzipped("hello, hello", 12, &len);
    struct urlpool_response *response;

    memcpy(strstr(answer, "Content-Length: ") + 16, "15", 2);
    fixture_begin(&fixture);
    script_give_bytes(fixture.script, answer,
                      (size_t)(strstr(answer, "\r\n\r\n") + 4 - answer) + 15);
    response = fixture_exchange(&fixture);
    ck_assert_int_eq(urlpool_response_read_all(response, &fixture.err), URLPOOL_E_DECODE);
    fixture_expect_end(&fixture, 1,
                       true); /* the message itself was whole, and the connection is home */
    ck_assert_int_eq(urlpool_response_read_all(response, NULL), URLPOOL_E_DECODE);
    fixture_finish(&fixture, response);
    free(answer);
}
END_TEST

START_TEST(decoding__of_garbage_ends_the_connection)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                                        "Content-Length: 100000\r\n\r\nthis is no gzip");
    ck_assert_int_eq(urlpool_response_read_all(response, &fixture.err), URLPOOL_E_DECODE);
    ck_assert_int_eq(fixture.err.phase, URLPOOL_PHASE_BODY);
    fixture_expect_end(&fixture, 1, false);
    ck_assert_int_eq(fixture.verdict.why, URLPOOL_CLOSED_ERROR);
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(decoding__is_not_done_by_a_drain)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                                        "Content-Length: 15\r\n\r\nthis is no gzip");
    urlpool_response_drain(response);
    fixture_expect_end(&fixture, 1, true);
    fixture_finish(&fixture, response);
}
END_TEST

/* A checksum that is wrong is not noticed by who does not decode up to it. */
START_TEST(decoding__is_not_done_by_a_drain_behind_a_part_read)
{
    struct urlpool_response *response;
    unsigned char data[20000];
    uint8_t some[10];
    size_t len;
    char *answer;

    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (unsigned char)(i * i >> 7);
    }
    answer = layered(data, sizeof(data), 1, &len);
    answer[len - 5] = (char)~answer[len - 5];
    fixture_begin(&fixture);
    script_give_bytes(fixture.script, answer, len);
    response = fixture_exchange(&fixture);
    ck_assert_int_eq(urlpool_response_read_exact(response, some, sizeof(some), &len, &fixture.err),
                     URLPOOL_OK);
    ck_assert_mem_eq(some, data, sizeof(some));
    urlpool_response_drain(response);
    fixture_expect_end(&fixture, 1, true);
    fixture_finish(&fixture, response);
    free(answer);
}
END_TEST

/* check_layers reads a body under `num_layers` where `codings_max` are allowed. */
static void check_layers(int num_layers, int codings_max, enum urlpool_code code)
{
    struct urlpool_response *response;
    size_t len;
    char *answer = layered("hello", 5, num_layers, &len);

    fixture_begin(&fixture);
    fixture.limits.codings_max = codings_max;
    script_give_bytes(fixture.script, answer, len);
    response = fixture_exchange(&fixture);
    ck_assert_int_eq(urlpool_response_read_all(response, &fixture.err), code);
    if (code == URLPOOL_OK) {
        ck_assert_str_eq((const char *)response->data, "hello");
    }
    fixture_finish(&fixture, response);
    free(answer);
}

START_TEST(decoding__goes_through_codings_max_layers_and_no_more)
{
    check_layers(5, 0, URLPOOL_OK);
    check_layers(6, 0, URLPOOL_E_DECODE);
    check_layers(6, 6, URLPOOL_OK);
    check_layers(2, 1, URLPOOL_E_DECODE);
    check_layers(1, URLPOOL_NONE, URLPOOL_E_DECODE);
}
END_TEST

START_TEST(decoding__passes_unknown_codings_and_empty_bodies_on)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, "HTTP/1.1 200 OK\r\nContent-Encoding: x-own\r\n"
                                        "Content-Length: 2\r\n\r\nhi");
    fixture_expect_body(&fixture, response, "hi");
    fixture_finish(&fixture, response);

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                                        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    fixture_expect_body(&fixture, response, "");
    fixture_expect_end(&fixture, 1, true);
    fixture_finish(&fixture, response);
}
END_TEST

RUN_TESTS("body_reader", body__until_close_is_whole_at_a_clean_end_and_never_reusable,
          body__until_close_is_cut_short_by_a_ragged_end,
          body__of_known_length_does_not_mind_a_ragged_end_behind_it,
          body__that_breaks_gives_what_was_good_and_then_fails_for_ever,
          body__that_does_not_come_times_out, connection__with_bytes_left_over_is_not_used_again,
          connection__that_either_side_closes_is_not_used_again,
          connection__brings_the_hints_of_the_server_home,
          connection__serves_one_response_after_the_other,
          trailers__are_there_once_the_body_has_ended,
          decoding__undoes_the_content_coding_whatever_the_pieces,
          decoding__gives_a_reader_no_more_than_it_asks_for,
          decoding__counts_decoded_bytes_against_data_bytes_max,
          decoding__is_left_undone_where_that_was_asked_for,
          decoding__fails_on_what_is_cut_short_though_its_length_was_right,
          decoding__of_garbage_ends_the_connection, decoding__is_not_done_by_a_drain,
          decoding__is_not_done_by_a_drain_behind_a_part_read,
          decoding__goes_through_codings_max_layers_and_no_more,
          decoding__passes_unknown_codings_and_empty_bodies_on)
