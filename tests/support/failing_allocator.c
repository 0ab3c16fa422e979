/* malloc behind urlpool_set_allocator, with a count and a trap. Safe from many threads: then which
 * thread meets the failure is chance, but only one does. */

#include "support/failing_allocator.h"

#include <check.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "urlpool/memory.h"

static _Atomic uint64_t fail_nth; /* 0: none */
static _Atomic uint64_t num_tried;
static _Atomic int64_t num_live;
static atomic_bool has_failed, fails_on;

static bool must_fail(void)
{
    uint64_t nth = atomic_fetch_add(&num_tried, 1) + 1;

    if (nth != atomic_load(&fail_nth) &&
        !(atomic_load(&fails_on) && nth > atomic_load(&fail_nth))) {
        return false;
    }
    atomic_store(&has_failed, true);
    return true;
}

static void *allocate(void *user, size_t size)
{
    void *block = must_fail() ? NULL : malloc(size);

    (void)user;
    if (block != NULL) {
        atomic_fetch_add(&num_live, 1);
    }
    return block;
}

static void *reallocate(void *user, void *block, size_t size)
{
    (void)user;
    return must_fail() ? NULL : realloc(block, size);
}

/* release leaves nothing to be read in what is freed. */
static void release(void *user, void *block)
{
    (void)user;
    atomic_fetch_sub(&num_live, 1);
    memset(block, 0xdd, malloc_usable_size(block));
    free(block);
}

void failing_allocator_install(void)
{
    const struct urlpool_allocator allocator = {
        .allocate = allocate, .reallocate = reallocate, .release = release};

    ck_assert_int_eq(urlpool_set_allocator(&allocator, NULL), URLPOOL_OK);
    atomic_store(&num_live, 0);
    failing_allocator_fail_nth(0);
}

void failing_allocator_remove(void)
{
    ck_assert_int_eq(urlpool_set_allocator(NULL, NULL), URLPOOL_OK);
}

void failing_allocator_fail_nth(uint64_t nth)
{
    atomic_store(&num_tried, 0);
    atomic_store(&has_failed, false);
    atomic_store(&fails_on, false);
    atomic_store(&fail_nth, nth);
}

void failing_allocator_fail_from(uint64_t nth)
{
    failing_allocator_fail_nth(nth);
    atomic_store(&fails_on, nth > 0);
}

bool failing_allocator_has_failed(void)
{
    return atomic_load(&has_failed);
}

uint64_t failing_allocator_num_tried(void)
{
    return atomic_load(&num_tried);
}

int64_t failing_allocator_num_live(void)
{
    return atomic_load(&num_live);
}
