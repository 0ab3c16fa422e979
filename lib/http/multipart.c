/* A form as multipart/form-data: the text of delimiters and part heads, and between it the parts'
 * content in the order of the fields.
 *
 * Short content is copied into the text, long content stays with the form, files are named: so a
 * body is few pieces, and no large value is held twice. While it grows, the text moves; pieces of
 * it therefore know only their length, and get their place at the end.
 *
 * A random boundary has 128 bits and is not looked for; a caller's own is, since that may stand in
 * a part by intent of whoever wrote the part. */

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/random.h"
#include "http/field.h"
#include "http/form.h"

#define COPIED_MAX ((size_t)4096) /* content up to this length becomes part of the text */

/* Longest run of pieces a field makes: text, and its content. One more is the end. */
static struct urlp_form_piece *new_pieces(size_t num_fields)
{
    size_t num = 0;

    if (__builtin_mul_overflow(num_fields, 2, &num) || __builtin_add_overflow(num, 1, &num)) {
        return NULL;
    }
    return urlp_zalloc_array(num, sizeof(struct urlp_form_piece));
}

static bool is_text(const struct urlp_form_piece *piece)
{
    return piece->path == NULL && piece->fd < 0;
}

/* Closes the piece of text that grew since `start`, if it did. */
static void end_text(struct urlp_multipart *out, size_t *start)
{
    if (out->text.len > *start) {
        out->pieces[out->num_pieces++] = (struct urlp_form_piece){
            .text = {NULL, out->text.len - *start},
              .fd = -1
        };
    }
    *start = out->text.len;
}

/* Gives the pieces of text their places, now that it stays where it is. */
static void place_texts(struct urlp_multipart *out)
{
    const char *next = (const char *)out->text.data;

    for (size_t i = 0; i < out->num_pieces; i++) {
        struct urlp_form_piece *piece = &out->pieces[i];

        if (is_text(piece) && piece->text.data == NULL) {
            piece->text.data = next;
            next += piece->text.len;
        }
    }
}

static enum urlpool_code append_texts(struct urlp_buf *out, const char *const *texts)
{
    for (size_t i = 0; texts[i] != NULL; i++) {
        if (urlp_buf_append_text(out, texts[i]) != URLPOOL_OK) {
            return URLPOOL_E_NOMEM;
        }
    }
    return URLPOOL_OK;
}

/* WHATWG HTML, "multipart/form-data encoding algorithm": for field names and filenames, LF, CR and
 * the quote are percent-encoded, nothing else is, not even the percent sign. */
static enum urlpool_code append_quoted(struct urlp_buf *out, struct urlp_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        const char *code = c == '\n' ? "%0A" : c == '\r' ? "%0D" : c == '"' ? "%22" : NULL;

        if ((code != NULL ? urlp_buf_append_text(out, code) : urlp_buf_append(out, &c, 1)) !=
            URLPOOL_OK) {
            return URLPOOL_E_NOMEM;
        }
    }
    return URLPOOL_OK;
}

static enum urlpool_code append_disposition(struct urlp_buf *out,
                                            const struct urlp_form_field *field)
{
    if (urlp_buf_append_text(out, "Content-Disposition: form-data; name=\"") != URLPOOL_OK ||
        append_quoted(out, field->name) != URLPOOL_OK ||
        urlp_buf_append_text(out, "\"") != URLPOOL_OK) {
        return URLPOOL_E_NOMEM;
    }
    if (field->filename != NULL &&
        (urlp_buf_append_text(out, "; filename=\"") != URLPOOL_OK ||
         append_quoted(out, urlp_span_of(field->filename)) != URLPOOL_OK ||
         urlp_buf_append_text(out, "\"") != URLPOOL_OK)) {
        return URLPOOL_E_NOMEM;
    }
    return urlp_buf_append_text(out, "\r\n");
}

static enum urlpool_code append_head(struct urlp_buf *out, const struct urlp_form_field *field)
{
    size_t num_lines = urlpool_headers_count(field->headers);

    if (append_disposition(out, field) != URLPOOL_OK) {
        return URLPOOL_E_NOMEM;
    }
    if (field->content_type != NULL &&
        append_texts(out, (const char *const[]){"Content-Type: ", field->content_type, "\r\n",
                                                NULL}) != URLPOOL_OK) {
        return URLPOOL_E_NOMEM;
    }
    for (size_t i = 0; i < num_lines; i++) {
        struct urlpool_field line = urlpool_headers_at(field->headers, i);

        if (append_texts(out, (const char *const[]){line.name, ": ", line.value, "\r\n", NULL}) !=
            URLPOOL_OK) {
            return URLPOOL_E_NOMEM;
        }
    }
    return urlp_buf_append_text(out, "\r\n");
}

