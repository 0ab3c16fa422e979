/* What a request says before its body, byte by byte on the wire: the library's fields in their
 * order, then the caller's. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/head_scene.h"
#include "support/run_tests.h"

START_TEST(head__has_its_fields_in_their_order)
{
    struct head_scene scene = head_scene_begin(NULL);
    struct urlpool_headers *headers = test_headers_of("X-One", "1");
    struct urlpool_request_options options = {.headers = headers, .body = urlpool_body_json("{}")};
    char url[256];

    test_headers_add(headers, "a", "2");
    head_scene_fetch(&scene, "POST",
                     test_url_with(scene.server, "me:secret@", "/p?q#f", url, sizeof(url)),
                     &options);
    test_expect_wire(scene.server, FIRST_LINES("POST /p?q") "Content-Length: 2\n" USER_AGENT
                                                            "Authorization: Basic bWU6c2VjcmV0\n"
                                                            "Content-Type: application/json\n"
                                                            "X-One: 1\na: 2\n\n");
    options.body.chunked = true;
    head_scene_fetch(&scene, "POST", test_url_with(scene.server, "", "/", url, sizeof(url)),
                     &options);
    test_expect_wire(scene.server, FIRST_LINES("POST /") "Transfer-Encoding: chunked\n" USER_AGENT
                                                         "Content-Type: application/json\n"
                                                         "X-One: 1\na: 2\n\n");
    head_scene_fetch(&scene, "GET", url, NULL);
    test_expect_wire(scene.server, FIRST_LINES("GET /") USER_AGENT "\n");
    urlpool_headers_free(headers);
    head_scene_end(&scene);
}
END_TEST

START_TEST(headers__of_the_manager_are_replaced_or_merged)
{
    struct urlpool_headers *managers = test_headers_of("X-Common", "1");
    struct urlpool_headers *own = test_headers_of("X-Own", "2");
    struct urlpool_request_options options = {.headers = own};
    struct head_scene scene;
    char url[256];

    test_headers_add(managers, "Accept", "text/html");
    test_headers_add(managers, "accept", "text/plain");
    test_headers_add(managers, "User-Agent", "them");
    test_headers_add(own, "ACCEPT", "*/*");
    scene = head_scene_begin(&(struct urlpool_manager_options){.headers = managers});
    test_url_with(scene.server, "", "/", url, sizeof(url));
    head_scene_fetch(&scene, "GET", url, &options);
    test_expect_wire(scene.server, FIRST_LINES("GET /") USER_AGENT "X-Own: 2\nACCEPT: */*\n\n");
    options.merge_headers = true;
    head_scene_fetch(&scene, "GET", url, &options);
    test_expect_wire(scene.server,
                     FIRST_LINES("GET /") "X-Common: 1\nACCEPT: */*\nUser-Agent: them\n"
                                          "X-Own: 2\n\n");
    options.headers = NULL;
    head_scene_fetch(&scene, "GET", url, &options);
    test_expect_wire(scene.server, FIRST_LINES("GET /") "X-Common: 1\nAccept: text/html\n"
                                                        "accept: text/plain\nUser-Agent: them\n\n");
    head_scene_fetch(&scene, "GET", url, NULL);
    test_expect_wire(scene.server, FIRST_LINES("GET /") "X-Common: 1\nAccept: text/html\n"
                                                        "accept: text/plain\nUser-Agent: them\n\n");
    urlpool_headers_free(managers);
    urlpool_headers_free(own);
    head_scene_end(&scene);
}
END_TEST

START_TEST(skip__leaves_out_what_its_bits_say)
{
    struct head_scene scene = head_scene_begin(NULL);
    struct urlpool_headers *headers = test_headers_of("Host", "elsewhere:81");
    struct urlpool_request_options options = {.skip = URLPOOL_SKIP_ACCEPT_ENCODING};
    char url[256];

    test_url_with(scene.server, "", "/", url, sizeof(url));
    head_scene_fetch(&scene, "GET", url, &options);
    test_expect_wire(scene.server, "GET / HTTP/1.1\nHost: {host}\n" USER_AGENT "\n");
    options.skip = URLPOOL_SKIP_USER_AGENT;
    head_scene_fetch(&scene, "GET", url, &options);
    test_expect_wire(scene.server, FIRST_LINES("GET /") "\n");
    options.headers = headers;
    options.skip = URLPOOL_SKIP_HOST | URLPOOL_SKIP_ACCEPT_ENCODING | URLPOOL_SKIP_USER_AGENT;
    head_scene_fetch(&scene, "GET", url, &options);
    test_expect_wire(scene.server, "GET / HTTP/1.1\nHost: elsewhere:81\n\n");
    urlpool_headers_free(headers);
    head_scene_end(&scene);
}
END_TEST

