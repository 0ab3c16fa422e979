/* A TCP connection as a stream. Sockets never block: waiting is poll over {socket[, cancel token]}
 * with what is left of the deadline, so a bound is exact and a cancel is never lost.
 *
 * A read polls first and then receives, since the answer to a request is almost never there yet; it
 * receives first only when the last read came back full and nothing was written since. A write
 * sends first. No call raises SIGPIPE or shows EINTR; sendfile, which knows no MSG_NOSIGNAL, is
 * called with the signal held back. */

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/error.h"
#include "base/fork.h"
#include "base/own_fd.h"
#include "base/sync.h"
#include "net/tcp.h"

/* Runs go to the kernel as they are. */
static_assert(sizeof(struct urlp_iovec) == sizeof(struct iovec), "same size");
static_assert(offsetof(struct urlp_iovec, data) == offsetof(struct iovec, iov_base), "same place");
static_assert(offsetof(struct urlp_iovec, len) == offsetof(struct iovec, iov_len), "same place");

struct tcp_stream {
    struct urlp_stream stream; /* first, so that the one casts to the other */
    struct urlp_peer peer;
    int fd;
    uint64_t generation; /* of the process it belongs to; in a child, `fd` is another's */
    int look_errno;      /* what a look or sendfile met: the kernel tells of it once, and a read
                            has to */
    bool may_hold_more;  /* the last read came back full, and nothing was written since */
};

/* What differs between waiting to read and waiting to write. */
struct direction {
    short events;
    enum urlpool_phase phase;
    enum urlpool_code timeout_code;
    const char *verb;
    const char *complaint;
};
static const struct direction reading = {POLLIN, URLPOOL_PHASE_BODY, URLPOOL_E_READ_TIMEOUT,
                                         "read from", "sent nothing in time"};
static const struct direction writing = {POLLOUT, URLPOOL_PHASE_SEND, URLPOOL_E_WRITE_TIMEOUT,
                                         "write to", "took no bytes in time"};

void urlp_peer_format(const struct urlp_peer *peer, char out[URLP_PEER_TEXT_MAX])
{
    char ip[URLP_IP_TEXT_MAX];
    char zone[sizeof("%4294967295")] = "";

    if (peer->ip.family == URLP_IP_NONE) {
        (void)snprintf(out, URLP_PEER_TEXT_MAX, "peer");
        return;
    }
    urlp_ip_format(&peer->ip, ip);
    if (peer->ip.scope_id != 0) {
        (void)snprintf(zone, sizeof(zone), "%%%u", (unsigned)peer->ip.scope_id);
    }
    (void)snprintf(out, URLP_PEER_TEXT_MAX, peer->ip.family == URLP_IP_V6 ? "[%s%s]:%u" : "%s%s:%u",
                   ip, zone, (unsigned)peer->port);
}

static enum urlpool_code fail_cancelled(const struct tcp_stream *tcp, const struct direction *way,
                                        struct urlpool_error *err)
{
    char peer[URLP_PEER_TEXT_MAX];

    urlp_peer_format(&tcp->peer, peer);
    return urlp_fail(err, URLPOOL_E_CANCELLED, way->phase, "%s %s: cancelled", way->verb, peer);
}

static enum urlpool_code fail_timeout(const struct tcp_stream *tcp, const struct direction *way,
                                      const struct urlp_call *call, struct urlpool_error *err)
{
    char peer[URLP_PEER_TEXT_MAX];

    urlp_peer_format(&tcp->peer, peer);
    return urlp_fail(err, urlp_call_timeout_code(call, way->timeout_code), way->phase, "%s %s",
                     peer, way->complaint);
}

/* A socket that broke is a RESET whatever the errno; the rest is trouble of this machine. */
static enum urlpool_code fail_errno(const struct tcp_stream *tcp, const struct direction *way,
                                    int os_errno, struct urlpool_error *err)
{
    char peer[URLP_PEER_TEXT_MAX];
    enum urlpool_code code = URLPOOL_E_RESET;

    urlp_peer_format(&tcp->peer, peer);
    if (os_errno == ENOMEM || os_errno == ENOBUFS || os_errno == EBADF || os_errno == EFAULT ||
        os_errno == EINVAL) {
        code = URLPOOL_E_SYSTEM;
    }
    return urlp_fail_errno(err, code, way->phase, os_errno, "%s %s", way->verb, peer);
}

static enum urlpool_code fail_forked(const struct tcp_stream *tcp, const struct direction *way,
                                     struct urlpool_error *err)
{
    char peer[URLP_PEER_TEXT_MAX];

    urlp_peer_format(&tcp->peer, peer);
    return urlp_fail(err, URLPOOL_E_FORKED, way->phase,
                     "%s %s: the connection belongs to the parent process", way->verb, peer);
}

