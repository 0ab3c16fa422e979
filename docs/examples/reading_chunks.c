/* Reads a body by the chunks its server sent, and the trailers behind it. Chunks mean nothing by
 * the standard, and what stands between may lay them anew: prefer lines, or server-sent events,
 * where it is yours to choose.
 *
 *   cc reading_chunks.c $(pkg-config --cflags --libs urlpool) -o reading_chunks
 *   ./reading_chunks https://example.com/feed */

#include <stdio.h>
#include <urlpool/urlpool.h>

static enum urlpool_code read_chunks(struct urlpool_response *resp, struct urlpool_error *err)
{
    char buf[4096];
    size_t len = 1;
    bool ends; /* with this piece, its chunk */
    enum urlpool_code code = URLPOOL_OK;

    while (code == URLPOOL_OK && len > 0) {
        code = urlpool_response_read_chunk(resp, buf, sizeof(buf), &len, &ends, err);
        if (code == URLPOOL_OK && len > 0) {
            printf("%.*s%s", (int)len, buf, ends ? "\n" : "");
        }
    }
    return code;
}

int main(int argc, char **argv)
{
    const struct urlpool_request_options options = {.stream = true, .keep_encoded = true};
    const struct urlpool_headers *trailers;
    struct urlpool_error err;
    struct urlpool_manager *http = urlpool_manager_new(NULL, &err);
    struct urlpool_response *resp = NULL;
    int good;

    if (http != NULL) {
        resp = urlpool_request(http, "GET", argc > 1 ? argv[1] : "", &options, &err);
    }
    good = resp != NULL && read_chunks(resp, &err) == URLPOOL_OK;
    if (good) {
        trailers = urlpool_response_trailers(resp); /* NULL without */
        printf("%zu trailers\n", urlpool_headers_count(trailers));
    } else {
        fprintf(stderr, "%s: %s\n", urlpool_code_name(err.code), err.message);
    }
    urlpool_response_free(resp);
    urlpool_manager_free(http);
    return good ? 0 : 1;
}
