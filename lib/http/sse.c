/* The event stream format, line by line, as WHATWG HTML section 9.2.6 interprets it.
 *
 * Lines end in CR, LF or CRLF; since CR and LF may come apart, a CR ends its line at once and an LF
 * right behind it is dropped. An event is complete with the empty line behind it and never before:
 * what is left when the bytes end is for the caller to complain of. */

#include "http/sse.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/span.h"

static const uint8_t bom[] = {0xef, 0xbb, 0xbf};

/* terminate puts a NUL behind what a buffer holds. */
static enum urlpool_code terminate(struct urlp_buf *buf)
{
    enum urlpool_code code = urlp_buf_reserve(buf, 1);

    if (code == URLPOOL_OK) {
        buf->data[buf->len] = '\0';
    }
    return code;
}

/* replace makes `buf` hold `text` alone. */
static enum urlpool_code replace(struct urlp_buf *buf, struct urlp_span text)
{
    buf->len = 0;
    return urlp_buf_append_span(buf, text);
}

/* set_retry takes a time of nothing but digits; any other is dropped. */
static void set_retry(struct urlp_sse *sse, struct urlp_span value)
{
    uint64_t ms = 0;

    if (urlp_span_to_u64(value, &ms) && ms <= INT64_MAX) {
        sse->retry_ms = (int64_t)ms;
        sse->has_retry = true;
    }
}

/* take_field takes a line that is neither empty nor a comment. */
static enum urlpool_code take_field(struct urlp_sse *sse, struct urlp_span line)
{
    const char *colon = memchr(line.data, ':', line.len);
    const size_t name_len = colon == NULL ? line.len : (size_t)(colon - line.data);
    const struct urlp_span name = urlp_span_make(line.data, name_len);
    struct urlp_span value = urlp_span_make("", 0);
    enum urlpool_code code = URLPOOL_OK;

    if (colon != NULL) {
        value = urlp_span_make(colon + 1, line.len - name_len - 1);
    }
    if (value.len > 0 && value.data[0] == ' ') {
        value = urlp_span_make(value.data + 1, value.len - 1);
    }
    if (urlp_span_is(name, "data")) {
        code = urlp_buf_append_span(&sse->data, value);
        return code == URLPOOL_OK ? urlp_buf_append(&sse->data, "\n", 1) : code;
    }
    if (urlp_span_is(name, "event")) {
        return replace(&sse->event, value);
    }
    if (urlp_span_is(name, "id") && (value.len == 0 || memchr(value.data, 0, value.len) == NULL)) {
        return replace(&sse->id, value);
    }
    if (urlp_span_is(name, "retry")) {
        set_retry(sse, value);
    }
    return URLPOOL_OK;
}

/* complete is the empty line behind an event. One without data is none, but for its id. */
static enum urlpool_code complete(struct urlp_sse *sse, bool *out_has_event)
{
    enum urlpool_code code = replace(&sse->last_id, urlp_span_make(sse->id.data, sse->id.len));

    sse->bytes = 0;
    if (code == URLPOOL_OK) {
        code = terminate(&sse->last_id);
    }
    if (code != URLPOOL_OK || sse->data.len == 0) {
        sse->event.len = 0;
        return code;
    }
    sse->data.len--;
    if (sse->event.len == 0) {
        code = urlp_buf_append_text(&sse->event, "message");
    }
    if (code == URLPOOL_OK) {
        code = terminate(&sse->data);
    }
    if (code == URLPOOL_OK) {
        code = terminate(&sse->event);
    }
    *out_has_event = code == URLPOOL_OK;
    sse->is_shown = *out_has_event;
    return code;
}

/* end_line takes the line that has come to its end. */
static enum urlpool_code end_line(struct urlp_sse *sse, bool *out_has_event)
{
    const struct urlp_span line = urlp_span_make(sse->line.data, sse->line.len);
    enum urlpool_code code = URLPOOL_OK;

