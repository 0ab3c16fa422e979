/* Writes JSON. What a peer sent may be any bytes; what comes out is valid UTF-8. */

#include "json.h"

#include <inttypes.h>

#include "utf8.h"

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
        size_t len = pf_utf8_len((const char *)at);

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
