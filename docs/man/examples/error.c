/* The example of urlpool_error(3).
 *
 * Arguments: none
 * Prints:
 * URLPOOL_E_CONNECT (connect): ~
 * nothing was sent: it may be asked for again */

#include <stdio.h>
#include <urlpool/urlpool.h>

int main(void)
{
    const struct urlpool_request_options once = {.retries = {.total = URLPOOL_NONE}};
    struct urlpool_error err = {0};
    struct urlpool_manager *http = urlpool_manager_new(NULL, &err);
    struct urlpool_response *response = NULL;

    if (http != NULL) {
        response = urlpool_request(http, "POST", "http://127.0.0.1:1/", &once, &err);
    }
    if (response == NULL) {
        printf("%s (%s): %s\n", urlpool_code_name(err.code), urlpool_phase_name(err.phase),
               err.message);
        if (urlpool_error_is(&err, URLPOOL_CLASS_CONNECT | URLPOOL_CLASS_TIMEOUT) &&
            !err.maybe_processed) {
            printf("nothing was sent: it may be asked for again\n");
        }
    }
    urlpool_response_free(response);
    urlpool_manager_free(http);
    return 0;
}
