/* From a route to a stream: each step goes over what the steps before have opened, so that TLS in
 * TLS or CONNECT through SOCKS are the same calls in another order.
 *
 * What fails on the way to a proxy is the proxy's failure; behind it, what fails is the origin's.
 * Knows no bytes of any protocol: net/dial, net/tls_handshake, conn/tunnel and conn/socks do. */

#include "conn/chain.h"

#include <string.h>

#include "base/error.h"
#include "conn/socks.h"
#include "http/proxy_hop.h"
#include "net/dial.h"
#include "net/resolve.h"

/* struct chain is one dial under way. */
struct chain {
    const struct urlp_chain_means *means;
    const struct urlp_route *route;
    const struct urlp_tunnel *tunnel; /* NULL: none */
    const struct urlp_call *call;
    struct urlp_stream *stream; /* as far as it goes; owned */
    char via[URLP_TLS_VIA_BYTES_MAX];
    size_t via_len;
};

static struct urlp_origin origin_of_hop(const struct urlp_proxy_hop *hop)
{
    return (struct urlp_origin){.host = hop->host, .zone = hop->zone, .port = hop->port};
}

/* is_own_failure says whether `code` stays what it is on the way to a proxy, too: the call's end,
 * this machine's shortage, what the caller himself has ruled. */
static bool is_own_failure(enum urlpool_code code)
{
    return code == URLPOOL_E_TOTAL_TIMEOUT || code == URLPOOL_E_CANCELLED ||
           code == URLPOOL_E_NOMEM || code == URLPOOL_E_SYSTEM || code == URLPOOL_E_INVALID ||
           code == URLPOOL_E_ADDRESS_REFUSED;
}

/* fail_before says which proxy was not reached, and why. */
static enum urlpool_code fail_before(const struct urlp_proxy_hop *hop,
                                     const struct urlpool_error *why, struct urlpool_error *err)
{
    const bool is_own = is_own_failure(why->code);
    const bool is_v6 = memchr(hop->host.data, ':', hop->host.len) != NULL;
    enum urlpool_code code = is_own ? why->code : URLPOOL_E_PROXY;

    (void)urlp_fail(err, code, URLPOOL_PHASE_PROXY, "proxy %s%s%s:%u: %s%s", is_v6 ? "[" : "",
                    urlp_quote(hop->host.data, hop->host.len).text, is_v6 ? "]" : "",
                    (unsigned)hop->port, why->message,
                    urlp_tls_is_spoken(why) ? "" : "; perhaps it is an http:// proxy");
    if (err != NULL) {
        err->cause = is_own ? why->cause : why->code;
        err->os_errno = why->os_errno;
        err->tls_code = why->tls_code;
    }
    return code;
}

static enum urlpool_code dial(struct chain *chain, const struct urlp_origin *to,
                              struct urlpool_error *err) URLP_MAY_BLOCK
{
    const struct urlp_dial_target target = {
        .host = to->host, .zone = to->zone, .port = to->port, .network = chain->means->network};
    struct urlpool_error why;

    chain->stream = urlp_dial(chain->means->resolver, &target, chain->call, &why);
    return chain->stream != NULL ? URLPOOL_OK : urlp_fail_with(err, &why);
}

/* secure shakes hands with who is at the other end. */
static enum urlpool_code secure(struct chain *chain, const struct urlp_origin *with,
                                struct urlpool_tls *tls, struct urlpool_error *err) URLP_MAY_BLOCK
{
    const struct urlp_tls_target target = {
        .host = with->host, .port = with->port, .via = urlp_span_make(chain->via, chain->via_len)};
    struct urlp_stream *stream = NULL;
    struct urlpool_error why;

    if (tls == NULL) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_TLS, "a route to https without TLS");
    }
    stream = urlp_tls_wrap(chain->stream, tls, &target, chain->means->sessions, chain->call, &why);
    if (stream == NULL) {
        return urlp_fail_with(err, &why);
    }
    chain->stream = stream;
    return URLPOOL_OK;
}

