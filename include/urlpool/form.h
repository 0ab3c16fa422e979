#ifndef URLPOOL_FORM_H
#define URLPOOL_FORM_H

#include <stddef.h>
#include <stdint.h>

#include "urlpool/error.h"
#include "urlpool/export.h"
#include "urlpool/headers.h"

URLPOOL_BEGIN_DECLS

/* struct urlpool_form is an ordered list of fields: the query of a URL, a url-encoded body, or a
 * multipart body with files.
 *
 * Threads: any number may read at once; a writer must be alone.
 * Model:   urllib3's fields=, RequestField. */
struct urlpool_form;

/* struct urlpool_part is one field in full; zero bytes are "no". At most one of `data`, `path` and
 * `fd` says where its content comes from. */
struct urlpool_part {
    const char *name;     /* of the field */
    const void *data;     /* copied */
    size_t data_len;      /* how many bytes it has */
    const char *path;     /* a file, opened each time it is sent */
    int fd;               /* from its offset at the time of the request; borrowed. 0: none */
    const char *filename; /* as the server is told; NULL: the last segment of `path`, else none.
                             "" is sent as such */
    const char
        *content_type; /* NULL: guessed from the file name, none without one; "" sends none */
    const struct urlpool_headers *headers; /* more field lines of this part; copied */
    unsigned char reserved[32];
};

/* urlpool_form_free ends the form's life. NULL is accepted. */
URLPOOL_API void urlpool_form_free(struct urlpool_form *form);

/* urlpool_form_new makes an empty form.
 *
 * Owns:    the caller frees it with urlpool_form_free.
 * Errors:  NULL with URLPOOL_E_NOMEM.
 * Threads: any number at once. */
URLPOOL_API URLPOOL_MUST_USE struct urlpool_form *urlpool_form_new(struct urlpool_error *err)
    URLPOOL_FREED_BY(urlpool_form_free, 1);

/* urlpool_form_add appends a field of text.
 *
 * Owns:    the strings are copied.
 * Errors:  URLPOOL_E_INVALID for NULL; URLPOOL_E_NOMEM. The form is unchanged then. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_form_add(struct urlpool_form *form,
                                                                const char *name, const char *value,
                                                                struct urlpool_error *err);

/* urlpool_form_add_file appends a file, streamed from disk when the form is sent; its name is the
 * last segment of `path`, its media type is guessed from that.
 *
 * Owns:    the strings are copied.
 * Errors:  as urlpool_form_add; a file that is not there is noticed when the form is sent:
 *          URLPOOL_E_BODY. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_form_add_file(struct urlpool_form *form,
                                                                     const char *name,
                                                                     const char *path,
                                                                     struct urlpool_error *err);

/* urlpool_form_add_part appends a field described in full.
 *
 * Owns:    everything is copied but what `fd` stands for.
 * Errors:  URLPOOL_E_INVALID for NULL, for two sources and for reserved bytes; URLPOOL_E_HEADER for
 *          a `content_type` that is not fit to send, and for Content-Disposition or Content-Type
 *          among `headers`; URLPOOL_E_NOMEM. The form is unchanged then.
 * Model:   urllib3 RequestField.from_tuples, make_multipart. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_form_add_part(
    struct urlpool_form *form, const struct urlpool_part *part, struct urlpool_error *err);

/* urlpool_form_set_boundary makes multipart bodies use `boundary` in place of 32 random hexadecimal
 * digits. Sending fails with URLPOOL_E_INVALID when a field's `data` has it behind two hyphens;
 * what a file has is not looked at.
 *
 * Sizes:   1 to 70 bytes.
 * Errors:  URLPOOL_E_INVALID for NULL and for what is no boundary.
 * Spec:    RFC 2046 section 5.1.1. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_form_set_boundary(struct urlpool_form *form,
                                                                         const char *boundary,
                                                                         struct urlpool_error *err);

/* urlpool_form_encode writes the fields as application/x-www-form-urlencoded: for a query or a
 * body. A space is "+"; letters, digits and "-._~" stand for themselves.
 *
 * Owns:    the caller frees it with urlpool_string_free.
 * Errors:  NULL with URLPOOL_E_INVALID for NULL and for a field that is a file; URLPOOL_E_NOMEM.
 * Model:   urllib.parse.urlencode. */
URLPOOL_API URLPOOL_MUST_USE char *urlpool_form_encode(const struct urlpool_form *form,
                                                       struct urlpool_error *err) URLPOOL_MALLOC
    URLPOOL_FREED_BY(urlpool_string_free, 1);

/* urlpool_media_type_guess returns the media type that goes with the end of a file name,
 * "application/octet-stream" when none is known.
 *
 * Owns:    the string is static.
 * Threads: any number at once.
 * Model:   urllib3.fields.guess_content_type. */
URLPOOL_API const char *urlpool_media_type_guess(const char *filename);

URLPOOL_END_DECLS

#endif /* URLPOOL_FORM_H */
