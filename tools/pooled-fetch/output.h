#ifndef POOLED_FETCH_OUTPUT_H
#define POOLED_FETCH_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include "ordered.h"
#include "settings.h"

/* struct pf_output is where one transfer's head and body go. A file is made when its first byte
 * comes, as curl does: a transfer that fails before that leaves an old file as it was. */
struct pf_output {
    const char *path;         /* NULL: standard output, or nowhere */
    struct pf_ticket *ticket; /* NULL with NULL path: nowhere */
    int fd;                   /* -1: not open yet */
    bool removes_on_error;
    int64_t num_bytes;
};

/* pf_output_begin borrows `ticket`, which may be NULL. */
void pf_output_begin(struct pf_output *output, const struct pf_settings *settings,
                     const struct pf_entry *entry, struct pf_ticket *ticket);
/* Errors: -1 with errno. */
int pf_output_write(struct pf_output *output, const void *data, size_t len);
/* pf_output_restart throws away what is in the file, for another try; what went to standard output
 * stays, as in curl. */
void pf_output_restart(struct pf_output *output);
/* pf_output_end closes the file; makes an empty one for a whole body without bytes.
 * Errors: -1 with errno: what was written may not be there. */
int pf_output_end(struct pf_output *output, bool is_whole);

#endif /* POOLED_FETCH_OUTPUT_H */
