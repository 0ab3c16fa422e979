/* What a caller says about hosts and the way to them: how it is read, and what it then means. */

#include <stdio.h>
#include <string.h>

#include "net/network.h"
#include "support/count_of.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"

static struct urlp_network network;
static struct urlpool_error err;

static void make(const struct urlpool_network *given)
{
    ck_assert_msg(urlp_network_make(&network, given, &err) == URLPOOL_OK, "%s", err.message);
}

static void assert_refused(const struct urlpool_network *given, const char *words)
{
    ck_assert_int_eq(urlp_network_make(&network, given, &err), URLPOOL_E_INVALID);
    ck_assert_msg(strstr(err.message, words) != NULL, "%s", err.message);
    urlp_network_deinit(&network);
}

/* fixed_for writes the fixed addresses of a host: "192.0.2.1 ::1", "-" when there are none. */
static const char *fixed_for(const char *host, uint16_t port)
{
    static char text[256];
    struct urlp_addresses answers[URLP_NUM_FAMILIES] = {0};

    text[0] = '\0';
    if (!urlp_network_answer(&network, urlp_span_of(host), port, answers)) {
        return "-";
    }
    for (int family = URLP_NUM_FAMILIES - 1; family >= 0; family--) {
        for (size_t i = 0; i < answers[family].num_ips; i++) {
            char ip[URLP_IP_TEXT_MAX];

            urlp_ip_format(&answers[family].ips[i], ip);
            (void)strcat(text, text[0] != '\0' ? " " : "");
            (void)strcat(text, ip);
        }
    }
    return text;
}

START_TEST(answers__are_for_a_host_and_a_port)
{
    const char *const answers[] = {"a.example:80:192.0.2.1,192.0.2.2", "b.example:*:[2001:db8::1]",
                                   "[::7]:0:127.0.0.1", "*:8080:192.0.2.9,::1", NULL};

    make(&(struct urlpool_network){.answers = answers});
    ck_assert_str_eq(fixed_for("a.example", 80), "192.0.2.1 192.0.2.2");
    ck_assert_str_eq(fixed_for("A.Example", 80), "192.0.2.1 192.0.2.2");
    ck_assert_str_eq(fixed_for("a.example", 81), "-");
    ck_assert_str_eq(fixed_for("b.example", 7), "2001:db8::1");
    ck_assert_str_eq(fixed_for("::7", 443), "127.0.0.1");
    ck_assert_str_eq(fixed_for("c.example", 8080), "192.0.2.9 ::1");
    ck_assert_str_eq(fixed_for("c.example", 80), "-");
    urlp_network_deinit(&network);
}
END_TEST

START_TEST(answers__that_cannot_be_read_are_refused)
{
    static const char *const cases[] = {
        "",          "a",           "a:80",     "a:80:",       "a:80:b",        ":80:192.0.2.1",
        "a:b:::1",   "a:65536:::1", "a:-1:::1", "[::1:80:::1", "[::1]x:80:::1", "a:80:192.0.2",
        "a:80:[::1", "a:80:::1,x"};

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *const answers[] = {cases[i], NULL};

        assert_refused(&(struct urlpool_network){.answers = answers}, "network.answers: ");
    }
}
END_TEST

static void assert_detour(const char *host, uint16_t port, const char *to_host, uint16_t to_port)
{
    struct urlp_span at = urlp_span_of(host);

    urlp_network_detour(&network, &at, &port);
    ck_assert_msg(urlp_span_is(at, to_host), "%.*s", (int)at.len, at.data);
    ck_assert_uint_eq(port, to_port);
}

START_TEST(connect_to__leads_elsewhere)
{
    const char *const detours[] = {"a.example:80:b.example:81",
                                   "c.example::[::1]:", ":9:d.example:", "e.example:443::8443",
                                   NULL};

    make(&(struct urlpool_network){.connect_to = detours});
    assert_detour("a.example", 80, "b.example", 81);
    assert_detour("a.example", 81, "a.example", 81);
    assert_detour("c.example", 5, "::1", 5);
    assert_detour("anybody", 9, "d.example", 9);
    assert_detour("e.example", 443, "e.example", 8443);
    urlp_network_deinit(&network);
}
END_TEST

START_TEST(connect_to__that_cannot_be_read_is_refused)
{
    static const char *const cases[] = {"a:b:c:d", "a:1:b:2:c", "a:1:[b:2", "a:99999:b:1"};

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *const detours[] = {cases[i], NULL};

        assert_refused(&(struct urlpool_network){.connect_to = detours}, "network.connect_to: ");
    }
}
END_TEST

START_TEST(network__refuses_what_it_does_not_know)
{
    assert_refused(&(struct urlpool_network){.family = (enum urlpool_family)5}, "network.family");
    assert_refused(&(struct urlpool_network){.source_address = "localhost"},
                   "network.source_address");
    assert_refused(&(struct urlpool_network){.unix_socket = ""}, "network.unix_socket");
    assert_refused(&(struct urlpool_network){.interface_name = ""}, "network.interface_name");
    assert_refused(&(struct urlpool_network){.num_socket_options = 1}, "network.socket_options");
    assert_refused(&(struct urlpool_network){.keepalive_idle_s = -3}, "network.keepalive_idle_s");
    assert_refused(&(struct urlpool_network){.user_timeout_ms = -1}, "network.user_timeout_ms");
    assert_refused(&(struct urlpool_network){.reserved = {[7] = 1}}, "network asks for");
}
END_TEST

