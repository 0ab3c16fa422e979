/* The heap's door, the count of blocks, and the process-wide hook. */

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "urlpool/memory.h"

#include "base/alloc.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"

START_TEST(alloc__counts_the_blocks_that_are_held)
{
    void *a = urlp_alloc(10);
    void *b = urlp_zalloc(10);
    void *c = urlp_realloc(NULL, 10);

    ck_assert_int_eq(urlp_alloc_num_blocks(), 3);
    c = urlp_realloc(c, 100000);
    ck_assert_ptr_nonnull(c);
    ck_assert_int_eq(urlp_alloc_num_blocks(), 3);
    urlp_free(NULL);
    urlp_free(a);
    urlp_free(b);
    urlp_free(c);
    ck_assert_int_eq(urlp_alloc_num_blocks(), 0);
}
END_TEST

static void *free_all(void *blocks)
{
    for (int i = 0; i < 100; i++) {
        urlp_free(((void **)blocks)[i]);
    }
    return NULL;
}

START_TEST(alloc__counts_blocks_freed_by_another_thread)
{
    void *blocks[100];
    pthread_t thread;

    for (int i = 0; i < 100; i++) {
        blocks[i] = urlp_alloc(1);
    }
    ck_assert_int_eq(pthread_create(&thread, NULL, free_all, blocks), 0);
    (void)pthread_join(thread, NULL);
    ck_assert_int_eq(urlp_alloc_num_blocks(), 0);
}
END_TEST

START_TEST(alloc__zero_sizes_are_blocks_too)
{
    void *a = urlp_alloc(0);
    void *b = urlp_zalloc(0);
    void *c = urlp_realloc(urlp_alloc(5), 0);
    void *d = urlp_zalloc_array(0, 7);

    ck_assert_ptr_nonnull(a);
    ck_assert_ptr_nonnull(b);
    ck_assert_ptr_nonnull(c);
    ck_assert_ptr_nonnull(d);
    ck_assert_int_eq(urlp_alloc_num_blocks(), 4);
    urlp_free(a);
    urlp_free(b);
    urlp_free(c);
    urlp_free(d);
}
END_TEST

START_TEST(alloc__zalloc_is_zero_and_array_does_not_overflow)
{
    static const char zeros[300];
    char *a = urlp_alloc(300);
    char *b;

    memset(a, 0xff, 300);
    urlp_free(a);
    b = urlp_zalloc_array(100, 3);
    ck_assert_int_eq(memcmp(b, zeros, 300), 0);
    urlp_free(b);
    ck_assert_ptr_null(urlp_zalloc_array(SIZE_MAX / 2, 3));
    ck_assert_int_eq(urlp_alloc_num_blocks(), 0);
}
END_TEST

START_TEST(alloc__strndup_copies_bytes_and_ends_them)
{
    char *copy = urlp_strndup("abcdef", 3);
    char *empty = urlp_strndup(NULL, 0);

    ck_assert_str_eq(copy, "abc");
    ck_assert_str_eq(empty, "");
    urlp_free(copy);
    urlp_free(empty);
    ck_assert_ptr_null(urlp_strndup("a", SIZE_MAX));
}
END_TEST

START_TEST(set_allocator__takes_all_memory_from_the_hook)
{
    void *a;

    failing_allocator_install();
    a = urlp_alloc(1);
    ck_assert_int_eq(failing_allocator_num_live(), 1);
    ck_assert_int_eq(failing_allocator_num_tried(), 1);
    a = urlp_realloc(a, 100);
    ck_assert_int_eq(failing_allocator_num_live(), 1);
    ck_assert_int_eq(failing_allocator_num_tried(), 2);
    urlp_free(a);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
    failing_allocator_remove();
    urlp_free(urlp_alloc(1));
    ck_assert_int_eq(failing_allocator_num_tried(), 2);
}
END_TEST

