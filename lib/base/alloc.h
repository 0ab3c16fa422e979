#ifndef URLP_BASE_ALLOC_H
#define URLP_BASE_ALLOC_H

#include <stddef.h>

/* The one door to the heap. All return NULL out of memory; urlp_free accepts NULL. */
void *urlp_alloc(size_t size);
void *urlp_zalloc(size_t size);
void *urlp_realloc(void *block, size_t size);
void urlp_free(void *block);

/* urlp_strndup copies `len` bytes and a NUL behind them. */
char *urlp_strndup(const char *text, size_t len);

#endif /* URLP_BASE_ALLOC_H */
