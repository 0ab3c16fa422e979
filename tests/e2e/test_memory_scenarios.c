/* Every allocation fails once, and every allocation with all that come behind it, over a table of
 * whole operations: in our heap, in the TLS library's, in c-ares'. What is left is a clean error or
 * success, nothing held, no descriptor either, and a pool that serves the same again. What no test
 * can make fail here: libidn2's own heap, and the C library's. URLPOOL_EVERY asks for all of a
 * foreign heap's allocations, else some of them are chosen; URLPOOL_SCENARIO for one of the table.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/failing_allocator.h"
#include "support/foreign_heaps.h"
#include "support/run_tests.h"
#include "support/sanitizers.h"
#include "support/scenario_play.h"
#include "support/tls_kit.h"

enum {
    FIRST_NUM = 16, /* of a foreign heap, each of so many is tried, then fewer and fewer */
    SPREAD = 4,
    ALLOCATIONS_MAX = 20000,
    IS_SLOW = IS_SANITIZED
};

/* struct shortage is the trouble of this test. */
struct shortage {
    struct trouble trouble; /* first, so that the one casts to the other */
    int heap;
    uint64_t nth;
    bool all_later;
};

static void let_fail(int heap, uint64_t nth, bool all_later)
{
    if (heap != HEAP_OURS) {
        foreign_heaps_fail((enum foreign_heap)heap, nth, all_later);
    } else if (all_later) {
        failing_allocator_fail_from(nth);
    } else {
        failing_allocator_fail_nth(nth);
    }
}

static void begin(const struct trouble *trouble)
{
    const struct shortage *shortage = (const struct shortage *)trouble;

    let_fail(shortage->heap, shortage->nth, shortage->all_later);
}

static void end(const struct trouble *trouble)
{
    const struct shortage *shortage = (const struct shortage *)trouble;

    let_fail(shortage->heap, 0, false);
}

static bool has_come(const struct trouble *trouble)
{
    const struct shortage *shortage = (const struct shortage *)trouble;

    return shortage->heap == HEAP_OURS
               ? failing_allocator_has_failed()
               : foreign_heaps_has_failed((enum foreign_heap)shortage->heap);
}

/* is_librarys says whether an error has the words of something else that the TLS library could not
 * do, as it has of memory that ran out where it does not tell so. The peer is not blamed. */
static bool is_librarys(const struct urlpool_error *err)
{
    const enum urlpool_code code = err->code == URLPOOL_E_PROXY ? err->cause : err->code;

    if (code == URLPOOL_E_TLS_VERIFY) {
        return strstr(err->message, "certificate signature failure") != NULL ||
               (tls_kit_is_openssl() &&
                strstr(err->message, "unspecified certificate verification error") != NULL) ||
               strstr(err->message, "it is malformed") != NULL;
    }
    if (code == URLPOOL_E_TLS_CA_FILE || code == URLPOOL_E_TLS_CLIENT_CERT) {
        return strstr(err->message, "malformed") != NULL ||
               strstr(err->message, "of a kind not supported") != NULL;
    }
    return code == URLPOOL_E_TLS && strstr(err->message, "the peer") == NULL;
}

/* allows says whether `code` may come of memory that ran out. */
static bool allows(const struct trouble *trouble, const struct scene *scene,
                   const struct urlpool_error *err, enum urlpool_code code)
{
    const struct shortage *shortage = (const struct shortage *)trouble;

    if (code == scene->scenario->code || code == URLPOOL_E_NOMEM) {
        return true;
    }
    return (shortage->heap == HEAP_OF_TLS && is_librarys(err)) ||
           (code == URLPOOL_E_MAX_RETRIES && err->cause == URLPOOL_E_NOMEM);
}

/* play lets the `nth` allocation of `heap` fail. Returns whether there was one. */
static bool play(struct scene *scene, int heap, uint64_t nth, bool all_later)
{
    struct shortage shortage = {
        .trouble = {.begin = begin, .end = end, .has_come = has_come, .allows = allows},
        .heap = heap,
        .nth = nth,
        .all_later = all_later
    };

    (void)snprintf(shortage.trouble.text, sizeof(shortage.trouble.text), "%s allocation %d%s",
                   scenario_heap_name(heap), (int)nth, all_later ? " and all later" : "");
    return scenario_play(scene, &shortage.trouble);
}

/* next chooses the allocation that fails behind `nth`. */
static uint64_t next(int heap, uint64_t nth)
{
    if (getenv("URLPOOL_EVERY") != NULL || (!IS_SLOW && heap == HEAP_OURS) ||
        nth < (IS_SLOW || heap == HEAP_OF_NAMES ? 4U : FIRST_NUM)) {
        return nth + 1;
    }
    return IS_SLOW || heap == HEAP_OF_NAMES ? 2 * nth : nth + 1 + nth / SPREAD;
}

START_TEST(memory__runs_out_at_each_allocation_of)
{
    struct scene scene;

    if (!scenario_is_wanted(&scenarios[_i])) {
        return;
    }
    scenario_begin(&scene, &scenarios[_i]);
    for (int heap = 0; heap < HEAP_NUM; heap++) {
        for (int all_later = 0; all_later < 2; all_later++) {
            uint64_t num = 0;

            for (uint64_t nth = 1; play(&scene, heap, nth, all_later); nth = next(heap, nth)) {
                ck_assert_uint_lt(nth, ALLOCATIONS_MAX);
                num++;
            }
            if (getenv("URLPOOL_TELL") != NULL) {
                fprintf(stderr, "%s: %d of %s heap%s\n", scenarios[_i].name, (int)num,
                        scenario_heap_name(heap), all_later ? " and all later" : "");
            }
            ck_assert_msg(heap != HEAP_OURS || num > 0, "%s takes no memory", scenarios[_i].name);
        }
    }
    scenario_end(&scene);
}
END_TEST

int main(void)
{
    const struct test_loop loops[] = {
        {memory__runs_out_at_each_allocation_of, (size_t)num_scenarios}
    };

    return run_loops("memory in scenarios", loops, 1);
}
