/* A cancel from another thread, at every stage at which a request can stand still: it returns
 * although the peer stays silent. */

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/requests.h"
#include "support/run_tests.h"
#include "support/stages.h"

enum {
    SOON_MS = 2000,
    NUM_THREADS = 8
};

/* A thread that cancels as soon as the request stands still. */
struct canceller {
    struct stage_scene *scene;
    struct urlpool_cancel *cancel;
};

static void *cancel_then(void *arg)
{
    struct canceller *canceller = arg;

    stage_await(canceller->scene);
    urlpool_cancel_now(canceller->cancel);
    return NULL;
}

/* expect_cancelled makes the request of the scene, which must end by the token alone. */
static void expect_cancelled(struct stage_scene *scene, struct urlpool_cancel *cancel)
{
    const struct urlpool_request_options options = {
        .cancel = cancel, .trace = scene->trace, .body = scene->body};
    struct urlpool_response *response =
        urlpool_request(scene->manager, scene->method, scene->url, &options, &test_err);

    ck_assert_ptr_null(response);
    ck_assert_msg(test_err.code == URLPOOL_E_CANCELLED, "%s: %s: %s", stage_name(scene->stage),
                  urlpool_code_name(test_err.code), test_err.message);
    ck_assert_msg(test_err.phase == scene->phase, "%s: phase %s", stage_name(scene->stage),
                  urlpool_phase_name(test_err.phase));
    ck_assert(!urlpool_code_is(test_err.code, URLPOOL_CLASS_TIMEOUT));
    ck_assert_int_eq(test_err.maybe_processed, scene->stage >= STAGE_SEND);
    ck_assert_uint_eq(test_stats(scene->manager).open, scene->stage == STAGE_POOL ? 1 : 0);
    ck_assert_uint_eq(test_stats(scene->manager).waiting, 0);
}

START_TEST(cancel__ends_a_request_wherever_it_stands_still)
{
    const struct urlpool_timeout none = {.connect_ms = URLPOOL_NO_TIMEOUT,
                                         .read_ms = URLPOOL_NO_TIMEOUT,
                                         .write_ms = URLPOOL_NO_TIMEOUT};

    for (enum stage stage = 0; stage < STAGE_NUM; stage++) {
        struct stage_scene scene;
        struct canceller canceller = {&scene, urlpool_cancel_new(&test_err)};
        int64_t began_ns = urlp_now_ns();
        pthread_t thread;

        ck_assert_ptr_nonnull(canceller.cancel);
        stage_begin(&scene, stage, &none);
        ck_assert_int_eq(pthread_create(&thread, NULL, cancel_then, &canceller), 0);
        expect_cancelled(&scene, canceller.cancel);
        pthread_join(thread, NULL);
        ck_assert_int_lt((urlp_now_ns() - began_ns) / URLP_NS_PER_MS, SOON_MS);
        stage_end(&scene);
        urlpool_cancel_free(canceller.cancel);
    }
}
END_TEST

START_TEST(cancel__leaves_the_manager_fit_for_the_next_request)
{
    struct stage_scene scene;
    struct canceller canceller = {&scene, urlpool_cancel_new(&test_err)};
    struct urlpool_response *response;
    pthread_t thread;

    stage_begin(&scene, STAGE_BODY, NULL);
    ck_assert_int_eq(pthread_create(&thread, NULL, cancel_then, &canceller), 0);
    expect_cancelled(&scene, canceller.cancel);
    pthread_join(thread, NULL);
    response = test_fetch(scene.manager, "GET", scene.server, "/good", NULL);
    ck_assert(!response->connection_reused);
    urlpool_response_free(response);
    stage_end(&scene);
    urlpool_cancel_free(canceller.cancel);
}
END_TEST

/* One of many threads that wait for the same place with the same token. */
struct waiter {
    struct stage_scene *scene;
    struct urlpool_cancel *cancel;
    enum urlpool_code code;
};

static void *wait_for_place(void *arg)
{
    struct waiter *waiter = arg;
    const struct urlpool_request_options options = {.cancel = waiter->cancel};
    struct urlpool_error err;
    struct urlpool_response *response =
        urlpool_request(waiter->scene->manager, "GET", waiter->scene->url, &options, &err);

    waiter->code = response == NULL ? err.code : URLPOOL_OK;
    urlpool_response_free(response);
    return NULL;
}

