#ifndef URLP_POLICY_NO_PROXY_H
#define URLP_POLICY_NO_PROXY_H

#include <stdbool.h>
#include <stdint.h>

#include "urlpool/error.h"

#include "base/span.h"

/* A list of hosts that are gone to without a proxy. Elements stand between commas or blanks:
 *
 *   *                   every host
 *   example.com         that host and all below it; so do .example.com and *.example.com
 *   127.0.0.1, [::1]    that address, brackets or none
 *   10.0.0.0/8          addresses of that range, never names that lead there
 *   example.com:8443    any of the above but a range, on that port alone
 *
 * Letters count in no case, dots at the end not at all, IPv4-mapped IPv6 as its IPv4. */

/* urlp_no_proxy_covers says whether `list` names `host`, canonical, or a part of it, and `port`.
 * What is no element is nobody. Pure. */
bool urlp_no_proxy_covers(struct urlp_span list, struct urlp_span host, uint16_t port);

/* urlp_no_proxy_check refuses a list with an element that can name nothing.
 *
 * Errors:  URLPOOL_E_INVALID. */
URLPOOL_MUST_USE enum urlpool_code urlp_no_proxy_check(struct urlp_span list,
                                                       struct urlpool_error *err);

#endif /* URLP_POLICY_NO_PROXY_H */
