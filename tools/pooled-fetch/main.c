/* pooled-fetch: many URLs in parallel through one shared pool. */

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "demo.h"
#include "entries.h"
#include "help.h"
#include "options.h"
#include "runner.h"

static int run(struct pf_settings *settings)
{
    int code;

    if (settings->help) {
        pf_help_print();
        return fflush(stdout) == 0 ? PF_EXIT_OK : PF_EXIT_WRITE;
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

int main(int argc, char **argv)
{
    struct pf_settings settings;
    int code;

    hold_standard_fds();
    pf_settings_init(&settings);
    code = pf_options_parse(&settings, argc, argv);
    if (code == PF_EXIT_OK) {
        code = run(&settings);
    }
    pf_settings_free(&settings);
    return code;
}
