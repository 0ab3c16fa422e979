/* Bodies that are sent. The library takes memory and files as they are; where --limit-rate holds,
 * it is given them piece by piece instead, each when it is due. */

#include "upload.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "monotonic.h"

/* take takes the next bytes of the body. Returns -1 with errno. */
static ssize_t take(struct pf_upload *upload, void *buf, size_t len)
{
    const size_t at = (size_t)upload->num_sent;
    ssize_t got;

    if (upload->fd < 0) {
        len = upload->data_len - at < len ? upload->data_len - at : len;
        memcpy(buf, upload->data + at, len);
        return (ssize_t)len;
    }
    do {
        got = read(upload->fd, buf, len);
    } while (got < 0 && errno == EINTR);
    return got;
}

static enum urlpool_code give(void *user, void *buf, size_t len, size_t *out_len,
                              struct urlpool_error *err)
{
    struct pf_upload *upload = user;
    const int64_t now_ns = pf_now_ns();
    int64_t pause_ms;
    ssize_t got;

    if (upload->num_sent == 0) {
        pf_pace_init(&upload->pace, now_ns);
    }
    pause_ms = pf_pace_pause_ms(&upload->pace, upload->settings, upload->num_sent, now_ns);
    if (pause_ms > 0) { /* that it was too long the library finds out */
        (void)pf_pace_wait(upload->settings, upload->started_ns, pause_ms);
    }
    got = take(upload, buf, pf_pace_step(upload->settings, len));
    if (got < 0) {
        err->os_errno = errno;
        return URLPOOL_E_BODY;
    }
    upload->num_sent += got;
    *out_len = (size_t)got;
    return URLPOOL_OK;
}

static enum urlpool_code go_back(void *user, struct urlpool_error *err)
{
    struct pf_upload *upload = user;

    upload->num_sent = 0;
    if (upload->fd >= 0 && lseek(upload->fd, (off_t)upload->first, SEEK_SET) < 0) {
        err->os_errno = errno;
        return URLPOOL_E_UNREWINDABLE;
    }
    return URLPOOL_OK;
}

/* slow_down has the body given out by `give`. */
static void slow_down(struct pf_upload *upload)
{
    struct urlpool_body *body = &upload->body;
    struct stat info;
    bool is_regular = true;
    int64_t length = (int64_t)upload->data_len;

    if (upload->fd >= 0) {
        is_regular = fstat(upload->fd, &info) == 0 && S_ISREG(info.st_mode);
        upload->first = is_regular ? (int64_t)lseek(upload->fd, 0, SEEK_CUR) : 0;
        length = is_regular ? (int64_t)info.st_size - upload->first : 0;
    }
    body->kind = URLPOOL_BODY_CALLBACK;
    body->read = give;
    body->rewind = is_regular ? go_back : NULL;
    body->user = upload;
    body->length = is_regular && length <= 0 ? URLPOOL_NONE : length;
}

static int open_file(struct pf_upload *upload, const struct pf_request *request, const char *path)
{
    const bool is_standard_input = strcmp(path, "-") == 0;

    upload->fd = is_standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (upload->fd < 0) {
        return -1;
    }
    upload->body = urlpool_body_fd(upload->fd);
    upload->body.chunked = is_standard_input; /* as curl, even where its length could be known */
    upload->body.expect_ms = request->expect_ms;
    upload->body.expect_continue = !request->has_own_expect; /* nothing is said of an empty file */
    return 0;
}

int pf_upload_open(struct pf_upload *upload, const struct pf_settings *settings,
                   const struct pf_request *request, const struct pf_entry *entry,
                   int64_t started_ns)
{
    *upload = (struct pf_upload){.settings = settings,
                                 .body = request->body,
                                 .fd = -1,
                                 .started_ns = started_ns,
                                 .data = request->body.data,
                                 .data_len = request->body.data_len};
    if (entry->upload != NULL && open_file(upload, request, entry->upload) != 0) {
        return -1;
    }
    if (settings->limit_rate > 0 &&
        (upload->body.kind == URLPOOL_BODY_BYTES || upload->body.kind == URLPOOL_BODY_FD)) {
        slow_down(upload);
    }
    return 0;
}

void pf_upload_close(struct pf_upload *upload)
{
    if (upload->fd > STDERR_FILENO) {
        (void)close(upload->fd);
    }
}
