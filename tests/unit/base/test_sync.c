/* Locks, condition variables on both clocks, once, and the check that nobody blocks under a lock.
 */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sync.h"
#include "support/run_tests.h"

#define START_NS      ((int64_t)1000 * 1000000000)
#define NUM_THREADS   4
#define NUM_ROUNDS    2000
#define MS(n)         ((int64_t)(n)*URLP_NS_PER_MS)
#define WAIT_FOR_EVER URLP_NEVER

/* struct gate is opened for one thread at a time: `num_passes` says how many may still go. */
struct gate {
    struct urlp_mutex mutex;
    struct urlp_cond cond;
    struct urlpool_deadline by;
    struct {
        int num_passes;
        int num_passed;
        int num_timed_out;
    } locked;
};

static void gate_init(struct gate *gate, struct urlpool_deadline by)
{
    *gate = (struct gate){.by = by};
    urlp_mutex_init(&gate->mutex);
    urlp_cond_init(&gate->cond);
}

static void gate_deinit(struct gate *gate)
{
    urlp_cond_deinit(&gate->cond);
    urlp_mutex_deinit(&gate->mutex);
}

static void *pass_gate(void *arg)
{
    struct gate *gate = arg;

    urlp_mutex_lock(&gate->mutex);
    while (gate->locked.num_passes == 0 && !urlp_deadline_has_passed(gate->by)) {
        urlp_cond_wait(&gate->cond, &gate->mutex, gate->by);
    }
    if (gate->locked.num_passes > 0) {
        gate->locked.num_passes--;
        gate->locked.num_passed++;
    } else {
        gate->locked.num_timed_out++;
    }
    urlp_mutex_unlock(&gate->mutex);
    return NULL;
}

static void open_gate(struct gate *gate, int num_passes)
{
    urlp_mutex_lock(&gate->mutex);
    gate->locked.num_passes += num_passes;
    if (num_passes == 1) {
        urlp_cond_signal(&gate->cond);
    } else {
        urlp_cond_broadcast(&gate->cond);
    }
    urlp_mutex_unlock(&gate->mutex);
}

static void start(pthread_t *threads, int num, void *(*function)(void *), void *arg)
{
    for (int i = 0; i < num; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, function, arg), 0);
    }
}

static void join(const pthread_t *threads, int num)
{
    for (int i = 0; i < num; i++) {
        (void)pthread_join(threads[i], NULL);
    }
}

START_TEST(cond__real_wait_ends_at_its_deadline_and_not_before)
{
    struct gate gate;

    gate_init(&gate, urlp_deadline_in(20));
    (void)pass_gate(&gate);
    ck_assert_int_eq(gate.locked.num_timed_out, 1);
    ck_assert(urlp_now_ns() >= gate.by.at_ns);
    gate_deinit(&gate);
}
END_TEST

START_TEST(cond__real_wait_sleeps_and_does_not_spin)
{
    struct gate gate;
    int num_waits = 0;

    gate_init(&gate, urlp_deadline_in(20));
    urlp_mutex_lock(&gate.mutex);
    while (!urlp_deadline_has_passed(gate.by)) {
        urlp_cond_wait(&gate.cond, &gate.mutex, gate.by);
        num_waits++;
    }
    urlp_mutex_unlock(&gate.mutex);
    ck_assert_int_le(num_waits, 10); /* one, but for spurious wakes */
    gate_deinit(&gate);
}
END_TEST

START_TEST(cond__real_wait_with_a_deadline_before_the_clock_began_returns)
{
    static const int64_t instants[] = {INT64_MIN, -1, 0, 1};

    for (size_t i = 0; i < sizeof(instants) / sizeof(instants[0]); i++) {
        struct gate gate;

        gate_init(&gate, (struct urlpool_deadline){instants[i]});
        urlp_mutex_lock(&gate.mutex);
        urlp_cond_wait(&gate.cond, &gate.mutex, gate.by);
        urlp_mutex_unlock(&gate.mutex);
        gate_deinit(&gate);
    }
}
END_TEST

