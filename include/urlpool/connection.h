#ifndef URLPOOL_CONNECTION_H
#define URLPOOL_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "urlpool/body.h"
#include "urlpool/cancel.h"
#include "urlpool/error.h"
#include "urlpool/export.h"
#include "urlpool/headers.h"
#include "urlpool/limits.h"
#include "urlpool/network.h"
#include "urlpool/response.h"
#include "urlpool/timeout.h"
#include "urlpool/tls.h"
#include "urlpool/trace.h"

URLPOOL_BEGIN_DECLS

/* struct urlpool_connection is one HTTP/1.1 connection to one host: the lower floor, on which a
 * caller speaks for itself, in the order that is enforced: request, whole response, next request.
 *
 * Threads: one at a time.
 * Model:   http.client HTTPConnection, HTTPSConnection. */
struct urlpool_connection;

/* struct urlpool_connection_options: zero bytes are the defaults. What it points to is borrowed as
 * long as the connection lives; `tls` and `proxy_tls` are referenced. */
struct urlpool_connection_options {
    bool https;                          /* TLS is spoken with the host */
    struct urlpool_tls *tls;             /* NULL: the default configuration; with https only */
    struct urlpool_timeout timeout;      /* total_ms: from putrequest to the end of the body */
    struct urlpool_limits limits;        /* of what the peer may send */
    struct urlpool_trace trace;          /* `event` NULL: nobody watches */
    const struct urlpool_cancel *cancel; /* ends what is done on it; must outlive the connection */
    int64_t data_bytes_max; /* the most bytes of a decoded body held in memory; default 1 GiB */
    bool keep_encoded;      /* response bodies are given as sent, content codings not undone */
    struct urlpool_network network; /* how the host is found and reached */
    bool no_auto_open;              /* a request does not connect: URLPOOL_E_NOT_CONNECTED */
    bool https_proxy; /* the host is a proxy of https: TLS is spoken with it, then CONNECT. For
                         urlpool_connection_set_tunnel, without which it is URLPOOL_E_INVALID to
                         connect */
    struct urlpool_tls *proxy_tls; /* spoken with it; NULL: the default configuration */
    unsigned char reserved[48];
};

/* enum urlpool_skip names fields that are not sent by themselves; Host must then be among the
 * caller's. Without Accept-Encoding codings are undone all the same. The lower floor sends no
 * User-Agent anyway. */
enum urlpool_skip {
    URLPOOL_SKIP_HOST = 1,            /* Host */
    URLPOOL_SKIP_ACCEPT_ENCODING = 2, /* Accept-Encoding */
    URLPOOL_SKIP_USER_AGENT = 4       /* User-Agent */
};

/* urlpool_connection_free closes the connection and ends its life; a response that is unread is cut
 * off: URLPOOL_E_NOT_CONNECTED. Accepts NULL. One that belongs to a pool is only closed. */
URLPOOL_API void urlpool_connection_free(struct urlpool_connection *connection);

/* urlpool_connection_new makes a connection object; nothing is dialled yet. `host` is "host",
 * "host:port", "[v6]" or "[v6]:port"; `port` 0 means the one in `host`, else 80 or 443. NULL
 * options are the defaults.
 *
 * Owns:    the caller frees it with urlpool_connection_free.
 * Errors:  NULL with URLPOOL_E_URL (host or port), URLPOOL_E_INVALID (options), NOMEM, RESOLVE, and
 *          those of urlpool_tls_new.
 * Threads: any number at once.
 * Model:   HTTPConnection.__init__, _get_hostport. */
URLPOOL_API URLPOOL_MUST_USE struct urlpool_connection *urlpool_connection_new(
    const char *host, int port, const struct urlpool_connection_options *options,
    struct urlpool_error *err) URLPOOL_FREED_BY(urlpool_connection_free, 1);

