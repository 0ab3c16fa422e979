/* HTTPS end to end: verified, resumed, kept, truncated, shared by threads. What is refused is in
 * test_https_refusals.c. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn/wire.h"
#include "support/https_scene.h"
#include "support/requests.h"
#include "support/run_tests.h"
#include "support/tls_client.h"

enum {
    NUM_THREADS = 16,
    NUM_REQUESTS = 50
};

static struct urlpool_manager *manager_for(const struct https_scene *scene)
{
    return test_manager(&(struct urlpool_manager_options){.tls = scene->tls});
}

START_TEST(https__fetches_from_a_verified_server)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = manager_for(&scene);
    struct urlpool_response *response = test_fetch(manager, "GET", scene.server, "/x?y", NULL);
    char url[128];

    ck_assert_int_eq(response->status, 200);
    ck_assert_str_eq((const char *)response->data, "hello");
    ck_assert_str_eq(response->url, test_server_url(scene.server, "/x?y", url, sizeof(url)));
    ck_assert_int_eq(strncmp(response->url, "https://", 8), 0);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    https_scene_end(&scene);
}
END_TEST

START_TEST(https__uses_one_connection_again_and_again)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = manager_for(&scene);

    for (int i = 0; i < 20; i++) {
        struct urlpool_response *response = test_fetch(manager, "GET", scene.server, "/", NULL);

        ck_assert_int_eq(response->connection_reused, i > 0);
        urlpool_response_free(response);
    }
    ck_assert_uint_eq(test_server_num_connections(scene.server), 1);
    ck_assert_uint_eq(test_stats(manager).tls_full, 1);
    ck_assert_uint_eq(test_stats(manager).tls_resumed, 0);
    urlpool_manager_free(manager);
    https_scene_end(&scene);
}
END_TEST

START_TEST(https__verifies_a_name_as_well_as_an_address)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = manager_for(&scene);
    char url[128];
    struct urlpool_response *response;

    snprintf(url, sizeof(url), "https://LOCALHOST:%d/", test_server_port(scene.server));
    response = urlpool_request(manager, "GET", url, NULL, &test_err);
    ck_assert_msg(response != NULL, "%s", test_err.message);
    ck_assert_int_eq(response->status, 200);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    https_scene_end(&scene);
}
END_TEST

START_TEST(https__verifies_the_a_label_of_an_international_name)
{
    static const struct test_name right[] = {TEST_DNS("xn--bcher-kva.localhost")};
    static const struct test_name wrong[] = {TEST_DNS("b\xc3\xbc"
                                                      "cher.localhost"),
                                             TEST_DNS("xn--*.localhost"),
                                             TEST_DNS("bucher.localhost")};
    static const struct test_cert_options leaves[] = {
        {.names = right, .num_names = 1},
        {.names = wrong, .num_names = 3}
    };

    for (int i = 0; i < 2; i++) {
        struct https_scene scene = https_scene_begin(test_answer_hello, NULL, &leaves[i]);
        struct urlpool_manager *manager = manager_for(&scene);
        char url[128];
        struct urlpool_response *response;

        snprintf(url, sizeof(url),
                 "https://B\xc3\xbc"
                 "cher.localhost:%d/",
                 test_server_port(scene.server));
        response = urlpool_request(manager, "GET", url, NULL, &test_err);
        ck_assert_int_eq(response != NULL, URLP_HAS_IDNA && i == 0);
        if (response == NULL) {
            ck_assert_int_eq(test_err.code, URLP_HAS_IDNA ? URLPOOL_E_TLS_HOSTNAME : URLPOOL_E_URL);
        }
        urlpool_response_free(response);
        urlpool_manager_free(manager);
        https_scene_end(&scene);
    }
}
END_TEST

static void note_resumption(void *user, const struct urlpool_trace_event *event)
{
    if (event->kind == URLPOOL_TRACE_SECURED) {
        *(int64_t *)user = event->number;
    }
}

START_TEST(https__resumes_sessions_and_counts_them)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    int64_t resumed = -1;
    struct urlpool_manager *manager = test_manager(&(struct urlpool_manager_options){
        .tls = scene.tls, .trace = {.event = note_resumption, .user = &resumed}
    });

    test_get(manager, scene.server);
    ck_assert_int_eq(resumed, 0);
    ck_assert_uint_eq(urlpool_manager_close_idle(manager), 1);
    test_get(manager, scene.server);
    ck_assert_int_eq(resumed, 1);
    ck_assert_uint_eq(test_stats(manager).tls_full, 1);
    ck_assert_uint_eq(test_stats(manager).tls_resumed, 1);
    ck_assert_uint_eq(test_server_num_connections(scene.server), 2);
    urlpool_manager_free(manager);
    https_scene_end(&scene);
}
END_TEST

START_TEST(https__ticket_on_an_idle_connection_does_not_end_it)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = manager_for(&scene);
    char url[128];
    struct urlpool_pool *pool = urlpool_manager_pool_for_url(
        manager, test_server_url(scene.server, "/", url, sizeof(url)), &test_err);
    struct urlpool_connection *connection = urlpool_pool_acquire(pool, NULL, NULL, &test_err);
    struct urlpool_response *response;

    ck_assert_msg(connection != NULL, "%s", test_err.message);
    test_wait_readable(connection->stream); /* the tickets, which nobody has read yet */
    urlpool_pool_release(pool, connection);
    response = test_fetch(manager, "GET", scene.server, "/", NULL);
    ck_assert(response->connection_reused);
    urlpool_response_free(response);
    ck_assert_uint_eq(test_server_num_connections(scene.server), 1);
    urlpool_pool_unref(pool);
    urlpool_manager_free(manager);
    https_scene_end(&scene);
}
END_TEST

