/* Where the time of a transfer went. The library's timings say it of a transfer that was answered;
 * of one that was not, the instants of its trace do, and its error names the step it failed in. */

#include "phases.h"

#include "count_of.h"

enum {
    PARTS_SHOWN = 50 /* a rest of less than that part of the whole is none */
};

static const char *const names[PF_PHASE_NUM] = {
    [PF_PHASE_BEFORE] = "before", [PF_PHASE_POOL] = "pool",   [PF_PHASE_DNS] = "dns",
    [PF_PHASE_DIAL] = "dial",     [PF_PHASE_PROXY] = "proxy", [PF_PHASE_TLS] = "tls",
    [PF_PHASE_SEND] = "send",     [PF_PHASE_WAIT] = "wait",   [PF_PHASE_READ] = "read",
    [PF_PHASE_REST] = "rest",
};

const char *pf_phase_name(enum pf_phase phase)
{
    return names[phase];
}

static enum pf_phase phase_of(enum urlpool_phase phase)
{
    switch (phase) {
    case URLPOOL_PHASE_POOL:
        return PF_PHASE_POOL;
    case URLPOOL_PHASE_RESOLVE:
        return PF_PHASE_DNS;
    case URLPOOL_PHASE_CONNECT:
        return PF_PHASE_DIAL;
    case URLPOOL_PHASE_PROXY:
        return PF_PHASE_PROXY;
    case URLPOOL_PHASE_TLS:
        return PF_PHASE_TLS;
    case URLPOOL_PHASE_SEND:
        return PF_PHASE_SEND;
    case URLPOOL_PHASE_BODY:
        return PF_PHASE_READ;
    case URLPOOL_PHASE_NONE:
    case URLPOOL_PHASE_HEAD:
    case URLPOOL_PHASE_REDIRECT:
        break;
    }
    return PF_PHASE_WAIT;
}

/* add_rest gives what is left of the time a name, unless it is next to nothing. */
static void add_rest(const struct pf_transfer *transfer, int64_t out[PF_PHASE_NUM])
{
    int64_t total_ns = transfer->ended_ns - transfer->started_ns;
    int64_t rest_ns = total_ns;

    for (int i = 0; i < PF_PHASE_NUM; i++) {
        rest_ns -= out[i];
    }
    out[PF_PHASE_REST] = rest_ns > total_ns / PARTS_SHOWN ? rest_ns : 0;
}

static void add_traced(const struct pf_transfer *transfer, int64_t out[PF_PHASE_NUM])
{
    const struct pf_watch *watch = &transfer->watch;
    const struct {
        int64_t at_ns;
        enum pf_phase phase;
    } steps[] = {
        {watch->leased_ns,     PF_PHASE_POOL},
        {watch->resolved_ns,   PF_PHASE_DNS },
        {watch->connected_ns,  PF_PHASE_DIAL},
        {watch->secured_ns,    PF_PHASE_TLS },
        {watch->head_ns,       PF_PHASE_SEND},
        {watch->first_byte_ns, PF_PHASE_WAIT},
    };
    int64_t last_ns = watch->hop_ns;

    out[PF_PHASE_BEFORE] += watch->hop_ns - watch->started_ns;
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        if (steps[i].at_ns > last_ns) {
            out[steps[i].phase] += steps[i].at_ns - last_ns;
            last_ns = steps[i].at_ns;
        }
    }
    if (transfer->ended_ns > last_ns) {
        out[phase_of(transfer->err.phase)] += transfer->ended_ns - last_ns;
    }
}

void pf_phases_of(const struct pf_transfer *transfer, int64_t out[PF_PHASE_NUM])
{
    const struct urlpool_timings *timings = &transfer->timings;

    for (int i = 0; i < PF_PHASE_NUM; i++) {
        out[i] = 0;
    }
    out[PF_PHASE_BEFORE] = transfer->watch.started_ns - transfer->started_ns;
    if (timings->total_ns == 0) {
        add_traced(transfer, out);
        return;
    }
    out[PF_PHASE_BEFORE] += timings->before_ns;
    out[PF_PHASE_POOL] = timings->pool_ns;
    out[PF_PHASE_DNS] = timings->resolve_ns;
    out[PF_PHASE_DIAL] = timings->connect_ns;
    out[PF_PHASE_PROXY] = timings->proxy_ns;
    out[PF_PHASE_TLS] = timings->tls_ns;
    out[PF_PHASE_SEND] = timings->send_ns;
    out[PF_PHASE_WAIT] = timings->wait_ns;
    out[PF_PHASE_READ] = timings->receive_ns;
    add_rest(transfer, out);
}
