/* Threads against servers that do what they should not, at random: every answer is the one to its
 * own question, nothing that changes the server is delivered twice, nothing hangs, nothing leaks.
 *
 * What a server does follows from the seed and the request, so that a failure can be had again:
 * the seed is in its message, and URLPOOL_SEED sets it. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/https_scene.h"
#include "support/loopback.h"
#include "support/now.h"
#include "support/requests.h"
#include "support/run_tests.h"

enum {
    NUM_THREADS = 16,
    NUM_EACH = 50, /* requests of a thread */
    NUM_IDS = NUM_THREADS * NUM_EACH,
    NUM_SERVERS = 3,
    READ_MS = 250,
    TOTAL_MS = 4000,
    SLACK_MS = 8000, /* of a loaded machine under a sanitizer */
    ID_BYTES = 16
};

enum fault {
    NO_ANSWER_FIN,
    NO_ANSWER_RST,
    ANSWER_FIN, /* a whole answer, then the end, unannounced */
    BODY_FIN,
    BODY_RST,
    MORE_BYTES, /* an answer to nothing glued to the right one */
    SHORT_LENGTH,
    LONG_LENGTH_FIN,
    BAD_CHUNK,
    INTERIMS,
    TRICKLE,
    STALL,
    SAYS_CLOSE,
    NUM_FAULTS,
    CHUNKS = NUM_FAULTS, /* these are none */
    GOOD
};

struct scene {
    uint64_t seed;
    struct https_scene tls; /* `server` NULL: plain */
    struct test_server *servers[NUM_SERVERS];
    struct urlpool_manager *manager;
    struct urlpool_cancel *cancels[NUM_THREADS]; /* NULL: never cancelled */
    atomic_bool is_over;
    atomic_int num_delivered[NUM_IDS];
    atomic_int last_fault[NUM_IDS];
    atomic_int last_number[NUM_IDS]; /* of the request on its connection */
    atomic_int num_good, num_failed;
};

static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}

static void send_trickle(struct test_peer *peer, const char *text)
{
    for (; *text != '\0'; text++) {
        test_peer_send(peer, text, 1);
    }
}

static void send_interims(struct test_peer *peer)
{
    for (int i = 0; i < 20; i++) {
        test_peer_send_text(peer, i % 2 == 0 ? "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
                                             : "HTTP/1.1 100 Continue\r\n\r\n");
    }
}

/* send_bad sends an answer of which the id in the head is right. */
static void send_bad(struct test_peer *peer, enum fault fault, const char *id)
{
    char text[512];
    int announced = fault == SHORT_LENGTH ? ID_BYTES / 2 : ID_BYTES * 4;

    if (fault == BAD_CHUNK) {
        (void)snprintf(text, sizeof(text),
                       "HTTP/1.1 200 OK\r\nX-Id: %s\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "10\r\n%s\r\nzz\r\n",
                       id, id);
    } else if (fault == MORE_BYTES) {
        (void)snprintf(text, sizeof(text),
                       "HTTP/1.1 200 OK\r\nX-Id: %s\r\nContent-Length: %d\r\n\r\n%s"
                       "HTTP/1.1 200 OK\r\nX-Id: wrong\r\nContent-Length: 5\r\n\r\nwrong",
                       id, ID_BYTES, id);
    } else {
        (void)snprintf(text, sizeof(text),
                       "HTTP/1.1 200 OK\r\nX-Id: %s\r\nContent-Length: %d\r\n\r\n%s", id, announced,
                       id);
    }
    test_peer_send_text(peer, text);
}

static void send_good(struct test_peer *peer, enum fault fault, const char *id)
{
    char text[512];

    if (fault == CHUNKS) {
        (void)snprintf(text, sizeof(text),
                       "HTTP/1.1 200 OK\r\nX-Id: %s\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "8\r\n%.8s\r\n8;x=y\r\n%s\r\n0\r\nX-T: 1\r\n\r\n",
                       id, id, id + 8);
    } else {
        (void)snprintf(text, sizeof(text),
                       "HTTP/1.1 200 OK\r\nX-Id: %s\r\n%sContent-Length: %d\r\n\r\n%s", id,
                       fault == SAYS_CLOSE ? "Connection: close\r\n" : "", ID_BYTES, id);
    }
    if (fault == INTERIMS) {
        send_interims(peer);
    }
    if (fault == TRICKLE) {
        send_trickle(peer, text);
    } else {
        test_peer_send_text(peer, text);
    }
}

