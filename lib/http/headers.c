/* The headers object: an ordered list of field lines that can be looked up by name.
 *
 * Invariant: lines[0..num_lines) are the lines in order, each with a NUL behind name and value. A
 * line's bytes lie in a block of its own, or, when the object was made from a head, in the object's
 * own block (`block` is then NULL). A change that fails changes nothing: everything is allocated
 * before anything moves. Lookup is linear: heads are short, and a hash would cost each of them. */

#include "urlpool/headers.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/span.h"
#include "http/field.h"

struct line {
    struct urlp_span name;
    struct urlp_span value;
    char *block;
};

struct urlpool_headers {
    struct line *lines;
    size_t num_lines;
    size_t cap_lines;
    bool owns_lines; /* false: they follow this struct in its own block */
};

static char *put_string(char *end, struct urlp_span text, struct urlp_span *out)
{
    memcpy(end, text.len > 0 ? text.data : "", text.len);
    end[text.len] = '\0';
    *out = urlp_span_make(end, text.len);
    return end + text.len + 1;
}

/* Writes a line's strings at `end`, where another owner's block has room, and returns their end. */
static char *put_line(char *end, struct urlp_span name, struct urlp_span value, struct line *out)
{
    end = put_string(end, name, &out->name);
    out->block = NULL;
    return put_string(end, value, &out->value);
}

static enum urlpool_code make_line(struct urlp_span name, struct urlp_span value, struct line *out)
{
    char *block = urlp_alloc(name.len + value.len + 2);

    if (block == NULL) {
        return URLPOOL_E_NOMEM;
    }
    (void)put_line(block, name, value, out);
    out->block = block;
    return URLPOOL_OK;
}

static void free_lines(struct line *lines, size_t num_lines)
{
    for (size_t i = 0; i < num_lines; i++) {
        urlp_free(lines[i].block);
    }
}

/* Makes room for `more` lines; spans stay where they are. */
static enum urlpool_code reserve(struct urlpool_headers *headers, size_t more)
{
    size_t cap = headers->cap_lines + headers->cap_lines / 2 + 8;
    struct line *lines = NULL;

    if (headers->cap_lines - headers->num_lines >= more) {
        return URLPOOL_OK;
    }
    cap = cap < headers->num_lines + more ? headers->num_lines + more : cap;
    lines = urlp_alloc(cap * sizeof(*lines));
    if (lines == NULL) {
        return URLPOOL_E_NOMEM;
    }
    if (headers->num_lines > 0) {
        memcpy(lines, headers->lines, headers->num_lines * sizeof(*lines));
    }
    if (headers->owns_lines) {
        urlp_free(headers->lines);
    }
    headers->lines = lines;
    headers->cap_lines = cap;
    headers->owns_lines = true;
    return URLPOOL_OK;
}

static bool has_name(const struct line *line, struct urlp_span name)
{
    return urlp_span_equals_nocase(line->name, name);
}

/* The index of the first line of that name at or after `from`; num_lines when there is none. */
static size_t find(const struct urlpool_headers *headers, struct urlp_span name, size_t from)
{
    while (from < headers->num_lines && !has_name(&headers->lines[from], name)) {
        from++;
    }
    return from;
}

/* Moves the lines of that name from index `from` on behind all others; returns how many stay. */
static size_t partition(struct urlpool_headers *headers, struct urlp_span name, size_t from)
{
    struct line *lines = headers->lines;
    size_t num_kept = from;

    for (size_t i = from; i < headers->num_lines; i++) {
        struct line line = lines[i];

        if (!has_name(&line, name)) {
            lines[i] = lines[num_kept];
            lines[num_kept++] = line;
        }
    }
    return num_kept;
}

