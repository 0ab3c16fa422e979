/* Names as a real dnsmasq answers them, or does not, in a network of the test's own: both families,
 * TTLs, lost answers, answers that change, and addresses where nobody is at home. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "support/certs.h"
#include "support/dnsmasq.h"
#include "support/netns.h"
#include "support/requests.h"
#include "support/run_tests.h"

#define HOLE_V4 "203.0.113.1"
#define HOLE_V6 "2001:db8:dead::1"
#define PUBLIC  "11.0.0.1" /* as far as anybody outside is concerned */

#define START_NS (INT64_C(1000000) * URLP_NS_PER_MS)

enum {
    TTL_S = 5,
    SOON_MS = 1500, /* what is not waited for takes less, however busy the machine */
    LIMIT_MS = 800
};

static const char *const ips[] = {"192.0.2.1", "192.0.2.2", "2001:db8::1", "127.0.0.1", PUBLIC};

#define NUM_SERVERS (sizeof(ips) / sizeof(ips[0]))

static struct test_server *servers[NUM_SERVERS];
static struct dnsmasq *dnsmasq;
static struct urlpool_manager *manager;
static char *folder;

static void answer_own_ip(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)request;
    test_peer_reply(peer, 200, NULL, user);
}

/* begin makes the network: /etc/resolv.conf names dnsmasq, and each of `ips` has a server on port
 * 80 that answers it. */
static void begin(void)
{
    char *resolv_conf;

    netns_enter();
    for (size_t i = 0; i < NUM_SERVERS; i++) {
        if (strcmp(ips[i], "127.0.0.1") != 0) {
            netns_add_address(ips[i]);
        }
    }
    netns_add_address(DNSMASQ_IP);
    netns_add_black_hole(DNSMASQ_NOWHERE);
    netns_add_black_hole(HOLE_V4);
    netns_add_black_hole(HOLE_V6);
    folder = test_dir();
    resolv_conf =
        test_file(folder, "resolv.conf", "nameserver " DNSMASQ_IP "\nsearch shop.example\n");
    netns_replace_file("/etc/resolv.conf", resolv_conf);
    free(resolv_conf);
    dnsmasq = dnsmasq_start(TTL_S);
    for (size_t i = 0; i < NUM_SERVERS; i++) {
        const struct test_server_options options = {.ip = ips[i], .port = 80};

        servers[i] = test_server_start(answer_own_ip, (void *)(uintptr_t)ips[i], &options);
    }
}

static void end(void)
{
    for (size_t i = 0; i < NUM_SERVERS; i++) {
        test_server_stop(servers[i]);
    }
    dnsmasq_stop(dnsmasq);
    test_dir_remove(folder);
}

static void use(const struct urlpool_manager_options *options)
{
    manager = test_manager(options);
}

/* get asks `host` over a connection that is made for it. */
static struct urlpool_response *get(const char *host, const struct urlpool_timeout *timeout)
{
    const struct urlpool_request_options options = {.retries = TEST_ONE_TRY, .timeout = *timeout};
    char url[256];

    (void)snprintf(url, sizeof(url), "http://%s/", host);
    (void)urlpool_manager_close_idle(manager);
    return urlpool_request(manager, "GET", url, &options, &test_err);
}

static void check_reaches(const char *host, const char *ip)
{
    const struct urlpool_timeout none = {0};
    struct urlpool_response *response = get(host, &none);

    ck_assert_msg(response != NULL, "%s: %s", host, test_err.message);
    ck_assert_str_eq((const char *)response->data, ip);
    urlpool_response_free(response);
}

/* check_reaches_soon also holds that nothing was waited for that does not come. */
static void check_reaches_soon(const char *host, const char *ip)
{
    const int64_t begun_ns = urlp_now_ns();

    check_reaches(host, ip);
    ck_assert_int_lt((urlp_now_ns() - begun_ns) / URLP_NS_PER_MS, SOON_MS);
}

static void check_fails(const char *host, const struct urlpool_timeout *timeout,
                        enum urlpool_code code, enum urlpool_phase phase, int64_t at_least_ms)
{
    const int64_t begun_ns = urlp_now_ns();
    struct urlpool_response *response = get(host, timeout);
    const int64_t took_ms = (urlp_now_ns() - begun_ns) / URLP_NS_PER_MS;

