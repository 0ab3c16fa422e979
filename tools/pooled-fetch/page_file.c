/* The file of the page. It is opened before the run, so that an hour's figures are not lost to a
 * mistyped name, and what is in it stays until there is something better to put there. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "ordered.h"
#include "report_html.h"
#include "say.h"

static enum pf_exit fail(const char *path)
{
    pf_say("(%d) cannot write \"%s\": %s", PF_EXIT_WRITE, path, pf_errno_text(errno));
    return PF_EXIT_WRITE;
}

enum pf_exit pf_page_open(const char *path, int std_fd, int *out_fd)
{
    int fd = strcmp(path, "-") == 0 ? fcntl(std_fd, F_DUPFD_CLOEXEC, 3)
                                    : open(path, O_WRONLY | O_CREAT | O_CLOEXEC, PF_NEW_FILE_MODE);

    if (fd < 0) {
        return fail(path);
    }
    *out_fd = fd;
    return PF_EXIT_OK;
}

enum pf_exit pf_page_write(const struct pf_page *page, int fd)
{
    const char *path = page->settings->html_file;
    struct pf_text text = {0};
    enum pf_exit code = PF_EXIT_OK;

    pf_page_add(&text, page);
    /* What is no file, a pipe or a terminal, cannot be cut, and need not be. */
    if ((strcmp(path, "-") != 0 && ftruncate(fd, 0) != 0 && errno != EINVAL) ||
        pf_write_all(fd, text.data, text.len) != 0) {
        code = fail(path);
    }
    if (close(fd) != 0 && code == PF_EXIT_OK) {
        code = fail(path);
    }
    pf_text_free(&text);
    return code;
}
