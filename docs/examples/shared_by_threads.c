/* Threads share one manager, and so its connections: with `block` there are never more than
 * `maxsize` of them, however many threads there are, and those that wait are served in turn.
 *
 *   cc shared_by_threads.c $(pkg-config --cflags --libs urlpool) -pthread -o shared_by_threads
 *   ./shared_by_threads https://example.com/ */

#include <pthread.h>
#include <stdio.h>
#include <urlpool/urlpool.h>

enum {
    NUM_THREADS = 16,
    NUM_REQUESTS = 10 /* of each thread */
};

struct work {
    struct urlpool_manager *http; /* shared by all */
    const char *url;
    int num_good; /* this thread's own, as everything below */
    struct urlpool_error err;
    pthread_t thread;
};

static void *fetch_some(void *arg)
{
    struct work *work = arg;

    for (int i = 0; i < NUM_REQUESTS; i++) {
        struct urlpool_response *resp =
            urlpool_request(work->http, "GET", work->url, NULL, &work->err);

        if (resp == NULL) {
            break; /* why is in work->err */
        }
        work->num_good += resp->status == URLPOOL_HTTP_OK;
        urlpool_response_free(resp);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    const struct urlpool_manager_options options = {
        .maxsize = 4,
        .block = true,
        .timeout = {.total_ms = 30000}, /* waiting for a connection counts, too */
    };
    struct work works[NUM_THREADS] = {0};
    struct urlpool_stats stats;
    struct urlpool_error err;
    struct urlpool_manager *http = urlpool_manager_new(&options, &err);
    int num_started = 0;
    int num_good = 0;

    if (http == NULL) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (; num_started < NUM_THREADS; num_started++) {
        struct work *work = &works[num_started];

        work->http = http;
        work->url = argc > 1 ? argv[1] : "";
        if (pthread_create(&work->thread, NULL, fetch_some, work) != 0) {
            break; /* the others do the work */
        }
    }
    for (int i = 0; i < num_started; i++) {
        (void)pthread_join(works[i].thread, NULL);
        num_good += works[i].num_good;
        if (works[i].err.code != URLPOOL_OK) {
            fprintf(stderr, "thread %d: %s\n", i, works[i].err.message);
        }
    }
    urlpool_manager_stats(http, &stats, sizeof(stats));
    printf("%d good answers to %d threads, on %d connections at most\n", num_good, num_started,
           (int)stats.peak_open);
    urlpool_manager_free(http);
    return num_good == NUM_THREADS * NUM_REQUESTS ? 0 : 1;
}
