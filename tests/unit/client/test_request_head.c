/* The head of a request: what the library says, what it takes from the caller, what a redirect
 * drops, and what is refused. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "urlpool/urlpool.h"

#include "client/request_head.h"
#include "conn/connection.h"
#include "support/run_tests.h"

static struct urlpool_error err;

/* A plan with what it points to. */
struct scene {
    struct urlp_url url;
    struct urlpool_headers *headers;
    struct urlpool_headers *managers; /* NULL: not merged */
    struct urlp_body_plan body;
    struct urlp_head_plan plan;
};

static struct scene begin(const char *method, const char *url)
{
    struct scene scene = {.headers = urlpool_headers_new(&err), .body.expect_ms = -1};

    ck_assert_int_eq(urlp_url_parse(urlp_span_of(url), &scene.url, &err), URLPOOL_OK);
    scene.plan = (struct urlp_head_plan){.method = urlp_span_of(method)};
    return scene;
}

static void add(struct scene *scene, const char *name, const char *value)
{
    ck_assert_int_eq(urlpool_headers_add(scene->headers, name, value, &err), URLPOOL_OK);
}

/* point makes the plan point to what the scene has, wherever the scene is now. */
static void point(struct scene *scene)
{
    scene->plan.url = &scene->url;
    scene->plan.body = &scene->body;
    scene->plan.given =
        urlp_given_headers_of(scene->headers, scene->managers, scene->managers != NULL);
}

/* with_codings is a head with what the library can decode, and the given User-Agent; the string is
 * good until the next. */
static const char *with_codings(const char *agent)
{
    static char filled[256];

    snprintf(filled, sizeof(filled), "GET /\nHost: a\nAccept-Encoding: %s\nUser-Agent: %s\n",
             urlp_connection_accept_encoding(), agent);
    return filled;
}

/* text makes "GET /a\nHost: b\n" of the head that the plan comes to; for free(). */
static char *text(struct scene *scene)
{
    struct urlp_head_draft draft;
    char *out = calloc(1, 16384);
    size_t len = 0;

    ck_assert_ptr_nonnull(out);
    point(scene);
    urlp_head_draft_init(&draft);
    ck_assert_msg(urlp_head_draft_make(&draft, &scene->plan, &err) == URLPOOL_OK, "%s",
                  err.message);
    len = (size_t)sprintf(out, "%.*s %.*s\n", (int)draft.head.method.len, draft.head.method.data,
                          (int)draft.head.target.len, draft.head.target.data);
    for (size_t i = 0; i < draft.head.num_fields; i++) {
        const struct urlp_field field = draft.head.fields[i];

        len += (size_t)sprintf(out + len, "%.*s: %.*s\n", (int)field.name.len, field.name.data,
                               (int)field.value.len, field.value.data);
    }
    urlp_head_draft_deinit(&draft);
    return out;
}

static void expect(struct scene *scene, const char *expected)
{
    char *got = text(scene);

    ck_assert_str_eq(got, expected);
    free(got);
}

static void expect_refused(struct scene *scene, const char *word)
{
    struct urlp_head_draft draft;

    point(scene);
    urlp_head_draft_init(&draft);
    ck_assert_int_eq(urlp_head_draft_make(&draft, &scene->plan, &err), URLPOOL_E_HEADER);
    ck_assert_msg(strstr(err.message, word) != NULL, "%s", err.message);
    urlp_head_draft_deinit(&draft);
}

static void end(struct scene *scene)
{
    urlp_url_deinit(&scene->url);
    urlpool_headers_free(scene->headers);
    urlpool_headers_free(scene->managers);
}

