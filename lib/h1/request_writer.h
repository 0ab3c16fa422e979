#ifndef URLP_H1_REQUEST_WRITER_H
#define URLP_H1_REQUEST_WRITER_H

#include <stdbool.h>

#include "urlpool/error.h"

#include "base/buf.h"
#include "h1/bounds.h"
#include "http/field.h"

/* urlp_h1_check_request checks that `head` may go to the wire, as urlp_h1_write_head says, and is
 * no larger than what we would read ourselves. Fields that are ready were looked at before.
 *
 * Errors:  URLPOOL_E_HEADER; URLPOOL_E_BODY for content with TRACE. */
URLPOOL_MUST_USE enum urlpool_code urlp_h1_check_request(const struct urlp_request_head *head,
                                                         const struct urlp_h1_bounds *bounds,
                                                         struct urlpool_error *err);

/* urlp_h1_ready_fields_new keeps the field section of `head`, which was checked, for other heads.
 *
 * Owns:    one block of memory, for urlp_free.
 * Errors:  NULL without memory, and for fields that not every head can have: those that frame the
 *          message or speak to the connection, but for Host. */
struct urlp_ready_fields *urlp_h1_ready_fields_new(const struct urlp_request_head *head);

/* urlp_h1_append_request appends the bytes of a head that was checked, all or nothing.
 *
 * Errors:  URLPOOL_E_NOMEM, URLPOOL_E_DATA_TOO_LARGE. */
URLPOOL_MUST_USE enum urlpool_code urlp_h1_append_request(const struct urlp_request_head *head,
                                                          struct urlp_buf *out);

/* urlp_h1_append_trailers checks `trailers` and appends the last chunk with them, all or nothing.
 *
 * Errors:  URLPOOL_E_HEADER, URLPOOL_E_NOMEM.
 * Spec:    RFC 9112 section 7.1.2, RFC 9110 section 6.5.1. */
URLPOOL_MUST_USE enum urlpool_code urlp_h1_append_trailers(const struct urlpool_headers *trailers,
                                                           const struct urlp_h1_bounds *bounds,
                                                           struct urlp_buf *out,
                                                           struct urlpool_error *err);

#endif /* URLP_H1_REQUEST_WRITER_H */
