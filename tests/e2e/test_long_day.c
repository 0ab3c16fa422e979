/* A day of an agent's, told to the fake clock: a few requests, then nothing for seconds or for
 * three quarters of an hour; meanwhile the server is restarted, moves to another address, shows
 * other certificates, breaks off answers. No request fails, and nothing is left behind. The seed is
 * printed; URLPOOL_TEST_SEED=<n> begins with another. */

#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/certs.h"
#include "support/dns_server.h"
#include "support/failing_allocator.h"
#include "support/loopback.h"
#include "support/requests.h"
#include "support/run_tests.h"
#include "support/tls_client.h"

#define S    INT64_C(1000000000)
#define NAME "model.example"

enum {
    DAY_S = 24 * 3600,
    NUM_LEAVES = 4, /* certificates: each is good for a quarter of the day and an hour */
    QUARTER_S = DAY_S / NUM_LEAVES,
    NUM_REQUESTS_MIN = 300,
    HEAP_SPAN = 64 /* blocks: TLS sessions of earlier configurations, answers of DNS */
};

struct day {
    struct test_cert *ca, *leaves[NUM_LEAVES];
    SSL_CTX *contexts[NUM_LEAVES];
    struct dns_server *dns;
    struct test_server *server;
    struct urlpool_manager *manager;
    int held[2]; /* the port, at both addresses, while no server is there */
    uint16_t port;
    bool has_thread;
    bool is_away; /* the server is at 127.0.0.2 */
    int quarter;
    int64_t now_s;
    unsigned seed;
    int num_requests, num_restarts, num_moves;
    atomic_uint num_answers;
    char url[128];
};

/* answer breaks off one in 25, closes one in 30 without a word: never two in a row. */
static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    struct day *day = user;
    const unsigned number = atomic_fetch_add(&day->num_answers, 1);

    (void)request;
    if (number % 25 == 7) {
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
        test_peer_cut(peer);
    } else if (number % 30 == 19) {
        test_peer_cut(peer);
    } else {
        test_peer_reply(peer, 200, NULL, "hello");
    }
}

static void server_start(struct day *day)
{
    const struct test_server_options options = {.tls = day->contexts[day->quarter],
                                                .ip = day->is_away ? "127.0.0.2" : "127.0.0.1",
                                                .port = day->port,
                                                .keeps_port = true};

    day->server = test_server_start(answer, day, &options);
}

static void make_certificates(struct day *day)
{
    static const struct test_name name = TEST_DNS(NAME);

    day->ca = test_cert_new(
        &(struct test_cert_options){
            .common_name = "Day CA", .is_ca = true, .begin_s = -3600, .end_s = INT64_C(2) * DAY_S},
        NULL);
    for (int i = 0; i < NUM_LEAVES; i++) {
        const struct test_cert_options options = {
            .names = &name,
            .num_names = 1,
            .begin_s = -3600,
            .end_s = ((int64_t)i + 1) * QUARTER_S + 3600,
        };
        day->leaves[i] = test_cert_new(&options, day->ca);
        day->contexts[i] =
            test_cert_context((const struct test_cert *const[]){day->leaves[i], day->ca, NULL});
    }
}

/* day_begin: a manager with its defaults, but for time to see addresses go. */
static void day_begin(struct day *day, bool has_thread)
{
    struct urlpool_manager_options options = {.idle_ms = 1200000, .upkeep_thread = has_thread};
    const char *seed = getenv("URLPOOL_TEST_SEED");

    *day = (struct day){.has_thread = has_thread};
    day->seed = seed != NULL ? (unsigned)strtoul(seed, NULL, 10) : (unsigned)time(NULL);
    printf("seed %u\n", day->seed);
    make_certificates(day);
    day->dns = dns_server_start();
    dns_server_add(day->dns, NAME, DNS_A, 30, "127.0.0.1");
    day->held[0] = loopback_hold("127.0.0.1", 0);
    while (!loopback_is_free("127.0.0.2", day->port = loopback_port(day->held[0]))) {
        (void)close(day->held[0]);
        day->held[0] = loopback_hold("127.0.0.1", 0);
    }
    day->held[1] = loopback_hold("127.0.0.2", day->port);
    server_start(day);
    options.network.dns_servers = dns_server_address(day->dns);
    options.tls = test_trust(day->ca);
    day->manager = test_manager(&options);
    urlpool_tls_unref(options.tls);
    (void)snprintf(day->url, sizeof(day->url), "https://" NAME ":%d/", day->port);
}

static void day_end(struct day *day)
{
    urlpool_manager_free(day->manager);
    test_server_stop(day->server);
    (void)close(day->held[0]);
    (void)close(day->held[1]);
    dns_server_stop(day->dns);
    for (int i = 0; i < NUM_LEAVES; i++) {
        SSL_CTX_free(day->contexts[i]);
        test_cert_free(day->leaves[i]);
    }
    test_cert_free(day->ca);
}

/* pass lets time go by; the thread of upkeep, or a round by hand, does what came due. */
static void pass(struct day *day, int seconds)
{
    if (day->has_thread) {
        urlp_clock_fake_await_waiters(1);
    }
    urlp_clock_fake_advance(seconds * S);
    day->now_s += seconds;
    if (!day->has_thread) {
        (void)urlpool_manager_maintain(day->manager);
    }
}

