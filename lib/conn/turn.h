#ifndef URLP_CONN_TURN_H
#define URLP_CONN_TURN_H

#include "base/sync.h"
#include "conn/wire.h"

/* One request and the head of its answer, in steps: the floors above take them all at once, the
 * lower floor one by one. */

/* urlp_turn_begin checks and writes the head into the connection's memory; nothing is sent yet.
 *
 * Errors:  URLPOOL_E_NOT_CONNECTED, URLPOOL_E_CANNOT_SEND_REQUEST, URLPOOL_E_HEADER, URLPOOL_E_BODY
 * (content with TRACE), URLPOOL_E_NOMEM; the connection is as it was. */
URLPOOL_MUST_USE enum urlpool_code urlp_turn_begin(struct urlpool_connection *connection,
                                                   const struct urlp_exchange *exchange,
                                                   const struct urlp_call *call,
                                                   struct urlpool_error *err) URLP_MAY_BLOCK;

/* The most runs that urlp_turn_put takes at once. */
#define URLP_TURN_RUNS_MAX 4

/* urlp_turn_put sends `runs`, behind the head if that has not been sent, in as few writes as the
 * stream allows. Stops, with success, when an answer comes or the peer takes no more: see
 * urlp_turn_is_over.
 *
 * Units:   `write_ms` of the exchange bounds each gap.
 * Errors:  URLPOOL_E_WRITE_TIMEOUT, TOTAL_TIMEOUT, CANCELLED, TLS, RESET when nothing at all was
 *          sent, and those of the codec for an early answer. */
URLPOOL_MUST_USE enum urlpool_code urlp_turn_put(struct urlpool_connection *connection,
                                                 const struct urlp_iovec *runs, size_t num_runs,
                                                 struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_turn_put_file sends `len` > 0 bytes of the regular file `fd` from offset `at` on, behind the
 * head; as urlp_turn_put does, but for a stream that can send files.
 *
 * Sizes:   `*out_sent` is fewer than `len` when the turn is over, or the file cannot be sent any
 *          further this way.
 * Errors:  those of urlp_turn_put. */
URLPOOL_MUST_USE enum urlpool_code urlp_turn_put_file(struct urlpool_connection *connection, int fd,
                                                      int64_t at, int64_t len, int64_t *out_sent,
                                                      struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_turn_await_continue sends the head alone and waits for 100 (Continue), a final answer (the
 * turn is then over) or until `wait_ms` or `read_ms` have gone by; other interim responses do not
 * end the wait.
 *
 * Errors:  those of urlp_turn_put and urlp_turn_hear; TOTAL_TIMEOUT, CANCELLED: phase SEND.
 * Spec:    RFC 9110 section 10.1.1. */
URLPOOL_MUST_USE enum urlpool_code urlp_turn_await_continue(
    struct urlpool_connection *connection, int64_t wait_ms,
    struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_turn_listen hears an answer that comes before the request is sent whole; never waits. */
URLPOOL_MUST_USE enum urlpool_code urlp_turn_listen(struct urlpool_connection *connection,
                                                    struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_turn_put_body sends the whole of what `plan` says (NULL: none), framed as the head said.
 *
 * Errors:  those of urlp_turn_put; URLPOOL_E_BODY when it holds fewer or more bytes than the head
 *          said, or cannot be read. */
URLPOOL_MUST_USE enum urlpool_code urlp_turn_put_body(struct urlpool_connection *connection,
                                                      struct urlp_body_plan *plan,
                                                      struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_turn_sent says that the request is with the kernel, whole. */
void urlp_turn_sent(struct urlpool_connection *connection) URLP_MAY_BLOCK;

/* urlp_turn_hear reads until the final head of the answer is there, in turn.answer.
 *
 * Errors:  those of reading and of the codec; phase HEAD. When the peer had stopped to take the
 *          request and did not answer, that is the error: phase SEND. */
URLPOOL_MUST_USE enum urlpool_code urlp_turn_hear(struct urlpool_connection *connection,
                                                  struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_turn_failed ends a turn that did not bring a response, and adds to `err` (may be NULL) what
 * only the turn knows. The connection is not used again. */
void urlp_turn_failed(struct urlpool_connection *connection, struct urlpool_error *err);

/* urlp_turn_is_over says that sending more of the request is of no use. */
static inline bool urlp_turn_is_over(const struct urlpool_connection *connection)
{
    return connection->turn.is_answered || connection->turn.is_cut;
}

#endif /* URLP_CONN_TURN_H */
