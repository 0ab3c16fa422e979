/* The stream of peer.h. */

#include "fuzz/peer.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"

#define WRITTEN_BYTES_MAX 65536

static enum urlpool_code at_end(const struct fuzz_peer *peer, size_t *out_len,
                                enum urlp_end *out_end, const struct urlp_call *call,
                                struct urlpool_error *err)
{
    *out_len = 0;
    switch (peer->ending) {
    case FUZZ_ENDS:
        *out_end = URLP_END_CLEAN;
        return URLPOOL_OK;
    case FUZZ_ENDS_RAGGED:
        *out_end = URLP_END_RAGGED;
        return URLPOOL_OK;
    case FUZZ_RESETS:
        return urlp_fail_errno(err, URLPOOL_E_RESET, URLPOOL_PHASE_BODY, ECONNRESET, "reading");
    default:
        return urlp_fail(err, urlp_call_timeout_code(call, URLPOOL_E_READ_TIMEOUT),
                         URLPOOL_PHASE_BODY, "nothing has come");
    }
}

static enum urlpool_code say(struct urlp_stream *stream, void *data, size_t len, size_t *out_len,
                             enum urlp_end *out_end, const struct urlp_call *call,
                             struct urlpool_error *err)
{
    struct fuzz_peer *peer = (struct fuzz_peer *)stream;
    const size_t piece = peer->at == 0 ? peer->first : peer->step;
    size_t most = peer->len - peer->at;

    if (most == 0) {
        return at_end(peer, out_len, out_end, call, err);
    }
    most = piece > 0 && piece < most ? piece : most;
    most = len < most ? len : most;
    memcpy(data, peer->data + peer->at, most);
    peer->at += most;
    *out_len = most;
    *out_end = URLP_END_NONE;
    return URLPOOL_OK;
}

static enum urlpool_code listen_to(struct urlp_stream *stream, const struct urlp_iovec *runs,
                                   size_t num_runs, size_t *out_written,
                                   const struct urlp_call *call, struct urlpool_error *err)
{
    struct fuzz_peer *peer = (struct fuzz_peer *)stream;

    (void)call;
    peer->written.max = WRITTEN_BYTES_MAX;
    if (peer->due != NULL) {
        peer->data = peer->due;
        peer->len = peer->due_len;
        peer->at = 0;
        peer->due = NULL;
    }
    *out_written = 0;
    for (size_t i = 0; i < num_runs; i++) {
        if (urlp_buf_append(&peer->written, runs[i].data, runs[i].len) == URLPOOL_E_NOMEM) {
            return urlp_fail_nomem(err);
        }
        *out_written += runs[i].len;
    }
    return URLPOOL_OK;
}

static enum urlp_idle_state idle_state(struct urlp_stream *stream)
{
    const struct fuzz_peer *peer = (const struct fuzz_peer *)stream;

    if (peer->at < peer->len) {
        return URLP_IDLE_UNEXPECTED;
    }
    return peer->ending == FUZZ_WAITS ? URLP_IDLE_QUIET : URLP_IDLE_CLOSED;
}

static struct urlp_stream *below(const struct urlp_stream *stream)
{
    (void)stream;
    return NULL;
}

static void note_free(struct urlp_stream *stream, enum urlp_close how)
{
    (void)how;
    ((struct fuzz_peer *)stream)->is_freed = true;
}

static const struct urlp_stream_ops peer_ops = {
    .name = "fuzz",
    .read = say,
    .write = listen_to,
    .idle_state = idle_state,
    .below = below,
    .free = note_free,
};

struct urlp_stream *fuzz_peer_open(struct fuzz_peer *peer)
{
    peer->base.ops = &peer_ops;
    return &peer->base;
}

struct urlp_call fuzz_call(void)
{
    return (struct urlp_call){.by = {INT64_MAX - 1}, .total_by = URLP_NEVER};
}