START_TEST(cond__real_waiters_are_woken)
{
    pthread_t threads[NUM_THREADS];
    struct gate gate;

    gate_init(&gate, WAIT_FOR_EVER);
    start(threads, NUM_THREADS, pass_gate, &gate);
    open_gate(&gate, 1);
    open_gate(&gate, NUM_THREADS - 1);
    join(threads, NUM_THREADS);
    ck_assert_int_eq(gate.locked.num_passed, NUM_THREADS);
    gate_deinit(&gate);
}
END_TEST

START_TEST(cond__fake_wait_ends_when_the_clock_reaches_its_deadline)
{
    pthread_t thread;
    struct gate gate;

    urlp_clock_fake_begin(START_NS);
    gate_init(&gate, urlp_deadline_in(100));
    start(&thread, 1, pass_gate, &gate);
    urlp_clock_fake_await_waiters(1);
    urlp_clock_fake_advance(MS(100) - 1);
    ck_assert_int_eq(urlp_clock_fake_num_waiters(), 1);
    urlp_clock_fake_advance(1);
    ck_assert_int_eq(urlp_clock_fake_num_waiters(), 0);
    join(&thread, 1);
    ck_assert_int_eq(gate.locked.num_timed_out, 1);
    gate_deinit(&gate);
}
END_TEST

START_TEST(cond__fake_wait_whose_deadline_has_passed_does_not_begin)
{
    struct gate gate;

    urlp_clock_fake_begin(START_NS);
    gate_init(&gate, urlp_deadline_in(0));
    urlp_mutex_lock(&gate.mutex);
    urlp_cond_wait(&gate.cond, &gate.mutex, gate.by);
    urlp_mutex_unlock(&gate.mutex);
    gate_deinit(&gate);
}
END_TEST

START_TEST(cond__fake_signal_wakes_one_and_broadcast_all)
{
    pthread_t threads[NUM_THREADS];
    struct gate gate;
    struct gate other;

    urlp_clock_fake_begin(START_NS);
    gate_init(&gate, WAIT_FOR_EVER);
    gate_init(&other, WAIT_FOR_EVER);
    start(threads, NUM_THREADS, pass_gate, &gate);
    urlp_clock_fake_await_waiters(NUM_THREADS);
    open_gate(&other, 1); /* nobody waits at that one */
    ck_assert_int_eq(urlp_clock_fake_num_waiters(), NUM_THREADS);
    open_gate(&gate, 1);
    ck_assert_int_eq(urlp_clock_fake_num_waiters(), NUM_THREADS - 1);
    urlp_clock_fake_advance(MS(1000000));
    ck_assert_int_eq(urlp_clock_fake_num_waiters(), NUM_THREADS - 1);
    open_gate(&gate, NUM_THREADS - 1);
    ck_assert_int_eq(urlp_clock_fake_num_waiters(), 0);
    join(threads, NUM_THREADS);
    ck_assert_int_eq(gate.locked.num_passed, NUM_THREADS);
    gate_deinit(&gate);
    gate_deinit(&other);
}
END_TEST

START_TEST(cond__end_of_the_fake_clock_wakes_everybody)
{
    pthread_t threads[NUM_THREADS];
    struct gate gate;

    urlp_clock_fake_begin(START_NS);
    gate_init(&gate, (struct urlpool_deadline){START_NS + 1}); /* long past on the real clock */
    start(threads, NUM_THREADS, pass_gate, &gate);
    urlp_clock_fake_await_waiters(NUM_THREADS);
    urlp_clock_fake_end();
    open_gate(&gate, 100); /* should the real clock be younger than START_NS */
    join(threads, NUM_THREADS);
    gate_deinit(&gate);
}
END_TEST

/* struct relay has two threads take turns, and a third that advances the clock all the while. */
struct relay {
    struct urlp_mutex mutex;
    struct urlp_cond cond;
    atomic_bool is_over;
    struct {
        int turn;
    } locked;
};

static void *take_even_turns(void *arg)
{
    struct relay *relay = arg;

    urlp_mutex_lock(&relay->mutex);
    for (int i = 0; i < NUM_ROUNDS; i++) {
        while (relay->locked.turn % 2 != 0) {
            urlp_cond_wait(&relay->cond, &relay->mutex, urlp_deadline_in(i % 3 - 1));
        }
        relay->locked.turn++;
        urlp_cond_signal(&relay->cond);
    }
    urlp_mutex_unlock(&relay->mutex);
    return NULL;
}

