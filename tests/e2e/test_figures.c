/* What each origin counts, while many threads work: the sums are the manager's, whatever happens to
 * a request, and no figure ever wraps. */

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/loopback.h"
#include "support/requests.h"
#include "support/run_tests.h"

enum {
    NUM_SERVERS = 3,
    NUM_THREADS = 6,
    NUM_ROUNDS = 60
};

struct scene {
    struct urlpool_manager *manager;
    struct test_server *servers[NUM_SERVERS];
    struct urlpool_pool *pools[NUM_SERVERS + 1]; /* and one of a port where nobody listens */
    int deaf_socket;
    atomic_bool is_over;
    atomic_int next_seed;
};

/* answer does what the target says. */
static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    struct scene *scene = user;
    char fields[128];
    char url[96];

    if (strcmp(request->target, "/busy") == 0) {
        test_peer_reply(peer, request->number % 2 == 0 ? 503 : 200, "Retry-After: 0\r\n", "");
    } else if (strcmp(request->target, "/away") == 0) {
        test_server_url(scene->servers[request->number % NUM_SERVERS], "/", url, sizeof(url));
        (void)snprintf(fields, sizeof(fields), "Location: %s\r\n", url);
        test_peer_reply(peer, 302, fields, "");
    } else if (strcmp(request->target, "/close") == 0) {
        test_peer_reply(peer, 200, NULL, "bye");
        test_peer_close(peer); /* without a word: who reuses it finds it stale */
    } else if (strcmp(request->target, "/cut") == 0) {
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel");
        test_peer_cut(peer);
    } else {
        test_peer_reply(peer, 200, NULL, "hello");
    }
}

static struct urlpool_pool *pool_of(struct scene *scene, int port)
{
    char url[64];
    struct urlpool_pool *pool;

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", port);
    pool = urlpool_manager_pool_for_url(scene->manager, url, &test_err);
    ck_assert_msg(pool != NULL, "%s", test_err.message);
    return pool;
}

static void begin(struct scene *scene)
{
    const struct urlpool_manager_options options = {
        .maxsize = 2, .block = true, .retries = {.total = 2}};

    memset(scene, 0, sizeof(*scene));
    scene->manager = test_manager(&options);
    for (int i = 0; i < NUM_SERVERS; i++) {
        scene->servers[i] = test_server_start(answer, scene, NULL);
        scene->pools[i] = pool_of(scene, test_server_port(scene->servers[i]));
    }
    scene->deaf_socket = loopback_bind("127.0.0.1", 0);
    scene->pools[NUM_SERVERS] = pool_of(scene, loopback_port(scene->deaf_socket));
}

static void end(struct scene *scene)
{
    for (int i = 0; i <= NUM_SERVERS; i++) {
        urlpool_pool_unref(scene->pools[i]);
    }
    urlpool_manager_free(scene->manager);
    for (int i = 0; i < NUM_SERVERS; i++) {
        test_server_stop(scene->servers[i]);
    }
    (void)close(scene->deaf_socket);
}

static void *work(void *arg)
{
    static const char *const paths[] = {"/", "/busy", "/away", "/close", "/cut", "/"};
    struct scene *scene = arg;
    unsigned seed = (unsigned)atomic_fetch_add(&scene->next_seed, 1);

    for (unsigned i = 0; i < NUM_ROUNDS; i++) {
        const struct urlpool_request_options options = {.stream = i % 3 == 0,
                                                        .timeout = {.pool_ms = 5000}};
        unsigned which = (seed + i * 7) % (NUM_SERVERS * 6 + 1);
        struct urlpool_error err;
        struct urlpool_response *response;

        response =
            urlpool_pool_request(scene->pools[which / 6], "GET",
                                 which / 6 == NUM_SERVERS ? "/" : paths[which % 6], &options, &err);
        if (response != NULL && i % 2 == 0 &&
            urlpool_response_read_all(response, &err) != URLPOOL_OK) {
            ck_assert_int_ne(err.code, URLPOOL_OK);
        }
        urlpool_response_free(response);
    }
    return NULL;
}

/* The figures, each a uint64_t, but those of now that sums are not taken of. */
#define FIRST offsetof(struct urlpool_stats, open)
#define LAST  sizeof(struct urlpool_stats)

static uint64_t figure_at(const struct urlpool_stats *stats, size_t at)
{
    uint64_t value;

    memcpy(&value, (const char *)stats + at, sizeof(value));
    return value;
}

/* No figure of a test comes near this one, but one that has gone below zero. */
#define WRAPPED (UINT64_C(1) << 60)

static void assert_sane(const struct urlpool_stats *stats)
{
    for (size_t at = FIRST; at < LAST; at += sizeof(uint64_t)) {
        ck_assert_msg(figure_at(stats, at) < WRAPPED, "the figure at %zu is below zero", at);
    }
    ck_assert_uint_eq(stats->open, stats->idle + stats->leased + stats->dialling);
    ck_assert_uint_le(stats->half_dials, stats->dialling);
}

static void *watch(void *arg)
{
    struct scene *scene = arg;
    uint64_t requests = 0;

    while (!atomic_load(&scene->is_over)) {
        struct urlpool_stats stats = test_stats(scene->manager);

        assert_sane(&stats);
        ck_assert_uint_ge(stats.requests, requests);
        requests = stats.requests;
        urlpool_pool_stats(scene->pools[0], &stats, sizeof(stats));
        assert_sane(&stats);
        urlpool_string_free(urlpool_manager_describe(scene->manager, NULL));
        urlpool_string_free(
            urlpool_manager_metrics(scene->manager, URLPOOL_METRICS_OPENMETRICS, NULL));
        (void)urlpool_manager_maintain(scene->manager);
    }
    return NULL;
}

