#ifndef POOLED_FETCH_ENTRIES_H
#define POOLED_FETCH_ENTRIES_H

#include "exit_code.h"
#include "settings.h"

/* pf_entries_add appends a URL; `file` is the name for its body in a list, or NULL. */
void pf_entries_add(struct pf_settings *settings, const char *url, size_t len, const char *file);
/* pf_entries_read appends the URLs of a list: one a line, "#" comments, a TAB and a file name
 * behind a URL; "-" is standard input. Errors: PF_EXIT_READ, said. */
enum pf_exit pf_entries_read(struct pf_settings *settings, const char *path);
/* pf_entries_settle gives each URL its scheme, query (-G) and output, and makes directories. To be
 * called once, when the whole command line is known.
 * Errors: PF_EXIT_USAGE, PF_EXIT_WRITE, said. */
enum pf_exit pf_entries_settle(struct pf_settings *settings);

#endif /* POOLED_FETCH_ENTRIES_H */
