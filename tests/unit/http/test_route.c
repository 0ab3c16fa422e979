/* Routes as values: the pool key tells any two apart, Host and CONNECT say what they must. Each
 * member of a route has its row here: tests/tools/test_pool_key holds the rows against the headers.
 */

#include <string.h>

#include "http/route.h"
#include "support/count_of.h"
#include "support/run_tests.h"

static const struct urlp_proxy_hop proxy = {.serial = 3};
static const struct urlp_proxy_hop other_proxy = {.serial = 3 + (UINT64_C(1) << 56)};

static struct urlp_route make_route(void)
{
    return (struct urlp_route){
        .origin = {.host = urlp_span_of("fe80::1"),
                   .zone = urlp_span_of("eth0"),
                   .port = 443,
                   .is_https = true},
        .tls_serial = 7,
    };
}

static struct urlp_pool_key key_of(struct urlp_route route)
{
    struct urlp_pool_key key;

    ck_assert(urlp_pool_key_of(&route, &key));
    ck_assert_uint_le(key.len, sizeof(key.bytes));
    return key;
}

static bool same_key(struct urlp_route a, struct urlp_route b)
{
    struct urlp_pool_key key_a = key_of(a);
    struct urlp_pool_key key_b = key_of(b);
    const bool is_same = key_a.len == key_b.len && memcmp(key_a.bytes, key_b.bytes, key_a.len) == 0;

    ck_assert_int_eq(urlp_route_is_same(&a, &b), is_same);
    return is_same;
}

START_TEST(key__is_the_same_for_equal_values)
{
    char host[] = "fe80::1";
    struct urlp_route other = make_route();

    other.origin.host = urlp_span_of(host);
    ck_assert(same_key(make_route(), other));
}
END_TEST

/* struct change is a route that differs from make_route's in `member` alone. */
struct change {
    const char *member;
    struct urlp_route route;
};

static struct change changes[32];
static size_t num_changes;

static struct urlp_route *change(const char *member)
{
    ck_assert_uint_lt(num_changes, COUNT_OF(changes));
    changes[num_changes] = (struct change){member, make_route()};
    return &changes[num_changes++].route;
}

static void change_origin(void)
{
    change("urlp_origin.host")->origin.host = urlp_span_of("fe80::2");
    change("urlp_origin.host")->origin.host = urlp_span_of("fe80::");
    change("urlp_origin.zone")->origin.zone = urlp_span_of("eth1");
    change("urlp_origin.zone")->origin.zone = urlp_span_of("");
    change("urlp_origin.port")->origin.port = 444;
    change("urlp_origin.port")->origin.port = 443 + 256;
    change("urlp_origin.is_https")->origin.is_https = false;
    change("urlp_route.origin")->origin =
        (struct urlp_origin){.host = urlp_span_of("a.example"), .port = 80};
}

static void change_way(void)
{
    struct urlp_route *route;

    change("urlp_route.tls_serial")->tls_serial = 8;
    change("urlp_route.tls_serial")->tls_serial = 7 + (UINT64_C(1) << 56);
    change("urlp_route.tls_serial")->tls_serial = 0;
    for (size_t i = 0; i < 2; i++) {
        route = change("urlp_route.hops");
        route->hops[0] = i == 0 ? &proxy : &other_proxy;
        route->num_hops = 1;
        route = change("urlp_route.num_hops");
        route->hops[0] = i == 0 ? &proxy : &other_proxy;
        route->hops[1] = i == 0 ? &other_proxy : &proxy;
        route->num_hops = 2;
    }
    route = change("urlp_route.is_forwarded");
    route->hops[0] = &proxy;
    route->num_hops = 1;
    route->is_forwarded = true;
    route = change("urlp_route.is_pinned");
    *route = changes[num_changes - 2].route;
    route->is_pinned = true;
}

START_TEST(key__changes_with_every_field)
{
    change_origin();
    change_way();
    for (size_t i = 0; i < num_changes; i++) {
        ck_assert_msg(!same_key(make_route(), changes[i].route), "%s", changes[i].member);
        for (size_t j = 0; j < i; j++) {
            ck_assert_msg(!same_key(changes[j].route, changes[i].route), "%s and %s",
                          changes[j].member, changes[i].member);
        }
    }
}
END_TEST

