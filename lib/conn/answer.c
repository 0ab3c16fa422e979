/* Making a response: one block for the object, its headers and their index, the reason, room for
 * the URL, and a small body of known length. Whatever the codec shows is copied here, before its
 * bytes move. */

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "conn/body_reader.h"
#include "conn/peer_record.h"

/* A body shorter than this lies in the block of its response. */
#define BLOCK_BODY_BYTES ((int64_t)4 * 1024)

/* What a block has more than it needs when it is to be used again. */
#define BLOCK_SLACK_BYTES ((size_t)1024)

/* struct layout is where things lie behind the object. */
struct layout {
    size_t fields_at;
    size_t headers_at;
    size_t text_at; /* the head, as it came */
    size_t url_at;
    size_t data_at;
    size_t data_len; /* 0: the body is not in the block */
    size_t size;
};

static bool has_codings(const struct urlp_response_head *head)
{
    size_t index = 0;

    return urlp_head_find(head, "Content-Encoding", &index) != NULL;
}

/* body_room is what the body takes in the block, its NUL included; 0 when it must lie elsewhere:
 * not known, large, or longer when it is decoded. */
static size_t body_room(const struct urlpool_connection *connection,
                        const struct urlp_response_head *head)
{
    int64_t len = urlp_h1_length_remaining(connection->codec);

    if (len <= 0 || len >= BLOCK_BODY_BYTES) {
        return 0;
    }
    if (!connection->turn.keep_encoded && has_codings(head)) {
        return 0;
    }
    return (size_t)len + 1;
}

static struct layout lay_out(const struct urlpool_connection *connection,
                             const struct urlp_response_head *head)
{
    struct layout layout;

    layout.fields_at = sizeof(struct urlp_answer);
    layout.headers_at = layout.fields_at + head->num_fields * sizeof(struct urlp_field);
    layout.text_at = layout.headers_at + urlp_headers_size_over(head->num_fields);
    layout.url_at = layout.text_at + head->bytes.len;
    layout.data_at = layout.url_at + connection->turn.url_room;
    layout.data_len = body_room(connection, head);
    layout.size = layout.data_at + layout.data_len;
    return layout;
}

/* end_string makes of a part of a head, which is at `text` now, a string: whatever stood behind it,
 * a colon, a blank or a line end, means nothing any more. */
static struct urlp_span end_string(char *text, const struct urlp_response_head *head,
                                   struct urlp_span part)
{
    char *data = text + (part.data - head->bytes.data);

    data[part.len] = '\0';
    return urlp_span_make(data, part.len);
}

/* fill_head copies what the codec shows, all of it at once. */
static void fill_head(struct urlp_answer *answer, const struct urlp_response_head *head,
                      const struct layout *layout)
{
    uint8_t *block = (uint8_t *)answer;
    struct urlp_field *fields = (struct urlp_field *)(void *)(block + layout->fields_at);
    char *text = (char *)block + layout->text_at;
    size_t i;

    memcpy(text, head->bytes.data, head->bytes.len);
    for (i = 0; i < head->num_fields; i++) {
        fields[i].name = end_string(text, head, head->fields[i].name);
        fields[i].value = end_string(text, head, head->fields[i].value);
    }
    answer->headers = urlp_headers_over(block + layout->headers_at, fields, head->num_fields);
    answer->fields = fields;
    answer->num_fields = head->num_fields;
    answer->has_codings = has_codings(head);
    answer->pub = (struct urlpool_response){
        .status = head->status,
        .version = head->version,
        .reason = end_string(text, head, head->reason).data,
        .url = "",
        .headers = answer->headers,
    };
}

/* take_block gives at least `size` bytes: those of an old response where they suffice. What is to
 * be used again is a little larger than it need be, since the next head will differ. */
static struct urlp_buf take_block(struct urlp_spares *spares, size_t size)
{
    struct urlp_buf block = {.cap = size};

    if (spares != NULL && spares->block.cap >= size) {
        return urlp_spares_take(&spares->block);
    }
    if (spares != NULL) {
        urlp_buf_deinit(&spares->block);
        block.cap = size + BLOCK_SLACK_BYTES;
    }
    block.data = urlp_alloc(block.cap);
    return block;
}

struct urlp_answer *urlp_answer_new(struct urlpool_connection *connection,
                                    struct urlpool_error *err)
{
    const struct urlp_turn *turn = &connection->turn;
    const struct urlp_response_head *head = turn->answer.head;
    struct layout layout = lay_out(connection, head);
    struct urlp_buf block = {0};
    struct urlp_answer *answer = NULL;

    if (connection->peer == NULL) {
        connection->peer = urlp_peer_record_new(connection, err);
    }
    if (connection->peer == NULL) {
        return NULL;
    }
    block = take_block(turn->spares, layout.size);
    answer = (struct urlp_answer *)(void *)block.data;
    if (answer == NULL) {
        urlp_fail_nomem(err);
        return NULL;
    }
    memset(answer, 0, offsetof(struct urlp_answer, error));
    answer->block_cap = block.cap;
    answer->leaves_memory = turn->spares != NULL;
    if (turn->spares != NULL) {
        answer->data_own = urlp_spares_take(&turn->spares->data);
    }
    fill_head(answer, head, &layout);
    answer->url_room = (char *)block.data + layout.url_at;
    answer->url_cap = turn->url_room;
    answer->data_room = layout.data_len > 0 ? block.data + layout.data_at : NULL;
    answer->data_cap = layout.data_len;
    answer->connection = connection;
    answer->peer = urlp_peer_record_ref(connection->peer);
    answer->num_requests = connection->num_requests;
    answer->call = turn->call;
    if (turn->call.marks != NULL) {
        answer->marks = *turn->call.marks;
        answer->call.marks = &answer->marks;
    }
    answer->read_ms = turn->read_ms;
    answer->data_bytes_max = turn->data_bytes_max;
    answer->keep_encoded = turn->keep_encoded;
    answer->codings_max = connection->limits->codings_max;
    answer->coding_ratio_max = connection->limits->coding_ratio_max;
    answer->coding_window_max = connection->limits->coding_window_max;
    answer->state = URLP_BODY_OPEN;
    answer->body_kind = urlp_h1_body_kind(connection->codec);
    connection->response = &answer->pub;
    if (turn->answer.type == URLP_H1_SWITCHED) {
        urlp_body_switch(answer);
    } else {
        urlp_body_settle(answer);
    }
    return answer;
}
