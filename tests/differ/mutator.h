#ifndef TESTS_DIFFER_MUTATOR_H
#define TESTS_DIFFER_MUTATOR_H

#include "input.h"

struct mutator;

/* mutator_new makes a mutator over the transcripts of a directory; it lives for ever. */
struct mutator *mutator_new(const char *transcripts_dir);

/* mutator_make writes input number `seed` into `out`, the memory of which is used again. The same
 * number makes the same input, whatever was made before. */
void mutator_make(const struct mutator *mutator, uint64_t seed, struct differ_input *out);

#endif /* TESTS_DIFFER_MUTATOR_H */
