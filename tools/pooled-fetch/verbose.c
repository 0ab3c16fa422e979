/* -v: the trace for people. Heads come with credentials masked by the library. Every event is one
 * write, so that those of several threads do not mix within a line. */

#include <inttypes.h>
#include <string.h>

#include "say.h"
#include "trace_file.h"
#include "watch.h"

/* add_head adds every line of a head with a mark before it. */
static void add_head(struct pf_text *out, const char *mark, const struct urlpool_trace_event *event)
{
    const char *at = event->text;
    size_t left = event->text_len;

    while (left > 0) {
        const char *end = memchr(at, '\n', left);
        size_t len = end != NULL ? (size_t)(end - at) + 1 : left;
        size_t shown = len;

        while (shown > 0 && (at[shown - 1] == '\n' || at[shown - 1] == '\r')) {
            shown--;
        }
        pf_text_addf(out, "%s %.*s\n", mark, (int)shown, at);
        at += len;
        left -= len;
    }
}

void pf_remark_add(struct pf_text *out, const struct urlpool_trace_event *event)
{
    int len = (int)event->text_len;
    const char *text = len > 0 ? event->text : "";

    switch (event->kind) {
    case URLPOOL_TRACE_LEASED:
        pf_text_addf(out, "* %s %.*s\n",
                     event->number == 1 ? "Re-using a connection to" : "Opening a connection to",
                     len, text);
        break;
    case URLPOOL_TRACE_RESOLVED:
        pf_text_addf(out, "* %.*s has %" PRId64 " addresses\n", len, text, event->number);
        break;
    case URLPOOL_TRACE_CONNECTED:
        pf_text_addf(out, "* Connected to %.*s\n", len, text);
        break;
    case URLPOOL_TRACE_TUNNELLED:
        pf_text_addf(out, "* Tunnel to %.*s, status %" PRId64 "\n", len, text, event->number);
        break;
    case URLPOOL_TRACE_SECURED:
        pf_text_addf(out, "* TLS is up: %.*s%s\n", len, text,
                     event->number == 1 ? ", session resumed" : "");
        break;
    case URLPOOL_TRACE_REQUEST_SENT:
        pf_text_addf(out, "* Sent %" PRId64 " bytes\n", event->number);
        break;
    case URLPOOL_TRACE_BODY_END:
        pf_text_addf(out, "* Body is whole, %" PRId64 " bytes\n", event->number);
        break;
    case URLPOOL_TRACE_RETRY:
        pf_text_addf(out, "* Trying once more on a fresh connection: %.*s\n", len, text);
        break;
    case URLPOOL_TRACE_REDIRECT:
        pf_text_addf(out, "* Following to %.*s\n", len, text);
        break;
    case URLPOOL_TRACE_CLOSED:
        pf_text_addf(out, "* Connection closed: %.*s\n", len, text);
        break;
    case URLPOOL_TRACE_INSECURE:
        pf_text_addf(out, "* WARNING: %.*s\n", len, text);
        break;
    case URLPOOL_TRACE_REQUEST_HEAD:
    case URLPOOL_TRACE_FIRST_BYTE:
    case URLPOOL_TRACE_INTERIM_HEAD:
    case URLPOOL_TRACE_RESPONSE_HEAD:
    case URLPOOL_TRACE_LEAK:
        break;
    }
}

void pf_verbose_print(const struct urlpool_trace_event *event, bool has_time)
{
    struct pf_text out = {0};
    size_t len;

    if (has_time) {
        pf_trace_add_time(&out);
    }
    len = out.len;
    if (event->kind == URLPOOL_TRACE_REQUEST_HEAD) {
        add_head(&out, ">", event);
    } else if (event->kind == URLPOOL_TRACE_RESPONSE_HEAD ||
               event->kind == URLPOOL_TRACE_INTERIM_HEAD) {
        add_head(&out, "<", event);
    } else {
        pf_remark_add(&out, event);
    }
    if (out.len > len) {
        pf_say_text(&out);
    }
    pf_text_free(&out);
}
