/* One pool as an object: one block for it and its strings, and what never changes of it. */

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "pool/core.h"

/* place_span copies `from` to `*at`, a NUL behind it, and moves `*at` on. */
static struct urlp_span place_span(char **at, struct urlp_span from)
{
    struct urlp_span to = {*at, from.len};

    if (from.len > 0) {
        memcpy(*at, from.data, from.len);
    }
    (*at)[from.len] = '\0';
    *at += from.len + 1;
    return to;
}

/* origin_named is whom a pool is named for: of the connections that are shared by all origins
 * behind a proxy, the proxy. */
static struct urlp_origin origin_named(const struct urlp_route *route)
{
    const struct urlp_proxy_hop *proxy = route->is_pinned ? NULL : urlp_route_forwarder(route);

    return proxy == NULL ? route->origin
                         : (struct urlp_origin){.host = proxy->host,
                                                .port = proxy->port,
                                                .is_https = proxy->kind == URLP_PROXY_HTTPS};
}

/* make_name writes "https://example.com:443". */
static enum urlpool_code make_name(const struct urlp_origin *origin, struct urlp_buf *out)
{
    enum urlpool_code code = urlp_buf_append_text(out, origin->is_https ? "https://" : "http://");

    return code == URLPOOL_OK ? urlp_origin_append_authority(origin, true, out) : code;
}

struct urlpool_pool *urlp_pool_new(struct urlp_pool_set *set, struct urlp_pool_core *core,
                                   const struct urlp_route *route, const struct urlp_pool_key *key)
{
    const struct urlp_origin named = origin_named(route);
    struct urlp_buf name = {0};
    struct urlpool_pool *pool = NULL;
    char *at;

    if (make_name(&named, &name) != URLPOOL_OK) {
        goto done;
    }
    pool = urlp_zalloc(sizeof(*pool) + route->origin.host.len + route->origin.zone.len + key->len +
                       name.len + 4);
    if (pool == NULL) {
        goto done;
    }
    at = (char *)(pool + 1);
    pool->set = set;
    pool->core = core;
    pool->route = *route;
    pool->route.origin.host = place_span(&at, route->origin.host);
    pool->route.origin.zone = place_span(&at, route->origin.zone);
    pool->origin = origin_named(&pool->route);
    pool->made_wall_s = urlp_wall_seconds();
    pool->name = place_span(&at, urlp_span_make(name.data, name.len)).data;
    pool->key_len = key->len;
    pool->key = (const uint8_t *)place_span(&at, urlp_span_make(key->bytes, key->len)).data;
    if (route->tls != NULL && set->connector.tls_ref != NULL) {
        set->connector.tls_ref(set->connector.user, route->tls);
    }
done:
    urlp_buf_deinit(&name);
    return pool;
}

void urlp_pool_free(struct urlpool_pool *pool)
{
    const struct urlp_connector *connector = &pool->set->connector;

    if (pool->route.tls != NULL && connector->tls_unref != NULL) {
        connector->tls_unref(connector->user, pool->route.tls);
    }
    urlp_free(atomic_load(&pool->fields));
    urlp_free(pool);
}

void *urlp_pool_user(const struct urlpool_pool *pool)
{
    return pool->set->connector.user;
}

const struct urlp_route *urlp_pool_route(const struct urlpool_pool *pool)
{
    return &pool->route;
}

struct urlp_counters *urlp_pool_counters(struct urlpool_pool *pool)
{
    return &pool->counters;
}

const struct urlp_ready_fields *urlp_pool_ready_fields(const struct urlpool_pool *pool)
{
    return atomic_load_explicit(&pool->fields, memory_order_acquire);
}

void urlp_pool_keep_fields(struct urlpool_pool *pool, struct urlp_ready_fields *fields)
{
    struct urlp_ready_fields *none = NULL;

    if (fields != NULL && !atomic_compare_exchange_strong(&pool->fields, &none, fields)) {
        urlp_free(fields); /* another thread was faster */
    }
}
