/* The thread of upkeep against everything else that a manager's users do at once: requests, idle
 * connections closed, pools cleared, the network changed, rounds by hand, forks, and the end. The
 * server closes connections as it likes. Nothing is lost, nothing left, nobody waits for ever. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/failing_allocator.h"
#include "support/loopback.h"
#include "support/requests.h"
#include "support/run_tests.h"
#include "support/sanitizers.h"

enum {
    NUM_WORKERS = 8,
    NUM_REQUESTS = 150, /* of each */
    NUM_FORKS = 4,
    NUM_ENDS = 25
};

#define CAN_FORK (!IS_SANITIZED)

struct scene {
    struct test_server *server;
    struct urlpool_manager *manager;
    char url[128];
    _Atomic unsigned seed;
    _Atomic int num_working;
    _Atomic unsigned num_answers, num_failures;
};

static unsigned next_seed(struct scene *scene)
{
    return atomic_fetch_add(&scene->seed, 7919);
}

/* answer_and_perhaps_close closes one connection in four behind its answer. */
static void answer_and_perhaps_close(struct test_peer *peer, const struct test_request *request,
                                     void *user)
{
    struct scene *scene = user;
    unsigned seed = next_seed(scene);

    (void)request;
    test_peer_reply(peer, 200, NULL, "hello");
    if (rand_r(&seed) % 4 == 0) {
        test_peer_close(peer);
    }
}

static void *work(void *arg)
{
    struct scene *scene = arg;
    unsigned seed = next_seed(scene);

    for (int i = 0; i < NUM_REQUESTS; i++) {
        struct urlpool_error err;
        struct urlpool_response *response =
            urlpool_request(scene->manager, "GET", scene->url, NULL, &err);

        if (response != NULL && strcmp((const char *)response->data, "hello") == 0) {
            atomic_fetch_add(&scene->num_answers, 1);
        } else {
            fprintf(stderr, "%s: %s\n", urlpool_code_name(err.code), err.message);
            atomic_fetch_add(&scene->num_failures, 1);
        }
        urlpool_response_free(response);
        if (rand_r(&seed) % 8 == 0) {
            (void)nanosleep(&(struct timespec){.tv_nsec = rand_r(&seed) % 3000000}, NULL);
        }
    }
    atomic_fetch_sub(&scene->num_working, 1);
    return NULL;
}

