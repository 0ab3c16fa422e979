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

#endif /* URLP_NET_TLS_OPTIONS_H */
