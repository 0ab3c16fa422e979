#ifndef URLPOOL_HEADERS_H
#define URLPOOL_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

#include "urlpool/error.h"
#include "urlpool/export.h"

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
    const char *name;
    const char *value;
};

URLPOOL_API URLPOOL_MUST_USE struct urlpool_headers *urlpool_headers_new(struct urlpool_error *err);
URLPOOL_API URLPOOL_MUST_USE struct urlpool_headers *
urlpool_headers_copy(const struct urlpool_headers *headers, struct urlpool_error *err);
URLPOOL_API void urlpool_headers_free(struct urlpool_headers *headers);

/* urlpool_headers_add appends a line. Errors: URLPOOL_E_HEADER when `name` is no token or `value`
 * holds CR, LF, NUL or another control than HTAB; URLPOOL_E_NOMEM. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_headers_add(struct urlpool_headers *headers,
                                                                   const char *name,
                                                                   const char *value,
                                                                   struct urlpool_error *err);
/* urlpool_headers_set replaces every line of that name by one, in the place of the first. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_headers_set(struct urlpool_headers *headers,
                                                                   const char *name,
                                                                   const char *value,
                                                                   struct urlpool_error *err);
/* urlpool_headers_extend appends every line of `more`. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code
urlpool_headers_extend(struct urlpool_headers *headers, const struct urlpool_headers *more,
                       struct urlpool_error *err);
/* urlpool_headers_merge sets every name of `more`, so that its lines replace those of that name. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code
urlpool_headers_merge(struct urlpool_headers *headers, const struct urlpool_headers *more,
                      struct urlpool_error *err);
/* urlpool_headers_remove takes every line of that name out and returns how many there were. */
URLPOOL_API size_t urlpool_headers_remove(struct urlpool_headers *headers, const char *name);
/* urlpool_headers_get returns the first value of that name, or NULL. */
URLPOOL_API const char *urlpool_headers_get(const struct urlpool_headers *headers, const char *name);
/* urlpool_headers_get_nth returns the value of that name's line number `n`, from 0, or NULL. */
URLPOOL_API const char *urlpool_headers_get_nth(const struct urlpool_headers *headers,
                                                const char *name, size_t n);
/* urlpool_headers_get_all returns all values of that name joined by ", ", or NULL when absent or out
 * of memory. Owns: the caller frees it with urlpool_string_free. */
URLPOOL_API char *urlpool_headers_get_all(const struct urlpool_headers *headers, const char *name);
URLPOOL_API bool urlpool_headers_contains(const struct urlpool_headers *headers, const char *name);
URLPOOL_API size_t urlpool_headers_count(const struct urlpool_headers *headers);
/* urlpool_headers_at shows line `index`; {NULL, NULL} past the end. */
URLPOOL_API struct urlpool_field urlpool_headers_at(const struct urlpool_headers *headers,
                                                    size_t index);
/* urlpool_string_free frees a string that a urlpool function gave to the caller; accepts NULL. */
URLPOOL_API void urlpool_string_free(char *text);

URLPOOL_END_DECLS

#endif /* URLPOOL_HEADERS_H */
