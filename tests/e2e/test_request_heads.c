/* What a request says before its body, byte by byte on the wire: the library's fields in their
 * order, then the caller's; and what of it goes along on redirects. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/requests.h"
#include "support/run_tests.h"

/* answer redirects "/STATUS/LOCATION" and says 200 to all else. */
static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    char fields[1024];
    int status = 0;
    int at = 0;

    (void)user;
    if (sscanf(request->target, "/%3d/%n", &status, &at) == 1 && at > 0) {
        snprintf(fields, sizeof(fields), "Location: %s\r\n", request->target + at);
        test_peer_reply(peer, status, fields, "");
    } else {
        test_peer_reply(peer, 200, NULL, "");
    }
}

struct scene {
    struct test_server *server, *other;
    struct urlpool_manager *manager;
};

static struct scene begin(const struct urlpool_manager_options *options)
{
    return (struct scene){test_server_start(answer, NULL, NULL),
                          test_server_start(answer, NULL, NULL), test_manager(options)};
}

static void end(struct scene *scene)
{
    urlpool_manager_free(scene->manager);
    test_server_stop(scene->server);
    test_server_stop(scene->other);
}

static struct urlpool_headers *headers_of(const char *name, const char *value)
{
    struct urlpool_headers *headers = urlpool_headers_new(&test_err);

    ck_assert_ptr_nonnull(headers);
    ck_assert_int_eq(urlpool_headers_add(headers, name, value, &test_err), URLPOOL_OK);
    return headers;
}

static void add(struct urlpool_headers *headers, const char *name, const char *value)
{
    ck_assert_int_eq(urlpool_headers_add(headers, name, value, &test_err), URLPOOL_OK);
}

/* url_with writes the URL of `path` at the server, with "user@" text in front of the host. */
static const char *url_with(const struct test_server *server, const char *userinfo,
                            const char *path, char *out, size_t out_size)
{
    snprintf(out, out_size, "http://%s127.0.0.1:%d%s", userinfo, test_server_port(server), path);
    return out;
}

/* fetch makes a request to a URL that must be answered with 200. */
static void fetch(const struct scene *scene, const char *method, const char *url,
                  const struct urlpool_request_options *options)
{
    struct urlpool_response *response =
        urlpool_request(scene->manager, method, url, options, &test_err);

    ck_assert_msg(response != NULL, "%s", test_err.message);
    ck_assert_int_eq(response->status, 200);
    ck_assert_ptr_null(strstr(response->url, "secret"));
    urlpool_response_free(response);
}

/* expect_wire compares the last head that `server` got with `expected`, where "\n" stands for a
 * line end and "{host}" for the server's own. */
static void expect_wire(struct test_server *server, const char *expected)
{
    static const char host_mark[] = "{host}";
    char *head = test_server_last_head(server);
    char wire[4096] = "";
    size_t len = 0;

    for (; *expected != '\0'; expected++) {
        if (strncmp(expected, host_mark, strlen(host_mark)) == 0) {
            len += (size_t)snprintf(wire + len, sizeof(wire) - len, "127.0.0.1:%d",
                                    test_server_port(server));
            expected += strlen(host_mark) - 1;
        } else {
            len += (size_t)snprintf(wire + len, sizeof(wire) - len, "%s%c",
                                    *expected == '\n' ? "\r" : "", *expected);
        }
        ck_assert_uint_lt(len, sizeof(wire));
    }
    ck_assert_str_eq(head, wire);
    free(head);
}

#define FIRST_LINES(line) \
    line " HTTP/1.1\nHost: {host}\nAccept-Encoding: " TEST_ACCEPT_ENCODING "\n"
#define USER_AGENT "User-Agent: urlpool/" URLPOOL_VERSION "\n"

START_TEST(head__has_its_fields_in_their_order)
{
    struct scene scene = begin(NULL);
    struct urlpool_headers *headers = headers_of("X-One", "1");
    struct urlpool_request_options options = {.headers = headers, .body = urlpool_body_json("{}")};
    char url[256];

    add(headers, "a", "2");
    fetch(&scene, "POST", url_with(scene.server, "me:secret@", "/p?q#f", url, sizeof(url)),
          &options);
    expect_wire(scene.server, FIRST_LINES("POST /p?q") "Content-Length: 2\n" USER_AGENT
                                                       "Authorization: Basic bWU6c2VjcmV0\n"
                                                       "Content-Type: application/json\n"
                                                       "X-One: 1\na: 2\n\n");
    options.body.chunked = true;
    fetch(&scene, "POST", url_with(scene.server, "", "/", url, sizeof(url)), &options);
    expect_wire(scene.server, FIRST_LINES("POST /") "Transfer-Encoding: chunked\n" USER_AGENT
                                                    "Content-Type: application/json\n"
                                                    "X-One: 1\na: 2\n\n");
    fetch(&scene, "GET", url, NULL);
    expect_wire(scene.server, FIRST_LINES("GET /") USER_AGENT "\n");
    urlpool_headers_free(headers);
    end(&scene);
}
END_TEST

