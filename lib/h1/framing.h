#ifndef URLP_H1_FRAMING_H
#define URLP_H1_FRAMING_H

#include <stdbool.h>
#include <stdint.h>

#include "urlpool/error.h"

#include "h1/codec.h"
#include "http/field.h"

/* struct urlp_h1_framing says where the body of a response ends. */
struct urlp_h1_framing {
    enum urlp_h1_body kind;
    int64_t length; /* of BODY_LENGTH */
    bool is_tunnel; /* no HTTP comes after the head */
    bool is_odd; /* the body is told, but the peer spoke of it in a way not to be trusted twice */
};

/* urlp_h1_frame tells the body of the response `head` to a request of the method `is_head` or
 * `is_connect`. Pure.
 *
 * Errors:  URLPOOL_E_BAD_LENGTH, URLPOOL_E_TRANSFER_ENCODING; `out` is then untouched.
 * Spec:    RFC 9112 section 6.3. */
URLPOOL_MUST_USE enum urlpool_code urlp_h1_frame(const struct urlp_response_head *head,
                                                 bool is_head, bool is_connect,
                                                 struct urlp_h1_framing *out,
                                                 struct urlpool_error *err);

/* urlp_h1_parse_length reads one Content-Length value: a number, or a list of the same number
 * written the same way.
 *
 * Errors:  false for anything else, and from 2^63 on. */
bool urlp_h1_parse_length(struct urlp_span value, int64_t *out_length);

#endif /* URLP_H1_FRAMING_H */
