/* How managers end: under sixteen threads, with responses still open, in a child; and the one that
 * never does. Nothing is left behind. */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/failing_allocator.h"
#include "support/https_scene.h"
#include "support/loopback.h"
#include "support/requests.h"
#include "support/run_tests.h"

enum {
    NUM_THREADS = 16,
    NUM_STREAMS = 8
};

/* What threads do until the manager tells them that it is closed. */
struct job {
    struct urlpool_manager *manager;
    char url[128];
    _Atomic unsigned num_answers, num_closed, num_odd;
};

static void *work(void *arg)
{
    struct job *job = arg;
    struct urlpool_error err;

    for (;;) {
        struct urlpool_response *response =
            urlpool_request(job->manager, "GET", job->url, NULL, &err);

        if (response == NULL) {
            break;
        }
        if (response->status != 200 || strcmp((const char *)response->data, "hello") != 0) {
            atomic_fetch_add(&job->num_odd, 1);
        }
        atomic_fetch_add(&job->num_answers, 1);
        urlpool_response_free(response);
    }
    if (err.code == URLPOOL_E_POOL_CLOSED) {
        atomic_fetch_add(&job->num_closed, 1);
    } else {
        fprintf(stderr, "%s: %s\n", urlpool_code_name(err.code), err.message);
    }
    return NULL;
}

/* close_under_threads closes and frees a manager that sixteen threads work with, over `maxsize`
 * connections. The threads hold no reference of their own: a call in progress does. */
static void close_under_threads(struct test_server *server, struct urlpool_tls *tls, int maxsize,
                                bool block)
{
    const struct urlpool_manager_options options = {.tls = tls, .maxsize = maxsize, .block = block};
    struct job job = {.manager = test_manager(&options)};
    pthread_t threads[NUM_THREADS];
    struct urlpool_stats stats;

    test_server_url(server, "/", job.url, sizeof(job.url));
    for (int i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &job), 0);
    }
    while (atomic_load(&job.num_answers) < 200) {
        sched_yield();
    }
    urlpool_manager_close(job.manager);
    for (int i = 0; i < NUM_THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    stats = test_stats(job.manager);
    ck_assert_uint_eq(job.num_odd, 0);
    ck_assert_uint_eq(job.num_closed, NUM_THREADS);
    ck_assert_uint_eq(stats.open + stats.waiting + stats.pools, 0);
    ck_assert_uint_eq(stats.failures, NUM_THREADS);
    ck_assert_uint_eq(stats.requests, job.num_answers + NUM_THREADS);
    urlpool_manager_free(job.manager);
}

START_TEST(close__under_sixteen_threads_ends_all_calls_and_leaves_nothing)
{
    struct test_server *server;
    unsigned num_fds;

    failing_allocator_install();
    num_fds = loopback_num_fds();
    for (int round = 0; round < 4; round++) {
        server = test_server_start(test_answer_hello, NULL, NULL);
        close_under_threads(server, NULL, round % 2 == 0 ? 3 : NUM_THREADS, round < 2);
        test_server_stop(server);
        ck_assert_int_eq(failing_allocator_num_live(), 0);
        ck_assert_uint_eq(loopback_num_fds(), num_fds);
    }
}
END_TEST

START_TEST(close__under_sixteen_threads_over_https_leaves_nothing)
{
    unsigned num_fds;

    failing_allocator_install();
    num_fds = loopback_num_fds();
    for (int block = 0; block <= 1; block++) {
        struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);

        close_under_threads(scene.server, scene.tls, 4, block == 1);
        https_scene_end(&scene);
        ck_assert_int_eq(failing_allocator_num_live(), 0);
        ck_assert_uint_eq(loopback_num_fds(), num_fds);
    }
}
END_TEST

/* answer_in_parts sends a body that does not fit into one read. */
static void answer_in_parts(struct test_peer *peer, const struct test_request *request, void *user)
{
    static char part[100000];

    (void)request;
    (void)user;
    test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n");
    for (int i = 0; i < 3; i++) {
        test_peer_send(peer, part, sizeof(part));
    }
}

START_TEST(free__with_streams_open_lets_each_be_read_to_its_end)
{
    struct urlpool_response *streams[NUM_STREAMS];
    const struct urlpool_request_options options = {.stream = true};
    struct test_server *server;
    struct urlpool_manager *manager;
    unsigned num_fds;

    failing_allocator_install();
    num_fds = loopback_num_fds();
    server = test_server_start(answer_in_parts, NULL, NULL);
    manager = test_manager(NULL);
    for (int i = 0; i < NUM_STREAMS; i++) {
        streams[i] = test_fetch(manager, "GET", server, "/", &options);
    }
    urlpool_manager_free(manager);
    for (int i = 0; i < NUM_STREAMS; i++) {
        if (i % 2 == 0) {
            ck_assert_int_eq(urlpool_response_read_all(streams[i], &test_err), URLPOOL_OK);
            ck_assert_uint_eq(streams[i]->data_len, 300000);
        }
        urlpool_response_free(streams[i]); /* the others are given up half-way */
    }
    test_server_stop(server);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
    ck_assert_uint_eq(loopback_num_fds(), num_fds);
}
END_TEST

