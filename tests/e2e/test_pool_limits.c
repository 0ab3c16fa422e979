/* The bounds of a manager over all its origins: each option at zero, URLPOOL_NONE, without bound
 * and at a value, against servers that count connections. */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "support/requests.h"
#include "support/run_tests.h"

#define NUM_SERVERS 3
#define NUM_THREADS 12
#define NUM_ROUNDS  20

enum {
    MAX_IDLE_TOTAL_DEFAULT = 256
};

static void expect_refused(const struct urlpool_manager_options *options, const char *word)
{
    ck_assert_ptr_null(urlpool_manager_new(options, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
    ck_assert_msg(strstr(test_err.message, word) != NULL, "\"%s\" does not name %s",
                  test_err.message, word);
}

/* hold takes `num` connections to `server` at once, and lets them all go. */
static void hold(struct urlpool_manager *manager, struct test_server *server, size_t num)
{
    const struct urlpool_request_options options = {.stream = true};
    struct urlpool_response **held = calloc(num, sizeof(*held));

    ck_assert_ptr_nonnull(held);
    for (size_t i = 0; i < num; i++) {
        held[i] = test_fetch(manager, "GET", server, "/", &options);
    }
    ck_assert_uint_eq(test_stats(manager).leased, num);
    for (size_t i = 0; i < num; i++) {
        urlpool_response_free(held[i]);
    }
    free(held);
}

/* expect_no_place asks `server` while all places are taken. */
static void expect_no_place(struct urlpool_manager *manager, struct test_server *server,
                            enum urlpool_code code)
{
    const struct urlpool_request_options options = {.timeout = {.pool_ms = 1}};

    ck_assert_int_eq(test_fetch_fails(manager, "GET", server, "/", &options), code);
}

/* answer_without_end redirects, then asks for another try, both with bodies that never end. */
static void answer_without_end(struct test_peer *peer, const struct test_request *request,
                               void *user)
{
    static const char rest[] = "Content-Length: 1000000000\r\n\r\nnever";
    unsigned *num_tries = user;

    if (strcmp(request->target, "/redirect") == 0) {
        test_peer_send_text(peer, "HTTP/1.1 302 Found\r\nLocation: /retry\r\n");
    } else if (strcmp(request->target, "/retry") == 0 && (*num_tries)++ % 2 == 0) {
        test_peer_send_text(peer, "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\n");
    } else {
        test_peer_reply(peer, 200, NULL, "at last");
        return;
    }
    test_peer_send_text(peer, rest);
    test_peer_stay(peer);
}

START_TEST(place__is_free_again_behind_answers_that_cannot_be_drained)
{
    unsigned num_tries = 0;
    struct test_server *server = test_server_start(answer_without_end, &num_tries, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.maxsize = 1, .block = true});

    for (int i = 0; i < 2; i++) {
        struct urlpool_response *response = test_fetch(manager, "GET", server, "/redirect", NULL);
        struct urlpool_stats stats = test_stats(manager);

        ck_assert_int_eq(response->status, 200);
        ck_assert_uint_eq(stats.leased + stats.dialling + stats.waiting, stats.half_dials);
        ck_assert_uint_eq(stats.idle, 1);
        ck_assert_uint_eq(stats.peak_open, 1);
        urlpool_response_free(response);
    }
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(max_total__value_bounds_all_origins_together)
{
    struct test_server *first = test_server_start(test_answer_hello, NULL, NULL);
    struct test_server *second = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.max_total = 1});
    struct urlpool_response *held =
        test_fetch(manager, "GET", first, "/", &(struct urlpool_request_options){.stream = true});

    expect_no_place(manager, second, URLPOOL_E_POOL_TIMEOUT);
    ck_assert_uint_eq(test_server_num_connections(second), 0);
    urlpool_response_free(held);
    test_get(manager, second);
    ck_assert_uint_eq(test_stats(manager).closed[URLPOOL_CLOSED_EVICTED], 1);
    ck_assert_uint_eq(test_stats(manager).peak_open, 1);
    urlpool_manager_free(manager);
    test_server_stop(first);
    test_server_stop(second);
}
END_TEST

START_TEST(max_total__zero_and_no_bound_bound_nothing)
{
    const int64_t unbounded[] = {0, URLPOOL_NO_TIMEOUT};
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);

    for (size_t i = 0; i < 2; i++) {
        struct urlpool_manager *manager =
            test_manager(&(struct urlpool_manager_options){.max_total = unbounded[i]});

        hold(manager, server, 70);
        urlpool_manager_free(manager);
    }
    test_server_stop(server);
}
END_TEST

START_TEST(max_total__none_is_refused)
{
    expect_refused(&(struct urlpool_manager_options){.max_total = URLPOOL_NONE}, "max_total");
    expect_refused(&(struct urlpool_manager_options){.max_total = -3}, "max_total");
}
END_TEST

