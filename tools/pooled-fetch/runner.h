#ifndef POOLED_FETCH_RUNNER_H
#define POOLED_FETCH_RUNNER_H

#include <pthread.h>
#include <stdatomic.h>

#include "urlpool/urlpool.h"

#include "findings.h"
#include "ordered.h"
#include "progress.h"
#include "request.h"
#include "settings.h"
#include "tally.h"

/* struct pf_run is all that the worker threads share. */
struct pf_run {
    const struct pf_settings *settings;
    struct urlpool_manager *manager;
    struct urlpool_cancel *cancel;
    struct pf_request request;
    struct pf_ordered *ordered; /* NULL: nothing goes to standard output */
    struct pf_ordered *heads;   /* the file of -D; NULL: none, or it is standard output */
    int heads_fd;
    struct pf_progress *progress;
    struct pf_record *record; /* for the page; NULL: none is asked for */
    int page_fd;
    struct pf_tally tally;
    bool is_traced;
    int64_t started_ns, ends_ns; /* no transfer begins after `ends_ns`, if that is not 0 */
    bool stdout_has_bodies;
    atomic_size_t next;  /* the transfer to be begun next */
    atomic_bool is_over; /* no transfer is begun any more */
    struct {
        pthread_mutex_t mutex;
        pthread_cond_t left;
        size_t num_running;
    } crew; /* the worker threads, for the main thread to wait for */
};

/* struct pf_turn is what a worker makes one transfer with. */
struct pf_turn {
    size_t index;             /* of the transfer */
    size_t slot;              /* the worker's in the progress display */
    int64_t due_ns;           /* when it was to begin, from where its latency counts; 0: now */
    struct pf_ticket *ticket; /* of standard output; NULL: nothing goes there */
    struct pf_ticket *heads;  /* of the file of -D; NULL: there is none */
    void *buf;                /* PF_BUF_SIZE bytes */
};
enum {
    PF_BUF_SIZE = 65536
};

/* pf_run_all fetches everything `settings` ask for, and reports.
 * Errors: the program's exit code; whatever it is has been said. */
int pf_run_all(const struct pf_settings *settings);

/* pf_num_transfers is SIZE_MAX when only time bounds them. */
size_t pf_num_transfers(const struct pf_settings *settings);
/* pf_crew_run makes all transfers, and returns when the last has ended; crew.c. */
void pf_crew_run(struct pf_run *run);

/* pf_fetch makes a transfer; fetch.c. */
void pf_fetch(struct pf_run *run, const struct pf_turn *turn);

#endif /* POOLED_FETCH_RUNNER_H */
