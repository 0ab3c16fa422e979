#ifndef URLP_CONN_HOPS_H
#define URLP_CONN_HOPS_H

#include "urlpool/response.h"

#include "base/buf.h"
#include "base/span.h"

/* The most tries that are remembered, so that a request which is repeated for ever does not grow.
 */
#define URLP_HOPS_MAX 1000

/* struct urlp_hops remembers the tries that came before a response. Zero bytes: none, and no
 * memory. */
struct urlp_hops {
    struct urlp_buf rows;
    struct urlp_buf text;
};

/* struct urlp_hop_note is one try to be remembered; what it points to is copied. Spans may not hold
 * a NUL. */
struct urlp_hop_note {
    struct urlp_span method;
    struct urlp_span url; /* without userinfo */
    enum urlpool_code code;
    int status;
    struct urlp_span location; /* data NULL: none */
};

/* urlp_hops_add remembers one more, or nothing when there are URLP_HOPS_MAX.
 *
 * Errors:  URLPOOL_E_NOMEM; `hops` is unchanged then. */
URLPOOL_MUST_USE enum urlpool_code urlp_hops_add(struct urlp_hops *hops,
                                                 const struct urlp_hop_note *note);

size_t urlp_hops_count(const struct urlp_hops *hops);

/* urlp_hops_get shows number `index`; past the end all fields are zero.
 *
 * Owns:    strings are valid until the next urlp_hops_add. */
struct urlpool_hop urlp_hops_get(const struct urlp_hops *hops, size_t index);

/* urlp_hops_deinit forgets all and gives the memory back. */
void urlp_hops_deinit(struct urlp_hops *hops);

#endif /* URLP_CONN_HOPS_H */
