/* The scripted HTTP server of the end to end tests: blocking sockets, a thread a connection. It
 * knows just enough HTTP to tell one request from the next, with code of its own, so that a fault
 * in the library's codec cannot hide in it. */

#include "support/http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/no_fork.h"
#include "support/tls_kit.h"
#include "support/tls_socket.h"

enum {
    BACKLOG = 512,
    REQUEST_MAX = 64 << 20
};

enum ending {
    STAYS,
    CLOSES,
    CUTS,
    RESETS
};

struct test_peer {
    struct test_server *server;
    struct test_peer *next;
    pthread_t thread;
    SSL *ssl; /* NULL: plain */
    int fd;
    unsigned connection;
    enum ending ending;
    bool is_over;
    char *in; /* received and not yet used */
    size_t in_len, in_cap;
};

struct test_server {
    test_answer_fn answer;
    void *user;
    struct test_server_options options;
    int listener;
    int port;
    pthread_t acceptor;
    pthread_mutex_t mutex;
    struct test_peer *peers;
    unsigned num_connections, num_requests, num_open, peak;
    bool stopping;
    char *last_head;
};

static void die(const char *what)
{
    fprintf(stderr, "test server: %s: %s\n", what, strerror(errno));
    abort();
}

static void *must(void *pointer)
{
    if (pointer == NULL) {
        die("memory");
    }
    return pointer;
}

static ssize_t receive(struct test_peer *peer, void *data, size_t len)
{
    int got;

    if (peer->ssl == NULL) {
        return recv(peer->fd, data, len, 0);
    }
    urlp_no_fork_begin();
    got = SSL_read(peer->ssl, data, (int)len);
    urlp_no_fork_end();
    return got;
}

static ssize_t transmit(struct test_peer *peer, const void *data, size_t len)
{
    int put;

    if (peer->ssl == NULL) {
        return send(peer->fd, data, len, MSG_NOSIGNAL);
    }
    urlp_no_fork_begin();
    put = SSL_write(peer->ssl, data, (int)(len > 1 << 20 ? 1 << 20 : len));
    urlp_no_fork_end();
    return put;
}

void test_peer_send(struct test_peer *peer, const void *data, size_t len)
{
    const char *bytes = data;

    while (len > 0) {
        ssize_t n = transmit(peer, bytes, len);

        if (n <= 0) {
            return; /* the client is gone, which many a test wants */
        }
        bytes += n;
        len -= (size_t)n;
    }
}

void test_peer_send_text(struct test_peer *peer, const char *text)
{
    test_peer_send(peer, text, strlen(text));
}

void test_peer_reply(struct test_peer *peer, int status, const char *fields, const char *body)
{
    const char *more = fields != NULL ? fields : "";
    size_t size = strlen(more) + strlen(body) + 128;
    char *text = must(malloc(size));
    int len = snprintf(text, size, "HTTP/1.1 %d Because\r\nContent-Length: %zu\r\n%s\r\n%s", status,
                       strlen(body), more, body);

    test_peer_send(peer, text, (size_t)len);
    free(text);
}

size_t test_peer_receive(struct test_peer *peer, void *data, size_t len)
{
    ssize_t n;

    if (peer->in_len > 0) {
        len = len < peer->in_len ? len : peer->in_len;
        memcpy(data, peer->in, len);
        memmove(peer->in, peer->in + len, peer->in_len - len + 1);
        peer->in_len -= len;
        return len;
    }
    n = receive(peer, data, len);
    return n > 0 ? (size_t)n : 0;
}

void test_peer_close(struct test_peer *peer)
{
    peer->ending = CLOSES;
}

void test_peer_cut(struct test_peer *peer)
{
    peer->ending = CUTS;
}

void test_peer_reset(struct test_peer *peer)
{
    peer->ending = RESETS;
}

void test_peer_stay(struct test_peer *peer)
{
    char trash[4096];

    while (receive(peer, trash, sizeof(trash)) > 0) {
        /* not listening */
    }
    peer->ending = CUTS;
}