START_TEST(cancel__of_one_token_ends_every_request_that_holds_it_and_no_other)
{
    struct stage_scene scene;
    struct urlpool_cancel *cancel = urlpool_cancel_new(&test_err);
    struct waiter waiters[NUM_THREADS];
    pthread_t threads[NUM_THREADS];

    stage_begin(&scene, STAGE_POOL, NULL);
    for (int i = 0; i < NUM_THREADS; i++) {
        waiters[i] = (struct waiter){.scene = &scene, .cancel = i % 2 == 0 ? cancel : NULL};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, wait_for_place, &waiters[i]), 0);
    }
    while (test_stats(scene.manager).waiting < NUM_THREADS) {
        sched_yield();
    }
    urlpool_cancel_now(cancel);
    for (int i = 0; i < NUM_THREADS; i += 2) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(waiters[i].code, URLPOOL_E_CANCELLED);
    }
    ck_assert_uint_eq(test_stats(scene.manager).waiting, NUM_THREADS / 2);
    urlpool_response_free(scene.held);
    scene.held = NULL;
    for (int i = 1; i < NUM_THREADS; i += 2) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(waiters[i].code, URLPOOL_OK);
    }
    ck_assert_uint_eq(test_server_num_connections(scene.server), 1);
    stage_end(&scene);
    urlpool_cancel_free(cancel);
}
END_TEST

START_TEST(cancel__ends_the_reading_of_a_streamed_body)
{
    struct stage_scene scene;
    struct urlpool_cancel *cancel = urlpool_cancel_new(&test_err);
    const struct urlpool_request_options options = {.stream = true, .cancel = cancel};
    struct urlpool_response *response;
    char buf[16];
    size_t len = 0;

    stage_begin(&scene, STAGE_BODY, NULL);
    response = urlpool_request(scene.manager, "GET", scene.url, &options, &test_err);
    ck_assert_msg(response != NULL, "%s", test_err.message);
    ck_assert_int_eq(urlpool_response_read_exact(response, buf, 4, &len, &test_err), URLPOOL_OK);
    urlpool_cancel_now(cancel);
    ck_assert_int_eq(urlpool_response_read(response, buf, sizeof(buf), &len, &test_err),
                     URLPOOL_E_CANCELLED);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_BODY);
    urlpool_response_free(response);
    ck_assert_uint_eq(test_stats(scene.manager).open, 0);
    stage_end(&scene);
    urlpool_cancel_free(cancel);
}
END_TEST

static struct urlpool_cancel *signalled;

static void on_signal(int number)
{
    (void)number;
    urlpool_cancel_now(signalled);
}

static void *raise_then(void *arg)
{
    struct canceller *canceller = arg;

    stage_await(canceller->scene);
    (void)kill(getpid(), SIGUSR1);
    return NULL;
}

START_TEST(cancel__may_come_from_a_signal_handler)
{
    struct stage_scene scene;
    struct canceller canceller = {&scene, urlpool_cancel_new(&test_err)};
    const struct sigaction action = {.sa_handler = on_signal};
    pthread_t thread;

    signalled = canceller.cancel;
    ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
    stage_begin(&scene, STAGE_HEAD, NULL);
    ck_assert_int_eq(pthread_create(&thread, NULL, raise_then, &canceller), 0);
    expect_cancelled(&scene, canceller.cancel);
    pthread_join(thread, NULL);
    stage_end(&scene);
    urlpool_cancel_free(canceller.cancel);
}
END_TEST

static void on_nothing(int number)
{
    (void)number;
}

START_TEST(signal__that_is_no_cancel_interrupts_nothing)
{
    const struct urlpool_request_options options = {.timeout = {.read_ms = 150}};
    const struct sigaction action = {.sa_handler = on_nothing};
    struct stage_scene scene;
    struct canceller canceller = {&scene, NULL};
    struct urlpool_request_options traced = options;
    pthread_t thread;

    ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
    stage_begin(&scene, STAGE_HEAD, NULL);
    traced.trace = scene.trace;
    ck_assert_int_eq(pthread_create(&thread, NULL, raise_then, &canceller), 0);
    ck_assert_ptr_null(urlpool_request(scene.manager, "GET", scene.url, &traced, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_READ_TIMEOUT);
    pthread_join(thread, NULL);
    stage_end(&scene);
}
END_TEST

RUN_TESTS("cancelling", cancel__ends_a_request_wherever_it_stands_still,
          cancel__leaves_the_manager_fit_for_the_next_request,
          cancel__of_one_token_ends_every_request_that_holds_it_and_no_other,
          cancel__ends_the_reading_of_a_streamed_body, cancel__may_come_from_a_signal_handler,
          signal__that_is_no_cancel_interrupts_nothing)
