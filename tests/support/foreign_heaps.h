#ifndef TESTS_SUPPORT_FOREIGN_HEAPS_H
#define TESTS_SUPPORT_FOREIGN_HEAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The heaps of the TLS library and of c-ares, which urlpool_set_allocator does not move: they fail
 * where a test asks for it, and only in threads that have joined. A program that calls these
 * functions has its TLS library moved here from the start. */

enum foreign_heap {
    HEAP_OF_TLS,
    HEAP_OF_NAMES,
    FOREIGN_HEAP_NUM
};

/* foreign_heaps_install moves c-ares here. Before urlpool asks DNS for the first time. */
void foreign_heaps_install(void);

/* foreign_heaps_join says whether the calling thread's allocations count from now on. */
void foreign_heaps_join(bool joins);

/* foreign_heaps_fail lets the `nth` allocation from now fail, and with `all_later` those behind it;
 * 0: none. */
void foreign_heaps_fail(enum foreign_heap heap, uint64_t nth, bool all_later);

/* foreign_heaps_has_failed says whether one has failed since then. */
bool foreign_heaps_has_failed(enum foreign_heap heap);

/* foreign_heaps_num_live is how many blocks are held that joined threads took. */
int64_t foreign_heaps_num_live(enum foreign_heap heap);

/* What foreign_heaps_boring.c or foreign_heaps_openssl.c puts behind the TLS library's hooks, and
 * what that file defines so that it is linked. */
void *foreign_heaps_tls_take(size_t size);
void foreign_heaps_tls_give(void *block);
size_t foreign_heaps_size(const void *block);
void foreign_heaps_hook_tls(void);

/* foreign_heaps_settle_tls lets go of what the library keeps of the calling thread. */
void foreign_heaps_settle_tls(void);

#endif /* TESTS_SUPPORT_FOREIGN_HEAPS_H */
