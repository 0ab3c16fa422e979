/* Files of certificates and keys, read whole, with a cap. What stands in them is not known here. */

#include "net/tls_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <unistd.h>

#define FILE_BYTES_MAX ((size_t)16 << 20)
#define READ_BYTES     ((size_t)64 << 10)

static enum urlpool_code read_all(int fd, struct urlp_buf *out, int *out_errno)
{
    for (;;) {
        const enum urlpool_code code = urlp_buf_reserve(out, READ_BYTES);
        ssize_t len;

        if (code == URLPOOL_E_NOMEM) {
            return code;
        }
        if (code != URLPOOL_OK) {
            *out_errno = EFBIG;
            return URLPOOL_E_SYSTEM;
        }
        len = read(fd, out->data + out->len, READ_BYTES);
        if (len < 0 && errno != EINTR) {
            *out_errno = errno;
            return URLPOOL_E_SYSTEM;
        }
        if (len == 0) {
            return URLPOOL_OK;
        }
        out->len += len > 0 ? (size_t)len : 0;
    }
}

enum urlpool_code urlp_tls_file_read(int dir_fd, const char *name, struct urlp_buf *out,
                                     int *out_errno)
{
    enum urlpool_code code;
    int fd;

    do {
        fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        *out_errno = errno;
        return URLPOOL_E_SYSTEM;
    }
    out->max = FILE_BYTES_MAX;
    code = read_all(fd, out, out_errno);
    (void)close(fd);
    return code;
}

void urlp_tls_file_forget(struct urlp_buf *buf)
{
    if (buf->data != NULL) {
        OPENSSL_cleanse(buf->data, buf->cap);
    }
    urlp_buf_deinit(buf);
}
