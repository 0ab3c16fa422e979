#ifndef POOLED_FETCH_PHASES_H
#define POOLED_FETCH_PHASES_H

#include <stdint.h>

#include "transfer.h"

/* enum pf_phase names the steps of a transfer, in their order. */
enum pf_phase {
    PF_PHASE_BEFORE, /* tries and redirects before the last request, and pauses */
    PF_PHASE_POOL,
    PF_PHASE_DNS,
    PF_PHASE_DIAL,
    PF_PHASE_PROXY,
    PF_PHASE_TLS,
    PF_PHASE_SEND,
    PF_PHASE_WAIT,
    PF_PHASE_READ,
    PF_PHASE_REST, /* what was not the library's: files, output, waiting for a processor */
    PF_PHASE_NUM
};

/* pf_phases_of says how long each step of a transfer that has ended took; 0: it was not taken. Of
 * one without an answer the trace tells, if it was on; what that does not account for is of the
 * step that failed. Units: ns. */
void pf_phases_of(const struct pf_transfer *transfer, int64_t out[PF_PHASE_NUM]);

/* pf_phase_name is a short word for a step. Owns: the string is static. */
const char *pf_phase_name(enum pf_phase phase);

#endif /* POOLED_FETCH_PHASES_H */
