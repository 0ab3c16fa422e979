/* What a manager was told of proxies, read. */

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "http/field.h"
#include "policy/proxies.h"
#include "support/count_of.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"

static struct urlp_proxies proxies;
static struct urlpool_error err;

static enum urlpool_code make(const struct urlpool_proxy *proxy,
                              const struct urlpool_proxy *preproxy,
                              const struct urlp_proxy_environment *environment)
{
    static const struct urlpool_proxy none;
    const struct urlp_proxies_given given = {.proxy = proxy != NULL ? proxy : &none,
                                             .preproxy = preproxy != NULL ? preproxy : &none,
                                             .environment = environment};

    err = (struct urlpool_error){0};
    return urlp_proxies_make(&proxies, &given, &err);
}

static void make_from(const char *url)
{
    const struct urlpool_proxy proxy = {.url = url};

    ck_assert_msg(make(&proxy, NULL, NULL) == URLPOOL_OK, "%s: %s", url, err.message);
}

static struct urlp_origin origin_of(const char *host, bool is_https)
{
    return (struct urlp_origin){
        .host = urlp_span_of(host), .port = is_https ? 443 : 80, .is_https = is_https};
}

/* way writes the ports of the hops to `host`: "", "1", "1 2". */
static const char *way(const char *host, bool is_https)
{
    static char text[32];
    const struct urlp_proxy_hop *hops[URLP_ROUTE_HOPS_MAX];
    const struct urlp_origin origin = origin_of(host, is_https);
    const size_t num = urlp_proxies_way(&proxies, &origin, hops);

    text[0] = '\0';
    for (size_t i = 0, len = 0; i < num; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%u", i > 0 ? " " : "",
                                (unsigned)hops[i]->port);
    }
    return text;
}

START_TEST(proxy__is_read_from_its_url)
{
    static const struct {
        const char *url;
        enum urlp_proxy_kind kind;
        const char *host, *zone;
        uint16_t port;
    } cases[] = {
        {"http://Proxy.Example",           URLP_PROXY_HTTP,    "proxy.example", "",     80  },
        {"https://proxy.example/",         URLP_PROXY_HTTPS,   "proxy.example", "",     443 },
        {"SOCKS4://proxy.example",         URLP_PROXY_SOCKS4,  "proxy.example", "",     1080},
        {"socks4a://proxy.example",        URLP_PROXY_SOCKS4A, "proxy.example", "",     1080},
        {"socks5://proxy.example",         URLP_PROXY_SOCKS5,  "proxy.example", "",     1080},
        {"socks5h://proxy.example:9050",   URLP_PROXY_SOCKS5H, "proxy.example", "",     9050},
        {"http://127.0.0.1:3128",          URLP_PROXY_HTTP,    "127.0.0.1",     "",     3128},
        {"http://u:p@[FE80::1%25eth0]:1/", URLP_PROXY_HTTP,    "fe80::1",       "eth0", 1   },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct urlp_proxy_hop *hop;

        make_from(cases[i].url);
        hop = urlp_proxies_hop(&proxies, 0);
        ck_assert_int_eq(hop->kind, cases[i].kind);
        ck_assert(urlp_span_is(hop->host, cases[i].host));
        ck_assert(urlp_span_is(hop->zone, cases[i].zone));
        ck_assert_uint_eq(hop->port, cases[i].port);
        ck_assert_ptr_null(urlp_proxies_hop(&proxies, 1));
        urlp_proxies_deinit(&proxies);
    }
    ck_assert_int_eq(urlp_alloc_num_blocks(), 0);
}
END_TEST

#define KNOWN_SCHEMES \
    "it starts with http://, https://, socks4://, socks4a://, socks5:// or socks5h://"

