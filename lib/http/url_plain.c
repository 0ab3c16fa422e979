/* URLs that are written as we would write them ourselves, as most are: one pass finds that out and
 * where their parts lie, and their text is their normal form.
 *
 * Nothing is refused here and nothing changed. Whatever is not plain at first sight, be it good or
 * bad, is left to url.c, which would make the same of a plain URL; its tests hold the two against
 * each other. */

#include "http/url_plain.h"

#include <string.h>

#include "http/url_host.h"

enum {
    PORT_MAX = 65535,
    OF_QUERY = URLP_BYTE_UNRESERVED | URLP_BYTE_SUB_DELIM | URLP_BYTE_COLON | URLP_BYTE_AT |
               URLP_BYTE_SLASH | URLP_BYTE_QUESTION,
    OF_PATH = OF_QUERY & ~URLP_BYTE_QUESTION
};

static bool is_at(struct urlp_span text, size_t at, char c)
{
    return at < text.len && text.data[at] == c;
}

/* scheme_len is 4 for "http://", 5 for "https://", else 0. */
static size_t scheme_len(struct urlp_span text)
{
    static const char secure[] = "https://";
    static const char plain[] = "http://";

    if (text.len >= sizeof(plain) && memcmp(text.data, plain, sizeof(plain) - 1) == 0) {
        return sizeof(plain) - 4;
    }
    if (text.len >= sizeof(secure) && memcmp(text.data, secure, sizeof(secure) - 1) == 0) {
        return sizeof(secure) - 4;
    }
    return 0;
}

/* run_end is where the bytes of `classes` end that begin at `at`. */
static size_t run_end(struct urlp_span text, size_t at, unsigned classes)
{
    while (at < text.len && urlp_byte_is((unsigned char)text.data[at], classes)) {
        at++;
    }
    return at;
}

/* cut_port reads the port behind the colon at `*at` and moves `*at` behind it; false for none, for
 * leading zeros and for more than there are ports. */
static bool cut_port(struct urlp_span text, size_t *at, int *out_port)
{
    const size_t start = *at + 1;
    size_t end = start;
    int port = 0;

    while (end < text.len && urlp_is_digit((unsigned char)text.data[end]) && port <= PORT_MAX) {
        port = port * 10 + (text.data[end++] - '0');
    }
    if (end == start || port > PORT_MAX || (text.data[start] == '0' && end > start + 1)) {
        return false;
    }
    *at = end;
    *out_port = port;
    return true;
}

/* has_dot_segment says whether a segment of the path begins with a dot: it may be "." or "..". */
static bool has_dot_segment(const char *path, size_t len)
{
    const char *dot = path;
    const char *end = path + len;

    while (dot < end && (dot = memchr(dot, '.', (size_t)(end - dot))) != NULL) {
        if (dot[-1] == '/') {
            return true; /* what stands before a path is no slash, but a path begins with one */
        }
        dot++;
    }
    return false;
}

bool urlp_url_cut_plain(struct urlp_span text, struct urlp_url_cuts *out)
{
    size_t at;

    out->scheme_end = scheme_len(text);
    if (out->scheme_end == 0) {
        return false;
    }
    out->host = out->scheme_end + 3;
    out->host_end = at = run_end(text, out->host, URLP_BYTE_HOST);
    out->port = -1;
    if (is_at(text, at, ':') && !cut_port(text, &at, &out->port)) {
        return false;
    }
    out->path = at;
    out->path_end = at = is_at(text, at, '/') ? run_end(text, at, OF_PATH) : at;
    out->has_query = is_at(text, at, '?');
    if (out->has_query) {
        at = run_end(text, at + 1, OF_QUERY);
    }
    return at == text.len &&
           urlp_host_is_settled(urlp_span_make(text.data + out->host, out->host_end - out->host)) &&
           !has_dot_segment(text.data + out->path, out->path_end - out->path);
}
