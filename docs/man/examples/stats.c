/* The example of urlpool_stats(3).
 *
 * Arguments: url
 * Prints:
 * 3 requests, 1 opened, 2 reused
 * closed, cleared: 1 */

#include <inttypes.h>
#include <stdio.h>
#include <urlpool/urlpool.h>

int main(int argc, char **argv)
{
    struct urlpool_error err = {0};
    struct urlpool_manager *http = urlpool_manager_new(NULL, &err);
    struct urlpool_stats stats;
    char *lines = NULL;

    for (int i = 0; argc > 1 && http != NULL && i < 3; i++) {
        urlpool_response_free(urlpool_request(http, "GET", argv[1], NULL, &err));
    }
    urlpool_manager_stats(http, &stats, sizeof(stats));
    printf("%" PRIu64 " requests, %" PRIu64 " opened, %" PRIu64 " reused\n", stats.requests,
           stats.opened, stats.reused);
    (void)urlpool_manager_close_idle(http);
    urlpool_manager_stats(http, &stats, sizeof(stats));
    for (int i = 0; i < URLPOOL_CLOSED_NUM; i++) {
        if (stats.closed[i] > 0) {
            printf("closed, %s: %" PRIu64 "\n", urlpool_closed_name(i), stats.closed[i]);
        }
    }
    lines = http == NULL ? NULL : urlpool_manager_describe(http, &err);
    fprintf(stderr, "%s", lines == NULL ? "" : lines);
    urlpool_string_free(lines);
    urlpool_manager_free(http);
    return 0;
}
