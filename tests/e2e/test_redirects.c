/* Redirects: where they lead, what they take along, and where they end. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/https_scene.h"
#include "support/requests.h"
#include "support/run_tests.h"

static void answer_redirects(struct test_peer *peer, const struct test_request *request, void *user)
{
    int status = 0;
    char location[512];

    (void)user;
    if (sscanf(request->target, "/redirect/%d", &status) == 1) {
        snprintf(location, sizeof(location), "Location: /landed?from=%d\r\n", status);
        test_peer_reply(peer, status, location, "moved");
    } else if (strcmp(request->target, "/loop") == 0) {
        test_peer_reply(peer, 302, "Location: /loop\r\n", "again");
    } else if (strncmp(request->target, "/to/", 4) == 0) {
        snprintf(location, sizeof(location), "Location: %s\r\n", request->target + 4);
        test_peer_reply(peer, 302, location, "");
    } else {
        test_peer_reply(peer, 200, NULL, request->method);
    }
}

START_TEST(redirect__is_followed_over_the_same_connection)
{
    static const struct {
        int status;
        const char *method, *lands_as;
    } cases[] = {
        {301, "GET",  "GET" },
        {302, "POST", "GET" },
        {303, "PUT",  "GET" },
        {307, "POST", "POST"},
        {308, "PUT",  "PUT" },
        {301, "PUT",  "PUT" },
    };
    struct test_server *server = test_server_start(answer_redirects, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct urlpool_request_options options = {0};
        struct urlpool_response *response;
        char path[64];
        char url[256];
        char landed[64];

        if (strcmp(cases[i].method, "GET") != 0) {
            options.body = urlpool_body_bytes("body", 4);
        }
        snprintf(path, sizeof(path), "/redirect/%d#frag", cases[i].status);
        snprintf(landed, sizeof(landed), "/landed?from=%d#frag", cases[i].status);
        response = test_fetch(manager, cases[i].method, server, path, &options);
        ck_assert_int_eq(response->status, 200);
        ck_assert_str_eq((const char *)response->data, cases[i].lands_as);
        ck_assert_uint_eq(response->num_redirects, 1);
        ck_assert_str_eq(response->url, test_server_url(server, landed, url, sizeof(url)));
        urlpool_response_free(response);
    }
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    ck_assert_uint_eq(test_stats(manager).redirects, 6);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(redirect__obeys_its_options)
{
    struct test_server *server = test_server_start(answer_redirects, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_request_options options = {.return_redirects = true};
    struct urlpool_response *response =
        test_fetch(manager, "GET", server, "/redirect/302", &options);

    ck_assert_int_eq(response->status, 302);
    ck_assert_str_eq((const char *)response->data, "moved");
    urlpool_response_free(response);

    options =
        (struct urlpool_request_options){.keep_post = URLPOOL_KEEP_POST_301 | URLPOOL_KEEP_POST_302,
                                         .body = urlpool_body_bytes("x", 1)};
    response = test_fetch(manager, "POST", server, "/redirect/302", &options);
    ck_assert_str_eq((const char *)response->data, "POST");
    urlpool_response_free(response);

    options = (struct urlpool_request_options){.redirects_max = 3};
    ck_assert_int_eq(test_fetch_fails(manager, "GET", server, "/loop", &options),
                     URLPOOL_E_TOO_MANY_REDIRECTS);
    ck_assert_int_eq(test_err.http_status, 302);
    ck_assert_uint_eq(test_err.num_attempts, 4);
    ck_assert_str_eq(test_err.message, "more than 3 redirects");
    options.redirects_max = 1;
    ck_assert_int_eq(test_fetch_fails(manager, "GET", server, "/loop", &options),
                     URLPOOL_E_TOO_MANY_REDIRECTS);
    ck_assert_str_eq(test_err.message, "more than 1 redirect");
    options.redirects_max = URLPOOL_NONE;
    ck_assert_int_eq(test_fetch_fails(manager, "GET", server, "/loop", &options),
                     URLPOOL_E_TOO_MANY_REDIRECTS);
    ck_assert_uint_eq(test_err.num_attempts, 1);
    ck_assert_int_eq(test_fetch_fails(manager, "GET", server, "/loop", NULL),
                     URLPOOL_E_TOO_MANY_REDIRECTS);
    ck_assert_uint_eq(test_err.num_attempts, 21);
    ck_assert_int_eq(test_fetch_fails(manager, "GET", server, "/to/ftp://127.0.0.1/", NULL),
                     URLPOOL_E_REDIRECT);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_REDIRECT);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(redirect__leaves_credentials_behind_for_good)
{
    struct test_server *first = test_server_start(answer_redirects, NULL, NULL);
    struct test_server *second = test_server_start(answer_redirects, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_headers *headers = urlpool_headers_new(&test_err);
    const struct urlpool_request_options options = {.headers = headers};
    char back[256];
    char there[512];
    char path[600];
    char *head;

    ck_assert_int_eq(urlpool_headers_add(headers, "authorization", "Bearer secret", &test_err), 0);
    ck_assert_int_eq(urlpool_headers_add(headers, "COOKIE", "a=b", &test_err), 0);
    ck_assert_int_eq(urlpool_headers_add(headers, "Proxy-Authorization", "x", &test_err), 0);
    ck_assert_int_eq(urlpool_headers_add(headers, "X-Kept", "1", &test_err), 0);

    urlpool_response_free(test_fetch(manager, "GET", first, "/redirect/302", &options));
    head = test_server_last_head(first);
    ck_assert_ptr_nonnull(strstr(head, "authorization: Bearer secret"));
    free(head);

    /* first → second → first: they do not come back */
    test_server_url(first, "/home", back, sizeof(back));
    snprintf(path, sizeof(path), "/to/%s", back);
    test_server_url(second, path, there, sizeof(there));
    snprintf(path, sizeof(path), "/to/%s", there);
    urlpool_response_free(test_fetch(manager, "GET", first, path, &options));
    head = test_server_last_head(second);
    ck_assert_ptr_nonnull(strstr(head, "X-Kept: 1"));
    ck_assert_ptr_null(strcasestr(head, "authorization"));
    ck_assert_ptr_null(strcasestr(head, "cookie"));
    free(head);
    head = test_server_last_head(first);
    ck_assert_ptr_nonnull(strstr(head, "GET /home "));
    ck_assert_ptr_null(strcasestr(head, "authorization"));
    ck_assert_ptr_null(strcasestr(head, "cookie"));
    free(head);
    urlpool_headers_free(headers);
    urlpool_manager_free(manager);
    test_server_stop(first);
    test_server_stop(second);
}
END_TEST

