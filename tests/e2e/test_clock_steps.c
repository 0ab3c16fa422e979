/* Clocks that are changed under the library: the wall clock by ten years, forth and back, and the
 * clock that runs on while the machine sleeps by an hour. This program stands between the library,
 * BoringSSL and c-ares and the C library's clocks. Deadlines and pauses are not moved, certificates
 * and dates are held against the wall clock, and what is old after the sleep is not used.
 * URLPOOL_TEST_REPEATS is how often each standstill is played. */

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "support/certs.h"
#include "support/dns_server.h"
#include "support/now.h"
#include "support/requests.h"
#include "support/run_tests.h"
#include "support/stages.h"
#include "support/tls_client.h"

enum {
    LIMIT_MS = 40,
    SLACK_MS = 5000, /* of a busy machine; far below every default */
    NUM_REQUESTS = 30,
    PAUSE_MS = 60,
    STEP_NS = 500000,
    HOUR_S = 3600,
    TEN_YEARS_S = 10 * 366 * 24 * HOUR_S,
    URL_BYTES = 128
};

/* --- the clocks --- */

static _Atomic int64_t wall_offset_s;
static _Atomic int64_t boot_offset_s;
static atomic_uint num_read; /* the wall clock's readings */

int clock_gettime(clockid_t clock, struct timespec *out);
time_t time(time_t *out);
int gettimeofday(struct timeval *restrict out, void *restrict zone);

int clock_gettime(clockid_t clock, struct timespec *out)
{
    const long status = syscall(SYS_clock_gettime, clock, out);

    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) {
        out->tv_sec += atomic_load(&wall_offset_s);
        atomic_fetch_add(&num_read, 1);
    } else if (clock == CLOCK_BOOTTIME) {
        out->tv_sec += atomic_load(&boot_offset_s);
    }
    return (int)status;
}

time_t time(time_t *out)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL) {
        *out = now.tv_sec;
    }
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;

    (void)zone;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    *out = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

/* A thread that changes the clocks all the time. The one that counts sleep only goes forward. */
struct stepper {
    pthread_t thread;
    bool sleeps;
    atomic_bool is_over;
};

static void *step(void *arg)
{
    static const int64_t offsets[] = {TEN_YEARS_S, 0, -TEN_YEARS_S, TEN_YEARS_S, -TEN_YEARS_S, 0};
    struct stepper *stepper = arg;
    const struct timespec pause = {0, STEP_NS};

    for (unsigned i = 0; !atomic_load(&stepper->is_over); i++) {
        if (stepper->sleeps) {
            atomic_fetch_add(&boot_offset_s, HOUR_S);
        } else {
            atomic_store(&wall_offset_s, offsets[i % (sizeof(offsets) / sizeof(offsets[0]))]);
        }
        (void)nanosleep(&pause, NULL);
    }
    return NULL;
}

static void stepper_begin(struct stepper *stepper, bool sleeps)
{
    stepper->sleeps = sleeps;
    atomic_store(&stepper->is_over, false);
    ck_assert_int_eq(pthread_create(&stepper->thread, NULL, step, stepper), 0);
}

static void stepper_end(struct stepper *stepper)
{
    atomic_store(&stepper->is_over, true);
    ck_assert_int_eq(pthread_join(stepper->thread, NULL), 0);
    atomic_store(&wall_offset_s, 0);
}

/* --- deadlines --- */

/* stand_still makes a request that ends by its deadline, neither early nor late. */
static void stand_still(enum stage stage, bool sleeps)
{
    struct stage_scene scene;
    struct stepper stepper;
    struct urlpool_response *response;
    struct urlpool_request_options options = {.timeout = {.total_ms = LIMIT_MS}};
    int64_t began_ms;
    int64_t took_ms;

    stage_begin(&scene, stage, NULL);
    options.body = scene.body;
    stepper_begin(&stepper, sleeps);
    began_ms = test_now_ms();
    response = urlpool_request(scene.manager, scene.method, scene.url, &options, &test_err);
    took_ms = test_now_ms() - began_ms;
    stepper_end(&stepper);
    ck_assert_ptr_null(response);
    ck_assert_msg(test_err.code == URLPOOL_E_TOTAL_TIMEOUT, "%s: %s: %s", stage_name(stage),
                  urlpool_code_name(test_err.code), test_err.message);
    ck_assert_msg(took_ms >= LIMIT_MS - 1 && took_ms < LIMIT_MS + SLACK_MS, "%s: took %d ms",
                  stage_name(stage), (int)took_ms);
    stage_end(&scene);
}