START_TEST(headers__of_the_manager_are_replaced_or_merged)
{
    struct urlpool_headers *managers = headers_of("X-Common", "1");
    struct urlpool_headers *own = headers_of("X-Own", "2");
    struct urlpool_request_options options = {.headers = own};
    struct scene scene;
    char url[256];

    add(managers, "Accept", "text/html");
    add(managers, "accept", "text/plain");
    add(managers, "User-Agent", "them");
    add(own, "ACCEPT", "*/*");
    scene = begin(&(struct urlpool_manager_options){.headers = managers});
    url_with(scene.server, "", "/", url, sizeof(url));
    fetch(&scene, "GET", url, &options);
    expect_wire(scene.server, FIRST_LINES("GET /") USER_AGENT "X-Own: 2\nACCEPT: */*\n\n");
    options.merge_headers = true;
    fetch(&scene, "GET", url, &options);
    expect_wire(scene.server, FIRST_LINES("GET /") "X-Common: 1\nACCEPT: */*\nUser-Agent: them\n"
                                                   "X-Own: 2\n\n");
    options.headers = NULL;
    fetch(&scene, "GET", url, &options);
    expect_wire(scene.server, FIRST_LINES("GET /") "X-Common: 1\nAccept: text/html\n"
                                                   "accept: text/plain\nUser-Agent: them\n\n");
    fetch(&scene, "GET", url, NULL);
    expect_wire(scene.server, FIRST_LINES("GET /") "X-Common: 1\nAccept: text/html\n"
                                                   "accept: text/plain\nUser-Agent: them\n\n");
    urlpool_headers_free(managers);
    urlpool_headers_free(own);
    end(&scene);
}
END_TEST

START_TEST(skip__leaves_out_what_its_bits_say)
{
    struct scene scene = begin(NULL);
    struct urlpool_headers *headers = headers_of("Host", "elsewhere:81");
    struct urlpool_request_options options = {.skip = URLPOOL_SKIP_ACCEPT_ENCODING};
    char url[256];

    url_with(scene.server, "", "/", url, sizeof(url));
    fetch(&scene, "GET", url, &options);
    expect_wire(scene.server, "GET / HTTP/1.1\nHost: {host}\n" USER_AGENT "\n");
    options.skip = URLPOOL_SKIP_USER_AGENT;
    fetch(&scene, "GET", url, &options);
    expect_wire(scene.server, FIRST_LINES("GET /") "\n");
    options.headers = headers;
    options.skip = URLPOOL_SKIP_HOST | URLPOOL_SKIP_ACCEPT_ENCODING | URLPOOL_SKIP_USER_AGENT;
    fetch(&scene, "GET", url, &options);
    expect_wire(scene.server, "GET / HTTP/1.1\nHost: elsewhere:81\n\n");
    urlpool_headers_free(headers);
    end(&scene);
}
END_TEST

START_TEST(skip__is_refused_before_anything_is_sent)
{
    struct scene scene = begin(NULL);
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
    end(&scene);
}
END_TEST

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
    struct scene scene = begin(NULL);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char url[256];

        url_with(scene.server, cases[i].userinfo, "/", url, sizeof(url));
        fetch(&scene, "GET", url, NULL);
        expect_authorization(scene.server, cases[i].value);
    }
    end(&scene);
}
END_TEST

START_TEST(userinfo__gives_way_to_the_callers_authorization)
{
    struct urlpool_headers *headers = headers_of("authorization", "Bearer t");
    struct scene scene = begin(&(struct urlpool_manager_options){.headers = headers});
    const struct urlpool_request_options own = {.headers = headers};
    char url[256];

    url_with(scene.server, "me:secret@", "/", url, sizeof(url));
    fetch(&scene, "GET", url, &own);
    expect_authorization(scene.server, "Bearer t");
    fetch(&scene, "GET", url, NULL);
    expect_authorization(scene.server, "Bearer t");
    urlpool_headers_free(headers);
    end(&scene);
}
END_TEST

