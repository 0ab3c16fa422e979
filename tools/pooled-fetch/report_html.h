#ifndef POOLED_FETCH_REPORT_HTML_H
#define POOLED_FETCH_REPORT_HTML_H

#include <time.h>

#include "urlpool/stats.h"

#include "findings.h"
#include "settings.h"
#include "tally.h"

/* struct pf_page is what the page is made of. */
struct pf_page {
    const struct pf_settings *settings;
    const struct pf_sums *sums;
    const struct urlpool_stats *pool;
    const struct pf_findings *findings;
    time_t ended_at;
    bool is_interrupted;
};

/* pf_page_add appends the whole page. */
void pf_page_add(struct pf_text *out, const struct pf_page *page);

/* pf_page_open opens the file for the page, before the run, and leaves what is in it; "-" is
 * `std_fd`.
 * Errors: PF_EXIT_WRITE, and has been said. */
enum pf_exit pf_page_open(const char *path, int std_fd, int *out_fd);
/* pf_page_write replaces what is in the file by the page, and closes it.
 * Errors: PF_EXIT_WRITE, and has been said. */
enum pf_exit pf_page_write(const struct pf_page *page, int fd);

/* Its tables; report_html_tables.c. */
void pf_page_add_slowest(struct pf_text *out, const struct pf_page *page);
void pf_page_add_outcomes(struct pf_text *out, const struct pf_page *page);
void pf_page_add_pool(struct pf_text *out, const struct pf_page *page);

/* What the page's looks and its table's sorting are, from tools/pooled-fetch/page/. */
extern const char pf_page_style[];
extern const char pf_page_script[];

#endif /* POOLED_FETCH_REPORT_HTML_H */
