/* A list of field lines under any calls, beside a plain array under the same: both hold the same
 * lines in the same order after each. An input is calls: a byte that says which, a byte for each of
 * name and value that says which or how long, and their bytes. */

#include <strings.h>

#include "urlpool/headers.h"

#include "fuzz/input.h"
#include "http/field.h"

#define LINES_MAX 64

/* struct model is the array. */
struct model {
    struct {
        char *name, *value;
    } lines[LINES_MAX];
    size_t num;
};

static char *copy_text(const char *text)
{
    return fuzz_must(strdup(text));
}

static void drop(struct model *model, size_t at)
{
    free(model->lines[at].name);
    free(model->lines[at].value);
    memmove(&model->lines[at], &model->lines[at + 1],
            (model->num - at - 1) * sizeof(model->lines[0]));
    model->num--;
}

static size_t find(const struct model *model, const char *name, size_t from)
{
    while (from < model->num && strcasecmp(model->lines[from].name, name) != 0) {
        from++;
    }
    return from;
}

static char *trimmed(const char *value)
{
    return fuzz_text(urlp_span_trim(urlp_span_of(value)));
}

static void model_add(struct model *model, const char *name, const char *value)
{
    model->lines[model->num].name = copy_text(name);
    model->lines[model->num++].value = trimmed(value);
}

static size_t model_remove(struct model *model, const char *name, size_t from)
{
    size_t num = 0;

    for (size_t at = find(model, name, from); at < model->num; at = find(model, name, at)) {
        drop(model, at);
        num++;
    }
    return num;
}

static void model_set(struct model *model, const char *name, const char *value)
{
    const size_t at = find(model, name, 0);

    if (at == model->num) {
        model_add(model, name, value);
        return;
    }
    (void)model_remove(model, name, at + 1);
    free(model->lines[at].name);
    free(model->lines[at].value);
    model->lines[at].name = copy_text(name);
    model->lines[at].value = trimmed(value);
}

static void model_combine(struct model *model, const char *name, const char *value)
{
    size_t at = model->num;
    char *more = trimmed(value);

    for (size_t i = find(model, name, 0); i < model->num; i = find(model, name, i + 1)) {
        at = i;
    }
    if (at == model->num) {
        model_add(model, name, value);
    } else {
        const size_t size = strlen(model->lines[at].value) + strlen(more) + 3;
        char *joined = fuzz_must(malloc(size));

        (void)snprintf(joined, size, "%s, %s", model->lines[at].value, more);
        free(model->lines[at].value);
        model->lines[at].value = joined;
    }
    free(more);
}

static void check(const struct urlpool_headers *headers, const struct model *model)
{
    const struct urlp_span none = urlp_span_make("", 0);

    fuzz_require(urlpool_headers_count(headers) == model->num, "another number of lines", none);
    for (size_t i = 0; i < model->num; i++) {
        const struct urlpool_field line = urlpool_headers_at(headers, i);
        const char *first = model->lines[find(model, line.name, 0)].value;
        const struct urlp_field field = urlp_headers_field(headers, i);

        fuzz_require(strcasecmp(line.name, model->lines[i].name) == 0, "another name",
                     urlp_span_of(line.name));
        fuzz_require(strcmp(line.value, model->lines[i].value) == 0, "another value",
                     urlp_span_of(line.value));
        fuzz_require(strcmp(urlpool_headers_get(headers, line.name), first) == 0,
                     "another first value", urlp_span_of(line.name));
        fuzz_require(urlp_field_name_is_valid(field.name) && urlp_field_value_is_valid(field.value),
                     "a line not fit to send", urlp_span_of(line.name));
    }
    fuzz_require(urlpool_headers_at(headers, model->num).name == NULL, "a line past the end", none);
}

/* check_copy: a copy equals what it was made of, and so does one made of spans. */
static void check_copy(const struct urlpool_headers *headers, const struct model *model)
{
    struct urlpool_headers *copy = fuzz_must(urlpool_headers_copy(headers, NULL));
    struct urlp_field fields[LINES_MAX];
    struct urlpool_headers *placed;

    check(copy, model);
    fuzz_require(urlpool_headers_equal(headers, copy), "a copy that differs", urlp_span_of(""));
    for (size_t i = 0; i < model->num; i++) {
        fields[i] = urlp_headers_field(headers, i);
    }
    placed = fuzz_must(urlp_headers_from_fields(fields, model->num, NULL));
    check(placed, model);
    fuzz_require(urlpool_headers_merge(placed, headers, NULL) == URLPOOL_OK &&
                     urlpool_headers_equal(placed, headers),
                 "merged into itself it differs", urlp_span_of(""));
    urlpool_headers_free(placed);
    urlpool_headers_free(copy);
}

static char *take_name(struct fuzz_input *input)
{
    static const char *const names[] = {"Host", "host", "HOST", "Set-Cookie",
                                        "X",    "x",    "Via",  "vIA"};
    const uint8_t which = fuzz_byte(input);

    return which < 16 ? copy_text(names[which % 8]) : fuzz_text(fuzz_span(input, which % 16));
}

static void act(struct fuzz_input *input, struct urlpool_headers *headers, struct model *model)
{
    const unsigned what = fuzz_below(input, 5);
    char *name = take_name(input);
    char *value = fuzz_text(fuzz_span(input, fuzz_byte(input) % 32));
    const bool is_valid = urlp_field_name_is_valid(urlp_span_of(name)) &&
                          urlp_field_value_is_valid(urlp_span_trim(urlp_span_of(value)));
    enum urlpool_code code = URLPOOL_OK;

    switch (what) {
    case 0:
        code = urlpool_headers_add(headers, name, value, NULL);
        break;
    case 1:
        code = urlpool_headers_set(headers, name, value, NULL);
        break;
    case 2:
        code = urlpool_headers_combine(headers, name, value, NULL);
        break;
    case 3:
        fuzz_require(urlpool_headers_remove(headers, name) == model_remove(model, name, 0),
                     "another number removed", urlp_span_of(name));
        break;
    default:
        check_copy(headers, model);
        break;
    }
    if (what < 3) {
        fuzz_require((code == URLPOOL_OK) == is_valid, "another verdict on a line",
                     urlp_span_of(name));
    }
    if (what < 3 && is_valid) {
        (what == 0 ? model_add : what == 1 ? model_set : model_combine)(model, name, value);
    }
    free(value);
    free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct urlpool_headers *headers = fuzz_must(urlpool_headers_new(NULL));
    struct model model = {.num = 0};

    while (input.len > 0 && model.num < LINES_MAX) {
        act(&input, headers, &model);
        check(headers, &model);
    }
    while (model.num > 0) {
        drop(&model, model.num - 1);
    }
    urlpool_headers_free(headers);
    return 0;
}
