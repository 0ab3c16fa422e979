/* Sums over all transfers. */

#include "tally.h"

#include "monotonic.h"

void pf_tally_init(struct pf_tally *tally)
{
    *tally = (struct pf_tally){.locked = {.started_ns = pf_now_ns()}};
    (void)pthread_mutex_init(&tally->mutex, NULL);
}

void pf_tally_deinit(struct pf_tally *tally)
{
    (void)pthread_mutex_destroy(&tally->mutex);
}

static void add_failure(struct pf_sums *sums, const struct pf_transfer *transfer)
{
    bool is_cause = transfer->exit_code != PF_EXIT_INTERRUPTED;
    bool has_cause = sums->num_failed > 0 && sums->first_exit != PF_EXIT_INTERRUPTED;

    if (sums->num_failed == 0 || (is_cause && !has_cause) ||
        (is_cause == has_cause && transfer->index < sums->first_failed)) {
        sums->first_failed = transfer->index;
        sums->first_exit = transfer->exit_code;
    }
    sums->num_failed++;
    sums->errors[transfer->exit_code]++;
}

void pf_tally_add(struct pf_tally *tally, const struct pf_transfer *transfer)
{
    struct pf_sums *sums = &tally->locked;

    (void)pthread_mutex_lock(&tally->mutex);
    sums->num_done++;
    sums->num_retries += transfer->num_retries;
    pf_histogram_add(&sums->waits, transfer->watch.pool_wait_ns);
    sums->num_bytes += transfer->num_bytes;
    sums->num_wire_bytes += pf_transfer_wire_bytes(transfer);
    if (transfer->status > 0 && transfer->status < PF_STATUS_NUM) {
        sums->statuses[transfer->status]++;
    }
    if (transfer->exit_code == PF_EXIT_OK) {
        pf_histogram_add(&sums->latency, transfer->ended_ns - transfer->started_ns);
    } else {
        add_failure(sums, transfer);
    }
    (void)pthread_mutex_unlock(&tally->mutex);
}

void pf_tally_end(struct pf_tally *tally)
{
    (void)pthread_mutex_lock(&tally->mutex);
    tally->locked.ended_ns = pf_now_ns();
    (void)pthread_mutex_unlock(&tally->mutex);
}

void pf_tally_counts(struct pf_tally *tally, uint64_t *out_done, uint64_t *out_failed)
{
    (void)pthread_mutex_lock(&tally->mutex);
    *out_done = tally->locked.num_done;
    *out_failed = tally->locked.num_failed;
    (void)pthread_mutex_unlock(&tally->mutex);
}
