#ifndef URLP_NET_TCP_H
#define URLP_NET_TCP_H

#include <stdint.h>

#include "urlpool/network.h"

#include "base/ip.h"
#include "net/stream.h"

/* struct urlp_tcp_options are set on every socket before it connects; all borrowed. */
struct urlp_tcp_options {
    bool allow_nagle;      /* leave TCP_NODELAY off */
    int keepalive_idle_s;  /* SO_KEEPALIVE after this; 0: 60; < 0: off */
    int user_timeout_ms;   /* TCP_USER_TIMEOUT; 0: 60 000; < 0: the system's */
    struct urlp_ip source; /* bound to; family NONE: the system's choice */
    uint16_t source_port;
    const char *interface_name; /* bound to; NULL: the system's choice */
    const struct urlpool_socket_option *extra;
    size_t num_extra;
};

/* struct urlp_peer is who is at the other end. */
struct urlp_peer {
    struct urlp_ip ip;
    uint16_t port;
};

/* urlp_peer_format writes "192.0.2.1:80" or "[2001:db8::1%3]:80", or "peer" when the family is
 * none.
 *
 * Sizes:   `out` has URLP_PEER_TEXT_MAX bytes; NUL-terminated. */
#define URLP_PEER_TEXT_MAX (URLP_IP_TEXT_MAX + sizeof("[%4294967295]:65535"))
void urlp_peer_format(const struct urlp_peer *peer, char out[URLP_PEER_TEXT_MAX]);

/* urlp_tcp_start makes a socket, non-blocking and closed on exec, sets `options` on it and begins
 * to connect it. The socket polls writable when that has come to an end, good or bad (SO_ERROR).
 *
 * Owns:    `*out_fd` is the caller's.
 * Errors:  an errno, 0 for success; nothing is left open. */
URLPOOL_MUST_USE int urlp_tcp_start(const struct urlp_peer *to,
                                    const struct urlp_tcp_options *options, int *out_fd);

/* urlp_unix_connect makes a connected socket of the same kind to the socket at `path`; a path that
 * begins with "@" is abstract. Waits, in steps, while the peer's queue is full.
 *
 * Owns:    `*out_fd` is the caller's.
 * Errors:  URLPOOL_E_CONNECT, CONNECT_TIMEOUT, TOTAL_TIMEOUT, CANCELLED, SYSTEM. */
URLPOOL_MUST_USE enum urlpool_code urlp_unix_connect(const char *path,
                                                     const struct urlp_tcp_options *options,
                                                     const struct urlp_call *call, int *out_fd,
                                                     struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_peer_from_socket asks the kernel who is at the other end; family NONE when nobody with an
 * address is. */
struct urlp_peer urlp_peer_from_socket(int fd);

/* urlp_tcp_wrap makes a stream of a connected, non-blocking socket.
 *
 * Owns:    takes `fd` only on success.
 * Errors:  NULL with URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE struct urlp_stream *urlp_tcp_wrap(int fd, struct urlpool_error *err);

/* urlp_prefix_wrap makes a stream that first gives out `len` bytes at `data`, then those of
 * `inner`: what was read behind the answer to CONNECT.
 *
 * Owns:    copies the bytes; takes `inner` only on success.
 * Errors:  NULL with URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE struct urlp_stream *urlp_prefix_wrap(struct urlp_stream *inner, const void *data,
                                                      size_t len, struct urlpool_error *err);

/* urlp_stream_peer says who is at the other end of the socket at the bottom; false when there is no
 * TCP there. */
bool urlp_stream_peer(const struct urlp_stream *stream, struct urlp_peer *out);

#endif /* URLP_NET_TCP_H */
