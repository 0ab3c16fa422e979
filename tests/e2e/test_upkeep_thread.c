/* The thread of upkeep: that it is there when asked for and only then, what it does by itself, and
 * how it ends. */

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/failing_allocator.h"
#include "support/https_scene.h"
#include "support/loopback.h"
#include "support/requests.h"
#include "support/run_tests.h"

#define THREAD_NAME "urlpool-upkeep\n"

/* read_file reads what fits of a file of /proc; "" when it is gone. */
static void read_file(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "re");
    size_t len = file != NULL ? fread(out, 1, size - 1, file) : 0;

    out[len] = '\0';
    if (file != NULL) {
        fclose(file);
    }
}

/* find_threads counts the threads of upkeep; `out_id` is one of them. */
static int find_threads(int *out_id)
{
    DIR *tasks = opendir("/proc/self/task");
    const struct dirent *entry;
    int num = 0;

    ck_assert_ptr_nonnull(tasks);
    while ((entry = readdir(tasks)) != NULL) {
        char path[300];
        char name[32];

        (void)snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
        read_file(path, name, sizeof(name));
        if (strcmp(name, THREAD_NAME) == 0) {
            *out_id = atoi(entry->d_name);
            num++;
        }
    }
    closedir(tasks);
    return num;
}

static int num_threads(void)
{
    int id;

    return find_threads(&id);
}

/* await waits until `is_so` says so of the manager's figures; the test fails after 60 s. */
#define AWAIT(manager, condition)                                                            \
    do {                                                                                     \
        int64_t by_ns = urlp_now_ns() + INT64_C(60000000000);                                \
        struct urlpool_stats now;                                                            \
        while (now = test_stats(manager), !(condition)) {                                    \
            ck_assert_msg(urlp_now_ns() < by_ns, "in 60 s it is not true that " #condition); \
            sched_yield();                                                                   \
        }                                                                                    \
    } while (0)

static void await_no_thread(void)
{
    while (num_threads() > 0) {
        sched_yield();
    }
}

static void answer_and_close(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)request;
    (void)user;
    test_peer_reply(peer, 200, NULL, "hello");
    test_peer_close(peer);
}

START_TEST(thread__is_there_only_when_asked_for_and_one_a_manager)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *without = test_manager(NULL);
    struct urlpool_manager *with = NULL;

    test_get(without, server);
    (void)urlpool_manager_maintain(without);
    ck_assert_int_eq(num_threads(), 0);
    with = test_manager(&(struct urlpool_manager_options){.upkeep_thread = true});
    test_get(with, server);
    test_get(with, server);
    ck_assert_int_eq(num_threads(), 1);
    urlpool_manager_free(with);
    await_no_thread(); /* joined; the kernel may take a moment to strike it off */
    urlpool_manager_free(without);
    test_server_stop(server);
}
END_TEST

START_TEST(thread__closes_at_once_what_the_server_has_closed)
{
    struct test_server *server = test_server_start(answer_and_close, NULL, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.upkeep_thread = true});
    struct urlpool_stats stats;

    for (unsigned i = 1; i <= 20; i++) {
        test_get(manager, server);
        AWAIT(manager, now.open == 0); /* whether it closed before it came home or after */
        stats = test_stats(manager);
        ck_assert_uint_eq(stats.closed[URLPOOL_CLOSED_BY_PEER], i);
    }
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(thread__closes_at_once_what_a_tls_server_has_closed)
{
    struct https_scene scene = https_scene_begin(answer_and_close, NULL, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.tls = scene.tls, .upkeep_thread = true});

    test_get(manager, scene.server);
    AWAIT(manager, now.open == 0);
    ck_assert_uint_eq(test_stats(manager).closed[URLPOOL_CLOSED_BY_PEER], 1);
    urlpool_manager_free(manager);
    https_scene_end(&scene);
}
END_TEST

