/* The pause before another try: how long it is, what ends it early, and that nothing is held
 * meanwhile. On a clock that stands still until a test moves it. */

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/requests.h"
#include "support/run_tests.h"

enum {
    URL_BYTES = 128,
    PAUSE_MS = 5000, /* what the server asks for */
    CHILD_SECONDS = 60
};

/* struct scene is a request in a thread of its own, to a server that lets it come again. */
struct scene {
    struct test_server *server;
    struct urlpool_manager *manager;
    struct urlpool_request_options options;
    const char *path;
    pthread_t thread;
    struct urlpool_response *response;
    struct urlpool_error err;
};

/* answer: /busy has Retry-After the first time on each connection, /moved leads on with one, /gone
 * closes, else "hello". */
static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    if (strcmp(request->target, "/busy") == 0 && request->number == 1) {
        test_peer_reply(peer, 503, "Retry-After: 5\r\n", "busy");
    } else if (strcmp(request->target, "/moved") == 0) {
        test_peer_reply(peer, 302, "Location: /\r\nRetry-After: 5\r\n", "moved");
    } else if (strcmp(request->target, "/gone") == 0) {
        test_peer_close(peer);
    } else {
        test_peer_reply(peer, 200, NULL, "hello");
    }
}

static void *run(void *arg)
{
    struct scene *scene = arg;
    char url[URL_BYTES];

    scene->response = urlpool_request(scene->manager, "GET",
                                      test_server_url(scene->server, scene->path, url, sizeof(url)),
                                      &scene->options, &scene->err);
    return NULL;
}

/* begin lets a request for `path` come to its pause. */
static void begin(struct scene *scene, const char *path,
                  const struct urlpool_request_options *options)
{
    *scene = (struct scene){.path = path};
    if (options != NULL) {
        scene->options = *options;
    }
    urlp_clock_fake_begin(URLP_NS_PER_MS);
    scene->server = test_server_start(answer, NULL, NULL);
    scene->manager = test_manager(&(struct urlpool_manager_options){.maxsize = 1, .block = true});
    ck_assert_int_eq(pthread_create(&scene->thread, NULL, run, scene), 0);
    urlp_clock_fake_await_waiters(1);
}

static void advance_ms(int64_t ms)
{
    urlp_clock_fake_advance(ms * URLP_NS_PER_MS);
}

/* await waits for the end of the request. */
static void await(struct scene *scene)
{
    ck_assert_int_eq(pthread_join(scene->thread, NULL), 0);
}

static void end(struct scene *scene)
{
    urlpool_response_free(scene->response);
    urlpool_manager_free(scene->manager);
    test_server_stop(scene->server);
    urlp_clock_fake_end();
}

/* /gone is refused at once, so the pause is the one before the second retry. */
static const struct urlpool_request_options backing_off = {
    .retries = {.backoff_factor_ms = 1000, .total = 2}
};

START_TEST(pause__is_as_long_as_the_server_asks)
{
    static const char *const paths[] = {"/busy", "/moved"};

    for (size_t i = 0; i < 2; i++) {
        struct scene scene;

        begin(&scene, paths[i], NULL);
        advance_ms(PAUSE_MS - 1);
        ck_assert_int_eq(urlp_clock_fake_num_waiters(), 1);
        ck_assert_uint_eq(test_server_num_requests(scene.server), 1);
        advance_ms(1);
        await(&scene);
        ck_assert_msg(scene.response != NULL, "%s", scene.err.message);
        ck_assert_int_eq(scene.response->status, 200);
        ck_assert_uint_eq(scene.response->num_retries, i == 0 ? 1 : 0);
        ck_assert_uint_eq(test_server_num_requests(scene.server), 2);
        end(&scene);
    }
}
END_TEST

START_TEST(pause__after_a_failure_grows)
{
    struct scene scene;

    begin(&scene, "/gone", &backing_off);
    ck_assert_uint_eq(test_server_num_requests(scene.server), 2);
    advance_ms(1999);
    ck_assert_int_eq(urlp_clock_fake_num_waiters(), 1);
    advance_ms(1);
    await(&scene);
    ck_assert_ptr_null(scene.response);
    ck_assert_int_eq(scene.err.code, URLPOOL_E_MAX_RETRIES);
    ck_assert_uint_eq(scene.err.num_attempts, 3);
    end(&scene);
}
END_TEST

