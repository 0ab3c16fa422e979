/* Reading, resolving and writing URLs: where the parts of one begin and end.
 *
 * A URL is first split at its delimiters, nothing decoded (RFC 3986 appendix B without its regular
 * expression), a reference is then joined to its base part by part, and the result is written once,
 * in normal form, into the text that the spans of struct urlp_url point into. So what is compared,
 * sent and logged is always the same bytes. Non-HTTP schemes are read too: whether a request can be
 * made of a URL is a question of its own. */

#include "http/url.h"

#include <string.h>

#include "base/error.h"
#include "base/ip.h"
#include "http/url_host.h"
#include "http/url_plain.h"
#include "http/url_text.h"

enum {
    URL_BYTES_MAX = 64 * 1024,
    /* A host with every byte percent-encoded, a zone and a port. */
    AUTHORITY_BYTES_MAX = 1024,
    /* "//", "@", "[", "%25", "]", ":65535", "/.", "?", "#", NUL, an address spelled out. */
    PUNCTUATION_BYTES_MAX = 128,
    PATH_ENDS = URLP_BYTE_QUESTION | URLP_BYTE_HASH
};

/* A URL cut at its delimiters; absent parts have data NULL. `directory` is what a relative path
 * takes from its base. */
struct parts {
    struct urlp_span scheme, authority, directory, path, query, fragment;
};

/* An authority cut at its delimiters. */
struct authority {
    struct urlp_span userinfo;
    struct urlp_host host;
    int port;
};

static enum urlpool_code refuse(const char *why, struct urlpool_error *err)
{
    (void)urlp_fail(err, URLPOOL_E_URL, URLPOOL_PHASE_NONE, "%s", why);
    return URLPOOL_E_URL;
}

/* Takes what stands before the first byte of the classes `stops`, or all, off `rest`. */
static struct urlp_span take_until(struct urlp_span *rest, unsigned stops)
{
    size_t len = urlp_span_until(*rest, stops);
    struct urlp_span taken = urlp_span_make(rest->data, len);

    *rest = urlp_span_make(rest->data + len, rest->len - len);
    return taken;
}

static bool skip_text(struct urlp_span *rest, const char *text)
{
    size_t len = strlen(text);

    if (rest->len < len || memcmp(rest->data, text, len) != 0) {
        return false;
    }
    *rest = urlp_span_make(rest->data + len, rest->len - len);
    return true;
}

static bool scheme_is_valid(struct urlp_span scheme)
{
    /* RFC 3986 section 3.1: scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ) */
    for (size_t i = 0; i < scheme.len; i++) {
        unsigned char c = (unsigned char)scheme.data[i];
        bool is_later = urlp_is_digit(c) || c == '+' || c == '-' || c == '.';

        if (!urlp_is_alpha(c) && (i == 0 || !is_later)) {
            return false;
        }
    }
    return scheme.len > 0;
}

static enum urlpool_code split(struct urlp_span text, struct parts *out, struct urlpool_error *err)
{
    *out = (struct parts){0};
    if (text.len > URL_BYTES_MAX) {
        return urlp_fail(err, URLPOOL_E_URL, URLPOOL_PHASE_NONE,
                         "URL of %zu bytes is longer than %d", text.len, URL_BYTES_MAX);
    }

    enum urlpool_code code = urlp_url_check_bytes(text, err);

    if (code != URLPOOL_OK) {
        return code;
    }

    struct urlp_span rest = text;
    struct urlp_span scheme = take_until(&rest, URLP_BYTE_COLON | PATH_ENDS | URLP_BYTE_SLASH);

    if (!skip_text(&rest, ":")) {
        rest = text;
    } else if (scheme_is_valid(scheme)) {
        out->scheme = scheme;
    } else {
        return refuse("URL has a colon in its first segment, behind what is no scheme", err);
    }
    if (skip_text(&rest, "//")) {
        out->authority = take_until(&rest, URLP_BYTE_SLASH | PATH_ENDS);
    }
    out->path = take_until(&rest, PATH_ENDS);
    if (skip_text(&rest, "?")) {
        out->query = take_until(&rest, URLP_BYTE_HASH);
    }
    if (skip_text(&rest, "#")) {
        out->fragment = rest;
    }
    return URLPOOL_OK;
}

