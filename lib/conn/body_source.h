#ifndef URLP_CONN_BODY_SOURCE_H
#define URLP_CONN_BODY_SOURCE_H

#include "base/sync.h"
#include "conn/body_plan.h"

struct urlpool_connection;

/* struct urlp_body_source gives the bytes of a plan, from the first to the last, for one try. */
struct urlp_body_source {
    struct urlp_body_plan *plan;
    size_t index;   /* of the segment in hand */
    int64_t taken;  /* of that segment */
    int64_t left;   /* of the length that the head announces; -1: it announces none */
    int fd;         /* of a file that was opened by its path, else -1 */
    bool no_file;   /* the segment in hand has to be read */
    uint8_t *piece; /* where bytes are gathered; NULL while that is not needed */
};

/* struct urlp_body_run is what is to be sent next: bytes, or a stretch of a file, or nothing yet
 * but what was written before (the head). */
struct urlp_body_run {
    const void *data;
    size_t len;
    int fd; /* when `file_len` > 0 */
    int64_t at, file_len;
    bool is_last; /* nothing follows */
};

/* The most that is gathered at a time, and that a callback is asked for. */
#define URLP_BODY_PIECE_BYTES ((size_t)64 * 1024)

/* urlp_body_source_begin begins at the first byte. `left` is what the head announces, -1 when the
 * body is chunked.
 *
 * Owns:    `plan` is borrowed; ended by urlp_body_source_end. */
void urlp_body_source_begin(struct urlp_body_source *source, struct urlp_body_plan *plan,
                            int64_t left);

/* urlp_body_source_next takes the next bytes. Small ones are gathered, so that they leave together;
 * what lies in memory is lent; a source that may take its time is waited for only once all before
 * it is sent, and its bytes go as they come. Of a length that was announced the last bytes are
 * given out only when the source is at its end there. When the turn is over meanwhile, what is in
 * `out` is of no use.
 *
 * Owns:    `out` lives until the next call.
 * Errors:  URLPOOL_E_BODY, phase SEND: more or fewer bytes than announced, a file or callback that
 *          fails; URLPOOL_E_CANCELLED, TOTAL_TIMEOUT, NOMEM, and those of urlp_turn_listen. */
URLPOOL_MUST_USE enum urlpool_code urlp_body_source_next(struct urlp_body_source *source,
                                                         struct urlpool_connection *connection,
                                                         struct urlp_body_run *out,
                                                         struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_body_source_sent says that `sent` of the stretch of a file given last have gone; when that
 * is not all, the rest will be read. */
void urlp_body_source_sent(struct urlp_body_source *source, const struct urlp_body_run *run,
                           int64_t sent);

/* urlp_body_source_end gives back what the source holds. The offset of a descriptor is then behind
 * the bytes that were taken, as if read. */
void urlp_body_source_end(struct urlp_body_source *source);

#endif /* URLP_CONN_BODY_SOURCE_H */
