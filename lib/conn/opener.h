#ifndef URLP_CONN_OPENER_H
#define URLP_CONN_OPENER_H

#include "urlpool/connection.h"

#include "base/call.h"
#include "conn/connection.h"
#include "http/route.h"

/* An opener owns what opening connections needs and threads share: the resolver with its cache, the
 * TLS session cache, socket options, head limits. One per manager, opaque above. */
struct urlp_opener;

struct urlp_opener_options {
    struct urlpool_limits limits;
    const char *dns_servers; /* NULL: the system's */
    const char *hosts_file;  /* NULL: the system's */
};

URLPOOL_MUST_USE struct urlp_opener *urlp_opener_new(const struct urlp_opener_options *options,
                                                     struct urlpool_error *err);
/* urlp_opener_free: every connection it opened is gone before. */
void urlp_opener_free(struct urlp_opener *opener);

/* urlp_opener_open opens a connection along `route`: TCP, then TLS for https.
 *
 * Units:   `call->by` bounds all of it.
 * Errors:  NULL with those of urlp_dial and urlp_tls_wrap.
 * Threads: any number at once; blocks. */
URLPOOL_MUST_USE struct urlpool_connection *urlp_opener_open(struct urlp_opener *opener,
                                                             const struct urlp_route *route,
                                                             const struct urlp_call *call,
                                                             struct urlpool_error *err)
    URLP_MAY_BLOCK;

/* urlp_opener_tls_serial tells one built TLS configuration from another: what a route holds beside
 * the pointer, so that a pool key never rests on an address. */
uint64_t urlp_opener_tls_serial(const struct urlpool_tls *tls);

#endif /* URLP_CONN_OPENER_H */
