/* The manager's life: options in, shared parts made, references counted. A call in progress, a
 * streamed response and a pool in a user's hands each hold a reference, so urlpool_manager_free may
 * come at any time from any thread.
 *
 * It knows nothing of single requests; client/request_loop.c does. */

#include "client/manager.h"

#include <stdatomic.h>
#include <string.h>

#include "urlpool/version.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/option.h"
#include "client/connector.h"
#include "policy/route_for.h"

enum {
    NUM_POOLS_DEFAULT = 64,
    MAXSIZE_DEFAULT = 64,
    IDLE_MS_DEFAULT = 55000,
    LIFETIME_MS_DEFAULT = 600000,
    MAX_IDLE_TOTAL_DEFAULT = 256,
    DIAL_PAUSE_MAX_MS_DEFAULT = 1000,
    DATA_BYTES_DEFAULT = 1 << 30
};

/* resolve_totals turns the options that bound all pools together into numbers. */
static enum urlpool_code resolve_totals(const struct urlpool_manager_options *options,
                                        struct urlp_pool_settings *out, struct urlpool_error *err)
{
    enum urlpool_code code =
        urlp_option_resolve("max_total", options->max_total, -1, &out->max_total, err);

    if (code == URLPOOL_OK) {
        code = urlp_option_resolve("max_idle_total", options->max_idle_total,
                                   MAX_IDLE_TOTAL_DEFAULT, &out->max_idle_total, err);
    }
    if (code == URLPOOL_OK) {
        code = urlp_option_resolve("max_waiters", options->max_waiters, -1, &out->max_waiters, err);
    }
    if (code == URLPOOL_OK) {
        code = urlp_option_resolve("leak_ms", options->leak_ms, -1, &out->leak_ms, err);
    }
    if (code == URLPOOL_OK && out->max_total == 0) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                         "max_total of none would wait for ever");
    }
    return code;
}

/* resolve_pools turns the options that concern pools into numbers. */
static enum urlpool_code resolve_pools(const struct urlpool_manager_options *options,
                                       struct urlp_pool_settings *out, struct urlpool_error *err)
{
    enum urlpool_code code = urlp_option_resolve_int("num_pools", options->num_pools,
                                                     NUM_POOLS_DEFAULT, &out->num_pools, err);
    if (code == URLPOOL_OK) {
        code = urlp_option_resolve_int("maxsize", options->maxsize, MAXSIZE_DEFAULT, &out->maxsize,
                                       err);
    }
    if (code == URLPOOL_OK) {
        code =
            urlp_option_resolve("idle_ms", options->idle_ms, IDLE_MS_DEFAULT, &out->idle_ms, err);
    }
    if (code == URLPOOL_OK) {
        code = urlp_option_resolve("lifetime_ms", options->lifetime_ms, LIFETIME_MS_DEFAULT,
                                   &out->lifetime_ms, err);
    }
    if (code == URLPOOL_OK) {
        code =
            urlp_option_resolve("requests_max", options->requests_max, -1, &out->requests_max, err);
    }
    if (code == URLPOOL_OK) {
        code = urlp_option_resolve("dial_pause_max_ms", options->dial_pause_max_ms,
                                   DIAL_PAUSE_MAX_MS_DEFAULT, &out->dial_pause_max_ms, err);
    }
    out->block = options->block;
    out->ignore_dns_change = options->ignore_dns_change;
    out->upkeep_thread = options->upkeep_thread;
    if (code == URLPOOL_OK) {
        code = urlp_option_resolve_int("min_idle", options->min_idle, 0, &out->min_idle, err);
    }
    if (code == URLPOOL_OK && out->block && out->maxsize == 0) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                         "block with a maxsize of none would wait for ever");
    }
    return code == URLPOOL_OK ? resolve_totals(options, out, err) : code;
}