START_TEST(clock__that_steps_moves_no_deadline)
{
    const char *asked = getenv("URLPOOL_TEST_REPEATS");

    for (int i = asked != NULL ? atoi(asked) : 1; i > 0; i--) {
        stand_still((enum stage)(_i / 2), _i % 2 != 0);
    }
}
END_TEST

/* --- answers --- */

struct scene {
    struct test_cert *ca, *leaf;
    SSL_CTX *context;
    struct test_server *plain, *tls;
    struct dns_server *dns;
    struct urlpool_tls *trust;
    struct urlpool_manager *manager;
    char urls[2][URL_BYTES];
};

/* begin has a server that is known by name, and one over TLS whose certificate is good for
 * `years_s` to both sides. */
static void begin(struct scene *scene, int64_t years_s)
{
    static const struct test_name names[] = {TEST_IP("\x7f\x00\x00\x01")};
    const struct test_cert_options ca = {
        .common_name = "Clock CA", .is_ca = true, .begin_s = -years_s, .end_s = years_s};
    const struct test_cert_options leaf = {
        .names = names, .num_names = 1, .begin_s = -years_s, .end_s = years_s};

    scene->ca = test_cert_new(&ca, NULL);
    scene->leaf = test_cert_new(&leaf, scene->ca);
    scene->context = test_cert_context((const struct test_cert *const[]){scene->leaf, NULL});
    scene->plain = test_server_start(test_answer_hello, NULL, NULL);
    scene->tls = test_server_start(test_answer_hello, NULL,
                                   &(struct test_server_options){.tls = scene->context});
    scene->dns = dns_server_start();
    dns_server_add(scene->dns, "www.test", DNS_A, 60, "127.0.0.1");
    scene->trust = test_trust(scene->ca);
    scene->manager = test_manager(&(struct urlpool_manager_options){
        .tls = scene->trust, .network.dns_servers = dns_server_address(scene->dns)});
    (void)snprintf(scene->urls[0], URL_BYTES, "http://www.test:%d/",
                   test_server_port(scene->plain));
    (void)test_server_url(scene->tls, "/", scene->urls[1], URL_BYTES);
}

static void end(struct scene *scene)
{
    urlpool_manager_free(scene->manager);
    urlpool_tls_unref(scene->trust);
    dns_server_stop(scene->dns);
    test_server_stop(scene->tls);
    test_server_stop(scene->plain);
    SSL_CTX_free(scene->context);
    test_cert_free(scene->leaf);
    test_cert_free(scene->ca);
}

static void get(struct scene *scene, int which)
{
    struct urlpool_response *response =
        urlpool_request(scene->manager, "GET", scene->urls[which], NULL, &test_err);

    ck_assert_msg(response != NULL, "%s: %s", scene->urls[which], test_err.message);
    urlpool_response_free(response);
}

START_TEST(wall_clock__that_steps_ends_no_connection_and_no_answer_of_dns)
{
    struct scene scene;
    struct stepper stepper;

    begin(&scene, 2 * (int64_t)TEN_YEARS_S);
    stepper_begin(&stepper, false);
    for (int i = 0; i < NUM_REQUESTS; i++) {
        get(&scene, i % 2);
        (void)nanosleep(&(struct timespec){0, STEP_NS}, NULL);
    }
    stepper_end(&stepper);
    ck_assert_uint_eq(test_stats(scene.manager).opened, 2);
    ck_assert_uint_eq(dns_server_num_queries(scene.dns, "www.test", DNS_A), 1);
    ck_assert_uint_gt(num_read, 0);
    end(&scene);
}
END_TEST

START_TEST(wall_clock__is_what_certificates_are_held_against)
{
    static const int64_t offsets[] = {TEN_YEARS_S, -TEN_YEARS_S};
    struct scene scene;

    begin(&scene, HOUR_S);
    for (int i = 0; i < 2; i++) {
        atomic_store(&wall_offset_s, offsets[i]);
        ck_assert_ptr_null(urlpool_request(scene.manager, "GET", scene.urls[1], NULL, &test_err));
        ck_assert_msg(test_err.code == URLPOOL_E_TLS_EXPIRED, "%s", test_err.message);
    }
    atomic_store(&wall_offset_s, 0);
    get(&scene, 1);
    end(&scene);
}
END_TEST

