/* The contender without a library. How many bytes an answer has it learns from the first one; from
 * then on it waits for as many, and looks at nothing. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bare.h"

enum {
    HEAD_MAX = 16384,
    IDLE_MAX = 16384
};

/* struct own is a thread's. */
struct own {
    struct bare *bare;
    struct bench_url url;
    struct link *link; /* NULL: none yet, or none of its own */
    char request[512];
    size_t request_len;
    uint64_t total;    /* bytes of an answer, 0: not yet known */
    uint64_t body_len; /* of them */
    uint8_t *buf;      /* BENCH_PIECE */
    uint8_t *data;     /* what is sent, or decoded */
    size_t data_len;
    int fd;
};

static void *open_bare(const struct bench_job *job)
{
    struct bare *bare = calloc(1, sizeof(*bare));
    struct bench_url url;
    char text[256];

    if (bare == NULL) {
        bench_die("memory");
    }
    bench_url_of(job, 0, text);
    bench_url_parse(text, &url);
    bare->job = job;
    bare->context = url.tls ? bare_tls_context(job) : NULL;
    if (job->places < job->threads || job->what == BENCH_LEASE) {
        bare->fifo = fifo_new(bare, &url);
    }
    return bare;
}

static void close_bare(void *arg)
{
    struct bare *bare = arg;

    if (bare->fifo != NULL) {
        fifo_free(bare->fifo);
    }
    for (int i = 0; i < bare->num_idle; i++) {
        link_close(bare->idle[i]);
    }
    free(bare->idle);
    SSL_CTX_free(bare->context);
    free(bare);
}

static void write_request(struct own *own, const struct bench_job *job)
{
    const bool sends = job->what == BENCH_SEND || job->what == BENCH_SEND_FILE;
    char length[64] = "";

    if (sends) {
        snprintf(length, sizeof(length), "Content-Length: %llu\r\n",
                 (unsigned long long)job->bytes);
    }
    own->request_len = (size_t)snprintf(
        own->request, sizeof(own->request),
        "%s %s HTTP/1.1\r\nHost: %s:%d\r\nAccept-Encoding: gzip, br, zstd\r\n"
        "User-Agent: bare/1.0\r\n%s\r\n",
        sends ? "PUT" : "GET", own->url.path, own->url.host, own->url.port, length);
}

