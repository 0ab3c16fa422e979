/* The demonstration's server: HTTP/1.1 with keep-alive, GET and HEAD of anything, the same small
 * page every time. It is there to be fetched from by this very program, and no more than that. */

#include "demo_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "demo_certificate.h"
#include "say.h"
#include "text.h"

enum {
    HEAD_MAX = 16384,
    BACKLOG = 256,
    BODY_LEN = 1024
};

struct listener {
    struct pf_demo_server *server;
    int fd, port;
    bool is_https, is_running;
    pthread_t thread;
};

/* One connection. */
struct peer {
    struct pf_demo_server *server;
    struct peer *next;
    int fd;
    SSL *ssl; /* NULL: plain */
    pthread_t thread;
};

struct pf_demo_server {
    struct listener listeners[2]; /* HTTP, HTTPS */
    SSL_CTX *context;
    char *ca_pem;
    struct pf_text answer; /* head and body */
    size_t head_len;
    pthread_mutex_t mutex;
    struct {
        struct peer *peers;
        bool is_stopping;
    } locked;
};

/* --- one connection -------------------------------------------------------------------------- */

static ssize_t peer_read(struct peer *peer, char *buf, size_t len)
{
    if (peer->ssl != NULL) {
        return SSL_read(peer->ssl, buf, (int)len);
    }
    return recv(peer->fd, buf, len, 0);
}

static bool peer_write(struct peer *peer, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t written = peer->ssl != NULL ? SSL_write(peer->ssl, data, (int)len)
                                            : send(peer->fd, data, len, MSG_NOSIGNAL);
        if (written <= 0) {
            return false;
        }
        data += written;
        len -= (size_t)written;
    }
    return true;
}

/* answer_heads answers every whole request head in `buf`; returns how many bytes are left, or -1.
 */
static ssize_t answer_heads(struct peer *peer, char *buf, size_t len)
{
    const struct pf_demo_server *server = peer->server;

    for (;;) {
        const char *end = memmem(buf, len, "\r\n\r\n", 4);
        size_t head_len = end != NULL ? (size_t)(end - buf) + 4 : 0;
        bool is_head = head_len > 5 && memcmp(buf, "HEAD ", 5) == 0;

        if (end == NULL) {
            return (ssize_t)len;
        }
        if (!peer_write(peer, server->answer.data,
                        is_head ? server->head_len : server->answer.len)) {
            return -1;
        }
        len -= head_len;
        memmove(buf, buf + head_len, len);
    }
}

/* answer_all answers requests until the peer goes away, or its head is too long. */
static void answer_all(struct peer *peer, char *buf)
{
    ssize_t kept = 0;

    while (kept >= 0 && kept < HEAD_MAX) {
        ssize_t got = peer_read(peer, buf + kept, (size_t)(HEAD_MAX - kept));

        if (got <= 0) {
            return;
        }
        kept = answer_heads(peer, buf, (size_t)(kept + got));
    }
}

static void *serve(void *arg)
{
    struct peer *peer = arg;
    char *buf = pf_alloc(HEAD_MAX);

    if (peer->ssl == NULL || SSL_accept(peer->ssl) == 1) {
        answer_all(peer, buf);
    }
    free(buf);
    (void)shutdown(peer->fd, SHUT_RDWR); /* it is closed when the server stops */
    return NULL;
}

/* --- connections ----------------------------------------------------------------------------- */

static void free_peer(struct peer *peer)
{
    SSL_free(peer->ssl);
    (void)close(peer->fd);
    free(peer);
}