START_TEST(proxy__with_a_url_that_cannot_be_meant_is_refused)
{
    static const struct {
        const char *url;
        enum urlpool_code code;
        const char *message;
    } cases[] = {
        {"proxy.example:3128",          URLPOOL_E_SCHEME, "proxy URL has no scheme: " KNOWN_SCHEMES},
        {"//proxy.example",             URLPOOL_E_URL,    NULL                                     },
        {"",                            URLPOOL_E_SCHEME, "proxy URL has no scheme: " KNOWN_SCHEMES},
        {"secret:secret@proxy.example", URLPOOL_E_SCHEME,
         "proxy URL has no scheme: " KNOWN_SCHEMES                                                 },
        {"ftp://u:secret@proxy",        URLPOOL_E_SCHEME,
         "proxy URL has the unknown scheme \"ftp\": " KNOWN_SCHEMES                                },
        {"http://u:secret@",            URLPOOL_E_URL,    NULL                                     },
        {"http://u:secret@a b",         URLPOOL_E_URL,    NULL                                     },
        {"http://u:secret@proxy:99999", URLPOOL_E_URL,    NULL                                     },
        {"http://u:secret@proxy:0",     URLPOOL_E_URL,    "proxy URL has port 0"                   },
        {"socks5://localhost/run/sock", URLPOOL_E_URL,    "proxy URL has a path"                   },
        {"http://u:secret@proxy/?",     URLPOOL_E_URL,    "proxy URL has a query"                  },
        {"http://u:secret@proxy/#a",    URLPOOL_E_URL,    "proxy URL has a fragment"               },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct urlpool_proxy proxy = {.url = cases[i].url};
        enum urlpool_code code = make(&proxy, NULL, NULL);

        if (i != 1) {
            ck_assert_msg(code == cases[i].code, "%s: %s", cases[i].url, err.message);
        }
        ck_assert_int_ne(code, URLPOOL_OK);
        ck_assert_int_eq(err.phase, URLPOOL_PHASE_NONE);
        ck_assert_ptr_null(strstr(err.message, "secret"));
        if (cases[i].message != NULL) {
            ck_assert_str_eq(err.message, cases[i].message);
        }
        ck_assert_ptr_null(urlp_proxies_hop(&proxies, 0));
    }
    ck_assert_int_eq(urlp_alloc_num_blocks(), 0);
}
END_TEST

START_TEST(credentials__are_decoded_and_the_options_win)
{
    static const struct {
        const char *url, *user, *password;
        const char *hop_user, *hop_password, *authorization;
    } cases[] = {
        {"http://proxy",               NULL, NULL,  "",    "",      ""                  },
        {"http://@proxy",              NULL, NULL,  "",    "",      ""                  },
        {"http://u:p@proxy",           NULL, NULL,  "u",   "p",     "Basic dTpw"        },
        {"http://u@proxy",             NULL, NULL,  "u",   "",      "Basic dTo="        },
        {"https://:p@proxy",           NULL, NULL,  "",    "p",     "Basic OnA="        },
        {"http://a%40b:c%3ad:e@proxy", NULL, NULL,  "a@b", "c:d:e", "Basic YUBiOmM6ZDpl"},
        {"http://u:p@proxy",           "v",  NULL,  "v",   "p",     "Basic djpw"        },
        {"http://u:p@proxy",           NULL, "q:q", "u",   "q:q",   "Basic dTpxOnE="    },
        {"http://u:p@proxy",           "",   "",    "",    "",      ""                  },
        {"http://proxy",               "v",  "q",   "v",   "q",     "Basic djpx"        },
        {"socks5://u:p%2f@proxy",      NULL, NULL,  "u",   "p/",    ""                  },
        {"socks4://id@proxy",          NULL, NULL,  "id",  "",      ""                  },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct urlpool_proxy proxy = {
            .url = cases[i].url, .user = cases[i].user, .password = cases[i].password};
        const struct urlp_proxy_hop *hop;

        ck_assert_int_eq(make(&proxy, NULL, NULL), URLPOOL_OK);
        hop = urlp_proxies_hop(&proxies, 0);
        ck_assert_msg(urlp_span_is(hop->user, cases[i].hop_user), "%zu", i);
        ck_assert_msg(urlp_span_is(hop->password, cases[i].hop_password), "%zu", i);
        ck_assert_msg(urlp_span_is(hop->authorization, cases[i].authorization), "%zu", i);
        ck_assert(hop->has_credentials ==
                  (cases[i].hop_user[0] != '\0' || cases[i].hop_password[0] != '\0'));
        urlp_proxies_deinit(&proxies);
    }
}
END_TEST

