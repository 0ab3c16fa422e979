/* Ends the reading of a stream from another thread: for a stream that may be silent for ever, such
 * as a feed of changes, when the user closes the window that shows it.
 *
 *   cc stop_reading.c $(pkg-config --cflags --libs urlpool) -pthread -o stop_reading
 *   ./stop_reading https://example.com/changes      (and Enter to stop) */

#include <pthread.h>
#include <stdio.h>
#include <urlpool/urlpool.h>

/* wait_for_enter may call urlpool_response_shutdown at any time before the response is freed. */
static void *wait_for_enter(void *arg)
{
    struct urlpool_response *resp = arg;

    (void)getchar();
    urlpool_response_shutdown(resp);
    return NULL;
}

/* show prints what comes, until it ends or is ended. */
static enum urlpool_code show(struct urlpool_response *resp, struct urlpool_error *err)
{
    char buf[4096];
    size_t len = 1;
    enum urlpool_code code = URLPOOL_OK;

    while (code == URLPOOL_OK && len > 0) {
        code = urlpool_response_read(resp, buf, sizeof(buf), &len, err);
        if (code == URLPOOL_OK) {
            fwrite(buf, 1, len, stdout);
            (void)fflush(stdout);
        }
    }
    return code;
}

int main(int argc, char **argv)
{
    const struct urlpool_request_options options = {
        .stream = true, .timeout = {.read_ms = URLPOOL_NO_TIMEOUT}, /* as long as the user likes */
    };
    struct urlpool_error err;
    struct urlpool_manager *http = urlpool_manager_new(NULL, &err);
    struct urlpool_response *resp = NULL;
    enum urlpool_code code;
    pthread_t thread;

    if (http != NULL) {
        resp = urlpool_request(http, "GET", argc > 1 ? argv[1] : "", &options, &err);
    }
    if (resp == NULL || pthread_create(&thread, NULL, wait_for_enter, resp) != 0) {
        fprintf(stderr, "%s\n", resp == NULL ? err.message : "no thread");
        urlpool_response_free(resp);
        urlpool_manager_free(http);
        return 1;
    }
    code = show(resp, &err);
    printf("%s\n", code == URLPOOL_OK ? "ended" : urlpool_code_name(code));
    (void)pthread_join(thread, NULL); /* before the response goes */
    urlpool_response_free(resp);
    urlpool_manager_free(http);
    return code == URLPOOL_OK || code == URLPOOL_E_CANCELLED ? 0 : 1;
}
