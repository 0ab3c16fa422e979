/* Lines, chunks, peeks, and how far a body has come: over a scripted stream, the body whole and cut
 * into single bytes. */

#include <stdio.h>
#include <string.h>

#include "support/conn_fixture.h"
#include "support/run_tests.h"

#define CHUNKED      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define ZIPPED       "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 25\r\n\r\n"
#define HELLO_ZIPPED "\x1f\x8b\x08\0\0\0\0\0\0\3\xcb\x48\xcd\xc9\xc9\7\0\x86\xa6\x10\x36\5\0\0"

static struct fixture fixture;

/* answer_with gives head and body, at once or byte by byte. */
static struct urlpool_response *answer_with(const char *head, const char *body, size_t len,
                                            bool in_bytes)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    script_give(fixture.script, head);
    for (size_t at = 0; at < len; at += in_bytes ? 1 : len) {
        script_give_bytes(fixture.script, body + at, in_bytes ? 1 : len);
    }
    script_end(fixture.script, URLP_END_CLEAN);
    response = fixture_exchange(&fixture);
    ck_assert_msg(response != NULL, "%s", fixture.err.message);
    return response;
}

static void finish(struct urlpool_response *response)
{
    urlpool_response_free(response);
    fixture_end(&fixture);
}

START_TEST(read_line__takes_lf_and_crlf_and_a_last_line_without_end)
{
    static const char body[] = "one\r\n\ntwo\n\r\nth\rree\r\r\nlast\r";
    static const char *const lines[] = {"one", "", "two", "", "th\rree\r", "last\r"};

    for (int in_bytes = 0; in_bytes < 2; in_bytes++) {
        struct urlpool_response *response =
            answer_with("HTTP/1.1 200 OK\r\n\r\n", body, strlen(body), in_bytes);
        char buf[16];
        size_t len = 0;
        bool at_end = false;

        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            ck_assert_int_eq(
                urlpool_response_read_line(response, buf, sizeof(buf), &len, &at_end, NULL),
                URLPOOL_OK);
            ck_assert(!at_end);
            ck_assert_str_eq(buf, lines[i]);
            ck_assert_uint_eq(len, strlen(lines[i]));
        }
        ck_assert_int_eq(
            urlpool_response_read_line(response, buf, sizeof(buf), &len, &at_end, NULL),
            URLPOOL_OK);
        ck_assert(at_end);
        ck_assert_uint_eq(len, 0);
        finish(response);
    }
}
END_TEST

START_TEST(read_line__refuses_a_line_that_does_not_fit)
{
    for (size_t size = 5; size < 8; size++) {
        struct urlpool_response *response =
            answer_with("HTTP/1.1 200 OK\r\n\r\n", "12345\nrest", 10, false);
        char buf[16];
        size_t len = 0;
        bool at_end = false;
        const enum urlpool_code code =
            urlpool_response_read_line(response, buf, size, &len, &at_end, NULL);

        ck_assert_int_eq(code, size < 6 ? URLPOOL_E_LINE_TOO_LONG : URLPOOL_OK);
        ck_assert_int_eq(urlpool_response_read(response, buf, 1, &len, NULL),
                         size < 6 ? URLPOOL_E_LINE_TOO_LONG : URLPOOL_OK);
        ck_assert_int_eq(urlpool_response_is_closed(response), size < 6);
        finish(response);
    }
}
END_TEST

