/* Opening a connection along a route (conn/chain.c), with what all who open share: the resolver and
 * its cache, the TLS sessions, the limits. None of it is locked here; resolver and session cache
 * see to that themselves. A forked child makes a resolver and a session cache of its own: a lock of
 * the parent's may have been held at the fork, and who drove a lookup there is not here. */

#include "conn/opener.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fork.h"
#include "coding/decoder.h"
#include "conn/chain.h"
#include "conn/wire.h"
#include "h1/bounds.h"
#include "h1/request_writer.h"
#include "http/proxy_hop.h"
#include "net/network.h"
#include "net/resolve.h"
#include "net/resolver.h"
#include "net/tls.h"

/* Peers whose TLS sessions are kept. */
#define SESSION_KEYS_MAX 256

/* struct memory is what an opener remembers, of one process. */
struct memory {
    uint64_t generation; /* of urlp_fork_generation */
    struct urlp_resolver *resolver;
    struct urlp_tls_sessions *sessions;
};

struct urlp_opener {
    _Atomic(struct memory *) memory; /* memory_of */
    struct urlp_network network;
    char *hosts_file; /* NULL: the system's */
    struct urlpool_limits limits;
    struct urlp_h1_bounds bounds; /* of these limits */
};

static void memory_free(struct memory *memory) URLP_MAY_BLOCK
{
    if (memory != NULL) {
        urlp_tls_sessions_free(memory->sessions);
        urlp_resolver_free(memory->resolver);
        urlp_free(memory);
    }
}

static struct memory *memory_new(const struct urlp_opener *opener,
                                 struct urlpool_error *err) URLP_MAY_BLOCK
{
    const struct urlp_resolver_options resolver = {.servers = opener->network.dns_servers,
                                                   .hosts_file = opener->hosts_file,
                                                   .family = opener->network.family};
    struct memory *memory = urlp_zalloc(sizeof(*memory));

    if (memory == NULL) {
        urlp_fail_nomem(err);
        return NULL;
    }
    memory->generation = urlp_fork_generation();
    memory->resolver = urlp_resolver_new(&resolver, err);
    if (memory->resolver != NULL) {
        memory->sessions = urlp_tls_sessions_new(SESSION_KEYS_MAX, err);
    }
    if (memory->sessions == NULL) {
        memory_free(memory);
        return NULL;
    }
    return memory;
}

/* memory_of is this process's; the parent's is left as it is, unwalked. */
static struct memory *memory_of(struct urlp_opener *opener,
                                struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct memory *found = atomic_load_explicit(&opener->memory, memory_order_acquire);
    struct memory *made = NULL;

    if (!urlp_fork_has_happened(found->generation)) {
        return found;
    }
    made = memory_new(opener, err);
    if (made == NULL || atomic_compare_exchange_strong(&opener->memory, &found, made)) {
        return made;
    }
    memory_free(made); /* another thread of the child was first */
    return found;
}

static bool copy_text(const char *text, char **out)
{
    *out = text == NULL ? NULL : urlp_strndup(text, strlen(text));
    return text == NULL || *out != NULL;
}

struct urlp_opener *urlp_opener_new(const struct urlp_opener_options *options,
                                    struct urlpool_error *err)
{
    static const struct urlpool_network defaults;
    struct urlp_opener *opener = urlp_zalloc(sizeof(*opener));
    struct memory *memory = NULL;

    if (opener == NULL || !copy_text(options->hosts_file, &opener->hosts_file)) {
        urlp_fail_nomem(err);
        urlp_opener_free(opener);
        return NULL;
    }
    opener->limits = options->limits;
    if (urlp_network_make(&opener->network, options->network != NULL ? options->network : &defaults,
                          err) == URLPOOL_OK &&
        urlp_connection_check_limits(&options->limits, err) == URLPOOL_OK &&
        urlp_h1_bounds_of(&options->limits, &opener->bounds, err) == URLPOOL_OK) {
        memory = memory_new(opener, err);
    }
    if (memory == NULL) {
        urlp_opener_free(opener);
        return NULL;
    }
    atomic_init(&opener->memory, memory);
    return opener;
}

enum urlpool_code urlp_opener_check_head(const struct urlp_opener *opener,
                                         struct urlp_request_head *head, struct urlpool_error *err)
{
    enum urlpool_code code = urlp_h1_check_request(head, &opener->bounds, err);

    head->is_checked = code == URLPOOL_OK;
    if (code != URLPOOL_OK && err != NULL) {
        err->phase = URLPOOL_PHASE_NONE;
    }
    return code;
}

struct urlp_ready_fields *urlp_opener_ready_fields(const struct urlp_request_head *head)
{
    return urlp_h1_ready_fields_new(head);
}

