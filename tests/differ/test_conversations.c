/* A whole connection (lib/conn over a scripted stream) against the reference parser, over mutated
 * transcripts: what the codec is asked is also what the caller gets - status, fields, body,
 * trailers - and the connection takes the next request exactly when the reference lets it, bytes
 * that lie behind the end included, whether they were read already or wait in the stream.
 *
 * URLPOOL_TEST_SEED is the number of the first input (a finding tells its own), URLPOOL_TEST_INPUTS
 * how many follow from there, URLPOOL_TEST_BATCHES how often so many. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chance.h"
#include "compare.h"
#include "conn/wire.h"
#include "http/field.h"
#include "mutator.h"
#include "reference.h"
#include "support/conn_fixture.h"
#include "support/run_tests.h"

#define NUM_INPUTS     20000
#define PIECE_MAX      200
#define PIECES_UP_TO   4000 /* longer answers come at once: a script has room for so many pieces */
#define READ_BYTES_MAX 700

struct run {
    uint64_t seed;
    size_t num_inputs;
    struct mutator *mutator;
    struct differ_input input;
    struct differ_verdict reference, ours;
    size_t num_whole, num_again;
};

static struct run run;

static void tell(uint64_t seed, const char *wrong)
{
    printf("URLPOOL_TEST_SEED=%" PRIu64 " URLPOOL_TEST_INPUTS=1\n", seed);
    differ_input_print(stdout, &run.input);
    printf("reference:\n");
    differ_verdict_print(stdout, &run.reference);
    printf("ours:\n");
    differ_verdict_print(stdout, &run.ours);
    fflush(stdout);
    ck_abort_msg("URLPOOL_TEST_SEED=%" PRIu64 ": %s", seed, wrong);
}

static void write_fields(struct record *out, const struct urlpool_headers *headers)
{
    size_t num = headers == NULL ? 0 : urlpool_headers_count(headers);

    for (size_t i = 0; i < num; i++) {
        const struct urlp_field field = urlp_headers_field(headers, i);

        record_add(out, field.name.data, field.name.len);
        record_text(out, ": ");
        record_add(out, field.value.data, field.value.len);
        record_text(out, "\n");
    }
}

static void write_head(struct record *out, const struct urlpool_response *response)
{
    record_text(out, response->version == 10 ? "1.0 " : "1.1 ");
    record_number(out, (unsigned)response->status);
    record_text(out, " ");
    record_text(out, response->reason);
    record_text(out, "\n");
    write_fields(out, response->headers);
}

/* outcome_of says what an error means: that nothing more came, or that all is over. */
static enum differ_outcome outcome_of(enum urlpool_code code)
{
    return code == URLPOOL_E_READ_TIMEOUT ? DIFFER_UNFINISHED : DIFFER_REFUSED;
}

static void give(struct script *script, const struct differ_exchange *exchange, uint64_t *chance)
{
    const struct record *bytes = &exchange->bytes;
    size_t given = 0;

    while (given < bytes->len) {
        size_t len = bytes->len > PIECES_UP_TO ? bytes->len : 1 + chance_below(chance, PIECE_MAX);

        len = len < bytes->len - given ? len : bytes->len - given;
        script_give_bytes(script, bytes->data + given, len);
        given += len;
    }
    if (exchange->stop != DIFFER_WAIT) {
        script_end(script, exchange->stop == DIFFER_EOF ? URLP_END_CLEAN : URLP_END_RAGGED);
    }
}

/* read_body reads the body in pieces of any size. */
static void read_body(struct urlpool_response *response, struct differ_answer *answer,
                      uint64_t *chance)
{
    char data[READ_BYTES_MAX];
    enum urlpool_code code = URLPOOL_OK;
    size_t len = 1;

    while (code == URLPOOL_OK && len > 0) {
        struct urlpool_error err;

        code = urlpool_response_read(response, data, 1 + chance_below(chance, sizeof(data)), &len,
                                     &err);
        if (code == URLPOOL_OK) {
            record_add(&answer->body, data, len);
        }
    }
    if (code != URLPOOL_OK) {
        answer->outcome = outcome_of(code);
        record_text(&answer->why, urlpool_code_name(code));
        return;
    }
    answer->outcome = DIFFER_WHOLE;
    write_fields(&answer->trailers, urlpool_response_trailers(response));
}

/* play_exchange asks and hears; whether the next request may follow is in the answer. */
static void play_exchange(struct fixture *fixture, const struct differ_exchange *exchange,
                          struct differ_answer *answer, uint64_t *chance)
{
    struct urlpool_response *response;
    bool is_closed;

