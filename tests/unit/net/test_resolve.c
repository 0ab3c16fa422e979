/* One address of a name, against a scripted name server: of which family, after which waits, and
 * by whose leave. */

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "net/network.h"
#include "net/resolve.h"
#include "support/dns_server.h"
#include "support/failing_allocator.h"
#include "support/loopback.h"
#include "support/run_tests.h"

#define NAME "www.example"

static struct dns_server *server;
static struct urlp_resolver *resolver;
static struct urlp_network network;
static struct urlpool_cancel *cancel;
static struct urlpool_error err;
static char traced[64];

static void record(void *user, const struct urlpool_trace_event *event)
{
    (void)user;
    (void)snprintf(traced, sizeof(traced), "%d %.*s %d", (int)event->kind, (int)event->text_len,
                   event->text, (int)event->number);
}

static const struct urlpool_trace trace = {.event = record};

static void begin(const struct urlpool_network *given)
{
    struct urlp_resolver_options options = {.hosts_file = "/dev/null"};

    server = dns_server_start();
    ck_assert_msg(urlp_network_make(&network, given, &err) == URLPOOL_OK, "%s", err.message);
    options.servers = dns_server_address(server);
    options.family = network.family;
    resolver = urlp_resolver_new(&options, &err);
    ck_assert_ptr_nonnull(resolver);
    traced[0] = '\0';
}

static void end(void)
{
    urlp_resolver_free(resolver);
    urlp_network_deinit(&network);
    dns_server_stop(server);
}

static enum urlpool_code resolve(const char *host, bool is_v4_only, int64_t wait_ms,
                                 struct urlp_ip *out_ip)
{
    const struct urlp_dial_target target = {
        .host = urlp_span_of(host), .port = 80, .network = &network};
    const struct urlp_call call = {
        .by = urlp_deadline_in(wait_ms), .total_by = URLP_NEVER, .trace = &trace, .cancel = cancel};

    return urlp_resolve(resolver, &target, is_v4_only, &call, out_ip, &err);
}

static void check_found(const char *host, bool is_v4_only, const char *address)
{
    char text[URLP_IP_TEXT_MAX];
    struct urlp_ip ip;

    ck_assert_msg(resolve(host, is_v4_only, 5000, &ip) == URLPOOL_OK, "%s", err.message);
    urlp_ip_format(&ip, text);
    ck_assert_str_eq(text, address);
}

static void check_fails(const char *host, bool is_v4_only, int64_t wait_ms, enum urlpool_code code,
                        const char *message)
{
    struct urlp_ip ip;

    ck_assert_int_eq(resolve(host, is_v4_only, wait_ms, &ip), code);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_RESOLVE);
    ck_assert_str_eq(err.message, message);
}

START_TEST(resolve__takes_ipv4_without_waiting_for_ipv6)
{
    begin(&(struct urlpool_network){0});
    dns_server_add(server, NAME, DNS_A, 60, "192.0.2.1");
    dns_server_behave(server, NAME, DNS_AAAA, DNS_DROPS);
    check_found(NAME, false, "192.0.2.1");
    ck_assert_str_eq(traced, "2 www.example 1");
    end();
}
END_TEST

START_TEST(resolve__takes_ipv6_when_there_is_no_ipv4)
{
    begin(&(struct urlpool_network){0});
    dns_server_add(server, NAME, DNS_AAAA, 60, "2001:db8::1");
    check_found(NAME, false, "2001:db8::1");
    check_fails(NAME, true, 5000, URLPOOL_E_RESOLVE,
                "no address for name www.example: none of the family asked for");
    end();
}
END_TEST

START_TEST(resolve__waits_for_ipv4_though_ipv6_is_there)
{
    begin(&(struct urlpool_network){0});
    dns_server_add(server, NAME, DNS_AAAA, 60, "2001:db8::1");
    dns_server_behave(server, NAME, DNS_A, DNS_DROPS);
    check_fails(NAME, false, 100, URLPOOL_E_CONNECT_TIMEOUT,
                "no address for name www.example in time");
    end();
}
END_TEST

START_TEST(resolve__keeps_to_the_family)
{
    begin(&(struct urlpool_network){.family = URLPOOL_FAMILY_V6});
    dns_server_add(server, NAME, DNS_A, 60, "192.0.2.1");
    dns_server_add(server, NAME, DNS_AAAA, 60, "2001:db8::1");
    check_found(NAME, false, "2001:db8::1");
    check_fails(NAME, true, 5000, URLPOOL_E_RESOLVE,
                "no address for name www.example: none of the family asked for");
    end();
    begin(&(struct urlpool_network){.family = URLPOOL_FAMILY_V4});
    check_fails("::1", false, 5000, URLPOOL_E_RESOLVE,
                "no address for name ::1: none of the family asked for");
    end();
}
END_TEST

