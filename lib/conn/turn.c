/* One request and the head of its answer.
 *
 * A server may answer before it has the whole request, and may stop to take it: both end the
 * sending, and neither is a failure while an answer can still be read. The codec, which is never
 * told that such a request was sent, then keeps the connection from being used again. */

#include "conn/turn.h"

#include <string.h>

#include "urlpool/status.h"

#include "base/clock.h"
#include "base/error.h"
#include "conn/body_reader.h"
#include "conn/head_text.h"
#include "conn/spares.h"
#include "h1/persistence.h"
#include "net/tcp.h"

/* A stalled write looks for an early answer this often. */
#define LISTEN_MS 100

/* Where a look has told of bytes they may be half a TLS record, whose other half is not waited for:
 * the bound is for a stream that is wrong about it. */
#define LISTEN_READ_MS 1

/* The most that one write is given: what is copied before anything else is looked at. */
#define WRITE_BYTES_MAX ((size_t)1024 * 1024)

/* What is sent between two looks for an early answer. */
#define LISTEN_BYTES ((int64_t)256 * 1024)

/* Head and runs. */
#define RUNS_MAX (1 + URLP_TURN_RUNS_MAX)

/* room_for_url guesses how long the URL of a request is: scheme, authority, target, NUL. */
static size_t room_for_url(const struct urlp_request_head *head)
{
    size_t host_len = head->num_fields > 0 ? head->fields[0].value.len : 0;

    return sizeof("https://") + host_len + head->target.len;
}

/* declared_len is the length of the body that `head` announces: -1 when chunked, 0 when it says
 * nothing (RFC 9112 section 6.3, number 7). What is malformed the codec refuses. */
static int64_t declared_len(const struct urlp_request_head *head)
{
    size_t index = 0;
    uint64_t len = 0;
    const struct urlp_field *field;

    if (head->ready != NULL) {
        return 0;
    }
    field = urlp_fields_find(head->fields, head->num_fields, "Transfer-Encoding", &index);
    if (field != NULL) {
        return -1;
    }
    index = 0;
    field = urlp_fields_find(head->fields, head->num_fields, "Content-Length", &index);
    if (field == NULL || !urlp_span_to_u64(field->value, &len) || len > INT64_MAX) {
        return 0;
    }
    return (int64_t)len;
}

/* expects_continue says whether `head` asks for a sign before its body. */
static bool expects_continue(const struct urlp_request_head *head)
{
    return head->ready == NULL &&
           urlp_fields_have_token(head->fields, head->num_fields, "Expect", "100-continue");
}

/* refuse_early finds what must not be sent at all. */
static enum urlpool_code refuse_early(const struct urlpool_connection *connection,
                                      struct urlpool_error *err)
{
    if (connection->stream == NULL) {
        return urlp_fail(err, URLPOOL_E_NOT_CONNECTED, URLPOOL_PHASE_SEND, "not connected");
    }
    if (connection->response != NULL) {
        return urlp_fail(err, URLPOOL_E_CANNOT_SEND_REQUEST, URLPOOL_PHASE_SEND,
                         "the whole response must be read before the next request is sent");
    }
    return URLPOOL_OK;
}

enum urlpool_code urlp_turn_begin(struct urlpool_connection *connection,
                                  const struct urlp_exchange *exchange,
                                  const struct urlp_call *call, struct urlpool_error *err)
{
    enum urlpool_code code = refuse_early(connection, err);

    if (code != URLPOOL_OK) {
        return code;
    }
    if (exchange->spares != NULL) {
        urlp_spares_lend(exchange->spares, connection);
    }
    connection->out.len = 0;
    code = urlp_h1_write_head(connection->codec, exchange->head, &connection->out, err);
    if (code != URLPOOL_OK) {
        connection->out.len = 0;
        return code;
    }
    connection->turn = (struct urlp_turn){
        .call = *call,
        .read_ms = exchange->read_ms,
        .write_ms = exchange->write_ms,
        .data_bytes_max = exchange->data_bytes_max,
        .keep_encoded = exchange->keep_encoded,
        .spares = exchange->spares,
        .body_len = declared_len(exchange->head),
        .expects = expects_continue(exchange->head),
        .url_room = room_for_url(exchange->head),
    };
    connection->num_requests++;
    urlp_trace_request_head(call, exchange->head);
    return URLPOOL_OK;
}

