#ifndef URLP_CONN_RESPONSE_H
#define URLP_CONN_RESPONSE_H

#include "urlpool/response.h"

#include "conn/connection.h"
#include "conn/hops.h"
#include "conn/spares.h"

/* struct urlp_response_owner is told once, when the response needs its connection no more: at the
 * end of the body, after an error, at drain, close or free. Never under a lock. */
struct urlp_response_owner {
    void (*ended)(void *user, struct urlpool_connection *connection,
                  const struct urlp_connection_verdict *verdict);
    void *user;
    bool keeps_place; /* an answer that becomes a raw stream ends when that is closed */
};

/* urlp_response_set_owner says who is to be told. If the response has ended already (no body),
 * `ended` is called at once. */
void urlp_response_set_owner(struct urlpool_response *response,
                             const struct urlp_response_owner *owner);

/* urlp_response_has_switched says that the connection speaks HTTP no more, and stays with the
 * response, or who takes it from there. */
bool urlp_response_has_switched(const struct urlpool_response *response);

/* urlp_response_set_url sets the field `url`, which conn cannot know, to a copy of `url`.
 *
 * Errors:  URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE enum urlpool_code urlp_response_set_url(struct urlpool_response *response,
                                                         struct urlp_span url,
                                                         struct urlpool_error *err);

/* urlp_response_set_hops gives the response the tries that came before it.
 *
 * Owns:    the memory of `hops`, which becomes zero bytes. */
void urlp_response_set_hops(struct urlpool_response *response, struct urlp_hops *hops);

/* struct urlp_place says what is to become of a body that is read whole. Zero bytes: it lies in the
 * response's own memory, and is nothing unless it is whole. */
struct urlp_place {
    uint8_t *into; /* the caller's memory; NULL: none */
    size_t into_len;
    bool keep_partial; /* what arrived is kept for urlp_response_keep_partial */
};

/* urlp_response_set_place says so before urlpool_response_read_all. */
void urlp_response_set_place(struct urlpool_response *response, const struct urlp_place *place);

/* urlp_response_keep_partial makes a response whose body could not be read whole one that has what
 * arrived in `data`, and says why it is no more in `error_code`. */
void urlp_response_keep_partial(struct urlpool_response *response);

/* urlp_response_take_spares takes what a response keeps for the next request; the response itself
 * stays as it is. */
void urlp_response_take_spares(struct urlpool_response *response, struct urlp_spares *out);

/* urlp_response_leave_spares gives `spares` to a response, which takes it with it. */
void urlp_response_leave_spares(struct urlpool_response *response, struct urlp_spares *spares);

/* urlp_response_recycle is urlpool_response_free, but for the memory, which goes to `spares`.
 * Accepts NULL. */
void urlp_response_recycle(struct urlpool_response *response,
                           struct urlp_spares *spares) URLP_MAY_BLOCK;

/* urlp_response_fields shows the head as spans, for redirect and retry rules. */
const struct urlp_field *urlp_response_fields(const struct urlpool_response *response,
                                              size_t *out_num_fields);

#endif /* URLP_CONN_RESPONSE_H */
