/* Growable buffers with a hard limit.
 *
 * A buffer either has all of what was to be appended or is left as it was: there is no half. The
 * limit is of what it holds; capacity may never be more either, so that a peer's appetite is
 * bounded in memory and not only in use. */

#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

#define CAP_MIN 64

void urlp_buf_init(struct urlp_buf *buf, size_t max)
{
    *buf = (struct urlp_buf){.max = max};
}

/* next_cap is the capacity to grow to so that `needed` bytes fit: by half at least, so that
 * appending byte after byte stays linear. */
static size_t next_cap(const struct urlp_buf *buf, size_t needed)
{
    size_t cap = buf->cap + buf->cap / 2;

    if (cap < buf->cap) {
        cap = SIZE_MAX;
    }
    if (cap < CAP_MIN) {
        cap = CAP_MIN;
    }
    if (cap < needed) {
        cap = needed;
    }
    return buf->max != 0 && cap > buf->max ? buf->max : cap;
}

enum urlpool_code urlp_buf_reserve(struct urlp_buf *buf, size_t more)
{
    size_t needed;
    size_t cap;
    uint8_t *data;

    if (__builtin_add_overflow(buf->len, more, &needed) || (buf->max != 0 && needed > buf->max)) {
        return URLPOOL_E_DATA_TOO_LARGE;
    }
    if (needed <= buf->cap) {
        return URLPOOL_OK;
    }
    cap = next_cap(buf, needed);
    data = urlp_realloc(buf->is_lent ? NULL : buf->data, cap);
    if (data == NULL) {
        return URLPOOL_E_NOMEM;
    }
    if (buf->is_lent && buf->len > 0) {
        memcpy(data, buf->data, buf->len);
    }
    buf->is_lent = false;
    buf->data = data;
    buf->cap = cap;
    return URLPOOL_OK;
}

enum urlpool_code urlp_buf_append(struct urlp_buf *buf, const void *data, size_t len)
{
    enum urlpool_code code = urlp_buf_reserve(buf, len);

    if (code != URLPOOL_OK || len == 0) {
        return code;
    }
    memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    return URLPOOL_OK;
}

enum urlpool_code urlp_buf_append_span(struct urlp_buf *buf, struct urlp_span span)
{
    return urlp_buf_append(buf, span.data, span.len);
}

enum urlpool_code urlp_buf_append_text(struct urlp_buf *buf, const char *text)
{
    return urlp_buf_append(buf, text, strlen(text));
}

enum urlpool_code urlp_buf_append_number(struct urlp_buf *buf, uint64_t number)
{
    char digits[20]; /* of UINT64_MAX */
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return urlp_buf_append(buf, digits + at, sizeof(digits) - at);
}

enum urlpool_code urlp_buf_printf(struct urlp_buf *buf, const char *format, ...)
{
    char small[256];
    char *text = small;
    enum urlpool_code code;
    va_list arguments;
    int len;

    va_start(arguments, format);
    len = vsnprintf(small, sizeof(small), format, arguments);
    va_end(arguments);
    if (len < 0) {
        return URLPOOL_E_INVALID;
    }
    if ((size_t)len >= sizeof(small)) {
        text = urlp_alloc((size_t)len + 1);
        if (text == NULL) {
            return URLPOOL_E_NOMEM;
        }
        va_start(arguments, format);
        (void)vsnprintf(text, (size_t)len + 1, format, arguments);
        va_end(arguments);
    }
    /* By way of `text`, for the NUL of vsnprintf is not to be counted against the limit. */
    code = urlp_buf_append(buf, text, (size_t)len);
    if (text != small) {
        urlp_free(text);
    }
    return code;
}