START_TEST(head__begins_with_host)
{
    static const struct {
        const char *url, *head;
    } cases[] = {
        {"http://a/",             "GET /\nHost: a\n"         },
        {"http://a",              "GET /\nHost: a\n"         },
        {"http://a?q",            "GET /?q\nHost: a\n"       },
        {"http://u:p@a:80/b?c#d", "GET /b?c\nHost: a\n"      },
        {"https://a:443/",        "GET /\nHost: a\n"         },
        {"http://a:443/",         "GET /\nHost: a:443\n"     },
        {"http://[::1]:8080/",    "GET /\nHost: [::1]:8080\n"},
        {"http://[fe80::1%25e]/", "GET /\nHost: [fe80::1]\n" },
        {"http://a.example./",    "GET /\nHost: a.example.\n"}, /* RFC 9112 section 3.2 */
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct scene scene = begin("GET", cases[i].url);

        expect(&scene, cases[i].head);
        end(&scene);
    }
}
END_TEST

START_TEST(head__says_what_the_library_adds_unless_the_caller_has)
{
    struct scene scene = begin("GET", "http://a/");

    scene.plan.ask_for_codings = true;
    scene.plan.user_agent = "us/1";
    expect(&scene, with_codings("us/1"));
    add(&scene, "user-agent", "me");
    add(&scene, "ACCEPT-ENCODING", "br");
    expect(&scene, "GET /\nHost: a\nuser-agent: me\nACCEPT-ENCODING: br\n");
    add(&scene, "HOST", "b:1");
    expect(&scene, "GET /\nHost: b:1\nuser-agent: me\nACCEPT-ENCODING: br\n");
    end(&scene);
}
END_TEST

START_TEST(head__keeps_the_callers_fields_in_their_order)
{
    struct scene scene = begin("GET", "http://a/");

    add(&scene, "B", "1");
    add(&scene, "A", "2");
    add(&scene, "b", "3");
    add(&scene, "Empty", "");
    expect(&scene, "GET /\nHost: a\nB: 1\nA: 2\nb: 3\nEmpty: \n");
    end(&scene);
}
END_TEST

START_TEST(head__has_room_for_many_fields)
{
    struct scene scene = begin("GET", "http://a/");
    char expected[4096] = "GET /\nHost: a\n";

    for (int i = 0; i < 150; i++) {
        char name[16];

        snprintf(name, sizeof(name), "F%d", i);
        add(&scene, name, "v");
        snprintf(expected + strlen(expected), 32, "F%d: v\n", i);
    }
    expect(&scene, expected);
    end(&scene);
}
END_TEST

START_TEST(framing__is_said_once_and_by_the_library)
{
    struct scene scene = begin("POST", "http://a/");

    expect(&scene, "POST /\nHost: a\nContent-Length: 0\n");
    scene.body.has_body = true;
    scene.body.len = 1234567890123;
    expect(&scene, "POST /\nHost: a\nContent-Length: 1234567890123\n");
    add(&scene, "content-length", "1234567890123");
    expect(&scene, "POST /\nHost: a\nContent-Length: 1234567890123\n");
    scene.body.len = -1;
    expect_refused(&scene, "content-length");
    end(&scene);
    scene = begin("GET", "http://a/");
    scene.body.has_body = true;
    scene.body.len = -1;
    expect(&scene, "GET /\nHost: a\nTransfer-Encoding: chunked\n");
    add(&scene, "Transfer-Encoding", "CHUNKED");
    expect(&scene, "GET /\nHost: a\nTransfer-Encoding: chunked\n");
    scene.body.len = 3;
    expect_refused(&scene, "Transfer-Encoding");
    end(&scene);
}
END_TEST

START_TEST(framing__is_asked_for_by_chunked_alone)
{
    static const struct {
        const char *value;
        bool asks;
    } cases[] = {
        {"chunked",       true },
        {"Chunked",       true },
        {"gzip, chunked", false},
        {"identity",      false},
        {"",              false},
    };

    ck_assert(!urlp_given_headers_ask_for_chunked(&(struct urlp_given_headers){NULL, NULL}));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct scene scene = begin("PUT", "http://a/");

        point(&scene);
        ck_assert(!urlp_given_headers_ask_for_chunked(&scene.plan.given));
        add(&scene, "transfer-encoding", cases[i].value);
        ck_assert_int_eq(urlp_given_headers_ask_for_chunked(&scene.plan.given), cases[i].asks);
        end(&scene);
    }
}
END_TEST

