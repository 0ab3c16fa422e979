/* The status line alone, as the head parser never gives it: whole, but too short. The rest is in
 * the transcripts r001 to r023. */

#include <string.h>

#include "h1/status_line.h"
#include "support/run_tests.h"

static struct urlp_h1_status_line line;
static struct urlpool_error err;

static enum urlpool_code parse(const char *text)
{
    line = (struct urlp_h1_status_line){.status = -1};
    return urlp_h1_parse_status_line(urlp_span_of(text), false, &line, &err);
}

START_TEST(status_line__is_read_into_its_parts)
{
    ck_assert_int_eq(parse("HTTP/1.1 404 Not Found"), URLPOOL_OK);
    ck_assert_int_eq(line.version, 11);
    ck_assert_int_eq(line.status, 404);
    ck_assert(urlp_span_is(line.reason, "Not Found"));
    ck_assert_int_eq(parse("HTTP/1.0 200"), URLPOOL_OK);
    ck_assert_int_eq(line.version, 10);
    ck_assert_uint_eq(line.reason.len, 0);
}
END_TEST

START_TEST(status_line__that_stops_early_is_refused)
{
    static const char whole[] = "HTTP/1.1 20";

    for (size_t len = 0; len < sizeof(whole); len++) {
        char text[sizeof(whole)] = "";

        memcpy(text, whole, len);
        ck_assert_int_eq(parse(text), URLPOOL_E_BAD_STATUS_LINE);
        ck_assert_int_eq(line.status, -1);
    }
}
END_TEST

START_TEST(status_line__with_a_wrong_beginning_is_refused)
{
    ck_assert_int_eq(parse("HTTP/2.0 200 OK"), URLPOOL_E_UNKNOWN_PROTOCOL);
    ck_assert_int_eq(parse("ICY 200 OK"), URLPOOL_E_BAD_STATUS_LINE);
    ck_assert_int_eq(line.status, -1);
}
END_TEST

START_TEST(status_prefix__tells_the_first_wrong_byte)
{
    static const char good[] = "HTTP/1.1 200";

    for (size_t i = 0; i < sizeof(good) - 1; i++) {
        char text[sizeof(good)];

        memcpy(text, good, sizeof(good));
        text[i] = '*';
        ck_assert_int_eq(urlp_h1_status_prefix(urlp_span_make(text, i), &err), URLPOOL_OK);
        ck_assert_int_eq(urlp_h1_status_prefix(urlp_span_make(text, i + 1), &err),
                         URLPOOL_E_BAD_STATUS_LINE);
    }
}
END_TEST

RUN_TESTS("status_line", status_line__is_read_into_its_parts,
          status_line__that_stops_early_is_refused, status_line__with_a_wrong_beginning_is_refused,
          status_prefix__tells_the_first_wrong_byte)
