/* Ctrl-C ends the request under way, wherever it is (DNS, connecting, TLS, waiting, reading), and
 * the program goes on to clean up. A token serves any number of requests and threads.
 *
 *   cc cancel_on_sigint.c $(pkg-config --cflags --libs urlpool) -o cancel_on_sigint
 *   ./cancel_on_sigint https://example.com/slow */

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <urlpool/urlpool.h>

static struct urlpool_cancel *interrupted;

/* on_sigint may do this: urlpool_cancel_now is async-signal-safe. */
static void on_sigint(int number)
{
    (void)number;
    urlpool_cancel_now(interrupted);
}

static int fetch(struct urlpool_manager *http, const char *url, struct urlpool_error *err)
{
    const struct urlpool_request_options options = {.cancel = interrupted};
    struct urlpool_response *resp = urlpool_request(http, "GET", url, &options, err);

    if (resp == NULL) {
        return 0;
    }
    fwrite(resp->data, 1, resp->data_len, stdout);
    urlpool_response_free(resp);
    return 1;
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = on_sigint};
    struct urlpool_error err;
    struct urlpool_manager *http = urlpool_manager_new(NULL, &err);
    int good = 0;

    if (http != NULL) {
        interrupted = urlpool_cancel_new(&err); /* before there can be a signal */
    }
    if (interrupted != NULL && sigaction(SIGINT, &action, NULL) == 0) {
        printf("fetching; Ctrl-C ends it\n");
        (void)fflush(stdout);
        good = fetch(http, argc > 1 ? argv[1] : "", &err);
    }
    if (!good && interrupted != NULL && urlpool_cancel_is_set(interrupted)) {
        printf("interrupted while in phase \"%s\"; cleaning up\n", urlpool_phase_name(err.phase));
    } else if (!good) {
        fprintf(stderr, "%s\n", err.message);
    }
    urlpool_manager_free(http);
    (void)signal(SIGINT, SIG_IGN); /* nobody may use the token any more */
    urlpool_cancel_free(interrupted);
    return good ? 0 : 130;
}
