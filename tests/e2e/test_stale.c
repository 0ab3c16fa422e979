/* A reused connection that turns out to be dead: once more, or an error, but never twice. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/loopback.h"
#include "support/requests.h"
#include "support/run_tests.h"

static void answer_once_then_go(struct test_peer *peer, const struct test_request *request,
                                void *user)
{
    const bool *reset = user;

    if (request->connection == 1 && request->number == 2) {
        if (*reset) {
            test_peer_reset(peer);
        } else {
            test_peer_cut(peer);
        }
        return; /* the request came over a connection that the server had given up */
    }
    test_peer_reply(peer, 200, NULL, request->method);
}

START_TEST(stale__is_tried_once_more_when_the_method_allows)
{
    for (int reset = 0; reset <= 1; reset++) {
        bool is_reset = reset == 1;
        struct test_server *server = test_server_start(answer_once_then_go, &is_reset, NULL);
        struct urlpool_manager *manager = test_manager(NULL);
        struct urlpool_response *response;

        urlpool_response_free(test_fetch(manager, "GET", server, "/", NULL));
        response = test_fetch(manager, "GET", server, "/", NULL);
        ck_assert_uint_eq(response->num_retries, 1);
        ck_assert(!response->connection_reused);
        urlpool_response_free(response);
        ck_assert_uint_eq(test_stats(manager).stale_retries, 1);
        ck_assert_uint_eq(test_server_num_connections(server), 2);
        urlpool_manager_free(manager);
        test_server_stop(server);
    }
}
END_TEST