/* --- pauses --- */

/* answer_busy says 503 twice, and then what is asked for, and so on; a client at "/date" is told a
 * date that is a second ahead of the time of day that nobody has changed. */
static void answer_busy(struct test_peer *peer, const struct test_request *request, void *user)
{
    char field[96];
    struct timespec now;
    struct tm date;
    atomic_uint *num = user;

    if (atomic_fetch_add(num, 1) % 3 == 2) {
        test_answer_hello(peer, request, NULL);
        return;
    }
    (void)syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    now.tv_sec++;
    (void)gmtime_r(&now.tv_sec, &date);
    (void)strftime(field, sizeof(field), "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n", &date);
    test_peer_reply(peer, 503, strcmp(request->target, "/date") == 0 ? field : NULL, "later");
}

/* fetch_ms is how long it took until an answer of `status` was there. */
static int64_t fetch_ms(struct urlpool_manager *manager, struct test_server *server,
                        const char *path, int status)
{
    const struct urlpool_request_options options = {
        .retries = {.status_forcelist = {503}, .backoff_factor_ms = PAUSE_MS}
    };
    const int64_t began_ms = test_now_ms();
    struct urlpool_response *response = test_fetch(manager, "GET", server, path, &options);

    ck_assert_int_eq(response->status, status);
    urlpool_response_free(response);
    return test_now_ms() - began_ms;
}

START_TEST(wall_clock__that_steps_moves_no_pause)
{
    atomic_uint num_asked = 0;
    struct test_server *server = test_server_start(answer_busy, &num_asked, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct stepper stepper;
    int64_t took_ms;

    stepper_begin(&stepper, _i != 0);
    took_ms = fetch_ms(manager, server, "/", 200);
    stepper_end(&stepper);
    ck_assert_int_ge(took_ms, PAUSE_MS); /* before the second retry */
    ck_assert_int_lt(took_ms, PAUSE_MS + SLACK_MS);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

/* The date of Retry-After is long past, or too far away to wait for. */
START_TEST(wall_clock__is_what_dates_are_held_against)
{
    atomic_uint num_asked = 0;
    struct test_server *server = test_server_start(answer_busy, &num_asked, NULL);
    struct urlpool_manager *manager = test_manager(NULL);

    atomic_store(&wall_offset_s, TEN_YEARS_S);
    ck_assert_int_lt(fetch_ms(manager, server, "/date", 200), SLACK_MS);
    urlpool_manager_free(manager);
    manager = test_manager(NULL);
    atomic_store(&wall_offset_s, -TEN_YEARS_S);
    ck_assert_int_lt(fetch_ms(manager, server, "/date", 503), SLACK_MS);
    ck_assert_uint_eq(num_asked, 4);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

/* --- sleep --- */

START_TEST(sleep__of_the_machine_makes_connections_and_names_old)
{
    struct scene scene;

    begin(&scene, 2 * (int64_t)TEN_YEARS_S);
    for (int round = 1; round <= 3; round++) {
        get(&scene, 0);
        get(&scene, 0);
        get(&scene, 1);
        ck_assert_uint_eq(test_stats(scene.manager).opened, 2 * (unsigned)round);
        ck_assert_uint_eq(dns_server_num_queries(scene.dns, "www.test", DNS_A), (unsigned)round);
        atomic_fetch_add(&boot_offset_s, HOUR_S);
    }
    ck_assert_uint_eq(test_stats(scene.manager).closed[URLPOOL_CLOSED_IDLE] +
                          test_stats(scene.manager).closed[URLPOOL_CLOSED_LIFETIME],
                      4);
    end(&scene);
}
END_TEST

int main(void)
{
    const struct test_loop loops[] = {
        {clock__that_steps_moves_no_deadline,   2 * STAGE_NUM},
        TEST_ONCE(wall_clock__that_steps_ends_no_connection_and_no_answer_of_dns),
        TEST_ONCE(wall_clock__is_what_certificates_are_held_against),
        {wall_clock__that_steps_moves_no_pause, 2            },
        TEST_ONCE(wall_clock__is_what_dates_are_held_against),
        TEST_ONCE(sleep__of_the_machine_makes_connections_and_names_old),
    };

    return run_loops("clock steps", loops, sizeof(loops) / sizeof(loops[0]));
}
