/* Bodies to files, to standard output in order, or nowhere. */

#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    NEW_FILE_MODE = 0666 /* less the umask */
};

void pf_output_begin(struct pf_output *output, const struct pf_settings *settings,
                     const struct pf_entry *entry, struct pf_ticket *ticket)
{
    *output = (struct pf_output){.fd = -1, .removes_on_error = settings->remove_on_error};
    if (settings->out_null) {
        return;
    }
    output->path = entry->file;
    if (output->path == NULL) {
        output->ticket = ticket;
    }
}

static int open_file(struct pf_output *output)
{
    output->fd = open(output->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, NEW_FILE_MODE);
    return output->fd >= 0 ? 0 : -1;
}

int pf_output_write(struct pf_output *output, const void *data, size_t len)
{
    output->num_bytes += (int64_t)len;
    if (output->path == NULL) {
        return output->ticket != NULL ? pf_ticket_write(output->ticket, data, len) : 0;
    }
    if (output->fd < 0 && open_file(output) != 0) {
        return -1;
    }
    return pf_write_all(output->fd, data, len);
}

void pf_output_restart(struct pf_output *output)
{
    output->num_bytes = 0;
    if (output->fd >= 0 && ftruncate(output->fd, 0) == 0) { /* else it is no file */
        (void)lseek(output->fd, 0, SEEK_SET);
    }
}

int pf_output_end(struct pf_output *output, bool is_whole)
{
    struct stat info;
    int result = 0;
    bool is_file;

    if (output->path == NULL) {
        return 0;
    }
    if (output->fd < 0) {
        if (!is_whole) {
            return 0;
        }
        if (open_file(output) != 0) {
            return -1;
        }
    }
    is_file = fstat(output->fd, &info) == 0 && S_ISREG(info.st_mode);
    result = close(output->fd);
    output->fd = -1;
    if ((!is_whole || result != 0) && output->removes_on_error && is_file) {
        int saved_errno = errno;
        (void)unlink(output->path);
        errno = saved_errno;
    }
    return result;
}
