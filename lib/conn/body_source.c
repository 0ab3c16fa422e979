/* Where the bytes of a request body come from, one run after the other.
 *
 * Invariants: `taken` and `left` have moved past everything that was given out. Where a length was
 * announced, the segment that brings its last byte has been asked for one more before that byte is
 * given out, so that a body which is not what was announced never looks whole to the server.
 * Regular files are read at offsets of ours; descriptors are moved once, at the end. Knows no
 * framing. */

#include "conn/body_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/park.h"
#include "conn/turn.h"
#include "conn/wire.h"

/* How often an early answer is looked for while a pipe has nothing. */
#define LISTEN_MS 100

/* Bytes in memory from here on are not worth gathering. */
#define LEND_BYTES_MIN ((int64_t)16 * 1024)

/* The end of a file is read even where the rest was not, to see that it is the end, and to leave
 * together with what follows. */
#define FILE_TAIL_BYTES 4096

void urlp_body_source_begin(struct urlp_body_source *source, struct urlp_body_plan *plan,
                            int64_t left)
{
    *source = (struct urlp_body_source){.plan = plan, .left = left, .fd = -1};
}

static bool is_at_end(const struct urlp_body_source *source)
{
    return source->plan == NULL || source->index == source->plan->num_segments;
}

static const struct urlp_segment *in_hand(const struct urlp_body_source *source)
{
    return &source->plan->segments[source->index];
}

static int fd_of(const struct urlp_body_source *source)
{
    const struct urlp_segment *segment = in_hand(source);

    return segment->kind == URLP_SEGMENT_FILE ? source->fd : segment->fd;
}

/* leave_segment gives back what the segment in hand needed. */
static void leave_segment(struct urlp_body_source *source)
{
    const struct urlp_segment *segment = in_hand(source);

    if (segment->kind == URLP_SEGMENT_FD && segment->is_regular && source->taken > 0) {
        /* Nothing is lost where it fails: the bytes were taken all the same. */
        (void)lseek(segment->fd, (off_t)(segment->start + source->taken), SEEK_SET);
    }
    if (source->fd >= 0) {
        (void)close(source->fd);
        source->fd = -1;
    }
}

static void next_segment(struct urlp_body_source *source)
{
    leave_segment(source);
    source->index++;
    source->taken = 0;
    source->no_file = false;
}

void urlp_body_source_end(struct urlp_body_source *source)
{
    if (!is_at_end(source)) {
        leave_segment(source);
    }
    urlp_free(source->piece);
    source->piece = NULL;
}

/* count moves past `len` bytes of the segment in hand. */
static void count(struct urlp_body_source *source, int64_t len)
{
    source->taken += len;
    if (source->left >= 0) {
        source->left -= len;
    }
}

/* exact_len is how many bytes the segment in hand has to have, -1 when any number will do: where no
 * length was announced to the server, only a callback was given one to keep. */
static int64_t exact_len(const struct urlp_body_source *source)
{
    const struct urlp_segment *segment = in_hand(source);
    bool is_file = segment->kind == URLP_SEGMENT_FD || segment->kind == URLP_SEGMENT_FILE;

    return source->left < 0 && is_file ? -1 : segment->len;
}

/* bound is how many bytes may still come from the segment in hand, -1 when there is no bound. */
static int64_t bound(const struct urlp_body_source *source)
{
    int64_t exact = exact_len(source);

    if (exact < 0) {
        return source->left;
    }
    exact -= source->taken;
    return source->left >= 0 && source->left < exact ? source->left : exact;
}

/* struct name is how a segment is called in messages. */
struct name {
    char text[sizeof(struct urlp_quoted) + 16];
};

static struct name name_of(const struct urlp_segment *segment)
{
    struct name name = {"memory"};

    if (segment->kind == URLP_SEGMENT_FD) {
        (void)snprintf(name.text, sizeof(name.text), "descriptor %d", segment->fd);
    } else if (segment->kind == URLP_SEGMENT_FILE) {
        (void)snprintf(name.text, sizeof(name.text), "file \"%s\"",
                       urlp_quote(segment->path, strlen(segment->path)).text);
    } else if (segment->kind == URLP_SEGMENT_CALLBACK) {
        (void)snprintf(name.text, sizeof(name.text), "a callback");
    }
    return name;
}

