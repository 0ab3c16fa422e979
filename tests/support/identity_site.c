/* The site that knows who comes: blocking sockets, a thread a connection, BoringSSL as it comes.
 *
 * A proxy dials the origin from an address of its own, 127.0.0.2 or .3, and notes under which port
 * it does so for which user, before it does. So the origin knows the way of each connection by its
 * other end alone. */

#include "support/identity_site.h"

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
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG = 512,
    HEAD_MAX = 4096,
    FIELD_MAX = 256,
    CHUNK = 16384,
    PORTS = 65536,
    ENDED_PERCENT = 4
};

struct identity_site;

/* struct door is a port that is listened at: a proxy's, or the origin's (proxy -1). */
struct door {
    struct identity_site *site;
    int proxy;
    int listener;
    uint16_t port;
    pthread_t acceptor;
};

/* struct guest is a connection. */
struct guest {
    struct door *door;
    struct guest *next, **place;
    int fd;
    SSL *ssl;
    struct identity is; /* as the origin sees it; store -1 until the first request */
};

struct identity_site {
    SSL_CTX *tls;
    struct door origin, proxies[IDENTITY_PROXIES];
    pthread_mutex_t mutex; /* of all below */
    pthread_cond_t has_left;
    struct guest *guests;
    uint64_t chance;
    struct identity_seen seen;
    signed char users[IDENTITY_PROXIES][PORTS];
};

static void must(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "identity site: %s: %s\n", what, strerror(errno));
        abort();
    }
}

struct identity identity_of(int number)
{
    struct identity identity;

    identity.user = number % IDENTITY_USERS;
    number /= IDENTITY_USERS;
    identity.proxy = number % IDENTITY_PROXIES;
    number /= IDENTITY_PROXIES;
    identity.store = number % IDENTITY_STORES;
    identity.cert = number / IDENTITY_STORES;
    return identity;
}

int identity_number(struct identity identity)
{
    return ((identity.cert * IDENTITY_STORES + identity.store) * IDENTITY_PROXIES +
            identity.proxy) *
               IDENTITY_USERS +
           identity.user;
}

static bool send_all(int fd, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0) {
        const ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);

        if (sent <= 0) {
            return false;
        }
        at += sent;
        len -= (size_t)sent;
    }
    return true;
}

static struct sockaddr_in loopback(int last_octet, uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(port),
                                .sin_addr.s_addr = htonl(0x7f000000U | (unsigned)last_octet)};
}

/* field copies the value of a field of `head`; false when there is none. */
static bool field(const char *head, const char *name, char out[FIELD_MAX])
{
    char start[64];
    const char *at;

    (void)snprintf(start, sizeof(start), "\r\n%s: ", name);
    at = strstr(head, start);
    if (at == NULL) {
        return false;
    }
    at += strlen(start);
    (void)snprintf(out, FIELD_MAX, "%.*s", (int)strcspn(at, "\r"), at);
    return true;
}

/* --- the proxies --------------------------------------------------------------------------- */

