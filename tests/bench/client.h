#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the bench's client programs share: bench_bare, bench_urlpool and bench_curl are this and one
 * struct bench_client each, in processes of their own, so that BoringSSL and OpenSSL never meet. */

/* enum bench_what is what one request of a load does. */
enum bench_what {
    BENCH_GET,     /* a small answer; data and headers can be read behind it */
    BENCH_RECYCLE, /* the same, with the memory of the one before (urlpool) */
    BENCH_FRESH,   /* a body into memory that is taken for it, and freed */
    BENCH_STREAM,  /* a body in pieces of at most BENCH_PIECE into one buffer */
    BENCH_SAVE,    /* the same, written to `file` */
    BENCH_SEND,    /* an upload of `bytes` from memory */
    BENCH_SEND_FILE,
    BENCH_DECODE, /* a coded body decoded from memory, no network (bare) */
    BENCH_LEASE   /* BENCH_GET, noting how long connections take from thread to thread (not curl) */
};

enum {
    BENCH_PIECE = 256 << 10
};

/* struct bench_job is the command line. */
struct bench_job {
    const char *mode; /* load, memory, start */
    enum bench_what what;
    const char *url;   /* "%d" in it is the number of an origin, 127.0.0.0/8 */
    const char *ca;    /* PEM; NULL: as the system has it */
    const char *file;  /* to save to, or to send */
    int threads;       /* default 1 */
    int places;        /* of the pool; default as many as threads */
    int floor;         /* of bare: 2 or 4 calls; default 2 */
    int origins;       /* asked once before the load; then the load asks the first ... */
    bool around;       /* ... or all in turn */
    int idle;          /* connections opened before the load */
    bool resume;       /* TLS sessions; else each handshake is a full one */
    bool fresh;        /* no connection is used twice */
    uint64_t requests; /* of each thread; 0: until `ms` are over */
    uint64_t warm;     /* before them */
    uint64_t bytes;    /* of an upload */
    int ms;
    double rate; /* requests a second, all threads together, each due at its time; 0: at once */
};

/* struct bench_url is a URL in parts. */
struct bench_url {
    bool tls;
    int port;
    char host[64];
    char path[128];
};

/* struct bench_client is a contender. Whatever fails ends the program by bench_die. */
struct bench_client {
    /* open makes what the threads share, e.g. a pool */
    void *(*open)(const struct bench_job *job);
    /* enter makes what is a thread's own */
    void *(*enter)(void *shared, const struct bench_job *job);
    /* go does what `what` says once, at `url`, and returns the bytes of body that went over the
     * wire's upper end */
    uint64_t (*go)(void *own, const char *url);
    void (*leave)(void *own);
    void (*close)(void *shared);
    /* hold sends a request and waits for its answer for ever; NULL: cannot */
    void (*hold)(void *own, const char *url);
    /* warm opens idle connections; NULL: cannot */
    void (*warm)(void *shared, const char *url, int num);
};

extern const struct bench_client bench_client;

/* bench_load, bench_memory and bench_start are the modes; each prints one line of JSON. */
void bench_load(const struct bench_job *job);
void bench_memory(const struct bench_job *job);
void bench_start(const struct bench_job *job);

/* bench_die says what failed, and errno, and ends the program. */
_Noreturn void bench_die(const char *what);
uint64_t bench_now_ns(void);
/* bench_url_parse takes "http://127.0.0.1:80/path" apart. */
void bench_url_parse(const char *text, struct bench_url *out);
/* bench_url_of writes the URL of an origin, job->url with `origin` for its "%d". */
void bench_url_of(const struct bench_job *job, int origin, char out[256]);

/* bench_allocations is how often this thread has asked for memory so far. */
uint64_t bench_allocations(void);
/* bench_live_bytes is what all threads hold, since bench_count_live was called; usable sizes. */
void bench_count_live(void);
int64_t bench_live_bytes(void);

/* bench_lease_noted is called as a connection is given back, bench_lease_taken as one is got: the
 * time between them is a hand-off, kept in a table of this thread's. */
void bench_lease_noted(const void *connection);
void bench_lease_taken(const void *connection);
/* struct bench_times is a growing list of nanoseconds. */
struct bench_times {
    uint64_t *ns;
    size_t num, room;
};
void bench_times_add(struct bench_times *times, uint64_t ns);
/* bench_lease_times gives this thread's hand-offs to the caller. */
struct bench_times bench_lease_times(void);

#endif /* BENCH_CLIENT_H */
