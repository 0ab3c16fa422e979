/* One frame for all that may fail beneath a scenario. Threads of the peers, and one of upkeep, may
 * end a little later than the manager: what is held is waited for. */

#include "support/scenario_play.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/failing_allocator.h"
#include "support/loopback.h"
#include "support/now.h"
#include "support/requests.h"

enum {
    STEP_US = 500,
    STEPS_MAX = 10000,
    REMEMBERED_MS = 10000,
    ACT_MS_MAX = 15000 /* the scene's total_ms, and what a loaded machine adds */
};

static unsigned num_fds; /* of the scene when nothing is played */

static const char *const heap_names[HEAP_NUM] = {"the TLS library's", "c-ares'", "our"};

const char *scenario_heap_name(int heap)
{
    return heap_names[heap];
}

static int64_t num_live(int heap)
{
    return heap == HEAP_OURS ? failing_allocator_num_live()
                             : foreign_heaps_num_live((enum foreign_heap)heap);
}

/* await_heap waits until a heap holds no more than it did, await_fds until so many are open. */
static bool await_heap(int heap, int64_t wanted)
{
    for (int i = 0; i < STEPS_MAX && num_live(heap) > wanted; i++) {
        usleep(STEP_US);
    }
    return num_live(heap) <= wanted;
}

static bool await_fds(void)
{
    for (int i = 0; i < STEPS_MAX; i++) {
        if (loopback_num_fds() <= num_fds) {
            return true; /* what a server has yet to accept comes and goes */
        }
        usleep(STEP_US);
    }
    return false;
}

/* is_sentence says of an error's message what holds for all of them. */
static bool is_sentence(const char *message)
{
    const size_t len = strlen(message);

    return len > 0 && message[len - 1] != '.' && strchr(message, '\n') == NULL &&
           strstr(message, "failed to") == NULL && strstr(message, "secret") == NULL;
}

/* act_in_trouble plays the scenario, and judges how that ended. */
static bool act_in_trouble(struct scene *scene, const struct trouble *trouble)
{
    const struct scenario *scenario = scene->scenario;
    struct urlpool_error err = {0};
    const int64_t began_ms = test_now_ms();
    enum urlpool_code code;
    int64_t took_ms;
    bool has_come;

    trouble->begin(trouble);
    code = scenario->act(scene, &err);
    has_come = trouble->has_come(trouble);
    trouble->end(trouble);
    took_ms = test_now_ms() - began_ms;
    ck_assert_msg(took_ms < ACT_MS_MAX, "%s, %s: took %d ms", scenario->name, trouble->text,
                  (int)took_ms);
    ck_assert_msg(has_come ? trouble->allows(trouble, scene, &err, code) : code == scenario->code,
                  "%s, %s: %s, cause %s, errno %d: %s", scenario->name, trouble->text,
                  urlpool_code_name(code), urlpool_code_name(err.cause), err.os_errno, err.message);
    ck_assert_msg(code == URLPOOL_OK || err.code != code || is_sentence(err.message),
                  "%s, %s: %s: %s", scenario->name, trouble->text, urlpool_code_name(code),
                  err.message);
    return has_come;
}

/* act_in_peace plays the scenario, which has to end as it always does; if need be, behind a second
 * for which a failure is remembered. */
static void act_in_peace(struct scene *scene, const char *when, bool is_remembered)
{
    const int64_t began_ms = test_now_ms();
    struct urlpool_error err = {0};
    enum urlpool_code code = scene->scenario->act(scene, &err);

    while (is_remembered && code != scene->scenario->code &&
           test_now_ms() - began_ms < REMEMBERED_MS) {
        usleep(STEP_US);
        code = scene->scenario->act(scene, &err);
    }
    ck_assert_msg(code == scene->scenario->code, "%s, after %s: %s: %s", scene->scenario->name,
                  when, urlpool_code_name(code), err.message);
}

bool scenario_is_wanted(const struct scenario *scenario)
{
    const char *only = getenv("URLPOOL_SCENARIO");

    return only == NULL || strcmp(only, scenario->name) == 0;
}

void scenario_begin(struct scene *scene, const struct scenario *scenario)
{
    failing_allocator_install();
    foreign_heaps_install();
    scene_begin(scene, scenario);
    num_fds = loopback_num_fds();
    for (int i = 0; i < 2; i++) {
        scene_open(scene);
        foreign_heaps_join(true);
        act_in_peace(scene, "nothing", false);
        foreign_heaps_join(false);
        scene_close(scene);
    }
    ck_assert_msg(await_fds(), "%s: %u descriptors more than at first", scenario->name,
                  loopback_num_fds() - num_fds);
}

void scenario_end(struct scene *scene)
{
    scene_end(scene);
}

bool scenario_play(struct scene *scene, const struct trouble *trouble)
{
    int64_t before[HEAP_NUM];
    bool has_come;

    for (int i = 0; i < HEAP_NUM; i++) {
        before[i] = num_live(i);
    }
    foreign_heaps_join(true);
    scene_open(scene);
    has_come = act_in_trouble(scene, trouble);
    ck_assert_uint_eq(test_stats(scene->manager).leased + test_stats(scene->manager).waiting, 0);
    act_in_peace(scene, trouble->text, trouble->is_remembered);
    scene_close(scene);
    foreign_heaps_join(false);
    for (int i = 0; i < HEAP_NUM; i++) {
        ck_assert_msg(await_heap(i, before[i]), "%s, %s: %d blocks of %s heap held",
                      scene->scenario->name, trouble->text, (int)(num_live(i) - before[i]),
                      heap_names[i]);
    }
    ck_assert_msg(await_fds(), "%s, %s: %u descriptors stay open", scene->scenario->name,
                  trouble->text, loopback_num_fds() - num_fds);
    return has_come;
}
