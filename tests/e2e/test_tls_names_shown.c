/* Which hosts the names in a certificate stand for: one verdict a row, over sockets. */

#include "support/cert_rows.h"
#include "support/run_tests.h"

/* clang-format 14 does not survive these tables. */
/* clang-format off */

/* NAMES is a leaf with these names, NO_NAMES one without. */
#define NAMES(...)                                                                   \
    .leaf = {.names = (const struct test_name[]){__VA_ARGS__},                       \
             .num_names = sizeof((const struct test_name[]){__VA_ARGS__}) /          \
                          sizeof(struct test_name)}
#define NO_NAMES(...) .leaf = {.names = no_names, __VA_ARGS__}
#define REFUSED(text) .code = URLPOOL_E_TLS_HOSTNAME, .words = text

static const struct test_name no_names[1];

static const struct cert_row names[] = {
    {.what = "the name itself", NAMES(TEST_DNS("host.example"))},
    {.what = "capitals in the certificate", NAMES(TEST_DNS("HOST.Example"))},
    {.what = "capitals in the URL", .host = "Host.EXAMPLE", NAMES(TEST_DNS("host.example"))},
    {.what = "a dot behind the URL's", .host = "host.example.", NAMES(TEST_DNS("host.example"))},
    {.what = "a dot behind the certificate's", NAMES(TEST_DNS("host.example.")),
     REFUSED("certificate is for host.example., not for host.example")},
    {.what = "the last of three",
     NAMES(TEST_DNS("a.example"), TEST_IP("\xc0\x00\x02\x01"), TEST_DNS("host.example"))},
    {.what = "another name", NAMES(TEST_DNS("other.example")),
     REFUSED("certificate is for other.example, not for host.example")},
    {.what = "a name below", NAMES(TEST_DNS("www.host.example")), REFUSED("not for host.example")},
    {.what = "a name above", .host = "www.host.example", NAMES(TEST_DNS("host.example")),
     REFUSED("not for www.host.example")},
    {.what = "the end of another label", NAMES(TEST_DNS("myhost.example")),
     REFUSED("not for host.example")},
    {.what = "no name but the common one", NO_NAMES(.common_name = "host.example"),
     REFUSED("certificate is for no host, not for host.example")},
    {.what = "a common name beside others",
     .leaf = {.common_name = "host.example",
              .names = (const struct test_name[]){TEST_DNS("a.example")}, .num_names = 1},
     REFUSED("certificate is for a.example, not for host.example")},
    {.what = "NUL in the common name",
     NO_NAMES(.common_name = "host.example\0.evil.example", .common_name_len = 26),
     REFUSED("certificate is for no host")},
    {.what = "names that are none", .leaf = {.has_empty_names = true},
     REFUSED("certificate is for no host")},
    {.what = "an empty name", NAMES(TEST_DNS("")), REFUSED("not for host.example")},
    {.what = "a dot alone", NAMES(TEST_DNS(".")), REFUSED("not for host.example")},
    {.what = "a dot in front", NAMES(TEST_DNS(".host.example")), REFUSED("not for host.example")},
    {.what = "NUL behind the name", NAMES(TEST_DNS("host.example\0")),
     REFUSED("not for host.example")},
    {.what = "NUL and another's name", NAMES(TEST_DNS("host.example\0.evil.example")),
     REFUSED("not for host.example")},
    {.what = "NUL in front", NAMES(TEST_DNS("\0host.example")), REFUSED("not for host.example")},
    {.what = "a blank behind the name", NAMES(TEST_DNS("host.example ")),
     REFUSED("not for host.example")},
    {.what = "a port behind the name", NAMES(TEST_DNS("host.example:443")),
     REFUSED("not for host.example")},
    {.what = "a URL", NAMES(TEST_DNS("https://host.example/")), REFUSED("not for host.example")},
    {.what = "a letter that folds only in Unicode", .host = "kelvin.example",
     NAMES(TEST_DNS("\xe2\x84\xaa"
                    "elvin.example")),
     REFUSED("not for kelvin.example")},
    {.what = "an A-label", .host = "xn--bcher-kva.example",
     NAMES(TEST_DNS("xn--bcher-kva.example"))},
    {.what = "an A-label in capitals", .host = "xn--bcher-kva.example",
     NAMES(TEST_DNS("XN--BCHER-KVA.EXAMPLE"))},
    {.what = "a U-label", .host = "xn--bcher-kva.example",
     NAMES(TEST_DNS("b\xc3\xbc"
                    "cher.example")),
     REFUSED("not for xn--bcher-kva.example")},
};

