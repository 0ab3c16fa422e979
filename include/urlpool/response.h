#ifndef URLPOOL_RESPONSE_H
#define URLPOOL_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "urlpool/error.h"
#include "urlpool/export.h"
#include "urlpool/headers.h"

URLPOOL_BEGIN_DECLS

/* struct urlpool_response is an answer; made only by the library, so fields may be appended. Its
 * strings and `data` live as long as it does.
 *
 * Threads: one at a time, but for urlpool_response_shutdown.
 * Model:   urllib3 HTTPResponse, http.client HTTPResponse. */
struct urlpool_response {
    int status;          /* of the answer: 200, 404 */
    int version;         /* 10 or 11 */
    const char *reason;  /* as sent, "" when missing */
    const uint8_t *data; /* the whole decoded body, then a NUL, but where it lies in the caller's
                            memory (`into`); NULL while it is streamed */
    size_t data_len;     /* its bytes, without that NUL */
    const char *url;     /* the URL that answered, after redirects; "" on the lower floor */
    const struct urlpool_headers *headers; /* as received, codings that were undone too */
    uint32_t num_redirects;                /* redirects that were followed */
    uint32_t num_retries;   /* tries made again, the free one after a stale connection too */
    bool connection_reused; /* the last try was not the first on its connection */
    enum urlpool_code
        error_code; /* with `keep_partial`: why `data` is cut short, else URLPOOL_OK */
};

/* urlpool_response_read reads up to `len` bytes of the decoded body, waiting for the first.
 *
 * Sizes:   `*out_len` is 1..`len`; 0 at the end of the body, when the connection has gone home.
 *          What then lies in `buf` behind that many bytes is of no meaning.
 * Errors:  those of reading: INCOMPLETE_READ, READ_TIMEOUT, TOTAL_TIMEOUT, CANCELLED, BAD_CHUNK,
 *          DECODE, RESET …; sticky, the connection is closed then. URLPOOL_E_INVALID when the body
 *          is in `data`.
 * Threads: one at a time; blocks.
 * Model:   HTTPResponse.read1. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_response_read(
    struct urlpool_response *response, void *buf, size_t len, size_t *out_len,
    struct urlpool_error *err);
/* urlpool_response_peek shows the decoded bytes that come next, waiting for the first, and leaves
 * them to be read.
 *
 * Sizes:   `*out_len` is 0 at the end of the body.
 * Owns:    valid until the next call with this response.
 * Errors:  as urlpool_response_read.
 * Threads: one at a time; blocks.
 * Model:   http.client HTTPResponse.peek. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_response_peek(
    struct urlpool_response *response, const uint8_t **out_data, size_t *out_len,
    struct urlpool_error *err);
/* urlpool_response_read_line reads the next line of the decoded body without its end, LF or CRLF,
 * and puts a NUL behind it. The last line may lack its end; behind it `*out_at_end` is true.
 *
 * Sizes:   a line and the CR of its end have room in `size` - 1 bytes, else
 *          URLPOOL_E_LINE_TOO_LONG, which ends the body.
 * Errors:  as urlpool_response_read; what was read of the line before a failure is lost.
 * Threads: one at a time; blocks.
 * Model:   http.client HTTPResponse.readline. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_response_read_line(
    struct urlpool_response *response, char *buf, size_t size, size_t *out_len, bool *out_at_end,
    struct urlpool_error *err);
/* urlpool_response_read_chunk reads up to `len` bytes of one chunk as the server sent it, content
 * codings not undone; `*out_chunk_ends` says that its last byte is among them. All that is read
 * later is as sent too.
 *
 * Sizes:   `*out_len` is 0 at the end of the body.
 * Errors:  as urlpool_response_read; URLPOOL_E_NOT_CHUNKED; URLPOOL_E_INVALID when a part of the
 *          body was decoded already.
 * Threads: one at a time; blocks.
 * Spec:    RFC 9112 section 7.1, which gives chunks no meaning: intermediaries may lay them anew.
 * Model:   urllib3 HTTPResponse.read_chunked. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_response_read_chunk(
    struct urlpool_response *response, void *buf, size_t len, size_t *out_len, bool *out_chunk_ends,
    struct urlpool_error *err);
/* urlpool_response_tell returns how many bytes of the body, as sent but for chunk lines, have been
 * read.
 *
 * Model:   HTTPResponse.tell. */
URLPOOL_API int64_t urlpool_response_tell(const struct urlpool_response *response);
/* urlpool_response_length_remaining returns how many such bytes are still to be read, or -1 when
 * that is not known.
 *
 * Model:   HTTPResponse.length_remaining. */
