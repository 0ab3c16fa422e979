/* What a manager or a pool can say of itself: figures and lines for people. */

#include "urlpool/pool.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/option.h"
#include "client/manager.h"

void urlpool_manager_stats(struct urlpool_manager *manager, struct urlpool_stats *out,
                           size_t out_size) URLP_MAY_BLOCK
{
    struct urlpool_stats stats = {0};

    if (out == NULL) {
        return;
    }
    if (manager != NULL) {
        urlp_pool_set_stats(manager->pools, NULL, &stats);
        urlp_counters_show(&manager->counters, &stats);
    }
    urlp_option_give_out(&stats, sizeof(stats), out, out_size);
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
    urlp_option_give_out(&stats, sizeof(stats), out, out_size);
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
