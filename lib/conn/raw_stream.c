/* A connection that speaks HTTP no more, in its user's hands.
 *
 * One thread may read while another writes, but neither TLS nor a socket's state is for two at
 * once: so each takes a turn for every step, which never waits, and waits for the socket outside of
 * it. The turn is no lock: a step may do what nobody does with a lock held, and it is given in the
 * order asked for, so that who has much to write does not keep the reader away.
 *
 * The stream is taken out of its connection. The place in the pool stays taken until the end; a
 * connection of the lower floor is free at once, and may be opened again. What was made before a
 * fork is not touched in a child, nor its mutex: it may have been held. So its memory stays; its
 * descriptor is closed there anyway. */

#include "urlpool/raw_stream.h"

#include <stdatomic.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fork.h"
#include "base/ref.h"
#include "conn/body_reader.h"
#include "conn/raw_stream.h"
#include "net/tcp.h"
#include "net/tls.h"

struct urlpool_raw_stream {
    struct urlp_ref ref; /* the user's; the response's, which may be shut down by anybody */
    struct urlp_stream *stream;
    struct urlp_call call; /* without an end */
    int64_t read_ms, write_ms;
    uint64_t generation; /* of urlp_fork_generation */
    bool is_torn;        /* a write has failed: where the next byte belongs is not known */
    atomic_bool is_shut;
    struct urlpool_connection *connection; /* in whose place it is; NULL: in none */
    struct urlp_response_owner owner;      /* of that place */
    struct urlp_mutex mutex;
    struct urlp_cond turned;
    struct {
        uint64_t next_turn, turn; /* to be given; whose it is */
        bool is_closed;
    } locked URLP_GUARDED;
};

static bool is_foreign(const struct urlpool_raw_stream *raw)
{
    return urlp_fork_has_happened(raw->generation);
}

/* take_turn waits until nobody else is at the stream. */
static void take_turn(struct urlpool_raw_stream *raw) URLP_MAY_BLOCK
{
    uint64_t mine;

    urlp_mutex_lock(&raw->mutex);
    mine = raw->locked.next_turn++;
    while (raw->locked.turn != mine) {
        urlp_cond_wait(&raw->turned, &raw->mutex, URLP_NEVER);
    }
    urlp_mutex_unlock(&raw->mutex);
}

static void leave_turn(struct urlpool_raw_stream *raw) URLP_MAY_BLOCK
{
    urlp_mutex_lock(&raw->mutex);
    raw->locked.turn++;
    urlp_cond_broadcast(&raw->turned);
    urlp_mutex_unlock(&raw->mutex);
}

/* take_stream gives the stream of `connection`, in front of it the bytes that came already. */
static struct urlp_stream *take_stream(struct urlpool_connection *connection,
                                       struct urlpool_error *err)
{
    const struct urlp_inbox *in = &connection->in;

    if (urlp_inbox_len(in) == 0) {
        return connection->stream;
    }
    return urlp_prefix_wrap(connection->stream, in->data + in->at, urlp_inbox_len(in), err);
}

/* make makes a stream of what `connection` has. */
static struct urlpool_raw_stream *make(struct urlpool_connection *connection,
                                       const struct urlp_call *call,
                                       struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlpool_raw_stream *raw = urlp_zalloc(sizeof(*raw));

    if (raw == NULL) {
        urlp_fail_nomem(err);
        return NULL;
    }
    raw->stream = take_stream(connection, err);
    if (raw->stream == NULL) {
        urlp_free(raw);
        return NULL;
    }
    urlp_tls_forget_sessions(raw->stream);
    urlp_ref_init(&raw->ref);
    raw->call = (struct urlp_call){.by = URLP_NEVER,
                                   .total_by = URLP_NEVER,
                                   .cancel = call->cancel,
                                   .counters = call->counters};
    raw->read_ms = connection->turn.read_ms;
    raw->write_ms = connection->turn.write_ms;
    raw->generation = connection->generation;
    atomic_init(&raw->is_shut, false);
    urlp_mutex_init(&raw->mutex);
    urlp_cond_init(&raw->turned);
    return raw;
}

/* check_can_upgrade says why a response cannot become a raw stream. */
static enum urlpool_code check_can_upgrade(const struct urlp_answer *answer,
                                           struct urlpool_error *err)
{
    if (!answer->has_switched) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                         "status %d: the connection still speaks HTTP", answer->pub.status);
    }
    if (answer->connection == NULL) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                         "the connection was taken from this response, or closed, before");
    }
    if (urlp_connection_is_foreign(answer->connection)) {
        return urlp_fail(err, URLPOOL_E_FORKED, URLPOOL_PHASE_BODY,
                         "the connection belongs to the parent process");
    }
    return URLPOOL_OK;
}

