/* Bodies to files, to standard output in order, or nowhere. */

#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

enum {
    NUM_NAMES = 100 /* tried by --no-clobber, as by curl */
};

static int64_t size_of(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISREG(info.st_mode) ? (int64_t)info.st_size : 0;
}

void pf_output_begin(struct pf_output *output, const struct pf_settings *settings,
                     const struct pf_entry *entry, struct pf_ticket *ticket)
{
    *output = (struct pf_output){.settings = settings, .fd = -1, .date = -1};
    if (settings->continues && !settings->continues_by_file) {
        output->offset = settings->continue_at;
        output->first_offset = output->offset;
    }
    if (settings->out_null) {
        return;
    }
    if (entry->file == NULL) {
        output->ticket = ticket;
        return;
    }
    output->path = pf_strdup(entry->file);
    output->is_appended = settings->continues_by_file || output->offset > 0;
    if (settings->continues_by_file) {
        output->offset = size_of(output->path);
        output->first_offset = output->offset;
    }
}

void pf_output_rename(struct pf_output *output, const char *name)
{
    const char *dir = output->settings->output_dir;

    free(output->path);
    output->path = dir != NULL ? pf_format("%s/%s", dir, name) : pf_strdup(name);
    output->is_named_by_server = true;
}

/* open_new makes a file that is not there yet: with --no-clobber "name.1" when "name" is. */
static int open_new(struct pf_output *output)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    const mode_t mode = PF_NEW_FILE_MODE;

    output->fd = open(output->path, flags, mode);
    for (int i = 1;
         i < NUM_NAMES && output->fd < 0 && errno == EEXIST && output->settings->no_clobber; i++) {
        char *path = pf_format("%s.%d", output->path, i);

        output->fd = open(path, flags, mode);
        if (output->fd >= 0) {
            free(output->path);
            output->path = path;
        } else {
            free(path);
        }
    }
    return output->fd >= 0 ? 0 : -1;
}

static int open_file(struct pf_output *output)
{
    if (output->is_named_by_server || (output->settings->no_clobber && !output->is_appended)) {
        return open_new(output);
    }
    output->fd = open(output->path,
                      O_WRONLY | O_CREAT | O_CLOEXEC | (output->is_appended ? O_APPEND : O_TRUNC),
                      PF_NEW_FILE_MODE);
    return output->fd >= 0 ? 0 : -1;
}

int pf_output_write(struct pf_output *output, const void *data, size_t len)
{
    if (output->path == NULL) {
        output->num_bytes += (int64_t)len;
        return output->ticket != NULL ? pf_ticket_write(output->ticket, data, len) : 0;
    }
    if (output->fd < 0 && open_file(output) != 0) {
        return -1;
    }
    output->num_bytes += (int64_t)len;
    return pf_write_all(output->fd, data, len);
}

/* cut leaves `len` bytes of the file. */
static void cut(struct pf_output *output, int64_t len)
{
    output->num_bytes = 0;
    if (output->fd >= 0 && ftruncate(output->fd, (off_t)len) == 0) { /* else it is no file */
        (void)lseek(output->fd, (off_t)len, SEEK_SET);
    }
}

void pf_output_begin_anew(struct pf_output *output)
{
    output->offset = 0;
    output->first_offset = 0;
    cut(output, 0);
    output->is_appended = output->is_appended && output->fd >= 0;
}

void pf_output_restart(struct pf_output *output, bool keeps)
{
    if (keeps && output->path != NULL) {
        output->offset += output->num_bytes;
        output->num_bytes = 0;
        return;
    }
    output->offset = output->first_offset;
    cut(output, output->is_appended ? output->first_offset : 0);
}

/* leave_date gives the file the date that the server told. */
static void leave_date(const struct pf_output *output)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = output->date}};

    if (output->date >= 0) {
        (void)futimens(output->fd, times); /* as curl: a date is not worth an error */
    }
}

int pf_output_end(struct pf_output *output, bool is_whole, bool makes)
{
    struct stat info;
    int result = 0;
    bool is_file;

    if (output->path == NULL) {
        return 0;
    }
    if (output->fd < 0) {
        if (!is_whole || !makes) {
            return 0;
        }
        if (open_file(output) != 0) {
            return -1;
        }
    }
    is_file = fstat(output->fd, &info) == 0 && S_ISREG(info.st_mode);
    leave_date(output);
    result = close(output->fd);
    output->fd = -1;
    if ((!is_whole || result != 0) && output->settings->remove_on_error && is_file) {
        int saved_errno = errno;
        (void)unlink(output->path);
        errno = saved_errno;
    }
    return result;
}

void pf_output_deinit(struct pf_output *output)
{
    free(output->path);
    output->path = NULL;
}