START_TEST(credentials__that_the_proxy_cannot_be_told_are_refused)
{
    char long_text[257];
    const struct {
        struct urlpool_proxy proxy;
        enum urlpool_code code;
    } cases[] = {
        {{.url = "http://proxy", .user = "secret:secret"},              URLPOOL_E_INVALID},
        {{.url = "http://secret%3a:x@proxy"},                           URLPOOL_E_INVALID},
        {{.url = "http://secret%00:x@proxy"},                           URLPOOL_E_INVALID},
        {{.url = "socks5://u:secret%00@proxy"},                         URLPOOL_E_INVALID},
        {{.url = "http://u:secret%0d%0ax@proxy"},                       URLPOOL_E_HEADER },
        {{.url = "http://proxy", .user = "u", .password = "secret\n"},  URLPOOL_E_HEADER },
        {{.url = "socks5://:secret@proxy"},                             URLPOOL_E_INVALID},
        {{.url = "socks5://proxy", .user = long_text, .password = "p"}, URLPOOL_E_INVALID},
        {{.url = "socks5h://secret@proxy"},                             URLPOOL_E_INVALID},
        {{.url = "socks5h://u@proxy", .password = long_text},           URLPOOL_E_INVALID},
    };

    memset(long_text, 'x', 256);
    long_text[256] = '\0';
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        ck_assert_msg(make(&cases[i].proxy, NULL, NULL) == cases[i].code, "%zu", i);
        ck_assert_ptr_null(strstr(err.message, "secret"));
        ck_assert_ptr_null(strstr(err.message, "xxxx"));
    }
    long_text[255] = '\0';
    ck_assert_int_eq(make(&cases[7].proxy, NULL, NULL), URLPOOL_OK);
    urlp_proxies_deinit(&proxies);
}
END_TEST

START_TEST(headers__are_copied_and_win_over_credentials)
{
    struct urlpool_headers *headers = urlpool_headers_new(NULL);
    const struct urlpool_proxy proxy = {.url = "http://u:p@proxy", .headers = headers};
    const struct urlp_proxy_hop *hop;

    ck_assert_int_eq(urlpool_headers_add(headers, "X-Way", "this", NULL), URLPOOL_OK);
    ck_assert_int_eq(make(&proxy, NULL, NULL), URLPOOL_OK);
    hop = urlp_proxies_hop(&proxies, 0);
    ck_assert_ptr_ne(hop->headers, headers);
    ck_assert_str_eq(urlpool_headers_get(hop->headers, "X-Way"), "this");
    ck_assert(urlp_span_is(hop->authorization, "Basic dTpw"));
    urlp_proxies_deinit(&proxies);

    ck_assert_int_eq(urlpool_headers_add(headers, "proxy-authorization", "Bearer x", NULL),
                     URLPOOL_OK);
    ck_assert_int_eq(make(&proxy, NULL, NULL), URLPOOL_OK);
    hop = urlp_proxies_hop(&proxies, 0);
    ck_assert_uint_eq(hop->authorization.len, 0);
    ck_assert(hop->has_credentials);
    urlp_proxies_deinit(&proxies);

    ck_assert_int_eq(urlpool_headers_add(headers, "content-length", "5", NULL), URLPOOL_OK);
    ck_assert_int_eq(make(&proxy, NULL, NULL), URLPOOL_E_HEADER);
    (void)urlpool_headers_remove(headers, "content-length");
    ck_assert_int_eq(urlpool_headers_add(headers, "Transfer-Encoding", "chunked", NULL),
                     URLPOOL_OK);
    ck_assert_int_eq(make(&proxy, NULL, NULL), URLPOOL_E_HEADER);
    urlpool_headers_free(headers);
}
END_TEST

