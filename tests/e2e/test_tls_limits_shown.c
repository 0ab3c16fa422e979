/* What authorities may speak for, by their name constraints: one verdict a row, over sockets.
 * docs/decisions/0044 says which could be another. */

#include "support/cert_rows.h"
#include "support/run_tests.h"

static const struct test_name no_names[1];

/* clang-format 14 does not survive this table. */
/* clang-format off */

#define REFUSED(text) .code = URLPOOL_E_TLS_VERIFY, .words = text

static const struct cert_row limits[] = {
    {.what = "permitted", .depth = 1, .lower = {.limits = "critical,permitted;DNS:host.example"}},
    {.what = "permitted above", .depth = 1, .lower = {.limits = "critical,permitted;DNS:example"}},
    {.what = "permitted in capitals", .depth = 1,
     .lower = {.limits = "critical,permitted;DNS:HOST.Example"}},
    {.what = "permitted, and not critical", .depth = 1,
     .lower = {.limits = "permitted;DNS:other.example"}, REFUSED("permitted subtree violation")},
    {.what = "another permitted", .depth = 1,
     .lower = {.limits = "critical,permitted;DNS:other.example"},
     REFUSED("permitted subtree violation")},
    {.what = "the end of another label permitted", .depth = 1,
     .lower = {.limits = "critical,permitted;DNS:st.example"},
     REFUSED("permitted subtree violation")},
    {.what = "what is below permitted", .depth = 1,
     .lower = {.limits = "critical,permitted;DNS:www.host.example"},
     REFUSED("permitted subtree violation")},
    {.what = "what is below, by a dot, permitted", .depth = 1,
     .lower = {.limits = "critical,permitted;DNS:.host.example"},
     REFUSED("permitted subtree violation")},
    {.what = "below what is permitted by a dot", .depth = 1,
     .lower = {.limits = "critical,permitted;DNS:.example"}},
    {.what = "one of two permitted", .depth = 1,
     .lower = {.limits = "critical,permitted;DNS:other.example,permitted;DNS:host.example"}},
    {.what = "excluded", .depth = 1, .lower = {.limits = "critical,excluded;DNS:host.example"},
     REFUSED("excluded subtree violation")},
    {.what = "excluded above", .depth = 1, .lower = {.limits = "critical,excluded;DNS:example"},
     REFUSED("excluded subtree violation")},
    {.what = "another excluded", .depth = 1,
     .lower = {.limits = "critical,excluded;DNS:other.example"}},
    {.what = "permitted, and excluded", .depth = 1,
     .lower = {.limits = "critical,permitted;DNS:example,excluded;DNS:host.example"},
     REFUSED("excluded subtree violation")},
    {.what = "permitted by one, excluded by the other", .depth = 2,
     .lower = {.limits = "critical,permitted;DNS:example"},
     .upper = {.limits = "critical,excluded;DNS:host.example"},
     REFUSED("excluded subtree violation")},
    {.what = "permitted by one more than by the other", .depth = 2,
     .lower = {.limits = "critical,permitted;DNS:host.example"},
     .upper = {.limits = "critical,permitted;DNS:other.example"},
     REFUSED("permitted subtree violation")},
    {.what = "another permitted by the root",
     .root = {.limits = "critical,permitted;DNS:a.example"},
     REFUSED("permitted subtree violation")},
    {.what = "another permitted by whom is trusted", .depth = 1, .trusted = "i",
     .lower = {.limits = "critical,permitted;DNS:a.example"},
     REFUSED("permitted subtree violation")},
    {.what = "one name of two not permitted", .depth = 1,
     .leaf = {.names = (const struct test_name[]){TEST_DNS("host.example"), TEST_DNS("a.example")},
              .num_names = 2},
     .lower = {.limits = "critical,permitted;DNS:host.example"},
     REFUSED("permitted subtree violation")},
    {.what = "a wildcard below what is permitted", .depth = 1, .host = "www.host.example",
     .leaf = {.names = (const struct test_name[]){TEST_DNS("*.host.example")}, .num_names = 1},
     .lower = {.limits = "critical,permitted;DNS:host.example"}},
    {.what = "a wildcard above what is permitted", .depth = 1, .host = "www.host.example",
     .leaf = {.names = (const struct test_name[]){TEST_DNS("*.host.example")}, .num_names = 1},
     .lower = {.limits = "critical,permitted;DNS:www.host.example"},
     REFUSED("permitted subtree violation")},
    {.what = "a wildcard that stands for what is excluded", .depth = 1, .host = "bad.host.example",
     .leaf = {.names = (const struct test_name[]){TEST_DNS("*.host.example")}, .num_names = 1},
     .lower = {.limits = "critical,excluded;DNS:bad.host.example"},
     REFUSED("excluded subtree violation")},
    {.what = "a wildcard that stands for what is excluded by the root", .host = "bad.host.example",
     .leaf = {.names = (const struct test_name[]){TEST_DNS("*.host.example")}, .num_names = 1},
     .root = {.limits = "critical,excluded;DNS:bad.host.example"},
     REFUSED("excluded subtree violation")},
    {.what = "a wildcard that stands for more than what is excluded", .depth = 1,
     .host = "www.host.example",
     .leaf = {.names = (const struct test_name[]){TEST_DNS("*.host.example")}, .num_names = 1},
     .lower = {.limits = "critical,excluded;DNS:bad.host.example"}},
    {.what = "no names, and a common one that is permitted", .depth = 1,
     .leaf = {.names = no_names, .common_name = "host.example"},
     .lower = {.limits = "critical,permitted;DNS:host.example"},
     REFUSED("Issuer has name constraints but leaf has no SANs"),
     .openssl_code = URLPOOL_E_TLS_HOSTNAME, .openssl_words = "certificate is for no host"},
    {.what = "no names, and a common one that is none", .depth = 1,
     .leaf = {.names = no_names, .common_name = "a host"},
     .lower = {.limits = "critical,permitted;DNS:host.example"},
     .code = URLPOOL_E_TLS_HOSTNAME, .words = "certificate is for no host"},
    {.what = "no names of the kind that is limited", .depth = 1,
     .lower = {.limits = "critical,permitted;IP:10.0.0.0/255.0.0.0"}},
    {.what = "every address excluded", .depth = 1,
     .lower = {.limits = "critical,excluded;IP:0.0.0.0/0.0.0.0,excluded;IP:0::0/0::0"}},
    {.what = "an address where names are limited", .depth = 1, .host = "192.0.2.1",
     .leaf = {.names = (const struct test_name[]){TEST_IP("\xc0\x00\x02\x01")}, .num_names = 1},
     .lower = {.limits = "critical,permitted;DNS:other.example"}},
    {.what = "an address that is not permitted", .depth = 1, .host = "192.0.2.1",
     .leaf = {.names = (const struct test_name[]){TEST_IP("\xc0\x00\x02\x01")}, .num_names = 1},
     .lower = {.limits = "critical,permitted;IP:10.0.0.0/255.0.0.0"},
     REFUSED("unsupported name constraint type"),
     .openssl_words = "permitted subtree violation"},
    {.what = "an address that is excluded", .depth = 1, .host = "192.0.2.1",
     .leaf = {.names = (const struct test_name[]){TEST_IP("\xc0\x00\x02\x01")}, .num_names = 1},
     .lower = {.limits = "critical,excluded;IP:192.0.2.0/255.255.255.0"},
     REFUSED("unsupported name constraint type"),
     .openssl_words = "excluded subtree violation"},
    {.what = "an address that is permitted", .depth = 1, .host = "192.0.2.1",
     .leaf = {.names = (const struct test_name[]){TEST_IP("\xc0\x00\x02\x01")}, .num_names = 1},
     .lower = {.limits = "critical,permitted;IP:192.0.2.0/255.255.255.0"},
     REFUSED("unsupported name constraint type"), .openssl_takes = true},
    {.what = "an address of IPv6 that is not excluded", .depth = 1, .host = "[2001:db8::1]",
     .leaf = {.names = (const struct test_name[]){
                  TEST_IP("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01")}, .num_names = 1},
     .lower = {.limits = "critical,excluded;IP:2001:db9:0:0:0:0:0:0/ffff:ffff:0:0:0:0:0:0"},
     REFUSED("unsupported name constraint type"), .openssl_takes = true},
};

/* clang-format on */

START_TEST(authority__may_speak_for_a_host_or_not)
{
    cert_rows_check(limits, sizeof(limits) / sizeof(limits[0]));
}
END_TEST

RUN_TESTS("limits shown", authority__may_speak_for_a_host_or_not)
