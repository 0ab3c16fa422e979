#ifndef URLP_CLIENT_REQUEST_LOOP_H
#define URLP_CLIENT_REQUEST_LOOP_H

#include "client/manager.h"

/* urlp_request_make is urlpool_request; with `only_pool` every hop must be to that pool's
 * origin, over its connections.
 *
 * Errors:  as urlpool_request, and URLPOOL_E_HOST_CHANGED.
 * Threads: any number at once; blocks. */
URLPOOL_MUST_USE struct urlpool_response *urlp_request_make(
    struct urlpool_manager *manager, struct urlpool_pool *only_pool, const char *method,
    const char *url, const struct urlpool_request_options *options,
    struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_request_refused ends what a request owns that is refused before it is made. */
void urlp_request_refused(const struct urlpool_request_options *options) URLP_MAY_BLOCK;

#endif /* URLP_CLIENT_REQUEST_LOOP_H */