static enum urlpool_code fail_short(const struct urlp_segment *segment, int64_t missing,
                                    struct urlpool_error *err)
{
    return urlp_fail(err, URLPOOL_E_BODY, URLPOOL_PHASE_SEND,
                     "the request body from %s ended %lld bytes before its announced %lld",
                     name_of(segment).text, (long long)missing, (long long)segment->len);
}

static enum urlpool_code fail_long(const struct urlp_body_source *source, struct urlpool_error *err)
{
    const struct urlp_segment *segment = in_hand(source);

    if (segment->len >= 0) {
        return urlp_fail(err, URLPOOL_E_BODY, URLPOOL_PHASE_SEND,
                         "the request body from %s is longer than its announced %lld bytes",
                         name_of(segment).text, (long long)segment->len);
    }
    return urlp_fail(err, URLPOOL_E_BODY, URLPOOL_PHASE_SEND,
                     "the request body from %s is longer than Content-Length says",
                     name_of(segment).text);
}

static enum urlpool_code fail_read(const struct urlp_segment *segment, int os_errno,
                                   struct urlpool_error *err)
{
    return urlp_fail_errno(err, URLPOOL_E_BODY, URLPOOL_PHASE_SEND, os_errno,
                           "reading the request body from %s", name_of(segment).text);
}

/* open_segment makes the segment in hand ready to be read. What is no regular file is opened so
 * that it does not wait for whoever is to write. */
static enum urlpool_code open_segment(struct urlp_body_source *source, struct urlpool_error *err)
{
    const struct urlp_segment *segment = in_hand(source);
    const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | (segment->is_regular ? 0 : O_NONBLOCK);

    if (segment->kind != URLP_SEGMENT_FILE || source->fd >= 0) {
        return URLPOOL_OK;
    }
    do {
        source->fd = open(segment->path, flags);
    } while (source->fd < 0 && errno == EINTR);
    return source->fd >= 0 ? URLPOOL_OK : fail_read(segment, errno, err);
}

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

/* read_pipe reads what a descriptor gives that cannot be read at an offset. */
static enum urlpool_code read_pipe(struct urlp_body_source *source,
                                   struct urlpool_connection *connection, void *data, size_t len,
                                   size_t *out_len, struct urlpool_error *err) URLP_MAY_BLOCK
{
    const int fd = fd_of(source);
    ssize_t got = -1;

    while (got < 0) {
        enum urlpool_code code = await(connection, fd, err);

        if (code != URLPOOL_OK || urlp_turn_is_over(connection)) {
            return code;
        }
        source->plan->is_begun = true;
        got = read(fd, data, len);
        if (got < 0 && errno != EINTR && errno != EAGAIN) {
            return fail_read(in_hand(source), errno, err);
        }
    }
    *out_len = (size_t)got;
    return URLPOOL_OK;
}

/* read_file reads a regular file. */
static enum urlpool_code read_file(const struct urlp_body_source *source, void *data, size_t len,
                                   size_t *out_len, struct urlpool_error *err)
{
    const struct urlp_segment *segment = in_hand(source);
    ssize_t got;

    do {
        got = pread(fd_of(source), data, len, (off_t)(segment->start + source->taken));
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return fail_read(segment, errno, err);
    }
    *out_len = (size_t)got;
    return URLPOOL_OK;
}

