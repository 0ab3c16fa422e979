#ifndef URLP_CONN_FLOOR_H
#define URLP_CONN_FLOOR_H

#include "urlpool/connection.h"

#include "base/buf.h"
#include "base/call.h"
#include "base/sync.h"
#include "conn/tunnel.h"
#include "http/field.h"
#include "http/url.h"

struct urlp_opener;

enum urlp_floor_state {
    URLP_FLOOR_IDLE,            /* putrequest may come, once the response is read */
    URLP_FLOOR_REQUEST_STARTED, /* putheader, endheaders may come */
    URLP_FLOOR_REQUEST_SENT     /* send, getresponse may come */
};

/* struct urlp_floor_debug prints an exchange. */
struct urlp_floor_debug {
    int level;
    void (*sink)(void *user, const char *line); /* NULL: stderr */
    void *user;
};

/* struct urlp_floor is the lower floor of a connection: what a caller who speaks for itself has
 * set, and where it stands. Zero bytes are a valid one that cannot open its connection. */
struct urlp_floor {
    enum urlp_floor_state state;
    struct urlp_opener *opener; /* its own; NULL: of a pool, never opened again */
    struct urlpool_tls *tls;    /* a reference; NULL for http */
    bool no_auto_open;
    bool keep_encoded;
    int64_t data_bytes_max;
    struct urlpool_timeout timeout; /* resolved */
    const struct urlpool_cancel *cancel;
    struct urlp_counters *counters; /* NULL: nobody counts */
    struct urlpool_trace user_trace;
    struct urlpool_trace own_trace; /* prints, then tells user_trace */
    struct urlp_floor_debug debug;

    struct urlp_url tunnel_host; /* text len 0: no tunnel */
    struct urlp_tunnel tunnel;   /* strings in tunnel_host */
    struct urlpool_headers *tunnel_headers;
    struct urlpool_tls *proxy_tls; /* NULL: whoever is a proxy is spoken to plainly */

    /* The request in hand. */
    struct urlp_call call;
    struct urlp_marks marks; /* the call's */
    struct urlp_buf text;    /* method, target, names and values, one behind the other */
    struct urlp_buf places;  /* struct place, see floor_head.c */
    struct urlp_buf fields;  /* struct urlp_field */
    size_t method_len, target_len;
    bool is_sent_whole;
    int64_t send_left; /* of the announced length; -1: chunked */
};

/* urlp_floor_new makes a floor of zero bytes.
 *
 * Errors:  NULL with URLPOOL_E_NOMEM. */
struct urlp_floor *urlp_floor_new(struct urlpool_error *err);

/* urlp_floor_free ends a floor and what it owns; accepts NULL. */
void urlp_floor_free(struct urlp_floor *floor) URLP_MAY_BLOCK;

/* urlp_floor_call makes the call for what is about to be done: as much time as `wait_ms` says. */
struct urlp_call urlp_floor_call(struct urlpool_connection *connection, int64_t wait_ms);

/* urlp_floor_open opens the connection if it is not open. */
URLPOOL_MUST_USE enum urlpool_code urlp_floor_open(struct urlpool_connection *connection,
                                                   const struct urlp_call *call,
                                                   struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_floor_close closes the connection; the floor is idle again. */
void urlp_floor_close(struct urlpool_connection *connection, bool is_polite);

/* urlp_floor_trace is the event function of own_trace; `user` is the connection's floor. */
void urlp_floor_trace(void *user, const struct urlpool_trace_event *event);

/* The head in hand is floor_head.c's. */

/* urlp_floor_head_begin forgets the head before and begins another.
 *
 * Errors:  URLPOOL_E_HEADER when `method` is no token, URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE enum urlpool_code urlp_floor_head_begin(struct urlp_floor *floor,
                                                         struct urlp_span method,
                                                         struct urlp_span target,
                                                         struct urlpool_error *err);

/* urlp_floor_head_add adds a line, its values joined by commas.
 *
 * Errors:  URLPOOL_E_HEADER for what is not fit to send, or may not come twice; URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE enum urlpool_code urlp_floor_head_add(struct urlp_floor *floor,
                                                       struct urlp_span name,
                                                       const struct urlp_span *values,
                                                       size_t num_values,
                                                       struct urlpool_error *err);

/* urlp_floor_head_has says whether there is a line of that name. */
bool urlp_floor_head_has(const struct urlp_floor *floor, const char *name);

/* urlp_floor_head_finish shows the head, Host first.
 *
 * Owns:    it lives in the floor, until the next change.
 * Errors:  URLPOOL_E_HEADER without a Host, URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE enum urlpool_code urlp_floor_head_finish(struct urlp_floor *floor,
                                                          struct urlp_request_head *out,
                                                          struct urlpool_error *err);

/* urlp_floor_check_target refuses a target that cannot stand in a request line, and gives the
 * authority of one in absolute form: appends it to `out_authority`, which stays empty otherwise.
 *
 * Errors:  URLPOOL_E_URL, URLPOOL_E_NOMEM.
 * Spec:    RFC 9112 section 3.2. */
URLPOOL_MUST_USE enum urlpool_code urlp_floor_check_target(struct urlp_span method,
                                                           struct urlp_span target,
                                                           struct urlp_buf *out_authority,
                                                           struct urlpool_error *err);

#endif /* URLP_CONN_FLOOR_H */
