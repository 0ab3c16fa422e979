#ifndef URLP_NET_NETWORK_H
#define URLP_NET_NETWORK_H

#include "urlpool/network.h"

#include "base/ip.h"
#include "base/span.h"
#include "net/resolver.h"
#include "net/tcp.h"

/* struct urlp_fixed_answer is one "host:port:address,…" of the options. */
struct urlp_fixed_answer {
    struct urlp_span host; /* empty: any */
    uint16_t port;         /* 0: any */
    struct urlp_addresses answers[URLP_NUM_FAMILIES];
};

/* struct urlp_detour is one "host:port:to-host:to-port". */
struct urlp_detour {
    struct urlp_span host, to_host; /* empty: any; unchanged */
    uint16_t port, to_port;         /* 0: the same */
};

/* struct urlp_network is a struct urlpool_network resolved: immutable, any number at once. */
struct urlp_network {
    enum urlpool_family family;
    char *dns_servers; /* NULL: the system's */
    struct urlp_fixed_answer *fixed;
    size_t num_fixed;
    struct urlp_detour *detours;
    size_t num_detours;
    char **texts; /* what the spans above point into */
    size_t num_texts;
    urlpool_resolve_fn resolve;
    void *resolve_user;
    urlpool_address_fn allow;
    void *allow_user;
    bool public_only;
    char *unix_socket;
    struct urlp_tcp_options tcp; /* its strings and options are owned here */
};

/* urlp_network_make resolves and copies `given`.
 *
 * Owns:    the caller ends it with urlp_network_deinit, also after a failure.
 * Errors:  URLPOOL_E_INVALID, naming what cannot be read; URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE enum urlpool_code urlp_network_make(struct urlp_network *network,
                                                     const struct urlpool_network *given,
                                                     struct urlpool_error *err);
/* urlp_network_deinit gives its memory back; zero bytes have none. */
void urlp_network_deinit(struct urlp_network *network);

/* urlp_network_detour turns `host` and `port` into those that are dialled in their place; what it
 * writes may point into `network`. */
void urlp_network_detour(const struct urlp_network *network, struct urlp_span *host,
                         uint16_t *port);

/* urlp_network_answer looks for a fixed answer; false when there is none for that host. */
bool urlp_network_answer(const struct urlp_network *network, struct urlp_span host, uint16_t port,
                         struct urlp_addresses out_answers[]);

/* urlp_network_ask asks the caller's resolver, if there is one: `*out_is_asked`. A dial that asks
 * it cannot be broken off any more.
 *
 * Errors:  URLPOOL_E_RESOLVE, URLPOOL_E_NOMEM, URLPOOL_E_CANCELLED when it was to be broken off
 *          before; phase RESOLVE. */
URLPOOL_MUST_USE enum urlpool_code urlp_network_ask(const struct urlp_network *network,
                                                    struct urlp_span host,
                                                    const struct urlp_call *call,
                                                    struct urlp_addresses out_answers[],
                                                    bool *out_is_asked,
                                                    struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_network_allows says whether an address may be dialled. */
bool urlp_network_allows(const struct urlp_network *network, struct urlp_span host,
                         const struct urlp_peer *peer) URLP_MAY_BLOCK;

#endif /* URLP_NET_NETWORK_H */
