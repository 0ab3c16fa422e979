/* Dialling as a whole service meets it: bursts, connects that hang while connections come free,
 * what is half made and who goes on with it, and that nobody who gives up leaves anything behind.
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "urlpool/cancel.h"

#include "base/clock.h"
#include "support/dns_server.h"
#include "support/loopback.h"
#include "support/requests.h"
#include "support/run_tests.h"

#define NAME "www.example"

/* --- a server whose queue takes one connection --- */

/* fill takes the one place in the queue of a listener that nobody accepts at: who connects then
 * gets no answer until it is accepted. */
static int fill(int listener)
{
    struct sockaddr_in address;
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&address, len), 0);
    return fd;
}

/* serve_one accepts one connection and answers each request on it, each of one segment. */
static void *serve_one(void *listener)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    char request[4096];
    int fd = loopback_accept(*(int *)listener);

    while (read(fd, request, sizeof(request)) > 0) {
        ck_assert_int_eq(send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL), sizeof(answer) - 1);
    }
    (void)close(fd);
    return NULL;
}

static pthread_t start_serving(int *listener)
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, serve_one, listener), 0);
    return thread;
}

/* --- requests --- */

static char url[64];

static struct urlpool_response *get(struct urlpool_manager *manager,
                                    const struct urlpool_request_options *options)
{
    struct urlpool_response *response = urlpool_request(manager, "GET", url, options, &test_err);

    ck_assert_msg(response != NULL, "%s", test_err.message);
    return response;
}

static const struct urlpool_request_options streamed = {.stream = true};

/* struct asker makes a request in a thread of its own. */
struct asker {
    struct urlpool_manager *manager;
    pthread_barrier_t *barrier;
    const struct urlpool_cancel *cancel;
    pthread_t thread;
    enum urlpool_code code;
    struct urlpool_error err;
};

static void *ask(void *user)
{
    struct asker *asker = user;
    const struct urlpool_request_options options = {.cancel = asker->cancel};
    struct urlpool_response *response;

    if (asker->barrier != NULL) {
        (void)pthread_barrier_wait(asker->barrier);
    }
    response = urlpool_request(asker->manager, "GET", url, &options, &asker->err);
    asker->code = response == NULL ? asker->err.code : URLPOOL_OK;
    urlpool_response_free(response);
    return NULL;
}

static void start_asking(struct asker *asker, struct urlpool_manager *manager)
{
    memset(asker, 0, sizeof(*asker));
    asker->manager = manager;
    ck_assert_int_eq(pthread_create(&asker->thread, NULL, ask, asker), 0);
}

static void expect_answer(struct asker *asker)
{
    (void)pthread_join(asker->thread, NULL);
    ck_assert_msg(asker->code == URLPOOL_OK, "%s", asker->err.message);
}

/* await_fds waits until this process has `num` descriptors. */
static void await_fds(unsigned num)
{
    while (loopback_num_fds() != num) {
        (void)sched_yield();
    }
}

/* --- overtaking --- */

/* overtake leaves a half in `manager`: it hangs in connecting to the hole that `url` names, whose
 * one connection, served by `*out_server`, is idle then. */
static void overtake(struct urlpool_manager *manager, struct loopback_hole *hole, int *out_filler,
                     pthread_t *out_server)
{
    struct urlpool_response *held;
    struct asker overtaken;
    unsigned num_fds;

    (void)close(loopback_accept(hole->listener));
    (void)snprintf(url, sizeof(url), "http://127.0.0.2:%u/",
                   (unsigned)loopback_port(hole->listener));
    *out_server = start_serving(&hole->listener);
    held = get(manager, &streamed);
    *out_filler = fill(hole->listener);
    num_fds = loopback_num_fds();
    start_asking(&overtaken, manager);
    await_fds(num_fds + 2); /* what wakes the dial, and its socket */
    urlpool_response_free(held);
    expect_answer(&overtaken);
    ck_assert_uint_eq(test_stats(manager).half_dials, 1);
    ck_assert_uint_eq(loopback_num_fds(), num_fds + 1);
}

