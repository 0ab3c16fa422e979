/* Field lines as spans: what may stand in one, finding one by name, and which are nobody's
 * business. What a field means is decided where it is used. */

#include "http/field.h"

#include "base/block.h"
#include "base/count.h"
#include "base/word.h"

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

size_t urlp_field_value_len(struct urlp_span text)
{
    size_t len = 0;
    size_t step = URLP_BLOCK_BYTES;

    while (step == URLP_BLOCK_BYTES && len + URLP_BLOCK_BYTES <= text.len) {
        step = urlp_block_value_len(text.data + len);
        len += step;
    }
    while (step == URLP_BLOCK_BYTES && len < text.len &&
           !urlp_byte_is((unsigned char)text.data[len], URLP_BYTE_NOT_IN_FIELD)) {
        len++;
    }
    return len;
}

bool urlp_field_value_is_valid(struct urlp_span value)
{
    return urlp_field_value_len(value) == value.len;
}

/* is_visible says whether all of eight bytes are VCHAR. */
static bool is_visible(const char *data)
{
    const uint64_t word = urlp_word_load(data);

    return !urlp_word_has_below(word, 0x21) && !urlp_word_has(word, 0x7f) &&
           (word & urlp_word_of(0x80)) == 0;
}

bool urlp_target_is_valid(struct urlp_span target)
{
    size_t i = 0;

    while (i + URLP_WORD_BYTES <= target.len && is_visible(target.data + i)) {
        i += URLP_WORD_BYTES;
    }
    for (; i < target.len; i++) {
        unsigned char c = (unsigned char)target.data[i];

        if (c <= 0x20 || c >= 0x7f) {
            return false;
        }
    }
    return target.len > 0;
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
