#ifndef TESTS_DIFFER_COMPARE_H
#define TESTS_DIFFER_COMPARE_H

#include "input.h"

/* compare_with_reference says what is wrong with `ours`, NULL when nothing is. */
const char *compare_with_reference(const struct differ_verdict *reference,
                                   const struct differ_verdict *ours);

/* compare_with_whole says how `split` differs from what came of the same bytes `whole`. */
const char *compare_with_whole(const struct differ_verdict *whole,
                               const struct differ_verdict *split);

#endif /* TESTS_DIFFER_COMPARE_H */
