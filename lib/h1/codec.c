/* The codec: which part of the message comes next, and what to tell of it. The grammar is in the
 * parsers, the moves in state.c, the length of the body in framing.c; here they are put together.
 *
 * Invariants: after an error nothing but that error comes out, ever; no byte behind the end of a
 * response is looked at; a connection is reusable only when both state machines say DONE, and the
 * server's says so only when the response let it. */

#include "h1/codec.h"

#include "base/alloc.h"
#include "base/error.h"
#include "h1/bounds.h"
#include "h1/chunk.h"
#include "h1/framing.h"
#include "h1/head_parser.h"
#include "h1/persistence.h"
#include "h1/request_writer.h"
#include "h1/state.h"

const char urlp_h1_last_chunk[5] = {'0', '\r', '\n', '\r', '\n'};

struct urlp_h1_codec {
    const struct urlp_h1_bounds *bounds; /* `own`, or borrowed */
    enum urlp_h1_state client;
    enum urlp_h1_state server;
    enum urlpool_code failed; /* in state ERROR */

    /* Of the request in hand; small things stand together, for each idle connection has them. */
    bool is_head;
    bool is_connect;
    bool asked_to_close;

    /* Of the response in hand. */
    bool is_in_section; /* the head parser has begun on the head, or the trailers, in hand */
    bool can_stay;
    struct urlp_buf upgrade; /* the protocols the request offered to change to */
    struct urlp_h1_head_parser head;
    size_t interim_bytes;
    size_t num_interims;
    struct urlp_h1_framing framing;
    int64_t remaining; /* of a body of known length */
    struct urlp_h1_chunk_reader chunk;
    struct urlp_h1_keep_alive hints;

    struct urlpool_error *failure; /* in state ERROR; NULL: there was no memory for its words */
    struct urlp_h1_bounds own[];
};

/* make makes a codec with room for bounds of its own, or without. */
static struct urlp_h1_codec *make(size_t own_size, struct urlpool_error *err)
{
    struct urlp_h1_codec *codec = urlp_zalloc(sizeof(*codec) + own_size);

    if (codec == NULL) {
        (void)urlp_fail_nomem(err);
        return NULL;
    }
    codec->client = URLP_H1_IDLE;
    codec->server = URLP_H1_IDLE;
    codec->hints = (struct urlp_h1_keep_alive){-1, -1};
    urlp_buf_init(&codec->upgrade, 0);
    return codec;
}

struct urlp_h1_codec *urlp_h1_new(const struct urlpool_limits *limits, struct urlpool_error *err)
{
    struct urlp_h1_bounds bounds;
    struct urlp_h1_codec *codec;

    if (urlp_h1_bounds_of(limits, &bounds, err) != URLPOOL_OK) {
        return NULL;
    }
    codec = make(sizeof(bounds), err);
    if (codec != NULL) {
        codec->own[0] = bounds;
        codec->bounds = codec->own;
    }
    return codec;
}

struct urlp_h1_codec *urlp_h1_new_within(const struct urlp_h1_bounds *bounds,
                                         struct urlpool_error *err)
{
    struct urlp_h1_codec *codec = make(0, err);

    if (codec != NULL) {
        codec->bounds = bounds;
    }
    return codec;
}

void urlp_h1_lend(struct urlp_h1_codec *codec, void *memory, size_t size)
{
    urlp_h1_head_lend(&codec->head, memory, size);
}

void urlp_h1_free(struct urlp_h1_codec *codec)
{
    if (codec == NULL) {
        return;
    }
    urlp_h1_head_deinit(&codec->head);
    urlp_buf_deinit(&codec->upgrade);
    urlp_free(codec->failure);
    urlp_free(codec);
}

/* fail makes `why` the answer to everything from now on. */
static enum urlpool_code fail(struct urlp_h1_codec *codec, const struct urlpool_error *why,
                              struct urlpool_error *err)
{
    codec->server = URLP_H1_ERROR;
    codec->failed = why->code;
    codec->failure = urlp_alloc(sizeof(*codec->failure));
    if (codec->failure != NULL) {
        *codec->failure = *why;
    }
    return urlp_fail_with(err, why);
}

/* fail_again gives that answer. */
static enum urlpool_code fail_again(const struct urlp_h1_codec *codec, struct urlpool_error *err)
{
    return codec->failure != NULL ? urlp_fail_with(err, codec->failure)
                                  : urlp_fail(err, codec->failed, URLPOOL_PHASE_BODY,
                                              "the response was refused before");
}

