/* The example of urlpool(7).
 *
 * Arguments: url
 * Prints:
 * hello
 * 200 */

#include <stdio.h>
#include <urlpool/urlpool.h>

int main(int argc, char **argv)
{
    struct urlpool_error err;
    struct urlpool_manager *http = urlpool_manager_new(NULL, &err);
    struct urlpool_response *response = NULL;

    if (http != NULL) {
        response = urlpool_request(http, "GET", argc > 1 ? argv[1] : "", NULL, &err);
    }
    if (response == NULL) {
        fprintf(stderr, "%s: %s\n", urlpool_code_name(err.code), err.message);
        urlpool_manager_free(http);
        return 1;
    }
    fwrite(response->data, 1, response->data_len, stdout);
    printf("%d\n", response->status);
    urlpool_response_free(response);
    urlpool_manager_free(http);
    return 0;
}
