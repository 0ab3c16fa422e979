/* A machine that makes things hard: signals that interrupt every call, no descriptors left, and
 * descriptors with large numbers. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "support/dns_server.h"
#include "support/https_scene.h"
#include "support/loopback.h"
#include "support/requests.h"
#include "support/run_tests.h"

enum {
    BODY_BYTES = 400000,
    NUM_ROUNDS = 12,
    NUM_THREADS = 8,
    NUM_EACH = 30,
    FD_LIMIT = 64,
    HIGH_FD = 1500,
    URL_BYTES = 128
};

static atomic_uint num_signals;

static void count_signal(int number)
{
    (void)number;
    atomic_fetch_add(&num_signals, 1);
}

/* hold_signals keeps them from threads that are made meanwhile: the servers' are no subject here.
 */
static void hold_signals(bool hold)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGALRM);
    ck_assert_int_eq(pthread_sigmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL), 0);
}

/* storm interrupts this thread every millisecond; 0 ends it. */
static void storm(long usec)
{
    const struct sigaction action = {.sa_handler = count_signal}; /* no SA_RESTART */
    const struct itimerval timer = {
        {0, usec},
        {0, usec}
    };

    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

/* answer_slowly echoes the body in pieces, with pauses that a signal falls into. */
static void answer_slowly(struct test_peer *peer, const struct test_request *request, void *user)
{
    const struct timespec pause = {0, 3000000};
    char head[128];
    size_t half = request->body_len / 2;

    (void)user;
    (void)nanosleep(&pause, NULL);
    (void)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
                   request->body_len);
    test_peer_send_text(peer, head);
    test_peer_send(peer, request->body, half);
    (void)nanosleep(&pause, NULL);
    test_peer_send(peer, request->body + half, request->body_len - half);
    if (request->number == 4) {
        test_peer_close(peer);
    }
}

static void check_echo(struct urlpool_manager *manager, const char *url, const char *body)
{
    const struct urlpool_request_options options = {
        .body = {.kind = URLPOOL_BODY_BYTES, .data = body, .data_len = BODY_BYTES}
    };
    struct urlpool_response *response = urlpool_request(manager, "PUT", url, &options, &test_err);

    ck_assert_msg(response != NULL, "%s: %s", urlpool_code_name(test_err.code), test_err.message);
    ck_assert_uint_eq(response->data_len, BODY_BYTES);
    ck_assert_int_eq(memcmp(response->data, body, BODY_BYTES), 0);
    urlpool_response_free(response);
}

START_TEST(signals__are_not_noticed)
{
    struct https_scene scene;
    struct test_server *plain;
    struct dns_server *dns;
    struct urlpool_manager *manager;
    char *body = malloc(BODY_BYTES);
    char urls[3][URL_BYTES];

    hold_signals(true);
    scene = https_scene_begin(answer_slowly, NULL, NULL);
    plain = test_server_start(answer_slowly, NULL, NULL);
    dns = dns_server_start();
    hold_signals(false);
    dns_server_add(dns, "www.test", DNS_A, 1, "127.0.0.1");
    manager = test_manager(&(struct urlpool_manager_options){
        .tls = scene.tls, .network.dns_servers = dns_server_address(dns)});
    memset(body, 'b', BODY_BYTES);
    (void)snprintf(urls[0], URL_BYTES, "http://www.test:%d/", test_server_port(plain));
    test_server_url(plain, "/", urls[1], URL_BYTES);
    test_server_url(scene.server, "/", urls[2], URL_BYTES);
    storm(1000);
    for (int i = 0; i < NUM_ROUNDS; i++) {
        check_echo(manager, urls[i % 3], body);
        (void)urlpool_manager_close_idle(i % 3 == 2 ? manager : NULL);
    }
    storm(0);
    ck_assert_uint_gt(atomic_load(&num_signals), NUM_ROUNDS);
    free(body);
    urlpool_manager_free(manager);
    dns_server_stop(dns);
    test_server_stop(plain);
    https_scene_end(&scene);
}
END_TEST

/* A deadline that is interrupted is neither lost nor begun anew. */
static void answer_never(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)request;
    (void)user;
    test_peer_stay(peer);
}

START_TEST(signals__do_not_move_a_deadline)
{
    const struct urlpool_request_options options = {.timeout = {.total_ms = 300}};
    struct test_server *server;
    struct urlpool_manager *manager = test_manager(NULL);
    struct timespec began, ended;
    int64_t took_ms;

    hold_signals(true);
    server = test_server_start(answer_never, NULL, NULL);
    hold_signals(false);
    storm(1000);
    (void)clock_gettime(CLOCK_MONOTONIC, &began);
    ck_assert_int_eq(test_fetch_fails(manager, "GET", server, "/", &options),
                     URLPOOL_E_TOTAL_TIMEOUT);
    (void)clock_gettime(CLOCK_MONOTONIC, &ended);
    storm(0);
    took_ms =
        (int64_t)(ended.tv_sec - began.tv_sec) * 1000 + (ended.tv_nsec - began.tv_nsec) / 1000000;
    ck_assert_int_ge(took_ms, 300);
    ck_assert_int_lt(took_ms, 10000); /* begun anew at each signal it would have no end */
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

static void limit_descriptors(rlim_t limit)
{
    struct rlimit bound;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &bound), 0);
    bound.rlim_cur = limit;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &bound), 0);
}

