#ifndef URLP_CONN_PEER_RECORD_H
#define URLP_CONN_PEER_RECORD_H

#include "urlpool/response.h"

#include "base/ref.h"
#include "conn/wire.h"

/* struct urlp_peer_record is who is at the other end of a connection, as responses tell it: made
 * once a connection, never changed, held by each response that came over it. */
struct urlp_peer_record {
    struct urlp_ref ref;
    struct urlpool_peer facts;             /* static strings, or in `text` */
    struct urlpool_headers *proxy_headers; /* owned; NULL: there are none */
    char text[];
};

/* urlp_peer_record_new looks at an open connection.
 *
 * Owns:    the caller's: urlp_peer_record_unref.
 * Errors:  NULL with URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE struct urlp_peer_record *urlp_peer_record_new(
    const struct urlpool_connection *connection, struct urlpool_error *err);

/* urlp_peer_record_ref takes one more reference. */
struct urlp_peer_record *urlp_peer_record_ref(struct urlp_peer_record *record);

/* urlp_peer_record_unref gives one back; accepts NULL. */
void urlp_peer_record_unref(struct urlp_peer_record *record);

#endif /* URLP_CONN_PEER_RECORD_H */
