/* What a caller may ask of TLS: which values mean something, and which go together.
 *
 * Everything is looked at before anything is read or built, so that a wrong option is told as one,
 * whatever else is wrong. What an option does is in the files that do it. */

#include "net/tls_options.h"

#include <openssl/ssl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/ip.h"
#include "base/option.h"
#include "base/span.h"
#include "net/tls_names.h"

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

static enum urlpool_code check_client_cert(const struct urlpool_tls_options *options,
                                           struct urlpool_error *err)
{
    const bool has_cert = options->cert_file != NULL || options->cert_data != NULL;
    const bool has_key = options->key_file != NULL || options->key_data != NULL;

    if ((options->cert_data == NULL && options->cert_data_len > 0) ||
        (options->key_data == NULL && options->key_data_len > 0)) {
        return refuse(err, "cert_data_len or key_data_len without data");
    }
    if (options->cert_file != NULL && options->cert_data != NULL) {
        return refuse(err, "cert_file and cert_data: one of them");
    }
    if (options->key_file != NULL && options->key_data != NULL) {
        return refuse(err, "key_file and key_data: one of them");
    }
    if (!has_cert && (has_key || options->key_password != NULL)) {
        return refuse(err, "a client key without a certificate");
    }
    return URLPOOL_OK;
}

/* inside gives "::1" of "[::1%lo]"; what is neither in brackets nor IPv6 stays as it is. */
static struct urlp_span inside(struct urlp_span text)
{
    struct urlp_span bare = text;
    const char *zone;
    struct urlp_ip ip;

    if (bare.len > 2 && bare.data[0] == '[' && bare.data[bare.len - 1] == ']') {
        bare = urlp_span_make(bare.data + 1, bare.len - 2);
    }
    zone = bare.len > 0 ? memchr(bare.data, '%', bare.len) : NULL;
    if (zone != NULL) {
        bare.len = (size_t)(zone - bare.data);
    }
    return urlp_ip_parse_v6(bare, &ip) ? bare : text;
}

enum urlpool_code urlp_tls_options_copy_host(const char *name, const char *text, char **out,
                                             struct urlpool_error *err)
{
    char host[URLP_TLS_HOST_LEN_MAX + 1];
    struct urlp_span bare;
    struct urlp_ip ip;
    size_t len;

    *out = NULL;
    if (text == NULL) {
        return URLPOOL_OK;
    }
    bare = inside(urlp_span_of(text));
    len = urlp_tls_name_normalise(bare, host);
    if (len == 0 || !(urlp_tls_name_is_host(urlp_span_make(host, len)) ||
                      urlp_ip_parse_v6(urlp_span_make(host, len), &ip))) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "%s \"%s\" is no host", name,
                         urlp_quote(text, strlen(text)).text);
    }
    *out = urlp_strndup(host, len);
    return *out != NULL ? URLPOOL_OK : urlp_fail_nomem(err);
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
    code = check_client_cert(options, err);
    return code == URLPOOL_OK ? check_versions(options, err) : code;
}
