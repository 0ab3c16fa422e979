/* One origin's pool by itself: requests by path, and a connection borrowed from it to speak on by
 * hand. What a manager holds is many of these.
 *
 *   cc one_origin.c $(pkg-config --cflags --libs urlpool) -o one_origin
 *   ./one_origin http://example.com/ */

#include <stdio.h>
#include <urlpool/urlpool.h>

/* by_hand speaks on a connection of the pool's; one that was not read whole is not kept. */
static enum urlpool_code by_hand(struct urlpool_pool *pool, struct urlpool_error *err)
{
    const struct urlpool_timeout patience = {.pool_ms = 1000, .connect_ms = 2000};
    struct urlpool_connection *conn = urlpool_pool_acquire(pool, &patience, NULL, err);
    struct urlpool_response *resp = NULL;
    enum urlpool_code code = conn == NULL ? err->code : URLPOOL_OK;

    if (conn != NULL) {
        code = urlpool_connection_request(conn, "GET", "/by-hand", NULL, NULL, err);
        resp = code != URLPOOL_OK ? NULL : urlpool_connection_getresponse(conn, err);
        code = resp == NULL ? err->code : urlpool_response_read_all(resp, err);
    }
    if (resp != NULL && code == URLPOOL_OK) {
        printf("by hand: %d, %zu bytes\n", resp->status, resp->data_len);
    }
    urlpool_response_free(resp);
    urlpool_pool_release(pool, conn); /* takes NULL, too */
    return code;
}

static enum urlpool_code use(struct urlpool_pool *pool, struct urlpool_error *err)
{
    struct urlpool_response *resp = urlpool_pool_request(pool, "GET", "/by-path", NULL, err);
    enum urlpool_code code = resp == NULL ? err->code : URLPOOL_OK;
    struct urlpool_stats stats;
    char *line;

    if (resp != NULL) {
        printf("by path: %d\n", resp->status);
        urlpool_response_free(resp);
        code = by_hand(pool, err);
    }
    urlpool_pool_stats(pool, &stats, sizeof(stats));
    line = urlpool_pool_describe(pool, err);
    if (line != NULL) {
        printf("%d opened, %d reused; %s", (int)stats.opened, (int)stats.reused, line);
    }
    urlpool_string_free(line);
    return code;
}

int main(int argc, char **argv)
{
    const struct urlpool_manager_options options = {.maxsize = 2, .block = true};
    const char *url = argc > 1 ? argv[1] : "";
    struct urlpool_error err;
    struct urlpool_pool *pool = urlpool_pool_new(url, &options, &err);
    struct urlpool_pool *same;
    enum urlpool_code code;

    if (pool == NULL) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    printf("elsewhere: %s\n",
           urlpool_pool_is_same_host(pool, "http://other.example/") ? "yes" : "no");
    same = urlpool_pool_ref(pool); /* for another thread, say, which gives it back */
    code = use(same, &err);
    urlpool_pool_unref(same);
    urlpool_pool_close(pool); /* idle ones close; who comes now gets URLPOOL_E_POOL_CLOSED */
    urlpool_pool_unref(pool);
    if (code != URLPOOL_OK) {
        fprintf(stderr, "%s\n", err.message);
    }
    return code == URLPOOL_OK ? 0 : 1;
}
