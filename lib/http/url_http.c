/* What HTTP asks of a URL: whether a request can be made of it, the target on the wire, the port
 * behind a missing one or beside a host, and the form that a log may keep. */

#include "base/error.h"
#include "http/route.h"
#include "http/url.h"

enum {
    PORT_OF_HTTP = 80,
    PORT_OF_HTTPS = 443
};

enum urlpool_code urlp_url_parse_host(const char *host, int port, struct urlp_url *out,
                                      struct urlpool_error *err)
{
    enum urlpool_code code;

    if (port < 0 || port > UINT16_MAX) {
        return urlp_fail(err, URLPOOL_E_URL, URLPOOL_PHASE_NONE, "port %d is not in 0..65535",
                         port);
    }
    code = urlp_url_parse_authority(urlp_span_of(host), out, err);
    if (code != URLPOOL_OK) {
        return code;
    }
    if (port != 0 && out->port >= 0 && out->port != port) {
        return urlp_fail(err, URLPOOL_E_URL, URLPOOL_PHASE_NONE,
                         "port %d was given and the host says %d", port, out->port);
    }
    out->port = port != 0 ? port : out->port;
    return URLPOOL_OK;
}

bool urlp_url_is_https(const struct urlp_url *url)
{
    return urlp_span_is(url->scheme, "https");
}

bool urlp_url_has_http_scheme(const struct urlp_url *url)
{
    return urlp_url_is_https(url) || urlp_span_is(url->scheme, "http");
}

uint16_t urlp_url_default_port(bool is_https)
{
    return is_https ? PORT_OF_HTTPS : PORT_OF_HTTP;
}

int urlp_url_effective_port(const struct urlp_url *url)
{
    return url->port >= 0 ? url->port : urlp_url_default_port(urlp_url_is_https(url));
}

/* The text up to the userinfo and from behind its '@' on; the first is empty when there is none. */
static void cut_userinfo(const struct urlp_url *url, struct urlp_span *out_before,
                         struct urlp_span *out_after)
{
    const char *text = (const char *)url->text.data;
    size_t start = 0;
    size_t end = 0;

    if (url->userinfo.data != NULL) {
        start = (size_t)(url->userinfo.data - text);
        end = start + url->userinfo.len + 1;
    }
    *out_before = urlp_span_make(text, start);
    *out_after = urlp_span_make(text == NULL ? text : text + end, url->text.len - end);
}

enum urlpool_code urlp_url_require_http(const struct urlp_url *url, struct urlpool_error *err)
{
    struct urlp_span before;
    struct urlp_span after;

    if (url->scheme.data == NULL) {
        cut_userinfo(url, &before, &after);
        return urlp_fail(err, URLPOOL_E_SCHEME, URLPOOL_PHASE_NONE,
                         "URL \"%s\" does not begin with http:// or https://",
                         urlp_quote(after.data, after.len).text);
    }
    if (!urlp_url_has_http_scheme(url)) {
        return urlp_fail(err, URLPOOL_E_SCHEME, URLPOOL_PHASE_NONE,
                         "scheme \"%s\" is neither http nor https",
                         urlp_quote(url->scheme.data, url->scheme.len).text);
    }
    if (url->host.len == 0) {
        /* The rest is not quoted: where a host was meant, a user and password may stand. */
        return urlp_fail(err, URLPOOL_E_URL, URLPOOL_PHASE_NONE,
                         "URL has no host: \"//\" is missing behind \"%s:\"",
                         urlp_quote(url->scheme.data, url->scheme.len).text);
    }
    return URLPOOL_OK;
}

bool urlp_url_shows_target(const struct urlp_url *url, struct urlp_span *out)
{
    const size_t query_len = url->query.data == NULL ? 0 : url->query.len + 1;

    if (url->path.len == 0) {
        return false;
    }
    *out = urlp_span_make(url->path.data, url->path.len + query_len);
    return true;
}

bool urlp_url_shows_authority(const struct urlp_url *url, struct urlp_span *out)
{
    const char *start = url->host.data;

    if (url->host.len == 0 || url->zone.len > 0 || url->path.data == NULL ||
        url->port == urlp_url_default_port(urlp_url_is_https(url))) {
        return false;
    }
    start -= start[-1] == '[' ? 1 : 0; /* there is "//" before it in any case */
    *out = urlp_span_make(start, (size_t)(url->path.data - start));
    return true;
}

enum urlpool_code urlp_url_append_target(const struct urlp_url *url, struct urlp_buf *out)
{
    struct urlp_span path = url->path.len == 0 ? urlp_span_of("/") : url->path;
    size_t query_len = url->query.data == NULL ? 0 : url->query.len + 1;
    enum urlpool_code code = urlp_buf_reserve(out, path.len + query_len);

    if (code == URLPOOL_OK) {
        code = urlp_buf_append_span(out, path);
    }
    if (code == URLPOOL_OK && url->query.data != NULL) {
        code = urlp_buf_append(out, "?", 1);
    }
    if (code == URLPOOL_OK && url->query.data != NULL) {
        code = urlp_buf_append_span(out, url->query);
    }
    return code;
}

enum urlpool_code urlp_url_append_absolute_target(const struct urlp_url *url, struct urlp_buf *out)
{
    const struct urlp_origin origin = urlp_origin_of(url);
    const size_t len = out->len;
    enum urlpool_code code = urlp_buf_append_text(out, origin.is_https ? "https://" : "http://");

    if (code == URLPOOL_OK) {
        code = urlp_origin_append_authority(&origin, false, out);
    }
    if (code == URLPOOL_OK) {
        code = urlp_url_append_target(url, out);
    }
    if (code != URLPOOL_OK) {
        out->len = len;
    }
    return code;
}

enum urlpool_code urlp_url_append_without_secrets(const struct urlp_url *url, struct urlp_buf *out)
{
    struct urlp_span before;
    struct urlp_span after;

    cut_userinfo(url, &before, &after);

    enum urlpool_code code = urlp_buf_reserve(out, before.len + after.len);

    if (code == URLPOOL_OK) {
        code = urlp_buf_append_span(out, before);
    }
    if (code == URLPOOL_OK) {
        code = urlp_buf_append_span(out, after);
    }
    return code;
}
