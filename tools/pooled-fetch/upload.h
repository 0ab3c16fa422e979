#ifndef POOLED_FETCH_UPLOAD_H
#define POOLED_FETCH_UPLOAD_H

#include "pace.h"
#include "request.h"

/* struct pf_upload is the body of one transfer's request: memory of the settings, or a file that is
 * uploaded from its beginning. With --limit-rate it is given out at that pace, but for a form's. */
struct pf_upload {
    const struct pf_settings *settings;
    struct urlpool_body body;
    int fd; /* -1: no file is uploaded */
    int64_t started_ns;
    struct pf_pace pace;
    const char *data; /* where there is no file, so many bytes */
    size_t data_len;
    int64_t first;    /* where the file's bytes begin */
    int64_t num_sent; /* behind that */
};

/* pf_upload_open makes it for `entry`, of a transfer that began at `started_ns`. It stays where it
 * is until pf_upload_close. Errors: -1 with errno. */
int pf_upload_open(struct pf_upload *upload, const struct pf_settings *settings,
                   const struct pf_request *request, const struct pf_entry *entry,
                   int64_t started_ns);
void pf_upload_close(struct pf_upload *upload);

#endif /* POOLED_FETCH_UPLOAD_H */
