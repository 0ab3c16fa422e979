/* The way to a URL's origin. */

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

RUN_TESTS("route_for", route_for__https_takes_the_tls_settings, route_for__http_has_none,
          route_for__keeps_every_port, route_for__leads_one_origin_to_one_pool)
