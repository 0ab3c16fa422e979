/* Every allocation fails once, and every allocation with all that come behind it, over a table of
 * whole operations: in our heap, in BoringSSL's, in c-ares'. What is left is a clean error or
 * success, nothing held, and a pool that serves the same again. What no test can make fail here:
 * libidn2's own heap, and the C library's. URLPOOL_EVERY asks for all of a foreign heap's
 * allocations; else some of them are chosen. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/failing_allocator.h"
#include "support/foreign_heaps.h"
#include "support/requests.h"
#include "support/run_tests.h"
#include "support/scenarios.h"

enum {
    OURS = FOREIGN_HEAP_NUM, /* behind the foreign ones */
    HEAP_NUM,
    FIRST_NUM = 16, /* of a foreign heap, each of so many is tried, then fewer and fewer */
    SPREAD = 4,
    ALLOCATIONS_MAX = 20000
};

#ifndef __has_feature
#define __has_feature(name) 0 /* clang's word; gcc has macros */
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
enum {
    IS_SLOW = 1
};
#else
enum {
    IS_SLOW = 0
};
#endif

static const char *const heap_names[HEAP_NUM] = {"BoringSSL's", "c-ares'", "our"};

static void let_fail(int heap, uint64_t nth, bool all_later)
{
    if (heap != OURS) {
        foreign_heaps_fail((enum foreign_heap)heap, nth, all_later);
    } else if (all_later) {
        failing_allocator_fail_from(nth);
    } else {
        failing_allocator_fail_nth(nth);
    }
}

static bool has_failed(int heap)
{
    return heap == OURS ? failing_allocator_has_failed()
                        : foreign_heaps_has_failed((enum foreign_heap)heap);
}

static int64_t num_live(int heap)
{
    return heap == OURS ? failing_allocator_num_live()
                        : foreign_heaps_num_live((enum foreign_heap)heap);
}

/* is_clean says whether `code` may come of memory that ran out in `heap`. BoringSSL does not always
 * tell that it was memory: then its refusal has the words of what it could not read. */
static bool is_clean(const struct scenario *scenario, int heap, const struct urlpool_error *err,
                     enum urlpool_code code)
{
    if (code == scenario->code || code == URLPOOL_E_NOMEM) {
        return true;
    }
    if (heap == HEAP_OF_TLS &&
        (code == URLPOOL_E_TLS || code == URLPOOL_E_TLS_VERIFY || code == URLPOOL_E_TLS_CA_FILE ||
         code == URLPOOL_E_PROXY || code == URLPOOL_E_TLS_CLIENT_CERT)) {
        return true;
    }
    return code == URLPOOL_E_MAX_RETRIES && err->cause == URLPOOL_E_NOMEM;
}

/* await waits until a heap holds no more than it did: a thread of upkeep may end behind its
 * manager. */
static bool await(int heap, int64_t wanted)
{
    for (int i = 0; i < 2000 && num_live(heap) > wanted; i++) {
        usleep(1000);
    }
    return num_live(heap) <= wanted;
}

/* play does the scenario once while the memory of `heap` fails so, and once when it does not.
 * Returns whether an allocation failed. */
static bool play(struct scene *scene, int heap, uint64_t nth, bool all_later)
{
    const struct scenario *scenario = scene->scenario;
    struct urlpool_error err = {0};
    int64_t before[HEAP_NUM];
    enum urlpool_code code;
    bool failed;

    for (int i = 0; i < HEAP_NUM; i++) {
        before[i] = num_live(i);
    }
    foreign_heaps_join(true);
    scene_open(scene);
    let_fail(heap, nth, all_later);
    code = scenario->act(scene, &err);
    failed = has_failed(heap);
    let_fail(heap, 0, false);
    ck_assert_msg(is_clean(scenario, heap, &err, code) && (failed || code == scenario->code),
                  "%s, %s allocation %d%s: %s: %s", scenario->name, heap_names[heap], (int)nth,
                  all_later ? " and all later" : "", urlpool_code_name(code), err.message);
    ck_assert_uint_eq(test_stats(scene->manager).leased + test_stats(scene->manager).waiting, 0);
    memset(&err, 0, sizeof(err));
    code = scenario->act(scene, &err);
    ck_assert_msg(code == scenario->code, "%s, after %s allocation %d%s: %s: %s", scenario->name,
                  heap_names[heap], (int)nth, all_later ? " and all later" : "",
                  urlpool_code_name(code), err.message);
    scene_close(scene);
    foreign_heaps_join(false);
    for (int i = 0; i < HEAP_NUM; i++) {
        ck_assert_msg(await(i, before[i]), "%s, %s allocation %d%s: %d blocks of %s heap held",
                      scenario->name, heap_names[heap], (int)nth, all_later ? " and all later" : "",
                      (int)(num_live(i) - before[i]), heap_names[i]);
    }
    return failed;
}

/* next chooses the allocation that fails behind `nth`. */
static uint64_t next(int heap, uint64_t nth)
{
    if (getenv("URLPOOL_EVERY") != NULL || (!IS_SLOW && heap == OURS) ||
        nth < (IS_SLOW || heap == HEAP_OF_NAMES ? 4U : FIRST_NUM)) {
        return nth + 1;
    }
    return IS_SLOW || heap == HEAP_OF_NAMES ? 2 * nth : nth + 1 + nth / SPREAD;
}

START_TEST(memory__runs_out_at_each_allocation_of)
{
    struct scene scene;

    failing_allocator_install();
    foreign_heaps_install();
    scene_begin(&scene, &scenarios[_i]);
    for (int i = 0; i < 2; i++) { /* what a process keeps */
        scene_open(&scene);
        foreign_heaps_join(true);
        ck_assert_msg(scenarios[_i].act(&scene, &test_err) == scenarios[_i].code, "%s: %s: %s",
                      scenarios[_i].name, urlpool_code_name(test_err.code), test_err.message);
        foreign_heaps_join(false);
        scene_close(&scene);
    }
    for (int heap = 0; heap < HEAP_NUM; heap++) {
        for (int all_later = 0; all_later < 2; all_later++) {
            uint64_t num = 0;

            for (uint64_t nth = 1; play(&scene, heap, nth, all_later); nth = next(heap, nth)) {
                ck_assert_uint_lt(nth, ALLOCATIONS_MAX);
                num++;
            }
            if (getenv("URLPOOL_TELL") != NULL) {
                fprintf(stderr, "%s: %d of %s heap%s\n", scenarios[_i].name, (int)num,
                        heap_names[heap], all_later ? " and all later" : "");
            }
            ck_assert_msg(heap != OURS || num > 0, "%s takes no memory", scenarios[_i].name);
        }
    }
    scene_end(&scene);
}
END_TEST

int main(void)
{
    const struct test_loop loops[] = {
        {memory__runs_out_at_each_allocation_of, (size_t)num_scenarios}
    };

    return run_loops("memory in scenarios", loops, 1);
}
