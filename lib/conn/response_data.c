/* A body that is read whole: into the response's block, into memory of its own, or into the
 * caller's.
 *
 * It is held in memory that grows with the bytes that came, never with the length that was
 * announced alone; a small body of known length lies in the block of the response itself. What had
 * arrived of a body that broke off is kept apart until somebody asks for it. */

#include "base/alloc.h"
#include "base/error.h"
#include "conn/body_reader.h"
#include "conn/response.h"

/* The first memory of a body that does not fit into the block. */
#define DATA_BYTES_FIRST ((size_t)16 * 1024)
/* So many times what has come is taken at once where the rest is known to be as much: a peer has to
 * send a part of what it makes us take, and hardly anything has to move. */
#define GROWTH_KNOWN ((size_t)16)

static struct urlp_answer *answer_of(struct urlpool_response *response)
{
    return (struct urlp_answer *)(void *)response;
}

/* is_bounded_by_place says that the caller's memory is what bounds the body. */
static bool is_bounded_by_place(const struct urlp_answer *answer)
{
    return answer->place.into != NULL &&
           (answer->data_bytes_max < 0 ||
            (uint64_t)answer->data_bytes_max >= answer->place.into_len);
}

/* bytes_max is how long the body may be, or -1. */
static int64_t bytes_max(const struct urlp_answer *answer)
{
    return is_bounded_by_place(answer) ? (int64_t)answer->place.into_len : answer->data_bytes_max;
}

/* fail_too_large ends the body that would pass its bound. */
static enum urlpool_code fail_too_large(struct urlp_answer *answer,
                                        struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlpool_error why;

    if (is_bounded_by_place(answer)) {
        urlp_fail(&why, URLPOOL_E_DATA_TOO_LARGE, URLPOOL_PHASE_BODY,
                  "the body is longer than the memory given for it: into.len is %zu",
                  answer->place.into_len);
        return urlp_body_fail(answer, &why, err);
    }
    urlp_fail(&why, URLPOOL_E_DATA_TOO_LARGE, URLPOOL_PHASE_BODY,
              "the body is longer than data_bytes_max of %lld", (long long)answer->data_bytes_max);
    return urlp_body_fail(answer, &why, err);
}

/* is_coded says that the body may be longer than what comes off the connection. */
static bool is_coded(const struct urlp_answer *answer)
{
    return !answer->keep_encoded && answer->has_codings;
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

    if (data->cap - data->len > 1) {
        return URLPOOL_OK;
    }
    if (left >= 0 && data->len > 0) {
        more = data->len < SIZE_MAX / GROWTH_KNOWN ? data->len * GROWTH_KNOWN : SIZE_MAX;
    }
    if (left >= 0 && (uint64_t)left < more) {
        more = (size_t)left + 1;
    }
    if (urlp_buf_reserve(data, more) != URLPOOL_OK) {
        return urlp_fail_nomem(err);
    }
    urlp_alloc_advise(data->data, data->cap);
    return URLPOOL_OK;
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

/* show puts the whole body into the response. */
static void show(struct urlp_answer *answer, const uint8_t *data, size_t len)
{
    answer->pub.data = data;
    answer->pub.data_len = len;
}

/* read_some reads once into `data`, of which `*len` bytes are there, and remembers them for
 * urlp_response_keep_partial. */
static enum urlpool_code read_some(struct urlp_answer *answer, uint8_t *data, size_t *len,
                                   size_t most, size_t *out_got,
                                   struct urlpool_error *err) URLP_MAY_BLOCK
{
    enum urlpool_code code = urlp_body_read(answer, data + *len, most, out_got, err);

    if (code == URLPOOL_OK) {
        *len += *out_got;
        answer->partial = data;
        answer->partial_len = *len;
    }
    return code;
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
        code = read_some(answer, data->data, &data->len, room(answer), &got, err);
        if (code != URLPOOL_OK) {
            return code;
        }
        if (answer->data_bytes_max >= 0 && data->len > (uint64_t)answer->data_bytes_max) {
            answer->partial_len = (size_t)answer->data_bytes_max;
            return fail_too_large(answer, err);
        }
    }
    data->data[data->len] = '\0';
    show(answer, data->data, data->len);
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
            read_some(answer, answer->data_room, &len, answer->data_cap - 1 - len, &got, err);

        if (code != URLPOOL_OK) {
            return code;
        }
    }
    answer->data_room[len] = '\0';
    show(answer, answer->data_room, len);
    return URLPOOL_OK;
}

