/* The rules of RFC 9110 and 9112 that need no context, written down one by one from their text, for
 * the reference parser of the differential tests. No table, no state, no cleverness: each function
 * looks at all of a line and answers. */

#include "grammar.h"

#include <string.h>

struct text text_of(const char *string)
{
    const struct text text = {(const unsigned char *)string, strlen(string)};

    return text;
}

struct text text_from(struct text text, size_t begin)
{
    const struct text rest = {text.at + begin, text.len - begin};

    return rest;
}

static bool is_blank(unsigned char byte)
{
    return byte == ' ' || byte == '\t';
}

struct text text_trim(struct text text)
{
    while (text.len > 0 && is_blank(text.at[0])) {
        text = text_from(text, 1);
    }
    while (text.len > 0 && is_blank(text.at[text.len - 1])) {
        text.len--;
    }
    return text;
}

bool text_is(struct text text, const char *string)
{
    return text.len == strlen(string) && memcmp(text.at, string, text.len) == 0;
}

static unsigned char small(unsigned char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte - 'A' + 'a') : byte;
}

bool text_equals_nocase(struct text a, struct text b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (small(a.at[i]) != small(b.at[i])) {
            return false;
        }
    }
    return true;
}

bool text_is_nocase(struct text text, const char *string)
{
    return text_equals_nocase(text, text_of(string));
}

static bool is_number(unsigned char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_token_byte(unsigned char byte)
{
    if (is_number(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z')) {
        return true;
    }
    return byte != '\0' && strchr("!#$%&'*+-.^_`|~", byte) != NULL;
}

/* HTAB / SP / VCHAR / obs-text */
static bool is_text_byte(unsigned char byte)
{
    return byte == '\t' || (byte >= ' ' && byte != 0x7f);
}

bool is_token(struct text text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_token_byte(text.at[i])) {
            return false;
        }
    }
    return text.len > 0;
}

bool is_field_text(struct text text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_text_byte(text.at[i])) {
            return false;
        }
    }
    return true;
}

/* quoted_len is the length of the quoted string that `text` begins with, 0 if it begins with none:
 * DQUOTE *( qdtext / quoted-pair ) DQUOTE (RFC 9110 section 5.6.4). */
static size_t quoted_len(struct text text)
{
    size_t i = 1;

    if (text.len == 0 || text.at[0] != '"') {
        return 0;
    }
    while (i < text.len && text.at[i] != '"') {
        i += text.at[i] == '\\' ? 2 : 1;
    }
    if (i >= text.len) {
        return 0;
    }
    text.len = i + 1;
    return is_field_text(text) ? text.len : 0;
}

static size_t token_len(struct text text)
{
    size_t len = 0;

    while (len < text.len && is_token_byte(text.at[len])) {
        len++;
    }
    return len;
}

static size_t blanks_len(struct text text)
{
    size_t len = 0;

    while (len < text.len && is_blank(text.at[len])) {
        len++;
    }
    return len;
}

/* shielded_len is how many bytes a comma at the front of `text` could not divide: a quoted string,
 * all of the rest behind a quotation mark that is not closed, or the one byte that is not a comma.
 */
static size_t shielded_len(struct text text)
{
    if (text.at[0] != '"') {
        return 1;
    }
    return quoted_len(text) > 0 ? quoted_len(text) : text.len;
}

bool next_member(struct text *rest, bool minds_quotes, struct text *out)
{
    while (rest->len > 0) {
        size_t len = 0;

        while (len < rest->len && rest->at[len] != ',') {
            len += minds_quotes ? shielded_len(text_from(*rest, len)) : 1;
        }
        out->at = rest->at;
        out->len = len;
        *out = text_trim(*out);
        *rest = text_from(*rest, len < rest->len ? len + 1 : len);
        if (out->len > 0) {
            return true;
        }
    }
    return false;
}

bool read_status_line(struct text line, bool needs_reason_space, int *out_version, int *out_status,
                      struct text *out_reason)
{
    const unsigned char *at = line.at;

    if (line.len < 12 || memcmp(at, "HTTP/1.", 7) != 0 || !is_number(at[7]) || at[8] != ' ') {
        return false;
    }
    if (!is_number(at[9]) || !is_number(at[10]) || !is_number(at[11])) {
        return false;
    }
    *out_version = at[7] == '0' ? 10 : 11;
    *out_status = (at[9] - '0') * 100 + (at[10] - '0') * 10 + (at[11] - '0');
    *out_reason = text_from(line, 12);
    if (out_reason->len == 0) {
        return *out_status >= 100 && !needs_reason_space;
    }
    if (out_reason->at[0] != ' ') {
        return false;
    }
    *out_reason = text_from(*out_reason, 1);
    return *out_status >= 100 && is_field_text(*out_reason);
}

bool read_decimal(struct text text, uint64_t *out)
{
    uint64_t value = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = (unsigned)text.at[i] - '0';

        if (!is_number(text.at[i]) || value > ((uint64_t)INT64_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *out = value;
    return text.len > 0;
}

static int hex_digit(unsigned char byte)
{
    const char *digits = "0123456789abcdef";
    const char *at = byte == '\0' ? NULL : strchr(digits, small(byte));

    return at == NULL ? -1 : (int)(at - digits);
}

/* read_extension takes BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] off `rest`. */
static bool read_extension(struct text *rest)
{
    struct text text = text_from(*rest, blanks_len(*rest));
    struct text value;
    size_t len;

    if (text.len == 0 || text.at[0] != ';') {
        return false;
    }
    text = text_from(text, 1);
    text = text_from(text, blanks_len(text));
    len = token_len(text);
    if (len == 0) {
        return false;
    }
    text = text_from(text, len);
    *rest = text;
    value = text_from(text, blanks_len(text));
    if (value.len == 0 || value.at[0] != '=') {
        return true;
    }
    value = text_from(value, 1);
    value = text_from(value, blanks_len(value));
    len = token_len(value) > 0 ? token_len(value) : quoted_len(value);
    *rest = text_from(value, len);
    return len > 0;
}

bool read_chunk_line(struct text line, bool refuses_blanks, uint64_t *out_size)
{
    uint64_t size = 0;
    size_t num_digits = 0;

    while (num_digits < line.len && hex_digit(line.at[num_digits]) >= 0) {
        if (num_digits == 16 || size > (uint64_t)INT64_MAX / 16) {
            return false;
        }
        size = size * 16 + (uint64_t)hex_digit(line.at[num_digits]);
        num_digits++;
    }
    line = text_from(line, num_digits);
    if (num_digits == 0) {
        return false;
    }
    *out_size = size;
    if (line.len > 0 && blanks_len(line) == line.len) {
        return !refuses_blanks;
    }
    while (line.len > 0) {
        if (!read_extension(&line)) {
            return false;
        }
    }
    return true;
}
