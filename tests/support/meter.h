#ifndef TESTS_SUPPORT_METER_H
#define TESTS_SUPPORT_METER_H

#include <stdint.h>

#include "urlpool/manager.h"

/* What something costs this process: memory at its highest, by two counts, and processor time. The
 * heap's count is of what urlpool and BoringSSL hold, to the byte; the other is the kernel's, of
 * the pages of the whole process. Sanitizers make nonsense of the second and are slow: there only
 * the first is held against its bound. */

enum {
    METER_GROWTH_MAX = 4 << 20,
    METER_CPU_MS_MAX = 1000
};

struct meter {
    struct urlpool_manager *manager; /* whose received bytes count; or NULL */
    int64_t heap, rss, cpu_ms, bytes;
};

/* meter_install begins to count the heap; urlpool holds nothing yet. */
void meter_install(void);

/* meter_begin notes what there is now, and forgets what there was at the highest. */
struct meter meter_begin(struct urlpool_manager *manager);

/* meter_end prints a line of figures, and has the test fail when memory grew by more than
 * METER_GROWTH_MAX above `beyond` bytes, or when it took more than METER_CPU_MS_MAX. Returns the
 * bytes that were received. */
int64_t meter_end(const struct meter *meter, const char *name, int64_t beyond);

#endif /* TESTS_SUPPORT_METER_H */
