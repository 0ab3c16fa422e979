/* User and password in a URL: what they become, where they go along, and where they never show. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/head_scene.h"
#include "support/run_tests.h"

/* expect_authorization looks for the line in the last head that `server` got; NULL: for none. */
static void expect_authorization(struct test_server *server, const char *value)
{
    char *head = test_server_last_head(server);
    const char *line = strstr(head, "uthorization: ");

    if (value == NULL) {
        ck_assert_msg(line == NULL, "%s", head);
    } else {
        ck_assert_msg(line != NULL, "%s", head);
        line += strlen("uthorization: ");
        ck_assert_msg(strncmp(line, value, strlen(value)) == 0 && line[strlen(value)] == '\r', "%s",
                      head);
        ck_assert_ptr_null(strstr(line, "uthorization"));
    }
    free(head);
}

START_TEST(userinfo__becomes_authorization)
{
    static const struct {
        const char *userinfo, *value;
    } cases[] = {
        {"",                 NULL                        },
        {"@",                NULL                        },
        {"user:password@",   "Basic dXNlcjpwYXNzd29yZA=="},
        {"user@",            "Basic dXNlcjo="            },
        {":password@",       "Basic OnBhc3N3b3Jk"        },
        {"u%40h:p%2F%25:x@", "Basic dUBoOnAvJTp4"        },
        {"test:123%C2%A3@",  "Basic dGVzdDoxMjPCow=="    },
    };
    struct head_scene scene = head_scene_begin(NULL);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char url[256];

        test_url_with(scene.server, cases[i].userinfo, "/", url, sizeof(url));
        head_scene_fetch(&scene, "GET", url, NULL);
        expect_authorization(scene.server, cases[i].value);
    }
    head_scene_end(&scene);
}
END_TEST

START_TEST(userinfo__gives_way_to_the_callers_authorization)
{
    struct urlpool_headers *headers = test_headers_of("authorization", "Bearer t");
    struct head_scene scene =
        head_scene_begin(&(struct urlpool_manager_options){.headers = headers});
    const struct urlpool_request_options own = {.headers = headers};
    char url[256];

    test_url_with(scene.server, "me:secret@", "/", url, sizeof(url));
    head_scene_fetch(&scene, "GET", url, &own);
    expect_authorization(scene.server, "Bearer t");
    head_scene_fetch(&scene, "GET", url, NULL);
    expect_authorization(scene.server, "Bearer t");
    urlpool_headers_free(headers);
    head_scene_end(&scene);
}
END_TEST

START_TEST(userinfo__stays_on_redirects_within_its_origin)
{
    struct head_scene scene = head_scene_begin(NULL);
    char path[512];
    char url[600];

    test_url_with(scene.server, "me:secret@", "/302//302//landed", url, sizeof(url));
    head_scene_fetch(&scene, "GET", url, NULL);
    expect_authorization(scene.server, "Basic bWU6c2VjcmV0");
    /* An absolute Location of the same origin, which says no user. */
    snprintf(path, sizeof(path), "/307/http://127.0.0.1:%d/landed", test_server_port(scene.server));
    test_url_with(scene.server, "me:secret@", path, url, sizeof(url));
    head_scene_fetch(&scene, "GET", url, NULL);
    expect_authorization(scene.server, "Basic bWU6c2VjcmV0");
    ck_assert_uint_eq(test_stats(scene.manager).redirects, 3);
    head_scene_end(&scene);
}
END_TEST

START_TEST(userinfo__is_left_behind_for_good_by_another_origin)
{
    struct head_scene scene = head_scene_begin(NULL);
    char path[512];
    char url[600];

    snprintf(path, sizeof(path), "/302/http://127.0.0.1:%d/302/http://127.0.0.1:%d/302//landed",
             test_server_port(scene.other), test_server_port(scene.server));
    test_url_with(scene.server, "me:secret@", path, url, sizeof(url));
    head_scene_fetch(&scene, "GET", url, NULL);
    expect_authorization(scene.other, NULL);
    expect_authorization(scene.server, NULL);
    ck_assert_uint_eq(test_stats(scene.manager).redirects, 3);
    head_scene_end(&scene);
}
END_TEST

