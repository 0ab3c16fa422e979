/* The stream that a change of protocols gives, over a scripted one, which never waits. */

#include <string.h>

#include "urlpool/raw_stream.h"

#include "support/conn_fixture.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"

#define SWITCHED                                                                          \
    "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: echo\r\nContent-Length: 3" \
    "\r\n\r\n"

static struct fixture fixture;
static size_t head_len;

/* begin makes an exchange that is answered by `text`, and switches. */
static struct urlpool_response *begin(const char *text, bool keeps_place)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    fixture.keeps_place = keeps_place;
    fixture.read_ms = 1000;
    fixture.fields = "Connection: upgrade\nUpgrade: echo\n";
    response = fixture_answer(&fixture, text);
    ck_assert_int_eq(response->status, 101);
    ck_assert_uint_eq(fixture.num_ended, 0);
    head_len = script_written_len(fixture.script);
    return response;
}

static struct urlpool_raw_stream *take(struct urlpool_response *response)
{
    struct urlpool_raw_stream *raw = urlpool_response_upgrade(response, &fixture.err);

    ck_assert_msg(raw != NULL, "%s", fixture.err.message);
    return raw;
}

static void expect_read(struct urlpool_raw_stream *raw, const char *text)
{
    char buf[64];
    size_t len = 99;

    ck_assert_msg(urlpool_raw_stream_read(raw, buf, sizeof(buf), &len, &fixture.err) == URLPOOL_OK,
                  "%s", fixture.err.message);
    ck_assert_uint_eq(len, strlen(text));
    ck_assert_mem_eq(buf, text, len);
}

