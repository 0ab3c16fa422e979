/* Writes JSON. What a peer sent may be any bytes; what comes out is valid UTF-8. */

#include "json.h"

#include <inttypes.h>
#include <string.h>

/* The well-formed sequences of UTF-8, by their first two bytes (RFC 3629 section 4). */
static const struct utf8_form {
    unsigned char first_min, first_max, second_min, second_max;
    size_t len;
} forms[] = {
    {0x00, 0x7f, 0x00, 0xff, 1},
    {0xc2, 0xdf, 0x80, 0xbf, 2},
    {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3},
    {0xed, 0xed, 0x80, 0x9f, 3},
    {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4},
    {0xf1, 0xf3, 0x80, 0xbf, 4},
    {0xf4, 0xf4, 0x80, 0x8f, 4},
};

/* goes_on says whether what is behind the first byte has the form. */
static bool goes_on(const struct utf8_form *form, const unsigned char *bytes)
{
    if (form->len > 1 && (bytes[1] < form->second_min || bytes[1] > form->second_max)) {
        return false;
    }
    for (size_t i = 2; i < form->len; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return false;
        }
    }
    return true;
}

/* utf8_len is the length of the well-formed sequence at `bytes`, 0 when there is none. */
static size_t utf8_len(const unsigned char *bytes)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (bytes[0] >= forms[i].first_min && bytes[0] <= forms[i].first_max) {
            return goes_on(&forms[i], bytes) ? forms[i].len : 0;
        }
    }
    return 0;
}

static void add_escaped(struct pf_text *out, unsigned char byte)
{
    static const char names[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* pairs: byte, letter */

    for (size_t i = 0; i < sizeof(names) - 1; i += 2) {
        if (byte == (unsigned char)names[i]) {
            pf_text_addf(out, "\\%c", names[i + 1]);
            return;
        }
    }
    pf_text_addf(out, "\\u%04x", byte);
}

static void add_string(struct pf_text *out, const char *value)
{
    const unsigned char *at = (const unsigned char *)value;

    pf_text_adds(out, "\"");
    while (*at != '\0') {
        size_t len = utf8_len(at);

        if (len == 0) {
            pf_text_adds(out, "\\ufffd");
            at++;
        } else if (len == 1 && (*at < 0x20 || *at == '"' || *at == '\\' || *at == 0x7f)) {
            add_escaped(out, *at++);
        } else {
            pf_text_add(out, at, len);
            at += len;
        }
    }
    pf_text_adds(out, "\"");
}

static void begin_line(struct pf_json *json)
{
    if (json->is_pretty) {
        pf_text_addf(json->out, "\n%*s", (int)(2 * json->depth), "");
    }
}

static void begin_member(struct pf_json *json, const char *key)
{
    if (json->needs_comma) {
        pf_text_adds(json->out, ",");
    }
    if (json->depth > 0) {
        begin_line(json);
    }
    if (key != NULL) {
        add_string(json->out, key);
        pf_text_adds(json->out, json->is_pretty ? ": " : ":");
    }
    json->needs_comma = true;
}

void pf_json_begin(struct pf_json *json, const char *key)
{
    begin_member(json, key);
    pf_text_adds(json->out, "{");
    json->needs_comma = false;
    json->depth++;
}

void pf_json_end(struct pf_json *json)
{
    json->depth--;
    if (json->needs_comma) {
        begin_line(json);
    }
    pf_text_adds(json->out, "}");
    json->needs_comma = true;
}

void pf_json_string(struct pf_json *json, const char *key, const char *value)
{
    begin_member(json, key);
    if (value == NULL) {
        pf_text_adds(json->out, "null");
        return;
    }
    add_string(json->out, value);
}

void pf_json_int(struct pf_json *json, const char *key, int64_t value)
{
    begin_member(json, key);
    pf_text_addf(json->out, "%" PRId64, value);
}

void pf_json_number(struct pf_json *json, const char *key, double value, int decimals)
{
    begin_member(json, key);
    pf_text_addf(json->out, "%.*f", decimals, value);
}

void pf_json_bool(struct pf_json *json, const char *key, bool value)
{
    begin_member(json, key);
    pf_text_adds(json->out, value ? "true" : "false");
}