START_TEST(userinfo__stays_on_redirects_within_its_origin)
{
    struct scene scene = begin(NULL);
    char path[512];
    char url[600];

    url_with(scene.server, "me:secret@", "/302//302//landed", url, sizeof(url));
    fetch(&scene, "GET", url, NULL);
    expect_authorization(scene.server, "Basic bWU6c2VjcmV0");
    /* An absolute Location of the same origin, which says no user. */
    snprintf(path, sizeof(path), "/307/http://127.0.0.1:%d/landed", test_server_port(scene.server));
    url_with(scene.server, "me:secret@", path, url, sizeof(url));
    fetch(&scene, "GET", url, NULL);
    expect_authorization(scene.server, "Basic bWU6c2VjcmV0");
    ck_assert_uint_eq(test_stats(scene.manager).redirects, 3);
    end(&scene);
}
END_TEST

START_TEST(userinfo__is_left_behind_for_good_by_another_origin)
{
    struct scene scene = begin(NULL);
    char path[512];
    char url[600];

    snprintf(path, sizeof(path), "/302/http://127.0.0.1:%d/302/http://127.0.0.1:%d/302//landed",
             test_server_port(scene.other), test_server_port(scene.server));
    url_with(scene.server, "me:secret@", path, url, sizeof(url));
    fetch(&scene, "GET", url, NULL);
    expect_authorization(scene.other, NULL);
    expect_authorization(scene.server, NULL);
    ck_assert_uint_eq(test_stats(scene.manager).redirects, 3);
    end(&scene);
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
    memcpy(told->text + told->len, event->text, event->text_len);
    told->len += event->text_len;
}

START_TEST(userinfo__is_in_no_log_and_no_message)
{
    struct scene scene = begin(NULL);
    struct told told = {0};
    const struct urlpool_request_options options = {
        .trace = {.event = note, .user = &told}
    };
    char path[512];
    char url[600];

    snprintf(path, sizeof(path), "/302//302/http://127.0.0.1:%d/", test_server_port(scene.other));
    url_with(scene.server, "me:secret@", path, url, sizeof(url));
    fetch(&scene, "GET", url, &options);
    ck_assert_ptr_nonnull(strstr(told.text, "Authorization: ***"));
    ck_assert_ptr_null(strstr(told.text, "secret"));
    ck_assert_ptr_null(strstr(told.text, "bWU6c2VjcmV0"));
    ck_assert_ptr_null(urlpool_request(scene.manager, "GET", "http://me:secret@127.0.0.1:1/",
                                       &options, &test_err));
    ck_assert_ptr_null(strstr(test_err.message, "secret"));
    ck_assert_ptr_null(strstr(test_err.message, "bWU6c2VjcmV0"));
    ck_assert_ptr_null(strstr(told.text, "secret"));
    end(&scene);
}
END_TEST

START_TEST(userinfo__that_cannot_be_said_is_refused)
{
    static const char *const bad[] = {"me:sec%0Dret@",    "me:sec%0aret@", "me:sec%00ret@",
                                      "m%0D%0Ae:secret@", "m%3Ae:secret@", "%7F@"};
    struct scene scene = begin(NULL);

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char url[256];

        url_with(scene.server, bad[i], "/", url, sizeof(url));
        ck_assert_ptr_null(urlpool_request(scene.manager, "GET", url, NULL, &test_err));
        ck_assert_int_eq(test_err.code, URLPOOL_E_HEADER);
        ck_assert_msg(strstr(test_err.message, "URL") != NULL &&
                          strstr(test_err.message, "sec") == NULL &&
                          strstr(test_err.message, "ret") == NULL,
                      "%s", test_err.message);
    }
    ck_assert_uint_eq(test_server_num_connections(scene.server), 0);
    end(&scene);
}
END_TEST

START_TEST(content_type__goes_with_its_body)
{
    struct scene scene = begin(NULL);
    struct urlpool_headers *headers = headers_of("content-type", "text/x-mine");
    struct urlpool_request_options options = {.body = urlpool_body_json("[]")};
    char url[256];

    fetch(&scene, "POST", url_with(scene.server, "", "/307//landed", url, sizeof(url)), &options);
    expect_wire(scene.server, FIRST_LINES("POST /landed") "Content-Length: 2\n" USER_AGENT
                                                          "Content-Type: application/json\n\n");
    fetch(&scene, "POST", url_with(scene.server, "", "/303//landed", url, sizeof(url)), &options);
    expect_wire(scene.server, FIRST_LINES("GET /landed") USER_AGENT "\n");
    options.headers = headers;
    fetch(&scene, "PUT", url_with(scene.server, "", "/", url, sizeof(url)), &options);
    expect_wire(scene.server, FIRST_LINES("PUT /") "Content-Length: 2\n" USER_AGENT
                                                   "content-type: text/x-mine\n\n");
    fetch(&scene, "POST", url_with(scene.server, "", "/301//landed", url, sizeof(url)), &options);
    expect_wire(scene.server, FIRST_LINES("GET /landed") USER_AGENT "\n");
    options.headers = NULL;
    options.body = urlpool_body_bytes("x", 1);
    fetch(&scene, "PUT", url_with(scene.server, "", "/", url, sizeof(url)), &options);
    expect_wire(scene.server, FIRST_LINES("PUT /") "Content-Length: 1\n" USER_AGENT "\n");
    options.body.content_type = "text/plain";
    fetch(&scene, "PUT", url, &options);
    expect_wire(scene.server, FIRST_LINES("PUT /") "Content-Length: 1\n" USER_AGENT
                                                   "Content-Type: text/plain\n\n");
    urlpool_headers_free(headers);
    end(&scene);
}
END_TEST

