/* Inputs and verdicts: emptied, freed, and shown as the transcripts show them, so that a finding
 * can become one. */

#include "input.h"

void differ_verdict_clear(struct differ_verdict *verdict)
{
    verdict->num_answers = 0;
    for (size_t i = 0; i < DIFFER_EXCHANGES_MAX; i++) {
        struct differ_answer *answer = &verdict->answers[i];

        answer->outcome = DIFFER_WHOLE;
        answer->heads.len = 0;
        answer->body.len = 0;
        answer->trailers.len = 0;
        answer->why.len = 0;
        answer->left = 0;
        answer->may_reuse = false;
    }
}

void differ_verdict_free(struct differ_verdict *verdict)
{
    for (size_t i = 0; i < DIFFER_EXCHANGES_MAX; i++) {
        record_free(&verdict->answers[i].heads);
        record_free(&verdict->answers[i].body);
        record_free(&verdict->answers[i].trailers);
        record_free(&verdict->answers[i].why);
    }
    verdict->num_answers = 0;
}

void differ_input_free(struct differ_input *input)
{
    for (size_t i = 0; i < DIFFER_EXCHANGES_MAX; i++) {
        record_free(&input->exchanges[i].bytes);
    }
    input->num_exchanges = 0;
}

static void print_rules(FILE *out, const struct differ_rules *rules)
{
    const struct {
        const char *name;
        bool is_set;
    } flags[] = {
        {"refuse_bare_lf",        rules->refuse_bare_lf       },
        {"refuse_missing_reason", rules->refuse_missing_reason},
        {"refuse_obs_fold",       rules->refuse_obs_fold      },
        {"refuse_chunk_blanks",   rules->refuse_chunk_blanks  },
    };

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (flags[i].is_set) {
            fprintf(out, ": %s\n", flags[i].name);
        }
    }
    fprintf(out, ": line_bytes_max %zu\n: head_bytes_max %zu\n: trailer_bytes_max %zu\n",
            rules->line_max, rules->head_max, rules->trailer_max);
    fprintf(out, ": fields_max %zu\n: interims_max %zu\n: chunk_line_bytes_max %zu\n",
            rules->fields_max, rules->interims_max, rules->chunk_line_max);
}

void differ_input_print(FILE *out, const struct differ_input *input)
{
    static const char *const stops[] = {"", "! eof\n", "! cut\n"};

    print_rules(out, &input->rules);
    for (size_t i = 0; i < input->num_exchanges; i++) {
        const struct differ_exchange *exchange = &input->exchanges[i];

        fprintf(out, "> %s / HTTP/1.1%s\n", exchange->method,
                exchange->is_unsent ? " (its body unsent)" : "");
        if (exchange->asks_to_close) {
            fprintf(out, "> Connection: close\n");
        }
        if (exchange->upgrade != NULL) {
            fprintf(out, "> Upgrade: %s\n", exchange->upgrade);
        }
        fprintf(out, "< ");
        record_print(out, &exchange->bytes);
        fprintf(out, "\n%s", stops[exchange->stop]);
    }
}

void differ_verdict_print(FILE *out, const struct differ_verdict *verdict)
{
    static const char *const outcomes[] = {"whole", "switched", "unfinished", "refused"};

    for (size_t i = 0; i < verdict->num_answers; i++) {
        const struct differ_answer *answer = &verdict->answers[i];

        fprintf(out, "  %zu: %s, %s, %zu left, heads \"", i, outcomes[answer->outcome],
                answer->may_reuse ? "to be used again" : "not to be used again", answer->left);
        record_print(out, &answer->heads);
        fprintf(out, "\" body \"");
        record_print(out, &answer->body);
        fprintf(out, "\" trailers \"");
        record_print(out, &answer->trailers);
        fprintf(out, "\" ");
        record_print(out, &answer->why);
        fprintf(out, "\n");
    }
}
