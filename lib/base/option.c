/* What the numbers in option structs mean. One place, so that zero, URLPOOL_NONE and
 * URLPOOL_NO_TIMEOUT mean the same in every struct. */

#include "base/option.h"

#include <string.h>

#include "base/count.h"
#include "base/error.h"

const struct urlpool_timeout urlp_timeout_defaults = {
    .connect_ms = 10000,
    .read_ms = 60000,
    .write_ms = 60000,
    .total_ms = -1,
    .pool_ms = -1,
};

enum urlpool_code urlp_option_resolve(const char *name, int64_t given, int64_t fallback,
                                      int64_t *out, struct urlpool_error *err)
{
    if (given < URLPOOL_NONE) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "%s may not be %lld", name,
                         (long long)given);
    }
    if (given == 0) {
        *out = fallback;
    } else if (given == URLPOOL_NONE) {
        *out = 0;
    } else {
        *out = given;
    }
    return URLPOOL_OK;
}

enum urlpool_code urlp_option_resolve_int(const char *name, int32_t given, int fallback, int *out,
                                          struct urlpool_error *err)
{
    int64_t value = 0;
    enum urlpool_code code = urlp_option_resolve(name, given, fallback, &value, err);

    if (code != URLPOOL_OK) {
        return code;
    }
    if (given == URLPOOL_NO_TIMEOUT) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "%s needs a bound", name);
    }
    *out = (int)value;
    return URLPOOL_OK;
}

enum urlpool_code urlp_option_fail_reserved(const char *name, struct urlpool_error *err)
{
    return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                     "%s asks for what this version does not know", name);
}

void urlp_option_give_out(const void *from, size_t size, void *out, size_t out_size)
{
    memset(out, 0, out_size);
    memcpy(out, from, out_size < size ? out_size : size);
}

enum urlpool_code urlp_timeout_resolve(const struct urlpool_timeout *given,
                                       const struct urlpool_timeout *fallback,
                                       struct urlpool_timeout *out, struct urlpool_error *err)
{
    struct urlpool_timeout result = {0};
    enum urlpool_code code;

    if (urlp_option_is_unset(given, sizeof(*given))) {
        *out = *fallback;
        return URLPOOL_OK;
    }
    code = urlp_option_check_reserved("timeout", given->reserved, sizeof(given->reserved), err);

    const struct {
        const char *name;
        int64_t given, fallback, *out;
    } fields[] = {
        {"timeout.connect_ms", given->connect_ms, fallback->connect_ms, &result.connect_ms},
        {"timeout.read_ms",    given->read_ms,    fallback->read_ms,    &result.read_ms   },
        {"timeout.write_ms",   given->write_ms,   fallback->write_ms,   &result.write_ms  },
        {"timeout.total_ms",   given->total_ms,   fallback->total_ms,   &result.total_ms  },
        {"timeout.pool_ms",    given->pool_ms,    fallback->pool_ms,    &result.pool_ms   },
    };
    for (size_t i = 0; code == URLPOOL_OK && i < URLP_COUNT_OF(fields); i++) {
        code = urlp_option_resolve(fields[i].name, fields[i].given, fields[i].fallback,
                                   fields[i].out, err);
    }
    if (code == URLPOOL_OK) {
        *out = result;
    }
    return code;
}
