/* Resolving a reference against a base, RFC 3986 section 5.2. What comes out is a URL in normal
 * form that has the base's scheme and no dot segments; resolving it once more changes nothing; a
 * reference with a scheme does not ask its base. An input is base and reference, a line feed
 * between them. */

#include "fuzz/input.h"
#include "fuzz/url_checks.h"

static struct urlp_span text_of(const struct urlp_url *url)
{
    return urlp_span_make(url->text.data, url->text.len);
}

static void check_no_dot_segments(const struct urlp_url *url)
{
    struct urlp_span rest = url->path;

    /* Beside ".", section 6.2.2.3 leaves none where the path is absolute. */
    if (rest.len == 0 || rest.data[0] != '/') {
        return;
    }
    while (rest.len > 0) {
        const char *slash = memchr(rest.data + 1, '/', rest.len - 1);
        const size_t len = slash == NULL ? rest.len : (size_t)(slash - rest.data);
        const struct urlp_span segment = urlp_span_make(rest.data + 1, len - 1);
        const bool is_guard = segment.len == 1 && url->host.data == NULL;

        fuzz_require(!urlp_span_is(segment, "..") && (is_guard || !urlp_span_is(segment, ".")),
                     "a dot segment", text_of(url));
        rest = urlp_span_make(rest.data + len, rest.len - len);
    }
}

/* check_parts: what a reference says for itself is not the base's. */
static void check_parts(const struct urlp_url *base, const struct urlp_url *reference,
                        const struct urlp_url *url)
{
    const bool is_absolute = reference->scheme.data != NULL;
    const bool has_authority = is_absolute || reference->host.data != NULL;

    fuzz_require(urlp_span_equals(url->scheme, is_absolute ? reference->scheme : base->scheme),
                 "a scheme of neither", text_of(url));
    fuzz_require(urlp_span_equals(url->host, has_authority ? reference->host : base->host),
                 "a host of neither", text_of(url));
    fuzz_require(
        urlp_span_equals(url->userinfo, has_authority ? reference->userinfo : base->userinfo),
        "a user of neither", text_of(url));
    fuzz_require((has_authority ? reference->port : base->port) == url->port, "a port of neither",
                 text_of(url));
}

static void check_resolved(const struct urlp_url *base, struct urlp_span reference,
                           const struct urlp_url *url)
{
    struct urlp_url other = {0};

    fuzz_check_url(url);
    check_no_dot_segments(url);
    fuzz_require(urlp_url_resolve(base, text_of(url), &other, NULL) == URLPOOL_OK,
                 "refused once more", text_of(url));
    fuzz_check_same(url, &other);
    if (urlp_url_parse(reference, &other, NULL) == URLPOOL_OK) {
        check_parts(base, &other, url);
    }
    urlp_url_deinit(&other);
}

static void check_redirect(const struct urlp_url *base, struct urlp_span reference,
                           const struct urlp_url *url)
{
    struct urlp_url next = {0};

    fuzz_require(urlp_url_resolve_redirect(base, reference, &next, NULL) == URLPOOL_OK ||
                     base->text.len + reference.len > 60000,
                 "a reference that is no Location", text_of(url));
    if (next.text.len > 0) {
        fuzz_check_url(&next);
        fuzz_require(urlp_span_equals(next.path, url->path) &&
                         urlp_span_equals(next.host, url->host),
                     "another way as Location", text_of(url));
        fuzz_require(urlp_span_equals(next.fragment,
                                      url->fragment.data != NULL ? url->fragment : base->fragment),
                     "another fragment", text_of(url));
    }
    urlp_url_deinit(&next);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    const struct urlp_span line = fuzz_line(&input);
    const struct urlp_span rest = fuzz_rest(&input);
    uint8_t *bytes = fuzz_copy(rest);
    const struct urlp_span reference = urlp_span_make(bytes, rest.len);
    struct urlp_url base = {0};
    struct urlp_url url = {0};

    if (urlp_url_parse(line, &base, NULL) == URLPOOL_OK &&
        urlp_url_resolve(&base, reference, &url, NULL) == URLPOOL_OK) {
        fuzz_require(base.scheme.data != NULL, "a base without scheme", line);
        check_resolved(&base, reference, &url);
        check_redirect(&base, reference, &url);
    }
    urlp_url_deinit(&base);
    urlp_url_deinit(&url);
    free(bytes);
    return 0;
}
