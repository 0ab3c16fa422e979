/* Time limits, at every stage at which a request can stand still: which of them ends it, with which
 * code, in which phase, and when. */

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/requests.h"
#include "support/run_tests.h"
#include "support/stages.h"

enum {
    LIMIT_MS = 200,
    LIMIT_MS_MAX = 5000,
    SLACK_MS = 5000, /* of a busy machine; far below every default */
    STEP_MS = 50,
    END_MS = 10000,    /* in real time, for what must come at once */
    REST_SAMPLES = 10, /* 2 ms apart */
    REST_SAMPLES_MAX = 5000,
    FDS_MAX = 1024
};

static int64_t now_ms(void)
{
    return urlp_now_ns() / URLP_NS_PER_MS;
}

/* limit_of is the limit that is meant for a stage, and its code. */
static struct urlpool_timeout limit_of(enum stage stage, int64_t ms, enum urlpool_code *out_code)
{
    struct urlpool_timeout timeout = {0};

    *out_code = URLPOOL_E_CONNECT_TIMEOUT;
    switch (stage) {
    case STAGE_POOL:
        timeout.pool_ms = ms;
        *out_code = URLPOOL_E_POOL_TIMEOUT;
        break;
    case STAGE_SEND:
        timeout.write_ms = ms;
        *out_code = URLPOOL_E_WRITE_TIMEOUT;
        break;
    case STAGE_HEAD:
    case STAGE_BODY:
        timeout.read_ms = ms;
        *out_code = URLPOOL_E_READ_TIMEOUT;
        break;
    default:
        timeout.connect_ms = ms;
        break;
    }
    return timeout;
}

/* expect_end makes the request of the scene, which must end by `code` after `least_ms`; false: that
 * was not enough to get as far as its stage. */
static bool expect_end(struct stage_scene *scene, const struct urlpool_timeout *timeout,
                       enum urlpool_code code, int64_t least_ms)
{
    struct urlpool_request_options options = {.body = scene->body};
    int64_t began_ms = now_ms();
    int64_t took_ms;
    struct urlpool_response *response;

    if (timeout != NULL) {
        options.timeout = *timeout;
    }
    response = urlpool_request(scene->manager, scene->method, scene->url, &options, &test_err);
    took_ms = now_ms() - began_ms;
    ck_assert_ptr_null(response);
    ck_assert_msg(test_err.code == code, "%s: %s: %s", stage_name(scene->stage),
                  urlpool_code_name(test_err.code), test_err.message);
    if (test_err.phase < scene->phase && least_ms < LIMIT_MS_MAX) {
        return false;
    }
    ck_assert_msg(test_err.phase == scene->phase, "%s: phase %s: %s", stage_name(scene->stage),
                  urlpool_phase_name(test_err.phase), test_err.message);
    ck_assert(urlpool_code_is(test_err.code, URLPOOL_CLASS_TIMEOUT));
    ck_assert_int_eq(test_err.maybe_processed, scene->stage >= STAGE_SEND);
    ck_assert_int_eq(test_err.http_status, scene->stage == STAGE_BODY ? 200 : 0);
    ck_assert_msg(took_ms >= least_ms && took_ms < least_ms + SLACK_MS, "%s: took %lld ms",
                  stage_name(scene->stage), (long long)took_ms);
    ck_assert_uint_eq(test_stats(scene->manager).open, scene->stage == STAGE_POOL ? 1 : 0);
    ck_assert_uint_eq(test_stats(scene->manager).waiting, 0);
    return true;
}

/* at_each_stage tries a limit of LIMIT_MS, and longer ones where a machine is too busy. */
static void at_each_stage(bool (*try)(enum stage stage, int64_t ms))
{
    for (enum stage stage = 0; stage < STAGE_NUM; stage++) {
        for (int64_t ms = LIMIT_MS; !try(stage, ms); ms *= 3) {
        }
    }
}

static bool ends_of_stage(enum stage stage, int64_t ms)
{
    struct stage_scene scene;
    bool has_got_there;
    enum urlpool_code code;
    const struct urlpool_timeout timeout = limit_of(stage, ms, &code);

    stage_begin(&scene, stage, NULL);
    has_got_there = expect_end(&scene, &timeout, code, ms);
    stage_end(&scene);
    return has_got_there;
}

