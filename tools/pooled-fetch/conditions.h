#ifndef POOLED_FETCH_CONDITIONS_H
#define POOLED_FETCH_CONDITIONS_H

#include "urlpool/urlpool.h"

#include "exit_code.h"
#include "output.h"
#include "request.h"

/* struct pf_conditions is what the requests of one transfer ask for beyond those of others: the
 * rest of a body, if it is still the same. Zero bytes are none. */
struct pf_conditions {
    struct urlpool_headers *headers; /* of the next try; NULL: as all others */
    char *validator;                 /* a strong ETag, or a date, of what has come; NULL: none */
    bool asks_if_same;               /* by If-Range */
};

/* pf_conditions_next makes the fields of a try that goes on at `output->offset`.
 * Errors: those of the library's headers. */
enum urlpool_code pf_conditions_next(struct pf_conditions *conditions,
                                     const struct pf_settings *settings,
                                     const struct pf_request *request,
                                     const struct pf_output *output, struct urlpool_error *err);
/* pf_conditions_note remembers what a response is a version of. */
void pf_conditions_note(struct pf_conditions *conditions, const struct urlpool_response *response);
void pf_conditions_deinit(struct pf_conditions *conditions);

/* enum pf_part says what becomes of the body of a response. */
enum pf_part {
    PF_PART_WHOLE = 0, /* it is written */
    PF_PART_ANEW,      /* it is written, and what the file has is thrown away */
    PF_PART_NONE,      /* there is nothing more to be had: it is not read */
    PF_PART_WRONG      /* it is not what was asked for */
};
/* pf_conditions_judge looks at a response to a request for what is behind `output->offset`. */
enum pf_part pf_conditions_judge(const struct pf_conditions *conditions,
                                 const struct pf_output *output,
                                 const struct urlpool_response *response);
/* pf_is_too_old says that --time-cond is not met by a response that has a body all the same. */
bool pf_is_too_old(const struct pf_settings *settings, const struct urlpool_response *response);

/* pf_etag_read reads the ETag that a file has, `""` when it has none, as curl does. Owns: for
 * free(). Errors: NULL with errno. */
char *pf_etag_read(const char *path);
/* pf_etag_write has a file keep a response's ETag, and nothing where it has none; a 304 without one
 * leaves the file as it is. NULL: nothing is kept. Errors: -1 with errno. */
int pf_etag_write(const char *path, const struct urlpool_response *response);

#endif /* POOLED_FETCH_CONDITIONS_H */
