/* Proxies as a manager was told of them: URLs read, credentials decoded, what cannot be meant
 * refused while the caller looks on. Which of them a request goes through is two questions, the
 * origin's scheme and the lists of hosts.
 *
 * The environment is strings here, read by base. TLS configurations are pointers that are handed
 * through: building them is client's. */

#include "policy/proxies.h"

#include <string.h>

#include "base/alloc.h"
#include "base/count.h"
#include "base/error.h"
#include "base/option.h"
#include "http/basic_auth.h"
#include "http/url_text.h"
#include "policy/no_proxy.h"

enum {
    SOCKS_STRING_BYTES_MAX = 255, /* RFC 1929 section 2: 1 to 255, each */
    SERIAL_BEFORE = 1,            /* of one manager, whose pools are nobody else's */
    SERIAL_HTTP = 2,
    SERIAL_HTTPS = 3
};

static const struct {
    const char *scheme;
    enum urlp_proxy_kind kind;
    uint16_t port;
} schemes[] = {
    {"http",    URLP_PROXY_HTTP,    80  },
    {"https",   URLP_PROXY_HTTPS,   443 },
    {"socks4",  URLP_PROXY_SOCKS4,  1080},
    {"socks4a", URLP_PROXY_SOCKS4A, 1080},
    {"socks5",  URLP_PROXY_SOCKS5,  1080},
    {"socks5h", URLP_PROXY_SOCKS5H, 1080},
};

/* struct source is where a proxy was named. */
struct source {
    const char *name;  /* for messages: "proxy", "http_proxy" */
    const char *url;   /* NULL: there is none */
    bool may_be_short; /* "proxy.example:3128" is http, as everybody reads the environment */
    const struct urlpool_proxy *beside; /* all but the URL */
    const char *no_proxy;               /* of the environment, or NULL */
    uint64_t serial;
};

static bool speaks_http(enum urlp_proxy_kind kind)
{
    return kind == URLP_PROXY_HTTP || kind == URLP_PROXY_HTTPS;
}

static bool is_socks5(enum urlp_proxy_kind kind)
{
    return kind == URLP_PROXY_SOCKS5 || kind == URLP_PROXY_SOCKS5H;
}

/* parse_text reads the URL of `source`, whose userinfo no message shows. */
static enum urlpool_code parse_text(const struct source *source, struct urlp_url *out,
                                    struct urlpool_error *err)
{
    struct urlpool_error why = {0};
    struct urlp_buf text = {0};
    enum urlpool_code code = URLPOOL_OK;

    if (strstr(source->url, "://") == NULL) {
        if (!source->may_be_short) {
            return urlp_fail(err, URLPOOL_E_SCHEME, URLPOOL_PHASE_NONE,
                             "%s URL has no scheme: it starts with http://, https://, socks4://, "
                             "socks4a://, socks5:// or socks5h://",
                             source->name);
        }
        code = urlp_buf_append_text(&text, "http://");
    }
    if (code == URLPOOL_OK) {
        code = urlp_buf_append_text(&text, source->url);
    }
    if (code != URLPOOL_OK) {
        code = urlp_fail_nomem(err);
    } else if (urlp_url_parse(urlp_span_make(text.data, text.len), out, &why) != URLPOOL_OK) {
        code =
            urlp_fail(err, why.code, URLPOOL_PHASE_NONE, "%s URL: %s", source->name, why.message);
    }
    urlp_buf_deinit(&text);
    return code;
}

/* check_parts refuses what a proxy's URL cannot have. A path may be somebody else's way of naming a
 * socket: it must not be taken for nothing. */
static enum urlpool_code check_parts(const struct source *source, const struct urlp_url *url,
                                     struct urlpool_error *err)
{
    const char *what = NULL;

    if (url->host.len == 0) {
        what = "no host";
    } else if (url->port == 0) {
        what = "port 0";
    } else if (url->path.len > 1) {
        what = "a path";
    } else if (url->query.data != NULL) {
        what = "a query";
    } else if (url->fragment.data != NULL) {
        what = "a fragment";
    }
    return what == NULL ? URLPOOL_OK
                        : urlp_fail(err, URLPOOL_E_URL, URLPOOL_PHASE_NONE, "%s URL has %s",
                                    source->name, what);
}

