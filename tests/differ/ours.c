/* The library's codec as one side of the comparison: it is given the bytes in pieces and what it
 * says is written down as the reference writes it. What must hold of a codec whatever the peer
 * sends is looked at on the way: errors stay, no more is used than was given, a request is taken
 * exactly when the connection is reusable. */

#include "ours.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "chance.h"
#include "h1/codec.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(data, len)   ((void)(data), (void)(len))
#define ASAN_UNPOISON_MEMORY_REGION(data, len) ((void)(data), (void)(len))
#endif

struct playing {
    struct urlp_h1_codec *codec;
    const struct differ_exchange *exchange;
    struct differ_answer *answer;
    uint8_t *data; /* all bytes, in a block of their exact size */
    size_t at;     /* used up to here */
    size_t given;  /* arrived up to here */
    bool is_over;
    const char *fault;
};

const char *split_plan_name(const struct split_plan *plan)
{
    static const char *const names[N_SPLIT_KINDS][2] = {
        {"whole",                 "whole, direct"                },
        {"byte by byte",          "byte by byte, direct"         },
        {"in two",                "in two, direct"               },
        {"in pieces of up to 8",  "in pieces of up to 8, direct" },
        {"in pieces of up to 64", "in pieces of up to 64, direct"},
    };

    return names[plan->kind][plan->is_direct];
}

static void write_span(struct record *out, struct urlp_span span)
{
    record_add(out, span.data, span.len);
}

static void write_fields(struct record *out, const struct urlp_response_head *head)
{
    for (size_t i = 0; i < head->num_fields; i++) {
        write_span(out, head->fields[i].name);
        record_text(out, ": ");
        write_span(out, head->fields[i].value);
        record_text(out, "\n");
    }
}

static void write_head(struct record *out, const struct urlp_response_head *head)
{
    record_text(out, head->version == 10 ? "1.0 " : "1.1 ");
    record_number(out, (unsigned)head->status);
    record_text(out, " ");
    write_span(out, head->reason);
    record_text(out, "\n");
    write_fields(out, head);
}

static void take_event(struct playing *playing, const struct urlp_h1_event *event)
{
    struct differ_answer *answer = playing->answer;

    switch (event->type) {
    case URLP_H1_NEED_DATA:
        break;
    case URLP_H1_INFORMATIONAL:
    case URLP_H1_RESPONSE:
        write_head(&answer->heads, event->head);
        break;
    case URLP_H1_SWITCHED:
        write_head(&answer->heads, event->head);
        answer->outcome = DIFFER_SWITCHED;
        playing->is_over = true;
        break;
    case URLP_H1_DATA:
        if (event->data_len == 0) {
            playing->fault = "a data event without data";
        }
        record_add(&answer->body, event->data, event->data_len);
        break;
    case URLP_H1_END:
        if (event->head != NULL) {
            write_fields(&answer->trailers, event->head);
        }
        answer->outcome = DIFFER_WHOLE;
        playing->is_over = true;
        break;
    }
}

static void take_error(struct playing *playing, enum urlpool_code code,
                       const struct urlpool_error *err)
{
    struct urlpool_error again = {.code = URLPOOL_OK};
    struct urlp_h1_event event;
    uint8_t byte = 'x';
    size_t used = 0;

    if (err->code != code || err->message[0] == '\0') {
        playing->fault = "an error without a proper message";
    }
    if (urlp_h1_next(playing->codec, &byte, 1, &used, &event, &again) != code) {
        playing->fault = "an error that does not stay";
    }
    record_text(&playing->answer->why, urlpool_code_name(code));
    playing->answer->outcome = DIFFER_REFUSED;
    playing->is_over = true;
}

/* drain takes events until the codec wants more or the response is over. */
static void drain(struct playing *playing)
{
    struct urlp_h1_event event = {.type = URLP_H1_DATA};

    while (!playing->is_over && event.type != URLP_H1_NEED_DATA) {
        struct urlpool_error err = {.code = URLPOOL_OK};
        size_t used = SIZE_MAX;
        enum urlpool_code code = urlp_h1_next(playing->codec, playing->data + playing->at,
                                              playing->given - playing->at, &used, &event, &err);

        if (code != URLPOOL_OK) {
            take_error(playing, code, &err);
            return;
        }
        if (used > playing->given - playing->at) {
            playing->fault = "more used than was given";
            playing->is_over = true;
            return;
        }
        take_event(playing, &event);
        playing->at += used;
    }
}

static size_t next_piece(const struct split_plan *plan, uint64_t *chance, size_t given, size_t len)
{
    const size_t rest = len - given;
    size_t piece = rest;

    switch (plan->kind) {
    case SPLIT_BYTES:
        piece = 1;
        break;
    case SPLIT_ONCE:
        piece = given == 0 ? 1 + chance_below(chance, len) : rest;
        break;
    case SPLIT_RANDOM:
        piece = 1 + chance_below(chance, 8);
        break;
    case SPLIT_COARSE:
        piece = 1 + chance_below(chance, 64);
        break;
    default:
        break;
    }
    return piece < rest ? piece : rest;
}

