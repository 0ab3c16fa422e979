/* Hosts: one spelling for each, and no second reading of any. */

#include <stdio.h>
#include <string.h>

#include "http/url_host.h"
#include "support/count_of.h"
#include "support/run_tests.h"

static void assert_host(const char *raw, const char *text, const char *zone)
{
    struct urlp_host host;
    struct urlpool_error err = {0};

    ck_assert_msg(urlp_host_parse(urlp_span_of(raw), &host, &err) == URLPOOL_OK, "%s: %s", raw,
                  err.message);
    ck_assert_str_eq(host.text, text);
    ck_assert_uint_eq(host.len, strlen(text));
    ck_assert_str_eq(host.zone, zone);
    ck_assert_uint_eq(host.zone_len, strlen(zone));
    ck_assert_int_eq(host.is_v6, strchr(text, ':') != NULL);
}

static void assert_refused(const char *raw, const char *words)
{
    struct urlp_host host;
    struct urlpool_error err = {0};

    ck_assert_msg(urlp_host_parse(urlp_span_of(raw), &host, &err) == URLPOOL_E_URL, "accepted: %s",
                  raw);
    ck_assert_msg(strstr(err.message, words) != NULL, "%s: \"%s\" lacks \"%s\"", raw, err.message,
                  words);
}

START_TEST(host__is_a_name_in_lower_case)
{
    assert_host("Example.COM", "example.com", "");
    assert_host("localhost", "localhost", "");
    assert_host("a_b-c.d1", "a_b-c.d1", "");
    assert_host("xn--bcher-kva.example", "xn--bcher-kva.example", "");
    assert_host("example.com.", "example.com.", "");
    assert_host("1.2.3.a", "1.2.3.a", "");
    assert_host("0xg", "0xg", "");
    assert_host("", "", "");
}
END_TEST

START_TEST(host__is_a_strict_ipv4_address)
{
    assert_host("127.0.0.1", "127.0.0.1", "");
    assert_host("255.255.255.255", "255.255.255.255", "");
    assert_host("127.0.0.%31", "127.0.0.1", "");
}
END_TEST

START_TEST(host__is_no_other_number)
{
    static const char *const cases[] = {
        "127.1",       "127.0.1",
        "2130706433",  "0x7f.1",
        "0x7f000001",  "0X7F.0.0.1",
        "0177.0.0.1",  "127.0.0.01",
        "127.0.0.256", "127.0.0.1.",
        "1.2.3.4.5",   "0",
        "1",           "a.1",
        "a.0x1",       "a.0x",
        "127.0.0.0x1", "00.0.0.0",
        "example.1.",  "%30x7f.1",
        "0x7f.%31",    "1.2.3.99999999999999999999",
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_refused(cases[i], "ends in a number");
    }
}
END_TEST

START_TEST(host__is_an_ipv6_literal_in_its_short_form)
{
    assert_host("[::1]", "::1", "");
    assert_host("[0:0:0:0:0:0:0:0]", "::", "");
    assert_host("[2001:DB8::000A]", "2001:db8::a", "");
    assert_host("[::FFFF:1.2.3.4]", "::ffff:1.2.3.4", "");
}
END_TEST

START_TEST(host__has_nothing_else_in_brackets)
{
    static const char *const cases[] = {
        "[]",
        "[a]",
        "[example.com]",
        "[127.0.0.1]",
        "[v1.a:b]",
        "[vF.x]",
        "[::1.2]",
        "[1::2::3]",
        "[12345::]",
        "[:1]",
        "[::g]",
        "[[::1]]",
        "[ ::1]",
        "[::1/64]",
        "[1:2:3:4:5:6:7]",
        "[%3a%3a1]",
        "[1:2:3:4:5:6:7:8:9]",
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_refused(cases[i], "no IPv6 address");
    }
    assert_refused("[", "closing bracket");
    assert_refused("[::1", "closing bracket");
}
END_TEST

START_TEST(host__may_have_a_zone)
{
    assert_host("[fe80::1%25eth0]", "fe80::1", "eth0");
    assert_host("[FE80::1%25Eth0]", "fe80::1", "Eth0");
    assert_host("[fe80::1%25%65th0%2E1]", "fe80::1", "eth0.1");
    assert_host("[fe80::1%252]", "fe80::1", "2");
}
END_TEST

START_TEST(host__has_no_malformed_zone)
{
    static const char longest[] = "123456789012345678901234567890123456789012345678901234567890123";
    char raw[100];

    (void)snprintf(raw, sizeof(raw), "[fe80::1%%25%s]", longest);
    assert_host(raw, "fe80::1", longest);
    (void)snprintf(raw, sizeof(raw), "[fe80::1%%25%s4]", longest);
    assert_refused(raw, "longer than 63");
    assert_refused("[fe80::1%25]", "empty zone");
    assert_refused("[fe80::1%]", "\"%25\"");
    assert_refused("[fe80::1%eth0]", "\"%25\"");
    assert_refused("[fe80::1%2]", "\"%25\"");
    assert_refused("[fe80::1%25a%2fb]", "zone of other bytes");
    assert_refused("[fe80::1%25a%25]", "zone of other bytes");
    assert_refused("[fe80::1%25a%0d%0a]", "zone of other bytes");
    assert_refused("[fe80::1%25a%]", "zone of other bytes");
    assert_refused("[fe80::1%25\xc3\xa4]", "zone of other bytes");
    assert_refused("[fe80::1%25a[]", "zone of other bytes");
}
END_TEST

