/* A load: threads that make requests one after the other, or each when it is due, for so many
 * requests or so long. What is told is what happened between the moment when all threads were warm
 * and that at which the last had done its part. */

#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "client.h"

/* struct worker is a thread, and what it has done. */
struct worker {
    const struct bench_job *job;
    void *shared;
    int number;
    char url[256];
    uint64_t requests, bytes, allocations;
    struct bench_times latencies, handoffs;
    pthread_t thread;
};

/* struct moment is what the clocks showed. */
struct moment {
    uint64_t wall_ns, user_ns, sys_ns;
    uint64_t switches;
};

static pthread_barrier_t warm, started, ended;
static atomic_bool stop;
static uint64_t started_ns;

static struct moment look_at_clocks(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (struct moment){
        bench_now_ns(),
        (uint64_t)usage.ru_utime.tv_sec * 1000000000u + (uint64_t)usage.ru_utime.tv_usec * 1000u,
        (uint64_t)usage.ru_stime.tv_sec * 1000000000u + (uint64_t)usage.ru_stime.tv_usec * 1000u,
        (uint64_t)(usage.ru_nvcsw + usage.ru_nivcsw)};
}

/* ask makes the next request of a worker. */
static void ask(struct worker *worker, void *own, uint64_t number)
{
    const struct bench_job *job = worker->job;

    if (job->around) {
        bench_url_of(job, (int)(number % (uint64_t)job->origins), worker->url);
    }
    worker->bytes += bench_client.go(own, worker->url);
    worker->requests++;
}

/* ask_when_due makes the next request when its turn in the schedule of all threads comes, and notes
 * how long after it was due it was done. False: what was due lies behind the end. */
static bool ask_when_due(struct worker *worker, void *own, uint64_t number)
{
    const struct bench_job *job = worker->job;
    const double turn = (double)(number * (uint64_t)job->threads + (uint64_t)worker->number);
    const uint64_t due_ns = started_ns + (uint64_t)(turn * 1e9 / job->rate);
    const struct timespec due = {(time_t)(due_ns / 1000000000u), (long)(due_ns % 1000000000u)};

    if (due_ns >= started_ns + (uint64_t)job->ms * 1000000u) {
        return false;
    }
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) != 0) {
    }
    ask(worker, own, number);
    bench_times_add(&worker->latencies, bench_now_ns() - due_ns);
    return true;
}

static void work(struct worker *worker, void *own)
{
    const struct bench_job *job = worker->job;
    const uint64_t before = bench_allocations();

    for (uint64_t i = 0;; i++) {
        if (job->rate > 0       ? !ask_when_due(worker, own, i)
            : job->requests > 0 ? i == job->requests
                                : stop) {
            break;
        }
        if (!(job->rate > 0)) {
            ask(worker, own, i);
        }
    }
    worker->allocations = bench_allocations() - before;
}

static void *be_worker(void *arg)
{
    struct worker *worker = arg;
    void *own = bench_client.enter(worker->shared, worker->job);

    for (uint64_t i = 0; i < worker->job->warm; i++) {
        ask(worker, own, i);
    }
    worker->requests = 0;
    worker->bytes = 0;
    pthread_barrier_wait(&warm);
    pthread_barrier_wait(&started);
    work(worker, own);
    pthread_barrier_wait(&ended);
    worker->handoffs = bench_lease_times();
    bench_client.leave(own);
    return NULL;
}

static int by_size(const void *one, const void *other)
{
    const uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;

    return (a > b) - (a < b);
}

/* tell_times prints three percentiles of what all workers have noted. */
static void tell_times(const char *name, const struct worker *workers, int num, bool latencies)
{
    struct bench_times all = {0};

    for (int i = 0; i < num; i++) {
        const struct bench_times *times = latencies ? &workers[i].latencies : &workers[i].handoffs;

        for (size_t k = 0; k < times->num; k++) {
            bench_times_add(&all, times->ns[k]);
        }
    }
    if (all.num == 0) {
        return;
    }
    qsort(all.ns, all.num, sizeof(all.ns[0]), by_size);
    printf(", \"%s_p50_ns\": %llu, \"%s_p99_ns\": %llu, \"%s_p999_ns\": %llu", name,
           (unsigned long long)all.ns[all.num / 2], name,
           (unsigned long long)all.ns[all.num - 1 - all.num / 100], name,
           (unsigned long long)all.ns[all.num - 1 - all.num / 1000]);
    free(all.ns);
}

