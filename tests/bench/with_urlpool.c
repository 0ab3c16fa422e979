/* The contender urlpool: one manager, its pool bounded by `places`, as a program would use it. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "urlpool/urlpool.h"

#include "client.h"

enum {
    ORIGINS_MAX = 16384
};

struct shared {
    const struct bench_job *job;
    struct urlpool_manager *manager;
    struct urlpool_tls *tls;
    struct urlpool_pool *pool; /* BENCH_LEASE */
};

struct own {
    struct shared *shared;
    struct urlpool_response *last; /* BENCH_RECYCLE */
    char *piece;                   /* BENCH_PIECE, or what is to be sent */
    int fd;
    struct bench_url url; /* BENCH_LEASE */
};

static void die(const struct urlpool_error *err)
{
    bench_die(err->message);
}

static void *open_manager(const struct bench_job *job)
{
    struct urlpool_error err;
    struct shared *shared = calloc(1, sizeof(*shared));
    const struct urlpool_tls_options trust = {.ca_file = job->ca};
    struct urlpool_manager_options options = {.maxsize = job->places, .block = true};

    if (shared == NULL) {
        bench_die("memory");
    }
    shared->job = job;
    if (job->ca != NULL) {
        shared->tls = urlpool_tls_new(&trust, &err);
        if (shared->tls == NULL) {
            die(&err);
        }
    }
    if (job->idle + 2 > options.maxsize) {
        options.maxsize = job->idle + 2;
    }
    options.num_pools = ORIGINS_MAX;
    options.max_idle_total = ORIGINS_MAX;
    options.requests_max = job->fresh ? 1 : 0;
    options.tls = shared->tls;
    shared->manager = urlpool_manager_new(&options, &err);
    if (shared->manager == NULL) {
        die(&err);
    }
    if (job->what == BENCH_LEASE) {
        shared->pool = urlpool_manager_pool_for_url(shared->manager, job->url, &err);
        if (shared->pool == NULL) {
            die(&err);
        }
    }
    return shared;
}

static void close_manager(void *arg)
{
    struct shared *shared = arg;

    urlpool_pool_unref(shared->pool);
    urlpool_manager_free(shared->manager);
    urlpool_tls_unref(shared->tls);
    free(shared);
}

static void *enter(void *arg, const struct bench_job *job)
{
    struct own *own = calloc(1, sizeof(*own));

    if (own == NULL) {
        bench_die("memory");
    }
    own->shared = arg;
    own->fd = -1;
    if (job->what == BENCH_LEASE) {
        bench_url_parse(job->url, &own->url);
    }
    if (job->what == BENCH_STREAM || job->what == BENCH_SAVE || job->what == BENCH_SEND) {
        own->piece = malloc(job->what == BENCH_SEND ? job->bytes : BENCH_PIECE);
        if (own->piece == NULL) {
            bench_die("memory");
        }
        memset(own->piece, 'x', job->what == BENCH_SEND ? job->bytes : BENCH_PIECE);
    }
    if (job->what == BENCH_SAVE) {
        own->fd = open(job->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    } else if (job->what == BENCH_SEND_FILE) {
        own->fd = open(job->file, O_RDONLY | O_CLOEXEC);
    }
    return own;
}

static void leave(void *arg)
{
    struct own *own = arg;

    urlpool_response_free(own->last);
    if (own->fd >= 0) {
        close(own->fd);
    }
    free(own->piece);
    free(own);
}

/* check ends the program over an answer that is none. */
static void check(const struct urlpool_response *response, const struct urlpool_error *err)
{
    if (response == NULL) {
        die(err);
    }
    if (response->status != 200) {
        bench_die("status");
    }
}

/* read_pieces reads a streamed body, and writes it to own->fd where there is one. */
static uint64_t read_pieces(struct own *own, struct urlpool_response *response)
{
    struct urlpool_error err;
    uint64_t bytes = 0;
    size_t len;

    do {
        if (urlpool_response_read(response, own->piece, BENCH_PIECE, &len, &err) != URLPOOL_OK) {
            die(&err);
        }
        if (own->fd >= 0 && write(own->fd, own->piece, len) != (ssize_t)len) {
            bench_die("write");
        }
        bytes += len;
    } while (len > 0);
    return bytes;
}

/* lease makes a request on a connection that it takes and gives back itself, so that the hand-offs
 * can be seen from outside. */
static uint64_t lease(struct own *own)
{
    struct urlpool_pool *pool = own->shared->pool;
    struct urlpool_error err;
    struct urlpool_connection *connection = urlpool_pool_acquire(pool, NULL, NULL, &err);
    struct urlpool_response *response;
    uint64_t bytes;

    if (connection == NULL) {
        die(&err);
    }
    bench_lease_taken(connection);
    if (urlpool_connection_request(connection, "GET", own->url.path, NULL, NULL, &err) !=
        URLPOOL_OK) {
        die(&err);
    }
    response = urlpool_connection_getresponse(connection, &err);
    check(response, &err);
    if (urlpool_response_read_all(response, &err) != URLPOOL_OK) {
        die(&err);
    }
    bytes = response->data_len;
    urlpool_response_free(response);
    bench_lease_noted(connection);
    urlpool_pool_release(pool, connection);
    return bytes;
}

static uint64_t go(void *arg, const char *url)
{
    struct own *own = arg;
    const struct bench_job *job = own->shared->job;
    struct urlpool_error err;
    struct urlpool_request_options options = {.recycle = own->last};
    struct urlpool_response *response;
    const char *method = "GET";
    uint64_t bytes;

    if (job->what == BENCH_LEASE) {
        return lease(own);
    }
    options.stream = job->what == BENCH_STREAM || job->what == BENCH_SAVE;
    options.data_bytes_max = (int64_t)4 << 30;
    if (job->what == BENCH_SEND) {
        options.body = urlpool_body_bytes(own->piece, job->bytes);
        method = "PUT";
    } else if (job->what == BENCH_SEND_FILE) {
        (void)lseek(own->fd, 0, SEEK_SET);
        options.body = urlpool_body_fd(own->fd);
        method = "PUT";
    }
    if (own->fd >= 0 && job->what == BENCH_SAVE) {
        (void)lseek(own->fd, 0, SEEK_SET);
    }
    response = urlpool_request(own->shared->manager, method, url, &options, &err);
    own->last = NULL;
    check(response, &err);
    bytes = options.stream ? read_pieces(own, response) : response->data_len;
    if (job->what == BENCH_RECYCLE) {
        own->last = response;
    } else {
        urlpool_response_free(response);
    }
    return job->what == BENCH_SEND || job->what == BENCH_SEND_FILE ? job->bytes : bytes;
}

static void hold(void *arg, const char *url)
{
    struct own *own = arg;
    struct urlpool_error err;
    struct urlpool_response *response =
        urlpool_request(own->shared->manager, "GET", url, NULL, &err);

    check(response, &err);
    bench_die("an answer to what nobody answers");
}

static void warm(void *arg, const char *url, int num)
{
    struct shared *shared = arg;
    struct urlpool_error err;

    /* connect_ms bounds a call of it */
    for (int i = 0; i < num; i += 500) {
        const int upto = i + 500 < num ? i + 500 : num;

        if (urlpool_manager_preconnect(shared->manager, url, (size_t)upto, &err) != URLPOOL_OK) {
            die(&err);
        }
    }
}

const struct bench_client bench_client = {.open = open_manager,
                                          .enter = enter,
                                          .go = go,
                                          .leave = leave,
                                          .close = close_manager,
                                          .hold = hold,
                                          .warm = warm};
