#ifndef POOLED_FETCH_SAY_H
#define POOLED_FETCH_SAY_H

#include <stdbool.h>

#include "text.h"

/* Standard error, for any number of threads at once: lines stay whole, and stay clear of the
 * progress display, which is taken away first and drawn again later. */

/* pf_say prints one line "pooled-fetch: …". */
__attribute__((format(printf, 1, 2))) void pf_say(const char *format, ...);
/* pf_say_text prints whole lines as they are. */
void pf_say_text(const struct pf_text *text);
/* pf_say_draw prints `lasting`, and below it `fleeting`, which whatever is printed next replaces,
 * unless `is_last`. For terminals. */
void pf_say_draw(const struct pf_text *lasting, const struct pf_text *fleeting, bool is_last);
/* pf_say_width is how many columns the terminal has now; 80 when that is not known. */
int pf_say_width(void);
/* pf_say_height is how many rows it has; 24 when that is not known. */
int pf_say_height(void);

#endif /* POOLED_FETCH_SAY_H */