/* ask_callback lets the caller's function give bytes. */
static enum urlpool_code ask_callback(const struct urlp_body_source *source,
                                      struct urlpool_connection *connection, void *data, size_t len,
                                      size_t *out_len, struct urlpool_error *err) URLP_MAY_BLOCK
{
    const struct urlpool_body *body = &source->plan->body;
    struct urlpool_error why = {.code = URLPOOL_OK};
    size_t got = 0;
    enum urlpool_code code = urlp_turn_listen(connection, err);

    if (code != URLPOOL_OK || urlp_turn_is_over(connection)) {
        return code;
    }
    urlp_assert_no_lock("the callback of a request body");
    source->plan->is_begun = true;
    code = body->read(body->user, data, len, &got, &why);
    if (code != URLPOOL_OK) {
        why.code = code;
        return urlp_body_fail_callback(err, code == URLPOOL_E_CANCELLED ? code : URLPOOL_E_BODY,
                                       &why);
    }
    if (got > len) {
        return urlp_fail(err, URLPOOL_E_BODY, URLPOOL_PHASE_SEND,
                         "the callback of the request body gave %zu bytes, and there was room for "
                         "%zu",
                         got, len);
    }
    *out_len = got;
    return URLPOOL_OK;
}

/* read_segment takes up to `len` bytes of the segment in hand; none at its end, and when the turn
 * is over. */
static enum urlpool_code read_segment(struct urlp_body_source *source,
                                      struct urlpool_connection *connection, void *data, size_t len,
                                      size_t *out_len, struct urlpool_error *err) URLP_MAY_BLOCK
{
    const struct urlp_segment *segment = in_hand(source);
    size_t left;

    *out_len = 0;
    if (segment->kind == URLP_SEGMENT_BYTES) {
        left = segment->bytes.len - (size_t)source->taken;
        *out_len = left < len ? left : len;
        if (*out_len > 0) {
            memcpy(data, segment->bytes.data + source->taken, *out_len);
        }
        return URLPOOL_OK;
    }
    if (segment->is_regular) {
        return read_file(source, data, len, out_len, err);
    }
    if (segment->kind == URLP_SEGMENT_CALLBACK) {
        return ask_callback(source, connection, data, len, out_len, err);
    }
    return read_pipe(source, connection, data, len, out_len, err);
}

/* end_segment goes on to the next segment, unless the one in hand has a byte too many. */
static enum urlpool_code end_segment(struct urlp_body_source *source,
                                     struct urlpool_connection *connection,
                                     struct urlpool_error *err) URLP_MAY_BLOCK
{
    uint8_t extra;
    size_t more = 0;
    enum urlpool_code code = read_segment(source, connection, &extra, 1, &more, err);

    if (code != URLPOOL_OK || urlp_turn_is_over(connection)) {
        return code;
    }
    if (more > 0) {
        return fail_long(source, err);
    }
    next_segment(source);
    return URLPOOL_OK;
}

/* take gathers bytes of the segment in hand behind the `*len` in the piece, once. */
static enum urlpool_code take(struct urlp_body_source *source,
                              struct urlpool_connection *connection, size_t *len,
                              struct urlpool_error *err) URLP_MAY_BLOCK
{
    const struct urlp_segment *segment = in_hand(source);
    size_t room = URLP_BODY_PIECE_BYTES - *len;
    int64_t most = bound(source);
    size_t got = 0;
    enum urlpool_code code;

    if (source->piece == NULL) {
        source->piece = urlp_alloc(URLP_BODY_PIECE_BYTES);
    }
    if (source->piece == NULL) {
        return urlp_fail_nomem(err);
    }
    code = open_segment(source, err);
    if (code != URLPOOL_OK || most == 0) {
        return code == URLPOOL_OK ? end_segment(source, connection, err) : code;
    }
    room = most > 0 && most < (int64_t)room ? (size_t)most : room;
    code = read_segment(source, connection, source->piece + *len, room, &got, err);
    if (code != URLPOOL_OK || urlp_turn_is_over(connection)) {
        return code;
    }
    if (got == 0 && exact_len(source) > source->taken) {
        return fail_short(segment, segment->len - source->taken, err);
    }
    if (got == 0) {
        next_segment(source);
        return URLPOOL_OK;
    }
    count(source, (int64_t)got);
    *len += got;
    return most == (int64_t)got ? end_segment(source, connection, err) : URLPOOL_OK;
}

/* may_take_its_time says whether the segment in hand has to be waited for. */
static bool may_take_its_time(const struct urlp_body_source *source)
{
    const struct urlp_segment *segment = in_hand(source);

    return segment->kind != URLP_SEGMENT_BYTES && !segment->is_regular && bound(source) != 0;
}

