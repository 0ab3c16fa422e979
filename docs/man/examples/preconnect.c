/* The example of urlpool_manager_maintain(3).
 *
 * Arguments: url
 * Prints:
 * 200, reused: yes
 * upkeep has closed 0 */

#include <stdio.h>
#include <urlpool/urlpool.h>

int main(int argc, char **argv)
{
    struct urlpool_error err;
    struct urlpool_manager *http = urlpool_manager_new(NULL, &err);
    struct urlpool_response *response = NULL;

    if (argc > 1 && http != NULL &&
        urlpool_manager_preconnect(http, argv[1], 2, &err) == URLPOOL_OK) {
        response = urlpool_request(http, "GET", argv[1], NULL, &err);
    }
    if (response == NULL) {
        fprintf(stderr, "%s\n", err.message);
        urlpool_manager_free(http);
        return 1;
    }
    printf("%d, reused: %s\n", response->status, response->connection_reused ? "yes" : "no");
    urlpool_response_free(response);
    printf("upkeep has closed %zu\n", urlpool_manager_maintain(http));
    urlpool_manager_free(http);
    return 0;
}
