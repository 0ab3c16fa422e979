/* Heads as text for whoever watches, with everything masked that would let a reader of a log act in
 * another's name. Costs nothing while nobody watches. */

#include "conn/head_text.h"

#include "base/buf.h"

static const struct urlp_span mask = {"***", 3};

/* add_fields appends the field lines and the empty line. */
static enum urlpool_code add_fields(struct urlp_buf *out, const struct urlp_field *fields,
                                    size_t num_fields)
{
    enum urlpool_code code = URLPOOL_OK;
    size_t i;

    for (i = 0; i < num_fields && code == URLPOOL_OK; i++) {
        struct urlp_span value = urlp_field_is_secret(fields[i].name) ? mask : fields[i].value;

        code = urlp_buf_printf(out, "%.*s: %.*s\r\n", (int)fields[i].name.len, fields[i].name.data,
                               (int)value.len, value.data == NULL ? "" : value.data);
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
    code = urlp_buf_printf(&text, "%.*s %.*s HTTP/1.1\r\n", (int)head->method.len,
                           head->method.data, (int)head->target.len, head->target.data);
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
    code =
        urlp_buf_printf(&text, "HTTP/1.%d %03d %.*s\r\n", head->version % 10, head->status,
                        (int)head->reason.len, head->reason.data == NULL ? "" : head->reason.data);
    if (code == URLPOOL_OK) {
        code = add_fields(&text, head->fields, head->num_fields);
    }
    (void)code;
    urlp_call_trace(call, kind, (const char *)text.data, text.len, head->status);
    urlp_buf_deinit(&text);
}
