#ifndef URLP_BASE_OPTION_H
#define URLP_BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "urlpool/error.h"
#include "urlpool/timeout.h"

/* The rules of every option struct in one place: zero is the default, URLPOOL_NO_TIMEOUT no bound,
 * URLPOOL_NONE zero, and reserved bytes are zero. */

/* urlp_option_resolve gives what `given` means: `fallback` for 0, 0 for URLPOOL_NONE, -1 for no
 * bound, else `given` itself.
 *
 * Errors:  URLPOOL_E_INVALID, naming `name`, for any other negative value. */
URLPOOL_MUST_USE enum urlpool_code urlp_option_resolve(const char *name, int64_t given,
                                                       int64_t fallback, int64_t *out,
                                                       struct urlpool_error *err);

/* urlp_option_resolve_int is the same for counts that are held as int. Errors: also
 * URLPOOL_E_INVALID for URLPOOL_NO_TIMEOUT, since a count without bound is not offered. */
URLPOOL_MUST_USE enum urlpool_code urlp_option_resolve_int(const char *name, int32_t given,
                                                           int fallback, int *out,
                                                           struct urlpool_error *err);

/* urlp_option_is_unset says whether the `len` bytes of a struct of options are all zero: nothing is
 * asked for. Bytes between its members may make it false, never true. */
static inline bool urlp_option_is_unset(const void *given, size_t len)
{
    const unsigned char *bytes = given;
    uint64_t any = 0;
    size_t at = 0;

    /* Inline, and eight bytes at a time: this is run for every request, and `len` is a constant. */
    for (; at + sizeof(any) <= len; at += sizeof(any)) {
        uint64_t word;

        memcpy(&word, bytes + at, sizeof(word));
        any |= word;
    }
    for (; at < len; at++) {
        any |= bytes[at];
    }
    return any == 0;
}

/* urlp_option_fail_reserved is what urlp_option_check_reserved says of a byte that is not zero. */
enum urlpool_code urlp_option_fail_reserved(const char *name, struct urlpool_error *err);

/* urlp_option_check_reserved refuses what this version does not know.
 *
 * Errors:  URLPOOL_E_INVALID, naming `name`, when a byte is not zero. */
URLPOOL_MUST_USE static inline enum urlpool_code urlp_option_check_reserved(
    const char *name, const unsigned char *reserved, size_t len, struct urlpool_error *err)
{
    return urlp_option_is_unset(reserved, len) ? URLPOOL_OK : urlp_option_fail_reserved(name, err);
}

/* urlp_option_give_out copies `size` bytes of what the library says into the caller's struct, which
 * may be an older one and shorter, or a newer one, what is unknown of which becomes zero. */
void urlp_option_give_out(const void *from, size_t size, void *out, size_t out_size);

/* urlp_timeout_defaults are the bounds that hold when nobody says otherwise: ms, -1 for none. */
extern const struct urlpool_timeout urlp_timeout_defaults;

/* urlp_timeout_resolve resolves every field of `given` against `fallback`, which is resolved: each
 * field of `out` is a bound in ms, or -1. `out` may be `fallback`.
 *
 * Errors:  URLPOOL_E_INVALID. */
URLPOOL_MUST_USE enum urlpool_code urlp_timeout_resolve(const struct urlpool_timeout *given,
                                                        const struct urlpool_timeout *fallback,
                                                        struct urlpool_timeout *out,
                                                        struct urlpool_error *err);

#endif /* URLP_BASE_OPTION_H */
