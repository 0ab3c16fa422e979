/* A body in chunks that is read straight into the reader's memory and joined there, over a scripted
 * stream; and the wider inbox of a decoded one. */

#include <string.h>

#include "conn/wire.h"
#include "support/conn_fixture.h"
#include "support/run_tests.h"

#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

enum {
    ROOM = 8192, /* enough to be read past the inbox */
    NUM_SMALL = 500
};

static struct fixture fixture;

/* begin has the head heard alone, so that the inbox is empty. */
static struct urlpool_response *begin(void)
{
    fixture_begin(&fixture);
    return fixture_answer(&fixture, CHUNKED);
}

/* read_whole reads until the body ends or fails, and gives its length. */
static size_t read_whole(struct urlpool_response *response, char out[ROOM],
                         enum urlpool_code *out_code)
{
    char buf[ROOM];
    size_t total = 0;
    size_t len = 1;

    *out_code = URLPOOL_OK;
    while (*out_code == URLPOOL_OK && len > 0) {
        *out_code = urlpool_response_read(response, buf, sizeof(buf), &len, &fixture.err);
        if (*out_code == URLPOOL_OK) {
            memcpy(out + total, buf, len);
            total += len;
        }
    }
    return total;
}

START_TEST(chunks__are_joined_wherever_they_are_cut)
{
    static const char wire[] = "5\r\nhello\r\n6;a=\"b\"\r\n world\r\n0\r\nX-T: v\r\nX-U: w\r\n\r\n";

    for (size_t cut = 1; cut < sizeof(wire) - 1; cut++) {
        struct urlpool_response *response = begin();
        char body[ROOM];
        enum urlpool_code code;

        script_give_bytes(fixture.script, wire, cut);
        script_give_bytes(fixture.script, wire + cut, sizeof(wire) - 1 - cut);
        ck_assert_uint_eq(read_whole(response, body, &code), 11);
        ck_assert_int_eq(code, URLPOOL_OK);
        ck_assert_mem_eq(body, "hello world", 11);
        ck_assert_str_eq(urlpool_headers_get(urlpool_response_trailers(response), "X-U"), "w");
        ck_assert_int_eq(urlpool_response_tell(response), 11);
        fixture_expect_end(&fixture, 1, true);
        fixture_finish(&fixture, response);
    }
}
END_TEST

