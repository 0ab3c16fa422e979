#ifndef URLPOOL_POOL_H
#define URLPOOL_POOL_H

#include <stdbool.h>

#include "urlpool/connection.h"
#include "urlpool/error.h"
#include "urlpool/export.h"
#include "urlpool/manager.h"
#include "urlpool/response.h"
#include "urlpool/stats.h"

URLPOOL_BEGIN_DECLS

/* struct urlpool_pool is the connections to one origin.
 *
 * Threads: any number at once.
 * Model:   urllib3 HTTPConnectionPool, HTTPSConnectionPool. */
struct urlpool_pool;

/* urlpool_pool_new makes a pool that belongs to no manager, for the origin of `url`; of `options`
 * all but num_pools apply.
 *
 * Owns:    the caller gives its reference back with urlpool_pool_unref.
 * Errors:  NULL with those of urlpool_manager_new and urlpool_manager_pool_for_url.
 * Threads: any number at once.
 * Model:   urllib3.connection_from_url. */
URLPOOL_API URLPOOL_MUST_USE struct urlpool_pool *urlpool_pool_new(
    const char *url, const struct urlpool_manager_options *options, struct urlpool_error *err);

/* urlpool_manager_pool_for_url finds or makes the pool of `url`'s origin. Behind a proxy that
 * forwards requests it is one of its own: the manager's requests share theirs among all origins.
 *
 * Owns:    the caller gives its reference back with urlpool_pool_unref.
 * Errors:  NULL with URLPOOL_E_URL, URLPOOL_E_SCHEME, URLPOOL_E_POOL_CLOSED, URLPOOL_E_INVALID for
 *          NULL, URLPOOL_E_NOMEM; for https those of urlpool_tls_new.
 * Threads: any number at once.
 * Model:   urllib3 PoolManager.connection_from_url. */
URLPOOL_API URLPOOL_MUST_USE struct urlpool_pool *urlpool_manager_pool_for_url(
    struct urlpool_manager *manager, const char *url, struct urlpool_error *err);

/* urlpool_manager_pool_for is the same by parts; port 0 is the one in `host`, else the scheme's
 * default.
 *
 * Owns:    the caller gives its reference back with urlpool_pool_unref.
 * Errors:  as urlpool_manager_pool_for_url.
 * Threads: any number at once.
 * Model:   urllib3 PoolManager.connection_from_host. */
URLPOOL_API URLPOOL_MUST_USE struct urlpool_pool *urlpool_manager_pool_for(
    struct urlpool_manager *manager, const char *scheme, const char *host, int port,
    struct urlpool_error *err);

/* urlpool_pool_ref takes one more reference and returns `pool`; NULL is accepted.
 *
 * Threads: any number at once. */
URLPOOL_API struct urlpool_pool *urlpool_pool_ref(struct urlpool_pool *pool);

/* urlpool_pool_unref gives a reference back. NULL is accepted.
 *
 * Threads: any number at once. */
URLPOOL_API void urlpool_pool_unref(struct urlpool_pool *pool);

/* urlpool_pool_request is urlpool_request for this origin: `url` is a path ("/…") or a URL of the
 * same scheme, host and port.
 *
 * Owns:    the response is the caller's: urlpool_response_free. The call holds a reference of its
 *          own: the caller's may be given back meanwhile.
 * Errors:  as urlpool_request; URLPOOL_E_HOST_CHANGED for another origin, after a redirect too.
 * Threads: any number at once; blocks.
 * Model:   urllib3 HTTPConnectionPool.urlopen. */
URLPOOL_API URLPOOL_MUST_USE struct urlpool_response *urlpool_pool_request(
    struct urlpool_pool *pool, const char *method, const char *url,
    const struct urlpool_request_options *options, struct urlpool_error *err)
    URLPOOL_FREED_BY(urlpool_response_free, 1);

/* urlpool_pool_is_same_host says whether urlpool_pool_request takes `url`: a path, or a URL of the
 * pool's scheme, host and port. False for NULL and for what is no URL.
 *
 * Threads: any number at once.
 * Model:   urllib3 HTTPConnectionPool.is_same_host. */
URLPOOL_API bool urlpool_pool_is_same_host(const struct urlpool_pool *pool, const char *url);

/* urlpool_pool_release gives back what urlpool_pool_acquire gave. One whose last response was not
 * read whole is closed, never kept. NULL is accepted.
 *
 * Threads: any number at once.
 * Model:   urllib3 HTTPConnectionPool._put_conn. */
URLPOOL_API void urlpool_pool_release(struct urlpool_pool *pool,
                                      struct urlpool_connection *connection);

/* urlpool_pool_acquire gives the caller one connection, idle or newly opened, to speak on as on the
 * lower floor. `timeout` may be NULL: the pool's own. Where a proxy forwards requests to the
 * origin, the connection is to the proxy: the selector is the whole URL, and Proxy-Authorization
 * the caller's to say.
 *
 * Owns:    the connection is the caller's until urlpool_pool_release; it must not be freed.
 * Errors:  NULL with URLPOOL_E_POOL_TIMEOUT, URLPOOL_E_POOL_CLOSED, those of connecting.
 * Threads: any number at once; blocks.
 * Model:   urllib3 HTTPConnectionPool._get_conn. */
URLPOOL_API URLPOOL_MUST_USE struct urlpool_connection *urlpool_pool_acquire(
    struct urlpool_pool *pool, const struct urlpool_timeout *timeout,
    const struct urlpool_cancel *cancel, struct urlpool_error *err)
    URLPOOL_FREED_BY(urlpool_pool_release, 2);

/* urlpool_pool_stats fills `out` with what the pool has done. A request is counted, once, by the
 * first pool it gets to, a failure by the last, everything else by the pool it happens in: a
 * manager's figures are the sums over all pools it ever had, and requests that got to none.
 *
 * Sizes:   `out_size` is the caller's sizeof(*out).
 * Threads: any number at once. */
URLPOOL_API void urlpool_pool_stats(struct urlpool_pool *pool, struct urlpool_stats *out,
                                    size_t out_size);

/* urlpool_pool_describe returns one line, for people.
 *
 * Owns:    the caller frees it with urlpool_string_free.
 * Errors:  NULL with URLPOOL_E_INVALID for NULL, or URLPOOL_E_NOMEM.
 * Threads: any number at once. */
URLPOOL_API URLPOOL_MUST_USE char *urlpool_pool_describe(struct urlpool_pool *pool,
                                                         struct urlpool_error *err) URLPOOL_MALLOC
    URLPOOL_FREED_BY(urlpool_string_free, 1);

/* urlpool_pool_close ends the pool's service, as urlpool_manager_close does a manager's.
 *
 * Threads: any number at once. */
URLPOOL_API void urlpool_pool_close(struct urlpool_pool *pool);

URLPOOL_END_DECLS

#endif /* URLPOOL_POOL_H */
