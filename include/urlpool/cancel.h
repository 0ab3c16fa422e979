#ifndef URLPOOL_CANCEL_H
#define URLPOOL_CANCEL_H

#include <stdbool.h>

#include "urlpool/error.h"
#include "urlpool/export.h"

URLPOOL_BEGIN_DECLS

/* struct urlpool_cancel is a token that ends, from any thread or signal handler, every request it
 * was given to. Once cancelled it stays so. It must outlive those requests and their responses. */
struct urlpool_cancel;

/* urlpool_cancel_free ends the token's life. NULL is accepted.
 *
 * Threads: nobody else may be using it. */
URLPOOL_API void urlpool_cancel_free(struct urlpool_cancel *cancel);

/* urlpool_cancel_new makes a token. It holds one file descriptor.
 *
 * Owns:    the caller frees it with urlpool_cancel_free.
 * Errors:  NULL with URLPOOL_E_NOMEM or URLPOOL_E_SYSTEM.
 * Threads: any number at once. */
URLPOOL_API URLPOOL_MUST_USE struct urlpool_cancel *urlpool_cancel_new(struct urlpool_error *err)
    URLPOOL_FREED_BY(urlpool_cancel_free, 1);

/* urlpool_cancel_now ends the requests that hold `cancel`, and those that will, with
 * URLPOOL_E_CANCELLED. NULL is accepted.
 *
 * Threads: any number at once; async-signal-safe. */
URLPOOL_API void urlpool_cancel_now(struct urlpool_cancel *cancel);

/* urlpool_cancel_is_set says whether urlpool_cancel_now was called.
 *
 * Threads: any number at once; async-signal-safe. */
URLPOOL_API bool urlpool_cancel_is_set(const struct urlpool_cancel *cancel);

URLPOOL_END_DECLS

#endif /* URLPOOL_CANCEL_H */
