/* Managers made, used, closed and freed one after the other, each with requests in flight in every
 * way that can be: they come to their end, and heap (ours, BoringSSL's, c-ares') and descriptors
 * are exactly what they were. URLPOOL_TEST_MANAGERS is how many; else a short run. */

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/failing_allocator.h"
#include "support/foreign_heaps.h"
#include "support/https_scene.h"
#include "support/loopback.h"
#include "support/requests.h"
#include "support/run_tests.h"

enum {
    NUM_MANAGERS = 100,
    NUM_WARM_UP = 4, /* what a process keeps */
    PLACES = 3,
    ROUNDS_MAX = 5000,
    URL_BYTES = 128
};

/* Where a request is when its manager is freed. */
enum place {
    BEFORE_HEAD,
    IN_BODY,
    STREAMED,
    IN_QUEUE, /* those before it have connections, and the server holds them up */
    DIALLING,
    PLACE_NUM
};

/* struct gate is where the server's threads wait. */
struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned num_arrived;
    bool is_open;
};

/* struct scene is what all managers share. */
struct scene {
    struct gate gate;
    struct https_scene https;
    struct test_server *plain;
    struct loopback_hole hole;
};

/* struct flight is one request. */
struct flight {
    enum place place;
    struct urlpool_manager *manager;
    struct urlpool_cancel *cancel;
    char url[URL_BYTES];
    struct urlpool_response *response;
    struct urlpool_error err;
    sem_t streamed;
    pthread_t thread;
};

/* What is held: blocks of three heaps, and descriptors. */
struct holdings {
    int64_t ours, tls, names;
    unsigned fds;
};

static void gate_set(struct gate *gate, bool is_open)
{
    pthread_mutex_lock(&gate->mutex);
    gate->is_open = is_open;
    gate->num_arrived = is_open ? gate->num_arrived : 0;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->mutex);
}

static void gate_await(struct gate *gate, unsigned num)
{
    pthread_mutex_lock(&gate->mutex);
    while (gate->num_arrived < num) {
        pthread_cond_wait(&gate->changed, &gate->mutex);
    }
    pthread_mutex_unlock(&gate->mutex);
}

static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    struct gate *gate = user;
    const bool is_half = strcmp(request->target, "/half") == 0;

    if (strcmp(request->target, "/") == 0) {
        test_answer_hello(peer, request, NULL);
        return;
    }
    if (is_half) {
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
    }
    pthread_mutex_lock(&gate->mutex);
    gate->num_arrived++;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->is_open) {
        pthread_cond_wait(&gate->changed, &gate->mutex);
    }
    pthread_mutex_unlock(&gate->mutex);
    if (is_half) {
        test_peer_send_text(peer, "llo");
    } else {
        test_answer_hello(peer, request, NULL);
    }
}

static void *fly(void *arg)
{
    struct flight *flight = arg;
    const struct urlpool_request_options options = {.stream = flight->place == STREAMED,
                                                    .cancel = flight->cancel};

    foreign_heaps_join(true);
    flight->response = urlpool_request(flight->manager, "GET", flight->url, &options, &flight->err);
    if (flight->place == STREAMED) {
        (void)sem_post(&flight->streamed);
    }
    if (flight->place == STREAMED && flight->response != NULL) {
        ck_assert_int_eq(urlpool_response_read_all(flight->response, &flight->err), URLPOOL_OK);
    }
    return NULL;
}

/* set_off begins a request, which stands still when this returns. */
static void set_off(struct scene *scene, struct flight *flight, struct test_server *server)
{
    struct urlpool_stats stats;

    if (flight->place == DIALLING) {
        (void)snprintf(flight->url, URL_BYTES, "http://127.0.0.1:%u/",
                       loopback_port(scene->hole.listener));
    } else {
        (void)test_server_url(server, flight->place == BEFORE_HEAD ? "/held" : "/half", flight->url,
                              URL_BYTES);
    }
    (void)sem_init(&flight->streamed, 0, 0);
    ck_assert_int_eq(pthread_create(&flight->thread, NULL, fly, flight), 0);
    if (flight->place == STREAMED) {
        (void)sem_wait(&flight->streamed);
    }
    if (flight->place < IN_QUEUE) {
        gate_await(&scene->gate, (unsigned)flight->place + 1);
    } else {
        do {
            sched_yield();
            stats = test_stats(flight->manager);
        } while (flight->place == IN_QUEUE ? stats.waiting == 0 : stats.dialling == 0);
    }
    (void)sem_destroy(&flight->streamed);
}

