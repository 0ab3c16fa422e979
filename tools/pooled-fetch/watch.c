/* Turns a transfer's trace events into instants and facts. The times a user asks for by -w all come
 * from here. */

#include "watch.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "trace_file.h"

void pf_watch_init(struct pf_watch *watch, int64_t now_ns)
{
    *watch = (struct pf_watch){.started_ns = now_ns, .hop_ns = now_ns, .body_bytes = -1};
}

void pf_watch_free(struct pf_watch *watch)
{
    pf_text_free(&watch->heads);
    free(watch->url);
}

static void copy_text(char *out, size_t out_size, const char *text, size_t len)
{
    if (len >= out_size) {
        len = out_size - 1;
    }
    if (len > 0) {
        memcpy(out, text, len);
    }
    out[len] = '\0';
}

static void note_lease(struct pf_watch *watch, const struct urlpool_trace_event *event)
{
    watch->leased_ns = event->at_ns;
    watch->pool_wait_ns += event->at_ns - watch->hop_ns;
    watch->conn_reused = event->number == 1;
    watch->resolved_ns = 0;
    watch->connected_ns = 0;
    watch->secured_ns = 0;
}

static void note_head(struct pf_watch *watch, const struct urlpool_trace_event *event)
{
    watch->last_head = watch->heads.len;
    if (watch->keeps_heads) {
        pf_text_add(&watch->heads, event->text, event->text_len);
    }
}

/* forget_connect_head takes the newest head back: it was a proxy's answer to CONNECT. */
static void forget_connect_head(struct pf_watch *watch)
{
    if (watch->no_connect_heads) {
        pf_text_cut(&watch->heads, watch->last_head);
    }
}

static void note_redirect(struct pf_watch *watch, const struct urlpool_trace_event *event)
{
    watch->num_redirects++;
    watch->hop_ns = event->at_ns;
    watch->body_bytes = -1;
    free(watch->url);
    watch->url = pf_strndup(event->text, event->text_len);
}

static void note(struct pf_watch *watch, const struct urlpool_trace_event *event)
{
    switch (event->kind) {
    case URLPOOL_TRACE_LEASED:
        note_lease(watch, event);
        break;
    case URLPOOL_TRACE_RESOLVED:
        watch->resolved_ns = event->at_ns;
        break;
    case URLPOOL_TRACE_CONNECTED:
        watch->connected_ns = event->at_ns;
        watch->num_connects++;
        copy_text(watch->peer, sizeof(watch->peer), event->text, event->text_len);
        break;
    case URLPOOL_TRACE_SECURED:
        watch->secured_ns = event->at_ns;
        break;
    case URLPOOL_TRACE_REQUEST_HEAD:
        watch->head_ns = event->at_ns;
        copy_text(watch->method, sizeof(watch->method), event->text,
                  event->text_len > 0 ? strcspn(event->text, " ") : 0);
        break;
    case URLPOOL_TRACE_REQUEST_SENT:
        copy_text(watch->peer, sizeof(watch->peer), event->text, event->text_len);
        break;
    case URLPOOL_TRACE_FIRST_BYTE:
        watch->first_byte_ns = event->at_ns;
        break;
    case URLPOOL_TRACE_INTERIM_HEAD:
    case URLPOOL_TRACE_RESPONSE_HEAD:
        note_head(watch, event);
        break;
    case URLPOOL_TRACE_REDIRECT:
        note_redirect(watch, event);
        break;
    case URLPOOL_TRACE_BODY_END:
        watch->body_bytes = event->number;
        break;
    case URLPOOL_TRACE_TUNNELLED:
        forget_connect_head(watch);
        break;
    case URLPOOL_TRACE_RETRY:
    case URLPOOL_TRACE_CLOSED:
    case URLPOOL_TRACE_INSECURE:
    case URLPOOL_TRACE_LEAK:
        break;
    }
}

void pf_watch_event(void *user, const struct urlpool_trace_event *event)
{
    struct pf_watch *watch = user;

    note(watch, event);
    if (watch->is_verbose) {
        pf_verbose_print(event, watch->has_time);
    }
    if (pf_trace_is_open()) {
        pf_trace_event(event);
    }
}
