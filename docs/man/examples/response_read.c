/* The example of urlpool_response_read(3).
 *
 * Arguments: url
 * Prints:
 * hello */

#include <stdio.h>
#include <urlpool/urlpool.h>

static enum urlpool_code copy(struct urlpool_response *response, struct urlpool_error *err)
{
    char buf[65536];
    size_t len = 0;
    enum urlpool_code code = URLPOOL_OK;

    do {
        code = urlpool_response_read(response, buf, sizeof(buf), &len, err);
        if (code == URLPOOL_OK) {
            fwrite(buf, 1, len, stdout);
        }
    } while (code == URLPOOL_OK && len > 0);
    return code;
}

int main(int argc, char **argv)
{
    const struct urlpool_request_options options = {
        .stream = true, .timeout = {.read_ms = 5000}, /* the longest silence */
    };
    struct urlpool_error err = {0};
    struct urlpool_manager *http = urlpool_manager_new(NULL, &err);
    struct urlpool_response *response = NULL;

    if (argc > 1 && http != NULL) {
        response = urlpool_request(http, "GET", argv[1], &options, &err);
    }
    if (response == NULL || copy(response, &err) != URLPOOL_OK) {
        fprintf(stderr, "%s: %s\n", urlpool_code_name(err.code), err.message);
    }
    urlpool_response_free(response);
    urlpool_manager_free(http);
    return err.code != URLPOOL_OK;
}
