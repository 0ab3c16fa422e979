#ifndef TESTS_DIFFER_REFERENCE_H
#define TESTS_DIFFER_REFERENCE_H

#include "input.h"

/* reference_read reads `input` as RFC 9112 says and empties `out` before. Bytes that come whole are
 * read whole: it knows nothing of pieces. */
void reference_read(const struct differ_input *input, struct differ_verdict *out);

#endif /* TESTS_DIFFER_REFERENCE_H */