START_TEST(fields__go_behind_the_query)
{
    static const char *const methods[] = {"GET", "HEAD", "DELETE", "OPTIONS"};
    struct scene scene = begin(NULL);
    struct urlpool_form *form = urlpool_form_new(&test_err);
    const struct urlpool_request_options options = {
        .fields = form, .skip = URLPOOL_SKIP_ACCEPT_ENCODING | URLPOOL_SKIP_USER_AGENT};

    ck_assert_int_eq(urlpool_form_add(form, "a b", "1&2", &test_err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_form_add(form, "c", "", &test_err), URLPOOL_OK);
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        char expected[256];
        char url[256];

        fetch(&scene, methods[i], url_with(scene.server, "", "/p#f", url, sizeof(url)), &options);
        snprintf(expected, sizeof(expected), "%s /p?a+b=1%%262&c= HTTP/1.1\nHost: {host}\n\n",
                 methods[i]);
        expect_wire(scene.server, expected);
        fetch(&scene, methods[i], url_with(scene.server, "", "/p?x=y", url, sizeof(url)), &options);
        snprintf(expected, sizeof(expected), "%s /p?x=y&a+b=1%%262&c= HTTP/1.1\nHost: {host}\n\n",
                 methods[i]);
        expect_wire(scene.server, expected);
    }
    urlpool_form_free(form);
    end(&scene);
}
END_TEST

START_TEST(fields__and_a_body_are_refused)
{
    struct scene scene = begin(NULL);
    struct urlpool_form *form = urlpool_form_new(&test_err);
    const struct urlpool_request_options options = {.fields = form,
                                                    .body = urlpool_body_bytes("x", 1)};

    ck_assert_int_eq(test_fetch_fails(scene.manager, "POST", scene.server, "/", &options),
                     URLPOOL_E_INVALID);
    ck_assert_int_eq(test_fetch_fails(scene.manager, "GET", scene.server, "/", &options),
                     URLPOOL_E_INVALID);
    ck_assert_uint_eq(test_server_num_connections(scene.server), 0);
    urlpool_form_free(form);
    end(&scene);
}
END_TEST

START_TEST(make__serves_a_manager)
{
    const struct urlpool_headers_choice choice = {.keep_alive = true,
                                                  .user_agent = "me/1",
                                                  .basic_auth = "user:password",
                                                  .disable_cache = true};
    struct urlpool_headers *made = urlpool_headers_make(&choice, &test_err);
    struct scene scene = begin(&(struct urlpool_manager_options){.headers = made});
    char url[256];

    fetch(&scene, "GET", url_with(scene.server, "", "/", url, sizeof(url)), NULL);
    expect_wire(scene.server, FIRST_LINES("GET /") "Connection: keep-alive\nUser-Agent: me/1\n"
                                                   "Authorization: Basic dXNlcjpwYXNzd29yZA==\n"
                                                   "Cache-Control: no-cache\n\n");
    urlpool_headers_free(made);
    end(&scene);
}
END_TEST

RUN_TESTS("request heads", head__has_its_fields_in_their_order,
          headers__of_the_manager_are_replaced_or_merged, skip__leaves_out_what_its_bits_say,
          skip__is_refused_before_anything_is_sent, userinfo__becomes_authorization,
          userinfo__gives_way_to_the_callers_authorization,
          userinfo__stays_on_redirects_within_its_origin,
          userinfo__is_left_behind_for_good_by_another_origin,
          userinfo__is_in_no_log_and_no_message, userinfo__that_cannot_be_said_is_refused,
          content_type__goes_with_its_body, fields__go_behind_the_query,
          fields__and_a_body_are_refused, make__serves_a_manager)
