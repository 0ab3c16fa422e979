/* urlpool_manager_network_changed: what a phone, or a laptop that wakes up elsewhere, calls. */

#include <stdio.h>
#include <string.h>

#include "support/dns_server.h"
#include "support/https_scene.h"
#include "support/requests.h"
#include "support/run_tests.h"

START_TEST(network__closes_idle_connections_and_the_next_request_dials)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);

    test_get(manager, server);
    urlpool_manager_network_changed(manager);
    ck_assert_uint_eq(test_stats(manager).open, 0);
    ck_assert_uint_eq(test_stats(manager).closed[URLPOOL_CLOSED_NETWORK], 1);
    test_get(manager, server);
    ck_assert_uint_eq(test_server_num_connections(server), 2);
    urlpool_manager_network_changed(NULL);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(network__lets_a_response_under_way_be_read_to_its_end)
{
    const struct urlpool_request_options options = {.stream = true};
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_response *response = test_fetch(manager, "GET", server, "/", &options);

    urlpool_manager_network_changed(manager);
    ck_assert_uint_eq(test_stats(manager).open, 1);
    ck_assert_int_eq(urlpool_response_read_all(response, &test_err), URLPOOL_OK);
    ck_assert_str_eq((const char *)response->data, "hello");
    urlpool_response_free(response);
    ck_assert_uint_eq(test_stats(manager).open, 0);
    ck_assert_uint_eq(test_stats(manager).closed[URLPOOL_CLOSED_NETWORK], 1);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(network__names_are_asked_for_anew)
{
    struct dns_server *dns = dns_server_start();
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(
        &(struct urlpool_manager_options){.network = {.dns_servers = dns_server_address(dns)}});
    char url[128];

    dns_server_add(dns, "shop.example", DNS_A, 3600, "127.0.0.1");
    (void)snprintf(url, sizeof(url), "http://shop.example:%d/", test_server_port(server));
    for (unsigned i = 0; i < 4; i++) {
        struct urlpool_response *response = urlpool_request(manager, "GET", url, NULL, &test_err);

        ck_assert_msg(response != NULL, "%s", test_err.message);
        urlpool_response_free(response);
        if (i == 1) {
            ck_assert_uint_eq(dns_server_num_queries(dns, "shop.example", DNS_A), 1);
            urlpool_manager_network_changed(manager);
        } else {
            (void)urlpool_manager_close_idle(manager);
        }
    }
    ck_assert_uint_eq(dns_server_num_queries(dns, "shop.example", DNS_A), 2);
    urlpool_manager_free(manager);
    test_server_stop(server);
    dns_server_stop(dns);
}
END_TEST

START_TEST(network__tls_sessions_are_kept)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.tls = scene.tls});

    test_get(manager, scene.server);
    urlpool_manager_network_changed(manager);
    test_get(manager, scene.server);
    ck_assert_uint_eq(test_stats(manager).tls_full, 1);
    ck_assert_uint_eq(test_stats(manager).tls_resumed, 1);
    ck_assert_uint_eq(test_stats(manager).tls_refused, 0);
    urlpool_manager_free(manager);
    https_scene_end(&scene);
}
END_TEST

RUN_TESTS("network changed", network__closes_idle_connections_and_the_next_request_dials,
          network__lets_a_response_under_way_be_read_to_its_end, network__names_are_asked_for_anew,
          network__tls_sessions_are_kept)