/* Cuts the host off `rest`, so that nothing or ":port" is left. */
static struct urlp_span take_host(struct urlp_span *rest)
{
    struct urlp_span all = *rest;

    if (all.len == 0 || all.data[0] != '[') {
        return take_until(rest, URLP_BYTE_COLON);
    }

    const char *close = memchr(all.data, ']', all.len);
    size_t len = close != NULL ? (size_t)(close - all.data) + 1 : all.len;

    *rest = urlp_span_make(all.data + len, all.len - len);
    return urlp_span_make(all.data, len);
}

static enum urlpool_code split_authority(struct urlp_span text, struct authority *out,
                                         struct urlpool_error *err)
{
    struct urlp_span rest = text;
    const char *at = memchr(text.data, '@', text.len);

    out->userinfo = urlp_span_make(NULL, 0);
    out->port = -1;
    if (at != NULL) {
        out->userinfo = urlp_span_make(text.data, (size_t)(at - text.data));
        rest = urlp_span_make(at + 1, text.len - out->userinfo.len - 1);
    }
    if (rest.len > 0 && memchr(rest.data, '@', rest.len) != NULL) {
        return refuse("URL has several '@' in its authority; write those of the user as %40", err);
    }

    struct urlp_span host = take_host(&rest);
    bool has_port = skip_text(&rest, ":");

    if (!has_port && rest.len > 0) {
        return refuse("URL has something else than a port behind the address in brackets", err);
    }
    if (host.len == 0 && (has_port || at != NULL)) {
        return refuse("URL has a port or user but no host", err);
    }

    enum urlpool_code code = urlp_host_parse(host, &out->host, err);

    if (code != URLPOOL_OK) {
        return code;
    }
    return urlp_port_parse(rest, &out->port, err);
}

/* The writers below move `end` and set spans; the text has room for all that can come. */
static char *write_bytes(char *end, const char *data, size_t len)
{
    if (len > 0) {
        memcpy(end, data, len);
    }
    return end + len;
}

static char *write_text(char *end, const char *text)
{
    return write_bytes(end, text, strlen(text));
}

static char *write_scheme(char *end, struct urlp_span scheme, struct urlp_url *out)
{
    if (scheme.data == NULL) {
        return end;
    }
    out->scheme = urlp_span_make(end, scheme.len);
    for (size_t i = 0; i < scheme.len; i++) {
        *end++ = urlp_to_lower(scheme.data[i]);
    }
    return write_text(end, ":");
}

static char *write_part(char *end, struct urlp_span in, enum urlp_url_part part,
                        struct urlp_span *out)
{
    char *start = end;

    end = urlp_url_write_part(end, in, part);
    *out = urlp_span_make(start, (size_t)(end - start));
    return end;
}

static char *write_port(char *end, int port)
{
    char digits[6];
    size_t i = sizeof(digits);

    do {
        digits[--i] = (char)('0' + port % 10);
        port /= 10;
    } while (port > 0);
    end = write_text(end, ":");
    return write_bytes(end, digits + i, sizeof(digits) - i);
}

static char *write_authority(char *end, const struct authority *authority, struct urlp_url *out)
{
    const struct urlp_host *host = &authority->host;

    end = write_text(end, "//");
    if (authority->userinfo.data != NULL) {
        end = write_part(end, authority->userinfo, URLP_URL_USERINFO, &out->userinfo);
        end = write_text(end, "@");
    }
    end = write_text(end, host->is_v6 ? "[" : "");
    out->host = urlp_span_make(end, host->len);
    end = write_bytes(end, host->text, host->len);
    if (host->zone_len > 0) {
        end = write_text(end, "%25");
        out->zone = urlp_span_make(end, host->zone_len);
        end = write_bytes(end, host->zone, host->zone_len);
    }
    end = write_text(end, host->is_v6 ? "]" : "");
    out->port = authority->port;
    return authority->port < 0 ? end : write_port(end, authority->port);
}

