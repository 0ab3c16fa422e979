/* Every option of a request but its time limits, and those of the manager's that stand in for them:
 * zero, URLPOOL_NONE, a value. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/dns_server.h"
#include "support/https_scene.h"
#include "support/requests.h"
#include "support/run_tests.h"

/* answer answers as the target says: /hop/3 leads over three redirects, /long/123 announces a body
 * of that length and closes, /zip is gzip-coded, all else says "hello". */
static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    static const char hello[] = "\x1f\x8b\x08\0\0\0\0\0\0\3\xcb\x48\xcd\xc9\xc9\7\0\x86\xa6\x10\x36"
                                "\5\0\0";
    char text[256];
    int left = 0;
    char length[32] = "";

    if (sscanf(request->target, "/hop/%d", &left) == 1 && left > 0) {
        snprintf(text, sizeof(text), "Location: /hop/%d\r\n", left - 1);
        test_peer_reply(peer, 302, text, "");
    } else if (sscanf(request->target, "/long/%31[0-9]", length) == 1) {
        snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\nbegun", length);
        test_peer_send_text(peer, text);
        test_peer_close(peer);
    } else if (strcmp(request->target, "/zip") == 0) {
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                                  "Content-Length: 25\r\n\r\n");
        test_peer_send(peer, hello, 25);
    } else {
        test_answer_hello(peer, request, user);
    }
}

struct scene {
    struct test_server *server;
    struct urlpool_manager *manager;
};

static struct scene begin(const struct urlpool_manager_options *options)
{
    return (struct scene){test_server_start(answer, NULL, NULL), test_manager(options)};
}

static void end(struct scene *scene)
{
    urlpool_manager_free(scene->manager);
    test_server_stop(scene->server);
}

static struct urlpool_headers *headers_of(const char *name, const char *value)
{
    struct urlpool_headers *headers = urlpool_headers_new(&test_err);

    ck_assert_ptr_nonnull(headers);
    ck_assert_int_eq(urlpool_headers_add(headers, name, value, &test_err), URLPOOL_OK);
    return headers;
}

/* expect_head makes a request and looks for `line` in what the server got. */
static void expect_head(struct scene *scene, const struct urlpool_request_options *options,
                        const char *line, bool is_there)
{
    char *head;

    urlpool_response_free(test_fetch(scene->manager, "GET", scene->server, "/", options));
    head = test_server_last_head(scene->server);
    ck_assert_msg((strstr(head, line) != NULL) == is_there, "%s", head);
    free(head);
}

START_TEST(headers__of_the_manager_go_with_requests_that_bring_none)
{
    struct urlpool_headers *common = headers_of("X-Common", "1");
    struct urlpool_headers *own = headers_of("X-Own", "1");
    struct scene scene = begin(&(struct urlpool_manager_options){.headers = common});
    const struct urlpool_request_options options = {.headers = own};

    urlpool_headers_free(common);
    expect_head(&scene, NULL, "\r\nX-Common: 1\r\n", true);
    expect_head(&scene, &(struct urlpool_request_options){0}, "\r\nX-Common: 1\r\n", true);
    expect_head(&scene, &options, "\r\nX-Common: 1\r\n", false);
    expect_head(&scene, &options, "\r\nX-Own: 1\r\n", true);
    urlpool_headers_free(own);
    end(&scene);
}
END_TEST

