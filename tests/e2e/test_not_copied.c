/* What urllib3 does and we do not, or not so: each as a caller meets it. The list is in
 * docs/FROM-URLLIB3.md; what has tests of its own elsewhere is named there. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "support/halts.h"
#include "support/requests.h"
#include "support/run_tests.h"

enum {
    CONNECT_MS = 1000
};

/* Answers that go wrong in urllib3, by the request's path. */
static const struct {
    const char *path, *bytes;
} answers[] = {
    {"/both",         "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
              "5\r\nhello\r\n0\r\n\r\n"                            },
    {"/gzip,chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
                      "5\r\nhello\r\n0\r\n\r\n"            },
    {"/identity",     "HTTP/1.1 200 OK\r\nTransfer-Encoding: foo\r\n\r\nhello"  },
    {"/plus",         "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello"      },
    {"/underscore",   "HTTP/1.1 200 OK\r\nContent-Length: 1_0\r\n\r\nhellohello"},
    {"/br,foo",       "HTTP/1.1 200 OK\r\nContent-Encoding: br, foo\r\n"
                "Content-Length: 5\r\n\r\nhello"                 },
    {"/foo,gzip",     "HTTP/1.1 200 OK\r\nContent-Encoding: foo, gzip\r\n"
                  "Content-Length: 5\r\n\r\nhello"             },
    {"/short",        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhellohello" },
    {"/half",         "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"      },
    {"/busy",         "HTTP/1.1 500 No\r\nContent-Length: 4\r\n\r\nbusy"        },
};

static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        if (strcmp(request->target, answers[i].path) == 0) {
            test_peer_send_text(peer, answers[i].bytes);
            return;
        }
    }
    test_peer_reply(peer, 200, NULL, "good");
}

static struct test_server *server;
static struct urlpool_manager *manager;

static void begin(void)
{
    server = test_server_start(answer, NULL, NULL);
    manager = test_manager(NULL);
}

static void end(void)
{
    urlpool_manager_free(manager);
    test_server_stop(server);
}

/* get has the body of `path`, and expects that it was read over a used connection or a new one. */
static void get(const char *path, const char *body, bool reused)
{
    struct urlpool_response *response = test_fetch(manager, "GET", server, path, NULL);

    ck_assert_str_eq((const char *)response->data, body);
    ck_assert_msg(response->connection_reused == reused, "%s", path);
    urlpool_response_free(response);
}

START_TEST(length_beside_chunked__counts_for_nothing_and_ends_the_connection)
{
    begin();
    get("/good", "good", false);
    get("/both", "hello", true);
    ck_assert_uint_eq(test_stats(manager).idle, 0);
    ck_assert_uint_eq(test_stats(manager).closed[URLPOOL_CLOSED_NOT_REUSABLE], 1);
    get("/good", "good", false);
    end();
}
END_TEST

/* What is refused, and with which code. */
static const struct {
    const char *path;
    enum urlpool_code code;
} refusals[] = {
    {"/gzip,chunked", URLPOOL_E_TRANSFER_ENCODING},
    {"/identity",     URLPOOL_E_TRANSFER_ENCODING},
    {"/plus",         URLPOOL_E_BAD_LENGTH       },
    {"/underscore",   URLPOOL_E_BAD_LENGTH       },
};

START_TEST(framing__that_is_not_understood_is_refused)
{
    const struct urlpool_request_options once = {.retries = TEST_ONE_TRY};

    begin();
    ck_assert_int_eq(test_fetch_fails(manager, "GET", server, refusals[_i].path, &once),
                     refusals[_i].code);
    ck_assert_uint_eq(test_stats(manager).open, 0);
    get("/good", "good", false);
    end();
}
END_TEST

static const char *const unknown_codings[] = {"br, foo", "foo, gzip"};

START_TEST(coding__unknown_in_a_list_leaves_the_body_as_it_came)
{
    static const char *const paths[] = {"/br,foo", "/foo,gzip"};
    struct urlpool_response *response;

    begin();
    response = test_fetch(manager, "GET", server, paths[_i], NULL);
    ck_assert_str_eq((const char *)response->data, "hello");
    ck_assert_str_eq(urlpool_response_header(response, "Content-Encoding"), unknown_codings[_i]);
    urlpool_response_free(response);
    end();
}
END_TEST

START_TEST(codings__are_asked_for_without_a_word)
{
    char *head;

    begin();
    get("/good", "good", false);
    head = test_server_last_head(server);
    ck_assert_ptr_nonnull(strstr(head, "\r\nAccept-Encoding: " TEST_ACCEPT_ENCODING "\r\n"));
    free(head);
    end();
}
END_TEST

/* read_some reads the first `len` bytes of a streamed body and gives it up. */
static void read_some(const char *path, size_t len)
{
    const struct urlpool_request_options options = {.stream = true};
    struct urlpool_response *response = test_fetch(manager, "GET", server, path, &options);
    char buf[16];
    size_t got = 0;

    ck_assert_int_eq(urlpool_response_read_exact(response, buf, len, &got, &test_err), URLPOOL_OK);
    ck_assert_uint_eq(got, len);
    urlpool_response_free(response);
}

