#ifndef URLP_CONN_HEAD_TEXT_H
#define URLP_CONN_HEAD_TEXT_H

#include "base/call.h"
#include "base/sync.h"
#include "http/field.h"

/* urlp_trace_request_head tells the sink of `call`, if there is one, of a head about to be sent:
 * its text, credentials masked. Out of memory the text is cut short. */
void urlp_trace_request_head(const struct urlp_call *call,
                             const struct urlp_request_head *head) URLP_MAY_BLOCK;

/* urlp_trace_response_head does so for a head that was received. `kind` is RESPONSE_HEAD or
 * INTERIM_HEAD. */
void urlp_trace_response_head(const struct urlp_call *call, enum urlpool_trace_kind kind,
                              const struct urlp_response_head *head) URLP_MAY_BLOCK;

#endif /* URLP_CONN_HEAD_TEXT_H */
