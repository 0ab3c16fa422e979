/* At every state in which a call can stand still (support/halts.h), and in a drain and while idle:
 * another thread cancels it, or closes the pool or the manager, or frees it, or a time limit falls
 * there. The call, or for a close that lets it go on the close, comes back at once, and nothing is
 * left: no memory, no descriptor.
 *
 * Once by each way, but for URLPOOL_TEST_REPEATS; then all ways, and real time limits too, of which
 * URLPOOL_TEST_PART="1/4" is a part. How long it took to come back is told at the end, by way; for
 * all parts together in the file URLPOOL_TEST_TIMES. */

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/failing_allocator.h"
#include "support/halts.h"
#include "support/requests.h"
#include "support/run_tests.h"

enum {
    PROMPT_MS = 5000, /* whoever does not come back is later still: a noisy machine is not */
    FAR_MS = 1000000, /* past every pause of the scenes */
    NEAR_MS = 25,
    TIMES_MAX = 1 << 20,
    ROUNDS_MAX = 5000
};

/* Who ends the call. */
enum way {
    BY_CLOSE,
    BY_DEADLINE, /* when it stands still: the clock is the test's */
    BY_CANCEL,
    BY_LIMIT, /* of NEAR_MS, wherever it is then */
    WAY_NUM
};

static const char *const way_names[WAY_NUM] = {"close", "deadline", "cancel", "limit"};

/* The times that all processes have measured. */
struct times {
    atomic_uint num;
    uint32_t us[TIMES_MAX];
};

static struct times *all_times; /* one for each way */
static int num_repeats = 1;
static int num_ways = BY_CANCEL;
static int part = 1; /* of `num_parts` */
static int num_parts = 1;

/* struct ender ends the call of `halt`, from another thread. */
struct ender {
    struct halt *halt;
    struct urlpool_cancel *cancel;
    enum way way;
    int how;          /* to close */
    int64_t since_ns; /* in real time */
    atomic_bool has_acted;
};

/* real_ns reads the real clock, while the library's may stand still. */
static int64_t real_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * URLP_NS_PER_S + now.tv_nsec;
}

/* note_time notes what lasted from `since_ns` until now. */
static void note_time(enum way way, const char *what, int64_t since_ns)
{
    const int64_t us = (real_ns() - since_ns) / 1000;
    const unsigned n = atomic_fetch_add(&all_times[way].num, 1);

    ck_assert_msg(us < PROMPT_MS * INT64_C(1000), "%s, %s: %" PRId64 " ms", what, way_names[way],
                  us / 1000);
    if (n < TIMES_MAX) {
        all_times[way].us[n] = us > 0 ? (uint32_t)us : 0;
    }
}

/* close_it closes, in one of the ways in which that can be said. The call holds what it uses. */
static void close_it(struct halt *halt, int how)
{
    struct urlpool_pool *pool;

    switch (how % 3) {
    case 0:
        pool = urlpool_manager_pool_for_url(halt->manager, halt->url, &test_err);
        ck_assert_msg(pool != NULL, "%s", test_err.message);
        urlpool_pool_close(pool);
        urlpool_pool_unref(pool);
        break;
    case 1:
        urlpool_manager_close(halt->manager);
        break;
    default:
        urlpool_manager_free(halt->manager);
        halt->manager = NULL;
    }
}

/* await_pause moves a clock that stands still on to the end of the drain before a pause. */
static void await_pause(struct halt *halt)
{
    while (sem_trywait(&halt->reached) != 0) {
        urlp_clock_fake_advance(URLP_NS_PER_MS);
        (void)nanosleep(&(struct timespec){0, URLP_NS_PER_MS}, NULL);
    }
    halt_await_rest(halt);
}

static void *end_it(void *arg)
{
    struct ender *ender = arg;

    if (ender->way == BY_DEADLINE && ender->halt->kind->outcome->why == URLPOOL_CLOSED_UNREAD) {
        await_pause(ender->halt);
    } else {
        halt_await(ender->halt);
    }
    atomic_store(&ender->has_acted, true);
    ender->since_ns = real_ns();
    switch (ender->way) {
    case BY_DEADLINE:
        urlp_clock_fake_advance(FAR_MS * (int64_t)URLP_NS_PER_MS);
        return NULL;
    case BY_CLOSE:
        close_it(ender->halt, ender->how);
        if (ender->halt->kind->sign == BY_QUEUE) {
            return NULL;
        }
        note_time(BY_CLOSE, ender->halt->kind->name, ender->since_ns);
        halt_await_rest(ender->halt); /* exchanges that run go on */
        break;
    default:
        break;
    }
    ender->since_ns = real_ns();
    urlpool_cancel_now(ender->cancel);
    return NULL;
}