struct urlpool_raw_stream *urlpool_response_upgrade(struct urlpool_response *response,
                                                    struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_answer *answer = (struct urlp_answer *)(void *)response;
    struct urlpool_raw_stream *raw = NULL;

    if (response == NULL) {
        (void)urlp_fail_null(err);
        return NULL;
    }
    if (check_can_upgrade(answer, err) != URLPOOL_OK) {
        return NULL;
    }
    raw = make(answer->connection, &answer->call, err);
    if (raw == NULL) {
        return NULL;
    }
    urlp_ref_take(&raw->ref);
    atomic_store(&answer->raw, raw);
    if (urlp_body_leave_switched(answer, &raw->connection, &raw->owner)) {
        atomic_store(&raw->is_shut, true);
    }
    if (raw->connection == NULL) {
        raw->call.counters = NULL; /* a pool's, which it does not hold */
    }
    return raw;
}

/* check_usable refuses what must not be touched. */
static enum urlpool_code check_usable(struct urlpool_raw_stream *raw, enum urlpool_phase phase,
                                      struct urlpool_error *err)
{
    if (is_foreign(raw)) {
        return urlp_fail(err, URLPOOL_E_FORKED, phase,
                         "the connection belongs to the parent process");
    }
    if (atomic_load(&raw->is_shut)) {
        return urlp_fail(err, URLPOOL_E_CANCELLED, phase, "the stream was shut down");
    }
    return URLPOOL_OK;
}

/* await waits for what the step lacked that ended in `code`, a time-out. */
static enum urlpool_code await(struct urlpool_raw_stream *raw, enum urlpool_code code,
                               const struct urlp_call *gap,
                               struct urlpool_error *err) URLP_MAY_BLOCK
{
    return urlp_stream_await(
        raw->stream, code == URLPOOL_E_WRITE_TIMEOUT ? URLP_WRITABLE : URLP_READABLE, gap, err);
}

static bool is_in_vain(enum urlpool_code code)
{
    return code == URLPOOL_E_READ_TIMEOUT || code == URLPOOL_E_WRITE_TIMEOUT;
}

/* read_step takes what is there. */
static enum urlpool_code read_step(struct urlpool_raw_stream *raw, void *buf, size_t len,
                                   size_t *out_len, enum urlp_end *out_end,
                                   struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_call now = raw->call;
    enum urlpool_code code;

    now.by = URLP_AT_ONCE;
    take_turn(raw);
    code = urlp_stream_read(raw->stream, buf, len, out_len, out_end, &now, err);
    leave_turn(raw);
    return code;
}

static enum urlpool_code read_some(struct urlpool_raw_stream *raw, void *buf, size_t len,
                                   size_t *out_len, struct urlpool_error *err) URLP_MAY_BLOCK
{
    const struct urlp_call gap = urlp_call_until(&raw->call, raw->read_ms);
    enum urlp_end end = URLP_END_NONE;
    enum urlpool_code code = read_step(raw, buf, len, out_len, &end, err);

    while (is_in_vain(code)) {
        code = await(raw, code, &gap, err);
        if (code == URLPOOL_OK) {
            code = read_step(raw, buf, len, out_len, &end, err);
        } else if (is_in_vain(code)) {
            return code;
        }
    }
    if (code == URLPOOL_OK && end == URLP_END_RAGGED) {
        return urlp_fail(err, URLPOOL_E_INCOMPLETE_READ, URLPOOL_PHASE_BODY,
                         "the stream ended without close_notify");
    }
    return code;
}

enum urlpool_code urlpool_raw_stream_read(struct urlpool_raw_stream *stream, void *buf, size_t len,
                                          size_t *out_len, struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlpool_error why;
    size_t got = 0;
    enum urlpool_code code;

    if (stream == NULL || buf == NULL || out_len == NULL) {
        return urlp_fail_null(err);
    }
    if (len == 0) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "len is 0");
    }
    code = check_usable(stream, URLPOOL_PHASE_BODY, &why);
    if (code == URLPOOL_OK) {
        code = read_some(stream, buf, len, &got, &why);
    }
    if (code != URLPOOL_OK || got == 0) { /* an end may be that of a shut-down */
        enum urlpool_code shut = check_usable(stream, URLPOOL_PHASE_BODY, &why);

        code = shut != URLPOOL_OK ? shut : code;
    }
    if (code != URLPOOL_OK) {
        return urlp_fail_with(err, &why);
    }
    *out_len = got;
    return URLPOOL_OK;
}

