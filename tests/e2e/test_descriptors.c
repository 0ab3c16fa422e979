/* A process that may have sixty-four descriptors, and takes them all: the next request fails with
 * EMFILE and nothing else does, and there is service again as soon as there are descriptors. And
 * one whose descriptors all lie above a thousand, where select() ends: whatever is done
 * (support/scenarios.h) comes to the same end. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/dns_server.h"
#include "support/https_scene.h"
#include "support/loopback.h"
#include "support/requests.h"
#include "support/run_tests.h"
#include "support/scenarios.h"

enum {
    FD_LIMIT = 64,
    LEAST_HELD = 20, /* streams, of those */
    HIGH_FD = 1100,
    NUM_ROUNDS = 3,
    URL_BYTES = 128
};

/* REQUIRE ends the child when the condition is not so. */
#define REQUIRE(condition, detail)                                                            \
    do {                                                                                      \
        if (!(condition)) {                                                                   \
            fprintf(stderr, "in the child, line %d: %s: %s\n", __LINE__, #condition, detail); \
            _exit(1);                                                                         \
        }                                                                                     \
    } while (0)

static void limit_descriptors(rlim_t limit)
{
    struct rlimit bound;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &bound), 0);
    bound.rlim_cur = limit;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &bound), 0);
}

/* open_stream has a response whose body is not read. */
static struct urlpool_response *open_stream(struct urlpool_manager *manager, const char *url,
                                            struct urlpool_error *err)
{
    const struct urlpool_request_options options = {.stream = true, .timeout = {.total_ms = 20000}};

    return urlpool_request(manager, "GET", url, &options, err);
}

/* hold_all holds streams until there is no descriptor left; returns how many. */
static size_t hold_all(struct urlpool_manager *manager, const char *url,
                       struct urlpool_response *held[FD_LIMIT])
{
    struct urlpool_error err = {0};
    size_t num = 0;

    while ((held[num] = open_stream(manager, url, &err)) != NULL) {
        REQUIRE(++num < FD_LIMIT, "no end");
    }
    REQUIRE(err.code == URLPOOL_E_SYSTEM && err.os_errno == EMFILE, err.message);
    REQUIRE(err.phase == URLPOOL_PHASE_CONNECT || err.phase == URLPOOL_PHASE_RESOLVE ||
                err.phase == URLPOOL_PHASE_TLS,
            urlpool_phase_name(err.phase));
    REQUIRE(!err.maybe_processed && num >= LEAST_HELD, err.message);
    return num;
}

/* be_short does so three times over: then the first stream ends and another begins in its place,
 * and all are read to their ends. */
static void be_short(struct urlpool_manager *manager, const char *url)
{
    struct urlpool_response *held[FD_LIMIT];
    struct urlpool_error err = {0};

    limit_descriptors(FD_LIMIT);
    for (int round = 0; round < NUM_ROUNDS; round++) {
        size_t num = hold_all(manager, url, held);

        urlpool_response_free(held[0]);
        held[0] = open_stream(manager, url, &err);
        REQUIRE(held[0] != NULL, err.message);
        for (size_t i = 0; i < num; i++) {
            REQUIRE(urlpool_response_read_all(held[i], &err) == URLPOOL_OK, err.message);
            REQUIRE(strcmp((const char *)held[i]->data, "hello") == 0, "another body");
            urlpool_response_free(held[i]);
        }
    }
}

/* struct errand is what the child is told: whom to ask, and where names are known. */
struct errand {
    char url[URL_BYTES];
    char dns[URL_BYTES];
};

/* run_child makes its requests when it has heard of its errand. */
static void run_child(int heard_from)
{
    const struct urlpool_tls_options anybody = {.insecure_no_verify = true};
    struct urlpool_manager_options options = {.maxsize = FD_LIMIT,
                                              .dial_pause_max_ms = URLPOOL_NONE};
    struct urlpool_tls *tls = urlpool_tls_new(&anybody, NULL);
    struct urlpool_manager *manager;
    struct errand errand;
    unsigned num_fds;

    REQUIRE(read(heard_from, &errand, sizeof(errand)) == (ssize_t)sizeof(errand), "no errand");
    options.tls = tls;
    options.network.dns_servers = errand.dns;
    manager = urlpool_manager_new(&options, NULL);
    REQUIRE(manager != NULL, "no manager");
    num_fds = loopback_num_fds();
    be_short(manager, errand.url);
    urlpool_manager_free(manager);
    urlpool_tls_unref(tls);
    REQUIRE(loopback_num_fds() == num_fds, "descriptors are left");
    _exit(0);
}

/* One of three: by address, by name, over TLS. The child is made while there is no other thread,
 * whose locks it would have for ever, and has none of the parent's peers. */
START_TEST(descriptors__that_run_out_end_one_request_and_no_other)
{
    struct https_scene https;
    struct test_server *plain;
    struct dns_server *dns;
    struct errand errand = {{0}, {0}};
    int told[2];
    int status = -1;
    pid_t child;

    ck_assert_int_eq(pipe(told), 0);
    child = fork();
    if (child == 0) {
        run_child(told[0]);
    }
    https = https_scene_begin(test_answer_hello, NULL, NULL);
    plain = test_server_start(test_answer_hello, NULL, NULL);
    dns = dns_server_start();
    dns_server_add(dns, "www.test", DNS_A, 60, "127.0.0.1");
    (void)snprintf(errand.dns, sizeof(errand.dns), "%s", dns_server_address(dns));
    (void)test_server_url(_i == 2 ? https.server : plain, "/", errand.url, sizeof(errand.url));
    if (_i == 1) {
        (void)snprintf(errand.url, sizeof(errand.url), "http://www.test:%d/",
                       test_server_port(plain));
    }
    ck_assert_int_eq(write(told[1], &errand, sizeof(errand)), (ssize_t)sizeof(errand));
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    (void)close(told[0]);
    (void)close(told[1]);
    dns_server_stop(dns);
    test_server_stop(plain);
    https_scene_end(&https);
}
END_TEST

/* go_high leaves this process no descriptor below HIGH_FD to open. */
static void go_high(void)
{
    struct rlimit bound;
    int low = open("/dev/null", O_RDONLY | O_CLOEXEC);

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &bound), 0);
    ck_assert_uint_gt(bound.rlim_max, HIGH_FD + 200);
    limit_descriptors(HIGH_FD + 200);
    while (low >= 0 && low < HIGH_FD) {
        low = fcntl(low, F_DUPFD_CLOEXEC, 0);
    }
    ck_assert_int_eq(low, HIGH_FD);
}

START_TEST(descriptors__above_a_thousand_serve_as_well_in)
{
    const struct scenario *scenario = &scenarios[_i];
    struct scene scene;
    unsigned num_fds;

    go_high();
    scene_begin(&scene, scenario);
    num_fds = loopback_num_fds();
    for (int i = 0; i < 2; i++) {
        struct urlpool_error err = {0};
        enum urlpool_code code;

        scene_open(&scene);
        code = scenario->act(&scene, &err);
        ck_assert_msg(code == scenario->code, "%s: %s: %s", scenario->name, urlpool_code_name(code),
                      err.message);
        scene_close(&scene);
    }
    ck_assert_uint_ge(num_fds, HIGH_FD);
    scene_end(&scene);
}
END_TEST

int main(void)
{
    const struct test_loop loops[] = {
        {descriptors__that_run_out_end_one_request_and_no_other, 3                    },
        {descriptors__above_a_thousand_serve_as_well_in,         (size_t)num_scenarios},
    };

    return run_loops("descriptors", loops, sizeof(loops) / sizeof(loops[0]));
}
