/* The TLS server that tests talk to. It uses the TLS library as it comes, blocking, with its own
 * socket BIO, and none of urlpool's code: what is tested does not test itself. */

#include "support/tls_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support/tls_forge.h"
#include "support/tls_kit.h"

#define CONNECTIONS_MAX 64
#define WAIT_SECONDS    20
#define CHUNK_BYTES     16384

#define MUST(condition) must((condition), #condition, __LINE__)

struct connection {
    struct tls_server *server;
    pthread_t thread;
    SSL *ssl;
    int fd;
    struct tls_forge_secret secret;
};

struct tls_server {
    struct tls_server_options options;
    SSL_CTX *context;
    int listen_fd;
    uint16_t port;
    pthread_t thread;

    pthread_mutex_t mutex; /* of all below */
    pthread_cond_t has_ended;
    const struct test_cert *certs[8];
    struct connection connections[CONNECTIONS_MAX];
    unsigned num_ended;
    struct tls_server_seen seen;
};

static void must(bool holds, const char *what, int line)
{
    if (!holds) {
        (void)fprintf(stderr, "tls_server.c:%d: %s (errno %d)\n", line, what, errno);
        abort();
    }
}

uint8_t test_pattern(size_t offset)
{
    return (uint8_t)(offset * 7 + offset / 251);
}

static void lock(struct tls_server *server)
{
    MUST(pthread_mutex_lock(&server->mutex) == 0);
}

static void unlock(struct tls_server *server)
{
    MUST(pthread_mutex_unlock(&server->mutex) == 0);
}

/* --- what the TLS library tells ------------------------------------------------------------------
 */

static void on_info(const SSL *ssl, int type, int value)
{
    struct connection *connection = SSL_get_app_data(ssl);
    struct tls_server *server = connection->server;

    if (type != SSL_CB_READ_ALERT) {
        return;
    }
    lock(server);
    if ((value & 0xff) == SSL_AD_CLOSE_NOTIFY) {
        server->seen.num_close_notify++;
    } else {
        server->seen.alert = (uint8_t)(value & 0xff);
        (void)snprintf(server->seen.alert_text, sizeof(server->seen.alert_text), "%s",
                       SSL_alert_desc_string_long(value));
    }
    unlock(server);
}

static void on_keys(const SSL *ssl, const char *line)
{
    struct connection *connection = SSL_get_app_data(ssl);

    tls_forge_hear(&connection->secret, line);
}

static int on_alpn(SSL *ssl, const uint8_t **out, uint8_t *out_len, const uint8_t *in,
                   unsigned in_len, void *user)
{
    struct tls_server *server = user;

    (void)ssl;
    lock(server);
    (void)snprintf(server->seen.alpn, sizeof(server->seen.alpn), "%.*s", (int)in_len,
                   (const char *)in);
    unlock(server);
    if (server->options.alpn == NULL) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *out = (const uint8_t *)server->options.alpn;
    *out_len = (uint8_t)strlen(server->options.alpn);
    return SSL_TLSEXT_ERR_OK;
}

/* --- what it does with a connection -------------------------------------------------------- */

static bool put(struct connection *connection, const void *data, size_t len)
{
    const uint8_t *bytes = data;

    while (len > 0) {
        const int sent =
            SSL_write(connection->ssl, bytes, len < CHUNK_BYTES ? (int)len : CHUNK_BYTES);

        if (sent <= 0) {
            return false;
        }
        bytes += sent;
        len -= (size_t)sent;
    }
    return true;
}

static bool put_pattern(struct connection *connection, size_t len, size_t record_len)
{
    uint8_t chunk[CHUNK_BYTES];

    for (size_t at = 0; at < len;) {
        const size_t now = len - at < record_len ? len - at : record_len;

        for (size_t i = 0; i < now; i++) {
            chunk[i] = test_pattern(at + i);
        }
        if (!put(connection, chunk, now)) {
            return false;
        }
        at += now;
    }
    return true;
}

static bool take_pattern(struct connection *connection, size_t len)
{
    uint8_t chunk[CHUNK_BYTES];
    char answer[64];
    bool is_good = true;

    for (size_t at = 0; at < len;) {
        const size_t left = len - at;
        const int got =
            SSL_read(connection->ssl, chunk, left < CHUNK_BYTES ? (int)left : CHUNK_BYTES);

        if (got <= 0) {
            return false;
        }
        for (int i = 0; i < got; i++) {
            is_good = is_good && chunk[i] == test_pattern(at + (size_t)i);
        }
        at += (size_t)got;
    }
    (void)snprintf(answer, sizeof(answer), "took %zu %s\n", len, is_good ? "good" : "bad");
    return put(connection, answer, strlen(answer));
}