static char *write_path(char *end, const struct parts *parts, struct urlp_url *out)
{
    char *path = end;
    bool is_absolute = out->scheme.data != NULL || parts->authority.data != NULL;

    end = urlp_url_write_part(end, parts->directory, URLP_URL_PATH);
    end = urlp_url_write_part(end, parts->path, URLP_URL_PATH);

    size_t len = (size_t)(end - path);

    /* "../x" on its own means something; "/../x" and "http:../x" no more than "/x". */
    if (is_absolute || (len > 0 && path[0] == '/')) {
        len = urlp_url_remove_dot_segments(path, len);
    }
    /* RFC 3986 section 3.3: without an authority the path cannot begin with "//". */
    if (parts->authority.data == NULL && len >= 2 && path[0] == '/' && path[1] == '/') {
        memmove(path + 2, path, len);
        path[0] = '/';
        path[1] = '.';
        len += 2;
    }
    out->path = urlp_span_make(path, len);
    return path + len;
}

static void clear(struct urlp_url *url)
{
    struct urlp_buf text = url->text;

    text.len = 0;
    *url = (struct urlp_url){.text = text, .port = -1};
}

static void write_parts(const struct parts *parts, const struct authority *authority,
                        struct urlp_url *out)
{
    char *start = (char *)out->text.data;
    char *end = write_scheme(start, parts->scheme, out);

    if (parts->authority.data != NULL) {
        end = write_authority(end, authority, out);
    }
    end = write_path(end, parts, out);
    if (parts->query.data != NULL) {
        end = write_text(end, "?");
        end = write_part(end, parts->query, URLP_URL_QUERY, &out->query);
    }
    if (parts->fragment.data != NULL) {
        end = write_text(end, "#");
        end = write_part(end, parts->fragment, URLP_URL_FRAGMENT, &out->fragment);
    }
    *end = '\0';
    out->text.len = (size_t)(end - start);
}

/* Makes the normal form of `parts`; `out` must be clear. */
static enum urlpool_code compose(const struct parts *parts, struct urlp_url *out,
                                 struct urlpool_error *err)
{
    struct authority authority; /* of a URL that has none it is not looked at */
    size_t len = parts->scheme.len + parts->authority.len + parts->directory.len + parts->path.len +
                 parts->query.len + parts->fragment.len;
    enum urlpool_code code = URLPOOL_OK;

    if (parts->authority.data != NULL) {
        code = split_authority(parts->authority, &authority, err);
    }
    if (code != URLPOOL_OK) {
        return code;
    }
    if (urlp_buf_reserve(&out->text, len * 3 + PUNCTUATION_BYTES_MAX) != URLPOOL_OK) {
        return urlp_fail_nomem(err);
    }
    write_parts(parts, &authority, out);
    if (out->text.len > URL_BYTES_MAX) {
        return urlp_fail(err, URLPOOL_E_URL, URLPOOL_PHASE_NONE,
                         "URL of %zu bytes, percent-encoded, is longer than %d", out->text.len,
                         URL_BYTES_MAX);
    }
    /* RFC 9110 section 4.2.1: "MUST reject a URI reference with an empty host as invalid". */
    if (urlp_url_has_http_scheme(out) && parts->authority.data != NULL && out->host.len == 0) {
        return refuse("URL has an empty host", err);
    }
    return URLPOOL_OK;
}

/* take_plain makes a URL of a text that is its normal form, cut where `cuts` says. */
static enum urlpool_code take_plain(struct urlp_span text, const struct urlp_url_cuts *cuts,
                                    struct urlp_url *out, struct urlpool_error *err)
{
    char *start;

    if (urlp_buf_reserve(&out->text, text.len + 1) != URLPOOL_OK) {
        return urlp_fail_nomem(err);
    }
    start = (char *)out->text.data;
    memcpy(start, text.data, text.len);
    start[text.len] = '\0';
    out->text.len = text.len;
    out->scheme = urlp_span_make(start, cuts->scheme_end);
    out->host = urlp_span_make(start + cuts->host, cuts->host_end - cuts->host);
    out->port = cuts->port;
    out->path = urlp_span_make(start + cuts->path, cuts->path_end - cuts->path);
    if (cuts->has_query) {
        out->query = urlp_span_make(start + cuts->path_end + 1, text.len - cuts->path_end - 1);
    }
    return URLPOOL_OK;
}

enum urlpool_code urlp_url_parse(struct urlp_span text, struct urlp_url *out,
                                 struct urlpool_error *err)
{
    struct urlp_url_cuts cuts;
    struct parts parts;
    enum urlpool_code code = URLPOOL_OK;

