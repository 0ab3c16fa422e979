/* Whatever text, taken for a URL, for an authority, for a host beside a port, and for a percent-
 * encoded part. What is accepted is its own normal form. An input is the text. */

#include "fuzz/input.h"
#include "fuzz/url_checks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *bytes = fuzz_copy(urlp_span_make(data, size));
    char *text = fuzz_text(urlp_span_make(data, size));
    struct urlp_url url = {0};

    if (urlp_url_parse(urlp_span_make(bytes, size), &url, NULL) == URLPOOL_OK) {
        fuzz_check_url(&url);
    }
    if (urlp_url_parse_authority(urlp_span_make(bytes, size), &url, NULL) == URLPOOL_OK) {
        fuzz_require(url.host.len > 0 && url.userinfo.data == NULL && url.path.len == 0 &&
                         url.query.data == NULL && url.scheme.data == NULL,
                     "more than an authority", urlp_span_make(bytes, size));
        fuzz_check_url(&url);
    }
    if (urlp_url_parse_host(text, 8080, &url, NULL) == URLPOOL_OK) {
        fuzz_require(url.port == 8080, "another port", urlp_span_of(text));
    }
    urlp_url_deinit(&url);
    free(text);
    free(bytes);
    return 0;
}