START_TEST(host__is_one)
{
    struct scene scene = begin("GET", "http://a/");

    add(&scene, "Host", "b");
    add(&scene, "host", "c");
    expect_refused(&scene, "Host");
    end(&scene);
}
END_TEST

START_TEST(redirect__makes_host_anew)
{
    struct scene scene = begin("GET", "http://second/");

    add(&scene, "Host", "first");
    add(&scene, "Kept", "1");
    scene.plan.is_redirected = true;
    expect(&scene, "GET /\nHost: second\nKept: 1\n");
    add(&scene, "Host", "another");
    expect(&scene, "GET /\nHost: second\nKept: 1\n");
    end(&scene);
}
END_TEST

START_TEST(redirect__to_another_origin_leaves_credentials)
{
    struct scene scene = begin("GET", "http://second/");

    add(&scene, "AUTHORIZATION", "1");
    add(&scene, "Cookie", "2");
    add(&scene, "proxy-authorization", "3");
    add(&scene, "Kept", "4");
    scene.plan.is_redirected = true;
    expect(&scene, "GET /\nHost: second\nAUTHORIZATION: 1\nCookie: 2\nproxy-authorization: 3\n"
                   "Kept: 4\n");
    scene.plan.remove_headers = "Cookie, authorization, Proxy-Authorization";
    expect(&scene, "GET /\nHost: second\nKept: 4\n");
    end(&scene);
}
END_TEST

START_TEST(redirect__to_get_leaves_what_told_of_the_body)
{
    struct scene scene = begin("GET", "http://a/");

    add(&scene, "Content-Type", "text/plain");
    add(&scene, "Content-Length", "5");
    add(&scene, "Transfer-Encoding", "chunked");
    add(&scene, "Kept", "1");
    scene.plan.is_redirected = true;
    scene.plan.to_get = true;
    expect(&scene, "GET /\nHost: a\nKept: 1\n");
    end(&scene);
}
END_TEST

START_TEST(redirect__that_dropped_the_callers_word_has_the_librarys)
{
    struct scene scene = begin("GET", "http://a/");

    scene.plan.ask_for_codings = true;
    scene.plan.user_agent = "us/1";
    scene.plan.is_redirected = true;
    scene.plan.remove_headers = "Cookie, authorization, Proxy-Authorization";
    add(&scene, "User-Agent", "me");
    expect(&scene, with_codings("me"));
    end(&scene);
}
END_TEST

