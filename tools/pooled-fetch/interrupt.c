/* Ctrl-C: the signal handler does no more than use the token all transfers hold. */

#include "interrupt.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

static _Atomic(struct urlpool_cancel *) token;
static atomic_int which;

static void handle(int number)
{
    atomic_store(&which, number);
    urlpool_cancel_now(atomic_load(&token));
}

static void watch_signal(int number)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = (int)(SA_RESTART | SA_RESETHAND)};

    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(number, &action, NULL);
}

void pf_interrupt_watch(struct urlpool_cancel *cancel)
{
    atomic_store(&token, cancel);
    (void)signal(SIGPIPE, SIG_IGN);
    watch_signal(SIGINT);
    watch_signal(SIGTERM);
}

void pf_interrupt_end(void)
{
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    atomic_store(&token, NULL);
}

int pf_interrupt_signal(void)
{
    return atomic_load(&which);
}