START_TEST(redirect__that_leads_nowhere_still_says_what_the_first_server_did)
{
    struct test_server *server = test_server_start(answer_redirects, NULL, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.retries = TEST_ONE_TRY});

    ck_assert_int_eq(test_fetch_fails(manager, "POST", server, "/to/http://127.0.0.1:1/", NULL),
                     URLPOOL_E_CONNECT);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_CONNECT);
    ck_assert_int_eq(test_err.http_status, 302);
    ck_assert(test_err.maybe_processed);
    ck_assert_uint_eq(test_err.num_attempts, 2);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(redirect__of_head_stays_head)
{
    static const char *const paths[] = {"/redirect/301", "/redirect/302", "/redirect/303",
                                        "/redirect/307"};
    struct test_server *server = test_server_start(answer_redirects, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        char *head;

        /* a server that sends a body with HEAD is one whose connection is not used again */
        urlpool_response_free(test_fetch(manager, "HEAD", server, paths[i], NULL));
        head = test_server_last_head(server);
        ck_assert_int_eq(strncmp(head, "HEAD /landed", 12), 0);
        free(head);
    }
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(redirect__sends_a_file_again_from_where_it_began)
{
    struct test_server *server = test_server_start(answer_redirects, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    FILE *file = tmpfile();
    const struct urlpool_request_options options = {.body = urlpool_body_fd(fileno(file))};
    struct urlpool_response *response;
    char *head;

    ck_assert_int_eq(pwrite(fileno(file), "0123456789", 10, 0), 10);
    ck_assert_int_eq(lseek(fileno(file), 4, SEEK_SET), 4);
    response = test_fetch(manager, "PUT", server, "/redirect/307", &options);
    ck_assert_str_eq((const char *)response->data, "PUT");
    urlpool_response_free(response);
    head = test_server_last_head(server);
    ck_assert_ptr_nonnull(strstr(head, "\r\nContent-Length: 6\r\n"));
    free(head);
    fclose(file);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(redirect__with_a_body_that_is_gone_is_the_callers)
{
    struct test_server *server = test_server_start(answer_redirects, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_request_options options = {0};
    struct urlpool_response *response;
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "piped", 5), 5);
    close(ends[1]);
    options.body = urlpool_body_fd(ends[0]);
    response = test_fetch(manager, "PUT", server, "/redirect/307", &options);
    ck_assert_int_eq(response->status, 307);
    urlpool_response_free(response);
    close(ends[0]);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

static void note_redirect(void *user, const struct urlpool_trace_event *event)
{
    if (event->kind == URLPOOL_TRACE_REDIRECT) {
        snprintf(user, 256, "%lld %.*s", (long long)event->number, (int)event->text_len,
                 event->text);
    }
}

START_TEST(redirect__is_told_to_the_sink)
{
    struct test_server *server = test_server_start(answer_redirects, NULL, NULL);
    char told[256] = "";
    char expected[300];
    char url[200];
    struct urlpool_manager *manager = test_manager(&(struct urlpool_manager_options){
        .trace = {.event = note_redirect, .user = told}
    });

    urlpool_response_free(test_fetch(manager, "GET", server, "/redirect/308", NULL));
    snprintf(expected, sizeof(expected), "308 %s",
             test_server_url(server, "/landed?from=308", url, sizeof(url)));
    ck_assert_str_eq(told, expected);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

/* path_to makes the path that leads to `path` of `server`. */
static const char *path_to(const struct test_server *server, const char *scheme, const char *path,
                           char *out, size_t out_size)
{
    snprintf(out, out_size, "/to/%s://127.0.0.1:%d%s", scheme, test_server_port(server), path);
    return out;
}

START_TEST(redirect__leads_to_the_chosen_schemes_only)
{
    static const struct {
        bool from_https, to_https;
        unsigned schemes;
        bool is_followed;
    } cases[] = {
        {false, false, 0,                                          true },
        {false, false, URLPOOL_SCHEME_HTTP,                        true },
        {false, false, URLPOOL_SCHEME_HTTPS,                       false},
        {false, true,  0,                                          true },
        {false, true,  URLPOOL_SCHEME_HTTP,                        false},
        {false, true,  URLPOOL_SCHEME_HTTPS,                       true },
        {true,  false, URLPOOL_SCHEME_HTTP | URLPOOL_SCHEME_HTTPS, true },
        {true,  false, URLPOOL_SCHEME_HTTPS,                       false},
        {true,  true,  URLPOOL_SCHEME_HTTP,                        false},
    };
    struct test_server *plain = test_server_start(answer_redirects, NULL, NULL);
    struct https_scene secure = https_scene_begin(answer_redirects, NULL, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.tls = secure.tls});

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct urlpool_request_options options = {.redirect_schemes = cases[i].schemes,
                                                        .allow_downgrade = true};
        char path[128];
        char url[256];
        struct urlpool_response *response;

        path_to(cases[i].to_https ? secure.server : plain, cases[i].to_https ? "https" : "http",
                "/landed", path, sizeof(path));
        snprintf(url, sizeof(url), "%s://127.0.0.1:%d%s", cases[i].from_https ? "https" : "http",
                 test_server_port(cases[i].from_https ? secure.server : plain), path);
        memset(&test_err, 0, sizeof(test_err));
        response = urlpool_request(manager, "GET", url, &options, &test_err);
        ck_assert_msg((response != NULL) == cases[i].is_followed, "case %zu: %s", i,
                      test_err.message);
        ck_assert_int_eq(test_err.code, response != NULL ? URLPOOL_OK : URLPOOL_E_REDIRECT);
        urlpool_response_free(response);
    }
    urlpool_manager_free(manager);
    https_scene_end(&secure);
    test_server_stop(plain);
}
END_TEST

START_TEST(redirect__keeps_post_by_the_bit_of_its_status)
{
    static const unsigned bits[] = {URLPOOL_KEEP_POST_301, URLPOOL_KEEP_POST_302,
                                    URLPOOL_KEEP_POST_303};
    struct test_server *server = test_server_start(answer_redirects, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);

    for (unsigned keep = 0; keep < 8; keep++) {
        for (unsigned i = 0; i < 3; i++) {
            const struct urlpool_request_options options = {.keep_post = keep,
                                                            .body = urlpool_body_bytes("x", 1)};
            char path[32];
            struct urlpool_response *response;

            snprintf(path, sizeof(path), "/redirect/%u", 301 + i);
            response = test_fetch(manager, "POST", server, path, &options);
            ck_assert_str_eq((const char *)response->data, (keep & bits[i]) != 0 ? "POST" : "GET");
            urlpool_response_free(response);
        }
    }
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(redirect__leaves_behind_what_the_list_says)
{
    static const struct {
        const char *list;
        bool keeps_authorization, keeps_key;
    } cases[] = {
        {NULL,                         false, true },
        {"",                           true,  true },
        {"x-api-key",                  true,  false},
        {"X-API-KEY, Cookie",          true,  false},
        {"X-Api-Key, Authorization",   false, false},
        {"X-Api, Api-Key, X-Api-Keys", true,  true },
    };
    struct test_server *first = test_server_start(answer_redirects, NULL, NULL);
    struct test_server *second = test_server_start(answer_redirects, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_headers *headers = urlpool_headers_new(&test_err);
    char across[128];

    ck_assert_int_eq(urlpool_headers_add(headers, "Authorization", "x", &test_err), 0);
    ck_assert_int_eq(urlpool_headers_add(headers, "X-Api-Key", "y", &test_err), 0);
    path_to(second, "http", "/landed", across, sizeof(across));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct urlpool_request_options options = {
            .headers = headers, .retries = {.remove_headers_on_redirect = cases[i].list}};
        char *head;

        urlpool_response_free(test_fetch(manager, "GET", first, across, &options));
        head = test_server_last_head(second);
        ck_assert_msg((strstr(head, "\r\nAuthorization: x\r\n") != NULL) ==
                              cases[i].keeps_authorization &&
                          (strstr(head, "\r\nX-Api-Key: y\r\n") != NULL) == cases[i].keeps_key,
                      "case %zu: %s", i, head);
        free(head);

        /* the same origin gets everything */
        urlpool_response_free(test_fetch(manager, "GET", first, "/redirect/302", &options));
        head = test_server_last_head(first);
        ck_assert_ptr_nonnull(strstr(head, "\r\nAuthorization: x\r\nX-Api-Key: y\r\n"));
        free(head);
    }
    urlpool_headers_free(headers);
    urlpool_manager_free(manager);
    test_server_stop(first);
    test_server_stop(second);
}
END_TEST

START_TEST(redirect__takes_the_list_of_the_manager)
{
    struct test_server *first = test_server_start(answer_redirects, NULL, NULL);
    struct test_server *second = test_server_start(answer_redirects, NULL, NULL);
    struct urlpool_headers *headers = urlpool_headers_new(&test_err);
    char list[] = "X-Api-Key";
    struct urlpool_manager *manager = test_manager(&(struct urlpool_manager_options){
        .headers = headers, .retries = {.remove_headers_on_redirect = list}});
    const struct urlpool_request_options options = {.headers = headers};
    char across[128];
    char *head;

    memset(list, 'x', sizeof(list) - 1); /* it is copied */
    ck_assert_int_eq(urlpool_headers_add(headers, "X-Api-Key", "y", &test_err), 0);
    path_to(second, "http", "/landed", across, sizeof(across));
    urlpool_response_free(test_fetch(manager, "GET", first, across, &options));
    head = test_server_last_head(second);
    ck_assert_ptr_null(strstr(head, "X-Api-Key"));
    free(head);
    urlpool_headers_free(headers);
    urlpool_manager_free(manager);
    test_server_stop(first);
    test_server_stop(second);
}
END_TEST

START_TEST(redirect__refuses_options_of_unknown_bits)
{
    static const struct urlpool_request_options cases[] = {
        {.redirect_schemes = 4},
        {.redirect_schemes = URLPOOL_SCHEME_HTTP | 1U << 31},
        {.keep_post = 8},
    };
    struct test_server *server = test_server_start(answer_redirects, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_int_eq(test_fetch_fails(manager, "GET", server, "/redirect/302", &cases[i]),
                         URLPOOL_E_INVALID);
    }
    ck_assert_uint_eq(test_server_num_requests(server), 0);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

RUN_TESTS("redirects", redirect__is_followed_over_the_same_connection, redirect__obeys_its_options,
          redirect__leaves_credentials_behind_for_good,
          redirect__that_leads_nowhere_still_says_what_the_first_server_did,
          redirect__of_head_stays_head, redirect__sends_a_file_again_from_where_it_began,
          redirect__with_a_body_that_is_gone_is_the_callers, redirect__is_told_to_the_sink,
          redirect__leads_to_the_chosen_schemes_only, redirect__keeps_post_by_the_bit_of_its_status,
          redirect__leaves_behind_what_the_list_says, redirect__takes_the_list_of_the_manager,
          redirect__refuses_options_of_unknown_bits)
