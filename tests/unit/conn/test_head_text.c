/* Heads as they are told to who watches: as they are, but for what is a secret. */

#include <stdio.h>
#include <string.h>

#include "conn/head_text.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"

/* What the sink was told last. */
static struct {
    enum urlpool_trace_kind kind;
    int64_t number;
    char text[2048];
    unsigned num;
} told;

static void note(void *user, const struct urlpool_trace_event *event)
{
    (void)user;
    told.kind = event->kind;
    told.number = event->number;
    told.num++;
    (void)snprintf(told.text, sizeof(told.text), "%.*s", (int)event->text_len,
                   event->text_len > 0 ? event->text : "");
}

static const struct urlpool_trace trace = {.event = note};
static const struct urlp_call watched = {.trace = &trace};

/* tell_request tells of a request with one field. */
static void tell_request(const char *target, const char *name, const char *value)
{
    const struct urlp_field field = {urlp_span_of(name), urlp_span_of(value)};
    const struct urlp_request_head head = {.method = urlp_span_of("GET"),
                                           .target = urlp_span_of(target),
                                           .fields = &field,
                                           .num_fields = 1};

    urlp_trace_request_head(&watched, &head);
}

static void tell_response(enum urlpool_trace_kind kind, int status, const char *name,
                          const char *value)
{
    const struct urlp_field field = {urlp_span_of(name), urlp_span_of(value)};
    const struct urlp_response_head head = {.version = 11,
                                            .status = status,
                                            .reason = urlp_span_of("Because"),
                                            .fields = &field,
                                            .num_fields = 1};

    urlp_trace_response_head(&watched, kind, &head);
}

START_TEST(head__of_a_request_is_told_as_it_is_sent)
{
    tell_request("/a?b", "Host", "example.com");
    ck_assert_int_eq(told.kind, URLPOOL_TRACE_REQUEST_HEAD);
    ck_assert_int_eq(told.number, 0);
    ck_assert_str_eq(told.text, "GET /a?b HTTP/1.1\r\nHost: example.com\r\n\r\n");
}
END_TEST

START_TEST(head__of_a_response_is_told_with_its_status)
{
    tell_response(URLPOOL_TRACE_RESPONSE_HEAD, 404, "Server", "s");
    ck_assert_int_eq(told.kind, URLPOOL_TRACE_RESPONSE_HEAD);
    ck_assert_int_eq(told.number, 404);
    ck_assert_str_eq(told.text, "HTTP/1.1 404 Because\r\nServer: s\r\n\r\n");
    tell_response(URLPOOL_TRACE_INTERIM_HEAD, 103, "Link", "</a>");
    ck_assert_int_eq(told.kind, URLPOOL_TRACE_INTERIM_HEAD);
    ck_assert_int_eq(told.number, 103);
}
END_TEST

static const char *const secret_fields[] = {
    "Authorization", "Proxy-Authorization", "Authentication-Info",
    "Cookie",        "Set-Cookie",          "Proxy-Authentication-Info",
    "x-api-key",     "X-Auth-Token",        "Cookie2",
    "Set-Cookie2",   "X-AMZ-Security-Token"};

START_TEST(secret__field_is_masked_both_ways)
{
    char expected[128];

    (void)snprintf(expected, sizeof(expected), "\r\n%s: ***\r\n\r\n", secret_fields[_i]);
    tell_request("/", secret_fields[_i], "Basic hush");
    ck_assert_ptr_nonnull(strstr(told.text, expected));
    ck_assert_ptr_null(strstr(told.text, "hush"));
    tell_response(URLPOOL_TRACE_RESPONSE_HEAD, 200, secret_fields[_i], "hush");
    ck_assert_ptr_nonnull(strstr(told.text, expected));
    ck_assert_ptr_null(strstr(told.text, "hush"));
}
END_TEST

/* What stands in a field or a target, and what is told of it. */
static const struct {
    const char *value, *shown;
} urls[] = {
    {"http://me:hush@a.example/x?y#z",       "http://***@a.example/x?y#z"      },
    {"https://hush@a.example",               "https://***@a.example"           },
    {"//me:hush@a.example/",                 "//***@a.example/"                },
    {"http://me:hu@sh@a.example/",           "http://***@a.example/"           },
    {"<http://u:hush@a/>, <http://hush@b/>", "<http://***@a/>, <http://***@b/>"},
    {"0; url=http://u:hush@a/?q=c@d",        "0; url=http://***@a/?q=c@d"      },
    {"/x//y//me:hush@z",                     "/x//y//***@z"                    },
    {"http://a.example/~me@home",            "http://a.example/~me@home"       },
    {"http://a.example?from=me@home",        "http://a.example?from=me@home"   },
    {"me@home",                              "me@home"                         },
    {"/me@home",                             "/me@home"                        },
    {"//",                                   "//"                              },
    {"//@a",                                 "//@a"                            },
    {"",                                     ""                                },
};

START_TEST(userinfo__is_masked_wherever_a_url_stands)
{
    char expected[128];

    (void)snprintf(expected, sizeof(expected), "\r\nLocation: %s\r\n\r\n", urls[_i].shown);
    tell_response(URLPOOL_TRACE_RESPONSE_HEAD, 302, "Location", urls[_i].value);
    ck_assert_msg(strstr(told.text, expected) != NULL, "%s", told.text);
    (void)snprintf(expected, sizeof(expected), "GET %s HTTP/1.1\r\nA: b\r\n\r\n", urls[_i].shown);
    tell_request(urls[_i].value, "A", "b");
    ck_assert_str_eq(told.text, expected);
    (void)snprintf(expected, sizeof(expected), "HTTP/1.1 302 %s\r\n\r\n", urls[_i].shown);
    urlp_trace_response_head(
        &watched, URLPOOL_TRACE_RESPONSE_HEAD,
        &(const struct urlp_response_head){
            .version = 11, .status = 302, .reason = urlp_span_of(urls[_i].value)});
    ck_assert_str_eq(told.text, expected);
}
END_TEST

START_TEST(head__is_cut_short_without_memory)
{
    bool has_failed = true;

    failing_allocator_install();
    for (uint64_t n = 1; has_failed; n++) {
        told.num = 0;
        failing_allocator_fail_nth(n);
        tell_request("http://me:hush@a/", "Authorization", "hush");
        has_failed = failing_allocator_has_failed();
        ck_assert_uint_eq(told.num, 1);
        ck_assert_ptr_null(strstr(told.text, "hush"));
    }
    ck_assert_int_eq(failing_allocator_num_live(), 0);
    failing_allocator_remove();
}
END_TEST

START_TEST(head__is_not_written_while_nobody_watches)
{
    const struct urlp_call unwatched = {0};
    const struct urlp_request_head request = {.method = urlp_span_of("GET")};
    const struct urlp_response_head response = {.status = 200};

    told.num = 0;
    urlp_trace_request_head(&unwatched, &request);
    urlp_trace_response_head(&unwatched, URLPOOL_TRACE_RESPONSE_HEAD, &response);
    ck_assert_uint_eq(told.num, 0);
}
END_TEST

RUN_LOOPS("head_text", TEST_ONCE(head__of_a_request_is_told_as_it_is_sent),
          TEST_ONCE(head__of_a_response_is_told_with_its_status),
          TEST_ROWS(secret__field_is_masked_both_ways, secret_fields),
          TEST_ROWS(userinfo__is_masked_wherever_a_url_stands, urls),
          TEST_ONCE(head__is_cut_short_without_memory),
          TEST_ONCE(head__is_not_written_while_nobody_watches))
