/* The example of urlpool_metrics(3).
 *
 * Arguments: none
 * Prints:
 * Content-Type: text/plain; version=0.0.4; charset=utf-8
 *
 * # HELP http_client_open_connections ~
 * ... */

#include <stdio.h>
#include <urlpool/urlpool.h>

int main(void)
{
    struct urlpool_error err = {0};
    struct urlpool_manager *http = urlpool_manager_new(NULL, &err);
    char *text = NULL;

    if (http != NULL) {
        text = urlpool_manager_metrics(http, URLPOOL_METRICS_PROMETHEUS, &err);
    }
    if (text != NULL) {
        printf("Content-Type: %s\n\n%s", urlpool_metrics_content_type(URLPOOL_METRICS_PROMETHEUS),
               text);
    }
    urlpool_string_free(text);
    urlpool_manager_free(http);
    return text == NULL;
}
