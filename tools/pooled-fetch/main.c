/* pooled-fetch: many URLs in parallel through one shared pool. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "demo.h"
#include "entries.h"
#include "help.h"
#include "options.h"
#include "runner.h"
#include "say.h"
#include "trace_file.h"

static int run(struct pf_settings *settings)
{
    int code;

    if (settings->help) {
        code = pf_help_print(settings->help_category);
        return fflush(stdout) == 0 ? code : PF_EXIT_WRITE;
    }
    if (settings->version) {
        pf_version_print();
        return fflush(stdout) == 0 ? PF_EXIT_OK : PF_EXIT_WRITE;
    }
    if (settings->demo) {
        return pf_demo_run(settings);
    }
    code = pf_entries_settle(settings);
    return code == PF_EXIT_OK ? pf_run_all(settings) : code;
}

/* hold_standard_fds fills the places of standard streams that were closed, so that no socket gets
 * one: a body for standard output would go out on it. What is written there fails. */
static void hold_standard_fds(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDONLY);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) {
        (void)close(fd);
    }
}

/* open_files sends standard error to where --stderr says, and opens the file of --trace. */
static int open_files(const struct pf_settings *settings)
{
    const char *path = settings->stderr_file;

    if (path != NULL && strcmp(path, "-") == 0) {
        (void)dup2(STDOUT_FILENO, STDERR_FILENO);
    } else if (path != NULL && freopen(path, "w", stderr) == NULL) {
        return PF_EXIT_WRITE; /* and there is nowhere left to say so */
    }
    if (pf_trace_open(settings) != 0) {
        pf_say("(%d) cannot write \"%s\": %s", PF_EXIT_WRITE, settings->trace_file,
               pf_errno_text(errno));
        return PF_EXIT_WRITE;
    }
    return PF_EXIT_OK;
}

int main(int argc, char **argv)
{
    struct pf_settings settings;
    int code;

    hold_standard_fds();
    pf_settings_init(&settings);
    code = pf_options_parse(&settings, argc, argv);
    if (code == PF_EXIT_OK) {
        code = open_files(&settings);
    }
    if (code == PF_EXIT_OK) {
        code = run(&settings);
    }
    pf_trace_close();
    pf_settings_free(&settings);
    return code;
}
