/* A process that forks: the child works on its own, and leaves what is its parent's alone. */

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/dns_server.h"
#include "support/https_scene.h"
#include "support/loopback.h"
#include "support/requests.h"
#include "support/run_tests.h"
#include "support/sanitizers.h"

enum {
    CHILD_SECONDS = 10,
    BIG_BODY_BYTES = 48 * 1024,
    HEAD_BYTES = 1024,
    NUM_THREADS = 4,
    URL_BYTES = 128
};

#define NUM_FORKS (IS_SANITIZED ? 0 : 40)

/* begin_child forks; in the child, which must not hang, it returns 0. */
static pid_t begin_child(void)
{
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        (void)signal(SIGALRM, SIG_DFL);
        (void)alarm(CHILD_SECONDS);
    }
    return child;
}

/* end_child waits for it; the test fails unless it has left with 0. */
static void end_child(pid_t child)
{
    int status = 0;

    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with 0x%x",
                  (unsigned)status);
}

/* fetches says whether a GET of `url` is answered with 200. */
static bool fetches(struct urlpool_manager *manager, const char *url)
{
    const struct urlpool_request_options options = {.timeout = {.total_ms = 3000}};
    struct urlpool_error err;
    struct urlpool_response *response = urlpool_request(manager, "GET", url, &options, &err);
    bool is_good = response != NULL && response->status == 200;

    if (!is_good) {
        (void)fprintf(stderr, "%s: %s\n", urlpool_code_name(err.code), err.message);
    }
    urlpool_response_free(response);
    return is_good;
}

static const char *long_body(void)
{
    static char body[BIG_BODY_BYTES + 1];

    for (size_t i = 0; i < BIG_BODY_BYTES; i++) {
        body[i] = (char)('a' + i % 26);
    }
    return body;
}

static void answer_long(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)request;
    (void)user;
    test_peer_reply(peer, 200, NULL, long_body());
}

/* read_beginning reads so little of a streamed body that most is still in the socket. */
static struct urlpool_response *read_beginning(struct urlpool_manager *manager,
                                               const struct test_server *server, char *out)
{
    const struct urlpool_request_options options = {.stream = true};
    struct urlpool_response *response = test_fetch(manager, "GET", server, "/", &options);
    size_t len = 0;

    ck_assert_int_eq(urlpool_response_read_exact(response, out, HEAD_BYTES, &len, &test_err),
                     URLPOOL_OK);
    return response;
}

static void read_rest_and_compare(struct urlpool_response *response, char *body)
{
    size_t len = 0;
    enum urlpool_code code = urlpool_response_read_exact(
        response, body + HEAD_BYTES, BIG_BODY_BYTES - HEAD_BYTES, &len, &test_err);

    ck_assert_msg(code == URLPOOL_OK, "%s", test_err.message);
    ck_assert_uint_eq(len, BIG_BODY_BYTES - HEAD_BYTES);
    ck_assert_int_eq(memcmp(body, long_body(), BIG_BODY_BYTES), 0);
}

START_TEST(fork__child_opens_connections_of_its_own)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    char url[URL_BYTES];
    pid_t child;

    test_server_url(server, "/", url, sizeof(url));
    test_get(manager, server);
    child = begin_child();
    if (child == 0) {
        bool is_good = fetches(manager, url) && fetches(manager, url);

        urlpool_manager_free(manager);
        _exit(is_good ? 0 : 1);
    }
    end_child(child);
    test_get(manager, server);
    ck_assert_uint_eq(test_server_num_connections(server), 2);
    ck_assert_uint_eq(test_stats(manager).reused, 1);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

/* A child cleans up: none of it may take bytes, or send any, on a connection of the parent's. */
START_TEST(fork__child_frees_the_parents_response_and_the_parent_reads_all)
{
    for (int has_tls = 0; has_tls < 2; has_tls++) {
        struct https_scene scene = https_scene_begin(answer_long, NULL, NULL);
        struct test_server *plain = test_server_start(answer_long, NULL, NULL);
        struct urlpool_manager *manager =
            test_manager(&(struct urlpool_manager_options){.tls = scene.tls});
        char body[BIG_BODY_BYTES];
        struct urlpool_response *response =
            read_beginning(manager, has_tls != 0 ? scene.server : plain, body);
        pid_t child = begin_child();

        if (child == 0) {
            urlpool_response_free(response);
            urlpool_manager_free(manager);
            _exit(0);
        }
        end_child(child);
        read_rest_and_compare(response, body);
        urlpool_response_free(response);
        urlpool_manager_free(manager);
        test_server_stop(plain);
        https_scene_end(&scene);
    }
}
END_TEST

