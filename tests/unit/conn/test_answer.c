/* What a response is made of, over a scripted stream: its head, its URL, and bodies that are none.
 */

#include "support/conn_fixture.h"
#include "support/run_tests.h"

#define SIZED(len) "HTTP/1.1 200 OK\r\nContent-Length: " #len "\r\n\r\n"

static struct fixture fixture;

START_TEST(response__shows_its_head)
{
    struct urlpool_response *response;
    const struct urlp_field *fields;
    size_t num_fields;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, "HTTP/1.0 404 Not Here\r\nA: 1\r\nB: 2\r\na: 3\r\n"
                                        "Content-Length: 0\r\n\r\n");
    ck_assert_int_eq(response->status, 404);
    ck_assert_int_eq(response->version, 10);
    ck_assert_str_eq(response->reason, "Not Here");
    ck_assert_str_eq(response->url, "");
    ck_assert_ptr_null(response->data);
    ck_assert_uint_eq(urlpool_headers_count(response->headers), 4);
    ck_assert_str_eq(urlpool_response_header(response, "a"), "1");
    ck_assert_str_eq(urlpool_headers_get_nth(response->headers, "A", 1), "3");
    ck_assert_ptr_null(urlpool_response_header(response, "C"));
    fields = urlp_response_fields(response, &num_fields);
    ck_assert_uint_eq(num_fields, 4);
    ck_assert(urlp_span_is(fields[1].name, "B"));
    ck_assert(urlp_span_is(fields[2].value, "3"));
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(response__without_a_reason_has_an_empty_one)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n");
    ck_assert_str_eq(response->reason, "");
    ck_assert_int_eq(response->version, 11);
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(response__carries_the_url_it_is_given_short_or_long)
{
    static const char *const urls[] = {
        "http://a/", "https://a/x",
        "http://a/a-target-that-is-much-longer-than-the-one-that-was-asked-for#and-a-fragment"};
    struct urlpool_response *response;
    size_t i;

    fixture_begin(&fixture);
    response = fixture_answer(&fixture, SIZED(0));
    for (i = 0; i < 3; i++) {
        ck_assert_int_eq(urlp_response_set_url(response, urlp_span_of(urls[i]), NULL), URLPOOL_OK);
        ck_assert_str_eq(response->url, urls[i]);
    }
    fixture_finish(&fixture, response);
}
END_TEST

START_TEST(response__with_nothing_to_read_has_ended_before_it_is_seen)
{
    static const char *const heads[] = {SIZED(0), "HTTP/1.1 204 No Content\r\n\r\n",
                                        "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"};
    struct urlpool_response *response;
    size_t len = 99;
    char byte;
    size_t i;

    for (i = 0; i < 3; i++) {
        fixture_begin(&fixture);
        response = fixture_answer(&fixture, heads[i]);
        fixture_expect_end(&fixture, 1, true);
        ck_assert_int_eq(urlpool_response_read(response, &byte, 1, &len, NULL), URLPOOL_OK);
        ck_assert_uint_eq(len, 0);
        fixture_expect_body(&fixture, response, "");
        ck_assert_uint_eq(script_num_reads(fixture.script), 1);
        fixture_finish(&fixture, response);
    }
}
END_TEST

START_TEST(response__to_head_has_no_body_whatever_its_length)
{
    struct urlpool_response *response;

    fixture_begin(&fixture);
    fixture.method = "HEAD";
    response = fixture_answer(&fixture, SIZED(1000));
    fixture_expect_end(&fixture, 1, true);
    fixture_expect_body(&fixture, response, "");
    fixture_finish(&fixture, response);
}
END_TEST

RUN_TESTS("answer", response__shows_its_head, response__without_a_reason_has_an_empty_one,
          response__carries_the_url_it_is_given_short_or_long,
          response__with_nothing_to_read_has_ended_before_it_is_seen,
          response__to_head_has_no_body_whatever_its_length)
