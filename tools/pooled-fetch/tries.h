#ifndef POOLED_FETCH_TRIES_H
#define POOLED_FETCH_TRIES_H

#include <stdint.h>

#include "settings.h"
#include "transfer.h"

/* struct pf_tries is how often a transfer may still be tried again, and when. */
struct pf_tries {
    int64_t num_left;
    int64_t pause_ms; /* before the next, unless the server asks for more */
    int64_t started_ns;
};

/* pf_tries_init begins with the first try, at `now_ns`. */
void pf_tries_init(struct pf_tries *tries, const struct pf_settings *settings, int64_t now_ns);

/* pf_tries_next says what follows a try that has ended at `now_ns`: the pause in ms before another,
 * which it counts, or -1 when it was the last. */
int64_t pf_tries_next(struct pf_tries *tries, const struct pf_settings *settings,
                      const struct pf_transfer *transfer, int64_t now_ns);

/* pf_retry_after_ms reads the value of Retry-After, seconds or a date; 0 when it is NULL, neither,
 * or past. Units: at most six hours. */
int64_t pf_retry_after_ms(const char *value);

#endif /* POOLED_FETCH_TRIES_H */
