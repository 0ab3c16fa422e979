/* The public face of one pool: struct urlpool_pool itself is lib/pool's; here it gets its requests,
 * its lent connections, and the reference to its manager that every user's reference carries. */

#include <string.h>

#include "urlpool/pool.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/option.h"
#include "client/connector.h"
#include "client/manager.h"
#include "client/request_loop.h"

/* A connection lent by urlpool_pool_acquire. The connection leads to it, so that taking it back
 * asks no list and takes no lock. */
struct loan {
    struct urlpool_manager *manager; /* a reference */
    struct urlp_lease lease;
    uint64_t num_requests_before;
};

static uint64_t num_requests_of(const struct urlpool_connection *connection)
{
    struct urlpool_connection_info info;

    urlpool_connection_info(connection, &info, sizeof(info));
    return info.num_requests;
}

static struct urlpool_manager *manager_of(const struct urlpool_pool *pool)
{
    return urlp_pool_user(pool);
}

/* lend turns a reference of our own into a user's, which holds the manager too. */
static struct urlpool_pool *lend(struct urlpool_manager *manager, struct urlpool_pool *pool)
{
    if (pool != NULL) {
        (void)urlpool_manager_ref(manager);
    }
    return pool;
}

struct urlpool_pool *urlpool_manager_pool_for_url(struct urlpool_manager *manager, const char *url,
                                                  struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_url parsed = {0};
    struct urlpool_pool *pool = NULL;

    if (manager == NULL || url == NULL) {
        (void)urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "%s is NULL",
                        manager == NULL ? "the manager" : "the URL");
        return NULL;
    }
    if (urlp_url_parse(urlp_span_of(url), &parsed, err) == URLPOOL_OK) {
        pool = lend(manager, urlp_manager_pool_of_origin(manager, &parsed, err));
    }
    urlp_url_deinit(&parsed);
    return pool;
}

/* parse_parts makes of an origin's parts a URL without path. `scheme` outlives it. */
static enum urlpool_code parse_parts(const char *scheme, const char *host, int port,
                                     struct urlp_url *out, struct urlpool_error *err)
{
    enum urlpool_code code = urlp_url_parse_host(host, port, out, err);

    if (code != URLPOOL_OK) {
        return code;
    }
    out->scheme = urlp_span_of(scheme);
    if (urlp_span_is_nocase(out->scheme, "http")) {
        out->scheme = urlp_span_of("http");
    } else if (urlp_span_is_nocase(out->scheme, "https")) {
        out->scheme = urlp_span_of("https");
    }
    return URLPOOL_OK;
}

struct urlpool_pool *urlpool_manager_pool_for(struct urlpool_manager *manager, const char *scheme,
                                              const char *host, int port,
                                              struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_url url = {0};
    struct urlpool_pool *pool = NULL;

    if (manager == NULL || scheme == NULL || host == NULL) {
        (void)urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "%s is NULL",
                        manager == NULL ? "the manager"
                                        : (scheme == NULL ? "the scheme" : "the host"));
        return NULL;
    }
    if (parse_parts(scheme, host, port, &url, err) == URLPOOL_OK) {
        pool = lend(manager, urlp_manager_pool_of_origin(manager, &url, err));
    }
    urlp_url_deinit(&url);
    return pool;
}

struct urlpool_pool *urlpool_pool_new(const char *url,
                                      const struct urlpool_manager_options *options,
                                      struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlpool_manager *manager = urlpool_manager_new(options, err);
    struct urlpool_pool *pool = NULL;

    if (manager != NULL) {
        pool = urlpool_manager_pool_for_url(manager, url, err);
    }
    urlpool_manager_unref(manager); /* the pool's own reference keeps it */
    return pool;
}

struct urlpool_pool *urlpool_pool_ref(struct urlpool_pool *pool) URLP_MAY_BLOCK
{
    if (pool != NULL) {
        (void)urlpool_manager_ref(manager_of(pool));
        urlp_pool_ref(pool);
    }
    return pool;
}

void urlpool_pool_unref(struct urlpool_pool *pool) URLP_MAY_BLOCK
{
    if (pool != NULL) {
        struct urlpool_manager *manager = manager_of(pool);

        urlp_pool_unref(pool);
        urlpool_manager_unref(manager);
    }
}

/* complete_url puts scheme, host and port of the pool before a path. */
static enum urlpool_code complete_url(const struct urlpool_pool *pool, const char *path,
                                      struct urlp_buf *out, struct urlpool_error *err)
{
    const struct urlp_origin *origin = &urlp_pool_route(pool)->origin;
    enum urlpool_code code = urlp_buf_append_text(out, origin->is_https ? "https://" : "http://");

    if (code == URLPOOL_OK && origin->zone.len > 0) {
        code = urlp_buf_printf(out, "[%.*s%%25%.*s]:%u", (int)origin->host.len, origin->host.data,
                               (int)origin->zone.len, origin->zone.data, (unsigned)origin->port);
    } else if (code == URLPOOL_OK) {
        code = urlp_origin_append_authority(origin, true, out);
    }
    if (code == URLPOOL_OK) {
        code = urlp_buf_append(out, path, strlen(path) + 1); /* with its NUL */
    }
    return code == URLPOOL_OK ? URLPOOL_OK : urlp_fail_nomem(err);
}