START_TEST(max_idle_total__zero_is_two_hundred_and_fifty_six)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.maxsize = 300});

    hold(manager, server, MAX_IDLE_TOTAL_DEFAULT + 1);
    ck_assert_uint_eq(test_stats(manager).idle, MAX_IDLE_TOTAL_DEFAULT);
    ck_assert_uint_eq(test_stats(manager).closed[URLPOOL_CLOSED_EVICTED], 1);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(max_idle_total__value_none_and_no_bound)
{
    const int64_t given[] = {2, URLPOOL_NONE, URLPOOL_NO_TIMEOUT};
    const uint64_t kept[] = {2, 0, 5};
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);

    for (size_t i = 0; i < 3; i++) {
        struct urlpool_manager *manager =
            test_manager(&(struct urlpool_manager_options){.max_idle_total = given[i]});

        hold(manager, server, 5);
        ck_assert_uint_eq(test_stats(manager).idle, kept[i]);
        urlpool_manager_free(manager);
    }
    expect_refused(&(struct urlpool_manager_options){.max_idle_total = -3}, "max_idle_total");
    test_server_stop(server);
}
END_TEST

struct waiter {
    struct urlpool_manager *manager;
    struct test_server *server;
    pthread_t thread;
};

static void *ask(void *arg)
{
    struct waiter *waiter = arg;
    struct urlpool_error err;
    char url[64];
    struct urlpool_response *response = urlpool_request(
        waiter->manager, "GET", test_server_url(waiter->server, "/", url, sizeof(url)), NULL, &err);

    ck_assert_msg(response != NULL, "%s", err.message);
    urlpool_response_free(response);
    return NULL;
}

START_TEST(max_waiters__none_lets_nobody_wait)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(&(struct urlpool_manager_options){
        .block = true, .maxsize = 1, .max_waiters = URLPOOL_NONE});
    struct urlpool_response *held =
        test_fetch(manager, "GET", server, "/", &(struct urlpool_request_options){.stream = true});

    ck_assert_int_eq(test_fetch_fails(manager, "GET", server, "/", NULL), URLPOOL_E_POOL_FULL);
    urlpool_response_free(held);
    test_get(manager, server);
    urlpool_manager_free(manager);
    test_server_stop(server);
    expect_refused(&(struct urlpool_manager_options){.max_waiters = -3}, "max_waiters");
}
END_TEST

START_TEST(max_waiters__value_lets_as_many_wait)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(
        &(struct urlpool_manager_options){.block = true, .maxsize = 1, .max_waiters = 1});
    struct urlpool_response *held =
        test_fetch(manager, "GET", server, "/", &(struct urlpool_request_options){.stream = true});
    struct waiter waiter = {.manager = manager, .server = server};

    ck_assert_int_eq(pthread_create(&waiter.thread, NULL, ask, &waiter), 0);
    while (test_stats(manager).waiting == 0) {
        sched_yield();
    }
    expect_no_place(manager, server, URLPOOL_E_POOL_FULL);
    urlpool_response_free(held);
    pthread_join(waiter.thread, NULL);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(max_waiters__zero_and_no_bound_let_any_number_wait)
{
    const int64_t unbounded[] = {0, URLPOOL_NO_TIMEOUT};
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);

    for (size_t i = 0; i < 2; i++) {
        struct urlpool_manager *manager = test_manager(&(struct urlpool_manager_options){
            .block = true, .maxsize = 1, .max_waiters = unbounded[i]});
        struct urlpool_response *held = test_fetch(
            manager, "GET", server, "/", &(struct urlpool_request_options){.stream = true});

        expect_no_place(manager, server, URLPOOL_E_POOL_TIMEOUT);
        urlpool_response_free(held);
        urlpool_manager_free(manager);
    }
    test_server_stop(server);
}
END_TEST

struct fighter {
    struct urlpool_manager *manager;
    struct test_server **servers;
    int index;
    pthread_t thread;
};

static void *fight(void *arg)
{
    struct fighter *fighter = arg;

    for (int i = 0; i < NUM_ROUNDS; i++) {
        struct waiter waiter = {.manager = fighter->manager,
                                .server = fighter->servers[(fighter->index + i) % NUM_SERVERS]};

        ask(&waiter);
    }
    return NULL;
}

START_TEST(max_total__many_threads_and_origins_are_all_served)
{
    struct test_server *servers[NUM_SERVERS];
    struct fighter fighters[NUM_THREADS];
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.max_total = 2});

    for (int i = 0; i < NUM_SERVERS; i++) {
        servers[i] = test_server_start(test_answer_hello, NULL, NULL);
    }
    for (int i = 0; i < NUM_THREADS; i++) {
        fighters[i] = (struct fighter){.manager = manager, .servers = servers, .index = i};
        ck_assert_int_eq(pthread_create(&fighters[i].thread, NULL, fight, &fighters[i]), 0);
    }
    for (int i = 0; i < NUM_THREADS; i++) {
        pthread_join(fighters[i].thread, NULL);
    }
    ck_assert_uint_eq(test_stats(manager).peak_open, 2);
    ck_assert_uint_eq(test_stats(manager).requests, NUM_THREADS * NUM_ROUNDS);
    urlpool_manager_free(manager);
    for (int i = 0; i < NUM_SERVERS; i++) {
        test_server_stop(servers[i]);
    }
}
END_TEST

RUN_TESTS("pool limits", place__is_free_again_behind_answers_that_cannot_be_drained,
          max_total__value_bounds_all_origins_together, max_total__zero_and_no_bound_bound_nothing,
          max_total__none_is_refused, max_idle_total__zero_is_two_hundred_and_fifty_six,
          max_idle_total__value_none_and_no_bound, max_waiters__none_lets_nobody_wait,
          max_waiters__value_lets_as_many_wait, max_waiters__zero_and_no_bound_let_any_number_wait,
          max_total__many_threads_and_origins_are_all_served)
