/* How the body of a response comes off its connection.
 *
 * Transfer coding is the codec's, content coding that of conn/body_decoder. Body bytes either lie
 * in the connection's inbox, where `pending` shows them, or are read straight into the caller's
 * memory, where chunks are joined. After every step urlp_body_settle looks ahead in what has
 * already arrived, so that the connection goes home with the last byte of the body and not at the
 * call after it. A fault is sticky. */

#include "conn/body_reader.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"

/* Smaller reads go through the inbox, so that many of them share one system call. */
#define DIRECT_BYTES_MIN ((size_t)4 * 1024)

/* What is read at once of a body in chunks: it is still near the processor when it is joined. */
#define CHUNKS_BYTES_MAX ((size_t)256 * 1024)

/* What is decoded at once for a peek. */
#define AHEAD_BYTES ((size_t)8 * 1024)

/* set_verdict_early says of a connection that it cannot be used again. */
static void set_verdict_early(struct urlp_answer *answer, enum urlpool_closed why)
{
    answer->connection->is_broken = true;
    answer->verdict = (struct urlp_connection_verdict){.why = why,
                                                       .is_polite = why == URLPOOL_CLOSED_UNREAD,
                                                       .keep_alive_timeout_s = -1,
                                                       .keep_alive_max = -1};
}

/* tell_owner tells, once, that the connection is needed no more. */
static void tell_owner(struct urlp_answer *answer)
{
    struct urlpool_connection *connection = answer->connection;

    if (connection == NULL || answer->owner.ended == NULL) {
        return;
    }
    if (urlp_gate_leave(&answer->gate) && answer->verdict.is_reusable) {
        set_verdict_early(answer, URLPOOL_CLOSED_UNREAD);
    }
    answer->connection = NULL;
    connection->response = NULL;
    if (answer->leaves_memory) {
        urlp_spares_take_back(&answer->spares, connection);
    }
    answer->verdict.ended_ns = answer->marks.end_ns;
    answer->owner.ended(answer->owner.user, connection, &answer->verdict);
}

void urlp_response_set_owner(struct urlpool_response *response,
                             const struct urlp_response_owner *owner)
{
    struct urlp_answer *answer = (struct urlp_answer *)(void *)response;

    answer->owner = *owner;
    if (answer->state != URLP_BODY_OPEN && !answer->has_switched) {
        tell_owner(answer);
    }
}

/* leave_whole is the end of the message: only now can the connection be good for another. */
static void leave_whole(struct urlp_answer *answer) URLP_MAY_BLOCK
{
    struct urlpool_connection *connection = answer->connection;

    connection->response = NULL;
    urlp_connection_judge(connection, &answer->verdict);
    connection->response = &answer->pub;
    if (!answer->verdict.is_reusable) {
        answer->verdict.why = URLPOOL_CLOSED_NOT_REUSABLE;
    }
    urlp_call_trace(&answer->call, URLPOOL_TRACE_BODY_END, NULL, 0, answer->body_bytes);
}

/* mark_end marks when the body ended, unless the trace has heard of it. */
static void mark_end(struct urlp_answer *answer)
{
    if (answer->call.marks != NULL && answer->marks.end_ns == 0) {
        answer->marks.end_ns = urlp_now_ns();
    }
}

/* leave_early is any other end. A drain that fails is a response given up. */
static void leave_early(struct urlp_answer *answer)
{
    bool is_failure = answer->state == URLP_BODY_FAILED && !answer->is_draining;

    mark_end(answer);
    answer->pending_len = 0;
    set_verdict_early(answer, is_failure ? URLPOOL_CLOSED_ERROR : URLPOOL_CLOSED_UNREAD);
}

/* end_body leaves the connection, in the way that `state` says. */
static void end_body(struct urlp_answer *answer, enum urlp_body_state state) URLP_MAY_BLOCK
{
    answer->state = state;
    if (answer->connection == NULL) {
        return;
    }
    if (state == URLP_BODY_WHOLE) {
        leave_whole(answer);
    } else {
        leave_early(answer);
    }
    answer->connection->last_why = answer->verdict.why;
    answer->connection->last_is_polite = answer->verdict.is_polite;
    tell_owner(answer);
}

