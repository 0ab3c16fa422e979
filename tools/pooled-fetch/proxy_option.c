/* Through whom requests go: what -x and its kin say, and the environment as curl hears it. */

#include "proxy_option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "options.h"
#include "text.h"

/* take puts a proxy's URL into `*out`; one without a scheme is `scheme`'s. "" is no proxy at all.
 */
static enum pf_exit take(char **out, const char *scheme, const char *value)
{
    free(*out);
    *out = value[0] == '\0' || strstr(value, "://") != NULL ? pf_strdup(value)
                                                            : pf_format("%s://%s", scheme, value);
    return PF_EXIT_OK;
}

enum pf_exit pf_apply_proxy(struct pf_settings *settings, const struct pf_option *option,
                            const char *value)
{
    (void)option;
    return take(&settings->proxy, "http", value);
}

enum pf_exit pf_apply_preproxy(struct pf_settings *settings, const struct pf_option *option,
                               const char *value)
{
    (void)option;
    return take(&settings->preproxy, "socks4", value); /* curl's default for it */
}

enum pf_exit pf_apply_socks(struct pf_settings *settings, const struct pf_option *option,
                            const char *value)
{
    const char *scheme = strcmp(option->name, "socks5-hostname") == 0 ? "socks5h" : option->name;

    if (value[0] == '\0' || strstr(value, "://") != NULL) {
        return pf_option_fail(option, "expected HOST or HOST:PORT");
    }
    return take(&settings->proxy, scheme, value);
}

/* add_header adds one "Name: value" to those for the proxy. */
static enum pf_exit add_header(struct pf_settings *settings, const struct pf_option *option,
                               const char *line)
{
    const size_t len = strcspn(line, ":");
    struct urlpool_error err;
    enum urlpool_code code;
    char *name;

    if (line[len] != ':') {
        return pf_option_fail(option, "\"%s\" is no \"Name: value\"", line);
    }
    if (settings->proxy_headers == NULL) {
        settings->proxy_headers = urlpool_headers_new(&err);
    }
    if (settings->proxy_headers == NULL) {
        return pf_option_fail(option, "%s", err.message);
    }
    name = pf_strndup(line, len);
    code = urlpool_headers_add(settings->proxy_headers, name,
                               line + len + 1 + strspn(line + len + 1, " \t"), &err);
    free(name);
    return code == URLPOOL_OK ? PF_EXIT_OK : pf_option_fail(option, "%s", err.message);
}

enum pf_exit pf_apply_proxy_header(struct pf_settings *settings, const struct pf_option *option,
                                   const char *value)
{
    enum pf_exit code = PF_EXIT_OK;
    struct pf_text text = {0};
    char *rest;
    char *line;

    if (value[0] != '@') {
        return add_header(settings, option, value);
    }
    if (pf_text_read_file(&text, value + 1) != 0) {
        (void)pf_option_fail(option, "cannot read \"%s\": %s", value + 1, pf_errno_text(errno));
        pf_text_free(&text);
        return PF_EXIT_READ;
    }
    rest = text.data;
    while (code == PF_EXIT_OK && (line = strsep(&rest, "\r\n")) != NULL) {
        code = line[0] != '\0' ? add_header(settings, option, line) : PF_EXIT_OK;
    }
    pf_text_free(&text);
    return code;
}

bool pf_option_is_of_proxy(const struct pf_option *option)
{
    return option->apply == pf_apply_proxy || option->apply == pf_apply_preproxy ||
           option->apply == pf_apply_socks;
}

static bool is_https(const char *url)
{
    return url != NULL && strncasecmp(url, "https:", 6) == 0;
}

/* say_who puts what was said of the proxies into `options`; `user` is for one's own changes. */
static void say_who(const struct pf_settings *settings, char *user,
                    struct urlpool_manager_options *options)
{
    char *colon = user != NULL ? strchr(user, ':') : NULL;

    options->proxy.url = settings->proxy;
    options->proxy.headers = settings->proxy_headers;
    options->proxy.no_proxy = settings->no_proxy;
    options->preproxy.no_proxy = settings->no_proxy;
    options->preproxy.url = settings->preproxy;
    if (settings->proxy != NULL && settings->proxy[0] == '\0') {
        options->proxy.url = NULL;
    }
    if (settings->preproxy != NULL && settings->preproxy[0] == '\0') {
        options->preproxy.url = NULL;
    }
    if (colon != NULL) {
        *colon = '\0';
        options->proxy.user = user;
        options->proxy.password = colon + 1;
    }
}

/* is_tls_said says whether anything was said of TLS with proxies. */
static bool is_tls_said(const struct pf_settings *settings)
{
    return settings->proxy_cacert != NULL || settings->proxy_capath != NULL ||
           settings->proxy_insecure || settings->proxy_cert != NULL ||
           settings->proxy_key != NULL || settings->proxy_key_password != NULL ||
           settings->proxy_pins != NULL || settings->proxy_ciphers != NULL;
}

struct urlpool_manager *pf_manager_via_proxies(const struct pf_settings *settings,
                                               struct urlpool_manager_options *options,
                                               struct urlpool_error *err)
{
    const struct urlpool_tls_options trust = {.ca_file = settings->proxy_cacert,
                                              .ca_dir = settings->proxy_capath,
                                              .cert_file = settings->proxy_cert,
                                              .key_file = settings->proxy_key,
                                              .key_password = settings->proxy_key_password,
                                              .pins = settings->proxy_pins,
                                              .ciphers = settings->proxy_ciphers,
                                              .insecure_no_verify = settings->proxy_insecure};
    struct urlpool_manager *manager = NULL;
    struct urlpool_tls *tls = NULL;
    char *user = settings->proxy_user != NULL ? pf_strdup(settings->proxy_user) : NULL;

    say_who(settings, user, options);
    options->proxy_from_environment =
        !settings->demo && (settings->proxy == NULL || settings->proxy[0] != '\0');
    /* Only the name in small letters is heard for http, as curl does: what runs this program may be
     * a server, and the capitals a field of its client's. */
    (void)unsetenv("HTTP_PROXY");
    if (is_tls_said(settings)) {
        tls = urlpool_tls_new(&trust, err);
        if (tls == NULL) {
            goto done;
        }
    }
    options->proxy.tls = tls;
    options->preproxy.tls = is_https(settings->preproxy) ? tls : NULL;
    manager = urlpool_manager_new(options, err);
done:
    urlpool_tls_unref(tls);
    free(user);
    return manager;
}
