#ifndef URLP_NET_TLS_BIO_H
#define URLP_NET_TLS_BIO_H

#include <openssl/bio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/call.h"
#include "net/stream.h"

/* Room to read ahead: what one small response and its record headers need, and what a long body is
 * read in. The large one is held only while bytes come as fast as they are read. */
#define URLP_TLS_AHEAD_SMALL 4096
#define URLP_TLS_AHEAD_LARGE 65536

/* struct urlp_tls_bio is what the TLS library sees of the stream below. It reads ahead, so that a
 * record costs one system call and not two. Zero bytes with `inner` set are valid. */
struct urlp_tls_bio {
    struct urlp_stream *inner; /* borrowed */

    /* Of the operation under way; see urlp_tls_bio_begin. */
    const struct urlp_call *call;
    struct urlpool_error *err;
    enum urlpool_code code; /* why the stream below failed, or URLPOOL_OK */
    bool is_looking;
    unsigned num_reads;     /* of the look under way */
    uint64_t num_uncounted; /* bytes that looks have read: counted by the next operation */

    bool is_at_end;           /* the stream below has ended */
    bool is_refused;          /* what came is refused: no more is read */
    bool is_cut;              /* the peer takes no more: what is written goes nowhere */
    unsigned num_key_updates; /* since the operation began, as OpenSSL does not count them */
    bool is_pressing;         /* the last read filled all the room there was */
    size_t begin, end;        /* what is buffered, in `large` when there is one */
    uint8_t *large;
    uint8_t small[URLP_TLS_AHEAD_SMALL];
};

/* urlp_tls_bio_new makes the BIO for `bio`, which must outlive it.
 *
 * Errors:  NULL out of memory. */
BIO *urlp_tls_bio_new(struct urlp_tls_bio *bio) URLP_MAY_BLOCK;
/* urlp_tls_bio_deinit gives the room to read ahead back; what is in it is lost. */
void urlp_tls_bio_deinit(struct urlp_tls_bio *bio);

/* urlp_tls_bio_begin says what the next calls into the TLS library are part of: they may block as
 * `call` allows, and leave a failure of the stream below in `bio->code` and `err`. It begins what
 * urlp_no_fork_begin does, urlp_tls_bio_end ends it. */
void urlp_tls_bio_begin(struct urlp_tls_bio *bio, const struct urlp_call *call,
                        struct urlpool_error *err);

/* urlp_tls_bio_begin_look says that the next calls into the TLS library must not wait: reads bring
 * what has come, writes what fits. */
void urlp_tls_bio_begin_look(struct urlp_tls_bio *bio);
/* urlp_tls_bio_end says that the operation, or the look, is over. */
void urlp_tls_bio_end(struct urlp_tls_bio *bio);

/* urlp_tls_bio_has_bytes says whether something was read ahead. */
bool urlp_tls_bio_has_bytes(const struct urlp_tls_bio *bio);

#endif /* URLP_NET_TLS_BIO_H */
