#ifndef URLP_NET_TLS_NAMES_H
#define URLP_NET_TLS_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

/* Names as certificates hold them: octets of any kind, with a length. */

#define URLP_TLS_HOST_LEN_MAX 255

/* urlp_tls_name_normalise writes `host` as it is asked for and matched: lower case, without its
 * trailing dot, a NUL behind it. Returns its length, or 0 when there is no name, it is too long or
 * holds a NUL.
 *
 * Spec:    RFC 6066 section 3: "without a trailing dot". */
size_t urlp_tls_name_normalise(struct urlp_span host, char out[URLP_TLS_HOST_LEN_MAX + 1]);

/* urlp_tls_name_is_host says whether a certificate can be for `host`: labels of host octets, none
 * of them empty. An IPv4 address is, too; one of IPv6 is not. */
bool urlp_tls_name_is_host(struct urlp_span host);

/* urlp_tls_name_matches says whether the dNSName `pattern` stands for `host`, which is lower or
 * upper case without a trailing dot. ASCII letters are folded and nothing else; a wildcard is the
 * whole leftmost label, stands for one label, and has two labels or more behind it.
 *
 * Spec:    RFC 9525 section 6.3. */
bool urlp_tls_name_matches(struct urlp_span pattern, struct urlp_span host);

/* urlp_tls_name_is_below says whether `host` is in the subtree `base` of a name constraint: the
 * same name or any below it; an empty `base` holds all names.
 *
 * Spec:    RFC 5280 section 4.2.1.10. */
bool urlp_tls_name_is_below(struct urlp_span host, struct urlp_span base);

#endif /* URLP_NET_TLS_NAMES_H */
