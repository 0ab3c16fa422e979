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

RUN_TESTS("request head", head__begins_with_host,
          head__says_what_the_library_adds_unless_the_caller_has,
          head__keeps_the_callers_fields_in_their_order, head__has_room_for_many_fields,
          framing__is_said_once_and_by_the_library, framing__is_asked_for_by_chunked_alone,
          host__is_one, redirect__makes_host_anew, redirect__to_another_origin_leaves_credentials,
          redirect__to_get_leaves_what_told_of_the_body,
          redirect__that_dropped_the_callers_word_has_the_librarys)