static void *enter(void *arg, const struct bench_job *job)
{
    struct own *own = calloc(1, sizeof(*own));
    char text[256];

    if (own == NULL || (own->buf = malloc(BENCH_PIECE)) == NULL) {
        bench_die("memory");
    }
    memset(own->buf, 0, BENCH_PIECE);
    own->bare = arg;
    bench_url_of(job, 0, text);
    bench_url_parse(text, &own->url);
    write_request(own, job);
    own->fd = -1;
    if (job->what == BENCH_SEND) {
        own->data = malloc(job->bytes);
        if (own->data == NULL) {
            bench_die("memory");
        }
        memset(own->data, 'x', job->bytes);
    } else if (job->what == BENCH_SAVE) {
        own->fd = open(job->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    } else if (job->what == BENCH_SEND_FILE) {
        own->fd = open(job->file, O_RDONLY | O_CLOEXEC);
    }
    return own;
}

static void leave(void *arg)
{
    struct own *own = arg;

    if (own->link != NULL) {
        link_close(own->link);
    }
    if (own->fd >= 0) {
        close(own->fd);
    }
    free(own->data);
    free(own->buf);
    free(own);
}

/* learn finds out from a head how long this answer is, and all that follow; chunks it reads to
 * their end. Returns how many bytes have come by then. */
static uint64_t learn(struct own *own, struct link *link, uint64_t got)
{
    const struct bench_job *job = own->bare->job;
    const char *blank, *length;

    while ((blank = memmem(own->buf, got, "\r\n\r\n", 4)) == NULL) {
        got += link_receive(job, link, own->buf + got, HEAD_MAX - got);
    }
    own->total = (uint64_t)(blank - (char *)own->buf) + 4;
    length = memmem(own->buf, own->total, "Content-Length: ", 16);
    if (length != NULL) {
        own->body_len = strtoull(length + 16, NULL, 10);
        own->total += own->body_len;
        return got;
    }
    for (own->total = got; memcmp(own->buf + got - 5, "0\r\n\r\n", 5) != 0;) {
        const size_t kept = 4; /* of what may be the end */

        memmove(own->buf, own->buf + got - kept, kept);
        got = kept + link_receive(job, link, own->buf + kept, BENCH_PIECE - kept);
        own->total += got - kept;
    }
    own->body_len = own->total; /* near enough */
    return own->total;
}

/* hear reads an answer: into the one buffer, or into memory of its own; and writes it, where it is
 * to be saved. */
static void hear(struct own *own, struct link *link)
{
    const struct bench_job *job = own->bare->job;
    const bool is_kept = job->what == BENCH_FRESH || job->what == BENCH_DECODE;
    uint8_t *whole = NULL;
    uint64_t got = 0;

    if (own->total == 0) {
        got = learn(own, link, 0);
    }
    if (is_kept && got < own->total) {
        whole = malloc(own->total);
        if (whole == NULL) {
            bench_die("memory");
        }
        memcpy(whole, own->buf, got);
    }
    while (got < own->total) {
        const uint64_t left = own->total - got;
        uint8_t *into = whole != NULL ? whole + got : own->buf;
        const size_t n =
            link_receive(job, link, into, whole != NULL || left < BENCH_PIECE ? left : BENCH_PIECE);

        if (own->fd >= 0 && job->what == BENCH_SAVE && write(own->fd, into, n) != (ssize_t)n) {
            bench_die("write");
        }
        got += n;
    }
    if (job->what == BENCH_DECODE && whole != NULL) {
        own->data_len = own->body_len;
        own->data = memmove(whole, whole + own->total - own->body_len, own->body_len);
    } else {
        free(whole);
    }
}

static void exchange(struct own *own, struct link *link)
{
    const struct bench_job *job = own->bare->job;
    const bool sends = job->what == BENCH_SEND || job->what == BENCH_SEND_FILE;

    if (job->floor == 4) {
        link_look(link);
    }
    link_send(link, own->request, own->request_len, sends);
    if (job->what == BENCH_SEND) {
        link_send(link, own->data, job->bytes, false);
    } else if (job->what == BENCH_SEND_FILE) {
        link_send_file(link, own->fd, job->bytes);
    } else if (job->what == BENCH_SAVE) {
        (void)lseek(own->fd, 0, SEEK_SET);
    }
    hear(own, link);
}

static void exchange_in_turn(struct own *own)
{
    struct link *link = fifo_take(own->bare->fifo);

    bench_lease_taken(link);
    exchange(own, link);
    bench_lease_noted(link);
    fifo_give(own->bare->fifo, link);
}

static uint64_t go(void *arg, const char *url)
{
    struct own *own = arg;
    const struct bench_job *job = own->bare->job;

    if (own->bare->fifo != NULL) {
        exchange_in_turn(own);
        return own->body_len;
    }
    if (job->what == BENCH_DECODE && own->data != NULL) {
        const char *coding = strrchr(url, '/');

        while (*--coding != '/') {
        }
        return bare_decode(coding + 1, own->data, own->data_len, own->buf);
    }
    if (own->link == NULL) {
        own->link = link_open(own->bare, &own->url);
    }
    exchange(own, own->link);
    if (job->fresh) {
        link_close(own->link);
        own->link = NULL;
    }
    return job->what == BENCH_SEND || job->what == BENCH_SEND_FILE ? job->bytes : own->body_len;
}

static void warm(void *arg, const char *text, int num)
{
    struct bare *bare = arg;
    struct bench_url url;

    bench_url_parse(text, &url);
    if (bare->idle == NULL) {
        bare->idle = calloc(IDLE_MAX, sizeof(struct link *));
    }
    while (bare->num_idle < num) {
        bare->idle[bare->num_idle++] = link_open(bare, &url);
    }
}

const struct bench_client bench_client = {
    .open = open_bare, .enter = enter, .go = go, .leave = leave, .close = close_bare, .warm = warm};
