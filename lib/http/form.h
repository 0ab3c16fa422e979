#ifndef URLP_HTTP_FORM_H
#define URLP_HTTP_FORM_H

#include <stddef.h>

#include "urlpool/form.h"

#include "base/buf.h"
#include "base/span.h"

/* struct urlp_form_piece is a run of a multipart body: text, or the whole of a file. */
struct urlp_form_piece {
    struct urlp_span text; /* when `path` is NULL and `fd` is -1 */
    const char *path;
    int fd;
};

/* struct urlp_multipart is a form laid out as multipart/form-data: the pieces in their order.
 * `boundary` is the form's own, or 32 random hexadecimal digits. */
struct urlp_multipart {
    struct urlp_form_piece *pieces;
    size_t num_pieces;
    struct urlp_buf text; /* what the texts of pieces point into */
    char boundary[71];
};

/* urlp_form_lay_out makes a multipart body of `form`: Content-Disposition, Content-Type, then the
 * part's own field lines; quotes and line ends in names are %22, %0D and %0A, as browsers have it.
 *
 * Owns:    the caller ends it with urlp_multipart_deinit, also after a failure; paths are the
 *          form's.
 * Errors:  URLPOOL_E_NOMEM.
 * Spec:    RFC 7578, RFC 2046 section 5.1.1. */
URLPOOL_MUST_USE enum urlpool_code urlp_form_lay_out(const struct urlpool_form *form,
                                                     struct urlp_multipart *out,
                                                     struct urlpool_error *err);
/* urlp_multipart_deinit gives its memory back; zero bytes have none. */
void urlp_multipart_deinit(struct urlp_multipart *multipart);

/* urlp_form_append_encoded appends `form` as application/x-www-form-urlencoded.
 *
 * Errors:  URLPOOL_E_INVALID for a field that is a file; URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE enum urlpool_code urlp_form_append_encoded(const struct urlpool_form *form,
                                                            struct urlp_buf *out,
                                                            struct urlpool_error *err);

#endif /* URLP_HTTP_FORM_H */
