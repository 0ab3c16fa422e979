/* Every system call of the library goes wrong in each way it can, at each of its occurrences, over
 * the table of whole operations (support/scenarios.h): once, and once with all that come behind it.
 * An interrupted call, one that has to wait, and one that moves a single byte are not to be seen at
 * all: the same answer, over as many connections, with as many tries. The rest is a clean error or
 * success. A share that moves with URLPOOL_TEST_SEED is played; URLPOOL_EVERY asks for all of it,
 * URLPOOL_SCENARIO for one of the table. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "support/failing_calls.h"
#include "support/requests.h"
#include "support/run_tests.h"
#include "support/sanitizers.h"
#include "support/scenario_play.h"

enum {
    SHARE = IS_SANITIZED ? 97 : 19, /* one of so many is played */
    CODES_MAX = 5
};

/* What may come of a call that went wrong, beneath URLPOOL_E_MAX_RETRIES and URLPOOL_E_PROXY. Those
 * that are missing are done without. */
static const enum urlpool_code codes[CALL_NUM][CODES_MAX] = {
  /* clang-format off */
    [CALL_SOCKET] = {URLPOOL_E_CONNECT, URLPOOL_E_SYSTEM, URLPOOL_E_RESOLVE, URLPOOL_E_PROXY},
    [CALL_CONNECT] = {URLPOOL_E_CONNECT, URLPOOL_E_SYSTEM, URLPOOL_E_RESOLVE, URLPOOL_E_PROXY},
    [CALL_BIND] = {URLPOOL_E_CONNECT, URLPOOL_E_SYSTEM},
    [CALL_SETSOCKOPT] = {URLPOOL_E_CONNECT, URLPOOL_E_SYSTEM, URLPOOL_E_PROXY},
    [CALL_GETSOCKOPT] = {URLPOOL_E_CONNECT, URLPOOL_E_PROXY},
    [CALL_SENDMSG] = {URLPOOL_E_RESET, URLPOOL_E_SYSTEM, URLPOOL_E_RESOLVE, URLPOOL_E_PROXY},
    [CALL_SENDFILE] = {URLPOOL_E_RESET, URLPOOL_E_SYSTEM},
    [CALL_RECV] = {URLPOOL_E_RESET, URLPOOL_E_SYSTEM, URLPOOL_E_PROXY},
    [CALL_RECVFROM] = {URLPOOL_E_RESOLVE, URLPOOL_E_SYSTEM},
    [CALL_POLL] = {URLPOOL_E_SYSTEM},
    [CALL_EVENTFD] = {URLPOOL_E_SYSTEM},
    [CALL_EPOLL_CREATE] = {URLPOOL_E_SYSTEM},
    [CALL_EPOLL_CTL] = {URLPOOL_E_SYSTEM},
    [CALL_TIMERFD_CREATE] = {URLPOOL_E_SYSTEM},
    [CALL_READ] = {URLPOOL_E_BODY, URLPOOL_E_SYSTEM,
                   URLPOOL_E_TLS_CA_FILE, URLPOOL_E_TLS_CLIENT_CERT},
    [CALL_PREAD] = {URLPOOL_E_BODY},
    [CALL_OPEN] = {URLPOOL_E_BODY, URLPOOL_E_SYSTEM,
                   URLPOOL_E_TLS_CA_FILE, URLPOOL_E_TLS_CLIENT_CERT},
    [CALL_OPENDIR] = {URLPOOL_E_SYSTEM, URLPOOL_E_TLS_CA_FILE},
    [CALL_READDIR] = {URLPOOL_E_SYSTEM, URLPOOL_E_TLS_CA_FILE},
    [CALL_STAT] = {URLPOOL_E_BODY},
    [CALL_FSTAT] = {URLPOOL_E_BODY},
    [CALL_FCNTL] = {URLPOOL_E_BODY},
    [CALL_LSEEK] = {URLPOOL_E_BODY},
    [CALL_GETADDRINFO] = {URLPOOL_E_RESOLVE, URLPOOL_E_SYSTEM, URLPOOL_E_NOMEM},
    [CALL_PTHREAD_CREATE] = {URLPOOL_E_SYSTEM},
  /* clang-format on */
};

