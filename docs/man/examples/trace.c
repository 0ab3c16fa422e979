/* The example of urlpool_trace(3).
 *
 * Arguments: url
 * Prints:
 * GET / HTTP/1.1
 * Host: 127.0.0.1:~
 * ... */

#include <stdio.h>
#include <urlpool/urlpool.h>

static void tell(void *user, const struct urlpool_trace_event *event)
{
    if (event->kind == URLPOOL_TRACE_REQUEST_HEAD || event->kind == URLPOOL_TRACE_RESPONSE_HEAD) {
        fprintf(user, "%.*s", (int)event->text_len, event->text);
    }
}

int main(int argc, char **argv)
{
    const struct urlpool_request_options options = {
        .trace = {.event = tell, .user = stdout}
    };
    struct urlpool_error err = {0};
    struct urlpool_manager *http = urlpool_manager_new(NULL, &err);
    struct urlpool_response *response = NULL;

    if (argc > 1 && http != NULL) {
        response = urlpool_request(http, "GET", argv[1], &options, &err);
    }
    urlpool_response_free(response);
    urlpool_manager_free(http);
    return response == NULL;
}
