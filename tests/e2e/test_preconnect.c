/* urlpool_manager_preconnect against a server that counts connections. */

#include "support/requests.h"
#include "support/run_tests.h"

START_TEST(preconnect__opens_and_requests_use_what_it_opened)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    char url[64];

    test_server_url(server, "/", url, sizeof(url));
    ck_assert_int_eq(urlpool_manager_preconnect(manager, url, 3, &test_err), URLPOOL_OK);
    ck_assert_uint_eq(test_stats(manager).idle, 3);
    test_get(manager, server);
    ck_assert_uint_eq(test_stats(manager).opened, 3);
    ck_assert_uint_eq(test_stats(manager).reused, 1);
    ck_assert_uint_eq(test_server_num_requests(server), 1);
    ck_assert_int_eq(urlpool_manager_preconnect(manager, url, 3, &test_err), URLPOOL_OK);
    ck_assert_uint_eq(test_stats(manager).opened, 3);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(preconnect__says_why_it_cannot)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    char url[64];

    test_server_url(server, "/", url, sizeof(url));
    test_server_stop(server);
    ck_assert_int_eq(urlpool_manager_preconnect(manager, url, 1, &test_err), URLPOOL_E_CONNECT);
    ck_assert_int_eq(test_err.code, URLPOOL_E_CONNECT);
    ck_assert_int_eq(urlpool_manager_preconnect(manager, "ftp://a/", 1, NULL), URLPOOL_E_SCHEME);
    ck_assert_int_eq(urlpool_manager_preconnect(manager, NULL, 1, NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_manager_preconnect(NULL, url, 1, NULL), URLPOOL_E_INVALID);
    ck_assert_uint_eq(test_stats(manager).open, 0);
    urlpool_manager_close(manager);
    ck_assert_int_eq(urlpool_manager_preconnect(manager, url, 1, NULL), URLPOOL_E_POOL_CLOSED);
    urlpool_manager_free(manager);
}
END_TEST

RUN_TESTS("preconnect", preconnect__opens_and_requests_use_what_it_opened,
          preconnect__says_why_it_cannot)