/* assert_sums holds the sums over all pools against the manager's figures. */
static void assert_sums(struct scene *scene)
{
    const struct urlpool_stats all = test_stats(scene->manager);
    struct urlpool_stats of[NUM_SERVERS + 1];

    for (int i = 0; i <= NUM_SERVERS; i++) {
        urlpool_pool_stats(scene->pools[i], &of[i], sizeof(of[i]));
        assert_sane(&of[i]);
    }
    for (size_t at = FIRST; at < LAST; at += sizeof(uint64_t)) {
        uint64_t sum = 0;

        for (int i = 0; i <= NUM_SERVERS; i++) {
            sum += figure_at(&of[i], at);
        }
        if (at != offsetof(struct urlpool_stats, peak_open)) {
            ck_assert_msg(sum == figure_at(&all, at), "at %zu the sum is %ju, not %ju", at,
                          (uintmax_t)sum, (uintmax_t)figure_at(&all, at));
        }
    }
}

START_TEST(figures__of_all_origins_are_the_managers_while_threads_work)
{
    struct scene scene;
    pthread_t threads[NUM_THREADS];
    pthread_t watcher;
    struct urlpool_stats stats;
    uint64_t num_closed = 0;
    uint64_t num_waits = 0;

    begin(&scene);
    ck_assert_int_eq(pthread_create(&watcher, NULL, watch, &scene), 0);
    for (int i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &scene), 0);
    }
    for (int i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    }
    atomic_store(&scene.is_over, true);
    ck_assert_int_eq(pthread_join(watcher, NULL), 0);
    assert_sums(&scene);
    stats = test_stats(scene.manager);
    ck_assert_uint_eq(stats.requests, NUM_THREADS * NUM_ROUNDS);
    ck_assert_uint_gt(stats.failures, 0);
    ck_assert_uint_gt(stats.redirects, 0);
    ck_assert_uint_gt(stats.retries, 0);
    ck_assert_uint_gt(stats.dial_failures, 0);
    ck_assert_uint_eq(stats.leased + stats.waiting, 0);
    ck_assert_uint_eq(stats.dialling, stats.half_dials); /* a dial that was overtaken at the end */
    for (int why = 0; why < URLPOOL_CLOSED_NUM; why++) {
        num_closed += stats.closed[why];
    }
    ck_assert_uint_eq(stats.opened, stats.idle + num_closed);
    for (int i = 0; i < URLPOOL_WAIT_BUCKETS; i++) {
        num_waits += stats.wait_buckets[i];
    }
    ck_assert_uint_eq(stats.waits, num_waits);
    end(&scene);
}
END_TEST

START_TEST(figures__of_a_request_are_those_of_the_pools_it_gets_to)
{
    struct scene scene;
    struct urlpool_stats first;
    struct urlpool_stats second;
    struct urlpool_response *response;

    begin(&scene);
    response = test_fetch(scene.manager, "GET", scene.servers[0], "/away", NULL); /* to [1] */
    urlpool_response_free(response);
    urlpool_pool_stats(scene.pools[0], &first, sizeof(first));
    urlpool_pool_stats(scene.pools[1], &second, sizeof(second));
    ck_assert_uint_eq(first.requests, 1);
    ck_assert_uint_eq(second.requests, 0); /* it is one request */
    ck_assert_uint_eq(first.redirects, 1);
    ck_assert_uint_eq(second.redirects, 0);
    ck_assert_uint_gt(first.bytes_sent, 50);
    ck_assert_uint_gt(second.bytes_received, 40);
    assert_sums(&scene);
    end(&scene);
}
END_TEST

START_TEST(figures__of_a_lent_connection_are_its_pools)
{
    struct scene scene;
    struct urlpool_connection *lent;
    struct urlpool_response *response;
    struct urlpool_stats stats;

    begin(&scene);
    lent = urlpool_pool_acquire(scene.pools[0], NULL, NULL, &test_err);
    ck_assert_msg(lent != NULL, "%s", test_err.message);
    ck_assert_int_eq(urlpool_connection_request(lent, "GET", "/", NULL, NULL, &test_err),
                     URLPOOL_OK);
    response = urlpool_connection_getresponse(lent, &test_err);
    ck_assert_msg(response != NULL, "%s", test_err.message);
    ck_assert_int_eq(urlpool_response_read_all(response, &test_err), URLPOOL_OK);
    urlpool_response_free(response);
    urlpool_pool_release(scene.pools[0], lent);
    urlpool_pool_stats(scene.pools[0], &stats, sizeof(stats));
    ck_assert_uint_gt(stats.bytes_sent, 20);
    ck_assert_uint_gt(stats.bytes_received, 20);
    ck_assert_uint_eq(stats.requests, 0);
    assert_sums(&scene);
    end(&scene);
}
END_TEST

RUN_TESTS("figures", figures__of_all_origins_are_the_managers_while_threads_work,
          figures__of_a_request_are_those_of_the_pools_it_gets_to,
          figures__of_a_lent_connection_are_its_pools)