START_TEST(host__has_no_encoded_delimiter)
{
    static const char *const cases[] = {
        "a%2Fb", "a%2f", "a%40b", "a%3A80", "a%00",  "a%0d%0a", "a%20", "a%5C",
        "a%23",  "a%3f", "a%25",  "a%5B",   "%2561", "a%7F",    "a%21",
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_refused(cases[i], "percent-encoded byte");
    }
}
END_TEST

START_TEST(host__has_no_malformed_percent_encoding)
{
    assert_refused("a%", "malformed");
    assert_refused("a%4", "malformed");
    assert_refused("a%zz.example", "malformed");
    assert_refused("%.example", "malformed");
    assert_refused("a%4g", "malformed");
}
END_TEST

START_TEST(host__has_no_other_bytes)
{
    static const char *const cases[] = {"a b",  "a!b", "a$",  "a&b", "a'",  "(a)", "a*",
                                        "a+b",  "a,b", "a;b", "a=b", "a~b", "a|b", "a\"b",
                                        "<a>",  "a^b", "a`b", "{a}", "a]",  "a[",  "a\x7f",
                                        "a\nb", "a:b", "a@b", "a/b", "*.a"};

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_refused(cases[i], "no name may have");
    }
}
END_TEST

START_TEST(host__has_no_empty_label)
{
    static const char *const cases[] = {".", "..", ".a", "a..b", "a..", "a.%2e"};

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_refused(cases[i], "empty label");
    }
}
END_TEST

START_TEST(host__has_no_a_label_of_ascii_letters)
{
    static const char *const cases[] = {"xn--",       "xn--google-", "xn--google-.com",
                                        "a.xn--b-.c", "XN--Google-", "%78n--google-",
                                        "xn--a--",    "xn--.a"};

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_refused(cases[i], "stands for no other letters");
    }
    assert_host("xn--fa-hia.de", "xn--fa-hia.de", "");
    assert_host("axn--a-", "axn--a-", "");
}
END_TEST

START_TEST(host__has_bounded_labels)
{
    char label[70] = {0};

    memset(label, 'a', 63);
    assert_host(label, label, "");
    memset(label, 'a', 64);
    assert_refused(label, "longer than 63");
}
END_TEST

START_TEST(host__has_at_most_253_bytes)
{
    char name[300] = {0};

    for (size_t i = 0; i < 253; i++) {
        name[i] = i % 2 == 0 ? 'a' : '.';
    }
    assert_host(name, name, "");
    name[253] = '.';
    assert_host(name, name, "");
    name[253] = 'b';
    assert_refused(name, "longer than 253");
    name[253] = '.';
    name[254] = 'b';
    assert_refused(name, "longer than 253");
}
END_TEST

START_TEST(host__is_quoted_fit_for_a_log)
{
    struct urlp_host host;
    struct urlpool_error err = {0};

    ck_assert_int_eq(urlp_host_parse(urlp_span_of("a\r\nb"), &host, &err), URLPOOL_E_URL);
    ck_assert_ptr_null(strpbrk(err.message, "\r\n"));
    ck_assert_ptr_nonnull(strstr(err.message, "host \"a"));
}
END_TEST

START_TEST(port__is_digits_up_to_65535)
{
    static const char *const refused[] = {
        "65536", "99999999999999999999", "-1", "+1", " 1", "1 ", "0x1", "1e", "a", "\xd9\xa1"};
    int port = 7;

    ck_assert_int_eq(urlp_port_parse(urlp_span_of("65535"), &port, NULL), URLPOOL_OK);
    ck_assert_int_eq(port, 65535);
    ck_assert_int_eq(urlp_port_parse(urlp_span_of(""), &port, NULL), URLPOOL_OK);
    ck_assert_int_eq(port, -1);
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        port = 7;
        ck_assert_int_eq(urlp_port_parse(urlp_span_of(refused[i]), &port, NULL), URLPOOL_E_URL);
        ck_assert_int_eq(port, 7);
    }
}
END_TEST

RUN_TESTS("url_host", host__is_a_name_in_lower_case, host__is_a_strict_ipv4_address,
          host__is_no_other_number, host__is_an_ipv6_literal_in_its_short_form,
          host__has_nothing_else_in_brackets, host__may_have_a_zone, host__has_no_malformed_zone,
          host__has_no_encoded_delimiter, host__has_no_malformed_percent_encoding,
          host__has_no_other_bytes, host__has_no_empty_label, host__has_no_a_label_of_ascii_letters,
          host__has_bounded_labels, host__has_at_most_253_bytes, host__is_quoted_fit_for_a_log,
          port__is_digits_up_to_65535)
