#ifndef URLPOOL_LIMITS_H
#define URLPOOL_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "urlpool/export.h"

URLPOOL_BEGIN_DECLS

/* struct urlpool_limits bounds what a peer may send before its body and how its body may be
 * coded, and says which tolerances are refused. Zero is the default, URLPOOL_NONE zero. */
struct urlpool_limits {
    int64_t line_bytes_max;       /* of status line or one field line; default 65 536 */
    int64_t head_bytes_max;       /* of a head, interim responses included; default 262 144 */
    int64_t trailer_bytes_max;    /* of the trailers; default 16 384 */
    int32_t fields_max;           /* field lines in a head, and in the trailers; default 200 */
    int32_t interims_max;         /* 1xx responses before the final one; default 32 */
    int32_t chunk_line_bytes_max; /* a chunk size with its extensions; default 4 096 */
    int32_t codings_max;          /* content codings stacked on one another; default 5 */
    bool refuse_bare_lf;          /* a line of the head that ends in LF alone */
    bool refuse_missing_reason;   /* a status line without the space behind the code */
    bool refuse_obs_fold;         /* a folded field line */
    bool refuse_chunk_blanks;     /* blanks behind a chunk size */
    int32_t coding_ratio_max;     /* decoded for each byte sent, past 16 MiB; default 2 000 */
    int32_t coding_window_max; /* bytes that br and zstd may look back on, which each layer holds;
                                  what is no power of two is the one below. Default 16 MiB, all
                                  that br can ask for; zstd gets 8 MiB at most */
    unsigned char reserved[20];
};

URLPOOL_END_DECLS

#endif /* URLPOOL_LIMITS_H */