/* Those that nothing can be done without. */
static const bool is_needed[CALL_NUM] = {
    [CALL_EPOLL_CREATE] = true, [CALL_TIMERFD_CREATE] = true, [CALL_PREAD] = true,
    [CALL_OPENDIR] = true,      [CALL_READDIR] = true,        [CALL_STAT] = true,
    [CALL_FSTAT] = true,        [CALL_FCNTL] = true,          [CALL_PTHREAD_CREATE] = true,
};

/* struct mishap is the trouble of this test. */
struct mishap {
    struct trouble trouble; /* first, so that the one casts to the other */
    const struct failing_way *way;
    unsigned nth;
    bool all_later;
    const struct urlpool_stats *in_peace;
};

static uint64_t seed;

static void begin(const struct trouble *trouble)
{
    const struct mishap *mishap = (const struct mishap *)trouble;

    failing_calls_arm(mishap->way, mishap->nth, mishap->all_later);
}

static void end(const struct trouble *trouble)
{
    (void)trouble;
    failing_calls_arm(NULL, 0, false);
}

static bool has_come(const struct trouble *trouble)
{
    (void)trouble;
    return failing_calls_has_failed();
}

/* is_as_in_peace says whether as many connections were made, with as many tries. What upkeep opens
 * is a matter of time. */
static bool is_as_in_peace(const struct scene *scene, const struct urlpool_stats *in_peace)
{
    const struct urlpool_stats stats = test_stats(scene->manager);

    return scene->options.min_idle > 0 ||
           (stats.opened == in_peace->opened && stats.dial_failures == in_peace->dial_failures &&
            stats.retries == in_peace->retries && stats.stale_retries == in_peace->stale_retries);
}

/* is_verdict says whether the way is what a peer has to say, which the DNS puts in its own words.
 */
static bool is_verdict(const struct failing_way *way)
{
    return way->call == CALL_GETADDRINFO || way->os_errno == ECONNREFUSED;
}

/* tells_errno says whether the error has the errno that was met. A connect to a name server that
 * found no port is taken for one under way, and what is sent then has no destination. */
static bool tells_errno(const struct failing_way *way, const struct urlpool_error *err)
{
    return err->os_errno == way->os_errno ||
           (way->os_errno == EAGAIN && err->os_errno == EDESTADDRREQ) ||
           (is_verdict(way) && err->os_errno == 0);
}

static bool allows(const struct trouble *trouble, const struct scene *scene,
                   const struct urlpool_error *err, enum urlpool_code code)
{
    const struct mishap *mishap = (const struct mishap *)trouble;
    const bool is_wrapped = code == URLPOOL_E_MAX_RETRIES || code == URLPOOL_E_PROXY;
    const enum urlpool_code beneath = is_wrapped && err->cause != URLPOOL_OK ? err->cause : code;

    if (getenv("URLPOOL_TELL") != NULL) {
        printf("%s: %s: %s %s, %s, %d: %s\n", scene->scenario->name, trouble->text,
               urlpool_code_name(code), urlpool_code_name(err->cause),
               urlpool_phase_name(err->phase), err->os_errno, err->message);
    }
    if (mishap->way->is_invisible) {
        return code == scene->scenario->code && is_as_in_peace(scene, mishap->in_peace);
    }
    if (code == scene->scenario->code) {
        return !is_needed[mishap->way->call];
    }
    for (int i = 0; i < CODES_MAX; i++) {
        if (codes[mishap->way->call][i] == beneath) {
            return beneath != URLPOOL_OK && tells_errno(mishap->way, err);
        }
    }
    return false;
}

static void play(struct scene *scene, struct mishap mishap)
{
    const enum failing_call call = mishap.way->call;

    mishap.trouble = (struct trouble){.begin = begin,
                                      .end = end,
                                      .has_come = has_come,
                                      .allows = allows,
                                      .is_remembered = is_verdict(mishap.way)};
    (void)snprintf(mishap.trouble.text, sizeof(mishap.trouble.text), "%s %u%s, %s",
                   failing_call_name(call), mishap.nth, mishap.all_later ? " and all later" : "",
                   mishap.way->name);
    (void)scenario_play(scene, &mishap.trouble);
}

/* count_calls writes how often the scenario makes each call in peace. */
static struct urlpool_stats count_calls(struct scene *scene, unsigned out[CALL_NUM])
{
    struct urlpool_stats stats;