    ck_assert_msg(response == NULL, "%s: %s", host,
                  response != NULL ? (const char *)response->data : "");
    ck_assert_msg(test_err.code == code && test_err.phase == phase, "%s, phase %d: %s",
                  urlpool_code_name(test_err.code), (int)test_err.phase, test_err.message);
    ck_assert_int_ge(took_ms, at_least_ms);
    ck_assert_int_lt(took_ms, at_least_ms + SOON_MS);
}

static void pass_ms(int64_t ms)
{
    urlp_clock_fake_advance(ms * URLP_NS_PER_MS);
}

START_TEST(dnsmasq__is_asked_for_both_families)
{
    begin();
    dnsmasq_know(dnsmasq, "192.0.2.1 both.example\n2001:db8::1 both.example\n"
                          "192.0.2.2 four.example\n2001:db8::1 six.example\n");
    use(NULL);
    check_reaches("both.example", "2001:db8::1");
    check_reaches("four.example", "192.0.2.2");
    check_reaches("six.example", "2001:db8::1");
    ck_assert_uint_eq(test_stats(manager).dns_queries, 3);
    urlpool_manager_free(manager);
    use(&(struct urlpool_manager_options){.network.family = URLPOOL_FAMILY_V4});
    check_reaches("both.example", "192.0.2.1");
    check_fails("six.example", &(struct urlpool_timeout){0}, URLPOOL_E_RESOLVE,
                URLPOOL_PHASE_RESOLVE, 0);
    urlpool_manager_free(manager);
    use(&(struct urlpool_manager_options){
        .network = {.family = URLPOOL_FAMILY_V6, .dns_servers = DNSMASQ_IP}
    });
    check_reaches("both.example", "2001:db8::1");
    urlpool_manager_free(manager);
    end();
}
END_TEST

START_TEST(dnsmasq__is_found_by_resolv_conf_with_its_search_list)
{
    begin();
    dnsmasq_know(dnsmasq, "192.0.2.2 till.shop.example\n192.0.2.1 plain\n");
    use(NULL);
    check_reaches("till", "192.0.2.2");
    check_reaches("plain", "192.0.2.1");
    urlpool_manager_free(manager);
    use(&(struct urlpool_manager_options){.network.resolve = urlpool_resolver_libc});
    check_reaches("till", "192.0.2.2");
    urlpool_manager_free(manager);
    end();
}
END_TEST

START_TEST(dnsmasq__answer_is_kept_for_its_ttl_and_no_longer)
{
    begin();
    urlp_clock_fake_begin(START_NS);
    dnsmasq_know(dnsmasq, "192.0.2.1 moving.example\n");
    use(NULL);
    check_reaches("moving.example", "192.0.2.1");
    dnsmasq_know(dnsmasq, "192.0.2.2 moving.example\n");
    pass_ms(TTL_S * 1000 - 100);
    check_reaches("moving.example", "192.0.2.1");
    ck_assert_uint_eq(test_stats(manager).dns_queries, 1);
    ck_assert_uint_eq(test_stats(manager).dns_hits, 1);
    pass_ms(200);
    check_reaches("moving.example", "192.0.2.2");
    ck_assert_uint_eq(test_stats(manager).dns_queries, 2);
    urlpool_manager_free(manager);
    urlp_clock_fake_end();
    end();
}
END_TEST

START_TEST(dnsmasq__alias_is_kept_for_the_least_ttl_of_its_chain)
{
    begin();
    urlp_clock_fake_begin(START_NS);
    dnsmasq_know(dnsmasq, "192.0.2.1 moving.example\n");
    use(NULL);
    check_reaches("alias.example", "192.0.2.1");
    dnsmasq_know(dnsmasq, "192.0.2.2 moving.example\n");
    pass_ms(1900);
    check_reaches("alias.example", "192.0.2.1");
    pass_ms(200);
    check_reaches("alias.example", "192.0.2.2");
    urlpool_manager_free(manager);
    urlp_clock_fake_end();
    end();
}
END_TEST

