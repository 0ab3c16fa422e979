/* Those of docs/examples that show one group of functions each, as their readers run them. */

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/certs.h"
#include "support/example.h"
#include "support/http_server.h"
#include "support/https_scene.h"
#include "support/proxy_server.h"
#include "support/requests.h"
#include "support/run_tests.h"

enum {
    URLS = 4
};

static struct test_server *server;

/* url writes one of the server's; four are remembered at once. */
static const char *url(const char *path)
{
    static char texts[URLS][128];
    static int next;

    next = (next + 1) % URLS;
    return test_server_url(server, path, texts[next], sizeof(texts[next]));
}

/* port is the server's as text. */
static const char *port(void)
{
    static char text[16];

    (void)snprintf(text, sizeof(text), "%d", test_server_port(server));
    return text;
}

/* within makes a text with the server's port in it; two are remembered at once. */
static const char *within(const char *before, const char *behind)
{
    static char texts[2][512];
    static int next;

    next = !next;
    (void)snprintf(texts[next], sizeof(texts[next]), "%s%s%s", before, port(), behind);
    return texts[next];
}

START_TEST(headers__are_edited)
{
    ck_assert_example(EXAMPLE("headers"), 0,
                      "the list\n"
                      "  Accept: text/html, text/plain\n"
                      "  Set-Cookie: a=1\n"
                      "  Set-Cookie: b=2\n"
                      "first a=1, second b=2, all \"a=1, b=2\"\n"
                      "extended\n"
                      "  Accept: text/html, text/plain\n"
                      "  Set-Cookie: a=1\n"
                      "  Set-Cookie: b=2\n"
                      "  Accept: application/json\n"
                      "merged\n"
                      "  Accept: application/json\n"
                      "  Set-Cookie: a=1\n"
                      "  Set-Cookie: b=2\n"
                      "equal: no\n"
                      "2 removed, left: none\n"
                      "cleared: 0\n"
                      "never sent: value of header \"X\" holds a control character\n",
                      "");
}
END_TEST

START_TEST(urls__are_taken_apart_and_joined)
{
    ck_assert_example(
        EXAMPLE("urls", "HTTP://Example.COM:8080/a/./b%7e?q#top", "../c"), 0,
        "scheme http, host example.com, port 8080, path /a/b~, query q, fragment top\n"
        "http://example.com:8080/c\n"
        "?q=salt+%26+pepper&lang=en\n",
        "");
    ck_assert_example(EXAMPLE("urls", "http://a b/"), 1, "", "URL");
}
END_TEST

START_TEST(connection__is_spoken_on_by_hand)
{
    struct proxy_server *proxy = proxy_server_start(NULL);
    struct ran *ran;
    char by_proxy[64];

    server = test_server_start(test_answer_echo, NULL, NULL);
    ck_assert_example(EXAMPLE("connection", within("127.0.0.1:", ""), "/"), 0,
                      "200 \n"
                      "200 one, two\n"
                      "127.0.0.1: 2 requests, open, a certificate of nobody\n",
                      "");
    (void)snprintf(by_proxy, sizeof(by_proxy), "127.0.0.1:%d", proxy_server_port(proxy));
    ck_assert_example(EXAMPLE("connection", within("localhost:", ""), "/", by_proxy), 0,
                      "200 \n"
                      "200 one, two\n"
                      "127.0.0.1: 2 requests, open, a certificate of nobody\n"
                      "a proxy agreed\n",
                      "");
    ck_assert_int_eq(setenv("DEBUG", "1", 1), 0);
    ran = EXAMPLE("connection", within("127.0.0.1:", ""), "/");
    ck_assert_ptr_nonnull(strstr(ran->err, "send: POST / HTTP/1.1"));
    ran_free(ran);
    ck_assert_int_eq(unsetenv("DEBUG"), 0);
    test_server_stop(server);
    ck_assert_example(EXAMPLE("connection", "127.0.0.1:1", "/"), 1, "", "URLPOOL_E_CONNECT: ");
    proxy_server_stop(proxy);
}
END_TEST

START_TEST(one_origin__has_a_pool_by_itself)
{
    server = test_server_start(test_answer_hello, NULL, NULL);
    ck_assert_example(EXAMPLE("one_origin", url("/")), 0,
                      within("elsewhere: no\n"
                             "by path: 200\n"
                             "by hand: 200, 5 bytes\n"
                             "1 opened, 1 reused; http://127.0.0.1:",
                             " open 1 idle 1 leased 0 dialling 0 waiting 0 reused 1 opened 1\n"),
                      "");
    test_server_stop(server);
}
END_TEST

static void answer_elsewhere(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    if (strcmp(request->target, "/elsewhere") == 0) {
        test_peer_reply(peer, 302, "Location: http://other.invalid/\r\n", "");
    } else {
        test_peer_reply(peer, 200, NULL, "");
    }
}

