/* Gets a URL: five lines and what goes wrong.
 *
 *   cc first_get.c $(pkg-config --cflags --libs urlpool) -o first_get
 *   ./first_get https://example.com/ */

#include <stdio.h>
#include <urlpool/urlpool.h>

int main(int argc, char **argv)
{
    struct urlpool_error err;
    struct urlpool_manager *http = urlpool_default(&err); /* one for the process; never freed */
    struct urlpool_response *resp = NULL;

    if (http != NULL) {
        resp = urlpool_request(http, "GET", argc > 1 ? argv[1] : "", NULL, &err);
    }
    if (resp == NULL) {
        fprintf(stderr, "%s: %s\n", urlpool_code_name(err.code), err.message);
        return 1;
    }
    printf("%d %s, %zu bytes\n", resp->status, resp->reason, resp->data_len);
    fwrite(resp->data, 1, resp->data_len, stdout);
    urlpool_response_free(resp);
    return 0;
}