START_TEST(limit__of_a_stage_ends_a_request_in_it)
{
    at_each_stage(ends_of_stage);
}
END_TEST

static bool ends_of_manager(enum stage stage, int64_t ms)
{
    struct stage_scene scene;
    bool has_got_there;
    enum urlpool_code code;
    const struct urlpool_timeout timeout = limit_of(stage, ms, &code);

    stage_begin(&scene, stage, &timeout);
    has_got_there = expect_end(&scene, NULL, code, ms);
    stage_end(&scene);
    return has_got_there;
}

START_TEST(limit__of_the_manager_holds_where_the_request_says_nothing)
{
    at_each_stage(ends_of_manager);
}
END_TEST

static bool ends_of_total(enum stage stage, int64_t ms)
{
    const struct urlpool_timeout timeout = {.total_ms = ms};
    struct stage_scene scene;
    bool has_got_there;

    stage_begin(&scene, stage, NULL);
    has_got_there = expect_end(&scene, &timeout, URLPOOL_E_TOTAL_TIMEOUT, ms);
    stage_end(&scene);
    return has_got_there;
}

START_TEST(limit__total_ends_a_request_wherever_it_is)
{
    at_each_stage(ends_of_total);
}
END_TEST

static bool ends_of_managers_total(enum stage stage, int64_t ms)
{
    const struct urlpool_timeout timeout = {.total_ms = ms};
    struct stage_scene scene;
    bool has_got_there;

    stage_begin(&scene, stage, &timeout);
    has_got_there = expect_end(&scene, NULL, URLPOOL_E_TOTAL_TIMEOUT, ms);
    stage_end(&scene);
    return has_got_there;
}

START_TEST(limit__total_of_the_manager_ends_a_request_wherever_it_is)
{
    at_each_stage(ends_of_managers_total);
}
END_TEST

static bool ends_left_to_total(enum stage stage, int64_t ms)
{
    enum urlpool_code code;
    const struct urlpool_timeout of_manager = limit_of(stage, ms / 2, &code);
    struct urlpool_timeout timeout = limit_of(stage, URLPOOL_NO_TIMEOUT, &code);
    struct stage_scene scene;
    bool has_got_there;

    timeout.total_ms = ms;
    stage_begin(&scene, stage, &of_manager);
    has_got_there = expect_end(&scene, &timeout, URLPOOL_E_TOTAL_TIMEOUT, ms);
    stage_end(&scene);
    return has_got_there;
}

START_TEST(limit__without_bound_leaves_it_to_the_total)
{
    at_each_stage(ends_left_to_total);
}
END_TEST

static bool ends_left_to_stage(enum stage stage, int64_t ms)
{
    const struct urlpool_timeout of_manager = {.total_ms = ms / 2};
    enum urlpool_code code;
    struct urlpool_timeout timeout = limit_of(stage, ms, &code);
    struct stage_scene scene;
    bool has_got_there;

    timeout.total_ms = URLPOOL_NO_TIMEOUT;
    stage_begin(&scene, stage, &of_manager);
    has_got_there = expect_end(&scene, &timeout, code, ms);
    stage_end(&scene);
    return has_got_there;
}

START_TEST(limit__total_without_bound_leaves_it_to_the_stage)
{
    at_each_stage(ends_left_to_stage);
}
END_TEST

START_TEST(limit__of_none_does_not_wait_at_all)
{
    for (enum stage stage = 0; stage < STAGE_NUM; stage++) {
        struct stage_scene scene;
        enum urlpool_code code;
        const struct urlpool_timeout timeout = limit_of(stage, URLPOOL_NONE, &code);
        struct urlpool_response *response;
        int64_t began_ms = now_ms();
        const struct urlpool_request_options options = {.timeout = timeout,
                                                        .body = urlpool_body_bytes("", 0)};

        if (stage == STAGE_SEND) {
            continue; /* there is room for the first bytes, so that nothing is waited for */
        }
        stage_begin(&scene, stage, NULL);
        response = urlpool_request(scene.manager, scene.method, scene.url, &options, &test_err);
        ck_assert_ptr_null(response);
        ck_assert_msg(test_err.code == code, "%s: %s: %s", stage_name(stage),
                      urlpool_code_name(test_err.code), test_err.message);
        ck_assert_int_lt(now_ms() - began_ms, SLACK_MS);
        stage_end(&scene);
    }
}
END_TEST