enum urlpool_code urlp_body_fail(struct urlp_answer *answer, const struct urlpool_error *why,
                                 struct urlpool_error *err)
{
    answer->error = *why;
    answer->error.http_status = answer->pub.status;
    answer->error.maybe_processed = true;
    end_body(answer, URLP_BODY_FAILED);
    return urlp_fail_with(err, &answer->error);
}

void urlp_body_give_up(struct urlp_answer *answer)
{
    if (answer->state == URLP_BODY_OPEN) {
        end_body(answer, URLP_BODY_GIVEN_UP);
    } else if (answer->has_switched && answer->connection != NULL) {
        leave_early(answer);
        tell_owner(answer);
    }
}

void urlp_body_switch(struct urlp_answer *answer)
{
    answer->state = URLP_BODY_WHOLE;
    answer->has_switched = true;
    answer->connection->is_broken = true; /* for HTTP */
    mark_end(answer);
}

bool urlp_body_leave_switched(struct urlp_answer *answer,
                              struct urlpool_connection **out_connection,
                              struct urlp_response_owner *out_owner)
{
    struct urlpool_connection *connection = answer->connection;
    const bool is_shut = urlp_gate_leave(&answer->gate);

    connection->stream = NULL;
    connection->in.at = connection->in.end = 0;
    set_verdict_early(answer, URLPOOL_CLOSED_UPGRADED);
    connection->last_why = URLPOOL_CLOSED_UPGRADED;
    if (!answer->owner.keeps_place) {
        tell_owner(answer);
        return is_shut;
    }
    if (answer->leaves_memory) {
        urlp_spares_take_back(&answer->spares, connection);
    }
    answer->connection = NULL;
    connection->response = NULL;
    urlp_connection_rest(connection);
    *out_connection = connection;
    *out_owner = answer->owner;
    return is_shut;
}

void urlp_response_detach(struct urlpool_response *response)
{
    struct urlp_answer *answer = (struct urlp_answer *)(void *)response;

    (void)urlp_gate_leave(&answer->gate);
    answer->connection->response = NULL;
    answer->connection = NULL;
    mark_end(answer);
    answer->pending_len = 0;
    answer->call = (struct urlp_call){0};
    if (answer->state == URLP_BODY_OPEN) {
        urlp_fail(&answer->error, URLPOOL_E_NOT_CONNECTED, URLPOOL_PHASE_BODY,
                  "the connection was closed before the body was read whole");
        answer->error.http_status = answer->pub.status;
        answer->state = URLP_BODY_FAILED;
    }
}

/* keep_trailers copies what the codec shows of them. */
static enum urlpool_code keep_trailers(struct urlp_answer *answer,
                                       const struct urlp_response_head *trailers,
                                       struct urlpool_error *err)
{
    if (trailers != NULL && trailers->num_fields > 0) {
        answer->trailers = urlp_headers_from_fields(trailers->fields, trailers->num_fields, err);
        if (answer->trailers == NULL) {
            return URLPOOL_E_NOMEM;
        }
    }
    return URLPOOL_OK;
}

/* take_end is the message's end. Trailers that memory does not suffice for fail the response. */
static enum urlpool_code take_end(struct urlp_answer *answer,
                                  const struct urlp_response_head *trailers,
                                  struct urlpool_error *err) URLP_MAY_BLOCK
{
    enum urlpool_code code = keep_trailers(answer, trailers, err);

    if (code == URLPOOL_OK) {
        end_body(answer, URLP_BODY_WHOLE);
    }
    return code;
}

/* next_event takes one event out of `data`, where a body is being read. */
static enum urlpool_code next_event(const struct urlp_answer *answer, uint8_t *data, size_t len,
                                    size_t *out_used, struct urlp_h1_event *out,
                                    struct urlpool_error *err)
{
    enum urlpool_code code = urlp_h1_next(answer->connection->codec, data, len, out_used, out, err);