START_TEST(dnsmasq__answer_that_changes_moves_new_connections_only)
{
    const struct urlpool_request_options options = {.stream = true};
    struct urlpool_response *held;
    char data[64] = "";
    size_t len = 0;

    begin();
    urlp_clock_fake_begin(START_NS);
    dnsmasq_know(dnsmasq, "192.0.2.1 moving.example\n");
    use(NULL);
    held = urlpool_request(manager, "GET", "http://moving.example/", &options, &test_err);
    ck_assert_msg(held != NULL, "%s", test_err.message);
    dnsmasq_know(dnsmasq, "2001:db8::1 moving.example\n");
    pass_ms(TTL_S * 1000 + 100);
    check_reaches("moving.example", "2001:db8::1");
    dnsmasq_know(dnsmasq, "");
    pass_ms(TTL_S * 1000 + 100);
    ck_assert_ptr_null(get("moving.example", &(struct urlpool_timeout){0}));
    ck_assert_int_eq(test_err.code, URLPOOL_E_RESOLVE);
    dnsmasq_know(dnsmasq, "192.0.2.2 moving.example\n"); /* "no" is remembered for a second */
    pass_ms(1100);
    check_reaches("moving.example", "192.0.2.2");
    ck_assert_int_eq(urlpool_response_read(held, data, sizeof(data) - 1, &len, &test_err),
                     URLPOOL_OK);
    ck_assert_str_eq(data, "192.0.2.1");
    urlpool_response_free(held);
    urlpool_manager_free(manager);
    urlp_clock_fake_end();
    end();
}
END_TEST

START_TEST(dnsmasq__answer_that_turns_inward_is_not_dialled)
{
    begin();
    urlp_clock_fake_begin(START_NS);
    dnsmasq_know(dnsmasq, PUBLIC " moving.example\n");
    use(&(struct urlpool_manager_options){.network.public_only = true});
    check_reaches("moving.example", PUBLIC);
    dnsmasq_know(dnsmasq, "127.0.0.1 moving.example\n");
    pass_ms(TTL_S * 1000 + 100);
    ck_assert_ptr_null(get("moving.example", &(struct urlpool_timeout){0}));
    ck_assert_int_eq(test_err.code, URLPOOL_E_ADDRESS_REFUSED);
    ck_assert_uint_eq(test_server_num_connections(servers[3]), 0);
    urlpool_manager_free(manager);
    urlp_clock_fake_end();
    end();
}
END_TEST

START_TEST(dnsmasq__lost_answer_of_one_family_is_not_waited_for)
{
    begin();
    use(NULL);
    check_reaches_soon("half.example", "192.0.2.1");
    check_reaches_soon("half6.example", "2001:db8::1");
    urlpool_manager_free(manager);
    end();
}
END_TEST

START_TEST(dnsmasq__lost_answers_leave_the_deadline_alone)
{
    begin();
    use(NULL);
    check_fails("lost.example", &(struct urlpool_timeout){.connect_ms = LIMIT_MS},
                URLPOOL_E_CONNECT_TIMEOUT, URLPOOL_PHASE_RESOLVE, LIMIT_MS);
    ck_assert_str_eq(test_err.message, "no address for name lost.example in time");
    check_fails("www.lost.example", &(struct urlpool_timeout){.total_ms = LIMIT_MS},
                URLPOOL_E_TOTAL_TIMEOUT, URLPOOL_PHASE_RESOLVE, LIMIT_MS);
    urlpool_manager_free(manager);
    end();
}
END_TEST

START_TEST(dnsmasq__that_knows_no_such_name_or_is_gone_is_a_failure_at_once)
{
    begin();
    use(NULL);
    check_fails("nobody.example", &(struct urlpool_timeout){0}, URLPOOL_E_RESOLVE,
                URLPOOL_PHASE_RESOLVE, 0);
    dnsmasq_stop(dnsmasq);
    dnsmasq = NULL;
    check_fails("somebody.example", &(struct urlpool_timeout){0}, URLPOOL_E_RESOLVE,
                URLPOOL_PHASE_RESOLVE, 0);
    urlpool_manager_free(manager);
    end();
}
END_TEST