static enum urlpool_code check_line(const struct urlpool_headers *headers, const char *name,
                                    const char *value, struct urlpool_error *err)
{
    if (headers == NULL || name == NULL || value == NULL) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                         "headers, name or value is NULL");
    }
    if (!urlp_field_name_is_valid(urlp_span_of(name))) {
        return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_NONE,
                         "header name \"%s\" is no token", urlp_quote(name, strlen(name)).text);
    }
    if (!urlp_field_value_is_valid(urlp_span_of(value))) {
        /* Not quoted: it may be a secret. */
        return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_NONE,
                         "value of header \"%s\" holds a control character",
                         urlp_quote(name, strlen(name)).text);
    }
    return URLPOOL_OK;
}

struct urlpool_headers *urlpool_headers_new(struct urlpool_error *err)
{
    struct urlpool_headers *headers = urlp_zalloc(sizeof(*headers));

    if (headers == NULL) {
        (void)urlp_fail_nomem(err);
    }
    return headers;
}

size_t urlp_headers_size_over(size_t num_fields)
{
    return sizeof(struct urlpool_headers) + num_fields * sizeof(struct line);
}

/* begin makes an object whose lines follow it, and returns them, yet to be written. */
static struct line *begin(struct urlpool_headers *headers, size_t num_fields)
{
    struct line *lines = (struct line *)(headers + 1);

    *headers =
        (struct urlpool_headers){.lines = lines, .num_lines = num_fields, .cap_lines = num_fields};
    return lines;
}

const struct urlpool_headers *urlp_headers_over(void *memory, const struct urlp_field *fields,
                                                size_t num_fields)
{
    struct line *lines = begin(memory, num_fields);

    for (size_t i = 0; i < num_fields; i++) {
        lines[i] = (struct line){.name = fields[i].name, .value = fields[i].value};
    }
    return memory;
}

struct urlpool_headers *urlp_headers_from_fields(const struct urlp_field *fields, size_t num_fields,
                                                 struct urlpool_error *err)
{
    size_t size = urlp_headers_size_over(num_fields);
    struct urlpool_headers *headers;
    char *end;

    for (size_t i = 0; i < num_fields; i++) {
        size += fields[i].name.len + fields[i].value.len + 2;
    }
    headers = urlp_alloc(size);
    if (headers == NULL) {
        (void)urlp_fail_nomem(err);
        return NULL;
    }
    end = (char *)(begin(headers, num_fields) + num_fields);
    for (size_t i = 0; i < num_fields; i++) {
        end = put_line(end, fields[i].name, fields[i].value, &headers->lines[i]);
    }
    return headers;
}

void urlpool_headers_free(struct urlpool_headers *headers)
{
    if (headers == NULL) {
        return;
    }
    free_lines(headers->lines, headers->num_lines);
    if (headers->owns_lines) {
        urlp_free(headers->lines);
    }
    urlp_free(headers);
}

enum urlpool_code urlpool_headers_add(struct urlpool_headers *headers, const char *name,
                                      const char *value, struct urlpool_error *err)
{
    struct line line;
    enum urlpool_code code = check_line(headers, name, value, err);

    if (code != URLPOOL_OK) {
        return code;
    }
    if (reserve(headers, 1) != URLPOOL_OK ||
        make_line(urlp_span_of(name), urlp_span_trim(urlp_span_of(value)), &line) != URLPOOL_OK) {
        return urlp_fail_nomem(err);
    }
    headers->lines[headers->num_lines++] = line;
    return URLPOOL_OK;
}

enum urlpool_code urlpool_headers_set(struct urlpool_headers *headers, const char *name,
                                      const char *value, struct urlpool_error *err)
{
    enum urlpool_code code = urlpool_headers_add(headers, name, value, err);

    if (code != URLPOOL_OK) {
        return code;
    }

    /* The new line is the last; it takes the first one's place, the others go. */
    size_t last = headers->num_lines - 1;
    struct line *lines = headers->lines;
    struct urlp_span key = lines[last].name;
    size_t first = find(headers, key, 0);
    struct line line = lines[last];

    lines[last] = lines[first];
    lines[first] = line;
    if (first == last) {
        return URLPOOL_OK;
    }

    size_t num_kept = partition(headers, key, first + 1);

    free_lines(lines + num_kept, headers->num_lines - num_kept);
    headers->num_lines = num_kept;
    return URLPOOL_OK;
}

