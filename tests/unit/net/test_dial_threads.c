/* Many threads at one resolver: who asks for a name that is being asked for shares the lookup, and
 * whoever gives up disturbs nobody. Made to be run under ThreadSanitizer: nothing stands between
 * the library and libc here. */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/park.h"
#include "net/dial.h"
#include "support/dns_server.h"
#include "support/loopback.h"
#include "support/run_tests.h"

#define NAME "www.example"

static struct dns_server *server;
static struct urlp_resolver *resolver;
static struct urlp_counters counters;
static struct urlp_call call;
static int listener;

static void begin(void)
{
    struct urlpool_error err;

    listener = loopback_listen("127.0.0.1", 0);
    server = dns_server_start();
    resolver =
        urlp_resolver_new(&(struct urlp_resolver_options){.servers = dns_server_address(server),
                                                          .hosts_file = "/dev/null"},
                          &err);
    ck_assert_ptr_nonnull(resolver);
    call = (struct urlp_call){
        .by = urlp_deadline_in(30000), .total_by = URLP_NEVER, .counters = &counters};
    dns_server_add(server, NAME, DNS_A, 60, "127.0.0.1");
    dns_server_behave(server, NAME, DNS_A, DNS_HOLDS);
    dns_server_behave(server, NAME, DNS_AAAA, DNS_HOLDS);
}

static void release(void)
{
    dns_server_release(server, NAME, DNS_AAAA);
    dns_server_release(server, NAME, DNS_A);
}

static void end(void)
{
    urlp_resolver_free(resolver);
    dns_server_stop(server);
    (void)close(listener);
    ck_assert_int_eq(urlp_alloc_num_blocks(), 0);
}

/* A dial in a thread of its own. */
struct dialling {
    pthread_t thread;
    struct urlp_stream *stream;
    struct urlpool_error err;
};

static void *dial_name(void *user)
{
    struct dialling *dialling = user;
    struct urlp_dial_target target = {.host = urlp_span_of(NAME), .port = loopback_port(listener)};

    dialling->stream = urlp_dial(resolver, &target, &call, &dialling->err);
    return NULL;
}

static void start_dialling(struct dialling *dialling)
{
    memset(dialling, 0, sizeof(*dialling));
    ck_assert_int_eq(pthread_create(&dialling->thread, NULL, dial_name, dialling), 0);
}

static void join(struct dialling *dialling)
{
    (void)pthread_join(dialling->thread, NULL);
    ck_assert_msg(dialling->stream != NULL, "%s", dialling->err.message);
    urlp_stream_free(dialling->stream, URLP_CLOSE_POLITE);
}

START_TEST(threads__eight_that_want_one_name_send_one_pair_of_queries)
{
    enum {
        NUM_THREADS = 8
    };
    struct dialling diallings[NUM_THREADS];

    begin();
    call.by = URLP_NEVER;
    for (int i = 0; i < NUM_THREADS; i++) {
        start_dialling(&diallings[i]);
    }
    while (atomic_load(&counters.dns_hits) < NUM_THREADS - 1) {
        (void)sched_yield();
    }
    release();
    for (int i = 0; i < NUM_THREADS; i++) {
        join(&diallings[i]);
    }
    ck_assert_uint_eq(dns_server_num_queries(server, NULL, DNS_A), 2);
    ck_assert_uint_eq(counters.dns_queries, 1);
    ck_assert_uint_eq(counters.dns_hits, NUM_THREADS - 1);
    end();
}
END_TEST

/* give_up_soon has little patience, ten times over. */
static void *give_up_soon(void *user)
{
    struct urlp_dial_target target = {.host = urlp_span_of(NAME), .port = 1};
    struct urlp_call mine = call;
    struct urlpool_error err;

    for (int i = 0; i < 10; i++) {
        mine.by = urlp_deadline_in((int64_t)(uintptr_t)user + i % 3);
        ck_assert_ptr_null(urlp_dial(resolver, &target, &mine, &err));
        ck_assert_int_eq(err.code, URLPOOL_E_CONNECT_TIMEOUT);
    }
    return NULL;
}