START_TEST(network__reads_numbers_as_every_option)
{
    make(&(struct urlpool_network){0});
    ck_assert_int_eq(network.tcp.keepalive_idle_s, 0);
    make(&(struct urlpool_network){.keepalive_idle_s = URLPOOL_NONE,
                                   .user_timeout_ms = URLPOOL_NONE});
    ck_assert_int_eq(network.tcp.keepalive_idle_s, -1);
    ck_assert_int_eq(network.tcp.user_timeout_ms, -1);
    make(&(struct urlpool_network){.keepalive_idle_s = 7, .user_timeout_ms = 8});
    ck_assert_int_eq(network.tcp.keepalive_idle_s, 7);
    ck_assert_int_eq(network.tcp.user_timeout_ms, 8);
}
END_TEST

static char seen[256];
static char allowed_address[] = "192.0.2.7";
static char loopback_address[] = "127.0.0.1";

static bool allow_one(void *user, const char *host, const char *address, uint16_t port)
{
    (void)snprintf(seen, sizeof(seen), "%s %s %u", host, address, (unsigned)port);
    return strcmp(address, user) == 0;
}

static bool is_allowed(const char *address)
{
    struct urlp_peer peer = {.port = 80};

    ck_assert(urlp_ip_parse(urlp_span_of(address), &peer.ip));
    return urlp_network_allows(&network, urlp_span_of("a.example"), &peer);
}

START_TEST(public_only__refuses_the_rest)
{
    static const char *const refused[] = {"127.0.0.1",
                                          "127.9.9.9",
                                          "10.1.2.3",
                                          "172.31.0.1",
                                          "192.168.0.1",
                                          "169.254.169.254",
                                          "0.0.0.0",
                                          "224.0.0.1",
                                          "100.64.0.1",
                                          "::1",
                                          "::",
                                          "fe80::1",
                                          "fd00::1",
                                          "ff02::1",
                                          "198.18.0.1",
                                          "192.0.2.1",
                                          "::ffff:127.0.0.1",
                                          "64:ff9b::7f00:1",
                                          "2002:7f00:1::",
                                          "255.255.255.255"};

    make(&(struct urlpool_network){.public_only = true});
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        ck_assert_msg(!is_allowed(refused[i]), "%s", refused[i]);
    }
    ck_assert(is_allowed("8.8.8.8"));
    ck_assert(is_allowed("2606:4700::1"));
    make(&(struct urlpool_network){0});
    ck_assert(is_allowed("127.0.0.1"));
}
END_TEST

START_TEST(allow__sees_each_address_and_decides)
{
    make(&(struct urlpool_network){.allow = allow_one, .allow_user = allowed_address});
    ck_assert(is_allowed("192.0.2.7"));
    ck_assert_str_eq(seen, "a.example 192.0.2.7 80");
    ck_assert(!is_allowed("192.0.2.8"));
    make(&(struct urlpool_network){
        .allow = allow_one, .allow_user = loopback_address, .public_only = true});
    ck_assert(!is_allowed("127.0.0.1")); /* both must agree */
}
END_TEST

START_TEST(network__survives_each_allocation_that_fails)
{
    const char *const answers[] = {"a:1:::1", NULL};
    const char *const detours[] = {"a:1:b:2", NULL};
    const struct urlpool_socket_option option = {1, 2, 3};
    const struct urlpool_network given = {.answers = answers,
                                          .connect_to = detours,
                                          .dns_servers = "127.0.0.1",
                                          .unix_socket = "/x",
                                          .interface_name = "lo",
                                          .socket_options = &option,
                                          .num_socket_options = 1};
    uint64_t nth;

    failing_allocator_install();
    for (nth = 1;; nth++) {
        enum urlpool_code code;

        failing_allocator_fail_nth(nth);
        code = urlp_network_make(&network, &given, &err);
        urlp_network_deinit(&network);
        if (!failing_allocator_has_failed()) {
            break;
        }
        ck_assert_int_eq(code, URLPOOL_E_NOMEM);
        ck_assert_int_eq(failing_allocator_num_live(), 0);
    }
    ck_assert_uint_ge(nth, 8);
    failing_allocator_remove();
}
END_TEST

RUN_TESTS("network", answers__are_for_a_host_and_a_port, answers__that_cannot_be_read_are_refused,
          connect_to__leads_elsewhere, connect_to__that_cannot_be_read_is_refused,
          network__refuses_what_it_does_not_know, network__reads_numbers_as_every_option,
          public_only__refuses_the_rest, allow__sees_each_address_and_decides,
          network__survives_each_allocation_that_fails)
