#ifndef URLPOOL_MEMORY_H
#define URLPOOL_MEMORY_H

#include <stddef.h>

#include "urlpool/error.h"
#include "urlpool/export.h"

URLPOOL_BEGIN_DECLS

/* struct urlpool_allocator is where every byte of urlpool's own memory comes from. The functions
 * have the contracts of malloc, realloc and free and are called from any thread. */
struct urlpool_allocator {
    void *(*allocate)(void *user, size_t size);                /* as malloc */
    void *(*reallocate)(void *user, void *block, size_t size); /* as realloc */
    void (*release)(void *user, void *block);                  /* as free */
    void *user;                                                /* given to all three */
    unsigned char reserved[16];
};

/* urlpool_set_allocator makes the whole process take urlpool's memory from `allocator`; NULL goes
 * back to malloc. BoringSSL and c-ares keep their own.
 *
 * Owns:    the struct is copied, `user` is borrowed for ever.
 * Errors:  URLPOOL_E_INVALID when a function is NULL, for reserved bytes, or when urlpool holds
 *          memory already.
 * Threads: call it before any other urlpool function. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_set_allocator(
    const struct urlpool_allocator *allocator, struct urlpool_error *err);

/* urlpool_string_free frees a string that a urlpool function gave to the caller. NULL is accepted.
 *
 * Threads: any number at once. */
URLPOOL_API void urlpool_string_free(char *text);

URLPOOL_END_DECLS

#endif /* URLPOOL_MEMORY_H */
