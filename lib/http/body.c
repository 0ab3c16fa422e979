/* The ready-made request bodies: each a plain value that borrows what it is made of. What is done
 * with them, and what is wrong with one put together by hand, is for lib/conn to say. */

#include "urlpool/body.h"

#include <string.h>

struct urlpool_body urlpool_body_bytes(const void *data, size_t len)
{
    return (struct urlpool_body){.kind = URLPOOL_BODY_BYTES, .data = data, .data_len = len};
}

struct urlpool_body urlpool_body_json(const char *text)
{
    return (struct urlpool_body){.kind = URLPOOL_BODY_BYTES,
                                 .data = text,
                                 .data_len = text != NULL ? strlen(text) : 0,
                                 .content_type = "application/json"};
}

struct urlpool_body urlpool_body_fd(int fd)
{
    return (struct urlpool_body){.kind = URLPOOL_BODY_FD, .fd = fd};
}

struct urlpool_body urlpool_body_callback(urlpool_body_read_fn read, urlpool_body_rewind_fn rewind,
                                          void *user, int64_t length)
{
    return (struct urlpool_body){.kind = URLPOOL_BODY_CALLBACK,
                                 .read = read,
                                 .rewind = rewind,
                                 .user = user,
                                 .length = length};
}

struct urlpool_body urlpool_body_form(const struct urlpool_form *form)
{
    return (struct urlpool_body){.kind = URLPOOL_BODY_FORM, .form = form};
}

struct urlpool_body urlpool_body_multipart(const struct urlpool_form *form)
{
    return (struct urlpool_body){.kind = URLPOOL_BODY_MULTIPART, .form = form};
}