/* urlpool_connection_set_tunnel makes the connection go through the proxy it was made for, by
 * CONNECT to `host`:`port`, with `headers` (may be NULL) for the proxy. `host` and `port` are read
 * as urlpool_connection_new does. With https it is the host behind the proxy that TLS is spoken
 * with.
 *
 * Owns:    copies everything. Holds for every opening from now on.
 * Errors:  URLPOOL_E_INVALID when connected; URLPOOL_E_URL, URLPOOL_E_HEADER, NOMEM.
 * Spec:    RFC 9110 section 9.3.6.
 * Model:   HTTPConnection.set_tunnel. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_connection_set_tunnel(
    struct urlpool_connection *connection, const char *host, int port,
    const struct urlpool_headers *headers, struct urlpool_error *err);
/* urlpool_connection_proxy_headers returns what the proxy said in its answer to CONNECT, whether it
 * agreed or refused (Proxy-Authenticate stands here); NULL when none has answered. Of several
 * proxies it is the last that did. A connection that a pool lends has its own.
 *
 * Owns:    the connection's: valid until it is opened anew or freed; closing it changes nothing.
 * Threads: one at a time.
 * Model:   HTTPConnection.get_proxy_response_headers. */
URLPOOL_API const struct urlpool_headers *urlpool_connection_proxy_headers(
    const struct urlpool_connection *connection);
/* urlpool_connection_set_debuglevel prints the exchange, credentials masked, to `sink` (NULL:
 * stderr) when `level` > 0: lines without line ends, "send: …" and "reply: …".
 *
 * Owns:    `user` is borrowed as long as the connection lives.
 * Model:   HTTPConnection.set_debuglevel. */
URLPOOL_API void urlpool_connection_set_debuglevel(struct urlpool_connection *connection, int level,
                                                   void (*sink)(void *user, const char *line),
                                                   void *user);
/* urlpool_connection_connect opens the connection, if it is not open.
 *
 * Units:   `connect_ms` bounds it.
 * Errors:  URLPOOL_E_RESOLVE, CONNECT, CONNECT_TIMEOUT, CANCELLED, PROXY (`http_status` when it
 *          refused the tunnel), TLS_*, NOMEM; URLPOOL_E_NOT_CONNECTED for one of a pool.
 * Threads: one at a time; blocks.
 * Model:   HTTPConnection.connect. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_connection_connect(
    struct urlpool_connection *connection, struct urlpool_error *err);

/* urlpool_connection_request sends a whole request: Host, Accept-Encoding: identity, the framing of
 * the body and what it tells of itself (Content-Type, Trailer, Expect) come by themselves, unless
 * `headers` (may be NULL) say them. `body` may be NULL: POST, PUT and PATCH then say
 * Content-Length: 0. Opens the connection when it is not open.
 *
 * Errors:  those of urlpool_connection_putrequest, _putheader and _endheaders.
 * Threads: one at a time; blocks.
 * Model:   HTTPConnection.request. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_connection_request(
    struct urlpool_connection *connection, const char *method, const char *target,
    const struct urlpool_body *body, const struct urlpool_headers *headers,
    struct urlpool_error *err);
/* urlpool_connection_putrequest begins a request; nothing is sent yet. `target` is in origin-form
 * ("" is "/"), "*", or in absolute form, whose authority is then what Host says. `skip` is an OR of
 * enum urlpool_skip. The time of total_ms begins.
 *
 * Errors:  URLPOOL_E_CANNOT_SEND_REQUEST while a request is begun or a response unread;
 *          URLPOOL_E_HEADER (method), URLPOOL_E_URL (target), NOMEM.
 * Threads: one at a time.
 * Spec:    RFC 9112 section 3.2.
 * Model:   HTTPConnection.putrequest. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_connection_putrequest(
    struct urlpool_connection *connection, const char *method, const char *target, unsigned skip,
    struct urlpool_error *err);
/* urlpool_connection_putheader adds one field line; several values are joined by ", ".
 *
 * Sizes:   at most 64 values.
 * Errors:  URLPOOL_E_CANNOT_SEND_HEADER when no request is begun; URLPOOL_E_HEADER for what is not
 *          fit to send, and for a second Host, Content-Length or Transfer-Encoding; NOMEM.
 * Threads: one at a time.
 * Model:   HTTPConnection.putheader. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_connection_putheader(
    struct urlpool_connection *connection, const char *name, const char *const *values,
    size_t num_values, struct urlpool_error *err);
/* urlpool_connection_endheaders sends the head, and `body` (may be NULL) with it, in one write
 * where that fits. What the head does not say of the framing it adds, and Content-Type, Trailer and
 * Expect as `body` has them. Opens the connection when it is not open, or when its server has
 * closed it meanwhile. A server that answers before it has all of the body, or stops taking it, is
 * no failure: urlpool_connection_getresponse has the answer.
 *
 * Units:   `write_ms` bounds each gap.
 * Errors:  URLPOOL_E_CANNOT_SEND_HEADER when no request is begun; URLPOOL_E_NOT_CONNECTED (then it
 *          may be called again once connected); those of urlpool_connection_connect;
 *          URLPOOL_E_HEADER; URLPOOL_E_BODY when the body is not as long as announced;
 *          WRITE_TIMEOUT, TOTAL_TIMEOUT, CANCELLED, RESET, TLS.
 * Threads: one at a time; blocks.
 * Model:   HTTPConnection.endheaders. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_connection_endheaders(
    struct urlpool_connection *connection, const struct urlpool_body *body,
    struct urlpool_error *err);
/* urlpool_connection_send sends body bytes after endheaders, framed as the head said: up to its
 * Content-Length, or as one chunk; `len` 0 ends a chunked body. Once the server has answered early,
 * or stopped taking the request, bytes are dropped.
 *
 * Errors:  URLPOOL_E_NOT_CONNECTED or CANNOT_SEND_REQUEST when no head was sent; URLPOOL_E_BODY for
 *          bytes that were not announced: the connection is closed then; those of writing.
 * Threads: one at a time; blocks.
 * Model:   HTTPConnection.send. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_connection_send(
    struct urlpool_connection *connection, const void *data, size_t len, struct urlpool_error *err);
/* urlpool_connection_getresponse reads the head of the answer; interim responses are skipped. The
 * body is read from the response; until its end no other request can be sent.
 *
 * Units:   `read_ms` bounds each gap.
 * Owns:    the caller frees it with urlpool_response_free, before or after the connection.
 * Errors:  NULL with URLPOOL_E_RESPONSE_NOT_READY when no request was sent; REMOTE_DISCONNECTED,
 *          READ_TIMEOUT, TOTAL_TIMEOUT, CANCELLED, RESET, TLS, and those of a malformed head. The
 *          connection is closed then.
 * Threads: one at a time; blocks.
 * Model:   HTTPConnection.getresponse. */
