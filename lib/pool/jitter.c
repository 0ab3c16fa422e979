/* Durations that are not all the same: what begins at once must not end at once. Pure: chance is a
 * number that the caller brings, and a counter will do. */

#include "pool/jitter.h"

/* The jitter is a fifth of the duration wide, around it: ±10 %. */
#define JITTER_PART 5

/* mix makes neighbouring numbers far apart (the finaliser of SplitMix64). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}

int64_t urlp_jitter_ns(int64_t ns, uint64_t spread)
{
    int64_t width_ns = ns / JITTER_PART;
    int64_t late_ns = (int64_t)(mix(spread) % ((uint64_t)width_ns + 1)) - width_ns / 2;
    int64_t out_ns;

    return __builtin_add_overflow(ns, late_ns, &out_ns) ? INT64_MAX : out_ns;
}
