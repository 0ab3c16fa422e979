/* The example of urlpool_request(3).
 *
 * Arguments: url
 * Prints:
 * 200 OK
 * {"question": 42} */

#include <stdio.h>
#include <urlpool/urlpool.h>

int main(int argc, char **argv)
{
    const struct urlpool_headers_choice choice = {.bearer_auth = "t0ken"};
    struct urlpool_error err = {0};
    struct urlpool_headers *headers = urlpool_headers_make(&choice, &err);
    struct urlpool_manager *http = urlpool_default(&err);
    struct urlpool_request_options options = {
        .headers = headers,
        .body = urlpool_body_json("{\"question\": 42}"),
        .timeout = {.total_ms = 10000},
    };
    struct urlpool_response *response = NULL;
    int status = 1;

    if (argc > 1 && headers != NULL && http != NULL) {
        response = urlpool_request(http, "POST", argv[1], &options, &err);
    }
    if (response == NULL) {
        fprintf(stderr, "%s: %s\n", urlpool_code_name(err.code), err.message);
    } else {
        printf("%d %s\n%s\n", response->status, response->reason, (const char *)response->data);
        status = 0;
    }
    urlpool_response_free(response);
    urlpool_headers_free(headers);
    return status;
}