static void get(struct day *day)
{
    static const char *const methods[] = {"GET", "PUT", "OPTIONS", "DELETE"};
    struct urlpool_response *response =
        urlpool_request(day->manager, methods[rand_r(&day->seed) % 4], day->url, NULL, &test_err);

    ck_assert_msg(response != NULL, "second %lld: %s", (long long)day->now_s, test_err.message);
    ck_assert_int_eq(response->status, 200);
    urlpool_response_free(response);
    day->num_requests++;
}

/* restart ends the server and begins it anew: elsewhere, with another certificate, or the same. */
static void restart(struct day *day, bool moves)
{
    test_server_stop(day->server);
    if (moves) {
        day->is_away = !day->is_away;
        dns_server_clear(day->dns);
        dns_server_add(day->dns, NAME, DNS_A, 30, day->is_away ? "127.0.0.2" : "127.0.0.1");
        pass(day, 60); /* answers are used for their TTL, whoever moves a server waits for it */
        day->num_moves++;
    }
    server_start(day);
    day->num_restarts++;
}

/* renew is the reload of certificates: a server's own, and a client's configuration. */
static void renew(struct day *day)
{
    struct urlpool_tls *tls = test_trust(day->ca);

    day->quarter++;
    restart(day, false);
    ck_assert_int_eq(urlpool_manager_set_tls(day->manager, tls, &test_err), URLPOOL_OK);
    urlpool_tls_unref(tls);
}

static void live_a_moment(struct day *day)
{
    const int what = rand_r(&day->seed) % 100;

    if (day->now_s >= (day->quarter + INT64_C(1)) * QUARTER_S && day->quarter + 1 < NUM_LEAVES) {
        renew(day);
    } else if (what < 4) {
        restart(day, what < 2);
    }
    for (int i = rand_r(&day->seed) % 4; i > 0; i--) {
        get(day);
        pass(day, rand_r(&day->seed) % 5);
    }
    pass(day, what < 95 ? 1 + rand_r(&day->seed) % 120 : 600 + rand_r(&day->seed) % 2100);
}

/* rest closes what is open, so that the heap can be held against another time's. */
static int64_t rest(struct day *day)
{
    (void)urlpool_manager_close_idle(day->manager);
    ck_assert_uint_eq(test_stats(day->manager).open, 0);
    return failing_allocator_num_live();
}

/* await_answer waits, in real time, until upkeep has asked DNS again or has nothing to ask for. */
static void await_answer(const struct day *day, uint64_t num_queries)
{
    for (int i = 0; i < 20000; i++) {
        const struct urlpool_stats stats = test_stats(day->manager);

        if (stats.dns_queries > num_queries || stats.idle == 0) {
            return;
        }
        (void)usleep(1000);
    }
}

/* move_while_used has an address go from DNS while its server is still there and asked. */
static void move_while_used(struct day *day)
{
    (void)rest(day); /* so that its connection is young */
    get(day);
    dns_server_clear(day->dns);
    dns_server_add(day->dns, NAME, DNS_A, 30, day->is_away ? "127.0.0.1" : "127.0.0.2");
    for (int i = 0; i < 5; i++) {
        const uint64_t num_queries = test_stats(day->manager).dns_queries;

        pass(day, 61);
        if (day->has_thread) {
            await_answer(day, num_queries);
            urlp_clock_fake_await_waiters(1);
        }
    }
    restart(day, true);
    get(day);
}

/* check_ends holds that each kind of end has been met: else the day has shown nothing. */
static void check_ends(const struct day *day)
{
    const struct urlpool_stats stats = test_stats(day->manager);

    ck_assert_uint_eq(stats.failures, 0);
    ck_assert_int_ge(day->num_requests, NUM_REQUESTS_MIN);
    ck_assert_int_eq(day->quarter, NUM_LEAVES - 1);
    ck_assert_int_gt(day->num_moves, 0);
    ck_assert_int_gt(day->num_restarts, day->num_moves);
    ck_assert_uint_gt(stats.reused, 0);
    ck_assert_uint_gt(stats.retries, 0);
    ck_assert_uint_gt(stats.closed[URLPOOL_CLOSED_LIFETIME], 0);
    ck_assert_uint_gt(stats.closed[URLPOOL_CLOSED_ADDRESS], 0);
    ck_assert_uint_gt(stats.closed[URLPOOL_CLOSED_BY_PEER], 0);
    ck_assert_uint_gt(stats.tls_resumed, 0);
}

static void live_a_day(bool has_thread)
{
    struct day day;
    unsigned num_fds;
    int64_t morning = 0;

    urlp_clock_fake_begin(1000 * S);
    failing_allocator_install();
    num_fds = loopback_num_fds();
    day_begin(&day, has_thread);
    while (day.now_s < DAY_S) {
        live_a_moment(&day);
        if (morning == 0 && day.now_s > 3600) {
            morning = rest(&day);
        }
    }
    move_while_used(&day);
    check_ends(&day);
    ck_assert_int_le(rest(&day), morning + HEAP_SPAN);
    day_end(&day);
    ck_assert_uint_eq(loopback_num_fds(), num_fds);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
    urlp_clock_fake_end();
}

START_TEST(day__of_gaps_restarts_moves_and_renewals_fails_no_request)
{
    live_a_day(false);
}
END_TEST

START_TEST(day__with_a_thread_of_upkeep_fails_no_request)
{
    live_a_day(true);
}
END_TEST

RUN_TESTS("long day", day__of_gaps_restarts_moves_and_renewals_fails_no_request,
          day__with_a_thread_of_upkeep_fails_no_request)
