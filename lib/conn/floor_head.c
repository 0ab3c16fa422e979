/* The head that a caller of the lower floor puts together, line by line: checked as it comes, so
 * that nothing unfit ever reaches the codec, which checks it once more.
 *
 * The strings lie one behind the other in memory that may move, so the lines are kept as places in
 * it until the head is finished. */

#include "base/count.h"
#include "base/error.h"
#include "conn/floor.h"
#include "http/field.h"
#include "http/method.h"
#include "http/route.h"

struct place {
    size_t name_len;
    size_t value_len;
};

static enum urlpool_code fail_head(struct urlpool_error *err, const char *what,
                                   struct urlp_span name)
{
    return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_NONE, "%s %s", what,
                     urlp_quote(name.data, name.len).text);
}

enum urlpool_code urlp_floor_head_begin(struct urlp_floor *floor, struct urlp_span method,
                                        struct urlp_span target, struct urlpool_error *err)
{
    floor->text.len = floor->places.len = 0;
    floor->method_len = method.len;
    floor->target_len = target.len;
    if (!urlp_method_is_valid(method)) {
        return fail_head(err, "not a method:", method);
    }
    if (urlp_buf_append_span(&floor->text, method) != URLPOOL_OK ||
        urlp_buf_append_span(&floor->text, target) != URLPOOL_OK) {
        return urlp_fail_nomem(err);
    }
    return URLPOOL_OK;
}

/* RFC 9112 section 3.2: exactly one Host. The other two say where the message ends. */
static const char *const only_once[] = {"Host", "Content-Length", "Transfer-Encoding"};

/* check_line refuses what is not fit to send. Values are not shown: they may be secret. */
static enum urlpool_code check_line(const struct urlp_floor *floor, struct urlp_span name,
                                    const struct urlp_span *values, size_t num_values,
                                    struct urlpool_error *err)
{
    size_t i;

    if (!urlp_field_name_is_valid(name)) {
        return fail_head(err, "not a field name:", name);
    }
    for (i = 0; i < num_values; i++) {
        if (!urlp_field_value_is_valid(values[i])) {
            return fail_head(err, "a control character in the value of", name);
        }
    }
    for (i = 0; i < URLP_COUNT_OF(only_once); i++) {
        if (urlp_span_is_nocase(name, only_once[i]) && urlp_floor_head_has(floor, only_once[i])) {
            return fail_head(err, "a second field", name);
        }
    }
    return URLPOOL_OK;
}

enum urlpool_code urlp_floor_head_add(struct urlp_floor *floor, struct urlp_span name,
                                      const struct urlp_span *values, size_t num_values,
                                      struct urlpool_error *err)
{
    size_t len_before = floor->text.len;
    struct place place = {.name_len = name.len};
    enum urlpool_code code = check_line(floor, name, values, num_values, err);
    size_t i;

    if (code != URLPOOL_OK) {
        return code;
    }
    code = urlp_buf_append_span(&floor->text, name);
    for (i = 0; i < num_values && code == URLPOOL_OK; i++) {
        /* RFC 9110 section 5.3: several values of a name are joined by a comma. */
        code = i == 0 ? URLPOOL_OK : urlp_buf_append_text(&floor->text, ", ");
        if (code == URLPOOL_OK) {
            code = urlp_buf_append_span(&floor->text, values[i]);
        }
    }
    if (code == URLPOOL_OK) {
        place.value_len = floor->text.len - len_before - name.len;
        code = urlp_buf_append(&floor->places, &place, sizeof(place));
    }
    if (code != URLPOOL_OK) {
        floor->text.len = len_before;
        return urlp_fail_nomem(err);
    }
    return URLPOOL_OK;
}

/* next_line shows the line at `*at`, and moves `*at` behind it. */
static struct urlp_field next_line(const struct urlp_floor *floor, const struct place *place,
                                   size_t *at)
{
    const char *text = (const char *)floor->text.data + *at;

    *at += place->name_len + place->value_len;
    return (struct urlp_field){urlp_span_make(text, place->name_len),
                               urlp_span_make(text + place->name_len, place->value_len)};
}

