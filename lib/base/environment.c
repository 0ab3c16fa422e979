/* The one door to the environment, which is read once and copied: getenv is not safe beside setenv,
 * so urlpool looks only when a manager or a TLS configuration is made.
 *
 * In a program that runs with more rights than its user (setuid) nothing is set: the user must not
 * choose what it trusts. */

#include "base/environment.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/count.h"
#include "base/error.h"

/* read_one copies the variable `name`, if it is set to something. */
static enum urlpool_code read_one(const char *name, char **out_value, struct urlpool_error *err)
{
    const char *value = secure_getenv(name);

    *out_value = NULL;
    if (value == NULL || value[0] == '\0') {
        return URLPOOL_OK;
    }
    *out_value = urlp_strndup(value, strlen(value));
    return *out_value != NULL ? URLPOOL_OK : urlp_fail_nomem(err);
}

enum urlpool_code urlp_environment_read(struct urlp_environment *out, struct urlpool_error *err)
{
    struct urlp_environment made = {0};
    const struct {
        const char *name;
        char **value;
    } rows[] = {
        {"SSL_CERT_FILE", &made.ssl_cert_file},
        {"SSL_CERT_DIR",  &made.ssl_cert_dir },
        {"SSLKEYLOGFILE", &made.sslkeylogfile},
    };

    for (size_t i = 0; i < URLP_COUNT_OF(rows); i++) {
        enum urlpool_code code = read_one(rows[i].name, rows[i].value, err);

        if (code != URLPOOL_OK) {
            urlp_environment_deinit(&made);
            return code;
        }
    }
    *out = made;
    return URLPOOL_OK;
}

void urlp_environment_deinit(struct urlp_environment *environment)
{
    urlp_free(environment->ssl_cert_file);
    urlp_free(environment->ssl_cert_dir);
    urlp_free(environment->sslkeylogfile);
    *environment = (struct urlp_environment){0};
}

enum urlpool_code urlp_proxy_environment_read(struct urlp_proxy_environment *out,
                                              struct urlpool_error *err)
{
    struct urlp_proxy_environment made = {0};
    /* A CGI program gets the request's field "Proxy" as HTTP_PROXY: anybody's word (CVE-2016-5385).
     */
    const bool is_cgi = secure_getenv("REQUEST_METHOD") != NULL;
    const struct {
        const char *name, *capitals;
        char **value;
    } rows[] = {
        {"http_proxy",  is_cgi ? NULL : "HTTP_PROXY", &made.http_proxy },
        {"https_proxy", "HTTPS_PROXY",                &made.https_proxy},
        {"all_proxy",   "ALL_PROXY",                  &made.all_proxy  },
        {"no_proxy",    "NO_PROXY",                   &made.no_proxy   },
    };

    for (size_t i = 0; i < URLP_COUNT_OF(rows); i++) {
        enum urlpool_code code = read_one(rows[i].name, rows[i].value, err);

        if (code == URLPOOL_OK && *rows[i].value == NULL && rows[i].capitals != NULL) {
            code = read_one(rows[i].capitals, rows[i].value, err);
        }
        if (code != URLPOOL_OK) {
            urlp_proxy_environment_deinit(&made);
            return code;
        }
    }
    *out = made;
    return URLPOOL_OK;
}

void urlp_proxy_environment_deinit(struct urlp_proxy_environment *environment)
{
    urlp_free(environment->http_proxy);
    urlp_free(environment->https_proxy);
    urlp_free(environment->all_proxy);
    urlp_free(environment->no_proxy);
    *environment = (struct urlp_proxy_environment){0};
}
