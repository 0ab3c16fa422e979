#ifndef URLP_H1_CODEC_H
#define URLP_H1_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "urlpool/error.h"
#include "urlpool/limits.h"

#include "base/buf.h"
#include "http/field.h"

/* The HTTP/1.1 codec of a client: requests in, bytes out; bytes in, events out. It does no I/O,
 * keeps no time, takes no lock and never calls back. The caller owns the byte buffers; the codec
 * only says how much of them it has used. */

enum urlp_h1_event_type {
    URLP_H1_NEED_DATA,     /* give more bytes, or say that the stream has ended */
    URLP_H1_INFORMATIONAL, /* a 1xx head other than 101 (RFC 9110 section 15.2) */
    URLP_H1_RESPONSE,      /* the final response head */
    URLP_H1_DATA,          /* body bytes, transfer coding already removed */
    URLP_H1_END,           /* message complete; trailers, if any, are in `head` */
    URLP_H1_SWITCHED       /* 101 that was asked for, or 2xx to CONNECT: no longer HTTP from here */
};

/* struct urlp_h1_event: `head` is set for INFORMATIONAL, RESPONSE and SWITCHED, and for END when
 * there were trailers; `data` for DATA, within the bytes given. */
struct urlp_h1_event {
    enum urlp_h1_event_type type;
    const struct urlp_response_head *head;
    const uint8_t *data;
    size_t data_len;
};

/* How the body of the response in hand ends (RFC 9112 section 6.3). */
enum urlp_h1_body {
    URLP_H1_BODY_NONE,
    URLP_H1_BODY_LENGTH,
    URLP_H1_BODY_CHUNKED,
    URLP_H1_BODY_UNTIL_CLOSE
};

struct urlp_h1_bounds;
struct urlp_h1_codec;

/* urlp_h1_new makes a codec for one connection; `limits` may be NULL.
 *
 * Owns:    the caller frees it with urlp_h1_free.
 * Errors:  NULL with URLPOOL_E_NOMEM or URLPOOL_E_INVALID (limits). */
URLPOOL_MUST_USE struct urlp_h1_codec *urlp_h1_new(const struct urlpool_limits *limits,
                                                   struct urlpool_error *err);
/* urlp_h1_new_within makes one whose limits are filled in already.
 *
 * Owns:    as urlp_h1_new; `bounds` outlives the codec.
 * Errors:  NULL with URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE struct urlp_h1_codec *urlp_h1_new_within(const struct urlp_h1_bounds *bounds,
                                                          struct urlpool_error *err);
/* urlp_h1_lend gives the codec memory, aligned for any type, that it needs while it reads a head;
 * `size` 0 takes it back, together with what it had to take itself. To be called anew when memory
 * that was lent has moved, with its content.
 *
 * Sizes:   URLP_H1_DESK_BYTES are enough for a usual head.
 * Owns:    the memory stays the caller's. */
#define URLP_H1_DESK_BYTES 512
void urlp_h1_lend(struct urlp_h1_codec *codec, void *memory, size_t size);
/* urlp_h1_free ends a codec; accepts NULL. */
void urlp_h1_free(struct urlp_h1_codec *codec);

/* urlp_h1_write_head checks `head` and appends it to `out` as bytes for the wire: nothing with CR,
 * LF or NUL, a target in the form that goes with the method, exactly one valid Host and first,
 * Content-Length and Transfer-Encoding not both and each at most once and well formed, Upgrade and
 * TE named in Connection and no field that is for every recipient, no Expect without a body. A head
 * that `is_checked` is not looked at again. Begins the exchange: what the response's rules need
 * (HEAD, CONNECT, "Connection: close", Upgrade asked for) is remembered.
 *
 * Errors:  URLPOOL_E_HEADER; URLPOOL_E_BODY for content with TRACE; URLPOOL_E_CANNOT_SEND_REQUEST
 *          unless the codec is new or is_reusable; URLPOOL_E_NOMEM. Nothing is appended then.
 * Spec:    RFC 9112 sections 3, 5, 6, 7.4; RFC 9110 sections 7.2, 7.6.1, 7.8, 9.3.8, 10.1.1. */
URLPOOL_MUST_USE enum urlpool_code urlp_h1_write_head(struct urlp_h1_codec *codec,
                                                      const struct urlp_request_head *head,
                                                      struct urlp_buf *out,
                                                      struct urlpool_error *err);

/* urlp_h1_chunk_prefix writes the size line of a chunk of `len` > 0 bytes and returns its length;
 * after the data comes CRLF.
 *
 * Spec:    RFC 9112 section 7.1. */
#define URLP_H1_CHUNK_PREFIX_MAX 20
size_t urlp_h1_chunk_prefix(char out[URLP_H1_CHUNK_PREFIX_MAX], size_t len);
/* urlp_h1_last_chunk is "0\r\n\r\n". */
extern const char urlp_h1_last_chunk[5];