bool urlp_floor_head_has(const struct urlp_floor *floor, const char *name)
{
    const struct place *places = (const struct place *)(const void *)floor->places.data;
    size_t num_places = floor->places.len / sizeof(*places);
    size_t at = floor->method_len + floor->target_len;
    size_t i;

    for (i = 0; i < num_places; i++) {
        if (urlp_span_is_nocase(next_line(floor, &places[i], &at).name, name)) {
            return true;
        }
    }
    return false;
}

enum urlpool_code urlp_floor_head_finish(struct urlp_floor *floor, struct urlp_request_head *out,
                                         struct urlpool_error *err)
{
    const struct place *places = (const struct place *)(const void *)floor->places.data;
    size_t num_places = floor->places.len / sizeof(*places);
    size_t at = floor->method_len + floor->target_len;
    struct urlp_field *fields = NULL;
    size_t num = 1;
    size_t i;

    floor->fields.len = 0;
    if (urlp_buf_reserve(&floor->fields, (num_places + 1) * sizeof(*fields)) != URLPOOL_OK) {
        return urlp_fail_nomem(err);
    }
    fields = (struct urlp_field *)(void *)floor->fields.data;
    fields[0] = (struct urlp_field){0};
    for (i = 0; i < num_places; i++) {
        struct urlp_field field = next_line(floor, &places[i], &at);

        if (urlp_span_is_nocase(field.name, "Host")) {
            fields[0] = field;
        } else {
            fields[num++] = field;
        }
    }
    if (fields[0].name.len == 0) {
        return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_NONE, "a request needs a Host field");
    }
    *out = (struct urlp_request_head){
        .method = urlp_span_make(floor->text.data, floor->method_len),
        .target = urlp_span_make(floor->text.data + floor->method_len, floor->target_len),
        .fields = fields,
        .num_fields = num,
    };
    return URLPOOL_OK;
}

/* take_authority reads a target in absolute form. RFC 9112 section 3.2.2: Host is its authority,
 * and userinfo is no part of that. */
static enum urlpool_code take_authority(struct urlp_span target, struct urlp_buf *out_authority,
                                        struct urlpool_error *err)
{
    struct urlp_url url = {0};
    struct urlp_origin origin;
    enum urlpool_code code = urlp_url_parse(target, &url, err);

    if (code == URLPOOL_OK) {
        code = urlp_url_require_http(&url, err);
    }
    if (code == URLPOOL_OK && url.userinfo.data != NULL) {
        code = urlp_fail(err, URLPOOL_E_URL, URLPOOL_PHASE_NONE,
                         "a request target cannot carry user and password");
    }
    if (code == URLPOOL_OK) {
        origin = urlp_origin_of(&url);
        code = urlp_origin_append_authority(&origin, false, out_authority);
        code = code == URLPOOL_OK ? code : urlp_fail_nomem(err);
    }
    urlp_url_deinit(&url);
    return code;
}

/* without_user is `target` from behind its last '@' on, for messages: in absolute form a password
 * may stand in front of it. */
static struct urlp_quoted without_user(struct urlp_span target)
{
    size_t start = target.len;

    while (start > 0 && target.data[start - 1] != '@') {
        start--;
    }
    return urlp_quote(target.data + start, target.len - start);
}

enum urlpool_code urlp_floor_check_target(struct urlp_span method, struct urlp_span target,
                                          struct urlp_buf *out_authority, struct urlpool_error *err)
{
    size_t i;

    if (!urlp_target_is_valid(target)) {
        return urlp_fail(err, URLPOOL_E_URL, URLPOOL_PHASE_NONE,
                         "a space, control or non-ASCII character in the request target %s",
                         without_user(target).text);
    }
    for (i = 0; i < target.len; i++) {
        if (target.data[i] == '#') {
            return urlp_fail(err, URLPOOL_E_URL, URLPOOL_PHASE_NONE,
                             "a fragment in the request target %s", without_user(target).text);
        }
    }
    if (target.data[0] == '/' || urlp_span_is(target, "*") || urlp_span_is(method, "CONNECT")) {
        return URLPOOL_OK;
    }
    return take_authority(target, out_authority, err);
}
