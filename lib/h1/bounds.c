/* What the limits of struct urlpool_limits come to: zero becomes the default, URLPOOL_NONE becomes
 * zero, and whatever else is negative is the caller's mistake. The numbers are those of the table
 * in the public header; nothing else in lib/h1 knows a default. */

#include "h1/bounds.h"

#include <stdint.h>

#include "base/error.h"

#define LINE_BYTES_DEFAULT       65536
#define HEAD_BYTES_DEFAULT       262144
#define TRAILER_BYTES_DEFAULT    16384
#define CHUNK_LINE_BYTES_DEFAULT 4096
#define FIELDS_DEFAULT           200
#define INTERIMS_DEFAULT         32

static bool resolve(int64_t value, size_t by_default, size_t *out)
{
    if (value == URLPOOL_NONE) {
        *out = 0;
        return true;
    }
    if (value < 0 || (uint64_t)value > SIZE_MAX / 2) {
        return false;
    }
    *out = value == 0 ? by_default : (size_t)value;
    return true;
}

static bool reserved_is_zero(const struct urlpool_limits *limits)
{
    for (size_t i = 0; i < sizeof(limits->reserved); i++) {
        if (limits->reserved[i] != 0) {
            return false;
        }
    }
    return true;
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
        int64_t value;
        size_t by_default;
        size_t *out;
    } numbers[] = {
        {"line_bytes_max",       from->line_bytes_max,       LINE_BYTES_DEFAULT,       &bounds.line_bytes_max},
        {"head_bytes_max",       from->head_bytes_max,       HEAD_BYTES_DEFAULT,       &bounds.head_bytes_max},
        {"trailer_bytes_max",    from->trailer_bytes_max,    TRAILER_BYTES_DEFAULT,
         &bounds.trailer_bytes_max                                                                           },
        {"chunk_line_bytes_max", from->chunk_line_bytes_max, CHUNK_LINE_BYTES_DEFAULT,
         &bounds.chunk_line_bytes_max                                                                        },
        {"fields_max",           from->fields_max,           FIELDS_DEFAULT,           &bounds.fields_max    },
        {"interims_max",         from->interims_max,         INTERIMS_DEFAULT,         &bounds.interims_max  },
    };

    if (!reserved_is_zero(from)) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                         "limits.reserved holds an option this library does not know");
    }
    if (from->codings_max < 0 && from->codings_max != URLPOOL_NONE) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "limits.codings_max is %d",
                         (int)from->codings_max);
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (!resolve(numbers[i].value, numbers[i].by_default, numbers[i].out)) {
            return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "limits.%s is %lld",
                             numbers[i].name, (long long)numbers[i].value);
        }
    }
    *out = bounds;
    return URLPOOL_OK;
}