START_TEST(limit__total_of_none_does_not_begin)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    const struct urlpool_request_options options = {.timeout = {.total_ms = URLPOOL_NONE}};

    ck_assert_int_eq(test_fetch_fails(manager, "GET", server, "/", &options),
                     URLPOOL_E_TOTAL_TIMEOUT);
    ck_assert_uint_eq(test_server_num_requests(server), 0);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(limit__of_none_for_the_pool_still_takes_what_is_free)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.maxsize = 1, .block = true});
    const struct urlpool_request_options options = {.timeout = {.pool_ms = URLPOOL_NONE}};

    urlpool_response_free(test_fetch(manager, "GET", server, "/", &options));
    urlpool_response_free(test_fetch(manager, "GET", server, "/", &options));
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

/* A request in a thread of its own, and whether it has ended. */
struct runner {
    struct stage_scene *scene;
    char stat_path[64]; /* of the thread, in /proc */
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool has_ended;
    struct urlpool_error err;
};

static void *run(void *arg)
{
    struct runner *runner = arg;
    const struct urlpool_request_options options = {.body = runner->scene->body,
                                                    .trace = runner->scene->trace};
    struct urlpool_response *response;

    snprintf(runner->stat_path, sizeof(runner->stat_path), "/proc/self/task/%ld/stat",
             (long)gettid());
    response = urlpool_request(runner->scene->manager, runner->scene->method, runner->scene->url,
                               &options, &runner->err);
    ck_assert_ptr_null(response);
    pthread_mutex_lock(&runner->mutex);
    runner->has_ended = true;
    pthread_cond_signal(&runner->cond);
    pthread_mutex_unlock(&runner->mutex);
    return NULL;
}

/* ends_within waits for the end of the request in real time. */
static bool ends_within(struct runner *runner, int64_t ms)
{
    struct timespec by;
    bool has_ended;

    clock_gettime(CLOCK_REALTIME, &by);
    by.tv_sec += ms / 1000;
    by.tv_nsec += ms % 1000 * URLP_NS_PER_MS;
    by.tv_sec += by.tv_nsec / 1000000000;
    by.tv_nsec %= 1000000000;
    pthread_mutex_lock(&runner->mutex);
    while (!runner->has_ended && pthread_cond_timedwait(&runner->cond, &runner->mutex, &by) == 0) {
    }
    has_ended = runner->has_ended;
    pthread_mutex_unlock(&runner->mutex);
    return has_ended;
}

/* sleeps says whether the thread waits in a system call. One that has work to do, or has to wait
 * for a processor to do it on, does not. */
static bool sleeps(const struct runner *runner)
{
    FILE *file = fopen(runner->stat_path, "re");
    char state = '?';

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
    fclose(file);
    return state == 'S';
}

/* await_rest waits until the request, having reached its stage, has nothing to do but wait: the
 * sockets are full, its gap has begun. Under the fake clock a wait is looked at every 10 ms. */
static void await_rest(struct runner *runner)
{
    int num_asleep = 0;

    for (int i = 0; num_asleep < REST_SAMPLES; i++) {
        ck_assert_msg(i < REST_SAMPLES_MAX, "%s: no rest", stage_name(runner->scene->stage));
        ck_assert(!ends_within(runner, 2));
        num_asleep = sleeps(runner) ? num_asleep + 1 : 0;
    }
}

/* other_end finds the descriptor, in this process, of the socket that `fd` is connected to. */
static int other_end(int fd)
{
    struct sockaddr_in wanted;
    struct sockaddr_in found;
    socklen_t len = sizeof(wanted);

    ck_assert_int_eq(getpeername(fd, (struct sockaddr *)&wanted, &len), 0);
    for (int i = 0; i < FDS_MAX; i++) {
        len = sizeof(found);
        if (getsockname(i, (struct sockaddr *)&found, &len) == 0 && found.sin_family == AF_INET &&
            found.sin_port == wanted.sin_port) {
            return i;
        }
    }
    ck_abort_msg("no other end of %d", fd);
}

