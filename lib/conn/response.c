/* What a caller does with a response: read it in one of four ways, drain it, close it, free it.
 *
 * The whole body is held in memory that grows with the bytes that came, never with the length that
 * was announced; a small body of known length lies in the block of the response itself. */

#include "conn/response.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "conn/body_reader.h"

/* A piece given to a sink. */
#define PIECE_BYTES ((size_t)64 * 1024)

/* What a drain reads at most. */
#define DRAIN_BYTES_MAX ((int64_t)64 * 1024)
#define DRAIN_MS        50

/* The first memory of a body that does not fit into the block. */
#define DATA_BYTES_FIRST ((size_t)16 * 1024)

static struct urlp_answer *answer_of(struct urlpool_response *response)
{
    return (struct urlp_answer *)(void *)response;
}

/* check_unread refuses to read what is in memory already. */
static enum urlpool_code check_unread(const struct urlpool_response *response,
                                      struct urlpool_error *err)
{
    if (response->data != NULL) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                         "the body is in data and cannot be read again");
    }
    return URLPOOL_OK;
}

enum urlpool_code urlpool_response_read(struct urlpool_response *response, void *buf, size_t len,
                                        size_t *out_len, struct urlpool_error *err) URLP_MAY_BLOCK
{
    enum urlpool_code code;

    if (response == NULL || out_len == NULL || (buf == NULL && len > 0)) {
        return urlp_fail_null(err);
    }
    if (len == 0) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "len is 0");
    }
    code = check_unread(response, err);
    return code == URLPOOL_OK ? urlp_body_read(answer_of(response), buf, len, out_len, err) : code;
}

enum urlpool_code urlpool_response_read_exact(struct urlpool_response *response, void *buf,
                                              size_t len, size_t *out_len,
                                              struct urlpool_error *err) URLP_MAY_BLOCK
{
    size_t total = 0;
    size_t got = 1;
    enum urlpool_code code;

    if (response == NULL || out_len == NULL || (buf == NULL && len > 0)) {
        return urlp_fail_null(err);
    }
    code = check_unread(response, err);
    while (code == URLPOOL_OK && total < len && got > 0) {
        code = urlp_body_read(answer_of(response), (uint8_t *)buf + total, len - total, &got, err);
        total += code == URLPOOL_OK ? got : 0;
    }
    if (code == URLPOOL_OK) {
        *out_len = total;
    }
    return code;
}

enum urlpool_code urlpool_response_stream(struct urlpool_response *response,
                                          urlpool_response_sink_fn sink, void *user,
                                          struct urlpool_error *err) URLP_MAY_BLOCK
{
    uint8_t *piece = NULL;
    size_t got = 1;
    enum urlpool_code code;

    if (response == NULL || sink == NULL) {
        return urlp_fail_null(err);
    }
    code = check_unread(response, err);
    if (code != URLPOOL_OK) {
        return code;
    }
    piece = urlp_alloc(PIECE_BYTES);
    if (piece == NULL) {
        return urlp_fail_nomem(err);
    }
    while (code == URLPOOL_OK && got > 0) {
        code = urlp_body_read(answer_of(response), piece, PIECE_BYTES, &got, err);
        if (code == URLPOOL_OK && got > 0) {
            code = sink(user, piece, got, err);
        }
    }
    urlp_free(piece);
    return code;
}

/* fail_too_large ends the body that would pass data_bytes_max. */
static enum urlpool_code fail_too_large(struct urlp_answer *answer,
                                        struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlpool_error why;

    urlp_fail(&why, URLPOOL_E_DATA_TOO_LARGE, URLPOOL_PHASE_BODY,
              "the body is longer than data_bytes_max, %lld bytes",
              (long long)answer->data_bytes_max);
    return urlp_body_fail(answer, &why, err);
}

/* is_coded says that the body may be longer than what comes off the connection. */
static bool is_coded(const struct urlp_answer *answer)
{
    return !answer->keep_encoded && urlpool_headers_contains(answer->headers, "Content-Encoding");
}