/* read_into_place reads the rest of the body into the caller's memory. That it has ended there is
 * only known when one byte more was asked for. */
static enum urlpool_code read_into_place(struct urlp_answer *answer,
                                         struct urlpool_error *err) URLP_MAY_BLOCK
{
    uint8_t *into = answer->place.into;
    const size_t most = (size_t)bytes_max(answer);
    size_t len = 0;
    size_t got = 1;
    uint8_t extra = 0;
    enum urlpool_code code = URLPOOL_OK;

    while (code == URLPOOL_OK && got > 0 && len < most) {
        code = read_some(answer, into, &len, most - len, &got, err);
    }
    if (code == URLPOOL_OK && got > 0) {
        code = urlp_body_read(answer, &extra, 1, &got, err);
    }
    if (code != URLPOOL_OK) {
        return code;
    }
    if (got > 0) {
        return fail_too_large(answer, err);
    }
    show(answer, into, len);
    return URLPOOL_OK;
}

/* is_hopeless says that the body is known to be too long, and that nobody wants a part of it. */
static bool is_hopeless(const struct urlp_answer *answer)
{
    const int64_t most = bytes_max(answer);

    return most >= 0 && !answer->place.keep_partial && known_len(answer) > most;
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
    if (is_hopeless(answer)) {
        return fail_too_large(answer, err); /* not a byte of it is worth reading */
    }
    if (answer->place.into != NULL) {
        return read_into_place(answer, err);
    }
    return answer->data_room != NULL ? read_into_block(answer, err) : read_into_own(answer, err);
}

void urlp_response_set_place(struct urlpool_response *response, const struct urlp_place *place)
{
    answer_of(response)->place = *place;
}

void urlp_response_keep_partial(struct urlpool_response *response)
{
    struct urlp_answer *answer = answer_of(response);
    const bool is_ours = answer->partial != NULL && answer->partial != answer->place.into;

    response->error_code = answer->error.code;
    if (is_ours) { /* memory of ours has room for a NUL, or for the byte too many in its place */
        answer->partial[answer->partial_len] = '\0';
    }
    show(answer, answer->partial != NULL ? answer->partial : (const uint8_t *)"",
         answer->partial_len);
}

enum urlpool_code urlpool_response_take_data(struct urlpool_response *response, uint8_t **out_data,
                                             size_t *out_len, struct urlpool_error *err)
{
    struct urlp_answer *answer = answer_of(response);
    uint8_t *taken = NULL;

    if (response == NULL || out_data == NULL || out_len == NULL) {
        return urlp_fail_null(err);
    }
    if (response->data == NULL) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "the body is not in data");
    }
    if (answer->place.into != NULL) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                         "the body is in the caller's memory already");
    }
    if (response->data == answer->data_own.data) {
        taken = urlp_spares_take(&answer->data_own).data;
    } else {
        taken = (uint8_t *)urlp_strndup((const char *)response->data, response->data_len);
    }
    if (taken == NULL) {
        return urlp_fail_nomem(err);
    }
    *out_data = taken;
    *out_len = response->data_len;
    answer->partial = NULL;
    answer->partial_len = 0;
    show(answer, (const uint8_t *)"", 0);
    return URLPOOL_OK;
}

void urlpool_data_free(uint8_t *data)
{
    urlp_free(data);
}
