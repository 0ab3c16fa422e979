/* What is measured of states, not of loads: the memory that things take while they are there, and
 * how long the first answer of a process takes. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client.h"

enum {
    SETTLE_US = 300000 /* for threads to come to rest */
};

/* struct waiter is a thread in a call that nobody answers. */
struct waiter {
    const struct bench_job *job;
    void *shared;
    pthread_barrier_t *ready;
};

static void *wait_for_ever(void *arg)
{
    const struct waiter *waiter = arg;
    void *own = bench_client.enter(waiter->shared, waiter->job);
    char url[256];

    pthread_barrier_wait(waiter->ready);
    bench_url_of(waiter->job, 0, url);
    bench_client.hold(own, url);
    return NULL;
}

static long resident_kb(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1) {
        bench_die("statm");
    }
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void start_waiters(struct waiter *waiter, int num)
{
    for (int i = 0; i < num; i++) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, wait_for_ever, waiter) != 0) {
            bench_die("pthread_create");
        }
    }
}

/* measure_threads tells what `threads` calls hold that wait for their answer, each on a connection
 * of its own, behind one that leaves with the pool what is taken once an origin. */
static void measure_threads(const struct bench_job *job, void *shared)
{
    pthread_barrier_t at_once;
    pthread_barrier_t ready;
    struct waiter first = {job, shared, &at_once};
    struct waiter others = {job, shared, &ready};
    int64_t before;

    pthread_barrier_init(&at_once, NULL, 1);
    pthread_barrier_init(&ready, NULL, (unsigned)job->threads + 1);
    start_waiters(&first, 1);
    start_waiters(&others, job->threads);
    usleep(SETTLE_US);
    before = bench_live_bytes();
    pthread_barrier_wait(&ready);
    usleep(SETTLE_US);
    printf(", \"per_call\": %.1f", (double)(bench_live_bytes() - before) / job->threads);
}

void bench_memory(const struct bench_job *job)
{
    char url[256];
    int64_t before, manager, opened, twice;
    long resident;
    void *shared;

    bench_count_live();
    bench_client.close(bench_client.open(job)); /* what is taken once a process */
    before = bench_live_bytes();
    shared = bench_client.open(job);
    manager = bench_live_bytes() - before;
    bench_url_of(job, 0, url);
    bench_client.warm(shared, url, 1);
    opened = bench_live_bytes();
    resident = resident_kb();
    bench_client.warm(shared, url, job->idle + 1);
    twice = bench_live_bytes();
    printf("{\"per_manager\": %lld, \"idle\": %d, \"per_idle\": %.1f, \"resident_per_idle\": %.1f",
           (long long)manager, job->idle, (double)(twice - opened) / job->idle,
           (double)(resident_kb() - resident) * 1024 / job->idle);
    if (bench_client.hold != NULL && job->threads > 1) {
        measure_threads(job, shared);
    }
    printf("}\n");
    fflush(stdout);
    _exit(0); /* with all that is still waiting */
}

/* answer_once takes the time from nothing to an answer. */
static uint64_t answer_once(const struct bench_job *job)
{
    const uint64_t from_ns = bench_now_ns();
    void *shared = bench_client.open(job);
    void *own = bench_client.enter(shared, job);
    uint64_t to_ns;
    char url[256];

    bench_url_of(job, 0, url);
    bench_client.go(own, url);
    to_ns = bench_now_ns();
    bench_client.leave(own);
    bench_client.close(shared);
    return to_ns - from_ns;
}

void bench_start(const struct bench_job *job)
{
    const uint64_t first_ns = answer_once(job);
    const uint64_t second_ns = answer_once(job);

    printf("{\"first_ns\": %llu, \"second_ns\": %llu}\n", (unsigned long long)first_ns,
           (unsigned long long)second_ns);
}