/* is_lent says whether bytes in memory are to be sent from where they are. */
static bool is_lent(const struct urlp_body_source *source, size_t gathered)
{
    const struct urlp_segment *segment = in_hand(source);

    return segment->kind == URLP_SEGMENT_BYTES && source->taken == 0 &&
           (segment->len >= LEND_BYTES_MIN ||
            (gathered == 0 && source->index + 1 == source->plan->num_segments));
}

/* lend gives all the bytes of the segment in hand as they lie. */
static enum urlpool_code lend(struct urlp_body_source *source, struct urlp_body_run *out,
                              struct urlpool_error *err)
{
    const struct urlp_segment *segment = in_hand(source);

    if (source->left >= 0 && segment->len > source->left) {
        return fail_long(source, err);
    }
    out->data = segment->bytes.data;
    out->len = segment->bytes.len;
    count(source, segment->len);
    next_segment(source);
    return URLPOOL_OK;
}

/* is_sent_as_file says whether the segment in hand can go from the file to the socket: where its
 * length was announced, and is worth it. */
static bool is_sent_as_file(const struct urlp_body_source *source,
                            const struct urlpool_connection *connection)
{
    return in_hand(source)->is_regular && source->left >= 0 && !source->no_file &&
           bound(source) > (int64_t)URLP_BODY_PIECE_BYTES &&
           urlp_stream_can_send_file(connection->stream);
}

static enum urlpool_code point_at_file(struct urlp_body_source *source, struct urlp_body_run *out,
                                       struct urlpool_error *err)
{
    enum urlpool_code code = open_segment(source, err);

    if (code == URLPOOL_OK) {
        out->fd = fd_of(source);
        out->at = in_hand(source)->start + source->taken;
        out->file_len = bound(source) - FILE_TAIL_BYTES;
    }
    return code;
}

void urlp_body_source_sent(struct urlp_body_source *source, const struct urlp_body_run *run,
                           int64_t sent)
{
    count(source, sent);
    source->no_file = sent < run->file_len;
}

/* gather fills the piece, up to what goes by another way or has to be waited for. */
static enum urlpool_code gather(struct urlp_body_source *source,
                                struct urlpool_connection *connection, size_t *len,
                                struct urlpool_error *err) URLP_MAY_BLOCK
{
    while (*len < URLP_BODY_PIECE_BYTES && !is_at_end(source) && !urlp_turn_is_over(connection)) {
        bool is_slow = may_take_its_time(source);
        enum urlpool_code code;

        if ((is_slow && (*len > 0 || connection->out.len > 0)) || is_lent(source, *len) ||
            is_sent_as_file(source, connection)) {
            return URLPOOL_OK;
        }
        code = take(source, connection, len, err);
        if (code != URLPOOL_OK || is_slow) {
            return code;
        }
    }
    return URLPOOL_OK;
}

enum urlpool_code urlp_body_source_next(struct urlp_body_source *source,
                                        struct urlpool_connection *connection,
                                        struct urlp_body_run *out, struct urlpool_error *err)
{
    size_t len = 0;
    enum urlpool_code code = gather(source, connection, &len, err);

    *out = (struct urlp_body_run){.data = source->piece, .len = len, .fd = -1};
    if (code == URLPOOL_OK && len == 0 && !is_at_end(source)) {
        if (is_lent(source, 0)) {
            code = lend(source, out, err);
        } else if (connection->out.len == 0 && is_sent_as_file(source, connection)) {
            code = point_at_file(source, out, err);
        }
    }
    if (code != URLPOOL_OK || urlp_turn_is_over(connection)) {
        return code;
    }
    out->is_last = is_at_end(source);
    if (out->is_last && source->left > 0) {
        return urlp_fail(err, URLPOOL_E_BODY, URLPOOL_PHASE_SEND,
                         "the request body ended %lld bytes before what Content-Length says",
                         (long long)source->left);
    }
    return URLPOOL_OK;
}
