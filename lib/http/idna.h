#ifndef URLP_HTTP_IDNA_H
#define URLP_HTTP_IDNA_H

#include <stddef.h>

/* urlp_idna_no_memory is what urlp_idna_to_ascii returns when there is none. */
extern const char urlp_idna_no_memory[];

/* urlp_idna_to_ascii turns a host name of UTF-8 letters into A-labels: UTS 46, non-transitional,
 * letters folded and composed first. What it makes may hold any ASCII byte but NUL. In a build
 * without IDNA every name is refused.
 *
 * Sizes:   `room` bytes at `out`, which may be `name`; the result ends in a NUL.
 * Errors:  NULL is success; else what is wrong with the name, to be put behind "host … ".
 * Spec:    UTS 46 section 4; RFC 5890, 5891. */
const char *urlp_idna_to_ascii(const char *name, char *out, size_t room);

/* urlp_idna_library names what does that: "libidn2/2.3.3", and "" in a build without. Returns like
 * snprintf. */
int urlp_idna_library(char *out, size_t out_size);

#endif /* URLP_HTTP_IDNA_H */
