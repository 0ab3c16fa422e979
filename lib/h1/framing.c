/* How long the body of a response is (RFC 9112 section 6.3): one decision, made once, from the head
 * alone, before a byte of the body is given out. Whatever could be read in two ways is refused;
 * what is clear but should not have been sent is delivered, and the connection is not used again.
 */

#include "h1/framing.h"

#include <string.h>

#include "base/error.h"

/* A number of so many digits fits into int64_t, whatever they are. */
#define SAFE_DIGITS 18

enum length_verdict {
    LENGTH_ABSENT,
    LENGTH_VALID,
    LENGTH_BAD
};

enum coding_verdict {
    CODING_ABSENT,
    CODING_CHUNKED,
    CODING_OTHER
};

/* take_element cuts the next element off a list of lengths; unlike in other lists none is empty. */
static struct urlp_span take_element(struct urlp_span *rest, bool *out_is_last)
{
    const char *comma = rest->len == 0 ? NULL : memchr(rest->data, ',', rest->len);
    struct urlp_span element = *rest;

    *out_is_last = comma == NULL;
    if (comma != NULL) {
        element.len = (size_t)(comma - rest->data);
        *rest = urlp_span_make(comma + 1, rest->len - element.len - 1);
    }
    return urlp_span_trim(element);
}

/* is_one_number reads digits and nothing else, too few of them to overflow. */
static bool is_one_number(struct urlp_span text, int64_t *out_number)
{
    int64_t number = 0;
    size_t i;

    for (i = 0; i < text.len && i < SAFE_DIGITS && urlp_is_digit((unsigned char)text.data[i]);
         i++) {
        number = number * 10 + (text.data[i] - '0');
    }
    if (i == 0 || i < text.len) {
        return false;
    }
    *out_number = number;
    return true;
}

/* parse_lengths is urlp_h1_parse_length, and shows the number as it is written. */
static bool parse_lengths(struct urlp_span value, struct urlp_span *out_first, int64_t *out_length)
{
    bool is_last = false;
    struct urlp_span first;
    uint64_t length;

    *out_first = value;
    if (is_one_number(value, out_length)) {
        return true; /* almost always */
    }
    first = take_element(&value, &is_last);
    /* RFC 9110 section 8.6: "A recipient MUST anticipate potentially large decimal numerals and
     * prevent parsing errors due to integer conversion overflows". */
    if (!urlp_span_to_u64(first, &length) || length > INT64_MAX) {
        return false;
    }
    while (!is_last) {
        if (!urlp_span_equals(take_element(&value, &is_last), first)) {
            return false;
        }
    }
    *out_first = first;
    *out_length = (int64_t)length;
    return true;
}

bool urlp_h1_parse_length(struct urlp_span value, int64_t *out_length)
{
    struct urlp_span first;

    return parse_lengths(value, &first, out_length);
}

/* read_length looks at all Content-Length lines: each must be valid, and all the same text. */
static enum length_verdict read_length(const struct urlp_response_head *head, int64_t *out_length)
{
    enum length_verdict verdict = LENGTH_ABSENT;
    struct urlp_span first = {NULL, 0};
    const struct urlp_field *field;
    size_t index = 0;

    while ((field = urlp_head_find(head, "Content-Length", &index)) != NULL) {
        struct urlp_span number;

        if (!parse_lengths(field->value, &number, out_length)) {
            return LENGTH_BAD;
        }
        if (verdict == LENGTH_VALID && !urlp_span_equals(number, first)) {
            return LENGTH_BAD;
        }
        first = number;
        verdict = LENGTH_VALID;
    }
    return verdict;
}

/* read_coding accepts one line that says "chunked" and nothing else. We never send TE, so a server
 * may use no other coding (RFC 9112 section 7.4), and section 6.1 has it apply chunked once. */
static enum coding_verdict read_coding(const struct urlp_response_head *head)
{
    size_t index = 0;
    const struct urlp_field *field = urlp_head_find(head, "Transfer-Encoding", &index);

    if (field == NULL) {
        return CODING_ABSENT;
    }
    if (!urlp_span_is_nocase(field->value, "chunked") ||
        urlp_head_find(head, "Transfer-Encoding", &index) != NULL) {
        return CODING_OTHER;
    }
    return CODING_CHUNKED;
}

