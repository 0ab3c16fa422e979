#ifndef URLP_NET_TLS_OPTIONS_H
#define URLP_NET_TLS_OPTIONS_H

#include "urlpool/error.h"
#include "urlpool/tls.h"

/* urlp_tls_options_check refuses what means nothing or contradicts itself, as far as that shows
 * without reading a file.
 *
 * Errors:  URLPOOL_E_INVALID, naming the option. */
URLPOOL_MUST_USE enum urlpool_code urlp_tls_options_check(const struct urlpool_tls_options *options,
                                                          struct urlpool_error *err);

/* urlp_tls_options_version gives the number that TLS has for `version`, 0 for the default. */
unsigned short urlp_tls_options_version(enum urlpool_tls_version version);

/* urlp_tls_options_copy_host copies the option `name`, a host, as certificates are looked at for:
 * lower case, no trailing dot, IPv6 without brackets and zone. `out` is NULL when `text` is.
 *
 * Owns:    the caller's, for urlp_free.
 * Errors:  URLPOOL_E_INVALID when no certificate can be for it, URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE enum urlpool_code urlp_tls_options_copy_host(const char *name, const char *text,
                                                              char **out,
                                                              struct urlpool_error *err);

#endif /* URLP_NET_TLS_OPTIONS_H */
