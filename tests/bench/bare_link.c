/* A connection of the bare loops. With a floor of 2 calls the socket blocks; with one of 4 it does
 * not, as a client with deadlines has it, and poll comes before recv. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bare.h"

enum {
    PATIENCE_MS = 60000,
    FILE_PIECE = 256 << 10
};

static void wait_for(const struct link *link, short events)
{
    struct pollfd watched = {.fd = link->fd, .events = events};

    if (poll(&watched, 1, PATIENCE_MS) != 1) {
        bench_die("poll");
    }
}

struct link *link_open(struct bare *bare, const struct bench_url *url)
{
    const int one = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)url->port)};
    struct link *link = calloc(1, sizeof(*link));

    if (link == NULL || inet_pton(AF_INET, url->host, &at.sin_addr) != 1) {
        bench_die("address");
    }
    link->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (link->fd < 0 || connect(link->fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
        bench_die("connect");
    }
    if (url->tls) {
        bare_tls_begin(bare, link, url);
    }
    if (bare->job->floor == 4 && fcntl(link->fd, F_SETFL, O_NONBLOCK) != 0) {
        bench_die("fcntl");
    }
    return link;
}

void link_close(struct link *link)
{
    if (link->ssl != NULL) {
        SSL_shutdown(link->ssl);
        SSL_free(link->ssl);
    }
    close(link->fd);
    free(link);
}

void link_look(struct link *link)
{
    char byte;

    /* over TLS session tickets may lie there: it is those that SSL_read will find first */
    if (recv(link->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ? link->ssl == NULL
                                                               : errno != EAGAIN) {
        bench_die("the connection is not idle");
    }
}

void bare_tls_wait(struct link *link, int result)
{
    const int error = SSL_get_error(link->ssl, result);

    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        wait_for(link, error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT);
        return;
    }
    bench_die("TLS");
}

static size_t send_some(struct link *link, const void *data, size_t len, bool more)
{
    ssize_t n;

    if (link->ssl != NULL) {
        const int sent = SSL_write(link->ssl, data, (int)(len < FILE_PIECE ? len : FILE_PIECE));

        if (sent <= 0) {
            bare_tls_wait(link, sent);
        }
        return sent <= 0 ? 0 : (size_t)sent;
    }
    n = send(link->fd, data, len, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    if (n < 0 && errno == EAGAIN) {
        wait_for(link, POLLOUT);
        return 0;
    }
    if (n < 0) {
        bench_die("send");
    }
    return (size_t)n;
}

void link_send(struct link *link, const void *data, size_t len, bool more)
{
    for (size_t sent = 0; sent < len;) {
        sent += send_some(link, (const char *)data + sent, len - sent, more);
    }
}

void link_send_file(struct link *link, int fd, uint64_t len)
{
    static _Thread_local char piece[FILE_PIECE];
    off_t at = 0;

    while ((uint64_t)at < len) {
        const uint64_t left = len - (uint64_t)at;
        ssize_t n;

        if (link->ssl == NULL) {
            n = sendfile(link->fd, fd, &at, left);
        } else {
            n = pread(fd, piece, left < FILE_PIECE ? left : FILE_PIECE, at);
            if (n > 0) {
                link_send(link, piece, (size_t)n, true);
                at += n;
            }
        }
        if (n <= 0) {
            bench_die("file");
        }
    }
}

size_t link_receive(const struct bench_job *job, struct link *link, void *buf, size_t len)
{
    ssize_t n;

    do {
        if (job->floor == 4 && (link->ssl == NULL || SSL_pending(link->ssl) == 0)) {
            wait_for(link, POLLIN);
        }
        if (link->ssl == NULL) {
            n = recv(link->fd, buf, len, 0);
            if (n <= 0 && errno != EAGAIN) {
                bench_die("recv");
            }
        } else {
            n = SSL_read(link->ssl, buf, (int)(len < INT32_MAX ? len : INT32_MAX));
            if (n <= 0 && SSL_get_error(link->ssl, (int)n) != SSL_ERROR_WANT_READ) {
                bench_die("SSL_read");
            }
        }
    } while (n <= 0);
    return (size_t)n;
}
