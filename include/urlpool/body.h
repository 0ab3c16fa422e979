#ifndef URLPOOL_BODY_H
#define URLPOOL_BODY_H

#include <stdbool.h>
#include <stddef.h>

#include "urlpool/export.h"

URLPOOL_BEGIN_DECLS

enum urlpool_body_kind {
    URLPOOL_BODY_NONE = 0,
    URLPOOL_BODY_BYTES,
    URLPOOL_BODY_FD
};

/* struct urlpool_body is what a request carries; borrowed for the call. */
struct urlpool_body {
    enum urlpool_body_kind kind;
    const void *data; /* BYTES */
    size_t data_len;
    int fd; /* FD: from its current offset to its end. A regular file's size is taken by itself,
               and it can be rewound; what has no size (a pipe) is sent chunked, and cannot */
    bool chunked; /* send it chunked although its length is known */
    unsigned char reserved[39];
};

/* urlpool_body_bytes is a body of `len` bytes at `data`. */
static inline struct urlpool_body urlpool_body_bytes(const void *data, size_t len)
{
    struct urlpool_body body = {URLPOOL_BODY_BYTES, data, len, -1, false, {0}};
    return body;
}

/* urlpool_body_fd is a body read from `fd`. */
static inline struct urlpool_body urlpool_body_fd(int fd)
{
    struct urlpool_body body = {URLPOOL_BODY_FD, NULL, 0, fd, false, {0}};
    return body;
}

URLPOOL_END_DECLS

#endif /* URLPOOL_BODY_H */