START_TEST(dialling__is_overtaken_and_the_next_goes_on_with_its_half)
{
    struct loopback_hole hole = loopback_hole_open("127.0.0.2", 0);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_response *held;
    pthread_t servers[2];
    int filler;

    overtake(manager, &hole, &filler, &servers[0]);
    ck_assert_uint_eq(test_stats(manager).dials_overtaken, 1);
    ck_assert_uint_eq(test_stats(manager).opened, 1);

    (void)close(loopback_accept(hole.listener)); /* room: the kernel comes again by itself */
    servers[1] = start_serving(&hole.listener);
    held = get(manager, &streamed);
    urlpool_response_free(get(manager, NULL));
    ck_assert_uint_eq(test_stats(manager).dials_resumed, 1);
    ck_assert_uint_eq(test_stats(manager).half_dials, 0);
    ck_assert_uint_eq(test_stats(manager).opened, 2);
    ck_assert_uint_eq(test_stats(manager).dial_failures, 0);
    urlpool_response_free(held);

    urlpool_manager_free(manager);
    (void)pthread_join(servers[0], NULL);
    (void)pthread_join(servers[1], NULL);
    (void)close(filler);
    loopback_hole_close(&hole);
}
END_TEST

START_TEST(half__ends_with_its_manager)
{
    unsigned fds_before = loopback_num_fds();
    struct loopback_hole hole = loopback_hole_open("127.0.0.2", 0);
    struct urlpool_manager *manager = test_manager(NULL);
    pthread_t server;
    int filler;

    overtake(manager, &hole, &filler, &server);
    urlpool_manager_free(manager);
    (void)pthread_join(server, NULL);
    (void)close(filler);
    loopback_hole_close(&hole);
    ck_assert_uint_eq(loopback_num_fds(), fds_before);
}
END_TEST

START_TEST(half__is_closed_by_upkeep_when_nobody_wanted_it)
{
    struct loopback_hole hole = loopback_hole_open("127.0.0.2", 0);
    struct urlpool_manager *manager;
    unsigned num_fds;
    pthread_t server;
    int filler;

    urlp_clock_fake_begin(urlp_now_ns());
    manager = test_manager(NULL);
    overtake(manager, &hole, &filler, &server);
    num_fds = loopback_num_fds();
    urlp_clock_fake_advance((int64_t)11 * 1000 * URLP_NS_PER_MS);
    (void)urlpool_manager_maintain(manager);
    ck_assert_uint_eq(test_stats(manager).half_dials, 0);
    ck_assert_uint_eq(test_stats(manager).idle, 1);
    ck_assert_uint_eq(loopback_num_fds(), num_fds - 1);
    urlpool_manager_free(manager);
    urlp_clock_fake_end();
    (void)pthread_join(server, NULL);
    (void)close(filler);
    loopback_hole_close(&hole);
}
END_TEST

/* A name server, a server and a manager that knows it by name. */
static struct dns_server *dns;
static struct test_server *server;

static struct urlpool_manager *manager_with_names(void)
{
    struct urlpool_manager_options options = {.maxsize = 8};

    dns = dns_server_start();
    server = test_server_start(test_answer_hello, NULL, NULL);
    dns_server_add(dns, NAME, DNS_A, 1, "127.0.0.1");
    (void)snprintf(url, sizeof(url), "http://%s:%d/", NAME, test_server_port(server));
    options.network.dns_servers = dns_server_address(dns);
    return test_manager(&options);
}

static void hold_answers(bool holds)
{
    dns_server_behave(dns, NAME, DNS_A, holds ? DNS_HOLDS : DNS_ANSWERS);
    dns_server_behave(dns, NAME, DNS_AAAA, holds ? DNS_HOLDS : DNS_ANSWERS);
}

static void end_names(struct urlpool_manager *manager)
{
    urlpool_manager_free(manager);
    test_server_stop(server);
    dns_server_stop(dns);
}

START_TEST(dialling__that_is_overtaken_in_dns_asks_once)
{
    struct urlpool_manager *manager;
    struct urlpool_response *held[2];
    struct asker overtaken;

    urlp_clock_fake_begin(urlp_now_ns());
    manager = manager_with_names();
    held[0] = get(manager, &streamed);
    urlp_clock_fake_advance((int64_t)2000 * URLP_NS_PER_MS); /* the answer is not fresh any more */
    hold_answers(true);
    for (unsigned round = 0; round < 5; round++) {
        start_asking(&overtaken, manager);
        dns_server_await(dns, NULL, DNS_A, 4);
        while (test_stats(manager).dialling == test_stats(manager).half_dials) {
            (void)sched_yield();
        }
        urlpool_response_free(held[0]);
        expect_answer(&overtaken);
        held[0] = get(manager, &streamed);
    }
    ck_assert_uint_eq(test_stats(manager).dials_overtaken, 5);
    dns_server_release(dns, NAME, DNS_AAAA);
    dns_server_release(dns, NAME, DNS_A);
    held[1] = get(manager, &streamed);
    ck_assert_uint_eq(dns_server_num_queries(dns, NULL, DNS_A), 4);
    ck_assert_uint_eq(test_server_num_connections(server), 2);
    urlpool_response_free(held[0]);
    urlpool_response_free(held[1]);
    end_names(manager);
    urlp_clock_fake_end();
}
END_TEST

