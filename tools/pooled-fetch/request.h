#ifndef POOLED_FETCH_REQUEST_H
#define POOLED_FETCH_REQUEST_H

#include "urlpool/urlpool.h"

#include "exit_code.h"
#include "settings.h"

/* struct pf_request is what all transfers say alike. Zero bytes are none. */
struct pf_request {
    const char *method; /* of those that upload no file; NULL: -X has not said one */
    struct urlpool_headers *headers;
    unsigned skip; /* what the library must not add, as urlpool_request_options has it */
    struct urlpool_body body;
    int64_t expect_ms;
    /* -H has said what is sent of these */
    bool has_own_authorization, has_own_expect;
};

/* pf_request_init makes it of the settings, which must live as long.
 * Errors: PF_EXIT_USAGE, said; there is nothing to deinit then. */
enum pf_exit pf_request_init(struct pf_request *request, const struct pf_settings *settings);
void pf_request_deinit(struct pf_request *request);

/* pf_request_method is the method for an entry. */
const char *pf_request_method(const struct pf_request *request, const struct pf_entry *entry);

#endif /* POOLED_FETCH_REQUEST_H */
