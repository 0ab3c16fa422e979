/* How long a call goes on after its cancel, in each state in which it can stand still: told, never
 * judged. A row for docs/PERFORMANCE.md each; URLPOOL_ROUNDS says of how many calls, 3 by default.
 */

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "support/halts.h"
#include "support/requests.h"
#include "support/run_tests.h"

enum {
    ROUNDS = 3,
    ROUNDS_MAX = 10000
};

static struct urlpool_cancel *cancel;
static _Atomic int64_t cancelled_ns;

static void cancel_now(void)
{
    cancelled_ns = urlp_now_ns();
    urlpool_cancel_now(cancel);
}

static void on_signal(int number)
{
    (void)number;
    cancel_now();
}

/* A thread that cancels as soon as the call stands still. */
static void *cancel_then(void *arg)
{
    halt_await(arg);
    cancel_now();
    return NULL;
}

/* One that interrupts the call instead, whose own thread cancels. */
static void *signal_then(void *arg)
{
    halt_await(arg);
    halt_signal(arg, SIGUSR1);
    return NULL;
}

/* A thread that does so when another merely sleeps. */
static void *wake_then(void *arg)
{
    halt_await_rest(arg);
    cancel_now();
    return NULL;
}

static void *interrupt_then(void *arg)
{
    halt_await_rest(arg);
    halt_signal(arg, SIGUSR1);
    return NULL;
}

/* measure_poll is what cannot be gone below: poll() of a token's descriptor alone. */
static int64_t measure_poll(void *(*canceller)(void *))
{
    static const struct halt_kind kind = {.name = "poll"};
    struct halt halt = {.kind = &kind};
    struct pollfd token = {.events = POLLIN};
    pthread_t thread;
    int64_t took_ns;

    cancel = urlpool_cancel_new(&test_err);
    token.fd = urlp_cancel_fd(cancel);
    halt_note_thread(&halt);
    ck_assert_int_eq(pthread_create(&thread, NULL, canceller, &halt), 0);
    while (poll(&token, 1, -1) != 1) {
        /* a signal */
    }
    took_ns = urlp_now_ns() - cancelled_ns;
    pthread_join(thread, NULL);
    urlpool_cancel_free(cancel);
    return took_ns;
}

/* measure has a call cancelled, and returns how long it went on, in nanoseconds. */
static int64_t measure(size_t index, void *(*canceller)(void *))
{
    struct halt halt;
    pthread_t thread;
    enum urlpool_code code;
    int64_t took_ns;

    cancel = urlpool_cancel_new(&test_err);
    halt_begin(&halt, index);
    ck_assert_int_eq(pthread_create(&thread, NULL, canceller, &halt), 0);
    code = halt_call(&halt, cancel, &test_err);
    took_ns = urlp_now_ns() - cancelled_ns;
    pthread_join(thread, NULL);
    ck_assert_msg(code == URLPOOL_E_CANCELLED, "%s: %s", halt.kind->name, test_err.message);
    halt_end(&halt);
    urlpool_cancel_free(cancel);
    return took_ns;
}

static int compare(const void *left, const void *right)
{
    const int64_t *a = left;
    const int64_t *b = right;

    return (*a > *b) - (*a < *b);
}

static void print_figures(int64_t *took_ns, int num_rounds)
{
    qsort(took_ns, (size_t)num_rounds, sizeof(took_ns[0]), compare);
    printf(" %lld | %lld |", (long long)(took_ns[num_rounds / 2] / 1000),
           (long long)(took_ns[num_rounds * 9 / 10] / 1000));
}

/* tell measures a number of times, and prints in microseconds within how
 * many half of the calls are over, and nine of ten. `index`
 * HALT_NUM is poll() alone. */
static void tell(size_t index, int num_rounds, void *(*canceller)(void *))
{
    int64_t took_ns[ROUNDS_MAX] = {0};

    for (int i = 0; i < num_rounds; i++) {
        took_ns[i] = index == HALT_NUM ? measure_poll(canceller) : measure(index, canceller);
    }
    print_figures(took_ns, num_rounds);
}

START_TEST(latency__of_a_cancel_is_told)
{
    const struct sigaction action = {.sa_handler = on_signal};
    const bool is_poll = _i == HALT_NUM;
    const char *rounds = getenv("URLPOOL_ROUNDS");
    int num_rounds = rounds == NULL ? ROUNDS : (int)strtol(rounds, NULL, 10);

    ck_assert_int_ge(num_rounds, 1);
    ck_assert_int_le(num_rounds, ROUNDS_MAX);
    ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
    printf("| %s |", is_poll ? "poll() alone" : halt_kinds[_i].name);
    tell((size_t)_i, num_rounds, is_poll ? wake_then : cancel_then);
    tell((size_t)_i, num_rounds, is_poll ? interrupt_then : signal_then);
    printf("\n");
    (void)fflush(stdout);
}
END_TEST

int main(void)
{
    const struct test_loop loops[] = {
        {latency__of_a_cancel_is_told, HALT_NUM + 1}
    };

    printf("| standing still at | thread: half, µs | nine of ten | handler: half | nine of ten |\n"
           "|---|---|---|---|---|\n");
    (void)fflush(stdout);
    return run_loops("cancel latency", loops, 1);
}
