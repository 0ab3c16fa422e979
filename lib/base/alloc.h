#ifndef URLP_BASE_ALLOC_H
#define URLP_BASE_ALLOC_H

#include <stddef.h>
#include <stdint.h>

/* The one door to the heap: malloc's, or that of urlpool_set_allocator. All return NULL out of
 * memory, never for a size of 0. */

/* urlp_alloc returns `size` bytes of any content.
 *
 * Owns:    the caller frees them with urlp_free, as with all that follow. */
void *urlp_alloc(size_t size);

/* urlp_zalloc returns `size` bytes of zero. */
void *urlp_zalloc(size_t size);

/* urlp_zalloc_array returns `num` times `size` bytes of zero; NULL also when that overflows. */
void *urlp_zalloc_array(size_t num, size_t size);

/* urlp_realloc makes `block` `size` bytes long, moving it if need be. NULL is as urlp_alloc.
 *
 * Errors:  NULL leaves `block` as it was. */
void *urlp_realloc(void *block, size_t size);

/* urlp_alloc_advise tells the kernel that `block`, `size` bytes, will be written from its beginning
 * on, as far as there is something to write: a large one may then lie in large pages. A hint. */
void urlp_alloc_advise(void *block, size_t size);

/* urlp_free gives `block` back. NULL is accepted. */
void urlp_free(void *block);

/* urlp_strndup copies `len` bytes and puts a NUL behind them. */
char *urlp_strndup(const char *text, size_t len);

/* urlp_alloc_num_blocks is how many blocks the process holds: exact when no other thread is inside
 * urlpool. */
int64_t urlp_alloc_num_blocks(void);

#endif /* URLP_BASE_ALLOC_H */
