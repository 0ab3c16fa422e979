#ifndef POOLED_FETCH_SAY_H
#define POOLED_FETCH_SAY_H

#include "text.h"

/* Standard error, for any number of threads at once: lines stay whole, and stay clear of the
 * progress display, which is taken away first and drawn again later. */

/* pf_say prints one line "pooled-fetch: …". */
__attribute__((format(printf, 1, 2))) void pf_say(const char *format, ...);
/* pf_say_text prints whole lines as they are. */
void pf_say_text(const struct pf_text *text);
/* pf_say_draw prints `lasting`, and below it `fleeting` of `num_lines` lines, which whatever is
 * printed next replaces. For terminals. */
void pf_say_draw(const struct pf_text *lasting, const struct pf_text *fleeting, int num_lines);

#endif /* POOLED_FETCH_SAY_H */
