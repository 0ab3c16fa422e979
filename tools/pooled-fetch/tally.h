#ifndef POOLED_FETCH_TALLY_H
#define POOLED_FETCH_TALLY_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"
#include "transfer.h"

enum {
    PF_STATUS_NUM = 1000
};

/* struct pf_sums is what all transfers together came to. */
struct pf_sums {
    uint64_t num_done, num_failed;
    uint64_t num_retries;
    int64_t num_bytes;      /* decoded */
    int64_t num_wire_bytes; /* as sent */
    uint64_t statuses[PF_STATUS_NUM];
    uint64_t errors[PF_EXIT_NUM];
    struct pf_histogram waits;   /* of all, for a connection */
    struct pf_histogram latency; /* of those that did not fail */
    size_t first_failed; /* index, when num_failed > 0: one cut short counts only among its like */
    enum pf_exit first_exit; /* and its code */
    int64_t started_ns, ended_ns;
};

/* struct pf_tally sums up transfers of any number of threads. */
struct pf_tally {
    pthread_mutex_t mutex;
    struct pf_sums locked;
};

void pf_tally_init(struct pf_tally *tally);
void pf_tally_deinit(struct pf_tally *tally);
void pf_tally_add(struct pf_tally *tally, const struct pf_transfer *transfer);
/* pf_tally_end says that nothing more is fetched. */
void pf_tally_end(struct pf_tally *tally);
void pf_tally_counts(struct pf_tally *tally, uint64_t *out_done, uint64_t *out_failed);

#endif /* POOLED_FETCH_TALLY_H */
