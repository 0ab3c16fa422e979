/* How long each step took, of servers, proxies and resolvers that take their time. Only lower
 * bounds are asserted: a busy machine may be as late as it likes. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/https_scene.h"
#include "support/proxy_server.h"
#include "support/requests.h"
#include "support/run_tests.h"

#define PAUSE_MS 30
#define PAUSE_NS ((int64_t)PAUSE_MS * 1000000)

static void pause_once(void)
{
    const struct timespec pause = {0, PAUSE_NS};

    (void)nanosleep(&pause, NULL);
}

/* answer: /late thinks before its head, /slow between two parts of its body; /again is 503 once,
 * and /from leads to "/" once it has thought. */
static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    unsigned *num_again = user;

    if (strcmp(request->target, "/late") == 0) {
        pause_once();
        test_answer_hello(peer, request, user);
    } else if (strcmp(request->target, "/slow") == 0) {
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
        pause_once();
        test_peer_send_text(peer, "after");
    } else if (strcmp(request->target, "/again") == 0 && (*num_again)++ == 0) {
        test_peer_reply(peer, 503, NULL, "");
    } else if (strcmp(request->target, "/from") == 0) {
        pause_once();
        test_peer_reply(peer, 302, "Location: /\r\n", "");
    } else {
        test_answer_hello(peer, request, user);
    }
}

static unsigned num_again;

/* check looks at what is true of all timings: no step takes less than nothing, and together they
 * are the whole. */
static struct urlpool_timings check(const struct urlpool_response *response)
{
    const struct urlpool_timings t = urlpool_response_timings(response);
    const int64_t steps[] = {t.before_ns, t.pool_ns, t.resolve_ns, t.connect_ns, t.proxy_ns,
                             t.tls_ns,    t.send_ns, t.wait_ns,    t.receive_ns};
    int64_t sum = 0;

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        ck_assert_int_ge(steps[i], 0);
        sum += steps[i];
    }
    ck_assert_int_eq(sum, t.total_ns);
    ck_assert_int_gt(t.total_ns, 0);
    return t;
}

/* timed is a GET that must succeed, and its timings. */
static struct urlpool_timings timed(struct urlpool_manager *manager,
                                    const struct test_server *server, const char *path,
                                    const struct urlpool_request_options *options)
{
    struct urlpool_response *response = test_fetch(manager, "GET", server, path, options);
    const struct urlpool_timings timings = check(response);

    urlpool_response_free(response);
    return timings;
}

