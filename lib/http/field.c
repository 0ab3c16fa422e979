/* Field lines as spans: what may stand in one, finding one by name, and which are nobody's
 * business. What a field means is decided where it is used. */

#include "http/field.h"

static const char *const secret_names[] = {
    "Authorization",
    "Proxy-Authorization",
    "Authentication-Info",
    "Proxy-Authentication-Info",
    "Cookie",
    "Cookie2",
    "Set-Cookie",
    "Set-Cookie2",
    "X-Api-Key",
    "X-Auth-Token",
    "X-Amz-Security-Token",
};

bool urlp_field_name_is_valid(struct urlp_span name)
{
    return urlp_span_is_token(name);
}

bool urlp_field_value_is_valid(struct urlp_span value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return true;
}

bool urlp_target_is_valid(struct urlp_span target)
{
    for (size_t i = 0; i < target.len; i++) {
        unsigned char c = (unsigned char)target.data[i];

        if (c <= 0x20 || c >= 0x7f) {
            return false;
        }
    }
    return target.len > 0;
}

const struct urlp_field *urlp_fields_find(const struct urlp_field *fields, size_t num_fields,
                                          const char *name, size_t *index)
{
    struct urlp_span wanted = urlp_span_of(name);

    for (size_t i = *index; i < num_fields; i++) {
        if (fields[i].name.len == wanted.len && urlp_span_equals_nocase(fields[i].name, wanted)) {
            *index = i + 1;
            return &fields[i];
        }
    }
    *index = num_fields;
    return NULL;
}

bool urlp_field_is_secret(struct urlp_span name)
{
    for (size_t i = 0; i < sizeof(secret_names) / sizeof(secret_names[0]); i++) {
        if (urlp_span_is_nocase(name, secret_names[i])) {
            return true;
        }
    }
    return false;
}
