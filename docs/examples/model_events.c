/* Streams the answer of a model API as it is written: server-sent events, each with a piece of it.
 * The whole may take minutes, so there is no total limit; but a server that says nothing for
 * `read_ms` has died or lost us, and that ends it. Comments (": ping") count as signs of life.
 *
 *   cc model_events.c $(pkg-config --cflags --libs urlpool) -o model_events
 *   API_TOKEN=… ./model_events https://api.example.com/v1/messages '{"stream": true}' 60000 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <urlpool/urlpool.h>

/* read_events prints the data of each event until "[DONE]" or the end of the stream. */
static enum urlpool_code read_events(struct urlpool_response *resp, struct urlpool_error *err)
{
    struct urlpool_sse *events = urlpool_sse_new(resp, 1 << 20, err); /* no event is longer */
    enum urlpool_code code = events == NULL ? err->code : URLPOOL_OK;
    struct urlpool_sse_event event;
    bool at_end = false;

    while (code == URLPOOL_OK && !at_end) {
        code = urlpool_sse_next(events, &event, &at_end, err);
        if (code == URLPOOL_OK && !at_end) {
            at_end = strcmp(event.data, "[DONE]") == 0;
            printf("%s: %s\n", event.event, event.data);
            (void)fflush(stdout);
        }
    }
    if (code != URLPOOL_OK && events != NULL) {
        fprintf(stderr, "to go on: Last-Event-ID \"%s\", in %d ms\n",
                urlpool_sse_last_event_id(events), (int)urlpool_sse_retry_ms(events));
    }
    urlpool_sse_free(events);
    return code;
}

int main(int argc, char **argv)
{
    struct urlpool_headers_choice choice = {.bearer_auth = getenv("API_TOKEN")};
    struct urlpool_request_options options = {.stream = true};
    struct urlpool_error err;
    struct urlpool_manager *http = urlpool_manager_new(NULL, &err);
    struct urlpool_headers *headers = http == NULL ? NULL : urlpool_headers_make(&choice, &err);
    struct urlpool_response *resp = NULL;
    enum urlpool_code code = URLPOOL_E_INVALID;

    if (headers != NULL && argc == 4 &&
        urlpool_headers_add(headers, "Accept", "text/event-stream", &err) == URLPOOL_OK) {
        options.headers = headers;
        options.body = urlpool_body_json(argv[2]);
        options.timeout.read_ms = strtol(argv[3], NULL, 10);
        resp = urlpool_request(http, "POST", argv[1], &options, &err);
        code = resp == NULL ? err.code : read_events(resp, &err);
    }
    if (code == URLPOOL_E_READ_TIMEOUT) {
        fprintf(stderr, "the server fell silent\n");
    } else if (code != URLPOOL_OK) {
        fprintf(stderr, "%s\n", argc == 4 ? err.message : "model_events URL JSON GAP_MS");
    }
    urlpool_response_free(resp); /* closes the connection where there is more to come */
    urlpool_headers_free(headers);
    urlpool_manager_free(http);
    return code == URLPOOL_OK ? 0 : 1;
}