/* land waits for the end of a request, and looks at it. */
static void land(struct flight *flight)
{
    static const enum urlpool_code codes[PLACE_NUM] = {
        [IN_QUEUE] = URLPOOL_E_POOL_CLOSED, [DIALLING] = URLPOOL_E_CANCELLED};
    const enum urlpool_code expected = codes[flight->place];

    ck_assert_int_eq(pthread_join(flight->thread, NULL), 0);
    if (expected != URLPOOL_OK) {
        ck_assert_ptr_null(flight->response);
        ck_assert_msg(flight->err.code == expected, "place %d: %s", (int)flight->place,
                      flight->err.message);
        return;
    }
    ck_assert_msg(flight->response != NULL, "place %d: %s", (int)flight->place,
                  flight->err.message);
    ck_assert_str_eq((const char *)flight->response->data, "hello");
    urlpool_response_free(flight->response);
}

/* live is the life of one manager. */
static void live(struct scene *scene, int number)
{
    const bool is_https = number % 2 != 0;
    struct test_server *server = is_https ? scene->https.server : scene->plain;
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.tls = is_https ? scene->https.tls : NULL,
                                                       .maxsize = PLACES,
                                                       .block = true,
                                                       .upkeep_thread = number % 4 < 2});
    struct urlpool_cancel *cancel = urlpool_cancel_new(&test_err);
    struct flight flights[PLACE_NUM];

    gate_set(&scene->gate, false);
    test_get(manager, server);
    for (int i = 0; i < PLACE_NUM; i++) {
        flights[i] = (struct flight){.place = (enum place)i, .manager = manager};
        flights[i].cancel = i == DIALLING ? cancel : NULL;
        set_off(scene, &flights[i], server);
    }
    if (number % 3 == 0) {
        urlpool_manager_close(manager);
    }
    urlpool_manager_free(manager);
    urlpool_cancel_now(cancel);
    gate_set(&scene->gate, true);
    for (int i = 0; i < PLACE_NUM; i++) {
        land(&flights[i]);
    }
    urlpool_cancel_free(cancel);
}

static struct holdings look(void)
{
    return (struct holdings){failing_allocator_num_live(), foreign_heaps_num_live(HEAP_OF_TLS),
                             foreign_heaps_num_live(HEAP_OF_NAMES), loopback_num_fds()};
}

static bool is_same(const struct holdings *a, const struct holdings *b)
{
    return a->ours == b->ours && a->tls == b->tls && a->names == b->names && a->fds == b->fds;
}

/* expect_same waits for the threads of the servers and of upkeep to let go, and no longer. */
static void expect_same(const struct holdings *before, int number)
{
    struct holdings now = look();

    for (int i = 0; i < ROUNDS_MAX && !is_same(&now, before); i++) {
        (void)poll(NULL, 0, 1);
        now = look();
    }
    ck_assert_msg(is_same(&now, before),
                  "manager %d: %+d blocks, %+d of BoringSSL's, %+d of c-ares', %+d descriptors",
                  number, (int)(now.ours - before->ours), (int)(now.tls - before->tls),
                  (int)(now.names - before->names), (int)now.fds - (int)before->fds);
}

START_TEST(managers__freed_with_requests_in_flight_leave_nothing)
{
    const char *asked = getenv("URLPOOL_TEST_MANAGERS");
    const int num = asked != NULL ? atoi(asked) : NUM_MANAGERS;
    static struct scene scene = {
        .gate = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER}
    };
    struct holdings before = {0};
    unsigned num_fds;

    failing_allocator_install();
    foreign_heaps_install();
    scene.https = https_scene_begin(answer, &scene.gate, NULL);
    scene.plain = test_server_start(answer, &scene.gate, NULL);
    scene.hole = loopback_hole_open("127.0.0.1", 0);
    foreign_heaps_join(true);
    num_fds = loopback_num_fds();
    for (int i = -NUM_WARM_UP; i < num; i++) {
        if (i == 0) {
            before = look();
            before.fds = num_fds; /* a thread of a server's may still have one more */
        }
        live(&scene, i + NUM_WARM_UP);
        if (i >= 0) {
            expect_same(&before, i);
        }
    }
    foreign_heaps_join(false);
    loopback_hole_close(&scene.hole);
    test_server_stop(scene.plain);
    https_scene_end(&scene.https);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
}
END_TEST

RUN_TESTS("managers", managers__freed_with_requests_in_flight_leave_nothing)
