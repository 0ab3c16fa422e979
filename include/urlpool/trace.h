#ifndef URLPOOL_TRACE_H
#define URLPOOL_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "urlpool/error.h"
#include "urlpool/export.h"

URLPOOL_BEGIN_DECLS

/* enum urlpool_trace_kind names what a request has just done, in the order in which it happens. */
enum urlpool_trace_kind {
    URLPOOL_TRACE_LEASED = 1, /* a connection or a place was given; `number`: 1 when reused. A
                                 place may be followed by a connection that came free first */
    URLPOOL_TRACE_RESOLVED,   /* the name has addresses; `text`: the name; `number`: how many */
    URLPOOL_TRACE_CONNECTED,  /* TCP is up; `text`: the peer's address and port */
    URLPOOL_TRACE_TUNNELLED,  /* a proxy has answered; `text`: whereto; `number`: the status of
                                 CONNECT, or the reply of SOCKS: 0 or 90 is a yes */
    URLPOOL_TRACE_SECURED,    /* TLS is up; `text`: version and cipher; `number`: 1 when resumed */
    URLPOOL_TRACE_REQUEST_HEAD,  /* about to be sent; `text`: the head, credentials masked */
    URLPOOL_TRACE_REQUEST_SENT,  /* head and body are with the kernel; `number`: bytes; `text`: the
                                    peer's address and port, as in CONNECTED */
    URLPOOL_TRACE_FIRST_BYTE,    /* of the response */
    URLPOOL_TRACE_INTERIM_HEAD,  /* a 1xx head; `text`: as RESPONSE_HEAD */
    URLPOOL_TRACE_RESPONSE_HEAD, /* `text`: the head as received, credentials masked: fields they
                                    travel in, userinfo of URLs; `number`: status. Before TUNNELLED
                                    it is the answer to CONNECT */
    URLPOOL_TRACE_BODY_END,      /* `number`: body bytes as sent by the peer, before decoding */
    URLPOOL_TRACE_RETRY,         /* `text`: why; `number`: the code of the failed try, as in `code`;
                                    URLPOOL_OK when the status of its answer asks for another */
    URLPOOL_TRACE_REDIRECT,      /* `text`: the next URL without userinfo; `number`: the status */
    URLPOOL_TRACE_CLOSED,        /* a connection died; `text`: why, as in urlpool_stats */
    URLPOOL_TRACE_INSECURE, /* before SECURED, a warning: an insecure_ switch is why the peer may be
                               anybody; `text`: what was not checked */
    URLPOOL_TRACE_LEAK /* no request's own, told to the manager's sink: a connection is held for
                          longer than leak_ms, or still held when urlpool_manager_free is called;
                          `text`: where, for how long, by whom and for what, as
                          urlpool_manager_describe says it; `number`: for how long, in ms */
};

/* struct urlpool_trace_event is valid during the call only; made only by the library, so fields may
 * be appended. `text` is not NUL-terminated. */
struct urlpool_trace_event {
    enum urlpool_trace_kind kind; /* what has been done */
    enum urlpool_code code;       /* RETRY: of the failed try; else URLPOOL_OK */
    int64_t at_ns;                /* CLOCK_MONOTONIC */
    int64_t number;               /* as the kind says, else 0 */
    const char *text;             /* the same, else "" or NULL */
    size_t text_len;              /* how many bytes it has */
};

/* struct urlpool_trace is a sink for events. It is called in the request's own thread, of LEAK in
 * that of whoever does upkeep or frees the manager, never under a lock, and must not use the
 * connection or response the event belongs to. */
struct urlpool_trace {
    void (*event)(void *user, const struct urlpool_trace_event *event); /* NULL: no sink */
    void *user;                                                         /* given to it */
    unsigned char reserved[16];
};

URLPOOL_END_DECLS

#endif /* URLPOOL_TRACE_H */
