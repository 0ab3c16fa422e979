/* Sending the body of a request.
 *
 * Exactly as many bytes are sent as the head has announced. A file that turns out shorter or longer
 * fails the request before its last byte is sent, so that the server never takes it for whole.
 * What has no size goes chunked. */

#include <errno.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/park.h"
#include "conn/turn.h"

/* What is read from a descriptor at a time. */
#define PIECE_BYTES ((size_t)64 * 1024)

/* How often an early answer is looked for while a pipe has nothing. */
#define LISTEN_MS 100

/* await waits until a pipe has something to give, or the turn is over. */
static enum urlpool_code await(struct urlpool_connection *connection, int fd,
                               struct urlpool_error *err) URLP_MAY_BLOCK
{
    while (!urlp_turn_is_over(connection)) {
        struct urlp_call step = urlp_call_until(&connection->turn.call, LISTEN_MS);
        struct urlpool_error why;
        enum urlpool_code code = urlp_wait_readable(fd, &step, URLPOOL_E_WRITE_TIMEOUT, &why);

        if (code == URLPOOL_OK) {
            return URLPOOL_OK;
        }
        /* Only the end of a step is gone on from, however late that was noticed. */
        if (code != URLPOOL_E_WRITE_TIMEOUT || step.by.at_ns == connection->turn.call.by.at_ns) {
            why.phase = URLPOOL_PHASE_SEND;
            return urlp_fail_with(err, &why);
        }
        code = urlp_turn_listen(connection, err);
        if (code != URLPOOL_OK) {
            return code;
        }
    }
    return URLPOOL_OK;
}

/* read_piece reads up to `len` bytes; `*out_len` is 0 at the end and when the turn is over. */
static enum urlpool_code read_piece(struct urlpool_connection *connection, int fd, void *data,
                                    size_t len, size_t *out_len,
                                    struct urlpool_error *err) URLP_MAY_BLOCK
{
    ssize_t got = -1;

    *out_len = 0;
    while (got < 0) {
        enum urlpool_code code = await(connection, fd, err);

        if (code != URLPOOL_OK || urlp_turn_is_over(connection)) {
            return code;
        }
        got = read(fd, data, len);
        if (got < 0 && errno != EINTR && errno != EAGAIN) {
            return urlp_fail_errno(err, URLPOOL_E_BODY, URLPOOL_PHASE_SEND, errno,
                                   "reading the request body from descriptor %d", fd);
        }
    }
    *out_len = (size_t)got;
    return URLPOOL_OK;
}

/* read_exact_piece is read_piece for a body of which `left` bytes are to come, and not one more. */
static enum urlpool_code read_exact_piece(struct urlpool_connection *connection, int fd,
                                          uint8_t *data, int64_t left, size_t *out_len,
                                          struct urlpool_error *err) URLP_MAY_BLOCK
{
    size_t want = left < (int64_t)PIECE_BYTES ? (size_t)left : PIECE_BYTES;
    size_t more = 0;
    uint8_t extra;
    enum urlpool_code code = URLPOOL_OK;

    *out_len = 0;
    if (want > 0) {
        code = read_piece(connection, fd, data, want, out_len, err);
        if (code != URLPOOL_OK || urlp_turn_is_over(connection)) {
            return code;
        }
        if (*out_len == 0) {
            return urlp_fail(err, URLPOOL_E_BODY, URLPOOL_PHASE_SEND,
                             "the request body ended %lld bytes before the announced %lld",
                             (long long)left, (long long)connection->turn.body_len);
        }
    }
    if ((int64_t)*out_len < left) {
        return URLPOOL_OK;
    }
    code = read_piece(connection, fd, &extra, 1, &more, err);
    if (code == URLPOOL_OK && more > 0) {
        code = urlp_fail(err, URLPOOL_E_BODY, URLPOOL_PHASE_SEND,
                         "the request body is longer than the announced %lld bytes",
                         (long long)connection->turn.body_len);
    }
    return code;
}

/* put_exact sends a descriptor's bytes behind a Content-Length. */
static enum urlpool_code put_exact(struct urlpool_connection *connection, int fd, uint8_t *piece,
                                   struct urlpool_error *err) URLP_MAY_BLOCK
{
    int64_t left = connection->turn.body_len;