START_TEST(timings__tell_waiting_from_receiving)
{
    struct test_server *server = test_server_start(answer, &num_again, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_timings t = timed(manager, server, "/late", NULL);

    ck_assert_int_gt(t.connect_ns, 0);
    ck_assert_int_gt(t.send_ns, 0);
    ck_assert_int_ge(t.send_ns + t.wait_ns, PAUSE_NS);
    ck_assert_int_ge(t.wait_ns, PAUSE_NS / 2); /* it may have the request before that is noted */
    ck_assert_int_eq(t.before_ns + t.resolve_ns + t.proxy_ns + t.tls_ns, 0);
    t = timed(manager, server, "/slow", NULL);
    ck_assert_int_ge(t.receive_ns, PAUSE_NS / 2); /* the first part may come late */
    ck_assert_int_eq(t.before_ns + t.resolve_ns + t.connect_ns + t.proxy_ns + t.tls_ns, 0);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(timings__of_a_streamed_body_go_on_as_it_is_read)
{
    struct test_server *server = test_server_start(answer, &num_again, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    const struct urlpool_request_options streamed = {.stream = true};
    struct urlpool_response *response = test_fetch(manager, "GET", server, "/slow", &streamed);
    struct urlpool_timings whole;
    char data[16];
    size_t len;

    ck_assert_int_eq(urlpool_response_read_exact(response, data, 5, &len, &test_err), URLPOOL_OK);
    pause_once();
    ck_assert_int_ge(check(response).receive_ns, PAUSE_NS);
    ck_assert_int_eq(urlpool_response_read_exact(response, data, 6, &len, &test_err), URLPOOL_OK);
    ck_assert_uint_eq(len, 5);
    whole = check(response);
    ck_assert_int_ge(whole.receive_ns, PAUSE_NS);
    pause_once();
    ck_assert_int_eq(check(response).total_ns, whole.total_ns);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(timings__tell_what_came_before_the_last_try)
{
    const struct urlpool_request_options options = {
        .retries = {.status_forcelist = {503}, .backoff_factor_ms = PAUSE_MS}
    };
    struct test_server *server = test_server_start(answer, &num_again, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_timings t = timed(manager, server, "/from", NULL);

    ck_assert_int_ge(t.before_ns, PAUSE_NS);
    ck_assert_int_eq(t.connect_ns, 0); /* that was of the try before */
    num_again = 0;
    t = timed(manager, server, "/again", &options);
    ck_assert_uint_eq(num_again, 2);
    ck_assert_int_gt(t.before_ns, 0);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

static void *free_late(void *arg)
{
    pause_once();
    urlpool_response_free(arg);
    return NULL;
}

START_TEST(timings__tell_how_long_a_place_was_waited_for)
{
    struct test_server *server = test_server_start(answer, &num_again, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.block = true, .maxsize = 1});
    const struct urlpool_request_options streamed = {.stream = true};
    struct urlpool_response *held = test_fetch(manager, "GET", server, "/slow", &streamed);
    struct urlpool_timings t;
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, free_late, held), 0);
    t = timed(manager, server, "/", NULL);
    pthread_join(thread, NULL);
    ck_assert_int_ge(t.pool_ns, PAUSE_NS / 2); /* the other had begun its pause */
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

static enum urlpool_code resolve_late(void *user, const char *host, int64_t timeout_ms,
                                      struct urlpool_answers *answers, struct urlpool_error *err)
{
    (void)user;
    (void)host;
    (void)timeout_ms;
    pause_once();
    return urlpool_answers_add(answers, "127.0.0.1", err);
}

START_TEST(timings__tell_the_handshakes_of_the_way_apart)
{
    struct https_scene scene = https_scene_begin(answer, &num_again, NULL);
    struct proxy_server *proxy =
        proxy_server_start(&(struct proxy_server_options){.tls = scene.context});
    struct urlpool_manager_options options = {.tls = scene.tls};
    struct urlpool_manager *manager = test_manager(&options);
    struct urlpool_response *response;
    struct urlpool_timings t;
    char url[128];

    t = timed(manager, scene.server, "/", NULL);
    ck_assert_int_gt(t.tls_ns, 0);
    ck_assert_int_eq(t.resolve_ns + t.proxy_ns, 0);
    urlpool_manager_free(manager);

    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u", (unsigned)proxy_server_port(proxy));
    options.proxy = (struct urlpool_proxy){.url = url, .tls = scene.tls};
    manager = test_manager(&options);
    t = timed(manager, scene.server, "/", NULL);
    ck_assert_int_gt(t.proxy_ns, 0);
    ck_assert_int_gt(t.tls_ns, 0);
    t = timed(manager, scene.server, "/", NULL);
    ck_assert_int_eq(t.connect_ns + t.proxy_ns + t.tls_ns, 0);
    urlpool_manager_free(manager);

    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%d", test_server_port(scene.server));
    manager = test_manager(&options); /* the server forwards, so to speak: its TLS is a proxy's */
    response = urlpool_request(manager, "GET", "http://shop.example/", NULL, &test_err);
    ck_assert_msg(response != NULL, "%s", test_err.message);
    t = check(response);
    ck_assert_int_gt(t.proxy_ns, 0);
    ck_assert_int_eq(t.tls_ns, 0);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    proxy_server_stop(proxy);
    https_scene_end(&scene);
}
END_TEST

START_TEST(timings__tell_how_long_a_name_took)
{
    struct test_server *server = test_server_start(answer, &num_again, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.network = {.resolve = resolve_late}});
    struct urlpool_response *response;
    struct urlpool_timings t;
    char url[128];

    (void)snprintf(url, sizeof(url), "http://named.example:%d/", test_server_port(server));
    response = urlpool_request(manager, "GET", url, NULL, &test_err);
    ck_assert_msg(response != NULL, "%s", test_err.message);
    t = check(response);
    ck_assert_int_ge(t.resolve_ns, PAUSE_NS);
    ck_assert_int_gt(t.connect_ns, 0);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

/* ask_floor makes a GET on the lower floor. */
static struct urlpool_timings ask_floor(struct urlpool_connection *connection, const char *path)
{
    struct urlpool_response *response;
    struct urlpool_timings t;

    ck_assert_int_eq(urlpool_connection_request(connection, "GET", path, NULL, NULL, &test_err),
                     URLPOOL_OK);
    response = urlpool_connection_getresponse(connection, &test_err);
    ck_assert_msg(response != NULL, "%s", test_err.message);
    ck_assert_int_eq(urlpool_response_read_all(response, &test_err), URLPOOL_OK);
    t = check(response);
    urlpool_response_free(response);
    return t;
}

START_TEST(timings__are_told_on_the_lower_floor)
{
    struct test_server *server = test_server_start(answer, &num_again, NULL);
    struct urlpool_connection *connection =
        urlpool_connection_new("127.0.0.1", test_server_port(server), NULL, &test_err);
    struct urlpool_timings t = ask_floor(connection, "/late");

    ck_assert_int_gt(t.connect_ns, 0);
    ck_assert_int_ge(t.wait_ns, PAUSE_NS / 2);
    t = ask_floor(connection, "/");
    ck_assert_int_eq(t.connect_ns, 0);
    urlpool_connection_close(connection);
    ck_assert_int_eq(urlpool_connection_connect(connection, &test_err), URLPOOL_OK);
    t = ask_floor(connection, "/");
    ck_assert_int_eq(t.connect_ns, 0); /* it was there */
    ck_assert_int_eq(t.before_ns + t.pool_ns, 0);
    urlpool_connection_free(connection);
    test_server_stop(server);
}
END_TEST

RUN_TESTS("timings", timings__tell_waiting_from_receiving,
          timings__of_a_streamed_body_go_on_as_it_is_read,
          timings__tell_what_came_before_the_last_try,
          timings__tell_how_long_a_place_was_waited_for,
          timings__tell_the_handshakes_of_the_way_apart, timings__tell_how_long_a_name_took,
          timings__are_told_on_the_lower_floor)
