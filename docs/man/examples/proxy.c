/* The example of urlpool_proxy(3).
 *
 * Arguments: url proxy
 * Prints:
 * 200 by way of port ~ */

#include <stdio.h>
#include <urlpool/urlpool.h>

int main(int argc, char **argv)
{
    const struct urlpool_manager_options options = {
        .proxy = {.url = argc > 2 ? argv[2] : NULL, .no_proxy = ".example.com, 10.0.0.0/8"},
    };
    struct urlpool_error err = {0};
    struct urlpool_manager *http = urlpool_manager_new(&options, &err);
    struct urlpool_response *response = NULL;

    if (argc > 1 && http != NULL) {
        response = urlpool_request(http, "GET", argv[1], NULL, &err);
    }
    if (response != NULL) {
        printf("%d by way of port %d\n", response->status, urlpool_response_peer(response).port);
    } else {
        fprintf(stderr, "%s: %s\n", urlpool_code_name(err.code), err.message);
    }
    urlpool_response_free(response);
    urlpool_manager_free(http);
    return response == NULL;
}
