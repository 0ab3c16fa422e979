#ifndef URLP_BASE_CLOCK_H
#define URLP_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "urlpool/deadline.h"

#define URLP_NS_PER_MS 1000000
#define URLP_NEVER     ((struct urlpool_deadline){INT64_MAX})

int64_t urlp_now_ns(void);      /* CLOCK_MONOTONIC: deadlines */
int64_t urlp_boot_ns(void);     /* CLOCK_BOOTTIME: ages and idle times; runs on while suspended */
int64_t urlp_wall_seconds(void); /* CLOCK_REALTIME: certificates and HTTP dates only */

/* urlp_deadline_in returns the instant `wait_ms` from now; negative means never; saturates. */
struct urlpool_deadline urlp_deadline_in(int64_t wait_ms);
bool urlp_deadline_has_passed(struct urlpool_deadline by);

/* urlp_deadline_poll_ms is the time left as poll() takes it: rounded up, 0 when passed, -1 for
 * never; never more than 5 000, since longer polls come late (0.1 % kernel slack). */
int urlp_deadline_poll_ms(struct urlpool_deadline by);

/* The seam. While a fake clock is set, all clocks stand still but for urlp_clock_fake_advance, which
 * also wakes everything that waits on the clock (condition variables, parks). Tests only. */
void urlp_clock_fake_begin(int64_t now_ns);
void urlp_clock_fake_advance(int64_t ns);
void urlp_clock_fake_end(void);
bool urlp_clock_is_fake(void);
/* urlp_clock_fake_num_waiters is how many threads wait on the clock with a deadline or without. */
int urlp_clock_fake_num_waiters(void);

#endif /* URLP_BASE_CLOCK_H */
