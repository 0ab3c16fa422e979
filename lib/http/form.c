/* The form: an ordered list of fields, each checked and copied when it is added, so that what is
 * made of it later (a query, a url-encoded body, a multipart body) can only lack memory.
 *
 * Invariant: fields[0..num_fields) are whole; the strings of a field lie in one block, its own. A
 * change that fails changes nothing. Files are names here: who sends the form opens them. */

#include "http/form.h"

#include <string.h>

#include "base/alloc.h"
#include "base/count.h"
#include "base/error.h"
#include "base/option.h"
#include "http/field.h"

struct field {
    struct urlp_form_field shown;
    struct urlpool_headers *headers;
    char *block;
};

struct urlpool_form {
    struct field *fields;
    size_t num_fields;
    size_t cap_fields;
    char boundary[URLP_BOUNDARY_MAX + 1];
};

struct urlpool_form *urlpool_form_new(struct urlpool_error *err)
{
    struct urlpool_form *form = urlp_zalloc(sizeof(*form));

    if (form == NULL) {
        (void)urlp_fail_nomem(err);
    }
    return form;
}

static void free_field(struct field *field)
{
    urlpool_headers_free(field->headers);
    urlp_free(field->block);
}

void urlpool_form_free(struct urlpool_form *form)
{
    if (form == NULL) {
        return;
    }
    for (size_t i = 0; i < form->num_fields; i++) {
        free_field(&form->fields[i]);
    }
    urlp_free(form->fields);
    urlp_free(form);
}

static enum urlpool_code check_sources(const struct urlpool_part *part, struct urlpool_error *err)
{
    int num_sources = (part->data != NULL) + (part->path != NULL) + (part->fd != 0);

    if (part->data == NULL && part->data_len > 0) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                         "a part has a data_len but no data");
    }
    if (part->fd < 0) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                         "%d is no descriptor for a part", part->fd);
    }
    if (num_sources > 1) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                         "a part has more than one of data, path and fd");
    }
    return URLPOOL_OK;
}

/* What a part's head says of it is made from the part, once. */
static enum urlpool_code check_head(const struct urlpool_part *part, struct urlpool_error *err)
{
    static const char *const ours[] = {"Content-Disposition", "Content-Type"};
    struct urlp_span content_type = urlp_span_of(part->content_type);

    for (size_t i = 0; i < URLP_COUNT_OF(ours); i++) {
        if (urlpool_headers_contains(part->headers, ours[i])) {
            return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_NONE,
                             "%s of a part does not go into its headers", ours[i]);
        }
    }
    if (!urlp_field_value_is_valid(content_type)) {
        return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_NONE,
                         "content_type \"%s\" of a part holds a control character",
                         urlp_quote(content_type.data, content_type.len).text);
    }
    return URLPOOL_OK;
}

static enum urlpool_code check_part(const struct urlpool_part *part, struct urlpool_error *err)
{
    enum urlpool_code code;

    if (part == NULL || part->name == NULL) {
        return urlp_fail_null(err);
    }
    code = urlp_option_check_reserved("part", part->reserved, sizeof(part->reserved), err);
    if (code != URLPOOL_OK) {
        return code;
    }
    code = check_sources(part, err);
    return code != URLPOOL_OK ? code : check_head(part, err);
}

/* The name under which a server is told of the file: what stands behind the last '/'. */
static const char *told_filename(const struct urlpool_part *part)
{
    const char *slash = NULL;

    if (part->filename != NULL || part->path == NULL) {
        return part->filename;
    }
    slash = strrchr(part->path, '/');
    return slash != NULL ? slash + 1 : part->path;
}

static struct urlp_span told_content_type(const char *given, const char *filename)
{
    if (given == NULL && filename != NULL) {
        return urlp_span_of(urlpool_media_type_guess(filename));
    }
    return urlp_span_trim(urlp_span_of(given));
}

/* Writes `text` and a NUL at `*end`; NULL stays NULL. */
static const char *put_string(char **end, struct urlp_span text)
{
    char *start = *end;

    if (text.data == NULL) {
        return NULL;
    }
    if (text.len > 0) {
        memcpy(start, text.data, text.len);
    }
    start[text.len] = '\0';
    *end = start + text.len + 1;
    return start;
}

/* Adds up what the strings take, each with its NUL; false when that is more than there can be. */
static bool add_up(const struct urlp_span *texts, size_t num_texts, size_t *out_len)
{
    size_t len = 0;

    for (size_t i = 0; i < num_texts; i++) {
        if (__builtin_add_overflow(len, texts[i].len, &len) ||
            __builtin_add_overflow(len, 1, &len)) {
            return false;
        }
    }
    *out_len = len;
    return true;
}

