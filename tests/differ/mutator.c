/* Makes inputs: takes transcripts or writes answers from the grammar, one to four for a connection,
 * and mutates them a few times. Half of what comes out should still be nearly right: a parser shows
 * nothing of itself to noise that it refuses at the first byte. */

#include "mutator.h"

#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "mutations.h"
#include "unit/h1/transcript.h"
#include "words.h"

/* Longer answers are about limits, and cost time: one in so many is taken. */
#define USUAL_BYTES_MAX 600
#define LONG_ONE_IN     400
#define MUTATIONS_MAX   7
#define ANSWERS_MAX     4

/* struct original is an exchange of a transcript. */
struct original {
    struct differ_exchange exchange;
    struct differ_rules rules;
};

struct mutator {
    struct transcripts all;
    struct original *usual;
    size_t num_usual;
    struct original *large;
    size_t num_large;
};

/* --- transcripts ------------------------------------------------------------------------------ */

static size_t limit_of(int64_t given, size_t otherwise)
{
    return given > 0 ? (size_t)given : otherwise;
}

static struct differ_rules rules_of(const struct urlpool_limits *limits)
{
    const struct differ_rules rules = {
        .refuse_bare_lf = limits->refuse_bare_lf,
        .refuse_missing_reason = limits->refuse_missing_reason,
        .refuse_obs_fold = limits->refuse_obs_fold,
        .refuse_chunk_blanks = limits->refuse_chunk_blanks,
        .line_max = limit_of(limits->line_bytes_max, 65536),
        .head_max = limit_of(limits->head_bytes_max, 262144),
        .trailer_max = limit_of(limits->trailer_bytes_max, 16384),
        .fields_max = limit_of(limits->fields_max, 200),
        .interims_max = limit_of(limits->interims_max, 32),
        .chunk_line_max = limit_of(limits->chunk_line_bytes_max, 4096),
    };

    return rules;
}

static const char *copy_span(struct urlp_span span)
{
    char *copy = malloc(span.len + 1);

    if (copy == NULL) {
        abort();
    }
    if (span.len > 0) {
        memcpy(copy, span.data, span.len);
    }
    copy[span.len] = '\0';
    return copy;
}

static void take_exchange(struct original *to, const struct transcript_case *from,
                          const struct transcript_exchange *exchange)
{
    const struct urlp_request_head *head = &exchange->head;

    to->rules = rules_of(&from->limits);
    to->exchange.method = urlp_span_is_token(head->method) ? copy_span(head->method) : "GET";
    to->exchange.is_unsent = from->is_unsent;
    to->exchange.stop = (enum differ_stop)exchange->stop;
    record_add(&to->exchange.bytes, exchange->response.data, exchange->response.len);
    for (size_t i = 0; i < head->num_fields; i++) {
        if (urlp_span_is_nocase(head->fields[i].name, "Upgrade") &&
            urlp_field_value_is_valid(head->fields[i].value)) {
            to->exchange.upgrade = copy_span(head->fields[i].value);
        }
        if (urlp_span_is_nocase(head->fields[i].name, "Connection") &&
            urlp_span_is_nocase(head->fields[i].value, "close")) {
            to->exchange.asks_to_close = true;
        }
    }
}

static struct original *grow(struct original *originals, size_t *num)
{
    struct original *grown = realloc(originals, (*num + 1) * sizeof(*grown));

    if (grown == NULL) {
        abort();
    }
    grown[*num] = (struct original){0};
    (*num)++;
    return grown;
}

struct mutator *mutator_new(const char *transcripts_dir)
{
    struct mutator *mutator = calloc(1, sizeof(*mutator));

    if (mutator == NULL) {
        abort();
    }
    mutator->all = transcripts_load(transcripts_dir);
    for (size_t i = 0; i < mutator->all.num_cases; i++) {
        for (size_t j = 0; j < mutator->all.cases[i].num_exchanges; j++) {
            const struct transcript_exchange *exchange = &mutator->all.cases[i].exchanges[j];

            if (exchange->response.len <= USUAL_BYTES_MAX) {
                mutator->usual = grow(mutator->usual, &mutator->num_usual);
                take_exchange(&mutator->usual[mutator->num_usual - 1], &mutator->all.cases[i],
                              exchange);
            } else {
                mutator->large = grow(mutator->large, &mutator->num_large);
                take_exchange(&mutator->large[mutator->num_large - 1], &mutator->all.cases[i],
                              exchange);
            }
        }
    }
    words_load();
    return mutator;
}

static const struct original *any_original(const struct mutator *mutator, uint64_t *chance)
{
    if (mutator->num_large > 0 && chance_below(chance, LONG_ONE_IN) == 0) {
        return &mutator->large[chance_below(chance, mutator->num_large)];
    }
    return &mutator->usual[chance_below(chance, mutator->num_usual)];
}

