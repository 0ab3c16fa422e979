/* Sockets before they are streams: made, told what the caller and we want of them, bound, and set
 * to connect. What is given for a socket is either set or the socket is not used: a request never
 * goes out by another way than the one that was asked for. */

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/count.h"
#include "base/error.h"
#include "net/tcp.h"

#define KEEPALIVE_IDLE_S     60
#define KEEPALIVE_INTERVAL_S 15
#define USER_TIMEOUT_MS      60000

/* How often a Unix-domain peer whose queue is full is tried again: no event tells of room. */
#define FULL_QUEUE_STEP_MS 5

union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
    struct sockaddr_storage storage;
};

struct urlp_peer urlp_peer_from_socket(int fd)
{
    union socket_address address;
    struct urlp_peer peer = {.port = 0};
    socklen_t len = sizeof(address);

    memset(&address, 0, sizeof(address));
    if (getpeername(fd, &address.any, &len) != 0) {
        return peer;
    }
    if (address.any.sa_family == AF_INET) {
        peer.ip.family = URLP_IP_V4;
        memcpy(peer.ip.bytes, &address.v4.sin_addr, sizeof(address.v4.sin_addr));
        peer.port = ntohs(address.v4.sin_port);
    } else if (address.any.sa_family == AF_INET6) {
        peer.ip.family = URLP_IP_V6;
        memcpy(peer.ip.bytes, &address.v6.sin6_addr, sizeof(address.v6.sin6_addr));
        peer.ip.scope_id = address.v6.sin6_scope_id;
        peer.port = ntohs(address.v6.sin6_port);
    }
    return peer;
}

static socklen_t address_of(const struct urlp_ip *ip, uint16_t port, union socket_address *out)
{
    memset(out, 0, sizeof(*out));
    if (ip->family == URLP_IP_V4) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(port);
        memcpy(&out->v4.sin_addr, ip->bytes, sizeof(out->v4.sin_addr));
        return sizeof(out->v4);
    }
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(port);
    out->v6.sin6_scope_id = ip->scope_id;
    memcpy(&out->v6.sin6_addr, ip->bytes, sizeof(out->v6.sin6_addr));
    return sizeof(out->v6);
}

/* set_extra sets the caller's own options. Like its kin below it returns 0 or an errno. */
static int set_extra(int fd, const struct urlp_tcp_options *options)
{
    for (size_t i = 0; i < options->num_extra; i++) {
        const struct urlpool_socket_option *extra = &options->extra[i];

        if (setsockopt(fd, extra->level, extra->name, &extra->value, sizeof(extra->value)) != 0) {
            return errno;
        }
    }
    return 0;
}

static int set_options(int fd, const struct urlp_tcp_options *options)
{
    int idle_s = options->keepalive_idle_s != 0 ? options->keepalive_idle_s : KEEPALIVE_IDLE_S;
    int timeout_ms = options->user_timeout_ms != 0 ? options->user_timeout_ms : USER_TIMEOUT_MS;
    const struct {
        bool is_wanted;
        int level, name, value;
    } settings[] = {
        {!options->allow_nagle, IPPROTO_TCP, TCP_NODELAY,      1                   },
        {idle_s > 0,            SOL_SOCKET,  SO_KEEPALIVE,     1                   },
        {idle_s > 0,            IPPROTO_TCP, TCP_KEEPIDLE,     idle_s              },
        {idle_s > 0,            IPPROTO_TCP, TCP_KEEPINTVL,    KEEPALIVE_INTERVAL_S},
        {timeout_ms > 0,        IPPROTO_TCP, TCP_USER_TIMEOUT, timeout_ms          },
    };

    for (size_t i = 0; i < URLP_COUNT_OF(settings); i++) {
        if (settings[i].is_wanted && setsockopt(fd, settings[i].level, settings[i].name,
                                                &settings[i].value, sizeof(int)) != 0) {
            return errno;
        }
    }
    return set_extra(fd, options);
}

/* bind_source binds the socket to the interface and the address that the caller wants it to be
 * dialled from. */