bool test_peer_hears_nothing(struct test_peer *peer, int wait_ms)
{
    struct pollfd fd = {.fd = peer->fd, .events = POLLIN};

    return peer->in_len == 0 && (peer->ssl == NULL || SSL_pending(peer->ssl) == 0) &&
           poll(&fd, 1, wait_ms) == 0;
}

/* fill reads more; false at the end of the stream. */
static bool fill(struct test_peer *peer)
{
    ssize_t n;

    if (peer->in_cap - peer->in_len < 65536) {
        peer->in_cap = peer->in_cap * 2 + 65537;
        peer->in = must(realloc(peer->in, peer->in_cap));
    }
    if (peer->in_len > REQUEST_MAX) {
        return false;
    }
    n = receive(peer, peer->in + peer->in_len, peer->in_cap - peer->in_len - 1);
    if (n <= 0) {
        return false;
    }
    peer->in_len += (size_t)n;
    peer->in[peer->in_len] = '\0';
    return true;
}

/* value_of finds a field of a head, in lower case or any. NULL: absent. */
static const char *value_of(const char *head, const char *name)
{
    size_t len = strlen(name);

    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, len) == 0 && line[2 + len] == ':') {
            return line + 2 + len + 1 + strspn(line + 2 + len + 1, " \t");
        }
    }
    return NULL;
}

/* take_sized appends the next `len` bytes after `*used` to the body. */
static bool take_sized(struct test_peer *peer, size_t *used, size_t len, char **body,
                       size_t *body_len)
{
    while (peer->in_len - *used < len) {
        if (!fill(peer)) {
            return false;
        }
    }
    *body = must(realloc(*body, *body_len + len + 1));
    memcpy(*body + *body_len, peer->in + *used, len);
    *body_len += len;
    *used += len;
    return true;
}

/* take_line reads the next line; `*out_len` is its length without its end. */
static bool take_line(struct test_peer *peer, size_t *used, const char **out_line, size_t *out_len)
{
    const char *end;

    while (peer->in_len == *used || (end = strstr(peer->in + *used, "\r\n")) == NULL) {
        if (!fill(peer)) {
            return false;
        }
    }
    *out_line = peer->in + *used;
    *out_len = (size_t)(end - *out_line);
    *used += *out_len + 2;
    return true;
}

static bool take_chunked(struct test_peer *peer, size_t *used, char **body, size_t *body_len)
{
    const char *line;
    size_t len;

    while (take_line(peer, used, &line, &len)) {
        const size_t size = strtoul(line, NULL, 16);

        while (size == 0 && len > 0) { /* trailers, up to an empty line */
            if (!take_line(peer, used, &line, &len)) {
                return false;
            }
        }
        if (size == 0) {
            return true;
        }
        if (!take_sized(peer, used, size + 2, body, body_len)) {
            return false;
        }
        *body_len -= 2;
    }
    return false;
}

/* take_request reads one request and answers it; false when the client has gone. */
static bool take_request(struct test_peer *peer, unsigned number)
{
    struct test_server *server = peer->server;
    char *end;
    char *head;
    char *body = NULL;
    size_t body_len = 0;
    size_t used;
    bool whole = true;
    char method[64] = "";
    char *target;

    while (peer->in_len == 0 || (end = strstr(peer->in, "\r\n\r\n")) == NULL) {
        if (!fill(peer)) {
            return false;
        }
    }
    used = (size_t)(end + 4 - peer->in);
    head = must(strndup(peer->in, used));
    if (server->options.says_continue && value_of(head, "Expect") != NULL) {
        test_peer_send_text(peer, "HTTP/1.1 100 Continue\r\n\r\n");
    }
    if (!server->options.leave_body) {
        const char *length = value_of(head, "Content-Length");

        if (value_of(head, "Transfer-Encoding") != NULL) {
            whole = take_chunked(peer, &used, &body, &body_len);
        } else if (length != NULL) {
            whole = take_sized(peer, &used, strtoul(length, NULL, 10), &body, &body_len);
        }
    }
    target = must(calloc(1, strlen(head) + 1));
    (void)sscanf(head, "%63[^ ] %[^ ]", method, target);
    pthread_mutex_lock(&server->mutex);
    server->num_requests++;
    free(server->last_head);
    server->last_head = must(strdup(head));
    pthread_mutex_unlock(&server->mutex);
    if (whole) {
        const struct test_request request = {.method = method,
                                             .target = target,
                                             .head = head,
                                             .body = (const uint8_t *)body,
                                             .body_len = body_len,
                                             .connection = peer->connection,
                                             .number = number};
        memmove(peer->in, peer->in + used, peer->in_len - used + 1);
        peer->in_len -= used;
        server->answer(peer, &request, server->user);
    }
    free(target);
    free(head);
    free(body);
    return whole && peer->ending == STAYS;
}