/* known_len is how many bytes the rest of the body has, or -1. */
static int64_t known_len(const struct urlp_answer *answer)
{
    int64_t left = 0;

    if (answer->state != URLP_BODY_OPEN || is_coded(answer)) {
        return -1;
    }
    left = urlp_h1_length_remaining(answer->connection->codec);
    return left < 0 ? -1 : left + (int64_t)answer->pending_len;
}

/* grow makes room behind `data_own`, for the rest of a body and its NUL. With the length known the
 * last growth is exact. */
static enum urlpool_code grow(struct urlp_answer *answer, struct urlpool_error *err)
{
    struct urlp_buf *data = &answer->data_own;
    int64_t left = known_len(answer);
    size_t more = data->len < DATA_BYTES_FIRST ? DATA_BYTES_FIRST : data->len;

    if (left >= 0 && (uint64_t)left < more) {
        more = (size_t)left + 1;
    }
    if (data->cap - data->len > 1) {
        return URLPOOL_OK;
    }
    return urlp_buf_reserve(data, more) == URLPOOL_OK ? URLPOOL_OK : urlp_fail_nomem(err);
}

/* room is how much may be read behind `data_own`: never more than one byte past data_bytes_max. */
static size_t room(const struct urlp_answer *answer)
{
    const struct urlp_buf *data = &answer->data_own;
    size_t free_len = data->cap - data->len - 1;

    if (answer->data_bytes_max >= 0 &&
        (uint64_t)answer->data_bytes_max - data->len < (uint64_t)free_len) {
        return (size_t)answer->data_bytes_max - data->len + 1;
    }
    return free_len;
}

/* read_into_own reads the rest of the body into memory that grows. */
static enum urlpool_code read_into_own(struct urlp_answer *answer,
                                       struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_buf *data = &answer->data_own;
    size_t got = 1;

    while (got > 0) {
        struct urlpool_error why;
        enum urlpool_code code = grow(answer, &why);

        if (code != URLPOOL_OK) {
            return urlp_body_fail(answer, &why, err);
        }
        code = urlp_body_read(answer, data->data + data->len, room(answer), &got, err);
        if (code != URLPOOL_OK) {
            return code;
        }
        data->len += got;
        if (answer->data_bytes_max >= 0 && data->len > (uint64_t)answer->data_bytes_max) {
            return fail_too_large(answer, err);
        }
    }
    data->data[data->len] = '\0';
    answer->pub.data = data->data;
    answer->pub.data_len = data->len;
    return URLPOOL_OK;
}

/* read_into_block reads a small body of known length into the response's own block. */
static enum urlpool_code read_into_block(struct urlp_answer *answer,
                                         struct urlpool_error *err) URLP_MAY_BLOCK
{
    size_t len = 0;
    size_t got = 1;

    while (got > 0 && len + 1 < answer->data_cap) {
        enum urlpool_code code =
            urlp_body_read(answer, answer->data_room + len, answer->data_cap - 1 - len, &got, err);

        if (code != URLPOOL_OK) {
            return code;
        }
        len += got;
    }
    answer->data_room[len] = '\0';
    answer->pub.data = answer->data_room;
    answer->pub.data_len = len;
    return URLPOOL_OK;
}

enum urlpool_code urlpool_response_read_all(struct urlpool_response *response,
                                            struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_answer *answer = answer_of(response);

    if (response == NULL) {
        return urlp_fail_null(err);
    }
    if (response->data != NULL) {
        return URLPOOL_OK; /* it is there */
    }
    if (answer->state == URLP_BODY_WHOLE && !answer->is_decoder_made && answer->body_bytes == 0) {
        response->data = (const uint8_t *)"";
        return URLPOOL_OK;
    }
    if (answer->data_bytes_max >= 0 && !is_coded(answer) &&
        known_len(answer) > answer->data_bytes_max) {
        return fail_too_large(answer, err); /* not a byte of it is worth reading */
    }
    return answer->data_room != NULL ? read_into_block(answer, err) : read_into_own(answer, err);
}