START_TEST(options__go_to_the_hop_they_are_for)
{
    int object = 0;
    struct urlpool_tls *tls = (struct urlpool_tls *)&object;
    struct urlpool_proxy proxy = {.url = "https://proxy", .tls = tls, .forward_https = true};
    const struct urlp_proxy_hop *hop;

    ck_assert_int_eq(make(&proxy, NULL, NULL), URLPOOL_OK);
    hop = urlp_proxies_hop(&proxies, 0);
    ck_assert_ptr_eq(hop->tls, tls);
    ck_assert(hop->forwards_https);
    urlp_proxies_deinit(&proxies);

    proxy.forward_https = false;
    proxy.url = "http://proxy";
    ck_assert_int_eq(make(&proxy, NULL, NULL), URLPOOL_OK);
    hop = urlp_proxies_hop(&proxies, 0);
    ck_assert_ptr_null(hop->tls);
    ck_assert(!hop->forwards_https);
    urlp_proxies_deinit(&proxies);

    proxy.forward_https = true;
    ck_assert_int_eq(make(&proxy, NULL, NULL), URLPOOL_E_INVALID);
    ck_assert_str_eq(err.message, "proxy has forward_https, and is not spoken to by https");
    proxy = (struct urlpool_proxy){.reserved = {1}};
    ck_assert_int_eq(make(&proxy, NULL, NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(make(NULL, &proxy, NULL), URLPOOL_E_INVALID);
    proxy = (struct urlpool_proxy){.url = "http://proxy", .no_proxy = "10.0.0.0/99"};
    ck_assert_int_eq(make(&proxy, NULL, NULL), URLPOOL_E_INVALID);
    proxy = (struct urlpool_proxy){.user = "u", .no_proxy = "10.0.0.0/99"};
    ck_assert_int_eq(make(&proxy, NULL, NULL), URLPOOL_OK); /* nobody */
    ck_assert_ptr_null(urlp_proxies_hop(&proxies, 0));
}
END_TEST

static struct urlp_pool_key key_by(const struct urlp_proxy_hop *hop)
{
    const struct urlp_route route = {
        .origin = origin_of("a.example", true), .hops = {hop}, .num_hops = 1};
    struct urlp_pool_key key;

    ck_assert(urlp_pool_key_of(&route, &key));
    return key;
}

/* Two hops of one manager are two in the pool key, whatever they differ in, and by their serial
 * number alone: what it stands for never changes. Each member of a hop has its row, which
 * tests/tools/test_pool_key holds against the header. */
START_TEST(key__tells_hops_apart_that_differ_in_one_member)
{
    static const char base[] = "http://u:p@[fe80::1%25lo]:80";
    int object = 0;
    struct urlpool_tls *tls = (struct urlpool_tls *)&object;
    struct urlpool_headers *headers = urlpool_headers_new(NULL);
    struct urlpool_headers *bearer = urlpool_headers_new(NULL);
    const struct {
        const char *member;
        struct urlpool_proxy proxy;
    } rows[] = {
        {"urlp_proxy_hop.kind",            {.url = "socks5://u:p@[fe80::1%25lo]:80"}        },
        {"urlp_proxy_hop.host",            {.url = "http://u:p@[fe80::2%25lo]:80"}          },
        {"urlp_proxy_hop.zone",            {.url = "http://u:p@[fe80::1%251]:80"}           },
        {"urlp_proxy_hop.port",            {.url = "http://u:p@[fe80::1%25lo]:81"}          },
        {"urlp_proxy_hop.has_credentials", {.url = "http://[fe80::1%25lo]:80"}              },
        {"urlp_proxy_hop.user",            {.url = base, .user = "v"}                       },
        {"urlp_proxy_hop.password",        {.url = base, .password = "q"}                   },
        {"urlp_proxy_hop.authorization",   {.url = base, .headers = bearer}                 },
        {"urlp_proxy_hop.headers",         {.url = base, .headers = headers}                },
        {"urlp_proxy_hop.tls",             {.url = "https://u:p@[fe80::1%25lo]", .tls = tls}},
        {"urlp_proxy_hop.tls_serial",      {.url = "https://u:p@[fe80::1%25lo]"}            },
        {"urlp_proxy_hop.forwards_https",
         {.url = "https://u:p@[fe80::1%25lo]", .forward_https = true}                       },
        {"urlp_proxy_hop.serial",          {.url = base}                                    },
    };
    const struct urlpool_proxy before = {.url = base};

    ck_assert_int_eq(urlpool_headers_add(headers, "X-Way", "this", NULL), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(bearer, "Proxy-Authorization", "Bearer x", NULL),
                     URLPOOL_OK);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct urlp_pool_key one, other;

        ck_assert_msg(make(&rows[i].proxy, &before, NULL) == URLPOOL_OK, "%s: %s", rows[i].member,
                      err.message);
        one = key_by(urlp_proxies_hop(&proxies, 0));
        other = key_by(urlp_proxies_hop(&proxies, 1));
        ck_assert_msg(one.len != other.len || memcmp(one.bytes, other.bytes, one.len) != 0, "%s",
                      rows[i].member);
        urlp_proxies_deinit(&proxies);
    }
    urlpool_headers_free(bearer);
    urlpool_headers_free(headers);
}
END_TEST

START_TEST(way__leads_over_the_preproxy_and_the_proxy)
{
    const struct urlpool_proxy proxy = {.url = "http://proxy:1", .no_proxy = "near.example,here"};
    const struct urlpool_proxy before = {.url = "socks5://proxy:2", .no_proxy = "here,odd.example"};

    ck_assert_int_eq(make(NULL, NULL, NULL), URLPOOL_OK);
    ck_assert_str_eq(way("a.example", false), "");

    ck_assert_int_eq(make(&proxy, NULL, NULL), URLPOOL_OK);
    ck_assert_str_eq(way("a.example", false), "1");
    ck_assert_str_eq(way("a.example", true), "1");
    ck_assert_str_eq(way("near.example", true), "");
    urlp_proxies_deinit(&proxies);

    ck_assert_int_eq(make(&proxy, &before, NULL), URLPOOL_OK);
    ck_assert_str_eq(way("a.example", false), "2 1");
    ck_assert_str_eq(way("a.example", true), "2 1");
    ck_assert_str_eq(way("near.example", true), "2");
    ck_assert_str_eq(way("odd.example", true), "1");
    ck_assert_str_eq(way("here", true), "");
    ck_assert_uint_ne(urlp_proxies_hop(&proxies, 0)->serial, urlp_proxies_hop(&proxies, 1)->serial);
    urlp_proxies_deinit(&proxies);

    ck_assert_int_eq(make(NULL, &before, NULL), URLPOOL_OK);
    ck_assert_str_eq(way("a.example", false), "2");
    ck_assert_str_eq(way("a.example", true), "2");
    urlp_proxies_deinit(&proxies);
    ck_assert_int_eq(urlp_alloc_num_blocks(), 0);
}
END_TEST

START_TEST(environment__names_a_proxy_for_each_scheme)
{
    static const struct {
        const char *http, *https, *all;
        const char *to_http, *to_https;
    } cases[] = {
        {NULL,         NULL,         NULL,            "",  "" },
        {"http://p:1", NULL,         NULL,            "1", "" },
        {NULL,         "http://p:2", NULL,            "",  "2"},
        {NULL,         NULL,         "socks5h://p:3", "3", "3"},
        {"http://p:1", NULL,         "http://p:3",    "1", "3"},
        {NULL,         "http://p:2", "http://p:3",    "3", "2"},
        {"p:1",        "u:x@p:2",    "p:3",           "1", "2"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct urlp_proxy_environment environment = {.http_proxy = (char *)cases[i].http,
                                                           .https_proxy = (char *)cases[i].https,
                                                           .all_proxy = (char *)cases[i].all,
                                                           .no_proxy = (char *)"here,///"};

        ck_assert_int_eq(make(NULL, NULL, &environment), URLPOOL_OK);
        ck_assert_str_eq(way("a.example", false), cases[i].to_http);
        ck_assert_str_eq(way("a.example", true), cases[i].to_https);
        ck_assert_str_eq(way("here", false), "");
        ck_assert_str_eq(way("here", true), "");
        if (i == COUNT_OF(cases) - 1) {
            ck_assert_uint_ne(urlp_proxies_hop(&proxies, 0)->serial,
                              urlp_proxies_hop(&proxies, 1)->serial);
        }
        urlp_proxies_deinit(&proxies);
    }
}
END_TEST

START_TEST(environment__gives_way_to_the_options)
{
    const struct urlp_proxy_environment environment = {.http_proxy = (char *)"http://e:p@p:1",
                                                       .https_proxy = (char *)"https://p:2",
                                                       .no_proxy = (char *)"here"};
    struct urlpool_proxy proxy = {.url = "http://p:9"};

    ck_assert_int_eq(make(&proxy, NULL, &environment), URLPOOL_OK);
    ck_assert_str_eq(way("a.example", false), "9");
    ck_assert_str_eq(way("a.example", true), "9");
    ck_assert_str_eq(way("here", false), "");
    urlp_proxies_deinit(&proxies);

    proxy.no_proxy = "";
    ck_assert_int_eq(make(&proxy, NULL, &environment), URLPOOL_OK);
    ck_assert_str_eq(way("here", false), "9");
    urlp_proxies_deinit(&proxies);

    proxy = (struct urlpool_proxy){.user = "u", .no_proxy = "there", .forward_https = true};
    ck_assert_int_eq(make(&proxy, NULL, &environment), URLPOOL_OK);
    ck_assert(urlp_span_is(urlp_proxies_hop(&proxies, 0)->user, "u"));
    ck_assert(urlp_span_is(urlp_proxies_hop(&proxies, 0)->password, "p"));
    ck_assert(!urlp_proxies_hop(&proxies, 0)->forwards_https);
    ck_assert(urlp_proxies_hop(&proxies, 1)->forwards_https);
    ck_assert_str_eq(way("here", false), "1");
    ck_assert_str_eq(way("there", false), "");
    urlp_proxies_deinit(&proxies);
}
END_TEST

START_TEST(environment__that_makes_no_sense_is_named)
{
    const struct urlp_proxy_environment environment = {.https_proxy = (char *)"gopher://p:1"};
    const struct urlp_proxy_environment all = {.all_proxy = (char *)"http://u:secret@p:x"};

    ck_assert_int_eq(make(NULL, NULL, &environment), URLPOOL_E_SCHEME);
    ck_assert_ptr_nonnull(strstr(err.message, "https_proxy URL has the unknown scheme"));
    ck_assert_int_eq(make(NULL, NULL, &all), URLPOOL_E_URL);
    ck_assert_int_eq(strncmp(err.message, "all_proxy URL: ", 15), 0);
    ck_assert_ptr_null(strstr(err.message, "secret"));
}
END_TEST

START_TEST(proxies__out_of_memory_leave_nothing)
{
    struct urlpool_headers *headers;
    struct urlpool_proxy proxy = {.url = "http://u:p@proxy", .no_proxy = "here"};
    const struct urlpool_proxy before = {.url = "socks5://u:p@proxy"};
    enum urlpool_code code = URLPOOL_E_NOMEM;
    uint64_t n = 0;

    failing_allocator_install();
    headers = urlpool_headers_new(NULL);
    ck_assert_int_eq(urlpool_headers_add(headers, "X-Way", "this", NULL), URLPOOL_OK);
    proxy.headers = headers;
    const int64_t num_before = urlp_alloc_num_blocks();

    while (code != URLPOOL_OK) {
        failing_allocator_fail_nth(++n);
        code = make(&proxy, &before, NULL);
        ck_assert(code == URLPOOL_OK || code == URLPOOL_E_NOMEM);
        ck_assert(code == URLPOOL_OK || urlp_alloc_num_blocks() == num_before);
    }
    ck_assert_uint_gt(n, 8);
    urlp_proxies_deinit(&proxies);
    ck_assert_int_eq(urlp_alloc_num_blocks(), num_before);
    urlpool_headers_free(headers);
}
END_TEST

RUN_TESTS("proxies", proxy__is_read_from_its_url, proxy__with_a_url_that_cannot_be_meant_is_refused,
          credentials__are_decoded_and_the_options_win,
          credentials__that_the_proxy_cannot_be_told_are_refused,
          headers__are_copied_and_win_over_credentials, options__go_to_the_hop_they_are_for,
          key__tells_hops_apart_that_differ_in_one_member,
          way__leads_over_the_preproxy_and_the_proxy, environment__names_a_proxy_for_each_scheme,
          environment__gives_way_to_the_options, environment__that_makes_no_sense_is_named,
          proxies__out_of_memory_leave_nothing)
