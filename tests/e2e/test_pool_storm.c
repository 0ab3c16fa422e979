/* The pool under everything at once, over real sockets: 64 threads with random deadlines, cancels,
 * half-read and held responses; origins that are slow to resolve, refuse, never answer or close;
 * meanwhile clears, changes of network, rounds of upkeep, figures; and a close in the middle of it.
 * The trace sink uses the manager from within. The seed is printed; URLP_STRESS_SEED=<n> begins
 * with another. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support/dns_server.h"
#include "support/failing_allocator.h"
#include "support/loopback.h"
#include "support/requests.h"
#include "support/run_tests.h"

enum {
    NUM_WORKERS = 64,
    NUM_DISTURBERS = 2,
    NUM_URLS = 7,
    RUN_MS = 1500
};

/* A worker's token, which a disturber may use at any time. */
struct token {
    pthread_mutex_t mutex;
    struct urlpool_cancel *cancel;
};

struct storm {
    struct test_server *servers[2];
    struct dns_server *dns;
    struct loopback_hole hole;
    int refusing;
    struct urlpool_manager *manager;
    char urls[NUM_URLS][96];
    struct token tokens[NUM_WORKERS];
    atomic_bool is_over; /* the manager is closed */
    bool is_full;        /* max_total is less than is asked for: what comes free is waited for */
    _Atomic unsigned seed;
    _Atomic unsigned num_ends[2]; /* failures, answers */
    _Atomic unsigned num_told;
};

struct worker {
    struct storm *storm;
    pthread_t thread;
    unsigned seed;
    int index;
};

static bool one_in(unsigned *seed, int n)
{
    return rand_r(seed) % n == 0;
}

static void rest_us(unsigned us)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = us * 1000L}, NULL);
}

static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    struct storm *storm = user;
    unsigned seed = atomic_fetch_add(&storm->seed, 7919);

    (void)request;
    if (one_in(&seed, 4)) {
        rest_us((unsigned)(rand_r(&seed) % 3000));
    }
    switch (rand_r(&seed) % 16) {
    case 0:
        test_peer_close(peer);
        return;
    case 1:
        test_peer_reset(peer);
        return;
    case 2:
        test_peer_reply(peer, 200, "Connection: close\r\n", "hello");
        test_peer_close(peer);
        return;
    case 3:
        test_peer_reply(peer, 200, NULL, "hello");
        test_peer_close(peer); /* without a word */
        return;
    default:
        test_peer_reply(peer, 200, NULL, "hello");
        return;
    }
}

/* check_figures: no figure was counted down below zero, and those of one moment agree. */
static void check_figures(const struct urlpool_stats *stats)
{
    ck_assert_uint_lt(stats->idle, 1U << 20);
    ck_assert_uint_lt(stats->leased, 1U << 20);
    ck_assert_uint_lt(stats->dialling, 1U << 20);
    ck_assert_uint_lt(stats->half_dials, 1U << 20);
    ck_assert_uint_lt(stats->waiting, 1U << 20);
    ck_assert_uint_lt(stats->reused, UINT64_C(1) << 40);
    ck_assert_uint_lt(stats->dials_resumed, UINT64_C(1) << 40);
    ck_assert_uint_lt(stats->pools, 1U << 20);
    ck_assert_uint_eq(stats->open, stats->idle + stats->leased + stats->dialling);
    ck_assert_uint_le(stats->half_dials, stats->dialling);
}

/* see uses the manager in the middle of whatever its thread does. */
static void see(void *user, const struct urlpool_trace_event *event)
{
    struct storm *storm = user;
    struct urlpool_stats stats = {0};
    unsigned num = atomic_fetch_add(&storm->num_told, 1);

    if (event->kind == URLPOOL_TRACE_LEAK || num % 64 == 0) {
        struct urlpool_manager *manager = urlpool_manager_ref(storm->manager);

        urlpool_manager_stats(manager, &stats, sizeof(stats));
        check_figures(&stats);
        urlpool_string_free(urlpool_manager_describe(manager, NULL));
        urlpool_manager_unref(manager);
    }
}

