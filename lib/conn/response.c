/* What a caller does with a response whose body is streamed: read it, drain it, close it; and what
 * he does with every response: look at it, free it. */

#include "conn/response.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "conn/body_reader.h"
#include "conn/peer_record.h"

/* A piece given to a sink. */
#define PIECE_BYTES ((size_t)64 * 1024)

/* What a drain reads at most. */
#define DRAIN_BYTES_MAX ((int64_t)64 * 1024)
#define DRAIN_MS        50

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

    if (response == NULL) {
        return;
    }
    if (answer->state != URLP_BODY_OPEN) {
        urlp_body_give_up(answer);
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

void urlpool_response_release(struct urlpool_response *response) URLP_MAY_BLOCK
{
    struct urlp_answer *answer = answer_of(response);

    if (response == NULL) {
        return;
    }
    while (answer->state == URLP_BODY_OPEN && answer->pending_len > 0) {
        answer->is_draining = true;
        urlp_body_used(answer, answer->pending_len);
    }
    urlp_body_give_up(answer);
}

void urlpool_response_shutdown(struct urlpool_response *response) URLP_MAY_BLOCK
{
    struct urlp_answer *answer = answer_of(response);

    if (response == NULL) {
        return;
    }
    if (urlp_gate_enter(&answer->gate)) {
        urlp_stream_shut(answer->connection->stream);
        urlp_gate_shut(&answer->gate);
    } else {
        urlpool_raw_stream_shutdown(atomic_load(&answer->raw));
    }
}

bool urlp_response_has_switched(const struct urlpool_response *response)
{
    return ((const struct urlp_answer *)(const void *)response)->has_switched;
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

    return response != NULL ? urlp_hops_get(&answer->hops, index) : (struct urlpool_hop){0};
}

/* end_use reads a response to its end and frees what no other one can use. */
static void end_use(struct urlp_answer *answer) URLP_MAY_BLOCK
{
    urlpool_response_drain(&answer->pub);
    if (answer->connection != NULL) {
        answer->connection->response = NULL;
    }
    urlp_peer_record_unref(answer->peer);
    urlp_raw_stream_unref(atomic_load(&answer->raw));
    urlp_decoder_free(answer->decoder);
    urlpool_headers_free(answer->trailers);
    urlp_hops_deinit(&answer->hops);
    urlp_buf_deinit(&answer->ahead);
    urlp_free(answer->url_own);
}

void urlp_response_recycle(struct urlpool_response *response, struct urlp_spares *spares)
{
    struct urlp_answer *answer = answer_of(response);
    struct urlp_spares left = {0};
    struct urlp_spares kept;

    if (response == NULL) {
        return;
    }
    end_use(answer);
    kept = answer->spares;
    left.data = answer->data_own;
    left.block = (struct urlp_buf){.data = (uint8_t *)answer, .cap = answer->block_cap};
    urlp_spares_add(spares, &left);
    urlp_spares_add(spares, &kept);
}

void urlpool_response_free(struct urlpool_response *response) URLP_MAY_BLOCK
{
    struct urlp_answer *answer = answer_of(response);

    if (response == NULL) {
        return;
    }
    end_use(answer);
    urlp_spares_deinit(&answer->spares);
    urlp_buf_deinit(&answer->data_own);
    urlp_free(answer);
}

void urlp_response_take_spares(struct urlpool_response *response, struct urlp_spares *out)
{
    struct urlp_answer *answer = answer_of(response);

    urlp_spares_add(out, &answer->spares);
}

void urlp_response_leave_spares(struct urlpool_response *response, struct urlp_spares *spares)
{
    urlp_spares_add(&answer_of(response)->spares, spares);
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