START_TEST(close__is_told_to_who_waits_for_a_place)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct job job = {
        .manager = test_manager(&(struct urlpool_manager_options){.maxsize = 1, .block = true})};
    const struct urlpool_request_options options = {.stream = true};
    struct urlpool_response *held = test_fetch(job.manager, "GET", server, "/", &options);
    pthread_t threads[NUM_THREADS];

    test_server_url(server, "/", job.url, sizeof(job.url));
    for (int i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &job), 0);
    }
    while (test_stats(job.manager).waiting < NUM_THREADS) {
        sched_yield();
    }
    urlpool_manager_close(job.manager);
    for (int i = 0; i < NUM_THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    ck_assert_uint_eq(job.num_closed, NUM_THREADS);
    ck_assert_uint_eq(job.num_answers, 0);
    ck_assert_int_eq(urlpool_response_read_all(held, &test_err), URLPOOL_OK);
    ck_assert_str_eq((const char *)held->data, "hello");
    urlpool_response_free(held);
    urlpool_manager_free(job.manager);
    test_server_stop(server);
}
END_TEST

static void *get_default(void *arg)
{
    struct urlpool_manager **out = arg;

    *out = urlpool_default(NULL);
    return NULL;
}

START_TEST(default__is_one_whoever_asks_first)
{
    struct urlpool_manager *got[NUM_THREADS];
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    pthread_t threads[NUM_THREADS];

    for (int i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, get_default, &got[i]), 0);
    }
    for (int i = 0; i < NUM_THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    ck_assert_ptr_nonnull(got[0]);
    for (int i = 1; i < NUM_THREADS; i++) {
        ck_assert_ptr_eq(got[i], got[0]);
    }
    ck_assert_ptr_eq(urlpool_default(&test_err), got[0]);
    test_get(got[0], server);
    test_get(got[0], server);
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    test_server_stop(server);
}
END_TEST

START_TEST(reference__keeps_a_closed_manager_that_can_be_asked)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    char *text;

    test_get(manager, server);
    (void)urlpool_manager_ref(manager);
    urlpool_manager_free(manager);
    ck_assert_int_eq(test_fetch_fails(manager, "GET", server, "/", NULL), URLPOOL_E_POOL_CLOSED);
    ck_assert_uint_eq(test_stats(manager).requests, 2);
    ck_assert_uint_eq(test_stats(manager).closed[URLPOOL_CLOSED_SHUTDOWN], 1);
    ck_assert_uint_eq(urlpool_manager_close_idle(manager), 0);
    urlpool_manager_clear(manager);
    text = urlpool_manager_describe(manager, &test_err);
    ck_assert_str_eq(text, "");
    urlpool_string_free(text);
    urlpool_manager_unref(manager);
    urlpool_manager_unref(NULL);
    urlpool_manager_free(NULL);
    urlpool_manager_close(NULL);
    ck_assert_ptr_null(urlpool_manager_ref(NULL));
    test_server_stop(server);
}
END_TEST

START_TEST(fork__child_that_cleans_up_leaves_the_parents_tls_connection_whole)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.tls = scene.tls});
    struct urlpool_response *response;
    pid_t child;
    int status = -1;

    test_get(manager, scene.server);
    child = fork();
    if (child == 0) {
        char url[128];
        bool is_good;

        test_server_url(scene.server, "/", url, sizeof(url));
        response = urlpool_request(manager, "GET", url, NULL, NULL);
        is_good = response != NULL && !response->connection_reused;
        urlpool_response_free(response);
        (void)urlpool_manager_close_idle(manager);
        urlpool_manager_free(manager);
        urlpool_tls_unref(scene.tls);
        _exit(is_good ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    response = test_fetch(manager, "GET", scene.server, "/", NULL);
    ck_assert(response->connection_reused);
    ck_assert_str_eq((const char *)response->data, "hello");
    urlpool_response_free(response);
    ck_assert_uint_eq(test_server_num_connections(scene.server), 2);
    ck_assert_uint_eq(test_server_num_requests(scene.server), 3);
    urlpool_manager_free(manager);
    https_scene_end(&scene);
}
END_TEST

RUN_TESTS("lifetime", close__under_sixteen_threads_ends_all_calls_and_leaves_nothing,
          close__under_sixteen_threads_over_https_leaves_nothing,
          free__with_streams_open_lets_each_be_read_to_its_end,
          close__is_told_to_who_waits_for_a_place, default__is_one_whoever_asks_first,
          reference__keeps_a_closed_manager_that_can_be_asked,
          fork__child_that_cleans_up_leaves_the_parents_tls_connection_whole)