START_TEST(user_agent__is_the_librarys_the_callers_or_none)
{
    struct scene zero = begin(NULL);
    struct scene value = begin(&(struct urlpool_manager_options){.user_agent = "shop/2"});
    struct scene none = begin(&(struct urlpool_manager_options){.user_agent = ""});

    expect_head(&zero, NULL, "\r\nUser-Agent: urlpool/" URLPOOL_VERSION "\r\n", true);
    expect_head(&value, NULL, "\r\nUser-Agent: shop/2\r\n", true);
    expect_head(&none, NULL, "\r\nUser-Agent:", false);
    ck_assert_ptr_null(urlpool_manager_new(
        &(struct urlpool_manager_options){.user_agent = "a\r\nX: b"}, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_HEADER);
    end(&zero);
    end(&value);
    end(&none);
}
END_TEST

/* hops_allowed is the longest chain of redirects that is followed. */
static int hops_allowed(struct scene *scene, const struct urlpool_request_options *options)
{
    for (int hops = 0; hops < 100; hops++) {
        char url[256];
        char path[32];
        struct urlpool_response *response;

        snprintf(path, sizeof(path), "/hop/%d", hops);
        response = urlpool_request(scene->manager, "GET",
                                   test_server_url(scene->server, path, url, sizeof(url)), options,
                                   &test_err);
        if (response == NULL) {
            ck_assert_int_eq(test_err.code, URLPOOL_E_TOO_MANY_REDIRECTS);
            return hops - 1;
        }
        ck_assert_uint_eq(response->num_redirects, hops);
        urlpool_response_free(response);
    }
    return 100;
}

START_TEST(redirects_max__is_the_requests_else_the_managers_else_twenty)
{
    const struct urlpool_request_options two = {.redirects_max = 2};
    const struct urlpool_request_options none = {.redirects_max = URLPOOL_NONE};
    struct scene zero = begin(NULL);
    struct scene four = begin(&(struct urlpool_manager_options){.redirects_max = 4});
    struct scene never = begin(&(struct urlpool_manager_options){.redirects_max = URLPOOL_NONE});

    ck_assert_int_eq(hops_allowed(&zero, NULL), 20);
    ck_assert_int_eq(hops_allowed(&four, NULL), 4);
    ck_assert_int_eq(hops_allowed(&never, NULL), 0);
    ck_assert_int_eq(hops_allowed(&four, &two), 2);
    ck_assert_int_eq(hops_allowed(&never, &two), 2);
    ck_assert_int_eq(hops_allowed(&zero, &none), 0);
    end(&zero);
    end(&four);
    end(&never);
}
END_TEST

START_TEST(return_redirects__gives_the_redirect_to_the_caller)
{
    const struct urlpool_request_options options = {.return_redirects = true,
                                                    .redirects_max = URLPOOL_NONE};
    struct scene scene = begin(NULL);
    struct urlpool_response *response =
        test_fetch(scene.manager, "GET", scene.server, "/hop/1", &options);

    ck_assert_int_eq(response->status, 302);
    ck_assert_str_eq(urlpool_response_header(response, "location"), "/hop/0");
    ck_assert_uint_eq(response->num_redirects, 0);
    urlpool_response_free(response);
    end(&scene);
}
END_TEST

static void answer_with_location(struct test_peer *peer, const struct test_request *request,
                                 void *user)
{
    char location[300];

    if (strcmp(request->target, "/") == 0) {
        snprintf(location, sizeof(location), "Location: %s\r\n", (const char *)user);
        test_peer_reply(peer, 302, location, "");
    } else {
        test_peer_reply(peer, 200, NULL, request->method);
    }
}

START_TEST(allow_downgrade__is_needed_to_go_from_https_to_http)
{
    struct test_server *plain = test_server_start(test_answer_hello, NULL, NULL);
    char url[256];
    struct https_scene scene;
    struct urlpool_manager *manager;
    const struct urlpool_request_options allow = {.allow_downgrade = true};
    struct urlpool_response *response;

    test_server_url(plain, "/landed", url, sizeof(url));
    scene = https_scene_begin(answer_with_location, url, NULL);
    manager = test_manager(&(struct urlpool_manager_options){.tls = scene.tls});
    ck_assert_int_eq(test_fetch_fails(manager, "GET", scene.server, "/", NULL), URLPOOL_E_REDIRECT);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_REDIRECT);
    ck_assert_uint_eq(test_server_num_connections(plain), 0);
    response = test_fetch(manager, "GET", scene.server, "/", &allow);
    ck_assert_str_eq((const char *)response->data, "hello");
    ck_assert_str_eq(response->url, url);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    https_scene_end(&scene);
    test_server_stop(plain);
}
END_TEST

