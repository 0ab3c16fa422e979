/* The life of a connection on the lower floor: made, opened, led through a proxy, closed, freed;
 * and what can be asked of it and set on it. */

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/option.h"
#include "coding/decoder.h"
#include "conn/floor.h"
#include "conn/opener.h"
#include "conn/wire.h"
#include "net/tcp.h"
#include "net/tls.h"

/* data_bytes_max when nobody says otherwise. */
#define DATA_BYTES_MAX ((int64_t)1 << 30)

/* parse_host reads what a caller gives as host and port into `out`, whose `is_https` is set. */
static enum urlpool_code parse_host(const char *host, int port, struct urlp_url *out_host,
                                    struct urlp_origin *out, struct urlpool_error *err)
{
    enum urlpool_code code = urlp_url_parse_host(host, port, out_host, err);

    if (code == URLPOOL_OK) {
        out->host = out_host->host;
        out->zone = out_host->zone;
        out->port =
            out_host->port >= 0 ? (uint16_t)out_host->port : urlp_url_default_port(out->is_https);
    }
    return code;
}

/* set_options checks the options and keeps them; the TLS configuration not among them. */
static enum urlpool_code set_options(struct urlp_floor *floor,
                                     const struct urlpool_connection_options *options,
                                     struct urlpool_error *err)
{
    enum urlpool_code code =
        urlp_option_check_reserved("options", options->reserved, sizeof(options->reserved), err);

    if (code == URLPOOL_OK) {
        code =
            urlp_timeout_resolve(&options->timeout, &urlp_timeout_defaults, &floor->timeout, err);
    }
    if (code == URLPOOL_OK) {
        code = urlp_option_resolve("data_bytes_max", options->data_bytes_max, DATA_BYTES_MAX,
                                   &floor->data_bytes_max, err);
    }
    if (code == URLPOOL_OK && options->tls != NULL && !options->https) {
        code = urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "tls without https");
    }
    if (code == URLPOOL_OK && options->proxy_tls != NULL && !options->https_proxy) {
        code =
            urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "proxy_tls without https_proxy");
    }
    if (code == URLPOOL_OK) {
        code = urlp_option_check_reserved("trace", options->trace.reserved,
                                          sizeof(options->trace.reserved), err);
    }
    floor->cancel = options->cancel;
    floor->user_trace = options->trace;
    floor->keep_encoded = options->keep_encoded;
    floor->no_auto_open = options->no_auto_open;
    return code;
}

/* take_tls takes a reference to `given`, or makes the default configuration, where it is `wanted`.
 * False: it cannot be had. */
static bool take_tls(bool wanted, struct urlpool_tls *given, struct urlpool_tls **out,
                     struct urlpool_error *err) URLP_MAY_BLOCK
{
    if (wanted) {
        *out = given != NULL ? urlpool_tls_ref(given) : urlpool_tls_new(NULL, err);
    }
    return !wanted || *out != NULL;
}

/* set_up_opener gives the floor what opening takes. */
static enum urlpool_code set_up_opener(struct urlp_floor *floor,
                                       const struct urlpool_connection_options *options,
                                       struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_opener_options opener = {.limits = options->limits, .network = &options->network};
    struct urlpool_error why;

    floor->opener = urlp_opener_new(&opener, &why);
    if (floor->opener == NULL || !take_tls(options->https, options->tls, &floor->tls, &why) ||
        !take_tls(options->https_proxy, options->proxy_tls, &floor->proxy_tls, &why)) {
        return urlp_fail_with(err, &why);
    }
    return URLPOOL_OK;
}

struct urlpool_connection *urlpool_connection_new(const char *host, int port,
                                                  const struct urlpool_connection_options *options,
                                                  struct urlpool_error *err) URLP_MAY_BLOCK
{
    static const struct urlpool_connection_options defaults;
    struct urlp_url parsed = {0};
    struct urlp_origin origin = {0};
    struct urlpool_connection *connection = NULL;

    if (host == NULL) {
        (void)urlp_fail_null(err);
        return NULL;
    }
    options = options == NULL ? &defaults : options;
    origin.is_https = options->https;
    if (parse_host(host, port, &parsed, &origin, err) == URLPOOL_OK) {
        connection = urlp_connection_create(&origin, &options->limits, err);
    }
    urlp_url_deinit(&parsed);
    if (connection == NULL) {
        return NULL;
    }
    connection->floor = urlp_floor_new(err);
    if (connection->floor == NULL || set_options(connection->floor, options, err) != URLPOOL_OK ||
        set_up_opener(connection->floor, options, err) != URLPOOL_OK) {
        urlp_connection_end(connection, false);
        return NULL;
    }
    urlp_opener_bind(connection->floor->opener, connection);
    return connection;
}