/* The index of the last line of that name; num_lines when there is none. */
static size_t find_last(const struct urlpool_headers *headers, struct urlp_span name)
{
    size_t last = headers->num_lines;

    for (size_t i = find(headers, name, 0); i < headers->num_lines;
         i = find(headers, name, i + 1)) {
        last = i;
    }
    return last;
}

enum urlpool_code urlpool_headers_combine(struct urlpool_headers *headers, const char *name,
                                          const char *value, struct urlpool_error *err)
{
    enum urlpool_code code = check_line(headers, name, value, err);

    if (code != URLPOOL_OK) {
        return code;
    }

    struct urlp_span more = urlp_span_trim(urlp_span_of(value));
    size_t at = find_last(headers, urlp_span_of(name));

    if (at == headers->num_lines) {
        return urlpool_headers_add(headers, name, value, err);
    }

    struct line *line = &headers->lines[at];
    struct line longer = {.name = line->name};
    size_t len = line->value.len + 2 + more.len;
    char *end = urlp_alloc(line->name.len + len + 2);

    if (end == NULL) {
        return urlp_fail_nomem(err);
    }
    longer.block = end;
    end = put_string(end, line->name, &longer.name);
    longer.value = urlp_span_make(end, len);
    memcpy(end, line->value.data, line->value.len);
    memcpy(end + line->value.len, ", ", 2);
    (void)put_string(end + line->value.len + 2, more, &more);
    urlp_free(line->block); /* only now: `name` and `value` may have been in it */
    *line = longer;
    return URLPOOL_OK;
}

/* Makes own copies of the lines of `more` at `out`; none is left behind on failure. */
static enum urlpool_code copy_lines(const struct urlpool_headers *more, struct line *out)
{
    for (size_t i = 0; i < more->num_lines; i++) {
        if (make_line(more->lines[i].name, more->lines[i].value, &out[i]) != URLPOOL_OK) {
            free_lines(out, i);
            return URLPOOL_E_NOMEM;
        }
    }
    return URLPOOL_OK;
}

enum urlpool_code urlpool_headers_extend(struct urlpool_headers *headers,
                                         const struct urlpool_headers *more,
                                         struct urlpool_error *err)
{
    if (headers == NULL || more == NULL) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "headers is NULL");
    }

    size_t num_more = more->num_lines;

    if (num_more == 0) {
        return URLPOOL_OK; /* both may be without an array */
    }
    if (reserve(headers, num_more) != URLPOOL_OK ||
        copy_lines(more, headers->lines + headers->num_lines) != URLPOOL_OK) {
        return urlp_fail_nomem(err);
    }
    headers->num_lines += num_more;
    return URLPOOL_OK;
}

struct urlpool_headers *urlpool_headers_copy(const struct urlpool_headers *headers,
                                             struct urlpool_error *err)
{
    struct urlpool_headers *copy = urlpool_headers_new(err);

    if (copy != NULL && urlpool_headers_extend(copy, headers, err) != URLPOOL_OK) {
        urlpool_headers_free(copy);
        copy = NULL;
    }
    return copy;
}

/* Writes the merged list to `out`, whose last lines are the copies of those of `more`: every line
 * of `headers` that stays, and in the place of the first of a name those that replace it. Returns
 * how many there are; `*out_gone` gets the replaced ones. */