    scene_open(scene);
    failing_calls_arm(NULL, 0, false);
    (void)scene->scenario->act(scene, &test_err);
    for (int i = 0; i < CALL_NUM; i++) {
        out[i] = failing_calls_num((enum failing_call)i);
    }
    stats = test_stats(scene->manager);
    scene_close(scene);
    return stats;
}

/* can_last says whether a way can go on for ever and something else come of it than a deadline:
 * what is not to be seen once may well be seen then, and a peer's full queue is waited for. */
static bool can_last(const struct scene *scene, const struct failing_way *way)
{
    const bool is_queue = way->call == CALL_CONNECT && way->os_errno == EAGAIN;

    return !way->is_invisible && !(is_queue && scene->scenario->way == WAY_LOCAL);
}

/* is_chosen says whether the next play of `*number` is one of the share. */
static bool is_chosen(uint64_t *number)
{
    return getenv("URLPOOL_EVERY") != NULL || ++*number % SHARE == 0;
}

START_TEST(calls__go_wrong_in_each_way_at_each_occurrence_of)
{
    uint64_t number = seed + (uint64_t)_i;
    unsigned nums[CALL_NUM];
    struct urlpool_stats in_peace;
    unsigned num_plays = 0;
    struct scene scene;

    if (!scenario_is_wanted(&scenarios[_i])) {
        return;
    }
    scenario_begin(&scene, &scenarios[_i]);
    in_peace = count_calls(&scene, nums);
    for (size_t i = 0; i < num_failing_ways; i++) {
        const struct failing_way *way = &failing_ways[i];
        const unsigned num = nums[way->call];

        for (unsigned at = 0; at < num * (can_last(&scene, way) ? 2 : 1); at++) {
            if (is_chosen(&number)) {
                play(&scene, (struct mishap){.way = way,
                                             .nth = at % num + 1,
                                             .all_later = at >= num,
                                             .in_peace = &in_peace});
                num_plays++;
            }
        }
    }
    if (getenv("URLPOOL_TELL") != NULL) {
        printf("%s: %u plays\n", scenarios[_i].name, num_plays);
    }
    scenario_end(&scene);
}
END_TEST

/* first_calls are made once in a process; without what they give, all goes on as before. */
static const enum failing_call first_calls[] = {CALL_MMAP, CALL_MADVISE, CALL_ATFORK};

START_TEST(calls__of_a_process_s_first_request_go_wrong_unseen)
{
    const struct failing_way *way = failing_ways;
    struct scene scene;

    while (way->call != first_calls[_i]) {
        way++;
    }
    failing_calls_arm(way, 1, true);
    scenario_begin(&scene, &scenarios[0]);
    ck_assert(failing_calls_has_failed());
    failing_calls_arm(NULL, 0, false);
    scenario_end(&scene);
}
END_TEST

START_TEST(hosts_file__that_cannot_be_read_for_want_of_memory_is_an_error)
{
    static const struct failing_way no_memory = {CALL_READ, TRICK_REFUSE, ENOMEM, "ENOMEM", false};
    const struct scenario *scenario = scenarios;
    struct scene scene;

    while (scenario->way != WAY_NAME) {
        scenario++;
    }
    scenario_begin(&scene, scenario);
    scene_open(&scene);
    failing_calls_arm(&no_memory, 1, true);
    (void)scenario->act(&scene, &test_err);
    failing_calls_arm(NULL, 0, false);
    ck_assert_msg(test_err.code == URLPOOL_E_SYSTEM, "%s: %s", urlpool_code_name(test_err.code),
                  test_err.message);
    ck_assert_int_eq(test_err.os_errno, ENOMEM);
    scene_close(&scene);
    scenario_end(&scene);
}
END_TEST

int main(void)
{
    const struct test_loop loops[] = {
        {calls__go_wrong_in_each_way_at_each_occurrence_of,              (size_t)num_scenarios},
        TEST_ROWS(calls__of_a_process_s_first_request_go_wrong_unseen, first_calls),
        {hosts_file__that_cannot_be_read_for_want_of_memory_is_an_error, 1                    }
    };
    const char *given = getenv("URLPOOL_TEST_SEED");

    seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    printf("URLPOOL_TEST_SEED=%" PRIu64 "\n", seed);
    return run_loops("failing calls", loops, sizeof(loops) / sizeof(loops[0]));
}
