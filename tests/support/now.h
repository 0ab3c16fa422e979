#ifndef TESTS_SUPPORT_NOW_H
#define TESTS_SUPPORT_NOW_H

#include <stdint.h>

/* test_now_ms is what the monotonic clock shows, whatever the library's clock is made to show.
 *
 * Units: milliseconds. Threads: any. */
int64_t test_now_ms(void);

#endif
