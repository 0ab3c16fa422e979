/* What set_debuglevel prints, and what the trace sink is told beside it. */

#include <stdio.h>
#include <string.h>

#include "urlpool/connection.h"

#include "support/http_server.h"
#include "support/run_tests.h"
#include "support/silent_peer.h"

static char printed[4096];
static unsigned num_events;

static void print(void *user, const char *line)
{
    size_t len = strlen(printed);

    (void)user;
    (void)snprintf(printed + len, sizeof(printed) - len, "%s\n", line);
}

static void count(void *user, const struct urlpool_trace_event *event)
{
    (void)user;
    (void)event;
    num_events++;
}

static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)request;
    (void)user;
    test_peer_reply(peer, 200, "Set-Cookie: hush\r\nX-Long: 00000000000000000000000000000\r\n",
                    "hi");
}

/* fetch makes one GET with credentials. */
static void fetch(struct urlpool_connection *connection)
{
    struct urlpool_headers *headers = urlpool_headers_new(NULL);
    struct urlpool_response *response;

    ck_assert_int_eq(urlpool_headers_add(headers, "Authorization", "Basic hush", NULL), URLPOOL_OK);
    ck_assert_int_eq(urlpool_connection_request(connection, "GET", "/x", NULL, headers, NULL),
                     URLPOOL_OK);
    response = urlpool_connection_getresponse(connection, NULL);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(urlpool_response_read_all(response, NULL), URLPOOL_OK);
    urlpool_response_free(response);
    urlpool_headers_free(headers);
}

START_TEST(debuglevel__prints_the_exchange_without_credentials)
{
    struct test_server *server = test_server_start(answer, NULL, NULL);
    struct urlpool_connection_options options = {
        .trace = {.event = count, .user = NULL}
    };
    struct urlpool_connection *connection =
        urlpool_connection_new("127.0.0.1", test_server_port(server), &options, NULL);

    urlpool_connection_set_debuglevel(connection, 1, print, NULL);
    fetch(connection);
    ck_assert_ptr_nonnull(strstr(printed, "connected: 127.0.0.1:"));
    ck_assert_ptr_nonnull(strstr(printed, "send: GET /x HTTP/1.1\n"));
    ck_assert_ptr_nonnull(strstr(printed, "send: Authorization: ***\n"));
    ck_assert_ptr_nonnull(strstr(printed, "reply: HTTP/1.1 200 Because\n"));
    ck_assert_ptr_nonnull(strstr(printed, "reply: Set-Cookie: ***\n"));
    ck_assert_ptr_nonnull(strstr(printed, "body bytes: 2\n"));
    ck_assert_ptr_null(strstr(printed, "hush"));
    ck_assert_uint_ge(num_events, 6);

    printed[0] = '\0';
    num_events = 0;
    urlpool_connection_set_debuglevel(connection, 0, print, NULL);
    fetch(connection);
    ck_assert_str_eq(printed, "");
    ck_assert_uint_ge(num_events, 5); /* the sink of the options still listens */
    urlpool_connection_free(connection);
    urlpool_connection_set_debuglevel(NULL, 1, NULL, NULL);
    test_server_stop(server);
}
END_TEST

/* A proxy, and behind it a server that redirects. */
static const struct silent_script tunnel = {
    {SILENT_HEARS, SILENT_SAYS("HTTP/1.1 200 Go\r\nProxy-Authentication-Info: hush\r\n\r\n"),
     SILENT_HEARS, SILENT_SAYS("HTTP/1.1 302 Found\r\nLocation: http://me:hush@b.example/\r\n"
                 "Set-Cookie: hush\r\nContent-Length: 0\r\n\r\n")},
    4,
    false
};