void urlpool_connection_free(struct urlpool_connection *connection) URLP_MAY_BLOCK
{
    if (connection != NULL && connection->loan != NULL) {
        urlp_floor_close(connection, true); /* the pool ends it, when it is given back */
        return;
    }
    urlp_connection_end(connection, true);
}

struct urlp_floor *urlp_floor_new(struct urlpool_error *err)
{
    struct urlp_floor *floor = urlp_zalloc(sizeof(*floor));

    if (floor == NULL) {
        (void)urlp_fail_nomem(err);
    }
    return floor;
}

void urlp_floor_free(struct urlp_floor *floor)
{
    if (floor == NULL) {
        return;
    }
    urlp_opener_free(floor->opener);
    urlpool_tls_unref(floor->tls);
    urlpool_tls_unref(floor->proxy_tls);
    urlp_url_deinit(&floor->tunnel_host);
    urlpool_headers_free(floor->tunnel_headers);
    urlp_buf_deinit(&floor->text);
    urlp_buf_deinit(&floor->places);
    urlp_buf_deinit(&floor->fields);
    urlp_free(floor);
}

enum urlpool_code urlp_connection_lend(struct urlpool_connection *connection,
                                       const struct urlpool_timeout *timeout,
                                       const struct urlpool_cancel *cancel,
                                       const struct urlpool_trace *trace,
                                       struct urlp_counters *counters, struct urlpool_error *err)
{
    struct urlp_floor *floor = urlp_floor_new(err);

    if (floor == NULL) {
        return URLPOOL_E_NOMEM;
    }
    floor->timeout = *timeout;
    floor->cancel = cancel;
    floor->user_trace = trace != NULL ? *trace : (struct urlpool_trace){0};
    floor->data_bytes_max = DATA_BYTES_MAX;
    floor->counters = counters;
    connection->floor = floor;
    return URLPOOL_OK;
}

void urlp_connection_take_back(struct urlpool_connection *connection)
{
    if (connection->response == NULL) { /* else it goes with the connection */
        urlp_floor_free(connection->floor);
        connection->floor = NULL;
    }
}

const char *urlp_connection_accept_encoding(void)
{
    return urlp_decoder_accept_encoding();
}

struct urlp_call urlp_floor_call(struct urlpool_connection *connection, int64_t wait_ms)
{
    struct urlp_floor *floor = connection->floor;
    struct urlp_call call = {
        .by = urlp_deadline_in(wait_ms),
        .total_by = URLP_NEVER,
        .cancel = floor->cancel,
        .counters = floor->counters,
    };

    if (floor->debug.level > 0) {
        floor->own_trace = (struct urlpool_trace){.event = urlp_floor_trace, .user = floor};
        call.trace = &floor->own_trace;
    } else if (floor->user_trace.event != NULL) {
        call.trace = &floor->user_trace;
    }
    return call;
}

enum urlpool_code urlp_floor_open(struct urlpool_connection *connection,
                                  const struct urlp_call *call, struct urlpool_error *err)
{
    struct urlp_floor *floor = connection->floor;
    struct urlp_call brief = urlp_call_until(call, floor->timeout.connect_ms);
    struct urlp_route route = {.origin = connection->origin, .tls = floor->tls};
    struct urlp_stream *stream = NULL;
    struct urlpool_error why;

    if (connection->stream != NULL) {
        return URLPOOL_OK;
    }
    if (floor->opener == NULL) {
        return urlp_fail(err, URLPOOL_E_NOT_CONNECTED, URLPOOL_PHASE_CONNECT, "not connected");
    }
    if (floor->proxy_tls != NULL && floor->tunnel_host.text.len == 0) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_PROXY,
                         "https_proxy without a tunnel that leads through it");
    }
    urlpool_headers_free(connection->proxy_headers);
    connection->proxy_headers = NULL;
    urlp_opener_note_way(floor->opener, &route, connection);
    stream = urlp_opener_dial(floor->opener, &route,
                              floor->tunnel_host.text.len > 0 ? &floor->tunnel : NULL, &brief,
                              &connection->proxy_headers, &why);
    if (stream != NULL && urlp_connection_attach(connection, stream, &why) == URLPOOL_OK) {
        return URLPOOL_OK;
    }
    urlp_stream_free(stream, URLP_CLOSE_SILENT);
    return urlp_fail_with(err, &why);
}

enum urlpool_code urlpool_connection_connect(struct urlpool_connection *connection,
                                             struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_call call;

    if (connection == NULL) {
        return urlp_fail_null(err);
    }
    call = urlp_floor_call(connection, -1);
    return urlp_floor_open(connection, &call, err);
}