    clear(out);
    if (text.len <= URL_BYTES_MAX && urlp_url_cut_plain(text, &cuts)) {
        return take_plain(text, &cuts, out, err);
    }
    if (text.data == NULL) {
        text = urlp_span_of("");
    }
    code = split(text, &parts, err);
    if (code == URLPOOL_OK) {
        code = compose(&parts, out, err);
    }
    if (code != URLPOOL_OK) {
        clear(out);
    }
    return code;
}

/* The authority of a parsed URL, "//" left out. */
static struct urlp_span authority_of(const struct urlp_url *url)
{
    const char *start = (const char *)url->text.data;

    if (url->host.data == NULL) {
        return (struct urlp_span){NULL, 0};
    }
    start += (url->scheme.data == NULL ? 0 : url->scheme.len + 1) + 2;
    return urlp_span_make(start, (size_t)(url->path.data - start));
}

/* RFC 3986 section 5.2.3: what stands before the path of a relative reference. */
static struct urlp_span directory_of(const struct urlp_url *base)
{
    size_t len = base->path.len;

    if (base->host.data != NULL && len == 0) {
        return urlp_span_of("/");
    }
    while (len > 0 && base->path.data[len - 1] != '/') {
        len--;
    }
    return urlp_span_make(base->path.data, len);
}

/* RFC 3986 section 5.2.2. */
static void inherit(const struct urlp_url *base, struct parts *parts)
{
    if (parts->scheme.data != NULL) {
        return;
    }
    parts->scheme = base->scheme;
    if (parts->authority.data != NULL) {
        return;
    }
    parts->authority = authority_of(base);
    if (parts->path.len == 0) {
        parts->path = base->path;
        parts->query = parts->query.data == NULL ? base->query : parts->query;
    } else if (parts->path.data[0] != '/') {
        parts->directory = directory_of(base);
    }
}

static enum urlpool_code resolve(const struct urlp_url *base, struct urlp_span reference,
                                 bool keep_fragment, struct urlp_url *out,
                                 struct urlpool_error *err)
{
    struct parts parts;
    enum urlpool_code code = URLPOOL_OK;

    clear(out);
    if (base->scheme.data == NULL) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                         "a reference can only be resolved against a URL with a scheme");
    }
    if (reference.data == NULL) {
        reference = urlp_span_of("");
    }
    code = split(reference, &parts, err);
    if (code == URLPOOL_OK) {
        inherit(base, &parts);
        if (keep_fragment && parts.fragment.data == NULL) {
            parts.fragment = base->fragment;
        }
        code = compose(&parts, out, err);
    }
    if (code != URLPOOL_OK) {
        clear(out);
    }
    return code;
}

enum urlpool_code urlp_url_resolve(const struct urlp_url *base, struct urlp_span reference,
                                   struct urlp_url *out, struct urlpool_error *err)
{
    return resolve(base, reference, false, out, err);
}

enum urlpool_code urlp_url_resolve_redirect(const struct urlp_url *base, struct urlp_span location,
                                            struct urlp_url *out, struct urlpool_error *err)
{
    return resolve(base, location, true, out, err);
}

enum urlpool_code urlp_url_parse_authority(struct urlp_span text, struct urlp_url *out,
                                           struct urlpool_error *err)
{
    struct parts parts = {.authority = text, .path = urlp_span_of("")};
    char literal[URLP_IP_TEXT_MAX + 2];
    struct urlp_ip ip;
    enum urlpool_code code = URLPOOL_OK;

    clear(out);
    if (text.len == 0) {
        return refuse("host is empty", err);
    }
    if (text.len < URLP_IP_TEXT_MAX && urlp_ip_parse_v6(text, &ip)) {
        literal[0] = '[';
        memcpy(literal + 1, text.data, text.len);
        literal[text.len + 1] = ']';
        parts.authority = urlp_span_make(literal, text.len + 2);
    }
    if (text.len > AUTHORITY_BYTES_MAX || memchr(text.data, '@', text.len) != NULL) {
        return refuse("host is neither \"host\" nor \"host:port\"", err);
    }
    code = compose(&parts, out, err);
    if (code != URLPOOL_OK) {
        clear(out);
    }
    return code;
}

void urlp_url_deinit(struct urlp_url *url)
{
    if (url == NULL) {
        return;
    }
    urlp_buf_deinit(&url->text);
    *url = (struct urlp_url){0};
}
