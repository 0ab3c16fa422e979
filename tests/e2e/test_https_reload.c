/* Certificates and roots are replaced while the manager works: new connections are made with the
 * new ones, old connections end. */

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/manager.h"
#include "pool/core.h"
#include "support/https_scene.h"
#include "support/requests.h"
#include "support/run_tests.h"
#include "support/tls_client.h"

enum {
    NUM_THREADS = 6,
    NUM_REQUESTS = 40
};

static struct urlpool_manager *manager_for(const struct https_scene *scene)
{
    return test_manager(
        &(struct urlpool_manager_options){.tls = scene->tls, .retries = TEST_ONE_TRY});
}

static void set(struct urlpool_manager *manager, struct urlpool_tls *tls)
{
    ck_assert_int_eq(urlpool_manager_set_tls(manager, tls, &test_err), URLPOOL_OK);
}

START_TEST(reload__new_connections_are_made_with_the_new_roots)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = manager_for(&scene);
    struct test_cert *other_ca = test_ca("Other CA");
    struct urlpool_tls *other = test_trust(other_ca);
    struct urlpool_tls *again = test_trust(scene.ca);

    test_get(manager, scene.server);
    set(manager, other);
    urlpool_tls_unref(other); /* the manager has its own reference */
    ck_assert_uint_eq(test_stats(manager).idle, 0);
    ck_assert_uint_eq(test_stats(manager).closed[URLPOOL_CLOSED_CLEARED], 1);
    ck_assert_int_eq(test_fetch_fails(manager, "GET", scene.server, "/", NULL),
                     URLPOOL_E_TLS_VERIFY);
    set(manager, again);
    test_get(manager, scene.server);
    test_get(manager, scene.server);
    ck_assert_uint_eq(test_stats(manager).idle, 1);
    ck_assert_uint_eq(test_stats(manager).tls_full, 2); /* nothing is resumed of another serial */
    urlpool_tls_unref(again);
    urlpool_manager_free(manager);
    test_cert_free(other_ca);
    https_scene_end(&scene);
}
END_TEST

START_TEST(reload__a_response_under_way_is_read_to_its_end)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = manager_for(&scene);
    struct urlpool_tls *again = test_trust(scene.ca);
    const struct urlpool_request_options stream = {.stream = true};
    struct urlpool_response *response = test_fetch(manager, "GET", scene.server, "/", &stream);
    char body[16];
    size_t len = 0;

    set(manager, again);
    ck_assert_uint_eq(test_stats(manager).open, 1);
    ck_assert_int_eq(urlpool_response_read(response, body, sizeof(body), &len, &test_err),
                     URLPOOL_OK);
    ck_assert_uint_eq(len, 5);
    ck_assert_int_eq(memcmp(body, "hello", 5), 0);
    urlpool_response_free(response);
    ck_assert_uint_eq(test_stats(manager).open, 0); /* it came home and died */
    test_get(manager, scene.server);
    ck_assert_uint_eq(test_server_num_connections(scene.server), 2);
    urlpool_tls_unref(again);
    urlpool_manager_free(manager);
    https_scene_end(&scene);
}
END_TEST

START_TEST(reload__to_the_same_configuration_ends_nothing)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = manager_for(&scene);

    test_get(manager, scene.server);
    set(manager, scene.tls);
    test_get(manager, scene.server);
    ck_assert_uint_eq(test_server_num_connections(scene.server), 1);
    urlpool_manager_free(manager);
    https_scene_end(&scene);
}
END_TEST

START_TEST(reload__leaves_http_alone)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct test_server *plain = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = manager_for(&scene);
    struct urlpool_tls *again = test_trust(scene.ca);

    test_get(manager, plain);
    test_get(manager, scene.server);
    set(manager, again);
    ck_assert_uint_eq(test_stats(manager).idle, 1);
    test_get(manager, plain);
    ck_assert_uint_eq(test_server_num_connections(plain), 1);
    urlpool_tls_unref(again);
    urlpool_manager_free(manager);
    test_server_stop(plain);
    https_scene_end(&scene);
}
END_TEST

START_TEST(reload__of_nothing_is_the_default_built_anew)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = manager_for(&scene);
    char *dir = test_dir();
    char *pem = test_cert_pem(scene.ca);
    char *file = test_file(dir, "roots.pem", pem);

    (void)unsetenv("SSL_CERT_FILE");
    (void)unsetenv("SSL_CERT_DIR");
    test_get(manager, scene.server);
    set(manager, NULL);
    ck_assert_int_eq(test_fetch_fails(manager, "GET", scene.server, "/", NULL),
                     URLPOOL_E_TLS_VERIFY);
    (void)setenv("SSL_CERT_FILE", file, 1);
    ck_assert_int_eq(test_fetch_fails(manager, "GET", scene.server, "/", NULL),
                     URLPOOL_E_TLS_VERIFY); /* what was built stays */
    set(manager, NULL);
    test_get(manager, scene.server);
    urlpool_manager_free(manager);
    free(file);
    free(pem);
    test_dir_remove(dir);
    https_scene_end(&scene);
}
END_TEST

START_TEST(reload__a_pool_in_hand_goes_on_as_it_began)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = manager_for(&scene);
    struct test_cert *other_ca = test_ca("Other CA");
    struct urlpool_tls *other = test_trust(other_ca);
    char url[128];
    struct urlpool_pool *pool = urlpool_manager_pool_for_url(
        manager, test_server_url(scene.server, "/", url, sizeof(url)), &test_err);
    struct urlpool_response *response;

    set(manager, other);
    response = urlpool_pool_request(pool, "GET", "/", NULL, &test_err);
    ck_assert_msg(response != NULL, "%s", test_err.message);
    urlpool_response_free(response);
    ck_assert_uint_eq(test_stats(manager).open, 0); /* but keeps no connection */
    urlpool_pool_unref(pool);
    urlpool_tls_unref(other);
    urlpool_manager_free(manager);
    test_cert_free(other_ca);
    https_scene_end(&scene);
}
END_TEST