/* welcome starts a thread for a connection, or closes it. */
static void welcome(struct listener *listener, int fd)
{
    struct pf_demo_server *server = listener->server;
    struct peer *peer = pf_alloc(sizeof(*peer));
    int on = 1;
    bool is_served = true;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    *peer = (struct peer){.server = server, .fd = fd};
    if (listener->is_https) {
        peer->ssl = SSL_new(server->context);
        is_served = peer->ssl != NULL && SSL_set_fd(peer->ssl, fd) == 1;
    }
    (void)pthread_mutex_lock(&server->mutex);
    if (is_served && !server->locked.is_stopping &&
        pthread_create(&peer->thread, NULL, serve, peer) == 0) {
        peer->next = server->locked.peers;
        server->locked.peers = peer;
        peer = NULL;
    }
    (void)pthread_mutex_unlock(&server->mutex);
    if (peer != NULL) {
        free_peer(peer);
    }
}

static void *accept_all(void *arg)
{
    struct listener *listener = arg;

    for (;;) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);

        if (fd < 0) {
            return NULL; /* the listener was shut down */
        }
        welcome(listener, fd);
    }
}

static bool listen_on(struct listener *listener)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);

    listener->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener->fd < 0 || bind(listener->fd, (struct sockaddr *)&address, len) != 0 ||
        listen(listener->fd, BACKLOG) != 0 ||
        getsockname(listener->fd, (struct sockaddr *)&address, &len) != 0) {
        return false;
    }
    listener->port = ntohs(address.sin_port);
    listener->is_running = pthread_create(&listener->thread, NULL, accept_all, listener) == 0;
    return listener->is_running;
}

static void make_answer(struct pf_demo_server *server)
{
    pf_text_addf(&server->answer,
                 "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n",
                 BODY_LEN);
    server->head_len = server->answer.len;
    for (int i = 0; i < BODY_LEN; i++) {
        const char byte = (char)(i % 64 == 63 ? '\n' : 'a' + i % 26);
        pf_text_add(&server->answer, &byte, 1);
    }
}

struct pf_demo_server *pf_demo_server_start(void)
{
    struct pf_demo_server *server = pf_alloc(sizeof(*server));
    bool is_up = true;

    (void)pthread_mutex_init(&server->mutex, NULL);
    make_answer(server);
    server->context = pf_demo_context(&server->ca_pem);
    for (int i = 0; i < 2; i++) {
        server->listeners[i] = (struct listener){.server = server, .fd = -1, .is_https = i == 1};
    }
    is_up = server->context != NULL && server->ca_pem != NULL;
    for (int i = 0; i < 2 && is_up; i++) {
        is_up = listen_on(&server->listeners[i]);
    }
    if (!is_up) {
        pf_say("(7) cannot start a server on 127.0.0.1");
        pf_demo_server_stop(server);
        return NULL;
    }
    return server;
}

static void stop_listener(struct listener *listener)
{
    if (listener->is_running) {
        (void)shutdown(listener->fd, SHUT_RDWR);
        (void)pthread_join(listener->thread, NULL);
    }
    if (listener->fd >= 0) {
        (void)close(listener->fd);
    }
}

void pf_demo_server_stop(struct pf_demo_server *server)
{
    struct peer *peers;

    if (server == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&server->mutex);
    server->locked.is_stopping = true;
    (void)pthread_mutex_unlock(&server->mutex);
    for (int i = 0; i < 2; i++) {
        stop_listener(&server->listeners[i]);
    }
    (void)pthread_mutex_lock(&server->mutex);
    peers = server->locked.peers;
    (void)pthread_mutex_unlock(&server->mutex);
    while (peers != NULL) {
        struct peer *peer = peers;

        peers = peer->next;
        (void)shutdown(peer->fd, SHUT_RDWR);
        (void)pthread_join(peer->thread, NULL);
        free_peer(peer);
    }
    (void)pthread_mutex_destroy(&server->mutex);
    SSL_CTX_free(server->context);
    pf_text_free(&server->answer);
    free(server->ca_pem);
    free(server);
}

int pf_demo_server_port(const struct pf_demo_server *server, bool https)
{
    return server->listeners[https ? 1 : 0].port;
}

const char *pf_demo_server_ca(const struct pf_demo_server *server)
{
    return server->ca_pem;
}
