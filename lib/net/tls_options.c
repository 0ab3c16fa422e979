/* What a caller may ask of TLS: which values mean something, and which go together.
 *
 * Everything is looked at before anything is read or built, so that a wrong option is told as one,
 * whatever else is wrong. What an option does is in the files that do it. */

#include "net/tls_options.h"

#include <openssl/ssl.h>

#include "base/error.h"
#include "base/option.h"

static enum urlpool_code refuse(struct urlpool_error *err, const char *what)
{
    return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "%s", what);
}

unsigned short urlp_tls_options_version(enum urlpool_tls_version version)
{
    switch (version) {
    case URLPOOL_TLS_1_2:
        return TLS1_2_VERSION;
    case URLPOOL_TLS_1_3:
        return TLS1_3_VERSION;
    default:
        return 0;
    }
}

static bool is_version(enum urlpool_tls_version version)
{
    return version == URLPOOL_TLS_DEFAULT || urlp_tls_options_version(version) != 0;
}

static enum urlpool_code check_versions(const struct urlpool_tls_options *options,
                                        struct urlpool_error *err)
{
    if (!is_version(options->version_min)) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "version_min may not be %d",
                         (int)options->version_min);
    }
    if (!is_version(options->version_max)) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "version_max may not be %d",
                         (int)options->version_max);
    }
    if (options->version_max != URLPOOL_TLS_DEFAULT &&
        options->version_min > options->version_max) {
        return refuse(err, "version_min is above version_max");
    }
    return URLPOOL_OK;
}

enum urlpool_code urlp_tls_options_check(const struct urlpool_tls_options *options,
                                         struct urlpool_error *err)
{
    enum urlpool_code code = urlp_option_check_reserved(
        "struct urlpool_tls_options", options->reserved, sizeof(options->reserved), err);

    if (code != URLPOOL_OK) {
        return code;
    }
    if (options->ca_data == NULL && options->ca_data_len > 0) {
        return refuse(err, "ca_data_len without ca_data");
    }
    return check_versions(options, err);
}
