/* Field lines as spans: what may stand in one, finding one by name, and which are nobody's
 * business. What a field means is decided where it is used. */

#include "http/field.h"

#include <string.h>

#include "base/count.h"

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

/* By the groups of RFC 9110 section 6.5.1; secrets count as authentication. Names that end in '-'
 * stand for all that begin so. */
static const char *const never_trail[] = {
    /* framing, and the connection */
    "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Proxy-Connection",
    "Upgrade", "Trailer", "TE",
    /* routing */
    "Host", "Max-Forwards", "Via", "Forwarded", "X-Forwarded-",
    /* request modifiers: controls and conditionals */
    "Cache-Control", "Expect", "Pragma", "Range", "If-",
    /* what is accepted in return */
    "Accept", "Accept-", "User-Agent",
    /* authentication */
    "WWW-Authenticate", "Proxy-Authenticate",
    /* response control */
    "Age", "Date", "Expires", "Location", "Retry-After", "Vary", "Warning",
    /* how to process the content */
    "Content-Encoding", "Content-Type", "Content-Range", "Content-Location"};

/* may_hold_control says whether one of eight bytes is below 0x20 or DEL; true too often, never too
 * seldom. Bytes are tested all at once: each value on the wire goes through here. */
static bool may_hold_control(const char *data)
{
    const uint64_t ones = UINT64_MAX / 0xff;
    uint64_t bytes;
    uint64_t del;

    memcpy(&bytes, data, sizeof(bytes));
    del = bytes ^ (ones * 0x7f);
    return (((bytes - ones * 0x20) & ~bytes) | ((del - ones) & ~del)) & (ones * 0x80);
}

bool urlp_field_value_is_valid(struct urlp_span value)
{
    size_t i = 0;

    while (i + sizeof(uint64_t) <= value.len && !may_hold_control(value.data + i)) {
        i += sizeof(uint64_t);
    }
    if (i > 0 && i + sizeof(uint64_t) > value.len &&
        !may_hold_control(value.data + value.len - sizeof(uint64_t))) {
        return true; /* some bytes were tested twice */
    }
    for (; i < value.len; i++) {
        if (urlp_byte_is((unsigned char)value.data[i], URLP_BYTE_NOT_IN_FIELD)) {
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

bool urlp_fields_have_token(const struct urlp_field *fields, size_t num_fields, const char *name,
                            const char *token)
{
    const struct urlp_field *field;
    size_t index = 0;

    while ((field = urlp_fields_find(fields, num_fields, name, &index)) != NULL) {
        if (urlp_span_list_has(field->value, urlp_span_of(token))) {
            return true;
        }
    }
    return false;
}

bool urlp_field_is_secret(struct urlp_span name)
{
    for (size_t i = 0; i < URLP_COUNT_OF(secret_names); i++) {
        if (urlp_span_is_nocase(name, secret_names[i])) {
            return true;
        }
    }
    return false;
}

/* matches says whether `pattern` of never_trail means `name`. */
static bool matches(struct urlp_span name, const char *pattern)
{
    const struct urlp_span wanted = urlp_span_of(pattern);

    if (wanted.data[wanted.len - 1] == '-' && name.len > wanted.len) {
        name.len = wanted.len;
    }
    return urlp_span_equals_nocase(name, wanted);
}

bool urlp_field_may_trail(struct urlp_span name)
{
    for (size_t i = 0; i < URLP_COUNT_OF(never_trail); i++) {
        if (matches(name, never_trail[i])) {
            return false;
        }
    }
    return !urlp_field_is_secret(name);
}
