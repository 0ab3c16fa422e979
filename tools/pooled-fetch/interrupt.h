#ifndef POOLED_FETCH_INTERRUPT_H
#define POOLED_FETCH_INTERRUPT_H

#include "urlpool/cancel.h"

/* pf_interrupt_watch makes Ctrl-C (SIGINT) and SIGTERM use `cancel`, which must outlive
 * pf_interrupt_end; a second one ends the program at once. Also ignores SIGPIPE: a pipe that nobody
 * reads is a write error. */
void pf_interrupt_watch(struct urlpool_cancel *cancel);
/* pf_interrupt_end undoes that, but for SIGPIPE. */
void pf_interrupt_end(void);
/* pf_interrupt_signal is the signal that came, or 0. */
int pf_interrupt_signal(void);

#endif /* POOLED_FETCH_INTERRUPT_H */
