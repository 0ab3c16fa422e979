#ifndef URLP_CONN_BODY_READER_H
#define URLP_CONN_BODY_READER_H

#include "urlpool/response.h"

#include "base/buf.h"
#include "base/sync.h"
#include "coding/decoder.h"
#include "conn/gate.h"
#include "conn/hops.h"
#include "conn/raw_stream.h"
#include "conn/response.h"
#include "conn/spares.h"
#include "conn/wire.h"

/* A response from the inside: its memory, and how its body comes off the connection. */

enum urlp_body_state {
    URLP_BODY_OPEN,     /* more may come from the connection */
    URLP_BODY_WHOLE,    /* the message has ended; decoded bytes may yet be held back */
    URLP_BODY_GIVEN_UP, /* drained or closed before its end */
    URLP_BODY_FAILED    /* `error` says how */
};

/* struct urlp_answer is a response. One block holds it, its headers, and the body when that is
 * small. */
struct urlp_answer {
    struct urlpool_response pub;
    struct urlpool_connection *connection; /* NULL once the owner has been told, or cut off */
    struct urlp_response_owner owner;      /* ended NULL: none yet */
    bool has_switched; /* state WHOLE, and yet `connection` stays, to become a raw stream */
    _Atomic(struct urlpool_raw_stream *) raw; /* a reference, once it has */
    struct urlp_connection_verdict verdict;
    struct urlp_call call;
    struct urlp_marks marks;       /* the call's, unless it has none: zero bytes */
    struct urlp_peer_record *peer; /* a reference */
    uint64_t num_requests;         /* of the connection, ours the last */
    int64_t read_ms, data_bytes_max;
    bool keep_encoded;
    bool has_codings; /* there is a Content-Encoding */
    int codings_max, coding_ratio_max, coding_window_max;
    enum urlp_body_state state;
    bool is_decoder_made;
    bool is_draining;             /* what goes wrong now is nobody's concern */
    struct urlp_decoder *decoder; /* NULL: nothing to undo */
    enum urlp_h1_body body_kind;
    const uint8_t *pending; /* body bytes that lie in the connection's inbox */
    size_t pending_len;
    struct urlp_buf ahead; /* decoded bytes from `ahead_at` on, shown by a peek and not yet read */
    size_t ahead_at;
    int64_t body_bytes; /* as sent by the peer */
    const struct urlp_field *fields;
    size_t num_fields;
    const struct urlpool_headers *headers; /* in the block */
    struct urlpool_headers *trailers;
    char *url_room; /* in the block */
    size_t url_cap;
    char *url_own;      /* when it did not fit */
    uint8_t *data_room; /* in the block; NULL: none */
    size_t data_cap;
    struct urlp_buf data_own;
    struct urlp_hops hops;
    struct urlp_gate gate;
    size_t block_cap;          /* of this block */
    bool leaves_memory;        /* to a later request: `spares` */
    struct urlp_spares spares; /* what the connection had for memory, and older responses */
    struct urlp_place place;
    uint8_t *partial; /* what has been read of a body that is read whole, and where */
    size_t partial_len;
    struct urlpool_error error; /* FAILED: what every later call says */
};

/* urlp_answer_new makes the response of a connection whose turn has been answered. It uses the
 * connection from now on, unless the message has ended already.
 *
 * Errors:  NULL with URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE struct urlp_answer *urlp_answer_new(struct urlpool_connection *connection,
                                                     struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_body_settle takes the events that need no more bytes, until body bytes are pending or the
 * message ends: never waits. A fault is kept for the next call. */
void urlp_body_settle(struct urlp_answer *answer) URLP_MAY_BLOCK;

/* urlp_body_wait makes body bytes pending, or meets the end of the message.
 *
 * Errors:  those of reading; sticky. */
URLPOOL_MUST_USE enum urlpool_code urlp_body_wait(struct urlp_answer *answer,
                                                  const struct urlp_call *call,
                                                  struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_body_make_decoder makes what undoes the content codings, once there is a body to undo.
 *
 * Errors:  URLPOOL_E_DECODE, NOMEM; sticky. */
URLPOOL_MUST_USE enum urlpool_code urlp_body_make_decoder(struct urlp_answer *answer,
                                                          struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_body_decode reads some of a body that has a decoder.
 *
 * Sizes:   `*out_len` is 1..`len`, 0 at the end.
 * Errors:  those of reading; sticky. */
URLPOOL_MUST_USE enum urlpool_code urlp_body_decode(struct urlp_answer *answer, void *buf,
                                                    size_t len, size_t *out_len,
                                                    struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_body_used drops `len` of the pending bytes. */
void urlp_body_used(struct urlp_answer *answer, size_t len) URLP_MAY_BLOCK;

/* urlp_body_read reads some of the body, content codings undone.
 *
 * Sizes:   `*out_len` is 1..`len`, 0 at the end.
 * Errors:  sticky. */
URLPOOL_MUST_USE enum urlpool_code urlp_body_read(struct urlp_answer *answer, void *buf, size_t len,
                                                  size_t *out_len,
                                                  struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_body_peek shows the next bytes of what urlp_body_read would give and leaves them there.
 *
 * Sizes:   `*out_len` is 0 at the end.
 * Owns:    shown until the next call.
 * Errors:  those of urlp_body_read. */
URLPOOL_MUST_USE enum urlpool_code urlp_body_peek(struct urlp_answer *answer,
                                                  const uint8_t **out_data, size_t *out_len,
                                                  struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_body_skip drops `len` of the bytes that were shown. */
void urlp_body_skip(struct urlp_answer *answer, size_t len) URLP_MAY_BLOCK;

/* urlp_body_fail ends the body with what `why` says, now and for ever, and copies it to `err`. */
enum urlpool_code urlp_body_fail(struct urlp_answer *answer, const struct urlpool_error *why,
                                 struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_body_give_up ends the body before its end, or the connection that was to become a raw
 * stream. */
void urlp_body_give_up(struct urlp_answer *answer) URLP_MAY_BLOCK;

/* urlp_body_switch ends the body of an answer behind which the connection speaks HTTP no more. */
void urlp_body_switch(struct urlp_answer *answer);

/* urlp_body_leave_switched takes the stream, which is another's now, out of the connection of an
 * answer that has switched. Where the connection stands in a place of its owner's, both are the
 * other's too, and to be told of at the end; else the owner is told now, and `out` is untouched.
 * Returns whether the response was shut down before. */
bool urlp_body_leave_switched(struct urlp_answer *answer,
                              struct urlpool_connection **out_connection,
                              struct urlp_response_owner *out_owner) URLP_MAY_BLOCK;

/* urlp_response_detach cuts the response off from a connection that is going away. */
void urlp_response_detach(struct urlpool_response *response);

#endif /* URLP_CONN_BODY_READER_H */
