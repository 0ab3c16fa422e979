#ifndef URLP_BASE_RANDOM_H
#define URLP_BASE_RANDOM_H

#include <stddef.h>

/* urlp_random_fill fills `out` with bytes that cannot be foretold: from the kernel, or, where there
 * is no getrandom (a kernel before 3.17, a sandbox), stirred from the clock and where we were
 * loaded. Never fails, never waits.
 *
 * Threads: any number at once. */
void urlp_random_fill(void *out, size_t len);

#endif /* URLP_BASE_RANDOM_H */