/* The one member that is not in the key itself: the pointer may come back as another object's. */
START_TEST(key__knows_tls_settings_by_serial_number_only)
{
    struct urlp_route *other = change("urlp_route.tls");

    other->tls = (struct urlpool_tls *)other;
    ck_assert(same_key(make_route(), *other));
}
END_TEST

START_TEST(key__does_not_run_strings_together)
{
    struct urlp_route a = make_route();
    struct urlp_route b = make_route();

    a.origin.host = urlp_span_of("ab");
    a.origin.zone = urlp_span_of("c");
    b.origin.host = urlp_span_of("a");
    b.origin.zone = urlp_span_of("bc");
    ck_assert(!same_key(a, b));
}
END_TEST

START_TEST(key__has_room_for_the_longest)
{
    char text[256];
    struct urlp_route route = make_route();
    struct urlp_pool_key key = {.len = 1};

    memset(text, 'x', sizeof(text));
    route.origin.host = urlp_span_make(text, 255);
    route.origin.zone = urlp_span_make(text, 255);
    route.hops[0] = &proxy;
    route.hops[1] = &other_proxy;
    route.num_hops = URLP_ROUTE_HOPS_MAX;
    (void)key_of(route);
    route.origin.zone = urlp_span_make(text, 256);
    ck_assert(!urlp_pool_key_of(&route, &key));
    route.origin.zone = urlp_span_make(text, 0);
    route.origin.host = urlp_span_make(text, 256);
    ck_assert(!urlp_pool_key_of(&route, &key));
    ck_assert_uint_eq(key.len, 1);
}
END_TEST

/* Every way over proxies differs from every other. */
START_TEST(key__changes_with_every_hop_and_with_forwarding)
{
    struct urlp_route changed[9];

    for (size_t i = 0; i < COUNT_OF(changed); i++) {
        changed[i] = make_route();
        changed[i].hops[0] = &proxy;
        changed[i].hops[1] = &other_proxy;
        changed[i].num_hops = 1;
    }
    changed[0].num_hops = 0;
    changed[2].hops[0] = &other_proxy;
    changed[3].num_hops = 2;
    changed[4].num_hops = 2;
    changed[4].hops[0] = &other_proxy;
    changed[4].hops[1] = &proxy;
    changed[5].is_forwarded = true;
    changed[6].is_forwarded = true;
    changed[6].num_hops = 2;
    changed[7].is_forwarded = true;
    changed[7].hops[0] = &other_proxy;
    changed[8].is_forwarded = true;
    changed[8].is_pinned = true;
    for (size_t i = 0; i < COUNT_OF(changed); i++) {
        for (size_t j = 0; j < i; j++) {
            ck_assert_msg(!same_key(changed[j], changed[i]), "ways %zu and %zu", j, i);
        }
    }
}
END_TEST

START_TEST(key__of_a_forwarded_way_has_no_origin_unless_it_is_pinned)
{
    struct urlp_route a = make_route();
    struct urlp_route b = make_route();

    a.hops[0] = &proxy;
    a.num_hops = 1;
    a.is_forwarded = true;
    b = a;
    b.origin = (struct urlp_origin){.host = urlp_span_of("b.example"), .port = 80};
    ck_assert(same_key(a, b));
    a.is_pinned = true;
    b.is_pinned = true;
    ck_assert(!same_key(a, b));
    b.origin = a.origin;
    ck_assert(same_key(a, b));
}
END_TEST

START_TEST(key__knows_a_proxy_by_its_serial_number_only)
{
    struct urlp_proxy_hop copy = proxy;
    struct urlp_route a = make_route();
    struct urlp_route b = make_route();

    copy.port = 1;
    a.hops[0] = &proxy;
    b.hops[0] = &copy;
    a.num_hops = 1;
    b.num_hops = 1;
    ck_assert(same_key(a, b));
}
END_TEST