START_TEST(read_line__of_a_body_that_breaks_off_is_an_error)
{
    struct urlpool_response *response =
        answer_with("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "one\ntwo", 7, false);
    char buf[16];
    size_t len = 0;
    bool at_end = false;

    ck_assert_int_eq(urlpool_response_read_line(response, buf, 16, &len, &at_end, NULL),
                     URLPOOL_OK);
    ck_assert_int_eq(urlpool_response_read_line(response, buf, 16, &len, &at_end, NULL),
                     URLPOOL_E_INCOMPLETE_READ);
    ck_assert(!at_end);
    finish(response);
}
END_TEST

START_TEST(read_line__decodes_and_other_ways_of_reading_go_on_behind_it)
{
    struct urlpool_response *response = answer_with(ZIPPED, HELLO_ZIPPED, 25, false);
    const uint8_t *shown = NULL;
    char buf[16];
    size_t len = 0;
    bool at_end = false;

    ck_assert_int_eq(urlpool_response_peek(response, &shown, &len, NULL), URLPOOL_OK);
    ck_assert_uint_eq(len, 5);
    ck_assert_mem_eq(shown, "hello", 5);
    ck_assert_int_eq(urlpool_response_read(response, buf, 2, &len, NULL), URLPOOL_OK);
    ck_assert_mem_eq(buf, "he", 2);
    ck_assert_int_eq(urlpool_response_read_line(response, buf, 16, &len, &at_end, NULL),
                     URLPOOL_OK);
    ck_assert_str_eq(buf, "llo");
    ck_assert_int_eq(urlpool_response_read(response, buf, 2, &len, NULL), URLPOOL_OK);
    ck_assert_uint_eq(len, 0);
    finish(response);
}
END_TEST

START_TEST(peek__shows_bytes_and_leaves_them)
{
    struct urlpool_response *response =
        answer_with("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "hello", 5, true);
    const uint8_t *shown = NULL;
    size_t len = 0;

    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(urlpool_response_peek(response, &shown, &len, NULL), URLPOOL_OK);
        ck_assert_uint_eq(len, 1);
        ck_assert_uint_eq(shown[0], 'h');
        ck_assert_int_eq(urlpool_response_tell(response), 0);
    }
    ck_assert_int_eq(urlpool_response_read_all(response, NULL), URLPOOL_OK);
    ck_assert_str_eq((const char *)response->data, "hello");
    ck_assert_int_eq(urlpool_response_peek(response, &shown, &len, NULL), URLPOOL_E_INVALID);
    finish(response);
}
END_TEST

START_TEST(read_chunk__gives_the_chunks_as_they_were_sent)
{
    static const char body[] = "3\r\none\r\n1\r\n2\r\n8;x=y\r\nthreefou\r\n0\r\n\r\n";

    for (int in_bytes = 0; in_bytes < 2; in_bytes++) {
        struct urlpool_response *response = answer_with(CHUNKED, body, strlen(body), in_bytes);
        char chunks[64] = "";
        char buf[4];
        size_t len = 1;
        bool ends = false;

        while (len > 0) {
            ck_assert_int_eq(urlpool_response_read_chunk(response, buf, 4, &len, &ends, NULL),
                             URLPOOL_OK);
            strncat(chunks, buf, len);
            strcat(chunks, ends ? "|" : "");
        }
        ck_assert_str_eq(chunks, "one|2|threefou|");
        ck_assert(!ends);
        ck_assert(urlpool_response_is_closed(response));
        ck_assert(fixture.verdict.is_reusable);
        finish(response);
    }
}
END_TEST

START_TEST(read_chunk__does_not_decode_and_is_not_for_bodies_without_chunks)
{
    struct urlpool_response *response;
    char buf[64];
    size_t len = 0;
    bool ends = false;

    response = answer_with("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                           "Content-Encoding: gzip\r\n\r\n",
                           "19\r\n" HELLO_ZIPPED "\0\r\n0\r\n\r\n", 36, false);
    ck_assert_int_eq(urlpool_response_read_chunk(response, buf, 20, &len, &ends, NULL), URLPOOL_OK);
    ck_assert_uint_eq(len, 20);
    ck_assert(!ends);
    ck_assert_int_eq(urlpool_response_read(response, buf, 64, &len, NULL), URLPOOL_OK);
    ck_assert_uint_eq(len, 5);
    ck_assert_mem_eq(buf, &HELLO_ZIPPED[20], 5);
    finish(response);

    response = answer_with(ZIPPED, HELLO_ZIPPED, 25, false);
    ck_assert_int_eq(urlpool_response_read_chunk(response, buf, 64, &len, &ends, NULL),
                     URLPOOL_E_NOT_CHUNKED);
    ck_assert_int_eq(urlpool_response_read_all(response, NULL), URLPOOL_OK);
    finish(response);
}
END_TEST

START_TEST(progress__is_told_in_bytes_as_sent)
{
    struct urlpool_response *response = answer_with(ZIPPED, HELLO_ZIPPED, 25, false);
    char buf[16];
    size_t len = 0;

    ck_assert_int_eq(urlpool_response_tell(response), 0);
    ck_assert_int_eq(urlpool_response_length_remaining(response), 25);
    ck_assert(!urlpool_response_is_closed(response));
    ck_assert_int_eq(urlpool_response_read_exact(response, buf, 16, &len, NULL), URLPOOL_OK);
    ck_assert_uint_eq(len, 5);
    ck_assert_int_eq(urlpool_response_tell(response), 25);
    ck_assert_int_eq(urlpool_response_length_remaining(response), 0);
    ck_assert(urlpool_response_is_closed(response));
    finish(response);

    response = answer_with(CHUNKED, "2\r\nab\r\n", 7, false);
    ck_assert_int_eq(urlpool_response_length_remaining(response), -1);
    ck_assert_int_eq(urlpool_response_read(response, buf, 16, &len, NULL), URLPOOL_OK);
    ck_assert_int_eq(urlpool_response_tell(response), 2);
    ck_assert_int_eq(urlpool_response_read(response, buf, 16, &len, NULL),
                     URLPOOL_E_INCOMPLETE_READ);
    ck_assert_int_eq(urlpool_response_length_remaining(response), -1);
    finish(response);
}
END_TEST

START_TEST(redirect_location__is_that_of_a_redirect)
{
    static const struct {
        const char *status, *location;
    } rows[] = {
        {"301", "/there"},
        {"303", "/there"},
        {"308", "/there"},
        {"201", NULL    },
        {"300", NULL    }
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char head[128];
        struct urlpool_response *response;

        (void)snprintf(head, sizeof(head),
                       "HTTP/1.1 %s X\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n",
                       rows[i].status);
        response = answer_with(head, "", 0, false);
        if (rows[i].location == NULL) {
            ck_assert_ptr_null(urlpool_response_redirect_location(response));
        } else {
            ck_assert_str_eq(urlpool_response_redirect_location(response), rows[i].location);
        }
        finish(response);
    }
    ck_assert_ptr_null(urlpool_response_redirect_location(NULL));
}
END_TEST

RUN_TESTS("response pieces", read_line__takes_lf_and_crlf_and_a_last_line_without_end,
          read_line__refuses_a_line_that_does_not_fit,
          read_line__of_a_body_that_breaks_off_is_an_error,
          read_line__decodes_and_other_ways_of_reading_go_on_behind_it,
          peek__shows_bytes_and_leaves_them, read_chunk__gives_the_chunks_as_they_were_sent,
          read_chunk__does_not_decode_and_is_not_for_bodies_without_chunks,
          progress__is_told_in_bytes_as_sent, redirect_location__is_that_of_a_redirect)