    if (code == URLPOOL_OK && out->type != URLP_H1_NEED_DATA && out->type != URLP_H1_DATA &&
        out->type != URLP_H1_END) {
        return urlp_fail(err, URLPOOL_E_PROTOCOL, URLPOOL_PHASE_BODY,
                         "a head in the middle of a body");
    }
    return code;
}

/* step takes one event out of the inbox. */
static enum urlpool_code step(struct urlp_answer *answer, bool *out_needs_bytes,
                              struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_inbox *in = &answer->connection->in;
    struct urlp_h1_event event = {0};
    uint8_t none = 0;
    size_t used = 0;
    uint8_t *data = in->data == NULL ? &none : in->data + in->at;
    enum urlpool_code code = next_event(answer, data, urlp_inbox_len(in), &used, &event, err);

    *out_needs_bytes = false;
    if (code != URLPOOL_OK) {
        return code;
    }
    in->at += used;
    if (event.type == URLP_H1_END) {
        return take_end(answer, event.head, err);
    }
    if (event.type == URLP_H1_DATA) {
        answer->pending = event.data;
        answer->pending_len = event.data_len;
        answer->body_bytes += (int64_t)event.data_len;
    } else {
        *out_needs_bytes = used == 0 || urlp_inbox_len(in) == 0;
    }
    return URLPOOL_OK;
}

void urlp_body_settle(struct urlp_answer *answer)
{
    bool needs_bytes = false;

    while (answer->state == URLP_BODY_OPEN && answer->pending_len == 0 && !needs_bytes) {
        struct urlpool_error why;

        if (step(answer, &needs_bytes, &why) != URLPOOL_OK) {
            (void)urlp_body_fail(answer, &why, NULL);
        }
    }
}

void urlp_body_used(struct urlp_answer *answer, size_t len)
{
    answer->pending += len;
    answer->pending_len -= len;
    if (answer->pending_len == 0) {
        urlp_body_settle(answer);
    }
}

/* meet_end is the end of the stream in the middle of a message. */
static enum urlpool_code meet_end(struct urlp_answer *answer, enum urlp_end end,
                                  struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_h1_event event = {0};
    enum urlpool_code code =
        urlp_h1_end_of_stream(answer->connection->codec, end == URLP_END_CLEAN, &event, err);

    return code == URLPOOL_OK ? take_end(answer, event.head, err) : code;
}

/* blame_shutdown makes of whatever a read brought what it is after urlpool_response_shutdown: an
 * end that may look like that of the body is none. */
static enum urlpool_code blame_shutdown(const struct urlp_answer *answer, enum urlpool_code code,
                                        struct urlpool_error *err)
{
    if (!urlp_gate_is_shut(&answer->gate)) {
        return code;
    }
    return urlp_fail(err, URLPOOL_E_CANCELLED, URLPOOL_PHASE_BODY, "the response was shut down");
}

enum urlpool_code urlp_body_wait(struct urlp_answer *answer, const struct urlp_call *call,
                                 struct urlpool_error *err)
{
    while (answer->state == URLP_BODY_OPEN && answer->pending_len == 0) {
        struct urlpool_error why;
        enum urlp_end end = URLP_END_NONE;
        enum urlpool_code code =
            urlp_wire_fill(answer->connection, call, answer->read_ms, &end, &why);

        code = blame_shutdown(answer, code, &why);
        if (code == URLPOOL_OK && end != URLP_END_NONE) {
            code = meet_end(answer, end, &why);
        }
        if (code != URLPOOL_OK) {
            return urlp_body_fail(answer, &why, err);
        }
        urlp_body_settle(answer);
    }
    if (answer->state == URLP_BODY_FAILED) {
        return urlp_fail_with(err, &answer->error);
    }
    return URLPOOL_OK;
}

/* direct_len is how much may be read past the inbox into memory of `len` bytes: 0 when it is too
 * little to be worth a system call of its own. */