/* num_taken is how many bytes of a request at STAGE_SEND the socket has taken. It takes some more
 * when it is full already: an acknowledgement comes late, the kernel makes it larger. */
static int64_t num_taken(const struct stage_scene *scene)
{
    struct tcp_info info;
    socklen_t len = sizeof(info);
    int unacknowledged = 0;
    int fd;

    if (scene->stage != STAGE_SEND) {
        return 0;
    }
    fd = other_end(scene->accepted);
    memset(&info, 0, sizeof(info));
    ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
    ck_assert_int_eq(ioctl(fd, SIOCOUTQ, &unacknowledged), 0);
    return (int64_t)info.tcpi_bytes_acked + unacknowledged;
}

/* ends_or_moves waits for the end of the request, or until it has got rid of more bytes than
 * `taken`, and so has all its time once more: then true is in `*out_moves`. */
static bool ends_or_moves(struct runner *runner, int64_t taken, bool *out_moves)
{
    *out_moves = false;
    for (int i = 0; i < END_MS / STEP_MS && !*out_moves; i++) {
        if (ends_within(runner, STEP_MS)) {
            return true;
        }
        *out_moves = num_taken(runner->scene) != taken;
    }
    return false;
}

/* expect_default holds the request against the limit that nobody has set. Each round looks from
 * farther before the end: the time began anew at one of the looks of the round before. */
static void expect_default(struct runner *runner, int64_t default_ms)
{
    const char *name = stage_name(runner->scene->stage);
    bool has_ended = false;
    bool moves = true;

    for (int64_t early_ms = 2; moves && early_ms < default_ms; early_ms *= 2) {
        int64_t taken;

        await_rest(runner);
        taken = num_taken(runner->scene);
        urlp_clock_fake_advance((default_ms - early_ms) * URLP_NS_PER_MS);
        ck_assert_msg(!ends_within(runner, 30), "%s ends early", name);
        urlp_clock_fake_advance(early_ms * URLP_NS_PER_MS);
        has_ended = ends_or_moves(runner, taken, &moves);
    }
    ck_assert_msg(has_ended, "%s ends late", name);
}

START_TEST(limit__zero_is_the_default)
{
    static const struct {
        enum stage stage;
        int64_t default_ms;
        enum urlpool_code code;
    } cases[] = {
        {STAGE_CONNECT, 10000, URLPOOL_E_CONNECT_TIMEOUT},
        {STAGE_HEAD,    60000, URLPOOL_E_READ_TIMEOUT   },
        {STAGE_SEND,    60000, URLPOOL_E_WRITE_TIMEOUT  },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stage_scene scene;
        struct runner runner = {
            .scene = &scene, .mutex = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};
        pthread_t thread;

        urlp_clock_fake_begin(URLP_NS_PER_MS);
        stage_begin(&scene, cases[i].stage, NULL);
        ck_assert_int_eq(pthread_create(&thread, NULL, run, &runner), 0);
        stage_await(&scene);
        expect_default(&runner, cases[i].default_ms);
        pthread_join(thread, NULL);
        ck_assert_int_eq(runner.err.code, cases[i].code);
        stage_end(&scene);
        urlp_clock_fake_end();
    }
}
END_TEST

/* answer_slowly: /trickle/N sends N bytes of body, STEP_MS apart; /hop/N leads to /hop/N-1 after
 * STEP_MS. */
static void answer_slowly(struct test_peer *peer, const struct test_request *request, void *user)
{
    int num = 0;
    char text[64];

    (void)user;
    if (sscanf(request->target, "/hop/%d", &num) == 1) {
        usleep(STEP_MS * 1000);
        snprintf(text, sizeof(text), "Location: /hop/%d\r\n", num - 1);
        test_peer_reply(peer, num > 0 ? 302 : 200, num > 0 ? text : NULL, "");
    } else if (sscanf(request->target, "/trickle/%d", &num) == 1) {
        snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", num);
        test_peer_send_text(peer, text);
        for (; num > 0; num--) {
            usleep(STEP_MS * 1000);
            test_peer_send_text(peer, ".");
        }
    }
}

