/* What a caller is told when a request fails: code, phase, one sentence. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/requests.h"
#include "support/run_tests.h"

static void answer_badly(struct test_peer *peer, const struct test_request *request, void *user)
{
    const char *how = request->target + 1;

    (void)user;
    if (strcmp(how, "silence") == 0) {
        test_peer_stay(peer);
    } else if (strcmp(how, "garbage") == 0) {
        test_peer_send_text(peer, "SSH-2.0-OpenSSH_9.2\r\n");
    } else if (strcmp(how, "cut") == 0) {
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        test_peer_close(peer);
    } else if (strcmp(how, "reset") == 0) {
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        test_peer_reset(peer);
    } else if (strcmp(how, "stall") == 0) {
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        test_peer_stay(peer);
    } else if (strcmp(how, "long") == 0) {
        char block[1024];
        memset(block, 'a', sizeof(block));
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nX: ");
        for (int i = 0; i < 400; i++) {
            test_peer_send(peer, block, sizeof(block));
        }
        test_peer_close(peer);
    } else if (strcmp(how, "more") == 0) {
        test_peer_send_text(peer,
                            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n");
    } else {
        test_peer_close(peer);
    }
}

START_TEST(failure__has_code_phase_and_sentence)
{
    static const struct {
        const char *path;
        enum urlpool_code code;
        enum urlpool_phase phase;
    } cases[] = {
        {"/silence", URLPOOL_E_READ_TIMEOUT,        URLPOOL_PHASE_HEAD},
        {"/garbage", URLPOOL_E_BAD_STATUS_LINE,     URLPOOL_PHASE_HEAD},
        {"/cut",     URLPOOL_E_INCOMPLETE_READ,     URLPOOL_PHASE_BODY},
        {"/reset",   URLPOOL_E_RESET,               URLPOOL_PHASE_BODY},
        {"/stall",   URLPOOL_E_READ_TIMEOUT,        URLPOOL_PHASE_BODY},
        {"/long",    URLPOOL_E_LINE_TOO_LONG,       URLPOOL_PHASE_HEAD},
        {"/nothing", URLPOOL_E_REMOTE_DISCONNECTED, URLPOOL_PHASE_HEAD},
    };
    struct test_server *server = test_server_start(answer_badly, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    const struct urlpool_request_options options = {.timeout = {.read_ms = 800},
                                                    .retries = TEST_ONE_TRY};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum urlpool_code code = test_fetch_fails(manager, "GET", server, cases[i].path, &options);

        ck_assert_msg(code == cases[i].code, "%s: %s: %s", cases[i].path, urlpool_code_name(code),
                      test_err.message);
        ck_assert_msg(test_err.phase == cases[i].phase, "%s: phase %s", cases[i].path,
                      urlpool_phase_name(test_err.phase));
        ck_assert(test_err.maybe_processed);
    }
    ck_assert_uint_eq(test_stats(manager).open, 0);
    ck_assert_uint_eq(test_stats(manager).failures, 7);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(failure__before_anything_is_sent)
{
    static const struct {
        const char *method, *url;
        enum urlpool_code code;
        enum urlpool_phase phase;
    } cases[] = {
        {"GET",     "http://exa mple/",    URLPOOL_E_URL,     URLPOOL_PHASE_NONE   },
        {"GET",     "http://h/\r\nX: y",   URLPOOL_E_URL,     URLPOOL_PHASE_NONE   },
        {"GET",     "http://h:99999/",     URLPOOL_E_URL,     URLPOOL_PHASE_NONE   },
        {"GET",     "ftp://h/",            URLPOOL_E_SCHEME,  URLPOOL_PHASE_NONE   },
        {"GET",     "/path",               URLPOOL_E_SCHEME,  URLPOOL_PHASE_NONE   },
        {"GE T",    "http://h/",           URLPOOL_E_HEADER,  URLPOOL_PHASE_NONE   },
        {"",        "http://h/",           URLPOOL_E_HEADER,  URLPOOL_PHASE_NONE   },
        {"CONNECT", "http://h/",           URLPOOL_E_HEADER,  URLPOOL_PHASE_NONE   },
        {"GET",     "http://127.0.0.1:1/", URLPOOL_E_CONNECT, URLPOOL_PHASE_CONNECT},
    };
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.retries = TEST_ONE_TRY});

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct urlpool_response *response =
            urlpool_request(manager, cases[i].method, cases[i].url, NULL, &test_err);

        ck_assert_ptr_null(response);
        ck_assert_msg(test_err.code == cases[i].code, "%s %s: %s: %s", cases[i].method,
                      cases[i].url, urlpool_code_name(test_err.code), test_err.message);
        ck_assert_int_eq(test_err.phase, cases[i].phase);
        ck_assert(!test_err.maybe_processed);
    }
    ck_assert_ptr_null(urlpool_request(NULL, "GET", "http://h/", NULL, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
    ck_assert_ptr_null(urlpool_request(manager, "GET", NULL, NULL, NULL));
    urlpool_manager_free(manager);
}
END_TEST

START_TEST(deadline__covers_the_whole_body_and_every_hop)
{
    struct test_server *server = test_server_start(answer_badly, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    const struct urlpool_request_options options = {.timeout = {.total_ms = 500}};

    ck_assert_int_eq(test_fetch_fails(manager, "GET", server, "/stall", &options),
                     URLPOOL_E_TOTAL_TIMEOUT);
    ck_assert_int_eq(test_fetch_fails(manager, "GET", server, "/silence", &options),
                     URLPOOL_E_TOTAL_TIMEOUT);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(reuse__ends_when_the_peer_sends_more_than_its_response)
{
    struct test_server *server = test_server_start(answer_badly, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);

    for (int i = 0; i < 3; i++) {
        struct urlpool_response *response = test_fetch(manager, "GET", server, "/more", NULL);
        ck_assert_str_eq((const char *)response->data, "ok");
        urlpool_response_free(response);
    }
    ck_assert_uint_eq(test_server_num_connections(server), 3);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

RUN_TESTS("failures", failure__has_code_phase_and_sentence, failure__before_anything_is_sent,
          deadline__covers_the_whole_body_and_every_hop,
          reuse__ends_when_the_peer_sends_more_than_its_response)
