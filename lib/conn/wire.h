#ifndef URLP_CONN_WIRE_H
#define URLP_CONN_WIRE_H

#include "urlpool/limits.h"

#include "base/buf.h"
#include "base/call.h"
#include "base/fork.h"
#include "base/sync.h"
#include "conn/connection.h"
#include "conn/floor.h"
#include "h1/codec.h"
#include "http/field.h"
#include "http/route.h"
#include "net/stream.h"

/* The inside of a connection, for the files of this layer only. */

/* struct urlp_inbox is what was received and not yet used: data[at..end). */
struct urlp_inbox {
    uint8_t *data; /* NULL while idle; behind the URLP_H1_DESK_BYTES that the codec is lent */
    size_t cap;
    size_t at;
    size_t end;
};

/* struct urlp_turn is the exchange in hand: one request and the head of its answer. */
struct urlp_turn {
    struct urlp_call call;
    int64_t read_ms, write_ms, data_bytes_max;
    int64_t body_len;           /* as the head says; -1: chunked */
    struct urlp_spares *spares; /* of the exchange; not used once the answer is made */
    size_t url_room;            /* what the URL of this request is likely to take */
    int64_t bytes_sent;
    bool keep_encoded;
    bool expects;   /* the head says Expect: 100-continue */
    bool may_go_on; /* 100 (Continue) was heard */
    bool response_bytes_seen;
    bool is_answered; /* the final head is in `answer`; it dies at the next call of the codec */
    bool is_sent;     /* all of the request is with the kernel */
    bool is_cut;      /* the peer takes no more of the request */
    enum urlpool_code cut_code; /* why, or URLPOOL_OK when it only closed */
    int cut_errno;
    struct urlp_h1_event answer;
};

struct urlp_peer_record;

struct urlpool_connection {
    struct urlp_stream *stream;  /* NULL: not connected */
    struct urlp_h1_codec *codec; /* of this stream */
    struct urlp_buf out;         /* a head that is not with the stream yet */
    struct urlp_inbox in;
    struct urlpool_response *response; /* that still uses the connection */
    struct urlp_turn turn;
    struct urlp_floor *floor;              /* of who speaks for himself; NULL: nobody does */
    const struct urlpool_limits *limits;   /* borrowed from who opened it */
    const struct urlp_h1_bounds *bounds;   /* the same, for the codec; NULL: made of `limits` */
    struct urlp_origin origin;             /* strings in `text` */
    struct urlpool_headers *proxy_headers; /* of the last answer to CONNECT; NULL: none */
    const char *unix_path;         /* borrowed from who opened it; NULL: no Unix-domain socket */
    struct urlp_peer_record *peer; /* of this stream, once it is asked for */
    uint64_t num_requests;
    uint64_t generation;          /* of urlp_fork_generation: whose the stream is */
    void *loan;                   /* the lender's; NULL: not lent */
    enum urlpool_closed last_why; /* how the last exchange left it, when that was not good */
    bool last_is_polite;
    bool ends_in_tls; /* with the origin, or a proxy that forwards */
    bool is_broken;   /* an exchange failed or was given up: never again */
    char text[];
};

/* urlp_connection_create makes a connection object for `origin`, not connected.
 *
 * Owns:    `limits` outlives it; all else is copied; ends by urlp_connection_end.
 * Errors:  NULL with URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE struct urlpool_connection *urlp_connection_create(
    const struct urlp_origin *origin, const struct urlpool_limits *limits,
    struct urlpool_error *err);

/* urlp_connection_check_limits says whether a codec can be made with `limits`.
 *
 * Errors:  URLPOOL_E_INVALID, URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE enum urlpool_code urlp_connection_check_limits(const struct urlpool_limits *limits,
                                                                struct urlpool_error *err);

/* urlp_connection_attach gives a connection that has none its stream.
 *
 * Owns:    takes `stream` only on success.
 * Errors:  URLPOOL_E_NOMEM, URLPOOL_E_INVALID (limits). */
URLPOOL_MUST_USE enum urlpool_code urlp_connection_attach(struct urlpool_connection *connection,
                                                          struct urlp_stream *stream,
                                                          struct urlpool_error *err);

/* urlp_connection_shut closes the stream, if there is one; the response that used it is cut off. */
void urlp_connection_shut(struct urlpool_connection *connection, bool is_polite);

/* urlp_connection_is_foreign says that the stream is a parent process's: not a byte of it may be
 * taken or sent here. */
static inline bool urlp_connection_is_foreign(const struct urlpool_connection *connection)
{
    return connection->stream != NULL && urlp_fork_has_happened(connection->generation);
}

/* urlp_inbox_set gives the inbox its memory, a block with room for `cap` bytes behind the codec's
 * desk, or takes it away: NULL. What is in the inbox stays where it is in the block. */
void urlp_inbox_set(struct urlpool_connection *connection, uint8_t *block, size_t cap);

/* urlp_inbox_block is the block of memory that the inbox has; NULL: none. */
static inline uint8_t *urlp_inbox_block(const struct urlp_inbox *in)
{
    return in->data != NULL ? in->data - URLP_H1_DESK_BYTES : NULL;
}

/* urlp_inbox_len is how many received bytes are waiting. */
static inline size_t urlp_inbox_len(const struct urlp_inbox *in)
{
    return in->end - in->at;
}

/* urlp_wire_fill reads once from the stream behind what is in the inbox, which may move.
 *
 * Units:   `read_ms` bounds the wait, as does `call`.
 * Sizes:   `*out_end` is URLP_END_NONE when at least one byte came.
 * Errors:  those of urlp_stream_read; URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE enum urlpool_code urlp_wire_fill(struct urlpool_connection *connection,
                                                  const struct urlp_call *call, int64_t read_ms,
                                                  enum urlp_end *out_end,
                                                  struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_wire_widen has the next reads bring more at a time, if the last one filled the inbox and all
 * of it was used. */
void urlp_wire_widen(struct urlpool_connection *connection);

/* urlp_wire_read_direct reads once from the stream into `data`, past the empty inbox.
 *
 * Units:   `gap->by` bounds the wait for the first byte.
 * Sizes:   as urlp_stream_read.
 * Errors:  those of urlp_stream_read. */
URLPOOL_MUST_USE enum urlpool_code urlp_wire_read_direct(struct urlpool_connection *connection,
                                                         const struct urlp_call *gap, void *data,
                                                         size_t len, size_t *out_len,
                                                         enum urlp_end *out_end,
                                                         struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_wire_put_back puts bytes that were read past the empty inbox into it.
 *
 * Errors:  URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE enum urlpool_code urlp_wire_put_back(struct urlpool_connection *connection,
                                                      const uint8_t *data, size_t len,
                                                      struct urlpool_error *err);

#endif /* URLP_CONN_WIRE_H */
