/* When are two verdicts one? The reference is held to the letter, not only as a bound: a codec that
 * refuses what it should take is wrong as well. It has one liberty, to refuse at once what cannot
 * become right, while the reference waits for the rest of the line. */

#include "compare.h"

static const char *compare_outcomes(enum differ_outcome reference, enum differ_outcome ours)
{
    static const char *const wrongs[4][4] = {
        [DIFFER_WHOLE] = {NULL,                                            "switched, and is a response",      "waits, and has all of a response",
                          "refuses a response"                                                                                                                                   },
        [DIFFER_SWITCHED] = {"takes as a response what changes the protocol", NULL,
                          "waits, and the protocol has changed",                                                                                   "refuses a change of protocol"},
        [DIFFER_UNFINISHED] = {"takes a response that is not whole",            "switched too early",               NULL,
                          NULL                                                                                                                                                   },
        [DIFFER_REFUSED] = {"takes what is to be refused",                   "changes to what is to be refused",
                          "waits for more of what is to be refused",                                                                               NULL                          },
    };

    return wrongs[reference][ours];
}

static const char *compare_answers(const struct differ_answer *reference,
                                   const struct differ_answer *ours)
{
    const char *wrong = compare_outcomes(reference->outcome, ours->outcome);

    if (wrong != NULL) {
        return wrong;
    }
    if (!record_equals(&reference->heads, &ours->heads)) {
        return "another head";
    }
    if (!record_equals(&reference->body, &ours->body)) {
        return "another body";
    }
    if (!record_equals(&reference->trailers, &ours->trailers)) {
        return "other trailers";
    }
    if (reference->may_reuse != ours->may_reuse) {
        return ours->may_reuse ? "uses the connection again" : "does not use the connection again";
    }
    if (ours->outcome <= DIFFER_SWITCHED && reference->left != ours->left) {
        return "ends somewhere else";
    }
    return NULL;
}

const char *compare_with_reference(const struct differ_verdict *reference,
                                   const struct differ_verdict *ours)
{
    for (size_t i = 0; i < reference->num_answers && i < ours->num_answers; i++) {
        const char *wrong = compare_answers(&reference->answers[i], &ours->answers[i]);

        if (wrong != NULL) {
            return wrong;
        }
    }
    return reference->num_answers == ours->num_answers ? NULL : "another number of answers";
}

const char *compare_with_whole(const struct differ_verdict *whole,
                               const struct differ_verdict *split)
{
    for (size_t i = 0; i < whole->num_answers && i < split->num_answers; i++) {
        const char *wrong = compare_answers(&whole->answers[i], &split->answers[i]);

        if (wrong == NULL && whole->answers[i].outcome != split->answers[i].outcome) {
            wrong = "another outcome";
        }
        if (wrong == NULL && !record_equals(&whole->answers[i].why, &split->answers[i].why)) {
            wrong = "another error";
        }
        if (wrong != NULL) {
            return wrong;
        }
    }
    return whole->num_answers == split->num_answers ? NULL : "another number of answers";
}