START_TEST(stale__delivers_a_post_never_twice)
{
    bool is_reset = false;
    struct test_server *server = test_server_start(answer_once_then_go, &is_reset, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    const struct urlpool_request_options options = {.body = urlpool_body_bytes("pay", 3)};
    unsigned seen;

    urlpool_response_free(test_fetch(manager, "GET", server, "/", NULL));
    ck_assert_int_eq(test_fetch_fails(manager, "POST", server, "/", &options),
                     URLPOOL_E_REMOTE_DISCONNECTED);
    ck_assert(test_err.maybe_processed);
    ck_assert_uint_eq(test_err.num_attempts, 1);
    seen = test_server_num_requests(server);
    ck_assert_uint_eq(seen, 2);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(stale__tries_a_post_again_that_carries_an_idempotency_key)
{
    bool is_reset = false;
    struct test_server *server = test_server_start(answer_once_then_go, &is_reset, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_headers *headers = urlpool_headers_new(&test_err);
    const struct urlpool_request_options options = {.headers = headers,
                                                    .body = urlpool_body_bytes("pay", 3)};

    ck_assert_int_eq(urlpool_headers_add(headers, "Idempotency-Key", "7", &test_err), URLPOOL_OK);
    urlpool_response_free(test_fetch(manager, "GET", server, "/", NULL));
    urlpool_response_free(test_fetch(manager, "POST", server, "/", &options));
    ck_assert_uint_eq(test_stats(manager).stale_retries, 1);
    urlpool_headers_free(headers);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

static void note_retry(void *user, const struct urlpool_trace_event *event)
{
    if (event->kind == URLPOOL_TRACE_RETRY) {
        *(enum urlpool_code *)user = event->code;
    }
}

START_TEST(stale__tells_its_sink_why_it_tries_again)
{
    bool is_reset = false;
    struct test_server *server = test_server_start(answer_once_then_go, &is_reset, NULL);
    enum urlpool_code why = URLPOOL_OK;
    struct urlpool_manager *manager = test_manager(&(struct urlpool_manager_options){
        .trace = {.event = note_retry, .user = &why}
    });

    test_get(manager, server);
    test_get(manager, server);
    ck_assert_int_eq(why, URLPOOL_E_REMOTE_DISCONNECTED);
    ck_assert_uint_eq(test_stats(manager).closed[URLPOOL_CLOSED_STALE], 1);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

/* A server that answers the first request and, asked again, is gone for good. */
static void *answer_once_and_vanish(void *arg)
{
    static const char hello[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    int listener = *(int *)arg;
    int fd = loopback_accept(listener);
    char request[1000];

    ck_assert_int_gt(read(fd, request, sizeof(request)), 0);
    ck_assert_int_eq(write(fd, hello, sizeof(hello) - 1), sizeof(hello) - 1);
    ck_assert_int_gt(read(fd, request, sizeof(request)), 0);
    close(listener);
    close(fd);
    return NULL;
}

START_TEST(stale__whose_second_try_fails_says_why_there_was_one)
{
    int listener = loopback_listen("127.0.0.1", 0);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.retries = {.total = URLPOOL_NONE}});
    struct urlpool_response *response;
    pthread_t thread;
    char url[64];

    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", loopback_port(listener));
    ck_assert_int_eq(pthread_create(&thread, NULL, answer_once_and_vanish, &listener), 0);
    response = urlpool_request(manager, "GET", url, NULL, &test_err);
    ck_assert_msg(response != NULL, "%s", test_err.message);
    urlpool_response_free(response);
    ck_assert_ptr_null(urlpool_request(manager, "GET", url, NULL, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_CONNECT);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_CONNECT);
    ck_assert_int_eq(test_err.cause, URLPOOL_E_REMOTE_DISCONNECTED);
    ck_assert(test_err.maybe_processed);
    ck_assert_uint_eq(test_stats(manager).open, 0);
    pthread_join(thread, NULL);
    urlpool_manager_free(manager);
}
END_TEST

static void answer_seen_then_go(struct test_peer *peer, const struct test_request *request,
                                void *user)
{
    (void)user;
    if (request->number == 2) {
        test_peer_send_text(peer, "HTT");
        test_peer_cut(peer);
        return;
    }
    test_peer_reply(peer, 200, NULL, "hello");
}

START_TEST(stale__is_no_connection_on_which_an_answer_has_begun)
{
    struct test_server *server = test_server_start(answer_seen_then_go, NULL, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.retries = {.total = URLPOOL_NONE}});

    test_get(manager, server);
    ck_assert_int_eq(test_fetch_fails(manager, "GET", server, "/", NULL),
                     URLPOOL_E_INCOMPLETE_READ);
    ck_assert_uint_eq(test_server_num_requests(server), 2);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

static void answer_nothing(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)request;
    (void)user;
    test_peer_cut(peer);
}

START_TEST(stale__is_no_fresh_connection)
{
    struct test_server *server = test_server_start(answer_nothing, NULL, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.retries = {.total = URLPOOL_NONE}});

    ck_assert_int_eq(test_fetch_fails(manager, "GET", server, "/", NULL),
                     URLPOOL_E_REMOTE_DISCONNECTED);
    ck_assert_uint_eq(test_err.num_attempts, 1);
    ck_assert_uint_eq(test_server_num_requests(server), 1);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(stale__cannot_be_tried_again_with_a_body_that_is_gone)
{
    bool is_reset = false;
    struct test_server *server = test_server_start(answer_once_then_go, &is_reset, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_request_options options = {0};
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "piped", 5), 5);
    close(ends[1]);
    options.body = urlpool_body_fd(ends[0]);
    test_get(manager, server);
    ck_assert_int_eq(test_fetch_fails(manager, "PUT", server, "/", &options),
                     URLPOOL_E_REMOTE_DISCONNECTED);
    ck_assert_uint_eq(test_server_num_requests(server), 2);
    close(ends[0]);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(stale__sends_a_file_again_from_where_it_began)
{
    bool is_reset = false;
    struct test_server *server = test_server_start(answer_once_then_go, &is_reset, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    FILE *file = tmpfile();
    const struct urlpool_request_options options = {.body = urlpool_body_fd(fileno(file))};
    char *head;

    ck_assert_int_eq(pwrite(fileno(file), "0123456789", 10, 0), 10);
    ck_assert_int_eq(lseek(fileno(file), 4, SEEK_SET), 4);
    test_get(manager, server);
    urlpool_response_free(test_fetch(manager, "PUT", server, "/", &options));
    head = test_server_last_head(server);
    ck_assert_ptr_nonnull(strstr(head, "\r\nContent-Length: 6\r\n"));
    free(head);
    ck_assert_uint_eq(test_stats(manager).stale_retries, 1);
    fclose(file);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

/* answer_with_farewell says to a second request what an idle connection is told. */
static void answer_with_farewell(struct test_peer *peer, const struct test_request *request,
                                 void *user)
{
    const bool *says_close = user;

    if (request->connection == 1 && request->number == 2) {
        test_peer_reply(peer, 408, *says_close ? "Connection: close\r\n" : NULL, "too late");
        test_peer_close(peer);
        return;
    }
    test_peer_reply(peer, 200, NULL, request->method);
}

START_TEST(stale__is_a_connection_whose_408_has_crossed_the_request)
{
    static const struct {
        const char *method;
        bool says_close;
        int status;
    } cases[] = {
        {"GET",  true,  200},
        {"POST", true,  408},
        {"GET",  false, 408},
    };

    for (size_t i = 0; i < 3; i++) {
        bool says_close = cases[i].says_close;
        struct test_server *server = test_server_start(answer_with_farewell, &says_close, NULL);
        struct urlpool_manager *manager = test_manager(NULL);
        struct urlpool_response *response;

        urlpool_response_free(test_fetch(manager, "GET", server, "/", NULL));
        response = test_fetch(manager, cases[i].method, server, "/", NULL);
        ck_assert_int_eq(response->status, cases[i].status);
        ck_assert_uint_eq(response->num_retries, cases[i].status == 200 ? 1 : 0);
        ck_assert_uint_eq(test_stats(manager).stale_retries, cases[i].status == 200 ? 1 : 0);
        ck_assert_uint_eq(test_stats(manager).retries, 0);
        urlpool_response_free(response);
        urlpool_manager_free(manager);
        test_server_stop(server);
    }
}
END_TEST

/* leave_two_idle has two connections to `server`, each used once. */
static void leave_two_idle(struct urlpool_manager *manager, const struct test_server *server)
{
    const struct urlpool_request_options streamed = {.stream = true};
    struct urlpool_response *first = test_fetch(manager, "GET", server, "/", &streamed);
    struct urlpool_response *second = test_fetch(manager, "GET", server, "/", &streamed);

    urlpool_response_free(first);
    urlpool_response_free(second);
}

/* answer_once answers the first request of each connection, and bids the next one farewell. */
static void answer_once(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    if (request->number > 1) {
        test_peer_reply(peer, 408, "Connection: close\r\n", "too late");
        test_peer_close(peer);
        return;
    }
    test_peer_reply(peer, 200, NULL, "hello");
}

START_TEST(stale__408_is_followed_by_a_new_connection)
{
    struct test_server *server = test_server_start(answer_once, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_response *response;

    leave_two_idle(manager, server);
    ck_assert_uint_eq(test_stats(manager).idle, 2);
    response = test_fetch(manager, "GET", server, "/", NULL);
    ck_assert_int_eq(response->status, 200);
    ck_assert_uint_eq(response->num_retries, 1);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

/* answer_badly resets the first two tries of the request that follows two answers, and bids the
 * third farewell. */
static void answer_badly(struct test_peer *peer, const struct test_request *request, void *user)
{
    atomic_uint *num_tries = user;

    if (request->number == 1 && request->connection <= 2) {
        test_peer_reply(peer, 200, NULL, "hello");
        return;
    }
    switch (atomic_fetch_add(num_tries, 1)) {
    case 0: /* on one that was idle: a free try on a new one */
    case 1: /* on the new one: a counted try, on the other that is idle */
        test_peer_reset(peer);
        return;
    case 2:
        test_peer_reply(peer, 408, "Connection: close\r\n", "too late");
        test_peer_close(peer);
        return;
    default:
        test_peer_reply(peer, 200, NULL, "at last");
    }
}

START_TEST(stale__408_is_none_of_the_callers_behind_a_free_and_a_counted_try)
{
    atomic_uint num_tries = 0;
    struct test_server *server = test_server_start(answer_badly, &num_tries, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_response *response;

    leave_two_idle(manager, server);
    response = test_fetch(manager, "GET", server, "/", NULL);
    ck_assert_int_eq(response->status, 200);
    ck_assert_uint_eq(test_stats(manager).stale_retries, 2);
    ck_assert_uint_eq(test_stats(manager).retries, 1);
    ck_assert_uint_eq(atomic_load(&num_tries), 4);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

RUN_TESTS("stale", stale__408_is_none_of_the_callers_behind_a_free_and_a_counted_try,
          stale__408_is_followed_by_a_new_connection,
          stale__is_a_connection_whose_408_has_crossed_the_request,
          stale__is_tried_once_more_when_the_method_allows, stale__delivers_a_post_never_twice,
          stale__tries_a_post_again_that_carries_an_idempotency_key,
          stale__tells_its_sink_why_it_tries_again,
          stale__whose_second_try_fails_says_why_there_was_one,
          stale__is_no_connection_on_which_an_answer_has_begun, stale__is_no_fresh_connection,
          stale__cannot_be_tried_again_with_a_body_that_is_gone,
          stale__sends_a_file_again_from_where_it_began)
