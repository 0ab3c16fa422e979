/* Whom to trust, who we are, and which versions and ciphers are spoken: what --cert and its kin
 * say. */

#include "tls_option.h"

#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "say.h"

const char *pf_cert_password(const char *value)
{
    for (const char *at = value; *at != '\0'; at++) {
        if (*at == ':') {
            return at + 1;
        }
        if (*at == '\\' && at[1] != '\0') {
            at++;
        }
    }
    return NULL;
}

static bool is_of_proxy(const struct pf_option *option)
{
    return strncmp(option->name, "proxy-", 6) == 0;
}

/* pf_apply_cert takes FILE[:PASSWORD]; a colon or backslash of the file's name stands behind a
 * backslash. */
enum pf_exit pf_apply_cert(struct pf_settings *settings, const struct pf_option *option,
                           const char *value)
{
    const char *password = pf_cert_password(value);
    const char *end = password != NULL ? password - 1 : value + strlen(value);
    char **cert = is_of_proxy(option) ? &settings->proxy_cert : &settings->cert;
    char **key_password =
        is_of_proxy(option) ? &settings->proxy_key_password : &settings->key_password;
    struct pf_text name = {0};

    pf_text_adds(&name, "");
    for (const char *at = value; at < end; at++) {
        at += at[0] == '\\' && (at[1] == '\\' || at[1] == ':');
        pf_text_add(&name, at, 1);
    }
    free(*cert);
    *cert = name.data;
    if (password != NULL && password[0] != '\0') {
        free(*key_password);
        *key_password = pf_strdup(password);
    }
    return PF_EXIT_OK;
}

/* pf_apply_ciphers looks at the list at once: curl has a number of its own for a bad one. */
enum pf_exit pf_apply_ciphers(struct pf_settings *settings, const struct pf_option *option,
                              const char *value)
{
    const struct urlpool_tls_options options = {.ciphers = value, .insecure_no_verify = true};
    struct urlpool_error err = {0};
    struct urlpool_tls *tls = urlpool_tls_new(&options, &err);
    char **ciphers;

    urlpool_tls_unref(tls);
    if (tls == NULL && err.code == URLPOOL_E_INVALID) {
        (void)pf_option_fail(option, "%s", err.message);
        return PF_EXIT_CIPHERS;
    }
    ciphers = is_of_proxy(option) ? &settings->proxy_ciphers : &settings->ciphers;
    free(*ciphers);
    *ciphers = pf_strdup(value);
    return PF_EXIT_OK;
}

enum pf_exit pf_apply_tls_min(struct pf_settings *settings, const struct pf_option *option,
                              const char *value)
{
    (void)value;
    settings->tls_1_3_only = strcmp(option->name, "tlsv1.3") == 0;
    return PF_EXIT_OK;
}

enum pf_exit pf_apply_tls_max(struct pf_settings *settings, const struct pf_option *option,
                              const char *value)
{
    if (strcmp(value, "default") == 0) {
        settings->tls_max = URLPOOL_TLS_DEFAULT;
    } else if (strcmp(value, "1.2") == 0) {
        settings->tls_max = URLPOOL_TLS_1_2;
    } else if (strcmp(value, "1.3") == 0) {
        settings->tls_max = URLPOOL_TLS_1_3;
    } else {
        return pf_option_fail(option, "\"%s\" is neither 1.2 nor 1.3", value);
    }
    return PF_EXIT_OK;
}

bool pf_tls_is_asked_for(const struct pf_settings *settings)
{
    return settings->cacert != NULL || settings->capath != NULL || settings->ca_data != NULL ||
           settings->insecure || settings->cert != NULL || settings->key != NULL ||
           settings->key_password != NULL || settings->pins != NULL || settings->ciphers != NULL ||
           settings->tls_1_3_only || settings->tls_max != URLPOOL_TLS_DEFAULT;
}

struct urlpool_tls *pf_tls_make(const struct pf_settings *settings, struct urlpool_error *err)
{
    const struct urlpool_tls_options options = {
        .ca_file = settings->cacert,
        .ca_dir = settings->capath,
        .ca_data = settings->ca_data,
        .ca_data_len = settings->ca_data_len,
        .insecure_no_verify = settings->insecure,
        .version_min = settings->tls_1_3_only ? URLPOOL_TLS_1_3 : URLPOOL_TLS_DEFAULT,
        .version_max = settings->tls_max,
        .ciphers = settings->ciphers,
        .pins = settings->pins,
        .cert_file = settings->cert,
        .key_file = settings->key,
        .key_password = settings->key_password};

    return urlpool_tls_new(&options, err);
}
