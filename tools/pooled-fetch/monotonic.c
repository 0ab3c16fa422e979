/* The one clock that the program's times and pauses are measured with. What waits on a condition
 * until an instant of it has set CLOCK_MONOTONIC for the condition. */

#include "monotonic.h"

int64_t pf_now_ns(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * PF_NS_PER_SECOND + now.tv_nsec;
}

struct timespec pf_instant(int64_t at_ns)
{
    return (struct timespec){.tv_sec = at_ns / PF_NS_PER_SECOND,
                             .tv_nsec = at_ns % PF_NS_PER_SECOND};
}
