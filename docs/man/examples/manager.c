/* The example of urlpool_manager(3).
 *
 * Arguments: url
 * Prints:
 * requests 400, at most two connections: yes */

#include <pthread.h>
#include <stdio.h>
#include <urlpool/urlpool.h>

static struct urlpool_manager *http;

static void *fetch(void *url)
{
    struct urlpool_error err;

    for (int i = 0; i < 100; i++) {
        struct urlpool_response *response = urlpool_request(http, "GET", url, NULL, &err);

        if (response == NULL) {
            fprintf(stderr, "%s: %s\n", urlpool_code_name(err.code), err.message);
        }
        urlpool_response_free(response);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    const struct urlpool_manager_options options = {.maxsize = 2, .block = true};
    struct urlpool_stats stats;
    struct urlpool_error err;
    pthread_t threads[4];

    http = urlpool_manager_new(&options, &err);
    if (http == NULL || argc < 2) {
        return 1;
    }
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, fetch, argv[1]);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    urlpool_manager_stats(http, &stats, sizeof(stats));
    printf("requests %d, at most two connections: %s\n", (int)stats.requests,
           stats.peak_open <= 2 ? "yes" : "no");
    urlpool_manager_free(http);
    return 0;
}