static void server_saw(struct urlp_h1_codec *codec, enum urlp_h1_trigger saw)
{
    codec->server = urlp_h1_state_after(URLP_H1_SERVER, codec->server, saw);
}

/* keep_upgrade remembers the protocols that the request offers, joined to one list. */
static enum urlpool_code keep_upgrade(struct urlp_h1_codec *codec,
                                      const struct urlp_request_head *head)
{
    const struct urlp_field *field;
    size_t index = 0;

    codec->upgrade.len = 0;
    if (head->ready != NULL) {
        return URLPOOL_OK;
    }
    while ((field = urlp_fields_find(head->fields, head->num_fields, "Upgrade", &index)) != NULL) {
        enum urlpool_code code = urlp_buf_append_span(&codec->upgrade, field->value);

        if (code == URLPOOL_OK) {
            code = urlp_buf_append(&codec->upgrade, ",", 1);
        }
        if (code != URLPOOL_OK) {
            return code;
        }
    }
    return URLPOOL_OK;
}

enum urlpool_code urlp_h1_write_head(struct urlp_h1_codec *codec,
                                     const struct urlp_request_head *head, struct urlp_buf *out,
                                     struct urlpool_error *err)
{
    enum urlp_h1_state client =
        urlp_h1_state_after(URLP_H1_CLIENT, codec->client, URLP_H1_SAW_REQUEST);
    enum urlp_h1_state server =
        urlp_h1_state_after(URLP_H1_SERVER, codec->server, URLP_H1_SAW_REQUEST);
    enum urlpool_code code;

    if (client == URLP_H1_ERROR || server == URLP_H1_ERROR) {
        return urlp_fail(err, URLPOOL_E_CANNOT_SEND_REQUEST, URLPOOL_PHASE_SEND,
                         "the last exchange on this connection is not over, or was its last");
    }
    code = head->is_checked ? URLPOOL_OK : urlp_h1_check_request(head, codec->bounds, err);
    if (code != URLPOOL_OK) {
        return code;
    }
    code = keep_upgrade(codec, head);
    if (code == URLPOOL_OK) {
        code = urlp_h1_append_request(head, out);
    }
    if (code != URLPOOL_OK) {
        return urlp_fail(err, code, URLPOOL_PHASE_SEND, "no room for a request head");
    }
    codec->client = client;
    codec->server = server;
    codec->is_head = urlp_span_is(head->method, "HEAD");
    codec->is_connect = urlp_span_is(head->method, "CONNECT");
    codec->asked_to_close =
        head->ready == NULL && urlp_h1_says_close(head->fields, head->num_fields);
    codec->interim_bytes = 0;
    codec->num_interims = 0;
    codec->framing = (struct urlp_h1_framing){.kind = URLP_H1_BODY_NONE};
    codec->hints = (struct urlp_h1_keep_alive){-1, -1};
    codec->remaining = 0;
    codec->is_in_section = false;
    return URLPOOL_OK;
}

size_t urlp_h1_chunk_prefix(char out[URLP_H1_CHUNK_PREFIX_MAX], size_t len)
{
    static const char digits[] = "0123456789abcdef";
    size_t num_digits = 1;

    while (num_digits < 2 * sizeof(len) && len >> (4 * num_digits) != 0) {
        num_digits++;
    }
    for (size_t i = 0; i < num_digits; i++) {
        out[i] = digits[len >> (4 * (num_digits - 1 - i)) & 0xf];
    }
    out[num_digits] = '\r';
    out[num_digits + 1] = '\n';
    return num_digits + 2;
}

enum urlpool_code urlp_h1_write_trailers(const struct urlp_h1_codec *codec,
                                         const struct urlpool_headers *trailers,
                                         struct urlp_buf *out, struct urlpool_error *err)
{
    return urlp_h1_append_trailers(trailers, codec->bounds, out, err);
}

void urlp_h1_request_sent(struct urlp_h1_codec *codec)
{
    codec->client = urlp_h1_state_after(URLP_H1_CLIENT, codec->client, URLP_H1_SAW_REQUEST_END);
}