START_TEST(resolve__needs_no_server_for_what_is_an_address_or_localhost)
{
    begin(&(struct urlpool_network){0});
    check_found("192.0.2.7", true, "192.0.2.7");
    ck_assert_str_eq(traced, "");
    check_found("2001:db8::7", false, "2001:db8::7");
    check_found("localhost", false, "127.0.0.1");
    ck_assert_uint_eq(dns_server_num_queries(server, NULL, DNS_A), 0);
    end();
}
END_TEST

START_TEST(resolve__says_that_a_name_has_none)
{
    begin(&(struct urlpool_network){0});
    check_fails("none.example", false, 5000, URLPOOL_E_RESOLVE,
                "no address for name none.example: not found");
    check_fails("a b", false, 5000, URLPOOL_E_RESOLVE, "no address for name a b: not a host name");
    end();
}
END_TEST

static unsigned num_asked;

static bool allow_only_two(void *user, const char *host, const char *address, uint16_t port)
{
    (void)user;
    num_asked++;
    ck_assert_str_eq(host, NAME);
    ck_assert_uint_eq(port, 80);
    return strcmp(address, "192.0.2.2") == 0;
}

START_TEST(resolve__asks_leave_for_each_address_once)
{
    begin(&(struct urlpool_network){.allow = allow_only_two});
    dns_server_add(server, NAME, DNS_A, 60, "192.0.2.1");
    dns_server_add(server, NAME, DNS_A, 60, "192.0.2.2");
    check_found(NAME, true, "192.0.2.2");
    ck_assert_uint_le(num_asked, 2);
    end();
    num_asked = 0;
    begin(&(struct urlpool_network){.allow = allow_only_two});
    dns_server_add(server, NAME, DNS_A, 60, "192.0.2.3");
    dns_server_add(server, NAME, DNS_AAAA, 60, "2001:db8::3");
    check_fails(NAME, false, 5000, URLPOOL_E_ADDRESS_REFUSED,
                "www.example at [2001:db8::3]:80: the address may not be dialled");
    ck_assert_uint_eq(num_asked, 2);
    end();
}
END_TEST

START_TEST(resolve__of_public_addresses_alone_refuses_others)
{
    begin(&(struct urlpool_network){.public_only = true});
    dns_server_add(server, NAME, DNS_A, 60, "10.0.0.1");
    check_fails(NAME, true, 5000, URLPOOL_E_ADDRESS_REFUSED,
                "www.example at 10.0.0.1:80: the address may not be dialled");
    end();
}
END_TEST

START_TEST(resolve__ends_with_the_call)
{
    begin(&(struct urlpool_network){0});
    dns_server_behave(server, NAME, DNS_A, DNS_DROPS);
    dns_server_behave(server, NAME, DNS_AAAA, DNS_DROPS);
    check_fails(NAME, false, 0, URLPOOL_E_CONNECT_TIMEOUT,
                "no address for name www.example in time");
    cancel = urlpool_cancel_new(NULL);
    urlpool_cancel_now(cancel);
    check_fails(NAME, false, 5000, URLPOOL_E_CANCELLED,
                "no address for name www.example: cancelled");
    urlpool_cancel_free(cancel);
    end();
    ck_assert_int_eq(urlp_alloc_num_blocks(), 0);
}
END_TEST

START_TEST(resolve__survives_each_allocation_that_fails)
{
    bool has_failed = true;
    struct urlp_ip ip;

    failing_allocator_install();
    for (uint64_t n = 1; has_failed; n++) {
        enum urlpool_code code;

        begin(&(struct urlpool_network){0});
        dns_server_add(server, NAME, DNS_A, 60, "192.0.2.1");
        failing_allocator_fail_nth(n);
        code = resolve(NAME, true, 5000, &ip);
        has_failed = failing_allocator_has_failed();
        failing_allocator_fail_nth(0);
        ck_assert(code == URLPOOL_OK || code == URLPOOL_E_NOMEM);
        end();
        ck_assert_int_eq(failing_allocator_num_live(), 0);
    }
}
END_TEST

RUN_TESTS("resolve", resolve__takes_ipv4_without_waiting_for_ipv6,
          resolve__takes_ipv6_when_there_is_no_ipv4, resolve__waits_for_ipv4_though_ipv6_is_there,
          resolve__keeps_to_the_family,
          resolve__needs_no_server_for_what_is_an_address_or_localhost,
          resolve__says_that_a_name_has_none, resolve__asks_leave_for_each_address_once,
          resolve__of_public_addresses_alone_refuses_others, resolve__ends_with_the_call,
          resolve__survives_each_allocation_that_fails)
