#ifndef URLP_HTTP_FORM_H
#define URLP_HTTP_FORM_H

#include <stddef.h>

#include "urlpool/form.h"

#include "base/buf.h"
#include "base/span.h"

#define URLP_BOUNDARY_MAX 70 /* RFC 2046 section 5.1.1 */

/* struct urlp_form_field is a field as the form keeps it; all is the form's. */
struct urlp_form_field {
    struct urlp_span name;
    struct urlp_span data;
    const char *path;                      /* NULL: no file */
    int fd;                                /* -1: none */
    const char *filename;                  /* NULL: none is told */
    const char *content_type;              /* NULL: none is told */
    const struct urlpool_headers *headers; /* NULL: none */
};

/* urlp_form_num_fields is how many fields `form` has. */
size_t urlp_form_num_fields(const struct urlpool_form *form);
/* urlp_form_field shows field `index`; index < urlp_form_num_fields. */
const struct urlp_form_field *urlp_form_field(const struct urlpool_form *form, size_t index);
/* urlp_form_boundary is what urlpool_form_set_boundary was given, "" when nothing. */
const char *urlp_form_boundary(const struct urlpool_form *form);

/* struct urlp_form_piece is a run of a multipart body: text, or the whole of a file. */
struct urlp_form_piece {
    struct urlp_span text; /* when `path` is NULL and `fd` is -1; never empty then */
    const char *path;
    int fd;
};

/* struct urlp_multipart is a form laid out as multipart/form-data: the pieces in their order.
 * `boundary` is the form's own, or 32 random hexadecimal digits. */
struct urlp_multipart {
    struct urlp_form_piece *pieces;
    size_t num_pieces;
    struct urlp_buf text; /* what texts of pieces point into that are not the form's own */
    char boundary[URLP_BOUNDARY_MAX + 1];
    char content_type[sizeof("multipart/form-data; boundary=\"\"") + URLP_BOUNDARY_MAX];
};

/* urlp_form_lay_out makes a multipart body of `form`: Content-Disposition, Content-Type, then the
 * part's own field lines; quotes and line ends in names are %22, %0D and %0A, as browsers have it.
 *
 * Owns:    the caller ends it with urlp_multipart_deinit, also after a failure; paths and
 *          long texts are the form's.
 * Errors:  URLPOOL_E_INVALID when the form's own boundary stands in one of its texts;
 *          URLPOOL_E_NOMEM.
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
