/* Whole exchanges on one connection, as long as it may be used again: head, body in each way in
 * which it can be read, decoding, trailers, and whether the next request may go. In pieces the same
 * comes of it as whole. An input is three bytes of choices, how the peer ends, the size of the
 * pieces, and the answers, with two bytes 0xff between them: none is there before its request. */

#include "urlpool/sse.h"

#include "base/clock.h"
#include "conn/connection.h"
#include "conn/response.h"
#include "conn/wire.h"
#include "fuzz/input.h"
#include "fuzz/peer.h"

#define EXCHANGES_MAX 6

enum {
    CHOICE_SMALL = 1,
    CHOICE_STRICT = 2,
    CHOICE_KEEP_ENCODED = 4,
    CHOICE_BOUNDED = 8 /* bodies of at most 100 bytes */
};

enum how {
    READ_ALL,
    READ_PIECES,
    READ_LINES,
    READ_CHUNKS,
    READ_STREAM,
    READ_EVENTS,
    READ_EXACT,
    READ_NOTHING,
    NUM_HOW
};

/* struct play is the connection and what came of it so far. */
struct play {
    struct urlpool_connection *connection;
    struct urlpool_limits limits; /* its */
    struct fuzz_peer peer;
    struct urlp_buf log;
    uint8_t choices, how, methods;
    struct urlp_connection_verdict verdict;
    unsigned num_ended;
};

static void note(struct play *play, const char *what, int64_t number)
{
    fuzz_ok(urlp_buf_printf(&play->log, "%s %lld\n", what, (long long)number));
}

static void ended(void *user, struct urlpool_connection *connection,
                  const struct urlp_connection_verdict *verdict)
{
    struct play *play = user;

    fuzz_require(connection == play->connection, "another connection", urlp_span_of(""));
    play->verdict = *verdict;
    play->num_ended++;
}

static enum urlpool_code keep(void *user, const void *data, size_t len, struct urlpool_error *err)
{
    (void)err;
    fuzz_ok(urlp_buf_append(user, data, len));
    return URLPOOL_OK;
}

static enum urlpool_code read_pieces(struct urlpool_response *response, struct urlp_buf *body,
                                     bool exact)
{
    enum urlpool_code code = URLPOOL_OK;
    uint8_t piece[33];
    size_t got = 1;
    const uint8_t *shown = NULL;
    size_t num_shown = 0;

    while (code == URLPOOL_OK && got > 0) {
        if (!exact && body->len % 2 == 0) {
            code = urlpool_response_peek(response, &shown, &num_shown, NULL);
        }
        if (code == URLPOOL_OK) {
            code = exact ? urlpool_response_read_exact(response, piece, sizeof(piece), &got, NULL)
                         : urlpool_response_read(response, piece, sizeof(piece), &got, NULL);
        }
        if (code == URLPOOL_OK) {
            fuzz_require(got <= sizeof(piece), "more than there is room for", urlp_span_of(""));
            fuzz_ok(urlp_buf_append(body, piece, got));
        }
    }
    return code;
}

static enum urlpool_code read_lines(struct urlpool_response *response, struct urlp_buf *body)
{
    char line[80];
    size_t len = 0;
    bool at_end = false;
    enum urlpool_code code = URLPOOL_OK;

    while (code == URLPOOL_OK && !at_end) {
        code = urlpool_response_read_line(response, line, sizeof(line), &len, &at_end, NULL);
        if (code == URLPOOL_OK && !at_end) {
            fuzz_require(len < sizeof(line) && line[len] == '\0' && memchr(line, '\n', len) == NULL,
                         "a line that is none", urlp_span_make(line, len < 80 ? len : 80));
            fuzz_ok(urlp_buf_append(body, line, len));
            fuzz_ok(urlp_buf_append(body, "\n", 1));
        }
    }
    return code;
}

static enum urlpool_code read_chunks(struct urlpool_response *response, struct urlp_buf *body)
{
    uint8_t piece[50];
    size_t got = 1;
    bool chunk_ends = false;
    enum urlpool_code code = URLPOOL_OK;

    while (code == URLPOOL_OK && got > 0) {
        code = urlpool_response_read_chunk(response, piece, sizeof(piece), &got, &chunk_ends, NULL);
        if (code == URLPOOL_OK) {
            fuzz_ok(urlp_buf_append(body, piece, got));
            fuzz_ok(urlp_buf_append_text(body, chunk_ends ? "|" : ""));
        }
    }
    return code;
}