/* resolve_requests turns the options that concern requests into the manager's own fields. */
static enum urlpool_code resolve_requests(struct urlpool_manager *manager,
                                          const struct urlpool_manager_options *options,
                                          struct urlpool_error *err)
{
    enum urlpool_code code = urlp_option_check_reserved("manager options", options->reserved,
                                                        sizeof(options->reserved), err);
    if (code == URLPOOL_OK) {
        code = urlp_option_check_reserved("trace", options->trace.reserved,
                                          sizeof(options->trace.reserved), err);
    }
    if (code == URLPOOL_OK) {
        code =
            urlp_timeout_resolve(&options->timeout, &urlp_timeout_defaults, &manager->timeout, err);
    }
    if (code == URLPOOL_OK) {
        code = urlp_retry_resolve(&options->retries, &urlp_retry_defaults, &manager->retries, err);
    }
    if (code == URLPOOL_OK) {
        code = urlp_option_resolve_int("redirects_max", options->redirects_max,
                                       urlp_retry_defaults.redirects_max,
                                       &manager->retries.redirects_max, err);
    }
    if (code == URLPOOL_OK) {
        code = urlp_option_resolve("data_bytes_max", options->data_bytes_max, DATA_BYTES_DEFAULT,
                                   &manager->data_bytes_max, err);
    }
    if (code == URLPOOL_OK) {
        code = urlp_origins_make(&manager->origins, &options->retry_budget,
                                 options->share_retry_after, err);
    }
    return code;
}

/* copy_list copies a list of the caller's, and lets the rules point to the copy. NULL: they point
 * to a default, which stays. */
static enum urlpool_code copy_list(const char *given, char **out_own, const char **out_rule,
                                   struct urlpool_error *err)
{
    if (given == NULL) {
        return URLPOOL_OK;
    }
    *out_own = urlp_strndup(given, strlen(given));
    if (*out_own == NULL) {
        return urlp_fail_nomem(err);
    }
    *out_rule = *out_own;
    return URLPOOL_OK;
}

static enum urlpool_code copy_retries(struct urlpool_manager *manager,
                                      const struct urlpool_retry *given, struct urlpool_error *err)
{
    enum urlpool_code code = copy_list(given->allowed_methods, &manager->own_methods,
                                       &manager->retries.allowed_methods, err);

    if (code != URLPOOL_OK) {
        return code;
    }
    return copy_list(given->remove_headers_on_redirect, &manager->own_removed,
                     &manager->retries.remove_headers_on_redirect, err);
}

/* copy_texts copies what the caller may free after urlpool_manager_new. */
static enum urlpool_code copy_texts(struct urlpool_manager *manager,
                                    const struct urlpool_manager_options *options,
                                    struct urlpool_error *err)
{
    const char *agent =
        options->user_agent != NULL ? options->user_agent : "urlpool/" URLPOOL_VERSION;

    if (!urlp_field_value_is_valid(urlp_span_of(agent))) {
        return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_NONE,
                         "user_agent \"%s\" is not fit to send",
                         urlp_quote(agent, strlen(agent)).text);
    }
    if (agent[0] != '\0') {
        manager->user_agent = urlp_strndup(agent, strlen(agent));
        if (manager->user_agent == NULL) {
            return urlp_fail_nomem(err);
        }
    }
    if (options->headers != NULL) {
        manager->headers = urlpool_headers_copy(options->headers, err);
        if (manager->headers == NULL) {
            return URLPOOL_E_NOMEM;
        }
    }
    return copy_retries(manager, &options->retries, err);
}

static void destroy(struct urlpool_manager *manager) URLP_MAY_BLOCK
{
    urlp_pool_set_free(manager->pools);
    urlp_opener_free(manager->opener);
    urlp_manager_forget_proxies(manager);
    urlp_tls_slot_deinit(&manager->tls);
    urlp_origins_deinit(&manager->origins);
    urlpool_headers_free(manager->headers);
    urlp_free(manager->user_agent);
    urlp_free(manager->own_methods);
    urlp_free(manager->own_removed);
    urlp_free(manager);
}