/* note_way remembers by whom the way leads from here on: a peer that was met otherwise is another
 * one to the cache of TLS sessions, even under the same name. */
static void note_way(struct chain *chain, const void *bytes, size_t len)
{
    memcpy(chain->via + chain->via_len, bytes, len);
    chain->via_len += len;
}

static enum urlpool_code pass_tunnel(struct chain *chain, const struct urlp_tunnel *tunnel,
                                     struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlpool_error why;
    struct urlp_stream *stream = urlp_tunnel_wrap(chain->stream, tunnel, chain->means->limits,
                                                  chain->call, chain->means->proxy_headers, &why);

    if (stream == NULL) {
        return urlp_fail_with(err, &why);
    }
    chain->stream = stream;
    return URLPOOL_OK;
}

/* find_address finds what a proxy is told in place of a name. An address that is written down is
 * one for every kind of SOCKS; SOCKS4a is told one of IPv6 as a name. */
static enum urlpool_code find_address(struct chain *chain, const struct urlp_proxy_hop *hop,
                                      const struct urlp_origin *next, struct urlp_ip *out_ip,
                                      struct urlpool_error *err) URLP_MAY_BLOCK
{
    const struct urlp_dial_target target = {.host = next->host,
                                            .zone = next->zone,
                                            .port = next->port,
                                            .network = chain->means->network};
    struct urlp_ip ip = {.family = URLP_IP_NONE};

    if (hop->kind == URLP_PROXY_SOCKS4 || hop->kind == URLP_PROXY_SOCKS5) {
        return urlp_resolve(chain->means->resolver, &target, hop->kind == URLP_PROXY_SOCKS4,
                            chain->call, out_ip, err);
    }
    if (urlp_ip_parse(next->host, &ip) &&
        (hop->kind == URLP_PROXY_SOCKS5H || ip.family == URLP_IP_V4)) {
        *out_ip = ip;
    }
    return URLPOOL_OK;
}

static enum urlpool_code pass_socks(struct chain *chain, const struct urlp_proxy_hop *hop,
                                    const struct urlp_origin *next,
                                    struct urlpool_error *err) URLP_MAY_BLOCK
{
    const bool is_4 = hop->kind == URLP_PROXY_SOCKS4 || hop->kind == URLP_PROXY_SOCKS4A;
    struct urlp_socks_order order = {.version = is_4 ? 4 : 5,
                                     .host = next->host,
                                     .port = next->port,
                                     .has_credentials = hop->has_credentials,
                                     .user = hop->user,
                                     .password = hop->password};
    struct urlpool_error why;

    if (find_address(chain, hop, next, &order.ip, &why) != URLPOOL_OK ||
        urlp_socks_connect(chain->stream, &order, chain->call, &why) != URLPOOL_OK) {
        return urlp_fail_with(err, &why);
    }
    return URLPOOL_OK;
}

/* pass asks `hop`, which is at the other end, for `next`. */
static enum urlpool_code pass(struct chain *chain, const struct urlp_proxy_hop *hop,
                              const struct urlp_origin *next,
                              struct urlpool_error *err) URLP_MAY_BLOCK
{
    const struct urlp_tunnel tunnel = {
        .target = *next, .headers = hop->headers, .authorization = hop->authorization};
    enum urlpool_code code = hop->kind == URLP_PROXY_HTTP || hop->kind == URLP_PROXY_HTTPS
                                 ? pass_tunnel(chain, &tunnel, err)
                                 : pass_socks(chain, hop, next, err);

    note_way(chain, &hop->serial, sizeof(hop->serial));
    return code;
}

/* greet makes TLS with `hop` if it is an https proxy. */
static enum urlpool_code greet(struct chain *chain, const struct urlp_proxy_hop *hop,
                               struct urlpool_error *err) URLP_MAY_BLOCK
{
    const struct urlp_origin self = origin_of_hop(hop);
    struct urlpool_error why;

