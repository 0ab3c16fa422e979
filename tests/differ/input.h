#ifndef TESTS_DIFFER_INPUT_H
#define TESTS_DIFFER_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"

/* What both parsers are given, and what each makes of it. Nothing here is the library's. */

#define DIFFER_EXCHANGES_MAX 8

enum differ_stop {
    DIFFER_WAIT, /* the stream stays open */
    DIFFER_EOF,
    DIFFER_CUT /* it ends as TLS without close_notify does */
};

/* struct differ_exchange is a request, as far as it matters to the answer, and all bytes that come
 * back before the next request is sent. */
struct differ_exchange {
    const char *method;
    const char *upgrade; /* the protocols it offers; NULL: none */
    bool asks_to_close;
    bool is_unsent; /* the request body is never sent whole */
    struct record bytes;
    enum differ_stop stop;
};

/* struct differ_rules is where the grammar leaves a choice. */
struct differ_rules {
    bool refuse_bare_lf;
    bool refuse_missing_reason;
    bool refuse_obs_fold;
    bool refuse_chunk_blanks;
    size_t line_max;
    size_t head_max;
    size_t trailer_max;
    size_t fields_max;
    size_t interims_max;
    size_t chunk_line_max;
};

/* struct differ_input is what one connection sees. */
struct differ_input {
    struct differ_rules rules;
    size_t num_exchanges;
    struct differ_exchange exchanges[DIFFER_EXCHANGES_MAX];
};

enum differ_outcome {
    DIFFER_WHOLE,
    DIFFER_SWITCHED,   /* 101, or 2xx to CONNECT: what follows is no longer HTTP */
    DIFFER_UNFINISHED, /* more bytes are needed, and may come */
    DIFFER_REFUSED
};

/* struct differ_answer is what a parser makes of an exchange. */
struct differ_answer {
    enum differ_outcome outcome;
    struct record
        heads;          /* interim ones and the final one, each "1.1 200 reason", then its fields */
    struct record body; /* as much as was given out, also before a refusal */
    struct record trailers;
    size_t left; /* bytes behind the end of the message */
    bool may_reuse;
    struct record why; /* of a refusal, where a parser says it: to compare it with itself */
};

/* struct differ_verdict has an answer for each exchange up to the last one that took place. */
struct differ_verdict {
    size_t num_answers;
    struct differ_answer answers[DIFFER_EXCHANGES_MAX];
};

/* differ_verdict_clear empties a verdict, of which all memory is kept; differ_verdict_free does not
 * keep it. */
void differ_verdict_clear(struct differ_verdict *verdict);
void differ_verdict_free(struct differ_verdict *verdict);

/* differ_input_free frees the bytes; differ_input_print and differ_verdict_print are for people. */
void differ_input_free(struct differ_input *input);
void differ_input_print(FILE *out, const struct differ_input *input);
void differ_verdict_print(FILE *out, const struct differ_verdict *verdict);

#endif /* TESTS_DIFFER_INPUT_H */