    if (line.len == 0) {
        return complete(sse, out_has_event);
    }
    if (line.data[0] != ':') {
        code = take_field(sse, line);
    } else {
        sse->bytes -= (int64_t)line.len + 1; /* they keep silent streams open, for days */
    }
    sse->line.len = 0;
    return code;
}

/* pass_bom says whether a byte belongs to the mark at the very beginning. One that only began like
 * it becomes part of the first line. */
static enum urlpool_code pass_bom(struct urlp_sse *sse, uint8_t byte, bool *out_is_taken)
{
    *out_is_taken = false;
    if (sse->is_past_bom) {
        return URLPOOL_OK;
    }
    if (byte == bom[sse->bom_len]) {
        *out_is_taken = true;
        sse->bom_len++;
        sse->is_past_bom = sse->bom_len == sizeof(bom);
        return URLPOOL_OK;
    }
    sse->is_past_bom = true;
    return urlp_buf_append(&sse->line, bom, sse->bom_len);
}

/* take_run takes the bytes of a line up to its end, or all; at least one. */
static enum urlpool_code take_run(struct urlp_sse *sse, const uint8_t *data, size_t len,
                                  size_t *out_used, bool *out_has_event)
{
    size_t run = 0;
    enum urlpool_code code;

    while (run < len && data[run] != '\n' && data[run] != '\r') {
        run++;
    }
    *out_used = run < len ? run + 1 : run;
    sse->bytes += (int64_t)*out_used;
    if (sse->bytes_max >= 0 && sse->bytes > sse->bytes_max) {
        return URLPOOL_E_DATA_TOO_LARGE;
    }
    code = urlp_buf_append(&sse->line, data, run);
    if (code != URLPOOL_OK || run == len) {
        return code;
    }
    sse->has_cr = data[run] == '\r';
    return end_line(sse, out_has_event);
}

/* step takes at least one byte. */
static enum urlpool_code step(struct urlp_sse *sse, const uint8_t *data, size_t len,
                              size_t *out_used, bool *out_has_event)
{
    bool is_taken = false;
    enum urlpool_code code = pass_bom(sse, data[0], &is_taken);

    if (!is_taken && sse->has_cr) {
        sse->has_cr = false;
        is_taken = data[0] == '\n';
    }
    if (code != URLPOOL_OK || is_taken) {
        *out_used = 1;
        return code;
    }
    return take_run(sse, data, len, out_used, out_has_event);
}

enum urlpool_code urlp_sse_next(struct urlp_sse *sse, const uint8_t *data, size_t len,
                                size_t *out_used, bool *out_has_event, struct urlpool_error *err)
{
    size_t at = 0;

    *out_has_event = false;
    if (sse->is_shown) {
        sse->data.len = sse->event.len = 0;
        sse->is_shown = false;
    }
    while (at < len && !*out_has_event) {
        size_t used = 0;
        enum urlpool_code code;

        code = step(sse, data + at, len - at, &used, out_has_event);
        if (code == URLPOOL_E_DATA_TOO_LARGE) {
            return urlp_fail(err, code, URLPOOL_PHASE_BODY,
                             "an event is longer than %" PRId64 " bytes", sse->bytes_max);
        }
        if (code != URLPOOL_OK) {
            return urlp_fail_nomem(err);
        }
        at += used;
    }
    *out_used = at;
    return URLPOOL_OK;
}

bool urlp_sse_is_between(const struct urlp_sse *sse)
{
    const bool has_begun = !sse->is_past_bom && sse->bom_len > 0;

    return !has_begun && sse->line.len == 0 &&
           (sse->is_shown || (sse->data.len == 0 && sse->event.len == 0));
}

void urlp_sse_deinit(struct urlp_sse *sse)
{
    urlp_buf_deinit(&sse->line);
    urlp_buf_deinit(&sse->data);
    urlp_buf_deinit(&sse->event);
    urlp_buf_deinit(&sse->id);
    urlp_buf_deinit(&sse->last_id);
}
