/* The way to a URL's origin. */

#include <stdio.h>

#include "policy/route_for.h"
#include "support/run_tests.h"

static int settings_object;
static const struct urlp_route_settings settings = {.tls = (struct urlpool_tls *)&settings_object,
                                                    .tls_serial = 7};

static struct urlp_route route_for(const char *text, struct urlp_url *url)
{
    struct urlp_route route;

    ck_assert_int_eq(urlp_url_parse(urlp_span_of(text), url, NULL), URLPOOL_OK);
    urlp_route_for(url, &settings, &route);
    return route;
}

START_TEST(route_for__https_takes_the_tls_settings)
{
    struct urlp_url url = {0};
    struct urlp_route route = route_for("https://Example.com/a", &url);

    ck_assert(urlp_span_is(route.origin.host, "example.com"));
    ck_assert_uint_eq(route.origin.zone.len, 0);
    ck_assert_int_eq(route.origin.port, 443);
    ck_assert(route.origin.is_https);
    ck_assert_ptr_eq(route.tls, settings.tls);
    ck_assert_uint_eq(route.tls_serial, 7);
    urlp_url_deinit(&url);
}
END_TEST

START_TEST(route_for__http_has_none)
{
    struct urlp_url url = {0};
    struct urlp_route route = route_for("http://u:p@[FE80::1%25eth0]:8080/a?b", &url);

    ck_assert(urlp_span_is(route.origin.host, "fe80::1"));
    ck_assert(urlp_span_is(route.origin.zone, "eth0"));
    ck_assert_int_eq(route.origin.port, 8080);
    ck_assert(!route.origin.is_https);
    ck_assert_ptr_null(route.tls);
    ck_assert_uint_eq(route.tls_serial, 0);
    urlp_url_deinit(&url);
}
END_TEST

START_TEST(route_for__keeps_every_port)
{
    struct urlp_url url = {0};

    ck_assert_int_eq(route_for("http://a:0/", &url).origin.port, 0);
    ck_assert_int_eq(route_for("http://a:65535/", &url).origin.port, 65535);
    ck_assert_int_eq(route_for("http://a/", &url).origin.port, 80);
    ck_assert_int_eq(route_for("https://a:80/", &url).origin.port, 80);
    urlp_url_deinit(&url);
}
END_TEST

static bool same_pool(const char *a, const char *b)
{
    struct urlp_url url_a = {0};
    struct urlp_url url_b = {0};
    struct urlp_route route_a = route_for(a, &url_a);
    struct urlp_route route_b = route_for(b, &url_b);
    struct urlp_pool_key key_a;
    struct urlp_pool_key key_b;

    ck_assert(urlp_pool_key_of(&route_a, &key_a));
    ck_assert(urlp_pool_key_of(&route_b, &key_b));

    bool is_same = urlp_span_equals(urlp_span_make(key_a.bytes, key_a.len),
                                    urlp_span_make(key_b.bytes, key_b.len));

    urlp_url_deinit(&url_a);
    urlp_url_deinit(&url_b);
    return is_same;
}

START_TEST(route_for__leads_one_origin_to_one_pool)
{
    ck_assert(same_pool("http://a/x", "HTTP://A:80/y?z#w"));
    ck_assert(same_pool("https://a", "https://u:p@a:443/"));
    ck_assert(same_pool("http://[::1]/", "http://[0:0:0:0:0:0:0:1]/"));
    ck_assert(!same_pool("http://a/", "https://a/"));
    ck_assert(!same_pool("http://a:443/", "https://a/"));
    ck_assert(!same_pool("http://a/", "http://a:81/"));
    ck_assert(!same_pool("http://a/", "http://a:0/"));
    ck_assert(!same_pool("http://a/", "http://a./"));
    ck_assert(!same_pool("http://127.0.0.1/", "http://localhost/"));
    ck_assert(!same_pool("http://127.0.0.1/", "http://[::ffff:127.0.0.1]/"));
    ck_assert(!same_pool("http://[fe80::1]/", "http://[fe80::1%25eth0]/"));
}
END_TEST

static struct urlp_proxies proxies;