START_TEST(read__bounds_the_gap_and_not_the_whole)
{
    struct test_server *server = test_server_start(answer_slowly, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    const struct urlpool_request_options options = {.timeout = {.read_ms = 15 * STEP_MS}};
    struct urlpool_response *response = test_fetch(manager, "GET", server, "/trickle/20", &options);

    ck_assert_uint_eq(response->data_len, 20);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(total__covers_a_body_that_trickles)
{
    struct test_server *server = test_server_start(answer_slowly, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    const struct urlpool_request_options options = {.timeout = {.total_ms = 5 * STEP_MS}};

    ck_assert_int_eq(test_fetch_fails(manager, "GET", server, "/trickle/20", &options),
                     URLPOOL_E_TOTAL_TIMEOUT);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_BODY);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(total__covers_every_hop_of_a_redirect)
{
    struct test_server *server = test_server_start(answer_slowly, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    const struct urlpool_request_options options = {
        .timeout = {.total_ms = 5 * STEP_MS, .read_ms = 4 * STEP_MS},
          .redirects_max = 1000
    };

    ck_assert_int_eq(test_fetch_fails(manager, "GET", server, "/hop/1000", &options),
                     URLPOOL_E_TOTAL_TIMEOUT);
    ck_assert_uint_ge(test_err.num_attempts, 2);
    ck_assert_uint_le(test_err.num_attempts, 6); /* poll counts whole milliseconds, upwards */
    ck_assert(test_err.maybe_processed);
    ck_assert_int_eq(test_err.http_status, 302);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(total__covers_a_streamed_body_to_its_end)
{
    const struct urlpool_request_options options = {.stream = true,
                                                    .timeout = {.total_ms = LIMIT_MS}};
    struct stage_scene scene;
    struct urlpool_response *response;
    char byte[16];
    size_t len;

    stage_begin(&scene, STAGE_BODY, NULL);
    response = urlpool_request(scene.manager, "GET", scene.url, &options, &test_err);
    ck_assert_msg(response != NULL, "%s", test_err.message);
    ck_assert_int_eq(urlpool_response_read_exact(response, byte, 4, &len, &test_err), URLPOOL_OK);
    for (int i = 0; i < 2; i++) { /* and so it stays */
        ck_assert_int_eq(urlpool_response_read(response, byte, 1, &len, &test_err),
                         URLPOOL_E_TOTAL_TIMEOUT);
        ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_BODY);
    }
    ck_assert_uint_eq(test_stats(scene.manager).open, 0);
    urlpool_response_free(response);
    stage_end(&scene);
}
END_TEST

START_TEST(timeout__leaves_the_manager_fit_for_the_next_request)
{
    const struct urlpool_request_options brief = {.timeout = {.read_ms = LIMIT_MS}};
    struct stage_scene scene;
    struct urlpool_response *response;

    stage_begin(&scene, STAGE_BODY, NULL);
    urlpool_response_free(test_fetch(scene.manager, "GET", scene.server, "/good", NULL));
    ck_assert_int_eq(test_fetch_fails(scene.manager, "GET", scene.server, "/stall", &brief),
                     URLPOOL_E_READ_TIMEOUT);
    response = test_fetch(scene.manager, "GET", scene.server, "/good", NULL);
    ck_assert(!response->connection_reused);
    ck_assert_str_eq((const char *)response->data, "hello");
    urlpool_response_free(response);
    ck_assert_uint_eq(test_server_num_connections(scene.server), 2);
    stage_end(&scene);
}
END_TEST

RUN_TESTS("deadlines", limit__of_a_stage_ends_a_request_in_it,
          limit__of_the_manager_holds_where_the_request_says_nothing,
          limit__total_ends_a_request_wherever_it_is,
          limit__total_of_the_manager_ends_a_request_wherever_it_is,
          limit__without_bound_leaves_it_to_the_total,
          limit__total_without_bound_leaves_it_to_the_stage, limit__of_none_does_not_wait_at_all,
          limit__total_of_none_does_not_begin, limit__of_none_for_the_pool_still_takes_what_is_free,
          limit__zero_is_the_default, read__bounds_the_gap_and_not_the_whole,
          total__covers_a_body_that_trickles, total__covers_every_hop_of_a_redirect,
          total__covers_a_streamed_body_to_its_end,
          timeout__leaves_the_manager_fit_for_the_next_request)