/* take_interim ends a 1xx head, 101 excepted: it is shown and otherwise without effect. */
static enum urlpool_code take_interim(struct urlp_h1_codec *codec, size_t head_len,
                                      struct urlp_h1_event *out, struct urlpool_error *why)
{
    codec->num_interims++;
    if (codec->num_interims > codec->bounds->interims_max) {
        return urlp_fail(why, URLPOOL_E_HEAD_TOO_LARGE, URLPOOL_PHASE_HEAD,
                         "more than %zu interim responses", codec->bounds->interims_max);
    }
    codec->interim_bytes += head_len;
    server_saw(codec, URLP_H1_SAW_INFORMATIONAL);
    *out = (struct urlp_h1_event){.type = URLP_H1_INFORMATIONAL, .head = &codec->head.head};
    return URLPOOL_OK;
}

static enum urlpool_code take_switch(struct urlp_h1_codec *codec, struct urlp_h1_event *out,
                                     struct urlpool_error *why)
{
    const struct urlp_response_head *head = &codec->head.head;

    /* RFC 9110 section 7.8: "A server MUST NOT switch to a protocol that was not indicated by the
     * client in the corresponding request's Upgrade header field." */
    if (head->status == 101 && !urlp_h1_switch_is_asked_for(
                                   head, urlp_span_make(codec->upgrade.data, codec->upgrade.len))) {
        return urlp_fail(why, URLPOOL_E_PROTOCOL, URLPOOL_PHASE_HEAD,
                         "101 to a protocol that was not asked for");
    }
    server_saw(codec, URLP_H1_SAW_SWITCH);
    *out = (struct urlp_h1_event){.type = URLP_H1_SWITCHED, .head = head};
    return URLPOOL_OK;
}

/* take_head is called when a head is complete. */
static enum urlpool_code take_head(struct urlp_h1_codec *codec, size_t head_len,
                                   struct urlp_h1_event *out, struct urlpool_error *why)
{
    const struct urlp_response_head *head = &codec->head.head;
    enum urlpool_code code;

    if (head->status == 101) {
        return take_switch(codec, out, why);
    }
    code = urlp_h1_frame(head, codec->is_head, codec->is_connect, &codec->framing, why);
    if (code != URLPOOL_OK) {
        return code;
    }
    if (head->status < 200) {
        return take_interim(codec, head_len, out, why);
    }
    if (codec->framing.is_tunnel) {
        return take_switch(codec, out, why);
    }
    codec->remaining = codec->framing.length;
    codec->can_stay = !codec->framing.is_odd && !codec->asked_to_close &&
                      codec->framing.kind != URLP_H1_BODY_UNTIL_CLOSE &&
                      urlp_h1_agrees_to_stay(head);
    codec->hints = urlp_h1_read_keep_alive(head);
    urlp_h1_chunk_begin(&codec->chunk);
    server_saw(codec, URLP_H1_SAW_RESPONSE);
    *out = (struct urlp_h1_event){.type = URLP_H1_RESPONSE, .head = head};
    return URLPOOL_OK;
}

/* begin_section makes the head parser ready, unless it is within the section already. */
static void begin_section(struct urlp_h1_codec *codec, bool is_trailers)
{
    size_t bytes_max = codec->bounds->head_bytes_max - codec->interim_bytes;

    if (!codec->is_in_section) {
        urlp_h1_head_begin(&codec->head, is_trailers,
                           is_trailers ? codec->bounds->trailer_bytes_max : bytes_max);
        codec->is_in_section = true;
    }
}

static enum urlpool_code next_in_head(struct urlp_h1_codec *codec, uint8_t *data, size_t len,
                                      size_t *out_used, struct urlp_h1_event *out,
                                      struct urlpool_error *why)
{
    enum urlpool_code code;

    begin_section(codec, false);
    code = urlp_h1_head_step(&codec->head, codec->bounds, data, len, out_used, why);
    if (code != URLPOOL_OK || *out_used == 0) {
        return code;
    }
    codec->is_in_section = false;
    return take_head(codec, *out_used, out, why);
}

/* end_message is the move at the end of a response; `trailers` may be NULL. */
static void end_message(struct urlp_h1_codec *codec, const struct urlp_response_head *trailers,
                        struct urlp_h1_event *out)
{
    server_saw(codec, codec->can_stay ? URLP_H1_SAW_END : URLP_H1_SAW_LAST_END);
    *out = (struct urlp_h1_event){.type = URLP_H1_END, .head = trailers};
}

