/* What connections hold of the heap while nobody uses them, and calls while they wait: counted by
 * an allocator, in sizes as malloc gives them out. */

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/requests.h"
#include "support/run_tests.h"

enum {
    NUM_IDLE = 64,
    IDLE_BYTES_MAX = 1024,
    USED_BYTES_MAX = 1280,  /* with what a response tells of its peer */
    WAITING_BYTES_MAX = 512 /* the head that was sent, kept by the connection */
};

static _Atomic int64_t held;

static void *count_alloc(void *user, size_t size)
{
    void *memory = malloc(size);

    (void)user;
    atomic_fetch_add(&held, (int64_t)malloc_usable_size(memory));
    return memory;
}

static void count_free(void *user, void *memory)
{
    (void)user;
    atomic_fetch_sub(&held, (int64_t)malloc_usable_size(memory));
    free(memory);
}

static void *count_realloc(void *user, void *memory, size_t size)
{
    const int64_t before = (int64_t)malloc_usable_size(memory);
    void *moved = realloc(memory, size);

    (void)user;
    atomic_fetch_add(&held, (int64_t)malloc_usable_size(moved) - before);
    return moved;
}

static void install(void)
{
    const struct urlpool_allocator allocator = {
        .allocate = count_alloc, .reallocate = count_realloc, .release = count_free};

    ck_assert_int_eq(urlpool_set_allocator(&allocator, NULL), URLPOOL_OK);
}

static atomic_bool is_answering;
static _Atomic unsigned num_asked;

static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    atomic_fetch_add(&num_asked, 1);
    while (strcmp(request->target, "/held") == 0 && !atomic_load(&is_answering)) {
        usleep(1000);
    }
    test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nServer: a\r\nContent-Length: 2\r\n\r\nhi");
}

/* warm makes a manager with NUM_IDLE idle connections, and tells what they took. */
static struct urlpool_manager *warm(const struct test_server *server, int64_t *out_each)
{
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.maxsize = NUM_IDLE + 1});
    char url[64];
    int64_t before;

    (void)test_server_url(server, "/", url, sizeof(url));
    ck_assert_int_eq(urlpool_manager_preconnect(manager, url, 1, &test_err), URLPOOL_OK);
    before = atomic_load(&held);
    ck_assert_int_eq(urlpool_manager_preconnect(manager, url, NUM_IDLE + 1, &test_err), URLPOOL_OK);
    *out_each = (atomic_load(&held) - before) / NUM_IDLE;
    return manager;
}

START_TEST(idle__connection_holds_a_kibibyte_at_most)
{
    struct test_server *server;
    struct urlpool_manager *manager;
    int64_t each;

    install();
    server = test_server_start(answer, NULL, NULL);
    manager = warm(server, &each);
    printf("%lld bytes an idle connection\n", (long long)each);
    ck_assert_int_le(each, IDLE_BYTES_MAX);
    urlpool_manager_free(manager);
    test_server_stop(server);
    ck_assert_int_eq(atomic_load(&held), 0);
}
END_TEST

START_TEST(idle__connection_that_was_used_holds_little_more)
{
    struct test_server *server;
    struct urlpool_manager *manager;
    int64_t before;

    install();
    server = test_server_start(answer, NULL, NULL);
    manager = test_manager(NULL);
    test_get(manager, server);
    (void)urlpool_manager_close_idle(manager);
    before = atomic_load(&held);
    test_get(manager, server);
    printf("%lld bytes a used one\n", (long long)(atomic_load(&held) - before));
    ck_assert_int_le(atomic_load(&held) - before, USED_BYTES_MAX);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

struct asker {
    struct urlpool_manager *manager;
    const struct test_server *server;
    pthread_t thread;
};

static void *ask(void *arg)
{
    const struct asker *asker = arg;
    struct urlpool_error err;
    struct urlpool_response *response;
    char url[64];

    response =
        urlpool_request(asker->manager, "GET",
                        test_server_url(asker->server, "/held", url, sizeof(url)), NULL, &err);
    ck_assert_msg(response != NULL, "%s", err.message);
    urlpool_response_free(response);
    return NULL;
}

START_TEST(call__that_waits_for_its_answer_holds_nothing)
{
    struct asker askers[NUM_IDLE];
    struct test_server *server;
    struct urlpool_manager *manager;
    int64_t before, each;

    install();
    server = test_server_start(answer, NULL, NULL);
    manager = warm(server, &each);
    before = atomic_load(&held);
    for (int i = 0; i < NUM_IDLE; i++) {
        askers[i] = (struct asker){.manager = manager, .server = server};
        ck_assert_int_eq(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
    }
    while (atomic_load(&num_asked) < NUM_IDLE) {
        usleep(1000);
    }
    for (int i = 0; i < 10000; i++) { /* what the heads were made in is given back soon */
        each = (atomic_load(&held) - before) / NUM_IDLE;
        if (each <= WAITING_BYTES_MAX) {
            break;
        }
        usleep(1000);
    }
    atomic_store(&is_answering, true);
    for (int i = 0; i < NUM_IDLE; i++) {
        ck_assert_int_eq(pthread_join(askers[i].thread, NULL), 0);
    }
    printf("%lld bytes a call that waits\n", (long long)each);
    ck_assert_int_le(each, WAITING_BYTES_MAX);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

RUN_TESTS("idle bytes", idle__connection_holds_a_kibibyte_at_most,
          idle__connection_that_was_used_holds_little_more,
          call__that_waits_for_its_answer_holds_nothing)