static enum urlpool_code read_url(const struct source *source, struct urlp_proxy_setting *out,
                                  struct urlpool_error *err)
{
    const struct urlp_url *url = &out->url;
    enum urlpool_code code = parse_text(source, &out->url, err);
    size_t i = 0;

    if (code != URLPOOL_OK) {
        return code;
    }
    while (i < URLP_COUNT_OF(schemes) && !urlp_span_is(url->scheme, schemes[i].scheme)) {
        i++;
    }
    if (i == URLP_COUNT_OF(schemes)) {
        return urlp_fail(err, URLPOOL_E_SCHEME, URLPOOL_PHASE_NONE,
                         "%s URL has the unknown scheme \"%s\": it starts with http://, https://, "
                         "socks4://, socks4a://, socks5:// or socks5h://",
                         source->name, urlp_quote(url->scheme.data, url->scheme.len).text);
    }
    code = check_parts(source, url, err);
    if (code != URLPOOL_OK) {
        return code;
    }
    out->hop.kind = schemes[i].kind;
    out->hop.host = url->host;
    out->hop.zone = url->zone;
    out->hop.port = url->port > 0 ? (uint16_t)url->port : schemes[i].port;
    return URLPOOL_OK;
}

/* put_decoded writes what the caller said, else the URL's part. */
static enum urlpool_code put_decoded(const char *said, struct urlp_span part, struct urlp_buf *out)
{
    enum urlpool_code code;

    if (said != NULL) {
        return urlp_buf_append_text(out, said);
    }
    code = urlp_buf_reserve(out, part.len + 1);
    if (code == URLPOOL_OK && part.len > 0) {
        out->len = urlp_url_decode((char *)out->data, part);
    }
    return code;
}

/* check_credentials refuses what the proxy's protocol has no way to say. */
static enum urlpool_code check_credentials(const struct source *source,
                                           const struct urlp_proxy_hop *hop,
                                           struct urlpool_error *err)
{
    const char *what = NULL;
    const struct urlp_span user = hop->user;
    const struct urlp_span password = hop->password;

    if ((user.len > 0 && memchr(user.data, '\0', user.len) != NULL) ||
        (password.len > 0 && memchr(password.data, '\0', password.len) != NULL)) {
        what = "user or password with a NUL";
    } else if (speaks_http(hop->kind)) {
        what =
            user.len > 0 && memchr(user.data, ':', user.len) != NULL ? "user with a colon" : NULL;
    } else if (user.len > SOCKS_STRING_BYTES_MAX || password.len > SOCKS_STRING_BYTES_MAX) {
        what = "user or password of more than 255 bytes";
    } else if (user.len == 0 && password.len > 0) {
        what = "password without a user";
    } else if (is_socks5(hop->kind) && user.len > 0 && password.len == 0) {
        what = "user without a password";
    }
    return what == NULL ? URLPOOL_OK
                        : urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                                    "%s has a %s, which it cannot be told", source->name, what);
}

/* write_authorization makes the field's value once for all requests. */
static enum urlpool_code write_authorization(const struct source *source,
                                             struct urlp_proxy_setting *out,
                                             struct urlpool_error *err)
{
    struct urlp_buf both = {0};
    enum urlpool_code code = urlp_buf_append_span(&both, out->hop.user);

    if (code == URLPOOL_OK) {
        code = urlp_buf_append_text(&both, ":");
    }
    if (code == URLPOOL_OK) {
        code = urlp_buf_append_span(&both, out->hop.password);
    }
    if (code == URLPOOL_OK) {
        code = urlp_basic_auth_append(urlp_span_make(both.data, both.len), source->name,
                                      &out->authorization, err);
    } else {
        code = urlp_fail_nomem(err);
    }
    urlp_buf_deinit(&both);
    return code;
}

