#ifndef URLP_HTTP_URL_PLAIN_H
#define URLP_HTTP_URL_PLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

/* struct urlp_url_cuts says where the parts of a plain URL end, as offsets into its text. */
struct urlp_url_cuts {
    size_t scheme_end; /* the ":" */
    size_t host, host_end;
    int port; /* -1: none is written */
    size_t path, path_end;
    bool has_query; /* from behind the "?" to the end of the text */
};

/* urlp_url_cut_plain cuts a URL that is in normal form already, and asks for nothing that has to be
 * thought about: http or https, a name or an IPv4 address, path and query without percent-encoding
 * and dot segments. False: it has to be read part by part, and may be good or bad; `out` is of no
 * use then.
 *
 * Spec:    RFC 3986 section 6.2.2. */
bool urlp_url_cut_plain(struct urlp_span text, struct urlp_url_cuts *out);

#endif /* URLP_HTTP_URL_PLAIN_H */