static bool is_right(enum urlpool_code code, const struct ender *ender)
{
    switch (ender->way) {
    case BY_DEADLINE:
    case BY_LIMIT:
        return urlpool_code_is(code, URLPOOL_CLASS_TIMEOUT);
    case BY_CLOSE:
        return code ==
               (ender->halt->kind->sign == BY_QUEUE ? URLPOOL_E_POOL_CLOSED : URLPOOL_E_CANCELLED);
    default:
        return code == URLPOOL_E_CANCELLED;
    }
}

/* is_pause says whether the state has an end of its own, at which a deadline is found to have
 * passed. */
static bool is_pause(const struct halt_kind *kind)
{
    return kind->sign == AT_RETRY || kind->sign == AT_SECOND_RETRY || kind->sign == AT_REDIRECT;
}

/* expect_end looks at what the call has said, and at what is left of it. */
static void expect_end(const struct ender *ender, enum urlpool_code code,
                       const struct urlpool_error *err)
{
    const struct halt_kind *kind = ender->halt->kind;
    const char *way = way_names[ender->way];
    struct urlpool_stats stats;

    ck_assert_msg(is_right(code, ender), "%s, %s: %s: %s", kind->name, way, urlpool_code_name(code),
                  err->message);
    ck_assert_int_eq(err->code, code);
    if (ender->way != BY_LIMIT && (ender->way != BY_DEADLINE || !is_pause(kind))) {
        ck_assert_msg(err->phase == kind->phase, "%s, %s: phase %s", kind->name, way,
                      urlpool_phase_name(err->phase));
        ck_assert_msg(err->maybe_processed == kind->outcome->may_be_processed, "%s, %s: %d",
                      kind->name, way, err->maybe_processed);
    }
    note_time(ender->way == BY_CLOSE && kind->sign != BY_QUEUE ? BY_CANCEL : ender->way, kind->name,
              ender->since_ns);
    halt_leave(ender->halt);
    if (ender->halt->manager != NULL) {
        stats = test_stats(ender->halt->manager);
        ck_assert_msg(stats.leased == (ender->halt->held != NULL) && stats.dialling == 0 &&
                          stats.waiting == 0,
                      "%s, %s: %u leased, %u dial, %u wait", kind->name, way,
                      (unsigned)stats.leased, (unsigned)stats.dialling, (unsigned)stats.waiting);
    }
}

/* expect_nothing_left waits until the peers' threads have let go, too. */
static void expect_nothing_left(const char *name, enum way way, unsigned num_fds, int64_t num_live)
{
    for (int i = 0; loopback_num_fds() > num_fds && i < ROUNDS_MAX; i++) {
        (void)nanosleep(&(struct timespec){0, URLP_NS_PER_MS}, NULL);
    }
    ck_assert_msg(loopback_num_fds() == num_fds, "%s, %s: %u descriptors, and %u before", name,
                  way_names[way], loopback_num_fds(), num_fds);
    ck_assert_msg(failing_allocator_num_live() == num_live, "%s, %s: %d blocks, and %d before",
                  name, way_names[way], (int)failing_allocator_num_live(), (int)num_live);
}

/* end_one plays one state, and its end. */
static void end_one(size_t index, enum way way, int how)
{
    const unsigned num_fds = loopback_num_fds();
    const int64_t num_live = failing_allocator_num_live();
    struct halt halt;
    struct ender ender = {&halt, urlpool_cancel_new(&test_err), way, how, 0, false};
    enum urlpool_code code;
    pthread_t thread;

    if (way == BY_DEADLINE) {
        urlp_clock_fake_begin(URLP_NS_PER_S);
    }
    halt_begin_within(&halt, index,
                      way == BY_DEADLINE ? FAR_MS
                      : way == BY_LIMIT  ? NEAR_MS
                                         : URLPOOL_NO_TIMEOUT);
    if (way == BY_LIMIT) {
        ender.since_ns = real_ns() + NEAR_MS * (int64_t)URLP_NS_PER_MS;
    } else {
        ck_assert_int_eq(pthread_create(&thread, NULL, end_it, &ender), 0);
    }
    code = halt_call(&halt, ender.cancel, &test_err);
    if (way != BY_LIMIT) {
        ck_assert_msg(atomic_load(&ender.has_acted), "%s, %s: ended by itself: %s", halt.kind->name,
                      way_names[way], test_err.message);
        pthread_join(thread, NULL);
    }
    expect_end(&ender, code, &test_err);
    halt_end(&halt);
    urlpool_cancel_free(ender.cancel);
    if (way == BY_DEADLINE) {
        urlp_clock_fake_end();
    }
    expect_nothing_left(halt.kind->name, way, num_fds, num_live);
}

