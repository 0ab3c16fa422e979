/* The example of urlpool_raw_stream(3).
 *
 * Arguments: url upgrade
 * Prints:
 * ping */

#include <stdio.h>
#include <urlpool/urlpool.h>

static enum urlpool_code talk(struct urlpool_raw_stream *stream, struct urlpool_error *err)
{
    char buf[64];
    size_t len = 0;
    enum urlpool_code code = urlpool_raw_stream_write(stream, "ping\n", 5, err);

    if (code == URLPOOL_OK) {
        code = urlpool_raw_stream_read(stream, buf, sizeof(buf), &len, err);
    }
    if (code == URLPOOL_OK) {
        printf("%.*s", (int)len, buf);
    }
    return code;
}

int main(int argc, char **argv)
{
    struct urlpool_error err = {0};
    struct urlpool_manager *http = urlpool_default(&err);
    struct urlpool_headers *headers = urlpool_headers_new(&err);
    struct urlpool_request_options options = {.headers = headers, .stream = true};
    struct urlpool_response *response = NULL;
    struct urlpool_raw_stream *stream = NULL;

    if (argc > 1 && http != NULL && headers != NULL &&
        urlpool_headers_add(headers, "Connection", "Upgrade", &err) == URLPOOL_OK &&
        urlpool_headers_add(headers, "Upgrade", "echo", &err) == URLPOOL_OK) {
        response = urlpool_request(http, "GET", argv[1], &options, &err);
    }
    if (response != NULL) {
        stream = urlpool_response_upgrade(response, &err);
    }
    if (stream == NULL || talk(stream, &err) != URLPOOL_OK) {
        fprintf(stderr, "%s\n", err.message);
    }
    urlpool_raw_stream_close(stream);
    urlpool_response_free(response);
    urlpool_headers_free(headers);
    return err.code != URLPOOL_OK;
}
