/* OpenSSL's hooks for memory, which it takes only before its first allocation: so at the start of
 * the program. */

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/foreign_heaps.h"

static void *take(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return foreign_heaps_tls_take(size);
}

static void give(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    foreign_heaps_tls_give(block);
}

static void *move(void *block, size_t size, const char *file, int line)
{
    const size_t old_size = foreign_heaps_size(block);
    void *moved;

    if (size == 0) {
        give(block, file, line);
        return NULL;
    }
    moved = foreign_heaps_tls_take(size);
    if (moved != NULL && block != NULL) {
        memcpy(moved, block, old_size < size ? old_size : size);
        foreign_heaps_tls_give(block);
    }
    return moved;
}

__attribute__((constructor)) static void hook(void)
{
    if (!CRYPTO_set_mem_functions(take, move, give)) {
        (void)fputs("foreign_heaps_openssl.c: OpenSSL has begun already\n", stderr);
        abort();
    }
}

void foreign_heaps_hook_tls(void)
{
}