static int bind_source(int fd, const struct urlp_peer *to, const struct urlp_tcp_options *options)
{
    static const int on = 1;
    union socket_address address;
    socklen_t len;

    if (options->interface_name != NULL &&
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, options->interface_name,
                   (socklen_t)strlen(options->interface_name) + 1) != 0) {
        return errno;
    }
    if (options->source.family == URLP_IP_NONE) {
        return 0;
    }
    if (options->source.family != to->ip.family) {
        return EADDRNOTAVAIL;
    }
    /* The port is chosen when the peer is known: as many connections to each as there are ports. */
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    len = address_of(&options->source, options->source_port, &address);
    return bind(fd, &address.any, len) == 0 ? 0 : errno;
}

int urlp_tcp_start(const struct urlp_peer *to, const struct urlp_tcp_options *options, int *out_fd)
{
    union socket_address address;
    socklen_t len = address_of(&to->ip, to->port, &address);
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int os_errno;

    if (fd < 0) {
        return errno;
    }
    os_errno = set_options(fd, options);
    if (os_errno == 0) {
        os_errno = bind_source(fd, to, options);
    }
    /* An interrupted connect goes on by itself, as one in progress does. */
    if (os_errno == 0 && connect(fd, &address.any, len) != 0 && errno != EINPROGRESS &&
        errno != EINTR) {
        os_errno = errno;
    }
    if (os_errno != 0) {
        (void)close(fd);
        return os_errno;
    }
    *out_fd = fd;
    return 0;
}

/* --- Unix-domain sockets --- */

/* local_address returns the address's length, 0 when the path is too long. */
static socklen_t local_address(const char *path, union socket_address *out)
{
    size_t len = strlen(path);

    memset(out, 0, sizeof(*out));
    out->local.sun_family = AF_UNIX;
    if (len >= sizeof(out->local.sun_path)) {
        return 0;
    }
    memcpy(out->local.sun_path, path, len);
    if (path[0] == '@') {
        out->local.sun_path[0] = '\0';
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    }
    return sizeof(out->local);
}

static enum urlpool_code fail_local(const char *path, int os_errno, struct urlpool_error *err)
{
    const enum urlpool_code code =
        urlp_is_shortage(os_errno) ? URLPOOL_E_SYSTEM : URLPOOL_E_CONNECT;

    return urlp_fail_errno(err, code, URLPOOL_PHASE_CONNECT, os_errno, "connect to socket %s",
                           urlp_quote(path, strlen(path)).text);
}

/* wait_for_room waits a step for a peer whose queue is full. */
static enum urlpool_code wait_for_room(const char *path, const struct urlp_call *call,
                                       struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct pollfd token = {.fd = urlp_cancel_fd(call->cancel), .events = POLLIN};
    int wait_ms = urlp_deadline_poll_ms(call->by);

    if (wait_ms == 0) {
        return urlp_fail(err, urlp_call_timeout_code(call, URLPOOL_E_CONNECT_TIMEOUT),
                         URLPOOL_PHASE_CONNECT, "connect to socket %s: its queue stayed full",
                         urlp_quote(path, strlen(path)).text);
    }
    if (wait_ms < 0 || wait_ms > FULL_QUEUE_STEP_MS) {
        wait_ms = FULL_QUEUE_STEP_MS;
    }
    if (poll(&token, 1, wait_ms) > 0) {
        return urlp_fail(err, URLPOOL_E_CANCELLED, URLPOOL_PHASE_CONNECT,
                         "connect to socket %s: cancelled", urlp_quote(path, strlen(path)).text);
    }
    return URLPOOL_OK;
}

enum urlpool_code urlp_unix_connect(const char *path, const struct urlp_tcp_options *options,
                                    const struct urlp_call *call, int *out_fd,
                                    struct urlpool_error *err)
{
    union socket_address address;
    socklen_t len = local_address(path, &address);
    int fd = len == 0 ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int os_errno = len == 0 ? ENAMETOOLONG : (fd < 0 ? errno : set_extra(fd, options));
    enum urlpool_code code = URLPOOL_OK;

    while (os_errno == 0 && code == URLPOOL_OK && connect(fd, &address.any, len) != 0) {
        if (errno == EAGAIN) {
            code = wait_for_room(path, call, err);
        } else if (errno == EISCONN) {
            break; /* the one that was interrupted has been done */
        } else if (errno != EINTR) {
            os_errno = errno;
        }
    }
    if (os_errno != 0) {
        code = fail_local(path, os_errno, err);
    }
    if (code == URLPOOL_OK) {
        *out_fd = fd;
    } else if (fd >= 0) {
        (void)close(fd);
    }
    return code;
}