/* answer_ends sends a body of unknown length (/until/…) or of a known one (/sized/…), and ends the
 * connection with close_notify (…/close) or without (…/cut). */
static void answer_ends(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    test_peer_send_text(peer, strncmp(request->target, "/sized/", 7) == 0
                                  ? "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"
                                  : "HTTP/1.1 200 OK\r\n\r\nbody");
    if (strstr(request->target, "/cut") != NULL) {
        test_peer_cut(peer);
    } else {
        test_peer_close(peer);
    }
}

START_TEST(https__body_that_ends_without_close_notify_is_incomplete)
{
    struct https_scene scene = https_scene_begin(answer_ends, NULL, NULL);
    struct urlpool_manager *manager = manager_for(&scene);
    const struct urlpool_request_options options = {.retries = TEST_ONE_TRY};

    ck_assert_int_eq(test_fetch_fails(manager, "GET", scene.server, "/until/cut", &options),
                     URLPOOL_E_INCOMPLETE_READ);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_BODY);
    ck_assert_int_eq(test_err.http_status, 200);
    ck_assert_uint_eq(test_stats(manager).open, 0);
    urlpool_manager_free(manager);
    https_scene_end(&scene);
}
END_TEST

START_TEST(https__body_that_ends_with_close_notify_is_whole)
{
    struct https_scene scene = https_scene_begin(answer_ends, NULL, NULL);
    struct urlpool_manager *manager = manager_for(&scene);
    struct urlpool_response *response =
        test_fetch(manager, "GET", scene.server, "/until/close", NULL);

    ck_assert_str_eq((const char *)response->data, "body");
    urlpool_response_free(response);
    ck_assert_uint_eq(test_stats(manager).open, 0);
    urlpool_manager_free(manager);
    https_scene_end(&scene);
}
END_TEST

START_TEST(https__body_of_its_announced_length_is_whole_however_it_ends)
{
    struct https_scene scene = https_scene_begin(answer_ends, NULL, NULL);
    struct urlpool_manager *manager = manager_for(&scene);

    for (int i = 0; i < 3; i++) {
        struct urlpool_response *response =
            test_fetch(manager, "GET", scene.server, "/sized/cut", NULL);

        ck_assert_str_eq((const char *)response->data, "body");
        ck_assert(!response->connection_reused);
        urlpool_response_free(response);
    }
    urlpool_manager_free(manager);
    https_scene_end(&scene);
}
END_TEST