START_TEST(half_read__response_is_drained_where_its_rest_is_there_and_else_its_connection_closed)
{
    begin();
    read_some("/short", 3);
    ck_assert_uint_eq(test_stats(manager).idle, 1);
    get("/good", "good", true); /* and not the rest of the body */
    read_some("/half", 3);
    ck_assert_uint_eq(test_stats(manager).open, 0);
    ck_assert_uint_eq(test_stats(manager).closed[URLPOOL_CLOSED_UNREAD], 1);
    get("/good", "good", false);
    ck_assert_uint_eq(test_stats(manager).stale_retries, 0);
    end();
}
END_TEST

/* Counts of retries, and how many requests there are of one that is answered with 500. */
static const struct {
    int32_t total, status;
    unsigned num_requests;
} counts[] = {
    {0,            0,            4},
    {URLPOOL_NONE, 0,            1},
    {0,            URLPOOL_NONE, 1},
    {1,            0,            2},
    {1,            2,            2},
    {2,            1,            2},
    {-1,           5,            6},
    {5,            -1,           6},
};

START_TEST(count__of_zero_none_and_no_bound_are_three_things)
{
    const struct urlpool_request_options options = {
        .retries = {
                    .total = counts[_i].total, .status = counts[_i].status, .status_forcelist = {500}}
    };
    struct urlpool_response *response;

    begin();
    response = test_fetch(manager, "GET", server, "/busy", &options);
    ck_assert_int_eq(response->status, 500); /* the last response, and no error */
    ck_assert_str_eq((const char *)response->data, "busy");
    ck_assert_uint_eq(test_server_num_requests(server), counts[_i].num_requests);
    urlpool_response_free(response);
    end();
}
END_TEST

/* A request in a thread of its own. */
struct runner {
    struct halt halt; /* knows the thread */
    const char *url;
    struct urlpool_error err;
};

static void *run(void *arg)
{
    struct runner *runner = arg;

    halt_note_thread(&runner->halt);
    (void)sem_post(&runner->halt.reached);
    ck_assert_ptr_null(urlpool_request(manager, "GET", runner->url, NULL, &runner->err));
    return NULL;
}

/* Time moves by our word alone: were each address given the whole limit, the request would go on
 * for good. */
START_TEST(connect__limit_holds_for_all_addresses_together)
{
    static const struct halt_kind kind = {.name = "connecting"};
    struct loopback_hole first = loopback_hole_open("127.0.0.2", 0);
    struct loopback_hole second = loopback_hole_open("127.0.0.3", loopback_port(first.listener));
    char both[64];
    char url[64];
    const char *fixed[] = {both, NULL};
    const struct urlpool_manager_options options = {
        .network = {.answers = fixed},
        .timeout = {.connect_ms = CONNECT_MS},
        .retries = TEST_ONE_TRY,
    };
    struct runner runner = {.halt = {.kind = &kind}, .url = url};
    pthread_t thread;

    (void)snprintf(both, sizeof(both), "two.example:*:127.0.0.2,127.0.0.3");
    (void)snprintf(url, sizeof(url), "http://two.example:%u/", loopback_port(first.listener));
    ck_assert_int_eq(sem_init(&runner.halt.reached, 0, 0), 0);
    urlp_clock_fake_begin(URLP_NS_PER_MS);
    manager = test_manager(&options);
    ck_assert_int_eq(pthread_create(&thread, NULL, run, &runner), 0);
    ck_assert_int_eq(sem_wait(&runner.halt.reached), 0);
    halt_await_rest(&runner.halt);
    urlp_clock_fake_advance(CONNECT_MS / 2 * URLP_NS_PER_MS); /* the second is tried beside */
    halt_await_rest(&runner.halt);
    urlp_clock_fake_advance(CONNECT_MS / 2 * URLP_NS_PER_MS);
    pthread_join(thread, NULL);
    ck_assert_int_eq(runner.err.code, URLPOOL_E_CONNECT_TIMEOUT);
    urlpool_manager_free(manager);
    urlp_clock_fake_end();
    sem_destroy(&runner.halt.reached);
    loopback_hole_close(&first);
    loopback_hole_close(&second);
}
END_TEST

RUN_LOOPS(
    "not copied", TEST_ONCE(length_beside_chunked__counts_for_nothing_and_ends_the_connection),
    TEST_ROWS(framing__that_is_not_understood_is_refused, refusals),
    TEST_ROWS(coding__unknown_in_a_list_leaves_the_body_as_it_came, unknown_codings),
    TEST_ONCE(codings__are_asked_for_without_a_word),
    TEST_ONCE(
        half_read__response_is_drained_where_its_rest_is_there_and_else_its_connection_closed),
    TEST_ROWS(count__of_zero_none_and_no_bound_are_three_things, counts),
    TEST_ONCE(connect__limit_holds_for_all_addresses_together))
