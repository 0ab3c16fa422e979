/* OpenSSL's hooks for memory, which it takes only before its first allocation: so at the start of
 * the program. */

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdint.h>
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

/* foreign_heaps_settle_tls: a queue of errors, whose words stay when it is cleared, and generators
 * of random numbers; new ones are made at once, so that they are nobody's. What it remembers of
 * algorithms it has looked up is the process's, and forgotten with the properties they have. */
void foreign_heaps_settle_tls(void)
{
    uint8_t byte;

    OPENSSL_thread_stop();
    ERR_raise(ERR_LIB_USER, 1);
    ERR_clear_error();
    if (EVP_set_default_properties(NULL, "") != 1 || RAND_bytes(&byte, 1) != 1 ||
        RAND_priv_bytes(&byte, 1) != 1) {
        (void)fputs("foreign_heaps_openssl.c: OpenSSL cannot begin anew\n", stderr);
        abort();
    }
}
