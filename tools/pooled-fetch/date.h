#ifndef POOLED_FETCH_DATE_H
#define POOLED_FETCH_DATE_H

#include <stdbool.h>
#include <time.h>

/* pf_date_of_field reads one of the three dates of RFC 9110 section 5.6.7; -1: none of them. */
time_t pf_date_of_field(const char *value);
/* pf_date_of_person reads those, and what people write: "2024-02-29", "20240229", "29 Feb 2024",
 * each perhaps with a time behind it; UTC. -1: none of them. */
time_t pf_date_of_person(const char *value);
/* pf_date_field writes a date as IMF-fixdate into `out`. */
void pf_date_field(time_t date, char out[32]);

#endif /* POOLED_FETCH_DATE_H */
