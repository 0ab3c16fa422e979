/* The example of urlpool_timeout(3).
 *
 * Arguments: url
 * Prints:
 * 200 in time */

#include <stdio.h>
#include <urlpool/urlpool.h>

int main(int argc, char **argv)
{
    const struct urlpool_request_options options = {
        .timeout = {.read_ms = 2500, .total_ms = 5000},
    };
    struct urlpool_error err = {0};
    struct urlpool_manager *http = urlpool_manager_new(NULL, &err);
    struct urlpool_response *response = NULL;

    if (argc > 1 && http != NULL) {
        response = urlpool_request(http, "GET", argv[1], &options, &err);
    }
    if (response != NULL) {
        printf("%d in time\n", response->status);
    } else if (urlpool_error_is(&err, URLPOOL_CLASS_TIMEOUT)) {
        fprintf(stderr, "too slow (%s)\n", urlpool_phase_name(err.phase));
    }
    urlpool_response_free(response);
    urlpool_manager_free(http);
    return response == NULL;
}
