/* Opening a connection along a route: TCP, then CONNECT, then TLS, each over the one before it.
 *
 * What is shared by all who open lives here: the resolver and its cache, the TLS sessions, the
 * limits. None of it is locked here; resolver and session cache see to that themselves. */

#include "conn/opener.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "coding/decoder.h"
#include "conn/tunnel.h"
#include "conn/wire.h"
#include "net/dial.h"
#include "net/resolver.h"
#include "net/tcp.h"
#include "net/tls.h"

/* Peers whose TLS sessions are kept. */
#define SESSION_KEYS_MAX 256

struct urlp_opener {
    struct urlp_resolver *resolver;
    struct urlp_tls_sessions *sessions;
    struct urlpool_limits limits;
    struct urlp_tcp_options tcp;
};

struct urlp_opener *urlp_opener_new(const struct urlp_opener_options *options,
                                    struct urlpool_error *err)
{
    struct urlp_resolver_options resolver = {.servers = options->dns_servers,
                                             .hosts_file = options->hosts_file};
    struct urlp_opener *opener = urlp_zalloc(sizeof(*opener));

    if (opener == NULL) {
        urlp_fail_nomem(err);
        return NULL;
    }
    opener->limits = options->limits;
    if (urlp_connection_check_limits(&options->limits, err) == URLPOOL_OK) {
        opener->resolver = urlp_resolver_new(&resolver, err);
    }
    if (opener->resolver != NULL) {
        opener->sessions = urlp_tls_sessions_new(SESSION_KEYS_MAX, err);
    }
    if (opener->sessions == NULL) {
        urlp_opener_free(opener);
        return NULL;
    }
    return opener;
}

void urlp_opener_free(struct urlp_opener *opener)
{
    if (opener == NULL) {
        return;
    }
    urlp_tls_sessions_free(opener->sessions);
    urlp_resolver_free(opener->resolver);
    urlp_free(opener);
}

uint64_t urlp_opener_tls_serial(const struct urlpool_tls *tls)
{
    return urlp_tls_serial(tls);
}

/* secure shakes hands over `inner`, which it takes on success only. */
static struct urlp_stream *secure(struct urlp_opener *opener, struct urlp_stream *inner,
                                  struct urlpool_tls *tls, const struct urlp_origin *origin,
                                  const struct urlp_call *call,
                                  struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_tls_target target = {.host = origin->host, .port = origin->port};

    return urlp_tls_wrap(inner, tls, &target, opener->sessions, call, err);
}

struct urlp_stream *urlp_opener_dial(struct urlp_opener *opener, const struct urlp_route *route,
                                     const struct urlp_tunnel *tunnel, const struct urlp_call *call,
                                     struct urlpool_error *err)
{
    struct urlp_dial_target target = {.host = route->origin.host,
                                      .zone = route->origin.zone,
                                      .port = route->origin.port,
                                      .tcp = opener->tcp};
    const struct urlp_origin *inside = tunnel == NULL ? &route->origin : &tunnel->target;
    struct urlp_stream *below = NULL;
    struct urlp_stream *stream = NULL;

    if (inside->is_https && route->tls == NULL) {
        urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_TLS, "a route to https without TLS");
        return NULL;
    }
    stream = urlp_dial(opener->resolver, &target, call, err);
    if (stream != NULL && tunnel != NULL) {
        below = stream;
        stream = urlp_tunnel_wrap(below, tunnel, &opener->limits, call, err);
    }
    if (stream != NULL && inside->is_https) {
        below = stream;
        stream = secure(opener, below, route->tls, inside, call, err);
    }
    if (stream == NULL) {
        urlp_stream_free(below, URLP_CLOSE_SILENT);
    }
    return stream;
}

struct urlpool_connection *urlp_opener_open(struct urlp_opener *opener,
                                            const struct urlp_route *route,
                                            const struct urlp_call *call, struct urlpool_error *err)
{
    struct urlpool_connection *connection =
        urlp_connection_create(&route->origin, &opener->limits, err);
    struct urlp_stream *stream = NULL;

    if (connection == NULL) {
        return NULL;
    }
    stream = urlp_opener_dial(opener, route, NULL, call, err);
    if (stream == NULL) {
        goto failed;
    }
    if (urlp_connection_attach(connection, stream, err) != URLPOOL_OK) {
        urlp_stream_free(stream, URLP_CLOSE_SILENT);
        goto failed;
    }
    return connection;
failed:
    urlp_connection_end(connection, false);
    return NULL;
}

void urlp_opener_libraries(char *out, size_t out_size)
{
    (void)snprintf(out, out_size, "%s c-ares/%s zlib/%s", urlp_tls_library(),
                   urlp_resolver_library_version(), urlp_decoder_library_version());
}
