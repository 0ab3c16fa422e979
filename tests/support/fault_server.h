#ifndef TESTS_SUPPORT_FAULT_SERVER_H
#define TESTS_SUPPORT_FAULT_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/http_server.h"

/* A server that goes wrong, by a number that decides all: which request meets which fault, and
 * every byte of every answer. Whatever arrives can so be checked against what was asked for.
 *
 *   GET /ID or POST /ID   is answered by status 200, "X-Id: ID", and as its body
 *   "ID|SEED|LENGTH|HASH" a line feed, and LENGTH bytes that follow from SEED; HASH is theirs. */

/* enum fault is what happens to one request. */
enum fault {
    FAULT_NONE,
    FAULT_SAYS_CLOSE,    /* Connection: close */
    FAULT_CLOSES,        /* closed behind a whole answer, without a word */
    FAULT_ENDS_BODY,     /* closed in the middle of the body */
    FAULT_RESETS_BODY,   /* reset in the middle of the body */
    FAULT_RESETS_BEFORE, /* reset before a byte of the answer */
    FAULT_ADDS_BYTES,    /* a second answer, nobody's, right behind the first */
    FAULT_FAREWELL,      /* 408 and the end, when the connection was idle for a moment */
    FAULT_INTERIM,       /* a burst of 103 */
    FAULT_TRICKLES,      /* byte by byte, with pauses */
    FAULT_LONG_LENGTH,   /* Content-Length says more than comes */
    FAULT_SHORT_LENGTH,  /* Content-Length says less than comes */
    FAULT_BAD_CHUNK,
    FAULT_STALLS, /* nothing more, in the middle of the body */
    FAULT_NUM
};

/* struct fault_mix is how often each comes, of a thousand. fault_mix_usual is that of most tests.
 */
struct fault_mix {
    unsigned permille[FAULT_NUM];
};
extern const struct fault_mix fault_mix_usual;

struct fault_server;

/* fault_server_start starts one; `ids` is how many ids there may be: 0 to `ids` - 1. `tls` is an
 * SSL_CTX of the caller's, or NULL. */
struct fault_server *fault_server_start(uint64_t seed, const struct fault_mix *mix, size_t ids,
                                        void *tls);
void fault_server_stop(struct fault_server *server);
const char *fault_server_url(const struct fault_server *server, size_t id, char *out,
                             size_t out_size);

/* fault_server_num_posts is how often POST /ID has come whole. */
unsigned fault_server_num_posts(const struct fault_server *server, size_t id);
/* fault_server_num is how often a fault was played. */
unsigned fault_server_num(const struct fault_server *server, enum fault fault);
unsigned fault_server_num_connections(struct fault_server *server);
const char *fault_name(enum fault fault);

/* fault_answer_is_right says whether a body is the whole answer to the question `id`. With `is_cut`
 * it may be the beginning of it. */
bool fault_answer_is_right(const void *data, size_t len, size_t id, bool is_cut);

#endif /* TESTS_SUPPORT_FAULT_SERVER_H */
