#ifndef POOLED_FETCH_HELP_H
#define POOLED_FETCH_HELP_H

#include <stddef.h>

enum pf_help_category {
    PF_HELP_URLS,
    PF_HELP_OUTPUT,
    PF_HELP_REQUEST,
    PF_HELP_REDIRECTS,
    PF_HELP_RETRIES,
    PF_HELP_LIMITS,
    PF_HELP_TLS,
    PF_HELP_NETWORK,
    PF_HELP_PROXIES,
    PF_HELP_POOL,
    PF_HELP_REPORT,
    PF_HELP_ACCEPTED,
    PF_HELP_NUM
};

/* struct pf_help_row is what people are told of one option. */
struct pf_help_row {
    enum pf_help_category category;
    const char *name;
    const char *argument; /* NULL: it takes none */
    const char *text;
};

/* By category; help_table.c. */
extern const struct pf_help_row pf_help_rows[];
extern const size_t pf_num_help_rows;

/* pf_help_print prints what a category has; "all" everything, NULL how to go on. Returns the exit
 * code: a category that is not there has been said. */
int pf_help_print(const char *category);
void pf_version_print(void);

#endif /* POOLED_FETCH_HELP_H */
