/* What the requests of all threads share of an origin in trouble: how many retries it is given, and
 * the pause that it has asked for. */

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "support/requests.h"
#include "support/retry_scene.h"
#include "support/run_tests.h"

enum {
    URL_BYTES = 128
};

/* Ten retries, each of which costs nothing but a token. */
static const struct urlpool_request_options stubborn = {
    .retries = {.total = 10, .status_forcelist = {500}}
};

static struct urlpool_manager_options with_budget(int32_t tokens, int32_t percent)
{
    return (struct urlpool_manager_options){
        .retry_budget = {.tokens = tokens, .percent = percent}
    };
}

/* visits_of plays a script to one request and says how often it came. */
static unsigned visits_of(struct retry_scene *scene, const char *script)
{
    char url[URL_BYTES];
    struct urlpool_response *response;

    retry_scene_play(scene, script, NULL);
    memset(&test_err, 0, sizeof(test_err));
    response = urlpool_request(scene->manager, "GET",
                               test_server_url(scene->server, "/", url, sizeof(url)), &stubborn,
                               &test_err);
    urlpool_response_free(response);
    return retry_scene_num_visits(scene);
}

START_TEST(budget__bounds_the_retries_of_all_requests)
{
    const struct urlpool_manager_options options = with_budget(3, 50);
    struct retry_scene scene;

    retry_scene_begin(&scene, 0, &options);
    ck_assert_uint_eq(visits_of(&scene, "5"), 4);
    ck_assert_int_eq(test_err.code, URLPOOL_OK); /* the last response is the caller's */
    ck_assert_uint_eq(visits_of(&scene, "5"), 1);
    ck_assert_uint_eq(test_stats(scene.manager).retries, 3);
    ck_assert_uint_eq(test_stats(scene.manager).retries_withheld, 2);
    retry_scene_end(&scene);
}
END_TEST

START_TEST(budget__is_none_unless_asked_for)
{
    struct retry_scene scene;

    retry_scene_begin(&scene, 0, NULL);
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(visits_of(&scene, "5"), 11);
    }
    ck_assert_uint_eq(test_stats(scene.manager).retries_withheld, 0);
    retry_scene_end(&scene);
}
END_TEST

START_TEST(budget__is_earned_by_requests_that_end_well)
{
    const struct urlpool_manager_options options = with_budget(1, 50);
    struct retry_scene scene;

    retry_scene_begin(&scene, 0, &options);
    ck_assert_uint_eq(visits_of(&scene, "52"), 2); /* takes one, earns half a one */
    ck_assert_uint_eq(visits_of(&scene, "5"), 1);
    ck_assert_uint_eq(visits_of(&scene, "4"), 1); /* a 404 is no trouble of the server's */
    ck_assert_uint_eq(visits_of(&scene, "52"), 2);
    retry_scene_end(&scene);
}
END_TEST

START_TEST(budget__says_so_of_a_failure)
{
    const struct urlpool_manager_options options = with_budget(1, 0);
    struct retry_scene scene;

    retry_scene_begin(&scene, 0, &options);
    ck_assert_uint_eq(visits_of(&scene, "c"), 2);
    ck_assert_int_eq(test_err.code, URLPOOL_E_MAX_RETRIES);
    ck_assert_int_eq(test_err.cause, URLPOOL_E_REMOTE_DISCONNECTED);
    ck_assert_str_eq(test_err.message, "1 retry made, and the origin's retry budget is used up: "
                                       "connection closed by the peer before a response");
    ck_assert_uint_eq(test_err.num_attempts, 2);
    ck_assert_uint_eq(visits_of(&scene, "c"), 1);
    ck_assert_int_eq(test_err.code, URLPOOL_E_MAX_RETRIES);
    ck_assert_str_eq(test_err.message, "0 retries made, and the origin's retry budget is used up: "
                                       "connection closed by the peer before a response");
    retry_scene_end(&scene);
}
END_TEST

