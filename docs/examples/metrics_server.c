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
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>
#include <urlpool/urlpool.h>

/* send_all sends `len` bytes, or as many as the peer wants. */
static void send_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);

        if (sent <= 0) {
            return;
        }
        data += sent;
        len -= (size_t)sent;
    }
}

static void reply(int fd, const char *status, const char *content_type, const char *body)
{
    char head[256];
    int len = snprintf(head, sizeof(head),
                       "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                       "Connection: close\r\n\r\n",
                       status, content_type, strlen(body));

    send_all(fd, head, (size_t)len);
    send_all(fd, body, strlen(body));
}

/* read_head reads a request up to its empty line; false: it is none, too long, or too slow. */
static int read_head(int fd, char *head, size_t size)
{
    size_t len = 0;

    while (len < size - 1) {
        ssize_t got = recv(fd, head + len, size - 1 - len, 0);

        if (got <= 0) {
            return 0;
        }
        len += (size_t)got;
        head[len] = '\0';
        if (strstr(head, "\r\n\r\n") != NULL) {
            return 1;
        }
    }
    return 0;
}

static void serve_one(int fd, struct urlpool_manager *manager)
{
    const struct timeval patience = {.tv_sec = 2};
    enum urlpool_metrics_format format = URLPOOL_METRICS_PROMETHEUS;
    struct urlpool_error err;
    char head[8192];
    char *page;

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (!read_head(fd, head, sizeof(head))) {
        return;
    }
    if (strncmp(head, "GET /metrics ", 13) != 0) {
        reply(fd, "404 Not Found", "text/plain", "see /metrics\n");
        return;
    }
    if (strcasestr(head, "application/openmetrics-text") != NULL) {
        format = URLPOOL_METRICS_OPENMETRICS;
    }
    page = urlpool_manager_metrics(manager, format, &err);
    if (page == NULL) {
        reply(fd, "500 Internal Server Error", "text/plain", err.message);
        return;
    }
    reply(fd, "200 OK", urlpool_metrics_content_type(format), page);
    urlpool_string_free(page);
}

/* listen_on listens on a port of 127.0.0.1; 0 is any. */
static int listen_on(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int yes = 1;

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

static void fetch(struct urlpool_manager *manager, const char *url)
{
    struct urlpool_error err;
    struct urlpool_response *response = urlpool_request(manager, "GET", url, NULL, &err);

    if (response == NULL) {
        fprintf(stderr, "metrics_server: %s: %s\n", url, err.message);
    }
    urlpool_response_free(response);
}

int main(int argc, char **argv)
{
    struct urlpool_error err;
    struct urlpool_manager *manager = urlpool_manager_new(NULL, &err);
    int listener;

    if (argc < 2 || manager == NULL) {
        fprintf(stderr, "metrics_server: %s\n", argc < 2 ? "PORT [URL...]" : err.message);
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        fetch(manager, argv[i]);
    }
    listener = listen_on(atoi(argv[1]));
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd >= 0) {
            serve_one(fd, manager);
            (void)close(fd);
        }
    }
}