static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    struct scene *scene = user;
    const char *id = request->target + 1;
    unsigned index = (unsigned)strtoul(id, NULL, 10) % NUM_IDS;
    uint64_t dice = mix(scene->seed ^ mix(index * 7919U + request->number));
    enum fault fault = dice % 100 < 45 ? (enum fault)(dice / 100 % (NUM_FAULTS + 1)) : GOOD;

    atomic_store(&scene->last_fault[index], (int)fault);
    atomic_store(&scene->last_number[index], (int)request->number);
    atomic_fetch_add(&scene->num_delivered[index], 1);
    switch (fault) {
    case NO_ANSWER_FIN:
        test_peer_close(peer);
        break;
    case NO_ANSWER_RST:
        test_peer_reset(peer);
        break;
    case STALL:
        test_peer_stay(peer);
        break;
    case BODY_FIN:
    case LONG_LENGTH_FIN:
    case BAD_CHUNK:
        send_bad(peer, fault, id);
        test_peer_cut(peer);
        break;
    case BODY_RST:
        send_bad(peer, fault, id);
        test_peer_reset(peer);
        break;
    case SHORT_LENGTH:
    case MORE_BYTES:
        send_bad(peer, fault, id);
        break;
    default:
        send_good(peer, fault, id);
        if (fault == ANSWER_FIN) {
            test_peer_close(peer);
        }
        break;
    }
}

/* check_answer compares what came with what was asked for. */
static void check_answer(const struct scene *scene, const struct urlpool_response *response,
                         const char *id)
{
    const char *said = urlpool_response_header(response, "X-Id");

    ck_assert_msg(said != NULL && strcmp(said, id) == 0, "seed %llu: asked for %s, got %s",
                  (unsigned long long)scene->seed, id, said != NULL ? said : "nothing");
    ck_assert_msg(response->data_len >= ID_BYTES / 2 && response->data_len <= ID_BYTES &&
                      memcmp(response->data, id, response->data_len) == 0,
                  "seed %llu: a wrong body for %s", (unsigned long long)scene->seed, id);
}

/* check_failure: a safe request that failed on a used connection, unanswered, has been tried once
 * more. */
static void check_failure(struct scene *scene, unsigned index, bool is_post,
                          const struct urlpool_error *err)
{
    int fault = atomic_load(&scene->last_fault[index]);
    bool is_stale = (fault == NO_ANSWER_FIN || fault == NO_ANSWER_RST) &&
                    atomic_load(&scene->last_number[index]) > 1;

    ck_assert_msg(err->code != URLPOOL_OK && err->phase != URLPOOL_PHASE_NONE &&
                      err->message[0] != '\0',
                  "seed %llu: code %d, phase %d", (unsigned long long)scene->seed, (int)err->code,
                  (int)err->phase);
    ck_assert_msg(is_post || !is_stale || err->code == URLPOOL_E_CANCELLED ||
                      err->code == URLPOOL_E_TOTAL_TIMEOUT || err->code == URLPOOL_E_MAX_RETRIES,
                  "seed %llu: %u was not tried again: %s", (unsigned long long)scene->seed, index,
                  err->message);
}

/* may_retry: every other request is made good as by default, the rest has but the free try. */
static bool may_retry(unsigned index)
{
    return index % 2 == 0;
}