URLPOOL_API URLPOOL_MUST_USE struct urlpool_response *urlpool_connection_getresponse(
    struct urlpool_connection *connection, struct urlpool_error *err)
    URLPOOL_FREED_BY(urlpool_response_free, 1);
/* urlpool_connection_close closes the connection; the next request opens it again. A response that
 * is unread is cut off: URLPOOL_E_NOT_CONNECTED.
 *
 * Model:   HTTPConnection.close. */
URLPOOL_API void urlpool_connection_close(struct urlpool_connection *connection);
/* urlpool_connection_is_connected says whether there is an open connection; whether its server has
 * closed it shows at the next request. */
URLPOOL_API bool urlpool_connection_is_connected(const struct urlpool_connection *connection);

/* struct urlpool_connection_info is a snapshot. Strings are valid until the connection closes.
 * Filled in up to the size the caller was compiled with. */
struct urlpool_connection_info {
    const char *host;        /* of the origin, in lower case */
    int port;                /* that is dialled */
    bool https;              /* as in the options */
    bool connected;          /* as urlpool_connection_is_connected */
    bool tls_resumed;        /* without a full handshake */
    bool tls_verified;       /* the peer cannot be anybody: no insecure_ switch let it pass */
    const char *tls_version; /* NULL without TLS */
    const char *tls_cipher;  /* NULL without TLS */
    char peer[64];           /* "127.0.0.1:80", "[::1]:80"; "" when not connected */
    uint64_t num_requests;   /* since it was opened */
};
/* urlpool_connection_info fills `out`; of a NULL connection all is zero, but for `host`, which is
 * "".
 *
 * Sizes:   `out_size` is the caller's sizeof(*out).
 * Threads: one at a time. */
URLPOOL_API void urlpool_connection_info(const struct urlpool_connection *connection,
                                         struct urlpool_connection_info *out, size_t out_size);

/* urlpool_connection_peer_certificate returns the certificate, in DER, that the peer showed; NULL,
 * and a length of 0, without TLS and when not connected. Whether it was verified says
 * tls_verified.
 *
 * Owns:    the connection's: valid until it closes.
 * Model:   SSLSocket.getpeercert(binary_form=True). */
URLPOOL_API const void *urlpool_connection_peer_certificate(
    const struct urlpool_connection *connection, size_t *out_len);

URLPOOL_END_DECLS

#endif /* URLPOOL_CONNECTION_H */