static void part(struct test_peer *peer)
{
    if (peer->ssl != NULL && peer->ending == CLOSES) {
        urlp_no_fork_begin();
        (void)SSL_shutdown(peer->ssl);
        urlp_no_fork_end();
    }
    if (peer->ending == RESETS) {
        const struct linger now = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    } else {
        (void)shutdown(peer->fd, SHUT_WR);
    }
}

static void *serve(void *arg)
{
    struct test_peer *peer = arg;
    struct test_server *server = peer->server;
    bool ready = true;
    sigset_t pipe_only;

    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_only, NULL); /* here only: the library must do without */
    if (peer->ssl != NULL) {
        urlp_no_fork_begin();
        ready = SSL_accept(peer->ssl) == 1;
        (void)tls_kit_flush(peer->ssl);
        urlp_no_fork_end();
    }
    for (unsigned number = 1; ready && take_request(peer, number); number++) {
        /* the next one */
    }
    part(peer);
    urlp_no_fork_begin();
    pthread_mutex_lock(&server->mutex);
    if (peer->ssl != NULL) { /* else OpenSSL takes the session for bad */
        SSL_set_shutdown(peer->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
    SSL_free(peer->ssl);
    peer->ssl = NULL;
    urlp_no_fork_end();
    close(peer->fd);
    peer->fd = -1;
    peer->is_over = true;
    server->num_open--;
    pthread_mutex_unlock(&server->mutex);
    free(peer->in);
    return NULL;
}

static void welcome(struct test_server *server, int fd)
{
    struct test_peer *peer = must(calloc(1, sizeof(*peer)));
    const int on = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    peer->server = server;
    peer->fd = fd;
    if (server->options.tls != NULL) {
        urlp_no_fork_begin();
        peer->ssl = must(SSL_new(server->options.tls));
        test_tls_socket(peer->ssl, fd);
        urlp_no_fork_end();
    }
    pthread_mutex_lock(&server->mutex);
    peer->connection = ++server->num_connections;
    server->num_open++;
    if (server->num_open > server->peak) {
        server->peak = server->num_open;
    }
    peer->next = server->peers;
    server->peers = peer;
    if (pthread_create(&peer->thread, NULL, serve, peer) != 0) {
        die("thread");
    }
    pthread_mutex_unlock(&server->mutex);
}

/* reap joins the threads of connections that are over, so that there may be any number of them. */
static void reap(struct test_server *server)
{
    struct test_peer *over = NULL;
    struct test_peer **link;

    pthread_mutex_lock(&server->mutex);
    for (link = &server->peers; *link != NULL;) {
        struct test_peer *peer = *link;

        if (!peer->is_over) {
            link = &peer->next;
            continue;
        }
        *link = peer->next;
        peer->next = over;
        over = peer;
    }
    pthread_mutex_unlock(&server->mutex);
    while (over != NULL) {
        struct test_peer *peer = over;

        over = peer->next;
        pthread_join(peer->thread, NULL);
        free(peer);
    }
}

static void *accept_all(void *arg)
{
    struct test_server *server = arg;

    for (;;) {
        int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            reap(server);
            welcome(server, fd);
        } else if (errno == EMFILE) {
            (void)poll(NULL, 0, 5); /* a test that took every descriptor will give them back */
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return NULL; /* shut down by test_server_stop */
        }
    }
}