static void ask(struct scene *scene, unsigned thread, unsigned index)
{
    const bool is_post = index % 3 == 0;
    struct urlpool_request_options options = {
        .timeout = {.read_ms = READ_MS, .total_ms = TOTAL_MS},
        .retries = {.total = may_retry(index) ? 0 : URLPOOL_NONE                 },
        .cancel = scene->cancels[thread]
    };
    struct urlpool_error err;
    struct urlpool_response *response;
    char path[ID_BYTES + 2];
    char url[128];
    int64_t began_ms = test_now_ms();

    (void)snprintf(path, sizeof(path), "/%0*u", ID_BYTES, index);
    test_server_url(scene->servers[mix(scene->seed + index) % NUM_SERVERS], path, url, sizeof(url));
    if (is_post) {
        options.body =
            (struct urlpool_body){.kind = URLPOOL_BODY_BYTES, .data = "body", .data_len = 4};
    }
    response = urlpool_request(scene->manager, is_post ? "POST" : "GET", url, &options, &err);
    ck_assert_msg(test_now_ms() - began_ms < TOTAL_MS + SLACK_MS, "seed %llu: %u took %lld ms",
                  (unsigned long long)scene->seed, index, (long long)(test_now_ms() - began_ms));
    if (response != NULL) {
        check_answer(scene, response, path + 1);
        atomic_fetch_add(&scene->num_good, 1);
    } else {
        check_failure(scene, index, is_post, &err);
        atomic_fetch_add(&scene->num_failed, 1);
    }
    urlpool_response_free(response);
}

struct asker {
    struct scene *scene;
    unsigned number;
};

static void *ask_all(void *user)
{
    struct asker *asker = user;

    for (unsigned i = 0; i < NUM_EACH; i++) {
        ask(asker->scene, asker->number, asker->number * NUM_EACH + i);
    }
    return NULL;
}

/* disturb takes the pool's connections away while they are used, and cancels. */
static void *disturb(void *user)
{
    struct scene *scene = user;
    const struct timespec pause = {0, 2000000};

    for (uint64_t i = 0; !atomic_load(&scene->is_over); i++) {
        uint64_t dice = mix(scene->seed + i);

        (void)nanosleep(&pause, NULL);
        if (dice % 4 == 0) {
            (void)urlpool_manager_close_idle(scene->manager);
        } else if (dice % 4 == 1) {
            urlpool_manager_clear(scene->manager);
        } else if (i > 20 && dice % 64 == 2) {
            urlpool_cancel_now(scene->cancels[dice / 64 % NUM_THREADS]);
        }
    }
    return NULL;
}

static struct scene *scene_new(bool has_tls, bool has_cancels)
{
    static struct scene scene;
    const char *text = getenv("URLPOOL_SEED");
    struct urlpool_manager_options options = {.maxsize = 3, .block = true, .num_pools = 2};

    memset(&scene, 0, sizeof(scene));
    scene.seed = text != NULL ? strtoull(text, NULL, 10) : (uint64_t)test_now_ms();
    if (has_tls) {
        scene.tls = https_scene_begin(answer, &scene, NULL);
    }
    for (int i = 0; i < NUM_SERVERS; i++) {
        const struct test_server_options over_tls = {.tls = scene.tls.context};

        scene.servers[i] =
            i == 0 && has_tls ? scene.tls.server : test_server_start(answer, &scene, &over_tls);
    }
    options.tls = scene.tls.tls;
    scene.manager = test_manager(&options);
    for (int i = 0; i < NUM_THREADS && has_cancels; i++) {
        scene.cancels[i] = i % 2 == 0 ? urlpool_cancel_new(NULL) : NULL;
    }
    return &scene;
}

static void scene_free(struct scene *scene)
{
    urlpool_manager_free(scene->manager);
    for (int i = 0; i < NUM_SERVERS; i++) {
        if (scene->servers[i] != scene->tls.server) {
            test_server_stop(scene->servers[i]);
        }
    }
    if (scene->tls.server != NULL) {
        https_scene_end(&scene->tls);
    }
    for (int i = 0; i < NUM_THREADS; i++) {
        urlpool_cancel_free(scene->cancels[i]);
    }
}

static void run_askers(struct scene *scene)
{
    pthread_t threads[NUM_THREADS];
    struct asker askers[NUM_THREADS];

    for (unsigned i = 0; i < NUM_THREADS; i++) {
        askers[i] = (struct asker){scene, i};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_all, &askers[i]), 0);
    }
    for (unsigned i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    }
}

