/* Plain sockets on loopback, for tests that need a peer which refuses, ignores or resets. */

#include "support/loopback.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    ACCEPT_MS = 10000,
    PORT_FIRST = 10000,
    PORT_LAST = 32767, /* where Linux begins to give ports by itself */
    PORT_TRIES = 100,
    BACKLOG = 64
};

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static void die(const char *what)
{
    perror(what);
    abort();
}

static socklen_t make_address(const char *ip, uint16_t port, union address *out)
{
    memset(out, 0, sizeof(*out));
    if (inet_pton(AF_INET, ip, &out->v4.sin_addr) == 1) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(port);
        return sizeof(out->v4);
    }
    if (inet_pton(AF_INET6, ip, &out->v6.sin6_addr) != 1) {
        die("loopback: not an address");
    }
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(port);
    return sizeof(out->v6);
}

static int bind_to(const char *ip, uint16_t port)
{
    const int on = 1;
    union address address;
    socklen_t len = make_address(ip, port, &address);
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, &address.any, len) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* any_port is one that no connection is given by itself: so it stays free for a second address, or
 * for a server that is started again. */
static uint16_t any_port(void)
{
    uint16_t number;

    if (getrandom(&number, sizeof(number), 0) != sizeof(number)) {
        die("loopback: getrandom");
    }
    return (uint16_t)(PORT_FIRST + number % (PORT_LAST - PORT_FIRST + 1));
}

static int try_bind(const char *ip, uint16_t port)
{
    int fd = -1;

    if (port != 0) {
        return bind_to(ip, port);
    }
    for (int i = 0; i < PORT_TRIES && fd < 0 && (i == 0 || errno == EADDRINUSE); i++) {
        fd = bind_to(ip, any_port());
    }
    return fd;
}

int loopback_bind(const char *ip, uint16_t port)
{
    int fd = try_bind(ip, port);

    if (fd < 0) {
        die("loopback: bind");
    }
    return fd;
}

bool loopback_is_free(const char *ip, uint16_t port)
{
    const int fd = bind_to(ip, port);

    if (fd >= 0) {
        (void)close(fd);
    }
    return fd >= 0;
}

int loopback_hold(const char *ip, uint16_t port)
{
    const int on = 1;
    int fd = -1;

    for (int i = 0; i < PORT_TRIES && fd < 0 && (i == 0 || errno == EADDRINUSE); i++) {
        union address address;
        const socklen_t len = make_address(ip, port != 0 ? port : any_port(), &address);

        fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
        if (bind(fd, &address.any, len) != 0) {
            (void)close(fd);
            fd = -1;
        }
    }
    if (fd < 0) {
        die("loopback: hold");
    }
    return fd;
}

static int listen_with(const char *ip, uint16_t port, int backlog)
{
    int fd = loopback_bind(ip, port);

    if (listen(fd, backlog) != 0) {
        die("loopback: listen");
    }
    return fd;
}

int loopback_listen(const char *ip, uint16_t port)
{
    return listen_with(ip, port, BACKLOG);
}

uint16_t loopback_port(int fd)
{
    union address address;
    socklen_t len = sizeof(address);

    if (getsockname(fd, &address.any, &len) != 0) {
        die("loopback: getsockname");
    }
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

static int connect_to(const char *ip, uint16_t port)
{
    union address address;
    socklen_t len = make_address(ip, port, &address);
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, &address.any, len) != 0) {
        die("loopback: connect");
    }
    return fd;
}

/* A queue of length 0 takes one connection, and Linux drops every SYN after it. */
struct loopback_hole loopback_hole_open(const char *ip, uint16_t port)
{
    struct loopback_hole hole = {.listener = listen_with(ip, port, 0)};

    hole.filler = connect_to(ip, loopback_port(hole.listener));
    return hole;
}

void loopback_hole_close(struct loopback_hole *hole)
{
    (void)close(hole->listener);
    (void)close(hole->filler);
}

int loopback_accept(int listener)
{
    struct pollfd ready = {.fd = listener, .events = POLLIN};
    int fd;

    if (poll(&ready, 1, ACCEPT_MS) != 1) {
        die("loopback: nobody connects");
    }
    fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) {
        die("loopback: accept");
    }
    return fd;
}

void loopback_reset(int fd)
{
    const struct linger at_once = {1, 0};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    (void)close(fd);
}

void loopback_pair(int out_fds[2])
{
    int listener = loopback_listen("127.0.0.1", 0);

    out_fds[0] = connect_to("127.0.0.1", loopback_port(listener));
    out_fds[1] = loopback_accept(listener);
    if (fcntl(out_fds[0], F_SETFL, O_NONBLOCK) != 0) {
        die("loopback: fcntl");
    }
    (void)close(listener);
}

bool loopback_has_v6(void)
{
    int fd = try_bind("::1", 0);

    if (fd < 0) {
        return false;
    }
    (void)close(fd);
    return true;
}

unsigned loopback_num_fds(void)
{
    DIR *folder = opendir("/proc/self/fd");
    unsigned num = 0;

    if (folder == NULL) {
        die("loopback: /proc/self/fd");
    }
    while (readdir(folder) != NULL) {
        num++;
    }
    (void)closedir(folder);
    return num - 3; /* ".", ".." and the folder's own */
}

void loopback_allow_fds(bool allow)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        die("loopback: getrlimit");
    }
    limit.rlim_cur = allow ? limit.rlim_max : 0;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        die("loopback: setrlimit");
    }
}

bool loopback_leaks_on_exec(void)
{
    for (int fd = 3; fd < 256; fd++) {
        struct stat about;

        if (fstat(fd, &about) == 0 && S_ISSOCK(about.st_mode) &&
            (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) {
            return true;
        }
    }
    return false;
}
