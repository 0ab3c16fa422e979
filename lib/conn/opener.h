#ifndef URLP_CONN_OPENER_H
#define URLP_CONN_OPENER_H

#include "urlpool/connection.h"

#include "base/call.h"
#include "conn/connection.h"
#include "http/route.h"
#include "net/stream.h"

/* An opener owns what opening connections needs and threads share: the resolver with its cache, the
 * TLS session cache, head limits. One per manager, opaque above. */
struct urlp_opener;

struct urlp_opener_options {
    struct urlpool_limits limits;
    const struct urlpool_network *network; /* NULL: the defaults */
    const char *hosts_file;                /* NULL: the system's */
};

/* urlp_opener_new makes an opener. Strings are copied or used up before it returns.
 *
 * Errors:  NULL with URLPOOL_E_INVALID (limits, network), URLPOOL_E_NOMEM,
 *          URLPOOL_E_SYSTEM. */
URLPOOL_MUST_USE struct urlp_opener *urlp_opener_new(const struct urlp_opener_options *options,
                                                     struct urlpool_error *err) URLP_MAY_BLOCK;
/* urlp_opener_free ends an opener; every connection it opened is gone before. Accepts NULL. */
void urlp_opener_free(struct urlp_opener *opener) URLP_MAY_BLOCK;

/* urlp_opener_bind gives a connection the limits of its opener, which outlives it. */
void urlp_opener_bind(const struct urlp_opener *opener, struct urlpool_connection *connection);

/* urlp_opener_forget_names has all names be asked for anew. TLS sessions stay.
 *
 * Threads: any number at once. */
void urlp_opener_forget_names(struct urlp_opener *opener) URLP_MAY_BLOCK;

/* urlp_opener_is_gone says whether the address that `connection`, opened along `route`, leads to is
 * one that the DNS gives no more for the name that was dialled. Never for literals, answers that
 * are fixed or a caller's own, and Unix sockets. `*seen` is this function's, 0 for a new
 * connection: as long as nothing has changed an answer costs a load.
 *
 * Threads: any number at once. */
bool urlp_opener_is_gone(struct urlp_opener *opener, const struct urlp_route *route,
                         const struct urlpool_connection *connection,
                         uint64_t *seen) URLP_MAY_BLOCK;

/* urlp_opener_ask_anew asks the DNS for the name that is dialled along `route`, unless what is kept
 * is still good, and returns after how many ms it will not be any more, -1: this is no name of the
 * DNS's.
 *
 * Threads: any number at once; blocks, until `call->by`. */
int64_t urlp_opener_ask_anew(struct urlp_opener *opener, const struct urlp_route *route,
                             const struct urlp_call *call) URLP_MAY_BLOCK;

/* urlp_opener_check_head finds out before a connection is taken whether `head` may be sent on it,
 * and notes that in it; urlp_connection_exchange then does not look again.
 *
 * Errors:  those of urlp_h1_write_head for a head; phase NONE. */
URLPOOL_MUST_USE enum urlpool_code urlp_opener_check_head(const struct urlp_opener *opener,
                                                          struct urlp_request_head *head,
                                                          struct urlpool_error *err);

/* urlp_opener_ready_fields keeps the fields of a head that urlp_opener_check_head has passed, for
 * other heads within the same limits.
 *
 * Owns:    one block of memory, for urlp_free.
 * Errors:  NULL: there is no memory for it, or they are not for any head. */
struct urlp_ready_fields *urlp_opener_ready_fields(const struct urlp_request_head *head);

struct urlp_tunnel;

/* urlp_opener_dial opens a stream along `route` and its hops. With a `tunnel`, for which the route
 * has no hops, the route's origin is a proxy that is asked for it. `*out_proxy_headers`, NULL or a
 * list that is freed, becomes what the last proxy to answer CONNECT said; also on failure.
 *
 * Owns:    the stream is the caller's, and `*out_proxy_headers`.
 * Errors:  NULL with those of urlp_chain_dial.
 * Threads: any number at once; blocks. */
URLPOOL_MUST_USE struct urlp_stream *urlp_opener_dial(struct urlp_opener *opener,
                                                      const struct urlp_route *route,
                                                      const struct urlp_tunnel *tunnel,
                                                      const struct urlp_call *call,
                                                      struct urlpool_headers **out_proxy_headers,
                                                      struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_opener_note_way notes in `connection` what only its opener knows of the way it is opened
 * along; the opener outlives it. */
void urlp_opener_note_way(const struct urlp_opener *opener, const struct urlp_route *route,
                          struct urlpool_connection *connection);

/* urlp_opener_open opens a connection along `route`.
 *
 * Units:   `call->by` bounds all of it.
 * Errors:  NULL with those of urlp_chain_dial.
 * Threads: any number at once; blocks. */
URLPOOL_MUST_USE struct urlpool_connection *urlp_opener_open(
    struct urlp_opener *opener, const struct urlp_route *route, const struct urlp_call *call,
    struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_opener_drop_half ends what an opening that was broken off has left (`call->break_off`);
 * accepts NULL. */
void urlp_opener_drop_half(struct urlp_half_dial *half) URLP_MAY_BLOCK;

/* urlp_opener_tls_serial tells one built TLS configuration from another: what a route holds beside
 * the pointer, so that a pool key never rests on an address. */
uint64_t urlp_opener_tls_serial(const struct urlpool_tls *tls);

/* urlp_opener_libraries writes the names and versions of the libraries beneath: "BoringSSL/17
 * c-ares/1.18.1 zlib/1.2.13", and what else is built in. */
void urlp_opener_libraries(char *out, size_t out_size);

#endif /* URLP_CONN_OPENER_H */