START_TEST(fork__child_cannot_read_the_parents_response)
{
    struct test_server *server = test_server_start(answer_long, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    char body[BIG_BODY_BYTES];
    struct urlpool_response *response = read_beginning(manager, server, body);
    pid_t child = begin_child();

    if (child == 0) {
        size_t len = 0;
        enum urlpool_code code = urlpool_response_read_exact(
            response, body + HEAD_BYTES, BIG_BODY_BYTES - HEAD_BYTES, &len, &test_err);

        _exit(code == URLPOOL_E_FORKED && test_err.phase == URLPOOL_PHASE_BODY ? 0 : 1);
    }
    end_child(child);
    read_rest_and_compare(response, body);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

/* The lower floor: the child's request goes over a connection of its own. */
START_TEST(fork__child_leaves_a_connection_of_the_lower_floor_alone)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    const struct urlpool_connection_options options = {.https = true, .tls = scene.tls};
    struct urlpool_connection *connection =
        urlpool_connection_new("127.0.0.1", test_server_port(scene.server), &options, &test_err);
    struct urlpool_response *response;

    for (int i = 0; i < 3; i++) {
        pid_t child = i == 1 ? begin_child() : -1;
        bool is_good;

        is_good = urlpool_connection_request(connection, "GET", "/", NULL, NULL, &test_err) ==
                      URLPOOL_OK &&
                  (response = urlpool_connection_getresponse(connection, &test_err)) != NULL &&
                  urlpool_response_read_all(response, &test_err) == URLPOOL_OK;
        if (is_good) {
            urlpool_response_free(response);
        }
        if (child == 0) {
            urlpool_connection_free(connection);
            _exit(is_good ? 0 : 1);
        }
        ck_assert_msg(is_good, "%s", test_err.message);
        if (child > 0) {
            end_child(child);
        }
    }
    ck_assert_uint_eq(test_server_num_connections(scene.server), 2);
    urlpool_connection_free(connection);
    https_scene_end(&scene);
}
END_TEST

struct waiting {
    struct urlpool_manager *manager;
    char url[URL_BYTES];
    bool is_good;
};

static void *fetch_in_thread(void *user)
{
    struct waiting *waiting = user;

    waiting->is_good = fetches(waiting->manager, waiting->url);
    return NULL;
}

/* The thread that drives the parent's lookup is not there in the child: who followed it would wait
 * for ever. */
START_TEST(fork__child_asks_for_a_name_that_the_parent_is_asking_for)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct dns_server *dns = dns_server_start();
    struct waiting waiting = {.is_good = false};
    const struct urlpool_manager_options options = {.network.dns_servers = dns_server_address(dns)};
    pthread_t thread;
    pid_t child;

    dns_server_add(dns, "www.test", DNS_A, 60, "127.0.0.1");
    dns_server_behave(dns, "www.test", DNS_A, DNS_HOLDS);
    dns_server_behave(dns, "www.test", DNS_AAAA, DNS_HOLDS);
    waiting.manager = test_manager(&options);
    (void)snprintf(waiting.url, sizeof(waiting.url), "http://www.test:%d/",
                   test_server_port(server));
    ck_assert_int_eq(pthread_create(&thread, NULL, fetch_in_thread, &waiting), 0);
    dns_server_await(dns, "www.test", DNS_A, 1);
    dns_server_await(dns, "www.test", DNS_AAAA, 1);
    dns_server_behave(dns, "www.test", DNS_A, DNS_ANSWERS);
    dns_server_behave(dns, "www.test", DNS_AAAA, DNS_ANSWERS);
    child = begin_child();
    if (child == 0) {
        bool is_good = fetches(waiting.manager, waiting.url);

        _exit(is_good ? 0 : 1);
    }
    end_child(child);
    dns_server_release(dns, "www.test", DNS_A);
    dns_server_release(dns, "www.test", DNS_AAAA);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert(waiting.is_good);
    urlpool_manager_free(waiting.manager);
    dns_server_stop(dns);
    test_server_stop(server);
}
END_TEST

