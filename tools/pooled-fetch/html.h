#ifndef POOLED_FETCH_HTML_H
#define POOLED_FETCH_HTML_H

#include <stdint.h>

#include "text.h"

/* What is written into the page. Whatever comes from outside goes through pf_html_add: the rest
 * writes numbers, and markup is the program's own. */

/* pf_html_add appends text that may hold anything. Markup becomes entities; bytes that are no
 * UTF-8, controls, and characters that turn the direction of writing become U+FFFD. */
void pf_html_add(struct pf_text *out, const char *text);
/* pf_html_add_clipped is that for at most `max` bytes, with an ellipsis where more was. */
void pf_html_add_clipped(struct pf_text *out, const char *text, size_t max);

/* Numbers for people: "12,345", "0.25", "1.24 ms", "3.10 MiB". */
void pf_html_count(struct pf_text *out, uint64_t count);
void pf_html_number(struct pf_text *out, double number);
void pf_html_ns(struct pf_text *out, int64_t ns);
void pf_html_bytes(struct pf_text *out, double bytes);
/* The same of round numbers, for axes: "2 ms", "512 KiB". */
void pf_html_round_ns(struct pf_text *out, double ns);
void pf_html_round_bytes(struct pf_text *out, double bytes);
/* pf_html_share appends a part in percent. */
void pf_html_share(struct pf_text *out, uint64_t part, uint64_t whole);

/* A section of the page, by its heading; `id` and `title` are the program's own words. */
void pf_html_begin_section(struct pf_text *out, const char *id, const char *title);
void pf_html_end_section(struct pf_text *out);

#endif /* POOLED_FETCH_HTML_H */
