#ifndef POOLED_FETCH_INTERRUPT_H
#define POOLED_FETCH_INTERRUPT_H

#include <stdint.h>

#include "urlpool/cancel.h"

/* pf_interrupt_watch makes Ctrl-C (SIGINT) and SIGTERM use `cancel`, which must outlive
 * pf_interrupt_end; a second one, a while later, ends the program at once. Also ignores SIGPIPE: a
 * pipe that nobody reads is a write error. */
void pf_interrupt_watch(struct urlpool_cancel *cancel);
/* pf_interrupt_ignore_pipes ignores SIGPIPE alone. */
void pf_interrupt_ignore_pipes(void);
/* pf_interrupt_end undoes that, but for SIGPIPE. */
void pf_interrupt_end(void);
/* pf_interrupt_signal is the signal that came, or 0. */
int pf_interrupt_signal(void);
/* pf_interrupt_now does what the signal does, without one. */
void pf_interrupt_now(void);
/* pf_interrupt_wait waits so long, or until there is an interrupt. */
void pf_interrupt_wait(int64_t ms);

#endif /* POOLED_FETCH_INTERRUPT_H */