/* build_shared makes the two parts that threads share: the opener and the pools. */
static enum urlpool_code build_shared(struct urlpool_manager *manager,
                                      const struct urlpool_manager_options *options,
                                      struct urlpool_error *err) URLP_MAY_BLOCK
{
    const struct urlp_opener_options opening = {.limits = options->limits,
                                                .network = &options->network};
    struct urlp_pool_settings settings = {0};
    struct urlp_connector connector;
    enum urlpool_code code = resolve_pools(options, &settings, err);

    if (code != URLPOOL_OK) {
        return code;
    }
    manager->opener = urlp_opener_new(&opening, err);
    if (manager->opener == NULL) {
        return URLPOOL_E_NOMEM;
    }
    settings.upkeep_ms = manager->timeout.connect_ms;
    settings.trace = manager->trace.event != NULL ? &manager->trace : NULL;
    connector = urlp_connector_for(manager);
    manager->pools = urlp_pool_set_new(&settings, &connector, err);
    return manager->pools != NULL ? URLPOOL_OK : URLPOOL_E_NOMEM;
}

struct urlpool_manager *urlpool_manager_new(const struct urlpool_manager_options *options,
                                            struct urlpool_error *err) URLP_MAY_BLOCK
{
    static const struct urlpool_manager_options defaults;
    struct urlpool_manager *manager = urlp_zalloc(sizeof(*manager));
    enum urlpool_code code;

    if (manager == NULL) {
        (void)urlp_fail_nomem(err);
        return NULL;
    }
    if (options == NULL) {
        options = &defaults;
    }
    urlp_ref_init(&manager->refs);
    manager->trace = options->trace;
    code = resolve_requests(manager, options, err);
    if (code == URLPOOL_OK) {
        code = copy_texts(manager, options, err);
    }
    if (code == URLPOOL_OK) {
        code = urlp_manager_read_proxies(manager, options, err);
    }
    if (code == URLPOOL_OK) {
        code = build_shared(manager, options, err);
    }
    if (code != URLPOOL_OK) {
        destroy(manager);
        return NULL;
    }
    urlp_tls_slot_init(&manager->tls, options->tls);
    return manager;
}

struct urlpool_manager *urlpool_manager_ref(struct urlpool_manager *manager)
{
    if (manager != NULL) {
        urlp_ref_take(&manager->refs);
    }
    return manager;
}

bool urlp_manager_drop(struct urlpool_manager *manager)
{
    bool is_last = urlp_ref_drop(&manager->refs);

    if (is_last) {
        destroy(manager);
    }
    return is_last;
}

void urlpool_manager_unref(struct urlpool_manager *manager) URLP_MAY_BLOCK
{
    if (manager != NULL) {
        (void)urlp_manager_drop(manager);
    }
}

void urlpool_manager_close(struct urlpool_manager *manager) URLP_MAY_BLOCK
{
    if (manager != NULL) {
        urlp_pool_set_close(manager->pools);
        urlp_origins_close(&manager->origins);
    }
}

void urlpool_manager_free(struct urlpool_manager *manager) URLP_MAY_BLOCK
{
    if (manager != NULL) {
        urlpool_manager_close(manager);
        urlp_pool_set_tell_held(manager->pools);
        urlpool_manager_unref(manager);
    }
}

struct urlpool_manager *urlpool_default(struct urlpool_error *err) URLP_MAY_BLOCK
{
    static _Atomic(struct urlpool_manager *) shared; /* never freed: used until the very end */
    struct urlpool_manager *found = atomic_load(&shared);
    struct urlpool_manager *made;

    if (found != NULL) {
        return found;
    }
    made = urlpool_manager_new(NULL, err);
    if (made == NULL || atomic_compare_exchange_strong(&shared, &found, made)) {
        return made;
    }
    urlpool_manager_free(made); /* another thread was faster */
    return found;
}

enum urlpool_code urlpool_manager_set_tls(struct urlpool_manager *manager, struct urlpool_tls *tls,
                                          struct urlpool_error *err) URLP_MAY_BLOCK
{
    uint64_t old_serial = 0;
    enum urlpool_code code;