START_TEST(pools_of_manager__keep_to_their_origin)
{
    struct ran *ran;

    server = test_server_start(answer_elsewhere, NULL, NULL);
    ran = EXAMPLE("pools_of_manager", "127.0.0.1", port());
    ck_assert_int_eq(ran->exit_code, 0);
    ck_assert_int_eq(strncmp(ran->out, "the same pool\n200\nURLPOOL_E_HOST_CHANGED: ", 42), 0);
    ck_assert_str_eq(ran->err, "");
    ran_free(ran);
    test_server_stop(server);
}
END_TEST

static void answer_bodies(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    if (strcmp(request->target, "/chunks") == 0) {
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "3\r\none\r\n5\r\nthree\r\n0\r\nX-Sum: 8\r\n\r\n");
    } else {
        test_peer_reply(peer, 200, NULL, "abcd\r\nefgh\nij");
    }
}

START_TEST(reading_bodies__goes_each_of_its_ways)
{
    server = test_server_start(answer_bodies, NULL, NULL);
    ck_assert_example(EXAMPLE("reading_bodies", "lines", url("/")), 0,
                      "begins with a\n[abcd]\n[efgh]\n[ij]\n", "");
    ck_assert_example(EXAMPLE("reading_bodies", "exact", url("/")), 0,
                      "abcd|\r\nefgh\nij|at its end\n", "");
    ck_assert_example(EXAMPLE("reading_bodies", "rest", url("/")), 0,
                      "13 bytes: abcd\r\nefgh\nij\n", "");
    ck_assert_example(EXAMPLE("reading_chunks", url("/chunks")), 0, "one\nthree\n1 trailers\n", "");
    ck_assert_example(EXAMPLE("reading_chunks", url("/")), 1, "", "URLPOOL_E_NOT_CHUNKED: ");
    ck_assert_example(EXAMPLE("reading_bodies", "stop", url("/")), 0, "4 read, 9 left\n", "");
    test_server_stop(server);
}
END_TEST

/* Some bytes, and then nothing more. */
static void answer_some(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)request;
    (void)user;
    test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
    test_peer_stay(peer);
}

START_TEST(stop_reading__ends_a_silent_stream)
{
    server = test_server_start(answer_some, NULL, NULL);
    ck_assert_example(EXAMPLE("stop_reading", url("/")), 0, "URLPOOL_E_CANCELLED\n", "");
    test_server_stop(server);
}
END_TEST

/* Two redirects and then an answer: the second is not followed. */
static void answer_hops(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    test_peer_reply(peer, 302,
                    strcmp(request->target, "/") == 0 ? "Location: /one\r\n" : "Location: /two\r\n",
                    "");
}

START_TEST(how_it_went__tells_of_the_hops)
{
    struct ran *ran;
    const char *expected;

    server = test_server_start(answer_hops, NULL, NULL);
    ran = EXAMPLE("how_it_went", url("/"));
    expected = within("GET http://127.0.0.1:", "/: 302 to http://127.0.0.1:");
    ck_assert_msg(strncmp(ran->out, expected, strlen(expected)) == 0, "%s", ran->out);
    ck_assert_ptr_nonnull(strstr(ran->out, "/one: 302 Found from 127.0.0.1, a used connection\n"
                                           "no type, go to /two\n"
                                           "before "));
    ck_assert_int_eq(ran->exit_code, 0);
    ran_free(ran);
    test_server_stop(server);
}
END_TEST

/* Switches, and gives back what comes. */
static void answer_upgrade(struct test_peer *peer, const struct test_request *request, void *user)
{
    char data[256];
    size_t len;

    (void)user;
    if (strcmp(request->target, "/no") == 0) {
        test_peer_reply(peer, 200, NULL, "");
        return;
    }
    test_peer_send_text(peer, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                              "Upgrade: echo\r\n\r\n");
    while ((len = test_peer_receive(peer, data, sizeof(data))) > 0) {
        (void)poll(NULL, 0, 1300); /* longer than its read_ms */
        test_peer_send(peer, data, len);
    }
    test_peer_close(peer);
}

START_TEST(upgrade__is_a_stream_both_ways)
{
    server = test_server_start(answer_upgrade, NULL, NULL);
    ck_assert_example(EXAMPLE("upgrade", url("/"), "echo"), 0, "heard hello\n", "");
    ck_assert_example(EXAMPLE("upgrade", url("/no"), "echo"), 1, "",
                      "status 200: the connection still speaks HTTP\n");
    test_server_stop(server);
}
END_TEST

/* /last closes the connection. */
static void answer_last(struct test_peer *peer, const struct test_request *request, void *user)
{
    bool last = strcmp(request->target, "/last") == 0;

    (void)user;
    test_peer_reply(peer, 200, last ? "Connection: close\r\n" : NULL, "");
}