START_TEST(given__are_merged_without_a_copy)
{
    struct scene scene = begin("GET", "http://a/");

    scene.managers = urlpool_headers_new(&err);
    ck_assert_int_eq(urlpool_headers_add(scene.managers, "A", "1", &err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(scene.managers, "B", "2", &err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(scene.managers, "a", "3", &err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(scene.managers, "User-Agent", "them", &err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(scene.managers, "Host", "b", &err), URLPOOL_OK);
    scene.plan.user_agent = "us/1";
    expect(&scene, "GET /\nHost: b\nA: 1\nB: 2\na: 3\nUser-Agent: them\n");
    add(&scene, "C", "4");
    add(&scene, "a", "5");
    add(&scene, "user-agent", "me");
    add(&scene, "host", "c");
    expect(&scene, "GET /\nHost: c\na: 5\nB: 2\nuser-agent: me\nC: 4\n");
    end(&scene);
}
END_TEST

START_TEST(given__replace_the_managers_unless_merged)
{
    struct urlpool_headers *own = urlpool_headers_new(&err);
    struct urlpool_headers *managers = urlpool_headers_new(&err);
    struct urlp_given_headers given = urlp_given_headers_of(NULL, managers, false);

    ck_assert_int_eq(urlpool_headers_add(managers, "M", "1", &err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(managers, "X", "2", &err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(own, "x", "3", &err), URLPOOL_OK);
    ck_assert_str_eq(urlp_given_headers_get(&given, "x"), "2");
    given = urlp_given_headers_of(NULL, managers, true);
    ck_assert_str_eq(urlp_given_headers_get(&given, "m"), "1");
    given = urlp_given_headers_of(own, managers, false);
    ck_assert_str_eq(urlp_given_headers_get(&given, "X"), "3");
    ck_assert_ptr_null(urlp_given_headers_get(&given, "M"));
    given = urlp_given_headers_of(own, managers, true);
    ck_assert_str_eq(urlp_given_headers_get(&given, "X"), "3");
    ck_assert_str_eq(urlp_given_headers_get(&given, "M"), "1");
    given = urlp_given_headers_of(NULL, NULL, true);
    ck_assert_ptr_null(urlp_given_headers_get(&given, "M"));
    urlpool_headers_free(own);
    urlpool_headers_free(managers);
}
END_TEST

START_TEST(skip__leaves_each_field_out_by_itself)
{
    struct scene scene = begin("GET", "http://a/");
    char codings[128];

    scene.plan.ask_for_codings = true;
    scene.plan.user_agent = "us/1";
    scene.plan.skip = URLPOOL_SKIP_ACCEPT_ENCODING;
    expect(&scene, "GET /\nHost: a\nUser-Agent: us/1\n");
    scene.plan.skip = URLPOOL_SKIP_USER_AGENT;
    snprintf(codings, sizeof(codings), "GET /\nHost: a\nAccept-Encoding: %s\n",
             urlp_connection_accept_encoding());
    expect(&scene, codings);
    scene.plan.skip = URLPOOL_SKIP_HOST;
    expect_refused(&scene, "Host is skipped");
    scene.plan.skip |= URLPOOL_SKIP_ACCEPT_ENCODING | URLPOOL_SKIP_USER_AGENT;
    add(&scene, "host", "mine");
    add(&scene, "User-Agent", "me");
    add(&scene, "Accept-Encoding", "br");
    expect(&scene, "GET /\nHost: mine\nUser-Agent: me\nAccept-Encoding: br\n");
    end(&scene);
}
END_TEST

START_TEST(skip__of_host_ends_with_a_redirect)
{
    struct scene scene = begin("GET", "http://second/");

    scene.plan.skip = URLPOOL_SKIP_HOST;
    scene.plan.is_redirected = true;
    expect(&scene, "GET /\nHost: second\n");
    end(&scene);
}
END_TEST

START_TEST(authorization__of_the_url_gives_way_to_the_callers)
{
    struct scene scene = begin("GET", "http://a/");

    scene.plan.authorization = urlp_span_of("Basic dTpw");
    add(&scene, "X", "1");
    expect(&scene, "GET /\nHost: a\nAuthorization: Basic dTpw\nX: 1\n");
    add(&scene, "AUTHORIZATION", "Bearer t");
    expect(&scene, "GET /\nHost: a\nX: 1\nAUTHORIZATION: Bearer t\n");
    end(&scene);
}
END_TEST

START_TEST(authorization__of_the_url_is_left_behind_like_the_callers)
{
    struct scene scene = begin("GET", "http://a/");

    scene.plan.authorization = urlp_span_of("Basic dTpw");
    scene.plan.is_redirected = true;
    expect(&scene, "GET /\nHost: a\nAuthorization: Basic dTpw\n");
    scene.plan.remove_headers = "Authorization, Cookie";
    expect(&scene, "GET /\nHost: a\n");
    /* One that was said and left behind is not replaced by the other. */
    add(&scene, "Authorization", "Bearer t");
    expect(&scene, "GET /\nHost: a\n");
    scene.plan.remove_headers = "X-Mine";
    expect(&scene, "GET /\nHost: a\nAuthorization: Bearer t\n");
    scene.plan.remove_headers = "";
    expect(&scene, "GET /\nHost: a\nAuthorization: Bearer t\n");
    end(&scene);
}
END_TEST

START_TEST(content_type__is_the_bodys_unless_the_caller_has_one)
{
    struct scene scene = begin("POST", "http://a/");

    scene.body.has_body = true;
    scene.body.len = 2;
    scene.body.content_type = "application/json";
    scene.plan.user_agent = "us/1";
    scene.plan.authorization = urlp_span_of("Basic dTpw");
    add(&scene, "X", "1");
    expect(&scene, "POST /\nHost: a\nContent-Length: 2\nUser-Agent: us/1\n"
                   "Authorization: Basic dTpw\nContent-Type: application/json\nX: 1\n");
    add(&scene, "content-type", "text/plain");
    expect(&scene, "POST /\nHost: a\nContent-Length: 2\nUser-Agent: us/1\n"
                   "Authorization: Basic dTpw\nX: 1\ncontent-type: text/plain\n");
    end(&scene);
    scene = begin("GET", "http://a/");
    scene.body.content_type = "application/json"; /* of no body */
    expect(&scene, "GET /\nHost: a\n");
    end(&scene);
}
END_TEST

START_TEST(trailer__announces_each_name_once)
{
    struct scene scene = begin("POST", "http://a/");
    struct urlpool_headers *trailers = urlpool_headers_new(&err);

    scene.body.has_body = true;
    scene.body.len = -1;
    scene.body.trailers = trailers;
    expect(&scene, "POST /\nHost: a\nTransfer-Encoding: chunked\n");
    ck_assert_int_eq(urlpool_headers_add(trailers, "X-Sum", "1", &err), URLPOOL_OK);
    expect(&scene, "POST /\nHost: a\nTransfer-Encoding: chunked\nTrailer: X-Sum\n");
    ck_assert_int_eq(urlpool_headers_add(trailers, "x-sum", "2", &err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(trailers, "X-End", "3", &err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(trailers, "X-Sum", "4", &err), URLPOOL_OK);
    expect(&scene, "POST /\nHost: a\nTransfer-Encoding: chunked\nTrailer: X-Sum, X-End\n");
    add(&scene, "TRAILER", "X-Mine");
    expect(&scene, "POST /\nHost: a\nTransfer-Encoding: chunked\nTRAILER: X-Mine\n");
    urlpool_headers_free(trailers);
    end(&scene);
}
END_TEST

/* expects says whether the draft knows of its Expect. */
static bool expects(struct scene *scene)
{
    struct urlp_head_draft draft;
    bool expects_continue;

    point(scene);
    urlp_head_draft_init(&draft);
    ck_assert_int_eq(urlp_head_draft_make(&draft, &scene->plan, &err), URLPOOL_OK);
    expects_continue = draft.expects_continue;
    urlp_head_draft_deinit(&draft);
    return expects_continue;
}

START_TEST(expect__is_said_of_content_alone)
{
    struct scene scene = begin("PUT", "http://a/");

    scene.body.has_body = true;
    scene.body.len = 3;
    expect(&scene, "PUT /\nHost: a\nContent-Length: 3\n");
    ck_assert(!expects(&scene));
    scene.body.expect_ms = 0;
    expect(&scene, "PUT /\nHost: a\nContent-Length: 3\nExpect: 100-continue\n");
    ck_assert(expects(&scene));
    scene.body.len = -1;
    expect(&scene, "PUT /\nHost: a\nTransfer-Encoding: chunked\nExpect: 100-continue\n");
    scene.body.len = 0;
    expect(&scene, "PUT /\nHost: a\nContent-Length: 0\n");
    ck_assert(!expects(&scene));
    scene.body.has_body = false;
    expect(&scene, "PUT /\nHost: a\nContent-Length: 0\n");
    end(&scene);
}
END_TEST

START_TEST(expect__of_the_caller_is_the_one)
{
    struct scene scene = begin("PUT", "http://a/");

    add(&scene, "X", "1");
    point(&scene);
    ck_assert(!urlp_given_headers_expect_continue(&scene.plan.given));
    add(&scene, "expect", "100-Continue");
    point(&scene);
    ck_assert(urlp_given_headers_expect_continue(&scene.plan.given));
    expect_refused(&scene, "without a body");
    scene.body.has_body = true;
    expect_refused(&scene, "without a body");
    scene.body.len = 3;
    scene.body.expect_ms = 1000;
    expect(&scene, "PUT /\nHost: a\nContent-Length: 3\nX: 1\nexpect: 100-Continue\n");
    ck_assert(expects(&scene));
    end(&scene);
}
END_TEST

START_TEST(expect__is_left_out_after_417)
{
    struct scene scene = begin("PUT", "http://a/");

    scene.body.has_body = true;
    scene.body.len = 3;
    scene.body.expect_ms = 1000;
    scene.plan.without_expect = true;
    expect(&scene, "PUT /\nHost: a\nContent-Length: 3\n");
    ck_assert(!expects(&scene));
    add(&scene, "Expect", "100-continue");
    expect(&scene, "PUT /\nHost: a\nContent-Length: 3\n");
    ck_assert(!expects(&scene));
    end(&scene);
}
END_TEST

START_TEST(expect__of_something_else_is_the_callers_business)
{
    struct scene scene = begin("GET", "http://a/");

    add(&scene, "Expect", "the unexpected");
    scene.plan.without_expect = true;
    expect(&scene, "GET /\nHost: a\nExpect: the unexpected\n");
    ck_assert(!urlp_given_headers_expect_continue(&scene.plan.given));
    ck_assert(!expects(&scene));
    end(&scene);
}
END_TEST

START_TEST(redirect__to_get_takes_expect_along)
{
    struct scene scene = begin("GET", "http://a/");

    add(&scene, "Expect", "100-continue");
    add(&scene, "Trailer", "X");
    scene.plan.is_redirected = true;
    scene.plan.to_get = true;
    expect(&scene, "GET /\nHost: a\n");
    end(&scene);
}
END_TEST

/* hop is a proxy that forwards, with credentials and a header of its own. */
static struct urlp_proxy_hop make_hop(struct urlpool_headers *headers)
{
    return (struct urlp_proxy_hop){
        .kind = URLP_PROXY_HTTP, .headers = headers, .authorization = urlp_span_of("Basic eDp5")};
}

START_TEST(forwarded__asks_for_the_whole_url_and_says_who_asks)
{
    static const struct {
        const char *url, *head;
    } cases[] = {
        {"http://a",               "GET http://a/\nHost: a\n"                 },
        {"http://a:8080/b?c#d",    "GET http://a:8080/b?c\nHost: a:8080\n"    },
        {"https://u:p@a/",         "GET https://a/\nHost: a\n"                },
        {"http://[fe80::1%25e]/x", "GET http://[fe80::1]/x\nHost: [fe80::1]\n"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct scene scene = begin("GET", cases[i].url);
        struct urlp_proxy_hop hop = make_hop(NULL);
        char *with_credentials = NULL;

        ck_assert_int_gt(
            asprintf(&with_credentials, "%sProxy-Authorization: Basic eDp5\n", cases[i].head), 0);
        scene.plan.forwarder = &hop;
        expect(&scene, with_credentials);
        hop.authorization.len = 0;
        expect(&scene, cases[i].head);
        free(with_credentials);
        end(&scene);
    }
}
END_TEST

START_TEST(forwarded__has_the_proxys_headers_behind_the_callers)
{
    struct scene scene = begin("GET", "http://a/");
    struct urlpool_headers *proxys = urlpool_headers_new(&err);
    struct urlp_proxy_hop hop = make_hop(proxys);

    ck_assert_int_eq(urlpool_headers_add(proxys, "X-Way", "1", &err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(proxys, "x-way", "2", &err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(proxys, "X-Both", "proxy", &err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(proxys, "User-Agent", "proxy", &err), URLPOOL_OK);
    scene.plan.user_agent = "own/1";
    scene.plan.forwarder = &hop;
    add(&scene, "x-both", "caller");
    expect(&scene, "GET http://a/\nHost: a\nProxy-Authorization: Basic eDp5\nx-both: caller\n"
                   "X-Way: 1\nx-way: 2\nUser-Agent: proxy\n");
    add(&scene, "proxy-authorization", "Bearer mine");
    add(&scene, "User-Agent", "mine");
    expect(&scene, "GET http://a/\nHost: a\nx-both: caller\nproxy-authorization: Bearer mine\n"
                   "User-Agent: mine\nX-Way: 1\nx-way: 2\n");
    scene.plan.forwarder = NULL;
    scene.plan.given.top = NULL;
    urlpool_headers_free(scene.headers);
    scene.headers = NULL;
    expect(&scene, "GET /\nHost: a\nUser-Agent: own/1\n");
    urlpool_headers_free(proxys);
    end(&scene);
}
END_TEST

START_TEST(forwarded__has_room_for_many_headers)
{
    struct scene scene = begin("GET", "http://a/");
    struct urlpool_headers *proxys = urlpool_headers_new(&err);
    struct urlp_proxy_hop hop = make_hop(proxys);
    char *got;

    for (int i = 0; i < 100; i++) {
        char name[16];

        snprintf(name, sizeof(name), "X-%d", i);
        ck_assert_int_eq(urlpool_headers_add(proxys, name, "v", &err), URLPOOL_OK);
    }
    scene.plan.forwarder = &hop;
    got = text(&scene);
    ck_assert_ptr_nonnull(strstr(got, "\nX-99: v\n"));
    free(got);
    urlpool_headers_free(proxys);
    end(&scene);
}
END_TEST

START_TEST(forwarded__keeps_the_proxys_own_over_redirects)
{
    struct scene scene = begin("GET", "http://b/");
    struct urlpool_headers *proxys = urlpool_headers_new(&err);
    struct urlp_proxy_hop hop = make_hop(proxys);

    ck_assert_int_eq(urlpool_headers_add(proxys, "Cookie", "proxy", &err), URLPOOL_OK);
    scene.plan.forwarder = &hop;
    scene.plan.is_redirected = true;
    scene.plan.remove_headers = "Authorization, Cookie, Proxy-Authorization";
    add(&scene, "Proxy-Authorization", "Basic for-the-first");
    add(&scene, "Cookie", "for-the-first");
    expect(&scene, "GET http://b/\nHost: b\nProxy-Authorization: Basic eDp5\nCookie: proxy\n");
    urlpool_headers_free(proxys);
    end(&scene);
}
END_TEST

/* reuses says whether the head of `scene` can be made of the fields of the head of "http://a/". */
static bool reuses(struct scene *scene)
{
    static const struct urlp_field field = {
        {"Host", 4},
        {"a",    1}
    };
    const struct urlp_ready_fields ready = {
        .fields = &field, .num_fields = 1, .bytes = URLP_SPAN("Host: a\r\n\r\n")};
    struct urlp_head_draft draft;
    bool is_reused;

    point(scene);
    urlp_head_draft_init(&draft);
    is_reused = urlp_head_draft_reuse(&draft, &scene->plan, &ready);
    if (is_reused) {
        char *made = text(scene);
        char said[256];

        snprintf(said, sizeof(said), "%.*s %.*s\n", (int)draft.head.method.len,
                 draft.head.method.data, (int)draft.head.target.len, draft.head.target.data);
        ck_assert_int_eq(strncmp(made, said, strlen(said)), 0);
        ck_assert_ptr_eq(draft.head.ready, &ready);
        ck_assert_ptr_eq(draft.head.fields, &field);
        free(made);
    }
    urlp_head_draft_deinit(&draft);
    return is_reused;
}

START_TEST(reuse__is_for_the_same_host_alone)
{
    static const struct {
        const char *url;
        bool is_same;
    } cases[] = {
        {"http://a/",         true },
        {"http://a/b?c",      true },
        {"http://a/b?c#d",    true },
        {"http://A/",         true },
        {"https://a/",        true },
        {"http://b/",         false},
        {"http://a:8080/",    false},
        {"http://ab/",        false},
        {"http://a:80/",      false}, /* has to be written anew */
        {"http://a",          false},
        {"http://[::1%25a]/", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct scene scene = begin("GET", cases[i].url);

        ck_assert_msg(reuses(&scene) == cases[i].is_same, "%s", cases[i].url);
        end(&scene);
    }
}
END_TEST

START_TEST(reuse__is_for_plans_that_say_nothing_of_their_own)
{
    static const struct urlp_proxy_hop hop = {0};
    struct scene scene = begin("GET", "http://a/");
    const struct urlp_head_plan usual = {
        .method = {"GET", 3},
          .ask_for_codings = true
    };
    struct urlp_head_plan plans[10];

    for (size_t i = 0; i < 10; i++) {
        plans[i] = usual;
    }
    plans[0].has_own_headers = true;
    plans[1].skip = URLPOOL_SKIP_USER_AGENT;
    plans[2].authorization = urlp_span_of("Basic eDp5");
    plans[3].forwarder = &hop;
    plans[4].ask_for_codings = false;
    plans[5].is_redirected = true;
    plans[6].method = urlp_span_of("POST");
    plans[7].body = &(struct urlp_body_plan){.has_body = true, .expect_ms = -1};
    plans[8].body = &(struct urlp_body_plan){.len = -1, .expect_ms = -1};
    plans[9].body = &scene.body; /* there is none */
    ck_assert(urlp_head_plan_is_usual(&usual));
    for (size_t i = 0; i < 10; i++) {
        ck_assert_msg(urlp_head_plan_is_usual(&plans[i]) == (i == 9), "%zu", i);
    }
    end(&scene);
}
END_TEST

RUN_TESTS("request head", head__begins_with_host,
          head__says_what_the_library_adds_unless_the_caller_has,
          head__keeps_the_callers_fields_in_their_order, head__has_room_for_many_fields,
          framing__is_said_once_and_by_the_library, framing__is_asked_for_by_chunked_alone,
          host__is_one, redirect__makes_host_anew, redirect__to_another_origin_leaves_credentials,
          redirect__to_get_leaves_what_told_of_the_body,
          redirect__that_dropped_the_callers_word_has_the_librarys,
          given__are_merged_without_a_copy, given__replace_the_managers_unless_merged,
          skip__leaves_each_field_out_by_itself, skip__of_host_ends_with_a_redirect,
          authorization__of_the_url_gives_way_to_the_callers,
          authorization__of_the_url_is_left_behind_like_the_callers,
          content_type__is_the_bodys_unless_the_caller_has_one, trailer__announces_each_name_once,
          expect__is_said_of_content_alone, expect__of_the_caller_is_the_one,
          expect__is_left_out_after_417, expect__of_something_else_is_the_callers_business,
          redirect__to_get_takes_expect_along, forwarded__asks_for_the_whole_url_and_says_who_asks,
          forwarded__has_the_proxys_headers_behind_the_callers, reuse__is_for_the_same_host_alone,
          reuse__is_for_plans_that_say_nothing_of_their_own, forwarded__has_room_for_many_headers,
          forwarded__keeps_the_proxys_own_over_redirects)