START_TEST(call__comes_back_from_each_state_and_leaves_nothing)
{
    const int row = _i * num_parts + part - 1;
    const size_t index = (size_t)(row / num_ways);
    const enum way way = (enum way)(row % num_ways);

    if (index >= HALT_NUM) {
        return; /* the last part may be shorter */
    }

    failing_allocator_install();
    for (int i = 0; i < num_repeats; i++) {
        end_one(index, way, (int)index + i);
    }
}
END_TEST

/* begin_half has the beginning of a body, from a peer that says no more. */
static struct urlpool_response *begin_half(const struct halt *scene, struct urlpool_cancel *cancel)
{
    const struct urlpool_request_options options = {.stream = true, .cancel = cancel};
    struct urlpool_response *response =
        urlpool_request(scene->manager, "GET", scene->url, &options, &test_err);

    ck_assert_msg(response != NULL, "%s", test_err.message);
    return response;
}

/* The clock stands still, so that the bound of the drain's own is the test's to let come. */
static void *end_drain(void *arg)
{
    struct ender *ender = arg;

    halt_await_rest(ender->halt);
    ender->since_ns = real_ns();
    if (ender->way == BY_CANCEL) {
        urlpool_cancel_now(ender->cancel);
        return NULL;
    }
    if (ender->way == BY_CLOSE) {
        close_it(ender->halt, ender->how);
        note_time(BY_CLOSE, "drain", ender->since_ns);
        halt_await_rest(ender->halt);
        ender->since_ns = real_ns();
    }
    urlp_clock_fake_advance(URLP_NS_PER_S);
    return NULL;
}

static void drain_once(enum way way, int how)
{
    static const struct silent_script half = {
        {SILENT_HEARS, SILENT_SAYS("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")},
        2, false
    };
    static const struct halt_kind kind = {.name = "drain"};
    const unsigned num_fds = loopback_num_fds();
    const int64_t num_live = failing_allocator_num_live();
    struct halt scene = {.kind = &kind, .peer = silent_peer_start(&half, NULL)};
    struct ender ender = {&scene, urlpool_cancel_new(&test_err), way, how, 0, false};
    struct urlpool_response *response;
    pthread_t thread;

    urlp_clock_fake_begin(URLP_NS_PER_S);
    scene.manager = test_manager(NULL);
    (void)snprintf(scene.url, sizeof(scene.url), "http://127.0.0.1:%u/",
                   silent_peer_port(scene.peer));
    response = begin_half(&scene, ender.cancel);
    halt_note_thread(&scene);
    ck_assert_int_eq(pthread_create(&thread, NULL, end_drain, &ender), 0);
    urlpool_response_drain(response);
    pthread_join(thread, NULL);
    note_time(way == BY_CLOSE ? BY_DEADLINE : way, "drain", ender.since_ns);
    ck_assert(urlpool_response_is_closed(response));
    if (scene.manager != NULL) {
        ck_assert_uint_eq(test_stats(scene.manager).open, 0);
        ck_assert_uint_eq(test_stats(scene.manager).closed[URLPOOL_CLOSED_UNREAD], 1);
    }
    urlpool_response_free(response);
    urlpool_manager_free(scene.manager);
    silent_peer_stop(scene.peer);
    urlpool_cancel_free(ender.cancel);
    urlp_clock_fake_end();
    expect_nothing_left("drain", way, num_fds, num_live);
}

START_TEST(drain__comes_back_and_leaves_nothing)
{
    failing_allocator_install();
    for (int i = 0; i < num_repeats; i++) {
        drain_once((enum way)_i, i);
    }
}
END_TEST

/* end_idle ends a connection that nobody uses; a token has no hold on it. */
static void *end_idle(void *arg)
{
    struct ender *ender = arg;

    ender->since_ns = real_ns();
    switch (ender->way) {
    case BY_CANCEL:
        urlpool_cancel_now(ender->cancel);
        break;
    case BY_CLOSE:
        close_it(ender->halt, ender->how);
        break;
    default:
        urlp_clock_fake_advance(FAR_MS * (int64_t)URLP_NS_PER_MS);
        (void)urlpool_manager_maintain(ender->halt->manager);
    }
    note_time(ender->way, "idle", ender->since_ns);
    return NULL;
}