/* dial_for connects to the origin, as this proxy and for that user; -1 when it cannot. */
static int dial_for(struct guest *guest, int user)
{
    struct identity_site *site = guest->door->site;
    struct sockaddr_in from = loopback(2 + guest->door->proxy, 0);
    const struct sockaddr_in to = loopback(1, site->origin.port);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof(from);
    const int on = 1;

    must(fd >= 0 && bind(fd, (struct sockaddr *)&from, len) == 0 &&
             getsockname(fd, (struct sockaddr *)&from, &len) == 0,
         "a proxy's address");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    pthread_mutex_lock(&site->mutex);
    site->users[guest->door->proxy][ntohs(from.sin_port)] = (signed char)user;
    pthread_mutex_unlock(&site->mutex);
    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static bool carry_once(int from, int to)
{
    char bytes[CHUNK];
    const ssize_t got = recv(from, bytes, sizeof(bytes), 0);

    return got > 0 && send_all(to, bytes, (size_t)got);
}

static void carry(int client, int origin)
{
    for (;;) {
        struct pollfd fds[2] = {
            {.fd = client, .events = POLLIN},
            {.fd = origin, .events = POLLIN}
        };

        if (poll(fds, 2, -1) < 0 && errno != EINTR) {
            return;
        }
        if ((fds[0].revents != 0 && !carry_once(client, origin)) ||
            (fds[1].revents != 0 && !carry_once(origin, client))) {
            return;
        }
    }
}

static void be_proxy(struct guest *guest)
{
    static const char *const words[IDENTITY_USERS] = {"Basic dXNlcjA6c2VjcmV0MA==",
                                                      "Basic dXNlcjE6c2VjcmV0MQ=="};
    static const char granted[] = "HTTP/1.1 200 Go\r\n\r\n";
    static const char refused[] =
        "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n";
    char head[HEAD_MAX] = "";
    char said[FIELD_MAX];
    int fd;

    for (size_t len = 0; strstr(head, "\r\n\r\n") == NULL; len++) {
        if (len + 1 == sizeof(head) || recv(guest->fd, head + len, 1, 0) != 1) {
            return;
        }
    }
    for (int user = 0; user < IDENTITY_USERS; user++) {
        if (field(head, "Proxy-Authorization", said) && strcmp(said, words[user]) == 0) {
            fd = dial_for(guest, user);
            if (fd >= 0 && send_all(guest->fd, granted, sizeof(granted) - 1)) {
                carry(guest->fd, fd);
            }
            (void)close(fd);
            return;
        }
    }
    (void)send_all(guest->fd, refused, sizeof(refused) - 1);
}

/* --- the origin ---------------------------------------------------------------------------- */

/* recognise fills in who is at the other end, but for what it trusts. */
static void recognise(struct guest *guest)
{
    struct identity_site *site = guest->door->site;
    X509 *cert = SSL_get_peer_certificate(guest->ssl);
    struct sockaddr_in from;
    socklen_t len = sizeof(from);
    char name[64] = "";

    must(cert != NULL && X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName,
                                                   name, sizeof(name)) > 0,
         "a client without a certificate");
    X509_free(cert);
    must(sscanf(name, "client %d", &guest->is.cert) == 1, "a client of another name");
    must(getpeername(guest->fd, (struct sockaddr *)&from, &len) == 0, "a client's address");
    guest->is.proxy = (int)(ntohl(from.sin_addr.s_addr) & 0xff) - 2;
    guest->is.store = -1;
    pthread_mutex_lock(&site->mutex);
    guest->is.user = guest->is.proxy >= 0 && guest->is.proxy < IDENTITY_PROXIES
                         ? site->users[guest->is.proxy][ntohs(from.sin_port)]
                         : -1;
    site->seen.num_connections++;
    site->seen.num_resumed += SSL_session_reused(guest->ssl) ? 1 : 0;
    pthread_mutex_unlock(&site->mutex);
}

/* note_crossing: the mutex is held. */
static void note_crossing(struct identity_site *site, const struct guest *guest,
                          struct identity says)
{
    if (site->seen.num_crossed++ == 0) {
        (void)snprintf(site->seen.crossed, sizeof(site->seen.crossed),
                       "client %d store %d proxy %d user %d on a connection of client %d store %d "
                       "proxy %d user %d",
                       says.cert, says.store, says.proxy, says.user, guest->is.cert,
                       guest->is.store, guest->is.proxy, guest->is.user);
    }
}

/* judge holds a request against its connection, and draws what becomes of that: 0 it goes on, 1 it
 * ends with the answer, which says so, 2 which does not, 3 it ends without an answer. */
static int judge(struct guest *guest, struct identity says)
{
    struct identity_site *site = guest->door->site;
    unsigned draw;

    pthread_mutex_lock(&site->mutex);
    if (guest->is.store < 0) {
        guest->is.store = says.store; /* from now on */
    }
    if (memcmp(&guest->is, &says, sizeof(says)) != 0) {
        note_crossing(site, guest, says);
    }
    site->seen.num_requests++;
    site->chance = site->chance * 6364136223846793005U + 1442695040888963407U;
    draw = (unsigned)(site->chance >> 33) % 100;
    site->seen.num_ended += draw < ENDED_PERCENT ? 1 : 0;
    pthread_mutex_unlock(&site->mutex);
    if (draw >= ENDED_PERCENT) {
        return 0;
    }
    return draw == 0 ? 3 : 1 + (int)draw % 2;
}

static bool answer(struct guest *guest, const char *head)
{
    char identity[FIELD_MAX] = "", question[FIELD_MAX] = "", authorization[FIELD_MAX] = "none";
    char body[3 * FIELD_MAX], text[4 * FIELD_MAX];
    int len, fate;

    must(field(head, "X-Identity", identity) && field(head, "X-Question", question),
         "a request that does not say who it is");
    (void)field(head, "Authorization", authorization);
    fate = judge(guest, identity_of(atoi(identity)));
    if (fate == 3) {
        return false;
    }
    (void)snprintf(body, sizeof(body), "identity %d question %s authorization %s",
                   identity_number(guest->is), question, authorization);
    len = snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n%s\r\n%s",
                   strlen(body), fate == 1 ? "Connection: close\r\n" : "", body);
    return SSL_write(guest->ssl, text, len) == len && fate == 0;
}

