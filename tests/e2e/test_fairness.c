/* Many threads and few places: everybody gets the same. 64 threads ask as fast as they can through
 * eight connections; they begin at a barrier and are counted while all of them run. */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#include "support/requests.h"
#include "support/run_tests.h"

enum {
    NUM_THREADS = 64,
    NUM_PLACES = 8,
    NUM_WARM = 10,  /* requests a thread before counting begins */
    NUM_EACH = 150, /* and in a round, on average */
    NUM_ROUNDS = 10
};

struct scene {
    struct test_server *server;
    struct urlpool_manager *manager;
    pthread_barrier_t barrier;
    atomic_bool is_over;
    atomic_int num_all;
    char url[64];
};

struct worker {
    struct scene *scene;
    pthread_t thread;
    atomic_int num;
};

static void *work(void *arg)
{
    struct worker *worker = arg;
    struct scene *scene = worker->scene;

    (void)pthread_barrier_wait(&scene->barrier);
    while (!atomic_load(&scene->is_over)) {
        struct urlpool_error err;
        struct urlpool_response *response =
            urlpool_request(scene->manager, "GET", scene->url, NULL, &err);
        ck_assert_msg(response != NULL, "%s", err.message);
        urlpool_response_free(response);
        (void)atomic_fetch_add(&worker->num, 1);
        (void)atomic_fetch_add(&scene->num_all, 1);
    }
    return NULL;
}

static struct worker workers[NUM_THREADS];

/* snapshot waits until all have made `num_each` requests on average, and reads what each made. */
static void snapshot(struct scene *scene, int num_each, int out[NUM_THREADS])
{
    while (atomic_load(&scene->num_all) < num_each * NUM_THREADS) {
        (void)sched_yield();
    }
    for (int i = 0; i < NUM_THREADS; i++) {
        out[i] = atomic_load(&workers[i].num);
    }
}

/* is_fair says whether the fastest made at most 1.1 times the requests of the slowest since
 * `before`.
 */
static bool is_fair(const int before[NUM_THREADS], const int after[NUM_THREADS])
{
    int least = after[0] - before[0];
    int most = least;

    for (int i = 1; i < NUM_THREADS; i++) {
        const int num = after[i] - before[i];
        least = num < least ? num : least;
        most = num > most ? num : most;
    }
    printf("slowest %d, fastest %d\n", least, most);
    return most * 10 <= least * 11;
}

static void begin(struct scene *scene)
{
    const struct urlpool_manager_options options = {.maxsize = NUM_PLACES, .block = true};

    scene->server = test_server_start(test_answer_hello, NULL, NULL);
    scene->manager = test_manager(&options);
    (void)test_server_url(scene->server, "/", scene->url, sizeof(scene->url));
    ck_assert_int_eq(pthread_barrier_init(&scene->barrier, NULL, NUM_THREADS), 0);
    for (int i = 0; i < NUM_THREADS; i++) {
        workers[i].scene = scene;
        ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
}

static void end(struct scene *scene)
{
    atomic_store(&scene->is_over, true);
    for (int i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_join(workers[i].thread, NULL), 0);
    }
    urlpool_manager_free(scene->manager);
    test_server_stop(scene->server);
    (void)pthread_barrier_destroy(&scene->barrier);
}

START_TEST(threads__beyond_the_places_get_the_same)
{
    static int before[NUM_THREADS], after[NUM_THREADS];
    static struct scene scene;
    bool fair = false;

    begin(&scene);
    snapshot(&scene, NUM_WARM, before);
    /* what the machine takes from a thread for a while counts for less and less, what the pool
     * does not give it counts for ever */
    for (int round = 1; round <= NUM_ROUNDS && !fair; round++) {
        snapshot(&scene, NUM_WARM + (round * NUM_EACH), after);
        fair = is_fair(before, after);
    }
    ck_assert_uint_eq(test_server_peak_connections(scene.server), NUM_PLACES);
    end(&scene);
    ck_assert(fair);
}
END_TEST

RUN_TESTS("fairness", threads__beyond_the_places_get_the_same)