static enum urlpool_code read_credentials(const struct source *source,
                                          struct urlp_proxy_setting *out, struct urlpool_error *err)
{
    const struct urlp_span userinfo = out->url.userinfo;
    const char *colon = userinfo.len > 0 ? memchr(userinfo.data, ':', userinfo.len) : NULL;
    const size_t user_len = colon == NULL ? userinfo.len : (size_t)(colon - userinfo.data);
    const size_t skipped = colon == NULL ? userinfo.len : user_len + 1;
    struct urlp_proxy_hop *hop = &out->hop;
    enum urlpool_code code;

    if (put_decoded(source->beside->user, urlp_span_make(userinfo.data, user_len), &out->user) !=
            URLPOOL_OK ||
        put_decoded(source->beside->password,
                    colon != NULL ? urlp_span_make(colon + 1, userinfo.len - skipped)
                                  : (struct urlp_span){0},
                    &out->password) != URLPOOL_OK) {
        return urlp_fail_nomem(err);
    }
    hop->user = urlp_span_make(out->user.data, out->user.len);
    hop->password = urlp_span_make(out->password.data, out->password.len);
    hop->has_credentials = hop->user.len > 0 || hop->password.len > 0;
    code = check_credentials(source, hop, err);
    if (code != URLPOOL_OK || !hop->has_credentials || !speaks_http(hop->kind) ||
        urlpool_headers_contains(hop->headers, "Proxy-Authorization")) {
        return code;
    }
    code = write_authorization(source, out, err);
    hop->authorization = urlp_span_make(out->authorization.data, out->authorization.len);
    return code;
}

/* read_headers copies the proxy's headers. What a message is about and where it ends is not theirs
 * to say: they go along with requests of all kinds. */
static enum urlpool_code read_headers(const struct source *source, struct urlp_proxy_setting *out,
                                      struct urlpool_error *err)
{
    static const char *const refused[] = {"Host", "Content-Length", "Transfer-Encoding", "Trailer",
                                          "Expect"};
    const struct urlpool_headers *given = source->beside->headers;

    if (given == NULL) {
        return URLPOOL_OK;
    }
    for (size_t i = 0; i < URLP_COUNT_OF(refused); i++) {
        if (urlpool_headers_contains(given, refused[i])) {
            return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_NONE,
                             "%s headers say %s, which each request says for itself", source->name,
                             refused[i]);
        }
    }
    out->headers = urlpool_headers_copy(given, err);
    out->hop.headers = out->headers;
    return out->headers != NULL ? URLPOOL_OK : URLPOOL_E_NOMEM;
}

/* read_list copies the hosts that are gone to directly. A list in the environment may be meant for
 * others: what is no element there is passed over. */
static enum urlpool_code read_list(const struct source *source, struct urlp_proxy_setting *out,
                                   struct urlpool_error *err)
{
    const char *list = source->beside->no_proxy;
    enum urlpool_code code = URLPOOL_OK;

    if (list != NULL) {
        code = urlp_no_proxy_check(urlp_span_of(list), err);
    } else {
        list = source->no_proxy;
    }
    if (code != URLPOOL_OK || list == NULL) {
        return code;
    }
    out->no_proxy = urlp_strndup(list, strlen(list));
    return out->no_proxy != NULL ? URLPOOL_OK : urlp_fail_nomem(err);
}

/* read_setting makes one proxy. */
static enum urlpool_code read_setting(const struct source *source, struct urlp_proxy_setting *out,
                                      struct urlpool_error *err)
{
    const struct urlpool_proxy *beside = source->beside;
    enum urlpool_code code =
        urlp_option_check_reserved(source->name, beside->reserved, sizeof(beside->reserved), err);

    if (code != URLPOOL_OK || source->url == NULL) {
        return code;
    }
    code = read_url(source, out, err);
    if (code == URLPOOL_OK && beside->forward_https && out->hop.kind != URLP_PROXY_HTTPS &&
        source->url == beside->url) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                         "%s has forward_https, and is not spoken to by https", source->name);
    }
    if (code == URLPOOL_OK) {
        code = read_headers(source, out, err);
    }
    if (code == URLPOOL_OK) {
        code = read_credentials(source, out, err);
    }
    if (code == URLPOOL_OK) {
        code = read_list(source, out, err);
    }
    if (out->hop.kind == URLP_PROXY_HTTPS) {
        out->hop.tls = beside->tls;
        out->hop.forwards_https = beside->forward_https;
    }
    out->hop.serial = source->serial;
    out->is_set = true;
    return code;
}

