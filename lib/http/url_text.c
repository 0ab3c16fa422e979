/* The bytes of a URL: which may stand where, how the others are percent-encoded, and how a path
 * loses its dot segments. Nothing here knows where a part begins or ends: url.c does.
 *
 * All of it is one pass over the bytes; a URL made to be slow (thousands of '%' or "/../") costs
 * what any other of its length costs. */

#include "http/url_text.h"

#include <string.h>

#include "base/error.h"
#include "base/word.h"

/* RFC 3986 appendix A: what each part may hold as it is. */
enum {
    PCHAR = URLP_BYTE_UNRESERVED | URLP_BYTE_SUB_DELIM | URLP_BYTE_COLON | URLP_BYTE_AT
};

static const unsigned part_classes[] = {
    [URLP_URL_USERINFO] = PCHAR & ~URLP_BYTE_AT,
    [URLP_URL_PATH] = PCHAR | URLP_BYTE_SLASH,
    [URLP_URL_QUERY] = PCHAR | URLP_BYTE_SLASH | URLP_BYTE_QUESTION,
    [URLP_URL_FRAGMENT] = PCHAR | URLP_BYTE_SLASH | URLP_BYTE_QUESTION,
};

static const char *forbidden_name(unsigned char c)
{
    if (c == ' ') {
        return "a space";
    }
    if (c == '\\') {
        return "a backslash";
    }
    return "a control character";
}

/* may_hold_forbidden says whether one of eight bytes is a control, a space or a backslash. */
static bool may_hold_forbidden(const char *data)
{
    const uint64_t word = urlp_word_load(data);

    return urlp_word_has_below(word, ' ' + 1) || urlp_word_has(word, 0x7f) ||
           urlp_word_has(word, '\\');
}

enum urlpool_code urlp_url_check_bytes(struct urlp_span text, struct urlpool_error *err)
{
    size_t i = 0;

    while (i + URLP_WORD_BYTES <= text.len && !may_hold_forbidden(text.data + i)) {
        i += URLP_WORD_BYTES;
    }
    for (; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (urlp_byte_is(c, URLP_BYTE_NOT_IN_URL)) {
            return urlp_fail(err, URLPOOL_E_URL, URLPOOL_PHASE_NONE,
                             "URL holds %s (0x%02x) at byte %zu", forbidden_name(c), c, i);
        }
    }
    return URLPOOL_OK;
}

bool urlp_url_is_unreserved(unsigned char c)
{
    return urlp_byte_is(c, URLP_BYTE_UNRESERVED);
}

/* The value of the triplet that begins `in`, or -1. */
static int triplet_value(struct urlp_span in)
{
    if (in.len < 3 || in.data[0] != '%') {
        return -1;
    }

    int high = urlp_hex_value((unsigned char)in.data[1]);
    int low = urlp_hex_value((unsigned char)in.data[2]);

    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

char *urlp_url_write_triplet(char *out, unsigned char c)
{
    static const char digits[] = "0123456789ABCDEF";

    out[0] = '%';
    out[1] = digits[c >> 4];
    out[2] = digits[c & 15];
    return out + 3;
}

char *urlp_url_write_part(char *out, struct urlp_span in, enum urlp_url_part part)
{
    const unsigned as_it_is = part_classes[part];

    for (size_t i = 0; i < in.len; i++) {
        unsigned char c = (unsigned char)in.data[i];
        unsigned kept = as_it_is;
        int value = -1;

        if (urlp_byte_is(c, as_it_is)) {
            *out++ = (char)c; /* as most do: '%' is of no part */
            continue;
        }
        value = triplet_value(urlp_span_make(in.data + i, in.len - i));

        if (value >= 0) {
            /* Decoded at most once, and only into bytes that mean the same: "%252F" stays. */
            i += 2;
            c = (unsigned char)value;
            kept = URLP_BYTE_UNRESERVED;
        }
        if (urlp_byte_is(c, kept)) {
            *out++ = (char)c;
        } else {
            out = urlp_url_write_triplet(out, c);
        }
    }
    return out;
}

size_t urlp_url_decode(char *out, struct urlp_span in)
{
    size_t len = 0;

    for (size_t i = 0; i < in.len; i++) {
        unsigned char c = (unsigned char)in.data[i];
        int value = triplet_value(urlp_span_make(in.data + i, in.len - i));

        if (value >= 0) {
            i += 2;
            c = (unsigned char)value;
        }
        out[len++] = (char)c;
    }
    return len;
}

/* How many of the path's leading bytes are a segment "." or "..", its slash in front included; 0
 * when they are neither. `*out_up` says which. */
static size_t dot_segment(struct urlp_span in, bool *out_up)
{
    size_t dots = in.len > 0 && in.data[0] == '/' ? 1 : 0;
    size_t start = dots;

    while (dots < in.len && dots < start + 2 && in.data[dots] == '.') {
        dots++;
    }
    if (dots == start || (dots < in.len && in.data[dots] != '/')) {
        return 0;
    }
    *out_up = dots == start + 2;
    return dots;
}

/* Step E: moves one segment, with the slash in front of it if there is one, and returns its length.
 */
static size_t move_segment(char *to, const char *from, size_t len)
{
    size_t num_moved = 0;

    do {
        to[num_moved] = from[num_moved];
        num_moved++;
    } while (num_moved < len && from[num_moved] != '/');
    return num_moved;
}

/* Step C: the length of the path without its last segment and the slash in front of that. */
static size_t without_last_segment(const char *path, size_t len)
{
    while (len > 0 && path[len - 1] != '/') {
        len--;
    }
    return len > 0 ? len - 1 : 0;
}

size_t urlp_url_remove_dot_segments(char *path, size_t len)
{
    size_t in = 0;
    size_t out = 0;

    if (len == 0 || memchr(path, '.', len) == NULL) {
        return len;
    }
    while (in < len) {
        bool is_rooted = path[in] == '/';
        bool up = false;
        size_t skipped = dot_segment(urlp_span_make(path + in, len - in), &up);

        if (skipped == 0) {
            size_t num_moved = move_segment(path + out, path + in, len - in);

            in += num_moved;
            out += num_moved;
            continue;
        }
        in += skipped;
        if (!is_rooted) {
            /* Steps A and D: at the very beginning only; the slash behind goes too. */
            in += in < len ? 1 : 0;
            continue;
        }
        out = up ? without_last_segment(path, out) : out;
        if (in == len) {
            path[out++] = '/';
        }
    }
    return out;
}
