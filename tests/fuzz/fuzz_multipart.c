/* Forms as bodies. Whatever is put into one, a reader that knows nothing but RFC 2046 and RFC 7578
 * finds the same fields in the same order in the multipart body, and decoding finds the same in the
 * url-encoded one; or the form is refused. An input is a line with the boundary
 * (empty: none is set), and then fields: how many bytes of name, filename, content type and data, a
 * byte each, and those bytes. */

#include "base/buf.h"
#include "fuzz/input.h"
#include "http/form.h"

#define FIELDS_MAX 8

/* struct field is what was put in, to be found again. */
struct field {
    char *name, *filename, *content_type;
    struct urlp_span data;
};

struct fields {
    struct field all[FIELDS_MAX];
    size_t num;
    bool has_files;
};

static void take_field(struct fuzz_input *input, struct urlpool_form *form, struct fields *fields)
{
    const size_t name_len = fuzz_byte(input) % 32;
    const uint8_t filename_len = fuzz_byte(input);
    const uint8_t type_len = fuzz_byte(input);
    const size_t data_len = (size_t)fuzz_byte(input) * 8;
    struct field *field = &fields->all[fields->num];
    struct urlpool_part part = {0};

    field->name = fuzz_text(fuzz_span(input, name_len));
    field->filename = filename_len == 0 ? NULL : fuzz_text(fuzz_span(input, filename_len % 16));
    field->content_type = type_len == 0 ? NULL : fuzz_text(fuzz_span(input, type_len % 16));
    field->data = fuzz_span(input, data_len);
    part.name = field->name;
    part.filename = field->filename;
    part.content_type = field->content_type;
    part.data = field->data.len > 0 ? field->data.data : "";
    part.data_len = field->data.len;
    if (urlpool_form_add_part(form, &part, NULL) == URLPOOL_OK) {
        fields->has_files |= field->filename != NULL;
        fields->num++;
        return;
    }
    free(field->name);
    free(field->filename);
    free(field->content_type);
}

static bool skip(struct urlp_span *rest, struct urlp_span text)
{
    if (rest->len < text.len || (text.len > 0 && memcmp(rest->data, text.data, text.len) != 0)) {
        return false;
    }
    *rest = urlp_span_make(rest->data + text.len, rest->len - text.len);
    return true;
}

/* take_until takes what stands before `mark`, and the mark. */
static struct urlp_span take_until(struct urlp_span *rest, struct urlp_span mark)
{
    const char *end = memmem(rest->data, rest->len, mark.data, mark.len);
    struct urlp_span taken;

    fuzz_require(end != NULL, "a part without an end", *rest);
    taken = urlp_span_make(rest->data, (size_t)(end - rest->data));
    *rest = urlp_span_make(end + mark.len, rest->len - taken.len - mark.len);
    return taken;
}

/* quoted is what a browser makes of a name. */
static void append_quoted(struct urlp_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        const char *code = *text == '\n'   ? "%0A"
                           : *text == '\r' ? "%0D"
                           : *text == '"'  ? "%22"
                                           : NULL;

        if ((code != NULL ? urlp_buf_append_text(out, code) : urlp_buf_append(out, text, 1)) !=
            URLPOOL_OK) {
            abort();
        }
    }
}

/* check_head: a part's head says these things, in this order. */
static void check_head(struct urlp_span head, const struct field *field)
{
    const struct urlp_span type = urlp_span_trim(urlp_span_of(field->content_type));
    struct urlp_buf expected = {0};

    fuzz_ok(urlp_buf_append_text(&expected, "Content-Disposition: form-data; name=\""));
    append_quoted(&expected, field->name);
    fuzz_ok(urlp_buf_append_text(&expected, "\""));
    if (field->filename != NULL) {
        fuzz_ok(urlp_buf_append_text(&expected, "; filename=\""));
        append_quoted(&expected, field->filename);
        fuzz_ok(urlp_buf_append_text(&expected, "\""));
    }
    fuzz_require(skip(&head, urlp_span_make(expected.data, expected.len)), "another part", head);
    if (type.len > 0) {
        fuzz_require(skip(&head, urlp_span_of("\r\nContent-Type: ")) && skip(&head, type),
                     "another media type", head);
    }
    fuzz_require(memchr(head.data, '\n', head.len) == NULL || field->content_type == NULL,
                 "a line too many", head);
    urlp_buf_deinit(&expected);
}

