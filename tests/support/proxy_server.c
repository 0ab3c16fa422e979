/* The scripted proxy: blocking sockets, a thread a connection, BoringSSL as it comes. Its SOCKS is
 * written from RFC 1928, RFC 1929 and the notes on SOCKS4 and 4a a second time, on purpose. */

#include "support/proxy_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/tls_kit.h"

enum {
    CLIENTS_MAX = 4096,
    SEEN_MAX = 8192,
    HEAD_MAX = 8192,
    CHUNK = 16384
};

struct client {
    struct proxy_server *server;
    pthread_t thread;
    SSL *ssl; /* NULL: plain */
    int fd;   /* -1: over */
    char user[600];
};

struct proxy_server {
    struct proxy_server_options options;
    int listener;
    uint16_t port;
    pthread_t acceptor;
    pthread_mutex_t mutex; /* of all below */
    struct client clients[CLIENTS_MAX];
    unsigned num_clients; /* that there ever were */
    unsigned num_seats;   /* of `clients` in use */
    char seen[SEEN_MAX];
    char last_head[HEAD_MAX];
};

static void must(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "proxy server: %s: %s\n", what, strerror(errno));
        abort();
    }
}

/* --- bytes to and from the client --- */

static bool take(struct client *client, void *data, size_t len)
{
    unsigned char *at = data;

    while (len > 0) {
        ssize_t got = client->ssl != NULL ? SSL_read(client->ssl, at, (int)len)
                                          : recv(client->fd, at, len, 0);

        if (got <= 0) {
            return false;
        }
        at += got;
        len -= (size_t)got;
    }
    return true;
}

static bool put(struct client *client, const void *data, size_t len)
{
    const unsigned char *at = data;

    while (len > 0) {
        ssize_t sent = client->ssl != NULL ? SSL_write(client->ssl, at, (int)len)
                                           : send(client->fd, at, len, MSG_NOSIGNAL);

        if (sent <= 0) {
            return false;
        }
        at += sent;
        len -= (size_t)sent;
    }
    return true;
}

/* say puts an answer of the proxy's own. */
static bool say(struct client *client, const void *data, size_t len)
{
    const unsigned char *at = data;

    if (client->server->options.manner != PROXY_DRIPS) {
        return put(client, data, len);
    }
    for (; len > 0; at++, len--) {
        if (!put(client, at, 1)) {
            return false;
        }
    }
    return true;
}

/* take_text reads up to a NUL. */
static bool take_text(struct client *client, char *out, size_t out_size)
{
    for (size_t len = 0; len < out_size; len++) {
        if (!take(client, out + len, 1)) {
            return false;
        }
        if (out[len] == '\0') {
            return true;
        }
    }
    return false;
}

/* take_string reads a length and so many bytes. */
static bool take_string(struct client *client, char *out)
{
    unsigned char len;

    if (!take(client, &len, 1) || !take(client, out, len)) {
        return false;
    }
    out[len] = '\0';
    return true;
}

static void wait_for_end(struct client *client)
{
    char bytes[256];

    while (recv(client->fd, bytes, sizeof(bytes), 0) > 0) {
        /* not listening */
    }
}

/* --- what was asked --- */

static void note(struct client *client, const char *how, const char *host, unsigned port)
{
    struct proxy_server *server = client->server;
    size_t len;

    pthread_mutex_lock(&server->mutex);
    len = strlen(server->seen);
    (void)snprintf(server->seen + len, SEEN_MAX - len, "%s%s:%u%s%s\n", how, host, port,
                   client->user[0] != '\0' ? " user " : "", client->user);
    pthread_mutex_unlock(&server->mutex);
}

/* --- the tunnel --- */

static int connect_local(unsigned port)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;

    must(fd >= 0, "socket");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* carry moves bytes both ways until one side ends. */