START_TEST(set_allocator__refuses_while_memory_is_held)
{
    const struct urlpool_allocator allocator = {0};
    struct urlpool_error err;
    void *block = urlp_alloc(1);

    ck_assert_int_eq(urlpool_set_allocator(NULL, &err), URLPOOL_E_INVALID);
    ck_assert_int_eq(err.code, URLPOOL_E_INVALID);
    ck_assert_str_eq(err.message, "allocator set while urlpool holds memory");
    urlp_free(block);
    ck_assert_int_eq(urlpool_set_allocator(NULL, &err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_set_allocator(&allocator, &err), URLPOOL_E_INVALID);
    ck_assert_str_eq(err.message, "allocator lacks one of allocate, reallocate and release");
}
END_TEST

static void *allocate(void *user, size_t size)
{
    (void)user;
    (void)size;
    return NULL;
}

static void *reallocate(void *user, void *block, size_t size)
{
    (void)user;
    (void)block;
    (void)size;
    return NULL;
}

static void release(void *user, void *block)
{
    (void)user;
    (void)block;
}

START_TEST(set_allocator__needs_all_three_functions)
{
    const struct urlpool_allocator incomplete[] = {
        {.reallocate = reallocate, .release = release      },
        {.allocate = allocate,     .release = release      },
        {.allocate = allocate,     .reallocate = reallocate},
    };

    for (size_t i = 0; i < sizeof(incomplete) / sizeof(incomplete[0]); i++) {
        ck_assert_int_eq(urlpool_set_allocator(&incomplete[i], NULL), URLPOOL_E_INVALID);
    }
    urlp_free(urlp_alloc(1)); /* still malloc's */
}
END_TEST

START_TEST(set_allocator__refuses_what_it_does_not_know)
{
    struct urlpool_allocator allocator = {
        .allocate = allocate, .reallocate = reallocate, .release = release};
    struct urlpool_error err;

    for (size_t i = 0; i < sizeof(allocator.reserved); i++) {
        allocator.reserved[i] = 1;
        ck_assert_int_eq(urlpool_set_allocator(&allocator, &err), URLPOOL_E_INVALID);
        ck_assert_ptr_nonnull(strstr(err.message, "allocator"));
        allocator.reserved[i] = 0;
    }
    urlp_free(urlp_alloc(1)); /* still malloc's */
}
END_TEST

START_TEST(alloc__out_of_memory_is_null_and_leaves_the_old_block)
{
    char *block;

    failing_allocator_install();
    block = urlp_strndup("abc", 3);
    for (int i = 0; i < 4; i++) {
        failing_allocator_fail_nth(1);
        ck_assert_ptr_null(i == 0   ? urlp_alloc(1)
                           : i == 1 ? urlp_zalloc(1)
                           : i == 2 ? urlp_strndup("a", 1)
                                    : urlp_realloc(block, 100));
        ck_assert(failing_allocator_has_failed());
    }
    ck_assert_str_eq(block, "abc");
    ck_assert_int_eq(urlp_alloc_num_blocks(), 1);
    urlp_free(block);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
}
END_TEST

/* flags_of gives the line of /proc/self/smaps that has the flags of the mapping of `at`. */
static const char *flags_of(const void *at, char line[512])
{
    FILE *maps = fopen("/proc/self/smaps", "re");
    bool is_it = false;
    unsigned long begin, end;

    ck_assert_ptr_nonnull(maps);
    while (fgets(line, 512, maps) != NULL && !(is_it && strncmp(line, "VmFlags:", 8) == 0)) {
        if (sscanf(line, "%lx-%lx ", &begin, &end) == 2) {
            is_it = (uintptr_t)at >= begin && (uintptr_t)at < end;
        }
    }
    (void)fclose(maps);
    return is_it ? line : "";
}

START_TEST(alloc__large_block_may_lie_in_large_pages_and_grow)
{
    const size_t size = ((size_t)32 << 20) + 1;
    const bool has_them = access("/sys/kernel/mm/transparent_hugepage/enabled", F_OK) == 0;
    char line[512];
    char *block = urlp_alloc(size);

    urlp_alloc_advise(block, size);
    ck_assert(!has_them || strstr(flags_of(block, line), " hg") != NULL);
    ck_assert(!has_them || strstr(flags_of(block + size - 1, line), " hg") != NULL);
    block[0] = 'a';
    block[size - 1] = 'z';
    block = urlp_realloc(block, 2 * size);
    ck_assert_int_eq(block[0], 'a');
    ck_assert_int_eq(block[size - 1], 'z');
    urlp_free(block);
}
END_TEST

START_TEST(alloc__of_small_blocks_and_of_a_hook_nothing_is_said)
{
    char small[64];
    const size_t size = (size_t)64 << 20;
    char line[512];
    char *block;

    failing_allocator_install();
    block = urlp_alloc(size);
    urlp_alloc_advise(block, size);
    ck_assert_ptr_null(strstr(flags_of(block, line), " hg"));
    urlp_free(block);
    failing_allocator_remove();
    urlp_alloc_advise(small, sizeof(small));
    ck_assert_ptr_null(strstr(flags_of(small, line), " hg"));
}
END_TEST

RUN_TESTS("alloc", alloc__counts_the_blocks_that_are_held,
          alloc__counts_blocks_freed_by_another_thread, alloc__zero_sizes_are_blocks_too,
          alloc__zalloc_is_zero_and_array_does_not_overflow,
          alloc__strndup_copies_bytes_and_ends_them, set_allocator__takes_all_memory_from_the_hook,
          set_allocator__refuses_while_memory_is_held, set_allocator__needs_all_three_functions,
          set_allocator__refuses_what_it_does_not_know,
          alloc__out_of_memory_is_null_and_leaves_the_old_block,
          alloc__large_block_may_lie_in_large_pages_and_grow,
          alloc__of_small_blocks_and_of_a_hook_nothing_is_said)