static void *take_odd_turns(void *arg)
{
    struct relay *relay = arg;

    urlp_mutex_lock(&relay->mutex);
    for (int i = 0; i < NUM_ROUNDS; i++) {
        while (relay->locked.turn % 2 != 1) {
            urlp_cond_wait(&relay->cond, &relay->mutex, WAIT_FOR_EVER);
        }
        relay->locked.turn++;
        urlp_cond_signal(&relay->cond);
    }
    urlp_mutex_unlock(&relay->mutex);
    return NULL;
}

static void *advance_clock(void *arg)
{
    struct relay *relay = arg;

    while (!atomic_load(&relay->is_over)) {
        urlp_clock_fake_advance(MS(1));
    }
    return NULL;
}

START_TEST(cond__no_wake_and_no_advance_is_lost_under_the_fake_clock)
{
    struct relay relay = {.is_over = false};
    pthread_t players[2];
    pthread_t advancer;

    urlp_clock_fake_begin(START_NS);
    urlp_mutex_init(&relay.mutex);
    urlp_cond_init(&relay.cond);
    start(&players[0], 1, take_even_turns, &relay);
    start(&players[1], 1, take_odd_turns, &relay);
    start(&advancer, 1, advance_clock, &relay);
    join(players, 2);
    atomic_store(&relay.is_over, true);
    join(&advancer, 1);
    ck_assert_int_eq(relay.locked.turn, 2 * NUM_ROUNDS);
    ck_assert_int_eq(urlp_clock_fake_num_waiters(), 0);
    urlp_cond_deinit(&relay.cond);
    urlp_mutex_deinit(&relay.mutex);
}
END_TEST

static struct urlp_once once = URLP_ONCE_INIT;
static atomic_int num_runs;

static void run(void)
{
    atomic_fetch_add(&num_runs, 1);
}

static void *run_once(void *arg)
{
    (void)arg;
    urlp_once_run(&once, run);
    ck_assert_int_eq(atomic_load(&num_runs), 1);
    return NULL;
}

START_TEST(once__runs_once_for_all_threads)
{
    pthread_t threads[NUM_THREADS];

    start(threads, NUM_THREADS, run_once, NULL);
    join(threads, NUM_THREADS);
    ck_assert_int_eq(atomic_load(&num_runs), 1);
}
END_TEST

static struct urlp_mutex static_mutex = URLP_MUTEX_INIT;
static struct urlp_mutex second_mutex = URLP_MUTEX_INIT;

static void assert_without_lock(void)
{
    urlp_mutex_lock(&static_mutex);
    urlp_mutex_unlock(&static_mutex);
    urlp_assert_no_lock("test");
}

static void assert_under_lock(void)
{
    urlp_mutex_lock(&static_mutex);
    urlp_assert_no_lock("test");
}

static void lock_two(void)
{
    urlp_mutex_lock(&static_mutex);
    urlp_mutex_lock(&second_mutex);
}

static void *hold_lock(void *arg)
{
    urlp_mutex_lock(&static_mutex);
    (void)arg;
    return NULL;
}

static void assert_while_another_thread_holds_one(void)
{
    pthread_t thread;

    start(&thread, 1, hold_lock, NULL);
    join(&thread, 1);
    urlp_assert_no_lock("test");
}

/* run_in_child runs `function` in a process of its own. Returns how that ended, as waitpid does,
 * and what it wrote to its standard error. */