START_TEST(userinfo__goes_along_when_authorization_may)
{
    struct head_scene scene = head_scene_begin(NULL);
    const struct urlpool_request_options options = {.retries.remove_headers_on_redirect = "Cookie"};
    char path[512];
    char url[600];

    snprintf(path, sizeof(path), "/302/http://127.0.0.1:%d/landed", test_server_port(scene.other));
    test_url_with(scene.server, "me:secret@", path, url, sizeof(url));
    head_scene_fetch(&scene, "GET", url, &options);
    expect_authorization(scene.other, "Basic bWU6c2VjcmV0");
    head_scene_end(&scene);
}
END_TEST

/* Everything that a sink was told, one behind the other. */
struct told {
    char text[16384];
    size_t len;
};

static void note(void *user, const struct urlpool_trace_event *event)
{
    struct told *told = user;

    ck_assert_uint_lt(told->len + event->text_len, sizeof(told->text));
    if (event->text_len > 0) {
        memcpy(told->text + told->len, event->text, event->text_len);
    }
    told->len += event->text_len;
}

START_TEST(userinfo__is_in_no_log_and_no_message)
{
    struct head_scene scene = head_scene_begin(NULL);
    struct told told = {0};
    const struct urlpool_request_options options = {
        .trace = {.event = note, .user = &told}
    };
    char path[512];
    char url[600];

    snprintf(path, sizeof(path), "/302//302/http://127.0.0.1:%d/", test_server_port(scene.other));
    test_url_with(scene.server, "me:secret@", path, url, sizeof(url));
    head_scene_fetch(&scene, "GET", url, &options);
    ck_assert_ptr_nonnull(strstr(told.text, "Authorization: ***"));
    ck_assert_ptr_null(strstr(told.text, "secret"));
    ck_assert_ptr_null(strstr(told.text, "bWU6c2VjcmV0"));
    ck_assert_ptr_null(urlpool_request(scene.manager, "GET", "http://me:secret@127.0.0.1:1/",
                                       &options, &test_err));
    ck_assert_ptr_null(strstr(test_err.message, "secret"));
    ck_assert_ptr_null(strstr(test_err.message, "bWU6c2VjcmV0"));
    ck_assert_ptr_null(strstr(told.text, "secret"));
    head_scene_end(&scene);
}
END_TEST

START_TEST(userinfo__that_cannot_be_said_is_refused)
{
    static const char *const bad[] = {"me:sec%0Dret@",    "me:sec%0aret@", "me:sec%00ret@",
                                      "m%0D%0Ae:secret@", "m%3Ae:secret@", "%7F@"};
    struct head_scene scene = head_scene_begin(NULL);

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char url[256];

        test_url_with(scene.server, bad[i], "/", url, sizeof(url));
        ck_assert_ptr_null(urlpool_request(scene.manager, "GET", url, NULL, &test_err));
        ck_assert_int_eq(test_err.code, URLPOOL_E_HEADER);
        ck_assert_msg(strstr(test_err.message, "URL") != NULL &&
                          strstr(test_err.message, "sec") == NULL &&
                          strstr(test_err.message, "ret") == NULL,
                      "%s", test_err.message);
    }
    ck_assert_uint_eq(test_server_num_connections(scene.server), 0);
    head_scene_end(&scene);
}
END_TEST

RUN_TESTS("userinfo", userinfo__becomes_authorization,
          userinfo__gives_way_to_the_callers_authorization,
          userinfo__stays_on_redirects_within_its_origin,
          userinfo__is_left_behind_for_good_by_another_origin,
          userinfo__goes_along_when_authorization_may, userinfo__is_in_no_log_and_no_message,
          userinfo__that_cannot_be_said_is_refused)