START_TEST(chunks__that_come_together_are_read_at_once)
{
    struct urlpool_response *response = begin();
    char wire[NUM_SMALL * 7 + 6] = "";
    char buf[ROOM];
    size_t len = 0;
    const unsigned before = script_num_reads(fixture.script);

    for (int i = 0; i < NUM_SMALL; i++) {
        memcpy(wire + i * 7, "2\r\nhi\r\n", 7);
    }
    memcpy(wire + NUM_SMALL * 7, "0\r\n\r\n", 5);
    script_give_bytes(fixture.script, wire, NUM_SMALL * 7 + 5);
    ck_assert_int_eq(urlpool_response_read(response, buf, sizeof(buf), &len, NULL), URLPOOL_OK);
    ck_assert_uint_eq(len, 2 * NUM_SMALL);
    for (size_t i = 0; i < len; i += 2) {
        ck_assert_mem_eq(buf + i, "hi", 2);
    }
    ck_assert_uint_eq(script_num_reads(fixture.script) - before, 1);
    fixture_expect_end(&fixture, 1, true); /* with the last byte, not at the call after it */
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(chunks__that_break_give_what_was_good_and_then_fail_for_ever)
{
    static const struct {
        const char *wire;
        size_t good;
        enum urlpool_code code;
    } rows[] = {
        {"5\r\nhell",                           4, URLPOOL_E_INCOMPLETE_READ},
        {"5\r\nhello\r\n0\r\n",                 5, URLPOOL_E_INCOMPLETE_READ},
        {"5\r\nhello\r\nzz\r\n",                5, URLPOOL_E_BAD_CHUNK      },
        {"zz\r\n",                              0, URLPOOL_E_BAD_CHUNK      },
        {"5\r\nhelloXX",                        5, URLPOOL_E_BAD_CHUNK      },
        {"5\r\nhello\r\n0\r\nno colon\r\n\r\n", 5, URLPOOL_E_BAD_FIELD      },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct urlpool_response *response = begin();
        char body[ROOM];
        enum urlpool_code code;

        script_give(fixture.script, rows[i].wire);
        script_end(fixture.script, URLP_END_CLEAN);
        ck_assert_uint_eq(read_whole(response, body, &code), rows[i].good);
        ck_assert_int_eq(code, rows[i].code);
        ck_assert_mem_eq(body, "hello", rows[i].good);
        ck_assert_uint_eq(read_whole(response, body, &code), 0);
        ck_assert_int_eq(code, rows[i].code);
        fixture_expect_end(&fixture, 1, false);
        fixture_finish(&fixture, response);
    }
}
END_TEST

START_TEST(chunks__with_bytes_behind_their_end_end_the_connection)
{
    struct urlpool_response *response = begin();
    char body[ROOM];
    enum urlpool_code code;

    script_give(fixture.script, "2\r\nhi\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
    ck_assert_uint_eq(read_whole(response, body, &code), 2);
    ck_assert_int_eq(code, URLPOOL_OK);
    fixture_expect_end(&fixture, 1, false);
    ck_assert_int_eq(fixture.verdict.why, URLPOOL_CLOSED_NOT_REUSABLE);
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(chunks__have_their_trailers_whatever_stands_behind_their_end)
{
    static const char wire[] = "2\r\nhi\r\n0\r\nX-T: v\r\n\r\n";
    char much[ROOM];
    struct urlpool_response *response = begin();
    char body[ROOM];
    enum urlpool_code code;

    memset(much, 'x', sizeof(much));
    memcpy(much, wire, sizeof(wire) - 1);
    script_give_bytes(fixture.script, much, sizeof(much)); /* more than the inbox has room for */
    ck_assert_uint_eq(read_whole(response, body, &code), 2);
    ck_assert_int_eq(code, URLPOOL_OK);
    ck_assert_str_eq(urlpool_headers_get(urlpool_response_trailers(response), "X-T"), "v");
    fixture_expect_end(&fixture, 1, false);
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(chunks__may_be_read_one_by_one_behind_others_that_were_joined)
{
    struct urlpool_response *response = begin();
    char buf[ROOM];
    size_t len = 0;
    bool ends = false;

    script_give(fixture.script, "2\r\nhi\r\n5\r\nhel");
    ck_assert_int_eq(urlpool_response_read(response, buf, sizeof(buf), &len, NULL), URLPOOL_OK);
    ck_assert_uint_eq(len, 5);
    script_give(fixture.script, "lo\r\n3\r\nabc\r\n0\r\n\r\n");
    ck_assert_int_eq(urlpool_response_read_chunk(response, buf, sizeof(buf), &len, &ends, NULL),
                     URLPOOL_OK);
    ck_assert_uint_eq(len, 2);
    ck_assert(ends);
    ck_assert_int_eq(urlpool_response_read_chunk(response, buf, sizeof(buf), &len, &ends, NULL),
                     URLPOOL_OK);
    ck_assert_mem_eq(buf, "abc", 3);
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(chunks__that_break_in_what_yields_nothing_yet_fail_a_decoded_body)
{
    static const char wire[] = "4\r\n\x1f\x8b\x08\x00\r\nzz\r\n"; /* half a gzip header */
    struct urlpool_response *response;
    char buf[ROOM];
    size_t len = 0;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                                        "Transfer-Encoding: chunked\r\n\r\n");
    script_give_bytes(fixture.script, wire, sizeof(wire) - 1);
    ck_assert_int_eq(urlpool_response_read(response, buf, sizeof(buf), &len, NULL),
                     URLPOOL_E_BAD_CHUNK);
    fixture_expect_end(&fixture, 1, false);
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(inbox__is_made_wider_only_when_it_was_filled_and_used)
{
    static char much[16384];
    struct urlpool_response *response = begin();
    struct urlpool_connection *connection = fixture.connection;
    enum urlp_end end;

    memset(much, 'x', sizeof(much));
    script_give_bytes(fixture.script, much, sizeof(much) - 1);
    script_give_bytes(fixture.script, much, sizeof(much));
    ck_assert_int_eq(urlp_wire_fill(connection, &fixture.call, -1, &end, NULL), URLPOOL_OK);
    connection->in.at = connection->in.end;
    urlp_wire_widen(connection);
    ck_assert_uint_eq(connection->in.cap, sizeof(much)); /* not filled */
    ck_assert_int_eq(urlp_wire_fill(connection, &fixture.call, -1, &end, NULL), URLPOOL_OK);
    ck_assert_uint_eq(connection->in.end, sizeof(much));
    urlp_wire_widen(connection); /* not yet used */
    ck_assert_uint_eq(connection->in.cap, sizeof(much));
    connection->in.at = connection->in.end;
    urlp_wire_widen(connection);
    ck_assert_uint_eq(connection->in.cap, 8 * sizeof(much));
    fixture_finish(&fixture, response);
}
END_TEST

RUN_TESTS("body chunks", chunks__are_joined_wherever_they_are_cut,
          chunks__that_come_together_are_read_at_once,
          chunks__that_break_give_what_was_good_and_then_fail_for_ever,
          chunks__with_bytes_behind_their_end_end_the_connection,
          chunks__have_their_trailers_whatever_stands_behind_their_end,
          chunks__may_be_read_one_by_one_behind_others_that_were_joined,
          chunks__that_break_in_what_yields_nothing_yet_fail_a_decoded_body,
          inbox__is_made_wider_only_when_it_was_filled_and_used)
