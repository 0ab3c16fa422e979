/* Out of descriptors anywhere on the way to a connection, in a child whose limit is set so that so
 * many are left: an answer or a clear failure, and nothing left behind. The name server and the
 * servers live in the parent, which has enough. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/dns_server.h"
#include "support/loopback.h"
#include "support/requests.h"
#include "support/run_tests.h"

#define NAME "www.example"

/* REQUIRE ends the child when the condition is not so. */
#define REQUIRE(condition)                                                        \
    do {                                                                          \
        if (!(condition)) {                                                       \
            fprintf(stderr, "in the child, line %d: %s\n", __LINE__, #condition); \
            _exit(1);                                                             \
        }                                                                         \
    } while (0)

static struct dns_server *dns;
static struct test_server *server;
static struct loopback_hole hole;
static char url[64];

/* begin makes a name of three addresses: at one nobody answers, one refuses, one serves. */
static void begin(void)
{
    uint16_t port;

    dns = dns_server_start();
    server = test_server_start(test_answer_hello, NULL, NULL);
    while (!loopback_is_free("127.0.0.2", port = (uint16_t)test_server_port(server))) {
        test_server_stop(server);
        server = test_server_start(test_answer_hello, NULL, NULL);
    }
    hole = loopback_hole_open("127.0.0.2", port);
    dns_server_add(dns, NAME, DNS_A, 60, "127.0.0.2");
    dns_server_add(dns, NAME, DNS_A, 60, "127.0.0.3");
    dns_server_add(dns, NAME, DNS_A, 60, "127.0.0.1");
    (void)snprintf(url, sizeof(url), "http://%s:%u/", NAME, (unsigned)port);
}

static void end(void)
{
    test_server_stop(server);
    dns_server_stop(dns);
    loopback_hole_close(&hole);
}

/* allow_more lets this process open `num` descriptors more; < 0: as many as it likes. */
static void allow_more(int num)
{
    struct rlimit limit;
    int fd = 0;

    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (num < 0) {
        return;
    }
    for (int num_free = 0; num_free < num; fd++) {
        num_free += fcntl(fd, F_GETFD) < 0;
    }
    while (fcntl(fd, F_GETFD) >= 0) {
        fd++;
    }
    limit.rlim_cur = (rlim_t)fd;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static struct urlpool_manager *make_manager(void)
{
    struct urlpool_manager_options options = {
        .maxsize = 8, .dial_pause_max_ms = URLPOOL_NONE, .retries = TEST_ONE_TRY};
    struct urlpool_error err;
    struct urlpool_manager *manager;

    options.network.dns_servers = dns_server_address(dns);
    options.timeout.connect_ms = 1000;
    manager = urlpool_manager_new(&options, &err);
    REQUIRE(manager != NULL);
    return manager;
}

/* get returns whether there was an answer; else there was no descriptor, or what had one, the
 * address where nobody answers, kept it until the time was up. */
static bool get(struct urlpool_manager *manager, struct urlpool_error *out_err)
{
    struct urlpool_response *response = urlpool_request(manager, "GET", url, NULL, out_err);

    if (response == NULL) {
        REQUIRE(out_err->code == URLPOOL_E_SYSTEM || out_err->code == URLPOOL_E_CONNECT_TIMEOUT);
        REQUIRE(out_err->code != URLPOOL_E_SYSTEM || out_err->os_errno == EMFILE);
    }
    urlpool_response_free(response);
    return response != NULL;
}

/* try_with_few asks with 0, 1, 2 … descriptors left, until there are enough. */
static void try_with_few(void)
{
    const unsigned num_fds = loopback_num_fds();
    unsigned num_in_dns = 0;
    unsigned num_in_race = 0;
    bool is_enough = false;

    for (int num = 0; !is_enough; num++) {
        struct urlpool_manager *manager = make_manager();
        struct urlpool_error err;

        allow_more(num);
        is_enough = get(manager, &err);
        REQUIRE(is_enough || err.os_errno == EMFILE);
        REQUIRE(is_enough || strstr(err.message, strerror(EMFILE)) != NULL);
        num_in_dns += !is_enough && err.phase == URLPOOL_PHASE_RESOLVE;
        num_in_race += !is_enough && err.code == URLPOOL_E_CONNECT_TIMEOUT;
        allow_more(-1);
        REQUIRE(loopback_num_fds() == num_fds + is_enough);
        REQUIRE(get(manager, &err)); /* nothing is worse than before */
        urlpool_manager_free(manager);
        REQUIRE(loopback_num_fds() == num_fds);
        REQUIRE(num < 20);
    }
    REQUIRE(num_in_dns > 0);
    REQUIRE(num_in_race > 0);
    _exit(0);
}

/* in_child runs `what` in a child, to its good end. */
static void in_child(void (*what)(void))
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        what();
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

START_TEST(shortage__at_each_step_of_a_dial_leaves_nothing_behind)
{
    begin();
    in_child(try_with_few);
    end();
}
END_TEST

/* --- under load --- */

enum {
    NUM_THREADS = 8,
    NUM_REQUESTS = 8
};

static struct urlpool_manager *shared;
static _Atomic unsigned num_answers;
static _Atomic unsigned num_failures;

static void *ask_often(void *unused)
{
    struct urlpool_error err;

    (void)unused;
    for (int i = 0; i < NUM_REQUESTS; i++) {
        if (get(shared, &err)) {
            num_answers++;
        } else {
            num_failures++;
        }
    }
    return NULL;
}

static void ask_together(void)
{
    pthread_t threads[NUM_THREADS];

    for (int i = 0; i < NUM_THREADS; i++) {
        REQUIRE(pthread_create(&threads[i], NULL, ask_often, NULL) == 0);
    }
    for (int i = 0; i < NUM_THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
}

/* load_with_few has many threads ask while there are descriptors for some of them only. */
static void load_with_few(void)
{
    const unsigned num_fds = loopback_num_fds();
    struct urlpool_error err;
    struct urlpool_stats stats;

    for (int num = 1; num <= 13; num += 4) {
        shared = make_manager();
        allow_more(num);
        ask_together();
        allow_more(-1);
        REQUIRE(get(shared, &err));
        urlpool_manager_stats(shared, &stats, sizeof(stats));
        REQUIRE(stats.leased == 0 && stats.waiting == 0 && stats.dialling == stats.half_dials);
        urlpool_manager_free(shared);
        REQUIRE(loopback_num_fds() == num_fds);
    }
    REQUIRE(num_answers > 0 && num_failures > 0);
    _exit(0);
}

START_TEST(shortage__under_load_leaves_nothing_behind)
{
    begin();
    in_child(load_with_few);
    end();
}
END_TEST

RUN_TESTS("shortage", shortage__at_each_step_of_a_dial_leaves_nothing_behind,
          shortage__under_load_leaves_nothing_behind)