static size_t direct_len(const struct urlp_answer *answer, size_t len)
{
    size_t most = CHUNKS_BYTES_MAX;

    if (answer->state != URLP_BODY_OPEN || urlp_inbox_len(&answer->connection->in) > 0) {
        return 0;
    }
    if (answer->body_kind != URLP_H1_BODY_CHUNKED) {
        most = urlp_h1_direct_len(answer->connection->codec);
    }
    most = most < len ? most : len;
    return most >= DIRECT_BYTES_MIN ? most : 0;
}

/* join takes the chunks out of the `len` bytes that came into the caller's memory, and moves their
 * data together at its front. What is left over, the beginning of trailers or what should not be
 * there, goes to the inbox. As with bytes of the inbox, what was good before a fault is given. */
static enum urlpool_code join(struct urlp_answer *answer, uint8_t *data, size_t len,
                              size_t *out_len, struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_h1_event event = {.type = URLP_H1_DATA};
    enum urlpool_code code = URLPOOL_OK;
    struct urlpool_error why;
    size_t at = 0;
    size_t used = 1;

    *out_len = 0;
    while (code == URLPOOL_OK && used > 0 && at < len && event.type != URLP_H1_END) {
        used = 0;
        code = next_event(answer, data + at, len - at, &used, &event, &why);
        at += used;
        if (code == URLPOOL_OK && event.type == URLP_H1_DATA) {
            memmove(data + *out_len, event.data, event.data_len);
            *out_len += event.data_len;
        }
    }
    answer->body_bytes += (int64_t)*out_len;
    if (code == URLPOOL_OK && event.type == URLP_H1_END) {
        code = keep_trailers(answer, event.head, &why); /* they lie where the inbox may move */
    }
    if (code == URLPOOL_OK && at < len) {
        code = urlp_wire_put_back(answer->connection, data + at, len - at, &why);
    }
    if (code == URLPOOL_OK && event.type == URLP_H1_END) {
        end_body(answer, URLP_BODY_WHOLE);
    }
    if (code == URLPOOL_OK) {
        return URLPOOL_OK;
    }
    code = urlp_body_fail(answer, &why, *out_len > 0 ? NULL : err);
    return *out_len > 0 ? URLPOOL_OK : code;
}

/* read_direct reads once into the caller's memory; `*out_len` is 0 at the end of the stream, and
 * where no byte of what came was the body's. */
static enum urlpool_code read_direct(struct urlp_answer *answer, void *buf, size_t len,
                                     size_t *out_len, struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlpool_error why;
    enum urlp_end end = URLP_END_NONE;
    const struct urlp_call gap = urlp_call_until(&answer->call, answer->read_ms);
    enum urlpool_code code =
        urlp_wire_read_direct(answer->connection, &gap, buf, len, out_len, &end, &why);

    code = blame_shutdown(answer, code, &why);
    if (code == URLPOOL_OK && end != URLP_END_NONE) {
        code = meet_end(answer, end, &why);
    }
    if (code != URLPOOL_OK) {
        return urlp_body_fail(answer, &why, err);
    }
    if (*out_len > 0 && answer->body_kind == URLP_H1_BODY_CHUNKED) {
        return join(answer, buf, *out_len, out_len, err);
    }
    if (*out_len > 0) {
        answer->body_bytes += (int64_t)*out_len;
        urlp_h1_took(answer->connection->codec, *out_len);
        urlp_body_settle(answer);
    }
    return URLPOOL_OK;
}

/* read_plain reads body bytes as they were sent. */
static enum urlpool_code read_plain(struct urlp_answer *answer, void *buf, size_t len,
                                    size_t *out_len, struct urlpool_error *err) URLP_MAY_BLOCK
{
    enum urlpool_code code = URLPOOL_OK;
    size_t most;

    while (answer->pending_len == 0 && (most = direct_len(answer, len)) > 0) {
        code = read_direct(answer, buf, most, out_len, err);
        if (code != URLPOOL_OK || *out_len > 0 || answer->state == URLP_BODY_WHOLE) {
            return code;
        }
    }
    if (answer->pending_len == 0) {
        code = urlp_body_wait(answer, &answer->call, err);
        if (code != URLPOOL_OK) {
            return code;
        }
    }
    most = answer->pending_len < len ? answer->pending_len : len;
    if (most > 0) {
        memcpy(buf, answer->pending, most);
        urlp_body_used(answer, most);
    }
    *out_len = most;
    return URLPOOL_OK;
}