START_TEST(forwarder__is_the_last_hop_of_a_forwarded_way)
{
    struct urlp_route route = make_route();

    ck_assert_ptr_null(urlp_route_forwarder(&route));
    route.hops[0] = &proxy;
    route.hops[1] = &other_proxy;
    route.num_hops = 2;
    ck_assert_ptr_null(urlp_route_forwarder(&route));
    route.is_forwarded = true;
    ck_assert_ptr_eq(urlp_route_forwarder(&route), &other_proxy);
    route.num_hops = 1;
    ck_assert_ptr_eq(urlp_route_forwarder(&route), &proxy);
}
END_TEST

START_TEST(authority__says_what_host_must)
{
    static const struct {
        const char *host, *zone;
        uint16_t port;
        bool is_https;
        const char *expected, *with_port;
    } cases[] = {
        {"a.example",  "",     80,    false, "a.example",     "a.example:80" },
        {"a.example",  "",     443,   true,  "a.example",     "a.example:443"},
        {"a.example",  "",     443,   false, "a.example:443", "a.example:443"},
        {"a.example",  "",     80,    true,  "a.example:80",  "a.example:80" },
        {"a.example",  "",     0,     false, "a.example:0",   "a.example:0"  },
        {"a.example.", "",     80,    false, "a.example.",    "a.example.:80"},
        {"1.2.3.4",    "",     65535, true,  "1.2.3.4:65535", "1.2.3.4:65535"},
        {"::1",        "",     443,   true,  "[::1]",         "[::1]:443"    },
        {"fe80::1",    "eth0", 81,    false, "[fe80::1]:81",  "[fe80::1]:81" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct urlp_origin origin = {urlp_span_of(cases[i].host), urlp_span_of(cases[i].zone),
                                     cases[i].port, cases[i].is_https};
        struct urlp_buf out = {0};

        ck_assert_int_eq(urlp_origin_append_authority(&origin, false, &out), URLPOOL_OK);
        ck_assert(urlp_span_is(urlp_span_make(out.data, out.len), cases[i].expected));
        out.len = 0;
        ck_assert_int_eq(urlp_origin_append_authority(&origin, true, &out), URLPOOL_OK);
        ck_assert(urlp_span_is(urlp_span_make(out.data, out.len), cases[i].with_port));
        urlp_buf_deinit(&out);
    }
}
END_TEST

START_TEST(origin__equals_itself_only)
{
    struct urlp_origin origin = make_route().origin;
    struct urlp_origin other[5] = {origin, origin, origin, origin, origin};

    ck_assert(urlp_origin_equals(&origin, &other[4]));
    other[0].host = urlp_span_of("fe80::1.");
    other[1].zone = urlp_span_of("");
    other[2].port = 80;
    other[3].is_https = false;
    for (size_t i = 0; i < 4; i++) {
        ck_assert_msg(!urlp_origin_equals(&origin, &other[i]), "change %zu", i);
        ck_assert(!urlp_origin_equals(&other[i], &origin));
    }
}
END_TEST

START_TEST(origin__is_of_the_url)
{
    struct urlp_url url = {0};
    struct urlp_origin origin;

    ck_assert_int_eq(urlp_url_parse(urlp_span_of("https://u@[FE80::1%25eth0]/a"), &url, NULL),
                     URLPOOL_OK);
    origin = urlp_origin_of(&url);
    ck_assert(urlp_span_is(origin.host, "fe80::1"));
    ck_assert(urlp_span_is(origin.zone, "eth0"));
    ck_assert_int_eq(origin.port, 443);
    ck_assert(origin.is_https);
    urlp_url_deinit(&url);
}
END_TEST

RUN_TESTS("route", key__is_the_same_for_equal_values, key__changes_with_every_field,
          key__knows_tls_settings_by_serial_number_only, key__does_not_run_strings_together,
          key__has_room_for_the_longest, key__changes_with_every_hop_and_with_forwarding,
          key__of_a_forwarded_way_has_no_origin_unless_it_is_pinned,
          key__knows_a_proxy_by_its_serial_number_only,
          forwarder__is_the_last_hop_of_a_forwarded_way, authority__says_what_host_must,
          origin__equals_itself_only, origin__is_of_the_url)