/* write_step gives what fits. */
static enum urlpool_code write_step(struct urlpool_raw_stream *raw, const struct urlp_iovec *run,
                                    size_t *out_written, struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_call now = raw->call;
    enum urlpool_code code;

    now.by = URLP_AT_ONCE;
    take_turn(raw);
    code = urlp_stream_write(raw->stream, run, 1, out_written, &now, err);
    leave_turn(raw);
    return code;
}

/* write_all writes `rest`, each part of it within its own gap. */
static enum urlpool_code write_all(struct urlpool_raw_stream *raw, struct urlp_iovec rest,
                                   struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_call gap = urlp_call_until(&raw->call, raw->write_ms);
    enum urlpool_code code = URLPOOL_OK;

    while (code == URLPOOL_OK && rest.len > 0) {
        size_t written = 0;

        code = write_step(raw, &rest, &written, err);
        if (code == URLPOOL_E_WRITE_TIMEOUT) {
            code = await(raw, code, &gap, err);
        } else if (code == URLPOOL_OK) {
            rest.data = (const char *)rest.data + written;
            rest.len -= written;
            gap = urlp_call_until(&raw->call, raw->write_ms);
        }
    }
    return code;
}

enum urlpool_code urlpool_raw_stream_write(struct urlpool_raw_stream *stream, const void *data,
                                           size_t len, struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlpool_error why;
    enum urlpool_code code;

    if (stream == NULL || (data == NULL && len > 0)) {
        return urlp_fail_null(err);
    }
    code = check_usable(stream, URLPOOL_PHASE_SEND, &why);
    if (code == URLPOOL_OK && stream->is_torn) {
        code = urlp_fail(&why, URLPOOL_E_INVALID, URLPOOL_PHASE_SEND,
                         "an earlier write has failed, nobody knows after how many bytes");
    } else if (code == URLPOOL_OK) {
        code = write_all(stream, (struct urlp_iovec){data, len}, &why);
        stream->is_torn = code != URLPOOL_OK;
        if (code != URLPOOL_OK) {
            (void)check_usable(stream, URLPOOL_PHASE_SEND, &why);
        }
    }
    return code == URLPOOL_OK ? URLPOOL_OK : urlp_fail_with(err, &why);
}

int urlpool_raw_stream_fd(const struct urlpool_raw_stream *stream)
{
    return stream == NULL || is_foreign(stream) ? -1 : urlp_stream_fd(stream->stream);
}

void urlpool_raw_stream_shutdown(struct urlpool_raw_stream *stream) URLP_MAY_BLOCK
{
    if (stream == NULL || is_foreign(stream)) {
        return;
    }
    atomic_store(&stream->is_shut, true);
    urlp_mutex_lock(&stream->mutex);
    if (!stream->locked.is_closed) {
        urlp_stream_shut(stream->stream);
    }
    urlp_mutex_unlock(&stream->mutex);
}

void urlp_raw_stream_unref(struct urlpool_raw_stream *stream)
{
    if (stream == NULL || !urlp_ref_drop(&stream->ref)) {
        return;
    }
    if (!is_foreign(stream)) { /* threads that are not here may wait by them for ever */
        urlp_cond_deinit(&stream->turned);
        urlp_mutex_deinit(&stream->mutex);
    }
    urlp_free(stream);
}

void urlpool_raw_stream_close(struct urlpool_raw_stream *stream) URLP_MAY_BLOCK
{
    const struct urlp_connection_verdict verdict = {
        .why = URLPOOL_CLOSED_UPGRADED, .keep_alive_timeout_s = -1, .keep_alive_max = -1};
    bool is_polite;

    if (stream == NULL) {
        return;
    }
    is_polite = !is_foreign(stream) && !stream->is_torn && !atomic_load(&stream->is_shut);
    if (!is_foreign(stream)) {
        urlp_mutex_lock(&stream->mutex);
        stream->locked.is_closed = true;
        urlp_mutex_unlock(&stream->mutex);
    }
    if (!is_foreign(stream)) { /* else a thread may have been in the middle of a step of TLS */
        urlp_stream_free(stream->stream, is_polite ? URLP_CLOSE_POLITE : URLP_CLOSE_SILENT);
    }
    if (stream->connection != NULL) {
        stream->owner.ended(stream->owner.user, stream->connection, &verdict);
    }
    urlp_raw_stream_unref(stream);
}
