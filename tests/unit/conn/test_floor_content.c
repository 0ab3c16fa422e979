/* What a body tells of itself in a head of the lower floor: its type, its trailers, that it waits
 * to be asked for; and that the caller's own word holds. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "urlpool/connection.h"

#include "support/http_server.h"
#include "support/run_tests.h"

static struct test_server *server;
static struct urlpool_connection *connection;
static struct urlpool_error err;

static void echo(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    test_peer_reply(peer, 200, NULL, request->head);
}

static void begin(void)
{
    server = test_server_start(echo, NULL, NULL);
    connection = urlpool_connection_new("127.0.0.1", test_server_port(server), NULL, &err);
    ck_assert_msg(connection != NULL, "%s", err.message);
}

static void end(void)
{
    urlpool_connection_free(connection);
    test_server_stop(server);
}

/* expect_lines gets the response, which shows the head of a POST: what comes by itself, then
 * `lines`. */
static void expect_lines(const char *lines)
{
    struct urlpool_response *response = urlpool_connection_getresponse(connection, &err);
    char expected[1024];

    ck_assert_msg(response != NULL, "%s", err.message);
    ck_assert_int_eq(urlpool_response_read_all(response, &err), URLPOOL_OK);
    (void)snprintf(expected, sizeof(expected),
                   "POST / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept-Encoding: identity\r\n%s\r\n",
                   test_server_port(server), lines);
    ck_assert_str_eq((const char *)response->data, expected);
    urlpool_response_free(response);
}

static void expect_post(const struct urlpool_body *body, const struct urlpool_headers *headers,
                        const char *lines)
{
    ck_assert_msg(urlpool_connection_request(connection, "POST", "/", body, headers, &err) ==
                      URLPOOL_OK,
                  "%s", err.message);
    expect_lines(lines);
}

START_TEST(content_type__is_the_bodys_unless_the_caller_has_one)
{
    const struct urlpool_body body = urlpool_body_json("{}");
    struct urlpool_headers *headers = urlpool_headers_new(&err);
    const char *const mine[] = {"text/x-mine"};

    begin();
    expect_post(&body, NULL, "Content-Length: 2\r\nContent-Type: application/json\r\n");
    ck_assert_int_eq(urlpool_headers_add(headers, "CONTENT-TYPE", mine[0], &err), URLPOOL_OK);
    expect_post(&body, headers, "CONTENT-TYPE: text/x-mine\r\nContent-Length: 2\r\n");
    ck_assert_int_eq(urlpool_connection_putrequest(connection, "POST", "/", 0, &err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_connection_endheaders(connection, &body, &err), URLPOOL_OK);
    expect_lines("Content-Length: 2\r\nContent-Type: application/json\r\n");
    ck_assert_int_eq(urlpool_connection_putrequest(connection, "POST", "/", 0, &err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_connection_putheader(connection, "Content-Type", mine, 1, &err),
                     URLPOOL_OK);
    ck_assert_int_eq(urlpool_connection_endheaders(connection, &body, &err), URLPOOL_OK);
    expect_lines("Content-Type: text/x-mine\r\nContent-Length: 2\r\n");
    urlpool_headers_free(headers);
    end();
}
END_TEST

START_TEST(content_type__that_is_not_fit_to_send_is_refused)
{
    struct urlpool_body body = urlpool_body_bytes("x", 1);

    begin();
    body.content_type = "text/plain\r\nX: y";
    ck_assert_int_eq(urlpool_connection_request(connection, "POST", "/", &body, NULL, &err),
                     URLPOOL_E_HEADER);
    body.content_type = "text/plain";
    expect_post(&body, NULL, "Content-Length: 1\r\nContent-Type: text/plain\r\n");
    end();
}
END_TEST

START_TEST(trailer__announces_what_comes_behind_the_body)
{
    struct urlpool_headers *trailers = urlpool_headers_new(&err);
    struct urlpool_headers *headers = urlpool_headers_new(&err);
    struct urlpool_body body = urlpool_body_bytes("x", 1);

    begin();
    body.trailers = trailers;
    expect_post(&body, NULL, "Transfer-Encoding: chunked\r\n");
    ck_assert_int_eq(urlpool_headers_add(trailers, "X-Sum", "1", &err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(trailers, "X-End", "2", &err), URLPOOL_OK);
    expect_post(&body, NULL, "Transfer-Encoding: chunked\r\nTrailer: X-Sum, X-End\r\n");
    ck_assert_int_eq(urlpool_headers_add(headers, "trailer", "X-Sum", &err), URLPOOL_OK);
    expect_post(&body, headers, "trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n");
    urlpool_headers_free(trailers);
    urlpool_headers_free(headers);
    end();
}
END_TEST

START_TEST(expect__is_said_when_asked_for)
{
    struct urlpool_body body = urlpool_body_bytes("x", 1);
    struct urlpool_headers *headers = urlpool_headers_new(&err);

    begin();
    body.expect_continue = true;
    body.expect_ms = 1; /* the server says nothing before it has the body */
    expect_post(&body, NULL, "Content-Length: 1\r\nExpect: 100-continue\r\n");
    ck_assert_int_eq(urlpool_headers_add(headers, "expect", "100-continue", &err), URLPOOL_OK);
    expect_post(&body, headers, "expect: 100-continue\r\nContent-Length: 1\r\n");
    body.data_len = 0;
    expect_post(&body, NULL, "Content-Length: 0\r\n");
    urlpool_headers_free(headers);
    end();
}
END_TEST

RUN_TESTS("floor content", content_type__is_the_bodys_unless_the_caller_has_one,
          content_type__that_is_not_fit_to_send_is_refused,
          trailer__announces_what_comes_behind_the_body, expect__is_said_when_asked_for)