/* renew_token gives the worker a token that is not used, sometimes. */
static const struct urlpool_cancel *renew_token(struct worker *worker)
{
    struct token *token = &worker->storm->tokens[worker->index];

    if (!one_in(&worker->seed, 3)) {
        return NULL;
    }
    pthread_mutex_lock(&token->mutex);
    if (token->cancel == NULL || urlpool_cancel_is_set(token->cancel)) {
        urlpool_cancel_free(token->cancel);
        token->cancel = urlpool_cancel_new(NULL);
    }
    pthread_mutex_unlock(&token->mutex);
    return token->cancel;
}

static int64_t random_ms(unsigned *seed, int max)
{
    return one_in(seed, 2) ? 1 + rand_r(seed) % max : 0;
}

/* use reads what there is, or some of it, or keeps it for a while. */
static void use(struct worker *worker, struct urlpool_response *response, bool is_streamed)
{
    char data[8];
    size_t len;

    if (is_streamed && one_in(&worker->seed, 2)) {
        ck_assert_int_ge(urlpool_response_read(response, data, 3, &len, NULL), URLPOOL_OK);
    }
    if (one_in(&worker->seed, 16)) {
        rest_us((unsigned)(rand_r(&worker->seed) % 20000));
    }
    urlpool_response_free(response);
}

static void request_once(struct worker *worker)
{
    struct storm *storm = worker->storm;
    struct urlpool_error err;
    struct urlpool_response *response;
    struct urlpool_request_options options = {.stream = one_in(&worker->seed, 3),
                                              .cancel = renew_token(worker)};
    /* Half of all to the first two, so that dials have something to be overtaken by. */
    int which = rand_r(&worker->seed) % (one_in(&worker->seed, 2) ? 2 : NUM_URLS);

    options.timeout.total_ms = random_ms(&worker->seed, 60);
    options.timeout.connect_ms = 1 + rand_r(&worker->seed) % 80;
    options.timeout.pool_ms = random_ms(&worker->seed, 40);
    options.timeout.read_ms = 2000;
    options.retries.total = one_in(&worker->seed, 2) ? URLPOOL_NONE : 1;
    response = urlpool_request(storm->manager, one_in(&worker->seed, 4) ? "POST" : "GET",
                               storm->urls[which], &options, &err);
    atomic_fetch_add(&storm->num_ends[response != NULL], 1);
    if (response != NULL) {
        use(worker, response, options.stream);
    } else {
        ck_assert_int_ne(err.code, URLPOOL_OK);
        ck_assert_uint_gt(strlen(err.message), 0);
        ck_assert_int_ne(err.code, URLPOOL_E_NOMEM);
        ck_assert_int_ne(err.code, URLPOOL_E_SYSTEM);
        ck_assert(err.code != URLPOOL_E_CANCELLED || urlpool_cancel_is_set(options.cancel));
        ck_assert(err.code != URLPOOL_E_TOTAL_TIMEOUT || options.timeout.total_ms > 0);
        ck_assert(err.code != URLPOOL_E_POOL_CLOSED || atomic_load(&storm->is_over));
    }
}

static void *work(void *arg)
{
    struct worker *worker = arg;

    do {
        request_once(worker);
    } while (!atomic_load(&worker->storm->is_over));
    return NULL;
}

static void disturb_once(struct storm *storm, unsigned *seed)
{
    struct token *token = &storm->tokens[rand_r(seed) % NUM_WORKERS];
    struct urlpool_stats stats = {0};

    pthread_mutex_lock(&token->mutex);
    urlpool_cancel_now(token->cancel);
    pthread_mutex_unlock(&token->mutex);
    switch (rand_r(seed) % 32) {
    case 0:
        urlpool_manager_clear(storm->manager);
        break;
    case 1:
        urlpool_manager_network_changed(storm->manager);
        break;
    case 2:
        (void)urlpool_manager_close_idle(storm->manager);
        break;
    case 3:
        (void)urlpool_manager_maintain(storm->manager);
        break;
    case 4:
        urlpool_string_free(
            urlpool_manager_metrics(storm->manager, URLPOOL_METRICS_OPENMETRICS, NULL));
        break;
    case 5:
        ck_assert_int_ne(
            urlpool_manager_preconnect(storm->manager, storm->urls[rand_r(seed) % 2], 3, NULL),
            URLPOOL_E_NOMEM);
        break;
    default:
        urlpool_manager_stats(storm->manager, &stats, sizeof(stats));
        check_figures(&stats);
        rest_us((unsigned)(rand_r(seed) % 1500));
        break;
    }
}