START_TEST(pause__holds_no_connection)
{
    struct urlpool_response *response;
    struct scene scene;

    begin(&scene, "/busy", NULL);
    ck_assert_uint_eq(test_stats(scene.manager).leased, 0);
    ck_assert_uint_eq(test_stats(scene.manager).idle, 1);
    response = test_fetch(scene.manager, "GET", scene.server, "/", NULL); /* in the one place */
    ck_assert(response->connection_reused);
    urlpool_response_free(response);
    advance_ms(PAUSE_MS);
    await(&scene);
    ck_assert(scene.response->connection_reused);
    ck_assert_uint_eq(test_server_num_connections(scene.server), 1);
    end(&scene);
    begin(&scene, "/gone", &backing_off);
    ck_assert_uint_eq(test_stats(scene.manager).open, 0);
    test_get(scene.manager, scene.server);
    advance_ms(PAUSE_MS);
    await(&scene);
    end(&scene);
}
END_TEST

START_TEST(pause__ends_with_the_total_time)
{
    struct scene scene;
    const struct urlpool_request_options options = {.timeout = {.total_ms = 3000}};

    begin(&scene, "/busy", &options);
    advance_ms(2999);
    ck_assert_int_eq(urlp_clock_fake_num_waiters(), 1);
    advance_ms(1);
    await(&scene);
    ck_assert_ptr_null(scene.response);
    ck_assert_int_eq(scene.err.code, URLPOOL_E_TOTAL_TIMEOUT);
    ck_assert_int_eq(scene.err.cause, URLPOOL_OK);
    ck_assert_int_eq(scene.err.phase, URLPOOL_PHASE_HEAD);
    ck_assert_int_eq(scene.err.http_status, 503);
    ck_assert_uint_eq(scene.err.num_attempts, 1);
    ck_assert_str_eq(scene.err.message,
                     "no time left to wait for the next try: 5000 ms after status 503");
    ck_assert_uint_eq(test_server_num_requests(scene.server), 1);
    end(&scene);
}
END_TEST

START_TEST(pause__that_ends_early_keeps_what_the_failure_said)
{
    struct scene scene;
    struct urlpool_request_options options = backing_off;

    options.timeout.total_ms = 1500;
    begin(&scene, "/gone", &options);
    advance_ms(1500);
    await(&scene);
    ck_assert_ptr_null(scene.response);
    ck_assert_int_eq(scene.err.code, URLPOOL_E_TOTAL_TIMEOUT);
    ck_assert_int_eq(scene.err.cause, URLPOOL_E_REMOTE_DISCONNECTED);
    ck_assert_int_eq(scene.err.phase, URLPOOL_PHASE_HEAD);
    ck_assert(scene.err.maybe_processed);
    ck_assert_str_eq(scene.err.message, "no time left to wait for the next try: connection closed "
                                        "by the peer before a response");
    end(&scene);
}
END_TEST

START_TEST(pause__ends_with_a_cancel)
{
    static const struct {
        const char *path;
        enum urlpool_code cause;
        int status;
    } cases[] = {
        {"/busy",  URLPOOL_OK,                    503},
        {"/moved", URLPOOL_OK,                    302},
        {"/gone",  URLPOOL_E_REMOTE_DISCONNECTED, 0  },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct scene scene;
        struct urlpool_cancel *cancel = urlpool_cancel_new(&test_err);
        struct urlpool_request_options options = backing_off;

        options.cancel = cancel;
        begin(&scene, cases[i].path, &options);
        urlpool_cancel_now(cancel);
        await(&scene);
        ck_assert_ptr_null(scene.response);
        ck_assert_int_eq(scene.err.code, URLPOOL_E_CANCELLED);
        ck_assert_int_eq(scene.err.cause, cases[i].cause);
        ck_assert_int_eq(scene.err.http_status, cases[i].status);
        ck_assert(scene.err.maybe_processed);
        ck_assert_uint_eq(test_stats(scene.manager).leased, 0);
        end(&scene);
        urlpool_cancel_free(cancel);
    }
}
END_TEST

