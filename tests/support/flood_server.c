/* The server that never ends: a process that accepts, and one for each connection. Each ends with
 * the one that began it, and with the test's. */

#include "support/flood_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/loopback.h"

enum {
    PIECE_BYTES = 16384,
    LIFE_S = 120 /* of a process, whatever happens */
};

/* What is not ended by then never will be. */
#define FLOOD_BYTES_MAX ((uint64_t)1 << 36)

struct flood_shared {
    _Atomic unsigned num_connections;
    _Atomic uint64_t num_bytes;
    atomic_bool goes;
};

struct flood_server {
    int listener;
    uint16_t port;
    pid_t pid;
    struct flood_shared *shared;
};

struct flood_peer {
    struct flood_shared *shared;
    int fd;
    SSL *ssl; /* NULL: plain */
};

static void die(const char *what)
{
    fprintf(stderr, "flood server: %s: %s\n", what, strerror(errno));
    abort();
}

static ssize_t receive(struct flood_peer *peer, void *data, size_t len)
{
    return peer->ssl != NULL ? SSL_read(peer->ssl, data, (int)len) : recv(peer->fd, data, len, 0);
}

bool flood_say(struct flood_peer *peer, const void *data, size_t len)
{
    const char *bytes = data;

    while (len > 0) {
        ssize_t n = peer->ssl != NULL ? SSL_write(peer->ssl, bytes, (int)len)
                                      : send(peer->fd, bytes, len, MSG_NOSIGNAL);

        if (n <= 0) {
            return false;
        }
        atomic_fetch_add(&peer->shared->num_bytes, (uint64_t)n);
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

bool flood_say_text(struct flood_peer *peer, const char *text)
{
    return flood_say(peer, text, strlen(text));
}

void flood_for_ever(struct flood_peer *peer, const void *unit, size_t len)
{
    const size_t times = len < PIECE_BYTES ? PIECE_BYTES / len : 1;
    char *piece = malloc(times * len);
    uint64_t said = 0;

    if (piece == NULL) {
        die("memory");
    }
    for (size_t i = 0; i < times; i++) {
        memcpy(piece + i * len, unit, len);
    }
    while (said < FLOOD_BYTES_MAX && flood_say(peer, piece, times * len)) {
        said += times * len;
    }
    free(piece);
}

bool flood_slowly(struct flood_peer *peer, const void *data, size_t len, int gap_ms)
{
    const char *bytes = data;

    for (size_t i = 0; i < len; i++) {
        if (!flood_say(peer, bytes + i, 1)) {
            return false;
        }
        (void)poll(NULL, 0, gap_ms);
    }
    return true;
}

bool flood_hear(struct flood_peer *peer, char *head, size_t size)
{
    size_t len = 0;

    while (len + 1 < size) {
        if (receive(peer, head + len, 1) <= 0) {
            return false;
        }
        head[++len] = '\0';
        if (len >= 4 && memcmp(head + len - 4, "\r\n\r\n", 4) == 0) {
            return true;
        }
    }
    return false;
}

bool flood_hear_some(struct flood_peer *peer)
{
    char trash[4096];

    return receive(peer, trash, sizeof(trash)) > 0;
}

void flood_stay(struct flood_peer *peer)
{
    while (flood_hear_some(peer)) {
        /* not listening */
    }
}

void flood_await_go(struct flood_peer *peer)
{
    while (!atomic_load(&peer->shared->goes)) {
        (void)poll(NULL, 0, 1);
    }
}

int flood_fd(const struct flood_peer *peer)
{
    return peer->fd;
}

/* serve is the life of one connection's process. */
static void serve(const struct flood_server *server, int fd, flood_act_fn act, const void *user,
                  SSL_CTX *tls)
{
    struct flood_peer peer = {.shared = server->shared, .fd = fd};
    const int on = 1;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)alarm(LIFE_S);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (tls != NULL) {
        peer.ssl = SSL_new(tls);
        (void)SSL_set_fd(peer.ssl, fd);
        if (SSL_accept(peer.ssl) != 1) {
            _exit(0);
        }
    }
    act(&peer, user);
    (void)shutdown(fd, SHUT_RDWR);
    _exit(0);
}

/* accept_all is the life of the server's process. */
static void accept_all(const struct flood_server *server, flood_act_fn act, const void *user,
                       SSL_CTX *tls)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)alarm(LIFE_S);
    (void)signal(SIGCHLD, SIG_IGN); /* nobody waits for them */
    (void)signal(SIGPIPE, SIG_IGN); /* BoringSSL writes without MSG_NOSIGNAL */
    for (;;) {
        int fd = accept(server->listener, NULL, NULL);

        if (fd < 0) {
            _exit(0);
        }
        atomic_fetch_add(&server->shared->num_connections, 1);
        if (fork() == 0) {
            (void)close(server->listener);
            serve(server, fd, act, user, tls);
        }
        (void)close(fd);
    }
}

struct flood_server *flood_server_start(flood_act_fn act, const void *user, void *tls)
{
    struct flood_server *server = calloc(1, sizeof(*server));

    if (server == NULL) {
        die("memory");
    }
    server->listener = loopback_listen("127.0.0.1", 0);
    server->port = loopback_port(server->listener);
    server->shared = mmap(NULL, sizeof(*server->shared), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (server->shared == MAP_FAILED) {
        die("mmap");
    }
    (void)fflush(NULL);
    server->pid = fork();
    if (server->pid < 0) {
        die("fork");
    }
    if (server->pid == 0) {
        accept_all(server, act, user, tls);
    }
    (void)close(server->listener);
    return server;
}

void flood_server_stop(struct flood_server *server)
{
    (void)kill(server->pid, SIGKILL);
    (void)waitpid(server->pid, NULL, 0);
    (void)munmap(server->shared, sizeof(*server->shared));
    free(server);
}

uint16_t flood_server_port(const struct flood_server *server)
{
    return server->port;
}

unsigned flood_server_num_connections(const struct flood_server *server)
{
    return atomic_load(&server->shared->num_connections);
}

uint64_t flood_server_num_bytes(const struct flood_server *server)
{
    return atomic_load(&server->shared->num_bytes);
}

void flood_server_go(struct flood_server *server)
{
    atomic_store(&server->shared->goes, true);
}
