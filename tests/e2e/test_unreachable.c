/* An origin that cannot be reached, as a whole service meets it: dial_pause_max_ms at zero,
 * URLPOOL_NONE, without bound and at a value, against a port that nobody listens at. */

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/loopback.h"
#include "support/requests.h"
#include "support/run_tests.h"

#define NUM_THREADS 8
/* More tries than pauses grow in: one of them must find the origin in a pause, however slow the
 * machine. */
#define NUM_TRIES 20

/* A port nobody listens at, a manager, and the way from the one to the other. */
struct scene {
    int fd;
    char url[64];
    struct urlpool_manager *manager;
};

static void begin(struct scene *scene, int64_t dial_pause_max_ms)
{
    scene->fd = loopback_bind("127.0.0.1", 0);
    snprintf(scene->url, sizeof(scene->url), "http://127.0.0.1:%u/", loopback_port(scene->fd));
    scene->manager = test_manager(&(struct urlpool_manager_options){
        .retries = TEST_ONE_TRY, .dial_pause_max_ms = dial_pause_max_ms});
}

static void end(struct scene *scene)
{
    urlpool_manager_free(scene->manager);
    (void)close(scene->fd);
}

/* ask makes a request that may wait for `pool_ms`, and returns how it ended. */
static enum urlpool_code ask(struct scene *scene, int64_t pool_ms, struct urlpool_error *err)
{
    const struct urlpool_request_options options = {.timeout = {.pool_ms = pool_ms}};
    struct urlpool_response *response =
        urlpool_request(scene->manager, "GET", scene->url, &options, err);

    urlpool_response_free(response);
    return response != NULL ? URLPOOL_OK : err->code;
}

/* num_pauses tries again and again without waiting, and returns how often there was a pause. */
static int num_pauses(struct scene *scene)
{
    int num = 0;

    for (int i = 0; i < NUM_TRIES; i++) {
        enum urlpool_code code = ask(scene, 1, &test_err);

        if (code == URLPOOL_E_POOL_TIMEOUT) {
            ck_assert_ptr_nonnull(strstr(test_err.message, "cannot be reached"));
            num++;
        } else {
            ck_assert_int_eq(code, URLPOOL_E_CONNECT);
        }
    }
    return num;
}

START_TEST(dial_pause__is_a_second_by_default_and_can_be_without_bound)
{
    static const int64_t on[] = {0, URLPOOL_NO_TIMEOUT};
    struct scene scene;

    for (size_t i = 0; i < 2; i++) {
        begin(&scene, on[i]);
        ck_assert_int_gt(num_pauses(&scene), 0);
        ck_assert_uint_ge(test_stats(scene.manager).dial_failures, 3);
        end(&scene);
    }
}
END_TEST

START_TEST(dial_pause__none_dials_at_once)
{
    struct scene scene;

    begin(&scene, URLPOOL_NONE);
    ck_assert_int_eq(num_pauses(&scene), 0);
    ck_assert_uint_eq(test_stats(scene.manager).dial_failures, NUM_TRIES);
    end(&scene);
}
END_TEST

START_TEST(dial_pause__value_bounds_each)
{
    int64_t began_ns = urlp_now_ns();
    struct scene scene;

    begin(&scene, 1);
    for (int i = 0; i < NUM_TRIES; i++) {
        ck_assert_int_eq(ask(&scene, 0, &test_err), URLPOOL_E_CONNECT);
    }
    /* By default it were twelve seconds and more. */
    ck_assert_int_lt(urlp_now_ns() - began_ns, INT64_C(10000) * URLP_NS_PER_MS);
    end(&scene);
}
END_TEST

START_TEST(dial_pause__negative_is_refused)
{
    const struct urlpool_manager_options options = {.dial_pause_max_ms = -7};

    ck_assert_ptr_null(urlpool_manager_new(&options, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
    ck_assert_ptr_nonnull(strstr(test_err.message, "dial_pause_max_ms"));
}
END_TEST

/* serve accepts one connection and answers the request on it. */
static void *serve(void *listener)
{
    static const char answer[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    char request[4096];
    int fd = loopback_accept(*(int *)listener);

    ck_assert_int_gt(read(fd, request, sizeof(request)), 0);
    ck_assert_int_eq(send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL), sizeof(answer) - 1);
    (void)close(fd);
    return NULL;
}

START_TEST(unreachable__origin_is_found_again_when_it_is_back)
{
    struct scene scene;
    pthread_t server;

    begin(&scene, 0);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(ask(&scene, 0, &test_err), URLPOOL_E_CONNECT);
    }
    ck_assert_int_eq(listen(scene.fd, 8), 0);
    ck_assert_int_eq(pthread_create(&server, NULL, serve, &scene.fd), 0);
    ck_assert_int_eq(ask(&scene, 0, &test_err), URLPOOL_OK);
    ck_assert_int_eq(pthread_join(server, NULL), 0);
    end(&scene);
}
END_TEST

/* struct asker is a thread that asks. */
struct asker {
    pthread_t thread;
    struct scene *scene;
    struct urlpool_error err;
};

static void *run_asker(void *arg)
{
    struct asker *asker = arg;

    (void)ask(asker->scene, 0, &asker->err);
    return NULL;
}

START_TEST(unreachable__origin_is_tried_once_for_many)
{
    struct scene scene;
    struct asker askers[NUM_THREADS];
    struct urlpool_stats stats;

    begin(&scene, 0);
    for (int i = 0; i < 5; i++) { /* the next pause is 200 ms: all come within it */
        ck_assert_int_eq(ask(&scene, 0, &test_err), URLPOOL_E_CONNECT);
    }
    for (int i = 0; i < NUM_THREADS; i++) {
        askers[i] = (struct asker){.scene = &scene};
        ck_assert_int_eq(pthread_create(&askers[i].thread, NULL, run_asker, &askers[i]), 0);
    }
    for (int i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_join(askers[i].thread, NULL), 0);
        ck_assert_int_eq(askers[i].err.code, URLPOOL_E_CONNECT);
        ck_assert_str_eq(askers[i].err.message, test_err.message);
    }
    stats = test_stats(scene.manager);
    ck_assert_uint_eq(stats.dial_failures + stats.dials_shared, 5 + NUM_THREADS);
    ck_assert_uint_gt(stats.dials_shared, 0);
    end(&scene);
}
END_TEST

RUN_TESTS("unreachable", dial_pause__is_a_second_by_default_and_can_be_without_bound,
          dial_pause__none_dials_at_once, dial_pause__value_bounds_each,
          dial_pause__negative_is_refused, unreachable__origin_is_found_again_when_it_is_back,
          unreachable__origin_is_tried_once_for_many)