/* Lays one field out; `*start` is where the open piece of text begins. */
static enum urlpool_code lay_out_field(struct urlp_multipart *out, size_t *start,
                                       const struct urlp_form_field *field)
{
    bool is_file = field->path != NULL || field->fd >= 0;
    bool is_copied = !is_file && field->data.len <= COPIED_MAX;

    if (append_texts(&out->text, (const char *const[]){"--", out->boundary, "\r\n", NULL}) !=
            URLPOOL_OK ||
        append_head(&out->text, field) != URLPOOL_OK) {
        return URLPOOL_E_NOMEM;
    }
    if (is_copied && urlp_buf_append_span(&out->text, field->data) != URLPOOL_OK) {
        return URLPOOL_E_NOMEM;
    }
    if (!is_copied) {
        end_text(out, start);
        out->pieces[out->num_pieces++] =
            (struct urlp_form_piece){.text = !is_file ? field->data : (struct urlp_span){0},
                                     .path = field->path,
                                     .fd = field->fd};
    }
    return urlp_buf_append_text(&out->text, "\r\n");
}

/* Whether `text` has the delimiter of `boundary`. A delimiter begins a line, but who reads it may
 * not look for that. */
static bool has_delimiter(struct urlp_span text, const char *boundary)
{
    size_t len = strlen(boundary);

    for (size_t i = 0; i + 2 + len <= text.len; i++) {
        if (text.data[i] == '-' && text.data[i + 1] == '-' &&
            memcmp(text.data + i + 2, boundary, len) == 0) {
            return true;
        }
    }
    return false;
}

static enum urlpool_code take_own_boundary(const struct urlpool_form *form, const char *boundary,
                                           char *out, struct urlpool_error *err)
{
    for (size_t i = 0; i < urlp_form_num_fields(form); i++) {
        const struct urlp_form_field *field = urlp_form_field(form, i);

        /* "Boundary delimiters must not appear within the encapsulated material". */
        if (has_delimiter(field->data, boundary)) {
            return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                             "the boundary \"%s\" stands in field \"%s\"",
                             urlp_quote(boundary, strlen(boundary)).text,
                             urlp_quote(field->name.data, field->name.len).text);
        }
    }
    memcpy(out, boundary, strlen(boundary) + 1);
    return URLPOOL_OK;
}

static void draw_boundary(char *out)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[16];

    urlp_random_fill(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 0xf];
    }
    *out = '\0';
}

/* A boundary that is no token goes in quotes, which it cannot hold itself. */
static void write_content_type(struct urlp_multipart *out)
{
    const char *quote = urlp_span_is_token(urlp_span_of(out->boundary)) ? "" : "\"";

    (void)snprintf(out->content_type, sizeof(out->content_type),
                   "multipart/form-data; boundary=%s%s%s", quote, out->boundary, quote);
}

enum urlpool_code urlp_form_lay_out(const struct urlpool_form *form, struct urlp_multipart *out,
                                    struct urlpool_error *err)
{
    const char *boundary = urlp_form_boundary(form);
    size_t num_fields = urlp_form_num_fields(form);
    size_t start = 0;

    *out = (struct urlp_multipart){0};
    if (boundary[0] == '\0') {
        draw_boundary(out->boundary);
    } else if (take_own_boundary(form, boundary, out->boundary, err) != URLPOOL_OK) {
        return URLPOOL_E_INVALID;
    }
    write_content_type(out);
    out->pieces = new_pieces(num_fields);
    if (out->pieces == NULL) {
        return urlp_fail_nomem(err);
    }
    for (size_t i = 0; i < num_fields; i++) {
        if (lay_out_field(out, &start, urlp_form_field(form, i)) != URLPOOL_OK) {
            return urlp_fail_nomem(err);
        }
    }
    if (append_texts(&out->text, (const char *const[]){"--", out->boundary, "--\r\n", NULL}) !=
        URLPOOL_OK) {
        return urlp_fail_nomem(err);
    }
    end_text(out, &start);
    place_texts(out);
    return URLPOOL_OK;
}

void urlp_multipart_deinit(struct urlp_multipart *multipart)
{
    urlp_free(multipart->pieces);
    urlp_buf_deinit(&multipart->text);
    *multipart = (struct urlp_multipart){0};
}
