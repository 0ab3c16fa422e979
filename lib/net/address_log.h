#ifndef URLP_NET_ADDRESS_LOG_H
#define URLP_NET_ADDRESS_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/map.h"
#include "base/span.h"
#include "net/resolver.h"

/* Which addresses fresh answers of the DNS have given for a name, so that it can be known that one
 * is given no more. An address is gone when it was absent from URLP_GONE_ANSWERS answers for its
 * family in a row, the first and the last of them at least URLP_GONE_NS apart: names whose answers
 * take turns through many addresses lose none by a single answer.
 *
 * Knows no lock: whoever has the log guards it. */
#define URLP_GONE_ANSWERS 3
#define URLP_GONE_NS      INT64_C(60000000000)

/* struct urlp_address_log. Zero bytes are not valid: urlp_address_log_init. */
struct urlp_address_log {
    struct urlp_map by_name;
    struct urlp_list by_age; /* the name that was asked for last is the first */
    size_t names_max;
};

/* urlp_address_log_init makes an empty log of at most `names_max` names, the last ones asked for.
 */
void urlp_address_log_init(struct urlp_address_log *log, size_t names_max);

/* urlp_address_log_clear forgets all names. */
void urlp_address_log_clear(struct urlp_address_log *log);

/* urlp_address_log_note takes a fresh answer for one family, and says whether an address is gone
 * that was not before. Out of memory it takes nothing. */
bool urlp_address_log_note(struct urlp_address_log *log, struct urlp_span name,
                           enum urlp_family family, const struct urlp_addresses *answer,
                           int64_t now_ns);

/* urlp_address_log_is_gone says whether `ip` was an address of `name` and is none any more. */
bool urlp_address_log_is_gone(const struct urlp_address_log *log, struct urlp_span name,
                              const struct urlp_ip *ip);

#endif /* URLP_NET_ADDRESS_LOG_H */
