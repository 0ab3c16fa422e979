#ifndef POOLED_FETCH_REQUEST_H
#define POOLED_FETCH_REQUEST_H

#include "urlpool/urlpool.h"

#include "exit_code.h"
#include "settings.h"

/* struct pf_request is what all transfers say alike. Zero bytes are none. */
struct pf_request {
    const char *method;
    struct urlpool_headers *headers;
    struct urlpool_body body;
};

/* pf_request_init makes it of the settings, which must live as long.
 * Errors: PF_EXIT_USAGE, said; there is nothing to deinit then. */
enum pf_exit pf_request_init(struct pf_request *request, const struct pf_settings *settings);
void pf_request_deinit(struct pf_request *request);

#endif /* POOLED_FETCH_REQUEST_H */