/* --- the grammar ------------------------------------------------------------------------------ */

static void write_chunks(struct record *bytes, uint64_t *chance)
{
    static const char looks_like_http[] = "0\r\n\r\nHTTP/1.1 200";
    static const char *const sizes[] = {"0", "1", "2", "3", "4", "5", "6", "7"};
    static const char *const extensions[] = {"", "", "", ";a", ";a=b", " ;a=\"b, c\"", " "};
    size_t num = chance_below(chance, 4);

    for (size_t i = 0; i < num; i++) {
        size_t size = 1 + chance_below(chance, 7);

        record_text(bytes, chance_below(chance, 8) == 0 ? "00" : "");
        record_text(bytes, sizes[size]);
        record_text(bytes, extensions[chance_below(chance, 7)]);
        record_text(bytes, "\r\n");
        record_add(bytes, &looks_like_http[chance_below(chance, 8)], size);
        record_text(bytes, "\r\n");
    }
    record_text(bytes, "0\r\n");
    if (chance_below(chance, 3) == 0) {
        record_text(bytes, "X-Trailer: y\r\n");
    }
    record_text(bytes, "\r\n");
}

/* write_answer writes a response by the grammar, with what it says of itself mostly true. */
static void write_answer(struct differ_exchange *exchange, uint64_t *chance)
{
    static const char *const lines[] = {
        "HTTP/1.1 200 OK\r\n",         "HTTP/1.1 200 OK\r\n", "HTTP/1.1 404 Not Found\r\n",
        "HTTP/1.1 204 No Content\r\n", "HTTP/1.1 304\r\n",    "HTTP/1.0 200 OK\r\n",
    };
    static const char *const fields[] = {"Connection: keep-alive\r\n", "Connection: close\r\n",
                                         "Server: x/1.0 (y)\r\n",      "X: a\r\n b\r\n",
                                         "Keep-Alive: timeout=5\r\n",  "X-Empty:\r\n"};
    struct record *bytes = &exchange->bytes;
    size_t len = chance_below(chance, 12);

    record_text(bytes, lines[chance_below(chance, 6)]);
    for (size_t i = chance_below(chance, 3); i > 0; i--) {
        record_text(bytes, fields[chance_below(chance, 6)]);
    }
    if (chance_below(chance, 2) == 0) {
        record_text(bytes, "Transfer-Encoding: chunked\r\n\r\n");
        write_chunks(bytes, chance);
        return;
    }
    if (chance_below(chance, 8) > 0) {
        record_text(bytes, "Content-Length: ");
        record_number(bytes, len);
        record_text(bytes, "\r\n");
    }
    record_text(bytes, "\r\n");
    record_add(bytes, "hello, world", len);
}

/* --- the whole -------------------------------------------------------------------------------- */

static void add_exchange(const struct mutator *mutator, uint64_t *chance, struct differ_input *out)
{
    struct differ_exchange *exchange = &out->exchanges[out->num_exchanges];
    struct record bytes = exchange->bytes; /* its memory */
    const struct original *original = any_original(mutator, chance);

    bytes.len = 0;
    if (chance_below(chance, 5) < 2) {
        *exchange = (struct differ_exchange){.method = "GET", .bytes = bytes};
        write_answer(exchange, chance);
    } else {
        *exchange = original->exchange;
        record_add(&bytes, original->exchange.bytes.data, original->exchange.bytes.len);
        exchange->bytes = bytes;
        /* limits are of the connection, so that the last one counts */
        if (chance_below(chance, 4) > 0) {
            out->rules = original->rules;
        }
    }
    out->num_exchanges++;
}

void mutator_make(const struct mutator *mutator, uint64_t seed, struct differ_input *out)
{
    static const struct urlpool_limits no_limits;
    uint64_t chance = seed;
    size_t num_answers = 1;
    size_t num_mutations;

    out->num_exchanges = 0;
    out->rules = rules_of(&no_limits);
    while (num_answers < ANSWERS_MAX && chance_below(&chance, 3) == 0) {
        num_answers++;
    }
    for (size_t i = 0; i < num_answers; i++) {
        add_exchange(mutator, &chance, out);
    }
    num_mutations = chance_below(&chance, MUTATIONS_MAX);
    for (size_t i = 0; i < num_mutations; i++) {
        struct differ_exchange *exchange = &out->exchanges[chance_below(&chance, num_answers)];
        const struct work work = {
            .input = out,
            .exchange = exchange,
            .bytes = &exchange->bytes,
            .other = &any_original(mutator, &chance)->exchange.bytes,
            .chance = &chance,
        };

        mutate(&work);
    }
}
