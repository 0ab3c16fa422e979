/* What the limits of struct urlpool_limits come to: zero becomes the default, URLPOOL_NONE becomes
 * zero, and whatever else is negative is the caller's mistake. The numbers are those of the table
 * in the public header; nothing else in lib/h1 knows a default. */

#include "h1/bounds.h"

#include <stdint.h>

#include "base/error.h"
#include "base/option.h"

/* resolve gives the number of bytes or lines that `given` stands for. */
static enum urlpool_code resolve(const char *name, int64_t given, int64_t by_default, size_t *out,
                                 struct urlpool_error *err)
{
    int64_t value = 0;
    enum urlpool_code code = urlp_option_resolve(name, given, by_default, &value, err);

    if (code != URLPOOL_OK) {
        return code;
    }
    if (value < 0 || (uint64_t)value > SIZE_MAX / 2) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                         "%s is %lld: there is no head without a limit", name, (long long)given);
    }
    *out = (size_t)value;
    return URLPOOL_OK;
}

enum urlpool_code urlp_h1_bounds_of(const struct urlpool_limits *limits, struct urlp_h1_bounds *out,
                                    struct urlpool_error *err)
{
    static const struct urlpool_limits defaults;
    const struct urlpool_limits *from = limits != NULL ? limits : &defaults;
    struct urlp_h1_bounds bounds = {
        .refuse_bare_lf = from->refuse_bare_lf,
        .refuse_missing_reason = from->refuse_missing_reason,
        .refuse_obs_fold = from->refuse_obs_fold,
        .refuse_chunk_blanks = from->refuse_chunk_blanks,
    };
    const struct {
        const char *name;
        int64_t given;
        int64_t by_default;
        size_t *out;
    } numbers[] = {
        {"limits.line_bytes_max",       from->line_bytes_max,       65536,  &bounds.line_bytes_max   },
        {"limits.head_bytes_max",       from->head_bytes_max,       262144, &bounds.head_bytes_max   },
        {"limits.trailer_bytes_max",    from->trailer_bytes_max,    16384,  &bounds.trailer_bytes_max},
        {"limits.fields_max",           from->fields_max,           200,    &bounds.fields_max       },
        {"limits.interims_max",         from->interims_max,         32,     &bounds.interims_max     },
        {"limits.chunk_line_bytes_max", from->chunk_line_bytes_max, 4096,
         &bounds.chunk_line_bytes_max                                                                },
    };
    enum urlpool_code code =
        urlp_option_check_reserved("limits.reserved", from->reserved, sizeof(from->reserved), err);
    int codings_max;

    if (code == URLPOOL_OK) {
        /* Not used here, but all of the struct is to be right before any of it counts. */
        code =
            urlp_option_resolve_int("limits.codings_max", from->codings_max, 0, &codings_max, err);
    }
    for (size_t i = 0; code == URLPOOL_OK && i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        code =
            resolve(numbers[i].name, numbers[i].given, numbers[i].by_default, numbers[i].out, err);
    }
    if (code == URLPOOL_OK) {
        *out = bounds;
    }
    return code;
}