void urlp_floor_close(struct urlpool_connection *connection, bool is_polite)
{
    urlp_connection_shut(connection, is_polite);
    if (connection->floor != NULL) {
        connection->floor->state = URLP_FLOOR_IDLE;
    }
}

void urlpool_connection_close(struct urlpool_connection *connection)
{
    if (connection != NULL) {
        urlp_floor_close(connection, true);
    }
}

/* copy_tunnel_headers copies `headers` and refuses what must not be in a CONNECT. */
static enum urlpool_code copy_tunnel_headers(const struct urlpool_headers *headers,
                                             struct urlpool_headers **out,
                                             struct urlpool_error *err)
{
    if (headers == NULL) {
        return URLPOOL_OK;
    }
    /* RFC 9110 section 9.3.6: a CONNECT request message does not have content. */
    if (urlpool_headers_contains(headers, "Content-Length") ||
        urlpool_headers_contains(headers, "Transfer-Encoding")) {
        return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_PROXY, "CONNECT has no body");
    }
    *out = urlpool_headers_copy(headers, err);
    return *out == NULL ? URLPOOL_E_NOMEM : URLPOOL_OK;
}

enum urlpool_code urlpool_connection_set_tunnel(struct urlpool_connection *connection,
                                                const char *host, int port,
                                                const struct urlpool_headers *headers,
                                                struct urlpool_error *err)
{
    struct urlp_floor *floor = NULL;
    struct urlp_url parsed = {0};
    struct urlpool_headers *copy = NULL;
    struct urlp_tunnel tunnel = {0};
    enum urlpool_code code;

    if (connection == NULL || host == NULL) {
        return urlp_fail_null(err);
    }
    floor = connection->floor;
    if (connection->stream != NULL || floor->opener == NULL) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_PROXY,
                         "a tunnel cannot be set up for a connection that is established");
    }
    tunnel.target.is_https = connection->origin.is_https;
    code = parse_host(host, port, &parsed, &tunnel.target, err);
    if (code == URLPOOL_OK) {
        code = copy_tunnel_headers(headers, &copy, err);
    }
    if (code != URLPOOL_OK) {
        urlp_url_deinit(&parsed);
        return code;
    }
    urlp_url_deinit(&floor->tunnel_host);
    urlpool_headers_free(floor->tunnel_headers);
    floor->tunnel_host = parsed;
    floor->tunnel_headers = copy;
    floor->tunnel = tunnel;
    floor->tunnel.headers = copy;
    floor->tunnel.proxy_tls = floor->proxy_tls;
    return URLPOOL_OK;
}

const struct urlpool_headers *urlpool_connection_proxy_headers(
    const struct urlpool_connection *connection)
{
    return connection != NULL ? connection->proxy_headers : NULL;
}

bool urlpool_connection_is_connected(const struct urlpool_connection *connection)
{
    return connection != NULL && connection->stream != NULL;
}

/* take_info fills the whole of `out`. */
static void take_info(const struct urlpool_connection *connection,
                      struct urlpool_connection_info *out)
{
    struct urlp_peer peer;
    char text[URLP_PEER_TEXT_MAX];

    if (connection == NULL) {
        return;
    }
    out->host = connection->origin.host.data;
    out->port = connection->origin.port;
    out->https = connection->origin.is_https;
    out->num_requests = connection->num_requests;
    out->connected = connection->stream != NULL;
    if (connection->stream == NULL) {
        return;
    }
    if (connection->ends_in_tls) {
        (void)urlp_tls_describe(connection->stream, &out->tls_version, &out->tls_cipher,
                                &out->tls_resumed);
        out->tls_verified = urlp_tls_is_verified(connection->stream);
    }
    if (urlp_stream_peer(connection->stream, &peer)) {
        urlp_peer_format(&peer, text);
        (void)snprintf(out->peer, sizeof(out->peer), "%.63s", text);
    }
}

void urlpool_connection_info(const struct urlpool_connection *connection,
                             struct urlpool_connection_info *out, size_t out_size)
{
    struct urlpool_connection_info info = {.host = ""};

    if (out != NULL) {
        take_info(connection, &info);
        urlp_option_give_out(&info, sizeof(info), out, out_size);
    }
}

const void *urlpool_connection_peer_certificate(const struct urlpool_connection *connection,
                                                size_t *out_len)
{
    struct urlp_span der = urlp_span_make(NULL, 0);

    if (connection != NULL && connection->stream != NULL && connection->ends_in_tls) {
        der = urlp_tls_peer_certificate(connection->stream);
    }
    if (out_len != NULL) {
        *out_len = der.len;
    }
    return der.data;
}
