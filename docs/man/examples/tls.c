/* The example of urlpool_tls(3).
 *
 * Arguments: https ca
 * Prints:
 * 200, TLSv1.3, verified: yes */

#include <stdio.h>
#include <urlpool/urlpool.h>

int main(int argc, char **argv)
{
    const struct urlpool_tls_options roots = {.ca_file = argc > 2 ? argv[2] : NULL};
    struct urlpool_error err = {0};
    struct urlpool_tls *tls = urlpool_tls_new(&roots, &err);
    struct urlpool_manager_options options = {.tls = tls};
    struct urlpool_manager *http = tls == NULL ? NULL : urlpool_manager_new(&options, &err);
    struct urlpool_response *response = NULL;

    urlpool_tls_unref(tls); /* the manager has a reference of its own */
    if (argc > 1 && http != NULL) {
        response = urlpool_request(http, "GET", argv[1], NULL, &err);
    }
    if (response != NULL) {
        struct urlpool_peer peer = urlpool_response_peer(response);

        printf("%d, %s, verified: %s\n", response->status, peer.tls_version,
               peer.tls_verified ? "yes" : "no");
    } else {
        fprintf(stderr, "%s: %s\n", urlpool_code_name(err.code), err.message);
    }
    urlpool_response_free(response);
    urlpool_manager_free(http);
    return response == NULL;
}
