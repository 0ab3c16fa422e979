#ifndef URLPOOL_RAW_STREAM_H
#define URLPOOL_RAW_STREAM_H

#include <stddef.h>

#include "urlpool/error.h"
#include "urlpool/export.h"
#include "urlpool/response.h"

URLPOOL_BEGIN_DECLS

/* struct urlpool_raw_stream is a connection that speaks HTTP no more: what follows a 101, or a 2xx
 * to CONNECT. Its place in the pool is taken until it is closed; a connection of the lower floor is
 * not connected any more, and may be freed or opened again meanwhile.
 *
 * Threads: one may read while another writes; else one at a time, but for
 *          urlpool_raw_stream_shutdown. */
struct urlpool_raw_stream;

/* urlpool_raw_stream_close closes the connection, politely where TLS is spoken, and gives its place
 * back. NULL is accepted. */
URLPOOL_API void urlpool_raw_stream_close(struct urlpool_raw_stream *stream);

/* urlpool_response_upgrade takes the connection out of HTTP, after a response whose status is 101,
 * or a 2xx to CONNECT on the lower floor. Bytes that came behind its head are read first. The
 * response stays the caller's, to be freed; freed without this, it closes the connection.
 *
 * Owns:    the stream is the caller's: urlpool_raw_stream_close. It holds the manager; a cancel
 *          token of the request must outlive it.
 * Errors:  NULL with URLPOOL_E_INVALID when the response is no such one, has been taken from
 *          already, or was closed; URLPOOL_E_FORKED, NOMEM.
 * Threads: one at a time.
 * Spec:    RFC 9110 section 7.8. */
URLPOOL_API URLPOOL_MUST_USE struct urlpool_raw_stream *urlpool_response_upgrade(
    struct urlpool_response *response, struct urlpool_error *err)
    URLPOOL_FREED_BY(urlpool_raw_stream_close, 1);

/* urlpool_raw_stream_read reads up to `len` bytes, waiting for the first.
 *
 * Sizes:   `*out_len` is 0 at the end of the stream.
 * Units:   read_ms of the request bounds the wait, its total_ms does not.
 * Errors:  URLPOOL_E_READ_TIMEOUT, after which it may be read again; CANCELLED, RESET, TLS, FORKED;
 *          URLPOOL_E_INCOMPLETE_READ when TLS ends without close_notify.
 * Threads: one reader; blocks. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_raw_stream_read(
    struct urlpool_raw_stream *stream, void *buf, size_t len, size_t *out_len,
    struct urlpool_error *err);

/* urlpool_raw_stream_write writes all of `data`.
 *
 * Units:   write_ms of the request bounds each wait.
 * Errors:  URLPOOL_E_WRITE_TIMEOUT, CANCELLED, RESET, TLS, FORKED; how much was written is not
 *          known then, and every further write is URLPOOL_E_INVALID.
 * Threads: one writer; blocks. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_raw_stream_write(
    struct urlpool_raw_stream *stream, const void *data, size_t len, struct urlpool_error *err);

/* urlpool_raw_stream_fd is the socket beneath, to wait on, or -1 when there is none. Bytes may be
 * had though it is not readable, those that came behind the head, and those of TLS: read until
 * URLPOOL_E_READ_TIMEOUT first. Not to be read from, written to or closed.
 *
 * Threads: any number at once. */
URLPOOL_API int urlpool_raw_stream_fd(const struct urlpool_raw_stream *stream);

/* urlpool_raw_stream_shutdown ends the stream for whoever reads or writes it: what waits, and every
 * call after it, gets URLPOOL_E_CANCELLED. urlpool_response_shutdown of the response that it was
 * taken from does the same. NULL is accepted.
 *
 * Threads: any number at once, but not once urlpool_raw_stream_close has begun. */
URLPOOL_API void urlpool_raw_stream_shutdown(struct urlpool_raw_stream *stream);

URLPOOL_END_DECLS

#endif /* URLPOOL_RAW_STREAM_H */
