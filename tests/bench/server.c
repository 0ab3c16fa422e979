/* The bench's server: one thread, epoll, fixed answers, plain and over TLS. It is there to be
 * faster than any client: small answers go out in one call, large ones by sendfile, uploads are
 * dropped without being copied.
 *
 *   bench_server [CERTIFICATE KEY]
 *
 * prints the ports "plain tls full" (`full`: TLS without tickets), or that of `plain` alone, and
 * serves until it is killed.
 */

#define _GNU_SOURCE
#include "server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    NUM_PORTS = 3, /* plain, tls, full */
    EVENTS_MAX = 256,
    BACKLOG = 16384,
    DROP_BYTES = 4 << 20,
    TLS_PIECE = 16384
};

struct door {
    int fd;
    SSL_CTX *context;
};

static int epoll_fd;
static struct door doors[NUM_PORTS];
static char scratch[DROP_BYTES];

void die(const char *what)
{
    fprintf(stderr, "bench_server: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void end(struct peer *peer)
{
    if (peer->ssl != NULL) {
        SSL_shutdown(peer->ssl);
        SSL_free(peer->ssl);
    }
    close(peer->fd);
    free(peer->text);
    free(peer);
}

static void watch(struct peer *peer, bool for_room)
{
    struct epoll_event event = {.events = for_room ? EPOLLOUT : EPOLLIN, .data.ptr = peer};

    if (peer->wants_out != for_room) {
        peer->wants_out = for_room;
        if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, peer->fd, &event) != 0) {
            die("epoll_ctl");
        }
    }
}

