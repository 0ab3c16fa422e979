/* The example of urlpool_connection(3).
 *
 * Arguments: host
 * Prints:
 * 200, 6 bytes */

#include <stdio.h>
#include <urlpool/urlpool.h>

static enum urlpool_code ask(struct urlpool_connection *to, struct urlpool_error *err)
{
    const char *const languages[] = {"en", "de"};
    enum urlpool_code code = urlpool_connection_putrequest(to, "GET", "/", 0, err);

    if (code == URLPOOL_OK) {
        code = urlpool_connection_putheader(to, "Accept-Language", languages, 2, err);
    }
    if (code == URLPOOL_OK) {
        code = urlpool_connection_endheaders(to, NULL, err);
    }
    return code;
}

int main(int argc, char **argv)
{
    struct urlpool_error err = {0};
    struct urlpool_connection *to = NULL;
    struct urlpool_response *response = NULL;

    if (argc > 1) {
        to = urlpool_connection_new(argv[1], 0, NULL, &err);
    }
    if (to != NULL && ask(to, &err) == URLPOOL_OK) {
        response = urlpool_connection_getresponse(to, &err);
    }
    if (response != NULL && urlpool_response_read_all(response, &err) == URLPOOL_OK) {
        printf("%d, %zu bytes\n", response->status, response->data_len);
    }
    if (err.code != URLPOOL_OK) {
        fprintf(stderr, "%s\n", err.message);
    }
    urlpool_response_free(response);
    urlpool_connection_free(to);
    return err.code != URLPOOL_OK;
}
