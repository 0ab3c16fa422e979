/* The inside of a connection: its object, its stream, and the memory its bytes arrive in.
 *
 * Invariants: the codec belongs to the stream and is made anew with it; the inbox holds received
 * bytes that the codec has not used, without a gap; while a response has bytes of the inbox in hand
 * the inbox is not filled. Knows nothing of requests. */

#include "conn/wire.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "conn/body_reader.h"
#include "conn/floor.h"
#include "conn/peer_record.h"

/* What one read brings at most while a head is expected: a usual head and a small body. */
#define INBOX_BYTES ((size_t)16 * 1024)
/* What it brings of a body that comes faster than it is decoded. */
#define INBOX_BYTES_WIDE ((size_t)128 * 1024)
/* What an inbox has room for at least, so that a little more next time needs no more memory. */
#define INBOX_BYTES_MIN ((size_t)512)

struct urlpool_connection *urlp_connection_create(const struct urlp_origin *origin,
                                                  const struct urlpool_limits *limits,
                                                  struct urlpool_error *err)
{
    size_t host_len = origin->host.len;
    size_t zone_len = origin->zone.len;
    struct urlpool_connection *connection =
        urlp_zalloc(sizeof(*connection) + host_len + 1 + zone_len + 1);

    if (connection == NULL) {
        urlp_fail_nomem(err);
        return NULL;
    }
    connection->limits = limits;
    connection->origin = *origin;
    connection->origin.host = urlp_span_make(connection->text, host_len);
    connection->origin.zone = urlp_span_make(connection->text + host_len + 1, zone_len);
    if (host_len > 0) {
        memcpy(connection->text, origin->host.data, host_len);
    }
    if (zone_len > 0) {
        memcpy(connection->text + host_len + 1, origin->zone.data, zone_len);
    }
    return connection;
}

/* make_codec makes a codec, or says in words and as a code why it cannot. */
static enum urlpool_code make_codec(const struct urlpool_limits *limits,
                                    const struct urlp_h1_bounds *bounds, struct urlp_h1_codec **out,
                                    struct urlpool_error *err)
{
    struct urlpool_error why;

    *out = bounds != NULL ? urlp_h1_new_within(bounds, &why) : urlp_h1_new(limits, &why);
    if (*out != NULL) {
        return URLPOOL_OK;
    }
    return urlp_fail_with(err, &why);
}

enum urlpool_code urlp_connection_check_limits(const struct urlpool_limits *limits,
                                               struct urlpool_error *err)
{
    struct urlp_h1_codec *codec = NULL;
    enum urlpool_code code = make_codec(limits, NULL, &codec, err);

    urlp_h1_free(codec);
    return code;
}

enum urlpool_code urlp_connection_attach(struct urlpool_connection *connection,
                                         struct urlp_stream *stream, struct urlpool_error *err)
{
    struct urlp_h1_codec *codec = NULL;
    enum urlpool_code code = make_codec(connection->limits, connection->bounds, &codec, err);

    if (code != URLPOOL_OK) {
        return code;
    }
    urlp_h1_free(connection->codec);
    connection->codec = codec;
    if (connection->in.data != NULL) {
        urlp_h1_lend(codec, urlp_inbox_block(&connection->in), URLP_H1_DESK_BYTES);
    }
    connection->stream = stream;
    connection->generation = urlp_fork_generation();
    connection->in.at = connection->in.end = 0;
    connection->out.len = 0;
    connection->num_requests = 0;
    connection->is_broken = false;
    connection->last_why = URLPOOL_CLOSED_NOT_REUSABLE;
    connection->last_is_polite = true;
    return URLPOOL_OK;
}

void urlp_connection_shut(struct urlpool_connection *connection, bool is_polite)
{
    if (connection->response != NULL) {
        urlp_response_detach(connection->response);
    }
    is_polite = is_polite && !urlp_connection_is_foreign(connection);
    urlp_stream_free(connection->stream, is_polite ? URLP_CLOSE_POLITE : URLP_CLOSE_SILENT);
    urlp_peer_record_unref(connection->peer);
    connection->peer = NULL;
    connection->stream = NULL;
    connection->in.at = connection->in.end = 0;
    connection->out.len = 0;
}

void urlp_inbox_set(struct urlpool_connection *connection, uint8_t *block, size_t cap)
{
    struct urlp_inbox *in = &connection->in;

    in->data = block != NULL ? block + URLP_H1_DESK_BYTES : NULL;
    in->cap = cap;
    if (block == NULL) {
        in->at = in->end = 0;
    }
    if (connection->codec != NULL) {
        urlp_h1_lend(connection->codec, block, block != NULL ? URLP_H1_DESK_BYTES : 0);
    }
}

