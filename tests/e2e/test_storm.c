/* Many threads, eight origins that go wrong in thirteen ways, plain and over TLS: every answer is
 * the answer to its question, whole; no request outlives its deadline; no POST is delivered twice;
 * what may be tried again comes through.
 *
 * URLPOOL_TEST_SEED plays a run again, URLPOOL_TEST_REQUESTS is how many requests each thread
 * makes in a round, URLPOOL_TEST_ROUNDS how many rounds there are (but under
 * sanitizers). */

#include <inttypes.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/certs.h"
#include "support/fault_server.h"
#include "support/now.h"
#include "support/requests.h"
#include "support/run_tests.h"
#include "support/sanitizers.h"
#include "support/tls_client.h"

enum {
    NUM_SERVERS = 8,
    NUM_TLS = 2, /* of them */
    PLACES = 6,  /* a server */
    URL_BYTES = 128,
    READ_MS = 150, /* a stall is found so */
    TOTAL_MS = 30000,
    LATE_MS = 5000 /* past its deadline a request is not late but hanging */
};

/* In rounds, each a process of its own: what a thread asks in one. */
#if HAS_TSAN
#define IS_SLOW      1
#define NUM_THREADS  16
#define NUM_ROUNDS   2
#define NUM_REQUESTS 150
#elif HAS_ASAN
#define IS_SLOW      1
#define NUM_THREADS  32
#define NUM_ROUNDS   3
#define NUM_REQUESTS 150
#else
#define IS_SLOW      0
#define NUM_THREADS  64
#define NUM_ROUNDS   4
#define NUM_REQUESTS 300
#endif

/* struct storm is everything the threads share. */
struct storm {
    uint64_t seed;
    size_t num_requests; /* of each thread */
    struct test_cert *ca, *leaf;
    SSL_CTX *context;
    struct urlpool_tls *tls;
    struct fault_server *servers[NUM_SERVERS];
    struct urlpool_manager *manager;
    _Atomic size_t num_ids, num_gets, num_posts, num_posts_failed, num_farewells, num_cut;
    _Atomic int64_t worst_ms;
    struct question *sent; /* of each id */
};

/* struct question is what is known of a question: where it went, and whether it was a POST that
 * got its answer. */
struct question {
    uint8_t server;
    bool is_post, is_answered, is_surely_unsent;
};

static uint64_t next(uint64_t *chance)
{
    *chance ^= *chance << 13;
    *chance ^= *chance >> 7;
    *chance ^= *chance << 17;
    return *chance;
}

/* blame ends the test, and tells how to play it again. */
static void blame(const struct storm *storm, size_t id, const char *what, const char *detail)
{
    ck_abort_msg("URLPOOL_TEST_SEED=%" PRIu64 ": question %zu (%s to server %u): %s: %s",
                 storm->seed, id, storm->sent[id].is_post ? "POST" : "GET",
                 (unsigned)storm->sent[id].server, what, detail);
}

/* check_answer holds a response against its question. */
static void check_answer(struct storm *storm, size_t id, const struct urlpool_response *response)
{
    const char *fault = urlpool_response_header(response, "X-Fault");
    const char *said = urlpool_response_header(response, "X-Id");
    char expected[32];
    bool is_cut;

    if (response->status == 408 && storm->sent[id].is_post) {
        atomic_fetch_add(&storm->num_farewells, 1); /* for the idle connection: not delivered */
        storm->sent[id].is_surely_unsent = true;
        return;
    }
    snprintf(expected, sizeof(expected), "%zu", id);
    if (response->status != 200 || said == NULL || fault == NULL || strcmp(said, expected) != 0) {
        blame(storm, id, "answer to another question", said != NULL ? said : "no id");
        return;
    }
    is_cut = strcmp(fault, "short-length") == 0;
    if (!fault_answer_is_right(response->data, response->data_len, id, is_cut)) {
        blame(storm, id, "wrong body", fault);
    }
    atomic_fetch_add(&storm->num_cut, is_cut ? 1 : 0);
    storm->sent[id].is_answered = true;
}

