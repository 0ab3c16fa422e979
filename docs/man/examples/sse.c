/* The example of urlpool_sse(3).
 *
 * Arguments: url events
 * Prints:
 * message: one
 * note: two */

#include <stdio.h>
#include <urlpool/urlpool.h>

static enum urlpool_code show(struct urlpool_sse *sse, struct urlpool_error *err)
{
    struct urlpool_sse_event event;
    bool at_end = false;
    enum urlpool_code code = urlpool_sse_next(sse, &event, &at_end, err);

    while (code == URLPOOL_OK && !at_end) {
        printf("%s: %s\n", event.event, event.data);
        code = urlpool_sse_next(sse, &event, &at_end, err);
    }
    return code;
}

int main(int argc, char **argv)
{
    const struct urlpool_request_options options = {
        .stream = true,
        .timeout = {.read_ms = 10000},
    };
    struct urlpool_error err = {0};
    struct urlpool_manager *http = urlpool_manager_new(NULL, &err);
    struct urlpool_response *response = NULL;
    struct urlpool_sse *sse = NULL;

    if (argc > 1 && http != NULL) {
        response = urlpool_request(http, "GET", argv[1], &options, &err);
    }
    if (response != NULL) {
        sse = urlpool_sse_new(response, 0, &err);
    }
    if (sse == NULL || show(sse, &err) != URLPOOL_OK) {
        fprintf(stderr, "%s: %s\n", urlpool_code_name(err.code), err.message);
    }
    urlpool_sse_free(sse);
    urlpool_response_free(response);
    urlpool_manager_free(http);
    return err.code != URLPOOL_OK;
}
