/* A manager's pool of one origin, found by URL or by parts: for figures of that origin alone, or to
 * be sure that a request goes nowhere else.
 *
 *   cc pools_of_manager.c $(pkg-config --cflags --libs urlpool) -o pools_of_manager
 *   ./pools_of_manager 127.0.0.1 8080 */

#include <stdio.h>
#include <stdlib.h>
#include <urlpool/urlpool.h>

/* fetch gets a path of that origin; a redirect elsewhere is URLPOOL_E_HOST_CHANGED. */
static int fetch(struct urlpool_pool *pool, const char *path)
{
    struct urlpool_error err;
    struct urlpool_response *resp = urlpool_pool_request(pool, "GET", path, NULL, &err);

    if (resp == NULL) {
        printf("%s: %s\n", urlpool_code_name(err.code), err.message);
        return 0;
    }
    printf("%d\n", resp->status);
    urlpool_response_free(resp);
    return 1;
}

int main(int argc, char **argv)
{
    const char *host = argc > 1 ? argv[1] : "";
    const int port = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 0; /* 0: the scheme's own */
    struct urlpool_error err;
    struct urlpool_manager *http = urlpool_manager_new(NULL, &err);
    struct urlpool_pool *by_parts = NULL;
    struct urlpool_pool *by_url = NULL;
    char url[300];
    int good = 0;

    snprintf(url, sizeof(url), "http://%s:%d/whatever", host, port);
    if (http != NULL) {
        by_parts = urlpool_manager_pool_for(http, "http", host, port, &err);
    }
    if (by_parts != NULL) {
        by_url = urlpool_manager_pool_for_url(http, url, &err);
    }
    if (by_url != NULL) {
        printf("%s\n", by_url == by_parts ? "the same pool" : "another pool");
        good = fetch(by_parts, "/") && !fetch(by_url, "/elsewhere");
    } else {
        fprintf(stderr, "%s\n", err.message);
    }
    urlpool_pool_unref(by_url);
    urlpool_pool_unref(by_parts);
    urlpool_manager_free(http);
    return good ? 0 : 1;
}
