/* The keys of connections in a file, so that Wireshark can read what was recorded. Whoever has the
 * file can do so too, which is why there is none unless a caller asked for it.
 *
 * A line is one write to a file that is open for appending, so no lock is needed, neither between
 * threads nor between processes. A line that cannot be written is lost and disturbs nobody. */

#include "net/tls_keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "net/tls_context.h"
#include "net/tls_stream.h"

/* The longest label is 31 bytes, a client's random 64, a secret 128. */
#define LINE_BYTES_MAX 320

enum urlpool_code urlp_tls_keylog_open(const char *path, int *out_fd, struct urlpool_error *err)
{
    /* Without O_NONBLOCK a pipe that nobody reads would hold us up. */
    int fd;

    do {
        fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, S_IRUSR | S_IWUSR);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        return urlp_fail_errno(err, URLPOOL_E_SYSTEM, URLPOOL_PHASE_NONE, errno,
                               "cannot write TLS keys to %s", urlp_quote(path, strlen(path)).text);
    }
    *out_fd = fd;
    return URLPOOL_OK;
}

/* write_line writes a line, by more than one write only where the kernel takes part of it. */
static void write_line(int fd, const char *text, size_t len)
{
    while (len > 0) {
        const ssize_t written = write(fd, text, len);

        if (written < 0 && errno != EINTR) {
            return;
        }
        text += written > 0 ? written : 0;
        len -= written > 0 ? (size_t)written : 0;
    }
}

void urlp_tls_keylog_write(const SSL *ssl, const char *line)
{
    const struct urlp_tls_stream *stream = SSL_get_app_data(ssl);
    char text[LINE_BYTES_MAX];
    int len;

    if (stream == NULL) {
        return;
    }
    len = snprintf(text, sizeof(text), "%s\n", line);
    if (len > 0 && (size_t)len < sizeof(text)) {
        write_line(stream->tls->keylog_fd, text, (size_t)len);
    }
}
