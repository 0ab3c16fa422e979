#ifndef URLP_HTTP_METHOD_H
#define URLP_HTTP_METHOD_H

#include <stdbool.h>

#include "base/span.h"

bool urlp_method_is_valid(struct urlp_span method);      /* a token, RFC 9110 section 9.1 */
bool urlp_method_is_idempotent(struct urlp_span method); /* section 9.2.2 */
bool urlp_method_expects_body(struct urlp_span method);  /* none given: Content-Length: 0 */

#endif /* URLP_HTTP_METHOD_H */