START_TEST(watch_pool__tells_what_happened)
{
    struct ran *ran;

    server = test_server_start(answer_last, NULL, NULL);
    ran = EXAMPLE("watch_pool", url("/"), url("/last"), url("/"));
    ck_assert_int_eq(strncmp(ran->out, "urlpool/", 8), 0);
    ck_assert_ptr_nonnull(strstr(ran->out, within("open 1, idle 1, leased 0, waiting 0\n"
                                                  "requests 3, opened 2, reused 1, failures 0\n"
                                                  "closed (not reusable) 1\n"
                                                  "http://127.0.0.1:",
                                                  " open 1 idle 1")));
    ck_assert_str_eq(ran->err, "");
    ran_free(ran);
    test_server_stop(server);
}
END_TEST

START_TEST(upkeep__opens_and_closes)
{
    server = test_server_start(test_answer_hello, NULL, NULL);
    ck_assert_example(EXAMPLE("upkeep", url("/")), 0,
                      "preconnect: 3 idle\n"
                      "maintain closed 0\n"
                      "close_idle closed 3\n"
                      "network_changed: 0 idle\n"
                      "URLPOOL_E_POOL_CLOSED\n",
                      "");
    test_server_stop(server);
    ck_assert_example(EXAMPLE("upkeep", "http://127.0.0.1:1/"), 1, "", "refused");
}
END_TEST

START_TEST(own_memory__is_all_given_back)
{
    server = test_server_start(test_answer_hello, NULL, NULL);
    ck_assert_example(EXAMPLE("own_memory", url("/")), 0, "200; in use: some\nleft: 0\n", "");
    test_server_stop(server);
}
END_TEST

START_TEST(own_resolver__says_where_and_whether)
{
    static const char expected[] =
        "200 from 127.0.0.1\n"
        "URLPOOL_E_ADDRESS_REFUSED, nothing was sent: connect to 169.254.169.254:80: the address "
        "may not be dialled\n"
        "URLPOOL_E_RESOLVE, nothing was sent: no address for name nobody.invalid: ";
    struct ran *ran;

    server = test_server_start(test_answer_hello, NULL, NULL);
    ck_assert_int_eq(setenv("RES_OPTIONS", "timeout:1 attempts:1", 1), 0);
    ran = EXAMPLE("own_resolver", within("http://shop.internal:", "/"), "http://169.254.169.254/",
                  "http://nobody.invalid/");
    ck_assert_msg(strncmp(ran->out, expected, strlen(expected)) == 0, "%s", ran->out);
    ck_assert_int_eq(ran->exit_code, 1);
    ck_assert_str_eq(ran->err, "");
    ran_free(ran);
    test_server_stop(server);
}
END_TEST

/* Says how a body came. */
static void answer_body(struct test_peer *peer, const struct test_request *request, void *user)
{
    const char *type = strstr(request->head, "Content-Type: ");
    char said[256];

    (void)user;
    (void)snprintf(said, sizeof(said), "%s, %zu bytes, %.*s",
                   strstr(request->head, "chunked") != NULL ? "chunked" : "by length",
                   request->body_len, type != NULL ? (int)strcspn(type, "\r") : 7,
                   type != NULL ? type : "no type");
    test_peer_reply(peer, 200, NULL, said);
}

START_TEST(bodies__are_bytes_callbacks_and_forms)
{
    server = test_server_start(answer_body, NULL, NULL);
    ck_assert_example(EXAMPLE("bodies", url("/")), 0,
                      "200 by length, 3 bytes, no type\n"
                      "200 chunked, 6 bytes, no type\n"
                      "200 by length, 8 bytes, Content-Type: application/x-www-form-urlencoded\n",
                      "");
    test_server_stop(server);
}
END_TEST

START_TEST(shared_trust__is_of_several_managers)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    char *dir = test_dir();
    char *pem = test_cert_pem(scene.ca), *ca = test_file(dir, "ca.pem", pem);
    char *pin = test_cert_pin(scene.leaf), *other_pin = test_cert_pin(scene.ca);

    server = scene.server;
    ck_assert_example(EXAMPLE("shared_trust", ca, pin, url("/"), url("/")), 0, "TLSv1.3\nTLSv1.3\n",
                      "");
    ck_assert_uint_eq(test_server_num_connections(server), 2);
    ck_assert_example(EXAMPLE("shared_trust", ca, other_pin, url("/")), 1, "URLPOOL_E_TLS_PIN\n",
                      "");
    ck_assert_example(EXAMPLE("shared_trust", "/nowhere", pin, url("/")), 1, "", "/nowhere");
    free(pem);
    free(ca);
    free(pin);
    free(other_pin);
    test_dir_remove(dir);
    https_scene_end(&scene);
}
END_TEST

RUN_TESTS("example topics", headers__are_edited, urls__are_taken_apart_and_joined,
          connection__is_spoken_on_by_hand, one_origin__has_a_pool_by_itself,
          pools_of_manager__keep_to_their_origin, reading_bodies__goes_each_of_its_ways,
          stop_reading__ends_a_silent_stream, how_it_went__tells_of_the_hops,
          upgrade__is_a_stream_both_ways, watch_pool__tells_what_happened, upkeep__opens_and_closes,
          own_memory__is_all_given_back, own_resolver__says_where_and_whether,
          bodies__are_bytes_callbacks_and_forms, shared_trust__is_of_several_managers)