static size_t merge_lines(const struct urlpool_headers *headers, struct line *copies,
                          size_t num_copies, struct line *out, struct line *out_gone)
{
    const struct urlpool_headers from = {.lines = copies, .num_lines = num_copies};
    size_t num_out = 0;
    size_t num_gone = 0;

    for (size_t i = 0; i < headers->num_lines; i++) {
        struct urlp_span name = headers->lines[i].name;
        size_t next = find(&from, name, 0);

        if (next == num_copies) {
            out[num_out++] = headers->lines[i];
            continue;
        }
        out_gone[num_gone++] = headers->lines[i];

        bool is_first = find(headers, name, 0) == i;

        while (is_first && next < num_copies) {
            out[num_out++] = copies[next];
            next = find(&from, name, next + 1);
        }
    }
    for (size_t i = 0; i < num_copies; i++) {
        if (find(headers, copies[i].name, 0) == headers->num_lines) {
            out[num_out++] = copies[i];
        }
    }
    return num_out;
}

enum urlpool_code urlpool_headers_merge(struct urlpool_headers *headers,
                                        const struct urlpool_headers *more,
                                        struct urlpool_error *err)
{
    if (headers == NULL || more == NULL) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "headers is NULL");
    }

    /* One array for all: the merged lines, the copies of `more`, the lines that go. */
    size_t num_copies = more->num_lines;
    size_t num_all = headers->num_lines + num_copies;
    struct line *lines = urlp_alloc(2 * num_all * sizeof(*lines) + 1);
    struct line *copies = lines == NULL ? NULL : lines + num_all;

    if (lines == NULL || copy_lines(more, copies) != URLPOOL_OK) {
        urlp_free(lines);
        return urlp_fail_nomem(err);
    }

    struct line *gone = copies + num_copies;
    size_t num_merged = merge_lines(headers, copies, num_copies, lines, gone);

    free_lines(gone, num_all - num_merged);
    if (headers->owns_lines) {
        urlp_free(headers->lines);
    }
    headers->lines = lines;
    headers->num_lines = num_merged;
    headers->cap_lines = 2 * num_all;
    headers->owns_lines = true;
    return URLPOOL_OK;
}

size_t urlpool_headers_remove(struct urlpool_headers *headers, const char *name)
{
    if (headers == NULL || name == NULL) {
        return 0;
    }

    /* `name` may be one of the lines' own: nothing is freed before the last comparison. */
    size_t num_kept = partition(headers, urlp_span_of(name), 0);
    size_t num_removed = headers->num_lines - num_kept;

    if (num_removed > 0) {
        free_lines(headers->lines + num_kept, num_removed);
    }
    headers->num_lines = num_kept;
    return num_removed;
}

void urlpool_headers_clear(struct urlpool_headers *headers)
{
    if (headers != NULL) {
        free_lines(headers->lines, headers->num_lines);
        headers->num_lines = 0;
    }
}

bool urlpool_headers_equal(const struct urlpool_headers *one, const struct urlpool_headers *other)
{
    if (one == NULL || other == NULL || one->num_lines != other->num_lines) {
        return one == other;
    }
    /* The n-th line of a name there stands against the n-th of it here: no line is counted twice,
     * so as many equal pairs as lines make the lists equal. */
    for (size_t i = 0; i < one->num_lines; i++) {
        const struct line *line = &one->lines[i];
        size_t j = find(other, line->name, 0);

        for (size_t k = find(one, line->name, 0); k < i; k = find(one, line->name, k + 1)) {
            j = find(other, line->name, j + 1);
        }
        if (j >= other->num_lines || !urlp_span_equals(line->value, other->lines[j].value)) {
            return false;
        }
    }
    return true;
}

const char *urlpool_headers_get(const struct urlpool_headers *headers, const char *name)
{
    return urlpool_headers_get_nth(headers, name, 0);
}

const char *urlpool_headers_get_nth(const struct urlpool_headers *headers, const char *name,
                                    size_t n)
{
    if (headers == NULL || headers->num_lines == 0 || name == NULL) {
        return NULL;
    }

    struct urlp_span key = urlp_span_of(name);
    size_t i = find(headers, key, 0);

    for (; n > 0 && i < headers->num_lines; n--) {
        i = find(headers, key, i + 1);
    }
    return i < headers->num_lines ? headers->lines[i].value.data : NULL;
}

