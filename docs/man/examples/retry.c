/* The example of urlpool_retry(3).
 *
 * Arguments: url busy
 * Prints:
 * 200 after 2 retries */

#include <stdio.h>
#include <urlpool/urlpool.h>

int main(int argc, char **argv)
{
    const struct urlpool_manager_options options = {
        .retries = {.total = 5,
                    .status_forcelist = {500, 502, 503},
                    .backoff_factor_ms = 10,
                    .backoff_jitter_ms = 5},
        .retry_budget = {.tokens = 10, .percent = 10           },
    };
    struct urlpool_error err = {0};
    struct urlpool_manager *http = urlpool_manager_new(&options, &err);
    struct urlpool_response *response = NULL;

    if (argc > 1 && http != NULL) {
        response = urlpool_request(http, "GET", argv[1], NULL, &err);
    }
    if (response != NULL) {
        printf("%d after %u retries\n", response->status, response->num_retries);
    } else {
        fprintf(stderr, "%s: %s\n", urlpool_code_name(err.code), err.message);
    }
    urlpool_response_free(response);
    urlpool_manager_free(http);
    return response == NULL;
}