static void *disturb(void *arg)
{
    struct worker *me = arg;

    while (!atomic_load(&me->storm->is_over)) {
        disturb_once(me->storm, &me->seed);
    }
    return NULL;
}

static void add_name(struct storm *storm, const char *name, enum dns_manner v4, enum dns_manner v6)
{
    dns_server_add(storm->dns, name, DNS_A, 0, "127.0.0.1");
    dns_server_behave(storm->dns, name, DNS_A, v4);
    dns_server_behave(storm->dns, name, DNS_AAAA, v6);
}

/* add_urls: a name without an answer for IPv6 takes 50 ms to dial, long enough to be overtaken. */
static void add_urls(struct storm *storm)
{
    int ports[] = {test_server_port(storm->servers[0]), test_server_port(storm->servers[1])};

    add_name(storm, "slow.example", DNS_ANSWERS, DNS_DROPS);
    add_name(storm, "quick.example", DNS_ANSWERS, DNS_ANSWERS);
    add_name(storm, "lost.example", DNS_DROPS, DNS_DROPS);
    (void)snprintf(storm->urls[0], 96, "http://slow.example:%d/", ports[0]);
    (void)snprintf(storm->urls[1], 96, "http://127.0.0.1:%d/", ports[0]);
    (void)snprintf(storm->urls[2], 96, "http://quick.example:%d/", ports[1]);
    (void)snprintf(storm->urls[3], 96, "http://127.0.0.1:%d/", loopback_port(storm->refusing));
    (void)snprintf(storm->urls[4], 96, "http://127.0.0.1:%d/", loopback_port(storm->hole.listener));
    (void)snprintf(storm->urls[5], 96, "http://lost.example:%d/", ports[0]);
    (void)snprintf(storm->urls[6], 96, "http://slow.example:%d/", ports[1]);
}

static void begin(struct storm *storm, const struct urlpool_manager_options *options)
{
    const char *seed = getenv("URLP_STRESS_SEED");
    struct urlpool_manager_options own = *options;
    unsigned begun = seed != NULL ? (unsigned)strtoul(seed, NULL, 10)
                                  : (unsigned)time(NULL) ^ ((unsigned)getpid() << 8);

    memset(storm, 0, sizeof(*storm));
    atomic_store(&storm->seed, begun);
    printf("seed %u\n", begun);
    (void)fflush(stdout);
    for (int i = 0; i < 2; i++) {
        storm->servers[i] = test_server_start(answer, storm, NULL);
    }
    storm->dns = dns_server_start();
    storm->hole = loopback_hole_open("127.0.0.1", 0);
    storm->refusing = loopback_bind("127.0.0.1", 0);
    add_urls(storm);
    for (int i = 0; i < NUM_WORKERS; i++) {
        pthread_mutex_init(&storm->tokens[i].mutex, NULL);
    }
    storm->is_full = options->max_total != 0;
    own.network.dns_servers = dns_server_address(storm->dns);
    own.trace = (struct urlpool_trace){.event = see, .user = storm};
    storm->manager = test_manager(&own);
}

static void end(struct storm *storm)
{
    urlpool_manager_unref(storm->manager);
    for (int i = 0; i < 2; i++) {
        test_server_stop(storm->servers[i]);
    }
    dns_server_stop(storm->dns);
    loopback_hole_close(&storm->hole);
    (void)close(storm->refusing);
    for (int i = 0; i < NUM_WORKERS; i++) {
        urlpool_cancel_free(storm->tokens[i].cancel);
        pthread_mutex_destroy(&storm->tokens[i].mutex);
    }
}

/* await_rest waits until nobody uses the manager any more: its own thread may be in a dial. */
static struct urlpool_stats await_rest(struct storm *storm)
{
    struct urlpool_stats stats = {0};