static void tell(const struct bench_job *job, const struct worker *workers,
                 const struct moment *from, const struct moment *to)
{
    uint64_t requests = 0, bytes = 0, allocations = 0, least = UINT64_MAX, most = 0;
    struct rusage usage;

    for (int i = 0; i < job->threads; i++) {
        const uint64_t did = workers[i].requests;

        requests += did;
        bytes += workers[i].bytes;
        allocations += workers[i].allocations;
        least = did < least ? did : least;
        most = did > most ? did : most;
    }
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"requests\": %llu, \"bytes\": %llu, \"wall_ns\": %llu, \"user_ns\": %llu, "
           "\"sys_ns\": %llu, \"switches\": %llu, \"allocations\": %llu, \"least\": %llu, "
           "\"most\": %llu, \"rss_kb\": %ld",
           (unsigned long long)requests, (unsigned long long)bytes,
           (unsigned long long)(to->wall_ns - from->wall_ns),
           (unsigned long long)(to->user_ns - from->user_ns),
           (unsigned long long)(to->sys_ns - from->sys_ns),
           (unsigned long long)(to->switches - from->switches), (unsigned long long)allocations,
           (unsigned long long)least, (unsigned long long)most, usage.ru_maxrss);
    tell_times("latency", workers, job->threads, true);
    tell_times("handoff", workers, job->threads, false);
    printf("}\n");
}

/* prepare opens what is to lie idle beside the load: origins, connections. */
static void prepare(const struct bench_job *job, void *shared)
{
    char url[256];
    void *own;

    if (job->idle > 0) {
        bench_url_of(job, 0, url);
        bench_client.warm(shared, url, job->idle);
    }
    if (job->origins > 0) {
        own = bench_client.enter(shared, job);
        for (int i = 0; i < job->origins; i++) {
            bench_url_of(job, i, url);
            bench_client.go(own, url);
        }
        bench_client.leave(own);
    }
}

static struct worker *hire(const struct bench_job *job, void *shared)
{
    struct worker *workers = calloc((size_t)job->threads, sizeof(*workers));
    const unsigned num = (unsigned)job->threads + 1;

    if (workers == NULL) {
        bench_die("memory");
    }
    pthread_barrier_init(&warm, NULL, num);
    pthread_barrier_init(&started, NULL, num);
    pthread_barrier_init(&ended, NULL, num);
    for (int i = 0; i < job->threads; i++) {
        workers[i].job = job;
        workers[i].shared = shared;
        workers[i].number = i;
        bench_url_of(job, 0, workers[i].url);
        if (pthread_create(&workers[i].thread, NULL, be_worker, &workers[i]) != 0) {
            bench_die("pthread_create");
        }
    }
    return workers;
}

void bench_load(const struct bench_job *job)
{
    const struct timespec time = {job->ms / 1000, job->ms % 1000 * 1000000L};
    void *shared = bench_client.open(job);
    struct moment from, to;
    struct worker *workers;

    prepare(job, shared);
    workers = hire(job, shared);
    pthread_barrier_wait(&warm);
    started_ns = bench_now_ns();
    from = look_at_clocks();
    pthread_barrier_wait(&started);
    if (job->requests == 0) {
        nanosleep(&time, NULL);
        stop = true;
    }
    pthread_barrier_wait(&ended);
    to = look_at_clocks();
    for (int i = 0; i < job->threads; i++) {
        pthread_join(workers[i].thread, NULL);
    }
    tell(job, workers, &from, &to);
    bench_client.close(shared);
    free(workers);
}
