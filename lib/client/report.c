/* What a manager or a pool can say of itself: figures and lines for people. */

#include <string.h>

#include "urlpool/pool.h"

#include "base/alloc.h"
#include "base/error.h"
#include "client/manager.h"

static uint64_t figure(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* give_out copies as much of `stats` as the caller's struct, perhaps an older one, has room for. */
static void give_out(const struct urlpool_stats *stats, struct urlpool_stats *out, size_t out_size)
{
    memset(out, 0, out_size);
    memcpy(out, stats, out_size < sizeof(*stats) ? out_size : sizeof(*stats));
}

void urlpool_manager_stats(struct urlpool_manager *manager, struct urlpool_stats *out,
                           size_t out_size) URLP_MAY_BLOCK
{
    struct urlpool_stats stats = {0};

    if (out == NULL) {
        return;
    }
    if (manager != NULL) {
        const struct urlp_counters *counters = &manager->counters;

        stats.requests = figure(&counters->requests);
        stats.redirects = figure(&counters->redirects);
        stats.stale_retries = figure(&counters->stale_retries);
        stats.retries = figure(&counters->retries);
        stats.retries_withheld = figure(&counters->retries_withheld);
        stats.failures = figure(&counters->failures);
        stats.bytes_sent = figure(&counters->bytes_sent);
        stats.bytes_received = figure(&counters->bytes_received);
        stats.dns_queries = figure(&counters->dns_queries);
        stats.dns_hits = figure(&counters->dns_hits);
        stats.tls_full = figure(&counters->tls_full);
        stats.tls_resumed = figure(&counters->tls_resumed);
        stats.tls_refused = figure(&counters->tls_refused);
        urlp_pool_set_stats(manager->pools, NULL, &stats);
    }
    give_out(&stats, out, out_size);
}

void urlpool_pool_stats(struct urlpool_pool *pool, struct urlpool_stats *out,
                        size_t out_size) URLP_MAY_BLOCK
{
    struct urlpool_stats stats = {0};

    if (out == NULL) {
        return;
    }
    if (pool != NULL) {
        const struct urlpool_manager *manager = urlp_pool_user(pool);

        urlp_pool_set_stats(manager->pools, pool, &stats);
    }
    give_out(&stats, out, out_size);
}

/* to_string gives the caller what was described, or says that there was no memory for it. */
static char *to_string(struct urlp_buf *text, enum urlpool_code code, struct urlpool_error *err)
{
    char *result = NULL;

    if (code == URLPOOL_OK) {
        result = urlp_strndup((const char *)text->data, text->len);
    }
    if (result == NULL) {
        (void)urlp_fail_nomem(err);
    }
    urlp_buf_deinit(text);
    return result;
}

char *urlpool_manager_describe(struct urlpool_manager *manager,
                               struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_buf text = {0};
    enum urlpool_code code;

    if (manager == NULL) {
        (void)urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "the manager is NULL");
        return NULL;
    }
    code = urlp_pool_set_describe(manager->pools, &text);
    return to_string(&text, code, err);
}

char *urlpool_pool_describe(struct urlpool_pool *pool, struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_buf text = {0};
    enum urlpool_code code;

    if (pool == NULL) {
        (void)urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "the pool is NULL");
        return NULL;
    }
    code = urlp_pool_describe(pool, &text);
    return to_string(&text, code, err);
}
