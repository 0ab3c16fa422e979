/* What the head of a request says. The one place that builds it, for first tries, retries and
 * redirects alike: half of urllib3's advisories were a second code path that forgot a rule.
 *
 * Framing belongs to the library: a Content-Length of the caller must be the body's own, a
 * Transfer-Encoding can only be "chunked" and means that. Whether names and values are fit for the
 * wire is h1's to say, before a byte is sent. */

#include "client/request_head.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "base/error.h"
#include "conn/connection.h"
#include "http/method.h"
#include "http/route.h"
#include "policy/redirect.h"

enum {
    NUM_OWN_FIELDS = 4 /* Host, Accept-Encoding, framing, User-Agent */
};

static struct urlp_span text_since(const struct urlp_buf *text, size_t start)
{
    return urlp_span_make(text->data + start, text->len - start);
}

static void add_field(struct urlp_head_draft *draft, const char *name, struct urlp_span value)
{
    draft->fields[draft->head.num_fields++] = (struct urlp_field){urlp_span_of(name), value};
}

bool urlp_headers_ask_for_chunked(const struct urlpool_headers *headers)
{
    const char *value = headers != NULL ? urlpool_headers_get(headers, "Transfer-Encoding") : NULL;

    return value != NULL && urlp_span_is_nocase(urlp_span_of(value), "chunked");
}

/* check_framing refuses a framing field of the caller's that is not the truth about the body. */
static enum urlpool_code check_framing(const struct urlp_head_plan *plan, struct urlp_field field,
                                       struct urlpool_error *err)
{
    uint64_t len = 0;
    bool is_true;

    if (urlp_span_is_nocase(field.name, "Content-Length")) {
        is_true = urlp_span_to_u64(field.value, &len) && plan->body_len >= 0 &&
                  len == (uint64_t)plan->body_len;
    } else {
        is_true = urlp_span_is_nocase(field.value, "chunked") && plan->body_len < 0;
    }
    if (is_true) {
        return URLPOOL_OK;
    }
    return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_NONE,
                     "%.*s: %s does not fit the body of this request", (int)field.name.len,
                     field.name.data, urlp_quote(field.value.data, field.value.len).text);
}

static bool is_framing(struct urlp_span name)
{
    return urlp_span_is_nocase(name, "Content-Length") ||
           urlp_span_is_nocase(name, "Transfer-Encoding");
}

/* What of the library's own fields the caller has said himself. */
struct said {
    bool accept_encoding;
    bool user_agent;
    const char *host;
};

static bool is_dropped(const struct urlp_head_plan *plan, struct urlp_span name)
{
    if (is_framing(name) || urlp_span_is_nocase(name, "Host")) {
        return true; /* said by the library, in their own place */
    }
    return plan->is_redirected && urlp_redirect_drops(name, plan->remove_headers, plan->to_get);
}

/* must_be_true says whether a field of the caller's is held against the body. One that was meant
 * for a body which a redirect has taken away is not. */
static bool must_be_true(const struct urlp_head_plan *plan, struct urlp_span name)
{
    return is_framing(name) && !(plan->is_redirected && plan->to_get);
}

/* read_callers_fields learns what the caller has said, and refuses what cannot be. */
static enum urlpool_code read_callers_fields(const struct urlp_head_plan *plan, struct said *out,
                                             struct urlpool_error *err)
{
    size_t count = plan->headers != NULL ? urlpool_headers_count(plan->headers) : 0;

    for (size_t i = 0; i < count; i++) {
        const struct urlp_field field = urlp_headers_field(plan->headers, i);

        if (must_be_true(plan, field.name) && check_framing(plan, field, err) != URLPOOL_OK) {
            return URLPOOL_E_HEADER;
        }
        if (is_dropped(plan, field.name)) {
            continue;
        }
        out->accept_encoding |= urlp_span_is_nocase(field.name, "Accept-Encoding");
        out->user_agent |= urlp_span_is_nocase(field.name, "User-Agent");
    }
    if (plan->headers != NULL && !plan->is_redirected) {
        out->host = urlpool_headers_get(plan->headers, "Host");
        if (urlpool_headers_get_nth(plan->headers, "Host", 1) != NULL) {
            return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_NONE,
                             "a request has one Host field, not several");
        }
    }
    return URLPOOL_OK;
}

