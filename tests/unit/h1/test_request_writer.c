/* The sizes of what is sent, to the byte, and that nothing is written when there is no room. What
 * may stand in a request is in the transcripts r139 to r163. */

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "h1/request_writer.h"
#include "support/run_tests.h"

static struct urlp_h1_bounds bounds;
static struct urlpool_error err;

static const struct urlp_field fields[] = {
    {{"Host", 4}, {"a.example", 9}},
    {{"X", 1},    {"abc", 3}      },
};
static const struct urlp_request_head head = {
    .method = {"GET", 3},
      .target = {"/",   1},
      .fields = fields, .num_fields = 2
};
static const char wire[] = "GET / HTTP/1.1\r\nHost: a.example\r\nX: abc\r\n\r\n";

#define REQUEST_LINE_LEN 16
#define HOST_LINE_LEN    17

static void begin(void)
{
    ck_assert_int_eq(urlp_h1_bounds_of(NULL, &bounds, &err), URLPOOL_OK);
}

static enum urlpool_code check_head(void)
{
    return urlp_h1_check_request(&head, &bounds, &err);
}

START_TEST(request__is_written_as_its_lines)
{
    struct urlp_buf out = {0};

    begin();
    ck_assert_int_eq(check_head(), URLPOOL_OK);
    ck_assert_int_eq(urlp_h1_append_request(&head, &out), URLPOOL_OK);
    ck_assert_uint_eq(out.len, sizeof(wire) - 1);
    ck_assert_mem_eq(out.data, wire, out.len);
    urlp_buf_deinit(&out);
}
END_TEST

START_TEST(request__without_room_is_not_written_at_all)
{
    struct urlp_buf out;

    for (size_t max = 1; max < sizeof(wire) - 1; max++) {
        urlp_buf_init(&out, max);
        ck_assert_int_eq(urlp_h1_append_request(&head, &out), URLPOOL_E_DATA_TOO_LARGE);
        ck_assert_uint_eq(out.len, 0);
        urlp_buf_deinit(&out);
    }
    urlp_buf_init(&out, sizeof(wire) - 1);
    ck_assert_int_eq(urlp_h1_append_request(&head, &out), URLPOOL_OK);
    urlp_buf_deinit(&out);
}
END_TEST

START_TEST(request__lines_are_limited_to_the_byte)
{
    begin();
    bounds.sent_line_bytes_max = HOST_LINE_LEN;
    ck_assert_int_eq(check_head(), URLPOOL_OK);
    bounds.sent_line_bytes_max = HOST_LINE_LEN - 1;
    ck_assert_int_eq(check_head(), URLPOOL_E_HEADER);
}
END_TEST

START_TEST(request__line_of_the_target_is_limited_to_the_byte)
{
    const struct urlp_field host = {
        {"Host", 4},
        {"a",    1}
    };
    const struct urlp_request_head small = {
        .method = {"GET", 3},
          .target = {"/",   1},
          .fields = &host, .num_fields = 1
    };

    begin();
    bounds.sent_line_bytes_max = REQUEST_LINE_LEN;
    ck_assert_int_eq(urlp_h1_check_request(&small, &bounds, &err), URLPOOL_OK);
    bounds.sent_line_bytes_max = REQUEST_LINE_LEN - 1;
    ck_assert_int_eq(urlp_h1_check_request(&small, &bounds, &err), URLPOOL_E_HEADER);
}
END_TEST

/* What stands in a query may be a form with a password in it. */
START_TEST(request__query_is_never_shown)
{
    static const struct {
        const char *target, *shown;
    } trials[] = {
        {"/a?password=hunter2",   "\"/a?...\""},
        {"/a?password=hunter 2",  "\"/a?...\""},
        {"/a?password=hunter2#b", "\"/a?...\""},
        {"a?password=hunter2",    "\"a?...\"" },
        {"/a#password=hunter2",   "\"/a#...\""},
    };

    begin();
    bounds.sent_line_bytes_max = HOST_LINE_LEN;
    for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++) {
        struct urlp_request_head asking = head;

        asking.target = urlp_span_of(trials[i].target);
        ck_assert_int_eq(urlp_h1_check_request(&asking, &bounds, &err), URLPOOL_E_HEADER);
        ck_assert_msg(strstr(err.message, "hunter") == NULL, "%s", err.message);
        ck_assert_msg(strstr(err.message, trials[i].shown) != NULL, "%s", err.message);
    }
}
END_TEST

