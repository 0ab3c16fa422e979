/* A form as application/x-www-form-urlencoded: name=value&name=value. Bytes are encoded one by one,
 * whatever text they are, so that the order and number of fields and every byte, NUL too, come back
 * from decoding. Line ends are not made CRLF, as forms of browsers have it: urlencode does not. */

#include "base/error.h"
#include "http/form.h"
#include "http/url_text.h"

static enum urlpool_code append_encoded(struct urlp_buf *out, struct urlp_span text)
{
    size_t room;
    char *end;

    if (text.len == 0) {
        return URLPOOL_OK;
    }
    if (__builtin_mul_overflow(text.len, 3, &room) || urlp_buf_reserve(out, room) != URLPOOL_OK) {
        return URLPOOL_E_NOMEM;
    }
    end = (char *)out->data + out->len;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c == ' ' || urlp_url_is_unreserved(c)) {
            *end++ = (char)(c == ' ' ? '+' : c);
        } else {
            end = urlp_url_write_triplet(end, c);
        }
    }
    out->len = (size_t)((uint8_t *)end - out->data);
    return URLPOOL_OK;
}

static enum urlpool_code append_field(struct urlp_buf *out, const struct urlp_form_field *field,
                                      bool is_first)
{
    if ((!is_first && urlp_buf_append_text(out, "&") != URLPOOL_OK) ||
        append_encoded(out, field->name) != URLPOOL_OK ||
        urlp_buf_append_text(out, "=") != URLPOOL_OK ||
        append_encoded(out, field->data) != URLPOOL_OK) {
        return URLPOOL_E_NOMEM;
    }
    return URLPOOL_OK;
}

enum urlpool_code urlp_form_append_encoded(const struct urlpool_form *form, struct urlp_buf *out,
                                           struct urlpool_error *err)
{
    for (size_t i = 0; i < urlp_form_num_fields(form); i++) {
        const struct urlp_form_field *field = urlp_form_field(form, i);

        if (field->path != NULL || field->fd >= 0 || field->filename != NULL) {
            return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                             "field \"%s\" is a file, which only a multipart body can carry",
                             urlp_quote(field->name.data, field->name.len).text);
        }
        if (append_field(out, field, i == 0) != URLPOOL_OK) {
            return urlp_fail_nomem(err);
        }
    }
    return URLPOOL_OK;
}

char *urlpool_form_encode(const struct urlpool_form *form, struct urlpool_error *err)
{
    struct urlp_buf text = {0};

    if (form == NULL) {
        (void)urlp_fail_null(err);
        return NULL;
    }
    if (urlp_form_append_encoded(form, &text, err) != URLPOOL_OK) {
        urlp_buf_deinit(&text);
        return NULL;
    }
    if (urlp_buf_append(&text, "", 1) != URLPOOL_OK) {
        urlp_buf_deinit(&text);
        (void)urlp_fail_nomem(err);
        return NULL;
    }
    return (char *)text.data;
}