static void be_idle_once(enum way way, int how)
{
    const unsigned num_fds = loopback_num_fds();
    const int64_t num_live = failing_allocator_num_live();
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct halt scene = {.manager = test_manager(NULL)};
    struct ender ender = {&scene, urlpool_cancel_new(&test_err), way, how, 0, false};
    const struct urlpool_request_options options = {.cancel = ender.cancel};
    struct urlpool_response *response;
    pthread_t thread;

    urlp_clock_fake_begin(URLP_NS_PER_S);
    (void)test_server_url(server, "/", scene.url, sizeof(scene.url));
    urlpool_response_free(test_fetch(scene.manager, "GET", server, "/", &options));
    ck_assert_uint_eq(test_stats(scene.manager).idle, 1);
    ck_assert_int_eq(pthread_create(&thread, NULL, end_idle, &ender), 0);
    pthread_join(thread, NULL);
    if (scene.manager != NULL) {
        ck_assert_uint_eq(test_stats(scene.manager).idle, way == BY_CANCEL);
    }
    if (way == BY_CANCEL) {
        response = test_fetch(scene.manager, "GET", server, "/", NULL);
        ck_assert(response->connection_reused);
        urlpool_response_free(response);
    }
    urlpool_manager_free(scene.manager);
    test_server_stop(server);
    urlpool_cancel_free(ender.cancel);
    urlp_clock_fake_end();
    expect_nothing_left("idle", way, num_fds, num_live);
}

START_TEST(idle__connection_is_ended_and_leaves_nothing)
{
    failing_allocator_install();
    for (int i = 0; i < num_repeats; i++) {
        be_idle_once((enum way)_i, i);
    }
}
END_TEST

static int compare_times(const void *a, const void *b)
{
    const uint32_t left = *(const uint32_t *)a;
    const uint32_t right = *(const uint32_t *)b;

    return left < right ? -1 : left > right;
}

static void report(void)
{
    uint32_t *sorted = malloc(sizeof(all_times[0].us));

    for (int way = 0; sorted != NULL && way < WAY_NUM; way++) {
        const struct times *times = &all_times[way];
        const unsigned num = times->num < TIMES_MAX ? times->num : TIMES_MAX;

        if (num == 0) {
            continue;
        }
        memcpy(sorted, times->us, num * sizeof(sorted[0]));
        qsort(sorted, num, sizeof(sorted[0]), compare_times);
        printf("%s: %u times, us: p50 %u, p99 %u, max %u\n", way_names[way], num, sorted[num / 2],
               sorted[(uint64_t)num * 99 / 100], sorted[num - 1]);
    }
    free(sorted);
}

/* share_times makes the memory in which all processes note their times. */
static bool share_times(void)
{
    const char *path = getenv("URLPOOL_TEST_TIMES");
    const size_t size = WAY_NUM * sizeof(*all_times);
    const int fd = path != NULL ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;

    if (fd >= 0 && ftruncate(fd, (off_t)size) != 0) {
        return false;
    }
    all_times = mmap(NULL, size, PROT_READ | PROT_WRITE,
                     fd >= 0 ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS, fd, 0);
    if (fd >= 0) {
        (void)close(fd);
    }
    return all_times != MAP_FAILED;
}

int main(void)
{
    const char *asked = getenv("URLPOOL_TEST_REPEATS");
    const char *asked_part = getenv("URLPOOL_TEST_PART");
    struct test_loop loops[] = {
        {call__comes_back_from_each_state_and_leaves_nothing, 0            },
        {drain__comes_back_and_leaves_nothing,                BY_CANCEL + 1},
        {idle__connection_is_ended_and_leaves_nothing,        BY_CANCEL + 1},
    };
    int status;

    if (asked != NULL) {
        num_repeats = atoi(asked);
        num_ways = WAY_NUM;
    }
    if (asked_part != NULL &&
        (sscanf(asked_part, "%d/%d", &part, &num_parts) != 2 || part < 1 || part > num_parts)) {
        return EXIT_FAILURE;
    }
    loops[0].num_rows = (size_t)((HALT_NUM * num_ways + num_parts - 1) / num_parts);
    if (!share_times()) {
        return EXIT_FAILURE;
    }
    status = run_loops("states", loops, part == 1 ? sizeof(loops) / sizeof(loops[0]) : 1);
    report();
    return status;
}