static enum urlpool_code next_in_trailers(struct urlp_h1_codec *codec, uint8_t *data, size_t len,
                                          size_t *out_used, struct urlp_h1_event *out,
                                          struct urlpool_error *why)
{
    enum urlpool_code code;

    begin_section(codec, true);
    code = urlp_h1_head_step(&codec->head, codec->bounds, data, len, out_used, why);
    if (code != URLPOOL_OK || *out_used == 0) {
        return code;
    }
    codec->is_in_section = false;
    /* RFC 9110 section 6.5.1: trailer fields are kept apart from the header fields, and none of
     * them has a say in framing. */
    end_message(codec, codec->head.head.num_fields > 0 ? &codec->head.head : NULL, out);
    return URLPOOL_OK;
}

static enum urlpool_code next_in_chunks(struct urlp_h1_codec *codec, uint8_t *data, size_t len,
                                        size_t *out_used, struct urlp_h1_event *out,
                                        struct urlpool_error *why)
{
    struct urlp_h1_chunk_run run = {0, 0};
    enum urlpool_code code;

    if (codec->chunk.state == URLP_H1_CHUNK_TRAILERS) {
        return next_in_trailers(codec, data, len, out_used, out, why);
    }
    code = urlp_h1_chunk_step(&codec->chunk, codec->bounds, data, len, &run, why);
    if (code != URLPOOL_OK) {
        return code;
    }
    *out_used = run.used;
    if (run.data_len > 0) {
        *out = (struct urlp_h1_event){
            .type = URLP_H1_DATA, .data = data + run.used - run.data_len, .data_len = run.data_len};
    } else if (codec->chunk.state == URLP_H1_CHUNK_TRAILERS && run.used < len) {
        code = next_in_trailers(codec, data + run.used, len - run.used, out_used, out, why);
        *out_used += run.used;
    }
    return code;
}

static enum urlpool_code next_in_body(struct urlp_h1_codec *codec, uint8_t *data, size_t len,
                                      size_t *out_used, struct urlp_h1_event *out,
                                      struct urlpool_error *why)
{
    if (codec->framing.kind == URLP_H1_BODY_CHUNKED) {
        return next_in_chunks(codec, data, len, out_used, out, why);
    }
    if (codec->framing.kind != URLP_H1_BODY_UNTIL_CLOSE) {
        if (codec->remaining == 0) {
            end_message(codec, NULL, out);
            return URLPOOL_OK;
        }
        if ((uint64_t)codec->remaining < len) {
            len = (size_t)codec->remaining;
        }
        codec->remaining -= (int64_t)len;
    }
    if (len > 0) {
        *out = (struct urlp_h1_event){.type = URLP_H1_DATA, .data = data, .data_len = len};
        *out_used = len;
    }
    return URLPOOL_OK;
}

enum urlpool_code urlp_h1_next(struct urlp_h1_codec *codec, uint8_t *data, size_t len,
                               size_t *out_used, struct urlp_h1_event *out,
                               struct urlpool_error *err)
{
    struct urlp_h1_event event = {.type = URLP_H1_NEED_DATA};
    struct urlpool_error why;
    enum urlpool_code code;
    size_t used = 0;

    switch (codec->server) {
    case URLP_H1_OWES_HEAD:
        code = next_in_head(codec, data, len, &used, &event, &why);
        break;
    case URLP_H1_SENDING:
        code = next_in_body(codec, data, len, &used, &event, &why);
        break;
    case URLP_H1_ERROR:
        return fail_again(codec, err);
    default:
        return urlp_fail(err, URLPOOL_E_RESPONSE_NOT_READY, URLPOOL_PHASE_HEAD,
                         "no response is due on this connection");
    }
    if (code != URLPOOL_OK) {
        return fail(codec, &why, err);
    }
    *out_used = used;
    *out = event;
    return URLPOOL_OK;
}

static enum urlpool_code fail_cut_short(struct urlp_h1_codec *codec, struct urlpool_error *err)
{
    bool is_in_body = codec->server == URLP_H1_SENDING;
    bool has_begun =
        is_in_body || codec->interim_bytes > 0 || (codec->is_in_section && codec->head.scanned > 0);
    struct urlpool_error why;

