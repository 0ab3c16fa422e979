#ifndef TESTS_DIFFER_CHANCE_H
#define TESTS_DIFFER_CHANCE_H

#include <stddef.h>
#include <stdint.h>

/* chance_next is the next number of the sequence that `state` began with (splitmix64): seeds next
 * to one another give sequences that have nothing in common. */
static inline uint64_t chance_next(uint64_t *state)
{
    uint64_t mixed = *state += 0x9e3779b97f4a7c15U;

    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31);
}

/* chance_below is a number below `bound`, 0 when that is 0. */
static inline size_t chance_below(uint64_t *state, size_t bound)
{
    return bound == 0 ? 0 : (size_t)(chance_next(state) % bound);
}

#endif /* TESTS_DIFFER_CHANCE_H */