START_TEST(threads__that_give_up_do_not_disturb_the_one_that_waits)
{
    enum {
        NUM_THREADS = 6
    };
    pthread_t threads[NUM_THREADS];
    struct dialling patient;

    begin();
    for (int i = 0; i < NUM_THREADS; i++) {
        void *patience_ms = (void *)(uintptr_t)(i + 1);

        ck_assert_int_eq(pthread_create(&threads[i], NULL, give_up_soon, patience_ms), 0);
    }
    start_dialling(&patient);
    for (int i = 0; i < NUM_THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    release();
    join(&patient);
    end();
}
END_TEST

/* use_cache dials again and again, so that hits, ends and new lookups meet. */
static void *use_cache(void *user)
{
    struct urlp_dial_target target = {.host = urlp_span_of(user), .port = loopback_port(listener)};
    struct urlpool_error err;

    for (int i = 0; i < 20; i++) {
        struct urlp_stream *stream = urlp_dial(resolver, &target, &call, &err);

        ck_assert_msg(stream != NULL, "%s", err.message);
        (void)close(loopback_accept(listener)); /* anybody's: the queue stays short */
        urlp_stream_free(stream, URLP_CLOSE_POLITE);
    }
    return NULL;
}

START_TEST(threads__share_the_cache)
{
    enum {
        NUM_THREADS = 8
    };
    static char names[2][20] = {"a.example", "b.example"};
    pthread_t threads[NUM_THREADS];

    begin();
    dns_server_add(server, names[0], DNS_A, 60, "127.0.0.1");
    dns_server_add(server, names[1], DNS_A, 60, "127.0.0.1");
    for (int i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, use_cache, names[i % 2]), 0);
    }
    for (int i = 0; i < NUM_THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    ck_assert_uint_eq(dns_server_num_queries(server, NULL, DNS_A), 4);
    ck_assert_uint_eq(counters.dns_queries, 2);
    ck_assert_uint_eq(counters.dns_hits, 20 * NUM_THREADS - 2);
    end();
}
END_TEST

/* --- broken off --- */

/* A dial in a thread of its own that may be broken off. */
struct breakable {
    pthread_t thread;
    struct urlp_break_off wish;
    struct urlp_stream *stream;
    struct urlpool_error err;
};

static void *dial_breakable(void *user)
{
    struct breakable *breakable = user;
    struct urlp_dial_target target = {.host = urlp_span_of(NAME), .port = loopback_port(listener)};
    struct urlp_call mine = call;

    mine.break_off = &breakable->wish;
    breakable->stream = urlp_dial(resolver, &target, &mine, &breakable->err);
    return NULL;
}

static void start_breakable(struct breakable *breakable)
{
    memset(breakable, 0, sizeof(*breakable));
    breakable->wish.wake_fd = urlp_wake_open();
    ck_assert_int_eq(pthread_create(&breakable->thread, NULL, dial_breakable, breakable), 0);
}

static void break_off(struct breakable *breakable)
{
    ck_assert(urlp_break_off_ask(&breakable->wish));
    (void)pthread_join(breakable->thread, NULL);
    ck_assert_ptr_null(breakable->stream);
    ck_assert_int_eq(breakable->err.code, URLPOOL_E_CANCELLED);
    ck_assert(breakable->wish.is_broken_off);
    (void)close(breakable->wish.wake_fd);
}

static void await_hits(unsigned num)
{
    while (atomic_load(&counters.dns_hits) < num) {
        (void)sched_yield();
    }
}

static void await_queries(unsigned num)
{
    dns_server_await(server, NULL, DNS_A, num);
}

START_TEST(threads__a_driver_that_is_broken_off_hands_over)
{
    struct breakable driver;
    struct dialling follower;

    begin();
    start_breakable(&driver);
    await_queries(2);
    start_dialling(&follower);
    await_hits(1);
    break_off(&driver);
    release();
    join(&follower);
    ck_assert_uint_eq(dns_server_num_queries(server, NULL, DNS_A), 2);
    urlp_half_dial_free(driver.wish.half);
    end();
}
END_TEST

START_TEST(threads__a_lookup_whose_seats_are_all_broken_off_stands_still)
{
    struct breakable first;
    struct breakable second;
    struct dialling next;

    begin();
    start_breakable(&first);
    await_queries(2);
    start_breakable(&second);
    await_hits(1);
    break_off(&first);
    break_off(&second); /* it drove the lookup on, or was about to */
    ck_assert_ptr_nonnull(first.wish.half);
    ck_assert_ptr_nonnull(second.wish.half);
    urlp_half_dial_free(first.wish.half);
    release();
    start_dialling(&next);
    join(&next);
    ck_assert_uint_eq(dns_server_num_queries(server, NULL, DNS_A), 2);
    urlp_half_dial_free(second.wish.half);
    end();
}
END_TEST

/* What the threads of the random test share: one place for a half, as a pool has, and what is being
 * dialled, for whoever breaks dials off. */
enum {
    NUM_DIALLERS = 6,
    NUM_DIALS = 60
};

static struct {
    pthread_mutex_t mutex;
    struct urlp_half_dial *half;
    struct urlp_break_off *current[NUM_DIALLERS];
    bool is_over;
    unsigned num_broken_off;
    unsigned num_connected;
} shared = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static unsigned seed;

