#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    TEXT_BYTES = 65536,  /* of a head with a small body behind it */
    SMALL_BYTES = 16384, /* a body up to this goes out with its head */
    CHUNK_BYTES = 65536
};

/* struct content is the bytes of a body, in memory and in a file of memory, so that they go to a
 * plain connection without being copied. */
struct content {
    const uint8_t *bytes;
    size_t len;
    int fd;
};

/* content_letters is what bodies are cut from: words in an order that does not repeat. */
const struct content *content_letters(void);
/* content_coded is the first `len` letters (from the beginning again where they end), coded as
 * "gzip", "br" or "zstd"; made when first asked for. */
const struct content *content_coded(const char *coding, size_t len);

/* struct peer is one connection. */
struct peer {
    int fd;
    SSL *ssl;
    bool closes;    /* behind this answer */
    bool wants_out; /* epoll watches for room */
    uint64_t sink;  /* bytes of a request body that are still to come */
    size_t in_len;
    char in[4096];
    char *text; /* goes out first; TEXT_BYTES */
    size_t text_len, text_sent;
    const struct content *content;
    uint64_t piece_left; /* then this much of `content` from `offset` */
    uint64_t offset;
    uint64_t chunks_left; /* bytes yet to be sent as chunks */
    bool chunked;
};

/* answer prepares what the request in `peer->in` asks for, whose head has `head_len` bytes; false:
 * nothing will ever be sent. */
bool answer(struct peer *peer, size_t head_len);
/* next_chunk puts the text before the next chunk, or behind the last, into peer->text; false when
 * the answer is complete. */
bool next_chunk(struct peer *peer);

/* die ends the server. */
void die(const char *what);

#endif /* BENCH_SERVER_H */