static void send_raw(int fd, const void *data, size_t len)
{
    (void)send(fd, data, len, MSG_NOSIGNAL);
}

static void reset(int fd)
{
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};

    MUST(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) == 0);
}

/* wait_for_end waits until the client or tls_server_stop ends the connection. */
static void wait_for_end(int fd)
{
    char bytes[256];

    while (recv(fd, bytes, sizeof(bytes), 0) > 0) {
    }
}

/* wait_for_hangup does the same without reading. */
static void wait_for_hangup(int fd)
{
    struct pollfd hangup = {.fd = fd, .events = POLLRDHUP};

    (void)poll(&hangup, 1, -1);
}

static int connect_local(uint16_t port)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    MUST(fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0);
    return fd;
}

/* carry moves bytes between the client's TLS and `fd` until one of them ends, then waits for the
 * client to end. */
static void carry(struct connection *connection, int fd)
{
    uint8_t bytes[CHUNK_BYTES];

    for (;;) {
        struct pollfd fds[2] = {
            {.fd = connection->fd, .events = POLLIN},
            {.fd = fd,             .events = POLLIN}
        };

        if (SSL_pending(connection->ssl) > 0) {
            fds[0].revents = POLLIN;
        } else if (poll(fds, 2, -1) < 0) {
            break;
        }
        if (fds[0].revents != 0) {
            const int got = SSL_read(connection->ssl, bytes, sizeof(bytes));

            if (got <= 0) {
                break;
            }
            send_raw(fd, bytes, (size_t)got);
        }
        if (fds[1].revents != 0) {
            const ssize_t got = recv(fd, bytes, sizeof(bytes), 0);

            if (got <= 0 || !put(connection, bytes, (size_t)got)) {
                break;
            }
        }
    }
    while (SSL_read(connection->ssl, bytes, sizeof(bytes)) > 0) {
    }
}

static bool tunnel(struct connection *connection, uint16_t port)
{
    const int fd = connect_local(port);

    if (put(connection, "go\n", 3)) {
        carry(connection, fd);
    }
    (void)close(fd);
    return false;
}

static bool read_line(struct connection *connection, char *out, size_t out_size)
{
    for (size_t len = 0; len < out_size; len++) {
        if (SSL_read(connection->ssl, out + len, 1) != 1) {
            return false;
        }
        if (out[len] == '\n') {
            out[len] = '\0';
            return true;
        }
    }
    return false;
}

static bool update_keys(struct connection *connection, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        if (!SSL_key_update(connection->ssl, SSL_KEY_UPDATE_NOT_REQUESTED) ||
            !tls_kit_flush(connection->ssl)) {
            return false;
        }
    }
    return true;
}

/* obey does what one line says; false when the connection is over. */
static bool obey(struct connection *connection, const char *line)
{
    static const uint8_t half_record[] = "\x17\x03\x03\x00\x40half of it";
    static const uint8_t junk_record[] = "\x17\x03\x03\x00\x20"
                                         "0123456789abcdef0123456789abcdef";
    const char *argument = strchr(line, ' ') != NULL ? strchr(line, ' ') + 1 : "";
    const size_t number = strtoul(argument, NULL, 10);

    if (strncmp(line, "echo ", 5) == 0) {
        char answer[512];

        (void)snprintf(answer, sizeof(answer), "%s\n", argument);
        return put(connection, answer, strlen(answer));
    }
    if (strncmp(line, "send ", 5) == 0) {
        return put_pattern(connection, number, CHUNK_BYTES);
    }
    if (strncmp(line, "drops ", 6) == 0) {
        return put_pattern(connection, number, 1);
    }
    if (strncmp(line, "sink ", 5) == 0) {
        return take_pattern(connection, number);
    }
    if (strncmp(line, "tunnel ", 7) == 0) {
        return tunnel(connection, (uint16_t)number);
    }
    if (strncmp(line, "updates ", 8) == 0) {
        return update_keys(connection, number);
    }
    if (strcmp(line, "update") == 0) {
        return SSL_key_update(connection->ssl, SSL_KEY_UPDATE_REQUESTED) &&
               put(connection, "updated\n", 8);
    }
    if (tls_forge_obey(connection->ssl, &connection->secret, line)) {
        wait_for_end(connection->fd);
    } else if (strcmp(line, "half") == 0) {
        send_raw(connection->fd, half_record, sizeof(half_record) - 1);
        wait_for_end(connection->fd);
    } else if (strcmp(line, "junk") == 0) {
        send_raw(connection->fd, junk_record, sizeof(junk_record) - 1);
        wait_for_end(connection->fd);
    } else if (strcmp(line, "stuck") == 0) {
        wait_for_hangup(connection->fd);
    } else if (strcmp(line, "close") == 0) {
        (void)SSL_shutdown(connection->ssl);
    } else if (strcmp(line, "farewell") == 0) {
        (void)SSL_shutdown(connection->ssl);
        wait_for_end(connection->fd);
    } else if (strcmp(line, "reset") == 0) {
        reset(connection->fd);
    } else {
        MUST(strcmp(line, "cut") == 0);
    }
    return false;
}

