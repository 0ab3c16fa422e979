/* The cost of an operation. malloc stands behind urlpool's allocator and BoringSSL's hooks (weak
 * symbols, which this file defines); the kernel tells the highest number of pages since it was last
 * told to forget it (proc(5), clear_refs). */

#include "support/meter.h"

#include <check.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "urlpool/memory.h"

#include "support/sanitizers.h"

static _Atomic int64_t held;
static _Atomic int64_t held_most;

void *OPENSSL_memory_alloc(size_t size);
void OPENSSL_memory_free(void *block);
size_t OPENSSL_memory_get_size(void *block);

static void count(int64_t bytes)
{
    const int64_t now = atomic_fetch_add(&held, bytes) + bytes;
    int64_t most = atomic_load(&held_most);

    while (now > most && !atomic_compare_exchange_weak(&held_most, &most, now)) {
        /* somebody else has counted meanwhile */
    }
}

static void *allocate(void *user, size_t size)
{
    void *block = malloc(size);

    (void)user;
    count(block != NULL ? (int64_t)malloc_usable_size(block) : 0);
    return block;
}

static void release(void *user, void *block)
{
    (void)user;
    count(-(int64_t)malloc_usable_size(block));
    free(block);
}

/* reallocate holds both blocks for a moment, as realloc may. */
static void *reallocate(void *user, void *block, size_t size)
{
    void *fresh = allocate(user, size);
    const size_t len = malloc_usable_size(block);

    if (fresh != NULL && block != NULL) {
        memcpy(fresh, block, len < size ? len : size);
        release(user, block);
    }
    return fresh;
}

/* BoringSSL wants its sizes back, so they stand in front. */
void *OPENSSL_memory_alloc(size_t size)
{
    max_align_t *block = allocate(NULL, sizeof(max_align_t) + size);

    if (block == NULL) {
        return NULL;
    }
    memcpy(block, &size, sizeof(size));
    return block + 1;
}

void OPENSSL_memory_free(void *block)
{
    if (block != NULL) {
        release(NULL, (max_align_t *)block - 1);
    }
}

size_t OPENSSL_memory_get_size(void *block)
{
    size_t size = 0;

    if (block != NULL) {
        memcpy(&size, (max_align_t *)block - 1, sizeof(size));
    }
    return size;
}

void meter_install(void)
{
    const struct urlpool_allocator counting = {
        .allocate = allocate, .reallocate = reallocate, .release = release};

    ck_assert_int_eq(urlpool_set_allocator(&counting, NULL), URLPOOL_OK);
}

/* figure_of reads one line of /proc/self/status, in bytes. */
static int64_t figure_of(const char *name)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[256];
    long long kib = -1;

    ck_assert_ptr_nonnull(file);
    while (kib < 0 && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0) {
            kib = strtoll(line + strlen(name), NULL, 10);
        }
    }
    (void)fclose(file);
    ck_assert_int_ge(kib, 0);
    return kib * 1024;
}

static int64_t cpu_ms_now(void)
{
    struct rusage usage;

    ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

static int64_t bytes_now(struct urlpool_manager *manager)
{
    struct urlpool_stats stats = {0};

    urlpool_manager_stats(manager, &stats, sizeof(stats));
    return (int64_t)stats.bytes_received;
}

struct meter meter_begin(struct urlpool_manager *manager)
{
    struct meter meter = {.manager = manager, .bytes = bytes_now(manager)};
    FILE *file = fopen("/proc/self/clear_refs", "we");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fputs("5", file) >= 0 && fclose(file) == 0, true);
    meter.heap = atomic_load(&held);
    atomic_store(&held_most, meter.heap);
    meter.rss = figure_of("VmRSS:");
    meter.cpu_ms = cpu_ms_now();
    return meter;
}

int64_t meter_end(const struct meter *meter, const char *name, int64_t beyond)
{
    const int64_t cpu_ms = cpu_ms_now() - meter->cpu_ms;
    const int64_t heap = atomic_load(&held_most) - meter->heap;
    const int64_t rss = figure_of("VmHWM:") - meter->rss;
    const int64_t bytes = bytes_now(meter->manager) - meter->bytes;

    printf("%s: read %lld bytes, heap %+lld KiB, process %+lld KiB, %lld ms\n", name,
           (long long)bytes, (long long)heap / 1024, (long long)rss / 1024, (long long)cpu_ms);
    (void)fflush(stdout);
    ck_assert_msg(heap <= beyond + METER_GROWTH_MAX, "%s: the heap grew by %lld bytes", name,
                  (long long)heap);
    ck_assert_msg(IS_SANITIZED || rss <= beyond + METER_GROWTH_MAX,
                  "%s: the process grew by %lld bytes", name, (long long)rss);
    ck_assert_msg(IS_SANITIZED || cpu_ms <= METER_CPU_MS_MAX, "%s: took %lld ms", name,
                  (long long)cpu_ms);
    return bytes;
}
