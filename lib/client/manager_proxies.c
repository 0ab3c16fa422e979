/* Whom a manager's requests go through: the environment read, if it is to be heard, and the TLS of
 * https proxies built. What policy makes of the words is policy's.
 *
 * A proxy's TLS is never the manager's own: client certificates, pins and insecure_ switches that
 * were meant for origins are not for whoever stands in front of them. */

#include "base/environment.h"
#include "base/error.h"
#include "client/manager.h"

/* own_tls gives every https hop a configuration of its own, or the default one. */
static enum urlpool_code own_tls(struct urlp_proxies *proxies,
                                 struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlpool_tls *standard = NULL;
    struct urlp_proxy_hop *hop;
    enum urlpool_code code = URLPOOL_OK;

    for (size_t i = 0; (hop = urlp_proxies_hop(proxies, i)) != NULL; i++) {
        (void)urlpool_tls_ref(hop->tls);
    }
    for (size_t i = 0; (hop = urlp_proxies_hop(proxies, i)) != NULL && code == URLPOOL_OK; i++) {
        if (hop->kind != URLP_PROXY_HTTPS) {
            continue;
        }
        if (hop->tls == NULL && standard == NULL) {
            standard = urlpool_tls_new(NULL, err);
        }
        if (hop->tls == NULL) {
            hop->tls = urlpool_tls_ref(standard);
        }
        if (hop->tls == NULL) {
            code = err->code;
        } else {
            hop->tls_serial = urlp_opener_tls_serial(hop->tls);
        }
    }
    urlpool_tls_unref(standard);
    return code;
}

enum urlpool_code urlp_manager_read_proxies(struct urlpool_manager *manager,
                                            const struct urlpool_manager_options *options,
                                            struct urlpool_error *err)
{
    struct urlp_proxy_environment environment = {0};
    struct urlp_proxies_given given = {.proxy = &options->proxy, .preproxy = &options->preproxy};
    struct urlpool_error why = {0};
    enum urlpool_code code = URLPOOL_OK;

    if (options->proxy_from_environment) {
        given.environment = &environment;
        code = urlp_proxy_environment_read(&environment, &why);
    }
    if (code == URLPOOL_OK) {
        code = urlp_proxies_make(&manager->proxies, &given, &why);
    }
    if (code == URLPOOL_OK) {
        code = own_tls(&manager->proxies, &why);
    }
    urlp_proxy_environment_deinit(&environment);
    return code == URLPOOL_OK ? code : urlp_fail_with(err, &why);
}

void urlp_manager_forget_proxies(struct urlpool_manager *manager)
{
    struct urlp_proxy_hop *hop;

    for (size_t i = 0; (hop = urlp_proxies_hop(&manager->proxies, i)) != NULL; i++) {
        urlpool_tls_unref(hop->tls);
    }
    urlp_proxies_deinit(&manager->proxies);
}