    if (!has_begun) {
        (void)urlp_fail(&why, URLPOOL_E_REMOTE_DISCONNECTED, URLPOOL_PHASE_HEAD,
                        "connection closed by the peer before a response");
    } else if (!is_in_body) {
        (void)urlp_fail(&why, URLPOOL_E_INCOMPLETE_READ, URLPOOL_PHASE_HEAD,
                        "connection closed by the peer within the response head");
    } else if (codec->framing.kind == URLP_H1_BODY_LENGTH) {
        (void)urlp_fail(&why, URLPOOL_E_INCOMPLETE_READ, URLPOOL_PHASE_BODY,
                        "connection closed by the peer with %lld bytes of the body to come",
                        (long long)codec->remaining);
    } else if (codec->framing.kind == URLP_H1_BODY_CHUNKED) {
        (void)urlp_fail(&why, URLPOOL_E_INCOMPLETE_READ, URLPOOL_PHASE_BODY,
                        "connection closed by the peer before the last chunk was complete");
    } else {
        (void)urlp_fail(
            &why, URLPOOL_E_INCOMPLETE_READ, URLPOOL_PHASE_BODY,
            "connection ended without close_notify within a body that lasts until close");
    }
    return fail(codec, &why, err);
}

enum urlpool_code urlp_h1_end_of_stream(struct urlp_h1_codec *codec, bool is_clean,
                                        struct urlp_h1_event *out, struct urlpool_error *err)
{
    enum urlp_h1_body kind = codec->framing.kind;
    bool is_complete = (kind == URLP_H1_BODY_UNTIL_CLOSE && is_clean) ||
                       (kind == URLP_H1_BODY_LENGTH && codec->remaining == 0) ||
                       kind == URLP_H1_BODY_NONE;

    switch (codec->server) {
    case URLP_H1_ERROR:
        return fail_again(codec, err);
    case URLP_H1_SENDING:
        if (!is_complete) {
            return fail_cut_short(codec, err);
        }
        codec->can_stay = false;
        end_message(codec, NULL, out);
        return URLPOOL_OK;
    case URLP_H1_OWES_HEAD:
        return fail_cut_short(codec, err);
    default:
        server_saw(codec, URLP_H1_SAW_CLOSE);
        return urlp_fail(err, URLPOOL_E_REMOTE_DISCONNECTED, URLPOOL_PHASE_HEAD,
                         "connection closed by the peer");
    }
}

size_t urlp_h1_direct_len(const struct urlp_h1_codec *codec)
{
    uint64_t len = 0;

    if (codec->server != URLP_H1_SENDING) {
        return 0;
    }
    if (codec->framing.kind == URLP_H1_BODY_UNTIL_CLOSE) {
        return SIZE_MAX;
    }
    if (codec->framing.kind == URLP_H1_BODY_LENGTH) {
        len = (uint64_t)codec->remaining;
    } else if (codec->chunk.state == URLP_H1_CHUNK_DATA) {
        len = codec->chunk.remaining;
    }
    return len < SIZE_MAX ? (size_t)len : SIZE_MAX;
}

void urlp_h1_took(struct urlp_h1_codec *codec, size_t len)
{
    if (len == 0 || len > urlp_h1_direct_len(codec)) {
        return;
    }
    if (codec->framing.kind == URLP_H1_BODY_LENGTH) {
        codec->remaining -= (int64_t)len;
    } else if (codec->framing.kind == URLP_H1_BODY_CHUNKED) {
        urlp_h1_chunk_took(&codec->chunk, len);
    }
}

enum urlp_h1_body urlp_h1_body_kind(const struct urlp_h1_codec *codec)
{
    return codec->framing.kind;
}

int64_t urlp_h1_length_remaining(const struct urlp_h1_codec *codec)
{
    bool is_known =
        codec->framing.kind == URLP_H1_BODY_NONE || codec->framing.kind == URLP_H1_BODY_LENGTH;

    return is_known ? codec->remaining : -1;
}

bool urlp_h1_is_idle(const struct urlp_h1_codec *codec)
{
    return codec->server == URLP_H1_IDLE || codec->server == URLP_H1_DONE ||
           codec->server == URLP_H1_MUST_CLOSE;
}

bool urlp_h1_is_reusable(const struct urlp_h1_codec *codec)
{
    return codec->client == URLP_H1_DONE && codec->server == URLP_H1_DONE;
}

struct urlp_h1_keep_alive urlp_h1_keep_alive(const struct urlp_h1_codec *codec)
{
    return codec->hints;
}