/* dial_once dials with the half that is there, and leaves the next one there. */
static void dial_once(unsigned me)
{
    struct urlp_dial_target target = {.host = urlp_span_of(NAME), .port = loopback_port(listener)};
    struct urlp_break_off wish = {.wake_fd = urlp_wake_open()};
    struct urlp_half_dial *surplus;
    struct urlp_call mine = call;
    struct urlp_stream *stream;
    struct urlpool_error err;

    mine.break_off = &wish;
    pthread_mutex_lock(&shared.mutex);
    wish.half = shared.half;
    shared.half = NULL;
    shared.current[me] = &wish;
    pthread_mutex_unlock(&shared.mutex);
    stream = urlp_dial(resolver, &target, &mine, &err);
    pthread_mutex_lock(&shared.mutex);
    shared.current[me] = NULL;
    surplus = wish.half;
    if (wish.is_broken_off) {
        surplus = shared.half;
        shared.half = wish.half;
        shared.num_broken_off++;
    }
    shared.num_connected += stream != NULL;
    pthread_mutex_unlock(&shared.mutex);
    ck_assert_msg((stream != NULL) != wish.is_broken_off, "seed %u: %s", seed, err.message);
    urlp_half_dial_free(surplus);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    (void)close(wish.wake_fd);
}

static void *dial_often(void *user)
{
    for (int i = 0; i < NUM_DIALS; i++) {
        dial_once((unsigned)(uintptr_t)user);
    }
    return NULL;
}

static void *accept_all(void *user)
{
    bool is_over = false;

    (void)user;
    while (!is_over) {
        struct urlp_call soon = {.by = urlp_deadline_in(5), .total_by = URLP_NEVER};

        if (urlp_wait_readable(listener, &soon, URLPOOL_E_SYSTEM, NULL) == URLPOOL_OK) {
            (void)close(loopback_accept(listener));
        }
        pthread_mutex_lock(&shared.mutex);
        is_over = shared.is_over;
        pthread_mutex_unlock(&shared.mutex);
    }
    return NULL;
}

/* break_at_random asks now this, now that dial to break off. */
static void *break_at_random(void *user)
{
    unsigned state = seed;
    bool is_over = false;

    (void)user;
    while (!is_over) {
        struct urlp_break_off *wish;

        state = state * 1103515245 + 12345;
        pthread_mutex_lock(&shared.mutex);
        wish = shared.current[(state >> 16) % NUM_DIALLERS];
        if (wish != NULL) {
            (void)urlp_break_off_ask(wish);
        }
        is_over = shared.is_over;
        pthread_mutex_unlock(&shared.mutex);
        for (unsigned i = 0; i < (state >> 20) % 64; i++) {
            (void)sched_yield();
        }
    }
    return NULL;
}

START_TEST(threads__break_off_and_go_on_at_random)
{
    pthread_t diallers[NUM_DIALLERS];
    pthread_t others[2];
    unsigned fds_before;
    unsigned rounds = 0;

    begin();
    seed = (unsigned)time(NULL);
    (void)printf("seed %u\n", seed);
    dns_server_behave(server, NAME, DNS_A, DNS_ANSWERS);
    dns_server_behave(server, NAME, DNS_AAAA, DNS_ANSWERS);
    dns_server_add(server, NAME, DNS_A, 0, "127.0.0.1");
    fds_before = loopback_num_fds();
    ck_assert_int_eq(pthread_create(&others[0], NULL, accept_all, NULL), 0);
    ck_assert_int_eq(pthread_create(&others[1], NULL, break_at_random, NULL), 0);
    do { /* once more where who breaks off was never let run meanwhile */
        for (uintptr_t i = 0; i < NUM_DIALLERS; i++) {
            ck_assert_int_eq(pthread_create(&diallers[i], NULL, dial_often, (void *)i), 0);
        }
        for (int i = 0; i < NUM_DIALLERS; i++) {
            (void)pthread_join(diallers[i], NULL);
        }
        rounds++;
    } while (shared.num_broken_off == 0 && rounds < 20);
    pthread_mutex_lock(&shared.mutex);
    shared.is_over = true;
    pthread_mutex_unlock(&shared.mutex);
    (void)pthread_join(others[0], NULL);
    (void)pthread_join(others[1], NULL);
    ck_assert_uint_eq(shared.num_broken_off + shared.num_connected,
                      rounds * NUM_DIALLERS * NUM_DIALS);
    ck_assert_uint_gt(shared.num_broken_off, 0);
    ck_assert_uint_gt(shared.num_connected, 0);
    urlp_half_dial_free(shared.half);
    ck_assert_uint_eq(loopback_num_fds(), fds_before);
    end();
}
END_TEST

RUN_TESTS("dial_threads", threads__eight_that_want_one_name_send_one_pair_of_queries,
          threads__that_give_up_do_not_disturb_the_one_that_waits, threads__share_the_cache,
          threads__a_driver_that_is_broken_off_hands_over,
          threads__a_lookup_whose_seats_are_all_broken_off_stands_still,
          threads__break_off_and_go_on_at_random)
