/* The demonstration: 2,000 requests by 8 threads through one manager to a server of our own, half
 * of them over HTTPS and verified. */

#include "demo.h"

#include <stdlib.h>
#include <string.h>

#include "demo_server.h"
#include "entries.h"
#include "interrupt.h"
#include "runner.h"
#include "say.h"

enum {
    REPEAT_DEFAULT = 1000 /* of two URLs */
};

static void add_url(struct pf_settings *settings, const struct pf_demo_server *server, bool https)
{
    char *url =
        pf_format("http%s://127.0.0.1:%d/", https ? "s" : "", pf_demo_server_port(server, https));

    pf_entries_add(settings, url, strlen(url), NULL);
    free(url);
}

int pf_demo_run(struct pf_settings *settings)
{
    struct pf_demo_server *server;
    int code;

    if (settings->num_entries > 0 || settings->has_data || settings->form != NULL ||
        settings->uploads.count > 0) {
        pf_say("option --demo: it has URLs of its own, and takes no others and no data");
        return PF_EXIT_USAGE;
    }
    pf_interrupt_ignore_pipes(); /* the server's TLS writes through plain descriptors */
    server = pf_demo_server_start();
    if (server == NULL) {
        return PF_EXIT_CONNECT;
    }
    add_url(settings, server, false);
    add_url(settings, server, true);
    settings->ca_data = pf_demo_server_ca(server);
    settings->ca_data_len = strlen(settings->ca_data);
    settings->out_null = true;
    if (settings->repeat == 0) {
        settings->repeat = REPEAT_DEFAULT;
    }
    if (settings->report == PF_REPORT_NONE) {
        settings->report = PF_REPORT_TEXT;
    }
    code = pf_entries_settle(settings);
    if (code == PF_EXIT_OK) {
        code = pf_run_all(settings);
    }
    settings->ca_data = NULL;
    pf_demo_server_stop(server);
    return code;
}