static void note_time(struct storm *storm, size_t id, int64_t took_ms)
{
    int64_t worst = atomic_load(&storm->worst_ms);

    while (took_ms > worst && !atomic_compare_exchange_weak(&storm->worst_ms, &worst, took_ms)) {
        /* another thread was in between */
    }
    if (took_ms > TOTAL_MS + LATE_MS) {
        blame(storm, id, "outlived its deadline", "hang");
    }
}

/* ask asks one question. */
static void ask(struct storm *storm, uint64_t *chance)
{
    const size_t id = atomic_fetch_add(&storm->num_ids, 1);
    const unsigned server = (unsigned)(next(chance) % NUM_SERVERS);
    const bool is_post = next(chance) % 5 == 0;
    struct urlpool_request_options options = {0};
    struct urlpool_error err = {0};
    struct urlpool_response *response;
    char url[URL_BYTES];
    int64_t began_ms = test_now_ms();

    if (is_post) {
        options.body = urlpool_body_bytes("pay", 3);
    }
    storm->sent[id] = (struct question){.server = (uint8_t)server, .is_post = is_post};
    response = urlpool_request(storm->manager, is_post ? "POST" : "GET",
                               fault_server_url(storm->servers[server], id, url, sizeof(url)),
                               &options, &err);
    note_time(storm, id, test_now_ms() - began_ms);
    if (response != NULL) {
        check_answer(storm, id, response);
    } else if (is_post) {
        storm->sent[id].is_surely_unsent = !err.maybe_processed;
        atomic_fetch_add(&storm->num_posts_failed, 1);
    } else {
        blame(storm, id, "can be tried again, and failed", err.message);
    }
    atomic_fetch_add(is_post ? &storm->num_posts : &storm->num_gets, 1);
    urlpool_response_free(response);
}

struct asker {
    struct storm *storm;
    uint64_t chance;
    pthread_t thread;
};

static void *ask_all(void *arg)
{
    struct asker *asker = arg;

    for (size_t i = 0; i < asker->storm->num_requests; i++) {
        ask(asker->storm, &asker->chance);
    }
    return NULL;
}

static void begin(struct storm *storm, int round)
{
    static const struct test_name names[] = {TEST_IP("\x7f\x00\x00\x01")};
    static const struct test_cert_options leaf = {.names = names, .num_names = 1};
    const char *seed = getenv("URLPOOL_TEST_SEED");
    const char *requests = getenv("URLPOOL_TEST_REQUESTS");
    struct urlpool_manager_options options = {
        .maxsize = PLACES,
        .block = true,
        .timeout = {.read_ms = READ_MS, .total_ms = TOTAL_MS},
        .retries = {.total = 30                 },
    };
    size_t num_ids;

    storm->seed =
        (seed != NULL ? strtoull(seed, NULL, 10) : (uint64_t)test_now_ms() * 2654435761U) +
        (uint64_t)round;
    storm->num_requests = requests != NULL ? strtoul(requests, NULL, 10) : NUM_REQUESTS;
    num_ids = NUM_THREADS * storm->num_requests;
    storm->sent = calloc(num_ids, sizeof(*storm->sent));
    ck_assert_ptr_nonnull(storm->sent);
    storm->ca = test_ca("Storm CA");
    storm->leaf = test_cert_new(&leaf, storm->ca);
    storm->context =
        test_cert_context((const struct test_cert *const[]){storm->leaf, storm->ca, NULL});
    storm->tls = test_trust(storm->ca);
    for (unsigned i = 0; i < NUM_SERVERS; i++) {
        storm->servers[i] = fault_server_start(storm->seed + i, &fault_mix_usual, num_ids,
                                               i < NUM_TLS ? storm->context : NULL);
    }
    options.tls = storm->tls;
    storm->manager = test_manager(&options);
    printf("URLPOOL_TEST_SEED=%" PRIu64 "\n", storm->seed);
    fflush(stdout);
}

