#ifndef POOLED_FETCH_OUTPUT_H
#define POOLED_FETCH_OUTPUT_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "ordered.h"
#include "settings.h"

/* struct pf_output is where one transfer's head and body go. A file is made when its first byte
 * comes, as curl does: a transfer that fails before that leaves an old file as it was. */
struct pf_output {
    const struct pf_settings *settings;
    char *path;               /* its own; NULL: standard output, or nowhere */
    struct pf_ticket *ticket; /* NULL with NULL path: nowhere */
    int fd;                   /* -1: not open yet */
    int64_t offset;           /* where the body goes on in a file that has a part of it */
    int64_t first_offset;     /* where it did in the first try */
    int64_t num_bytes;        /* written by this try */
    bool is_appended;         /* from `offset` on, behind what is there */
    bool is_named_by_server;  /* then no file is written over */
    time_t date;              /* the file gets, with --remote-time; -1: none is known */
};

/* pf_output_begin borrows `ticket`, which may be NULL; with --continue-at it looks how much of the
 * file there is. Owns: pf_output_end frees what it has. */
void pf_output_begin(struct pf_output *output, const struct pf_settings *settings,
                     const struct pf_entry *entry, struct pf_ticket *ticket);
/* pf_output_rename takes the name that a server gave, which comes into --output-dir. */
void pf_output_rename(struct pf_output *output, const char *name);
/* Errors: -1 with errno. */
int pf_output_write(struct pf_output *output, const void *data, size_t len);
/* pf_output_begin_anew throws away what is in the file, of this try and of others before. */
void pf_output_begin_anew(struct pf_output *output);
/* pf_output_restart prepares for another try: it goes on behind what is there when `keeps`, else
 * what the last one wrote is thrown away; what went to standard output stays, as in curl. */
void pf_output_restart(struct pf_output *output, bool keeps);
/* pf_output_end closes the file; `makes` an empty one for a whole body without bytes.
 * Errors: -1 with errno: what was written may not be there. */
int pf_output_end(struct pf_output *output, bool is_whole, bool makes);
void pf_output_deinit(struct pf_output *output);

#endif /* POOLED_FETCH_OUTPUT_H */