START_TEST(reload__needs_a_manager)
{
    ck_assert_int_eq(urlpool_manager_set_tls(NULL, NULL, &test_err), URLPOOL_E_INVALID);
}
END_TEST

/* struct intruder sets another configuration in the middle of a call: at its `left`th allocation.
 */
struct intruder {
    int left; /* 0: it has been, or is not to be */
    int num_done;
    struct urlpool_manager *manager;
    struct urlpool_tls *tls;
};

/* is_locked: what another thread can do only before or after, this one cannot do now. */
static bool is_locked(struct urlpool_manager *manager)
{
    pthread_mutex_t *mutex = &atomic_load(&manager->pools->core)->mutex.native;

    if (pthread_mutex_trylock(mutex) != 0) {
        return true;
    }
    ck_assert_int_eq(pthread_mutex_unlock(mutex), 0);
    return false;
}

static void *allocate(void *user, size_t size)
{
    struct intruder *intruder = user;

    if (intruder->left > 0 && --intruder->left == 0 && !is_locked(intruder->manager)) {
        intruder->num_done++;
        set(intruder->manager, intruder->tls);
    }
    return malloc(size);
}

static void *reallocate(void *user, void *block, size_t size)
{
    (void)user;
    return realloc(block, size);
}

static void release(void *user, void *block)
{
    (void)user;
    free(block);
}

/* Wherever it happens while a pool is looked for: no pool of the old configuration stays. */
START_TEST(reload__in_the_middle_of_a_look_for_a_pool_leaves_none_of_the_old)
{
    struct intruder intruder = {.left = 0};
    const struct urlpool_allocator allocator = {
        .allocate = allocate, .reallocate = reallocate, .release = release, .user = &intruder};
    const struct urlpool_tls_options any = {.insecure_no_verify = true};

    ck_assert_int_eq(urlpool_set_allocator(&allocator, NULL), URLPOOL_OK);
    for (int nth = 1; intruder.left == 0; nth++) {
        struct urlpool_tls *old = urlpool_tls_new(&any, NULL);
        struct urlpool_pool *pool;
        struct urlpool_pool *again;

        intruder.tls = urlpool_tls_new(&any, NULL);
        intruder.manager = test_manager(&(struct urlpool_manager_options){.tls = old});
        intruder.left = nth;
        pool = urlpool_manager_pool_for_url(intruder.manager, "https://a.example/", &test_err);
        again = urlpool_manager_pool_for_url(intruder.manager, "https://a.example/", &test_err);
        ck_assert_ptr_nonnull(pool);
        ck_assert_uint_eq(test_stats(intruder.manager).pools, 1);
        urlpool_pool_unref(again);
        urlpool_pool_unref(pool);
        urlpool_manager_free(intruder.manager);
        urlpool_tls_unref(intruder.tls);
        urlpool_tls_unref(old);
    }
    ck_assert_int_ge(intruder.num_done, 2); /* a pool and its name */
}
END_TEST

struct job {
    struct urlpool_manager *manager;
    char url[128];
    _Atomic unsigned num_right;
};

static void *work(void *user)
{
    struct job *job = user;

    for (int i = 0; i < NUM_REQUESTS; i++) {
        struct urlpool_error err;
        struct urlpool_response *response =
            urlpool_request(job->manager, "GET", job->url, NULL, &err);

        if (response == NULL) {
            (void)fprintf(stderr, "%s: %s\n", urlpool_code_name(err.code), err.message);
        } else {
            atomic_fetch_add(&job->num_right, response->status == 200);
        }
        urlpool_response_free(response);
    }
    return NULL;
}

START_TEST(reload__happens_while_threads_make_requests)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct job job = {.manager = manager_for(&scene)};
    pthread_t threads[NUM_THREADS];
    char *line;

    (void)test_server_url(scene.server, "/", job.url, sizeof(job.url));
    for (int i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &job), 0);
    }
    for (int i = 0; i < 20; i++) {
        struct urlpool_tls *next = test_trust(scene.ca);

        set(job.manager, next);
        urlpool_tls_unref(next);
    }
    for (int i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    }
    ck_assert_uint_eq(job.num_right, NUM_THREADS * NUM_REQUESTS);
    test_get(job.manager, scene.server);
    ck_assert_uint_eq(test_stats(job.manager).pools, 1); /* none of an old configuration is left */
    line = urlpool_manager_describe(job.manager, &test_err);
    ck_assert_ptr_null(strstr(line, "retired"));
    urlpool_string_free(line);
    urlpool_manager_free(job.manager);
    https_scene_end(&scene);
}
END_TEST

RUN_TESTS("https reload", reload__new_connections_are_made_with_the_new_roots,
          reload__a_response_under_way_is_read_to_its_end,
          reload__to_the_same_configuration_ends_nothing, reload__leaves_http_alone,
          reload__of_nothing_is_the_default_built_anew, reload__a_pool_in_hand_goes_on_as_it_began,
          reload__needs_a_manager,
          reload__in_the_middle_of_a_look_for_a_pool_leaves_none_of_the_old,
          reload__happens_while_threads_make_requests)
