#ifndef URLPOOL_HEADERS_H
#define URLPOOL_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

#include "urlpool/error.h"
#include "urlpool/export.h"
#include "urlpool/memory.h"

URLPOOL_BEGIN_DECLS

/* struct urlpool_headers is an ordered list of field lines; names compare without case, a name may
 * occur many times, and the spelling and order given are kept.
 *
 * Threads: any number may read at once; a writer must be alone.
 * Model:   urllib3 HTTPHeaderDict. */
struct urlpool_headers;

/* struct urlpool_field is one field line as urlpool_headers_at shows it. Both strings end in NUL,
 * belong to the headers and die with them or at the next change. */
struct urlpool_field {
    const char *name;  /* as it was spelt */
    const char *value; /* without blanks around it */
};

/* urlpool_headers_free ends the list's life. NULL is accepted. */
URLPOOL_API void urlpool_headers_free(struct urlpool_headers *headers);

/* urlpool_headers_new makes an empty list.
 *
 * Owns:    the caller frees it with urlpool_headers_free.
 * Errors:  NULL with URLPOOL_E_NOMEM.
 * Threads: any number at once. */
URLPOOL_API URLPOOL_MUST_USE struct urlpool_headers *urlpool_headers_new(struct urlpool_error *err)
    URLPOOL_FREED_BY(urlpool_headers_free, 1);

/* urlpool_headers_copy makes a list of the same lines that shares nothing with `headers`.
 *
 * Owns:    the caller frees it with urlpool_headers_free.
 * Errors:  NULL with URLPOOL_E_NOMEM, or URLPOOL_E_INVALID when `headers` is NULL. */
URLPOOL_API URLPOOL_MUST_USE struct urlpool_headers *urlpool_headers_copy(
    const struct urlpool_headers *headers, struct urlpool_error *err)
    URLPOOL_FREED_BY(urlpool_headers_free, 1);

/* urlpool_headers_add appends a line. Blanks around `value` are left out.
 *
 * Owns:    the strings are copied; they may be the list's own.
 * Errors:  URLPOOL_E_HEADER when `name` is no token or `value` holds CR, LF or another control than
 *          HTAB; URLPOOL_E_INVALID for NULL; URLPOOL_E_NOMEM. The list is unchanged then.
 * Spec:    RFC 9110 sections 5.1, 5.5. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_headers_add(struct urlpool_headers *headers,
                                                                   const char *name,
                                                                   const char *value,
                                                                   struct urlpool_error *err);

/* urlpool_headers_set replaces every line of that name by one, in the place of the first; appends
 * it when there is none.
 *
 * Errors:  those of urlpool_headers_add. The list is unchanged then. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_headers_set(struct urlpool_headers *headers,
                                                                   const char *name,
                                                                   const char *value,
                                                                   struct urlpool_error *err);

/* urlpool_headers_combine puts `value` behind the last value of that name, on the same line and
 * with ", " between them; appends a line when there is none. Not for Set-Cookie, whose values
 * cannot be taken apart again.
 *
 * Errors:  those of urlpool_headers_add. The list is unchanged then.
 * Spec:    RFC 9110 section 5.3.
 * Model:   urllib3 HTTPHeaderDict.add with combine=True. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_headers_combine(
    struct urlpool_headers *headers, const char *name, const char *value,
    struct urlpool_error *err);

/* urlpool_headers_extend appends every line of `more`, which may be `headers` itself.
 *
 * Errors:  URLPOOL_E_INVALID for NULL; URLPOOL_E_NOMEM. The list is unchanged then. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_headers_extend(
    struct urlpool_headers *headers, const struct urlpool_headers *more, struct urlpool_error *err);

/* urlpool_headers_merge sets every name of `more`: all its lines of a name replace all of that
 * name, in the place of the first; lines of new names are appended.
 *
 * Errors:  URLPOOL_E_INVALID for NULL; URLPOOL_E_NOMEM. The list is unchanged then.
 * Model:   urllib3 HTTPHeaderDict.__or__, with set in place of add. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_headers_merge(
    struct urlpool_headers *headers, const struct urlpool_headers *more, struct urlpool_error *err);

/* urlpool_headers_remove takes every line of that name out and returns how many there were. NULL
 * removes nothing. */
URLPOOL_API size_t urlpool_headers_remove(struct urlpool_headers *headers, const char *name);

/* urlpool_headers_clear takes every line out. NULL is accepted. */
URLPOOL_API void urlpool_headers_clear(struct urlpool_headers *headers);

/* urlpool_headers_equal says whether two lists have the same names and, under each, the same values
 * in the same order: what the order of different names, and the case of names, does not change.
 * NULL equals NULL alone.
 *
 * Model:   urllib3 HTTPHeaderDict.__eq__, which compares values joined. */
URLPOOL_API bool urlpool_headers_equal(const struct urlpool_headers *one,
                                       const struct urlpool_headers *other);

/* urlpool_headers_get returns the first value of that name, or NULL.
 *
 * Owns:    the string is the list's, until its next change. */
URLPOOL_API const char *urlpool_headers_get(const struct urlpool_headers *headers,
                                            const char *name);

/* urlpool_headers_get_nth returns the value of that name's line number `n`, from 0, or NULL.
 *
 * Owns:    the string is the list's, until its next change.
 * Model:   urllib3 HTTPHeaderDict.getlist. */
URLPOOL_API const char *urlpool_headers_get_nth(const struct urlpool_headers *headers,
                                                const char *name, size_t n);

/* urlpool_headers_get_all returns all values of that name joined by ", ". Set-Cookie cannot be
 * taken apart again then: use urlpool_headers_get_nth.
 *
 * Owns:    the caller frees it with urlpool_string_free.
 * Errors:  NULL when the name is absent, or out of memory.
 * Spec:    RFC 9110 section 5.3. */
URLPOOL_API URLPOOL_MUST_USE char *urlpool_headers_get_all(const struct urlpool_headers *headers,
                                                           const char *name) URLPOOL_MALLOC
    URLPOOL_FREED_BY(urlpool_string_free, 1);

/* urlpool_headers_contains says whether there is a line of that name. */
URLPOOL_API bool urlpool_headers_contains(const struct urlpool_headers *headers, const char *name);

/* urlpool_headers_count returns how many lines there are; 0 for NULL. */
URLPOOL_API size_t urlpool_headers_count(const struct urlpool_headers *headers);

/* urlpool_headers_at shows line `index`; {NULL, NULL} past the end.
 *
 * Owns:    the strings are the list's, until its next change. */
URLPOOL_API struct urlpool_field urlpool_headers_at(const struct urlpool_headers *headers,
                                                    size_t index);

URLPOOL_END_DECLS

#endif /* URLPOOL_HEADERS_H */
