#ifndef URLPOOL_BODY_H
#define URLPOOL_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "urlpool/error.h"
#include "urlpool/export.h"
#include "urlpool/form.h"
#include "urlpool/headers.h"

URLPOOL_BEGIN_DECLS

/* enum urlpool_body_kind says where the bytes of a body come from. */
enum urlpool_body_kind {
    URLPOOL_BODY_NONE = 0, /* no body */
    URLPOOL_BODY_BYTES,    /* `data` */
    URLPOOL_BODY_FD,       /* what `fd` stands for */
    URLPOOL_BODY_CALLBACK, /* what `read` gives */
    URLPOOL_BODY_FORM,     /* application/x-www-form-urlencoded */
    URLPOOL_BODY_MULTIPART /* multipart/form-data */
};

/* urlpool_body_read_fn writes up to `len` bytes of the body into `buf`; `*out_len` 0 is its end.
 * Anything but URLPOOL_OK ends the request with URLPOOL_E_BODY, or with URLPOOL_E_CANCELLED if it
 * is that; a message in `err` is kept. Called in the request's thread, never under a lock; time it
 * takes counts against total_ms. It must not use the connection. */
typedef enum urlpool_code (*urlpool_body_read_fn)(void *user, void *buf, size_t len,
                                                  size_t *out_len, struct urlpool_error *err);
/* urlpool_body_rewind_fn goes back to the first byte. Anything but URLPOOL_OK ends the request with
 * URLPOOL_E_UNREWINDABLE. */
typedef enum urlpool_code (*urlpool_body_rewind_fn)(void *user, struct urlpool_error *err);

/* struct urlpool_body is what a request carries; borrowed for the call. Zero bytes: none.
 *
 * Spec:    RFC 9110 sections 6.4, 10.1.1; RFC 7578. */
struct urlpool_body {
    enum urlpool_body_kind kind; /* which of the members below count */
    const void *data;            /* BYTES: where they are */
    size_t data_len;             /* BYTES: how many they are */
    int fd; /* FD: from its current offset to its end. A regular file's size is taken by itself,
               and it can be rewound; what has no size (a pipe) is sent chunked, and cannot */
    bool chunked;         /* send it chunked although its length is known */
    bool expect_continue; /* send the head alone, with Expect: 100-continue, and wait for the
                             server's word; 417 is tried again without */
    int64_t expect_ms; /* waits so long for it, and not beyond read_ms; then send anyway; default 1
                          000. URLPOOL_NO_TIMEOUT: as read_ms says */
    urlpool_body_read_fn read; /* CALLBACK: gives the bytes */
    urlpool_body_rewind_fn
        rewind;     /* CALLBACK: goes back to the first; NULL: it can be sent but once */
    void *user;     /* given to `read` and `rewind` */
    int64_t length; /* CALLBACK: exactly so many bytes; 0: not known, sent chunked;
                       URLPOOL_NONE: no byte */
    const struct urlpool_form *form; /* FORM, MULTIPART: the fields */
    const char *content_type; /* sent as Content-Type unless the headers have one; NULL: FORM and
                                 MULTIPART know theirs, others send none; "" sends none */
    const struct urlpool_headers *trailers; /* sent behind the body, which is chunked for it; read
                                               when it has ended, so `read` may still add some.
                                               Their names at the start are announced by Trailer */
    unsigned char reserved[40];
};

/* urlpool_body_bytes is a body of `len` bytes at `data`.
 *
 * Threads: any number at once, as all that make a body. */
URLPOOL_API struct urlpool_body urlpool_body_bytes(const void *data, size_t len);
/* urlpool_body_json is a body of JSON text, ended by a NUL that is not sent: Content-Type:
 * application/json. */
URLPOOL_API struct urlpool_body urlpool_body_json(const char *text);
/* urlpool_body_fd is a body read from `fd`. */
URLPOOL_API struct urlpool_body urlpool_body_fd(int fd);
/* urlpool_body_callback is a body that `read` gives piece by piece; `length` is 0 when it is not
 * known, `rewind` NULL when there is no way back. */
URLPOOL_API struct urlpool_body urlpool_body_callback(urlpool_body_read_fn read,
                                                      urlpool_body_rewind_fn rewind, void *user,
                                                      int64_t length);
/* urlpool_body_form is the fields of `form`, url-encoded. */
URLPOOL_API struct urlpool_body urlpool_body_form(const struct urlpool_form *form);
/* urlpool_body_multipart is the fields of `form` as multipart/form-data, files streamed from disk.
 */
URLPOOL_API struct urlpool_body urlpool_body_multipart(const struct urlpool_form *form);

URLPOOL_END_DECLS

#endif /* URLPOOL_BODY_H */