    if (hop->kind != URLP_PROXY_HTTPS) {
        return URLPOOL_OK;
    }
    note_way(chain, "p", 1); /* as a proxy it is another peer than as an origin */
    if (secure(chain, &self, hop->tls, &why) != URLPOOL_OK) {
        return fail_before(hop, &why, err);
    }
    urlp_marks_greeted(chain->call->marks);
    chain->via_len--;
    return URLPOOL_OK;
}

/* pass_hops goes to the first hop and through all of them, up to the origin or, when the last one
 * forwards, up to that. */
static enum urlpool_code pass_hops(struct chain *chain, struct urlpool_error *err) URLP_MAY_BLOCK
{
    const struct urlp_route *route = chain->route;
    const struct urlp_origin first = origin_of_hop(route->hops[0]);
    struct urlpool_error why;
    enum urlpool_code code = URLPOOL_OK;

    if (dial(chain, &first, &why) != URLPOOL_OK) {
        return fail_before(route->hops[0], &why, err);
    }
    for (size_t i = 0; i < route->num_hops && code == URLPOOL_OK; i++) {
        const struct urlp_proxy_hop *hop = route->hops[i];
        const bool is_last = i + 1 == route->num_hops;
        const struct urlp_origin next = is_last ? route->origin : origin_of_hop(route->hops[i + 1]);

        code = greet(chain, hop, err);
        if (code == URLPOOL_OK && !(is_last && route->is_forwarded)) {
            code = pass(chain, hop, &next, err);
        }
    }
    return code;
}

/* reach_by_tunnel takes the route's origin for a proxy and goes through that. */
static enum urlpool_code reach_by_tunnel(struct chain *chain,
                                         struct urlpool_error *err) URLP_MAY_BLOCK
{
    const struct urlp_origin *proxy = &chain->route->origin;
    struct urlpool_tls *tls = chain->tunnel->proxy_tls;
    const struct urlp_proxy_hop hop = {.kind = tls != NULL ? URLP_PROXY_HTTPS : URLP_PROXY_HTTP,
                                       .host = proxy->host,
                                       .zone = proxy->zone,
                                       .port = proxy->port,
                                       .tls = tls};
    enum urlpool_code code = dial(chain, proxy, err);

    if (code == URLPOOL_OK) {
        code = greet(chain, &hop, err);
    }
    if (code == URLPOOL_OK) {
        code = pass_tunnel(chain, chain->tunnel, err);
        note_way(chain, "t", 1);
    }
    return code;
}

/* reach goes where the origin, or who forwards to it, is at the other end. */
static enum urlpool_code reach(struct chain *chain, struct urlpool_error *err) URLP_MAY_BLOCK
{
    if (chain->route->num_hops > 0) {
        return pass_hops(chain, err);
    }
    if (chain->tunnel != NULL) {
        return reach_by_tunnel(chain, err);
    }
    return dial(chain, &chain->route->origin, err);
}

struct urlp_stream *urlp_chain_dial(const struct urlp_chain_means *means,
                                    const struct urlp_route *route,
                                    const struct urlp_tunnel *tunnel, const struct urlp_call *call,
                                    struct urlpool_error *err)
{
    struct chain chain = {.means = means, .route = route, .tunnel = tunnel, .call = call};
    const struct urlp_origin *origin = tunnel == NULL ? &route->origin : &tunnel->target;
    const bool is_secure = origin->is_https && urlp_route_forwarder(route) == NULL;
    enum urlpool_code code;

    _Static_assert(URLP_ROUTE_HOPS_MAX * sizeof(route->hops[0]->serial) + 1 <=
                       URLP_TLS_VIA_BYTES_MAX,
                   "there is room for the longest way");
    if (is_secure && route->tls == NULL) {
        (void)urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_TLS, "a route to https without TLS");
        return NULL;
    }
    code = reach(&chain, err);
    if (code == URLPOOL_OK && is_secure) {
        code = secure(&chain, origin, route->tls, err);
    }
    if (code != URLPOOL_OK) {
        urlp_stream_free(chain.stream, URLP_CLOSE_SILENT);
        return NULL;
    }
    return chain.stream;
}
