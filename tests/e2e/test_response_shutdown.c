/* A streamed response that is shut down by another thread: the read ends, the connection is not
 * used again, and no other connection is ever hit. */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "support/requests.h"
#include "support/run_tests.h"

enum {
    NUM_ROUNDS = 200,
    BODY_BYTES = 20000
};

/* answer: /stay and /old begin a body and say no more, one with a length, one until close;
 * /body is BODY_BYTES long; all else says "hello". */
static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    char body[BODY_BYTES + 1];

    if (strcmp(request->target, "/stay") == 0) {
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nbegun");
        test_peer_stay(peer);
    } else if (strcmp(request->target, "/old") == 0) {
        test_peer_send_text(peer, "HTTP/1.0 200 OK\r\n\r\nbegun");
        test_peer_stay(peer);
    } else if (strcmp(request->target, "/body") == 0) {
        memset(body, 'x', BODY_BYTES);
        body[BODY_BYTES] = '\0';
        test_peer_reply(peer, 200, NULL, body);
    } else {
        test_answer_hello(peer, request, user);
    }
}

static const struct urlpool_request_options streamed = {.stream = true};

/* A thread that shuts a response down. */
struct shutter {
    struct urlpool_response *response;
    atomic_int is_go; /* the reader is about to read */
};

static void *shut_down(void *arg)
{
    struct shutter *shutter = arg;

    while (!atomic_load(&shutter->is_go)) {
        sched_yield();
    }
    urlpool_response_shutdown(shutter->response);
    urlpool_response_shutdown(shutter->response);
    return NULL;
}

START_TEST(shutdown__ends_a_read_that_waits_in_another_thread)
{
    static const char *const paths[] = {"/stay", "/old"};
    struct test_server *server = test_server_start(answer, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);

    for (size_t i = 0; i < 2; i++) {
        struct shutter shutter = {test_fetch(manager, "GET", server, paths[i], &streamed), 0};
        struct urlpool_response *next;
        pthread_t thread;
        char buf[64];
        size_t len = 0;

        ck_assert_int_eq(urlpool_response_read_exact(shutter.response, buf, 5, &len, &test_err),
                         URLPOOL_OK);
        ck_assert_int_eq(pthread_create(&thread, NULL, shut_down, &shutter), 0);
        atomic_store(&shutter.is_go, 1);
        for (int again = 0; again < 2; again++) {
            ck_assert_int_eq(urlpool_response_read(shutter.response, buf, 64, &len, &test_err),
                             URLPOOL_E_CANCELLED);
            ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_BODY);
        }
        pthread_join(thread, NULL);
        ck_assert_uint_eq(test_stats(manager).open, 0);
        urlpool_response_free(shutter.response);
        next = test_fetch(manager, "GET", server, "/", NULL);
        ck_assert(!next->connection_reused);
        urlpool_response_free(next);
        ck_assert_uint_eq(urlpool_manager_close_idle(manager), 1);
    }
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(shutdown__between_two_reads_ends_the_next)
{
    struct test_server *server = test_server_start(answer, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_response *response = test_fetch(manager, "GET", server, "/", &streamed);
    char buf[64];
    size_t len = 0;

    ck_assert_int_eq(urlpool_response_read_all(response, &test_err), URLPOOL_OK);
    urlpool_response_shutdown(response); /* has nothing to end: its connection is home */
    urlpool_response_free(response);
    response = test_fetch(manager, "GET", server, "/body", &streamed);
    ck_assert(response->connection_reused);
    urlpool_response_shutdown(response);
    ck_assert_int_eq(urlpool_response_read(response, buf, 64, &len, &test_err),
                     URLPOOL_E_CANCELLED);
    urlpool_response_free(response);
    response = test_fetch(manager, "GET", server, "/body", &streamed);
    ck_assert(!response->connection_reused);
    urlpool_response_shutdown(response);
    urlpool_response_free(response); /* the drain finds it shut */
    ck_assert_uint_eq(test_stats(manager).open, 0);
    urlpool_response_shutdown(NULL);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

/* A thread that makes requests on the same manager, none of which may fail. */
struct bystander {
    struct urlpool_manager *manager;
    const char *url;
    atomic_int is_over;
    unsigned num_failed;
};

static void *make_requests(void *arg)
{
    struct bystander *by = arg;
    const struct urlpool_request_options once = {.retries = TEST_ONE_TRY};

    while (!atomic_load(&by->is_over)) {
        struct urlpool_error err;
        struct urlpool_response *response =
            urlpool_request(by->manager, "POST", by->url, &once, &err);

        if (response == NULL || response->data_len != 5) {
            by->num_failed++;
            fprintf(stderr, "%s\n", response == NULL ? err.message : "cut");
        }
        urlpool_response_free(response);
    }
    return NULL;
}

START_TEST(shutdown__at_the_end_of_a_body_hits_no_other_request)
{
    struct test_server *server = test_server_start(answer, NULL, NULL);
    struct bystander by = {.manager = test_manager(NULL)};
    char url[256];
    pthread_t thread;
    unsigned num_cut = 0;

    by.url = test_server_url(server, "/", url, sizeof(url));
    ck_assert_int_eq(pthread_create(&thread, NULL, make_requests, &by), 0);
    for (int i = 0; i < NUM_ROUNDS; i++) {
        struct shutter shutter = {test_fetch(by.manager, "GET", server, "/body", &streamed), 0};
        pthread_t other;
        enum urlpool_code code;

        ck_assert_int_eq(pthread_create(&other, NULL, shut_down, &shutter), 0);
        atomic_store(&shutter.is_go, 1);
        code = urlpool_response_read_all(shutter.response, &test_err);
        pthread_join(other, NULL);
        ck_assert_msg(code == URLPOOL_OK || code == URLPOOL_E_CANCELLED, "%s", test_err.message);
        ck_assert(code != URLPOOL_OK || shutter.response->data_len == BODY_BYTES);
        num_cut += code != URLPOOL_OK;
        urlpool_response_free(shutter.response);
    }
    atomic_store(&by.is_over, 1);
    pthread_join(thread, NULL);
    ck_assert_uint_eq(by.num_failed, 0);
    (void)num_cut; /* how many is chance */
    urlpool_manager_free(by.manager);
    test_server_stop(server);
}
END_TEST

RUN_TESTS("response shutdown", shutdown__ends_a_read_that_waits_in_another_thread,
          shutdown__between_two_reads_ends_the_next,
          shutdown__at_the_end_of_a_body_hits_no_other_request)