static void check_body(struct urlp_span body, const char *boundary, const struct fields *fields)
{
    struct urlp_buf delimiter = {0};
    struct urlp_span mark;

    if (urlp_buf_printf(&delimiter, "\r\n--%s", boundary) != URLPOOL_OK) {
        abort();
    }
    mark = urlp_span_make(delimiter.data, delimiter.len);
    fuzz_require(skip(&body, urlp_span_make(mark.data + 2, mark.len - 2)), "no boundary", body);
    for (size_t i = 0; i < fields->num; i++) {
        fuzz_require(skip(&body, urlp_span_of("\r\n")), "no line end behind a boundary", body);
        check_head(take_until(&body, urlp_span_of("\r\n\r\n")), &fields->all[i]);
        fuzz_require(urlp_span_equals(take_until(&body, mark), fields->all[i].data), "other data",
                     body);
    }
    fuzz_require(urlp_span_is(body, "--\r\n"), "something behind the last part", body);
    urlp_buf_deinit(&delimiter);
}

static void check_multipart(const struct urlpool_form *form, const struct fields *fields)
{
    struct urlp_multipart multipart;
    struct urlp_buf body = {0};
    struct urlpool_error err = {0};
    enum urlpool_code code = urlp_form_lay_out(form, &multipart, &err);
    const struct urlp_span boundary = urlp_span_of(urlp_form_boundary(form));

    if (code == URLPOOL_OK) {
        for (size_t i = 0; i < multipart.num_pieces; i++) {
            fuzz_require(multipart.pieces[i].text.len > 0 && multipart.pieces[i].path == NULL,
                         "an empty piece", boundary);
            if (urlp_buf_append_span(&body, multipart.pieces[i].text) != URLPOOL_OK) {
                abort();
            }
        }
        fuzz_require(strstr(multipart.content_type, multipart.boundary) != NULL,
                     "a media type without the boundary", boundary);
        check_body(urlp_span_make(body.data, body.len), multipart.boundary, fields);
    } else {
        fuzz_require(boundary.len > 0 && err.code == URLPOOL_E_INVALID, "refused for nothing",
                     boundary);
    }
    urlp_buf_deinit(&body);
    urlp_multipart_deinit(&multipart);
}

static int hex(char c)
{
    return urlp_hex_value((unsigned char)c);
}

/* decode_until takes a name or value off `rest`. */
static void decode_until(struct urlp_span *rest, char end, struct urlp_buf *out)
{
    size_t i = 0;

    out->len = 0;
    for (; i < rest->len && rest->data[i] != end; i++) {
        char c = rest->data[i] == '+' ? ' ' : rest->data[i];

        if (c == '%') {
            fuzz_require(rest->len - i > 2 && hex(rest->data[i + 1]) >= 0 &&
                             hex(rest->data[i + 2]) >= 0,
                         "half an escape", *rest);
            c = (char)(hex(rest->data[i + 1]) * 16 + hex(rest->data[i + 2]));
            i += 2;
        }
        if (urlp_buf_append(out, &c, 1) != URLPOOL_OK) {
            abort();
        }
    }
    i += i < rest->len ? 1 : 0;
    *rest = urlp_span_make(rest->data + i, rest->len - i);
}

static void check_encoded(const struct urlpool_form *form, const struct fields *fields)
{
    char *encoded = urlpool_form_encode(form, NULL);
    struct urlp_span rest = urlp_span_of(encoded);
    struct urlp_buf text = {0};

    fuzz_require((encoded == NULL) == fields->has_files, "files, url-encoded", rest);
    for (size_t i = 0; encoded != NULL && i < fields->num; i++) {
        const struct urlp_span data = fields->all[i].data;

        decode_until(&rest, '=', &text);
        fuzz_require(urlp_span_is(urlp_span_make(text.data, text.len), fields->all[i].name),
                     "another name when decoded", rest);
        decode_until(&rest, '&', &text);
        fuzz_require(text.len == data.len &&
                         (data.len == 0 || memcmp(text.data, data.data, data.len) == 0),
                     "other data when decoded", rest);
    }
    fuzz_require(rest.len == 0, "something behind the last field", rest);
    urlp_buf_deinit(&text);
    urlpool_string_free(encoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct urlpool_form *form = fuzz_must(urlpool_form_new(NULL));
    struct fields fields = {.num = 0};
    char *boundary = fuzz_text(fuzz_line(&input));

    if (boundary[0] != '\0') {
        const bool is_set = urlpool_form_set_boundary(form, boundary, NULL) == URLPOOL_OK;

        fuzz_require(!is_set || strlen(boundary) <= URLP_BOUNDARY_MAX, "a boundary too long",
                     urlp_span_of(boundary));
    }
    while (input.len > 0 && fields.num < FIELDS_MAX) {
        take_field(&input, form, &fields);
    }
    check_multipart(form, &fields);
    check_encoded(form, &fields);
    for (size_t i = 0; i < fields.num; i++) {
        free(fields.all[i].name);
        free(fields.all[i].filename);
        free(fields.all[i].content_type);
    }
    free(boundary);
    urlpool_form_free(form);
    return 0;
}
