/* pooled-fetch: many URLs in parallel through one shared pool. */

#include <stdio.h>

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

int main(int argc, char **argv)
{
    struct pf_settings settings;
    int code;

    pf_settings_init(&settings);
    code = pf_options_parse(&settings, argc, argv);
    if (code == PF_EXIT_OK) {
        code = run(&settings);
    }
    pf_settings_free(&settings);
    return code;
}
