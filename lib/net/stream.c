/* What every stream has in common: the calls go to its operations, after the checks that hold for
 * all of them. It knows no transport. */

#include "net/stream.h"

#include "base/error.h"

enum urlpool_code urlp_stream_read(struct urlp_stream *stream, void *data, size_t len,
                                   size_t *out_len, enum urlp_end *out_end,
                                   const struct urlp_call *call, struct urlpool_error *err)
{
    urlp_assert_no_lock(__func__);
    if (len == 0) {
        /* Zero bytes read would be taken for the end of the stream. */
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_BODY, "read into 0 bytes");
    }
    return stream->ops->read(stream, data, len, out_len, out_end, call, err);
}

enum urlpool_code urlp_stream_write(struct urlp_stream *stream, const struct urlp_iovec *runs,
                                    size_t num_runs, size_t *out_written,
                                    const struct urlp_call *call, struct urlpool_error *err)
{
    urlp_assert_no_lock(__func__);
    while (num_runs > 0 && runs->len == 0) {
        runs++;
        num_runs--;
    }
    if (num_runs == 0) {
        *out_written = 0;
        return URLPOOL_OK;
    }
    return stream->ops->write(stream, runs, num_runs, out_written, call, err);
}

bool urlp_stream_can_send_file(const struct urlp_stream *stream)
{
    return stream->ops->send_file != NULL;
}

enum urlpool_code urlp_stream_send_file(struct urlp_stream *stream, int fd, int64_t at, size_t len,
                                        size_t *out_sent, const struct urlp_call *call,
                                        struct urlpool_error *err)
{
    urlp_assert_no_lock(__func__);
    *out_sent = 0;
    if (stream->ops->send_file == NULL) {
        return URLPOOL_OK;
    }
    return stream->ops->send_file(stream, fd, at, len, out_sent, call, err);
}

enum urlp_idle_state urlp_stream_idle_state(struct urlp_stream *stream)
{
    return stream->ops->idle_state(stream);
}

void urlp_stream_free(struct urlp_stream *stream, enum urlp_close how)
{
    if (stream != NULL) {
        stream->ops->free(stream, how);
    }
}
