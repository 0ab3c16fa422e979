/* No fork while anybody is inside. */

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/no_fork.h"
#include "support/run_tests.h"
#include "support/sanitizers.h"

enum {
    NUM_THREADS = 4,
    NUM_FORKS = 20,
    CHILD_SECONDS = 60,
    NUM_CALLS_MAX = 20000000 /* if no signal comes */
};

/* Another library, with its lock. */
struct library {
    pthread_mutex_t lock;
    atomic_bool is_over;
};

static void hold_a_while(struct library *library)
{
    (void)pthread_mutex_lock(&library->lock);
    for (volatile int i = 0; i < 2000; i++) {
    }
    (void)pthread_mutex_unlock(&library->lock);
}

static void *keep_calling(void *user)
{
    struct library *library = user;

    while (!atomic_load(&library->is_over)) {
        urlp_no_fork_begin();
        urlp_no_fork_begin(); /* nested: the first end does not let forks go on */
        urlp_no_fork_end();
        hold_a_while(library);
        urlp_no_fork_end();
    }
    return NULL;
}

/* is_good_in_child says whether `holds` does so in a forked child, which must not hang. */
static bool is_good_in_child(bool (*holds)(struct library *libraries), struct library *libraries)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        (void)signal(SIGALRM, SIG_DFL);
        (void)alarm(CHILD_SECONDS);
        _exit(holds(libraries) ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status == 0;
}

/* can_call says whether no lock is held and the bar can be passed. */
static bool can_call(struct library *libraries)
{
    bool is_good = true;

    for (int i = 0; i < NUM_THREADS; i++) {
        urlp_no_fork_begin();
        is_good = is_good && pthread_mutex_trylock(&libraries[i].lock) == 0;
        urlp_no_fork_end();
    }
    return is_good;
}

static bool can_fork_again(struct library *libraries)
{
    urlp_no_fork_begin();
    urlp_no_fork_end();
    return is_good_in_child(can_call, libraries);
}

START_TEST(fork__finds_no_lock_held_that_is_taken_inside)
{
    struct library libraries[NUM_THREADS] = {{.is_over = false}};
    pthread_t threads[NUM_THREADS];
    int num_good = 0;

    for (int i = 0; i < NUM_THREADS; i++) {
        libraries[i].lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, keep_calling, &libraries[i]), 0);
    }
    for (int i = 0; i < NUM_FORKS; i++) {
        num_good += is_good_in_child(i % 2 == 0 ? can_call : can_fork_again, libraries);
    }
    for (int i = 0; i < NUM_THREADS; i++) {
        atomic_store(&libraries[i].is_over, true);
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    }
    ck_assert_int_eq(num_good, NUM_FORKS);
}
END_TEST

/* As a signal handler may. */
START_TEST(fork__of_a_thread_that_is_inside_does_not_wait_for_itself)
{
    int status = 0;
    pid_t child;

    urlp_no_fork_begin();
    child = fork();
    if (child == 0) {
        (void)signal(SIGALRM, SIG_DFL);
        (void)alarm(CHILD_SECONDS);
        urlp_no_fork_end();
        _exit(is_good_in_child(can_fork_again, (struct library[NUM_THREADS]){0}) ? 0 : 1);
    }
    urlp_no_fork_end();
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert(is_good_in_child(can_fork_again, (struct library[NUM_THREADS]){0}));
}
END_TEST

static volatile sig_atomic_t num_handled;

static void fork_once(int signal_number)
{
    const pid_t child = fork();

    (void)signal_number;
    if (child == 0) {
        _exit(0);
    }
    (void)waitpid(child, NULL, 0);
    num_handled++;
}

/* Wherever the signal finds it: the signals come as the time goes, so each run tries other places.
 */
START_TEST(fork__of_a_handler_finds_its_thread_anywhere_and_does_not_wait_for_it)
{
    const struct itimerval often = {
        {0, 1000},
        {0, 1000}
    };
    const struct itimerval never = {
        {0, 0},
        {0, 0}
    };
    const struct sigaction forks = {.sa_handler = fork_once};

    urlp_no_fork_begin();
    urlp_no_fork_end();
    ck_assert_int_eq(sigaction(SIGPROF, &forks, NULL), 0);
    ck_assert_int_eq(setitimer(ITIMER_PROF, &often, NULL), 0);
    for (long i = 0; !HAS_TSAN && i < NUM_CALLS_MAX && num_handled < NUM_FORKS; i++) {
        urlp_no_fork_begin();
        urlp_no_fork_end();
    }
    ck_assert_int_eq(setitimer(ITIMER_PROF, &never, NULL), 0);
}
END_TEST

RUN_TESTS("no_fork", fork__finds_no_lock_held_that_is_taken_inside,
          fork__of_a_thread_that_is_inside_does_not_wait_for_itself,
          fork__of_a_handler_finds_its_thread_anywhere_and_does_not_wait_for_it)