/* write_texts appends what must be formatted, and takes spans only when the buffer grows no more.
 */
static enum urlpool_code write_texts(struct urlp_head_draft *draft,
                                     const struct urlp_head_plan *plan, struct urlp_span *out_host,
                                     struct urlp_span *out_length)
{
    const struct urlp_origin origin = urlp_origin_of(plan->url);
    size_t host_at;
    size_t length_at;
    enum urlpool_code code = urlp_url_append_target(plan->url, &draft->text);

    host_at = draft->text.len;
    if (code == URLPOOL_OK) {
        code = urlp_origin_append_authority(&origin, false, &draft->text);
    }
    length_at = draft->text.len;
    if (code == URLPOOL_OK && plan->body_len >= 0) {
        code = urlp_buf_printf(&draft->text, "%" PRId64, plan->body_len);
    }
    if (code == URLPOOL_OK) {
        draft->head.target = urlp_span_make(draft->text.data, host_at);
        *out_host = urlp_span_make(draft->text.data + host_at, length_at - host_at);
        *out_length = text_since(&draft->text, length_at);
    }
    return code;
}

static enum urlpool_code take_room(struct urlp_head_draft *draft, size_t num_fields)
{
    draft->fields = draft->inline_fields;
    if (num_fields > URLP_HEAD_FIELDS_INLINE) {
        draft->fields = urlp_alloc(num_fields * sizeof(*draft->fields));
    }
    return draft->fields != NULL ? URLPOOL_OK : URLPOOL_E_NOMEM;
}

enum urlpool_code urlp_head_draft_make(struct urlp_head_draft *draft,
                                       const struct urlp_head_plan *plan, struct urlpool_error *err)
{
    size_t count = plan->headers != NULL ? urlpool_headers_count(plan->headers) : 0;
    struct said said = {0};
    struct urlp_span host = {0};
    struct urlp_span length = {0};
    enum urlpool_code code;

    *draft = (struct urlp_head_draft){0};
    code = read_callers_fields(plan, &said, err);
    if (code != URLPOOL_OK) {
        return code;
    }
    if (write_texts(draft, plan, &host, &length) != URLPOOL_OK ||
        take_room(draft, count + NUM_OWN_FIELDS) != URLPOOL_OK) {
        return urlp_fail_nomem(err);
    }
    draft->head.method = plan->method;
    add_field(draft, "Host", said.host != NULL ? urlp_span_of(said.host) : host);
    if (plan->ask_for_codings && !said.accept_encoding) {
        add_field(draft, "Accept-Encoding", urlp_span_of(urlp_connection_accept_encoding()));
    }
    if (plan->body_len < 0) {
        add_field(draft, "Transfer-Encoding", urlp_span_of("chunked"));
    } else if (plan->has_body || urlp_method_expects_body(plan->method)) {
        add_field(draft, "Content-Length", length);
    }
    if (plan->user_agent != NULL && !said.user_agent) {
        add_field(draft, "User-Agent", urlp_span_of(plan->user_agent));
    }
    for (size_t i = 0; i < count; i++) {
        const struct urlp_field field = urlp_headers_field(plan->headers, i);
        if (!is_dropped(plan, field.name)) {
            draft->fields[draft->head.num_fields++] = field;
        }
    }
    draft->head.fields = draft->fields;
    return URLPOOL_OK;
}

void urlp_head_draft_deinit(struct urlp_head_draft *draft)
{
    if (draft->fields != draft->inline_fields) {
        urlp_free(draft->fields);
    }
    urlp_buf_deinit(&draft->text);
    draft->fields = NULL;
}