/* expect_first_byte has the next byte be marked as the first one: those of an interim response are
 * not of the answer that is waited for. */
static void expect_first_byte(struct urlpool_connection *connection)
{
    struct urlp_marks *marks = connection->turn.call.marks;

    if (marks != NULL) {
        marks->first_byte_ns = urlp_inbox_len(&connection->in) > 0 ? urlp_now_ns() : 0;
    }
}

/* fail_switch_early refuses a change of protocols in the midst of a request. RFC 9110 section 7.8:
 * "A client cannot begin using an upgraded protocol on the connection until it has completely sent
 * the request message". */
static enum urlpool_code fail_switch_early(const struct urlp_response_head *head,
                                           struct urlpool_error *err)
{
    return urlp_fail(err, URLPOOL_E_PROTOCOL, URLPOOL_PHASE_HEAD,
                     "status %d before the request was sent whole", head->status);
}

/* advance takes the events out of the inbox until the final head is there or bytes are missing. */
static enum urlpool_code advance(struct urlpool_connection *connection,
                                 struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_turn *turn = &connection->turn;
    struct urlp_inbox *in = &connection->in;

    while (urlp_inbox_len(in) > 0) {
        struct urlp_h1_event event = {0};
        size_t used = 0;
        enum urlpool_code code = urlp_h1_next(connection->codec, in->data + in->at,
                                              urlp_inbox_len(in), &used, &event, err);

        if (code != URLPOOL_OK) {
            return code;
        }
        in->at += used;
        if (event.type == URLP_H1_NEED_DATA && used == 0) {
            return URLPOOL_OK;
        }
        if (event.type == URLP_H1_NEED_DATA) {
            continue;
        }
        if (event.type == URLP_H1_SWITCHED && !turn->is_sent) {
            return fail_switch_early(event.head, err);
        }
        if (event.type != URLP_H1_INFORMATIONAL) {
            turn->answer = event;
            turn->is_answered = true;
            urlp_trace_response_head(&turn->call, URLPOOL_TRACE_RESPONSE_HEAD, event.head);
            return URLPOOL_OK;
        }
        turn->may_go_on = turn->may_go_on || event.head->status == URLPOOL_HTTP_CONTINUE;
        urlp_trace_response_head(&turn->call, URLPOOL_TRACE_INTERIM_HEAD, event.head);
        expect_first_byte(connection);
    }
    return URLPOOL_OK;
}

/* cut notes that the peer takes no more of the request. `code` is URLPOOL_OK when it has closed. */
static void cut(struct urlp_turn *turn, enum urlpool_code code, int os_errno)
{
    turn->is_cut = true;
    turn->cut_code = code;
    turn->cut_errno = os_errno;
}

/* hear_once reads once, in the midst of sending, and takes what that brings; nothing by the end of
 * `step` is no failure, but `*out_in_vain`. The end of the stream is left to urlp_turn_hear: it
 * cuts the sending. `*err` is only written on failure. */
static enum urlpool_code hear_once(struct urlpool_connection *connection,
                                   const struct urlp_call *step, bool *out_in_vain,
                                   struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_turn *turn = &connection->turn;
    enum urlp_end end = URLP_END_NONE;
    struct urlpool_error why;
    enum urlpool_code code;

    why.os_errno = 0;
    code = urlp_wire_fill(connection, step, -1, &end, &why);
    *out_in_vain = code == URLPOOL_E_READ_TIMEOUT; /* the end of the whole has a code of its own */
    if (*out_in_vain) {
        return URLPOOL_OK;
    }
    if (code == URLPOOL_E_RESET || (code == URLPOOL_OK && end != URLP_END_NONE)) {
        cut(turn, code, code == URLPOOL_OK ? 0 : why.os_errno);
        return URLPOOL_OK;
    }
    if (code != URLPOOL_OK) {
        why.phase = why.phase == URLPOOL_PHASE_BODY ? URLPOOL_PHASE_SEND : why.phase;
        return urlp_fail_with(err, &why);
    }
    return advance(connection, err);
}

