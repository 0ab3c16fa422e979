/* Ctrl-C: the signal handler does no more than use the token all transfers hold, and write a byte
 * that nobody ever reads: whoever waits for time to pass polls for it. A second signal ends the
 * program, but not one that comes with the first: timeout(1) sends its signal to the process and to
 * the group that it is in. */

#include "interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

#include "monotonic.h"

enum {
    SECOND_MS = 250 /* a signal so long after the first is a second one */
};

static _Atomic(struct urlpool_cancel *) token;
static atomic_int which;
static _Atomic int64_t first_ms; /* when the first signal came; 0 before */
static int pipe_fds[2] = {-1, -1};

void pf_interrupt_now(void)
{
    int saved_errno = errno;

    urlpool_cancel_now(atomic_load(&token));
    if (write(pipe_fds[1], "", 1) < 0) {
        /* full: then there is one already */
    }
    errno = saved_errno;
}

static void on_signal(int number, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(number, &action, NULL);
}

static void handle(int number)
{
    int64_t now = pf_now_ns() / PF_NS_PER_MS;
    int64_t first = 0;

    if (!atomic_compare_exchange_strong(&first_ms, &first, now)) {
        if (now - first >= SECOND_MS) {
            on_signal(number, SIG_DFL, 0);
            (void)raise(number); /* delivered when this returns */
        }
        return;
    }
    atomic_store(&which, number);
    pf_interrupt_now();
}

static void watch_signal(int number)
{
    on_signal(number, handle, SA_RESTART);
}

void pf_interrupt_ignore_pipes(void)
{
    on_signal(SIGPIPE, SIG_IGN, 0);
}

void pf_interrupt_watch(struct urlpool_cancel *cancel)
{
    atomic_store(&token, cancel);
    atomic_store(&first_ms, 0);
    if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) != 0) {
        pipe_fds[0] = -1; /* then pauses are waited for to their end */
        pipe_fds[1] = -1;
    }
    pf_interrupt_ignore_pipes();
    watch_signal(SIGINT);
    watch_signal(SIGTERM);
}

void pf_interrupt_end(void)
{
    on_signal(SIGINT, SIG_DFL, 0);
    on_signal(SIGTERM, SIG_DFL, 0);
    atomic_store(&token, NULL);
    for (int i = 0; i < 2; i++) {
        if (pipe_fds[i] >= 0) {
            (void)close(pipe_fds[i]);
        }
        pipe_fds[i] = -1;
    }
}

void pf_interrupt_wait(int64_t ms)
{
    struct pollfd signalled = {.fd = pipe_fds[0], .events = POLLIN};

    (void)poll(&signalled, 1, ms < INT_MAX ? (int)ms : INT_MAX);
}

int pf_interrupt_signal(void)
{
    return atomic_load(&which);
}
