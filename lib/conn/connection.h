#ifndef URLP_CONN_CONNECTION_H
#define URLP_CONN_CONNECTION_H

#include "urlpool/connection.h"
#include "urlpool/stats.h"
#include "urlpool/timeout.h"

#include "base/call.h"
#include "base/sync.h"
#include "conn/body_plan.h"
#include "http/field.h"

struct urlp_counters;
struct urlp_spares;

/* What the floors above need of a connection beside its public face. */

/* urlp_connection_look looks at an idle connection: true when nothing speaks against using it; else
 * `*out_is_closed` says whether its end was seen, or bytes that nobody had asked for. Never waits.
 */
bool urlp_connection_look(struct urlpool_connection *connection, bool *out_is_closed);

/* urlp_connection_fd is the socket at the bottom, or -1. */
int urlp_connection_fd(const struct urlpool_connection *connection);

/* urlp_connection_end closes and frees: politely (TLS close_notify, if it fits), or without a byte
 * (after fork, cancel, a broken message). Never waits, but not to be called with a lock held. */
void urlp_connection_end(struct urlpool_connection *connection, bool is_polite) URLP_MAY_BLOCK;

/* urlp_connection_rest gives memory back that an idle connection need not hold. */
void urlp_connection_rest(struct urlpool_connection *connection);

/* struct urlp_exchange is one request to be sent and how its answer is to be read. Bounds are
 * resolved: -1 is none. */
struct urlp_exchange {
    const struct urlp_request_head *head; /* all fields, framing included */
    struct urlp_body_plan *body;          /* NULL: none; at its beginning */
    int64_t read_ms, write_ms;
    int64_t data_bytes_max; /* -1: none */
    bool keep_encoded;
    struct urlp_spares *spares; /* memory to use, and to leave to the next; NULL: the heap's */
};

/* What became of a request whose exchange failed. */
struct urlp_exchange_facts {
    bool request_bytes_sent;
    bool response_bytes_seen;
};

/* urlp_connection_exchange sends a request and reads the head of its answer. A server that answers
 * early is heard: the sending stops, the connection is not used again. A broken pipe while sending
 * still reads the answer.
 *
 * Owns:    the response is the caller's; while it is unread it uses `connection`. `call` is copied;
 *          what it points to must live until the owner is told of the end.
 * Errors:  NULL with URLPOOL_E_HEADER (nothing sent, the connection as it was), URLPOOL_E_BODY,
 *          those of writing, reading and the codec; `facts` is always written.
 * Threads: one at a time; blocks. */
URLPOOL_MUST_USE struct urlpool_response *urlp_connection_exchange(
    struct urlpool_connection *connection, const struct urlp_exchange *exchange,
    const struct urlp_call *call, struct urlp_exchange_facts *facts,
    struct urlpool_error *err) URLP_MAY_BLOCK;

/* Why a connection is good for another request or not, asked at the end of a body. */
struct urlp_connection_verdict {
    bool is_reusable;
    enum urlpool_closed why;      /* it must die, when not reusable: NOT_REUSABLE, UNREAD, ERROR */
    bool is_polite;               /* when not reusable: a close_notify may be sent */
    int64_t keep_alive_timeout_s; /* the server's hints, -1 when it gave none */
    int64_t keep_alive_max;
    int64_t ended_ns; /* when the body ended, by urlp_now_ns; 0: nobody has looked */
};

/* urlp_connection_judge says what is to become of a connection on which the lower floor's functions
 * were used: reusable when its last exchange is over and allows it. Looks at no socket. */
void urlp_connection_judge(struct urlpool_connection *connection,
                           struct urlp_connection_verdict *out);

/* urlp_connection_lend gives a pooled connection what the lower floor's functions need: the time
 * limits (resolved), the token and the sink of whom it is lent to, and where is counted what he
 * does; NULL token, sink and counters are allowed.
 *
 * Errors:  URLPOOL_E_NOMEM; the connection is as it was. */
URLPOOL_MUST_USE enum urlpool_code urlp_connection_lend(struct urlpool_connection *connection,
                                                        const struct urlpool_timeout *timeout,
                                                        const struct urlpool_cancel *cancel,
                                                        const struct urlpool_trace *trace,
                                                        struct urlp_counters *counters,
                                                        struct urlpool_error *err);

/* urlp_connection_take_back ends that. A connection with a response that still uses it is not fit
 * for anything but its end then. */
void urlp_connection_take_back(struct urlpool_connection *connection) URLP_MAY_BLOCK;

/* urlp_connection_set_loan notes for whoever lends the connection what he needs to take it back;
 * NULL: it is not lent. */
void urlp_connection_set_loan(struct urlpool_connection *connection, void *loan);

/* urlp_connection_get_loan returns what was noted. */
void *urlp_connection_get_loan(const struct urlpool_connection *connection);

/* urlp_connection_accept_encoding is the value for Accept-Encoding: what responses can be decoded
 * of. */
const char *urlp_connection_accept_encoding(void);

#endif /* URLP_CONN_CONNECTION_H */