/* wait_for waits until the socket is ready in the way asked, cancelled, or `call->by`. */
static enum urlpool_code wait_for(const struct tcp_stream *tcp, const struct direction *way,
                                  const struct urlp_call *call, struct urlpool_error *err)
{
    struct pollfd fds[2] = {
        {.fd = tcp->fd,                      .events = way->events},
        {.fd = urlp_cancel_fd(call->cancel), .events = POLLIN     }
    };
    nfds_t num_fds = call->cancel != NULL ? 2 : 1;

    if (urlp_fork_has_happened(tcp->generation)) {
        return fail_forked(tcp, way, err);
    }
    for (;;) {
        int wait_ms = urlp_deadline_poll_ms(call->by);
        int num_ready;

        if (wait_ms == 0) {
            return fail_timeout(tcp, way, call, err);
        }
        num_ready = poll(fds, num_fds, wait_ms);
        if (num_ready < 0 && errno != EINTR) {
            return fail_errno(tcp, way, errno, err);
        }
        if (num_ready > 0 && fds[1].revents != 0) {
            return fail_cancelled(tcp, way, err);
        }
        if (num_ready > 0) {
            return URLPOOL_OK;
        }
    }
}

/* check_now is what wait_for checks, where bytes can be moved without a wait: a peer that never
 * stops sending must not outlast the deadline. */
static enum urlpool_code check_now(const struct tcp_stream *tcp, const struct direction *way,
                                   const struct urlp_call *call, struct urlpool_error *err)
{
    if (urlp_fork_has_happened(tcp->generation)) {
        return fail_forked(tcp, way, err);
    }
    if (call->cancel != NULL && urlpool_cancel_is_set(call->cancel)) {
        return fail_cancelled(tcp, way, err);
    }
    if (call->by.at_ns != URLP_AT_ONCE.at_ns && urlp_deadline_has_passed(call->by)) {
        return fail_timeout(tcp, way, call, err);
    }
    return URLPOOL_OK;
}

static enum urlpool_code tcp_read(struct urlp_stream *stream, void *data, size_t len,
                                  size_t *out_len, enum urlp_end *out_end,
                                  const struct urlp_call *call, struct urlpool_error *err)
{
    struct tcp_stream *tcp = (struct tcp_stream *)stream;
    const bool waits = !tcp->may_hold_more && call->by.at_ns != URLP_AT_ONCE.at_ns;
    enum urlpool_code code =
        waits ? wait_for(tcp, &reading, call, err) : check_now(tcp, &reading, call, err);

    while (code == URLPOOL_OK) {
        ssize_t got = recv(tcp->fd, data, len, 0);

        if (got == 0 && tcp->look_errno != 0) {
            return fail_errno(tcp, &reading, tcp->look_errno, err);
        }
        if (got >= 0) {
            tcp->may_hold_more = (size_t)got == len;
            *out_len = (size_t)got;
            *out_end = got == 0 ? URLP_END_CLEAN : URLP_END_NONE;
            URLP_COUNT(call, bytes_received, (uint64_t)got);
            return URLPOOL_OK;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return fail_errno(tcp, &reading, errno, err);
        }
        code = wait_for(tcp, &reading, call, err);
    }
    return code;
}

static enum urlpool_code tcp_write(struct urlp_stream *stream, const struct urlp_iovec *runs,
                                   size_t num_runs, size_t *out_written,
                                   const struct urlp_call *call, struct urlpool_error *err)
{
    struct tcp_stream *tcp = (struct tcp_stream *)stream;
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)runs,
                             .msg_iovlen = num_runs < IOV_MAX ? num_runs : IOV_MAX};
    enum urlpool_code code = check_now(tcp, &writing, call, err);

    tcp->may_hold_more = false;
    while (code == URLPOOL_OK) {
        ssize_t sent = sendmsg(tcp->fd, &message, MSG_NOSIGNAL);

        if (sent >= 0) {
            *out_written = (size_t)sent;
            URLP_COUNT(call, bytes_sent, (uint64_t)sent);
            return URLPOOL_OK;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return fail_errno(tcp, &writing, errno, err);
        }
        code = wait_for(tcp, &writing, call, err);
    }
    return code;
}

/* is_about_the_file tells what sendfile says of a file that it cannot take, or cannot read, from
 * what it says of the socket. */
static bool is_about_the_file(int os_errno)
{
    return os_errno == EINVAL || os_errno == ENOSYS || os_errno == EIO || os_errno == EBADF ||
           os_errno == EOVERFLOW || os_errno == ESPIPE || os_errno == EPERM;
}

/* send_file_quietly is sendfile without its signal. The kernel moves sixteen pages in one go; when
 * a go behind others of the same call fails, a short count is all it says, and the error is gone
 * with the reset that it told of. So whatever came short is asked for again, and a failure behind
 * bytes that went is kept for the next read, as one that a look met is. */
static ssize_t send_file_quietly(struct tcp_stream *tcp, int fd, int64_t at, size_t len)
{
    struct urlp_sigpipe hold;
    size_t total = 0;
    ssize_t sent;

    urlp_sigpipe_hold(&hold);
    do {
        off_t offset = (off_t)at + (off_t)total; /* ours: the descriptor's is left alone */

        sent = sendfile(tcp->fd, fd, &offset, len - total);
        total += sent > 0 ? (size_t)sent : 0;
    } while (sent > 0 && total < len);
    urlp_sigpipe_release(&hold, sent <= 0);
    if (sent < 0 && total > 0 && errno != EAGAIN && errno != EINTR && !is_about_the_file(errno)) {
        tcp->look_errno = errno;
    }
    return total > 0 ? (ssize_t)total : sent;
}

