/* The least that hands connections to threads in the order in which they ask: a mutex, a queue of
 * threads that wait on conditions of their own, a stack of idle connections. */

#include <pthread.h>
#include <stdlib.h>

#include "bare.h"

struct waiter {
    pthread_cond_t granted;
    struct link *link;
    struct waiter *next;
};

struct fifo {
    pthread_mutex_t mutex;
    struct waiter *first, **last;
    struct link **idle;
    int num_idle;
};

struct fifo *fifo_new(struct bare *bare, const struct bench_url *url)
{
    const int num = bare->job->places;
    struct fifo *fifo = calloc(1, sizeof(*fifo));

    if (fifo == NULL || (fifo->idle = calloc((size_t)num, sizeof(struct link *))) == NULL) {
        bench_die("memory");
    }
    pthread_mutex_init(&fifo->mutex, NULL);
    fifo->last = &fifo->first;
    while (fifo->num_idle < num) {
        fifo->idle[fifo->num_idle++] = link_open(bare, url);
    }
    return fifo;
}

struct link *fifo_take(struct fifo *fifo)
{
    struct waiter self = {.granted = PTHREAD_COND_INITIALIZER};

    pthread_mutex_lock(&fifo->mutex);
    if (fifo->num_idle > 0) {
        self.link = fifo->idle[--fifo->num_idle];
    } else {
        *fifo->last = &self;
        fifo->last = &self.next;
        while (self.link == NULL) {
            pthread_cond_wait(&self.granted, &fifo->mutex);
        }
    }
    pthread_mutex_unlock(&fifo->mutex);
    return self.link;
}

void fifo_give(struct fifo *fifo, struct link *link)
{
    struct waiter *oldest;

    pthread_mutex_lock(&fifo->mutex);
    oldest = fifo->first;
    if (oldest == NULL) {
        fifo->idle[fifo->num_idle++] = link;
    } else {
        fifo->first = oldest->next;
        if (fifo->first == NULL) {
            fifo->last = &fifo->first;
        }
        oldest->link = link;
        pthread_cond_signal(&oldest->granted);
    }
    pthread_mutex_unlock(&fifo->mutex);
}

void fifo_free(struct fifo *fifo)
{
    while (fifo->num_idle > 0) {
        link_close(fifo->idle[--fifo->num_idle]);
    }
    free(fifo->idle);
    free(fifo);
}