START_TEST(debuglevel__masks_credentials_of_the_tunnel_and_behind_it)
{
    struct silent_peer *peer = silent_peer_start(&tunnel, NULL);
    struct urlpool_connection *connection =
        urlpool_connection_new("127.0.0.1", silent_peer_port(peer), NULL, NULL);
    struct urlpool_headers *for_proxy = urlpool_headers_new(NULL);
    struct urlpool_headers *headers = urlpool_headers_new(NULL);
    struct urlpool_response *response;
    char expected[1024];

    ck_assert_int_eq(urlpool_headers_add(for_proxy, "Proxy-Authorization", "Basic hush", NULL),
                     URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(headers, "Cookie", "a=hush", NULL), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(headers, "Referer", "//me:hush@c.example/", NULL),
                     URLPOOL_OK);
    ck_assert_int_eq(urlpool_connection_set_tunnel(connection, "a.example", 80, for_proxy, NULL),
                     URLPOOL_OK);
    urlpool_connection_set_debuglevel(connection, 1, print, NULL);
    ck_assert_int_eq(urlpool_connection_request(connection, "GET", "/x", NULL, headers, NULL),
                     URLPOOL_OK);
    response = urlpool_connection_getresponse(connection, NULL);
    ck_assert_ptr_nonnull(response);
    (void)snprintf(expected, sizeof(expected),
                   "connected: 127.0.0.1:%u, 0\n"
                   "send: CONNECT a.example:80 HTTP/1.1\nsend: Host: a.example:80\n"
                   "send: Proxy-Authorization: ***\n"
                   "bytes sent: 127.0.0.1:%u, 86\n"
                   "reply: HTTP/1.1 200 Go\nreply: Proxy-Authentication-Info: ***\n"
                   "tunnel: a.example:80, 200\n"
                   "send: GET /x HTTP/1.1\nsend: Host: a.example\n"
                   "send: Accept-Encoding: identity\nsend: Cookie: ***\n"
                   "send: Referer: //***@c.example/\n"
                   "bytes sent: 127.0.0.1:%u, 110\n"
                   "reply: HTTP/1.1 302 Found\nreply: Location: http://***@b.example/\n"
                   "reply: Set-Cookie: ***\nreply: Content-Length: 0\nbody bytes: 0\n",
                   silent_peer_port(peer), silent_peer_port(peer), silent_peer_port(peer));
    ck_assert_str_eq(printed, expected);
    urlpool_response_free(response);
    urlpool_connection_free(connection);
    urlpool_headers_free(for_proxy);
    urlpool_headers_free(headers);
    silent_peer_stop(peer);
}
END_TEST

START_TEST(debuglevel__prints_to_stderr_when_no_sink_is_given)
{
    struct test_server *server = test_server_start(answer, NULL, NULL);
    struct urlpool_connection *connection =
        urlpool_connection_new("127.0.0.1", test_server_port(server), NULL, NULL);
    FILE *file = freopen("/dev/null", "w", stderr);
    long before = 0;

    ck_assert_ptr_nonnull(file);
    (void)setvbuf(stderr, printed, _IOFBF, sizeof(printed));
    before = (long)strlen(printed);
    urlpool_connection_set_debuglevel(connection, 1, NULL, NULL);
    fetch(connection);
    ck_assert_int_eq(before, 0);
    ck_assert_ptr_nonnull(strstr(printed, "send: GET /x HTTP/1.1\n"));
    (void)setvbuf(stderr, NULL, _IONBF, 0);
    urlpool_connection_free(connection);
    test_server_stop(server);
}
END_TEST

START_TEST(message__of_a_bad_target_shows_no_password)
{
    static const char *const targets[] = {"http://user:s3cret@a b/", "http://user:s3cret@ab/#c",
                                          "http://user:s3cret@ab/"};
    struct urlpool_connection *connection = urlpool_connection_new("127.0.0.1", 1, NULL, NULL);
    struct urlpool_error err;

    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        ck_assert_int_eq(urlpool_connection_putrequest(connection, "GET", targets[i], 0, &err),
                         URLPOOL_E_URL);
        ck_assert_msg(strstr(err.message, "s3cret") == NULL, "%s", err.message);
    }
    urlpool_connection_free(connection);
}
END_TEST

RUN_TESTS("floor_debug", debuglevel__prints_the_exchange_without_credentials,
          debuglevel__masks_credentials_of_the_tunnel_and_behind_it,
          debuglevel__prints_to_stderr_when_no_sink_is_given,
          message__of_a_bad_target_shows_no_password)