/* begin_read refuses to read where there is nothing to read from, and makes the decoder. */
static enum urlpool_code begin_read(struct urlp_answer *answer,
                                    struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlpool_error why;

    if (answer->state == URLP_BODY_FAILED) {
        return urlp_fail_with(err, &answer->error);
    }
    if (answer->state == URLP_BODY_GIVEN_UP) {
        return urlp_fail(err, URLPOOL_E_NOT_CONNECTED, URLPOOL_PHASE_BODY,
                         "the response was closed before its body was read whole");
    }
    if (answer->state == URLP_BODY_OPEN && blame_shutdown(answer, URLPOOL_OK, &why) != URLPOOL_OK) {
        return urlp_body_fail(answer, &why, err);
    }
    return answer->is_decoder_made ? URLPOOL_OK : urlp_body_make_decoder(answer, err);
}

/* has_ahead says that bytes lie ready, decoded for a peek. */
static bool has_ahead(const struct urlp_answer *answer)
{
    return answer->ahead_at < answer->ahead.len && answer->state != URLP_BODY_GIVEN_UP;
}

/* read_ahead gives bytes that a peek has shown. */
static size_t read_ahead(struct urlp_answer *answer, void *buf, size_t len)
{
    const size_t left = answer->ahead.len - answer->ahead_at;
    const size_t most = left < len ? left : len;

    memcpy(buf, answer->ahead.data + answer->ahead_at, most);
    answer->ahead_at += most;
    return most;
}

enum urlpool_code urlp_body_read(struct urlp_answer *answer, void *buf, size_t len, size_t *out_len,
                                 struct urlpool_error *err)
{
    enum urlpool_code code = URLPOOL_OK;
    size_t got = 0;

    if (has_ahead(answer)) {
        *out_len = read_ahead(answer, buf, len);
        return URLPOOL_OK;
    }
    code = begin_read(answer, err);
    if (code == URLPOOL_OK) {
        code = answer->decoder == NULL ? read_plain(answer, buf, len, &got, err)
                                       : urlp_body_decode(answer, buf, len, &got, err);
    }
    if (code == URLPOOL_OK) {
        *out_len = got;
    }
    return code;
}

/* decode_ahead decodes bytes for a peek. */
static enum urlpool_code decode_ahead(struct urlp_answer *answer,
                                      struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_buf *ahead = &answer->ahead;
    size_t got = 0;
    enum urlpool_code code;

    ahead->len = answer->ahead_at = 0;
    if (urlp_buf_reserve(ahead, AHEAD_BYTES) != URLPOOL_OK) {
        return urlp_fail_nomem(err);
    }
    code = urlp_body_decode(answer, ahead->data, ahead->cap, &got, err);
    ahead->len = got;
    return code;
}

enum urlpool_code urlp_body_peek(struct urlp_answer *answer, const uint8_t **out_data,
                                 size_t *out_len, struct urlpool_error *err)
{
    enum urlpool_code code = has_ahead(answer) ? URLPOOL_OK : begin_read(answer, err);

    if (code == URLPOOL_OK && answer->decoder == NULL) {
        code = answer->pending_len > 0 ? URLPOOL_OK : urlp_body_wait(answer, &answer->call, err);
        *out_data = answer->pending;
        *out_len = answer->pending_len;
        return code;
    }
    if (code == URLPOOL_OK && !has_ahead(answer)) {
        code = decode_ahead(answer, err);
    }
    if (code == URLPOOL_OK) {
        *out_data = answer->ahead.data + answer->ahead_at;
        *out_len = answer->ahead.len - answer->ahead_at;
    }
    return code;
}

void urlp_body_skip(struct urlp_answer *answer, size_t len)
{
    if (answer->decoder == NULL) {
        urlp_body_used(answer, len);
    } else {
        answer->ahead_at += len;
    }
}