/* put sends bytes of memory; 0: there is no room, -1: the peer is gone. */
static ssize_t put(struct peer *peer, const void *data, size_t len, bool more)
{
    ssize_t n;

    if (peer->ssl != NULL) {
        const int sent = SSL_write(peer->ssl, data, (int)(len < TLS_PIECE ? len : TLS_PIECE));

        if (sent > 0) {
            return sent;
        }
        return SSL_get_error(peer->ssl, sent) == SSL_ERROR_WANT_WRITE ? 0 : -1;
    }
    n = send(peer->fd, data, len, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    return n < 0 && errno == EAGAIN ? 0 : n;
}

/* put_piece sends some of the content. */
static ssize_t put_piece(struct peer *peer)
{
    const uint64_t from = peer->offset % peer->content->len;
    const uint64_t there = peer->content->len - from;
    const size_t len = peer->piece_left < there ? peer->piece_left : there;
    off_t offset = (off_t)from;
    ssize_t n;

    if (peer->ssl != NULL) {
        return put(peer, peer->content->bytes + from, len, false);
    }
    n = sendfile(peer->fd, peer->content->fd, &offset, len);
    return n < 0 && errno == EAGAIN ? 0 : n;
}

/* send_some sends until all is sent (1), there is no room (0), or the peer is gone (-1). */
static int send_some(struct peer *peer)
{
    for (;;) {
        const size_t text_left = peer->text_len - peer->text_sent;
        const bool is_text = text_left > 0;
        ssize_t n;

        if (!is_text && peer->piece_left == 0) {
            if (!next_chunk(peer)) {
                return 1;
            }
            continue;
        }
        n = is_text ? put(peer, peer->text + peer->text_sent, text_left,
                          peer->piece_left > 0 || peer->chunked)
                    : put_piece(peer);
        if (n <= 0) {
            return n == 0 ? 0 : -1;
        }
        if (is_text) {
            peer->text_sent += (size_t)n;
        } else {
            peer->offset += (uint64_t)n;
            peer->piece_left -= (uint64_t)n;
        }
    }
}

/* take reads into `buf`, or drops; 0: there is nothing, -1: the peer is gone. */
static ssize_t take(struct peer *peer, void *buf, size_t len, bool drop)
{
    ssize_t n;

    if (peer->ssl != NULL) {
        const int got = SSL_read(peer->ssl, buf, (int)len);

        if (got > 0) {
            return got;
        }
        return SSL_get_error(peer->ssl, got) == SSL_ERROR_WANT_READ ? 0 : -1;
    }
    n = recv(peer->fd, buf, len, drop ? MSG_TRUNC : 0);
    if (n == 0) {
        return -1;
    }
    return n < 0 && errno == EAGAIN ? 0 : n;
}

/* begin_request looks whether a head is whole, and prepares its answer; false: not yet, or never.
 */
static bool begin_request(struct peer *peer)
{
    const char *blank = memmem(peer->in, peer->in_len, "\r\n\r\n", 4);
    const char *length;
    size_t head_len, rest;

    if (blank == NULL) {
        return false;
    }
    head_len = (size_t)(blank - peer->in) + 4;
    rest = peer->in_len - head_len;
    peer->in_len = 0;
    if (!answer(peer, head_len)) {
        return false;
    }
    length = strcasestr(peer->in, "\r\nContent-Length: ");
    peer->sink = length == NULL ? 0 : strtoull(length + strlen("\r\nContent-Length: "), NULL, 10);
    peer->sink -= rest < peer->sink ? rest : peer->sink;
    return true;
}

/* receive reads what there is; 1: an answer is to be sent, 0: wait, -1: the peer is gone. */
static int receive(struct peer *peer)
{
    ssize_t n;

    if (peer->sink == 0) {
        n = take(peer, peer->in + peer->in_len, sizeof(peer->in) - peer->in_len, false);
        if (n <= 0) {
            return (int)n;
        }
        peer->in_len += (size_t)n;
        if (!begin_request(peer)) {
            return 0;
        }
    }
    while (peer->sink > 0) {
        n = take(peer, scratch, peer->sink < DROP_BYTES ? peer->sink : DROP_BYTES, true);
        if (n <= 0) {
            return (int)n;
        }
        peer->sink -= (uint64_t)n;
    }
    return 1;
}

static void serve(struct peer *peer)
{
    int done;

    if (!peer->wants_out) {
        done = receive(peer);
        if (done <= 0) {
            if (done < 0) {
                end(peer);
            }
            return;
        }
    }
    done = send_some(peer);
    if (done < 0 || (done > 0 && peer->closes)) {
        end(peer);
        return;
    }
    watch(peer, done == 0);
}

static void welcome(const struct door *door)
{
    const int one = 1;
    struct peer *peer;
    struct epoll_event event = {.events = EPOLLIN};
    const int fd = accept4(door->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0) {
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    peer = calloc(1, sizeof(*peer));
    if (peer == NULL || (peer->text = malloc(TEXT_BYTES)) == NULL) {
        die("memory");
    }
    peer->fd = fd;
    if (door->context != NULL) {
        peer->ssl = SSL_new(door->context);
        if (peer->ssl == NULL || SSL_set_fd(peer->ssl, fd) != 1) {
            die("SSL_new");
        }
        SSL_set_accept_state(peer->ssl);
    }
    event.data.ptr = peer;
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        die("epoll_ctl");
    }
}

static SSL_CTX *make_context(const char *certificate, const char *key, bool with_tickets)
{
    SSL_CTX *context = SSL_CTX_new(TLS_method());

    if (context == NULL || SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
        die("certificate");
    }
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (!with_tickets) {
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    }
    return context;
}

/* open_door listens on all addresses: each of 127.0.0.0/8 is an origin of its own. */
static int open_door(struct door *door, SSL_CTX *context)
{
    const int one = 1;
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t at_len = sizeof(at);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = door};

    door->context = context;
    door->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(door->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(door->fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(door->fd, BACKLOG) != 0 ||
        getsockname(door->fd, (struct sockaddr *)&at, &at_len) != 0 ||
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, door->fd, &event) != 0) {
        die("listen");
    }
    return ntohs(at.sin_port);
}

static bool is_door(const void *one)
{
    return one >= (const void *)doors && one < (const void *)(doors + NUM_PORTS);
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS_MAX];
    struct rlimit files;

    if (argc != 1 && argc != 3) {
        fprintf(stderr, "usage: bench_server [CERTIFICATE KEY]\n");
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    content_letters();
    printf("%d", open_door(&doors[0], NULL));
    for (int i = 1; i < NUM_PORTS && argc == 3; i++) {
        printf(" %d", open_door(&doors[i], make_context(argv[1], argv[2], i == 1)));
    }
    printf("\n");
    fflush(stdout);
    for (;;) {
        const int num = epoll_wait(epoll_fd, events, EVENTS_MAX, -1);

        for (int i = 0; i < num; i++) {
            if (is_door(events[i].data.ptr)) {
                welcome(events[i].data.ptr);
            } else {
                serve(events[i].data.ptr);
            }
        }
    }
}