URLPOOL_API int64_t urlpool_response_length_remaining(const struct urlpool_response *response);
/* urlpool_response_is_closed says that nothing more will come from the connection: the body has
 * ended, failed, or was given up. Decoded bytes may yet be to be read.
 *
 * Model:   HTTPResponse.isclosed. */
URLPOOL_API bool urlpool_response_is_closed(const struct urlpool_response *response);
/* urlpool_response_redirect_location returns Location as it was sent, where the status is 301, 302,
 * 303, 307 or 308; else, or when there is none, NULL.
 *
 * Model:   HTTPResponse.get_redirect_location. */
URLPOOL_API const char *urlpool_response_redirect_location(const struct urlpool_response *response);
/* urlpool_response_read_exact reads `len` bytes, fewer only at the end of the body.
 *
 * Errors:  as urlpool_response_read; what was read before a failure is lost.
 * Threads: one at a time; blocks.
 * Model:   HTTPResponse.read(amt). */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_response_read_exact(
    struct urlpool_response *response, void *buf, size_t len, size_t *out_len,
    struct urlpool_error *err);
/* urlpool_response_read_all reads the rest of the body into `data`; again is harmless.
 *
 * Sizes:   at most `data_bytes_max` of the options (1 GiB), else URLPOOL_E_DATA_TOO_LARGE.
 * Errors:  as urlpool_response_read, and NOMEM.
 * Threads: one at a time; blocks.
 * Model:   HTTPResponse.read(). */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_response_read_all(
    struct urlpool_response *response, struct urlpool_error *err);

/* urlpool_response_take_data hands the body over: memory that grew for it is given as it is, a
 * small body is copied. `data` is empty then.
 *
 * Sizes:   `*out_len` bytes and a NUL behind them.
 * Owns:    the caller frees `*out_data` with urlpool_data_free.
 * Errors:  URLPOOL_E_INVALID when the body is not in `data` (streamed), or lies in the caller's
 *          memory already (`into`); NOMEM.
 * Threads: one at a time. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_response_take_data(
    struct urlpool_response *response, uint8_t **out_data, size_t *out_len,
    struct urlpool_error *err);
/* urlpool_data_free frees what urlpool_response_take_data gave; NULL is accepted.
 *
 * Threads: any number at once. */
URLPOOL_API void urlpool_data_free(uint8_t *data);

/* urlpool_response_sink_fn takes `len` bytes of body; anything but URLPOOL_OK ends the stream, and
 * urlpool_response_stream returns it. */
typedef enum urlpool_code (*urlpool_response_sink_fn)(void *user, const void *data, size_t len,
                                                      struct urlpool_error *err);
/* urlpool_response_stream gives the whole rest of the body to `sink`, piece by piece. When the sink
 * ends it, what is left of the body can still be read.
 *
 * Sizes:   pieces of 1 byte to 64 KiB.
 * Errors:  as urlpool_response_read; that of the sink; NOMEM.
 * Threads: one at a time; blocks.
 * Model:   HTTPResponse.stream. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_response_stream(
    struct urlpool_response *response, urlpool_response_sink_fn sink, void *user,
    struct urlpool_error *err);
/* urlpool_response_drain reads what is left of the body and throws it away undecoded, at most 64
 * KiB and 50 ms of it, so that the connection can be used again; else closes the connection.
 *
 * Threads: one at a time; blocks.
 * Model:   HTTPResponse.drain_conn. */
URLPOOL_API void urlpool_response_drain(struct urlpool_response *response);
/* urlpool_response_release gives the connection up without a wait: when all that is left of the
 * body has been received already it can be used again, else it closes.
 *
 * Threads: one at a time.
 * Model:   HTTPResponse.release_conn, which gives back a connection that is half read. */
URLPOOL_API void urlpool_response_release(struct urlpool_response *response);
/* urlpool_response_shutdown ends the reading of a streamed body from another thread: a read that
 * waits for bytes and every one after it gets URLPOOL_E_CANCELLED, and the connection is not used
 * again. Harmless when the body has ended, and again.
 *
 * Threads: any number at once, also while one reads; but not once urlpool_response_free has begun,
 *          nor the end of a connection of the lower floor.
 * Model:   HTTPResponse.shutdown. */
URLPOOL_API void urlpool_response_shutdown(struct urlpool_response *response);
/* urlpool_response_close closes the connection unless it has gone home; the body can be read no
 * more: URLPOOL_E_NOT_CONNECTED.
 *
 * Threads: one at a time.
 * Model:   HTTPResponse.close. */
