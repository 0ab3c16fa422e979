/* Where the fields of a request go: into the URL with methods whose content has no meaning, else
 * into the body. That is all of it: how they are encoded is for lib/http to say, how they are sent
 * for lib/conn. */

#include "client/request_fields.h"

#include "base/count.h"
#include "base/error.h"
#include "http/form.h"

/* urllib3's RequestMethods._encode_url_methods. */
static const char *const query_methods[] = {"GET", "HEAD", "DELETE", "OPTIONS"};

static bool goes_into_query(struct urlp_span method)
{
    for (size_t i = 0; i < URLP_COUNT_OF(query_methods); i++) {
        if (urlp_span_is(method, query_methods[i])) {
            return true;
        }
    }
    return false;
}

/* append_query appends what comes behind the query that is there: nothing for an empty form. */
static enum urlpool_code append_query(const struct urlp_url *url, const struct urlpool_form *fields,
                                      struct urlp_buf *out, struct urlpool_error *err)
{
    const char *sign = url->query.data == NULL ? "?" : (url->query.len > 0 ? "&" : "");
    struct urlp_buf encoded = {0};
    enum urlpool_code code = urlp_form_append_encoded(fields, &encoded, err);

    if (code == URLPOOL_OK && encoded.len > 0) {
        if (urlp_buf_append_text(out, sign) != URLPOOL_OK ||
            urlp_buf_append(out, encoded.data, encoded.len) != URLPOOL_OK) {
            code = urlp_fail_nomem(err);
        }
    }
    urlp_buf_deinit(&encoded);
    return code;
}

/* extend_query reads the URL anew with `fields` behind its query and in front of its fragment. */
static enum urlpool_code extend_query(struct urlp_url *url, const struct urlpool_form *fields,
                                      struct urlpool_error *err)
{
    const char *whole = (const char *)url->text.data;
    const bool has_fragment = url->fragment.data != NULL;
    const size_t len = has_fragment ? (size_t)(url->fragment.data - whole) - 1 : url->text.len;
    struct urlp_buf text = {0};
    enum urlpool_code code = urlp_buf_append(&text, whole, len);

    code = code == URLPOOL_OK ? append_query(url, fields, &text, err) : urlp_fail_nomem(err);
    if (code == URLPOOL_OK &&
        urlp_buf_append(&text, whole + len, url->text.len - len) != URLPOOL_OK) {
        code = urlp_fail_nomem(err);
    }
    if (code == URLPOOL_OK) {
        code = urlp_url_parse(urlp_span_make(text.data, text.len), url, err);
    }
    urlp_buf_deinit(&text);
    return code;
}

enum urlpool_code urlp_fields_place(const struct urlpool_request_options *options,
                                    struct urlp_span method, struct urlp_url *url,
                                    struct urlpool_body *out_body, struct urlpool_error *err)
{
    const struct urlpool_form *fields = options->fields;

    if (fields != NULL && options->body.kind != URLPOOL_BODY_NONE) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                         "fields and body are both given, and a request has one body");
    }
    *out_body = options->body;
    if (fields == NULL) {
        return URLPOOL_OK;
    }
    if (goes_into_query(method)) {
        return extend_query(url, fields, err);
    }
    /* The other members of the body hold: chunked, content_type, trailers. */
    out_body->kind = options->fields_urlencoded ? URLPOOL_BODY_FORM : URLPOOL_BODY_MULTIPART;
    out_body->form = fields;
    return URLPOOL_OK;
}
