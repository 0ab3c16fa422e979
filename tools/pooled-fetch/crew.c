/* The crew: worker threads that take the transfers one after the other, and the main thread that
 * draws until the last of them has left.
 *
 * A transfer that was taken begins its tickets, made or not: those behind it wait for its turn to
 * be passed on. */

#include <stdlib.h>
#include <unistd.h>

#include "monotonic.h"
#include "pace.h"
#include "runner.h"
#include "say.h"
#include "text.h"

enum {
    DRAW_EVERY_MS = 200
};

struct worker {
    struct pf_run *run;
    pthread_t thread;
    size_t slot;
};

size_t pf_num_transfers(const struct pf_settings *settings)
{
    if (settings->duration_ms > 0 && settings->repeat_is_default) {
        return SIZE_MAX;
    }
    return settings->num_entries * (size_t)settings->repeat;
}

static bool is_over(struct pf_run *run)
{
    return atomic_load(&run->is_over) || urlpool_cancel_is_set(run->cancel) ||
           (run->ends_ns > 0 && pf_now_ns() >= run->ends_ns) ||
           (run->ordered != NULL && pf_ordered_has_failed(run->ordered));
}

/* wait_for_turn waits until transfer `index` is due, with --rate. Returns that instant, or 0. */
static int64_t wait_for_turn(const struct pf_run *run, size_t index)
{
    int64_t due_ns;

    if (run->settings->pace_ns == 0) {
        return 0;
    }
    due_ns = run->started_ns + (int64_t)index * run->settings->pace_ns;
    pf_pace_wait_until(run->ends_ns > 0 && run->ends_ns < due_ns ? run->ends_ns : due_ns);
    return due_ns;
}

/* begin and end are the transfer's places in what is written in order. */
static void begin(struct pf_run *run, struct pf_turn *turn)
{
    if (run->ordered != NULL) {
        turn->ticket = pf_ordered_begin(run->ordered, turn->index);
    }
    if (run->heads != NULL) {
        turn->heads = pf_ordered_begin(run->heads, turn->index);
    }
}

static void end(struct pf_turn *turn)
{
    if (turn->heads != NULL) {
        pf_ticket_end(turn->heads);
    }
    if (turn->ticket != NULL) {
        pf_ticket_end(turn->ticket);
    }
}

/* take_turn makes the next transfer, unless all is over meanwhile. Returns whether there was one.
 */
static bool take_turn(struct worker *worker, void *buf)
{
    struct pf_run *run = worker->run;
    struct pf_turn turn = {
        .index = atomic_fetch_add(&run->next, 1), .slot = worker->slot, .buf = buf};

    if (turn.index >= pf_num_transfers(run->settings)) {
        return false;
    }
    turn.due_ns = wait_for_turn(run, turn.index);
    begin(run, &turn);
    if (!is_over(run)) {
        pf_fetch(run, &turn);
    }
    end(&turn);
    return true;
}

static void *work(void *arg)
{
    struct worker *worker = arg;
    struct pf_run *run = worker->run;
    void *buf = pf_alloc(PF_BUF_SIZE);

    while (!is_over(run) && take_turn(worker, buf)) {
    }
    free(buf);
    (void)pthread_mutex_lock(&run->crew.mutex);
    run->crew.num_running--;
    (void)pthread_cond_signal(&run->crew.left);
    (void)pthread_mutex_unlock(&run->crew.mutex);
    return NULL;
}

/* wait_for_crew draws until every thread has left. */
static void wait_for_crew(struct pf_run *run)
{
    (void)pthread_mutex_lock(&run->crew.mutex);
    while (run->crew.num_running > 0) {
        struct timespec at;

        if (run->progress == NULL) {
            (void)pthread_cond_wait(&run->crew.left, &run->crew.mutex);
            continue;
        }
        (void)pthread_mutex_unlock(&run->crew.mutex);
        pf_progress_draw(run->progress, false);
        at = pf_instant(pf_now_ns() + (int64_t)DRAW_EVERY_MS * PF_NS_PER_MS);
        (void)pthread_mutex_lock(&run->crew.mutex);
        if (run->crew.num_running > 0) {
            (void)pthread_cond_timedwait(&run->crew.left, &run->crew.mutex, &at);
        }
    }
    (void)pthread_mutex_unlock(&run->crew.mutex);
}

static void start_worker(struct pf_run *run, struct worker *worker)
{
    int error;

    (void)pthread_mutex_lock(&run->crew.mutex);
    run->crew.num_running++;
    (void)pthread_mutex_unlock(&run->crew.mutex);
    error = pthread_create(&worker->thread, NULL, work, worker);
    if (error != 0) {
        pf_say("(27) cannot start a thread: %s", pf_errno_text(error));
        _exit(PF_EXIT_NOMEM);
    }
}

static void init_crew(struct pf_run *run)
{
    pthread_condattr_t attr;

    (void)pthread_mutex_init(&run->crew.mutex, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&run->crew.left, &attr);
    (void)pthread_condattr_destroy(&attr);
}

void pf_crew_run(struct pf_run *run)
{
    size_t count = (size_t)run->settings->concurrency;
    struct worker *workers;

    init_crew(run);
    if (count > pf_num_transfers(run->settings)) {
        count = pf_num_transfers(run->settings);
    }
    workers = pf_alloc(count * sizeof(*workers));
    for (size_t i = 0; i < count; i++) {
        workers[i] = (struct worker){.run = run, .slot = i};
        start_worker(run, &workers[i]);
    }
    wait_for_crew(run);
    for (size_t i = 0; i < count; i++) {
        (void)pthread_join(workers[i].thread, NULL);
    }
    free(workers);
    (void)pthread_cond_destroy(&run->crew.left);
    (void)pthread_mutex_destroy(&run->crew.mutex);
}
