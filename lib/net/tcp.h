#ifndef URLP_NET_TCP_H
#define URLP_NET_TCP_H

#include <stdint.h>

#include "base/ip.h"
#include "net/stream.h"

/* struct urlp_tcp_options are set on every socket before it connects. */
struct urlp_tcp_options {
    bool allow_nagle;          /* leave TCP_NODELAY off */
    int keepalive_idle_s;      /* SO_KEEPALIVE after this; 0: 60; < 0: off */
    int user_timeout_ms;       /* TCP_USER_TIMEOUT; 0: 60 000; < 0: the system's */
};

/* urlp_tcp_wrap makes a stream of a connected, non-blocking socket.
 *
 * Owns:    takes `fd` only on success.
 * Errors:  NULL with URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE struct urlp_stream *urlp_tcp_wrap(int fd, struct urlpool_error *err);

/* urlp_prefix_wrap makes a stream that first gives out `len` bytes at `data`, then those of `inner`:
 * what was read behind the answer to CONNECT. Copies the bytes; takes `inner` on success. */
URLPOOL_MUST_USE struct urlp_stream *urlp_prefix_wrap(struct urlp_stream *inner, const void *data,
                                                      size_t len, struct urlpool_error *err);

/* struct urlp_peer is who is at the other end. */
struct urlp_peer {
    struct urlp_ip ip;
    uint16_t port;
};
bool urlp_stream_peer(const struct urlp_stream *stream, struct urlp_peer *out);

#endif /* URLP_NET_TCP_H */
