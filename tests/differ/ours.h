#ifndef TESTS_DIFFER_OURS_H
#define TESTS_DIFFER_OURS_H

#include "input.h"

/* How bytes arrive. */
enum split_kind {
    SPLIT_WHOLE,
    SPLIT_BYTES,  /* one by one */
    SPLIT_ONCE,   /* in two pieces; the seed says where */
    SPLIT_RANDOM, /* in pieces of 1 to 8 bytes */
    SPLIT_COARSE, /* in pieces of 1 to 64 bytes */
    N_SPLIT_KINDS
};

/* struct split_plan: with `is_direct` body bytes are read past the codec wherever it allows it. */
struct split_plan {
    enum split_kind kind;
    uint64_t seed;
    bool is_direct;
};

const char *split_plan_name(const struct split_plan *plan);

/* ours_read has the library's codec read `input`, and empties `out` before. Bytes that have not
 * arrived yet cannot be read (AddressSanitizer sees it).
 *
 * Errors:  returns NULL, or what the codec did that it must never do, whatever the input. */
const char *ours_read(const struct differ_input *input, const struct split_plan *plan,
                      struct differ_verdict *out);

#endif /* TESTS_DIFFER_OURS_H */
