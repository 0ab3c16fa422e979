/* Prints inputs, and what the codec makes of the first answer of each, for the comparison with
 * other clients: one JSON object a line. Limits are the usual ones, all tolerances on; `strict` is
 * the outcome with all of them off.
 *
 * Usage: differ_feed SEED COUNT */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mutator.h"
#include "ours.h"

static const char *const outcomes[] = {"whole", "switched", "unfinished", "refused"};

static void print_hex(const char *name, const struct record *record)
{
    printf(",\"%s\":\"", name);
    for (size_t i = 0; i < record->len; i++) {
        printf("%02x", record->data[i]);
    }
    printf("\"");
}

static void set_rules(struct differ_rules *rules, bool is_strict)
{
    *rules = (struct differ_rules){
        .refuse_bare_lf = is_strict,
        .refuse_missing_reason = is_strict,
        .refuse_obs_fold = is_strict,
        .refuse_chunk_blanks = is_strict,
        .line_max = 65536,
        .head_max = 262144,
        .trailer_max = 16384,
        .fields_max = 200,
        .interims_max = 32,
        .chunk_line_max = 4096,
    };
}

static void print_one(struct differ_input *input, uint64_t seed, struct differ_verdict *verdict,
                      struct differ_verdict *strict)
{
    static const struct split_plan whole = {SPLIT_WHOLE, 0, false};
    struct differ_exchange *exchange = &input->exchanges[0];
    const struct differ_answer *answer = &verdict->answers[0];

    input->num_exchanges = 1;
    exchange->is_unsent = false;
    if (strcmp(exchange->method, "head") == 0) {
        exchange->method = "GET"; /* node makes it HEAD */
    }
    if (exchange->stop == DIFFER_CUT) {
        exchange->stop = DIFFER_EOF;
    }
    set_rules(&input->rules, true);
    (void)ours_read(input, &whole, strict);
    set_rules(&input->rules, false);
    (void)ours_read(input, &whole, verdict);
    if (seed % 2 != 0 && answer->outcome <= DIFFER_SWITCHED && answer->left > 0) {
        /* what comes behind is another matter, and hides others */
        exchange->bytes.len -= answer->left;
        (void)ours_read(input, &whole, verdict);
    }
    printf("{\"seed\":\"%" PRIu64 "\",\"method\":\"%s\",\"upgrade\":\"%s\",\"close\":%s,\"eof\":%s",
           seed, exchange->method, exchange->upgrade != NULL ? exchange->upgrade : "",
           exchange->asks_to_close ? "true" : "false",
           exchange->stop == DIFFER_EOF ? "true" : "false");
    print_hex("bytes", &exchange->bytes);
    printf(",\"outcome\":\"%s\",\"strict\":\"%s\",\"left\":%zu,\"reuse\":%s,\"why\":\"%.*s\"",
           outcomes[answer->outcome], outcomes[strict->answers[0].outcome], answer->left,
           answer->may_reuse ? "true" : "false", (int)answer->why.len,
           answer->why.len > 0 ? (const char *)answer->why.data : "");
    print_hex("heads", &answer->heads);
    print_hex("body", &answer->body);
    print_hex("trailers", &answer->trailers);
    printf("}\n");
}

int main(int argc, char **argv)
{
    struct differ_verdict verdict = {0};
    struct differ_verdict strict = {0};
    struct differ_input input = {0};
    struct mutator *mutator;
    uint64_t seed;
    uint64_t count;

    if (argc != 3) {
        fprintf(stderr, "usage: differ_feed SEED COUNT\n");
        return 2;
    }
    mutator = mutator_new(TRANSCRIPTS_DIR);
    seed = strtoull(argv[1], NULL, 10);
    count = strtoull(argv[2], NULL, 10);
    for (uint64_t i = 0; i < count; i++) {
        mutator_make(mutator, seed + i, &input);
        print_one(&input, seed + i, &verdict, &strict);
    }
    differ_input_free(&input);
    differ_verdict_free(&verdict);
    differ_verdict_free(&strict);
    return ferror(stdout) != 0;
}
