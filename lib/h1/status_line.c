/* The status line (RFC 9112 section 4): HTTP-version SP status-code SP [ reason-phrase ], read to
 * the letter but for one tolerance, the space before an absent reason. Its first twelve bytes have
 * a fixed form and are held against a pattern. */

#include "h1/status_line.h"

#include <string.h>

#include "base/error.h"
#include "http/field.h"

/* Of every byte that the pattern does not spell out, 'd' stands for a digit. */
static const char pattern[] = "HTTP/1.d ddd";

#define PATTERN_LEN (sizeof(pattern) - 1)
#define MAJOR_AT    5
#define MINOR_AT    7
#define STATUS_AT   9

static enum urlpool_code fail_line(struct urlp_span line, struct urlpool_error *err)
{
    return urlp_fail(err, URLPOOL_E_BAD_STATUS_LINE, URLPOOL_PHASE_HEAD,
                     "not an HTTP status line: \"%s\"", urlp_quote(line.data, line.len).text);
}

/* fits_pattern says whether `seen` begins with all of the pattern. */
static bool fits_pattern(struct urlp_span seen)
{
    const unsigned char *bytes = (const unsigned char *)seen.data;

    return seen.len >= PATTERN_LEN && memcmp(bytes, pattern, MINOR_AT) == 0 &&
           urlp_is_digit(bytes[MINOR_AT]) && bytes[MINOR_AT + 1] == ' ' &&
           urlp_is_digit(bytes[STATUS_AT]) && urlp_is_digit(bytes[STATUS_AT + 1]) &&
           urlp_is_digit(bytes[STATUS_AT + 2]);
}

/* status_of is the status of a line that begins with the pattern. */
static int status_of(const char *line)
{
    return (line[STATUS_AT] - '0') * 100 + (line[STATUS_AT + 1] - '0') * 10 +
           (line[STATUS_AT + 2] - '0');
}

enum urlpool_code urlp_h1_status_prefix(struct urlp_span seen, struct urlpool_error *err)
{
    size_t len = seen.len < PATTERN_LEN ? seen.len : PATTERN_LEN;

    if (fits_pattern(seen)) {
        return URLPOOL_OK; /* almost always */
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)seen.data[i];
        bool fits = pattern[i] == 'd' ? urlp_is_digit(byte) : (unsigned char)pattern[i] == byte;

        if (!fits && i == MAJOR_AT && urlp_is_digit(byte)) {
            return urlp_fail(err, URLPOOL_E_UNKNOWN_PROTOCOL, URLPOOL_PHASE_HEAD,
                             "response in HTTP of major version %c", (char)byte);
        }
        if (!fits) {
            return fail_line(seen, err);
        }
    }
    return URLPOOL_OK;
}

size_t urlp_h1_plain_status_line(struct urlp_span text, struct urlp_h1_status_line *out)
{
    static const char begins[] = "HTTP/1.1 ";
    const char *data = text.data;
    struct urlp_span reason;
    size_t end;

    if (text.len < PATTERN_LEN + 3 || memcmp(data, begins, sizeof(begins) - 1) != 0 ||
        data[PATTERN_LEN] != ' ' || data[STATUS_AT] == '0' ||
        !fits_pattern(urlp_span_make(data, PATTERN_LEN))) {
        return 0;
    }
    reason = urlp_span_make(data + PATTERN_LEN + 1, text.len - PATTERN_LEN - 1);
    reason.len = urlp_field_value_len(reason);
    end = PATTERN_LEN + 1 + reason.len;
    if (text.len - end < 2 || data[end] != '\r' || data[end + 1] != '\n') {
        return 0;
    }
    out->status = status_of(data);
    out->version = 11;
    out->reason = reason;
    return end + 2;
}

enum urlpool_code urlp_h1_parse_status_line(struct urlp_span line, bool refuse_missing_reason,
                                            struct urlp_h1_status_line *out,
                                            struct urlpool_error *err)
{
    enum urlpool_code code = urlp_h1_status_prefix(line, err);
    struct urlp_span reason = {line.data, 0};
    int status;

    if (code != URLPOOL_OK) {
        return code;
    }
    if (line.len < PATTERN_LEN) {
        return fail_line(line, err);
    }
    status = status_of(line.data);
    /* RFC 9110 section 15: values outside 100..599 are invalid; those above are used in the wild
     * and harmless, those below are neither. */
    if (status < 100) {
        return fail_line(line, err);
    }
    if (line.len == PATTERN_LEN && refuse_missing_reason) {
        return fail_line(line, err);
    }
    if (line.len > PATTERN_LEN) {
        if (line.data[PATTERN_LEN] != ' ') {
            return fail_line(line, err);
        }
        /* reason-phrase = 1*( HTAB / SP / VCHAR / obs-text ): what a field value may hold. */
        reason = urlp_span_make(line.data + PATTERN_LEN + 1, line.len - PATTERN_LEN - 1);
        if (!urlp_field_value_is_valid(reason)) {
            return fail_line(line, err);
        }
    }
    out->status = status;
    /* RFC 9110 section 6.2: a higher minor version is processed as the highest that is known. */
    out->version = line.data[MINOR_AT] == '0' ? 10 : 11;
    out->reason = reason;
    return URLPOOL_OK;
}