URLPOOL_API void urlpool_response_close(struct urlpool_response *response);
/* urlpool_response_trailers shows the trailer fields once the body has ended; NULL when none came.
 */
URLPOOL_API const struct urlpool_headers *urlpool_response_trailers(
    const struct urlpool_response *response);
/* urlpool_response_header returns the first value of that field, or NULL.
 *
 * Model:   HTTPResponse.getheader. */
URLPOOL_API const char *urlpool_response_header(const struct urlpool_response *response,
                                                const char *name);
/* struct urlpool_peer is who has answered. Strings live as long as the response. */
struct urlpool_peer {
    const char *address; /* numeric, with its zone; a path for a Unix-domain socket */
    int port;            /* 0 for a Unix-domain socket. Behind a proxy both are the proxy's */
    const char
        *tls_version; /* "TLSv1.3"; NULL: no TLS with the origin, nor with a proxy that forwards */
    const char *tls_cipher;     /* NULL where tls_version is */
    bool tls_resumed;           /* without a full handshake */
    bool tls_verified;          /* the peer cannot be anybody: no insecure_ switch let it pass */
    const uint8_t *certificate; /* the peer's own, in DER; NULL without TLS */
    size_t certificate_len;     /* how many bytes it has */
    const struct urlpool_headers *proxy_headers; /* what a proxy said in its answer to CONNECT, the
                                                    last that was asked; NULL: none was */
    uint64_t
        connection_requests; /* of the connection when this was answered, this one among them */
    unsigned char reserved[24];
};
/* urlpool_response_peer says whom the connection led to; it stays known when that has gone home.
 * `address` is "" when the lower floor was given a stream of its own.
 *
 * Model:   urllib3 HTTPResponse.connection, SSLSocket.getpeercert(binary_form=True). */
URLPOOL_API struct urlpool_peer urlpool_response_peer(const struct urlpool_response *response);
/* struct urlpool_timings says how long each step of the last try took. A step that was not taken,
 * as those of a dial on a connection that was there, is 0. On the lower floor the call is that of
 * urlpool_connection_endheaders.
 *
 * Units:   nanoseconds. */
struct urlpool_timings {
    int64_t before_ns;  /* the tries before the last, and the pauses between them */
    int64_t pool_ns;    /* waiting for a place */
    int64_t resolve_ns; /* DNS, until the first address was dialled */
    int64_t connect_ns; /* TCP */
    int64_t proxy_ns;   /* CONNECT, SOCKS, TLS with a proxy */
    int64_t tls_ns;     /* TLS with the origin */
    int64_t send_ns;    /* head and body of the request */
    int64_t wait_ns;    /* from then to the first byte of the final head */
    int64_t receive_ns; /* from then to the end of the body, or to now while there is more of it */
    int64_t total_ns;   /* the sum: from the call to then */
    unsigned char reserved[32];
};
/* urlpool_response_timings returns how long each step took.
 *
 * Model:   curl's CURLINFO_*_TIME_T; requests' Response.elapsed. */
URLPOOL_API struct urlpool_timings urlpool_response_timings(
    const struct urlpool_response *response);
/* struct urlpool_hop is a try that came before the response: one that failed, was answered with a
 * status to try again on, or was redirected. Strings live as long as the response. */
struct urlpool_hop {
    const char *method;     /* of the request; NULL: there is no such hop */
    const char *url;        /* of the request, without userinfo */
    enum urlpool_code code; /* of a failure; URLPOOL_OK when there was an answer */
    int status;             /* of the answer, or 0 */
    const char *location;   /* where a redirect led, without userinfo; else NULL */
    unsigned char reserved[32];
};
/* urlpool_response_num_hops returns how many tries came before the response, the first 1000 at
 * most; the one free try after a stale connection is among them. */
URLPOOL_API size_t urlpool_response_num_hops(const struct urlpool_response *response);
/* urlpool_response_hop shows try number `index`, the first is 0.
 *
 * Model:   urllib3 Retry.history, RequestHistory. */
URLPOOL_API struct urlpool_hop urlpool_response_hop(const struct urlpool_response *response,
                                                    size_t index);
/* urlpool_response_free drains within its bounds, or closes, what is still unread; accepts NULL.
 *
 * Threads: one at a time; blocks. */
URLPOOL_API void urlpool_response_free(struct urlpool_response *response);

URLPOOL_END_DECLS

#endif /* URLPOOL_RESPONSE_H */