static long num_switches(int id)
{
    char path[64];
    char text[4096];
    const char *line;
    long voluntary = -1;

    (void)snprintf(path, sizeof(path), "/proc/self/task/%d/status", id);
    read_file(path, text, sizeof(text));
    line = strstr(text, "\nvoluntary_ctxt_switches:");
    ck_assert_ptr_nonnull(line);
    ck_assert_int_eq(sscanf(line, "\nvoluntary_ctxt_switches: %ld", &voluntary), 1);
    return voluntary;
}

/* On one processor the woken thread mostly comes to run once the connection is in use again, and
 * then knows of nothing that is due soon. */
START_TEST(thread__is_not_woken_each_time_a_connection_comes_back)
{
    struct https_scene scene;
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
    scene = https_scene_begin(test_answer_hello, NULL, NULL);
    for (int round = 0; round < 10; round++) {
        struct urlpool_manager *manager = test_manager(
            &(struct urlpool_manager_options){.tls = scene.tls, .upkeep_thread = true});
        int id = 0;

        for (int i = 0; i < 50; i++) {
            test_get(manager, scene.server);
        }
        ck_assert_int_eq(find_threads(&id), 1);
        ck_assert_int_lt(num_switches(id), 20);
        urlpool_manager_free(manager);
        await_no_thread();
    }
    https_scene_end(&scene);
}
END_TEST

START_TEST(thread__sleeps_beside_an_idle_tls_connection_with_tickets_unread)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.tls = scene.tls, .upkeep_thread = true});
    long before;
    int id = 0;

    for (int i = 0; i < 100; i++) {
        test_get(manager, scene.server);
    }
    ck_assert_int_eq(find_threads(&id), 1);
    before = num_switches(id);
    ck_assert_int_lt(before, 20); /* it does not wake for answers either */
    (void)usleep(50000);
    ck_assert_int_le(num_switches(id), before + 5); /* it may not have come to rest before */
    ck_assert_uint_eq(test_stats(manager).idle, 1);
    urlpool_manager_free(manager);
    https_scene_end(&scene);
}
END_TEST

