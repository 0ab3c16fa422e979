/* The example of urlpool_memory(3).
 *
 * Arguments: none
 * Prints:
 * taken: yes, left: 0 */

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <urlpool/urlpool.h>

static atomic_int blocks;

static void *allocate(void *user, size_t size)
{
    (void)user;
    blocks++;
    return malloc(size);
}

static void *reallocate(void *user, void *block, size_t size)
{
    (void)user;
    blocks += block == NULL;
    return realloc(block, size);
}

static void release(void *user, void *block)
{
    (void)user;
    blocks -= block != NULL;
    free(block);
}

int main(void)
{
    const struct urlpool_allocator counted = {allocate, reallocate, release, .user = NULL};
    struct urlpool_error err = {0};
    struct urlpool_headers *headers = NULL;

    if (urlpool_set_allocator(&counted, &err) != URLPOOL_OK) {
        return 1;
    }
    headers = urlpool_headers_new(&err);
    printf("taken: %s", blocks > 0 ? "yes" : "no");
    urlpool_headers_free(headers);
    printf(", left: %d\n", blocks);
    return 0;
}
