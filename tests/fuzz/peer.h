#ifndef TESTS_FUZZ_PEER_H
#define TESTS_FUZZ_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/stream.h"

/* A stream whose other end says what the input has, in pieces. It never waits: where it has nothing
 * more to say a read times out, unless it ends. */

enum fuzz_ending {
    FUZZ_WAITS,
    FUZZ_ENDS,
    FUZZ_ENDS_RAGGED,
    FUZZ_RESETS,
    FUZZ_NUM_ENDINGS
};

/* struct fuzz_peer is such a stream; filled in by who uses it, but for `base`. */
struct fuzz_peer {
    struct urlp_stream base;
    const uint8_t *data;
    size_t len;
    size_t first, step;      /* bytes of the first piece, and of each other; 0: all there are */
    enum fuzz_ending ending; /* behind the last byte */
    size_t at;
    const uint8_t *due; /* what it says next, once something was written to it; NULL: nothing */
    size_t due_len;
    struct urlp_buf written; /* the first 64 KiB of it; for urlp_buf_deinit */
    bool is_freed;
};

/* fuzz_peer_open makes a stream of `peer`, which must outlive it. */
struct urlp_stream *fuzz_peer_open(struct fuzz_peer *peer);

/* fuzz_call is a call whose bound never comes, and is the phase's. */
struct urlp_call fuzz_call(void);

#endif /* TESTS_FUZZ_PEER_H */
