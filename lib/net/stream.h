#ifndef URLP_NET_STREAM_H
#define URLP_NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "urlpool/error.h"

#include "base/call.h"
#include "base/sync.h"

struct urlp_stream;

/* What an idle connection looks like from below. Anything but QUIET means: do not reuse. */
enum urlp_idle_state {
    URLP_IDLE_QUIET,      /* nothing to read, still open */
    URLP_IDLE_UNEXPECTED, /* the peer sent bytes nobody asked for */
    URLP_IDLE_CLOSED      /* the peer closed or reset */
};

/* struct urlp_iovec is one run of bytes to write. */
struct urlp_iovec {
    const void *data;
    size_t len;
};

/* How a stream ends. Never blocks: POLITE sends one close_notify if it fits, SILENT sends nothing
 * (after fork, cancel or a broken message). */
enum urlp_close {
    URLP_CLOSE_POLITE,
    URLP_CLOSE_SILENT
};

/* How a read met the end of the stream. */
enum urlp_end {
    URLP_END_NONE,  /* it did not: bytes came */
    URLP_END_CLEAN, /* FIN; in TLS close_notify */
    URLP_END_RAGGED /* TLS: FIN without close_notify */
};

/* URLP_AT_ONCE as `by` of a call: a write sends what fits now, a read takes what is there, and
 * neither waits: nothing at all is a time-out. */
#define URLP_AT_ONCE ((struct urlpool_deadline){0})

/* struct urlp_stream_ops is all that the layers above know of a byte stream; a new operation needs
 * a decision record. Implementations: net/tcp_stream.c, net/tls_stream.c (over any stream, so TLS
 * in TLS costs nothing extra), net/prefix_stream.c, tests/support/script_stream.c. */
struct urlp_stream_ops {
    const char *name; /* "tcp", "tls", "prefix", "script": for traces and pool dumps */
    enum urlpool_code (*read)(struct urlp_stream *stream, void *data, size_t len, size_t *out_len,
                              enum urlp_end *out_end, const struct urlp_call *call,
                              struct urlpool_error *err);
    enum urlpool_code (*write)(struct urlp_stream *stream, const struct urlp_iovec *runs,
                               size_t num_runs, size_t *out_written, const struct urlp_call *call,
                               struct urlpool_error *err);
    /* NULL: bytes of a file have to be read and written. */
    enum urlpool_code (*send_file)(struct urlp_stream *stream, int fd, int64_t at, size_t len,
                                   size_t *out_sent, const struct urlp_call *call,
                                   struct urlpool_error *err);
    enum urlp_idle_state (*idle_state)(struct urlp_stream *stream);
    struct urlp_stream *(*below)(const struct urlp_stream *stream); /* NULL at the bottom */
    void (*free)(struct urlp_stream *stream, enum urlp_close how);  /* and everything below */
};

/* Embedded as the first member of every stream. */
struct urlp_stream {
    const struct urlp_stream_ops *ops;
};

/* urlp_stream_read reads what is there, waiting for the first byte until `call->by`. Once that has
 * passed it reads nothing more, whether bytes are there or not.
 *
 * Sizes:   `len` > 0; `*out_len` is 1..`len`, or 0 with `*out_end` saying how the stream ended.
 * Errors:  URLPOOL_E_READ_TIMEOUT or TOTAL_TIMEOUT, CANCELLED, TLS, RESET; phase BODY. The stream
 *          is then fit only for urlp_stream_free, but after READ_TIMEOUT it may be read again.
 * Threads: one at a time; must not hold a urlpool lock. */
URLPOOL_MUST_USE enum urlpool_code urlp_stream_read(struct urlp_stream *stream, void *data,
                                                    size_t len, size_t *out_len,
                                                    enum urlp_end *out_end,
                                                    const struct urlp_call *call,
                                                    struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_stream_write writes some of the runs, at least one byte, waiting for room until `call->by`:
 * the caller comes again with the rest and a fresh gap. (TLS may take all before it returns.) Empty
 * runs are fine; when all are, nothing happens.
 *
 * Errors:  URLPOOL_E_WRITE_TIMEOUT or TOTAL_TIMEOUT, CANCELLED, TLS, RESET; phase SEND. After RESET
 *          urlp_stream_read may still bring what the peer had sent. After WRITE_TIMEOUT the same
 *          runs may be written again. */
URLPOOL_MUST_USE enum urlpool_code urlp_stream_write(struct urlp_stream *stream,
                                                     const struct urlp_iovec *runs, size_t num_runs,
                                                     size_t *out_written,
                                                     const struct urlp_call *call,
                                                     struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_stream_can_send_file says whether urlp_stream_send_file is of any use. */
bool urlp_stream_can_send_file(const struct urlp_stream *stream);

/* urlp_stream_send_file writes some of the `len` > 0 bytes at offset `at` of a regular file,
 * without taking them into this process, waiting for room until `call->by`. The descriptor's own
 * offset stays where it is.
 *
 * Sizes:   `*out_sent` is 1..`len`, or 0 when nothing can be sent this way from there: the file has
 *          ended, or the kernel does not do it for this one. Reading it shows which.
 * Errors:  as urlp_stream_write. */
URLPOOL_MUST_USE enum urlpool_code urlp_stream_send_file(struct urlp_stream *stream, int fd,
                                                         int64_t at, size_t len, size_t *out_sent,
                                                         const struct urlp_call *call,
                                                         struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_stream_idle_state looks whether the peer has sent anything or closed; does not wait. Bytes
 * stay where they are. During a request's body anything but QUIET means: an answer has come early.
 */
enum urlp_idle_state urlp_stream_idle_state(struct urlp_stream *stream);

/* urlp_stream_free ends `stream` and every stream below it; does not wait. Accepts NULL. */
void urlp_stream_free(struct urlp_stream *stream, enum urlp_close how);

/* What a socket is waited for to be. */
enum urlp_readiness {
    URLP_READABLE,
    URLP_WRITABLE
};

/* urlp_stream_await waits until the socket at the bottom has bytes, or room for some, or its end,
 * until `call->by`.
 *
 * Errors:  as urlp_stream_read, or urlp_stream_write. Without a socket the time-out, at once.
 * Threads: while others use the stream, but not while one frees it. */
URLPOOL_MUST_USE enum urlpool_code urlp_stream_await(const struct urlp_stream *stream,
                                                     enum urlp_readiness readiness,
                                                     const struct urlp_call *call,
                                                     struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_stream_shut ends both directions of the socket at the bottom, if there is one, so that who
 * waits for it stops waiting; the descriptor stays open.
 *
 * Threads: while another uses the stream, but not while one frees it. */
void urlp_stream_shut(const struct urlp_stream *stream);

/* urlp_stream_fd is the socket at the bottom, or -1: for polls, peer names and tests. */
int urlp_stream_fd(const struct urlp_stream *stream);

#endif /* URLP_NET_STREAM_H */