START_TEST(request__head_is_limited_to_the_byte)
{
    begin();
    bounds.sent_head_bytes_max = sizeof(wire) - 1;
    ck_assert_int_eq(check_head(), URLPOOL_OK);
    bounds.sent_head_bytes_max = sizeof(wire) - 2;
    ck_assert_int_eq(check_head(), URLPOOL_E_HEADER);
}
END_TEST

START_TEST(request__fields_are_counted)
{
    begin();
    bounds.sent_fields_max = 2;
    ck_assert_int_eq(check_head(), URLPOOL_OK);
    bounds.sent_fields_max = 1;
    ck_assert_int_eq(check_head(), URLPOOL_E_HEADER);
}
END_TEST

/* Spans end where they say: a check that looks further is seen by a sanitizer. */
START_TEST(request__is_not_read_past_its_ends)
{
    static const char *const targets[] = {"/", "*", "h", "http", "http:", "http:/", "http://"};

    begin();
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        size_t len = strlen(targets[i]);
        char *target = malloc(len);
        struct urlp_request_head other = head;

        ck_assert_ptr_nonnull(target);
        memcpy(target, targets[i], len);
        other.target = urlp_span_make(target, len);
        ck_assert_int_eq(urlp_h1_check_request(&other, &bounds, &err) == URLPOOL_OK, i == 0);
        free(target);
    }
}
END_TEST

/* trailers_of makes one trailer whose line is `len` bytes long, CRLF and all. */
static struct urlpool_headers *trailers_of(const char *name, size_t len)
{
    const size_t value_len = len - strlen(name) - 4;
    char *value = malloc(value_len + 1);
    struct urlpool_headers *trailers = urlpool_headers_new(&err);

    ck_assert_ptr_nonnull(value);
    memset(value, 'v', value_len);
    value[value_len] = '\0';
    ck_assert_int_eq(urlpool_headers_add(trailers, name, value, &err), URLPOOL_OK);
    free(value);
    return trailers;
}

START_TEST(trailers__are_written_behind_the_last_chunk)
{
    struct urlpool_headers *trailers = trailers_of("A", 7);
    struct urlp_buf out = {0};

    begin();
    ck_assert_int_eq(urlp_h1_append_trailers(trailers, &bounds, &out, &err), URLPOOL_OK);
    ck_assert_uint_eq(out.len, 12);
    ck_assert_mem_eq(out.data, "0\r\nA: vv\r\n\r\n", 12);
    urlp_buf_deinit(&out);
    urlpool_headers_free(trailers);
    ck_assert_int_eq(urlp_h1_append_trailers(NULL, &bounds, &out, &err), URLPOOL_OK);
    ck_assert_uint_eq(out.len, 5);
    urlp_buf_deinit(&out);
}
END_TEST

START_TEST(trailers__are_limited_to_the_byte_and_refused_whole)
{
    struct urlp_buf out = {0};

    begin();
    for (size_t over = 0; over <= 1; over++) {
        struct urlpool_headers *trailers = trailers_of("A", 16384 + over);

        ck_assert_int_eq(urlp_h1_append_trailers(trailers, &bounds, &out, &err),
                         over == 0 ? URLPOOL_OK : URLPOOL_E_HEADER);
        ck_assert_uint_eq(out.len, over == 0 ? 16384 + 5 : 0);
        urlp_buf_deinit(&out);
        urlpool_headers_free(trailers);
    }
}
END_TEST

START_TEST(trailers__that_cannot_be_are_refused_by_name)
{
    struct urlpool_headers *trailers = trailers_of("Authorization", 30);
    struct urlp_buf out = {0};

    begin();
    ck_assert_int_eq(urlp_h1_append_trailers(trailers, &bounds, &out, &err), URLPOOL_E_HEADER);
    ck_assert_ptr_nonnull(strstr(err.message, "Authorization"));
    ck_assert_ptr_null(strstr(err.message, "vvv"));
    ck_assert_uint_eq(out.len, 0);
    urlpool_headers_free(trailers);
}
END_TEST

/* ready_of makes the fields of `from` ready, as if it had been checked. */
static struct urlp_ready_fields *ready_of(const struct urlp_request_head *from)
{
    struct urlp_request_head checked = *from;

