/* The sizes of what is sent, to the byte, and that nothing is written when there is no room. What
 * may stand in a request is in the transcripts r139 to r163. */

#include <stdlib.h>
#include <string.h>

#include "h1/request_writer.h"
#include "support/run_tests.h"

static struct urlp_h1_bounds bounds;
static struct urlpool_error err;

static const struct urlp_field fields[] = {
    {{"Host", 4}, {"a.example", 9}},
    {{"X", 1},    {"abc", 3}      },
};
static const struct urlp_request_head head = {
    {"GET", 3},
    {"/",   1},
    fields, 2
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
        {"GET", 3},
        {"/",   1},
        &host, 1
    };

    begin();
    bounds.sent_line_bytes_max = REQUEST_LINE_LEN;
    ck_assert_int_eq(urlp_h1_check_request(&small, &bounds, &err), URLPOOL_OK);
    bounds.sent_line_bytes_max = REQUEST_LINE_LEN - 1;
    ck_assert_int_eq(urlp_h1_check_request(&small, &bounds, &err), URLPOOL_E_HEADER);
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

RUN_TESTS("request_writer", request__is_written_as_its_lines,
          request__without_room_is_not_written_at_all, request__lines_are_limited_to_the_byte,
          request__line_of_the_target_is_limited_to_the_byte, request__head_is_limited_to_the_byte,
          request__fields_are_counted, request__is_not_read_past_its_ends)