/* way_over reads the route to `url` by the proxies: hops, "forward" or "through", "tls" or not. */
static const char *way_over(const struct urlpool_proxy *before, const struct urlpool_proxy *proxy,
                            const char *text)
{
    static char out[64];
    const struct urlp_proxies_given given = {.proxy = proxy, .preproxy = before};
    struct urlp_route_settings all = settings;
    struct urlp_url url = {0};
    struct urlp_route route;

    ck_assert_int_eq(urlp_proxies_make(&proxies, &given, NULL), URLPOOL_OK);
    all.proxies = &proxies;
    ck_assert_int_eq(urlp_url_parse(urlp_span_of(text), &url, NULL), URLPOOL_OK);
    urlp_route_for(&url, &all, &route);
    ck_assert(!route.is_pinned);
    ck_assert((route.tls != NULL) == (route.tls_serial == 7));
    snprintf(out, sizeof(out), "%zu %s%s", route.num_hops,
             route.is_forwarded ? "forward" : "through", route.tls != NULL ? " tls" : "");
    urlp_url_deinit(&url);
    urlp_proxies_deinit(&proxies);
    return out;
}

START_TEST(route_for__is_forwarded_or_leads_through)
{
    static const struct {
        const char *before, *proxy;
        bool forwards;
        const char *http, *https;
    } cases[] = {
        {NULL,          NULL,          false, "0 through", "0 through tls"},
        {NULL,          "http://p",    false, "1 forward", "1 through tls"},
        {NULL,          "https://p",   false, "1 forward", "1 through tls"},
        {NULL,          "https://p",   true,  "1 forward", "1 forward"    },
        {NULL,          "socks4://p",  false, "1 through", "1 through tls"},
        {NULL,          "socks5h://p", false, "1 through", "1 through tls"},
        {"socks5://p",  "http://p",    false, "2 forward", "2 through tls"},
        {"http://p",    "socks5://p",  false, "2 through", "2 through tls"},
        {"http://p",    "https://p",   true,  "2 forward", "2 forward"    },
        {"http://p",    NULL,          false, "1 forward", "1 through tls"},
        {"socks4a://p", NULL,          false, "1 through", "1 through tls"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct urlpool_proxy before = {.url = cases[i].before};
        const struct urlpool_proxy proxy = {.url = cases[i].proxy,
                                            .forward_https = cases[i].forwards};

        ck_assert_str_eq(way_over(&before, &proxy, "http://a.example/"), cases[i].http);
        ck_assert_str_eq(way_over(&before, &proxy, "https://a.example/"), cases[i].https);
    }
}
END_TEST

START_TEST(route_for__pins_only_what_is_forwarded)
{
    const struct urlpool_proxy none = {0};
    const struct urlpool_proxy proxy = {.url = "http://p"};
    const struct urlp_proxies_given given = {.proxy = &proxy, .preproxy = &none};
    struct urlp_route_settings all = settings;
    struct urlp_url url = {0};
    struct urlp_route route;

    ck_assert_int_eq(urlp_proxies_make(&proxies, &given, NULL), URLPOOL_OK);
    all.proxies = &proxies;
    all.is_pinned = true;
    ck_assert_int_eq(urlp_url_parse(urlp_span_of("http://a/"), &url, NULL), URLPOOL_OK);
    urlp_route_for(&url, &all, &route);
    ck_assert(route.is_forwarded && route.is_pinned);
    ck_assert_ptr_eq(route.hops[0], urlp_proxies_hop(&proxies, 0));
    ck_assert_int_eq(urlp_url_parse(urlp_span_of("https://a/"), &url, NULL), URLPOOL_OK);
    urlp_route_for(&url, &all, &route);
    ck_assert(!route.is_forwarded && !route.is_pinned);
    urlp_url_deinit(&url);
    urlp_proxies_deinit(&proxies);
}
END_TEST

RUN_TESTS("route_for", route_for__https_takes_the_tls_settings, route_for__http_has_none,
          route_for__keeps_every_port, route_for__leads_one_origin_to_one_pool,
          route_for__is_forwarded_or_leads_through, route_for__pins_only_what_is_forwarded)
