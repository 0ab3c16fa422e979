#ifndef URLP_HTTP_METHOD_H
#define URLP_HTTP_METHOD_H

#include <stdbool.h>

#include "base/span.h"

/* urlp_method_is_valid says whether `method` can be sent: one token. Case is the caller's.
 *
 * Spec:    RFC 9110 section 9.1. */
static inline bool urlp_method_is_valid(struct urlp_span method)
{
    return urlp_span_is(method, "GET") || urlp_span_is_token(method);
}

/* urlp_method_is_idempotent says whether sending it twice is meant to do what sending it once does.
 * Methods are case-sensitive, and an unknown one is not idempotent.
 *
 * Spec:    RFC 9110 section 9.2.2. */
bool urlp_method_is_idempotent(struct urlp_span method);

/* urlp_method_expects_body says whether a request without a body must say so by Content-Length: 0.
 *
 * Spec:    RFC 9110 section 8.6.
 * Model:   http.client._METHODS_EXPECTING_BODY. */
bool urlp_method_expects_body(struct urlp_span method);

#endif /* URLP_HTTP_METHOD_H */
