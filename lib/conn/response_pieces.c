/* A streamed body in pieces that mean something: what is there, lines, the chunks it was sent in;
 * and how far it has come.
 *
 * Lines are looked for in bytes that are shown and not yet taken, so that reading in any other way
 * can go on behind them. */

#include <string.h>

#include "base/count.h"
#include "base/error.h"
#include "conn/body_reader.h"

static struct urlp_answer *answer_of(struct urlpool_response *response)
{
    return (struct urlp_answer *)(void *)response;
}

static const struct urlp_answer *const_answer_of(const struct urlpool_response *response)
{
    return (const struct urlp_answer *)(const void *)response;
}

/* check_streamed refuses to read what is in memory already. */
static enum urlpool_code check_streamed(const struct urlpool_response *response,
                                        struct urlpool_error *err)
{
    if (response->data != NULL) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                         "the body is in data and cannot be read again");
    }
    return URLPOOL_OK;
}

enum urlpool_code urlpool_response_peek(struct urlpool_response *response, const uint8_t **out_data,
                                        size_t *out_len, struct urlpool_error *err) URLP_MAY_BLOCK
{
    const uint8_t *data = NULL;
    size_t len = 0;
    enum urlpool_code code;

    if (response == NULL || out_data == NULL || out_len == NULL) {
        return urlp_fail_null(err);
    }
    code = check_streamed(response, err);
    if (code == URLPOOL_OK) {
        code = urlp_body_peek(answer_of(response), &data, &len, err);
    }
    if (code == URLPOOL_OK) {
        *out_data = data;
        *out_len = len;
    }
    return code;
}

/* fail_line ends the body whose line does not fit. */
static enum urlpool_code fail_line(struct urlp_answer *answer, size_t size,
                                   struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlpool_error why;

    (void)urlp_fail(&why, URLPOOL_E_LINE_TOO_LONG, URLPOOL_PHASE_BODY,
                    "a line of the body is longer than %zu bytes", size - 1);
    answer->ahead_at = answer->ahead.len;
    return urlp_body_fail(answer, &why, err);
}

/* take_line copies up to the next LF, which is taken and not copied. `*out_has_end` false: the body
 * ended first. */
static enum urlpool_code take_line(struct urlp_answer *answer, char *buf, size_t size,
                                   size_t *out_len, bool *out_has_end,
                                   struct urlpool_error *err) URLP_MAY_BLOCK
{
    *out_len = 0;
    *out_has_end = false;
    while (!*out_has_end) {
        const uint8_t *data = NULL;
        const uint8_t *end = NULL;
        size_t len = 0;
        enum urlpool_code code = urlp_body_peek(answer, &data, &len, err);

        if (code != URLPOOL_OK || len == 0) {
            return code;
        }
        end = memchr(data, '\n', len);
        len = end == NULL ? len : (size_t)(end - data);
        if (len >= size - *out_len) {
            return fail_line(answer, size, err);
        }
        memcpy(buf + *out_len, data, len);
        *out_len += len;
        *out_has_end = end != NULL;
        urlp_body_skip(answer, end == NULL ? len : len + 1);
    }
    return URLPOOL_OK;
}

enum urlpool_code urlpool_response_read_line(struct urlpool_response *response, char *buf,
                                             size_t size, size_t *out_len, bool *out_at_end,
                                             struct urlpool_error *err) URLP_MAY_BLOCK
{
    size_t len = 0;
    bool has_end = false;
    enum urlpool_code code;

    if (response == NULL || buf == NULL || out_len == NULL || out_at_end == NULL) {
        return urlp_fail_null(err);
    }
    if (size == 0) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "size is 0");
    }
    code = check_streamed(response, err);
    if (code == URLPOOL_OK) {
        code = take_line(answer_of(response), buf, size, &len, &has_end, err);
    }
    if (code != URLPOOL_OK) {
        return code;
    }
    *out_at_end = !has_end && len == 0;
    if (has_end && len > 0 && buf[len - 1] == '\r') {
        len--;
    }
    buf[len] = '\0';
    *out_len = len;
    return URLPOOL_OK;
}

/* check_chunks refuses to give chunks where there are none, or no more as they were sent. */
static enum urlpool_code check_chunks(const struct urlpool_response *response,
                                      struct urlpool_error *err)
{
    const struct urlp_answer *answer = const_answer_of(response);
    enum urlpool_code code = check_streamed(response, err);

    if (code != URLPOOL_OK) {
        return code;
    }
    if (answer->body_kind != URLP_H1_BODY_CHUNKED) {
        return urlp_fail(err, URLPOOL_E_NOT_CHUNKED, URLPOOL_PHASE_NONE,
                         "the body was not sent in chunks");
    }
    if (answer->decoder != NULL) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                         "a part of the body was decoded already");
    }
    return URLPOOL_OK;
}

enum urlpool_code urlpool_response_read_chunk(struct urlpool_response *response, void *buf,
                                              size_t len, size_t *out_len, bool *out_chunk_ends,
                                              struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_answer *answer = answer_of(response);
    const uint8_t *data = NULL;
    size_t most = 0;
    bool ends = false;
    enum urlpool_code code;

    if (response == NULL || buf == NULL || out_len == NULL || out_chunk_ends == NULL) {
        return urlp_fail_null(err);
    }
    if (len == 0) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "len is 0");
    }
    code = check_chunks(response, err);
    if (code != URLPOOL_OK) {
        return code;
    }
    answer->is_decoder_made = true; /* there is none: from now on bytes are given as sent */
    code = urlp_body_peek(answer, &data, &most, err);
    if (code != URLPOOL_OK) {
        return code;
    }
    if (most > 0) {
        /* Pending bytes are of one chunk, and the codec has not looked behind them. */
        ends = most <= len && urlp_h1_direct_len(answer->connection->codec) == 0;
        most = most < len ? most : len;
        memcpy(buf, data, most);
        urlp_body_skip(answer, most);
    }
    *out_len = most;
    *out_chunk_ends = ends;
    return URLPOOL_OK;
}

int64_t urlpool_response_tell(const struct urlpool_response *response)
{
    const struct urlp_answer *answer = const_answer_of(response);

    return response == NULL ? 0 : answer->body_bytes - (int64_t)answer->pending_len;
}

int64_t urlpool_response_length_remaining(const struct urlpool_response *response)
{
    const struct urlp_answer *answer = const_answer_of(response);
    int64_t left = 0;

    if (response == NULL || answer->state == URLP_BODY_WHOLE) {
        return 0;
    }
    if (answer->state != URLP_BODY_OPEN) {
        return -1;
    }
    left = urlp_h1_length_remaining(answer->connection->codec);
    return left < 0 ? -1 : left + (int64_t)answer->pending_len;
}

bool urlpool_response_is_closed(const struct urlpool_response *response)
{
    return response == NULL || const_answer_of(response)->state != URLP_BODY_OPEN;
}

const char *urlpool_response_redirect_location(const struct urlpool_response *response)
{
    static const int statuses[] = {301, 302, 303, 307, 308};
    size_t i;

    for (i = 0; response != NULL && i < URLP_COUNT_OF(statuses); i++) {
        if (response->status == statuses[i]) {
            return urlpool_response_header(response, "Location");
        }
    }
    return NULL;
}