START_TEST(keep_post__keeps_method_and_body)
{
    static char landing[] = "/landed";
    struct test_server *server = test_server_start(answer_with_location, landing, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_request_options options = {.body = urlpool_body_bytes("x", 1)};
    struct urlpool_response *response = test_fetch(manager, "POST", server, "/", &options);
    char *head;

    ck_assert_str_eq((const char *)response->data, "GET");
    urlpool_response_free(response);
    options.keep_post = URLPOOL_KEEP_POST_301 | URLPOOL_KEEP_POST_302;
    response = test_fetch(manager, "POST", server, "/", &options);
    ck_assert_str_eq((const char *)response->data, "POST");
    urlpool_response_free(response);
    head = test_server_last_head(server);
    ck_assert_ptr_nonnull(strstr(head, "\r\nContent-Length: 1\r\n"));
    free(head);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(stream__leaves_the_body_to_be_read)
{
    const struct urlpool_request_options options = {.stream = true};
    struct scene scene = begin(NULL);
    struct urlpool_response *response =
        test_fetch(scene.manager, "GET", scene.server, "/", &options);

    ck_assert_ptr_null(response->data);
    ck_assert_int_eq(urlpool_response_read_all(response, &test_err), URLPOOL_OK);
    ck_assert_str_eq((const char *)response->data, "hello");
    urlpool_response_free(response);
    end(&scene);
}
END_TEST

START_TEST(keep_encoded__neither_asks_for_nor_undoes_codings)
{
    const struct urlpool_request_options options = {.keep_encoded = true};
    struct scene scene = begin(NULL);
    struct urlpool_response *response =
        test_fetch(scene.manager, "GET", scene.server, "/zip", NULL);

    ck_assert_str_eq((const char *)response->data, "hello");
    urlpool_response_free(response);
    response = test_fetch(scene.manager, "GET", scene.server, "/zip", &options);
    ck_assert_uint_eq(response->data_len, 25);
    ck_assert_int_eq(response->data[0], 0x1f);
    urlpool_response_free(response);
    expect_head(&scene, NULL, "\r\nAccept-Encoding: gzip", true);
    expect_head(&scene, &options, "Accept-Encoding", false);
    end(&scene);
}
END_TEST

/* fate of a body of `len` bytes that is announced and does not come. */
static enum urlpool_code fate_of_length(struct scene *scene, const char *len,
                                        const struct urlpool_request_options *options)
{
    char path[64];

    snprintf(path, sizeof(path), "/long/%s", len);
    return test_fetch_fails(scene->manager, "GET", scene->server, path, options);
}

START_TEST(data_bytes_max__is_the_requests_else_the_managers_else_a_gibibyte)
{
    const struct urlpool_request_options none = {.retries = TEST_ONE_TRY};
    const struct urlpool_request_options ten = {.data_bytes_max = 10, .retries = TEST_ONE_TRY};
    const struct urlpool_request_options any = {.data_bytes_max = URLPOOL_NO_TIMEOUT,
                                                .retries = TEST_ONE_TRY};
    struct scene zero = begin(NULL);
    struct scene twenty = begin(&(struct urlpool_manager_options){.data_bytes_max = 20});

    ck_assert_int_eq(fate_of_length(&zero, "1073741824", &none), URLPOOL_E_INCOMPLETE_READ);
    ck_assert_int_eq(fate_of_length(&zero, "1073741825", &none), URLPOOL_E_DATA_TOO_LARGE);
    ck_assert_int_eq(fate_of_length(&zero, "1073741825", &any), URLPOOL_E_INCOMPLETE_READ);
    ck_assert_int_eq(fate_of_length(&twenty, "20", &none), URLPOOL_E_INCOMPLETE_READ);
    ck_assert_int_eq(fate_of_length(&twenty, "21", &none), URLPOOL_E_DATA_TOO_LARGE);
    ck_assert_int_eq(fate_of_length(&twenty, "11", &ten), URLPOOL_E_DATA_TOO_LARGE);
    ck_assert_int_eq(fate_of_length(&twenty, "10", &ten), URLPOOL_E_INCOMPLETE_READ);
    end(&zero);
    end(&twenty);
}
END_TEST

START_TEST(data_bytes_max__none_takes_no_body_at_all)
{
    const struct urlpool_request_options none = {.data_bytes_max = URLPOOL_NONE};
    struct scene scene = begin(NULL);

    ck_assert_int_eq(test_fetch_fails(scene.manager, "GET", scene.server, "/", &none),
                     URLPOOL_E_DATA_TOO_LARGE);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_BODY);
    urlpool_response_free(test_fetch(scene.manager, "HEAD", scene.server, "/", &none));
    end(&scene);
}
END_TEST

START_TEST(cancel__token_that_is_set_ends_the_request_before_it_begins)
{
    struct urlpool_cancel *cancel = urlpool_cancel_new(&test_err);
    const struct urlpool_request_options options = {.cancel = cancel};
    struct scene scene = begin(NULL);

    urlpool_response_free(test_fetch(scene.manager, "GET", scene.server, "/", &options));
    urlpool_cancel_now(cancel);
    ck_assert_int_eq(test_fetch_fails(scene.manager, "GET", scene.server, "/", &options),
                     URLPOOL_E_CANCELLED);
    ck_assert_uint_eq(test_server_num_requests(scene.server), 1);
    end(&scene);
    urlpool_cancel_free(cancel);
}
END_TEST

static void count_events(void *user, const struct urlpool_trace_event *event)
{
    (void)event;
    ++*(unsigned *)user;
}

START_TEST(trace__of_the_request_takes_the_place_of_the_managers)
{
    unsigned of_manager = 0;
    unsigned of_request = 0;
    struct scene scene = begin(&(struct urlpool_manager_options){
        .trace = {.event = count_events, .user = &of_manager}
    });
    const struct urlpool_request_options options = {
        .trace = {.event = count_events, .user = &of_request}
    };
    unsigned before;

    urlpool_response_free(test_fetch(scene.manager, "GET", scene.server, "/", NULL));
    ck_assert_uint_gt(of_manager, 0);
    before = of_manager;
    urlpool_response_free(test_fetch(scene.manager, "GET", scene.server, "/", &options));
    ck_assert_uint_gt(of_request, 0);
    ck_assert_uint_eq(of_manager, before);
    end(&scene);
}
END_TEST

START_TEST(dns_servers__are_asked_for_names)
{
    const struct urlpool_request_options one_try = {.retries = TEST_ONE_TRY};
    struct dns_server *dns = dns_server_start();
    struct scene scene =
        begin(&(struct urlpool_manager_options){.network.dns_servers = dns_server_address(dns)});
    struct urlpool_response *response;
    char url[128];

    dns_server_add(dns, "shop.example", DNS_A, 60, "127.0.0.1");
    snprintf(url, sizeof(url), "http://shop.example:%d/", test_server_port(scene.server));
    response = urlpool_request(scene.manager, "GET", url, NULL, &test_err);
    ck_assert_msg(response != NULL, "%s", test_err.message);
    urlpool_response_free(response);
    ck_assert_uint_ge(dns_server_num_queries(dns, "shop.example", DNS_A), 1);
    ck_assert_uint_ge(test_stats(scene.manager).dns_queries, 1);
    ck_assert_ptr_null(
        urlpool_request(scene.manager, "GET", "http://gone.example/", &one_try, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_RESOLVE);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_RESOLVE);
    end(&scene);
    dns_server_stop(dns);
}
END_TEST

START_TEST(dns_servers__that_are_none_are_refused)
{
    ck_assert_ptr_null(urlpool_manager_new(
        &(struct urlpool_manager_options){.network.dns_servers = "nobody at home"}, &test_err));
    ck_assert(test_err.code == URLPOOL_E_RESOLVE || test_err.code == URLPOOL_E_INVALID);
    ck_assert_ptr_nonnull(strstr(test_err.message, "nobody at home"));
}
END_TEST

START_TEST(tls__none_given_trusts_the_systems_roots)
{
    struct https_scene https = https_scene_begin(test_answer_hello, NULL, NULL);
    char *dir = test_dir();
    char *pem = test_cert_pem(https.ca);
    char *file = test_file(dir, "ca.pem", pem);
    struct urlpool_manager *manager;

    ck_assert_int_eq(unsetenv("SSL_CERT_DIR"), 0);
    ck_assert_int_eq(setenv("SSL_CERT_FILE", file, 1), 0);
    manager = test_manager(NULL);
    test_get(manager, https.server);
    urlpool_manager_free(manager);
    free(pem);
    free(file);
    test_dir_remove(dir);
    https_scene_end(&https);
}
END_TEST

/* expect_invalid makes a request that must be refused before anybody is asked for a connection. */
static void expect_invalid(struct scene *scene, const struct urlpool_request_options *options,
                           const char *word)
{
    ck_assert_int_eq(test_fetch_fails(scene->manager, "GET", scene->server, "/", options),
                     URLPOOL_E_INVALID);
    ck_assert_msg(strstr(test_err.message, word) != NULL, "\"%s\" does not name %s",
                  test_err.message, word);
    ck_assert_uint_eq(test_server_num_connections(scene->server), 0);
}

START_TEST(options__that_are_no_value_are_refused_by_name)
{
    struct scene scene = begin(NULL);

    expect_invalid(&scene, &(struct urlpool_request_options){.redirects_max = -3}, "redirects_max");
    expect_invalid(&scene, &(struct urlpool_request_options){.redirects_max = URLPOOL_NO_TIMEOUT},
                   "redirects_max");
    expect_invalid(&scene, &(struct urlpool_request_options){.data_bytes_max = INT64_MIN},
                   "data_bytes_max");
    expect_invalid(&scene, &(struct urlpool_request_options){.timeout.connect_ms = -3},
                   "connect_ms");
    expect_invalid(&scene, &(struct urlpool_request_options){.timeout.read_ms = -3}, "read_ms");
    expect_invalid(&scene, &(struct urlpool_request_options){.timeout.write_ms = -3}, "write_ms");
    expect_invalid(&scene, &(struct urlpool_request_options){.timeout.total_ms = -3}, "total_ms");
    expect_invalid(&scene, &(struct urlpool_request_options){.timeout.pool_ms = -3}, "pool_ms");
    expect_invalid(&scene, &(struct urlpool_request_options){.body = {.kind = 99}}, "body.kind");
    expect_invalid(&scene,
                   &(struct urlpool_request_options){
                       .body = {.kind = URLPOOL_BODY_BYTES, .data_len = 3}
    },
                   "body.data");
    end(&scene);
}
END_TEST

START_TEST(options__with_an_unknown_byte_are_refused)
{
    struct scene scene = begin(NULL);
    struct urlpool_request_options options = {0};

    for (size_t i = 0; i < sizeof(options.reserved); i++) {
        options.reserved[i] = 1;
        expect_invalid(&scene, &options, "request options");
        options.reserved[i] = 0;
    }
    for (size_t i = 0; i < sizeof(options.timeout.reserved); i++) {
        options.timeout.reserved[i] = 1;
        expect_invalid(&scene, &options, "timeout");
        options.timeout.reserved[i] = 0;
    }
    for (size_t i = 0; i < sizeof(options.body.reserved); i++) {
        options.body.reserved[i] = 1;
        expect_invalid(&scene, &options, "body");
        options.body.reserved[i] = 0;
    }
    for (size_t i = 0; i < sizeof(options.trace.reserved); i++) {
        options.trace.reserved[i] = 1;
        expect_invalid(&scene, &options, "trace");
        options.trace.reserved[i] = 0;
    }
    for (size_t i = 0; i < sizeof(options.into.reserved); i++) {
        options.into.reserved[i] = 1;
        expect_invalid(&scene, &options, "into");
        options.into.reserved[i] = 0;
    }
    end(&scene);
}
END_TEST

RUN_TESTS("request options", headers__of_the_manager_go_with_requests_that_bring_none,
          user_agent__is_the_librarys_the_callers_or_none,
          redirects_max__is_the_requests_else_the_managers_else_twenty,
          return_redirects__gives_the_redirect_to_the_caller,
          allow_downgrade__is_needed_to_go_from_https_to_http, keep_post__keeps_method_and_body,
          stream__leaves_the_body_to_be_read, keep_encoded__neither_asks_for_nor_undoes_codings,
          data_bytes_max__is_the_requests_else_the_managers_else_a_gibibyte,
          data_bytes_max__none_takes_no_body_at_all,
          cancel__token_that_is_set_ends_the_request_before_it_begins,
          trace__of_the_request_takes_the_place_of_the_managers, dns_servers__are_asked_for_names,
          dns_servers__that_are_none_are_refused, tls__none_given_trusts_the_systems_roots,
          options__that_are_no_value_are_refused_by_name, options__with_an_unknown_byte_are_refused)
