/* Every option of a manager that concerns its pools: zero, URLPOOL_NONE, a value, and what is no
 * value. Time goes by on the fake clock. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "support/requests.h"
#include "support/run_tests.h"

enum {
    NUM_POOLS_DEFAULT = 64,
    MAXSIZE_DEFAULT = 64
};

static void advance_ms(int64_t ms)
{
    urlp_clock_fake_advance(ms * URLP_NS_PER_MS);
}

/* refuses says whether a manager with these options is refused as such, naming `word`. */
static void expect_refused(const struct urlpool_manager_options *options, const char *word)
{
    ck_assert_ptr_null(urlpool_manager_new(options, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
    ck_assert_msg(strstr(test_err.message, word) != NULL, "\"%s\" does not name %s",
                  test_err.message, word);
}

/* touch_origins makes a pool each for `num` origins, without connections. */
static void touch_origins(struct urlpool_manager *manager, int num)
{
    for (int i = 0; i < num; i++) {
        char host[32];
        struct urlpool_pool *pool;

        snprintf(host, sizeof(host), "host%d.example", i);
        pool = urlpool_manager_pool_for(manager, "http", host, 0, &test_err);
        ck_assert_msg(pool != NULL, "%s", test_err.message);
        urlpool_pool_unref(pool);
    }
}

START_TEST(num_pools__zero_is_sixty_four)
{
    struct urlpool_manager *manager = test_manager(NULL);

    touch_origins(manager, NUM_POOLS_DEFAULT + 1);
    ck_assert_uint_eq(test_stats(manager).pools, NUM_POOLS_DEFAULT);
    ck_assert_uint_eq(test_stats(manager).pools_retired, 1);
    urlpool_manager_free(manager);
}
END_TEST

START_TEST(num_pools__value_retires_the_least_recently_used)
{
    struct test_server *first = test_server_start(test_answer_hello, NULL, NULL);
    struct test_server *second = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.num_pools = 1});

    test_get(manager, first);
    test_get(manager, second);
    test_get(manager, first);
    ck_assert_uint_eq(test_stats(manager).pools, 1);
    ck_assert_uint_eq(test_stats(manager).closed[URLPOOL_CLOSED_RETIRED], 2);
    ck_assert_uint_eq(test_server_num_connections(first), 2);
    urlpool_manager_free(manager);
    test_server_stop(first);
    test_server_stop(second);
}
END_TEST

START_TEST(num_pools__none_keeps_no_pool_that_nobody_uses)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.num_pools = URLPOOL_NONE});

    test_get(manager, server);
    test_get(manager, server);
    ck_assert_uint_eq(test_stats(manager).pools, 0);
    ck_assert_uint_eq(test_stats(manager).open, 0);
    ck_assert_uint_eq(test_server_num_connections(server), 2);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

/* hold_at_once takes `num` connections to `server` at the same time and gives them back whole. */
static void hold_at_once(struct urlpool_manager *manager, struct test_server *server, int num)
{
    struct urlpool_response **held = calloc((size_t)num, sizeof(*held));
    const struct urlpool_request_options options = {.stream = true};

    ck_assert_ptr_nonnull(held);
    for (int i = 0; i < num; i++) {
        held[i] = test_fetch(manager, "GET", server, "/", &options);
    }
    ck_assert_uint_eq(test_stats(manager).leased, num);
    for (int i = 0; i < num; i++) {
        urlpool_response_free(held[i]);
    }
    ck_assert_uint_eq(test_stats(manager).leased, 0);
    free(held);
}

START_TEST(maxsize__zero_keeps_sixty_four)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);

    hold_at_once(manager, server, MAXSIZE_DEFAULT + 1);
    ck_assert_uint_eq(test_stats(manager).idle, MAXSIZE_DEFAULT);
    ck_assert_uint_eq(test_stats(manager).closed[URLPOOL_CLOSED_SURPLUS], 1);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(maxsize__value_keeps_as_many_and_opens_more)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(&(struct urlpool_manager_options){.maxsize = 2});

    hold_at_once(manager, server, 3);
    ck_assert_uint_eq(test_stats(manager).idle, 2);
    ck_assert_uint_eq(test_stats(manager).closed[URLPOOL_CLOSED_SURPLUS], 1);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(maxsize__none_keeps_none)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.maxsize = URLPOOL_NONE});

    test_get(manager, server);
    test_get(manager, server);
    ck_assert_uint_eq(test_stats(manager).idle, 0);
    ck_assert_uint_eq(test_stats(manager).reused, 0);
    ck_assert_uint_eq(test_server_num_connections(server), 2);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(block__bounds_the_open_connections)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.maxsize = 2, .block = true});
    const struct urlpool_request_options options = {.stream = true, .timeout = {.pool_ms = 20}};
    struct urlpool_response *first = test_fetch(manager, "GET", server, "/", &options);
    struct urlpool_response *second = test_fetch(manager, "GET", server, "/", &options);

    ck_assert_int_eq(test_fetch_fails(manager, "GET", server, "/", &options),
                     URLPOOL_E_POOL_TIMEOUT);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_POOL);
    urlpool_response_free(first);
    urlpool_response_free(test_fetch(manager, "GET", server, "/", &options));
    urlpool_response_free(second);
    ck_assert_uint_eq(test_server_num_connections(server), 2);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(block__with_no_place_at_all_is_refused)
{
    expect_refused(&(struct urlpool_manager_options){.maxsize = URLPOOL_NONE, .block = true},
                   "block");
}
END_TEST

