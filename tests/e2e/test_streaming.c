/* Responses that are read while they come, and what becomes of their connections. */

#include "support/requests.h"
#include "support/run_tests.h"

static void answer_half(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)request;
    (void)user;
    test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    test_peer_stay(peer);
}

START_TEST(stream__sends_the_connection_home_at_the_end_of_the_body)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    const struct urlpool_request_options options = {.stream = true};
    struct urlpool_response *response = test_fetch(manager, "GET", server, "/", &options);
    char buf[16];
    size_t len = 99;

    ck_assert_ptr_null(response->data);
    ck_assert_uint_eq(test_stats(manager).leased, 1);
    ck_assert_int_eq(urlpool_response_read_exact(response, buf, 4, &len, &test_err), URLPOOL_OK);
    ck_assert_uint_eq(len, 4);
    ck_assert_uint_eq(test_stats(manager).leased, 1);
    ck_assert_int_eq(urlpool_response_read_exact(response, buf + 4, 9, &len, &test_err),
                     URLPOOL_OK);
    ck_assert_uint_eq(len, 1);
    ck_assert_mem_eq(buf, "hello", 5);
    ck_assert_uint_eq(test_stats(manager).idle, 1);
    ck_assert_int_eq(urlpool_response_read(response, buf, 9, &len, &test_err), URLPOOL_OK);
    ck_assert_uint_eq(len, 0);
    urlpool_response_free(response);
    urlpool_response_free(test_fetch(manager, "GET", server, "/", NULL));
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(stream__given_up_early_is_drained_or_closed_but_never_reused_half_read)
{
    struct test_server *server = test_server_start(answer_half, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    const struct urlpool_request_options options = {.stream = true};

    urlpool_response_free(test_fetch(manager, "GET", server, "/stall", &options));
    ck_assert_uint_eq(test_stats(manager).open, 0);
    ck_assert_uint_eq(test_stats(manager).closed[URLPOOL_CLOSED_UNREAD], 1);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(stream__outlives_its_manager)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    const struct urlpool_request_options options = {.stream = true};
    struct urlpool_response *response = test_fetch(manager, "GET", server, "/", &options);
    char buf[16];
    size_t len = 0;

    urlpool_manager_free(manager);
    ck_assert_int_eq(urlpool_response_read_exact(response, buf, 16, &len, &test_err), URLPOOL_OK);
    ck_assert_uint_eq(len, 5);
    urlpool_response_free(response);
    test_server_stop(server);
}
END_TEST

START_TEST(manager__closed_refuses_and_lets_a_running_exchange_finish)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    const struct urlpool_request_options options = {.stream = true};
    struct urlpool_response *response = test_fetch(manager, "GET", server, "/", &options);

    urlpool_manager_close(manager);
    urlpool_manager_close(manager);
    ck_assert_int_eq(test_fetch_fails(manager, "GET", server, "/", NULL), URLPOOL_E_POOL_CLOSED);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_POOL);
    ck_assert_int_eq(urlpool_response_read_all(response, &test_err), URLPOOL_OK);
    ck_assert_str_eq((const char *)response->data, "hello");
    ck_assert_uint_eq(test_stats(manager).open, 0);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

RUN_TESTS("streaming", stream__sends_the_connection_home_at_the_end_of_the_body,
          stream__given_up_early_is_drained_or_closed_but_never_reused_half_read,
          stream__outlives_its_manager, manager__closed_refuses_and_lets_a_running_exchange_finish)