struct busy {
    struct urlpool_manager *manager;
    char urls[2][URL_BYTES];
    atomic_bool is_over;
    atomic_uint num_failed;
};

static void *keep_busy(void *user)
{
    struct busy *busy = user;
    unsigned i = 0;

    while (!atomic_load(&busy->is_over)) {
        if (!fetches(busy->manager, busy->urls[i++ % 2])) {
            atomic_fetch_add(&busy->num_failed, 1);
        }
        if (i % 4 == 0) {
            (void)urlpool_manager_close_idle(busy->manager);
        }
    }
    return NULL;
}

/* Whatever lock a thread of the parent holds at the fork, the child gets along. */
START_TEST(fork__child_works_whatever_the_parents_threads_did)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct test_server *plain = test_server_start(test_answer_hello, NULL, NULL);
    struct busy busy = {.num_failed = 0};
    pthread_t threads[NUM_THREADS];

    busy.manager = test_manager(&(struct urlpool_manager_options){.tls = scene.tls});
    test_server_url(plain, "/", busy.urls[0], URL_BYTES);
    test_server_url(scene.server, "/", busy.urls[1], URL_BYTES);
    for (int i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, keep_busy, &busy), 0);
    }
    for (int i = 0; i < NUM_FORKS; i++) {
        pid_t child = begin_child();

        if (child == 0) {
            bool is_good =
                fetches(busy.manager, busy.urls[0]) && fetches(busy.manager, busy.urls[1]);

            urlpool_manager_free(busy.manager);
            _exit(is_good ? 0 : 1);
        }
        end_child(child);
    }
    atomic_store(&busy.is_over, true);
    for (int i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    }
    ck_assert_uint_eq(atomic_load(&busy.num_failed), 0);
    urlpool_manager_free(busy.manager);
    test_server_stop(plain);
    https_scene_end(&scene);
}
END_TEST

struct stuck {
    struct urlpool_manager *manager;
    struct urlpool_cancel *cancel;
    char url[URL_BYTES];
};

static void *get_stuck(void *arg)
{
    struct stuck *stuck = arg;
    const struct urlpool_request_options options = {.cancel = stuck->cancel};
    struct urlpool_error err;

    ck_assert_ptr_null(urlpool_request(stuck->manager, "GET", stuck->url, &options, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_CANCELLED);
    return NULL;
}

START_TEST(fork__child_has_no_descriptor_of_threads_that_dial_or_wait)
{
    struct loopback_hole hole = loopback_hole_open("127.0.0.1", 0);
    struct stuck stuck = {
        .manager = test_manager(&(struct urlpool_manager_options){.maxsize = 2, .block = true})};
    struct urlpool_stats stats = {0};
    pthread_t threads[NUM_THREADS];
    unsigned num_fds;
    pid_t child;

    stuck.cancel = urlpool_cancel_new(NULL);
    (void)snprintf(stuck.url, sizeof(stuck.url), "http://127.0.0.1:%d/",
                   loopback_port(hole.listener));
    num_fds = loopback_num_fds();
    for (int i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, get_stuck, &stuck), 0);
    }
    while (stats.waiting != NUM_THREADS - 2 || loopback_num_fds() != num_fds + NUM_THREADS + 2) {
        stats = test_stats(stuck.manager);
    }
    child = begin_child();
    if (child == 0) {
        _exit(loopback_num_fds() == num_fds ? 0 : 1);
    }
    end_child(child);
    urlpool_cancel_now(stuck.cancel);
    for (int i = 0; i < NUM_THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    urlpool_manager_free(stuck.manager);
    urlpool_cancel_free(stuck.cancel);
    ck_assert_uint_eq(loopback_num_fds(), num_fds - 1);
    loopback_hole_close(&hole);
}
END_TEST

RUN_TESTS("forking", fork__child_has_no_descriptor_of_threads_that_dial_or_wait,
          fork__child_opens_connections_of_its_own,
          fork__child_frees_the_parents_response_and_the_parent_reads_all,
          fork__child_cannot_read_the_parents_response,
          fork__child_leaves_a_connection_of_the_lower_floor_alone,
          fork__child_asks_for_a_name_that_the_parent_is_asking_for,
          fork__child_works_whatever_the_parents_threads_did)
