#ifndef POOLED_FETCH_ORDERED_H
#define POOLED_FETCH_ORDERED_H

#include <stdbool.h>
#include <stddef.h>

/* struct pf_ordered is standard output when many transfers write to it at once: what comes out is
 * the bytes of transfer 0 whole, then those of transfer 1, and so on. The transfer whose turn it is
 * writes through; what others write waits, in memory and then in a file without a name. Only so
 * many transfers may be ahead of the one whose turn it is.
 *
 * Threads: any number at once. */
struct pf_ordered;

/* struct pf_ticket is one transfer's place in the order. One at a time. */
struct pf_ticket;

/* pf_ordered_new takes what goes to descriptor `fd`, `num_ahead` transfers at most at once. */
struct pf_ordered *pf_ordered_new(int fd, size_t num_ahead);
void pf_ordered_free(struct pf_ordered *ordered);

/* pf_ordered_begin waits until transfer `index` may begin. Every index from 0 on must begin, in any
 * order but without gaps, and end.
 * Owns: the ticket ends with pf_ticket_end. */
struct pf_ticket *pf_ordered_begin(struct pf_ordered *ordered, size_t index);
/* pf_ticket_write writes, or keeps. Errors: -1 with errno; so do all later calls, of any ticket. */
int pf_ticket_write(struct pf_ticket *ticket, const void *data, size_t len);
void pf_ticket_end(struct pf_ticket *ticket);
/* pf_ordered_end_with drops what transfers behind `index` write, or have written out of turn. */
void pf_ordered_end_with(struct pf_ordered *ordered, size_t index);
/* pf_ordered_has_failed says whether the descriptor takes no more. */
bool pf_ordered_has_failed(struct pf_ordered *ordered);

/* pf_write_all writes to a descriptor, however often it takes. Errors: -1 with errno. */
int pf_write_all(int fd, const void *data, size_t len);

#endif /* POOLED_FETCH_ORDERED_H */
