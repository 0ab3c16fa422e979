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

struct urlpool_connection_options {
    bool https;
    struct urlpool_tls *tls;        /* NULL: the default configuration; with https only */
    struct urlpool_timeout timeout; /* total_ms: from putrequest to the end of the body */
    struct urlpool_limits limits;
    struct urlpool_trace trace;          /* event NULL: nobody watches */
    const struct urlpool_cancel *cancel; /* must outlive the connection */
    int64_t data_bytes_max;              /* of a decoded body held in memory; default 1 GiB */
    bool keep_encoded; /* response bodies are given as sent, content codings not undone */
    bool no_auto_open; /* send does not connect: URLPOOL_E_NOT_CONNECTED */
    unsigned char reserved[62];
};

/* Flags of urlpool_connection_putrequest. */
enum urlpool_skip {
    URLPOOL_SKIP_HOST = 1,
    URLPOOL_SKIP_ACCEPT_ENCODING = 2
};

/* urlpool_connection_new makes a connection object; nothing is dialled yet. `host` is "host",
 * "host:port", "[v6]" or "[v6]:port"; `port` 0 means the one in `host`, else 80 or 443.
 *
 * Owns:    the caller frees it with urlpool_connection_free.
 * Errors:  NULL with URLPOOL_E_URL (host or port), URLPOOL_E_INVALID (options), NOMEM, TLS_*. */
URLPOOL_API URLPOOL_MUST_USE struct urlpool_connection *urlpool_connection_new(
    const char *host, int port, const struct urlpool_connection_options *options,
    struct urlpool_error *err);
URLPOOL_API void urlpool_connection_free(struct urlpool_connection *connection);

/* urlpool_connection_set_tunnel makes the connection go through the proxy it was made for, by
 * CONNECT to `host`:`port` with `headers` (may be NULL). Errors: URLPOOL_E_INVALID when connected.
 */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_connection_set_tunnel(
    struct urlpool_connection *connection, const char *host, int port,
    const struct urlpool_headers *headers, struct urlpool_error *err);
/* urlpool_connection_set_debuglevel prints the exchange, credentials masked, to `sink` (NULL:
 * stderr) when `level` > 0. */
URLPOOL_API void urlpool_connection_set_debuglevel(struct urlpool_connection *connection, int level,
                                                   void (*sink)(void *user, const char *line),
                                                   void *user);
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_connection_connect(
    struct urlpool_connection *connection, struct urlpool_error *err);

/* urlpool_connection_request sends a whole request: Host, Accept-Encoding: identity, framing fields
 * by itself unless `headers` (may be NULL) say them. `body` may be NULL. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_connection_request(
    struct urlpool_connection *connection, const char *method, const char *target,
    const struct urlpool_body *body, const struct urlpool_headers *headers,
    struct urlpool_error *err);
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_connection_putrequest(
    struct urlpool_connection *connection, const char *method, const char *target, unsigned skip,
    struct urlpool_error *err);
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_connection_putheader(
    struct urlpool_connection *connection, const char *name, const char *const *values,
    size_t num_values, struct urlpool_error *err);
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_connection_endheaders(
    struct urlpool_connection *connection, const struct urlpool_body *body,
    struct urlpool_error *err);
/* urlpool_connection_send sends body bytes after endheaders, framed as the head said: up to its
 * Content-Length, or as one chunk; `len` 0 ends a chunked body. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_connection_send(
    struct urlpool_connection *connection, const void *data, size_t len, struct urlpool_error *err);
/* urlpool_connection_getresponse reads the head of the answer. The body is read from the response;
 * until its end no other request can be sent.
 *
 * Owns:    the caller frees it with urlpool_response_free, before or after the connection. */
URLPOOL_API URLPOOL_MUST_USE struct urlpool_response *urlpool_connection_getresponse(
    struct urlpool_connection *connection, struct urlpool_error *err);
URLPOOL_API void urlpool_connection_close(struct urlpool_connection *connection);
URLPOOL_API bool urlpool_connection_is_connected(const struct urlpool_connection *connection);

/* struct urlpool_connection_info is a snapshot. Strings are valid until the connection closes. */
struct urlpool_connection_info {
    const char *host;
    int port;
    bool https;
    bool connected;
    bool tls_resumed;
    const char *tls_version; /* NULL without TLS */
    const char *tls_cipher;
    char peer[64]; /* "127.0.0.1:80", "[::1]:80"; "" when not connected */
    uint64_t num_requests;
};
URLPOOL_API void urlpool_connection_info(const struct urlpool_connection *connection,
                                         struct urlpool_connection_info *out);

URLPOOL_END_DECLS

#endif /* URLPOOL_CONNECTION_H */
