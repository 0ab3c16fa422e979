/* The example of urlpool_network(3).
 *
 * Arguments: url
 * Prints:
 * asked for printer.example
 * 200 */

#include <stdio.h>
#include <urlpool/urlpool.h>

static enum urlpool_code find(void *user, const char *host, int64_t timeout_ms,
                              struct urlpool_answers *answers, struct urlpool_error *err)
{
    (void)timeout_ms;
    printf("asked for %s\n", host);
    return urlpool_answers_add(answers, user, err);
}

int main(int argc, char **argv)
{
    const struct urlpool_manager_options options = {
        .network = {.resolve = find, .resolve_user = "127.0.0.1"},
    };
    struct urlpool_error err = {0};
    struct urlpool_manager *http = urlpool_manager_new(&options, &err);
    struct urlpool_url *url = argc > 1 ? urlpool_url_parse(argv[1], &err) : NULL;
    struct urlpool_response *response = NULL;
    char text[64];

    if (url != NULL && http != NULL) {
        snprintf(text, sizeof(text), "http://printer.example:%d/", url->port);
        response = urlpool_request(http, "GET", text, NULL, &err);
    }
    if (response != NULL) {
        printf("%d\n", response->status);
    } else {
        fprintf(stderr, "%s: %s\n", urlpool_code_name(err.code), err.message);
    }
    urlpool_response_free(response);
    urlpool_url_free(url);
    urlpool_manager_free(http);
    return response == NULL;
}