static enum urlpool_code fail_length(const struct urlp_response_head *head,
                                     struct urlpool_error *err)
{
    size_t index = 0;
    const struct urlp_field *field = urlp_head_find(head, "Content-Length", &index);
    struct urlp_span value = field != NULL ? field->value : urlp_span_of("");

    return urlp_fail(err, URLPOOL_E_BAD_LENGTH, URLPOOL_PHASE_HEAD,
                     "Content-Length is no number, or not the same one everywhere: \"%s\"",
                     urlp_quote(value.data, value.len).text);
}

static enum urlpool_code fail_coding(const struct urlp_response_head *head,
                                     struct urlpool_error *err)
{
    size_t index = 0;
    const struct urlp_field *field = urlp_head_find(head, "Transfer-Encoding", &index);
    struct urlp_span value = field != NULL ? field->value : urlp_span_of("");

    return urlp_fail(err, URLPOOL_E_TRANSFER_ENCODING, URLPOOL_PHASE_HEAD,
                     "Transfer-Encoding is not \"chunked\" alone: \"%s\"",
                     urlp_quote(value.data, value.len).text);
}

/* is_odd_without_body judges a head that has no body whatever it says. A response to HEAD and a 304
 * may announce the length that GET would have had; a 204 has none to announce. */
static bool is_odd_without_body(int status, enum length_verdict length_is, int64_t length,
                                enum coding_verdict coding)
{
    if (length_is == LENGTH_BAD || coding == CODING_OTHER) {
        return true;
    }
    if (length_is == LENGTH_VALID && coding == CODING_CHUNKED) {
        return true;
    }
    return status == 204 && (coding != CODING_ABSENT || length > 0);
}

enum urlpool_code urlp_h1_frame(const struct urlp_response_head *head, bool is_head,
                                bool is_connect, struct urlp_h1_framing *out,
                                struct urlpool_error *err)
{
    struct urlp_h1_framing framing = {.kind = URLP_H1_BODY_NONE};
    int64_t length = 0;
    enum length_verdict length_is = read_length(head, &length);
    enum coding_verdict coding = read_coding(head);
    bool is_success = head->status >= 200 && head->status < 300;

    if (head->status < 200) {
        /* 1. 1xx: ends at the empty line, whatever its fields say. */
    } else if (is_connect && is_success) {
        /* 2. "Any 2xx (Successful) response to a CONNECT request implies that the connection will
         *    become a tunnel … A client MUST ignore any Content-Length or Transfer-Encoding". */
        framing.is_tunnel = true;
    } else if (is_head || head->status == 204 || head->status == 304) {
        /* 1. HEAD, 204, 304: the same, but what they say may show a peer not to be trusted. */
        framing.is_odd = is_odd_without_body(head->status, length_is, length, coding);
    } else if (length_is == LENGTH_BAD) {
        /* 3. "If a message is received with both … the Transfer-Encoding overrides the
         *    Content-Length. Such a message … ought to be handled as an error". This one is.
         * 5. "the recipient MUST treat it as an unrecoverable error, unless the field value can be
         *    successfully parsed as a comma-separated list", all the same (read_length). */
        return fail_length(head, err);
    } else if (coding == CODING_CHUNKED) {
        /* 3. With a good length it is delivered, and the connection not used again. In HTTP/1.0
         *    any transfer coding is faulty framing: process, then close (section 6.1).
         * 4. "the message body length is determined by reading and decoding the chunked data". */
        framing.kind = URLP_H1_BODY_CHUNKED;
        framing.is_odd = length_is == LENGTH_VALID || head->version < 11;
    } else if (coding == CODING_OTHER) {
        /* 4. A coding other than chunked was not offered: refused, not read until close. */
        return fail_coding(head, err);
    } else if (length_is == LENGTH_VALID) {
        /* 6. "its decimal value defines the expected message body length in octets". */
        framing.kind = URLP_H1_BODY_LENGTH;
        framing.length = length;
    } else {
        /* 7. is about requests. 8. "Otherwise … the message body length is determined by the number
         *    of octets received prior to the server closing the connection." */
        framing.kind = URLP_H1_BODY_UNTIL_CLOSE;
    }
    *out = framing;
    return URLPOOL_OK;
}