struct urlpool_response *urlpool_pool_request(struct urlpool_pool *pool, const char *method,
                                              const char *url,
                                              const struct urlpool_request_options *options,
                                              struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_buf whole = {0};
    struct urlpool_response *response = NULL;

    if (pool == NULL || method == NULL || url == NULL) {
        (void)urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "%s is NULL",
                        pool == NULL ? "the pool" : (method == NULL ? "the method" : "the URL"));
        urlp_request_refused(options);
        return NULL;
    }
    if (url[0] != '/') {
        return urlp_request_make(manager_of(pool), pool, method, url, options, err);
    }
    if (complete_url(pool, url, &whole, err) == URLPOOL_OK) {
        response = urlp_request_make(manager_of(pool), pool, method, (const char *)whole.data,
                                     options, err);
    } else {
        urlp_request_refused(options);
    }
    urlp_buf_deinit(&whole);
    return response;
}

bool urlpool_pool_is_same_host(const struct urlpool_pool *pool, const char *url)
{
    struct urlp_url parsed = {0};
    bool is_same = false;

    if (pool == NULL || url == NULL || url[0] == '/') {
        return pool != NULL && url != NULL;
    }
    if (urlp_url_parse(urlp_span_of(url), &parsed, NULL) == URLPOOL_OK &&
        urlp_url_require_http(&parsed, NULL) == URLPOOL_OK) {
        const struct urlp_origin origin = urlp_origin_of(&parsed);

        is_same = urlp_origin_equals(&origin, &urlp_pool_route(pool)->origin);
    }
    urlp_url_deinit(&parsed);
    return is_same;
}

/* give_back ends the lease of a connection on which `num_requests` were made. */
static void give_back(struct urlp_lease *lease, int64_t num_requests) URLP_MAY_BLOCK
{
    struct urlp_connection_verdict verdict;
    struct urlp_lease_end end;

    urlp_connection_judge(lease->connection, &verdict);
    urlp_connection_take_back(lease->connection);
    end = urlp_lease_end_of(&verdict);
    end.num_requests = num_requests;
    urlp_lease_release(lease, &end);
}

/* lease_for leases a connection and makes it ready for the lower floor. */
static enum urlpool_code lease_for(struct urlpool_pool *pool, const struct urlpool_timeout *timeout,
                                   const struct urlpool_cancel *cancel, struct urlp_lease *out,
                                   struct urlpool_error *err) URLP_MAY_BLOCK
{
    static const struct urlpool_timeout unsaid;
    struct urlpool_manager *manager = manager_of(pool);
    struct urlpool_timeout limits;
    struct urlp_call call = {.cancel = cancel};
    enum urlpool_code code =
        urlp_timeout_resolve(timeout != NULL ? timeout : &unsaid, &manager->timeout, &limits, err);

    if (code != URLPOOL_OK) {
        return code;
    }
    call.trace = manager->trace.event != NULL ? &manager->trace : NULL;
    call.total_by = urlp_deadline_in(limits.total_ms);
    call.by = call.total_by;
    code = urlp_lease_acquire(pool, limits.pool_ms, limits.connect_ms, &call, out, err);
    if (code == URLPOOL_OK) {
        code = urlp_connection_lend(out->connection, &limits, cancel, call.trace,
                                    urlp_pool_counters(out->pool), err);
        if (code != URLPOOL_OK) {
            give_back(out, 0);
        }
    }
    return code;
}

struct urlpool_connection *urlpool_pool_acquire(struct urlpool_pool *pool,
                                                const struct urlpool_timeout *timeout,
                                                const struct urlpool_cancel *cancel,
                                                struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct loan *loan;

    if (pool == NULL) {
        (void)urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "the pool is NULL");
        return NULL;
    }
    loan = urlp_zalloc(sizeof(*loan));
    if (loan == NULL) {
        (void)urlp_fail_nomem(err);
        return NULL;
    }
    if (lease_for(pool, timeout, cancel, &loan->lease, err) != URLPOOL_OK) {
        urlp_free(loan);
        return NULL;
    }
    loan->manager = urlpool_manager_ref(manager_of(pool));
    loan->num_requests_before = num_requests_of(loan->lease.connection);
    urlp_connection_set_loan(loan->lease.connection, loan);
    return loan->lease.connection;
}

void urlpool_pool_release(struct urlpool_pool *pool,
                          struct urlpool_connection *connection) URLP_MAY_BLOCK
{
    struct urlpool_manager *manager;
    struct loan *loan;

    if (pool == NULL || connection == NULL) {
        return;
    }
    loan = urlp_connection_get_loan(connection);
    if (loan == NULL) {
        return; /* given back already, or never lent */
    }
    manager = loan->manager;
    urlp_connection_set_loan(connection, NULL);
    give_back(&loan->lease, (int64_t)(num_requests_of(connection) - loan->num_requests_before));
    urlp_free(loan);
    urlpool_manager_unref(manager);
}

enum urlpool_code urlpool_manager_preconnect(struct urlpool_manager *manager, const char *url,
                                             size_t n, struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlpool_error failure = {0};
    struct urlpool_pool *pool = urlpool_manager_pool_for_url(manager, url, &failure);
    struct urlp_call call = {.by = URLP_NEVER, .total_by = URLP_NEVER};
    enum urlpool_code code;

    if (pool == NULL) {
        return urlp_fail_with(err, &failure);
    }
    call.trace = manager->trace.event != NULL ? &manager->trace : NULL;
    call.total_by = urlp_deadline_in(manager->timeout.total_ms);
    call.by = call.total_by;
    code = urlp_pool_warm(pool, n, manager->timeout.connect_ms, &call, err);
    urlpool_pool_unref(pool);
    return code;
}

void urlpool_pool_close(struct urlpool_pool *pool) URLP_MAY_BLOCK
{
    if (pool != NULL) {
        urlp_pool_close(pool);
    }
}
