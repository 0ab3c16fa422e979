/* Text and numbers for the page. A URL, a header or an error's words may be anybody's: nothing of
 * it may become markup, break the encoding, or be shown in another order than it is in. */

#include "html.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "count_of.h"
#include "monotonic.h"
#include "utf8.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define ELLIPSIS    "\xe2\x80\xa6"

enum {
    NS_PER_US = 1000,
    SECONDS_PER_MINUTE = 60,
    SECONDS_PER_HOUR = 3600
};

/* --- text ------------------------------------------------------------------------------------- */

static const char *entity_of(char byte)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* code_point decodes a well-formed sequence. */
static uint32_t code_point(const char *text, size_t len)
{
    static const unsigned char first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t code = (unsigned char)text[0] & first_bits[len];

    for (size_t i = 1; i < len; i++) {
        code = code << 6 | ((unsigned char)text[i] & 0x3f);
    }
    return code;
}

/* is_shown says whether a character is one that can be seen for what it is: no control, no mark of
 * direction, nothing of no width, and nothing that XML or HTML forbid. */
static bool is_shown(uint32_t code)
{
    static const struct {
        uint32_t from, to;
    } hidden[] = {
        {0x0,    0x1f  },
        {0x7f,   0x9f  },
        {0xad,   0xad  },
        {0x61c,  0x61c },
        {0x200b, 0x200f},
        {0x2028, 0x202e},
        {0x2060, 0x206f},
        {0xfdd0, 0xfdef},
        {0xfeff, 0xfeff},
        {0xfff9, 0xfffb},
    };

    for (size_t i = 0; i < COUNT_OF(hidden); i++) {
        if (code >= hidden[i].from && code <= hidden[i].to) {
            return false;
        }
    }
    return (code & 0xfffe) != 0xfffe; /* the last two of each plane are no characters */
}

void pf_html_add_clipped(struct pf_text *out, const char *text, size_t max)
{
    const char *at = text;

    while (*at != '\0') {
        size_t len = pf_utf8_len(at);

        if ((size_t)(at - text) + (len > 0 ? len : 1) > max) {
            pf_text_adds(out, ELLIPSIS);
            return;
        }
        if (len == 0 || !is_shown(code_point(at, len))) {
            pf_text_adds(out, REPLACEMENT);
        } else if (entity_of(*at) != NULL) {
            pf_text_adds(out, entity_of(*at));
        } else {
            pf_text_add(out, at, len);
        }
        at += len > 0 ? len : 1;
    }
}

void pf_html_add(struct pf_text *out, const char *text)
{
    pf_html_add_clipped(out, text, SIZE_MAX);
}

/* --- numbers ---------------------------------------------------------------------------------- */

void pf_html_count(struct pf_text *out, uint64_t count)
{
    char digits[24];
    size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, count);

    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            pf_text_adds(out, ",");
        }
        pf_text_add(out, &digits[i], 1);
    }
}

/* add_three adds a number below 1000 with three digits. */
static void add_three(struct pf_text *out, double number)
{
    int decimals = 2;

    if (number >= 99.95) {
        decimals = 0;
    } else if (number >= 9.995) {
        decimals = 1;
    }
    pf_text_addf(out, "%.*f", decimals, number);
}

void pf_html_number(struct pf_text *out, double number)
{
    if (number >= 99.95) {
        pf_html_count(out, (uint64_t)(number + 0.5));
    } else {
        pf_text_addf(out, "%.3g", number);
    }
}

static void add_long_time(struct pf_text *out, int64_t seconds)
{
    if (seconds < SECONDS_PER_HOUR) {
        pf_text_addf(out, "%" PRId64 " min %02" PRId64 " s", seconds / SECONDS_PER_MINUTE,
                     seconds % SECONDS_PER_MINUTE);
        return;
    }
    pf_html_count(out, (uint64_t)(seconds / SECONDS_PER_HOUR));
    pf_text_addf(out, " h %02" PRId64 " min", seconds / SECONDS_PER_MINUTE % SECONDS_PER_MINUTE);
}

static const struct {
    double ns;
    const char *name;
} units[] = {
    {NS_PER_US,        "µs"},
    {PF_NS_PER_MS,     "ms" },
    {PF_NS_PER_SECOND, "s"  },
};

void pf_html_round_ns(struct pf_text *out, double ns)
{
    size_t unit = 0;

    while (unit + 1 < COUNT_OF(units) && ns >= units[unit + 1].ns) {
        unit++;
    }
    pf_text_addf(out, "%g %s", ns / units[unit].ns, units[unit].name);
}

void pf_html_ns(struct pf_text *out, int64_t ns)
{
    if (ns <= 0) {
        pf_text_adds(out, "0 s");
        return;
    }
    if (ns >= INT64_C(120) * PF_NS_PER_SECOND) {
        add_long_time(out, ns / PF_NS_PER_SECOND);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        double number = (double)ns / units[i].ns;

        if (number < 999.5 || i + 1 == COUNT_OF(units)) {
            add_three(out, number);
            pf_text_addf(out, " %s", units[i].name);
            return;
        }
    }
}

static const char *const byte_units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

/* byte_unit gives the unit in which `bytes` is less than `max`, and divides it by that. */
static const char *byte_unit(double *bytes, double max)
{
    size_t unit = 0;

    while (*bytes >= max && unit + 1 < COUNT_OF(byte_units)) {
        *bytes /= 1024;
        unit++;
    }
    return byte_units[unit];
}

void pf_html_bytes(struct pf_text *out, double bytes)
{
    const char *unit = byte_unit(&bytes, 999.5);

    if (unit == byte_units[0]) {
        pf_text_addf(out, "%.0f B", bytes);
        return;
    }
    add_three(out, bytes);
    pf_text_addf(out, " %s", unit);
}

void pf_html_round_bytes(struct pf_text *out, double bytes)
{
    const char *unit = byte_unit(&bytes, 1024);

    pf_text_addf(out, "%g %s", bytes, unit);
}

void pf_html_share(struct pf_text *out, uint64_t part, uint64_t whole)
{
    double percent = whole > 0 ? 100.0 * (double)part / (double)whole : 0;

    if (part == whole && whole > 0) {
        pf_text_adds(out, "100 %");
    } else if (part > 0 && percent < 0.05) {
        pf_text_adds(out, "&lt;0.1 %");
    } else if (part < whole && percent > 99.9) {
        pf_text_adds(out, "&gt;99.9 %");
    } else {
        pf_text_addf(out, "%.1f %%", percent);
    }
}

void pf_html_begin_section(struct pf_text *out, const char *id, const char *title)
{
    pf_text_addf(out, "<section aria-labelledby=\"h-%s\">\n<h2 id=\"h-%s\">%s</h2>\n", id, id,
                 title);
}

void pf_html_end_section(struct pf_text *out)
{
    pf_text_adds(out, "</section>\n");
}