static enum urlpool_code read_events(struct urlpool_response *response, struct urlp_buf *body)
{
    struct urlpool_sse *sse = urlpool_sse_new(response, 300, NULL);
    struct urlpool_sse_event event;
    bool at_end = false;
    enum urlpool_code code = URLPOOL_OK;

    if (sse == NULL) {
        return read_pieces(response, body, true);
    }
    while (code == URLPOOL_OK && !at_end) {
        code = urlpool_sse_next(sse, &event, &at_end, NULL);
        if (code == URLPOOL_OK && !at_end) {
            fuzz_ok(urlp_buf_printf(body, "%s|%s|%s\n", event.event, event.data, event.id));
        }
    }
    urlpool_sse_free(sse);
    return code;
}

static enum urlpool_code read_body(struct play *play, struct urlpool_response *response,
                                   struct urlp_buf *body)
{
    switch (play->how % NUM_HOW) {
    case READ_PIECES:
        return read_pieces(response, body, false);
    case READ_LINES:
        return read_lines(response, body);
    case READ_CHUNKS:
        return read_chunks(response, body);
    case READ_STREAM:
        return urlpool_response_stream(response, keep, body, NULL);
    case READ_EVENTS:
        return read_events(response, body);
    case READ_EXACT:
        return read_pieces(response, body, true);
    case READ_NOTHING:
        urlpool_response_drain(response);
        return URLPOOL_OK;
    default:
        break;
    }
    if (urlpool_response_read_all(response, NULL) != URLPOOL_OK) {
        return urlpool_response_read_all(response, NULL);
    }
    fuzz_ok(urlp_buf_append(body, response->data, response->data_len));
    fuzz_require(response->data[response->data_len] == '\0', "no NUL behind the body",
                 urlp_span_of(""));
    return URLPOOL_OK;
}

/* note_fields writes down the head, or the trailers. */
static void note_fields(struct play *play, const struct urlpool_headers *fields)
{
    for (size_t i = 0; i < urlpool_headers_count(fields); i++) {
        const struct urlpool_field field = urlpool_headers_at(fields, i);

        fuzz_ok(urlp_buf_printf(&play->log, "%s: %s\n", field.name, field.value));
    }
}

/* is_either says whether a failure is one of those of which the first that is met counts: bytes
 * decoded in the same step as a fault are not read, so a bound that they would pass is not met. */
static bool is_either(enum urlpool_code code)
{
    return code == URLPOOL_E_DECODE || code == URLPOOL_E_LINE_TOO_LONG ||
           code == URLPOOL_E_DATA_TOO_LARGE;
}

static void hear(struct play *play, struct urlpool_response *response)
{
    const struct urlp_response_owner owner = {.ended = ended, .user = play};
    struct urlp_buf body = {0};
    enum urlpool_code code;

    note(play, "status", response->status);
    note(play, "version", response->version);
    fuzz_ok(urlp_buf_append_text(&play->log, response->reason));
    note_fields(play, response->headers);
    play->num_ended = 0;
    urlp_response_set_owner(response, &owner);
    if (urlp_response_has_switched(response)) {
        note(play, "switched", 0);
    } else {
        code = read_body(play, response, &body);
        note(play, "code", is_either(code) ? URLPOOL_E_DECODE : code);
        if (code == URLPOOL_OK) {
            fuzz_ok(urlp_buf_append(&play->log, body.data, body.len));
            note_fields(play, urlpool_response_trailers(response));
        }
        fuzz_require(code != URLPOOL_E_INVALID || play->how % NUM_HOW == READ_CHUNKS,
                     "our own fault", urlp_span_make(body.data, body.len));
    }
    urlpool_response_free(response);
    fuzz_require(play->num_ended == 1, "an owner told of no end, or of two", urlp_span_of(""));
    urlp_buf_deinit(&body);
}

/* ask sends the next request. */
static struct urlpool_response *ask(struct play *play, unsigned turn)
{
    static const struct urlp_field fields[] = {
        {{"Host", 4},        {"a", 1}      },
        {{"Connection", 10}, {"upgrade", 7}},
        {{"Upgrade", 7},     {"x", 1}      },
    };
    const unsigned method = (unsigned)play->methods >> (turn % 4 * 2) & 3;
    const struct urlp_request_head head = {.method = urlp_span_of(method == 1 ? "HEAD" : "GET"),
                                           .target = urlp_span_of("/"),
                                           .fields = fields,
                                           .num_fields = method == 2 ? 3 : 1};
    const struct urlp_exchange exchange = {
        .head = &head,
        .read_ms = -1,
        .write_ms = -1,
        .data_bytes_max = (play->choices & CHOICE_BOUNDED) != 0 ? 100 : -1,
        .keep_encoded = (play->choices & CHOICE_KEEP_ENCODED) != 0};
    static struct urlp_call call;
    struct urlp_exchange_facts facts;
    struct urlpool_error err = {0};
    struct urlpool_response *response;

