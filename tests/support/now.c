/* The time that passes for a test, beside the clock that it may have put in the library's place. */

#include "support/now.h"

#include <time.h>

int64_t test_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}
