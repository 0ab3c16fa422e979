/* Each allocation of one request fails once: a clean error or success, no leak, and a manager that
 * serves the next request as if nothing had been. Whole jobs are in test_memory.c. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/failing_allocator.h"
#include "support/https_scene.h"
#include "support/requests.h"
#include "support/run_tests.h"

enum {
    ALLOCATIONS_MAX = 500
};

/* What is done while an allocation fails. Returns the code of what went wrong. */
typedef enum urlpool_code (*act_fn)(struct urlpool_manager *manager,
                                    const struct test_server *server);

/* survive does `act` with the first allocation failing, with the second, … until none does. Returns
 * how many did. */
static uint64_t survive(struct test_server *server, struct urlpool_tls *tls, act_fn act)
{
    const int64_t num_before = failing_allocator_num_live();

    for (uint64_t n = 1; n < ALLOCATIONS_MAX; n++) {
        struct urlpool_manager *manager =
            test_manager(&(struct urlpool_manager_options){.tls = tls});
        enum urlpool_code code;
        bool has_failed;

        failing_allocator_fail_nth(n);
        code = act(manager, server);
        has_failed = failing_allocator_has_failed();
        failing_allocator_fail_nth(0);
        ck_assert_msg(code == URLPOOL_OK || (has_failed && code == URLPOOL_E_NOMEM),
                      "allocation %llu: %s: %s", (unsigned long long)n, urlpool_code_name(code),
                      test_err.message);
        ck_assert_uint_eq(test_stats(manager).leased + test_stats(manager).dialling, 0);
        test_get(manager, server);
        urlpool_manager_free(manager);
        ck_assert_msg(failing_allocator_num_live() == num_before, "allocation %llu: %lld more",
                      (unsigned long long)n,
                      (long long)(failing_allocator_num_live() - num_before));
        if (!has_failed) {
            return n - 1;
        }
    }
    ck_abort_msg("no end of allocations");
}

/* fetch_code makes a request and gives its code; the body must be `data`. */
static enum urlpool_code fetch_code(struct urlpool_manager *manager, const char *method,
                                    const struct test_server *server, const char *path,
                                    const struct urlpool_request_options *options, const char *data)
{
    char url[256];
    struct urlpool_response *response;

    memset(&test_err, 0, sizeof(test_err));
    response = urlpool_request(manager, method, test_server_url(server, path, url, sizeof(url)),
                               options, &test_err);
    if (response == NULL) {
        return test_err.code;
    }
    ck_assert_str_eq((const char *)response->data, data);
    urlpool_response_free(response);
    return URLPOOL_OK;
}

/* answer serves every act: /hop leads to /there, /zip is coded, /large is long, /trailed has
 * trailers. */
static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    static const char zip[] = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 25\r\n"
                              "\r\n\x1f\x8b\x08\0\0\0\0\0\0\3\xcb\x48\xcd\xc9\xc9\7\0\x86\xa6\x10"
                              "\x36\5\0\0";

    if (strcmp(request->target, "/hop") == 0) {
        test_peer_reply(peer, 302, "Location: /there\r\n", "");
    } else if (strcmp(request->target, "/zip") == 0) {
        test_peer_send(peer, zip, sizeof(zip)); /* its NUL is the last of the body */
    } else if (strcmp(request->target, "/large") == 0) {
        char *body = calloc(1, 100001);

        ck_assert_ptr_nonnull(body);
        memset(body, 'l', 100000);
        test_peer_reply(peer, 200, NULL, body);
        free(body);
    } else if (strcmp(request->target, "/trailed") == 0) {
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "5\r\nhello\r\n0\r\nT: u\r\n\r\n");
    } else {
        test_answer_hello(peer, request, user);
    }
}

static enum urlpool_code get(struct urlpool_manager *manager, const struct test_server *server)
{
    return fetch_code(manager, "GET", server, "/", NULL, "hello");
}

static enum urlpool_code get_again(struct urlpool_manager *manager,
                                   const struct test_server *server)
{
    enum urlpool_code code = get(manager, server);

    return code == URLPOOL_OK ? get(manager, server) : code;
}

static enum urlpool_code post(struct urlpool_manager *manager, const struct test_server *server)
{
    struct urlpool_request_options options = {.body = urlpool_body_bytes("abc", 3)};

