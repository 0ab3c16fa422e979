#ifndef BENCH_BARE_H
#define BENCH_BARE_H

#include <openssl/ssl.h>
#include <sys/types.h>

#include "client.h"

/* What a program without a library would do: a socket, fixed bytes sent, a known number of bytes
 * awaited. The floor under all others. */

/* struct bare is what the threads share. */
struct bare {
    const struct bench_job *job;
    SSL_CTX *context;   /* NULL: plain */
    struct fifo *fifo;  /* fewer places than threads; else each thread has a link of its own */
    struct link **idle; /* of warm */
    int num_idle;
};

/* struct link is one connection. */
struct link {
    int fd;
    SSL *ssl;
};

struct link *link_open(struct bare *bare, const struct bench_url *url);
void link_close(struct link *link);
/* link_look is the look of a pool at an idle connection: nothing may be there to read. */
void link_look(struct link *link);
void link_send(struct link *link, const void *data, size_t len, bool more);
/* link_send_file sends `len` bytes of a file from its start: sendfile, or read and SSL_write. */
void link_send_file(struct link *link, int fd, uint64_t len);
/* link_receive waits for bytes; by poll, then recv, where job->floor is 4. */
size_t link_receive(const struct bench_job *job, struct link *link, void *buf, size_t len);

SSL_CTX *bare_tls_context(const struct bench_job *job);
/* bare_tls_begin makes the handshake over link->fd, with the latest session where job->resume. */
void bare_tls_begin(struct bare *bare, struct link *link, const struct bench_url *url);
/* bare_tls_wait waits for what SSL_get_error asks for. */
void bare_tls_wait(struct link *link, int result);

/* struct fifo hands connections to waiting threads, the oldest first, and does nothing else. */
struct fifo *fifo_new(struct bare *bare, const struct bench_url *url);
struct link *fifo_take(struct fifo *fifo);
void fifo_give(struct fifo *fifo, struct link *link);
void fifo_free(struct fifo *fifo);

/* bare_decode decodes a whole coded body through a buffer of BENCH_PIECE, by the library alone, and
 * returns its length. `coding` is "gzip", "br" or "zstd". */
uint64_t bare_decode(const char *coding, const uint8_t *data, size_t len, uint8_t *buf);

#endif /* BENCH_BARE_H */
