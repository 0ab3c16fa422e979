#ifndef URLP_HTTP_DATE_H
#define URLP_HTTP_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* urlp_date_parse reads an HTTP-date in any of its three forms. False on anything else, a day that
 * no calendar has included; `*out_at_s` is untouched then. The name of the day of the week must be
 * one, but need not be the right one.
 *
 * Units:   seconds since 1970-01-01 UTC. `now_s` says which century two digits of a year mean: the
 *          result is at most 50 years ahead of it.
 * Spec:    RFC 9110 section 5.6.7: "A recipient that parses a timestamp value in an HTTP field MUST
 *          accept all three HTTP-date formats". */
bool urlp_date_parse(struct urlp_span text, int64_t now_s, int64_t *out_at_s);

#endif /* URLP_HTTP_DATE_H */