    options.body.chunked = true;
    return fetch_code(manager, "POST", server, "/", &options, "hello");
}

static enum urlpool_code follow(struct urlpool_manager *manager, const struct test_server *server)
{
    return fetch_code(manager, "GET", server, "/hop", NULL, "hello");
}

static enum urlpool_code decode(struct urlpool_manager *manager, const struct test_server *server)
{
    return fetch_code(manager, "GET", server, "/zip", NULL, "hello");
}

static enum urlpool_code get_trailers(struct urlpool_manager *manager,
                                      const struct test_server *server)
{
    return fetch_code(manager, "GET", server, "/trailed", NULL, "hello");
}

/* get_as_somebody brings userinfo, which the response's URL has not. */
static enum urlpool_code get_as_somebody(struct urlpool_manager *manager,
                                         const struct test_server *server)
{
    char url[128];
    struct urlpool_response *response;

    snprintf(url, sizeof(url), "http://me:secret@127.0.0.1:%d/", test_server_port(server));
    response = urlpool_request(manager, "GET", url, NULL, &test_err);
    if (response == NULL) {
        return test_err.code;
    }
    urlpool_response_free(response);
    return URLPOOL_OK;
}

/* get_with_fields puts a form behind the query, and more headers into the head than it has room for
 * by itself. */
static enum urlpool_code get_with_fields(struct urlpool_manager *manager,
                                         const struct test_server *server)
{
    const struct urlpool_headers_choice choice = {
        .keep_alive = true, .basic_auth = "me:secret", .proxy_basic_auth = "me"};
    struct urlpool_headers *headers = urlpool_headers_make(&choice, &test_err);
    struct urlpool_form *form = headers != NULL ? urlpool_form_new(&test_err) : NULL;
    const struct urlpool_request_options options = {.headers = headers, .fields = form};
    enum urlpool_code code =
        form != NULL ? urlpool_form_add(form, "a", "1", &test_err) : test_err.code;

    for (int i = 0; i < 40 && code == URLPOOL_OK; i++) {
        code = urlpool_headers_add(headers, "X", "y", &test_err);
    }
    if (code == URLPOOL_OK) {
        code = fetch_code(manager, "GET", server, "/?b", &options, "hello");
    }
    urlpool_form_free(form);
    urlpool_headers_free(headers);
    return code;
}

/* post_with_trailers announces what comes behind the body. */
static enum urlpool_code post_with_trailers(struct urlpool_manager *manager,
                                            const struct test_server *server)
{
    struct urlpool_headers *trailers = urlpool_headers_new(&test_err);
    struct urlpool_request_options options = {.body = urlpool_body_json("{}")};
    enum urlpool_code code =
        trailers != NULL ? urlpool_headers_add(trailers, "X", "y", &test_err) : test_err.code;

    options.body.trailers = trailers;
    if (code == URLPOOL_OK) {
        code = fetch_code(manager, "POST", server, "/", &options, "hello");
    }
    urlpool_headers_free(trailers);
    return code;
}

static enum urlpool_code ignore(void *user, const void *data, size_t len, struct urlpool_error *err)
{
    (void)data;
    (void)err;
    *(size_t *)user += len;
    return URLPOOL_OK;
}

static enum urlpool_code stream(struct urlpool_manager *manager, const struct test_server *server)
{
    const struct urlpool_request_options options = {.stream = true};
    char url[256];
    struct urlpool_response *response = urlpool_request(
        manager, "GET", test_server_url(server, "/large", url, sizeof(url)), &options, &test_err);
    enum urlpool_code code = test_err.code;
    size_t len = 0;

    if (response != NULL) {
        code = urlpool_response_stream(response, ignore, &len, &test_err);
        ck_assert(code != URLPOOL_OK || len == 100000);
    }
    urlpool_response_free(response);
    return code;
}

static enum urlpool_code read_large(struct urlpool_manager *manager,
                                    const struct test_server *server)
{
    char url[256];
    struct urlpool_response *response = urlpool_request(
        manager, "GET", test_server_url(server, "/large", url, sizeof(url)), NULL, &test_err);

    if (response == NULL) {
        return test_err.code;
    }
    ck_assert_uint_eq(response->data_len, 100000);
    urlpool_response_free(response);
    return URLPOOL_OK;
}

