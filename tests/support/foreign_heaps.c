/* malloc behind the hooks of the TLS library (foreign_heaps_*.c has them) and of c-ares
 * (ares_library_init_mem). Each block has a head that says how long it is and who counts it: the
 * servers of a test live in the same process, and use the same library. */

#include "support/foreign_heaps.h"

#include <ares.h>
#include <check.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct head {
    _Alignas(max_align_t) size_t size;
    bool counts;
};

struct heap {
    _Atomic uint64_t fail_nth, num_tried;
    _Atomic int64_t num_live;
    atomic_bool fails_on, has_failed;
};

static struct heap heaps[FOREIGN_HEAP_NUM];
static _Thread_local bool has_joined;

static bool must_fail(struct heap *heap)
{
    uint64_t nth, number;

    if (!has_joined) {
        return false;
    }
    number = atomic_fetch_add(&heap->num_tried, 1) + 1;
    nth = atomic_load(&heap->fail_nth);
    if (nth == 0 || number < nth || (number > nth && !atomic_load(&heap->fails_on))) {
        return false;
    }
    atomic_store(&heap->has_failed, true);
    return true;
}

static void *take(struct heap *heap, size_t size)
{
    struct head *head = must_fail(heap) ? NULL : malloc(sizeof(*head) + size);

    if (head == NULL) {
        return NULL;
    }
    *head = (struct head){.size = size, .counts = has_joined};
    atomic_fetch_add(&heap->num_live, has_joined);
    return head + 1;
}

/* give leaves nothing to be read in what is freed. */
static void give(struct heap *heap, void *block)
{
    struct head *head = block != NULL ? (struct head *)block - 1 : NULL;

    if (head != NULL) {
        atomic_fetch_sub(&heap->num_live, head->counts);
        memset(block, 0xdd, head->size);
        free(head);
    }
}

void *foreign_heaps_tls_take(size_t size)
{
    return take(&heaps[HEAP_OF_TLS], size);
}

void foreign_heaps_tls_give(void *block)
{
    give(&heaps[HEAP_OF_TLS], block);
}

size_t foreign_heaps_size(const void *block)
{
    return block != NULL ? ((const struct head *)block - 1)->size : 0;
}

static void *names_take(size_t size)
{
    return take(&heaps[HEAP_OF_NAMES], size);
}

static void names_give(void *block)
{
    give(&heaps[HEAP_OF_NAMES], block);
}

static void *names_move(void *block, size_t size)
{
    void *moved = names_take(size);

    if (moved != NULL && block != NULL) {
        const size_t old_size = foreign_heaps_size(block);

        memcpy(moved, block, old_size < size ? old_size : size);
        names_give(block);
    }
    return moved;
}

void foreign_heaps_install(void)
{
    foreign_heaps_hook_tls();
    ck_assert_int_eq(ares_library_init_mem(ARES_LIB_INIT_ALL, names_take, names_give, names_move),
                     ARES_SUCCESS);
}

void foreign_heaps_join(bool joins)
{
    has_joined = joins;
    if (!joins) {
        foreign_heaps_settle_tls();
    }
}

void foreign_heaps_fail(enum foreign_heap heap, uint64_t nth, bool all_later)
{
    atomic_store(&heaps[heap].num_tried, 0);
    atomic_store(&heaps[heap].has_failed, false);
    atomic_store(&heaps[heap].fails_on, all_later);
    atomic_store(&heaps[heap].fail_nth, nth);
}

bool foreign_heaps_has_failed(enum foreign_heap heap)
{
    return atomic_load(&heaps[heap].has_failed);
}

int64_t foreign_heaps_num_live(enum foreign_heap heap)
{
    return atomic_load(&heaps[heap].num_live);
}