static void carry(struct client *client, int fd)
{
    char bytes[CHUNK];

    for (;;) {
        struct pollfd fds[2] = {
            {.fd = client->fd, .events = POLLIN},
            {.fd = fd,         .events = POLLIN}
        };
        bool is_pending = client->ssl != NULL && SSL_pending(client->ssl) > 0;
        ssize_t got;

        if (!is_pending && poll(fds, 2, -1) < 0) {
            return;
        }
        if (is_pending || fds[0].revents != 0) {
            got = client->ssl != NULL ? SSL_read(client->ssl, bytes, sizeof(bytes))
                                      : recv(client->fd, bytes, sizeof(bytes), 0);
            if (got <= 0 || send(fd, bytes, (size_t)got, MSG_NOSIGNAL) != got) {
                return;
            }
        }
        if (fds[1].revents != 0) {
            got = recv(fd, bytes, sizeof(bytes), 0);
            if (got <= 0 || !put(client, bytes, (size_t)got)) {
                return;
            }
        }
    }
}

/* grant says `yes` and carries, or says `no` when there is nobody at `port`. */
static void grant(struct client *client, unsigned port, const void *yes, size_t yes_len,
                  const void *no, size_t no_len)
{
    const int fd = connect_local(port);
    char byte;

    if (fd < 0) {
        (void)say(client, no, no_len);
        return;
    }
    if (say(client, yes, yes_len)) {
        if (client->server->options.manner == PROXY_DIES) {
            (void)take(client, &byte, 1);
        } else {
            carry(client, fd);
        }
    }
    (void)close(fd);
}

/* --- the protocols --- */

static void serve_socks4(struct client *client)
{
    const struct proxy_server_options *options = &client->server->options;
    unsigned char fixed[7]; /* command, port, address */
    unsigned char reply[8] = {0, 0x5a};
    const unsigned char no[8] = {0, 0x5b};
    char host[256];
    unsigned port;
    bool is_4a;

    if (!take(client, fixed, 7) || !take_text(client, client->user, sizeof(client->user))) {
        return;
    }
    port = (unsigned)fixed[1] << 8 | fixed[2];
    is_4a = fixed[3] == 0 && fixed[4] == 0 && fixed[5] == 0 && fixed[6] != 0;
    (void)snprintf(host, sizeof(host), "%u.%u.%u.%u", fixed[3], fixed[4], fixed[5], fixed[6]);
    if (fixed[0] != 1 || (is_4a && !take_text(client, host, sizeof(host)))) {
        return;
    }
    note(client, is_4a ? "socks4a " : "socks4 ", host, port);
    if (options->user != NULL && strcmp(options->user, client->user) != 0) {
        reply[1] = 0x5d;
    } else if (options->refuses_with != 0) {
        reply[1] = (unsigned char)options->refuses_with;
    }
    if (reply[1] != 0x5a) {
        (void)say(client, reply, sizeof(reply));
        return;
    }
    grant(client, port, reply, sizeof(reply), no, sizeof(no));
}

/* agree holds the first part of SOCKS5: who asks. */
static bool agree(struct client *client)
{
    const struct proxy_server_options *options = &client->server->options;
    char methods[256] = "", user[256], password[256];
    unsigned char answer[2] = {5, options->user != NULL ? 2 : 0};
    unsigned char num, version;

    if (!take(client, &num, 1) || !take(client, methods, num)) {
        return false;
    }
    if (memchr(methods, answer[1], num) == NULL) {
        answer[1] = 0xff;
    }
    if (!say(client, answer, 2) || answer[1] == 0xff) {
        return false;
    }
    if (answer[1] == 0) {
        return true;
    }
    if (!take(client, &version, 1) || version != 1 || !take_string(client, user) ||
        !take_string(client, password)) {
        return false;
    }
    (void)snprintf(client->user, sizeof(client->user), "%s:%s", user, password);
    answer[0] = 1;
    answer[1] = strcmp(user, options->user) != 0 || strcmp(password, options->password) != 0;
    return say(client, answer, 2) && answer[1] == 0;
}

static bool take_address(struct client *client, unsigned char type, char host[256])
{
    unsigned char address[16];

    if (type == 3) {
        return take_string(client, host);
    }
    return take(client, address, type == 1 ? 4 : 16) &&
           inet_ntop(type == 1 ? AF_INET : AF_INET6, address, host, 256) != NULL;
}