static int run_in_child(void (*function)(void), char *out_text, size_t size)
{
    int fds[2];
    int status = 0;
    ssize_t len;
    pid_t pid;

    ck_assert_int_eq(pipe(fds), 0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        (void)dup2(fds[1], STDERR_FILENO);
        function();
        _exit(0);
    }
    (void)close(fds[1]);
    len = read(fds[0], out_text, size - 1);
    out_text[len > 0 ? len : 0] = '\0';
    (void)close(fds[0]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

START_TEST(assert_no_lock__passes_without_a_lock)
{
    char text[256];

    ck_assert_int_eq(run_in_child(assert_without_lock, text, sizeof(text)), 0);
    ck_assert_int_eq(run_in_child(assert_while_another_thread_holds_one, text, sizeof(text)), 0);
}
END_TEST

START_TEST(assert_no_lock__stops_the_process_under_a_lock_in_checked_builds)
{
    char text[256];
    int status = run_in_child(assert_under_lock, text, sizeof(text));

#ifdef URLP_CHECKED
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGABRT);
    ck_assert_str_eq(text, "urlpool: test under a lock\n");
    status = run_in_child(lock_two, text, sizeof(text));
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGABRT);
    ck_assert_str_eq(text, "urlpool: urlp_mutex_lock under a lock\n");
#else
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(run_in_child(lock_two, text, sizeof(text)), 0);
#endif
}
END_TEST

static volatile sig_atomic_t num_pipe_signals;

static void count_signal(int signal)
{
    (void)signal;
    num_pipe_signals++;
}

static bool sigpipe_is_pending(void)
{
    sigset_t pending;

    ck_assert_int_eq(sigpending(&pending), 0);
    return sigismember(&pending, SIGPIPE) == 1;
}

/* raise_under holds SIGPIPE back, raises it, and releases; errno stays what it was. */
static void raise_under(bool may_be_raised)
{
    struct urlp_sigpipe hold;

    urlp_sigpipe_hold(&hold);
    ck_assert_int_eq(pthread_kill(pthread_self(), SIGPIPE), 0);
    errno = EPIPE;
    urlp_sigpipe_release(&hold, may_be_raised);
    ck_assert_int_eq(errno, EPIPE);
}

START_TEST(sigpipe__that_was_raised_while_held_back_is_never_heard_of)
{
    void (*const dispositions[])(int) = {count_signal, SIG_IGN, SIG_DFL};

    for (size_t i = 0; i < sizeof(dispositions) / sizeof(dispositions[0]); i++) {
        ck_assert(signal(SIGPIPE, dispositions[i]) != SIG_ERR);
        raise_under(true);
        ck_assert(!sigpipe_is_pending());
    }
    ck_assert_int_eq(num_pipe_signals, 0);
    (void)signal(SIGPIPE, count_signal);
    raise_under(false); /* the caller's own is not swallowed */
    ck_assert_int_eq(num_pipe_signals, 1);
    ck_assert_int_eq(raise(SIGPIPE), 0); /* and it is blocked no longer */
    ck_assert_int_eq(num_pipe_signals, 2);
}
END_TEST

START_TEST(sigpipe__of_a_thread_that_blocks_it_stays_blocked_and_keeps_the_one_it_had)
{
    sigset_t pipe_only;

    (void)signal(SIGPIPE, count_signal);
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, &pipe_only, NULL), 0);
    raise_under(true);
    ck_assert(!sigpipe_is_pending());
    ck_assert_int_eq(raise(SIGPIPE), 0);
    ck_assert(sigpipe_is_pending());
    raise_under(true);
    ck_assert(sigpipe_is_pending());
    ck_assert_int_eq(num_pipe_signals, 0);
    ck_assert_int_eq(pthread_sigmask(SIG_UNBLOCK, &pipe_only, NULL), 0);
    ck_assert_int_eq(num_pipe_signals, 1);
}
END_TEST

RUN_TESTS("sync", cond__real_wait_ends_at_its_deadline_and_not_before,
          cond__real_wait_sleeps_and_does_not_spin,
          cond__real_wait_with_a_deadline_before_the_clock_began_returns,
          cond__real_waiters_are_woken, cond__fake_wait_ends_when_the_clock_reaches_its_deadline,
          cond__fake_wait_whose_deadline_has_passed_does_not_begin,
          cond__fake_signal_wakes_one_and_broadcast_all,
          cond__end_of_the_fake_clock_wakes_everybody,
          cond__no_wake_and_no_advance_is_lost_under_the_fake_clock,
          once__runs_once_for_all_threads, assert_no_lock__passes_without_a_lock,
          assert_no_lock__stops_the_process_under_a_lock_in_checked_builds,
          sigpipe__that_was_raised_while_held_back_is_never_heard_of,
          sigpipe__of_a_thread_that_blocks_it_stays_blocked_and_keeps_the_one_it_had)
