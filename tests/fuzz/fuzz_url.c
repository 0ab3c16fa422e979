/* What must hold of any text that is taken for a URL, checked on whatever comes. An input is a URL,
 * or a base and a reference with a line feed between them. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds, const char *what, const struct urlp_url *url)
{
    if (!holds) {
        (void)fprintf(stderr, "%s: \"%.*s\"\n", what, (int)url->text.len,
                      (const char *)url->text.data);
        abort();
    }
}

static void check_bytes(const struct urlp_url *url)
{
    for (size_t i = 0; i < url->text.len; i++) {
        uint8_t c = url->text.data[i];

        require(c > 0x20 && c < 0x7f && c != '\\', "a byte that no URL may have", url);
    }
    for (size_t i = 0; i < url->host.len; i++) {
        require(strchr("/?#@%[] ", url->host.data[i]) == NULL, "a delimiter in the host", url);
    }
}

/* The normal form of a normal form is itself, part by part. */
static void check_normal(const struct urlp_url *url)
{
    struct urlp_url again = {0};
    struct urlpool_error err = {0};

    require(urlp_url_parse(urlp_span_make(url->text.data, url->text.len), &again, &err) ==
                URLPOOL_OK,
            err.message, url);
    require(urlp_span_equals(urlp_span_make(url->text.data, url->text.len),
                             urlp_span_make(again.text.data, again.text.len)),
            "not its own normal form", url);
    require(urlp_span_equals(url->scheme, again.scheme), "another scheme", url);
    require(urlp_span_equals(url->userinfo, again.userinfo), "another user", url);
    require(urlp_span_equals(url->host, again.host), "another host", url);
    require(urlp_span_equals(url->zone, again.zone), "another zone", url);
    require(url->port == again.port, "another port", url);
    require(urlp_span_equals(url->path, again.path), "another path", url);
    require(urlp_span_equals(url->query, again.query), "another query", url);
    require(urlp_span_equals(url->fragment, again.fragment), "another fragment", url);
    urlp_url_deinit(&again);
}

static void check(const struct urlp_url *url)
{
    struct urlp_buf target = {0};

    check_bytes(url);
    check_normal(url);
    if (urlp_url_require_http(url, NULL) == URLPOOL_OK) {
        require(url->host.len > 0, "no host", url);
        require(urlp_url_append_target(url, &target) == URLPOOL_OK, "no target", url);
        require(target.data[0] == '/', "a target that is no path", url);
        require(urlp_url_effective_port(url) >= 0, "no port", url);
    }
    urlp_buf_deinit(&target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line_end = size == 0 ? NULL : memchr(data, '\n', size);
    size_t base_len = line_end == NULL ? size : (size_t)(line_end - data);
    struct urlp_url base = {0};
    struct urlp_url url = {0};
    struct urlpool_error err = {0};

    if (urlp_url_parse(urlp_span_make(data, base_len), &base, &err) == URLPOOL_OK) {
        check(&base);
        struct urlp_span reference = line_end == NULL
                                         ? urlp_span_make(data, 0)
                                         : urlp_span_make(line_end + 1, size - base_len - 1);

        if (urlp_url_resolve_redirect(&base, reference, &url, &err) == URLPOOL_OK) {
            check(&url);
        }
    }
    if (urlp_url_parse_authority(urlp_span_make(data, base_len), &url, &err) == URLPOOL_OK) {
        check(&url);
    }
    urlp_url_deinit(&base);
    urlp_url_deinit(&url);
    return 0;
}