    call = fuzz_call();
    response = urlp_connection_exchange(play->connection, &exchange, &call, &facts, &err);
    if (response == NULL) {
        note(play, "failed", err.code);
        note(play, "phase", err.phase);
        fuzz_require(facts.request_bytes_sent, "nothing sent", urlp_span_of(err.message));
    }
    return response;
}

static void open_connection(struct play *play)
{
    const struct urlp_origin origin = {.host = urlp_span_of("a"), .port = 80};
    struct urlpool_limits *limits = &play->limits;

    limits->refuse_bare_lf = limits->refuse_missing_reason = limits->refuse_obs_fold =
        limits->refuse_chunk_blanks = (play->choices & CHOICE_STRICT) != 0;
    if ((play->choices & CHOICE_SMALL) != 0) {
        limits->line_bytes_max = 60;
        limits->head_bytes_max = 160;
        limits->trailer_bytes_max = 40;
        limits->chunk_line_bytes_max = 20;
        limits->fields_max = 5;
        limits->interims_max = 1;
    }
    play->connection = fuzz_must(urlp_connection_create(&origin, limits, NULL));
    fuzz_ok(urlp_connection_attach(play->connection, fuzz_peer_open(&play->peer), NULL));
}

/* take_answer takes the bytes of the next answer off `rest`. */
static struct urlp_span take_answer(struct urlp_span *rest, bool *out_is_last)
{
    const char *end = rest->len < 2 ? NULL : memmem(rest->data, rest->len, "\xff\xff", 2);
    const size_t len = end == NULL ? rest->len : (size_t)(end - rest->data);
    const struct urlp_span answer = urlp_span_make(rest->data, len);

    *out_is_last = end == NULL;
    *rest = end == NULL ? urlp_span_make(NULL, 0) : urlp_span_make(end + 2, rest->len - len - 2);
    return answer;
}

static void play_all(struct play *play, struct urlp_span text, enum fuzz_ending ending)
{
    bool may_go_on = true;
    bool is_last = false;

    open_connection(play);
    for (unsigned turn = 0; turn < EXCHANGES_MAX && may_go_on && !is_last; turn++) {
        const struct urlp_span answer = take_answer(&text, &is_last);
        struct urlpool_response *response;
        bool is_closed = false;

        play->peer.due = (const uint8_t *)(answer.data != NULL ? answer.data : "");
        play->peer.due_len = answer.len;
        play->peer.ending = is_last ? ending : FUZZ_WAITS;
        play->verdict = (struct urlp_connection_verdict){0};
        response = ask(play, turn);
        if (response != NULL) {
            hear(play, response);
        }
        may_go_on = response != NULL && play->verdict.is_reusable &&
                    urlp_connection_look(play->connection, &is_closed);
        note(play, "reusable", may_go_on);
        fuzz_require(!may_go_on || play->peer.at == play->peer.len, "reused with bytes left over",
                     text);
    }
    urlp_connection_end(play->connection, true);
    fuzz_require(play->peer.is_freed, "a stream that is left behind", text);
    urlp_buf_deinit(&play->peer.written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct play whole = {.choices = fuzz_byte(&input)};
    struct play cut;
    enum fuzz_ending ending;
    size_t step;
    struct urlp_span text;

    if (!urlp_clock_is_fake()) {
        urlp_clock_fake_begin(INT64_C(1000000000));
    }
    whole.how = fuzz_byte(&input);
    whole.methods = fuzz_byte(&input);
    ending = (enum fuzz_ending)fuzz_below(&input, FUZZ_NUM_ENDINGS);
    step = 1 + (size_t)fuzz_byte(&input) % 128;
    text = fuzz_rest(&input);
    cut = whole;
    cut.peer.first = cut.peer.step = step;
    play_all(&whole, text, ending);
    play_all(&cut, text, ending);
    if (whole.log.len != cut.log.len || memcmp(whole.log.data, cut.log.data, cut.log.len) != 0) {
        (void)fprintf(stderr, "--- whole\n%.*s\n--- in pieces\n", (int)whole.log.len,
                      (const char *)whole.log.data);
        fuzz_require(false, "another outcome in pieces", urlp_span_make(cut.log.data, cut.log.len));
    }
    urlp_buf_deinit(&whole.log);
    urlp_buf_deinit(&cut.log);
    return 0;
}
