#ifndef POOLED_FETCH_HELP_H
#define POOLED_FETCH_HELP_H

/* pf_help_print and pf_version_print write to standard output. */
void pf_help_print(void);
void pf_version_print(void);

#endif /* POOLED_FETCH_HELP_H */