static const struct cert_row wildcards[] = {
    {.what = "a wildcard", .host = "www.host.example", NAMES(TEST_DNS("*.host.example"))},
    {.what = "a wildcard in capitals", .host = "www.host.example",
     NAMES(TEST_DNS("*.HOST.example"))},
    {.what = "a wildcard for an A-label", .host = "xn--bcher-kva.host.example",
     NAMES(TEST_DNS("*.host.example"))},
    {.what = "a wildcard below two labels, however public they are", .host = "host.co.example",
     NAMES(TEST_DNS("*.co.example"))},
    {.what = "a wildcard for two labels", .host = "a.b.host.example",
     NAMES(TEST_DNS("*.host.example")), REFUSED("not for a.b.host.example")},
    {.what = "a wildcard for none", NAMES(TEST_DNS("*.host.example")),
     REFUSED("certificate is for *.host.example, not for host.example")},
    {.what = "a wildcard below one label", NAMES(TEST_DNS("*.example")),
     REFUSED("not for host.example")},
    {.what = "a wildcard below one label and a dot", NAMES(TEST_DNS("*.example.")),
     REFUSED("not for host.example")},
    {.what = "a wildcard alone", .host = "host.localdomain", NAMES(TEST_DNS("*")),
     REFUSED("not for host.localdomain")},
    {.what = "a wildcard and a dot", NAMES(TEST_DNS("*.")), REFUSED("not for host.example")},
    {.what = "two wildcards", .host = "a.host.example", NAMES(TEST_DNS("*.*.example")),
     REFUSED("not for a.host.example")},
    {.what = "a wildcard in the middle", .host = "www.host.example",
     NAMES(TEST_DNS("www.*.example")), REFUSED("not for www.host.example")},
    {.what = "a wildcard at the end", NAMES(TEST_DNS("host.*")), REFUSED("not for host.example")},
    {.what = "the beginning of a label", .host = "www.host.example",
     NAMES(TEST_DNS("w*.host.example")), REFUSED("not for www.host.example")},
    {.what = "the end of a label", .host = "www.host.example", NAMES(TEST_DNS("*w.host.example")),
     REFUSED("not for www.host.example")},
    {.what = "both ends of a label", .host = "www.host.example",
     NAMES(TEST_DNS("w*w.host.example")), REFUSED("not for www.host.example")},
    {.what = "two stars", .host = "www.host.example", NAMES(TEST_DNS("**.host.example")),
     REFUSED("not for www.host.example")},
    {.what = "part of an A-label", .host = "xn--bcher-kva.host.example",
     NAMES(TEST_DNS("xn--*.host.example")), REFUSED("not for xn--bcher-kva.host.example")},
    {.what = "a wildcard for an IPv4 address", .host = "192.0.2.1", NAMES(TEST_DNS("*.0.2.1")),
     REFUSED("not for 192.0.2.1")},
};

static const struct cert_row addresses[] = {
    {.what = "an IPv4 address", .host = "192.0.2.1", NAMES(TEST_IP("\xc0\x00\x02\x01"))},
    {.what = "an IPv6 address", .host = "[2001:db8::1]",
     NAMES(TEST_IP("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"))},
    {.what = "an IPv6 address in full", .host = "[2001:0DB8:0:0:0:0:0:1]",
     NAMES(TEST_IP("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"))},
    {.what = "another IPv4 address", .host = "192.0.2.1", NAMES(TEST_IP("\xc0\x00\x02\x02")),
     REFUSED("certificate is for 192.0.2.2, not for 192.0.2.1")},
    {.what = "another IPv6 address", .host = "[2001:db8::1]",
     NAMES(TEST_IP("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02")),
     REFUSED("certificate is for 2001:db8::2, not for 2001:db8::1")},
    {.what = "an IPv4 address within one of IPv6", .host = "192.0.2.1",
     NAMES(TEST_IP("\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x01")), REFUSED("not for 192.0.2.1")},
    {.what = "a net and its mask", .host = "192.0.2.1",
     NAMES(TEST_IP("\xc0\x00\x02\x00\xff\xff\xff\x00")), REFUSED("not for 192.0.2.1")},
    {.what = "an address and a byte", .host = "192.0.2.1",
     NAMES(TEST_IP("\xc0\x00\x02\x01\x00")), REFUSED("not for 192.0.2.1")},
    {.what = "an IPv4 address as a name", .host = "192.0.2.1", NAMES(TEST_DNS("192.0.2.1")),
     REFUSED("not for 192.0.2.1")},
    {.what = "an IPv6 address as a name", .host = "[2001:db8::1]", NAMES(TEST_DNS("2001:db8::1")),
     REFUSED("not for 2001:db8::1")},
    {.what = "an address in brackets as a name", .host = "[2001:db8::1]",
     NAMES(TEST_DNS("[2001:db8::1]")), REFUSED("not for 2001:db8::1")},
    {.what = "an address as the common name", .host = "192.0.2.1",
     NO_NAMES(.common_name = "192.0.2.1"), REFUSED("certificate is for no host")},
    {.what = "a name that is an address in octets", .host = "abcd",
     NAMES(TEST_IP("abcd")), REFUSED("not for abcd")},
    {.what = "an address where a name is asked for", NAMES(TEST_IP("\x7f\x00\x00\x01")),
     REFUSED("certificate is for 127.0.0.1, not for host.example")},
};

/* clang-format on */

START_TEST(name__stands_for_a_host_or_not)
{
    cert_rows_check(names, sizeof(names) / sizeof(names[0]));
}
END_TEST

START_TEST(wildcard__stands_for_a_host_or_not)
{
    cert_rows_check(wildcards, sizeof(wildcards) / sizeof(wildcards[0]));
}
END_TEST

START_TEST(address__stands_for_a_host_or_not)
{
    cert_rows_check(addresses, sizeof(addresses) / sizeof(addresses[0]));
}
END_TEST

/* Thousand names are a load balancer's; nine thousand are nobody's. */
START_TEST(names__are_looked_through_up_to_a_number)
{
    enum {
        MANY = 1000,
        TOO_MANY = 9000
    };
    static struct test_name all[TOO_MANY];
    struct cert_row row = {
        .what = "many names", .leaf = {.names = all, .num_names = MANY}
    };

    for (size_t i = 0; i < TOO_MANY; i++) {
        all[i] = (struct test_name)TEST_DNS("a.b");
    }
    all[MANY - 1] = all[TOO_MANY - 1] = (struct test_name)TEST_DNS("host.example");
    cert_rows_check(&row, 1);
    row.leaf.num_names = TOO_MANY;
    row.code = URLPOOL_E_TLS_VERIFY;
    row.words = "too many names in it";
    cert_rows_check(&row, 1);
}
END_TEST

RUN_TESTS("names shown", name__stands_for_a_host_or_not, wildcard__stands_for_a_host_or_not,
          address__stands_for_a_host_or_not, names__are_looked_through_up_to_a_number)
