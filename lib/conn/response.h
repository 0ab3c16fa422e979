#ifndef URLP_CONN_RESPONSE_H
#define URLP_CONN_RESPONSE_H

#include "urlpool/response.h"

#include "conn/connection.h"
#include "conn/hops.h"

/* struct urlp_response_owner is told once, when the response needs its connection no more: at the
 * end of the body, after an error, at drain, close or free. Never under a lock. */
struct urlp_response_owner {
    void (*ended)(void *user, struct urlpool_connection *connection,
                  const struct urlp_connection_verdict *verdict);
    void *user;
};

/* urlp_response_set_owner says who is to be told. If the response has ended already (no body),
 * `ended` is called at once. */
void urlp_response_set_owner(struct urlpool_response *response,
                             const struct urlp_response_owner *owner);

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

/* urlp_response_fields shows the head as spans, for redirect and retry rules. */
const struct urlp_field *urlp_response_fields(const struct urlpool_response *response,
                                              size_t *out_num_fields);

#endif /* URLP_CONN_RESPONSE_H */
