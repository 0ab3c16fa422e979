/* One field line (RFC 9112 section 5): field-name ":" OWS field-value OWS. There is no tolerance
 * here: a line that two parsers could read in two ways is refused. Where lines begin and end, and
 * how many there may be, is for the head parser. */

#include "h1/field_parser.h"

#include <string.h>

#include "base/error.h"

struct urlp_quoted urlp_h1_quote_name(struct urlp_span line)
{
    size_t len = 0;

    while (len < line.len && urlp_span_is_token(urlp_span_make(line.data + len, 1))) {
        len++;
    }
    if (len < line.len && line.data[len] != ':') {
        len++; /* the one that is wrong in a name */
    }
    return urlp_quote(line.data, len);
}

static enum urlpool_code fail_field(const char *what, struct urlp_span line,
                                    enum urlpool_phase phase, struct urlpool_error *err)
{
    return urlp_fail(err, URLPOOL_E_BAD_FIELD, phase, "%s: \"%s\"", what,
                     urlp_h1_quote_name(line).text);
}

enum urlpool_code urlp_h1_parse_field_line(struct urlp_span line, enum urlpool_phase phase,
                                           struct urlp_field *out, struct urlpool_error *err)
{
    struct urlp_field field;
    const size_t len = urlp_span_token_len(line);

    /* Section 5.1: "No whitespace is allowed between the field name and colon." A name is a token,
     * so the blank is caught with everything else that is none. */
    if (len == 0 || len == line.len || line.data[len] != ':') {
        return fail_field(line.len == 0 || memchr(line.data, ':', line.len) == NULL
                              ? "field line without a colon"
                              : "field name is not a token",
                          line, phase, err);
    }
    field.name = urlp_span_make(line.data, len);
    field.value = urlp_span_trim(urlp_span_make(line.data + len + 1, line.len - len - 1));
    if (!urlp_field_value_is_valid(field.value)) {
        return fail_field("control character in a field value", line, phase, err);
    }
    *out = field;
    return URLPOOL_OK;
}

enum urlpool_code urlp_h1_check_fold(struct urlp_span name, struct urlp_span line,
                                     struct urlpool_error *err)
{
    if (urlp_span_is_nocase(name, "Content-Length")) {
        return urlp_fail(err, URLPOOL_E_BAD_LENGTH, URLPOOL_PHASE_HEAD,
                         "Content-Length is folded over two lines");
    }
    if (urlp_span_is_nocase(name, "Transfer-Encoding")) {
        return urlp_fail(err, URLPOOL_E_TRANSFER_ENCODING, URLPOOL_PHASE_HEAD,
                         "Transfer-Encoding is folded over two lines");
    }
    if (!urlp_field_value_is_valid(urlp_span_trim(line))) {
        return fail_field("control character in a field value", name, URLPOOL_PHASE_HEAD, err);
    }
    return URLPOOL_OK;
}
