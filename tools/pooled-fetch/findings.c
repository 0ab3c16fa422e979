/* What is kept of single transfers while millions go by: the fifty slowest, each way of failing
 * once, and counts over time. */

#include "findings.h"

#include <stdio.h>
#include <string.h>

/* --- the slowest ------------------------------------------------------------------------------ */

/* place_for makes room in the list for one that took `total_ns`; NULL when it is not slow enough.
 */
static struct pf_slow *place_for(struct pf_findings *findings, int64_t total_ns)
{
    struct pf_slow *slowest = findings->slowest;
    size_t at = findings->num_slowest;

    if (at == PF_SLOWEST_MAX) {
        at--;
        if (slowest[at].total_ns >= total_ns) {
            return NULL;
        }
    } else {
        findings->num_slowest++;
    }
    while (at > 0 && slowest[at - 1].total_ns < total_ns) {
        slowest[at] = slowest[at - 1];
        at--;
    }
    return &slowest[at];
}

static void add_slow(struct pf_findings *findings, const struct pf_transfer *transfer)
{
    int64_t total_ns = transfer->ended_ns - transfer->started_ns;
    struct pf_slow *slow = place_for(findings, total_ns);

    if (slow == NULL) {
        return;
    }
    *slow = (struct pf_slow){
        .entry = transfer->entry,
        .status = transfer->status,
        .exit_code = transfer->exit_code,
        .code = transfer->err.code,
        .conn_reused = transfer->conn_reused,
        .num_redirects = transfer->num_redirects,
        .num_retries = transfer->num_retries,
        .begun_ns = transfer->started_ns - findings->timeline.started_ns,
        .total_ns = total_ns,
    };
    (void)snprintf(slow->method, sizeof(slow->method), "%s", transfer->watch.method);
    if (transfer->num_redirects > 0 && transfer->url != NULL) {
        (void)snprintf(slow->url, sizeof(slow->url), "%s", transfer->url);
    }
    pf_phases_of(transfer, slow->phases);
}

/* --- ways of failing -------------------------------------------------------------------------- */

static bool is_of_kind(const struct pf_transfer *transfer, const struct pf_kind *kind)
{
    return kind->exit_code == transfer->exit_code && kind->code == transfer->err.code &&
           kind->phase == transfer->err.phase;
}

static void add_kind(struct pf_findings *findings, const struct pf_transfer *transfer)
{
    struct pf_kind *kind = findings->kinds;
    const struct pf_kind *end = kind + findings->num_kinds;

    while (kind < end && !is_of_kind(transfer, kind)) {
        kind++;
    }
    if (kind < end) {
        kind->count++;
        return;
    }
    if (findings->num_kinds == PF_KINDS_MAX) {
        findings->num_other_kinds++;
        return;
    }
    findings->num_kinds++;
    *kind = (struct pf_kind){.exit_code = transfer->exit_code,
                             .code = transfer->err.code,
                             .phase = transfer->err.phase,
                             .count = 1};
    (void)snprintf(kind->message, sizeof(kind->message), "%s", transfer->message);
}

void pf_findings_add(struct pf_findings *findings, const struct pf_transfer *transfer)
{
    bool is_ok = transfer->exit_code == PF_EXIT_OK;

    pf_timeline_add(&findings->timeline, transfer->ended_ns, is_ok);
    add_slow(findings, transfer);
    if (!is_ok) {
        add_kind(findings, transfer);
    }
}