/* urlp_h1_write_trailers appends the last chunk with `trailers` to `out`, once they are checked.
 *
 * Errors:  URLPOOL_E_HEADER for a name that cannot be a trailer's, a value not fit to send, and for
 *          more than we would read ourselves; URLPOOL_E_NOMEM. Nothing is appended then.
 * Spec:    RFC 9112 section 7.1.2, RFC 9110 section 6.5.1. */
URLPOOL_MUST_USE enum urlpool_code urlp_h1_write_trailers(const struct urlp_h1_codec *codec,
                                                          const struct urlpool_headers *trailers,
                                                          struct urlp_buf *out,
                                                          struct urlpool_error *err);

/* urlp_h1_request_sent says that head and body are with the kernel, whole. */
void urlp_h1_request_sent(struct urlp_h1_codec *codec);

/* urlp_h1_next takes the next event out of `data`, the bytes received and not yet used. `*out_used`
 * of them may then be dropped; the rest must be there again, at its front, at the next call. A
 * folded field line is made one in place, so the bytes are not const. On NEED_DATA call again when
 * there is more. After END every byte left over is the peer's fault (see urlp_h1_is_reusable).
 *
 * Sizes:   a head or a trailer section has to be in `data` whole, so room for head_bytes_max is
 *          enough: one that is longer is an error before that many bytes are there.
 * Owns:    everything `out` points to dies at the next call, or when `data` moves.
 * Errors:  BAD_STATUS_LINE, UNKNOWN_PROTOCOL, BAD_FIELD, BAD_LENGTH, TRANSFER_ENCODING, BAD_CHUNK,
 *          LINE_TOO_LONG, TOO_MANY_HEADERS, HEAD_TOO_LARGE, PROTOCOL, NOMEM; sticky.
 *          URLPOOL_E_RESPONSE_NOT_READY, not sticky, while no response is due.
 * Spec:    RFC 9112 sections 2.2, 4, 5, 6.3, 7.1. */
URLPOOL_MUST_USE enum urlpool_code urlp_h1_next(struct urlp_h1_codec *codec, uint8_t *data,
                                                size_t len, size_t *out_used,
                                                struct urlp_h1_event *out,
                                                struct urlpool_error *err);

/* urlp_h1_end_of_stream says that no byte follows those given so far (all of which the codec has
 * seen). END when that ends the message, an error when it cuts it. `is_clean` is false when TLS
 * ended without close_notify.
 *
 * Errors:  URLPOOL_E_REMOTE_DISCONNECTED before any byte of a response and outside of an exchange,
 *          URLPOOL_E_INCOMPLETE_READ inside.
 * Spec:    RFC 9112 sections 8, 9.8. */
URLPOOL_MUST_USE enum urlpool_code urlp_h1_end_of_stream(struct urlp_h1_codec *codec, bool is_clean,
                                                         struct urlp_h1_event *out,
                                                         struct urlpool_error *err);

/* urlp_h1_direct_len is how many body bytes may be read straight from the stream into the caller's
 * memory, past urlp_h1_next, when no received byte is waiting: the rest of a body of known length
 * or until close (then SIZE_MAX), the rest of a chunk. 0 outside a body. */
size_t urlp_h1_direct_len(const struct urlp_h1_codec *codec);
/* urlp_h1_took says that `len` of those bytes were read. */
void urlp_h1_took(struct urlp_h1_codec *codec, size_t len);

/* urlp_h1_body_kind tells how the body of the response shown last ends. */
enum urlp_h1_body urlp_h1_body_kind(const struct urlp_h1_codec *codec);
/* urlp_h1_length_remaining is how much of that body is still to come, -1 when that is not known. */
int64_t urlp_h1_length_remaining(const struct urlp_h1_codec *codec);
/* urlp_h1_is_idle reports whether no response is due or being read. */
bool urlp_h1_is_idle(const struct urlp_h1_codec *codec);

/* urlp_h1_is_reusable reports whether another request may be sent: response complete, request sent
 * whole, keep-alive agreed by both sides, framing never odd. The caller adds: no byte left over.
 *
 * Spec:    RFC 9112 section 9.3. */
bool urlp_h1_is_reusable(const struct urlp_h1_codec *codec);

/* struct urlp_h1_keep_alive has the hints of a Keep-Alive field: -1 where absent or not a plain
 * number.
 *
 * Spec:    RFC 2068 section 19.7.1.1. */
struct urlp_h1_keep_alive {
    int64_t timeout_s;
    int64_t max;
};
/* urlp_h1_keep_alive shows those of the response. */
struct urlp_h1_keep_alive urlp_h1_keep_alive(const struct urlp_h1_codec *codec);

#endif /* URLP_H1_CODEC_H */