/* can_drain says whether draining can bring the connection home at all. */
static bool can_drain(const struct urlp_answer *answer)
{
    const struct urlp_h1_codec *codec = answer->connection->codec;

    return urlp_h1_body_kind(codec) != URLP_H1_BODY_UNTIL_CLOSE &&
           urlp_h1_length_remaining(codec) <= DRAIN_BYTES_MAX;
}

void urlpool_response_drain(struct urlpool_response *response) URLP_MAY_BLOCK
{
    struct urlp_answer *answer = answer_of(response);
    struct urlp_call brief;
    int64_t most;

    if (response == NULL || answer->state != URLP_BODY_OPEN) {
        return;
    }
    brief = urlp_call_until(&answer->call, DRAIN_MS);
    most = answer->body_bytes - (int64_t)answer->pending_len + DRAIN_BYTES_MAX;
    answer->is_draining = true;
    while (answer->state == URLP_BODY_OPEN && answer->body_bytes <= most && can_drain(answer)) {
        if (answer->pending_len > 0) {
            urlp_body_used(answer, answer->pending_len);
        } else if (urlp_body_wait(answer, &brief, NULL) != URLPOOL_OK) {
            return;
        }
    }
    urlp_body_give_up(answer);
}

void urlpool_response_close(struct urlpool_response *response) URLP_MAY_BLOCK
{
    if (response != NULL) {
        urlp_body_give_up(answer_of(response));
    }
}

const struct urlpool_headers *urlpool_response_trailers(const struct urlpool_response *response)
{
    return response == NULL ? NULL : ((const struct urlp_answer *)(const void *)response)->trailers;
}

const char *urlpool_response_header(const struct urlpool_response *response, const char *name)
{
    return response == NULL || name == NULL ? NULL : urlpool_headers_get(response->headers, name);
}

size_t urlpool_response_num_hops(const struct urlpool_response *response)
{
    const struct urlp_answer *answer = (const struct urlp_answer *)(const void *)response;

    return response == NULL ? 0 : urlp_hops_count(&answer->hops);
}

struct urlpool_hop urlpool_response_hop(const struct urlpool_response *response, size_t index)
{
    const struct urlp_answer *answer = (const struct urlp_answer *)(const void *)response;

    return response == NULL ? (struct urlpool_hop){0} : urlp_hops_get(&answer->hops, index);
}

void urlpool_response_free(struct urlpool_response *response) URLP_MAY_BLOCK
{
    struct urlp_answer *answer = answer_of(response);

    if (response == NULL) {
        return;
    }
    urlpool_response_drain(response);
    if (answer->connection != NULL) {
        answer->connection->response = NULL;
    }
    urlp_decoder_free(answer->decoder);
    urlpool_headers_free(answer->trailers);
    urlp_buf_deinit(&answer->data_own);
    urlp_hops_deinit(&answer->hops);
    urlp_free(answer->url_own);
    urlp_free(answer);
}

enum urlpool_code urlp_response_set_url(struct urlpool_response *response, struct urlp_span url,
                                        struct urlpool_error *err)
{
    struct urlp_answer *answer = answer_of(response);
    char *copy = answer->url_room;

    if (url.len >= answer->url_cap) {
        copy = urlp_strndup(url.data, url.len);
        if (copy == NULL) {
            return urlp_fail_nomem(err);
        }
        urlp_free(answer->url_own);
        answer->url_own = copy;
    } else {
        memcpy(copy, url.len > 0 ? url.data : "", url.len);
        copy[url.len] = '\0';
    }
    response->url = copy;
    return URLPOOL_OK;
}

void urlp_response_set_hops(struct urlpool_response *response, struct urlp_hops *hops)
{
    struct urlp_answer *answer = answer_of(response);

    urlp_hops_deinit(&answer->hops);
    answer->hops = *hops;
    *hops = (struct urlp_hops){0};
}

const struct urlp_field *urlp_response_fields(const struct urlpool_response *response,
                                              size_t *out_num_fields)
{
    const struct urlp_answer *answer = (const struct urlp_answer *)(const void *)response;

    *out_num_fields = answer->num_fields;
    return answer->fields;
}
