#ifndef URLP_CONN_SPARES_H
#define URLP_CONN_SPARES_H

#include "base/buf.h"

struct urlpool_connection;

/* struct urlp_spares is memory that one request leaves to the next, each kind in its own place. The
 * buffers are of any content and length. Zero bytes: none. */
struct urlp_spares {
    struct urlp_buf block; /* of a response */
    struct urlp_buf data;  /* of a body that did not fit into it */
    struct urlp_buf inbox; /* of a connection */
};

/* urlp_spares_take gives a buffer's memory, empty; `from` has none then. */
struct urlp_buf urlp_spares_take(struct urlp_buf *from);

/* urlp_spares_add puts what `from` has into places that are empty and frees the rest. */
void urlp_spares_add(struct urlp_spares *spares, struct urlp_spares *from);

/* urlp_spares_lend gives a connection that has no memory for what it receives that of `spares`. */
void urlp_spares_lend(struct urlp_spares *spares, struct urlpool_connection *connection);

/* urlp_spares_take_back takes it from a connection whose exchange is over, unless received bytes
 * lie in it. */
void urlp_spares_take_back(struct urlp_spares *spares, struct urlpool_connection *connection);

/* urlp_spares_deinit frees all. */
void urlp_spares_deinit(struct urlp_spares *spares);

#endif /* URLP_CONN_SPARES_H */
