#ifndef POOLED_FETCH_UTF8_H
#define POOLED_FETCH_UTF8_H

#include <stddef.h>

/* pf_utf8_len is the length of the well-formed sequence that `text` begins with, 0 when there is
 * none. `text` ends with NUL, which is one of length 1. */
size_t pf_utf8_len(const char *text);

#endif /* POOLED_FETCH_UTF8_H */
