/* What Connection, Keep-Alive and Upgrade say. All three are lists that may stand on several lines,
 * with empty members to be ignored; a member that is not exactly the token sought is not it. Where
 * quotation marks leave a doubt, the connection is not used again. */

#include "h1/persistence.h"

#include <stdint.h>
#include <string.h>

/* has_close looks at one Connection field. */
static bool has_close(struct urlp_span list)
{
    const char *comma;

    while ((comma = list.len == 0 ? NULL : memchr(list.data, ',', list.len)) != NULL) {
        size_t len = (size_t)(comma - list.data);

        if (urlp_span_is_nocase(urlp_span_trim(urlp_span_make(list.data, len)), "close")) {
            return true;
        }
        list = urlp_span_make(comma + 1, list.len - len - 1);
    }
    return urlp_span_is_nocase(urlp_span_trim(list), "close");
}

bool urlp_h1_says_close(const struct urlp_field *fields, size_t num_fields)
{
    const struct urlp_field *field;
    size_t index = 0;

    while ((field = urlp_fields_find(fields, num_fields, "Connection", &index)) != NULL) {
        if (has_close(field->value)) {
            return true;
        }
    }
    return false;
}

bool urlp_h1_agrees_to_stay(const struct urlp_response_head *head)
{
    size_t index = 0;

    /* RFC 9112 section 9.3, in its order: "close" ends it, whatever else is said; HTTP/1.1
     * persists; HTTP/1.0 persists when asked; all else closes. */
    if (urlp_head_find(head, "Connection", &index) == NULL) {
        return head->version >= 11;
    }
    if (urlp_h1_says_close(head->fields, head->num_fields)) {
        return false;
    }
    if (head->version >= 11) {
        return true;
    }
    return urlp_fields_have_token(head->fields, head->num_fields, "Connection", "keep-alive");
}

/* take_hint reads `member`, "name=digits", into `out` when it is called `name`. */
static void take_hint(struct urlp_span member, const char *name, int64_t *out)
{
    size_t name_len = urlp_span_of(name).len;
    uint64_t value;

    if (member.len <= name_len || member.data[name_len] != '=' ||
        !urlp_span_is_nocase(urlp_span_make(member.data, name_len), name)) {
        return;
    }
    member = urlp_span_make(member.data + name_len + 1, member.len - name_len - 1);
    if (!urlp_span_to_u64(member, &value) || value > INT64_MAX) {
        return;
    }
    if (*out < 0 || (int64_t)value < *out) {
        *out = (int64_t)value;
    }
}

struct urlp_h1_keep_alive urlp_h1_read_keep_alive(const struct urlp_response_head *head)
{
    struct urlp_h1_keep_alive hints = {-1, -1};
    const struct urlp_field *field;
    size_t index = 0;

    while ((field = urlp_head_find(head, "Keep-Alive", &index)) != NULL) {
        struct urlp_span rest = field->value;
        struct urlp_span member;

        while (urlp_span_split_list(&rest, &member)) {
            take_hint(member, "timeout", &hints.timeout_s);
            take_hint(member, "max", &hints.max);
        }
    }
    return hints;
}

/* list_has_all reports whether every member of `members` is one of `list`; counts them, too. */
static bool list_has_all(struct urlp_span list, struct urlp_span members, size_t *count)
{
    struct urlp_span member;

    while (urlp_span_split_list(&members, &member)) {
        if (!urlp_span_list_has(list, member)) {
            return false;
        }
        (*count)++;
    }
    return true;
}

bool urlp_h1_switch_is_asked_for(const struct urlp_response_head *head, struct urlp_span asked)
{
    const struct urlp_field *field;
    size_t count = 0;
    size_t index = 0;

    while ((field = urlp_head_find(head, "Upgrade", &index)) != NULL) {
        if (!list_has_all(asked, field->value, &count)) {
            return false;
        }
    }
    return count > 0;
}