START_TEST(budget__has_no_part_in_redirects)
{
    const struct urlpool_manager_options options = with_budget(URLPOOL_NONE, 0);
    struct retry_scene scene;

    retry_scene_begin(&scene, 0, &options);
    ck_assert_uint_eq(visits_of(&scene, "RR2"), 3);
    ck_assert_uint_eq(visits_of(&scene, "52"), 1);
    retry_scene_end(&scene);
}
END_TEST

/* --- a pause for all -------------------------------------------------------------------------- */

static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    if (strcmp(request->target, "/busy") == 0) {
        test_peer_reply(peer, 503, "Retry-After: 5\r\n", "busy");
    } else if (strcmp(request->target, "/many") == 0) {
        test_peer_reply(peer, 429, "Retry-After: 5\r\n", "many");
    } else if (strcmp(request->target, "/large") == 0) {
        test_peer_reply(peer, 413, "Retry-After: 5\r\n", "large");
    } else if (strcmp(request->target, "/long") == 0) {
        test_peer_reply(peer, 503, "Retry-After: 500\r\n", "long");
    } else {
        test_peer_reply(peer, 200, NULL, "hello");
    }
}

/* struct pause is an origin that one request has found busy, without trying again. */
struct pause {
    struct test_server *server;
    struct urlpool_manager *manager;
    struct urlpool_response *response;
    enum urlpool_code code;
    pthread_t thread;
};

static const struct urlpool_request_options one_try = {.retries = {.total = URLPOOL_NONE}};

static void begin(struct pause *pause, const char *path, bool share)
{
    const struct urlpool_manager_options options = {
        .share_retry_after = share, .block = true, .maxsize = 1};

    urlp_clock_fake_begin(URLP_NS_PER_MS);
    pause->server = test_server_start(answer, NULL, NULL);
    pause->manager = test_manager(&options);
    urlpool_response_free(test_fetch(pause->manager, "GET", pause->server, path, &one_try));
}

static void end(struct pause *pause)
{
    urlpool_manager_free(pause->manager);
    test_server_stop(pause->server);
    urlp_clock_fake_end();
}

static void *come_later(void *arg)
{
    struct pause *pause = arg;

    pause->response = test_fetch(pause->manager, "POST", pause->server, "/", &one_try);
    return NULL;
}

START_TEST(pause__is_kept_by_every_thread)
{
    static const char *const paths[] = {"/busy", "/many"};

    for (size_t i = 0; i < 2; i++) {
        struct pause pause;

        begin(&pause, paths[i], true);
        ck_assert_int_eq(pthread_create(&pause.thread, NULL, come_later, &pause), 0);
        urlp_clock_fake_await_waiters(1);
        ck_assert_uint_eq(test_stats(pause.manager).leased, 0); /* nothing is held meanwhile */
        urlp_clock_fake_advance(4999 * (int64_t)URLP_NS_PER_MS);
        ck_assert_int_eq(urlp_clock_fake_num_waiters(), 1);
        ck_assert_uint_eq(test_server_num_requests(pause.server), 1);
        urlp_clock_fake_advance(URLP_NS_PER_MS);
        ck_assert_int_eq(pthread_join(pause.thread, NULL), 0);
        ck_assert_int_eq(pause.response->status, 200);
        ck_assert_uint_eq(test_server_num_requests(pause.server), 2);
        urlpool_response_free(pause.response);
        end(&pause);
    }
}
END_TEST

START_TEST(pause__is_for_429_and_503_alone_and_no_longer_than_is_waited_for)
{
    static const struct {
        const char *path;
        bool share;
    } cases[] = {
        {"/busy",  false},
        {"/large", true },
        {"/long",  true },
    };

    for (size_t i = 0; i < 3; i++) {
        struct pause pause;

        begin(&pause, cases[i].path, cases[i].share);
        test_get(pause.manager, pause.server); /* at once: the clock stands still */
        end(&pause);
    }
}
END_TEST

