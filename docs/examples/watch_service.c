/* A service for systemd: asks for a URL again and again, says when it is ready and how it is doing,
 * feeds the watchdog, and ends at once, in order, when it is told to. sd_notify is one datagram,
 * and needs no library. watch_service.service beside this is its unit.
 *
 *   cc watch_service.c $(pkg-config --cflags --libs urlpool) -o watch_service
 *   ./watch_service https://example.com/health 10 */

#define _GNU_SOURCE /* ppoll */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <urlpool/urlpool.h>

static struct urlpool_cancel *stop;

static void on_sigterm(int number)
{
    (void)number;
    urlpool_cancel_now(stop); /* async-signal-safe */
}

/* notify tells systemd; where there is none, nobody. */
static void notify(const char *text)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t len = path == NULL ? 0 : strlen(path);
    int fd =
        len == 0 || len >= sizeof(to.sun_path) ? -1 : socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return;
    }
    memcpy(to.sun_path, path, len);
    if (to.sun_path[0] == '@') { /* an abstract one */
        to.sun_path[0] = '\0';
    }
    (void)sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&to,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
    (void)close(fd);
}

static void ask(struct urlpool_manager *http, const char *url)
{
    const struct urlpool_request_options options = {.cancel = stop};
    struct urlpool_error err;
    struct urlpool_response *resp = urlpool_request(http, "GET", url, &options, &err);
    char text[512];

    snprintf(text, sizeof(text), "WATCHDOG=1\nSTATUS=%s",
             resp == NULL ? err.message : urlpool_http_reason(resp->status));
    urlpool_response_free(resp);
    notify(text);
    printf("%s\n", strchr(text, '=') + sizeof("1\nSTATUS=")); /* into the journal */
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    const struct urlpool_manager_options options = {.timeout = {.total_ms = 5000}};
    const struct timespec pause = {.tv_sec = argc > 2 ? strtol(argv[2], NULL, 10) : 10};
    struct sigaction action = {.sa_handler = on_sigterm};
    struct urlpool_error err;
    struct urlpool_manager *http = urlpool_manager_new(&options, &err);
    sigset_t terms;
    sigset_t before;

    stop = http == NULL ? NULL : urlpool_cancel_new(&err);
    (void)sigemptyset(&terms);
    (void)sigaddset(&terms, SIGTERM);
    if (stop == NULL || sigprocmask(SIG_BLOCK, &terms, &before) != 0 ||
        sigaction(SIGTERM, &action, NULL) != 0) {
        fprintf(stderr, "%s\n", stop == NULL ? err.message : "no signals");
        return 1; /* systemd says so, and starts it again */
    }
    notify("READY=1");
    while (!urlpool_cancel_is_set(stop)) {
        (void)sigprocmask(SIG_SETMASK, &before, NULL); /* SIGTERM ends the request ... */
        ask(http, argc > 1 ? argv[1] : "");
        (void)sigprocmask(SIG_BLOCK, &terms, NULL);
        if (!urlpool_cancel_is_set(stop)) {
            (void)ppoll(NULL, 0, &pause, &before); /* ... or the pause; it is never missed */
        }
    }
    notify("STOPPING=1");
    urlpool_manager_free(http);
    urlpool_cancel_free(stop); /* SIGTERM is blocked: nobody uses it */
    return 0;
}
