/* The example of urlpool_pool(3).
 *
 * Arguments: url
 * Prints:
 * 200, idle again: 1 */

#include <stdio.h>
#include <urlpool/urlpool.h>

static int ask(struct urlpool_connection *connection, struct urlpool_error *err)
{
    struct urlpool_response *response = NULL;
    int status = 0;

    if (urlpool_connection_request(connection, "GET", "/", NULL, NULL, err) == URLPOOL_OK) {
        response = urlpool_connection_getresponse(connection, err);
    }
    if (response != NULL && urlpool_response_read_all(response, err) == URLPOOL_OK) {
        status = response->status;
    }
    urlpool_response_free(response);
    return status;
}

int main(int argc, char **argv)
{
    struct urlpool_error err = {0};
    struct urlpool_pool *pool = argc > 1 ? urlpool_pool_new(argv[1], NULL, &err) : NULL;
    struct urlpool_connection *connection = NULL;
    struct urlpool_stats stats;
    int status = 0;

    if (pool != NULL) {
        connection = urlpool_pool_acquire(pool, NULL, NULL, &err);
    }
    if (connection != NULL) {
        status = ask(connection, &err);
        urlpool_pool_release(pool, connection);
        urlpool_pool_stats(pool, &stats, sizeof(stats));
        printf("%d, idle again: %d\n", status, (int)stats.idle);
    }
    if (status == 0) {
        fprintf(stderr, "%s\n", err.message);
    }
    urlpool_pool_unref(pool);
    return status == 0;
}