    do {
        struct urlp_iovec run = {piece, 0};
        enum urlpool_code code = read_exact_piece(connection, fd, piece, left, &run.len, err);

        if (code == URLPOOL_OK) {
            code = urlp_turn_put(connection, &run, 1, err);
        }
        if (code != URLPOOL_OK) {
            return code;
        }
        left -= (int64_t)run.len;
    } while (left > 0 && !urlp_turn_is_over(connection));
    return URLPOOL_OK;
}

/* put_chunk sends one chunk, and the last chunk behind it if it is_last; `len` may be 0 then. */
static enum urlpool_code put_chunk(struct urlpool_connection *connection, const void *data,
                                   size_t len, bool is_last,
                                   struct urlpool_error *err) URLP_MAY_BLOCK
{
    char prefix[URLP_H1_CHUNK_PREFIX_MAX];
    struct urlp_iovec runs[URLP_TURN_RUNS_MAX];
    size_t num = 0;

    if (len > 0) {
        runs[num++] = (struct urlp_iovec){prefix, urlp_h1_chunk_prefix(prefix, len)};
        runs[num++] = (struct urlp_iovec){data, len};
        runs[num++] = (struct urlp_iovec){"\r\n", 2};
    }
    if (is_last) {
        runs[num++] = (struct urlp_iovec){urlp_h1_last_chunk, sizeof(urlp_h1_last_chunk)};
    }
    return urlp_turn_put(connection, runs, num, err);
}

/* put_chunks sends a descriptor's bytes as they come. The head goes first, alone: a pipe may take
 * its time. */
static enum urlpool_code put_chunks(struct urlpool_connection *connection, int fd, uint8_t *piece,
                                    struct urlpool_error *err) URLP_MAY_BLOCK
{
    size_t len = 1;
    enum urlpool_code code = urlp_turn_put(connection, NULL, 0, err);

    while (code == URLPOOL_OK && len > 0 && !urlp_turn_is_over(connection)) {
        code = read_piece(connection, fd, piece, PIECE_BYTES, &len, err);
        if (code == URLPOOL_OK) {
            code = put_chunk(connection, piece, len, len == 0, err);
        }
    }
    return code;
}

/* put_fd sends a descriptor's bytes, framed as the head said. */
static enum urlpool_code put_fd(struct urlpool_connection *connection, int fd,
                                struct urlpool_error *err) URLP_MAY_BLOCK
{
    uint8_t *piece = urlp_alloc(PIECE_BYTES);
    enum urlpool_code code;

    if (piece == NULL) {
        return urlp_fail_nomem(err);
    }
    if (connection->turn.body_len < 0) {
        code = put_chunks(connection, fd, piece, err);
    } else {
        code = put_exact(connection, fd, piece, err);
    }
    urlp_free(piece);
    return code;
}

/* put_bytes sends bytes in memory, framed as the head said. */
static enum urlpool_code put_bytes(struct urlpool_connection *connection, const void *data,
                                   size_t len, struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_iovec run = {data, len};

    if (connection->turn.body_len < 0) {
        return put_chunk(connection, data, len, true, err);
    }
    if ((int64_t)len != connection->turn.body_len) {
        return urlp_fail(err, URLPOOL_E_BODY, URLPOOL_PHASE_SEND,
                         "the request body has %zu bytes and Content-Length says %lld", len,
                         (long long)connection->turn.body_len);
    }
    return urlp_turn_put(connection, &run, 1, err);
}

enum urlpool_code urlp_turn_put_body(struct urlpool_connection *connection,
                                     struct urlp_body_plan *plan, struct urlpool_error *err)
{
    if (plan == NULL || !plan->has_body) {
        return put_bytes(connection, NULL, 0, err);
    }
    plan->is_begun = true;
    if (plan->one.kind == URLP_SEGMENT_FD) {
        return put_fd(connection, plan->one.fd, err);
    }
    return put_bytes(connection, plan->one.bytes.data, plan->one.bytes.len, err);
}