static enum urlpool_code tcp_send_file(struct urlp_stream *stream, int fd, int64_t at, size_t len,
                                       size_t *out_sent, const struct urlp_call *call,
                                       struct urlpool_error *err)
{
    struct tcp_stream *tcp = (struct tcp_stream *)stream;
    enum urlpool_code code = check_now(tcp, &writing, call, err);

    tcp->may_hold_more = false;
    while (code == URLPOOL_OK) {
        ssize_t sent = send_file_quietly(tcp, fd, at, len);

        if (sent >= 0 || is_about_the_file(errno)) {
            *out_sent = sent > 0 ? (size_t)sent : 0;
            URLP_COUNT(call, bytes_sent, (uint64_t)*out_sent);
            return URLPOOL_OK;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return fail_errno(tcp, &writing, errno, err);
        }
        code = wait_for(tcp, &writing, call, err);
    }
    return code;
}

static enum urlp_idle_state tcp_idle_state(struct urlp_stream *stream)
{
    struct tcp_stream *tcp = (struct tcp_stream *)stream;
    char byte;
    ssize_t got;

    if (urlp_fork_has_happened(tcp->generation)) {
        return URLP_IDLE_CLOSED;
    }
    do {
        got = recv(tcp->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
        return URLP_IDLE_UNEXPECTED;
    }
    if (got < 0 && errno == EAGAIN) {
        return URLP_IDLE_QUIET;
    }
    tcp->look_errno = got < 0 ? errno : tcp->look_errno;
    return URLP_IDLE_CLOSED;
}

static struct urlp_stream *tcp_below(const struct urlp_stream *stream)
{
    (void)stream;
    return NULL;
}

/* Polite and silent are the same here. No shutdown(): after a fork it would end the connection of
 * the other process too. */
static void tcp_free(struct urlp_stream *stream, enum urlp_close how)
{
    struct tcp_stream *tcp = (struct tcp_stream *)stream;

    (void)how;
    if (!urlp_fork_has_happened(tcp->generation)) {
        urlp_own_fd_close(tcp->fd);
    }
    urlp_free(tcp);
}

static const struct urlp_stream_ops tcp_ops = {
    .name = "tcp",
    .read = tcp_read,
    .write = tcp_write,
    .send_file = tcp_send_file,
    .idle_state = tcp_idle_state,
    .below = tcp_below,
    .free = tcp_free,
};

static const struct tcp_stream *tcp_bottom(const struct urlp_stream *stream)
{
    const struct urlp_stream *below;

    while ((below = stream->ops->below(stream)) != NULL) {
        stream = below;
    }
    return stream->ops == &tcp_ops ? (const struct tcp_stream *)stream : NULL;
}

int urlp_stream_fd(const struct urlp_stream *stream)
{
    const struct tcp_stream *tcp = tcp_bottom(stream);

    return tcp != NULL ? tcp->fd : -1;
}

enum urlpool_code urlp_stream_await(const struct urlp_stream *stream, enum urlp_readiness readiness,
                                    const struct urlp_call *call, struct urlpool_error *err)
{
    const struct tcp_stream *tcp = tcp_bottom(stream);
    const struct direction *way = readiness == URLP_WRITABLE ? &writing : &reading;

    urlp_assert_no_lock(__func__);
    if (tcp == NULL) {
        return urlp_fail(err, urlp_call_timeout_code(call, way->timeout_code), way->phase,
                         "nothing comes of waiting");
    }
    return wait_for(tcp, way, call, err);
}

void urlp_stream_shut(const struct urlp_stream *stream)
{
    const struct tcp_stream *tcp = tcp_bottom(stream);

    if (tcp != NULL && !urlp_fork_has_happened(tcp->generation)) {
        (void)shutdown(tcp->fd, SHUT_RDWR);
    }
}

bool urlp_stream_peer(const struct urlp_stream *stream, struct urlp_peer *out)
{
    const struct tcp_stream *tcp = tcp_bottom(stream);

    if (tcp == NULL || tcp->peer.ip.family == URLP_IP_NONE) {
        return false;
    }
    *out = tcp->peer;
    return true;
}

struct urlp_stream *urlp_tcp_wrap(int fd, struct urlpool_error *err)
{
    struct tcp_stream *tcp = urlp_zalloc(sizeof(*tcp));

    if (tcp == NULL) {
        (void)urlp_fail_nomem(err);
        return NULL;
    }
    tcp->stream.ops = &tcp_ops;
    tcp->fd = fd;
    tcp->generation = urlp_fork_generation();
    urlp_own_fd_note(fd);
    tcp->peer = urlp_peer_from_socket(fd); /* once: after a reset the kernel no longer says */
    return &tcp->stream;
}
