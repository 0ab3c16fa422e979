/* Asks a daemon that listens at a Unix-domain socket, as docker's does. The host in the URL is what
 * Host says and nothing else: every connection of this manager leads to the socket.
 *
 *   cc unix_socket.c $(pkg-config --cflags --libs urlpool) -o unix_socket
 *   ./unix_socket /var/run/docker.sock /v1.43/containers/json */

#include <stdio.h>
#include <string.h>
#include <urlpool/urlpool.h>

int main(int argc, char **argv)
{
    struct urlpool_manager_options options = {
        .timeout = {.connect_ms = 1000, .total_ms = 10000},
    };
    struct urlpool_error err;
    struct urlpool_manager *http;
    struct urlpool_response *resp = NULL;
    char url[1024];
    int good = 0;

    if (argc != 3 || argv[2][0] != '/' ||
        snprintf(url, sizeof(url), "http://docker%s", argv[2]) >= (int)sizeof(url)) {
        fprintf(stderr, "unix_socket SOCKET /PATH\n");
        return 2;
    }
    options.network.unix_socket = argv[1]; /* "@name" is an abstract one */
    options.retries.total = URLPOOL_NONE;  /* a daemon that is not there is not there */
    http = urlpool_manager_new(&options, &err);
    if (http != NULL) {
        resp = urlpool_request(http, "GET", url, NULL, &err);
    }
    if (resp == NULL) {
        fprintf(stderr, "%s%s\n", err.message,
                err.code == URLPOOL_E_CONNECT ? ": is the daemon running, and may you use it?"
                                              : "");
    } else {
        good = resp->status == URLPOOL_HTTP_OK;
        fwrite(resp->data, 1, resp->data_len, good ? stdout : stderr);
    }
    urlpool_response_free(resp);
    urlpool_manager_free(http);
    return good ? 0 : 1;
}