enum urlpool_code urlp_turn_listen(struct urlpool_connection *connection, struct urlpool_error *err)
{
    struct urlp_call step;
    bool in_vain;

    if (urlp_stream_idle_state(connection->stream) == URLP_IDLE_QUIET) {
        return URLPOOL_OK;
    }
    step = urlp_call_until(&connection->turn.call, LISTEN_READ_MS);
    return hear_once(connection, &step, &in_vain, err);
}

/* struct load is what a write takes from: runs of bytes, or a stretch of a file. */
struct load {
    const struct urlp_iovec *runs; /* NULL: the file */
    size_t num_runs;
    int fd;
    int64_t at;
    size_t len; /* of either */
};

static enum urlpool_code write_load(struct urlp_stream *stream, const struct load *load,
                                    size_t *out_written, const struct urlp_call *call,
                                    struct urlpool_error *err) URLP_MAY_BLOCK
{
    if (load->runs != NULL) {
        return urlp_stream_write(stream, load->runs, load->num_runs, out_written, call, err);
    }
    return urlp_stream_send_file(stream, load->fd, load->at, load->len, out_written, call, err);
}

/* write_some writes once, waiting for room in steps between which an early answer is heard. Nothing
 * may have been written when the turn is over then. */
static enum urlpool_code write_some(struct urlpool_connection *connection, const struct load *load,
                                    size_t *out_written, struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_turn *turn = &connection->turn;
    struct urlp_call step = turn->call;
    int64_t now_ns = urlp_now_ns();
    const struct urlpool_deadline gap_by =
        urlpool_deadline_earliest(turn->call.by, urlp_deadline_after(now_ns, turn->write_ms));

    for (; !urlp_turn_is_over(connection); now_ns = urlp_now_ns()) {
        struct urlpool_error why;
        enum urlpool_code code;

        step.by = urlpool_deadline_earliest(gap_by, urlp_deadline_after(now_ns, LISTEN_MS));
        code = write_load(connection->stream, load, out_written, &step, &why);
        if (code == URLPOOL_OK) {
            turn->bytes_sent += (int64_t)*out_written;
            return URLPOOL_OK;
        }
        if (code == URLPOOL_E_RESET && turn->bytes_sent > 0) {
            cut(turn, code, why.os_errno);
            return URLPOOL_OK;
        }
        /* Only the end of a step is gone on from, however late that was noticed. */
        if (code != URLPOOL_E_WRITE_TIMEOUT || step.by.at_ns == gap_by.at_ns) {
            return urlp_fail_with(err, &why);
        }
        code = urlp_turn_listen(connection, err);
        if (code != URLPOOL_OK) {
            return code;
        }
    }
    return URLPOOL_OK;
}

/* listen_in_time looks for an early answer behind a write: when enough was sent since the last
 * look, at `*heard_at`, and before a full socket is waited for, which is when the write came short.
 * (Over TLS it always does: there it ends with its record, and tells nothing of the socket.) */
static enum urlpool_code listen_in_time(struct urlpool_connection *connection, bool came_short,
                                        int64_t *heard_at, struct urlpool_error *err) URLP_MAY_BLOCK
{
    const int64_t sent = connection->turn.bytes_sent;
    const bool is_full = came_short && connection->stream->ops->below(connection->stream) == NULL;

    if (urlp_turn_is_over(connection) || (!is_full && sent - *heard_at < LISTEN_BYTES)) {
        return URLPOOL_OK;
    }
    *heard_at = sent;
    return urlp_turn_listen(connection, err);
}

