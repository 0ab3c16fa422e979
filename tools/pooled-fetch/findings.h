#ifndef POOLED_FETCH_FINDINGS_H
#define POOLED_FETCH_FINDINGS_H

#include <pthread.h>

#include "urlpool/manager.h"

#include "phases.h"
#include "timeline.h"

enum {
    PF_SLOWEST_MAX = 50,
    PF_KINDS_MAX = 32,
    PF_URL_SHOWN_MAX = 400 /* bytes of a URL that are kept */
};

/* struct pf_slow is one of the slowest transfers. */
struct pf_slow {
    const struct pf_entry *entry;
    char method[32];
    char url[PF_URL_SHOWN_MAX]; /* where redirects led; "": nowhere else */
    int status;                 /* 0: no head came */
    enum pf_exit exit_code;
    enum urlpool_code code;
    bool conn_reused;
    unsigned num_redirects, num_retries;
    int64_t begun_ns; /* since the run began */
    int64_t total_ns;
    int64_t phases[PF_PHASE_NUM];
};

/* struct pf_kind is one way transfers have failed. */
struct pf_kind {
    enum pf_exit exit_code;
    enum urlpool_code code; /* URLPOOL_OK: it was not the library that failed */
    enum urlpool_phase phase;
    uint64_t count;
    char message[512]; /* of the first */
};

/* struct pf_findings is what the page shows of a run beyond its sums, in memory that does not grow
 * with the number of transfers. */
struct pf_findings {
    struct pf_timeline timeline;
    struct pf_slow slowest[PF_SLOWEST_MAX]; /* the slowest first */
    size_t num_slowest;
    struct pf_kind kinds[PF_KINDS_MAX]; /* in the order in which they came */
    size_t num_kinds;
    uint64_t num_other_kinds; /* failures that found no place there */
};

/* pf_findings_add counts a transfer that has ended. Threads: one at a time. */
void pf_findings_add(struct pf_findings *findings, const struct pf_transfer *transfer);

/* struct pf_record collects findings while a run goes on. Threads: any number at once. NULL is
 * none. */
struct pf_record;

/* pf_record_new begins, with a thread that looks at the manager from time to time.
 * Owns: until pf_record_free `manager` and the entries of all transfers are borrowed. */
struct pf_record *pf_record_new(struct urlpool_manager *manager);
void pf_record_add(struct pf_record *record, const struct pf_transfer *transfer);
/* pf_record_end ends the thread. Returns: what was found, until pf_record_free. */
const struct pf_findings *pf_record_end(struct pf_record *record);
void pf_record_free(struct pf_record *record);

#endif /* POOLED_FETCH_FINDINGS_H */