/* fork_once makes a child that makes a request of its own and ends all. */
static void fork_once(struct scene *scene)
{
    pid_t child = fork();
    int status = -1;

    if (child == 0) {
        struct urlpool_response *response;

        (void)alarm(60);
        response = urlpool_request(scene->manager, "GET", scene->url, NULL, NULL);
        urlpool_manager_close(scene->manager);
        urlpool_manager_unref(scene->manager);
        _exit(response != NULL ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

static void disturb_once(struct scene *scene, unsigned *seed)
{
    char *text;

    switch (rand_r(seed) % 6) {
    case 0:
        (void)urlpool_manager_close_idle(scene->manager);
        break;
    case 1:
        urlpool_manager_clear(scene->manager);
        break;
    case 2:
        urlpool_manager_network_changed(scene->manager);
        break;
    case 3:
        (void)urlpool_manager_maintain(scene->manager);
        break;
    case 4:
        text = urlpool_manager_describe(scene->manager, NULL);
        urlpool_string_free(text);
        break;
    default:
        (void)nanosleep(&(struct timespec){.tv_nsec = rand_r(seed) % 2000000}, NULL);
        break;
    }
}

static struct scene begin(const struct urlpool_manager_options *options)
{
    static unsigned num_scenes;
    struct scene scene = {.seed = (unsigned)time(NULL) ^ (unsigned)getpid() ^ num_scenes++};

    printf("seed %u\n", atomic_load(&scene.seed));
    scene.manager = test_manager(options);
    return scene;
}

/* await_nothing waits until nothing is left: a thread that was in the middle of a dial ends the
 * manager itself, and may take a moment. */
static void await_nothing(unsigned num_fds)
{
    for (int i = 0; i < 10000; i++) {
        if (failing_allocator_num_live() == 0 && loopback_num_fds() == num_fds) {
            return;
        }
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    ck_abort_msg("%lld blocks and %u descriptors are left", (long long)failing_allocator_num_live(),
                 loopback_num_fds());
}

static void stress(const struct urlpool_manager_options *options)
{
    struct scene scene;
    pthread_t threads[NUM_WORKERS];
    struct urlpool_stats stats;
    uint64_t num_closed = 0;
    unsigned num_fds;
    unsigned seed;
    int num_forks = 0;

    failing_allocator_install();
    num_fds = loopback_num_fds();
    scene = begin(options);
    scene.server = test_server_start(answer_and_perhaps_close, &scene, NULL);
    test_server_url(scene.server, "/", scene.url, sizeof(scene.url));
    atomic_store(&scene.num_working, NUM_WORKERS);
    for (int i = 0; i < NUM_WORKERS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &scene), 0);
    }
    seed = next_seed(&scene);
    while (atomic_load(&scene.num_working) > 0) {
        disturb_once(&scene, &seed);
        if (CAN_FORK && num_forks < NUM_FORKS && rand_r(&seed) % 50 == 0) {
            fork_once(&scene);
            num_forks++;
        }
    }
    for (int i = 0; i < NUM_WORKERS; i++) {
        pthread_join(threads[i], NULL);
    }
    urlpool_manager_close(scene.manager);
    stats = test_stats(scene.manager);
    for (int i = 0; i < URLPOOL_CLOSED_NUM; i++) {
        num_closed += stats.closed[i];
    }
    ck_assert_uint_eq(scene.num_failures, 0);
    ck_assert_uint_eq(scene.num_answers, NUM_WORKERS * NUM_REQUESTS);
    ck_assert_uint_eq(stats.open + stats.waiting + stats.pools, 0);
    ck_assert_uint_eq(stats.opened, num_closed);
    urlpool_manager_free(scene.manager);
    test_server_stop(scene.server);
    await_nothing(num_fds);
}

START_TEST(stress__with_few_places)
{
    stress(&(struct urlpool_manager_options){.upkeep_thread = true,
                                             .min_idle = 2,
                                             .maxsize = 3,
                                             .block = true,
                                             .idle_ms = 3,
                                             .lifetime_ms = 20});
}
END_TEST

START_TEST(stress__with_as_many_places_as_are_asked_for)
{
    stress(&(struct urlpool_manager_options){
        .upkeep_thread = true, .min_idle = 4, .max_idle_total = 5, .idle_ms = 5});
}
END_TEST

static void *maintain(void *manager)
{
    (void)urlpool_manager_maintain(manager);
    return NULL;
}

static void *close_idle(void *manager)
{
    (void)urlpool_manager_close_idle(manager);
    return NULL;
}

/* end_once closes and frees the manager at any moment of what its threads do. */
static void end_once(const struct urlpool_manager_options *options)
{
    struct scene scene = begin(options);
    pthread_t threads[NUM_WORKERS];
    unsigned seed;

    scene.server = test_server_start(answer_and_perhaps_close, &scene, NULL);
    test_server_url(scene.server, "/", scene.url, sizeof(scene.url));
    test_get(scene.manager, scene.server);
    seed = next_seed(&scene);
    for (int i = 0; i < 2; i++) {
        (void)urlpool_manager_ref(scene.manager);
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, i == 0 ? maintain : close_idle, scene.manager), 0);
    }
    (void)nanosleep(&(struct timespec){.tv_nsec = rand_r(&seed) % 2000000}, NULL);
    urlpool_manager_free(scene.manager);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        urlpool_manager_unref(scene.manager);
    }
    test_server_stop(scene.server);
}

START_TEST(stress__ends_at_any_moment)
{
    unsigned num_fds;

    failing_allocator_install();
    num_fds = loopback_num_fds();
    for (int i = 0; i < NUM_ENDS; i++) {
        end_once(&(struct urlpool_manager_options){
            .upkeep_thread = true, .min_idle = i % 3, .idle_ms = 1});
        await_nothing(num_fds);
    }
}
END_TEST

RUN_TESTS("upkeep stress", stress__with_few_places, stress__with_as_many_places_as_are_asked_for,
          stress__ends_at_any_moment)