    checked.is_checked = true;
    return urlp_h1_ready_fields_new(&checked);
}

START_TEST(ready__fields_are_sent_as_they_were_written)
{
    struct urlp_ready_fields *ready = ready_of(&head);
    struct urlp_request_head other = {
        .method = {"HEAD", 4},
          .target = {"/b",   2},
          .ready = ready
    };
    struct urlp_buf out = {0};

    begin();
    ck_assert_ptr_nonnull(ready);
    ck_assert_uint_eq(ready->num_fields, 2);
    for (size_t i = 0; i < 2; i++) {
        ck_assert(urlp_span_equals(ready->fields[i].name, fields[i].name));
        ck_assert(urlp_span_equals(ready->fields[i].value, fields[i].value));
    }
    other.fields = ready->fields;
    other.num_fields = ready->num_fields;
    ck_assert_int_eq(urlp_h1_check_request(&other, &bounds, &err), URLPOOL_OK);
    ck_assert_int_eq(urlp_h1_append_request(&other, &out), URLPOOL_OK);
    ck_assert(urlp_span_is(urlp_span_make(out.data, out.len),
                           "HEAD /b HTTP/1.1\r\nHost: a.example\r\nX: abc\r\n\r\n"));
    urlp_buf_deinit(&out);
    urlp_free(ready);
}
END_TEST

START_TEST(ready__fields_are_none_that_frame_the_message_or_speak_to_the_connection)
{
    static const char *const names[] = {
        "content-length", "Transfer-Encoding", "EXPECT", "Connection", "TE", "Upgrade",
        "Host",           "Proxy-Connection"};

    ck_assert_ptr_null(urlp_h1_ready_fields_new(&head)); /* nobody has checked it */
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct urlp_field with[] = {
            fields[0], {urlp_span_of(names[i]), {"1", 1}}
        };
        struct urlp_request_head other = head;

        other.fields = with;
        ck_assert_msg(ready_of(&other) == NULL, "%s", names[i]);
    }
}
END_TEST

START_TEST(ready__fields_do_not_carry_a_line_past_its_checks)
{
    static const struct urlp_field secret[] = {
        {{"Host", 4},           {"a.example", 9}},
        {{"Authorization", 13}, {"x", 1}        },
    };
    struct urlp_request_head other = head;

    begin();
    other.fields = secret;
    other.ready = ready_of(&other);
    ck_assert_int_eq(urlp_h1_check_request(&other, &bounds, &err), URLPOOL_OK);
    other.method = urlp_span_of("TRACE");
    ck_assert_int_eq(urlp_h1_check_request(&other, &bounds, &err), URLPOOL_E_HEADER);
    other.method = urlp_span_of("G T");
    ck_assert_int_eq(urlp_h1_check_request(&other, &bounds, &err), URLPOOL_E_HEADER);
    other.method = urlp_span_of("GET");
    other.target = urlp_span_of("/a b");
    ck_assert_int_eq(urlp_h1_check_request(&other, &bounds, &err), URLPOOL_E_HEADER);
    other.target = urlp_span_of("/");
    bounds.sent_head_bytes_max = REQUEST_LINE_LEN + other.ready->bytes.len;
    ck_assert_int_eq(urlp_h1_check_request(&other, &bounds, &err), URLPOOL_OK);
    bounds.sent_head_bytes_max--;
    ck_assert_int_eq(urlp_h1_check_request(&other, &bounds, &err), URLPOOL_E_HEADER);
    urlp_free((void *)(uintptr_t)other.ready);
}
END_TEST

RUN_TESTS("request_writer", request__is_written_as_its_lines,
          request__without_room_is_not_written_at_all, request__lines_are_limited_to_the_byte,
          request__line_of_the_target_is_limited_to_the_byte, request__query_is_never_shown,
          request__head_is_limited_to_the_byte, request__fields_are_counted,
          request__is_not_read_past_its_ends, ready__fields_are_sent_as_they_were_written,
          ready__fields_are_none_that_frame_the_message_or_speak_to_the_connection,
          ready__fields_do_not_carry_a_line_past_its_checks,
          trailers__are_written_behind_the_last_chunk,
          trailers__are_limited_to_the_byte_and_refused_whole,
          trailers__that_cannot_be_are_refused_by_name)
