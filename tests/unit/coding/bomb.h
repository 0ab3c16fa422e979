#ifndef TESTS_UNIT_CODING_BOMB_H
#define TESTS_UNIT_CODING_BOMB_H

#include <stddef.h>

#include "base/buf.h"

/* Few bytes that are coded many: what is held while they are decoded. */

/* bomb_begin makes urlpool count what it holds, bomb_end checks that it holds nothing any more. */
void bomb_begin(void);
void bomb_end(void);

/* bomb_check decodes `bomb` a little at a time, without a bound on its ratio, and checks that
 * `expected_len` bytes come out and that no more than `held_max` were held meanwhile. */
void bomb_check(const char *codings, const struct urlp_buf *bomb, size_t expected_len,
                size_t held_max);

/* window_fate decodes `coded` with a bound on its windows. */
enum urlpool_code window_fate(const char *codings, const struct urlp_buf *coded, int window_max);

#endif /* TESTS_UNIT_CODING_BOMB_H */