START_TEST(pause__is_of_that_origin_alone)
{
    struct test_server *other;
    struct pause pause;

    begin(&pause, "/busy", true);
    other = test_server_start(answer, NULL, NULL);
    test_get(pause.manager, other);
    test_server_stop(other);
    end(&pause);
}
END_TEST

START_TEST(pause__is_within_the_callers_limits)
{
    const struct urlpool_request_options hasty = {.timeout = {.pool_ms = URLPOOL_NONE},
                                                  .retries = {.total = URLPOOL_NONE}};
    struct pause pause;

    begin(&pause, "/busy", true);
    ck_assert_int_eq(test_fetch_fails(pause.manager, "GET", pause.server, "/", &hasty),
                     URLPOOL_E_POOL_TIMEOUT);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_POOL);
    ck_assert_ptr_nonnull(strstr(test_err.message, "Retry-After"));
    ck_assert(!test_err.maybe_processed);
    end(&pause);
}
END_TEST

static void *fail_later(void *arg)
{
    static const struct urlpool_request_options patient = {.timeout = {.pool_ms = 6000}};
    struct pause *pause = arg;

    pause->code = test_fetch_fails(pause->manager, "GET", pause->server, "/", &patient);
    return NULL;
}

START_TEST(pause__ends_when_the_manager_is_closed)
{
    struct pause pause;

    begin(&pause, "/busy", true);
    ck_assert_int_eq(pthread_create(&pause.thread, NULL, fail_later, &pause), 0);
    urlp_clock_fake_await_waiters(1);
    urlpool_manager_close(pause.manager);
    ck_assert_int_eq(pthread_join(pause.thread, NULL), 0); /* at once: the clock stands still */
    ck_assert_int_eq(pause.code, URLPOOL_E_POOL_CLOSED);
    end(&pause);
}
END_TEST

START_TEST(pause__and_the_wait_for_a_place_are_one_wait)
{
    struct pause pause;
    struct urlpool_pool *pool;
    struct urlpool_connection *held;
    char url[64];

    begin(&pause, "/busy", true);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", test_server_port(pause.server));
    pool = urlpool_manager_pool_for_url(pause.manager, url, &test_err);
    held = urlpool_pool_acquire(pool, NULL, NULL, &test_err);
    ck_assert_msg(held != NULL, "%s", test_err.message);
    ck_assert_int_eq(pthread_create(&pause.thread, NULL, fail_later, &pause), 0);
    urlp_clock_fake_await_waiters(1);
    urlp_clock_fake_advance(5000 * (int64_t)URLP_NS_PER_MS);
    while (test_stats(pause.manager).waiting == 0) {
        sched_yield();
    }
    urlp_clock_fake_await_waiters(1);
    urlp_clock_fake_advance(999 * (int64_t)URLP_NS_PER_MS);
    ck_assert_int_eq(urlp_clock_fake_num_waiters(), 1);
    urlp_clock_fake_advance(URLP_NS_PER_MS);
    ck_assert_int_eq(pthread_join(pause.thread, NULL), 0);
    ck_assert_int_eq(pause.code, URLPOOL_E_POOL_TIMEOUT);
    urlpool_pool_release(pool, held);
    urlpool_pool_unref(pool);
    end(&pause);
}
END_TEST

RUN_TESTS("retry budgets", pause__ends_when_the_manager_is_closed,
          pause__and_the_wait_for_a_place_are_one_wait, budget__bounds_the_retries_of_all_requests,
          budget__is_none_unless_asked_for, budget__is_earned_by_requests_that_end_well,
          budget__says_so_of_a_failure, budget__has_no_part_in_redirects,
          pause__is_kept_by_every_thread,
          pause__is_for_429_and_503_alone_and_no_longer_than_is_waited_for,
          pause__is_of_that_origin_alone, pause__is_within_the_callers_limits)