/* outlives makes a connection, lets `ms` go by, and says whether it is used again; if not, it must
 * have died of `why`. */
static bool outlives(const struct urlpool_manager_options *options, int64_t ms,
                     enum urlpool_closed why)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager;
    struct urlpool_response *response;
    bool is_reused;

    urlp_clock_fake_begin(URLP_NS_PER_MS);
    manager = test_manager(options);
    test_get(manager, server);
    advance_ms(ms);
    response = test_fetch(manager, "GET", server, "/", NULL);
    is_reused = response->connection_reused;
    urlpool_response_free(response);
    if (!is_reused) {
        ck_assert_uint_ge(test_stats(manager).closed[why], 1);
    }
    urlpool_manager_free(manager);
    urlp_clock_fake_end();
    test_server_stop(server);
    return is_reused;
}

START_TEST(idle__zero_is_fifty_five_seconds)
{
    const struct urlpool_manager_options options = {0};

    ck_assert(outlives(&options, 54999, URLPOOL_CLOSED_IDLE));
    ck_assert(!outlives(&options, 55000, URLPOOL_CLOSED_IDLE));
}
END_TEST

START_TEST(idle__value_is_obeyed)
{
    const struct urlpool_manager_options options = {.idle_ms = 120000};

    ck_assert(outlives(&options, 119999, URLPOOL_CLOSED_IDLE));
    ck_assert(!outlives(&options, 120000, URLPOOL_CLOSED_IDLE));
}
END_TEST

START_TEST(idle__none_keeps_no_connection)
{
    const struct urlpool_manager_options options = {.idle_ms = URLPOOL_NONE};

    ck_assert(!outlives(&options, 0, URLPOOL_CLOSED_IDLE));
}
END_TEST

START_TEST(idle__without_bound_is_kept_until_its_lifetime_ends)
{
    const struct urlpool_manager_options options = {.idle_ms = URLPOOL_NO_TIMEOUT};

    ck_assert(outlives(&options, 500000, URLPOOL_CLOSED_IDLE));
    ck_assert(!outlives(&options, 700000, URLPOOL_CLOSED_LIFETIME));
}
END_TEST

START_TEST(lifetime__zero_is_ten_minutes_and_a_tenth_more_or_less)
{
    const struct urlpool_manager_options options = {.idle_ms = URLPOOL_NO_TIMEOUT};

    ck_assert(outlives(&options, 539999, URLPOOL_CLOSED_LIFETIME));
    ck_assert(!outlives(&options, 660000, URLPOOL_CLOSED_LIFETIME));
}
END_TEST

START_TEST(lifetime__value_is_obeyed)
{
    const struct urlpool_manager_options options = {.lifetime_ms = 1000};

    ck_assert(outlives(&options, 899, URLPOOL_CLOSED_LIFETIME));
    ck_assert(!outlives(&options, 1100, URLPOOL_CLOSED_LIFETIME));
}
END_TEST

START_TEST(lifetime__none_keeps_no_connection)
{
    const struct urlpool_manager_options options = {.lifetime_ms = URLPOOL_NONE};

    ck_assert(!outlives(&options, 0, URLPOOL_CLOSED_LIFETIME));
}
END_TEST

START_TEST(lifetime__without_bound_never_ends)
{
    const struct urlpool_manager_options options = {.idle_ms = URLPOOL_NO_TIMEOUT,
                                                    .lifetime_ms = URLPOOL_NO_TIMEOUT};

    ck_assert(outlives(&options, (int64_t)365 * 24 * 3600 * 1000, URLPOOL_CLOSED_LIFETIME));
}
END_TEST

/* connections_for makes twelve requests one after the other, and says how many connections that
 * took. */
static unsigned connections_for(int64_t requests_max)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.requests_max = requests_max});
    unsigned num;

    for (int i = 0; i < 12; i++) {
        test_get(manager, server);
    }
    num = test_server_num_connections(server);
    ck_assert_uint_ge(test_stats(manager).closed[URLPOOL_CLOSED_REQUESTS] + 1, num);
    urlpool_manager_free(manager);
    test_server_stop(server);
    return num;
}

START_TEST(requests__of_a_connection_are_as_many_as_allowed)
{
    ck_assert_uint_eq(connections_for(0), 1);
    ck_assert_uint_eq(connections_for(URLPOOL_NO_TIMEOUT), 1);
    ck_assert_uint_eq(connections_for(5), 3);
    ck_assert_uint_eq(connections_for(1), 12);
    ck_assert_uint_eq(connections_for(URLPOOL_NONE), 12);
}
END_TEST

