/* Counting holders. */

#include <pthread.h>

#include "base/ref.h"
#include "support/run_tests.h"

START_TEST(ref__the_last_to_drop_is_told)
{
    struct urlp_ref ref;

    urlp_ref_init(&ref);
    urlp_ref_take(&ref);
    urlp_ref_take(&ref);
    ck_assert(!urlp_ref_drop(&ref));
    ck_assert(!urlp_ref_drop(&ref));
    ck_assert(urlp_ref_drop(&ref));
}
END_TEST

struct shared {
    struct urlp_ref ref;
    int marks[4]; /* each written by one thread, all read by the last */
    _Atomic int num_last;
    int sum;
};

struct holder {
    struct shared *shared;
    int index;
};

static void *hold(void *arg)
{
    struct holder *holder = arg;

    holder->shared->marks[holder->index] = 1;
    if (urlp_ref_drop(&holder->shared->ref)) {
        atomic_fetch_add(&holder->shared->num_last, 1);
        for (int i = 0; i < 4; i++) {
            holder->shared->sum += holder->shared->marks[i];
        }
    }
    return NULL;
}

START_TEST(ref__the_last_thread_sees_what_the_others_did)
{
    struct shared shared = {0};
    struct holder holders[4];
    pthread_t threads[4];

    urlp_ref_init(&shared.ref);
    for (int i = 0; i < 4; i++) {
        if (i > 0) {
            urlp_ref_take(&shared.ref);
        }
    }
    for (int i = 0; i < 4; i++) {
        holders[i] = (struct holder){&shared, i};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, hold, &holders[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    ck_assert_int_eq(atomic_load(&shared.num_last), 1);
    ck_assert_int_eq(shared.sum, 4);
}
END_TEST

RUN_TESTS("ref", ref__the_last_to_drop_is_told, ref__the_last_thread_sees_what_the_others_did)
