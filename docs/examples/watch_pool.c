/* Looks at a manager: its figures, why its connections died, and a line for each origin that says
 * who holds what. For numbers over time see metrics_server.c.
 *
 *   cc watch_pool.c $(pkg-config --cflags --libs urlpool) -o watch_pool
 *   ./watch_pool https://example.com/ https://example.com/robots.txt */

#include <inttypes.h>
#include <stdio.h>
#include <urlpool/urlpool.h>

static void print_figures(struct urlpool_manager *http)
{
    struct urlpool_stats now;

    urlpool_manager_stats(http, &now,
                          sizeof(now)); /* of this program's struct, not the library's */
    printf("open %" PRIu64 ", idle %" PRIu64 ", leased %" PRIu64 ", waiting %" PRIu64 "\n",
           now.open, now.idle, now.leased, now.waiting);
    printf("requests %" PRIu64 ", opened %" PRIu64 ", reused %" PRIu64 ", failures %" PRIu64 "\n",
           now.requests, now.opened, now.reused, now.failures);
    for (int why = 0; why < URLPOOL_CLOSED_NUM; why++) {
        if (now.closed[why] > 0) {
            printf("closed (%s) %" PRIu64 "\n", urlpool_closed_name((enum urlpool_closed)why),
                   now.closed[why]);
        }
    }
}

int main(int argc, char **argv)
{
    struct urlpool_error err;
    struct urlpool_manager *http = urlpool_manager_new(NULL, &err);
    char *lines;

    if (http == NULL) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (int i = 1; i < argc; i++) {
        struct urlpool_response *resp = urlpool_request(http, "GET", argv[i], NULL, &err);

        if (resp == NULL) {
            fprintf(stderr, "%s: %s: %s\n", argv[i], urlpool_phase_name(err.phase), err.message);
        }
        urlpool_response_free(resp);
    }
    printf("%s\n", urlpool_version());
    print_figures(http);
    lines = urlpool_manager_describe(http, &err);
    printf("%s", lines != NULL ? lines : err.message);
    urlpool_string_free(lines);
    urlpool_manager_free(http);
    return 0;
}
