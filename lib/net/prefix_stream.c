/* A stream that gives out bytes read too early before those of the stream below: what came behind
 * the answer to CONNECT in the same packet. Everything but reading goes straight through. */

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "net/tcp.h"

struct prefix_stream {
    struct urlp_stream stream; /* first, so that the one casts to the other */
    struct urlp_stream *inner;
    size_t taken;
    size_t len;
    unsigned char data[];
};

static enum urlpool_code prefix_read(struct urlp_stream *stream, void *data, size_t len,
                                     size_t *out_len, enum urlp_end *out_end,
                                     const struct urlp_call *call,
                                     struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct prefix_stream *prefix = (struct prefix_stream *)stream;
    size_t left = prefix->len - prefix->taken;

    if (left == 0) {
        return urlp_stream_read(prefix->inner, data, len, out_len, out_end, call, err);
    }
    if (len > left) {
        len = left;
    }
    memcpy(data, prefix->data + prefix->taken, len);
    prefix->taken += len;
    *out_len = len;
    *out_end = URLP_END_NONE;
    return URLPOOL_OK;
}

static enum urlpool_code prefix_write(struct urlp_stream *stream, const struct urlp_iovec *runs,
                                      size_t num_runs, size_t *out_written,
                                      const struct urlp_call *call,
                                      struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct prefix_stream *prefix = (struct prefix_stream *)stream;

    return urlp_stream_write(prefix->inner, runs, num_runs, out_written, call, err);
}

static enum urlp_idle_state prefix_idle_state(struct urlp_stream *stream)
{
    struct prefix_stream *prefix = (struct prefix_stream *)stream;

    if (prefix->taken < prefix->len) {
        return URLP_IDLE_UNEXPECTED;
    }
    return urlp_stream_idle_state(prefix->inner);
}

static struct urlp_stream *prefix_below(const struct urlp_stream *stream)
{
    return ((const struct prefix_stream *)stream)->inner;
}

static void prefix_free(struct urlp_stream *stream, enum urlp_close how)
{
    struct prefix_stream *prefix = (struct prefix_stream *)stream;

    urlp_stream_free(prefix->inner, how);
    urlp_free(prefix);
}

static const struct urlp_stream_ops prefix_ops = {
    .name = "prefix",
    .read = prefix_read,
    .write = prefix_write,
    .idle_state = prefix_idle_state,
    .below = prefix_below,
    .free = prefix_free,
};

struct urlp_stream *urlp_prefix_wrap(struct urlp_stream *inner, const void *data, size_t len,
                                     struct urlpool_error *err)
{
    struct prefix_stream *prefix;

    if (len > SIZE_MAX - sizeof(*prefix) || (prefix = urlp_alloc(sizeof(*prefix) + len)) == NULL) {
        (void)urlp_fail_nomem(err);
        return NULL;
    }
    prefix->stream.ops = &prefix_ops;
    prefix->inner = inner;
    prefix->taken = 0;
    prefix->len = len;
    if (len > 0) {
        memcpy(prefix->data, data, len);
    }
    return &prefix->stream;
}