static void speak_tls(struct connection *connection)
{
    struct tls_server *server = connection->server;
    SSL *ssl = connection->ssl;
    const char *name;
    char line[512];

    if (SSL_accept(ssl) != 1) {
        (void)shutdown(connection->fd, SHUT_WR); /* what is left unread would make it a reset */
        wait_for_end(connection->fd);
        return;
    }
    name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    lock(server);
    server->seen.num_client_certs = tls_kit_num_peer_certs(ssl);
    server->seen.num_handshakes++;
    server->seen.num_resumed += SSL_session_reused(ssl) ? 1 : 0;
    (void)snprintf(server->seen.name, sizeof(server->seen.name), "%s", name != NULL ? name : "");
    unlock(server);
    (void)tls_kit_flush(ssl);
    while (read_line(connection, line, sizeof(line)) && obey(connection, line)) {
    }
}

static void speak_otherwise(struct connection *connection, enum tls_server_manner manner)
{
    static const char http[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    static const char garbage[] = "\xff\xfe garbage \x00\x01\x02";
    char byte;

    if (manner == TLS_SERVER_SPEAKS_HTTP) {
        send_raw(connection->fd, http, sizeof(http) - 1);
    } else if (manner == TLS_SERVER_SPEAKS_GARBAGE) {
        send_raw(connection->fd, garbage, sizeof(garbage) - 1);
    } else if (manner == TLS_SERVER_RESETS) {
        (void)recv(connection->fd, &byte, 1, 0);
        reset(connection->fd);
        return;
    } else if (manner == TLS_SERVER_CLOSES) {
        (void)recv(connection->fd, &byte, 1, 0);
        (void)shutdown(connection->fd, SHUT_WR);
    }
    /* Bytes left unread would make the end a reset. */
    wait_for_end(connection->fd);
}

static void *run_connection(void *user)
{
    struct connection *connection = user;
    struct tls_server *server = connection->server;

    if (server->options.manner == TLS_SERVER_SPEAKS_TLS) {
        speak_tls(connection);
    } else {
        speak_otherwise(connection, server->options.manner);
    }
    lock(server);
    /* Else OpenSSL takes the session for bad, and out of its cache. */
    SSL_set_shutdown(connection->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(connection->ssl);
    connection->ssl = NULL;
    (void)close(connection->fd);
    connection->fd = -1;
    server->num_ended++;
    MUST(pthread_cond_broadcast(&server->has_ended) == 0);
    unlock(server);
    ERR_clear_error();
    return NULL;
}

/* --- its life ------------------------------------------------------------------------------ */

static SSL *new_ssl(struct connection *connection)
{
    const struct test_cert *const *certs = connection->server->certs;
    SSL *ssl = SSL_new(connection->server->context);

    MUST(ssl != NULL && SSL_set_fd(ssl, connection->fd));
    SSL_set_app_data(ssl, connection);
    tls_forge_watch(ssl, &connection->secret);
    if (certs[0] != NULL) {
        MUST(SSL_use_certificate(ssl, certs[0]->x509) && SSL_use_PrivateKey(ssl, certs[0]->key));
        for (certs++; *certs != NULL; certs++) {
            MUST(SSL_add1_chain_cert(ssl, (*certs)->x509));
        }
    }
    return ssl;
}

static void *run_server(void *user)
{
    struct tls_server *server = user;
    sigset_t pipe;
    int fd;

    (void)sigemptyset(&pipe);
    (void)sigaddset(&pipe, SIGPIPE);
    MUST(pthread_sigmask(SIG_BLOCK, &pipe, NULL) == 0);
    while ((fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        const int on = 1;
        struct connection *connection;

        MUST(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
        lock(server);
        MUST(server->seen.num_connections < CONNECTIONS_MAX);
        connection = &server->connections[server->seen.num_connections++];
        connection->server = server;
        connection->fd = fd;
        connection->ssl = new_ssl(connection);
        MUST(pthread_create(&connection->thread, NULL, run_connection, connection) == 0);
        unlock(server);
    }
    return NULL;
}

/* ask_for_certs has clients show a certificate of the CA; sessions of others are not resumed. */
static void ask_for_certs(SSL_CTX *context, const struct test_cert *ca)
{
    tls_kit_take_ed25519(context);
    MUST(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca->x509));
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    MUST(SSL_CTX_set_session_id_context(context, (const uint8_t *)"clients", 7));
}

static SSL_CTX *new_context(struct tls_server *server)
{
    const struct tls_server_options *options = &server->options;
    SSL_CTX *context = tls_kit_context();

    MUST(context != NULL);
    MUST(SSL_CTX_set_min_proto_version(context, options->min_version));
    MUST(SSL_CTX_set_max_proto_version(context, options->max_version));
    SSL_CTX_set_info_callback(context, on_info);
    SSL_CTX_set_keylog_callback(context, on_keys);
    SSL_CTX_set_alpn_select_cb(context, on_alpn, server);
    if (options->client_ca != NULL) {
        ask_for_certs(context, options->client_ca);
    }
    if (options->refuses_tickets) {
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    }
    return context;
}

static void start_listening(struct tls_server *server)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);

    server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    MUST(server->listen_fd >= 0);
    MUST(bind(server->listen_fd, (struct sockaddr *)&at, sizeof(at)) == 0);
    MUST(listen(server->listen_fd, CONNECTIONS_MAX) == 0);
    MUST(getsockname(server->listen_fd, (struct sockaddr *)&at, &len) == 0);
    server->port = ntohs(at.sin_port);
}

struct tls_server *tls_server_start(const struct tls_server_options *options)
{
    struct tls_server *server = calloc(1, sizeof(*server));

    MUST(server != NULL);
    server->options = *options;
    memcpy(server->certs, options->certs, sizeof(server->certs));
    server->context = new_context(server);
    MUST(pthread_mutex_init(&server->mutex, NULL) == 0);
    MUST(pthread_cond_init(&server->has_ended, NULL) == 0);
    start_listening(server);
    MUST(pthread_create(&server->thread, NULL, run_server, server) == 0);
    return server;
}

uint16_t tls_server_port(const struct tls_server *server)
{
    return server->port;
}

void tls_server_present(struct tls_server *server, const struct test_cert *const *certs)
{
    size_t num = 0;

    lock(server);
    while (certs[num] != NULL) {
        server->certs[num] = certs[num];
        num++;
    }
    server->certs[num] = NULL;
    unlock(server);
}

struct tls_server_seen tls_server_wait(struct tls_server *server, unsigned num)
{
    struct tls_server_seen seen;
    struct timespec by;

    MUST(clock_gettime(CLOCK_REALTIME, &by) == 0);
    by.tv_sec += WAIT_SECONDS;
    lock(server);
    while (server->num_ended < num) {
        MUST(pthread_cond_timedwait(&server->has_ended, &server->mutex, &by) == 0);
    }
    seen = server->seen;
    unlock(server);
    return seen;
}

void tls_server_stop(struct tls_server *server)
{
    if (server == NULL) {
        return;
    }
    (void)shutdown(server->listen_fd, SHUT_RDWR);
    MUST(pthread_join(server->thread, NULL) == 0);
    lock(server);
    for (unsigned i = 0; i < server->seen.num_connections; i++) {
        if (server->connections[i].fd >= 0) {
            (void)shutdown(server->connections[i].fd, SHUT_RDWR);
        }
    }
    unlock(server);
    for (unsigned i = 0; i < server->seen.num_connections; i++) {
        MUST(pthread_join(server->connections[i].thread, NULL) == 0);
    }
    (void)close(server->listen_fd);
    SSL_CTX_free(server->context);
    MUST(pthread_cond_destroy(&server->has_ended) == 0);
    MUST(pthread_mutex_destroy(&server->mutex) == 0);
    free(server);
}
