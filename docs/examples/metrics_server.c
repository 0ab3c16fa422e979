/* Shows the figures of a manager to Prometheus, or to whatever else reads its text format or
 * OpenMetrics: a page at /metrics, for who asks from this machine.
 *
 *   cc metrics_server.c $(pkg-config --cflags --libs urlpool) -o metrics_server
 *   ./metrics_server 9464 https://example.com/ https://example.com/robots.txt &
 *   curl http://127.0.0.1:9464/metrics
 *
 * The URLs are fetched once, so that there is something to see. A program of yours would go on with
 * its work and serve from a thread. */

#define _GNU_SOURCE /* strcasestr */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <urlpool/urlpool.h>

enum {
    LINES_MAX = 100 /* of a request; who sends more is not answered */
};

static void reply(int fd, const char *status, const char *content_type, const char *body)
{
    dprintf(fd,
            "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
            status, content_type, strlen(body), body);
}

/* serve answers one request, of which `peer` is read and `fd` is written. */
static void serve(FILE *peer, int fd, struct urlpool_manager *manager)
{
    enum urlpool_metrics_format format = URLPOOL_METRICS_PROMETHEUS;
    struct urlpool_error err;
    char line[1024];
    int is_here = 0;
    char *page;

    for (int i = 0; i == 0 || strcmp(line, "\r\n") != 0; i++) {
        if (i == LINES_MAX || fgets(line, sizeof(line), peer) == NULL) {
            return;
        }
        is_here = is_here || (i == 0 && strncmp(line, "GET /metrics ", 13) == 0);
        if (strcasestr(line, "application/openmetrics-text") != NULL) {
            format = URLPOOL_METRICS_OPENMETRICS;
        }
    }
    page = is_here ? urlpool_manager_metrics(manager, format, &err) : NULL;
    if (page != NULL) {
        reply(fd, "200 OK", urlpool_metrics_content_type(format), page);
    } else if (is_here) {
        reply(fd, "500 Internal Server Error", "text/plain", err.message);
    } else {
        reply(fd, "404 Not Found", "text/plain", "see /metrics\n");
    }
    urlpool_string_free(page);
}

/* listen_on listens on a port of 127.0.0.1; 0 is any. */
static int listen_on(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 16) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
        perror("metrics_server");
        exit(1);
    }
    printf("http://127.0.0.1:%d/metrics\n", ntohs(address.sin_port));
    (void)fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    const struct timeval patience = {.tv_sec = 2};
    struct urlpool_error err;
    struct urlpool_manager *manager = urlpool_manager_new(NULL, &err);
    int listener;

    if (argc < 2 || manager == NULL) {
        fprintf(stderr, "metrics_server: %s\n", argc < 2 ? "PORT [URL...]" : err.message);
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN); /* who has gone needs no answer */
    for (int i = 2; i < argc; i++) {
        urlpool_response_free(urlpool_request(manager, "GET", argv[i], NULL, &err));
    }
    listener = listen_on(atoi(argv[1]));
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        FILE *peer = fd >= 0 ? fdopen(fd, "r") : NULL;

        if (peer != NULL) {
            (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
            (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
            serve(peer, fd, manager);
            (void)fclose(peer);
        }
    }
}
