/* The example of urlpool_limits(3).
 *
 * Arguments: url
 * Prints:
 * 200 within bounds */

#include <stdio.h>
#include <urlpool/urlpool.h>

int main(int argc, char **argv)
{
    const struct urlpool_manager_options options = {
        .limits = {.head_bytes_max = 16384, .fields_max = 50, .refuse_bare_lf = true},
        .data_bytes_max = 1048576,
    };
    struct urlpool_error err = {0};
    struct urlpool_manager *http = urlpool_manager_new(&options, &err);
    struct urlpool_response *response = NULL;

    if (argc > 1 && http != NULL) {
        response = urlpool_request(http, "GET", argv[1], NULL, &err);
    }
    if (response != NULL) {
        printf("%d within bounds\n", response->status);
    } else {
        fprintf(stderr, "%s: %s\n", urlpool_code_name(err.code), err.message);
    }
    urlpool_response_free(response);
    urlpool_manager_free(http);
    return response == NULL;
}