static void check_end(struct scene *scene)
{
    struct urlpool_stats stats = test_stats(scene->manager);

    ck_assert_uint_eq(stats.leased + stats.dialling + stats.waiting, stats.half_dials);
    ck_assert_uint_eq(stats.requests, NUM_IDS);
    ck_assert_int_eq((int)stats.failures, atomic_load(&scene->num_failed));
    for (unsigned i = 0; i < NUM_IDS; i++) {
        ck_assert_msg(i % 3 != 0 || atomic_load(&scene->num_delivered[i]) <= 1,
                      "seed %llu: POST %u was delivered twice", (unsigned long long)scene->seed, i);
        ck_assert_int_le(atomic_load(&scene->num_delivered[i]), may_retry(i) ? 5 : 2);
    }
    ck_assert_int_gt(atomic_load(&scene->num_good), NUM_IDS / 3);
}

/* run_quietly lets the threads ask; nobody disturbs them. */
static void run_quietly(bool has_tls)
{
    unsigned num_fds = loopback_num_fds();
    struct scene *scene = scene_new(has_tls, false);

    run_askers(scene);
    check_end(scene);
    ck_assert_int_gt(atomic_load(&scene->num_failed), NUM_IDS / 20);
    scene_free(scene);
    ck_assert_uint_eq(loopback_num_fds(), num_fds);
}

START_TEST(faults__do_not_mix_answers)
{
    run_quietly(false);
}
END_TEST

START_TEST(faults__do_not_mix_answers_over_tls)
{
    run_quietly(true);
}
END_TEST

/* run_disturbed lets the threads ask while pools are cleared and requests cancelled. */
static void run_disturbed(bool has_tls)
{
    unsigned num_fds = loopback_num_fds();
    struct scene *scene = scene_new(has_tls, true);
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, disturb, scene), 0);
    run_askers(scene);
    atomic_store(&scene->is_over, true);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    check_end(scene);
    scene_free(scene);
    ck_assert_uint_eq(loopback_num_fds(), num_fds);
}

START_TEST(faults__do_not_mix_answers_while_pools_are_cleared_and_requests_cancelled)
{
    run_disturbed(false);
}
END_TEST

START_TEST(faults__do_not_mix_answers_over_tls_while_pools_are_cleared_and_requests_cancelled)
{
    run_disturbed(true);
}
END_TEST

/* The manager goes, by close and free, while threads ask: they get answers or POOL_CLOSED. */
START_TEST(faults__a_manager_freed_under_its_users_ends_in_order)
{
    unsigned num_fds = loopback_num_fds();
    struct scene *scene = scene_new(true, false);
    const struct timespec pause = {0, 100000000};
    pthread_t threads[NUM_THREADS];
    struct asker askers[NUM_THREADS];

    for (unsigned i = 0; i < NUM_THREADS; i++) {
        askers[i] = (struct asker){scene, i};
        (void)urlpool_manager_ref(scene->manager);
        ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_all, &askers[i]), 0);
    }
    (void)nanosleep(&pause, NULL);
    urlpool_manager_free(scene->manager);
    for (unsigned i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        if (i + 1 < NUM_THREADS) {
            urlpool_manager_unref(scene->manager);
        }
    }
    ck_assert_int_gt(atomic_load(&scene->num_good), 0);
    ck_assert_int_gt(atomic_load(&scene->num_failed), 0);
    ck_assert_uint_eq(test_stats(scene->manager).open, 0);
    scene_free(scene);
    ck_assert_uint_eq(loopback_num_fds(), num_fds);
}
END_TEST

RUN_TESTS("faults", faults__do_not_mix_answers, faults__do_not_mix_answers_over_tls,
          faults__do_not_mix_answers_while_pools_are_cleared_and_requests_cancelled,
          faults__do_not_mix_answers_over_tls_while_pools_are_cleared_and_requests_cancelled,
          faults__a_manager_freed_under_its_users_ends_in_order)