    for (int i = 0; i < 10000; i++) {
        stats = test_stats(storm->manager);
        if (stats.open == 0) {
            return stats;
        }
        rest_us(1000);
    }
    ck_abort_msg("still open: %s", urlpool_manager_describe(storm->manager, NULL));
}

static void check_books(struct storm *storm)
{
    struct urlpool_stats stats = await_rest(storm);
    uint64_t num_closed = 0;

    for (int i = 0; i < URLPOOL_CLOSED_NUM; i++) {
        num_closed += stats.closed[i];
    }
    printf(
        "answers %u failures %u opened %llu overtaken %llu resumed %llu shared %llu leaks %llu\n",
        atomic_load(&storm->num_ends[1]), atomic_load(&storm->num_ends[0]),
        (unsigned long long)stats.opened, (unsigned long long)stats.dials_overtaken,
        (unsigned long long)stats.dials_resumed, (unsigned long long)stats.dials_shared,
        (unsigned long long)stats.leaks);
    ck_assert_uint_eq(stats.waiting + stats.pools, 0);
    ck_assert_uint_eq(stats.opened, num_closed);
    ck_assert_uint_gt(atomic_load(&storm->num_ends[1]), 0);
    if (!storm->is_full) {
        ck_assert_uint_gt(stats.dials_overtaken, 0);
    }
}

/* await_nothing waits until nothing is left: a thread of upkeep may end the manager itself. */
static void await_nothing(unsigned num_fds)
{
    for (int i = 0; i < 10000; i++) {
        if (failing_allocator_num_live() == 0 && loopback_num_fds() == num_fds) {
            return;
        }
        rest_us(1000);
    }
    ck_abort_msg("%lld blocks and %u descriptors are left", (long long)failing_allocator_num_live(),
                 loopback_num_fds());
}

static void run(const struct urlpool_manager_options *options)
{
    static struct storm storm;
    static struct worker workers[NUM_WORKERS + NUM_DISTURBERS];
    unsigned num_fds;

    failing_allocator_install();
    num_fds = loopback_num_fds();
    begin(&storm, options);
    for (int i = 0; i < NUM_WORKERS + NUM_DISTURBERS; i++) {
        workers[i] = (struct worker){
            .storm = &storm, .seed = atomic_fetch_add(&storm.seed, 104729), .index = i};
        ck_assert_int_eq(
            pthread_create(&workers[i].thread, NULL, i < NUM_WORKERS ? work : disturb, &workers[i]),
            0);
    }
    for (int i = 0; i < RUN_MS; i++) {
        rest_us(1000);
    }
    atomic_store(&storm.is_over, true);
    urlpool_manager_close(storm.manager);
    for (int i = 0; i < NUM_WORKERS + NUM_DISTURBERS; i++) {
        pthread_join(workers[i].thread, NULL);
    }
    check_books(&storm);
    end(&storm);
    await_nothing(num_fds);
}

START_TEST(storm__with_few_places)
{
    run(&(struct urlpool_manager_options){.maxsize = 2,
                                          .block = true,
                                          .max_total = 9,
                                          .max_waiters = 40,
                                          .dial_pause_max_ms = 5,
                                          .idle_ms = 10,
                                          .leak_ms = 4});
}
END_TEST

START_TEST(storm__with_a_thread_of_upkeep)
{
    run(&(struct urlpool_manager_options){.upkeep_thread = true,
                                          .min_idle = 2,
                                          .maxsize = 3,
                                          .max_idle_total = 6,
                                          .num_pools = 5,
                                          .dial_pause_max_ms = 20,
                                          .lifetime_ms = 50,
                                          .leak_ms = 4});
}
END_TEST

START_TEST(storm__with_few_places_and_a_thread_of_upkeep)
{
    run(&(struct urlpool_manager_options){.upkeep_thread = true,
                                          .min_idle = 1,
                                          .maxsize = 4,
                                          .max_total = 12,
                                          .num_pools = 3,
                                          .dial_pause_max_ms = 5,
                                          .idle_ms = 5,
                                          .leak_ms = 2});
}
END_TEST

RUN_TESTS("pool storm", storm__with_few_places, storm__with_a_thread_of_upkeep,
          storm__with_few_places_and_a_thread_of_upkeep)
