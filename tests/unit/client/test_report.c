/* Figures and lines: what a manager and its pools say of themselves. */

#include <stdio.h>
#include <string.h>

#include "support/requests.h"
#include "support/run_tests.h"

/* pool_of gives the pool for `server`; the caller gives it back. */
static struct urlpool_pool *pool_of(struct urlpool_manager *manager, struct test_server *server)
{
    char url[128];

    return urlpool_manager_pool_for_url(manager, test_server_url(server, "/", url, sizeof(url)),
                                        &test_err);
}

START_TEST(stats__add_up)
{
    struct test_server *first = test_server_start(test_answer_hello, NULL, NULL);
    struct test_server *second = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    const struct urlpool_request_options options = {.stream = true};
    struct urlpool_response *held;
    struct urlpool_pool *pool = pool_of(manager, first);
    struct urlpool_stats stats;

    test_get(manager, first);
    test_get(manager, first);
    held = test_fetch(manager, "GET", first, "/", &options);
    test_get(manager, second);
    stats = test_stats(manager);
    ck_assert_uint_eq(stats.pools, 2);
    ck_assert_uint_eq(stats.open, 2);
    ck_assert_uint_eq(stats.idle, 1);
    ck_assert_uint_eq(stats.leased, 1);
    ck_assert_uint_eq(stats.opened, 2);
    ck_assert_uint_eq(stats.reused, 2);
    ck_assert_uint_eq(stats.requests, 4);
    ck_assert_uint_eq(stats.peak_open, 2);
    ck_assert_uint_gt(stats.bytes_sent, 4 * 50);
    ck_assert_uint_gt(stats.bytes_received, 4 * 50);
    urlpool_pool_stats(pool, &stats, sizeof(stats));
    ck_assert_uint_eq(stats.pools, 1);
    ck_assert_uint_eq(stats.open, 1);
    ck_assert_uint_eq(stats.leased, 1);
    ck_assert_uint_eq(stats.opened, 1);
    ck_assert_uint_eq(stats.reused, 2);
    ck_assert_uint_eq(stats.requests, 3); /* that to the other origin is not its own */
    urlpool_response_free(held);
    urlpool_pool_unref(pool);
    urlpool_manager_free(manager);
    test_server_stop(first);
    test_server_stop(second);
}
END_TEST

START_TEST(stats__fill_an_older_struct_and_a_newer_one)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct {
        struct urlpool_stats stats;
        unsigned char more[32];
    } newer;
    struct urlpool_stats older;

    test_get(manager, server);
    memset(&newer, 0xee, sizeof(newer));
    urlpool_manager_stats(manager, &newer.stats, sizeof(newer));
    ck_assert_uint_eq(newer.stats.requests, 1);
    for (size_t i = 0; i < sizeof(newer.more); i++) {
        ck_assert_uint_eq(newer.more[i], 0); /* what this library does not know is zero */
    }
    memset(&older, 0xee, sizeof(older));
    urlpool_manager_stats(manager, &older, sizeof(older.pools) + sizeof(older.open));
    ck_assert_uint_eq(older.pools, 1);
    ck_assert_uint_eq(older.open, 1);
    ck_assert_uint_eq(older.idle, 0xeeeeeeeeeeeeeeee);
    urlpool_manager_stats(manager, NULL, sizeof(older));
    urlpool_manager_stats(NULL, &older, sizeof(older));
    ck_assert_uint_eq(older.requests, 0);
    ck_assert_uint_eq(older.idle, 0);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(describe__is_a_line_for_each_origin)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_pool *pool;
    char expected[160];
    char *text = urlpool_manager_describe(manager, &test_err);

    ck_assert_str_eq(text, "");
    urlpool_string_free(text);
    test_get(manager, server);
    test_get(manager, server);
    snprintf(expected, sizeof(expected),
             "http://127.0.0.1:%d open 1 idle 1 leased 0 dialling 0 waiting 0 reused 1 opened 1\n",
             test_server_port(server));
    text = urlpool_manager_describe(manager, &test_err);
    ck_assert_str_eq(text, expected);
    urlpool_string_free(text);
    pool = pool_of(manager, server);
    text = urlpool_pool_describe(pool, &test_err);
    ck_assert_str_eq(text, expected);
    urlpool_string_free(text);
    urlpool_pool_unref(pool);
    ck_assert_ptr_null(urlpool_manager_describe(NULL, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(clear__forgets_every_pool_and_counts)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    const struct urlpool_request_options options = {.stream = true};
    struct urlpool_response *held = test_fetch(manager, "GET", server, "/", &options);

    test_get(manager, server);
    urlpool_manager_clear(manager);
    ck_assert_uint_eq(test_stats(manager).pools, 0);
    ck_assert_uint_eq(test_stats(manager).open, 1);
    ck_assert_uint_eq(test_stats(manager).closed[URLPOOL_CLOSED_CLEARED], 1);
    ck_assert_int_eq(urlpool_response_read_all(held, &test_err), URLPOOL_OK);
    urlpool_response_free(held);
    ck_assert_uint_eq(test_stats(manager).closed[URLPOOL_CLOSED_CLEARED], 2);
    test_get(manager, server);
    ck_assert_uint_eq(test_stats(manager).pools, 1);
    ck_assert_uint_eq(urlpool_manager_close_idle(manager), 1);
    ck_assert_uint_eq(urlpool_manager_close_idle(manager), 0);
    ck_assert_uint_eq(urlpool_manager_close_idle(NULL), 0);
    urlpool_manager_clear(NULL);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

RUN_TESTS("report", stats__add_up, stats__fill_an_older_struct_and_a_newer_one,
          describe__is_a_line_for_each_origin, clear__forgets_every_pool_and_counts)
