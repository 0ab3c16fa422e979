/* Making, opening, tunnelling and asking connections of the lower floor. */

#include <openssl/ssl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "urlpool/connection.h"

#include "base/clock.h"
#include "support/certs.h"
#include "support/failing_allocator.h"
#include "support/http_server.h"
#include "support/loopback.h"
#include "support/run_tests.h"

static struct urlpool_error err;

static void must_be_ok(enum urlpool_code code)
{
    ck_assert_msg(code == URLPOOL_OK, "%s: %s", urlpool_code_name(code), err.message);
}

/* show answers with the head as it came. */
static void show(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    test_peer_reply(peer, 200, NULL, request->head);
}

/* fetch_head makes a GET and returns the head that the server saw; for free(). */
static char *fetch_head(struct urlpool_connection *connection)
{
    struct urlpool_response *response;
    char *head = NULL;

    must_be_ok(urlpool_connection_request(connection, "GET", "/", NULL, NULL, &err));
    response = urlpool_connection_getresponse(connection, &err);
    ck_assert_msg(response != NULL, "%s", err.message);
    must_be_ok(urlpool_response_read_all(response, &err));
    head = strdup((const char *)response->data);
    urlpool_response_free(response);
    return head;
}

/* check_host makes a connection object and looks at what came of `host` and `port`. */
static void check_host(const char *host, int port, bool https, const char *out_host, int out_port)
{
    struct urlpool_connection_options options = {.https = https};
    struct urlpool_connection *connection;
    struct urlpool_connection_info info;

    if (https) {
        setenv("SSL_CERT_FILE", "/dev/null", 1);
        options.tls =
            urlpool_tls_new(&(struct urlpool_tls_options){.insecure_no_verify = true}, &err);
        ck_assert_msg(options.tls != NULL, "%s", err.message);
    }
    connection = urlpool_connection_new(host, port, &options, &err);
    ck_assert_msg(connection != NULL, "%s: %s", host, err.message);
    urlpool_connection_info(connection, &info, sizeof(info));
    ck_assert_str_eq(info.host, out_host);
    ck_assert_int_eq(info.port, out_port);
    ck_assert_int_eq(info.https, https);
    ck_assert(!info.connected);
    ck_assert_str_eq(info.peer, "");
    urlpool_connection_free(connection);
    urlpool_tls_unref(options.tls);
}

START_TEST(new__reads_host_and_port_in_all_their_forms)
{
    check_host("example.com", 0, false, "example.com", 80);
    check_host("example.com", 0, true, "example.com", 443);
    check_host("Example.COM:8080", 0, false, "example.com", 8080);
    check_host("example.com:", 0, false, "example.com", 80);
    check_host("example.com", 99, false, "example.com", 99);
    check_host("example.com:99", 99, false, "example.com", 99);
    check_host("example.com:", 99, false, "example.com", 99);
    check_host("[::1]", 0, false, "::1", 80);
    check_host("[::1]:8080", 0, false, "::1", 8080);
    check_host("[::1]:", 0, true, "::1", 443);
    check_host("::1", 0, false, "::1", 80);
    check_host("[fe80::1%25eth0]:81", 0, false, "fe80::1", 81);
    check_host("127.0.0.1:65535", 0, false, "127.0.0.1", 65535);
}
END_TEST

