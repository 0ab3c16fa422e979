#ifndef POOLED_FETCH_WATCH_H
#define POOLED_FETCH_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "urlpool/trace.h"

#include "text.h"

/* struct pf_watch is what the trace of one transfer tells. Instants are CLOCK_MONOTONIC in ns,
 * those of the last hop, 0 when that did not happen. */
struct pf_watch {
    bool is_verbose, keeps_heads, has_time, no_connect_heads;
    int64_t started_ns;
    int64_t hop_ns; /* when the last redirect was followed, or started_ns */
    int64_t leased_ns, resolved_ns, connected_ns, secured_ns, head_ns, first_byte_ns;
    int64_t pool_wait_ns; /* over all hops */
    unsigned num_connects, num_redirects;
    int64_t body_bytes; /* as sent by the peer, before decoding; -1: the body has not ended */
    bool conn_reused;
    char peer[64]; /* "127.0.0.1:80"; "" when not known */
    char method[32];
    char *url;            /* where the last redirect led; NULL: none was followed */
    struct pf_text heads; /* interim and final ones, credentials masked */
    size_t last_head;     /* where the newest begins */
};

void pf_watch_init(struct pf_watch *watch, int64_t now_ns);
void pf_watch_free(struct pf_watch *watch);
/* pf_watch_event is the sink; `user` is the struct pf_watch. */
void pf_watch_event(void *user, const struct urlpool_trace_event *event);

/* pf_verbose_print writes one event on standard error as curl -v does: "> ", "< ", "* "; with
 * `has_time` behind the time. */
void pf_verbose_print(const struct urlpool_trace_event *event, bool has_time);
/* pf_remark_add adds the line "* …" about an event that is no head, if there is one. */
void pf_remark_add(struct pf_text *out, const struct urlpool_trace_event *event);

#endif /* POOLED_FETCH_WATCH_H */