START_TEST(raw_stream__begins_with_what_came_behind_the_head)
{
    struct urlpool_response *response = begin(SWITCHED "behind", true);
    struct urlpool_raw_stream *raw = take(response);

    script_give(fixture.script, "more");
    script_end(fixture.script, URLP_END_CLEAN);
    expect_read(raw, "behind");
    expect_read(raw, "more");
    expect_read(raw, "");
    ck_assert_int_eq(urlpool_raw_stream_fd(raw), -1);
    ck_assert_uint_eq(fixture.num_ended, 0);
    urlpool_raw_stream_close(raw);
    ck_assert_ptr_nonnull(strstr(script_calls(fixture.script), "free-polite"));
    ck_assert_int_eq(fixture.verdict.why, URLPOOL_CLOSED_UPGRADED);
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(raw_stream__of_an_owner_without_places_is_none_of_his_any_more)
{
    struct urlpool_response *response = begin(SWITCHED, false);
    struct urlpool_raw_stream *raw = take(response);

    fixture_expect_end(&fixture, 1, false);
    ck_assert_int_eq(fixture.verdict.why, URLPOOL_CLOSED_UPGRADED);
    urlpool_response_free(response);
    urlp_connection_end(fixture.connection, true);
    fixture.connection = NULL;
    script_give(fixture.script, "on");
    expect_read(raw, "on");
    urlpool_raw_stream_close(raw);
    ck_assert_uint_eq(fixture.num_ended, 1);
    fixture_end(&fixture);
}
END_TEST

START_TEST(raw_stream__writes_all_in_as_many_pieces_as_it_takes)
{
    struct urlpool_response *response = begin(SWITCHED, true);
    struct urlpool_raw_stream *raw = take(response);

    script_take(fixture.script, 2);
    script_take(fixture.script, 3);
    ck_assert_int_eq(urlpool_raw_stream_write(raw, "pieces", 6, &fixture.err), URLPOOL_OK);
    ck_assert_str_eq(script_written(fixture.script) + head_len, "pieces");
    urlpool_raw_stream_close(raw);
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(raw_stream__is_not_written_to_again_once_that_has_failed)
{
    struct urlpool_response *response = begin(SWITCHED, true);
    struct urlpool_raw_stream *raw = take(response);

    script_fail_write(fixture.script, URLPOOL_E_RESET);
    ck_assert_int_eq(urlpool_raw_stream_write(raw, "x", 1, &fixture.err), URLPOOL_E_RESET);
    ck_assert_int_eq(urlpool_raw_stream_write(raw, "x", 1, &fixture.err), URLPOOL_E_INVALID);
    ck_assert_uint_eq(script_written_len(fixture.script), head_len);
    script_give(fixture.script, "last words");
    expect_read(raw, "last words");
    urlpool_raw_stream_close(raw);
    ck_assert_ptr_nonnull(strstr(script_calls(fixture.script), "free-silent"));
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(raw_stream__tells_of_what_a_read_meets)
{
    struct urlpool_response *response = begin(SWITCHED, true);
    struct urlpool_raw_stream *raw = take(response);
    size_t len = 99;
    char byte;

    ck_assert_int_eq(urlpool_raw_stream_read(raw, &byte, 1, &len, &fixture.err),
                     URLPOOL_E_READ_TIMEOUT);
    script_fail_read(fixture.script, URLPOOL_E_RESET);
    ck_assert_int_eq(urlpool_raw_stream_read(raw, &byte, 1, &len, &fixture.err), URLPOOL_E_RESET);
    urlpool_raw_stream_close(raw);
    fixture_finish(&fixture, response);
    response = begin(SWITCHED, true);
    raw = take(response);
    script_end(fixture.script, URLP_END_RAGGED);
    ck_assert_int_eq(urlpool_raw_stream_read(raw, &byte, 1, &len, &fixture.err),
                     URLPOOL_E_INCOMPLETE_READ);
    ck_assert_int_eq(urlpool_raw_stream_read(raw, &byte, 0, &len, &fixture.err), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_raw_stream_read(raw, NULL, 1, &len, &fixture.err), URLPOOL_E_INVALID);
    ck_assert_uint_eq(len, 99);
    urlpool_raw_stream_close(raw);
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(upgrade__out_of_memory_leaves_the_response_as_it_was)
{
    struct urlpool_raw_stream *raw = NULL;
    struct urlpool_response *response;

    failing_allocator_install();
    response = begin(SWITCHED "behind", true);
    for (uint64_t n = 1; raw == NULL; n++) {
        failing_allocator_fail_nth(n);
        raw = urlpool_response_upgrade(response, &fixture.err);
        ck_assert(raw == NULL || n == 3); /* the stream, and what came behind the head */
        ck_assert(raw != NULL || fixture.err.code == URLPOOL_E_NOMEM);
    }
    failing_allocator_fail_nth(0);
    expect_read(raw, "behind");
    urlpool_raw_stream_close(raw);
    fixture_finish(&fixture, response);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
    failing_allocator_remove();
}
END_TEST

START_TEST(switch__in_the_midst_of_a_request_is_refused)
{
    static char body[600 * 1024];

    fixture_begin(&fixture);
    fixture.method = "POST";
    fixture.fields = "Connection: upgrade\nUpgrade: echo\nContent-Length: 614400\n";
    memset(body, 'x', sizeof(body));
    fixture.body = urlpool_body_bytes(body, sizeof(body));
    script_take(fixture.script, 300);
    script_give_after(fixture.script, 300, SWITCHED);
    ck_assert_ptr_null(fixture_exchange(&fixture));
    ck_assert_int_eq(fixture.err.code, URLPOOL_E_PROTOCOL);
    ck_assert_str_eq(fixture.err.message, "status 101 before the request was sent whole");
    fixture_end(&fixture);
}
END_TEST

RUN_TESTS("raw stream", raw_stream__begins_with_what_came_behind_the_head,
          raw_stream__of_an_owner_without_places_is_none_of_his_any_more,
          raw_stream__writes_all_in_as_many_pieces_as_it_takes,
          raw_stream__is_not_written_to_again_once_that_has_failed,
          raw_stream__tells_of_what_a_read_meets,
          upgrade__out_of_memory_leaves_the_response_as_it_was,
          switch__in_the_midst_of_a_request_is_refused)
