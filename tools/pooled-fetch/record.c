/* Findings for any number of threads, and the thread that samples the pool: an eighth of a stretch
 * of the timeline apart, so a thousand times in the first second and less and less often after it.
 */

#include <stdlib.h>
#include <time.h>

#include "findings.h"
#include "monotonic.h"
#include "say.h"

enum {
    SAMPLES_PER_MOMENT = 8,
    PAUSES_PER_LOOK = 50 /* with many pools a look is much; it must not be what is measured */
};

struct pf_record {
    struct urlpool_manager *manager;
    pthread_t sampler;
    pthread_mutex_t mutex;
    pthread_cond_t ended;
    struct {
        bool is_over;
        struct pf_findings findings;
    } locked;
};

static struct pf_sample look(struct urlpool_manager *manager)
{
    struct urlpool_stats stats = {0};

    urlpool_manager_stats(manager, &stats, sizeof(stats));
    return (struct pf_sample){.num_busy = stats.leased,
                              .num_idle = stats.idle,
                              .num_dialling = stats.dialling,
                              .num_waiting = stats.waiting,
                              .num_received = stats.bytes_received,
                              .num_sent = stats.bytes_sent};
}

static int64_t own_cpu_ns(void)
{
    struct timespec used = {0};

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * PF_NS_PER_SECOND + used.tv_nsec;
}

/* take_sample returns how much of a processor it took. */
static int64_t take_sample(struct pf_record *record)
{
    int64_t before_ns = own_cpu_ns();
    const struct pf_sample seen = look(record->manager);

    (void)pthread_mutex_lock(&record->mutex);
    pf_timeline_sample(&record->locked.findings.timeline, pf_now_ns(), &seen);
    (void)pthread_mutex_unlock(&record->mutex);
    return own_cpu_ns() - before_ns;
}

/* sleep_until_next waits for the next sample's time, after a look that took `look_ns`. Returns:
 * whether there is to be one. */
static bool sleep_until_next(struct pf_record *record, int64_t look_ns)
{
    int64_t pause_ns = look_ns * PAUSES_PER_LOOK;
    int64_t eighth_ns;
    struct timespec at;
    bool is_over;

    (void)pthread_mutex_lock(&record->mutex);
    eighth_ns = record->locked.findings.timeline.width_ns / SAMPLES_PER_MOMENT;
    pause_ns = pause_ns > eighth_ns ? pause_ns : eighth_ns;
    pause_ns = pause_ns > PF_NS_PER_MS ? pause_ns : PF_NS_PER_MS;
    at = pf_instant(pf_now_ns() + pause_ns);
    while (!record->locked.is_over &&
           pthread_cond_timedwait(&record->ended, &record->mutex, &at) == 0) {
    }
    is_over = record->locked.is_over;
    (void)pthread_mutex_unlock(&record->mutex);
    return !is_over;
}

static void *sample(void *arg)
{
    struct pf_record *record = arg;
    int64_t look_ns;

    do {
        look_ns = take_sample(record);
    } while (sleep_until_next(record, look_ns));
    return NULL;
}

struct pf_record *pf_record_new(struct urlpool_manager *manager)
{
    struct pf_record *record = pf_alloc(sizeof(*record));
    pthread_condattr_t attr;
    int error;

    record->manager = manager;
    pf_timeline_init(&record->locked.findings.timeline, pf_now_ns());
    (void)pthread_mutex_init(&record->mutex, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&record->ended, &attr);
    (void)pthread_condattr_destroy(&attr);
    error = pthread_create(&record->sampler, NULL, sample, record);
    if (error != 0) {
        pf_say("(%d) cannot start a thread: %s", PF_EXIT_NOMEM, pf_errno_text(error));
        _Exit(PF_EXIT_NOMEM);
    }
    return record;
}

void pf_record_add(struct pf_record *record, const struct pf_transfer *transfer)
{
    if (record == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&record->mutex);
    pf_findings_add(&record->locked.findings, transfer);
    (void)pthread_mutex_unlock(&record->mutex);
}

const struct pf_findings *pf_record_end(struct pf_record *record)
{
    (void)pthread_mutex_lock(&record->mutex);
    record->locked.is_over = true;
    (void)pthread_cond_signal(&record->ended);
    (void)pthread_mutex_unlock(&record->mutex);
    (void)pthread_join(record->sampler, NULL);
    (void)take_sample(record);
    return &record->locked.findings;
}

void pf_record_free(struct pf_record *record)
{
    if (record == NULL) {
        return;
    }
    (void)pthread_cond_destroy(&record->ended);
    (void)pthread_mutex_destroy(&record->mutex);
    free(record);
}
