/* The example of urlpool_response(3).
 *
 * Arguments: url moved
 * Prints:
 * before: GET http://127.0.0.1:~/moved: 302
 * http://127.0.0.1:~/: 200, text/plain
 * from 127.0.0.1 port ~ in ~ us */

#include <inttypes.h>
#include <stdio.h>
#include <urlpool/urlpool.h>

static void show(const struct urlpool_response *response)
{
    struct urlpool_peer peer = urlpool_response_peer(response);
    struct urlpool_timings took = urlpool_response_timings(response);
    const char *type = urlpool_response_header(response, "Content-Type");

    for (size_t i = 0; i < urlpool_response_num_hops(response); i++) {
        struct urlpool_hop hop = urlpool_response_hop(response, i);

        printf("before: %s %s: %d\n", hop.method, hop.url, hop.status);
    }
    printf("%s: %d, %s\n", response->url, response->status, type == NULL ? "no type" : type);
    printf("from %s port %d in %" PRId64 " us\n", peer.address, peer.port, took.total_ns / 1000);
}

int main(int argc, char **argv)
{
    struct urlpool_error err = {0};
    struct urlpool_manager *http = urlpool_manager_new(NULL, &err);
    struct urlpool_response *response = NULL;

    if (argc > 1 && http != NULL) {
        response = urlpool_request(http, "GET", argv[1], NULL, &err);
    }
    if (response != NULL) {
        show(response);
    } else {
        fprintf(stderr, "%s\n", err.message);
    }
    urlpool_response_free(response);
    urlpool_manager_free(http);
    return response == NULL;
}