START_TEST(black_hole__of_ipv6_is_overtaken_by_ipv4)
{
    begin();
    dnsmasq_know(dnsmasq, HOLE_V6 " half-dead.example\n192.0.2.2 half-dead.example\n");
    use(NULL);
    check_reaches_soon("half-dead.example", "192.0.2.2");
    urlpool_manager_free(manager);
    end();
}
END_TEST

START_TEST(black_hole__leaves_the_deadline_alone)
{
    begin();
    dnsmasq_know(dnsmasq, HOLE_V6 " dead.example\n" HOLE_V4 " dead.example\n");
    use(NULL);
    check_fails("dead.example", &(struct urlpool_timeout){.connect_ms = LIMIT_MS},
                URLPOOL_E_CONNECT_TIMEOUT, URLPOOL_PHASE_CONNECT, LIMIT_MS);
    check_fails("[" HOLE_V6 "]", &(struct urlpool_timeout){.connect_ms = LIMIT_MS},
                URLPOOL_E_CONNECT_TIMEOUT, URLPOOL_PHASE_CONNECT, LIMIT_MS);
    check_fails("[" HOLE_V6 "]", &(struct urlpool_timeout){.total_ms = LIMIT_MS},
                URLPOOL_E_TOTAL_TIMEOUT, URLPOOL_PHASE_CONNECT, LIMIT_MS);
    urlpool_manager_free(manager);
    end();
}
END_TEST

START_TEST(zone__of_an_address_is_an_interface_and_keeps_connections_apart)
{
    static const struct test_server_options everywhere = {.ip = "::", .port = 8080};
    static const char *const zones[] = {"lo", "hole", "lo", "hole"};
    struct test_server *server;
    char *head;

    begin();
    netns_add_link_local("fe80::7");
    server = test_server_start(answer_own_ip, (void *)(uintptr_t) "here", &everywhere);
    use(NULL);
    for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
        char url[64];
        struct urlpool_response *response;

        (void)snprintf(url, sizeof(url), "http://[fe80::7%%25%s]:8080/", zones[i]);
        response = urlpool_request(manager, "GET", url, NULL, &test_err);
        ck_assert_msg(response != NULL, "%s: %s", url, test_err.message);
        ck_assert(response->connection_reused == (i >= 2));
        urlpool_response_free(response);
    }
    head = test_server_last_head(server);
    ck_assert_ptr_nonnull(strstr(head, "\r\nHost: [fe80::7]:8080\r\n"));
    free(head);
    ck_assert_ptr_null(get("[fe80::7%25nowhere]:8080", &(struct urlpool_timeout){0}));
    ck_assert_int_eq(test_err.code, URLPOOL_E_RESOLVE);
    urlpool_manager_free(manager);
    test_server_stop(server);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        dnsmasq__is_asked_for_both_families,
        dnsmasq__is_found_by_resolv_conf_with_its_search_list,
        dnsmasq__answer_is_kept_for_its_ttl_and_no_longer,
        dnsmasq__alias_is_kept_for_the_least_ttl_of_its_chain,
        dnsmasq__answer_that_changes_moves_new_connections_only,
        dnsmasq__answer_that_turns_inward_is_not_dialled,
        dnsmasq__lost_answer_of_one_family_is_not_waited_for,
        dnsmasq__lost_answers_leave_the_deadline_alone,
        dnsmasq__that_knows_no_such_name_or_is_gone_is_a_failure_at_once,
        black_hole__of_ipv6_is_overtaken_by_ipv4,
        black_hole__leaves_the_deadline_alone,
        zone__of_an_address_is_an_interface_and_keeps_connections_apart,
    };
    const char *trouble = dnsmasq_exists() ? netns_trouble() : "no dnsmasq";

    if (trouble != NULL) {
        (void)fprintf(stderr, "skipped: %s\n", trouble);
        return TEST_SKIPPED;
    }
    return run_tests("dnsmasq", tests, sizeof(tests) / sizeof(tests[0]));
}