/* check_is_ours keeps a forked child from sending on what is its parent's. */
static enum urlpool_code check_is_ours(const struct urlpool_connection *connection,
                                       struct urlpool_error *err)
{
    if (urlp_connection_is_foreign(connection)) {
        return urlp_fail(err, URLPOOL_E_FORKED, URLPOOL_PHASE_SEND,
                         "the connection belongs to the parent process");
    }
    return URLPOOL_OK;
}

/* window makes `load` of the first WRITE_BYTES_MAX bytes of `runs`, without the empty ones. */
static void window(const struct urlp_iovec *runs, size_t num_runs, struct urlp_iovec *out,
                   struct load *load)
{
    size_t left = WRITE_BYTES_MAX;
    size_t num = 0;
    size_t i;

    for (i = 0; i < num_runs && left > 0; i++) {
        size_t len = runs[i].len < left ? runs[i].len : left;

        if (len > 0) {
            out[num++] = (struct urlp_iovec){runs[i].data, len};
            left -= len;
        }
    }
    *load = (struct load){.runs = out, .num_runs = num, .len = WRITE_BYTES_MAX - left};
}

/* drop takes `len` bytes off the front of `runs`. */
static void drop(struct urlp_iovec *runs, size_t num_runs, size_t len)
{
    size_t i;

    for (i = 0; i < num_runs && len > 0; i++) {
        size_t part = runs[i].len < len ? runs[i].len : len;

        runs[i].data = (const char *)runs[i].data + part;
        runs[i].len -= part;
        len -= part;
    }
}

enum urlpool_code urlp_turn_put(struct urlpool_connection *connection,
                                const struct urlp_iovec *runs, size_t num_runs,
                                struct urlpool_error *err)
{
    struct urlp_iovec rest[RUNS_MAX] = {
        {connection->out.data, connection->out.len}
    };
    struct urlp_iovec now[RUNS_MAX];
    struct load load;
    int64_t heard_at = connection->turn.bytes_sent;
    enum urlpool_code code = check_is_ours(connection, err);
    size_t left = connection->out.len;
    size_t i;

    for (i = 0; i < num_runs; i++) {
        rest[1 + i] = runs[i];
        left += runs[i].len;
    }
    window(rest, 1 + num_runs, now, &load);
    while (code == URLPOOL_OK && load.num_runs > 0 && !urlp_turn_is_over(connection)) {
        size_t written = 0;
        bool came_short;

        code = write_some(connection, &load, &written, err);
        if (code != URLPOOL_OK) {
            return code;
        }
        came_short = written < load.len;
        left -= written;
        if (left == 0) {
            break; /* in one go, as almost always */
        }
        drop(rest, 1 + num_runs, written);
        window(rest, 1 + num_runs, now, &load);
        if (load.num_runs > 0) {
            code = listen_in_time(connection, came_short, &heard_at, err);
        }
    }
    if (code == URLPOOL_OK) {
        connection->out.len = 0;
    }
    return code;
}

enum urlpool_code urlp_turn_put_file(struct urlpool_connection *connection, int fd, int64_t at,
                                     int64_t len, int64_t *out_sent, struct urlpool_error *err)
{
    enum urlpool_code code = urlp_turn_put(connection, NULL, 0, err);
    int64_t heard_at = connection->turn.bytes_sent;
    size_t written = 1;

    *out_sent = 0;
    while (code == URLPOOL_OK && *out_sent < len && written > 0 && !urlp_turn_is_over(connection)) {
        const int64_t left = len - *out_sent;
        const struct load load = {.fd = fd,
                                  .at = at + *out_sent,
                                  .len = left < (int64_t)WRITE_BYTES_MAX ? (size_t)left
                                                                         : WRITE_BYTES_MAX};

        written = 0;
        code = write_some(connection, &load, &written, err);
        *out_sent += (int64_t)written;
        if (code == URLPOOL_OK && *out_sent < len) {
            code = listen_in_time(connection, written < load.len, &heard_at, err);
        }
    }
    return code;
}

