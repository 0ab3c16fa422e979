/* What must hold of every parsed URL. */

#include "fuzz/url_checks.h"

#include "fuzz/input.h"

static struct urlp_span text_of(const struct urlp_url *url)
{
    return urlp_span_make(url->text.data, url->text.len);
}

static void check_bytes(const struct urlp_url *url)
{
    for (size_t i = 0; i < url->text.len; i++) {
        const uint8_t c = url->text.data[i];

        fuzz_require(c > 0x20 && c < 0x7f && c != '\\', "a byte that no URL may have",
                     text_of(url));
    }
    for (size_t i = 0; i < url->host.len; i++) {
        fuzz_require(strchr("/?#@%[] ", url->host.data[i]) == NULL, "a delimiter in the host",
                     text_of(url));
        fuzz_require(url->host.data[i] == urlp_to_lower(url->host.data[i]), "a capital in the host",
                     text_of(url));
    }
    for (size_t i = 0; i < url->scheme.len; i++) {
        fuzz_require(url->scheme.data[i] == urlp_to_lower(url->scheme.data[i]),
                     "a capital in the scheme", text_of(url));
    }
}

void fuzz_check_same(const struct urlp_url *a, const struct urlp_url *b)
{
    const struct urlp_span text = text_of(a);

    fuzz_require(urlp_span_equals(text, text_of(b)), "another text", text);
    fuzz_require(urlp_span_equals(a->scheme, b->scheme), "another scheme", text);
    fuzz_require(urlp_span_equals(a->userinfo, b->userinfo), "another user", text);
    fuzz_require(urlp_span_equals(a->host, b->host), "another host", text);
    fuzz_require(urlp_span_equals(a->zone, b->zone), "another zone", text);
    fuzz_require(a->port == b->port, "another port", text);
    fuzz_require(urlp_span_equals(a->path, b->path), "another path", text);
    fuzz_require(urlp_span_equals(a->query, b->query), "another query", text);
    fuzz_require(urlp_span_equals(a->fragment, b->fragment), "another fragment", text);
}

/* The normal form of a normal form is itself, part by part. */
static void check_normal(const struct urlp_url *url)
{
    struct urlp_url again = {0};
    struct urlpool_error err = {0};

    fuzz_require(urlp_url_parse(text_of(url), &again, &err) == URLPOOL_OK, err.message,
                 text_of(url));
    fuzz_check_same(url, &again);
    urlp_url_deinit(&again);
}

/* Without userinfo the text is what it was, and has none. */
static void check_without_secrets(const struct urlp_url *url)
{
    struct urlp_buf text = {0};
    struct urlp_url again = {0};

    fuzz_require(urlp_url_append_without_secrets(url, &text) == URLPOOL_OK, "no text",
                 text_of(url));
    if (url->scheme.data != NULL &&
        urlp_url_parse(urlp_span_make(text.data, text.len), &again, NULL) == URLPOOL_OK) {
        fuzz_require(again.userinfo.data == NULL, "userinfo that stays", text_of(url));
        fuzz_require(urlp_span_equals(url->host, again.host), "another host without userinfo",
                     text_of(url));
    }
    urlp_url_deinit(&again);
    urlp_buf_deinit(&text);
}

/* The absolute form is a URL of the same origin and target. */
static void check_absolute_target(const struct urlp_url *url, const struct urlp_buf *target)
{
    struct urlp_buf absolute = {0};
    struct urlp_url again = {0};

    fuzz_require(urlp_url_append_absolute_target(url, &absolute) == URLPOOL_OK, "no absolute form",
                 text_of(url));
    fuzz_require(absolute.len >= target->len && memcmp(absolute.data + absolute.len - target->len,
                                                       target->data, target->len) == 0,
                 "an absolute form of another target", text_of(url));
    fuzz_require(urlp_url_parse(urlp_span_make(absolute.data, absolute.len), &again, NULL) ==
                         URLPOOL_OK &&
                     urlp_span_equals(again.host, url->host) &&
                     urlp_url_effective_port(&again) == urlp_url_effective_port(url) &&
                     again.userinfo.data == NULL && again.fragment.data == NULL,
                 "an absolute form of another origin", text_of(url));
    urlp_url_deinit(&again);
    urlp_buf_deinit(&absolute);
}

void fuzz_check_url(const struct urlp_url *url)
{
    struct urlp_buf target = {0};

    check_bytes(url);
    check_normal(url);
    check_without_secrets(url);
    if (urlp_url_require_http(url, NULL) == URLPOOL_OK) {
        fuzz_require(url->host.len > 0, "no host", text_of(url));
        fuzz_require(urlp_url_append_target(url, &target) == URLPOOL_OK, "no target", text_of(url));
        fuzz_require(target.data[0] == '/', "a target that is no path", text_of(url));
        fuzz_require(urlp_url_effective_port(url) >= 0, "no port", text_of(url));
        check_absolute_target(url, &target);
    }
    urlp_buf_deinit(&target);
}