START_TEST(new__refuses_hosts_that_are_none)
{
    static const char *const hosts[] = {
        "",     ":80",     "h:abc",  "h:65536", "h:-1",   "h: 80",  "a b", "a\r\nX: y",
        "a\tb", "[::1",    "[::1]x", "[zz]",    "u@h",    "h/path", "h?q", "h#f",
        "\x7f", "h:80:81", "h\x80h", "[::1]:x", "h:80 x", "%0d%0a"};
    size_t i;

    for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct urlpool_connection *connection = urlpool_connection_new(hosts[i], 0, NULL, &err);

        ck_assert_msg(connection == NULL, "%s", hosts[i]);
        ck_assert_msg(err.code == URLPOOL_E_URL, "%s: %d", hosts[i], (int)err.code);
    }
    ck_assert_ptr_null(urlpool_connection_new("h", -1, NULL, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_URL);
    ck_assert_ptr_null(urlpool_connection_new("h", 65536, NULL, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_URL);
    ck_assert_ptr_null(urlpool_connection_new("h:80", 81, NULL, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_URL);
    ck_assert_ptr_null(urlpool_connection_new(NULL, 80, NULL, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_INVALID);
}
END_TEST

START_TEST(new__refuses_options_that_make_no_sense)
{
    struct urlpool_connection_options options[10] = {{0}};
    size_t i;

    options[0].reserved[47] = 1;
    options[1].timeout.read_ms = -5;
    options[2].timeout.reserved[0] = 1;
    options[3].data_bytes_max = -5;
    options[4].limits.fields_max = -5;
    options[5].limits.reserved[0] = 1;
    options[6].tls =
        urlpool_tls_new(&(struct urlpool_tls_options){.insecure_no_verify = true}, &err);
    options[7].timeout.connect_ms = -3;
    options[8].trace.reserved[15] = 1;
    options[9].proxy_tls = options[6].tls;
    for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        err.code = URLPOOL_OK;
        ck_assert_ptr_null(urlpool_connection_new("h", 0, &options[i], &err));
        ck_assert_msg(err.code == URLPOOL_E_INVALID, "%zu: %s", i, err.message);
    }
    urlpool_tls_unref(options[6].tls);
}
END_TEST

START_TEST(data_bytes_max__holds_for_read_all)
{
    struct test_server *server = test_server_start(show, NULL, NULL);
    struct urlpool_connection_options options = {.data_bytes_max = 10};
    struct urlpool_connection *connection =
        urlpool_connection_new("127.0.0.1", test_server_port(server), &options, &err);
    struct urlpool_response *response;

    must_be_ok(urlpool_connection_request(connection, "GET", "/", NULL, NULL, &err));
    response = urlpool_connection_getresponse(connection, &err);
    ck_assert_int_eq(urlpool_response_read_all(response, &err), URLPOOL_E_DATA_TOO_LARGE);
    urlpool_response_free(response);
    urlpool_connection_free(connection);
    test_server_stop(server);
}
END_TEST

START_TEST(connect__opens_once_and_info_says_to_whom)
{
    struct test_server *server = test_server_start(show, NULL, NULL);
    struct urlpool_connection *connection =
        urlpool_connection_new("127.0.0.1", test_server_port(server), NULL, &err);
    struct urlpool_connection_info info;
    char peer[64];

    must_be_ok(urlpool_connection_connect(connection, &err));
    must_be_ok(urlpool_connection_connect(connection, &err));
    ck_assert(urlpool_connection_is_connected(connection));
    free(fetch_head(connection));
    urlpool_connection_info(connection, &info, sizeof(info));
    (void)snprintf(peer, sizeof(peer), "127.0.0.1:%d", test_server_port(server));
    ck_assert_str_eq(info.peer, peer);
    ck_assert_str_eq(info.host, "127.0.0.1");
    ck_assert_int_eq(info.port, test_server_port(server));
    ck_assert(info.connected);
    ck_assert_uint_eq(info.num_requests, 1);
    ck_assert_ptr_null(info.tls_version);
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    ck_assert(!urlpool_connection_is_connected(NULL));
    ck_assert_int_eq(urlpool_connection_connect(NULL, &err), URLPOOL_E_INVALID);
    urlpool_connection_info(NULL, &info, sizeof(info));
    ck_assert_str_eq(info.host, "");
    urlpool_connection_free(connection);
    test_server_stop(server);
}
END_TEST

START_TEST(info__fills_an_older_struct_and_a_newer_one)
{
    struct urlpool_connection *connection = urlpool_connection_new("example.com", 81, NULL, &err);
    struct {
        struct urlpool_connection_info info;
        unsigned char more[32];
    } newer;
    struct urlpool_connection_info older;

    memset(&newer, 0xee, sizeof(newer));
    urlpool_connection_info(connection, &newer.info, sizeof(newer));
    ck_assert_str_eq(newer.info.host, "example.com");
    ck_assert_str_eq(newer.info.peer, "");
    for (size_t i = 0; i < sizeof(newer.more); i++) {
        ck_assert_uint_eq(newer.more[i], 0); /* what this library does not know is zero */
    }
    memset(&older, 0xee, sizeof(older));
    urlpool_connection_info(connection, &older, offsetof(struct urlpool_connection_info, https));
    ck_assert_int_eq(older.port, 81);
    ck_assert_uint_eq(older.num_requests, 0xeeeeeeeeeeeeeeee);
    urlpool_connection_info(connection, NULL, sizeof(older));
    urlpool_connection_free(connection);
}
END_TEST

START_TEST(connect__to_a_refused_port_fails_and_may_be_tried_again)
{
    int bound = loopback_bind("127.0.0.1", 0);
    struct urlpool_connection *connection =
        urlpool_connection_new("127.0.0.1", loopback_port(bound), NULL, &err);

    ck_assert_int_eq(urlpool_connection_connect(connection, &err), URLPOOL_E_CONNECT);
    ck_assert_int_eq(urlpool_connection_request(connection, "GET", "/", NULL, NULL, &err),
                     URLPOOL_E_CONNECT);
    ck_assert(!err.maybe_processed);
    ck_assert(!urlpool_connection_is_connected(connection));
    ck_assert_ptr_null(urlpool_connection_getresponse(connection, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_RESPONSE_NOT_READY);
    urlpool_connection_free(connection);
    close(bound);
}
END_TEST

START_TEST(connect__is_bound_by_connect_ms)
{
    struct loopback_hole hole = loopback_hole_open("127.0.0.1", 0);
    struct urlpool_connection_options options = {.timeout.connect_ms = 80};
    struct urlpool_connection *connection =
        urlpool_connection_new("127.0.0.1", loopback_port(hole.listener), &options, &err);

    ck_assert_int_eq(urlpool_connection_connect(connection, &err), URLPOOL_E_CONNECT_TIMEOUT);
    urlpool_connection_free(connection);
    loopback_hole_close(&hole);
}
END_TEST

START_TEST(no_auto_open__leaves_connecting_to_the_caller)
{
    struct test_server *server = test_server_start(show, NULL, NULL);
    struct urlpool_connection_options options = {.no_auto_open = true};
    struct urlpool_connection *connection =
        urlpool_connection_new("127.0.0.1", test_server_port(server), &options, &err);

    ck_assert_int_eq(urlpool_connection_request(connection, "GET", "/", NULL, NULL, &err),
                     URLPOOL_E_NOT_CONNECTED);
    must_be_ok(urlpool_connection_putrequest(connection, "GET", "/", 0, &err));
    ck_assert_int_eq(urlpool_connection_endheaders(connection, NULL, &err),
                     URLPOOL_E_NOT_CONNECTED);
    must_be_ok(urlpool_connection_connect(connection, &err)); /* the head is still there */
    must_be_ok(urlpool_connection_endheaders(connection, NULL, &err));
    urlpool_response_free(urlpool_connection_getresponse(connection, &err));
    free(fetch_head(connection));
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    urlpool_connection_free(connection);
    test_server_stop(server);
}
END_TEST

/* expect_shown: the peer of an open connection showed `leaf`, in a resumed handshake too. */
static void expect_shown(const struct urlpool_connection *connection, const struct test_cert *leaf)
{
    size_t der_len;
    uint8_t *der = test_cert_der(leaf, &der_len);
    size_t len = 0;
    const void *shown = urlpool_connection_peer_certificate(connection, &len);

    ck_assert_uint_eq(len, der_len);
    ck_assert_int_eq(memcmp(shown, der, der_len), 0);
    free(der);
}

START_TEST(https__shows_the_certificate_of_whom_it_speaks_to)
{
    struct test_cert *leaf = test_leaf("elsewhere.example", NULL);
    SSL_CTX *context = test_cert_context((const struct test_cert *const[]){leaf, NULL});
    struct test_server *server =
        test_server_start(show, NULL, &(struct test_server_options){.tls = context});
    char *pem = test_cert_pem(leaf);
    struct urlpool_tls *trusting = urlpool_tls_new(
        &(struct urlpool_tls_options){
            .ca_data = pem, .ca_data_len = strlen(pem), .server_name = "elsewhere.example"},
        &err);
    struct urlpool_tls *insecure =
        urlpool_tls_new(&(struct urlpool_tls_options){.insecure_no_verify = true}, &err);
    struct urlpool_tls *const each[] = {trusting, trusting, insecure};
    struct urlpool_connection_info info;
    size_t len = 7;

    for (int i = 0; i < 3; i++) {
        struct urlpool_connection *connection = urlpool_connection_new(
            "localhost", test_server_port(server),
            &(struct urlpool_connection_options){.https = true, .tls = each[i]}, &err);

        ck_assert_ptr_null(urlpool_connection_peer_certificate(connection, &len));
        ck_assert_uint_eq(len, 0);
        free(fetch_head(connection));
        expect_shown(connection, leaf);
        urlpool_connection_info(connection, &info, sizeof(info));
        ck_assert_int_eq(info.tls_verified, each[i] == trusting);
        urlpool_connection_free(connection);
    }
    ck_assert_ptr_null(urlpool_connection_peer_certificate(NULL, NULL));
    urlpool_tls_unref(trusting);
    urlpool_tls_unref(insecure);
    test_server_stop(server);
    SSL_CTX_free(context);
    free(pem);
    test_cert_free(leaf);
}
END_TEST

START_TEST(https__is_verified_and_describes_itself)
{
    struct test_cert *ca = test_ca("urlpool test root");
    struct test_cert *leaf = test_leaf("localhost", ca);
    const struct test_cert *const certs[] = {leaf, NULL};
    SSL_CTX *context = test_cert_context(certs);
    struct test_server *server =
        test_server_start(show, NULL, &(struct test_server_options){.tls = context});
    char *pem = test_cert_pem(ca);
    struct urlpool_tls *tls = urlpool_tls_new(
        &(struct urlpool_tls_options){.ca_data = pem, .ca_data_len = strlen(pem)}, &err);
    struct urlpool_connection_options options = {.https = true, .tls = tls};
    struct urlpool_connection *connection =
        urlpool_connection_new("localhost", test_server_port(server), &options, &err);
    struct urlpool_connection_info info;
    char *head = fetch_head(connection);
    char host[64];

    (void)snprintf(host, sizeof(host), "Host: localhost:%d\r\n", test_server_port(server));
    ck_assert_ptr_nonnull(strstr(head, host));
    urlpool_connection_info(connection, &info, sizeof(info));
    ck_assert_str_eq(info.tls_version, "TLSv1.3");
    ck_assert_ptr_nonnull(info.tls_cipher);
    ck_assert(!info.tls_resumed);
    ck_assert(info.tls_verified);
    urlpool_connection_close(connection);
    urlpool_connection_info(connection, &info, sizeof(info));
    ck_assert(!info.tls_verified);
    free(head);
    free(fetch_head(connection));
    urlpool_connection_info(connection, &info, sizeof(info));
    ck_assert(info.tls_resumed);
    urlpool_connection_free(connection);

    connection = urlpool_connection_new("127.0.0.1", test_server_port(server), &options, &err);
    ck_assert_int_eq(urlpool_connection_connect(connection, &err), URLPOOL_E_TLS_HOSTNAME);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_TLS);
    urlpool_connection_free(connection);

    urlpool_tls_unref(tls);
    test_server_stop(server);
    SSL_CTX_free(context);
    free(pem);
    test_cert_free(leaf);
    test_cert_free(ca);
}
END_TEST

/* dribble answers with half a body and then nothing. */
static void dribble(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)request;
    (void)user;
    test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha");
    test_peer_stay(peer);
}

START_TEST(free__of_a_response_drains_for_a_moment_and_no_longer)
{
    struct test_server *server = test_server_start(dribble, NULL, NULL);
    struct urlpool_connection *connection =
        urlpool_connection_new("127.0.0.1", test_server_port(server), NULL, &err);
    struct urlpool_response *response;
    int64_t began;

    must_be_ok(urlpool_connection_request(connection, "GET", "/", NULL, NULL, &err));
    response = urlpool_connection_getresponse(connection, &err);
    ck_assert_ptr_nonnull(response);
    began = urlp_now_ns();
    urlpool_response_free(response); /* 50 ms; read_ms is 60 s */
    ck_assert_int_lt(urlp_now_ns() - began, 10000 * (int64_t)URLP_NS_PER_MS);
    ck_assert(!urlpool_connection_is_connected(connection));
    urlpool_connection_free(connection);
    test_server_stop(server);
}
END_TEST

/* struct proxy answers one CONNECT and carries bytes to a server on loopback. */
struct proxy {
    int listener;
    int to_port;
    const char *answer;
    char asked[1024];
    pthread_t thread;
};

/* carry copies from one socket to the other until the end. */
static void *carry(void *arg)
{
    const int *fds = arg;
    char bytes[4096];
    ssize_t len;

    while ((len = recv(fds[0], bytes, sizeof(bytes), 0)) > 0) {
        if (send(fds[1], bytes, (size_t)len, MSG_NOSIGNAL) != len) {
            break;
        }
    }
    (void)shutdown(fds[1], SHUT_WR);
    return NULL;
}

static int connect_to(int port)
{
    struct sockaddr_in {
        unsigned short family;
        unsigned char port[2];
        unsigned char address[4];
        unsigned char zero[8];
    } to = {
        AF_INET, {(unsigned char)(port >> 8), (unsigned char)port},
         {127,                          0, 0, 1},
         {0}
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(connect(fd, (const struct sockaddr *)(const void *)&to, sizeof(to)), 0);
    return fd;
}

static void *serve_proxy(void *arg)
{
    struct proxy *proxy = arg;
    int client = loopback_accept(proxy->listener);
    size_t len = 0;
    int there[2];
    int back[2];
    pthread_t other;

    while (strstr(proxy->asked, "\r\n\r\n") == NULL && len < sizeof(proxy->asked) - 1) {
        if (recv(client, proxy->asked + len, 1, 0) != 1) {
            break;
        }
        len++;
    }
    (void)send(client, proxy->answer, strlen(proxy->answer), MSG_NOSIGNAL);
    if (strncmp(proxy->answer + 9, "200", 3) == 0) {
        there[0] = back[1] = client;
        there[1] = back[0] = connect_to(proxy->to_port);
        ck_assert_int_eq(pthread_create(&other, NULL, carry, back), 0);
        (void)carry(there);
        pthread_join(other, NULL);
        close(there[1]);
    }
    close(client);
    return NULL;
}

static void proxy_start(struct proxy *proxy, int to_port, const char *answer)
{
    *proxy = (struct proxy){
        .listener = loopback_listen("127.0.0.1", 0), .to_port = to_port, .answer = answer};
    ck_assert_int_eq(pthread_create(&proxy->thread, NULL, serve_proxy, proxy), 0);
}

static void proxy_join(struct proxy *proxy)
{
    pthread_join(proxy->thread, NULL);
    close(proxy->listener);
}

START_TEST(set_tunnel__speaks_http_through_the_proxy)
{
    struct test_server *server = test_server_start(show, NULL, NULL);
    struct urlpool_headers *headers = urlpool_headers_new(NULL);
    const struct urlpool_headers *said;
    struct urlpool_connection *connection;
    struct proxy proxy;
    char *head;

    must_be_ok(urlpool_headers_add(headers, "Proxy-Authorization", "Basic eA==", &err));
    proxy_start(&proxy, test_server_port(server),
                "HTTP/1.1 200 Go\r\nVia: 1.1 here\r\nX-Exit: a\r\nX-Exit: b\r\n\r\n");
    connection = urlpool_connection_new("127.0.0.1", loopback_port(proxy.listener), NULL, &err);
    must_be_ok(urlpool_connection_set_tunnel(connection, "example.com:8080", 0, headers, &err));
    ck_assert_ptr_null(urlpool_connection_proxy_headers(connection));
    head = fetch_head(connection);
    said = urlpool_connection_proxy_headers(connection);
    ck_assert_str_eq(urlpool_headers_get(said, "via"), "1.1 here");
    ck_assert_str_eq(urlpool_headers_get_nth(said, "X-Exit", 1), "b");
    ck_assert_uint_eq(urlpool_headers_count(said), 3);
    ck_assert_ptr_nonnull(strstr(head, "GET / HTTP/1.1\r\nHost: example.com:8080\r\n"));
    ck_assert_ptr_null(strstr(head, "Proxy-Authorization"));
    urlpool_connection_free(connection);
    proxy_join(&proxy);
    ck_assert_str_eq(proxy.asked, "CONNECT example.com:8080 HTTP/1.1\r\n"
                                  "Host: example.com:8080\r\n"
                                  "Proxy-Authorization: Basic eA==\r\n\r\n");
    free(head);
    urlpool_headers_free(headers);
    test_server_stop(server);
}
END_TEST

START_TEST(set_tunnel__verifies_the_target_and_not_the_proxy)
{
    struct test_cert *ca = test_ca("urlpool test root");
    struct test_cert *leaf = test_leaf("target.example", ca);
    const struct test_cert *const certs[] = {leaf, NULL};
    SSL_CTX *context = test_cert_context(certs);
    struct test_server *server =
        test_server_start(show, NULL, &(struct test_server_options){.tls = context});
    char *pem = test_cert_pem(ca);
    struct urlpool_tls *tls = urlpool_tls_new(
        &(struct urlpool_tls_options){.ca_data = pem, .ca_data_len = strlen(pem)}, &err);
    struct urlpool_connection_options options = {.https = true, .tls = tls};
    struct urlpool_connection *connection;
    struct proxy proxy;
    char *head;

    proxy_start(&proxy, test_server_port(server), "HTTP/1.1 200 Go\r\n\r\n");
    connection = urlpool_connection_new("127.0.0.1", loopback_port(proxy.listener), &options, &err);
    must_be_ok(urlpool_connection_set_tunnel(connection, "target.example", 0, NULL, &err));
    head = fetch_head(connection);
    ck_assert_ptr_nonnull(strstr(head, "Host: target.example\r\n"));
    urlpool_connection_free(connection);
    proxy_join(&proxy);
    ck_assert_int_eq(strncmp(proxy.asked, "CONNECT target.example:443 HTTP/1.1\r\n", 37), 0);
    free(head);
    urlpool_tls_unref(tls);
    test_server_stop(server);
    SSL_CTX_free(context);
    free(pem);
    test_cert_free(leaf);
    test_cert_free(ca);
}
END_TEST

START_TEST(set_tunnel__that_the_proxy_refuses_is_a_proxy_error)
{
    struct urlpool_connection *connection;
    struct proxy proxy;

    proxy_start(&proxy, 0,
                "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    connection = urlpool_connection_new("127.0.0.1", loopback_port(proxy.listener), NULL, &err);
    must_be_ok(urlpool_connection_set_tunnel(connection, "[::1]", 99, NULL, &err));
    ck_assert_int_eq(urlpool_connection_connect(connection, &err), URLPOOL_E_PROXY);
    ck_assert_int_eq(err.http_status, 407);
    ck_assert_str_eq(err.message, "tunnel to [::1]:99 refused: 407 Proxy Authentication Required");
    ck_assert(!urlpool_connection_is_connected(connection));
    urlpool_connection_free(connection);
    proxy_join(&proxy);
}
END_TEST

START_TEST(proxy_headers__are_those_of_the_last_opening)
{
    struct urlpool_connection *connection;
    struct proxy proxy;

    proxy_start(&proxy, 0, "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n");
    connection = urlpool_connection_new("127.0.0.1", loopback_port(proxy.listener), NULL, &err);
    must_be_ok(urlpool_connection_set_tunnel(connection, "h", 99, NULL, &err));
    ck_assert_int_eq(urlpool_connection_connect(connection, &err), URLPOOL_E_PROXY);
    ck_assert_str_eq(
        urlpool_headers_get(urlpool_connection_proxy_headers(connection), "Proxy-Authenticate"),
        "Basic realm=\"x\"");
    urlpool_connection_close(connection);
    ck_assert_ptr_nonnull(urlpool_connection_proxy_headers(connection));
    proxy_join(&proxy); /* and nobody listens any more */
    ck_assert_int_eq(urlpool_connection_connect(connection, &err), URLPOOL_E_CONNECT);
    ck_assert_ptr_null(urlpool_connection_proxy_headers(connection));
    urlpool_connection_free(connection);
    ck_assert_ptr_null(urlpool_connection_proxy_headers(NULL));
}
END_TEST

START_TEST(set_tunnel__refuses_what_is_unfit_and_what_comes_too_late)
{
    struct test_server *server = test_server_start(show, NULL, NULL);
    struct urlpool_headers *headers = urlpool_headers_new(NULL);
    struct urlpool_connection *connection =
        urlpool_connection_new("127.0.0.1", test_server_port(server), NULL, &err);

    must_be_ok(urlpool_headers_add(headers, "Content-Length", "1", &err));
    ck_assert_int_eq(urlpool_connection_set_tunnel(connection, "h", 0, headers, &err),
                     URLPOOL_E_HEADER);
    ck_assert_int_eq(urlpool_connection_set_tunnel(connection, "h\r\nX: y", 0, NULL, &err),
                     URLPOOL_E_URL);
    ck_assert_int_eq(urlpool_connection_set_tunnel(connection, "h", 65536, NULL, &err),
                     URLPOOL_E_URL);
    ck_assert_int_eq(urlpool_connection_set_tunnel(connection, NULL, 0, NULL, &err),
                     URLPOOL_E_INVALID);
    must_be_ok(urlpool_connection_connect(connection, &err));
    ck_assert_int_eq(urlpool_connection_set_tunnel(connection, "h", 0, NULL, &err),
                     URLPOOL_E_INVALID);
    free(fetch_head(connection)); /* none of them has left anything behind */
    urlpool_connection_free(connection);
    urlpool_headers_free(headers);
    test_server_stop(server);
}
END_TEST

/* run_once makes an exchange with a body and a tunnel's headers set, and says what went wrong. */
static enum urlpool_code run_once(int port)
{
    struct urlpool_connection_options options = {.data_bytes_max = 100000};
    struct urlpool_connection *connection =
        urlpool_connection_new("127.0.0.1", port, &options, &err);
    struct urlpool_body body = urlpool_body_bytes("hello", 5);
    struct urlpool_response *response = NULL;
    enum urlpool_code code = err.code;

    if (connection == NULL) {
        return code;
    }
    code = urlpool_connection_request(connection, "POST", "/x", &body, NULL, &err);
    if (code == URLPOOL_OK) {
        response = urlpool_connection_getresponse(connection, &err);
        code = response == NULL ? err.code : urlpool_response_read_all(response, &err);
    }
    urlpool_response_free(response);
    urlpool_connection_free(connection);
    return code;
}

START_TEST(floor__survives_each_allocation_that_fails)
{
    struct test_server *server = test_server_start(show, NULL, NULL);
    bool has_failed = true;
    uint64_t n;

    failing_allocator_install();
    for (n = 1; has_failed; n++) {
        enum urlpool_code code;

        failing_allocator_fail_nth(n);
        code = run_once(test_server_port(server));
        has_failed = failing_allocator_has_failed();
        ck_assert_msg(code == (has_failed ? URLPOOL_E_NOMEM : URLPOOL_OK), "%d: %s", (int)n,
                      err.message);
        ck_assert_int_eq(failing_allocator_num_live(), 0);
    }
    ck_assert_uint_gt(n, 12);
    test_server_stop(server);
}
END_TEST

RUN_TESTS("floor_open", new__reads_host_and_port_in_all_their_forms,
          new__refuses_hosts_that_are_none, new__refuses_options_that_make_no_sense,
          data_bytes_max__holds_for_read_all, connect__opens_once_and_info_says_to_whom,
          info__fills_an_older_struct_and_a_newer_one,
          connect__to_a_refused_port_fails_and_may_be_tried_again, connect__is_bound_by_connect_ms,
          no_auto_open__leaves_connecting_to_the_caller, https__is_verified_and_describes_itself,
          https__shows_the_certificate_of_whom_it_speaks_to,
          free__of_a_response_drains_for_a_moment_and_no_longer,
          set_tunnel__speaks_http_through_the_proxy,
          set_tunnel__verifies_the_target_and_not_the_proxy,
          set_tunnel__that_the_proxy_refuses_is_a_proxy_error,
          proxy_headers__are_those_of_the_last_opening,
          set_tunnel__refuses_what_is_unfit_and_what_comes_too_late,
          floor__survives_each_allocation_that_fails)
