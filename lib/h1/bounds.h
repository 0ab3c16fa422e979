#ifndef URLP_H1_BOUNDS_H
#define URLP_H1_BOUNDS_H

#include <stdbool.h>
#include <stddef.h>

#include "urlpool/error.h"
#include "urlpool/limits.h"

/* struct urlp_h1_bounds is struct urlpool_limits with the defaults filled in. */
struct urlp_h1_bounds {
    size_t line_bytes_max;
    size_t head_bytes_max;
    size_t trailer_bytes_max;
    size_t chunk_line_bytes_max;
    size_t fields_max;
    size_t interims_max;
    /* Of what we send ourselves: RFC 9110 section 2.3 lets nobody generate what he could not read,
     * so these are the defaults, or the limits above where those are larger. */
    size_t sent_line_bytes_max;
    size_t sent_head_bytes_max;
    size_t sent_fields_max;
    size_t sent_trailer_bytes_max;
    bool refuse_bare_lf;
    bool refuse_missing_reason;
    bool refuse_obs_fold;
    bool refuse_chunk_blanks;
};

/* urlp_h1_bounds_of fills in the defaults of `limits`, which may be NULL.
 *
 * Errors:  URLPOOL_E_INVALID for a negative number other than URLPOOL_NONE, or a reserved byte that
 *          is not zero; `out` is then untouched. */
URLPOOL_MUST_USE enum urlpool_code urlp_h1_bounds_of(const struct urlpool_limits *limits,
                                                     struct urlp_h1_bounds *out,
                                                     struct urlpool_error *err);

#endif /* URLP_H1_BOUNDS_H */