static void be_origin(struct guest *guest)
{
    char head[HEAD_MAX];
    size_t len = 0;

    if (SSL_accept(guest->ssl) != 1) {
        return;
    }
    recognise(guest);
    for (;;) {
        const int got = SSL_read(guest->ssl, head + len, (int)(sizeof(head) - 1 - len));

        if (got <= 0) {
            return;
        }
        len += (size_t)got;
        head[len] = '\0';
        if (strstr(head, "\r\n\r\n") != NULL) {
            if (!answer(guest, head)) {
                (void)SSL_shutdown(guest->ssl);
                return;
            }
            len = 0;
        }
    }
}

/* --- its life ------------------------------------------------------------------------------ */

static void *run_guest(void *arg)
{
    struct guest *guest = arg;
    struct identity_site *site = guest->door->site;
    sigset_t pipe_only;

    (void)sigemptyset(&pipe_only);
    (void)sigaddset(&pipe_only, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &pipe_only, NULL);
    if (guest->ssl != NULL) {
        be_origin(guest);
    } else {
        be_proxy(guest);
    }
    ERR_clear_error();
    pthread_mutex_lock(&site->mutex);
    SSL_free(guest->ssl);
    (void)close(guest->fd);
    *guest->place = guest->next;
    if (guest->next != NULL) {
        guest->next->place = guest->place;
    }
    free(guest);
    pthread_cond_broadcast(&site->has_left);
    pthread_mutex_unlock(&site->mutex);
    return NULL;
}

static void welcome(struct door *door, int fd)
{
    struct identity_site *site = door->site;
    struct guest *guest = calloc(1, sizeof(*guest));
    pthread_t thread;
    const int on = 1;

    must(guest != NULL, "memory");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    guest->door = door;
    guest->fd = fd;
    pthread_mutex_lock(&site->mutex);
    if (door->proxy < 0) {
        guest->ssl = SSL_new(site->tls);
        must(guest->ssl != NULL && SSL_set_fd(guest->ssl, fd), "TLS");
    }
    guest->next = site->guests;
    guest->place = &site->guests;
    if (guest->next != NULL) {
        guest->next->place = &guest->next;
    }
    site->guests = guest;
    must(pthread_create(&thread, NULL, run_guest, guest) == 0 && pthread_detach(thread) == 0,
         "thread");
    pthread_mutex_unlock(&site->mutex);
}

static void *accept_all(void *arg)
{
    struct door *door = arg;

    for (;;) {
        const int fd = accept4(door->listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd >= 0) {
            welcome(door, fd);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return NULL; /* shut down by identity_site_stop */
        }
    }
}

static void open_door(struct identity_site *site, struct door *door, int proxy)
{
    struct sockaddr_in at = loopback(1, 0);
    socklen_t len = sizeof(at);

    door->site = site;
    door->proxy = proxy;
    door->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(door->listener >= 0 && bind(door->listener, (struct sockaddr *)&at, len) == 0 &&
             listen(door->listener, BACKLOG) == 0 &&
             getsockname(door->listener, (struct sockaddr *)&at, &len) == 0,
         "listen");
    door->port = ntohs(at.sin_port);
    must(pthread_create(&door->acceptor, NULL, accept_all, door) == 0, "thread");
}

static void close_door(struct door *door)
{
    (void)shutdown(door->listener, SHUT_RDWR);
    (void)pthread_join(door->acceptor, NULL);
    (void)close(door->listener);
}

struct identity_site *identity_site_start(SSL_CTX *tls, uint64_t seed)
{
    struct identity_site *site = calloc(1, sizeof(*site));

    must(site != NULL, "memory");
    site->tls = tls;
    site->chance = seed;
    must(pthread_mutex_init(&site->mutex, NULL) == 0 &&
             pthread_cond_init(&site->has_left, NULL) == 0,
         "lock");
    memset(site->users, -1, sizeof(site->users));
    open_door(site, &site->origin, -1);
    for (int i = 0; i < IDENTITY_PROXIES; i++) {
        open_door(site, &site->proxies[i], i);
    }
    return site;
}

uint16_t identity_site_port(const struct identity_site *site)
{
    return site->origin.port;
}

uint16_t identity_site_proxy_port(const struct identity_site *site, int proxy)
{
    return site->proxies[proxy].port;
}

struct identity_seen identity_site_stop(struct identity_site *site)
{
    struct identity_seen seen;

    for (int i = 0; i < IDENTITY_PROXIES; i++) {
        close_door(&site->proxies[i]);
    }
    close_door(&site->origin);
    pthread_mutex_lock(&site->mutex);
    for (const struct guest *guest = site->guests; guest != NULL; guest = guest->next) {
        (void)shutdown(guest->fd, SHUT_RDWR);
    }
    while (site->guests != NULL) {
        pthread_cond_wait(&site->has_left, &site->mutex);
    }
    seen = site->seen;
    pthread_mutex_unlock(&site->mutex);
    (void)pthread_mutex_destroy(&site->mutex);
    (void)pthread_cond_destroy(&site->has_left);
    free(site);
    return seen;
}