/* check_posts holds what the servers have got against what the client knows. */
static void check_posts(const struct storm *storm)
{
    for (size_t id = 0; id < storm->num_ids; id++) {
        const struct question *sent = &storm->sent[id];
        unsigned num = fault_server_num_posts(storm->servers[sent->server], id);

        if (sent->is_post &&
            (num > 1 || (sent->is_answered && num != 1) || (sent->is_surely_unsent && num != 0))) {
            blame(storm, id, "delivered so often",
                  num > 1 ? "twice" : (num == 1 ? "once" : "never"));
        }
    }
}

/* check_books holds the manager's figures against the servers'. */
static void check_books(const struct storm *storm)
{
    const struct urlpool_stats stats = test_stats(storm->manager);
    unsigned num_connections = 0;
    uint64_t num_closed = 0;

    for (int i = 0; i < NUM_SERVERS; i++) {
        num_connections += fault_server_num_connections(storm->servers[i]);
    }
    for (int i = 0; i < URLPOOL_CLOSED_NUM; i++) {
        num_closed += stats.closed[i];
    }
    ck_assert_uint_eq(stats.requests, storm->num_ids);
    ck_assert_uint_eq(stats.leased + stats.dialling + stats.waiting, stats.half_dials);
    ck_assert_uint_eq(stats.opened + stats.half_dials, stats.open + num_closed);
    ck_assert_uint_le(stats.opened, num_connections);
    ck_assert_uint_le(stats.peak_open, NUM_SERVERS * PLACES);
}

static void report(const struct storm *storm)
{
    const struct urlpool_stats stats = test_stats(storm->manager);

    printf("%zu requests: %zu GET, %zu POST (%zu failed, %zu told 408), worst %" PRId64
           " ms, %" PRIu64 " connections, %" PRIu64 " retries, %" PRIu64 " stale\nfaults:",
           storm->num_ids, storm->num_gets, storm->num_posts, storm->num_posts_failed,
           storm->num_farewells, storm->worst_ms, stats.opened, stats.retries, stats.stale_retries);
    for (int fault = 0; fault < FAULT_NUM; fault++) {
        unsigned num = 0;

        for (int i = 0; i < NUM_SERVERS; i++) {
            num += fault_server_num(storm->servers[i], (enum fault)fault);
        }
        printf(" %s %u", fault_name((enum fault)fault), num);
        ck_assert(num > 0 || storm->num_ids < 2000); /* else too few to be drawn */
    }
    printf("\n");
}

static void end(struct storm *storm)
{
    urlpool_manager_free(storm->manager);
    for (int i = 0; i < NUM_SERVERS; i++) {
        fault_server_stop(storm->servers[i]);
    }
    urlpool_tls_unref(storm->tls);
    SSL_CTX_free(storm->context);
    test_cert_free(storm->leaf);
    test_cert_free(storm->ca);
    free(storm->sent);
}

START_TEST(storm__brings_every_answer_to_its_question)
{
    static struct storm storm;
    struct asker askers[NUM_THREADS];

    begin(&storm, _i);
    for (size_t i = 0; i < NUM_THREADS; i++) {
        askers[i] = (struct asker){.storm = &storm, .chance = (storm.seed | 1) * (2 * i + 1)};
        ck_assert_int_eq(pthread_create(&askers[i].thread, NULL, ask_all, &askers[i]), 0);
    }
    for (size_t i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_join(askers[i].thread, NULL), 0);
    }
    check_posts(&storm);
    check_books(&storm);
    report(&storm);
    end(&storm);
}
END_TEST

int main(void)
{
    const char *asked = getenv("URLPOOL_TEST_ROUNDS");
    const size_t num_rounds = asked != NULL && !IS_SLOW ? strtoul(asked, NULL, 10) : NUM_ROUNDS;
    const struct test_loop loops[] = {
        {storm__brings_every_answer_to_its_question, num_rounds}
    };

    return run_loops("storm", loops, 1);
}
