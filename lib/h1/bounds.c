/* What the limits of struct urlpool_limits come to: zero becomes the default, URLPOOL_NONE becomes
 * zero, and whatever else is negative is the caller's mistake. The numbers are those of the table
 * in the public header; nothing else in lib/h1 knows a default. */

#include "h1/bounds.h"

#include <stdint.h>

#include "base/count.h"
#include "base/error.h"
#include "base/option.h"

#define LINE_BYTES_DEFAULT 65536
#define HEAD_BYTES_DEFAULT 262144
#define FIELDS_DEFAULT     200
#define TRAILER_DEFAULT    16384

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

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
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
        {"limits.line_bytes_max",       from->line_bytes_max,       LINE_BYTES_DEFAULT, &bounds.line_bytes_max},
        {"limits.head_bytes_max",       from->head_bytes_max,       HEAD_BYTES_DEFAULT, &bounds.head_bytes_max},
        {"limits.trailer_bytes_max",    from->trailer_bytes_max,    TRAILER_DEFAULT,
         &bounds.trailer_bytes_max                                                                            },
        {"limits.fields_max",           from->fields_max,           FIELDS_DEFAULT,     &bounds.fields_max    },
        {"limits.interims_max",         from->interims_max,         32,                 &bounds.interims_max  },
        {"limits.chunk_line_bytes_max", from->chunk_line_bytes_max, 4096,
         &bounds.chunk_line_bytes_max                                                                         },
    };
    enum urlpool_code code =
        urlp_option_check_reserved("limits.reserved", from->reserved, sizeof(from->reserved), err);
    int unused;

    if (code == URLPOOL_OK) {
        /* Not used here, but all of the struct is to be right before any of it counts. */
        code = urlp_option_resolve_int("limits.codings_max", from->codings_max, 0, &unused, err);
    }
    if (code == URLPOOL_OK) {
        code = urlp_option_resolve_int("limits.coding_ratio_max", from->coding_ratio_max, 0,
                                       &unused, err);
    }
    if (code == URLPOOL_OK) {
        code = urlp_option_resolve_int("limits.coding_window_max", from->coding_window_max, 0,
                                       &unused, err);
    }
    for (size_t i = 0; code == URLPOOL_OK && i < URLP_COUNT_OF(numbers); i++) {
        code =
            resolve(numbers[i].name, numbers[i].given, numbers[i].by_default, numbers[i].out, err);
    }
    if (code != URLPOOL_OK) {
        return code;
    }
    bounds.sent_line_bytes_max = larger(bounds.line_bytes_max, LINE_BYTES_DEFAULT);
    bounds.sent_head_bytes_max = larger(bounds.head_bytes_max, HEAD_BYTES_DEFAULT);
    bounds.sent_fields_max = larger(bounds.fields_max, FIELDS_DEFAULT);
    bounds.sent_trailer_bytes_max = larger(bounds.trailer_bytes_max, TRAILER_DEFAULT);
    *out = bounds;
    return URLPOOL_OK;
}
