/* Which hosts are gone to without a proxy. There is no standard for these lists: this reads what
 * curl, Go and Python agree on, and what only one of them has where the others would see nothing.
 *
 * A list is read anew for every question: it is short, and a question is a part of a request. No
 * name is looked up, so a range covers only hosts that are written as addresses. */

#include "policy/no_proxy.h"

#include <string.h>

#include "base/error.h"
#include "base/ip.h"
#include "http/url_host.h"

enum {
    PORT_MAX = 65535
};

/* struct rule is one element, read. */
struct rule {
    bool is_all;
    bool is_range;
    struct urlp_cidr range;
    struct urlp_span name; /* without dots at its ends */
    uint16_t port;         /* 0: any */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == ',';
}

/* next takes an element off `rest`; false when there is none left. */
static bool next(struct urlp_span *rest, struct urlp_span *out)
{
    size_t start = 0;
    size_t end;

    if (rest->len == 0) {
        return false;
    }
    while (start < rest->len && is_blank(rest->data[start])) {
        start++;
    }
    end = start;
    while (end < rest->len && !is_blank(rest->data[end])) {
        end++;
    }
    *out = urlp_span_make(rest->data + start, end - start);
    *rest = urlp_span_make(rest->data + end, rest->len - end);
    return out->len > 0;
}

static struct urlp_span without_end_dot(struct urlp_span name)
{
    return name.len > 0 && name.data[name.len - 1] == '.' ? urlp_span_make(name.data, name.len - 1)
                                                          : name;
}

/* read_port reads ":8443", or nothing at all. */
static bool read_port(struct urlp_span text, uint16_t *out)
{
    uint64_t port = 0;

    if (text.len == 0) {
        return true;
    }
    if (text.data[0] != ':' ||
        !urlp_span_to_u64(urlp_span_make(text.data + 1, text.len - 1), &port) || port == 0 ||
        port > PORT_MAX) {
        return false;
    }
    *out = (uint16_t)port;
    return true;
}

/* read_host reads what stands before a port. */
static bool read_host(struct urlp_span text, struct rule *out)
{
    if (urlp_span_is(text, "*")) {
        out->is_all = true;
        return true;
    }
    if (urlp_cidr_parse(text, &out->range)) {
        out->is_range = true;
        return true;
    }
    if (text.len > 1 && text.data[0] == '*' && text.data[1] == '.') {
        text = urlp_span_make(text.data + 1, text.len - 1);
    }
    if (text.len > 0 && text.data[0] == '.') {
        text = urlp_span_make(text.data + 1, text.len - 1);
    }
    out->name = without_end_dot(text);
    return out->name.len > 0 && memchr(text.data, '/', text.len) == NULL &&
           memchr(text.data, ':', text.len) == NULL;
}

/* split_port finds where the host of `text` ends; with brackets `*host` is what is in them. */
static bool split_port(struct urlp_span text, struct urlp_span *host, struct urlp_span *port)
{
    const char *last = text.data[0] == '[' ? memchr(text.data, ']', text.len) : NULL;
    size_t len = text.len;

    if (text.data[0] == '[') {
        if (last == NULL) {
            return false;
        }
        len = (size_t)(last - text.data);
        *host = urlp_span_make(text.data + 1, len - 1);
        *port = urlp_span_make(last + 1, text.len - len - 1);
        return memchr(host->data, ':', host->len) != NULL;
    }
    last = memchr(text.data, ':', text.len);
    if (last != NULL && memchr(last + 1, ':', text.len - (size_t)(last - text.data) - 1) == NULL) {
        len = (size_t)(last - text.data);
    }
    *host = urlp_span_make(text.data, len);
    *port = urlp_span_make(text.data + len, text.len - len);
    return true;
}

/* read_rule reads one element; false when it can name nothing. */
static bool read_rule(struct urlp_span text, struct rule *out)
{
    struct urlp_span host;
    struct urlp_span port;

    *out = (struct rule){0};
    return split_port(text, &host, &port) && read_port(port, &out->port) && read_host(host, out);
}

static bool has_only_ascii(struct urlp_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

/* covers_name says whether `host` is `name` or lies below it: "ample.com" is not above
 * "example.com". */
static bool covers_name(struct urlp_span name, struct urlp_span host)
{
    struct urlp_host canonical;
    size_t before;

    if (!has_only_ascii(name)) {
        if (urlp_host_parse(name, &canonical, NULL) != URLPOOL_OK) {
            return false;
        }
        name = urlp_span_make(canonical.text, canonical.len);
    }
    if (host.len < name.len) {
        return false;
    }
    before = host.len - name.len;
    return urlp_span_equals_nocase(urlp_span_make(host.data + before, name.len), name) &&
           (before == 0 || host.data[before - 1] == '.');
}

bool urlp_no_proxy_covers(struct urlp_span list, struct urlp_span host, uint16_t port)
{
    struct urlp_span element;
    struct urlp_ip ip;
    const bool is_ip = urlp_ip_parse(host, &ip);

    host = without_end_dot(host);
    while (next(&list, &element)) {
        struct rule rule;

        if (!read_rule(element, &rule) || (rule.port != 0 && rule.port != port)) {
            continue;
        }
        if (rule.is_all || (is_ip && rule.is_range && urlp_cidr_contains(&rule.range, &ip)) ||
            (!is_ip && !rule.is_range && covers_name(rule.name, host))) {
            return true;
        }
    }
    return false;
}

enum urlpool_code urlp_no_proxy_check(struct urlp_span list, struct urlpool_error *err)
{
    struct urlp_span element;
    struct rule rule;

    while (next(&list, &element)) {
        if (!read_rule(element, &rule)) {
            return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                             "no_proxy: \"%s\" is neither host, address, range nor \"*\"",
                             urlp_quote(element.data, element.len).text);
        }
    }
    return URLPOOL_OK;
}
