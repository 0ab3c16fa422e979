/* Heads as text for whoever watches, with everything masked that would let a reader of a log act in
 * another's name. Costs nothing while nobody watches. */

#include "conn/head_text.h"

#include <string.h>

#include "base/buf.h"

static const struct urlp_span mask = {"***", 3};

/* find_userinfo finds the first "user:password@" behind "//" in `text`, wherever a URL may begin:
 * Location, Referer, Link, the target of a request to a proxy. False: there is none. */
static bool find_userinfo(struct urlp_span text, size_t *out_at, size_t *out_len)
{
    for (size_t i = 2; i < text.len; i++) {
        size_t at = i;
        size_t len = 0;

        if (text.data[i - 2] != '/' || text.data[i - 1] != '/') {
            continue;
        }
        for (; i < text.len && memchr("/?# \t\"<>", text.data[i], 9) == NULL; i++) {
            len = text.data[i] == '@' ? i - at : len; /* up to the last one */
        }
        if (len > 0) {
            *out_at = at;
            *out_len = len;
            return true;
        }
    }
    return false;
}

/* add_text appends `text`, userinfo masked. */
static enum urlpool_code add_text(struct urlp_buf *out, struct urlp_span text)
{
    enum urlpool_code code = URLPOOL_OK;
    size_t at = 0;
    size_t len = 0;

    while (code == URLPOOL_OK && find_userinfo(text, &at, &len)) {
        code = urlp_buf_append(out, text.data, at);
        if (code == URLPOOL_OK) {
            code = urlp_buf_append_span(out, mask);
        }
        text = urlp_span_make(text.data + at + len, text.len - at - len);
    }
    return code == URLPOOL_OK ? urlp_buf_append_span(out, text) : code;
}

/* add_fields appends the field lines and the empty line. */
static enum urlpool_code add_fields(struct urlp_buf *out, const struct urlp_field *fields,
                                    size_t num_fields)
{
    enum urlpool_code code = URLPOOL_OK;
    size_t i;

    for (i = 0; i < num_fields && code == URLPOOL_OK; i++) {
        struct urlp_span value = urlp_field_is_secret(fields[i].name) ? mask : fields[i].value;

        code = urlp_buf_append_span(out, fields[i].name);
        if (code == URLPOOL_OK) {
            code = urlp_buf_append_text(out, ": ");
        }
        if (code == URLPOOL_OK) {
            code = add_text(out, value);
        }
        if (code == URLPOOL_OK) {
            code = urlp_buf_append_text(out, "\r\n");
        }
    }
    return code == URLPOOL_OK ? urlp_buf_append_text(out, "\r\n") : code;
}

void urlp_trace_request_head(const struct urlp_call *call, const struct urlp_request_head *head)
{
    struct urlp_buf text = {0};
    enum urlpool_code code;

    if (call->trace == NULL) {
        return;
    }
    code = urlp_buf_printf(&text, "%.*s ", (int)head->method.len, head->method.data);
    if (code == URLPOOL_OK) {
        code = add_text(&text, head->target);
    }
    if (code == URLPOOL_OK) {
        code = urlp_buf_append_text(&text, " HTTP/1.1\r\n");
    }
    if (code == URLPOOL_OK) {
        code = add_fields(&text, head->fields, head->num_fields);
    }
    (void)code; /* out of memory: the text ends early */
    urlp_call_trace(call, URLPOOL_TRACE_REQUEST_HEAD, (const char *)text.data, text.len, 0);
    urlp_buf_deinit(&text);
}

void urlp_trace_response_head(const struct urlp_call *call, enum urlpool_trace_kind kind,
                              const struct urlp_response_head *head)
{
    struct urlp_buf text = {0};
    enum urlpool_code code;

    if (call->trace == NULL) {
        return;
    }
    code = urlp_buf_printf(&text, "HTTP/1.%d %03d ", head->version % 10, head->status);
    if (code == URLPOOL_OK) {
        code = add_text(&text, head->reason);
    }
    if (code == URLPOOL_OK) {
        code = urlp_buf_append_text(&text, "\r\n");
    }
    if (code == URLPOOL_OK) {
        code = add_fields(&text, head->fields, head->num_fields);
    }
    (void)code;
    urlp_call_trace(call, kind, (const char *)text.data, text.len, head->status);
    urlp_buf_deinit(&text);
}
