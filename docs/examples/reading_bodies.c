/* The ways to read a body that is streamed: by lines, by lengths, all that is left; and how to stop
 * in the middle. By chunks: reading_chunks.c.
 *
 *   cc reading_bodies.c $(pkg-config --cflags --libs urlpool) -o reading_bodies
 *   ./reading_bodies lines https://example.com/log      (or exact, rest, stop) */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <urlpool/urlpool.h>

typedef enum urlpool_code (*way_fn)(struct urlpool_response *resp, struct urlpool_error *err);

static enum urlpool_code lines(struct urlpool_response *resp, struct urlpool_error *err)
{
    const uint8_t *next;
    char line[1024]; /* a longer one is URLPOOL_E_LINE_TOO_LONG */
    size_t len;
    bool at_end = false;
    enum urlpool_code code = urlpool_response_peek(resp, &next, &len, err);

    if (code == URLPOOL_OK && len > 0) {
        printf("begins with %c\n", next[0]); /* and can still be read */
    }
    while (code == URLPOOL_OK && !at_end) {
        code = urlpool_response_read_line(resp, line, sizeof(line), &len, &at_end, err);
        if (code == URLPOOL_OK && !at_end) {
            printf("[%s]\n", line);
        }
    }
    return code;
}

/* exact reads a head of four bytes, then whatever comes. */
static enum urlpool_code exact(struct urlpool_response *resp, struct urlpool_error *err)
{
    char buf[64];
    size_t len;
    enum urlpool_code code = urlpool_response_read_exact(resp, buf, 4, &len, err);

    while (code == URLPOOL_OK && len > 0) {
        printf("%.*s|", (int)len, buf);
        code = urlpool_response_read(resp, buf, sizeof(buf), &len, err);
    }
    printf("%s\n", urlpool_response_is_closed(resp) ? "at its end" : "more to come");
    return code;
}

/* rest reads what is left into memory and keeps it beyond the response's life. */
static enum urlpool_code rest(struct urlpool_response *resp, struct urlpool_error *err)
{
    uint8_t *data;
    size_t len;
    enum urlpool_code code = urlpool_response_read_all(resp, err);

    if (code == URLPOOL_OK) {
        code = urlpool_response_take_data(resp, &data, &len, err);
    }
    if (code == URLPOOL_OK) {
        printf("%zu bytes: %s\n", len, (const char *)data);
        urlpool_data_free(data);
    }
    return code;
}

/* stop leaves the body unread: `drain` keeps the connection where little is left, `release` where
 * nothing has to be waited for, `close` never. */
static enum urlpool_code stop(struct urlpool_response *resp, struct urlpool_error *err)
{
    char buf[4];
    size_t len;
    enum urlpool_code code = urlpool_response_read_exact(resp, buf, sizeof(buf), &len, err);

    printf("%" PRId64 " read, %" PRId64 " left\n", urlpool_response_tell(resp),
           urlpool_response_length_remaining(resp));
    urlpool_response_drain(resp);
    urlpool_response_release(resp); /* after the first of them the others do nothing */
    urlpool_response_close(resp);
    return code;
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"lines", "exact", "rest", "stop"};
    static const way_fn ways[] = {lines, exact, rest, stop};
    const struct urlpool_request_options options = {.stream = true};
    struct urlpool_error err = {.message = "reading_bodies WAY URL"};
    struct urlpool_manager *http = argc == 3 ? urlpool_manager_new(NULL, &err) : NULL;
    struct urlpool_response *resp = NULL;
    enum urlpool_code code = URLPOOL_E_INVALID;

    if (http != NULL) {
        resp = urlpool_request(http, "GET", argv[2], &options, &err);
    }
    for (int i = 0; resp != NULL && i < 4; i++) {
        if (strcmp(names[i], argv[1]) == 0) {
            code = ways[i](resp, &err);
        }
    }
    if (code != URLPOOL_OK) {
        fprintf(stderr, "%s\n", err.message);
    }
    urlpool_response_free(resp);
    urlpool_manager_free(http);
    return code == URLPOOL_OK ? 0 : 1;
}
