/* Sending the body of a request.
 *
 * Exactly as many bytes are sent as the head has announced. A body that turns out shorter or longer
 * fails the request before its last byte is sent, so that the server never takes it for whole.
 * What has no size goes chunked. Where bytes come from is for conn/body_source to know. */

#include "base/error.h"
#include "conn/body_source.h"
#include "conn/turn.h"

/* An early answer is looked for each time that so much was sent. */
#define LISTEN_BYTES ((int64_t)256 * 1024)

/* struct sending is a body on its way. */
struct sending {
    struct urlp_body_source source;
    const struct urlpool_headers *trailers; /* NULL: none */
    struct urlp_buf tail;                   /* the last chunk, with trailers */
    int64_t heard_at;                       /* bytes sent when an answer was last looked for */
    bool is_chunked;
};

/* put_file sends a stretch of a file. */
static enum urlpool_code put_file(struct sending *sending, struct urlpool_connection *connection,
                                  const struct urlp_body_run *run,
                                  struct urlpool_error *err) URLP_MAY_BLOCK
{
    int64_t sent = 0;
    enum urlpool_code code =
        urlp_turn_put_file(connection, run->fd, run->at, run->file_len, &sent, err);

    urlp_body_source_sent(&sending->source, run, sent);
    return code;
}

/* find_last_chunk makes what stands behind the last byte of a chunked body. Trailers are read only
 * now, since whoever gave the body may have added some. */
static enum urlpool_code find_last_chunk(struct sending *sending,
                                         const struct urlpool_connection *connection,
                                         struct urlp_iovec *out, struct urlpool_error *err)
{
    enum urlpool_code code = URLPOOL_OK;

    if (sending->trailers == NULL) {
        *out = (struct urlp_iovec){urlp_h1_last_chunk, sizeof(urlp_h1_last_chunk)};
        return URLPOOL_OK;
    }
    code = urlp_h1_write_trailers(connection->codec, sending->trailers, &sending->tail, err);
    *out = (struct urlp_iovec){sending->tail.data, sending->tail.len};
    return code;
}

/* put_chunk sends the bytes of `run` as a chunk, and the last chunk behind them if they are the
 * last; there may be none. */
static enum urlpool_code put_chunk(struct sending *sending, struct urlpool_connection *connection,
                                   const struct urlp_body_run *run,
                                   struct urlpool_error *err) URLP_MAY_BLOCK
{
    char prefix[URLP_H1_CHUNK_PREFIX_MAX];
    struct urlp_iovec runs[URLP_TURN_RUNS_MAX];
    enum urlpool_code code = URLPOOL_OK;
    size_t num = 0;

    if (run->len > 0) {
        runs[num++] = (struct urlp_iovec){prefix, urlp_h1_chunk_prefix(prefix, run->len)};
        runs[num++] = (struct urlp_iovec){run->data, run->len};
        runs[num++] = (struct urlp_iovec){"\r\n", 2};
    }
    if (run->is_last) {
        code = find_last_chunk(sending, connection, &runs[num++], err);
    }
    return code == URLPOOL_OK ? urlp_turn_put(connection, runs, num, err) : code;
}

/* put_run sends what the source gave. */
static enum urlpool_code put_run(struct sending *sending, struct urlpool_connection *connection,
                                 const struct urlp_body_run *run,
                                 struct urlpool_error *err) URLP_MAY_BLOCK
{
    const struct urlp_iovec bytes = {run->data, run->len};

    if (run->file_len > 0) {
        return put_file(sending, connection, run, err);
    }
    if (sending->is_chunked) {
        return put_chunk(sending, connection, run, err);
    }
    return urlp_turn_put(connection, &bytes, 1, err);
}

/* listen_in_time looks for an early answer when that was not done for a while. */
static enum urlpool_code listen_in_time(struct sending *sending,
                                        struct urlpool_connection *connection,
                                        struct urlpool_error *err) URLP_MAY_BLOCK
{
    if (connection->turn.bytes_sent - sending->heard_at < LISTEN_BYTES ||
        urlp_turn_is_over(connection)) {
        return URLPOOL_OK;
    }
    sending->heard_at = connection->turn.bytes_sent;
    return urlp_turn_listen(connection, err);
}

/* put_all sends everything, from the head on. */
static enum urlpool_code put_all(struct sending *sending, struct urlpool_connection *connection,
                                 struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_body_run run = {.fd = -1};
    enum urlpool_code code = URLPOOL_OK;

    while (code == URLPOOL_OK && !run.is_last && !urlp_turn_is_over(connection)) {
        code = urlp_body_source_next(&sending->source, connection, &run, err);
        if (code == URLPOOL_OK && !urlp_turn_is_over(connection)) {
            code = put_run(sending, connection, &run, err);
        }
        if (code == URLPOOL_OK && !run.is_last) {
            code = listen_in_time(sending, connection, err);
        }
    }
    return code;
}

/* check_announced holds the plan against the head, which on the lower floor is the caller's. */
static enum urlpool_code check_announced(const struct urlpool_connection *connection,
                                         const struct urlp_body_plan *body,
                                         struct urlpool_error *err)
{
    const int64_t len = body != NULL ? body->len : 0;

    if (body != NULL && body->trailers != NULL && connection->turn.body_len >= 0) {
        return urlp_fail(err, URLPOOL_E_BODY, URLPOOL_PHASE_SEND,
                         "trailers need a chunked body, and the head says Content-Length");
    }
    if (len < 0 || connection->turn.body_len < 0 || len == connection->turn.body_len) {
        return URLPOOL_OK;
    }
    return urlp_fail(err, URLPOOL_E_BODY, URLPOOL_PHASE_SEND,
                     "the request body has %lld bytes and Content-Length says %lld", (long long)len,
                     (long long)connection->turn.body_len);
}

enum urlpool_code urlp_turn_put_body(struct urlpool_connection *connection,
                                     struct urlp_body_plan *plan, struct urlpool_error *err)
{
    struct urlp_body_plan *body = plan != NULL && plan->has_body ? plan : NULL;
    struct sending sending;
    enum urlpool_code code;

    if (body == NULL && connection->turn.body_len == 0) {
        return urlp_turn_put(connection, NULL, 0, err);
    }
    sending = (struct sending){.trailers = body != NULL ? body->trailers : NULL,
                               .is_chunked = connection->turn.body_len < 0};
    code = check_announced(connection, body, err);
    if (code == URLPOOL_OK && body != NULL && body->expect_ms >= 0 && connection->turn.expects) {
        code = urlp_turn_await_continue(connection, body->expect_ms, err);
    }
    if (code != URLPOOL_OK) {
        return code;
    }
    urlp_body_source_begin(&sending.source, body, connection->turn.body_len);
    code = put_all(&sending, connection, err);
    urlp_body_source_end(&sending.source);
    urlp_buf_deinit(&sending.tail);
    return code;
}
