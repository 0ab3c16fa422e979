/* Plays a response to a codec and writes down what comes out. The log must not depend on the plan:
 * that is what its users check. */

#include "player.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct player {
    struct urlp_h1_codec *codec;
    const struct player_input *input;
    const struct player_plan *plan;
    struct urlp_buf *log;
    struct urlp_buf body; /* data not yet written down */
    size_t given;         /* of the input */
    uint8_t *pending;     /* given and not used, in a block of its exact size */
    size_t pending_len;
    bool is_over;
    bool has_failed; /* and so is over; then nobody asks what is left */
};

static void must(enum urlpool_code code)
{
    if (code != URLPOOL_OK) {
        abort();
    }
}

static void say(struct player *player, const char *text)
{
    must(urlp_buf_append_text(player->log, text));
}

void player_escape(struct urlp_buf *log, const void *data, size_t len)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\r') {
            must(urlp_buf_append_text(log, "\\r"));
        } else if (bytes[i] == '\n') {
            must(urlp_buf_append_text(log, "\\n"));
        } else if (bytes[i] == '\t') {
            must(urlp_buf_append_text(log, "\\t"));
        } else if (bytes[i] == '\\') {
            must(urlp_buf_append_text(log, "\\\\"));
        } else if (bytes[i] < ' ' || bytes[i] >= 0x7f) {
            must(urlp_buf_printf(log, "\\x%02x", bytes[i]));
        } else {
            must(urlp_buf_append(log, &bytes[i], 1));
        }
    }
}

static void say_span(struct player *player, struct urlp_span span)
{
    player_escape(player->log, span.data, span.len);
}

static void say_fields(struct player *player, const char *word,
                       const struct urlp_response_head *head)
{
    for (size_t i = 0; i < head->num_fields; i++) {
        must(urlp_buf_printf(player->log, "%s ", word));
        say_span(player, head->fields[i].name);
        say(player, ": ");
        say_span(player, head->fields[i].value);
        say(player, "\n");
    }
}

static void say_head(struct player *player, const char *word, const struct urlp_response_head *head)
{
    must(urlp_buf_printf(player->log, "%s %d %d.%d \"", word, head->status, head->version / 10,
                         head->version % 10));
    say_span(player, head->reason);
    say(player, "\"\n");
    say_fields(player, "field", head);
}

static void say_body_kind(struct player *player)
{
    switch (urlp_h1_body_kind(player->codec)) {
    case URLP_H1_BODY_NONE:
        say(player, "body none\n");
        break;
    case URLP_H1_BODY_LENGTH:
        must(urlp_buf_printf(player->log, "body length %lld\n",
                             (long long)urlp_h1_length_remaining(player->codec)));
        break;
    case URLP_H1_BODY_CHUNKED:
        say(player, "body chunked\n");
        break;
    case URLP_H1_BODY_UNTIL_CLOSE:
        say(player, "body until-close\n");
        break;
    }
}

static void flush_body(struct player *player)
{
    if (player->body.len > 0) {
        say(player, "data ");
        player_escape(player->log, player->body.data, player->body.len);
        say(player, "\n");
        player->body.len = 0;
    }
}

/* say_end is what is known when a response is over. */
static void say_end(struct player *player, const struct urlp_h1_event *event)
{
    flush_body(player);
    say(player, "end\n");
    if (event->head != NULL) {
        say_fields(player, "trailer", event->head);
    }
    player->is_over = true;
}

static void say_event(struct player *player, const struct urlp_h1_event *event)
{
    switch (event->type) {
    case URLP_H1_NEED_DATA:
        break;
    case URLP_H1_INFORMATIONAL:
        say_head(player, "interim", event->head);
        break;
    case URLP_H1_RESPONSE:
        say_head(player, "response", event->head);
        say_body_kind(player);
        break;
    case URLP_H1_SWITCHED:
        say_head(player, "switched", event->head);
        player->is_over = true;
        break;
    case URLP_H1_DATA:
        if (event->data_len == 0) {
            say(player, "empty data event\n");
        }
        must(urlp_buf_append(&player->body, event->data, event->data_len));
        break;
    case URLP_H1_END:
        say_end(player, event);
        break;
    }
}

