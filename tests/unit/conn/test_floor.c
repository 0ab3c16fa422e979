/* The lower floor against a server on loopback: the order that is enforced, the fields that come by
 * themselves, bodies in all framings, and connections that end and are opened again. */

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "urlpool/connection.h"

#include "base/clock.h"
#include "conn/connection.h"
#include "support/http_server.h"
#include "support/run_tests.h"

static struct test_server *server;
static struct urlpool_connection *connection;
static struct urlpool_error err;
static char host_line[64]; /* "Host: 127.0.0.1:PORT\r\n" */

/* echo answers with the request as it came, body behind the head; targets ask for mishaps. */
static void echo(struct test_peer *peer, const struct test_request *request, void *user)
{
    size_t head_len = strlen(request->head);
    char *text = calloc(1, head_len + request->body_len + 1);

    (void)user;
    memcpy(text, request->head, head_len);
    if (request->body_len > 0) {
        memcpy(text + head_len, request->body, request->body_len);
    }
    if (strcmp(request->target, "/drop") == 0) {
        test_peer_close(peer);
    } else if (strcmp(request->target, "/reset") == 0) {
        test_peer_reset(peer);
    } else if (strcmp(request->target, "/silent") == 0) {
        test_peer_stay(peer);
    } else if (strcmp(request->target, "/half") == 0) {
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha");
        test_peer_close(peer);
    } else if (strcmp(request->target, "/unread") == 0) {
        test_peer_reply(peer, 200, NULL, "unread");
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
    } else if (strcmp(request->target, "/last") == 0) {
        test_peer_reply(peer, 200, "Connection: close\r\n", "last");
        test_peer_close(peer);
    } else if (strcmp(request->target, "/leave") == 0) {
        test_peer_reply(peer, 200, NULL, "bye");
        test_peer_close(peer);
    } else {
        test_peer_reply(peer, 200, NULL, text);
    }
    free(text);
}

static void begin_with(const struct urlpool_connection_options *options)
{
    server = test_server_start(echo, NULL, NULL);
    connection = urlpool_connection_new("127.0.0.1", test_server_port(server), options, &err);
    ck_assert_msg(connection != NULL, "%s", err.message);
    (void)snprintf(host_line, sizeof(host_line), "Host: 127.0.0.1:%d\r\n",
                   test_server_port(server));
}

static void begin(void)
{
    begin_with(NULL);
}

static void end(void)
{
    urlpool_connection_free(connection);
    test_server_stop(server);
}

/* must_be_ok stops the test at a failure and says which. */
static void must_be_ok(enum urlpool_code code)
{
    ck_assert_msg(code == URLPOOL_OK, "%s: %s", urlpool_code_name(code), err.message);
}

/* check_answer gets the response, whose body is `body`. */
static void check_answer(const char *body)
{
    struct urlpool_response *response = urlpool_connection_getresponse(connection, &err);

    ck_assert_msg(response != NULL, "%s", err.message);
    must_be_ok(urlpool_response_read_all(response, &err));
    ck_assert_str_eq((const char *)response->data, body);
    urlpool_response_free(response);
}

/* check_echo gets the response, which shows the request: its line, then Host, then `rest`. */
static void check_echo(const char *request_line, const char *rest)
{
    char expected[2048];

    (void)snprintf(expected, sizeof(expected), "%s HTTP/1.1\r\n%s%s", request_line, host_line,
                   rest);
    check_answer(expected);
}

static enum urlpool_code put(const char *name, const char *value)
{
    const char *const values[] = {value};

    return urlpool_connection_putheader(connection, name, values, 1, &err);
}

/* get makes a whole GET of `target`. */
static struct urlpool_response *get(const char *target)
{
    must_be_ok(urlpool_connection_request(connection, "GET", target, NULL, NULL, &err));
    return urlpool_connection_getresponse(connection, &err);
}

