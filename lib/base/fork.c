/* Which process is this? Asked at every entry into the pool, so a getpid each time is too dear.
 *
 * A page that the kernel empties in a forked child (MADV_WIPEONFORK) holds the generation; `last`,
 * in ordinary memory, is inherited. A child finds 0 in the page and takes the next number after
 * what it inherited. Two children of one parent may get the same number; that is harmless, since
 * neither ever sees an object of the other.
 *
 * There are no locks here: another thread may have held one at the fork. Where the page cannot be
 * had (a kernel before 4.14) the process number stands in for the generation. */

#include "base/fork.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#define GENERATION_OF_PID ((uint64_t)1 << 63) /* keeps it apart from a counted one, and from 0 */

static _Atomic uint64_t last;
_Atomic(_Atomic uint64_t *) urlp_fork_page;
static _Atomic uint64_t no_page; /* its address says that there is none */

/* make_page maps the page; NULL when the kernel cannot wipe one. */
static _Atomic uint64_t *make_page(size_t page_bytes)
{
    void *page = mmap(NULL, page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED) {
        return NULL;
    }
    if (madvise(page, page_bytes, MADV_WIPEONFORK) != 0) {
        (void)munmap(page, page_bytes);
        return NULL;
    }
    return page;
}

/* get_page returns the page, made by the first who asks. When two ask at once, one page wins and
 * the other is given back. */
static _Atomic uint64_t *get_page(void)
{
    _Atomic uint64_t *page = atomic_load_explicit(&urlp_fork_page, memory_order_acquire);
    size_t page_bytes;
    _Atomic uint64_t *made;

    if (page != NULL) {
        return page;
    }
    page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    made = make_page(page_bytes);
    if (atomic_compare_exchange_strong(&urlp_fork_page, &page, made != NULL ? made : &no_page)) {
        return made != NULL ? made : &no_page;
    }
    if (made != NULL) {
        (void)munmap((void *)made, page_bytes);
    }
    return page;
}

uint64_t urlp_fork_find_generation(void)
{
    _Atomic uint64_t *page = get_page();
    uint64_t found;
    uint64_t next;

    if (page == &no_page) {
        return GENERATION_OF_PID | (uint64_t)getpid();
    }
    found = atomic_load_explicit(page, memory_order_relaxed);
    if (found != 0) {
        return found;
    }
    next = atomic_fetch_add(&last, 1) + 1;
    return atomic_compare_exchange_strong(page, &found, next) ? next : found;
}
