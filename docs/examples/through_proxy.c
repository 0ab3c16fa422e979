/* Goes through a proxy: http, https, socks4, socks4a, socks5 or socks5h, by its URL; without one,
 * through whom the environment names (http_proxy, https_proxy, all_proxy, no_proxy).
 *
 *   cc through_proxy.c $(pkg-config --cflags --libs urlpool) -o through_proxy
 *   ./through_proxy https://example.com/ http://user:password@proxy.example:3128
 *   https_proxy=socks5h://127.0.0.1:1080 ./through_proxy https://example.com/ */

#include <stdio.h>
#include <urlpool/urlpool.h>

/* complain tells a proxy that refused from a server that did, or was not reached. */
static void complain(const struct urlpool_error *err)
{
    if (err->code == URLPOOL_E_PROXY && err->http_status == 407) {
        fprintf(stderr, "the proxy wants a user and a password\n");
    } else if (err->phase == URLPOOL_PHASE_PROXY) {
        fprintf(stderr, "the proxy: %s\n", err->message);
    } else {
        fprintf(stderr, "%s\n", err->message);
    }
}

int main(int argc, char **argv)
{
    const struct urlpool_manager_options options = {
        .proxy = {.url = argc > 2 ? argv[2] : NULL, .no_proxy = "localhost, .internal.example"},
        .proxy_from_environment = true, /* where `proxy` has no URL */
        .retries = {.total = 1                               },
    };
    struct urlpool_error err;
    struct urlpool_manager *http = urlpool_manager_new(&options, &err);
    struct urlpool_response *resp = NULL;
    struct urlpool_peer peer;

    if (http != NULL) {
        resp = urlpool_request(http, "GET", argc > 1 ? argv[1] : "", NULL, &err);
    }
    if (resp == NULL) {
        complain(&err);
        urlpool_manager_free(http);
        return 1;
    }
    peer = urlpool_response_peer(resp);
    printf("%d by way of %s:%d\n", resp->status, peer.address, peer.port);
    if (peer.proxy_headers != NULL && urlpool_headers_contains(peer.proxy_headers, "Via")) {
        printf("which calls itself %s\n", urlpool_headers_get(peer.proxy_headers, "Via"));
    }
    urlpool_response_free(resp);
    urlpool_manager_free(http);
    return 0;
}
