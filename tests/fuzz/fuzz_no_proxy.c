/* Which hosts a list names. A list and one more element name at least what the list names; the
 * order of elements, the case of letters and the blanks between them do not matter; "*" is
 * everybody, and a name is never covered by the end of another. An input is a line with the host,
 * as in a URL, and the list. */

#include <ctype.h>

#include "base/buf.h"
#include "base/ip.h"
#include "fuzz/input.h"
#include "http/url.h"
#include "policy/no_proxy.h"

/* struct question is whom it is asked about. */
struct question {
    struct urlp_span host;
    uint16_t port;
};

static bool covers(const struct urlp_buf *list, const struct question *question)
{
    uint8_t *copy = fuzz_copy(urlp_span_make(list->data, list->len));
    const bool is_covered =
        urlp_no_proxy_covers(urlp_span_make(copy, list->len), question->host, question->port);

    free(copy);
    return is_covered;
}

/* write makes a list of `a`, `between` and `b`. */
static void write(struct urlp_buf *out, struct urlp_span a, const char *between, struct urlp_span b)
{
    out->len = 0;
    if (urlp_buf_append_span(out, a) != URLPOOL_OK ||
        urlp_buf_append_text(out, between) != URLPOOL_OK ||
        urlp_buf_append_span(out, b) != URLPOOL_OK) {
        abort();
    }
}

static void swap_case(struct urlp_buf *list)
{
    for (size_t i = 0; i < list->len; i++) {
        const uint8_t c = list->data[i];

        if (c < 0x80) {
            list->data[i] = (uint8_t)(isupper(c) ? tolower(c) : toupper(c));
        }
    }
}

static bool has_only_ascii(struct urlp_span text)
{
    size_t i = 0;

    while (i < text.len && (unsigned char)text.data[i] < 0x80) {
        i++;
    }
    return i == text.len;
}

static void check(struct urlp_span list, const struct question *question)
{
    const struct urlp_span none = urlp_span_make("", 0);
    struct urlp_buf written = {0};
    bool is_covered;
    const char *middle = list.len == 0 ? NULL : memchr(list.data, ',', list.len);

    write(&written, list, "", none);
    is_covered = covers(&written, question);
    write(&written, list, ",*", none);
    fuzz_require(covers(&written, question), "not covered by everybody", list);
    write(&written, urlp_span_of(" ,\t"), "", list);
    fuzz_require(covers(&written, question) == is_covered, "blanks that matter", list);
    if (has_only_ascii(list)) {
        write(&written, list, "", none);
        swap_case(&written);
        fuzz_require(covers(&written, question) == is_covered, "case that matters", list);
    }
    if (middle != NULL) {
        const size_t len = (size_t)(middle - list.data);

        write(&written, urlp_span_make(middle + 1, list.len - len - 1), ",",
              urlp_span_make(list.data, len));
        fuzz_require(covers(&written, question) == is_covered, "order that matters", list);
    }
    write(&written, list, ", ", question->host);
    fuzz_require(covers(&written, question), "a host that does not name itself", list);
    urlp_buf_deinit(&written);
}

/* check_others: what stands in front of a name without a dot makes it another. */
static void check_others(const struct question *question)
{
    struct urlp_buf longer = {0};
    struct urlp_buf list = {0};
    struct question other = *question;

    write(&longer, urlp_span_of("x"), "", question->host);
    write(&list, question->host, "", urlp_span_make("", 0));
    other.host = urlp_span_make(longer.data, longer.len);
    fuzz_require(!covers(&list, &other), "covered by the end of a name", question->host);
    write(&longer, urlp_span_of("x"), ".", question->host);
    other.host = urlp_span_make(longer.data, longer.len);
    fuzz_require(covers(&list, &other), "not covered by the name above", question->host);
    urlp_buf_deinit(&longer);
    urlp_buf_deinit(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    const struct urlp_span line = fuzz_line(&input);
    const struct urlp_span list = fuzz_rest(&input);
    struct urlp_url url = {0};
    struct urlpool_error err = {0};

    if (urlp_url_parse_authority(line, &url, NULL) == URLPOOL_OK) {
        const struct question question = {url.host, (uint16_t)(url.port > 0 ? url.port : 443)};
        struct urlp_ip ip;

        check(list, &question);
        if (!urlp_ip_parse(url.host, &ip) && url.host.len < 250 && url.zone.data == NULL &&
            urlp_span_trim(url.host).len == url.host.len &&
            memchr(url.host.data, ',', url.host.len) == NULL) {
            check_others(&question);
        }
    }
    fuzz_require(urlp_no_proxy_check(list, &err) == URLPOOL_OK || err.code == URLPOOL_E_INVALID,
                 "another code", list);
    urlp_url_deinit(&url);
    return 0;
}