/* read_environment makes the proxies that the variables name. */
static enum urlpool_code read_environment(const struct urlp_proxies_given *given,
                                          struct urlp_proxies *out, struct urlpool_error *err)
{
    const struct urlp_proxy_environment *environment = given->environment;
    struct source http = {"http_proxy", environment->http_proxy, true,
                          given->proxy, environment->no_proxy,   SERIAL_HTTP};
    struct source https = {"https_proxy", environment->https_proxy, true,
                           given->proxy,  environment->no_proxy,    SERIAL_HTTPS};
    enum urlpool_code code;

    if (http.url == NULL) {
        http.name = "all_proxy";
        http.url = environment->all_proxy;
    }
    if (https.url == NULL) {
        https.name = "all_proxy";
        https.url = environment->all_proxy;
    }
    code = read_setting(&http, &out->http, err);
    return code == URLPOOL_OK ? read_setting(&https, &out->https, err) : code;
}

enum urlpool_code urlp_proxies_make(struct urlp_proxies *out,
                                    const struct urlp_proxies_given *given,
                                    struct urlpool_error *err)
{
    const char *no_proxy = given->environment != NULL ? given->environment->no_proxy : NULL;
    const struct source before = {"preproxy", given->preproxy->url, false, given->preproxy,
                                  no_proxy,   SERIAL_BEFORE};
    const struct source proxy = {"proxy",      given->proxy->url, false,
                                 given->proxy, no_proxy,          SERIAL_HTTP};
    enum urlpool_code code;

    *out = (struct urlp_proxies){0};
    code = read_setting(&before, &out->before, err);
    if (code == URLPOOL_OK && (proxy.url != NULL || given->environment == NULL)) {
        out->is_one = true;
        code = read_setting(&proxy, &out->http, err);
    } else if (code == URLPOOL_OK) {
        code = read_environment(given, out, err);
    }
    if (code != URLPOOL_OK) {
        urlp_proxies_deinit(out);
    }
    return code;
}

static void deinit_setting(struct urlp_proxy_setting *setting)
{
    urlpool_headers_free(setting->headers);
    urlp_free(setting->no_proxy);
    urlp_buf_deinit(&setting->user);
    urlp_buf_deinit(&setting->password);
    urlp_buf_deinit(&setting->authorization);
    urlp_url_deinit(&setting->url);
}

void urlp_proxies_deinit(struct urlp_proxies *proxies)
{
    deinit_setting(&proxies->before);
    deinit_setting(&proxies->http);
    deinit_setting(&proxies->https);
    *proxies = (struct urlp_proxies){0};
}

struct urlp_proxy_hop *urlp_proxies_hop(struct urlp_proxies *proxies, size_t index)
{
    struct urlp_proxy_setting *settings[] = {&proxies->before, &proxies->http, &proxies->https};

    for (size_t i = 0; i < URLP_COUNT_OF(settings); i++) {
        if (settings[i]->is_set && index-- == 0) {
            return &settings[i]->hop;
        }
    }
    return NULL;
}

static bool is_used_for(const struct urlp_proxy_setting *setting, const struct urlp_origin *origin)
{
    return setting->is_set &&
           !urlp_no_proxy_covers(urlp_span_of(setting->no_proxy), origin->host, origin->port);
}

size_t urlp_proxies_way(const struct urlp_proxies *proxies, const struct urlp_origin *origin,
                        const struct urlp_proxy_hop *out_hops[URLP_ROUTE_HOPS_MAX])
{
    const struct urlp_proxy_setting *proxy =
        origin->is_https && !proxies->is_one ? &proxies->https : &proxies->http;
    size_t num = 0;

    if (is_used_for(&proxies->before, origin)) {
        out_hops[num++] = &proxies->before.hop;
    }
    if (is_used_for(proxy, origin)) {
        out_hops[num++] = &proxy->hop;
    }
    return num;
}