/* take_descriptors opens all that may be opened. */
static size_t take_descriptors(int fds[], size_t cap)
{
    size_t num = 0;

    while (num < cap && (fds[num] = dup(STDERR_FILENO)) >= 0) {
        num++;
    }
    ck_assert_uint_gt(num, 0);
    return num;
}

static void give_descriptors(const int fds[], size_t num)
{
    while (num > 0) {
        (void)close(fds[--num]);
    }
}

START_TEST(descriptors__that_run_out_are_an_error_and_nothing_more)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_cancel *cancel = urlpool_cancel_new(NULL);
    const struct urlpool_request_options options = {.cancel = cancel};
    int fds[FD_LIMIT];
    size_t num;

    limit_descriptors(FD_LIMIT);
    num = take_descriptors(fds, FD_LIMIT);
    ck_assert_int_eq(test_fetch_fails(manager, "GET", server, "/", &options), URLPOOL_E_SYSTEM);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_CONNECT);
    ck_assert_int_eq(test_err.os_errno, EMFILE);
    ck_assert(!test_err.maybe_processed);
    ck_assert_uint_eq(test_stats(manager).open, 0);
    give_descriptors(fds, num);
    test_get(manager, server);
    urlpool_cancel_free(cancel);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

/* With every place idle elsewhere, the least recently used makes room. */
START_TEST(descriptors__that_run_out_are_taken_from_idle_connections)
{
    struct test_server *first = test_server_start(test_answer_hello, NULL, NULL);
    struct test_server *second = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    int fds[FD_LIMIT];
    size_t num;

    limit_descriptors(FD_LIMIT);
    test_get(manager, first);
    num = take_descriptors(fds, FD_LIMIT); /* an accept that waits has its own already */
    test_get(manager, second);
    ck_assert_uint_eq(test_stats(manager).closed[URLPOOL_CLOSED_EVICTED], 1);
    ck_assert_uint_eq(test_stats(manager).open, 1);
    give_descriptors(fds, num);
    urlpool_manager_free(manager);
    test_server_stop(first);
    test_server_stop(second);
}
END_TEST

struct asker {
    struct urlpool_manager *manager;
    char urls[3][URL_BYTES];
};

static void *ask_all(void *user)
{
    struct asker *asker = user;
    struct urlpool_cancel *cancel = urlpool_cancel_new(NULL);
    const struct urlpool_request_options options = {.timeout = {.total_ms = 5000},
                                                    .cancel = cancel};
    struct urlpool_error err;

    for (int i = 0; i < NUM_EACH; i++) {
        struct urlpool_response *response =
            urlpool_request(asker->manager, "GET", asker->urls[i % 3], &options, &err);

        ck_assert_msg(response != NULL, "%s: %s", urlpool_code_name(err.code), err.message);
        urlpool_response_free(response);
    }
    urlpool_cancel_free(cancel);
    return NULL;
}

/* run_askers has threads ask two servers by three URLs, one with a name. */
static void run_askers(struct asker *asker)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct test_server *plain = test_server_start(test_answer_hello, NULL, NULL);
    struct dns_server *dns = dns_server_start();
    pthread_t threads[NUM_THREADS];

    dns_server_add(dns, "www.test", DNS_A, 1, "127.0.0.1");
    asker->manager = test_manager(&(struct urlpool_manager_options){
        .tls = scene.tls, .network.dns_servers = dns_server_address(dns)});
    (void)snprintf(asker->urls[0], URL_BYTES, "http://www.test:%d/", test_server_port(plain));
    test_server_url(plain, "/", asker->urls[1], URL_BYTES);
    test_server_url(scene.server, "/", asker->urls[2], URL_BYTES);
    for (int i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_all, asker), 0);
    }
    for (int i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    }
    ck_assert_uint_eq(test_stats(asker->manager).leased, 0);
    ck_assert_uint_eq(test_stats(asker->manager).dialling, test_stats(asker->manager).half_dials);
    urlpool_manager_free(asker->manager);
    dns_server_stop(dns);
    test_server_stop(plain);
    https_scene_end(&scene);
}

START_TEST(descriptors__with_large_numbers_serve_as_well)
{
    static struct asker asker;
    struct rlimit bound;
    int low = open("/dev/null", O_RDONLY | O_CLOEXEC);

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &bound), 0);
    ck_assert_uint_gt(bound.rlim_max, HIGH_FD + 200);
    limit_descriptors(HIGH_FD + 200);
    while (low >= 0 && low < HIGH_FD) {
        low = dup(low);
    }
    ck_assert_int_eq(low, HIGH_FD);
    run_askers(&asker);
}
END_TEST

RUN_TESTS("machine", signals__are_not_noticed, signals__do_not_move_a_deadline,
          descriptors__that_run_out_are_an_error_and_nothing_more,
          descriptors__that_run_out_are_taken_from_idle_connections,
          descriptors__with_large_numbers_serve_as_well)
