/* Gives the library memory of one's own: here malloc with a count, so that a program can say how
 * much of its memory this is.
 *
 *   cc own_memory.c $(pkg-config --cflags --libs urlpool) -o own_memory
 *   ./own_memory https://example.com/ */

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <urlpool/urlpool.h>

static atomic_long num_blocks;

/* These are called from any thread. */
static void *take(void *user, size_t size)
{
    void *block = malloc(size);

    (void)user;
    atomic_fetch_add(&num_blocks, block != NULL);
    return block;
}

static void *resize(void *user, void *block, size_t size)
{
    void *resized = realloc(block, size);

    (void)user;
    atomic_fetch_add(&num_blocks, block == NULL && resized != NULL);
    return resized;
}

static void give_back(void *user, void *block)
{
    (void)user;
    atomic_fetch_sub(&num_blocks, block != NULL);
    free(block);
}

int main(int argc, char **argv)
{
    const struct urlpool_allocator allocator = {
        .allocate = take, .reallocate = resize, .release = give_back};
    struct urlpool_error err;
    struct urlpool_manager *http = NULL;
    struct urlpool_response *resp = NULL;
    int good;

    if (urlpool_set_allocator(&allocator, &err) == URLPOOL_OK) { /* before anything else */
        http = urlpool_manager_new(NULL, &err);
    }
    if (http != NULL) {
        resp = urlpool_request(http, "GET", argc > 1 ? argv[1] : "", NULL, &err);
    }
    good = resp != NULL;
    if (good) {
        printf("%d; in use: %s\n", resp->status, atomic_load(&num_blocks) > 0 ? "some" : "none");
    } else {
        fprintf(stderr, "%s\n", err.message);
    }
    urlpool_response_free(resp);
    urlpool_manager_free(http);
    printf("left: %ld\n", atomic_load(&num_blocks));
    return good ? 0 : 1;
}