enum urlpool_code urlp_turn_await_continue(struct urlpool_connection *connection, int64_t wait_ms,
                                           struct urlpool_error *err)
{
    const struct urlp_turn *turn = &connection->turn;
    enum urlpool_code code = urlp_turn_put(connection, NULL, 0, err);
    const struct urlp_call gap = urlp_call_until(&turn->call, turn->read_ms);
    const struct urlp_call step = urlp_call_until(&gap, wait_ms);
    bool in_vain = false;

    while (code == URLPOOL_OK && !in_vain && !turn->may_go_on && !urlp_turn_is_over(connection)) {
        code = hear_once(connection, &step, &in_vain, err);
    }
    return code;
}

void urlp_turn_sent(struct urlpool_connection *connection)
{
    struct urlp_peer peer;
    char text[URLP_PEER_TEXT_MAX] = "";

    urlp_h1_request_sent(connection->codec);
    connection->turn.is_sent = true;
    if (connection->turn.call.trace != NULL && urlp_stream_peer(connection->stream, &peer)) {
        urlp_peer_format(&peer, text);
    }
    urlp_call_trace(&connection->turn.call, URLPOOL_TRACE_REQUEST_SENT, text, strlen(text),
                    connection->turn.bytes_sent);
}

/* hear_end is the stream's end in place of an answer. */
static enum urlpool_code hear_end(struct urlpool_connection *connection, enum urlp_end end,
                                  struct urlpool_error *err)
{
    struct urlp_h1_event event;
    enum urlpool_code code =
        urlp_h1_end_of_stream(connection->codec, end == URLP_END_CLEAN, &event, err);

    if (code != URLPOOL_OK) {
        return code;
    }
    return urlp_fail(err, URLPOOL_E_REMOTE_DISCONNECTED, URLPOOL_PHASE_HEAD,
                     "the peer closed without an answer");
}

/* blame turns the failure to read an answer into the failure to send, where that came first. */
static enum urlpool_code blame(const struct urlpool_connection *connection, enum urlpool_code code,
                               struct urlpool_error *err)
{
    const struct urlp_turn *turn = &connection->turn;

    if (turn->is_cut && turn->cut_code != URLPOOL_OK && !turn->response_bytes_seen) {
        code = urlp_fail_errno(err, turn->cut_code, URLPOOL_PHASE_SEND, turn->cut_errno,
                               "the peer stopped taking the request after %lld bytes",
                               (long long)turn->bytes_sent);
    } else if (err != NULL && err->phase == URLPOOL_PHASE_BODY) {
        err->phase = URLPOOL_PHASE_HEAD;
    }
    return code;
}

enum urlpool_code urlp_turn_hear(struct urlpool_connection *connection, struct urlpool_error *err)
{
    struct urlp_turn *turn = &connection->turn;
    enum urlpool_code code = turn->is_answered ? URLPOOL_OK : advance(connection, err);

    while (code == URLPOOL_OK && !turn->is_answered) {
        enum urlp_end end = URLP_END_NONE;

        code = urlp_wire_fill(connection, &turn->call, turn->read_ms, &end, err);
        if (code == URLPOOL_OK && end != URLP_END_NONE) {
            code = hear_end(connection, end, err);
        }
        if (code == URLPOOL_OK) {
            code = advance(connection, err);
        }
    }
    return code == URLPOOL_OK ? URLPOOL_OK : blame(connection, code, err);
}

void urlp_turn_failed(struct urlpool_connection *connection, struct urlpool_error *err)
{
    connection->is_broken = true;
    connection->last_why = URLPOOL_CLOSED_ERROR;
    connection->last_is_polite = false;
    if (err != NULL) {
        err->maybe_processed = connection->turn.bytes_sent > 0;
        if (connection->turn.is_answered) {
            err->http_status = connection->turn.answer.head->status;
        }
    }
}
