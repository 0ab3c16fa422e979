#ifndef POOLED_FETCH_FETCHING_H
#define POOLED_FETCH_FETCHING_H

#include "conditions.h"
#include "output.h"
#include "pace.h"
#include "runner.h"
#include "transfer.h"
#include "upload.h"

/* struct pf_fetching is what one transfer needs while it runs. */
struct pf_fetching {
    struct pf_run *run;
    const struct pf_settings *settings;
    struct pf_transfer transfer;
    struct pf_output output;
    struct pf_ticket *ticket; /* NULL: nothing goes to standard output */
    struct pf_ticket *heads;  /* where -D wants the heads; NULL: nowhere */
    const char *method;
    struct pf_upload upload;
    struct pf_conditions conditions;
    bool has_saved_etag;
    struct pf_pace pace;
    size_t slot;
    void *buf;
};

/* pf_answer_take takes what a response brings: its heads, its body, and what is to be remembered.
 */
void pf_answer_take(struct pf_fetching *fetching, struct urlpool_response *response);
/* pf_answer_write_heads writes all heads of the transfer; `response` is NULL when there is no last
 * one. */
void pf_answer_write_heads(struct pf_fetching *fetching, const struct urlpool_response *response);

#endif /* POOLED_FETCH_FETCHING_H */