START_TEST(thread__closes_what_has_been_idle_for_long_enough)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.upkeep_thread = true, .idle_ms = 30});
    int64_t began_ns = urlp_now_ns();

    test_get(manager, server);
    AWAIT(manager, now.open == 0);
    ck_assert_int_ge(urlp_now_ns() - began_ns, 30 * URLP_NS_PER_MS);
    ck_assert_uint_eq(test_stats(manager).closed[URLPOOL_CLOSED_IDLE], 1);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(thread__keeps_min_idle_connections_open)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.upkeep_thread = true, .min_idle = 3});

    test_get(manager, server);
    AWAIT(manager, now.idle >= 3 && now.dialling == 0);
    ck_assert_uint_ge(urlpool_manager_close_idle(manager), 3);
    AWAIT(manager, now.idle == 3 && now.dialling == 0);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(maintain__keeps_min_idle_connections_open_without_a_thread)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.min_idle = 3});

    test_get(manager, server);
    ck_assert_uint_eq(test_stats(manager).idle, 1);
    ck_assert_uint_eq(urlpool_manager_maintain(manager), 0);
    ck_assert_uint_eq(test_stats(manager).idle, 3);
    ck_assert_uint_eq(test_stats(manager).opened, 3);
    ck_assert_int_eq(num_threads(), 0);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(min_idle__is_none_unless_it_is_a_count)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    static const int32_t none[] = {0, URLPOOL_NONE};

    for (size_t i = 0; i < 2; i++) {
        struct urlpool_manager *manager =
            test_manager(&(struct urlpool_manager_options){.min_idle = none[i]});

        test_get(manager, server);
        (void)urlpool_manager_maintain(manager);
        ck_assert_uint_eq(test_stats(manager).opened, 1);
        urlpool_manager_free(manager);
    }
    ck_assert_ptr_null(urlpool_manager_new(
        &(struct urlpool_manager_options){.min_idle = URLPOOL_NO_TIMEOUT}, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
    ck_assert_ptr_nonnull(strstr(test_err.message, "min_idle"));
    test_server_stop(server);
}
END_TEST

START_TEST(thread__that_cannot_be_had_is_an_error)
{
    const struct urlpool_manager_options options = {.upkeep_thread = true};

    loopback_allow_fds(false);
    ck_assert_ptr_null(urlpool_manager_new(&options, &test_err));
    loopback_allow_fds(true);
    ck_assert_int_eq(test_err.code, URLPOOL_E_SYSTEM);
    ck_assert_ptr_nonnull(strstr(test_err.message, "epoll, eventfd or timerfd: "));
    failing_allocator_install();
    for (uint64_t nth = 1;; nth++) {
        struct urlpool_manager *manager;

        failing_allocator_fail_nth(nth);
        manager = urlpool_manager_new(&options, &test_err);
        if (!failing_allocator_has_failed()) {
            urlpool_manager_free(manager);
            break;
        }
        failing_allocator_fail_nth(0);
        ck_assert_ptr_null(manager);
        ck_assert_int_eq(test_err.code, URLPOOL_E_NOMEM);
        ck_assert_int_eq(failing_allocator_num_live(), 0);
    }
    ck_assert_int_eq(num_threads(), 0);
}
END_TEST

/* What a trace sink needs that ends its manager. */
struct ending {
    _Atomic(struct urlpool_manager *) manager;
    _Atomic int num_ended;
    bool closes_first;
};

/* end_at_connect ends the manager in the thread of upkeep, in the middle of a dial. */
static void end_at_connect(void *user, const struct urlpool_trace_event *event)
{
    struct ending *ending = user;
    char name[32];
    struct urlpool_manager *manager;

    read_file("/proc/thread-self/comm", name, sizeof(name));
    if (event->kind != URLPOOL_TRACE_CONNECTED || strcmp(name, THREAD_NAME) != 0) {
        return;
    }
    while ((manager = atomic_load(&ending->manager)) == NULL) {
        sched_yield();
    }
    if (atomic_fetch_add(&ending->num_ended, 1) > 0) {
        return;
    }
    if (ending->closes_first) {
        urlpool_manager_close(manager);
        urlpool_manager_close(manager);
    }
    urlpool_manager_free(manager);
}

static void end_in_its_own_thread(bool closes_first)
{
    struct ending ending = {.closes_first = closes_first};
    struct urlpool_manager_options options = {
        .upkeep_thread = true, .min_idle = 1, .trace = {.event = end_at_connect, .user = &ending}
    };
    struct test_server *server;
    struct urlpool_manager *manager;
    struct urlpool_pool *pool;
    char url[128];
    unsigned num_fds;

    failing_allocator_install();
    num_fds = loopback_num_fds();
    server = test_server_start(test_answer_hello, NULL, NULL);
    manager = test_manager(&options);
    test_server_url(server, "/", url, sizeof(url));
    pool = urlpool_manager_pool_for_url(manager, url, &test_err);
    ck_assert_ptr_nonnull(pool);
    urlpool_pool_unref(pool);
    atomic_store(&ending.manager, manager);
    await_no_thread();
    ck_assert_int_eq(atomic_load(&ending.num_ended), 1);
    test_server_stop(server);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
    ck_assert_uint_eq(loopback_num_fds(), num_fds);
}

START_TEST(end__in_a_trace_sink_in_the_thread_itself)
{
    end_in_its_own_thread(false);
    end_in_its_own_thread(true);
}
END_TEST

/* A sink that takes its time. */
struct slow_sink {
    _Atomic int num_begun, num_done;
};

static void take_time(void *user, const struct urlpool_trace_event *event)
{
    struct slow_sink *sink = user;

    if (event->kind == URLPOOL_TRACE_CONNECTED) {
        atomic_fetch_add(&sink->num_begun, 1);
        usleep(20000);
        atomic_fetch_add(&sink->num_done, 1);
    }
}

START_TEST(end__comes_after_all_callbacks)
{
    struct slow_sink sink = {0};
    struct urlpool_manager_options options = {
        .upkeep_thread = true, .min_idle = 1, .trace = {.event = take_time, .user = &sink}
    };
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(&options);
    struct urlpool_pool *pool;
    char url[128];

    test_server_url(server, "/", url, sizeof(url));
    pool = urlpool_manager_pool_for_url(manager, url, &test_err);
    urlpool_pool_unref(pool);
    while (atomic_load(&sink.num_begun) == 0) {
        sched_yield();
    }
    urlpool_manager_free(manager); /* while the thread is in the sink */
    ck_assert_int_eq(atomic_load(&sink.num_done), atomic_load(&sink.num_begun));
    await_no_thread();
    test_server_stop(server);
}
END_TEST

START_TEST(end__joins_the_thread_whatever_it_does)
{
    unsigned num_fds;

    failing_allocator_install();
    num_fds = loopback_num_fds();
    for (int i = 0; i < 50; i++) {
        struct test_server *server =
            test_server_start(i % 2 == 0 ? answer_and_close : test_answer_hello, NULL, NULL);
        struct urlpool_manager *manager = test_manager(
            &(struct urlpool_manager_options){.upkeep_thread = true, .idle_ms = i % 3 + 1});

        test_get(manager, server);
        urlpool_manager_free(manager);
        test_server_stop(server);
        ck_assert_int_eq(failing_allocator_num_live(), 0);
        ck_assert_uint_eq(loopback_num_fds(), num_fds);
    }
}
END_TEST

START_TEST(fork__child_has_no_thread_until_it_makes_a_request)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.upkeep_thread = true, .idle_ms = 20});
    int status = -1;
    pid_t child;

    test_get(manager, server);
    child = fork();
    if (child == 0) {
        char url[128];
        struct urlpool_response *response;
        bool is_good = num_threads() == 0;

        (void)alarm(60);
        (void)urlpool_manager_maintain(manager);
        is_good = is_good && num_threads() == 0;
        test_server_url(server, "/", url, sizeof(url));
        response = urlpool_request(manager, "GET", url, NULL, NULL);
        is_good = is_good && response != NULL && num_threads() == 1;
        urlpool_response_free(response);
        while (test_stats(manager).open > 0) {
            sched_yield(); /* the child's own thread closes it */
        }
        urlpool_manager_free(manager);
        _exit(is_good ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    AWAIT(manager, now.open == 0); /* and the parent's goes on */
    test_get(manager, server);
    AWAIT(manager, now.open == 0);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(fork__child_that_only_ends_the_manager_starts_no_thread)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.upkeep_thread = true});
    int status = -1;
    pid_t child;

    test_get(manager, server);
    child = fork();
    if (child == 0) {
        (void)alarm(60);
        urlpool_manager_free(manager);
        _exit(num_threads());
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    test_get(manager, server);
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

RUN_TESTS("upkeep thread", thread__is_there_only_when_asked_for_and_one_a_manager,
          thread__closes_at_once_what_the_server_has_closed,
          thread__closes_at_once_what_a_tls_server_has_closed,
          thread__is_not_woken_each_time_a_connection_comes_back,
          thread__sleeps_beside_an_idle_tls_connection_with_tickets_unread,
          thread__closes_what_has_been_idle_for_long_enough,
          thread__keeps_min_idle_connections_open,
          maintain__keeps_min_idle_connections_open_without_a_thread,
          min_idle__is_none_unless_it_is_a_count, thread__that_cannot_be_had_is_an_error,
          end__in_a_trace_sink_in_the_thread_itself, end__comes_after_all_callbacks,
          end__joins_the_thread_whatever_it_does,
          fork__child_has_no_thread_until_it_makes_a_request,
          fork__child_that_only_ends_the_manager_starts_no_thread)
