/* A name that leads elsewhere: connections to the address it had end, once it is sure. */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "support/dns_server.h"
#include "support/requests.h"
#include "support/run_tests.h"

#define S    INT64_C(1000000000)
#define NAME "shop.example"

static struct dns_server *dns;
static struct test_server *server;
static struct urlpool_manager *manager;
static char url[128];

/* begin makes a manager that keeps connections for long, to a name that leads to the server. */
static void begin(struct urlpool_manager_options options)
{
    urlp_clock_fake_begin(1000 * S);
    dns = dns_server_start();
    server = test_server_start(test_answer_hello, NULL, NULL);
    options.network.dns_servers = dns_server_address(dns);
    options.idle_ms = URLPOOL_NO_TIMEOUT;
    options.lifetime_ms = URLPOOL_NO_TIMEOUT;
    manager = test_manager(&options);
    dns_server_add(dns, NAME, DNS_A, 30, "127.0.0.1");
    (void)snprintf(url, sizeof(url), "http://" NAME ":%d/", test_server_port(server));
}

static void end(void)
{
    urlpool_manager_free(manager);
    test_server_stop(server);
    dns_server_stop(dns);
    urlp_clock_fake_end();
}

static void get(void)
{
    struct urlpool_response *response = urlpool_request(manager, "GET", url, NULL, &test_err);

    ck_assert_msg(response != NULL, "%s", test_err.message);
    urlpool_response_free(response);
}

static uint64_t num_gone(void)
{
    return test_stats(manager).closed[URLPOOL_CLOSED_ADDRESS];
}

/* move_away lets the name lead to where nobody is, from the next answer on. */
static void move_away(void)
{
    dns_server_clear(dns);
    dns_server_add(dns, NAME, DNS_A, 30, "127.0.0.2");
}

START_TEST(address__absent_from_three_answers_ends_the_connection_in_maintain)
{
    begin((struct urlpool_manager_options){0});
    get();
    move_away();
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(num_gone(), 0);
        urlp_clock_fake_advance(61 * S);
        ck_assert_uint_eq(urlpool_manager_maintain(manager), i == 2);
    }
    ck_assert_uint_eq(num_gone(), 1);
    ck_assert_uint_eq(test_stats(manager).open, 0);
    ck_assert_uint_eq(dns_server_num_queries(dns, NAME, DNS_A), 4);
    end();
}
END_TEST

START_TEST(address__absent_for_less_than_a_minute_is_used_on)
{
    begin((struct urlpool_manager_options){0});
    get();
    move_away();
    urlp_clock_fake_advance(61 * S);
    for (int i = 0; i < 20; i++) { /* as often as it is done, DNS is asked but once a minute */
        (void)urlpool_manager_maintain(manager);
        urlp_clock_fake_advance(2 * S);
        get();
    }
    ck_assert_uint_eq(num_gone(), 0);
    ck_assert_uint_eq(dns_server_num_queries(dns, NAME, DNS_A), 2);
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    end();
}
END_TEST

START_TEST(address__that_has_gone_is_not_used_for_the_next_request)
{
    struct urlpool_response *response;
    const struct urlpool_request_options streamed = {.stream = true};

    begin((struct urlpool_manager_options){0});
    get();
    response = urlpool_request(manager, "GET", url, &streamed, &test_err); /* held meanwhile */
    ck_assert_ptr_nonnull(response);
    move_away();
    for (int i = 0; i < 3; i++) {
        urlp_clock_fake_advance(61 * S);
        (void)urlpool_manager_maintain(manager);
    }
    ck_assert_uint_eq(num_gone(), 0); /* in use: it goes on */
    ck_assert_int_eq(urlpool_response_read_all(response, &test_err), URLPOOL_OK);
    ck_assert_str_eq((const char *)response->data, "hello");
    urlpool_response_free(response);
    ck_assert_uint_eq(num_gone(), 1); /* and ends as it comes home */
    end();
}
END_TEST

START_TEST(address__is_not_asked_about_when_changes_are_to_be_ignored)
{
    begin((struct urlpool_manager_options){.ignore_dns_change = true});
    get();
    move_away();
    for (int i = 0; i < 6; i++) {
        urlp_clock_fake_advance(61 * S);
        (void)urlpool_manager_maintain(manager);
        get();
    }
    ck_assert_uint_eq(num_gone(), 0);
    ck_assert_uint_eq(dns_server_num_queries(dns, NAME, DNS_A), 1);
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    end();
}
END_TEST

START_TEST(address__that_is_fixed_or_a_literal_never_goes)
{
    const char *const answers[] = {NAME ":*:127.0.0.1", NULL};

    begin((struct urlpool_manager_options){.network = {.answers = answers}});
    get();
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", test_server_port(server));
    get();
    for (int i = 0; i < 6; i++) {
        urlp_clock_fake_advance(61 * S);
        ck_assert_uint_eq(urlpool_manager_maintain(manager), 0);
    }
    ck_assert_uint_eq(test_stats(manager).idle, 2);
    ck_assert_uint_eq(dns_server_num_queries(dns, NULL, DNS_A), 0);
    end();
}
END_TEST

static void await_queries(unsigned num)
{
    dns_server_await(dns, NAME, DNS_A, num);
    urlp_clock_fake_await_waiters(1); /* the thread sleeps again */
}

START_TEST(address__is_watched_by_the_thread_without_any_request)
{
    begin((struct urlpool_manager_options){.upkeep_thread = true});
    get();
    move_away();
    for (unsigned i = 0; i < 3; i++) {
        urlp_clock_fake_await_waiters(1);
        urlp_clock_fake_advance(60 * S);
        await_queries(i + 2);
    }
    ck_assert_uint_eq(num_gone(), 1);
    ck_assert_uint_eq(test_stats(manager).open, 0);
    end();
}
END_TEST

RUN_TESTS("address gone", address__absent_from_three_answers_ends_the_connection_in_maintain,
          address__absent_for_less_than_a_minute_is_used_on,
          address__that_has_gone_is_not_used_for_the_next_request,
          address__is_not_asked_about_when_changes_are_to_be_ignored,
          address__that_is_fixed_or_a_literal_never_goes,
          address__is_watched_by_the_thread_without_any_request)
