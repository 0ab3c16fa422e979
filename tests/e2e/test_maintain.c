/* urlpool_manager_maintain: a server that closes connections leaves none standing half closed. */

#include <sched.h>

#include "support/requests.h"
#include "support/run_tests.h"

static void answer_and_close(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)request;
    (void)user;
    test_peer_reply(peer, 200, NULL, "hello");
    test_peer_close(peer);
}

START_TEST(maintain__closes_what_the_server_has_closed)
{
    struct test_server *server = test_server_start(answer_and_close, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);

    test_get(manager, server);
    while (test_stats(manager).idle > 0) { /* until the server's close has come */
        (void)urlpool_manager_maintain(manager);
        sched_yield();
    }
    ck_assert_uint_eq(test_stats(manager).open, 0);
    ck_assert_uint_eq(test_stats(manager).closed[URLPOOL_CLOSED_BY_PEER], 1);
    ck_assert_uint_eq(urlpool_manager_maintain(NULL), 0);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(maintain__leaves_a_good_connection_to_be_used)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);

    test_get(manager, server);
    ck_assert_uint_eq(urlpool_manager_maintain(manager), 0);
    test_get(manager, server);
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

RUN_TESTS("maintain", maintain__closes_what_the_server_has_closed,
          maintain__leaves_a_good_connection_to_be_used)
