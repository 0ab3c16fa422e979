#ifndef URLP_BASE_FORK_H
#define URLP_BASE_FORK_H

#include <stdbool.h>
#include <stdint.h>

/* urlp_fork_generation is the number of this process among its ancestors: never 0, the same for the
 * whole life of a process, and in a forked child greater than in any process it comes from. An
 * object that must not be used by a child remembers the generation in which it was made.
 *
 * Threads: any number at once; takes no lock; no system call but for the first call in a process.
 */
uint64_t urlp_fork_generation(void);

/* urlp_fork_has_happened says whether this process is a forked child of the one in which
 * urlp_fork_generation gave `generation`. Ask before taking any lock: another thread of the parent
 * may have held it, and that thread does not exist here. */
static inline bool urlp_fork_has_happened(uint64_t generation)
{
    return urlp_fork_generation() != generation;
}

#endif /* URLP_BASE_FORK_H */
