/* The one door to the heap, and the hook that moves the whole library to another one.
 *
 * The number of blocks held is kept so that urlpool_set_allocator can refuse when a block of the
 * old heap might be released to the new one. It is spread over cache lines by thread: sixteen
 * threads that each make one response must not fight over one counter. A single shard may go below
 * zero when threads free each other's blocks; only the sum means something. */

#include "base/alloc.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "urlpool/memory.h"

#include "base/error.h"
#include "base/option.h"

#define NUM_SHARDS       16 /* a power of two */
#define CACHE_LINE_BYTES 64

/* From here on malloc takes a mapping for each block, so that advice about it is about no other. */
#define ADVISE_BYTES_MIN ((size_t)32 << 20)

struct shard {
    _Alignas(CACHE_LINE_BYTES) _Atomic int64_t num_blocks;
};

static struct shard shards[NUM_SHARDS];
static _Atomic unsigned num_threads_seen;
static _Thread_local unsigned my_shard; /* index + 1; 0: not chosen yet */

/* Written only while no memory is held and, by contract, no other urlpool function runs. */
static struct urlpool_allocator hook;

static void count_block(int64_t change)
{
    if (my_shard == 0) {
        unsigned turn = atomic_fetch_add_explicit(&num_threads_seen, 1, memory_order_relaxed);

        my_shard = turn % NUM_SHARDS + 1;
    }
    atomic_fetch_add_explicit(&shards[my_shard - 1].num_blocks, change, memory_order_relaxed);
}

int64_t urlp_alloc_num_blocks(void)
{
    int64_t sum = 0;

    for (size_t i = 0; i < NUM_SHARDS; i++) {
        sum += atomic_load_explicit(&shards[i].num_blocks, memory_order_relaxed);
    }
    return sum;
}

enum urlpool_code urlpool_set_allocator(const struct urlpool_allocator *allocator,
                                        struct urlpool_error *err)
{
    if (allocator != NULL && (allocator->allocate == NULL || allocator->reallocate == NULL ||
                              allocator->release == NULL)) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                         "allocator lacks one of allocate, reallocate and release");
    }
    if (allocator != NULL &&
        urlp_option_check_reserved("allocator", allocator->reserved, sizeof(allocator->reserved),
                                   err) != URLPOOL_OK) {
        return URLPOOL_E_INVALID;
    }
    if (urlp_alloc_num_blocks() != 0) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                         "allocator set while urlpool holds memory");
    }
    hook = allocator != NULL ? *allocator : (struct urlpool_allocator){0};
    return URLPOOL_OK;
}

void *urlp_alloc(size_t size)
{
    size_t wanted =
        size != 0 ? size : 1; /* malloc(0) may be NULL, which means something else here */
    void *block = hook.allocate != NULL ? hook.allocate(hook.user, wanted) : malloc(wanted);

    if (block != NULL) {
        count_block(1);
    }
    return block;
}

void *urlp_zalloc(size_t size)
{
    void *block = urlp_alloc(size);

    if (block != NULL) {
        memset(block, 0, size);
    }
    return block;
}

void *urlp_zalloc_array(size_t num, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(num, size, &bytes)) {
        return NULL;
    }
    return urlp_zalloc(bytes);
}

void *urlp_realloc(void *block, size_t size)
{
    size_t wanted = size != 0 ? size : 1;

    if (block == NULL) {
        return urlp_alloc(size);
    }
    return hook.reallocate != NULL ? hook.reallocate(hook.user, block, wanted)
                                   : realloc(block, wanted);
}

void urlp_alloc_advise(void *block, size_t size)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t before = (uintptr_t)block % page; /* malloc's own */

    /* All of the mapping: of two halves that differ realloc could move neither. */
    if (size >= ADVISE_BYTES_MIN && hook.allocate == NULL) {
        (void)madvise((uint8_t *)block - before, before + size, MADV_HUGEPAGE);
    }
}

void urlp_free(void *block)
{
    if (block == NULL) {
        return;
    }
    count_block(-1);
    if (hook.release != NULL) {
        hook.release(hook.user, block);
        return;
    }
    free(block);
}

char *urlp_strndup(const char *text, size_t len)
{
    char *copy = len < SIZE_MAX ? urlp_alloc(len + 1) : NULL;

    if (copy == NULL) {
        return NULL;
    }
    if (len != 0) {
        memcpy(copy, text, len);
    }
    copy[len] = '\0';
    return copy;
}

void urlpool_string_free(char *text)
{
    urlp_free(text);
}
