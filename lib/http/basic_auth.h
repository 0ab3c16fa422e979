#ifndef URLP_HTTP_BASIC_AUTH_H
#define URLP_HTTP_BASIC_AUTH_H

#include "base/buf.h"
#include "base/span.h"

/* urlp_basic_auth_append appends "Basic …" for `credentials`, "user:password" in any character
 * set; without a colon they are a user whose password is empty. `whose` names them in messages.
 *
 * Errors:  URLPOOL_E_HEADER for a control character, in a sentence that shows nothing of them;
 *          URLPOOL_E_NOMEM. `out` is unchanged then.
 * Spec:    RFC 7617 section 2. */
URLPOOL_MUST_USE enum urlpool_code urlp_basic_auth_append(struct urlp_span credentials,
                                                          const char *whose, struct urlp_buf *out,
                                                          struct urlpool_error *err);

/* urlp_basic_auth_append_userinfo is the same for the userinfo of a URL, which is percent-decoded
 * behind the split at its first colon. An empty one says nothing: nothing is appended.
 *
 * Errors:  also URLPOOL_E_HEADER for a colon in the user, which Basic cannot say.
 * Spec:    RFC 3986 section 3.2.1, RFC 7617 section 2. */
URLPOOL_MUST_USE enum urlpool_code urlp_basic_auth_append_userinfo(struct urlp_span userinfo,
                                                                   struct urlp_buf *out,
                                                                   struct urlpool_error *err);

#endif /* URLP_HTTP_BASIC_AUTH_H */
