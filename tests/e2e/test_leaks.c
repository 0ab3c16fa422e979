/* Responses that are neither read nor freed: who holds what is described, and told when it takes
 * too long. */

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "support/requests.h"
#include "support/run_tests.h"

/* struct told is what the manager's sink was told of leaks, in whatever thread. */
struct told {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int num;
    char text[256];
};

static void on_event(void *user, const struct urlpool_trace_event *event)
{
    struct told *told = user;

    if (event->kind != URLPOOL_TRACE_LEAK) {
        return;
    }
    pthread_mutex_lock(&told->mutex);
    told->num++;
    (void)snprintf(told->text, sizeof(told->text), "%.*s", (int)event->text_len, event->text);
    pthread_cond_signal(&told->changed);
    pthread_mutex_unlock(&told->mutex);
}

/* struct scene is a streamed response that nobody reads, by a URL with secrets. */
struct scene {
    struct test_server *server;
    struct urlpool_manager *manager;
    struct urlpool_response *held;
    struct told told;
};

static void begin(struct scene *scene, struct urlpool_manager_options options)
{
    const struct urlpool_request_options streamed = {.stream = true};
    char url[128];

    *scene = (struct scene){
        .told = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER}
    };
    scene->server = test_server_start(test_answer_hello, NULL, NULL);
    options.trace = (struct urlpool_trace){.event = on_event, .user = &scene->told};
    scene->manager = test_manager(&options);
    (void)snprintf(url, sizeof(url), "http://me:hush@127.0.0.1:%d/slow?key=secret",
                   test_server_port(scene->server));
    scene->held = urlpool_request(scene->manager, "GET", url, &streamed, &test_err);
    ck_assert_msg(scene->held != NULL, "%s", test_err.message);
}

static void end(struct scene *scene)
{
    urlpool_response_free(scene->held);
    test_server_stop(scene->server);
}

static void assert_tells(const char *text, const struct test_server *server)
{
    char beginning[64];

    (void)snprintf(beginning, sizeof(beginning), "http://127.0.0.1:%d ", test_server_port(server));
    ck_assert_msg(strncmp(text, beginning, strlen(beginning)) == 0, "%s", text);
    ck_assert_msg(strstr(text, "held 0.") != NULL && strstr(text, " s by thread ") != NULL, "%s",
                  text);
    ck_assert_msg(strstr(text, ": GET /slow") != NULL, "%s", text);
    ck_assert_msg(strstr(text, "hush") == NULL && strstr(text, "secret") == NULL, "%s", text);
}

START_TEST(describe__says_what_is_held_and_no_secret)
{
    struct scene scene;
    char *text;

    begin(&scene, (struct urlpool_manager_options){0});
    text = urlpool_manager_describe(scene.manager, &test_err);
    assert_tells(text, scene.server);
    ck_assert_ptr_nonnull(strstr(text, " leased 1 "));
    urlpool_string_free(text);
    ck_assert_int_eq(urlpool_response_read_all(scene.held, &test_err), URLPOOL_OK);
    text = urlpool_manager_describe(scene.manager, &test_err);
    ck_assert_ptr_null(strstr(text, "held"));
    urlpool_string_free(text);
    urlpool_manager_free(scene.manager);
    ck_assert_int_eq(scene.told.num, 0);
    end(&scene);
}
END_TEST

START_TEST(maintain__tells_of_a_leak_once)
{
    struct scene scene;
    struct urlpool_pool *pool;
    struct urlpool_stats stats;

    begin(&scene, (struct urlpool_manager_options){.leak_ms = 1});
    while (test_stats(scene.manager).leaks == 0) { /* until a millisecond has passed */
        (void)urlpool_manager_maintain(scene.manager);
    }
    (void)urlpool_manager_maintain(scene.manager);
    ck_assert_int_eq(scene.told.num, 1);
    assert_tells(scene.told.text, scene.server);
    ck_assert_uint_eq(test_stats(scene.manager).leaks, 1);
    pool = urlpool_manager_pool_for_url(scene.manager, scene.held->url, &test_err);
    urlpool_pool_stats(pool, &stats, sizeof(stats));
    ck_assert_uint_eq(stats.leaks, 1);
    urlpool_pool_unref(pool);
    urlpool_manager_free(scene.manager); /* which need not tell it again */
    ck_assert_int_eq(scene.told.num, 1);
    end(&scene);
}
END_TEST

START_TEST(upkeep_thread__tells_of_a_leak_by_itself)
{
    struct scene scene;

    begin(&scene, (struct urlpool_manager_options){.leak_ms = 20, .upkeep_thread = true});
    pthread_mutex_lock(&scene.told.mutex);
    while (scene.told.num == 0) { /* the test's own limit ends it when nobody tells */
        pthread_cond_wait(&scene.told.changed, &scene.told.mutex);
    }
    assert_tells(scene.told.text, scene.server);
    pthread_mutex_unlock(&scene.told.mutex);
    urlpool_manager_free(scene.manager);
    end(&scene);
    ck_assert_int_eq(scene.told.num, 1);
}
END_TEST

START_TEST(leaks__are_not_looked_for_unless_asked)
{
    struct scene scene;

    begin(&scene, (struct urlpool_manager_options){0});
    (void)urlpool_manager_maintain(scene.manager);
    ck_assert_int_eq(scene.told.num, 0);
    ck_assert_uint_eq(test_stats(scene.manager).leaks, 0);
    urlpool_response_free(scene.held);
    scene.held = NULL;
    urlpool_manager_free(scene.manager);
    end(&scene);
}
END_TEST

START_TEST(free__tells_who_still_holds_and_the_response_goes_on)
{
    struct scene scene;

    begin(&scene, (struct urlpool_manager_options){0});
    urlpool_manager_free(scene.manager);
    ck_assert_int_eq(scene.told.num, 1);
    assert_tells(scene.told.text, scene.server);
    ck_assert_int_eq(urlpool_response_read_all(scene.held, &test_err), URLPOOL_OK);
    ck_assert_str_eq((const char *)scene.held->data, "hello");
    end(&scene);
}
END_TEST

START_TEST(leak_ms__is_checked)
{
    const struct urlpool_manager_options options = {.leak_ms = -3};

    ck_assert_ptr_null(urlpool_manager_new(&options, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
    ck_assert_ptr_nonnull(strstr(test_err.message, "leak_ms"));
}
END_TEST

RUN_TESTS("leaks", describe__says_what_is_held_and_no_secret, maintain__tells_of_a_leak_once,
          upkeep_thread__tells_of_a_leak_by_itself, leaks__are_not_looked_for_unless_asked,
          free__tells_who_still_holds_and_the_response_goes_on, leak_ms__is_checked)
