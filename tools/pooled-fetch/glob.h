#ifndef POOLED_FETCH_GLOB_H
#define POOLED_FETCH_GLOB_H

#include "exit_code.h"
#include "settings.h"

/* struct pf_glob is the URLs that one with "{a,b}", "[1-9]", "[a-z]" in it stands for. */
struct pf_glob {
    struct pf_strings urls;
    struct pf_strings *parts; /* of each URL: what stood in for the first, the second, … */
    size_t num_parts;
};

/* pf_glob_expand makes them, in curl's order: the last part changes fastest. A backslash in front
 * of a bracket or brace makes it an ordinary one.
 * Owns:   pf_glob_free, in any case.
 * Errors: PF_EXIT_URL, said. */
enum pf_exit pf_glob_expand(struct pf_glob *glob, const char *url);
void pf_glob_free(struct pf_glob *glob);
/* pf_glob_name puts what stood in for part N in place of "#N" in a name. Owns: for free(). */
char *pf_glob_name(const struct pf_glob *glob, size_t index, const char *name);

#endif /* POOLED_FETCH_GLOB_H */
