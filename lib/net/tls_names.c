/* Which host names a name in a certificate stands for. Pure.
 *
 * A name from a certificate may hold any octet: NUL ends nothing here, and since the host is made
 * of host octets alone, a pattern with any other octet is equal to none. Refusing too much costs a
 * connection, matching too much costs the identity of the peer, so whatever is odd is refused. */

#include "net/tls_names.h"

#include <string.h>

static bool is_host_octet(unsigned char c)
{
    return urlp_is_alpha(c) || urlp_is_digit(c) || c == '-' || c == '_';
}

size_t urlp_tls_name_normalise(struct urlp_span host, char out[URLP_TLS_HOST_LEN_MAX + 1])
{
    size_t len = host.len;

    if (len > 0 && host.data[len - 1] == '.') {
        len--;
    }
    if (len == 0 || len > URLP_TLS_HOST_LEN_MAX || memchr(host.data, '\0', len) != NULL) {
        return 0;
    }
    for (size_t i = 0; i < len; i++) {
        out[i] = urlp_to_lower(host.data[i]);
    }
    out[len] = '\0';
    return len;
}

bool urlp_tls_name_is_host(struct urlp_span host)
{
    char last = '.';

    for (size_t i = 0; i < host.len; i++) {
        const char c = host.data[i];

        if (c == '.' ? last == '.' : !is_host_octet((unsigned char)c)) {
            return false;
        }
        last = c;
    }
    return last != '.';
}

static struct urlp_span behind(struct urlp_span span, size_t len)
{
    return urlp_span_make(span.data + len, span.len - len);
}

static bool has_dot(struct urlp_span span)
{
    return span.len > 0 && memchr(span.data, '.', span.len) != NULL;
}

static bool wildcard_matches(struct urlp_span parent, struct urlp_span host)
{
    const char *dot = memchr(host.data, '.', host.len);
    size_t label_len;

    if (dot == NULL || !has_dot(parent)) {
        return false;
    }
    label_len = (size_t)(dot - host.data);
    return urlp_span_equals_nocase(behind(host, label_len + 1), parent);
}

bool urlp_tls_name_matches(struct urlp_span pattern, struct urlp_span host)
{
    if (!urlp_tls_name_is_host(host) || pattern.len == 0) {
        return false;
    }
    if (pattern.len > 2 && pattern.data[0] == '*' && pattern.data[1] == '.') {
        return wildcard_matches(behind(pattern, 2), host);
    }
    return urlp_span_equals_nocase(pattern, host);
}

bool urlp_tls_name_is_below(struct urlp_span host, struct urlp_span base)
{
    struct urlp_span tail;

    if (base.len > 0 && base.data[0] == '.') {
        base = behind(base, 1);
    }
    if (base.len == 0) {
        return true;
    }
    if (host.len < base.len) {
        return false;
    }
    tail = behind(host, host.len - base.len);
    if (!urlp_span_equals_nocase(tail, base)) {
        return false;
    }
    return host.len == base.len || tail.data[-1] == '.';
}
