/* A reused connection that turns out to be dead: once more, or an error, but never twice. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/requests.h"
#include "support/run_tests.h"

static void answer_once_then_go(struct test_peer *peer, const struct test_request *request,
                                void *user)
{
    const bool *reset = user;

    if (request->connection == 1 && request->number == 2) {
        if (*reset) {
            test_peer_reset(peer);
        } else {
            test_peer_cut(peer);
        }
        return; /* the request came over a connection that the server had given up */
    }
    test_peer_reply(peer, 200, NULL, request->method);
}

START_TEST(stale__is_tried_once_more_when_the_method_allows)
{
    for (int reset = 0; reset <= 1; reset++) {
        bool is_reset = reset == 1;
        struct test_server *server = test_server_start(answer_once_then_go, &is_reset, NULL);
        struct urlpool_manager *manager = test_manager(NULL);
        struct urlpool_response *response;

        urlpool_response_free(test_fetch(manager, "GET", server, "/", NULL));
        response = test_fetch(manager, "GET", server, "/", NULL);
        ck_assert_uint_eq(response->num_retries, 1);
        ck_assert(!response->connection_reused);
        urlpool_response_free(response);
        ck_assert_uint_eq(test_stats(manager).stale_retries, 1);
        ck_assert_uint_eq(test_server_num_connections(server), 2);
        urlpool_manager_free(manager);
        test_server_stop(server);
    }
}
END_TEST

START_TEST(stale__delivers_a_post_never_twice)
{
    bool is_reset = false;
    struct test_server *server = test_server_start(answer_once_then_go, &is_reset, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    const struct urlpool_request_options options = {.body = urlpool_body_bytes("pay", 3)};
    unsigned seen;

    urlpool_response_free(test_fetch(manager, "GET", server, "/", NULL));
    ck_assert_int_eq(test_fetch_fails(manager, "POST", server, "/", &options),
                     URLPOOL_E_REMOTE_DISCONNECTED);
    ck_assert(test_err.maybe_processed);
    ck_assert_uint_eq(test_err.num_attempts, 1);
    seen = test_server_num_requests(server);
    ck_assert_uint_eq(seen, 2);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(stale__tries_a_post_again_that_carries_an_idempotency_key)
{
    bool is_reset = false;
    struct test_server *server = test_server_start(answer_once_then_go, &is_reset, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_headers *headers = urlpool_headers_new(&test_err);
    const struct urlpool_request_options options = {.headers = headers,
                                                    .body = urlpool_body_bytes("pay", 3)};

    ck_assert_int_eq(urlpool_headers_add(headers, "Idempotency-Key", "7", &test_err), URLPOOL_OK);
    urlpool_response_free(test_fetch(manager, "GET", server, "/", NULL));
    urlpool_response_free(test_fetch(manager, "POST", server, "/", &options));
    ck_assert_uint_eq(test_stats(manager).stale_retries, 1);
    urlpool_headers_free(headers);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

RUN_TESTS("stale", stale__is_tried_once_more_when_the_method_allows,
          stale__delivers_a_post_never_twice,
          stale__tries_a_post_again_that_carries_an_idempotency_key)