static void give(struct playing *playing, size_t len, bool is_direct)
{
    size_t direct =
        is_direct && playing->at == playing->given ? urlp_h1_direct_len(playing->codec) : 0;

    ASAN_UNPOISON_MEMORY_REGION(playing->data + playing->given, len);
    if (direct > len) {
        direct = len;
    }
    if (direct > 0) {
        record_add(&playing->answer->body, playing->data + playing->at, direct);
        urlp_h1_took(playing->codec, direct);
        playing->at += direct;
    }
    playing->given += len;
}

static void end_stream(struct playing *playing)
{
    struct urlpool_error err = {.code = URLPOOL_OK};
    struct urlp_h1_event event;
    enum urlpool_code code;

    if (playing->is_over) {
        return;
    }
    if (playing->exchange->stop == DIFFER_WAIT) {
        playing->answer->outcome = DIFFER_UNFINISHED;
        return;
    }
    code =
        urlp_h1_end_of_stream(playing->codec, playing->exchange->stop == DIFFER_EOF, &event, &err);
    if (code != URLPOOL_OK) {
        take_error(playing, code, &err);
        return;
    }
    take_event(playing, &event);
}

static void play(struct playing *playing, const struct split_plan *plan, uint64_t *chance)
{
    const struct record *bytes = &playing->exchange->bytes;

    playing->data = malloc(bytes->len + 1);
    if (playing->data == NULL) {
        abort();
    }
    if (bytes->len > 0) {
        memcpy(playing->data, bytes->data, bytes->len);
    }
    ASAN_POISON_MEMORY_REGION(playing->data, bytes->len + 1);
    drain(playing);
    while (!playing->is_over && playing->given < bytes->len) {
        give(playing, next_piece(plan, chance, playing->given, bytes->len), plan->is_direct);
        drain(playing);
    }
    end_stream(playing);
    playing->answer->left = bytes->len - playing->at;
    ASAN_UNPOISON_MEMORY_REGION(playing->data, bytes->len + 1);
    free(playing->data);
    playing->answer->may_reuse = playing->answer->left == 0 && urlp_h1_is_reusable(playing->codec);
    if (playing->answer->may_reuse && playing->answer->outcome != DIFFER_WHOLE) {
        playing->fault = "reusable without a whole response";
    }
}

/* ask writes the head of the request; the codec takes it, or `playing` has a fault. */
static bool ask(struct playing *playing, const struct differ_exchange *exchange)
{
    const struct urlp_span yes = urlp_span_of("a");
    struct urlp_field fields[3] = {
        {urlp_span_of("Host"), yes}
    };
    struct urlp_request_head head = {.method = urlp_span_of(exchange->method),
                                     .target = urlp_span_of("/"),
                                     .fields = fields,
                                     .num_fields = 1,
                                     .is_checked = true};
    struct urlp_buf wire;
    enum urlpool_code code;

    if (exchange->asks_to_close) {
        fields[head.num_fields++] =
            (struct urlp_field){urlp_span_of("Connection"), urlp_span_of("close")};
    }
    if (exchange->upgrade != NULL) {
        fields[head.num_fields++] =
            (struct urlp_field){urlp_span_of("Upgrade"), urlp_span_of(exchange->upgrade)};
    }
    urlp_buf_init(&wire, 0);
    code = urlp_h1_write_head(playing->codec, &head, &wire, NULL);
    urlp_buf_deinit(&wire);
    return code == URLPOOL_OK;
}

static struct urlpool_limits limits_of(const struct differ_rules *rules)
{
    const struct urlpool_limits limits = {
        .refuse_bare_lf = rules->refuse_bare_lf,
        .refuse_missing_reason = rules->refuse_missing_reason,
        .refuse_obs_fold = rules->refuse_obs_fold,
        .refuse_chunk_blanks = rules->refuse_chunk_blanks,
        .line_bytes_max = (int64_t)rules->line_max,
        .head_bytes_max = (int64_t)rules->head_max,
        .trailer_bytes_max = (int64_t)rules->trailer_max,
        .fields_max = (int32_t)rules->fields_max,
        .interims_max = (int32_t)rules->interims_max,
        .chunk_line_bytes_max = (int32_t)rules->chunk_line_max,
    };

    return limits;
}

const char *ours_read(const struct differ_input *input, const struct split_plan *plan,
                      struct differ_verdict *out)
{
    const struct urlpool_limits limits = limits_of(&input->rules);
    struct playing playing = {.codec = urlp_h1_new(&limits, NULL)};
    uint64_t chance = plan->seed;
    bool goes_on = true;

    if (playing.codec == NULL) {
        return "no codec";
    }
    differ_verdict_clear(out);
    for (size_t i = 0; goes_on && i < input->num_exchanges; i++) {
        const struct differ_exchange *exchange = &input->exchanges[i];

        playing = (struct playing){
            .codec = playing.codec, .exchange = exchange, .answer = &out->answers[i]};
        if (!ask(&playing, exchange)) {
            playing.fault = "a request that is not taken";
            break;
        }
        if (!exchange->is_unsent) {
            urlp_h1_request_sent(playing.codec);
        }
        play(&playing, plan, &chance);
        out->num_answers = i + 1;
        goes_on = out->answers[i].may_reuse && playing.fault == NULL;
    }
    if (playing.fault == NULL && !urlp_h1_is_reusable(playing.codec) &&
        ask(&playing, &input->exchanges[0])) {
        playing.fault = "a request that is taken";
    }
    urlp_h1_free(playing.codec);
    return playing.fault;
}
