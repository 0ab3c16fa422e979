/* Which process is this? */

#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fork.h"
#include "support/run_tests.h"

#define NUM_THREADS 4
#define NUM_FORKS   200

/* run_in_child says whether `holds` does so in a forked child. */
static bool run_in_child(bool (*holds)(uint64_t), uint64_t generation)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        _exit(holds(generation) ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status == 0;
}

static bool is_stable_and_greater(uint64_t generation)
{
    uint64_t mine = urlp_fork_generation();

    return urlp_fork_has_happened(generation) && mine > generation &&
           urlp_fork_generation() == mine && !urlp_fork_has_happened(mine);
}

static bool is_greater_down_to_grandchildren(uint64_t generation)
{
    return is_stable_and_greater(generation) &&
           run_in_child(is_stable_and_greater, urlp_fork_generation());
}

/* The generation is first asked for by the grandchild, not by the child between. */
static bool is_greater_past_a_silent_child(uint64_t generation)
{
    return run_in_child(is_stable_and_greater, generation);
}

START_TEST(fork__a_process_keeps_its_generation)
{
    uint64_t generation = urlp_fork_generation();

    ck_assert(generation != 0);
    ck_assert(urlp_fork_generation() == generation);
    ck_assert(!urlp_fork_has_happened(generation));
    ck_assert(run_in_child(is_stable_and_greater, generation));
    ck_assert(!urlp_fork_has_happened(generation));
    ck_assert(urlp_fork_generation() == generation);
}
END_TEST

START_TEST(fork__every_descendant_has_another)
{
    uint64_t generation = urlp_fork_generation();

    ck_assert(run_in_child(is_greater_down_to_grandchildren, generation));
    ck_assert(run_in_child(is_greater_past_a_silent_child, generation));
}
END_TEST

static pthread_barrier_t barrier;

static void *ask(void *out)
{
    (void)pthread_barrier_wait(&barrier);
    *(uint64_t *)out = urlp_fork_generation();
    return NULL;
}

/* all_threads_agree asks first from several threads at once. */
static bool all_threads_agree(uint64_t generation)
{
    uint64_t answers[NUM_THREADS];
    pthread_t threads[NUM_THREADS];
    bool is_same = true;

    (void)pthread_barrier_init(&barrier, NULL, NUM_THREADS);
    for (int i = 0; i < NUM_THREADS; i++) {
        if (pthread_create(&threads[i], NULL, ask, &answers[i]) != 0) {
            return false;
        }
    }
    for (int i = 0; i < NUM_THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
        is_same = is_same && answers[i] == answers[0];
    }
    return is_same && answers[0] != generation && answers[0] == urlp_fork_generation();
}

START_TEST(fork__threads_agree_from_the_first_question_on)
{
    uint64_t generation;

    /* The page is not made yet. */
    for (int i = 0; i < NUM_FORKS; i++) {
        ck_assert(run_in_child(all_threads_agree, 0));
    }
    /* The page is there, and wiped. */
    generation = urlp_fork_generation();
    for (int i = 0; i < NUM_FORKS; i++) {
        ck_assert(run_in_child(all_threads_agree, generation));
    }
}
END_TEST

static bool is_another(uint64_t generation)
{
    return urlp_fork_has_happened(generation) && !urlp_fork_has_happened(urlp_fork_generation());
}

START_TEST(fork__is_noticed_without_the_page_too)
{
    struct rlimit limit;
    struct rlimit none;
    uint64_t generation;

    ck_assert_int_eq(getrlimit(RLIMIT_AS, &limit), 0);
    none = limit;
    none.rlim_cur = 0; /* no page can be had */
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &none), 0);
    generation = urlp_fork_generation();
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    ck_assert(generation >> 63 == 1); /* it is the stand-in that is tested */
    ck_assert(!urlp_fork_has_happened(generation));
    ck_assert(run_in_child(is_another, generation));
}
END_TEST

RUN_TESTS("fork", fork__a_process_keeps_its_generation, fork__every_descendant_has_another,
          fork__threads_agree_from_the_first_question_on, fork__is_noticed_without_the_page_too)