/* say_error writes the error down, and that it stays, whatever comes. */
static void say_error(struct player *player, enum urlpool_code code,
                      const struct urlpool_error *err)
{
    struct urlpool_error again = {.code = URLPOOL_OK};
    struct urlp_h1_event event;
    uint8_t byte = 'x';
    size_t used = 0;

    flush_body(player);
    must(urlp_buf_printf(player->log, "error %s\n", urlpool_code_name(code)));
    if (err->code != code || err->message[0] == '\0' || strchr(err->message, '\n') != NULL) {
        say(player, "without a proper message\n");
    }
    if (urlp_h1_next(player->codec, &byte, 1, &used, &event, &again) != code ||
        strcmp(again.message, err->message) != 0) {
        say(player, "which does not stay\n");
    }
    player->is_over = true;
    player->has_failed = true;
}

static void replace_pending(struct player *player, const uint8_t *data, size_t len)
{
    uint8_t *block = malloc(len > 0 ? len : 1);

    if (block == NULL) {
        abort();
    }
    if (len > 0) {
        memcpy(block, data, len);
    }
    free(player->pending);
    player->pending = block;
    player->pending_len = len;
}

/* drain takes events until the codec wants more or the response is over. */
static void drain(struct player *player)
{
    struct urlp_h1_event event = {.type = URLP_H1_DATA};

    while (!player->is_over && event.type != URLP_H1_NEED_DATA) {
        struct urlpool_error err = {.code = URLPOOL_OK};
        size_t used = SIZE_MAX;
        enum urlpool_code code =
            urlp_h1_next(player->codec, player->pending, player->pending_len, &used, &event, &err);

        if (code != URLPOOL_OK) {
            say_error(player, code, &err);
            return;
        }
        if (used > player->pending_len) {
            say(player, "used more than it was given\n");
            player->is_over = true;
            return;
        }
        say_event(player, &event);
        replace_pending(player, player->pending + used, player->pending_len - used);
    }
}

/* give hands over the next piece, past the codec where the plan says so and the codec allows it. */
static void give(struct player *player, size_t len)
{
    const uint8_t *piece = player->input->data + player->given;
    size_t direct =
        player->plan->direct && player->pending_len == 0 ? urlp_h1_direct_len(player->codec) : 0;
    struct urlp_buf joined;

    if (direct > len) {
        direct = len;
    }
    if (direct > 0) {
        must(urlp_buf_append(&player->body, piece, direct));
        urlp_h1_took(player->codec, direct);
    }
    urlp_buf_init(&joined, 0);
    must(urlp_buf_append(&joined, player->pending, player->pending_len));
    must(urlp_buf_append(&joined, piece + direct, len - direct));
    replace_pending(player, joined.data, joined.len);
    urlp_buf_deinit(&joined);
    player->given += len;
}

static void end_stream(struct player *player)
{
    struct urlpool_error err = {.code = URLPOOL_OK};
    struct urlp_h1_event event;
    enum urlpool_code code;

    if (player->is_over) {
        return;
    }
    if (player->input->stop == PLAYER_WAIT) {
        flush_body(player);
        say(player, "waits\n");
        return;
    }
    code = urlp_h1_end_of_stream(player->codec, player->input->stop == PLAYER_EOF, &event, &err);
    if (code != URLPOOL_OK) {
        say_error(player, code, &err);
        return;
    }
    say_event(player, &event);
}

static void say_verdict(struct player *player, size_t left)
{
    struct urlp_h1_keep_alive hints = urlp_h1_keep_alive(player->codec);

    if (hints.timeout_s >= 0 || hints.max >= 0) {
        must(urlp_buf_printf(player->log, "keep-alive timeout=%lld max=%lld\n",
                             (long long)hints.timeout_s, (long long)hints.max));
    }
    if (player->is_over && !player->has_failed && left > 0) {
        must(urlp_buf_printf(player->log, "left %zu\n", left));
    }
    must(urlp_buf_printf(player->log, "reusable %s\n",
                         left == 0 && urlp_h1_is_reusable(player->codec) ? "yes" : "no"));
}

void player_play(struct urlp_h1_codec *codec, const struct player_input *input,
                 const struct player_plan *plan, struct urlp_buf *log, size_t *out_left)
{
    struct player player = {.codec = codec, .input = input, .plan = plan, .log = log};
    size_t piece = plan->first;

    urlp_buf_init(&player.body, 0);
    replace_pending(&player, NULL, 0);
    drain(&player);
    while (!player.is_over && player.given < input->len) {
        size_t rest = input->len - player.given;

        give(&player, piece > 0 && piece < rest ? piece : rest);
        drain(&player);
        piece = plan->step;
    }
    end_stream(&player);
    *out_left = player.pending_len + input->len - player.given;
    say_verdict(&player, *out_left);
    free(player.pending);
    urlp_buf_deinit(&player.body);
}