static enum urlpool_code copy_part(const struct urlpool_part *part, struct field *out,
                                   struct urlpool_error *err)
{
    const char *filename = told_filename(part);
    struct urlp_span content_type = told_content_type(part->content_type, filename);
    const struct urlp_span texts[] = {
        urlp_span_of(part->name), urlp_span_make(part->data, part->data_len),
        urlp_span_of(part->path), urlp_span_of(filename), content_type};
    struct urlpool_headers *headers = NULL;
    size_t len = 0;
    char *end = NULL;
    char *block = NULL;

    if (add_up(texts, URLP_COUNT_OF(texts), &len)) {
        end = block = urlp_alloc(len);
    }
    if (block == NULL) {
        return urlp_fail_nomem(err);
    }
    if (part->headers != NULL) {
        headers = urlpool_headers_copy(part->headers, err);
        if (headers == NULL) {
            urlp_free(block);
            return URLPOOL_E_NOMEM;
        }
    }
    *out = (struct field){.headers = headers, .block = block};
    out->shown = (struct urlp_form_field){
        .name = {put_string(&end, texts[0]), texts[0].len},
        .data = {put_string(&end, texts[1]), texts[1].len},
        .path = put_string(&end, texts[2]),
        .fd = part->fd != 0 ? part->fd : -1,
        .filename = put_string(&end, texts[3]),
        .content_type = content_type.len > 0 ? put_string(&end, texts[4]) : NULL,
        .headers = headers
    };
    return URLPOOL_OK;
}

static enum urlpool_code make_room(struct urlpool_form *form)
{
    size_t cap = form->cap_fields + form->cap_fields / 2 + 8;
    struct field *fields = NULL;

    if (form->num_fields < form->cap_fields) {
        return URLPOOL_OK;
    }
    fields = urlp_realloc(form->fields, cap * sizeof(*fields));
    if (fields == NULL) {
        return URLPOOL_E_NOMEM;
    }
    form->fields = fields;
    form->cap_fields = cap;
    return URLPOOL_OK;
}

enum urlpool_code urlpool_form_add_part(struct urlpool_form *form, const struct urlpool_part *part,
                                        struct urlpool_error *err)
{
    enum urlpool_code code;

    if (form == NULL) {
        return urlp_fail_null(err);
    }
    code = check_part(part, err);
    if (code != URLPOOL_OK) {
        return code;
    }
    if (make_room(form) != URLPOOL_OK) {
        return urlp_fail_nomem(err);
    }
    code = copy_part(part, &form->fields[form->num_fields], err);
    if (code == URLPOOL_OK) {
        form->num_fields++;
    }
    return code;
}

enum urlpool_code urlpool_form_add(struct urlpool_form *form, const char *name, const char *value,
                                   struct urlpool_error *err)
{
    if (value == NULL) {
        return urlp_fail_null(err);
    }

    const struct urlpool_part part = {.name = name, .data = value, .data_len = strlen(value)};

    return urlpool_form_add_part(form, &part, err);
}

enum urlpool_code urlpool_form_add_file(struct urlpool_form *form, const char *name,
                                        const char *path, struct urlpool_error *err)
{
    if (path == NULL) {
        return urlp_fail_null(err);
    }

    const struct urlpool_part part = {.name = name, .path = path};

    return urlpool_form_add_part(form, &part, err);
}

/* boundary := 0*69<bchars> bcharsnospace */
static bool is_boundary(struct urlp_span text)
{
    if (text.len == 0 || text.len > URLP_BOUNDARY_MAX || text.data[text.len - 1] == ' ') {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (!urlp_is_alpha(c) && !urlp_is_digit(c) && strchr("'()+_,-./:=? ", c) == NULL) {
            return false;
        }
    }
    return true;
}

enum urlpool_code urlpool_form_set_boundary(struct urlpool_form *form, const char *boundary,
                                            struct urlpool_error *err)
{
    if (form == NULL || boundary == NULL) {
        return urlp_fail_null(err);
    }
    if (!is_boundary(urlp_span_of(boundary))) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "\"%s\" is no boundary",
                         urlp_quote(boundary, strlen(boundary)).text);
    }
    memcpy(form->boundary, boundary, strlen(boundary) + 1);
    return URLPOOL_OK;
}

size_t urlp_form_num_fields(const struct urlpool_form *form)
{
    return form->num_fields;
}

const struct urlp_form_field *urlp_form_field(const struct urlpool_form *form, size_t index)
{
    return &form->fields[index].shown;
}

const char *urlp_form_boundary(const struct urlpool_form *form)
{
    return form->boundary;
}