static void serve_socks5(struct client *client)
{
    const int refuses_with = client->server->options.refuses_with;
    unsigned char head[4], port[2];
    const unsigned char yes[] = {5, 0, 0, 3, 5, 'b', 'o', 'u', 'n', 'd', 4, 56};
    const unsigned char no[] = {5, 5, 0, 1, 0, 0, 0, 0, 0, 0};
    const unsigned char refusal[] = {5, (unsigned char)refuses_with, 0, 1, 0, 0, 0, 0, 0, 0};
    char host[256];

    if (!agree(client) || !take(client, head, 4) || head[0] != 5 || head[1] != 1 || head[2] != 0 ||
        (head[3] != 1 && head[3] != 3 && head[3] != 4) || !take_address(client, head[3], host) ||
        !take(client, port, 2)) {
        return;
    }
    note(client,
         head[3] == 3   ? "socks5 name "
         : head[3] == 1 ? "socks5 v4 "
                        : "socks5 v6 ",
         host, (unsigned)port[0] << 8 | port[1]);
    if (refuses_with != 0) {
        (void)say(client, refusal, sizeof(refusal));
        return;
    }
    grant(client, (unsigned)port[0] << 8 | port[1], yes, sizeof(yes), no, sizeof(no));
}

/* serve_connect reads the head of a CONNECT, of which `first` is there. */
static void serve_connect(struct client *client, char first)
{
    static const char yes[] = "HTTP/1.1 200 Connection established\r\nX-Exit: here\r\n\r\n";
    static const char no[] = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n";
    static const char who[] = "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic\r\n"
                              "Content-Length: 3\r\n\r\nwho";
    const struct proxy_server_options *options = &client->server->options;
    char head[HEAD_MAX] = {first};
    char host[256], refusal[64];
    unsigned port = 0;
    size_t len = 1;

    while (len + 1 < sizeof(head) && strstr(head, "\r\n\r\n") == NULL) {
        if (!take(client, head + len, 1)) {
            return;
        }
        len++;
    }
    if (sscanf(head, "CONNECT [%255[^]]]:%u", host, &port) != 2 &&
        sscanf(head, "CONNECT %255[^:]:%u", host, &port) != 2) {
        return;
    }
    pthread_mutex_lock(&client->server->mutex);
    memcpy(client->server->last_head, head, sizeof(head));
    pthread_mutex_unlock(&client->server->mutex);
    note(client, "connect ", host, port);
    if (options->answer != NULL && strncmp(options->answer, "HTTP/1.1 2", 10) != 0) {
        (void)say(client, options->answer, strlen(options->answer));
    } else if (options->answer != NULL) {
        grant(client, port, options->answer, strlen(options->answer), no, sizeof(no) - 1);
    } else if (options->authorization != NULL && strstr(head, options->authorization) == NULL) {
        (void)say(client, who, sizeof(who) - 1);
    } else if (options->refuses_with != 0) {
        (void)snprintf(refusal, sizeof(refusal), "HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n",
                       options->refuses_with);
        (void)say(client, refusal, strlen(refusal));
    } else {
        grant(client, port, yes, sizeof(yes) - 1, no, sizeof(no) - 1);
    }
}

/* --- its life --- */

static void serve(struct client *client)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    const enum proxy_manner manner = client->server->options.manner;
    char first;

    if (manner == PROXY_STALLS) {
        wait_for_end(client);
        return;
    }
    if ((client->ssl != NULL && SSL_accept(client->ssl) != 1) || !take(client, &first, 1)) {
        return;
    }
    if (client->ssl != NULL) {
        (void)tls_kit_flush(client->ssl);
    }
    if (manner == PROXY_GARBLES) {
        (void)put(client, "\xff\xfe garbage\r\n\r\n", 14);
        wait_for_end(client);
    } else if (manner == PROXY_RESETS) {
        (void)setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    } else if (manner == PROXY_CLOSES) {
        (void)shutdown(client->fd, SHUT_WR);
        wait_for_end(client);
    } else if (first == 4) {
        serve_socks4(client);
    } else if (first == 5) {
        serve_socks5(client);
    } else {
        serve_connect(client, first);
    }
}