void urlp_opener_free(struct urlp_opener *opener)
{
    struct memory *memory;

    if (opener == NULL) {
        return;
    }
    memory = atomic_load(&opener->memory);
    if (memory != NULL && !urlp_fork_has_happened(memory->generation)) {
        memory_free(memory);
    }
    urlp_network_deinit(&opener->network);
    urlp_free(opener->hosts_file);
    urlp_free(opener);
}

void urlp_opener_bind(const struct urlp_opener *opener, struct urlpool_connection *connection)
{
    connection->limits = &opener->limits;
    connection->bounds = &opener->bounds;
}

void urlp_opener_forget_names(struct urlp_opener *opener)
{
    const struct memory *memory = memory_of(opener, NULL);

    if (memory != NULL) { /* else there is nothing to forget in this child */
        urlp_resolver_forget(memory->resolver);
    }
}

/* name_of finds whom a dial along `route` asks the DNS for; false: nobody. */
static bool name_of(const struct urlp_opener *opener, const struct urlp_route *route,
                    struct urlp_span *out_host)
{
    const struct urlp_network *network = &opener->network;
    struct urlp_addresses fixed[URLP_NUM_FAMILIES];
    uint16_t port = route->num_hops > 0 ? route->hops[0]->port : route->origin.port;
    struct urlp_ip ip;

    *out_host = route->num_hops > 0 ? route->hops[0]->host : route->origin.host;
    urlp_network_detour(network, out_host, &port);
    return network->unix_socket == NULL && network->resolve == NULL &&
           !urlp_ip_parse(*out_host, &ip) && !urlp_network_answer(network, *out_host, port, fixed);
}

bool urlp_opener_is_gone(struct urlp_opener *opener, const struct urlp_route *route,
                         const struct urlpool_connection *connection, uint64_t *seen)
{
    const struct memory *memory = memory_of(opener, NULL);
    uint64_t num_gone = memory != NULL ? urlp_resolver_num_gone(memory->resolver) : *seen;
    struct urlp_span host;
    struct urlp_peer peer;

    if (num_gone == *seen) {
        return false;
    }
    *seen = num_gone;
    return connection->stream != NULL && name_of(opener, route, &host) &&
           urlp_stream_peer(connection->stream, &peer) &&
           urlp_resolver_is_gone(memory->resolver, host, &peer.ip);
}

int64_t urlp_opener_ask_anew(struct urlp_opener *opener, const struct urlp_route *route,
                             const struct urlp_call *call)
{
    const struct memory *memory = memory_of(opener, NULL);
    struct urlp_dial_target target = {.network = &opener->network};
    int64_t fresh_ms;

    if (memory == NULL || !name_of(opener, route, &target.host)) {
        return -1;
    }
    if (urlp_resolve_anew(memory->resolver, &target, call, NULL) != URLPOOL_OK) {
        return 0;
    }
    fresh_ms = urlp_resolver_fresh_ms(memory->resolver, target.host);
    return fresh_ms > 0 ? fresh_ms : -1; /* nothing is kept of what the hosts file says */
}

void urlp_opener_drop_half(struct urlp_half_dial *half)
{
    urlp_half_dial_free(half);
}

uint64_t urlp_opener_tls_serial(const struct urlpool_tls *tls)
{
    return urlp_tls_serial(tls);
}

struct urlp_stream *urlp_opener_dial(struct urlp_opener *opener, const struct urlp_route *route,
                                     const struct urlp_tunnel *tunnel, const struct urlp_call *call,
                                     struct urlpool_headers **out_proxy_headers,
                                     struct urlpool_error *err)
{
    const struct memory *memory = memory_of(opener, err);
    struct urlp_chain_means means = {.network = &opener->network, .limits = &opener->limits};

    if (memory == NULL) {
        return NULL;
    }
    means.resolver = memory->resolver;
    means.sessions = memory->sessions;
    means.proxy_headers = out_proxy_headers;
    return urlp_chain_dial(&means, route, tunnel, call, err);
}

void urlp_opener_note_way(const struct urlp_opener *opener, const struct urlp_route *route,
                          struct urlpool_connection *connection)
{
    const struct urlp_proxy_hop *forwarder = urlp_route_forwarder(route);

    connection->unix_path = opener->network.unix_socket;
    connection->ends_in_tls =
        forwarder == NULL ? route->origin.is_https : forwarder->kind == URLP_PROXY_HTTPS;
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
    urlp_opener_bind(opener, connection);
    urlp_opener_note_way(opener, route, connection);
    stream = urlp_opener_dial(opener, route, NULL, call, &connection->proxy_headers, err);
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
    char codings[64];
    char tls[48];

    urlp_decoder_libraries(codings, sizeof(codings));
    urlp_tls_library(tls, sizeof(tls));
    (void)snprintf(out, out_size, "%s c-ares/%s %s", tls, urlp_resolver_library_version(), codings);
}
