/* The example of urlpool_cancel(3).
 *
 * Arguments: url slow
 * Prints:
 * URLPOOL_E_CANCELLED */

#include <signal.h>
#include <stdio.h>
#include <urlpool/urlpool.h>

static struct urlpool_cancel *token;

static void interrupted(int number)
{
    (void)number;
    urlpool_cancel_now(token);
}

int main(int argc, char **argv)
{
    struct urlpool_error err = {0};
    struct urlpool_manager *http = urlpool_manager_new(NULL, &err);
    struct urlpool_request_options options = {.timeout = {.total_ms = 60000}};
    struct urlpool_response *response = NULL;

    token = urlpool_cancel_new(&err);
    options.cancel = token;
    if (argc > 1 && http != NULL && token != NULL) {
        signal(SIGINT, interrupted);
        response = urlpool_request(http, "GET", argv[1], &options, &err);
    }
    if (response == NULL) {
        printf("%s\n", urlpool_code_name(err.code));
    }
    urlpool_response_free(response);
    urlpool_manager_free(http);
    signal(SIGINT, SIG_DFL);
    urlpool_cancel_free(token);
    return 0;
}