START_TEST(skip__is_refused_before_anything_is_sent)
{
    struct head_scene scene = head_scene_begin(NULL);
    struct urlpool_request_options options = {.skip = URLPOOL_SKIP_HOST};

    ck_assert_int_eq(test_fetch_fails(scene.manager, "GET", scene.server, "/", &options),
                     URLPOOL_E_HEADER);
    ck_assert_str_eq(test_err.message,
                     "Host is skipped and not among the headers, and a request needs one");
    for (unsigned bit = 8; bit != 0; bit <<= 1) {
        options.skip = bit | URLPOOL_SKIP_USER_AGENT;
        ck_assert_int_eq(test_fetch_fails(scene.manager, "GET", scene.server, "/", &options),
                         URLPOOL_E_INVALID);
        ck_assert_ptr_nonnull(strstr(test_err.message, "skip"));
    }
    ck_assert_uint_eq(test_server_num_connections(scene.server), 0);
    head_scene_end(&scene);
}
END_TEST

/* redirected writes the URL of a redirect from the first server to the other, and with `is_back` on
 * to the first. */
static const char *redirected(const struct head_scene *scene, bool is_back, char *out,
                              size_t out_size)
{
    char path[512];
    char home[256] = "/landed";

    if (is_back) {
        snprintf(home, sizeof(home), "/302/http://127.0.0.1:%d/landed",
                 test_server_port(scene->server));
    }
    snprintf(path, sizeof(path), "/302/http://127.0.0.1:%d%s", test_server_port(scene->other),
             home);
    return test_url_with(scene->server, "", path, out, out_size);
}

START_TEST(head__that_cannot_be_sent_is_refused_before_a_connection_is_taken)
{
    static const char *const fields[][2] = {
        {"TE",         "trailers"      },
        {"Upgrade",    "websocket"     },
        {"Host",       "a b"           },
        {"Connection", "Content-Length"}
    };
    struct head_scene scene = head_scene_begin(NULL);
    struct urlpool_request_options options = {.body = urlpool_body_bytes("x", 1)};

    ck_assert_int_eq(test_fetch_fails(scene.manager, "TRACE", scene.server, "/", &options),
                     URLPOOL_E_BODY);
    options.body.content_type = "text/plain\r\nX: y";
    ck_assert_int_eq(test_fetch_fails(scene.manager, "POST", scene.server, "/", &options),
                     URLPOOL_E_HEADER);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_NONE);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        struct urlpool_headers *headers = test_headers_of(fields[i][0], fields[i][1]);

        options = (struct urlpool_request_options){.headers = headers};
        ck_assert_int_eq(test_fetch_fails(scene.manager, "GET", scene.server, "/", &options),
                         URLPOOL_E_HEADER);
        ck_assert_uint_eq(test_err.num_attempts, 0);
        urlpool_headers_free(headers);
    }
    ck_assert_uint_eq(test_server_num_connections(scene.server), 0);
    head_scene_end(&scene);
}
END_TEST

START_TEST(removed_headers__are_those_of_the_list)
{
    static const struct {
        const char *of_manager, *of_request, *left;
    } cases[] = {
        {NULL,            NULL,        "X-Key: 2\nX: 4\n"                             },
        {"x-key, Cookie", NULL,        "Authorization: 1\nX: 4\n"                     },
        {"X",             "X-KEY",     "Authorization: 1\nCookie: 3\nX: 4\n"          },
        {NULL,            "",          "Authorization: 1\nX-Key: 2\nCookie: 3\nX: 4\n"},
        {"",              "Accept, X", "Authorization: 1\nX-Key: 2\nCookie: 3\n"      },
    };
    struct urlpool_headers *headers = test_headers_of("Authorization", "1");

    test_headers_add(headers, "X-Key", "2");
    test_headers_add(headers, "Cookie", "3");
    test_headers_add(headers, "X", "4");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct head_scene scene = head_scene_begin(&(struct urlpool_manager_options){
            .retries.remove_headers_on_redirect = cases[i].of_manager});
        const struct urlpool_request_options options = {
            .headers = headers, .retries.remove_headers_on_redirect = cases[i].of_request};
        char expected[512];
        char url[1024];

        snprintf(expected, sizeof(expected), "%s%s\n", FIRST_LINES("GET /landed") USER_AGENT,
                 cases[i].left);
        head_scene_fetch(&scene, "GET", redirected(&scene, false, url, sizeof(url)), &options);
        test_expect_wire(scene.other, expected);
        head_scene_fetch(&scene, "GET", redirected(&scene, true, url, sizeof(url)), &options);
        test_expect_wire(scene.server, expected); /* they do not come back */
        head_scene_end(&scene);
    }
    urlpool_headers_free(headers);
}
END_TEST

