/* Many threads at one resolver: who asks for a name that is being asked for shares the lookup, and
 * whoever gives up disturbs nobody. Made to be run under ThreadSanitizer: nothing stands between
 * the library and libc here. */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/counters.h"
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

RUN_TESTS("dial_threads", threads__eight_that_want_one_name_send_one_pair_of_queries,
          threads__that_give_up_do_not_disturb_the_one_that_waits, threads__share_the_cache)