START_TEST(order__is_enforced)
{
    struct urlpool_response *response;

    begin();
    ck_assert_int_eq(put("A", "b"), URLPOOL_E_CANNOT_SEND_HEADER);
    ck_assert_int_eq(urlpool_connection_endheaders(connection, NULL, &err),
                     URLPOOL_E_CANNOT_SEND_HEADER);
    ck_assert_ptr_null(urlpool_connection_getresponse(connection, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_RESPONSE_NOT_READY);
    ck_assert_int_eq(urlpool_connection_send(connection, "x", 1, &err), URLPOOL_E_NOT_CONNECTED);

    must_be_ok(urlpool_connection_putrequest(connection, "GET", "/", 0, &err));
    ck_assert_int_eq(urlpool_connection_putrequest(connection, "GET", "/", 0, &err),
                     URLPOOL_E_CANNOT_SEND_REQUEST);
    ck_assert_ptr_null(urlpool_connection_getresponse(connection, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_RESPONSE_NOT_READY);
    ck_assert_int_eq(urlpool_connection_send(connection, "x", 1, &err),
                     URLPOOL_E_CANNOT_SEND_REQUEST);

    must_be_ok(urlpool_connection_endheaders(connection, NULL, &err));
    ck_assert_int_eq(put("A", "b"), URLPOOL_E_CANNOT_SEND_HEADER);
    ck_assert_int_eq(urlpool_connection_endheaders(connection, NULL, &err),
                     URLPOOL_E_CANNOT_SEND_HEADER);
    ck_assert_int_eq(urlpool_connection_putrequest(connection, "GET", "/", 0, &err),
                     URLPOOL_E_CANNOT_SEND_REQUEST);

    response = urlpool_connection_getresponse(connection, &err);
    ck_assert_ptr_nonnull(response);
    ck_assert_ptr_null(urlpool_connection_getresponse(connection, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_RESPONSE_NOT_READY);
    ck_assert_int_eq(urlpool_connection_putrequest(connection, "GET", "/", 0, &err),
                     URLPOOL_E_CANNOT_SEND_REQUEST);
    ck_assert_str_eq(err.message,
                     "you must have read the whole response before you can send a new request");
    must_be_ok(urlpool_response_read_all(response, &err));
    must_be_ok(urlpool_connection_putrequest(connection, "GET", "/", 0, &err));
    urlpool_response_free(response);
    end();
}
END_TEST

START_TEST(request__brings_host_and_accept_encoding)
{
    begin();
    must_be_ok(urlpool_connection_request(connection, "GET", "/a?b", NULL, NULL, &err));
    check_echo("GET /a?b", "Accept-Encoding: identity\r\n\r\n");
    must_be_ok(urlpool_connection_request(connection, "GET", "", NULL, NULL, &err));
    check_echo("GET /", "Accept-Encoding: identity\r\n\r\n");
    must_be_ok(urlpool_connection_request(connection, "OPTIONS", "*", NULL, NULL, &err));
    check_echo("OPTIONS *", "Accept-Encoding: identity\r\n\r\n");
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    end();
}
END_TEST

START_TEST(request__takes_the_callers_fields_instead)
{
    struct urlpool_headers *headers = urlpool_headers_new(NULL);

    must_be_ok(urlpool_headers_add(headers, "X-First", "1", NULL));
    must_be_ok(urlpool_headers_add(headers, "accept-encoding", "br", NULL));
    must_be_ok(urlpool_headers_add(headers, "HOST", "example.com", NULL));
    must_be_ok(urlpool_headers_add(headers, "X-First", "2", NULL));
    begin();
    must_be_ok(urlpool_connection_request(connection, "GET", "/", NULL, headers, &err));
    check_answer("GET / HTTP/1.1\r\nHOST: example.com\r\nX-First: 1\r\naccept-encoding: br\r\n"
                 "X-First: 2\r\n\r\n");
    urlpool_headers_free(headers);
    end();
}
END_TEST

START_TEST(putrequest__leaves_out_what_is_to_be_skipped)
{
    begin();
    must_be_ok(
        urlpool_connection_putrequest(connection, "GET", "/", URLPOOL_SKIP_ACCEPT_ENCODING, &err));
    must_be_ok(urlpool_connection_endheaders(connection, NULL, &err));
    check_echo("GET /", "\r\n");

    must_be_ok(urlpool_connection_putrequest(
        connection, "GET", "/", URLPOOL_SKIP_ACCEPT_ENCODING | URLPOOL_SKIP_HOST, &err));
    must_be_ok(put("A", "b"));
    must_be_ok(put("Host", "other"));
    must_be_ok(urlpool_connection_endheaders(connection, NULL, &err));
    check_answer("GET / HTTP/1.1\r\nHost: other\r\nA: b\r\n\r\n");

    must_be_ok(urlpool_connection_putrequest(connection, "GET", "/", URLPOOL_SKIP_HOST, &err));
    ck_assert_int_eq(urlpool_connection_endheaders(connection, NULL, &err), URLPOOL_E_HEADER);
    end();
}
END_TEST

START_TEST(putrequest__with_an_absolute_target_takes_its_authority_for_host)
{
    begin();
    must_be_ok(
        urlpool_connection_request(connection, "GET", "http://Example.com:81/x", NULL, NULL, &err));
    check_answer("GET http://Example.com:81/x HTTP/1.1\r\nHost: example.com:81\r\n"
                 "Accept-Encoding: identity\r\n\r\n");
    end();
}
END_TEST

START_TEST(putrequest__refuses_methods_and_targets_unfit_for_the_wire)
{
    static const char *const methods[] = {"", "GE T", "GET\r\nX: y", "G\x01T"};
    static const char *const targets[] = {
        "/a b", "/\r\nX: y",        "/\x7f",   "/\xc3\xa9",  "relative",
        "/a#b", "http://u:p@host/", "http://", "ftp://host/"};
    size_t i;

    begin();
    for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        ck_assert_int_eq(urlpool_connection_putrequest(connection, methods[i], "/", 0, &err),
                         URLPOOL_E_HEADER);
    }
    for (i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        enum urlpool_code code =
            urlpool_connection_putrequest(connection, "GET", targets[i], 0, &err);

        ck_assert_msg(code == URLPOOL_E_URL || code == URLPOOL_E_SCHEME, "%s: %d", targets[i],
                      (int)code);
        ck_assert_ptr_null(strstr(err.message, "u:p"));
    }
    ck_assert_int_eq(urlpool_connection_putrequest(connection, NULL, "/", 0, &err),
                     URLPOOL_E_INVALID);
    must_be_ok(urlpool_connection_request(connection, "GET", "/", NULL, NULL, &err));
    check_echo("GET /", "Accept-Encoding: identity\r\n\r\n");
    end();
}
END_TEST

START_TEST(putheader__joins_values_and_refuses_what_is_unfit)
{
    static const char *const three[] = {"1", "two", ""};
    static const char *const bad[] = {"fine", "not\r\nfine"};
    static const char *const null[] = {NULL};

    begin();
    must_be_ok(urlpool_connection_putrequest(connection, "GET", "/", 0, &err));
    must_be_ok(urlpool_connection_putheader(connection, "A", three, 3, &err));
    must_be_ok(urlpool_connection_putheader(connection, "Empty", NULL, 0, &err));
    ck_assert_int_eq(urlpool_connection_putheader(connection, "B", bad, 2, &err), URLPOOL_E_HEADER);
    ck_assert_ptr_null(strstr(err.message, "fine"));
    ck_assert_int_eq(put("", "x"), URLPOOL_E_HEADER);
    ck_assert_int_eq(put("C:", "x"), URLPOOL_E_HEADER);
    ck_assert_int_eq(put("C D", "x"), URLPOOL_E_HEADER);
    ck_assert_int_eq(put("host", "twice"), URLPOOL_E_HEADER);
    ck_assert_int_eq(urlpool_connection_putheader(connection, "B", null, 1, &err),
                     URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_connection_putheader(connection, NULL, three, 1, &err),
                     URLPOOL_E_INVALID);
    must_be_ok(put("Content-Length", "0"));
    ck_assert_int_eq(put("content-length", "0"), URLPOOL_E_HEADER);
    must_be_ok(urlpool_connection_endheaders(connection, NULL, &err));
    check_echo("GET /", "Accept-Encoding: identity\r\nA: 1, two, \r\nEmpty: \r\n"
                        "Content-Length: 0\r\n\r\n");
    end();
}
END_TEST

START_TEST(request__frames_its_body_by_itself)
{
    struct urlpool_body body = urlpool_body_bytes("hello", 5);
    static const char *const methods[] = {"POST", "PUT", "PATCH"};
    char line[32];
    size_t i;

    begin();
    must_be_ok(urlpool_connection_request(connection, "POST", "/", &body, NULL, &err));
    check_echo("POST /", "Accept-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello");
    must_be_ok(urlpool_connection_request(connection, "DELETE", "/", &body, NULL, &err));
    check_echo("DELETE /", "Accept-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello");
    body.chunked = true;
    must_be_ok(urlpool_connection_request(connection, "POST", "/", &body, NULL, &err));
    check_echo("POST /", "Accept-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\nhello");
    for (i = 0; i < 3; i++) {
        (void)snprintf(line, sizeof(line), "%s /", methods[i]);
        must_be_ok(urlpool_connection_request(connection, methods[i], "/", NULL, NULL, &err));
        check_echo(line, "Accept-Encoding: identity\r\nContent-Length: 0\r\n\r\n");
    }
    must_be_ok(urlpool_connection_request(connection, "DELETE", "/", NULL, NULL, &err));
    check_echo("DELETE /", "Accept-Encoding: identity\r\n\r\n");
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    end();
}
END_TEST

START_TEST(request__leaves_framing_that_the_caller_gave_as_it_is)
{
    struct urlpool_headers *headers = urlpool_headers_new(NULL);
    struct urlpool_body body = urlpool_body_bytes("hello", 5);

    begin();
    must_be_ok(urlpool_headers_set(headers, "content-length", "5", NULL));
    must_be_ok(urlpool_connection_request(connection, "POST", "/", &body, headers, &err));
    check_echo("POST /", "Accept-Encoding: identity\r\ncontent-length: 5\r\n\r\nhello");

    must_be_ok(urlpool_headers_set(headers, "content-length", "6", NULL));
    ck_assert_int_eq(urlpool_connection_request(connection, "POST", "/", &body, headers, &err),
                     URLPOOL_E_BODY);
    (void)urlpool_headers_remove(headers, "content-length");
    must_be_ok(urlpool_headers_set(headers, "transfer-encoding", "chunked", NULL));
    must_be_ok(urlpool_connection_request(connection, "POST", "/", &body, headers, &err));
    check_echo("POST /", "Accept-Encoding: identity\r\ntransfer-encoding: chunked\r\n\r\nhello");
    urlpool_headers_free(headers);
    end();
}
END_TEST

START_TEST(request__sends_a_file_from_its_offset)
{
    char path[] = "/tmp/urlpool-floor-XXXXXX";
    int fd = mkstemp(path);
    struct urlpool_body body = urlpool_body_fd(fd);

    ck_assert_int_ge(fd, 0);
    unlink(path);
    ck_assert_int_eq(write(fd, "0123456789", 10), 10);
    ck_assert_int_eq(lseek(fd, 7, SEEK_SET), 7);
    begin();
    must_be_ok(urlpool_connection_request(connection, "PUT", "/", &body, NULL, &err));
    check_echo("PUT /", "Accept-Encoding: identity\r\nContent-Length: 3\r\n\r\n789");
    end();
    close(fd);
}
END_TEST

/* give_twice gives "hello" twice; `user` counts. A third time it fails, if it is to. */
static enum urlpool_code give_twice(void *user, void *buf, size_t len, size_t *out_len,
                                    struct urlpool_error *why)
{
    int *num_left = user;

    (void)len;
    (void)why;
    *out_len = 0;
    if (*num_left == 0) {
        return URLPOOL_OK;
    }
    if (*num_left < 0) {
        return URLPOOL_E_SYSTEM;
    }
    (*num_left)--;
    *out_len = 5;
    memcpy(buf, "hello", 5);
    return URLPOOL_OK;
}

START_TEST(request__sends_what_a_callback_gives)
{
    int num_left = 2;
    struct urlpool_body body = urlpool_body_callback(give_twice, NULL, &num_left, 0);

    begin();
    must_be_ok(urlpool_connection_request(connection, "POST", "/", &body, NULL, &err));
    check_echo("POST /", "Accept-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "hellohello");
    num_left = 2;
    body.length = 10;
    must_be_ok(urlpool_connection_request(connection, "POST", "/", &body, NULL, &err));
    check_echo("POST /", "Accept-Encoding: identity\r\nContent-Length: 10\r\n\r\nhellohello");
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    end();
}
END_TEST

START_TEST(request__whose_callback_fails_closes_the_connection)
{
    int num_left = -1;
    struct urlpool_body body = urlpool_body_callback(give_twice, NULL, &num_left, 0);

    begin();
    ck_assert_int_eq(urlpool_connection_request(connection, "POST", "/", &body, NULL, &err),
                     URLPOOL_E_BODY);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_SEND);
    ck_assert(!urlpool_connection_is_connected(connection));
    must_be_ok(urlpool_connection_request(connection, "GET", "/", NULL, NULL, &err));
    check_echo("GET /", "Accept-Encoding: identity\r\n\r\n");
    ck_assert_uint_eq(test_server_num_connections(server), 2);
    end();
}
END_TEST

START_TEST(request__that_expects_100_waits_for_it)
{
    struct urlpool_body body = urlpool_body_bytes("hello", 5);

    begin();
    body.expect_continue = true;
    body.expect_ms = 10; /* this server never says it */
    must_be_ok(urlpool_connection_request(connection, "POST", "/", &body, NULL, &err));
    check_echo("POST /", "Accept-Encoding: identity\r\nContent-Length: 5\r\n"
                         "Expect: 100-continue\r\n\r\nhello");
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    end();
}
END_TEST

START_TEST(send__gives_the_body_in_pieces)
{
    begin();
    must_be_ok(urlpool_connection_putrequest(connection, "POST", "/", 0, &err));
    must_be_ok(put("Content-Length", "10"));
    must_be_ok(urlpool_connection_endheaders(connection, NULL, &err));
    must_be_ok(urlpool_connection_send(connection, "01234", 5, &err));
    must_be_ok(urlpool_connection_send(connection, NULL, 0, &err));
    must_be_ok(urlpool_connection_send(connection, "56789", 5, &err));
    check_echo("POST /", "Accept-Encoding: identity\r\nContent-Length: 10\r\n\r\n0123456789");

    must_be_ok(urlpool_connection_putrequest(connection, "POST", "/", 0, &err));
    must_be_ok(put("Transfer-Encoding", "chunked"));
    must_be_ok(urlpool_connection_endheaders(connection, NULL, &err));
    must_be_ok(urlpool_connection_send(connection, "hello, ", 7, &err));
    must_be_ok(urlpool_connection_send(connection, "world", 5, &err));
    must_be_ok(urlpool_connection_send(connection, NULL, 0, &err));
    check_echo("POST /",
               "Accept-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\nhello, world");
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    end();
}
END_TEST

START_TEST(send__refuses_bytes_that_were_not_announced)
{
    begin();
    must_be_ok(urlpool_connection_request(connection, "GET", "/", NULL, NULL, &err));
    ck_assert_int_eq(urlpool_connection_send(connection, "x", 1, &err), URLPOOL_E_BODY);
    ck_assert(!urlpool_connection_is_connected(connection));
    ck_assert_ptr_null(urlpool_connection_getresponse(connection, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_RESPONSE_NOT_READY);

    must_be_ok(urlpool_connection_putrequest(connection, "POST", "/", 0, &err));
    must_be_ok(put("Content-Length", "3"));
    must_be_ok(urlpool_connection_endheaders(connection, NULL, &err));
    must_be_ok(urlpool_connection_send(connection, "01", 2, &err));
    ck_assert_int_eq(urlpool_connection_send(connection, "23", 2, &err), URLPOOL_E_BODY);
    ck_assert(!urlpool_connection_is_connected(connection));
    ck_assert_int_eq(urlpool_connection_send(connection, NULL, 1, &err), URLPOOL_E_INVALID);
    end();
}
END_TEST

START_TEST(connection__is_kept_while_responses_are_read_whole)
{
    int i;

    begin();
    ck_assert(!urlpool_connection_is_connected(connection));
    for (i = 0; i < 3; i++) {
        struct urlpool_response *response = get("/");

        must_be_ok(urlpool_response_read_all(response, &err));
        urlpool_response_free(response);
        ck_assert(urlpool_connection_is_connected(connection));
    }
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    end();
}
END_TEST

START_TEST(connection__that_the_server_ends_is_opened_again)
{
    struct urlpool_response *response;

    begin();
    response = get("/last");
    ck_assert(urlpool_connection_is_connected(connection));
    must_be_ok(urlpool_response_read_all(response, &err));
    ck_assert(!urlpool_connection_is_connected(connection));
    urlpool_response_free(response);
    urlpool_response_free(get("/"));
    ck_assert_uint_eq(test_server_num_connections(server), 2);
    end();
}
END_TEST

START_TEST(connection__that_the_server_left_while_idle_is_opened_again)
{
    struct urlpool_response *response;
    bool is_closed = false;

    begin();
    response = get("/leave");
    must_be_ok(urlpool_response_read_all(response, &err));
    urlpool_response_free(response);
    while (urlp_connection_look(connection, &is_closed)) {
        sched_yield(); /* until the server's FIN is here */
    }
    ck_assert(is_closed);
    ck_assert(urlpool_connection_is_connected(connection));
    must_be_ok(urlpool_connection_request(connection, "GET", "/", NULL, NULL, &err));
    check_echo("GET /", "Accept-Encoding: identity\r\n\r\n");
    ck_assert_uint_eq(test_server_num_connections(server), 2);
    end();
}
END_TEST

START_TEST(connection__never_takes_idle_bytes_for_an_answer)
{
    struct urlpool_response *response;
    bool is_closed = false;

    begin();
    response = get("/unread");
    must_be_ok(urlpool_response_read_all(response, &err));
    ck_assert_str_eq((const char *)response->data, "unread");
    urlpool_response_free(response);
    while (urlp_connection_look(connection, &is_closed)) {
        sched_yield(); /* until the forged answer is here */
    }
    must_be_ok(urlpool_connection_request(connection, "GET", "/", NULL, NULL, &err));
    check_echo("GET /", "Accept-Encoding: identity\r\n\r\n");
    ck_assert_uint_eq(test_server_num_connections(server), 2);
    end();
}
END_TEST

START_TEST(connection__is_closed_by_a_failure_and_opened_by_the_next_request)
{
    static const char *const targets[] = {"/drop", "/reset"};
    size_t i;

    begin();
    for (i = 0; i < 2; i++) {
        must_be_ok(urlpool_connection_request(connection, "GET", targets[i], NULL, NULL, &err));
        ck_assert_ptr_null(urlpool_connection_getresponse(connection, &err));
        ck_assert(err.code == URLPOOL_E_REMOTE_DISCONNECTED || err.code == URLPOOL_E_RESET);
        ck_assert(err.maybe_processed);
        ck_assert(!urlpool_connection_is_connected(connection));
    }
    must_be_ok(urlpool_connection_request(connection, "GET", "/", NULL, NULL, &err));
    check_echo("GET /", "Accept-Encoding: identity\r\n\r\n");
    ck_assert_uint_eq(test_server_num_connections(server), 3);
    end();
}
END_TEST

START_TEST(connection__is_closed_by_a_body_that_is_cut_short)
{
    struct urlpool_response *response;

    begin();
    response = get("/half");
    ck_assert_int_eq(urlpool_response_read_all(response, &err), URLPOOL_E_INCOMPLETE_READ);
    ck_assert_ptr_nonnull(strstr(err.message, "bytes of the body to come"));
    ck_assert(!urlpool_connection_is_connected(connection));
    urlpool_response_free(response);
    end();
}
END_TEST

START_TEST(close__cuts_off_the_response_that_is_unread)
{
    struct urlpool_response *response;

    begin();
    response = get("/");
    urlpool_connection_close(connection);
    ck_assert(!urlpool_connection_is_connected(connection));
    ck_assert_int_eq(urlpool_response_read_all(response, &err), URLPOOL_E_NOT_CONNECTED);
    urlpool_response_free(response);
    urlpool_connection_close(connection);
    urlpool_connection_close(NULL);
    urlpool_response_free(get("/"));
    end();
}
END_TEST

START_TEST(close__forgets_a_request_that_was_begun)
{
    begin();
    must_be_ok(urlpool_connection_putrequest(connection, "GET", "/", 0, &err));
    must_be_ok(put("Stale", "yes"));
    urlpool_connection_close(connection);
    must_be_ok(urlpool_connection_request(connection, "GET", "/", NULL, NULL, &err));
    check_echo("GET /", "Accept-Encoding: identity\r\n\r\n");
    end();
}
END_TEST

START_TEST(free__leaves_the_response_to_its_reader)
{
    struct urlpool_response *response;
    struct urlpool_response *unread;

    begin();
    response = get("/");
    must_be_ok(urlpool_response_read_all(response, &err));
    unread = get("/");
    urlpool_connection_free(connection);
    ck_assert_int_eq(response->status, 200);
    ck_assert_int_eq(urlpool_response_read_all(unread, &err), URLPOOL_E_NOT_CONNECTED);
    urlpool_response_free(response);
    urlpool_response_free(unread);
    urlpool_connection_free(NULL);
    test_server_stop(server);
}
END_TEST

START_TEST(timeouts__bound_the_answer_and_the_whole)
{
    struct urlpool_connection_options options = {.timeout.read_ms = 400};

    begin_with(&options);
    must_be_ok(urlpool_connection_request(connection, "GET", "/silent", NULL, NULL, &err));
    ck_assert_ptr_null(urlpool_connection_getresponse(connection, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_READ_TIMEOUT);
    ck_assert(!urlpool_connection_is_connected(connection));
    end();

    options = (struct urlpool_connection_options){.timeout.total_ms = 400};
    begin_with(&options);
    must_be_ok(urlpool_connection_request(connection, "GET", "/silent", NULL, NULL, &err));
    ck_assert_ptr_null(urlpool_connection_getresponse(connection, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_TOTAL_TIMEOUT);
    end();
}
END_TEST

START_TEST(cancel__ends_what_waits)
{
    struct urlpool_cancel *cancel = urlpool_cancel_new(NULL);
    struct urlpool_connection_options options = {.cancel = cancel};

    begin_with(&options);
    must_be_ok(urlpool_connection_request(connection, "GET", "/silent", NULL, NULL, &err));
    urlpool_cancel_now(cancel);
    ck_assert_ptr_null(urlpool_connection_getresponse(connection, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_CANCELLED);
    end();
    urlpool_cancel_free(cancel);
}
END_TEST

RUN_TESTS("floor", order__is_enforced, request__brings_host_and_accept_encoding,
          request__takes_the_callers_fields_instead, putrequest__leaves_out_what_is_to_be_skipped,
          putrequest__with_an_absolute_target_takes_its_authority_for_host,
          putrequest__refuses_methods_and_targets_unfit_for_the_wire,
          putheader__joins_values_and_refuses_what_is_unfit, request__frames_its_body_by_itself,
          request__leaves_framing_that_the_caller_gave_as_it_is,
          request__sends_a_file_from_its_offset, request__sends_what_a_callback_gives,
          request__whose_callback_fails_closes_the_connection,
          request__that_expects_100_waits_for_it, send__gives_the_body_in_pieces,
          send__refuses_bytes_that_were_not_announced,
          connection__is_kept_while_responses_are_read_whole,
          connection__that_the_server_ends_is_opened_again,
          connection__that_the_server_left_while_idle_is_opened_again,
          connection__never_takes_idle_bytes_for_an_answer,
          connection__is_closed_by_a_failure_and_opened_by_the_next_request,
          connection__is_closed_by_a_body_that_is_cut_short,
          close__cuts_off_the_response_that_is_unread, close__forgets_a_request_that_was_begun,
          free__leaves_the_response_to_its_reader, timeouts__bound_the_answer_and_the_whole,
          cancel__ends_what_waits)
