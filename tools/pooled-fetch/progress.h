#ifndef POOLED_FETCH_PROGRESS_H
#define POOLED_FETCH_PROGRESS_H

#include <stdint.h>

#include "urlpool/urlpool.h"

#include "settings.h"
#include "tally.h"

/* struct pf_progress draws on standard error what is going on: a line a file while bodies go to
 * files, else one line of counts. Threads: any number at once. NULL is none. */
struct pf_progress;

/* pf_progress_new returns NULL where nothing is to be drawn: standard error is no terminal, -s, or
 * bodies go to a terminal. */
struct pf_progress *pf_progress_new(const struct pf_settings *settings, struct pf_tally *tally,
                                    struct urlpool_manager *manager, uint64_t num_transfers);
void pf_progress_free(struct pf_progress *progress);

/* Worker number `index` begins a file of `total` bytes (-1: not known), of which `first` are there
 * already, has got `bytes` of it, and ends it. */
void pf_progress_begin(struct pf_progress *progress, size_t index, const char *name, int64_t first,
                       int64_t total);
void pf_progress_set(struct pf_progress *progress, size_t index, int64_t bytes);
void pf_progress_end(struct pf_progress *progress, size_t index, bool is_whole);

/* pf_progress_draw draws what there is now; `is_last` leaves it standing. */
void pf_progress_draw(struct pf_progress *progress, bool is_last);

#endif /* POOLED_FETCH_PROGRESS_H */