/* lend borrows a connection, speaks on it and describes its pool. */
static enum urlpool_code lend(struct urlpool_manager *manager, const struct test_server *server)
{
    char url[256];
    struct urlpool_pool *pool = urlpool_manager_pool_for_url(
        manager, test_server_url(server, "/", url, sizeof(url)), &test_err);
    struct urlpool_connection *connection = NULL;
    struct urlpool_response *response = NULL;
    char *line = NULL;
    enum urlpool_code code = URLPOOL_E_NOMEM;

    if (pool == NULL) {
        return test_err.code;
    }
    connection = urlpool_pool_acquire(pool, NULL, NULL, &test_err);
    if (connection != NULL &&
        urlpool_connection_request(connection, "GET", "/", NULL, NULL, &test_err) == URLPOOL_OK) {
        response = urlpool_connection_getresponse(connection, &test_err);
    }
    if (response != NULL) {
        line = urlpool_pool_describe(pool, &test_err);
        code = line != NULL ? URLPOOL_OK : test_err.code;
    }
    urlpool_string_free(line);
    urlpool_response_free(response);
    urlpool_pool_release(pool, connection);
    urlpool_pool_unref(pool);
    return code;
}

/* check has each act survive over plain HTTP. */
static void check(act_fn act, uint64_t least)
{
    struct test_server *server;

    failing_allocator_install();
    server = test_server_start(answer, NULL, NULL);
    ck_assert_uint_ge(survive(server, NULL, act), least);
    test_server_stop(server);
}

START_TEST(recovery__after_memory_ran_out_in_a_get)
{
    check(get, 5);
}
END_TEST

START_TEST(recovery__after_memory_ran_out_in_a_get_over_a_kept_connection)
{
    check(get_again, 6);
}
END_TEST

START_TEST(recovery__after_memory_ran_out_in_a_post)
{
    check(post, 5);
}
END_TEST

START_TEST(recovery__after_memory_ran_out_in_a_redirect)
{
    check(follow, 7);
}
END_TEST

START_TEST(recovery__after_memory_ran_out_while_a_body_is_decoded)
{
    check(decode, 7);
}
END_TEST

START_TEST(recovery__after_memory_ran_out_over_trailers)
{
    check(get_trailers, 6);
}
END_TEST

START_TEST(recovery__after_memory_ran_out_over_userinfo)
{
    check(get_as_somebody, 6);
}
END_TEST

START_TEST(recovery__after_memory_ran_out_over_fields)
{
    check(get_with_fields, 12);
}
END_TEST

START_TEST(recovery__after_memory_ran_out_over_trailers_of_a_request)
{
    check(post_with_trailers, 8);
}
END_TEST

START_TEST(recovery__after_memory_ran_out_in_a_stream)
{
    check(stream, 7);
}
END_TEST

START_TEST(recovery__after_memory_ran_out_in_a_large_body)
{
    check(read_large, 7);
}
END_TEST

START_TEST(recovery__after_memory_ran_out_while_a_connection_is_lent)
{
    check(lend, 7);
}
END_TEST

START_TEST(recovery__after_memory_ran_out_over_https)
{
    struct https_scene scene;

    failing_allocator_install();
    scene = https_scene_begin(answer, NULL, NULL);
    ck_assert_uint_ge(survive(scene.server, scene.tls, get), 8);
    ck_assert_uint_ge(survive(scene.server, scene.tls, get_again), 8);
    https_scene_end(&scene);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
}
END_TEST

RUN_TESTS("memory recovery", recovery__after_memory_ran_out_in_a_get,
          recovery__after_memory_ran_out_in_a_get_over_a_kept_connection,
          recovery__after_memory_ran_out_in_a_post, recovery__after_memory_ran_out_in_a_redirect,
          recovery__after_memory_ran_out_while_a_body_is_decoded,
          recovery__after_memory_ran_out_over_trailers,
          recovery__after_memory_ran_out_over_userinfo, recovery__after_memory_ran_out_over_fields,
          recovery__after_memory_ran_out_over_trailers_of_a_request,
          recovery__after_memory_ran_out_in_a_stream,
          recovery__after_memory_ran_out_in_a_large_body,
          recovery__after_memory_ran_out_while_a_connection_is_lent,
          recovery__after_memory_ran_out_over_https)