    fixture->method = exchange->method;
    fixture->fields = exchange->asks_to_close ? "Connection: close\n" : "";
    fixture->num_ended = 0;
    fixture->verdict = (struct urlp_connection_verdict){.is_reusable = false};
    fixture->traced[0] = '\0';
    give(fixture->script, exchange, chance);
    response = fixture_exchange(fixture);
    if (response == NULL) {
        answer->outcome = outcome_of(fixture->err.code);
        record_text(&answer->why, urlpool_code_name(fixture->err.code));
        return;
    }
    write_head(&answer->heads, response);
    read_body(response, answer, chance);
    urlpool_response_free(response);
    ck_assert_uint_eq(fixture->num_ended, 1);
    answer->may_reuse = fixture->verdict.is_reusable;
    if (answer->may_reuse) {
        ck_assert_uint_eq(urlp_inbox_len(&fixture->connection->in), 0);
        urlp_connection_rest(fixture->connection);
        answer->may_reuse = urlp_connection_look(fixture->connection, &is_closed);
    }
}

static void play(const struct differ_input *input, struct differ_verdict *out, uint64_t *chance)
{
    struct fixture fixture;
    bool goes_on = true;

    differ_verdict_clear(out);
    fixture_begin(&fixture);
    fixture.keep_encoded = true;
    for (size_t i = 0; goes_on && i < input->num_exchanges; i++) {
        play_exchange(&fixture, &input->exchanges[i], &out->answers[i], chance);
        out->num_answers = i + 1;
        goes_on = out->answers[i].may_reuse;
    }
    fixture_end(&fixture);
}

/* fit makes the input one for a plain exchange: no tunnel, no other protocol, nothing to send,
 * usual limits; and what the reference shows comparable, where a caller is shown less. */
static void fit(struct differ_input *input)
{
    input->rules = (struct differ_rules){.line_max = 65536,
                                         .head_max = 262144,
                                         .trailer_max = 16384,
                                         .fields_max = 200,
                                         .interims_max = 32,
                                         .chunk_line_max = 4096};
    for (size_t i = 0; i < input->num_exchanges; i++) {
        struct differ_exchange *exchange = &input->exchanges[i];

        exchange->method = strcmp(exchange->method, "HEAD") == 0 ? "HEAD" : "GET";
        exchange->upgrade = NULL;
        exchange->is_unsent = false;
    }
}

/* show_as_ours leaves the final head of each answer, and takes the end of the stream for what it is
 * to a connection at rest. */
static void show_as_ours(struct differ_verdict *reference, const struct differ_verdict *ours)
{
    for (size_t i = 0; i < reference->num_answers; i++) {
        struct differ_answer *answer = &reference->answers[i];
        const struct differ_answer *other = &ours->answers[i];

        if (other->heads.len < answer->heads.len &&
            record_ends_with(&answer->heads, &other->heads)) {
            record_replace(&answer->heads, 0, answer->heads.len - other->heads.len, NULL, 0);
        }
        answer->left = 0;
        if (run.input.exchanges[i].stop != DIFFER_WAIT && answer->may_reuse) {
            answer->may_reuse = false;
            reference->num_answers = i + 1;
        }
    }
}

static void play_input(uint64_t seed)
{
    uint64_t chance = ~seed;
    const char *wrong;

    mutator_make(run.mutator, seed, &run.input);
    fit(&run.input);
    reference_read(&run.input, &run.reference);
    play(&run.input, &run.ours, &chance);
    show_as_ours(&run.reference, &run.ours);
    wrong = compare_with_reference(&run.reference, &run.ours);
    if (wrong != NULL) {
        tell(seed, wrong);
    }
    for (size_t i = 0; i < run.ours.num_answers; i++) {
        run.num_whole += run.ours.answers[i].outcome == DIFFER_WHOLE;
        run.num_again += run.ours.answers[i].may_reuse;
    }
}

START_TEST(connection__gives_what_the_reference_reads_and_is_used_again_when_it_may)
{
    run.mutator = mutator_new(TRANSCRIPTS_DIR);
    for (size_t i = 0; i < run.num_inputs; i++) {
        play_input(run.seed + (uint64_t)_i * run.num_inputs + i);
    }
    printf("%zu inputs, %zu whole answers, %zu of them followed by another request\n",
           run.num_inputs, run.num_whole, run.num_again);
    fflush(stdout);
    if (run.num_inputs >= 1000) {
        ck_assert_uint_gt(run.num_whole, run.num_inputs / 5);
        ck_assert_uint_gt(run.num_again, run.num_inputs / 15);
    }
    differ_input_free(&run.input);
    differ_verdict_free(&run.reference);
    differ_verdict_free(&run.ours);
}
END_TEST

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

int main(void)
{
    const size_t num_rounds = (size_t)number_from("URLPOOL_TEST_BATCHES", 1);
    const struct test_loop loops[] = {
        {connection__gives_what_the_reference_reads_and_is_used_again_when_it_may, num_rounds},
    };
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    run.seed = number_from("URLPOOL_TEST_SEED",
                           (uint64_t)now.tv_sec * 1000000007U + (uint64_t)now.tv_nsec);
    run.num_inputs = (size_t)number_from("URLPOOL_TEST_INPUTS", NUM_INPUTS);
    printf("URLPOOL_TEST_SEED=%" PRIu64 " URLPOOL_TEST_INPUTS=%zu URLPOOL_TEST_BATCHES=%zu\n",
           run.seed, run.num_inputs, num_rounds);
    fflush(stdout);
    return run_loops("conversations", loops, 1);
}