static void *run_client(void *arg)
{
    struct client *client = arg;
    sigset_t pipe_only;

    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_only, NULL);
    serve(client);
    pthread_mutex_lock(&client->server->mutex);
    if (client->ssl != NULL) { /* else OpenSSL takes the session for bad */
        SSL_set_shutdown(client->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
    SSL_free(client->ssl);
    client->ssl = NULL;
    (void)close(client->fd);
    client->fd = -1;
    pthread_mutex_unlock(&client->server->mutex);
    ERR_clear_error();
    return NULL;
}

/* find_seat returns one that is over, or a new one. Under the mutex. */
static struct client *find_seat(struct proxy_server *server)
{
    for (unsigned i = 0; i < server->num_seats; i++) {
        if (server->clients[i].fd < 0) {
            (void)pthread_join(server->clients[i].thread, NULL); /* it needs the mutex no more */
            memset(&server->clients[i], 0, sizeof(server->clients[i]));
            return &server->clients[i];
        }
    }
    must(server->num_seats < CLIENTS_MAX, "too many connections");
    return &server->clients[server->num_seats++];
}

static void welcome(struct proxy_server *server, int fd)
{
    struct client *client;
    const int on = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    pthread_mutex_lock(&server->mutex);
    client = find_seat(server);
    server->num_clients++;
    client->server = server;
    client->fd = fd;
    if (server->options.tls != NULL) {
        client->ssl = SSL_new(server->options.tls);
        must(client->ssl != NULL && SSL_set_fd(client->ssl, fd), "TLS");
    }
    must(pthread_create(&client->thread, NULL, run_client, client) == 0, "thread");
    pthread_mutex_unlock(&server->mutex);
}

static void *accept_all(void *arg)
{
    struct proxy_server *server = arg;

    for (;;) {
        int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd >= 0) {
            welcome(server, fd);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return NULL; /* shut down by proxy_server_stop */
        }
    }
}

struct proxy_server *proxy_server_start(const struct proxy_server_options *options)
{
    struct proxy_server *server = calloc(1, sizeof(*server));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);

    must(server != NULL, "memory");
    if (options != NULL) {
        server->options = *options;
    }
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(server->listener >= 0 &&
             bind(server->listener, (struct sockaddr *)&address, sizeof(address)) == 0 &&
             listen(server->listener, CLIENTS_MAX) == 0 &&
             getsockname(server->listener, (struct sockaddr *)&address, &len) == 0,
         "listen");
    server->port = ntohs(address.sin_port);
    must(pthread_mutex_init(&server->mutex, NULL) == 0 &&
             pthread_create(&server->acceptor, NULL, accept_all, server) == 0,
         "thread");
    return server;
}

void proxy_server_stop(struct proxy_server *server)
{
    if (server == NULL) {
        return;
    }
    (void)shutdown(server->listener, SHUT_RDWR);
    (void)pthread_join(server->acceptor, NULL);
    (void)close(server->listener);
    pthread_mutex_lock(&server->mutex);
    for (unsigned i = 0; i < server->num_seats; i++) {
        if (server->clients[i].fd >= 0) {
            (void)shutdown(server->clients[i].fd, SHUT_RDWR);
        }
    }
    pthread_mutex_unlock(&server->mutex);
    for (unsigned i = 0; i < server->num_seats; i++) {
        (void)pthread_join(server->clients[i].thread, NULL);
    }
    (void)pthread_mutex_destroy(&server->mutex);
    free(server);
}

uint16_t proxy_server_port(const struct proxy_server *server)
{
    return server->port;
}

static char *copy(struct proxy_server *server, const char *text)
{
    char *result;

    pthread_mutex_lock(&server->mutex);
    result = strdup(text);
    pthread_mutex_unlock(&server->mutex);
    must(result != NULL, "memory");
    return result;
}

char *proxy_server_seen(struct proxy_server *server)
{
    return copy(server, server->seen);
}

char *proxy_server_last_head(struct proxy_server *server)
{
    return copy(server, server->last_head);
}

unsigned proxy_server_num_connections(struct proxy_server *server)
{
    unsigned num;

    pthread_mutex_lock(&server->mutex);
    num = server->num_clients;
    pthread_mutex_unlock(&server->mutex);
    return num;
}
