/* Leaves HTTP behind: after "101 Switching Protocols" the connection is a stream of bytes in both
 * directions, over whatever led there (TLS, proxies).
 *
 *   cc upgrade.c $(pkg-config --cflags --libs urlpool) -o upgrade
 *   ./upgrade https://example.com/echo echo */

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <urlpool/urlpool.h>

/* read_some waits by poll, as an event loop would; what has come already is read first. */
static enum urlpool_code read_some(struct urlpool_raw_stream *stream, char *buf, size_t size,
                                   size_t *out_len, struct urlpool_error *err)
{
    enum urlpool_code code = urlpool_raw_stream_read(stream, buf, size, out_len, err);
    struct pollfd wait = {.fd = urlpool_raw_stream_fd(stream), .events = POLLIN};

    while (code == URLPOOL_E_READ_TIMEOUT && poll(&wait, 1, 10000) > 0) { /* may be read again */
        code = urlpool_raw_stream_read(stream, buf, size, out_len, err);
    }
    return code;
}

static enum urlpool_code talk(struct urlpool_raw_stream *stream, struct urlpool_error *err)
{
    static const char hello[] = "hello\n";
    char buf[256];
    size_t len;
    enum urlpool_code code = urlpool_raw_stream_write(stream, hello, strlen(hello), err);

    if (code == URLPOOL_OK) {
        code = read_some(stream, buf, sizeof(buf), &len, err);
    }
    if (code == URLPOOL_OK) {
        printf("heard %.*s", (int)len, buf);
    }
    urlpool_raw_stream_shutdown(stream); /* or from another thread, for one that reads */
    return code;
}

int main(int argc, char **argv)
{
    struct urlpool_request_options options = {.stream = true, .timeout = {.read_ms = 1000}};
    struct urlpool_error err;
    struct urlpool_manager *http = urlpool_manager_new(NULL, &err);
    struct urlpool_headers *headers = http == NULL ? NULL : urlpool_headers_new(&err);
    struct urlpool_response *resp = NULL;
    struct urlpool_raw_stream *stream = NULL;
    int good = 0;

    if (headers != NULL && urlpool_headers_add(headers, "Connection", "Upgrade", &err) == 0 &&
        urlpool_headers_add(headers, "Upgrade", argc > 2 ? argv[2] : "echo", &err) == 0) {
        options.headers = headers;
        resp = urlpool_request(http, "GET", argc > 1 ? argv[1] : "", &options, &err);
    }
    if (resp != NULL) { /* URLPOOL_E_INVALID when the server said no: any other status */
        stream = urlpool_response_upgrade(resp, &err);
    }
    if (stream != NULL) {
        good = talk(stream, &err) == URLPOOL_OK;
    }
    if (!good) {
        fprintf(stderr, "%s\n", err.message);
    }
    urlpool_raw_stream_close(stream);
    urlpool_response_free(resp);
    urlpool_headers_free(headers);
    urlpool_manager_free(http);
    return good ? 0 : 1;
}