/* grow gives the inbox room for `cap` bytes; what is in it stays. */
static enum urlpool_code grow(struct urlpool_connection *connection, size_t cap,
                              struct urlpool_error *err)
{
    uint8_t *block = urlp_realloc(urlp_inbox_block(&connection->in), URLP_H1_DESK_BYTES + cap);

    if (block == NULL) {
        return urlp_fail_nomem(err);
    }
    urlp_inbox_set(connection, block, cap);
    return URLPOOL_OK;
}

/* make_room leaves at least one free byte behind what is in the inbox. It grows only when a head
 * does not fit, and heads are bounded by the codec. */
static enum urlpool_code make_room(struct urlpool_connection *connection, struct urlpool_error *err)
{
    struct urlp_inbox *in = &connection->in;
    const size_t len = urlp_inbox_len(in);

    if (in->at > 0) {
        memmove(in->data, in->data + in->at, len);
        in->at = 0;
        in->end = len;
    }
    if (len < in->cap) {
        return URLPOOL_OK;
    }
    return grow(connection, len < INBOX_BYTES ? INBOX_BYTES : 2 * len, err);
}

/* check_is_ours keeps a forked child from taking what its parent waits for. */
static enum urlpool_code check_is_ours(const struct urlpool_connection *connection,
                                       struct urlpool_error *err)
{
    if (urlp_connection_is_foreign(connection)) {
        return urlp_fail(err, URLPOOL_E_FORKED, URLPOOL_PHASE_BODY,
                         "the connection belongs to the parent process");
    }
    return URLPOOL_OK;
}

/* note_bytes tells of the first byte of an answer, and marks that of one behind an interim one. */
static void note_bytes(struct urlpool_connection *connection, const struct urlp_call *call,
                       size_t len) URLP_MAY_BLOCK
{
    struct urlp_marks *marks = call->marks;

    if (len == 0) {
        return;
    }
    if (!connection->turn.response_bytes_seen) {
        connection->turn.response_bytes_seen = true;
        urlp_call_trace(call, URLPOOL_TRACE_FIRST_BYTE, NULL, 0, 0);
    } else if (marks != NULL && marks->first_byte_ns == 0) {
        marks->first_byte_ns = urlp_now_ns();
    }
}

/* read_first waits for bytes with memory of the stack, so that a thread that waits holds none of
 * the heap's, and keeps what came in the empty inbox. A peer that sends more at once is read
 * straight into the inbox from then on. */
static enum urlpool_code read_first(struct urlpool_connection *connection,
                                    const struct urlp_call *gap, size_t *out_len,
                                    enum urlp_end *out_end,
                                    struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_inbox *in = &connection->in;
    uint8_t arrived[INBOX_BYTES];
    enum urlpool_code code =
        urlp_stream_read(connection->stream, arrived, sizeof(arrived), out_len, out_end, gap, err);

    in->at = in->end = 0;
    if (code == URLPOOL_OK && *out_len > in->cap) {
        const size_t cap = *out_len > INBOX_BYTES_MIN ? *out_len : INBOX_BYTES_MIN;

        code = grow(connection, in->cap == 0 ? cap : INBOX_BYTES, err);
    }
    if (code == URLPOOL_OK && *out_len > 0) {
        memcpy(in->data, arrived, *out_len);
    }
    return code;
}

/* read_more reads behind what is in the inbox. */
static enum urlpool_code read_more(struct urlpool_connection *connection,
                                   const struct urlp_call *gap, size_t *out_len,
                                   enum urlp_end *out_end, struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_inbox *in = &connection->in;
    enum urlpool_code code = make_room(connection, err);

    return code != URLPOOL_OK ? code
                              : urlp_stream_read(connection->stream, in->data + in->end,
                                                 in->cap - in->end, out_len, out_end, gap, err);
}

enum urlpool_code urlp_wire_fill(struct urlpool_connection *connection,
                                 const struct urlp_call *call, int64_t read_ms,
                                 enum urlp_end *out_end, struct urlpool_error *err)
{
    struct urlp_inbox *in = &connection->in;
    struct urlp_call gap = urlp_call_until(call, read_ms);
    size_t len = 0;
    enum urlpool_code code = check_is_ours(connection, err);

