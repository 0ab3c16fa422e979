#ifndef URLP_CLIENT_GIVEN_HEADERS_H
#define URLP_CLIENT_GIVEN_HEADERS_H

#include <stdbool.h>

#include "urlpool/headers.h"

/* struct urlp_given_headers is what the caller has said for a request: `top`, set on top of `under`
 * as urlpool_headers_merge does. Either may be NULL. Nothing is copied for it. */
struct urlp_given_headers {
    const struct urlpool_headers *top;
    const struct urlpool_headers *under;
};

/* urlp_given_headers_of picks among a request's own headers and the manager's: its own replace
 * them, or with `merge` are set on top of them. */
struct urlp_given_headers urlp_given_headers_of(const struct urlpool_headers *own,
                                                const struct urlpool_headers *managers, bool merge);

/* urlp_given_headers_get returns the first value of that name, or NULL. */
const char *urlp_given_headers_get(const struct urlp_given_headers *given, const char *name);

/* urlp_given_headers_ask_for_chunked says whether they say Transfer-Encoding: chunked. */
bool urlp_given_headers_ask_for_chunked(const struct urlp_given_headers *given);

/* urlp_given_headers_expect_continue says whether they say Expect: 100-continue. */
bool urlp_given_headers_expect_continue(const struct urlp_given_headers *given);

#endif /* URLP_CLIENT_GIVEN_HEADERS_H */