START_TEST(make__serves_a_manager)
{
    const struct urlpool_headers_choice choice = {.keep_alive = true,
                                                  .user_agent = "me/1",
                                                  .basic_auth = "user:password",
                                                  .disable_cache = true};
    struct urlpool_headers *made = urlpool_headers_make(&choice, &test_err);
    struct head_scene scene = head_scene_begin(&(struct urlpool_manager_options){.headers = made});
    char url[256];

    head_scene_fetch(&scene, "GET", test_url_with(scene.server, "", "/", url, sizeof(url)), NULL);
    test_expect_wire(scene.server,
                     FIRST_LINES("GET /") "User-Agent: me/1\nConnection: keep-alive\n"
                                          "Authorization: Basic dXNlcjpwYXNzd29yZA==\n"
                                          "Cache-Control: no-cache\n\n");
    urlpool_headers_free(made);
    head_scene_end(&scene);
}
END_TEST

/* answer_nothing answers whatever is asked, HEAD too. */
static void answer_nothing(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)request;
    (void)user;
    test_peer_reply(peer, 204, NULL, "");
}

/* head_of is the head that `manager` sends; for free(). */
static char *head_of(struct urlpool_manager *manager, const struct test_server *server,
                     const char *method, const char *url,
                     const struct urlpool_request_options *options)
{
    struct urlpool_response *response = urlpool_request(manager, method, url, options, &test_err);

    ck_assert_msg(response != NULL, "%s", test_err.message);
    urlpool_response_free(response);
    return test_server_last_head((struct test_server *)(uintptr_t)server);
}

START_TEST(head__is_the_same_whatever_was_asked_before)
{
    struct urlpool_headers *own = test_headers_of("X-One", "1");
    struct urlpool_headers *closing = test_headers_of("Connection", "close");
    const struct {
        const char *method, *userinfo, *path;
        struct urlpool_request_options options;
    } asked[] = {
        {"GET",    "",         "/",    {0}                                    },
        {"GET",    "",         "/a?b", {0}                                    },
        {"GET",    "",         "",     {0}                                    },
        {"HEAD",   "",         "/",    {0}                                    },
        {"DELETE", "",         "/",    {0}                                    },
        {"POST",   "",         "/",    {0}                                    },
        {"POST",   "",         "/",    {.body = urlpool_body_json("{}")}      },
        {"GET",    "",         "/",    {.body = urlpool_body_json("{}")}      },
        {"GET",    "",         "/",    {.headers = own}                       },
        {"GET",    "",         "/",    {.headers = own, .merge_headers = true}},
        {"GET",    "",         "/",    {.headers = closing}                   },
        {"GET",    "",         "/",    {.skip = URLPOOL_SKIP_USER_AGENT}      },
        {"GET",    "",         "/",    {.keep_encoded = true}                 },
        {"GET",    "me:word@", "/",    {0}                                    },
    };
    struct urlpool_headers *of_managers[] = {NULL, test_headers_of("X-Common", "1"),
                                             test_headers_of("Connection", "keep-alive"),
                                             test_headers_of("Host", "b.example")};
    struct test_server *server = test_server_start(answer_nothing, NULL, NULL);

    for (size_t i = 0; i < sizeof(of_managers) / sizeof(of_managers[0]); i++) {
        const struct urlpool_manager_options options = {.headers = of_managers[i]};
        struct urlpool_manager *busy = test_manager(&options);

        for (size_t at = 0; at < sizeof(asked) / sizeof(asked[0]); at++) {
            struct urlpool_manager *fresh = test_manager(&options);
            char url[256];
            char *first;
            char *later;

            free(head_of(busy, server, "GET",
                         test_url_with(server, "", "/before", url, sizeof(url)), NULL));
            test_url_with(server, asked[at].userinfo, asked[at].path, url, sizeof(url));
            first = head_of(fresh, server, asked[at].method, url, &asked[at].options);
            later = head_of(busy, server, asked[at].method, url, &asked[at].options);
            ck_assert_str_eq(later, first);
            free(first);
            free(later);
            urlpool_manager_free(fresh);
        }
        urlpool_manager_free(busy);
        urlpool_headers_free(of_managers[i]);
    }
    urlpool_headers_free(own);
    urlpool_headers_free(closing);
    test_server_stop(server);
}
END_TEST

RUN_TESTS("request heads", head__has_its_fields_in_their_order,
          head__is_the_same_whatever_was_asked_before,
          headers__of_the_manager_are_replaced_or_merged, skip__leaves_out_what_its_bits_say,
          skip__is_refused_before_anything_is_sent,
          head__that_cannot_be_sent_is_refused_before_a_connection_is_taken,
          removed_headers__are_those_of_the_list, make__serves_a_manager)