    if (code == URLPOOL_OK) {
        code = urlp_inbox_len(in) == 0 && in->cap < INBOX_BYTES
                   ? read_first(connection, &gap, &len, out_end, err)
                   : read_more(connection, &gap, &len, out_end, err);
    }
    if (code != URLPOOL_OK) {
        return code;
    }
    in->end += len;
    note_bytes(connection, call, len);
    return URLPOOL_OK;
}

void urlp_wire_widen(struct urlpool_connection *connection)
{
    const struct urlp_inbox *in = &connection->in;
    const bool was_filled = in->end == in->cap && in->cap >= INBOX_BYTES;
    struct urlpool_error why;

    if (was_filled && urlp_inbox_len(in) == 0 && in->cap < INBOX_BYTES_WIDE) {
        (void)grow(connection, INBOX_BYTES_WIDE, &why); /* without memory it stays as it was */
    }
}

enum urlpool_code urlp_wire_read_direct(struct urlpool_connection *connection,
                                        const struct urlp_call *gap, void *data, size_t len,
                                        size_t *out_len, enum urlp_end *out_end,
                                        struct urlpool_error *err)
{
    enum urlpool_code code = check_is_ours(connection, err);

    if (code == URLPOOL_OK) {
        code = urlp_stream_read(connection->stream, data, len, out_len, out_end, gap, err);
    }
    if (code == URLPOOL_OK) {
        note_bytes(connection, gap, *out_len);
    }
    return code;
}

enum urlpool_code urlp_wire_put_back(struct urlpool_connection *connection, const uint8_t *data,
                                     size_t len, struct urlpool_error *err)
{
    struct urlp_inbox *in = &connection->in;
    enum urlpool_code code = len > in->cap ? grow(connection, len, err) : URLPOOL_OK;

    if (code == URLPOOL_OK) {
        memcpy(in->data, data, len);
        in->at = 0;
        in->end = len;
    }
    return code;
}

bool urlp_connection_look(struct urlpool_connection *connection, bool *out_is_closed)
{
    enum urlp_idle_state state = URLP_IDLE_CLOSED;

    if (connection->stream != NULL && !urlp_connection_is_foreign(connection)) {
        state = urlp_inbox_len(&connection->in) > 0 ? URLP_IDLE_UNEXPECTED
                                                    : urlp_stream_idle_state(connection->stream);
    }
    *out_is_closed = state == URLP_IDLE_CLOSED;
    return state == URLP_IDLE_QUIET;
}

int urlp_connection_fd(const struct urlpool_connection *connection)
{
    return connection->stream != NULL ? urlp_stream_fd(connection->stream) : -1;
}

void urlp_connection_rest(struct urlpool_connection *connection)
{
    if (connection->response != NULL || urlp_inbox_len(&connection->in) > 0) {
        return;
    }
    urlp_free(urlp_inbox_block(&connection->in));
    urlp_inbox_set(connection, NULL, 0);
    urlp_buf_deinit(&connection->out);
}

void urlp_connection_judge(struct urlpool_connection *connection,
                           struct urlp_connection_verdict *out)
{
    struct urlp_h1_keep_alive hints;

    *out = (struct urlp_connection_verdict){.why = connection->last_why,
                                            .is_polite = connection->last_is_polite,
                                            .keep_alive_timeout_s = -1,
                                            .keep_alive_max = -1};
    if (connection->is_broken || connection->stream == NULL) {
        return;
    }
    out->is_polite = true;
    if (connection->response != NULL || !urlp_h1_is_idle(connection->codec)) {
        out->why = URLPOOL_CLOSED_UNREAD;
        return;
    }
    out->why = URLPOOL_CLOSED_NOT_REUSABLE;
    out->is_reusable = urlp_inbox_len(&connection->in) == 0;
    if (connection->num_requests > 0) {
        out->is_reusable = out->is_reusable && urlp_h1_is_reusable(connection->codec);
        hints = urlp_h1_keep_alive(connection->codec);
        out->keep_alive_timeout_s = hints.timeout_s;
        out->keep_alive_max = hints.max;
    }
}

void urlp_connection_set_loan(struct urlpool_connection *connection, void *loan)
{
    connection->loan = loan;
}

void *urlp_connection_get_loan(const struct urlpool_connection *connection)
{
    return connection->loan;
}

void urlp_connection_end(struct urlpool_connection *connection, bool is_polite)
{
    if (connection == NULL) {
        return;
    }
    urlp_connection_shut(connection, is_polite);
    urlp_floor_free(connection->floor);
    urlp_h1_free(connection->codec);
    urlp_buf_deinit(&connection->out);
    urlpool_headers_free(connection->proxy_headers);
    urlp_free(urlp_inbox_block(&connection->in));
    urlp_free(connection);
}
