#ifndef URLP_BASE_ERROR_H
#define URLP_BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "urlpool/error.h"

/* urlp_error_clear makes `err` say nothing; what follows the end of its empty message stays. */
static inline void urlp_error_clear(struct urlpool_error *err)
{
    memset(err, 0, offsetof(struct urlpool_error, message) + 1);
}

/* urlp_fail fills `err` (when not NULL) and returns `code`, so that raising is one expression.
 * Every other field of `err` becomes zero. The message is one line, names the value, has no full
 * stop. Arguments may point into the old message of `err`.
 *
 * Sizes:   a message longer than the field ends in "…"; control characters become '?'. */
enum urlpool_code urlp_fail(struct urlpool_error *err, enum urlpool_code code,
                            enum urlpool_phase phase, const char *format, ...) URLPOOL_PRINTF(4, 5);

/* urlp_fail_errno is urlp_fail with os_errno set and ": " and the errno's text behind the message.
 */
enum urlpool_code urlp_fail_errno(struct urlpool_error *err, enum urlpool_code code,
                                  enum urlpool_phase phase, int os_errno, const char *format, ...)
    URLPOOL_PRINTF(5, 6);

/* urlp_fail_nomem is urlp_fail for an allocation that failed. */
enum urlpool_code urlp_fail_nomem(struct urlpool_error *err);

/* urlp_fail_null is urlp_fail for a caller's NULL where there must be none. */
enum urlpool_code urlp_fail_null(struct urlpool_error *err);

/* urlp_fail_with is urlp_fail with an error that was filled in elsewhere; returns its code. */
enum urlpool_code urlp_fail_with(struct urlpool_error *err, const struct urlpool_error *why);

/* urlp_is_shortage says whether an errno means that this machine has run out of descriptors or
 * memory, and says nothing of a peer. */
bool urlp_is_shortage(int os_errno);

/* struct urlp_quoted holds a peer's or a caller's bytes made fit for a message: controls and
 * non-ASCII as \xNN, cut where URLP_QUOTED_BYTES are full with "…". */
#define URLP_QUOTED_BYTES ((size_t)64)
struct urlp_quoted {
    char text[URLP_QUOTED_BYTES + sizeof("\\xff") + sizeof("\xe2\x80\xa6")];
};

/* urlp_quote makes `len` bytes at `data` fit for a message; use it as urlp_quote(p, n).text within
 * the same full expression. */
struct urlp_quoted urlp_quote(const void *data, size_t len);

#endif /* URLP_BASE_ERROR_H */