char *urlpool_headers_get_all(const struct urlpool_headers *headers, const char *name)
{
    if (!urlpool_headers_contains(headers, name)) {
        return NULL;
    }

    struct urlp_span key = urlp_span_of(name);
    size_t first = find(headers, key, 0);
    size_t len = 1;

    for (size_t i = first; i < headers->num_lines; i = find(headers, key, i + 1)) {
        len += headers->lines[i].value.len + 2;
    }

    char *text = urlp_alloc(len);
    char *end = text;

    for (size_t i = first; text != NULL && i < headers->num_lines; i = find(headers, key, i + 1)) {
        struct urlp_span part;

        if (i != first) {
            *end++ = ',';
            *end++ = ' ';
        }
        end = put_string(end, headers->lines[i].value, &part) - 1;
    }
    return text;
}

bool urlpool_headers_contains(const struct urlpool_headers *headers, const char *name)
{
    return urlpool_headers_get(headers, name) != NULL;
}

size_t urlpool_headers_count(const struct urlpool_headers *headers)
{
    return headers == NULL ? 0 : headers->num_lines;
}

struct urlpool_field urlpool_headers_at(const struct urlpool_headers *headers, size_t index)
{
    if (headers == NULL || index >= headers->num_lines) {
        return (struct urlpool_field){NULL, NULL};
    }
    return (struct urlpool_field){headers->lines[index].name.data,
                                  headers->lines[index].value.data};
}

struct urlp_field urlp_headers_field(const struct urlpool_headers *headers, size_t index)
{
    return (struct urlp_field){headers->lines[index].name, headers->lines[index].value};
}

enum urlpool_code urlp_headers_append_names(const struct urlpool_headers *headers,
                                            struct urlp_buf *out)
{
    const size_t num_lines = urlpool_headers_count(headers);
    const size_t len_before = out->len;
    enum urlpool_code code = URLPOOL_OK;

    for (size_t i = 0; i < num_lines && code == URLPOOL_OK; i++) {
        const struct urlp_span name = headers->lines[i].name;

        if (find(headers, name, 0) < i) {
            continue;
        }
        if (out->len > len_before) {
            code = urlp_buf_append_text(out, ", ");
        }
        if (code == URLPOOL_OK) {
            code = urlp_buf_append_span(out, name);
        }
    }
    out->len = code == URLPOOL_OK ? out->len : len_before;
    return code;
}

/* Writes the lines of that name, in their order. */
static size_t show_named(const struct urlpool_headers *headers, struct urlp_span name,
                         struct urlp_field *out)
{
    size_t num_out = 0;

    for (size_t i = find(headers, name, 0); i < headers->num_lines;
         i = find(headers, name, i + 1)) {
        out[num_out++] = urlp_headers_field(headers, i);
    }
    return num_out;
}

size_t urlp_headers_merged_fields(const struct urlpool_headers *headers,
                                  const struct urlpool_headers *more, struct urlp_field *out)
{
    static const struct urlpool_headers none;
    size_t num_out = 0;

    headers = headers != NULL ? headers : &none;
    more = more != NULL ? more : &none;
    for (size_t i = 0; i < headers->num_lines; i++) {
        struct urlp_span name = headers->lines[i].name;

        if (find(more, name, 0) == more->num_lines) {
            out[num_out++] = urlp_headers_field(headers, i);
        } else if (find(headers, name, 0) == i) {
            num_out += show_named(more, name, out + num_out);
        }
    }
    for (size_t i = 0; i < more->num_lines; i++) {
        if (find(headers, more->lines[i].name, 0) == headers->num_lines) {
            out[num_out++] = urlp_headers_field(more, i);
        }
    }
    return num_out;
}
