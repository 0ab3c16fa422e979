#ifndef URLP_H1_STATUS_LINE_H
#define URLP_H1_STATUS_LINE_H

#include <stdbool.h>

#include "urlpool/error.h"

#include "base/span.h"

struct urlp_h1_status_line {
    int version; /* 10 or 11 */
    int status;  /* 100..999 */
    struct urlp_span reason;
};

/* urlp_h1_status_prefix checks as much of a status line as is there, up to the status code: garbage
 * is told by its first wrong byte, without waiting for a line end.
 *
 * Errors:  URLPOOL_E_BAD_STATUS_LINE; URLPOOL_E_UNKNOWN_PROTOCOL for HTTP of another major version.
 */
URLPOOL_MUST_USE enum urlpool_code urlp_h1_status_prefix(struct urlp_span seen,
                                                         struct urlpool_error *err);

/* urlp_h1_parse_status_line reads a whole status line, given without its line end.
 *
 * Errors:  as urlp_h1_status_prefix; `out` is then untouched.
 * Spec:    RFC 9112 section 4. */
URLPOOL_MUST_USE enum urlpool_code urlp_h1_parse_status_line(struct urlp_span line,
                                                             bool refuse_missing_reason,
                                                             struct urlp_h1_status_line *out,
                                                             struct urlpool_error *err);

/* urlp_h1_plain_status_line reads the status line that `text` begins with, if it is one of HTTP/1.1
 * as almost all are: whole, with the space behind its status, and CR LF. Returns where it ends; 0:
 * urlp_h1_parse_status_line has to say what it is. */
size_t urlp_h1_plain_status_line(struct urlp_span text, struct urlp_h1_status_line *out);

#endif /* URLP_H1_STATUS_LINE_H */
