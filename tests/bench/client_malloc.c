/* A malloc that counts: how often each thread asks, and, when told to, what all of them hold. The
 * memory itself is glibc's. */

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>

#include "client.h"

#define SEEN __attribute__((visibility("default")))

void *__libc_malloc(size_t len);
void *__libc_calloc(size_t num, size_t len);
void *__libc_realloc(void *block, size_t len);
void *__libc_memalign(size_t align, size_t len);
void __libc_free(void *block);

static _Thread_local uint64_t asked;
static bool counts_live;
static _Atomic int64_t live;

uint64_t bench_allocations(void)
{
    return asked;
}

void bench_count_live(void)
{
    counts_live = true;
}

int64_t bench_live_bytes(void)
{
    return live;
}

static void *got(void *block)
{
    asked++;
    if (counts_live && block != NULL) {
        atomic_fetch_add_explicit(&live, (int64_t)malloc_usable_size(block), memory_order_relaxed);
    }
    return block;
}

static void gone(void *block)
{
    if (counts_live && block != NULL) {
        atomic_fetch_sub_explicit(&live, (int64_t)malloc_usable_size(block), memory_order_relaxed);
    }
}

SEEN void *malloc(size_t len)
{
    return got(__libc_malloc(len));
}

SEEN void *calloc(size_t num, size_t len)
{
    return got(__libc_calloc(num, len));
}

SEEN void *realloc(void *block, size_t len)
{
    gone(block);
    return got(__libc_realloc(block, len));
}

SEEN void *memalign(size_t align, size_t len)
{
    return got(__libc_memalign(align, len));
}

SEEN void *aligned_alloc(size_t align, size_t len)
{
    return got(__libc_memalign(align, len));
}

SEEN int posix_memalign(void **out_block, size_t align, size_t len)
{
    void *block = got(__libc_memalign(align, len));

    if (block == NULL) {
        return ENOMEM;
    }
    *out_block = block;
    return 0;
}

SEEN void free(void *block)
{
    gone(block);
    __libc_free(block);
}