/* listen_at opens the listener and notes its port. */
static void listen_at(struct test_server *server, const char *ip, uint16_t port, bool is_kept)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    const bool is_v6 = strchr(ip, ':') != NULL;
    struct sockaddr *address = is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
    socklen_t len = is_v6 ? sizeof(v6) : sizeof(v4);
    void *bytes = is_v6 ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr;

    server->listener = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (is_kept) {
        (void)setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
        (void)setsockopt(server->listener, SOL_SOCKET, SO_REUSEPORT, &(int){1}, sizeof(int));
    }
    if (server->listener < 0 || inet_pton(address->sa_family, ip, bytes) != 1 ||
        bind(server->listener, address, len) != 0 || listen(server->listener, BACKLOG) != 0 ||
        getsockname(server->listener, address, &len) != 0) {
        die("listen");
    }
    server->port = ntohs(is_v6 ? v6.sin6_port : v4.sin_port);
}

/* listen_local opens a listener at an abstract path, "@name". */
static void listen_local(struct test_server *server, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const size_t len = strlen(path);

    memcpy(address.sun_path + 1, path + 1, len - 1);
    server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server->listener < 0 ||
        bind(server->listener, (struct sockaddr *)&address,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) != 0 ||
        listen(server->listener, BACKLOG) != 0) {
        die("listen");
    }
}

struct test_server *test_server_start(test_answer_fn answer, void *user,
                                      const struct test_server_options *options)
{
    struct test_server *server = must(calloc(1, sizeof(*server)));

    server->answer = answer;
    server->user = user;
    if (options != NULL) {
        server->options = *options;
    }
    if (server->options.local_path != NULL) {
        listen_local(server, server->options.local_path);
    } else {
        listen_at(server, server->options.ip != NULL ? server->options.ip : "127.0.0.1",
                  server->options.port, server->options.keeps_port);
    }
    pthread_mutex_init(&server->mutex, NULL);
    if (pthread_create(&server->acceptor, NULL, accept_all, server) != 0) {
        die("thread");
    }
    return server;
}

void test_server_stop(struct test_server *server)
{
    if (server == NULL) {
        return;
    }
    (void)shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->acceptor, NULL);
    close(server->listener);
    pthread_mutex_lock(&server->mutex);
    for (struct test_peer *peer = server->peers; peer != NULL; peer = peer->next) {
        if (!peer->is_over) {
            (void)shutdown(peer->fd, SHUT_RDWR);
        }
    }
    pthread_mutex_unlock(&server->mutex);
    while (server->peers != NULL) {
        struct test_peer *peer = server->peers;
        server->peers = peer->next;
        pthread_join(peer->thread, NULL);
        free(peer);
    }
    pthread_mutex_destroy(&server->mutex);
    free(server->last_head);
    free(server);
}

int test_server_port(const struct test_server *server)
{
    return server->port;
}

const char *test_server_url(const struct test_server *server, const char *path, char *out,
                            size_t out_size)
{
    snprintf(out, out_size, "%s://127.0.0.1:%d%s", server->options.tls != NULL ? "https" : "http",
             server->port, path);
    return out;
}

static unsigned look(struct test_server *server, const unsigned *figure)
{
    unsigned value;

    pthread_mutex_lock(&server->mutex);
    value = *figure;
    pthread_mutex_unlock(&server->mutex);
    return value;
}

unsigned test_server_num_connections(struct test_server *server)
{
    return look(server, &server->num_connections);
}

unsigned test_server_num_requests(struct test_server *server)
{
    return look(server, &server->num_requests);
}

unsigned test_server_peak_connections(struct test_server *server)
{
    return look(server, &server->peak);
}

unsigned test_server_num_open(struct test_server *server)
{
    return look(server, &server->num_open);
}

char *test_server_last_head(struct test_server *server)
{
    char *head;

    pthread_mutex_lock(&server->mutex);
    head = must(strdup(server->last_head != NULL ? server->last_head : ""));
    pthread_mutex_unlock(&server->mutex);
    return head;
}