START_TEST(options__that_are_no_value_are_refused_by_name)
{
    expect_refused(&(struct urlpool_manager_options){.num_pools = -3}, "num_pools");
    expect_refused(&(struct urlpool_manager_options){.num_pools = URLPOOL_NO_TIMEOUT}, "num_pools");
    expect_refused(&(struct urlpool_manager_options){.maxsize = -3}, "maxsize");
    expect_refused(&(struct urlpool_manager_options){.maxsize = URLPOOL_NO_TIMEOUT}, "maxsize");
    expect_refused(&(struct urlpool_manager_options){.maxsize = INT32_MIN}, "maxsize");
    expect_refused(&(struct urlpool_manager_options){.idle_ms = -3}, "idle_ms");
    expect_refused(&(struct urlpool_manager_options){.idle_ms = INT64_MIN}, "idle_ms");
    expect_refused(&(struct urlpool_manager_options){.lifetime_ms = -3}, "lifetime_ms");
    expect_refused(&(struct urlpool_manager_options){.requests_max = -3}, "requests_max");
    expect_refused(&(struct urlpool_manager_options){.redirects_max = -3}, "redirects_max");
    expect_refused(&(struct urlpool_manager_options){.redirects_max = URLPOOL_NO_TIMEOUT},
                   "redirects_max");
    expect_refused(&(struct urlpool_manager_options){.data_bytes_max = -3}, "data_bytes_max");
    expect_refused(&(struct urlpool_manager_options){.timeout.connect_ms = -3}, "connect_ms");
    expect_refused(&(struct urlpool_manager_options){.timeout.read_ms = -3}, "read_ms");
    expect_refused(&(struct urlpool_manager_options){.timeout.write_ms = -3}, "write_ms");
    expect_refused(&(struct urlpool_manager_options){.timeout.total_ms = -3}, "total_ms");
    expect_refused(&(struct urlpool_manager_options){.timeout.pool_ms = INT64_MIN}, "pool_ms");
}
END_TEST

START_TEST(options__as_large_as_can_be_are_accepted)
{
    struct urlpool_manager *manager = test_manager(&(struct urlpool_manager_options){
        .num_pools = INT32_MAX,
        .maxsize = INT32_MAX,
        .block = true,
        .idle_ms = INT64_MAX,
        .lifetime_ms = INT64_MAX,
        .requests_max = INT64_MAX,
        .redirects_max = INT32_MAX,
        .data_bytes_max = INT64_MAX,
        .timeout = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, {0}},
    });
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);

    test_get(manager, server);
    test_get(manager, server);
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(options__with_an_unknown_byte_are_refused)
{
    for (size_t i = 0; i < sizeof(((struct urlpool_manager_options *)0)->reserved); i++) {
        struct urlpool_manager_options options = {0};

        options.reserved[i] = 1;
        expect_refused(&options, "manager options");
    }
    for (size_t i = 0; i < sizeof(((struct urlpool_timeout *)0)->reserved); i++) {
        struct urlpool_manager_options options = {0};

        options.timeout.reserved[i] = 1;
        expect_refused(&options, "timeout");
    }
    for (size_t i = 0; i < sizeof(((struct urlpool_limits *)0)->reserved); i++) {
        struct urlpool_manager_options options = {0};

        options.limits.reserved[i] = 1;
        expect_refused(&options, "limits");
    }
    for (size_t i = 0; i < sizeof(((struct urlpool_trace *)0)->reserved); i++) {
        struct urlpool_manager_options options = {0};

        options.trace.reserved[i] = 1;
        expect_refused(&options, "trace");
    }
}
END_TEST

START_TEST(options__refused_are_told_to_nobody_who_does_not_ask)
{
    ck_assert_ptr_null(urlpool_manager_new(&(struct urlpool_manager_options){.maxsize = -3}, NULL));
    ck_assert_ptr_null(
        urlpool_manager_new(&(struct urlpool_manager_options){.limits = {.fields_max = -3}}, NULL));
    ck_assert_ptr_null(
        urlpool_manager_new(&(struct urlpool_manager_options){.user_agent = "a\r\nb"}, NULL));
}
END_TEST

RUN_TESTS("manager options", num_pools__zero_is_sixty_four,
          num_pools__value_retires_the_least_recently_used,
          num_pools__none_keeps_no_pool_that_nobody_uses, maxsize__zero_keeps_sixty_four,
          maxsize__value_keeps_as_many_and_opens_more, maxsize__none_keeps_none,
          block__bounds_the_open_connections, block__with_no_place_at_all_is_refused,
          idle__zero_is_fifty_five_seconds, idle__value_is_obeyed, idle__none_keeps_no_connection,
          idle__without_bound_is_kept_until_its_lifetime_ends,
          lifetime__zero_is_ten_minutes_and_a_tenth_more_or_less, lifetime__value_is_obeyed,
          lifetime__none_keeps_no_connection, lifetime__without_bound_never_ends,
          requests__of_a_connection_are_as_many_as_allowed,
          options__that_are_no_value_are_refused_by_name, options__as_large_as_can_be_are_accepted,
          options__with_an_unknown_byte_are_refused,
          options__refused_are_told_to_nobody_who_does_not_ask)