/* answer_many sends as many bytes of 'm' as the target says: /123. */
static void answer_many(struct test_peer *peer, const struct test_request *request, void *user)
{
    size_t len = strtoul(request->target + 1, NULL, 10);
    char *body = calloc(1, len + 1);

    (void)user;
    ck_assert_ptr_nonnull(body);
    memset(body, 'm', len);
    test_peer_reply(peer, 200, NULL, body);
    free(body);
}

START_TEST(https__carries_a_large_body_both_ways)
{
    struct https_scene scene = https_scene_begin(test_answer_echo, NULL, NULL);
    struct urlpool_manager *manager = manager_for(&scene);
    const size_t len = (size_t)3 << 20;
    char *body = malloc(len);
    struct urlpool_request_options options = {.body = urlpool_body_bytes(body, len)};
    struct urlpool_response *response;

    ck_assert_ptr_nonnull(body);
    for (size_t i = 0; i < len; i++) {
        body[i] = (char)('a' + i % 23);
    }
    for (int i = 0; i < 2; i++) {
        response = test_fetch(manager, "PUT", scene.server, "/", &options);
        ck_assert_uint_eq(response->data_len, len);
        ck_assert_int_eq(memcmp(response->data, body, len), 0);
        urlpool_response_free(response);
    }
    ck_assert_uint_eq(test_server_num_connections(scene.server), 1);
    free(body);
    urlpool_manager_free(manager);
    https_scene_end(&scene);
}
END_TEST

struct job {
    struct urlpool_manager *manager;
    char url[128];
    size_t body_len;
    _Atomic unsigned num_right;
};

static void *work(void *arg)
{
    struct job *job = arg;

    for (int i = 0; i < NUM_REQUESTS; i++) {
        struct urlpool_error err;
        struct urlpool_response *response =
            urlpool_request(job->manager, "GET", job->url, NULL, &err);

        if (response == NULL) {
            fprintf(stderr, "%s: %s\n", urlpool_code_name(err.code), err.message);
        } else if (response->status == 200 && response->data_len == job->body_len) {
            atomic_fetch_add(&job->num_right, 1);
        }
        urlpool_response_free(response);
    }
    return NULL;
}

START_TEST(https__sixteen_threads_share_four_connections)
{
    struct https_scene scene = https_scene_begin(answer_many, NULL, NULL);
    struct job job = {.manager = test_manager(&(struct urlpool_manager_options){
                          .tls = scene.tls, .maxsize = 4, .block = true}),
                      .body_len = 10000};
    pthread_t threads[NUM_THREADS];
    struct urlpool_stats stats;

    test_server_url(scene.server, "/10000", job.url, sizeof(job.url));
    for (int i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &job), 0);
    }
    for (int i = 0; i < NUM_THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    stats = test_stats(job.manager);
    ck_assert_uint_eq(job.num_right, NUM_THREADS * NUM_REQUESTS);
    ck_assert_uint_le(test_server_num_connections(scene.server), 4);
    ck_assert_uint_eq(stats.tls_full + stats.tls_resumed, stats.opened);
    ck_assert_uint_eq(stats.leased, 0);
    urlpool_manager_free(job.manager);
    https_scene_end(&scene);
}
END_TEST

START_TEST(https__and_http_to_one_port_are_two_origins)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = manager_for(&scene);
    char url[128];

    test_get(manager, scene.server);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", test_server_port(scene.server));
    ck_assert_ptr_null(urlpool_request(manager, "GET", url, NULL, &test_err));
    ck_assert_uint_eq(test_stats(manager).pools, 2);
    ck_assert_uint_eq(test_stats(manager).idle, 1);
    urlpool_manager_free(manager);
    https_scene_end(&scene);
}
END_TEST

RUN_TESTS("https", https__fetches_from_a_verified_server,
          https__uses_one_connection_again_and_again, https__verifies_a_name_as_well_as_an_address,
          https__verifies_the_a_label_of_an_international_name,
          https__resumes_sessions_and_counts_them,
          https__ticket_on_an_idle_connection_does_not_end_it,
          https__body_that_ends_without_close_notify_is_incomplete,
          https__body_that_ends_with_close_notify_is_whole,
          https__body_of_its_announced_length_is_whole_however_it_ends,
          https__carries_a_large_body_both_ways, https__sixteen_threads_share_four_connections,
          https__and_http_to_one_port_are_two_origins)
