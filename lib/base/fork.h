#ifndef URLP_BASE_FORK_H
#define URLP_BASE_FORK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* urlp_fork_page holds the generation where a child finds it emptied; NULL until it is first asked
 * for. For urlp_fork_generation. */
extern _Atomic(_Atomic uint64_t *) urlp_fork_page;
/* urlp_fork_find_generation is urlp_fork_generation where the page says nothing yet. */
uint64_t urlp_fork_find_generation(void);

/* urlp_fork_generation is the number of this process among its ancestors: never 0, the same for the
 * whole life of a process, and in a forked child greater than in any process it comes from. An
 * object that must not be used by a child remembers the generation in which it was made.
 *
 * Threads: any number at once; takes no lock; no system call but for the first call in a process.
 */
static inline uint64_t urlp_fork_generation(void)
{
    _Atomic uint64_t *page = atomic_load_explicit(&urlp_fork_page, memory_order_acquire);
    const uint64_t found = page != NULL ? atomic_load_explicit(page, memory_order_relaxed) : 0;

    return found != 0 ? found : urlp_fork_find_generation();
}

/* urlp_fork_has_happened says whether this process is a forked child of the one in which
 * urlp_fork_generation gave `generation`. Ask before taking any lock: another thread of the parent
 * may have held it, and that thread does not exist here. */
static inline bool urlp_fork_has_happened(uint64_t generation)
{
    return urlp_fork_generation() != generation;
}

#endif /* URLP_BASE_FORK_H */
