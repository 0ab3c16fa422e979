#ifndef POOLED_FETCH_WRITEOUT_H
#define POOLED_FETCH_WRITEOUT_H

#include <stdbool.h>

#include "transfer.h"

/* pf_writeout_check says whether every %{variable} of a -w format is one; else the first that is
 * none is in `unknown`. NULL is an empty format. */
bool pf_writeout_check(const char *format, char unknown[64]);

/* pf_writeout_add appends what a format makes of a transfer. */
void pf_writeout_add(struct pf_text *out, struct pf_text *err, const char *format,
                     const struct pf_transfer *transfer);

#endif /* POOLED_FETCH_WRITEOUT_H */
