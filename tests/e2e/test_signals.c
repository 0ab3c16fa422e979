/* Signals that interrupt every thousandth of a second, SIGALRM without SA_RESTART and SIGCHLD, and
 * SIGPIPE left to kill: whatever is done (support/scenarios.h) comes to the same end, and the
 * process lives. URLPOOL_TEST_SIGNALS is how many signals each operation is done under. */

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support/loopback.h"
#include "support/requests.h"
#include "support/run_tests.h"
#include "support/scenarios.h"

enum {
    NUM_SIGNALS = 6, /* of each kind */
    EACH_NS = 1000000,
    NUM_IN_VAIN = 10,
    UPLOAD_BYTES = 8 << 20
};

static const int numbers[] = {SIGALRM, SIGCHLD};

enum {
    NUM_KINDS = sizeof(numbers) / sizeof(numbers[0])
};

static atomic_uint num_signals[NUM_KINDS];
static timer_t timers[NUM_KINDS];

static void count_signal(int number)
{
    atomic_fetch_add(&num_signals[number == numbers[0] ? 0 : 1], 1);
}

/* hold_signals keeps them from threads that are made meanwhile: the servers' are no subject here.
 */
static void hold_signals(bool hold)
{
    sigset_t set;

    (void)sigemptyset(&set);
    for (int i = 0; i < NUM_KINDS; i++) {
        (void)sigaddset(&set, numbers[i]);
    }
    ck_assert_int_eq(pthread_sigmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL), 0);
}

/* storm_begin interrupts, half a period apart; SIGPIPE kills from now on. */
static void storm_begin(void)
{
    ck_assert(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    for (int i = 0; i < NUM_KINDS; i++) {
        const struct sigaction action = {.sa_handler = count_signal}; /* no SA_RESTART */
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = numbers[i]};
        const struct itimerspec period = {
            {0, EACH_NS          },
            {0, EACH_NS / (i + 1)}
        };

        ck_assert_int_eq(sigaction(numbers[i], &action, NULL), 0);
        ck_assert_int_eq(timer_create(CLOCK_MONOTONIC, &event, &timers[i]), 0);
        ck_assert_int_eq(timer_settime(timers[i], 0, &period, NULL), 0);
    }
}

static void storm_end(void)
{
    for (int i = 0; i < NUM_KINDS; i++) {
        ck_assert_int_eq(timer_delete(timers[i]), 0);
    }
}

static bool has_stormed(void)
{
    const char *asked = getenv("URLPOOL_TEST_SIGNALS");
    const unsigned wanted = asked != NULL ? (unsigned)atoi(asked) : NUM_SIGNALS;

    return num_signals[0] >= wanted && num_signals[1] >= wanted;
}

START_TEST(signals__are_not_noticed_by)
{
    const struct scenario *scenario = &scenarios[_i];
    struct scene scene;
    int num = 0;

    hold_signals(true);
    scene_begin(&scene, scenario);
    hold_signals(false);
    storm_begin();
    while (!has_stormed()) {
        struct urlpool_error err = {0};
        enum urlpool_code code;

        scene_open(&scene);
        code = scenario->act(&scene, &err);
        ck_assert_msg(code == scenario->code, "%s, time %d: %s: %s", scenario->name, num,
                      urlpool_code_name(code), err.message);
        ck_assert_uint_eq(test_stats(scene.manager).leased + test_stats(scene.manager).waiting, 0);
        scene_close(&scene);
        num++;
    }
    storm_end();
    scene_end(&scene);
}
END_TEST

/* answer_reset ends the connection while its client sends. */
static void answer_reset(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)request;
    (void)user;
    test_peer_reset(peer);
}

/* leave_all hears a little of each client, and goes: first its own half of the connection, then,
 * as the rest is not read, the other. Who then sends gets EPIPE. */
static void *leave_all(void *arg)
{
    const int *listener = arg;
    char bytes[4096];
    int fd;

    while ((fd = accept(*listener, NULL, NULL)) >= 0) {
        (void)recv(fd, bytes, sizeof(bytes), 0);
        (void)shutdown(fd, SHUT_WR);
        (void)close(fd);
    }
    return NULL;
}

/* send_in_vain sends a body to where it is not read, again and again. */
static void send_in_vain(struct urlpool_manager *manager, const char *url, bool is_file)
{
    struct urlpool_request_options options = {0};
    char *bytes = calloc(1, UPLOAD_BYTES);
    const int fd = memfd_create("upload", MFD_CLOEXEC);

    ck_assert_ptr_nonnull(bytes);
    ck_assert_int_eq(ftruncate(fd, UPLOAD_BYTES), 0);
    options.body = is_file ? urlpool_body_fd(fd) : urlpool_body_bytes(bytes, UPLOAD_BYTES);
    ck_assert(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    for (int i = 0; i < NUM_IN_VAIN; i++) {
        ck_assert_ptr_null(urlpool_request(manager, "PUT", url, &options, &test_err));
        ck_assert_uint_eq(test_stats(manager).open, 0);
    }
    (void)close(fd);
    free(bytes);
}

START_TEST(sigpipe__kills_nobody_whose_peer_has_gone)
{
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.retries = TEST_ONE_TRY});
    int listener = loopback_listen("127.0.0.1", 0);
    pthread_t thread;
    char url[64];

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", loopback_port(listener));
    ck_assert_int_eq(pthread_create(&thread, NULL, leave_all, &listener), 0);
    send_in_vain(manager, url, _i != 0);
    urlpool_manager_free(manager);
    (void)shutdown(listener, SHUT_RDWR);
    (void)pthread_join(thread, NULL);
    (void)close(listener);
}
END_TEST

START_TEST(sigpipe__kills_nobody_whose_peer_over_tls_has_gone)
{
    struct https_scene https = https_scene_begin(test_answer_hello, NULL, NULL);
    const struct test_server_options server_options = {.tls = https.context, .leave_body = true};
    struct test_server *server = test_server_start(answer_reset, NULL, &server_options);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.tls = https.tls, .retries = TEST_ONE_TRY});
    char url[64];

    send_in_vain(manager, test_server_url(server, "/", url, sizeof(url)), _i != 0);
    urlpool_manager_free(manager);
    test_server_stop(server);
    https_scene_end(&https);
}
END_TEST

int main(void)
{
    const struct test_loop loops[] = {
        {signals__are_not_noticed_by,                        (size_t)num_scenarios},
        {sigpipe__kills_nobody_whose_peer_has_gone,          2                    },
        {sigpipe__kills_nobody_whose_peer_over_tls_has_gone, 2                    },
    };

    return run_loops("signals", loops, sizeof(loops) / sizeof(loops[0]));
}