/* --- bursts --- */

enum {
    NUM_ASKERS = 16
};

/* burst lets NUM_ASKERS threads ask at once. */
static void burst(struct urlpool_manager *manager)
{
    struct asker askers[NUM_ASKERS];
    pthread_barrier_t barrier;

    pthread_barrier_init(&barrier, NULL, NUM_ASKERS);
    for (int i = 0; i < NUM_ASKERS; i++) {
        askers[i] = (struct asker){.manager = manager, .barrier = &barrier};
        ck_assert_int_eq(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
    }
    for (int i = 0; i < NUM_ASKERS; i++) {
        expect_answer(&askers[i]);
    }
    pthread_barrier_destroy(&barrier);
}

START_TEST(dialling__of_a_burst_is_no_more_than_one_dial_each)
{
    for (int i = 0; i < 5; i++) {
        struct urlpool_manager *manager = manager_with_names();
        struct urlpool_stats stats;

        burst(manager);
        stats = test_stats(manager);
        ck_assert_uint_le(stats.opened + stats.dials_overtaken - stats.dials_resumed, NUM_ASKERS);
        ck_assert_uint_le(test_server_num_connections(server), NUM_ASKERS);
        ck_assert_uint_eq(stats.dialling, stats.half_dials);
        ck_assert_uint_eq(dns_server_num_queries(dns, NULL, DNS_A), 2);
        end_names(manager);
    }
}
END_TEST

START_TEST(dialling__of_a_burst_keeps_to_the_places_there_are)
{
    struct urlpool_manager_options options = {.maxsize = 4, .block = true};
    struct urlpool_manager *manager = test_manager(&options);

    server = test_server_start(test_answer_hello, NULL, NULL);
    (void)test_server_url(server, "/", url, sizeof(url));
    for (int i = 0; i < 5; i++) {
        burst(manager);
    }
    ck_assert_uint_le(test_stats(manager).peak_open, 4);
    ck_assert_uint_le(test_server_peak_connections(server), 4);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

/* --- giving up --- */

START_TEST(giver_up__leaves_no_socket_behind)
{
    struct loopback_hole hole = loopback_hole_open("127.0.0.2", 0);
    struct urlpool_manager *manager = test_manager(NULL);
    const struct urlpool_request_options options = {.timeout = {.total_ms = 30}};
    unsigned fds_before = loopback_num_fds();

    (void)snprintf(url, sizeof(url), "http://127.0.0.2:%u/",
                   (unsigned)loopback_port(hole.listener));
    ck_assert_ptr_null(urlpool_request(manager, "GET", url, &options, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_TOTAL_TIMEOUT);
    ck_assert_uint_eq(loopback_num_fds(), fds_before);
    ck_assert_uint_eq(test_stats(manager).open, 0);
    ck_assert_uint_eq(test_stats(manager).half_dials, 0);
    urlpool_manager_free(manager);
    loopback_hole_close(&hole);
}
END_TEST

START_TEST(giver_up__leaves_no_lookup_behind)
{
    struct urlpool_manager *manager = manager_with_names();
    struct urlpool_cancel *cancel = urlpool_cancel_new(&test_err);
    struct asker asker = {.manager = manager, .cancel = cancel};
    unsigned fds_before = loopback_num_fds();

    hold_answers(true);
    ck_assert_int_eq(pthread_create(&asker.thread, NULL, ask, &asker), 0);
    dns_server_await(dns, NULL, DNS_A, 2);
    urlpool_cancel_now(cancel);
    (void)pthread_join(asker.thread, NULL);
    ck_assert_int_eq(asker.code, URLPOOL_E_CANCELLED);
    ck_assert_uint_eq(loopback_num_fds(), fds_before);
    ck_assert_uint_eq(test_stats(manager).open, 0);
    hold_answers(false);
    urlpool_response_free(get(manager, NULL));
    ck_assert_uint_eq(dns_server_num_queries(dns, NULL, DNS_A), 4); /* asked anew */
    urlpool_cancel_free(cancel);
    end_names(manager);
}
END_TEST

RUN_TESTS("dialling", dialling__is_overtaken_and_the_next_goes_on_with_its_half,
          half__ends_with_its_manager, half__is_closed_by_upkeep_when_nobody_wanted_it,
          dialling__that_is_overtaken_in_dns_asks_once,
          dialling__of_a_burst_is_no_more_than_one_dial_each,
          dialling__of_a_burst_keeps_to_the_places_there_are, giver_up__leaves_no_socket_behind,
          giver_up__leaves_no_lookup_behind)