START_TEST(pause__finds_the_manager_closed)
{
    static const struct {
        const char *path;
        enum urlpool_code cause;
    } cases[] = {
        {"/busy", URLPOOL_OK                   },
        {"/gone", URLPOOL_E_REMOTE_DISCONNECTED},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct scene scene;

        begin(&scene, cases[i].path, &backing_off);
        urlpool_manager_free(scene.manager); /* the request has a reference of its own */
        scene.manager = NULL;
        ck_assert_int_eq(urlp_clock_fake_num_waiters(), 1);
        advance_ms(PAUSE_MS);
        await(&scene);
        ck_assert_ptr_null(scene.response);
        ck_assert_int_eq(scene.err.code, URLPOOL_E_POOL_CLOSED);
        ck_assert_int_eq(scene.err.cause, cases[i].cause);
        end(&scene);
    }
}
END_TEST

/* let_time_pass moves the clock past the total time when it is told of another try. */
static void let_time_pass(void *user, const struct urlpool_trace_event *event)
{
    (void)user;
    if (event->kind == URLPOOL_TRACE_RETRY || event->kind == URLPOOL_TRACE_REDIRECT) {
        advance_ms(PAUSE_MS);
    }
}

START_TEST(pause__of_no_length_sees_that_the_time_is_over)
{
    static const char *const paths[] = {"/busy", "/moved", "/gone"};
    const struct urlpool_request_options options = {
        .timeout = {.total_ms = PAUSE_MS     },
        .retries = {.status_forcelist = {503}, .ignore_retry_after = true},
        .trace = {.event = let_time_pass                        }
    };

    for (size_t i = 0; i < 3; i++) {
        struct test_server *server = test_server_start(answer, NULL, NULL);
        struct urlpool_manager *manager = test_manager(NULL);

        urlp_clock_fake_begin(URLP_NS_PER_MS);
        ck_assert_int_eq(test_fetch_fails(manager, "GET", server, paths[i], &options),
                         URLPOOL_E_TOTAL_TIMEOUT);
        ck_assert_uint_eq(test_err.num_attempts, 1);
        ck_assert_uint_eq(test_server_num_requests(server), 1);
        urlpool_manager_free(manager);
        test_server_stop(server);
        urlp_clock_fake_end();
    }
}
END_TEST

/* end_child waits for a child, which must have left with 0. */
static void end_child(pid_t child)
{
    int status = 0;

    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with 0x%x",
                  (unsigned)status);
}

START_TEST(pause__is_no_hindrance_to_a_fork)
{
    struct scene scene;
    char url[URL_BYTES];
    pid_t child;

    begin(&scene, "/busy", NULL);
    test_server_url(scene.server, "/", url, sizeof(url));
    child = fork();
    if (child == 0) {
        struct urlpool_response *response;

        (void)signal(SIGALRM, SIG_DFL);
        (void)alarm(CHILD_SECONDS);
        response = urlpool_request(scene.manager, "GET", url, NULL, &test_err);
        _exit(response != NULL && response->status == 200 ? 0 : 1);
    }
    end_child(child);
    advance_ms(PAUSE_MS);
    await(&scene);
    ck_assert_int_eq(scene.response->status, 200);
    end(&scene);
}
END_TEST

/* fork_once forks when it is told of a retry, before the pause. */
static void fork_once(void *user, const struct urlpool_trace_event *event)
{
    pid_t *child = user;

    if (event->kind == URLPOOL_TRACE_RETRY && *child < 0) {
        *child = fork();
        if (*child == 0) {
            (void)signal(SIGALRM, SIG_DFL);
            (void)alarm(CHILD_SECONDS);
        }
    }
}

START_TEST(pause__of_a_request_that_forks_is_slept_by_both)
{
    struct test_server *server = test_server_start(answer, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    pid_t child = -1;
    const struct urlpool_request_options options = {
        .trace = {.event = fork_once,      .user = &child           },
        .retries = {.retry_after_max_ms = 1, .clamp_retry_after = true}
    };
    struct urlpool_response *response = test_fetch(manager, "GET", server, "/busy", &options);

    if (child == 0) {
        /* A connection of its own, on which it is the first, so that it is told to come again. */
        _exit(response->num_retries == 2 && response->status == 200 ? 0 : 1);
    }
    ck_assert_int_eq(response->status, 200);
    end_child(child);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

RUN_TESTS("retry pauses", pause__is_as_long_as_the_server_asks, pause__after_a_failure_grows,
          pause__holds_no_connection, pause__ends_with_the_total_time,
          pause__that_ends_early_keeps_what_the_failure_said, pause__ends_with_a_cancel,
          pause__of_no_length_sees_that_the_time_is_over, pause__finds_the_manager_closed,
          pause__is_no_hindrance_to_a_fork, pause__of_a_request_that_forks_is_slept_by_both)