    if (manager == NULL) {
        return urlp_fail_null(err);
    }
    code = urlp_tls_slot_put(&manager->tls, tls, &old_serial, err);
    if (code == URLPOOL_OK && old_serial != 0) {
        urlp_pool_set_retire_tls(manager->pools, old_serial);
    }
    return code;
}

/* enter_tls completes the settings of a route for https; urlp_tls_slot_leave must follow. */
static enum urlpool_code enter_tls(struct urlpool_manager *manager,
                                   struct urlp_route_settings *settings,
                                   struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlpool_error why = {0};

    settings->tls = urlp_tls_slot_enter(&manager->tls, &why);
    if (settings->tls == NULL) {
        why.phase = URLPOOL_PHASE_TLS; /* of a request, the building was a part */
        return urlp_fail_with(err, &why);
    }
    settings->tls_serial = urlp_opener_tls_serial(settings->tls);
    return URLPOOL_OK;
}

/* secure_pool is the pool for a URL that TLS leads to. When the configuration is replaced
 * meanwhile, the pool may have been made after the old ones were retired: then it goes, too, and
 * another is found. */
static struct urlpool_pool *secure_pool(struct urlpool_manager *manager, const struct urlp_url *url,
                                        struct urlp_route_settings *settings,
                                        struct urlpool_error *err) URLP_MAY_BLOCK
{
    for (;;) {
        struct urlpool_pool *pool;
        struct urlp_route route;
        bool is_current;

        if (enter_tls(manager, settings, err) != URLPOOL_OK) {
            return NULL;
        }
        urlp_route_for(url, settings, &route);
        pool = urlp_pool_set_get(manager->pools, &route, err);
        is_current = urlp_tls_slot_holds(&manager->tls, settings->tls);
        urlp_tls_slot_leave(&manager->tls);
        if (pool == NULL || is_current) {
            return pool;
        }
        urlp_pool_unref(pool);
        urlp_pool_set_retire_tls(manager->pools, settings->tls_serial);
    }
}

static struct urlpool_pool *find_pool(struct urlpool_manager *manager, const struct urlp_url *url,
                                      bool is_pinned, struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_route_settings settings = {.proxies = &manager->proxies, .is_pinned = is_pinned};
    struct urlp_route route;

    if (urlp_url_require_http(url, err) != URLPOOL_OK) {
        return NULL;
    }
    urlp_route_for(url, &settings, &route);
    if (route.origin.is_https && !route.is_forwarded) {
        return secure_pool(manager, url, &settings, err);
    }
    return urlp_pool_set_get(manager->pools, &route, err);
}

struct urlpool_pool *urlp_manager_pool(struct urlpool_manager *manager, const struct urlp_url *url,
                                       struct urlpool_error *err)
{
    return find_pool(manager, url, false, err);
}

struct urlpool_pool *urlp_manager_pool_of_origin(struct urlpool_manager *manager,
                                                 const struct urlp_url *url,
                                                 struct urlpool_error *err)
{
    return find_pool(manager, url, true, err);
}

void urlpool_manager_clear(struct urlpool_manager *manager) URLP_MAY_BLOCK
{
    if (manager != NULL) {
        urlp_pool_set_clear(manager->pools);
    }
}

size_t urlpool_manager_close_idle(struct urlpool_manager *manager) URLP_MAY_BLOCK
{
    return manager != NULL ? urlp_pool_set_close_idle(manager->pools) : 0;
}

void urlpool_manager_network_changed(struct urlpool_manager *manager) URLP_MAY_BLOCK
{
    if (manager != NULL) {
        urlp_opener_forget_names(manager->opener);
        urlp_pool_set_network_changed(manager->pools);
    }
}

size_t urlpool_manager_maintain(struct urlpool_manager *manager) URLP_MAY_BLOCK
{
    return manager != NULL ? urlp_pool_set_maintain(manager->pools) : 0;
}
