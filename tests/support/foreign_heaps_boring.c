/* BoringSSL's hooks for memory: weak symbols, which this file defines. */

#include "support/foreign_heaps.h"

void *OPENSSL_memory_alloc(size_t size);
void OPENSSL_memory_free(void *block);
size_t OPENSSL_memory_get_size(void *block);

void *OPENSSL_memory_alloc(size_t size)
{
    return foreign_heaps_tls_take(size);
}

void OPENSSL_memory_free(void *block)
{
    foreign_heaps_tls_give(block);
}

size_t OPENSSL_memory_get_size(void *block)
{
    return foreign_heaps_size(block);
}

void foreign_heaps_hook_tls(void)
{
}

void foreign_heaps_settle_tls(void)
{
}
