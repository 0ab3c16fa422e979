#ifndef TESTS_DIFFER_MUTATIONS_H
#define TESTS_DIFFER_MUTATIONS_H

#include "input.h"

/* struct work is the exchange that is being changed. */
struct work {
    struct differ_input *input;
    struct differ_exchange *exchange;
    struct record *bytes;       /* the exchange's */
    const struct record *other; /* of another answer, to be spliced */
    uint64_t *chance;
};

/* mutate changes it in one way. */
void mutate(const struct work *work);

#endif /* TESTS_DIFFER_MUTATIONS_H */
