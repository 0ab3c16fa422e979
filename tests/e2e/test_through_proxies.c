/* Requests of a manager that has proxies: who is asked for what, and who is told which secrets. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/https_scene.h"
#include "support/proxy_server.h"
#include "support/requests.h"
#include "support/run_tests.h"

#define CREDENTIALS "Basic bWU6c2VjcmV0" /* me:secret */

static char url_text[512];

/* proxy_url writes "SCHEME://me:secret@127.0.0.1:PORT" into one of some buffers. */
static const char *proxy_url(const char *scheme, int port)
{
    static char texts[4][128];
    static unsigned next;
    char *text = texts[next++ % 4];

    snprintf(text, sizeof(texts[0]), "%s://me:secret@127.0.0.1:%d", scheme, port);
    return text;
}

static const char *via(const struct test_server *proxy)
{
    return proxy_url("http", test_server_port(proxy));
}

/* must_get is a GET that must succeed. */
static struct urlpool_response *must_get(struct urlpool_manager *manager, const char *url)
{
    struct urlpool_response *response = urlpool_request(manager, "GET", url, NULL, &test_err);

    ck_assert_msg(response != NULL, "%s: %s", url, test_err.message);
    return response;
}

/* must_fail is a GET that must fail, without telling the secret. */
static enum urlpool_code must_fail(struct urlpool_manager *manager, const char *url)
{
    struct urlpool_response *response = urlpool_request(manager, "GET", url, NULL, &test_err);

    ck_assert_msg(response == NULL, "%s: %d", url, response != NULL ? response->status : 0);
    ck_assert_ptr_null(strstr(test_err.message, "secret"));
    ck_assert_ptr_null(strstr(test_err.message, "bWU6"));
    return test_err.code;
}

static void get(struct urlpool_manager *manager, const char *url)
{
    urlpool_response_free(must_get(manager, url));
}

static struct urlpool_manager *manager_via(const char *proxy, const char *no_proxy,
                                           struct urlpool_tls *tls)
{
    const struct urlpool_manager_options options = {
        .proxy = {.url = proxy, .no_proxy = no_proxy},
          .tls = tls
    };

    return test_manager(&options);
}

static void expect_head(struct test_server *server, const char *expected)
{
    char *head = test_server_last_head(server);

    ck_assert_str_eq(head, expected);
    free(head);
}

static bool last_head_has(struct test_server *server, const char *text)
{
    char *head = test_server_last_head(server);
    const bool has = strstr(head, text) != NULL;

    free(head);
    return has;
}

#define REST_OF_HEAD \
    "Accept-Encoding: " TEST_ACCEPT_ENCODING "\r\nUser-Agent: urlpool/" URLPOOL_VERSION "\r\n"

START_TEST(forwarded__asks_the_proxy_for_the_whole_url)
{
    struct test_server *proxy = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_headers *headers = urlpool_headers_new(&test_err);
    struct urlpool_manager_options options = {
        .proxy = {.url = via(proxy), .headers = headers}
    };
    struct urlpool_manager *manager;
    struct urlpool_response *response;

    ck_assert_int_eq(urlpool_headers_add(headers, "X-Way", "this one", &test_err), URLPOOL_OK);
    manager = test_manager(&options);
    urlpool_headers_free(headers);
    response = must_get(manager, "http://u:p@Shop.Example:8080/a/../b?c#d");
    ck_assert_str_eq((const char *)response->data, "hello");
    ck_assert_str_eq(response->url, "http://shop.example:8080/b?c#d");
    ck_assert_ptr_null(urlpool_response_peer(response).proxy_headers);
    urlpool_response_free(response);
    expect_head(
        proxy,
        "GET http://shop.example:8080/b?c HTTP/1.1\r\nHost: shop.example:8080\r\n" REST_OF_HEAD
        "Proxy-Authorization: " CREDENTIALS "\r\nAuthorization: Basic dTpw\r\n"
        "X-Way: this one\r\n\r\n");
    urlpool_manager_free(manager);
    test_server_stop(proxy);
}
END_TEST

START_TEST(forwarded__origins_share_connections)
{
    struct test_server *proxy = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = manager_via(via(proxy), NULL, NULL);
    struct urlpool_response *response;
    char *lines;

    get(manager, "http://a.example/");
    response = must_get(manager, "http://b.example:81/");
    ck_assert(response->connection_reused);
    urlpool_response_free(response);
    ck_assert_uint_eq(test_server_num_connections(proxy), 1);
    ck_assert_uint_eq(test_stats(manager).pools, 1);
    lines = urlpool_manager_describe(manager, &test_err);
    snprintf(url_text, sizeof(url_text), "http://127.0.0.1:%d", test_server_port(proxy));
    ck_assert_msg(strstr(lines, url_text) != NULL, "%s", lines);
    ck_assert_ptr_null(strstr(lines, "secret"));
    urlpool_string_free(lines);
    urlpool_manager_free(manager);
    test_server_stop(proxy);
}
END_TEST

START_TEST(forwarded__pool_in_a_users_hands_is_one_origins)
{
    struct test_server *proxy = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = manager_via(via(proxy), NULL, NULL);
    struct urlpool_response *response;
    struct urlpool_pool *a;
    struct urlpool_pool *b;

    get(manager, "http://c.example/");
    a = urlpool_manager_pool_for_url(manager, "http://a.example", &test_err);
    b = urlpool_manager_pool_for(manager, "http", "b.example", 0, &test_err);
    response = urlpool_pool_request(a, "GET", "/x", NULL, &test_err);
    ck_assert_msg(response != NULL, "%s", test_err.message);
    urlpool_response_free(response);
    ck_assert(last_head_has(proxy, "GET http://a.example/x HTTP/1.1\r\nHost: a.example\r\n"));
    response = urlpool_pool_request(b, "GET", "/y", NULL, &test_err);
    ck_assert_msg(response != NULL, "%s", test_err.message);
    urlpool_response_free(response);
    ck_assert(last_head_has(proxy, "GET http://b.example/y HTTP/1.1\r\nHost: b.example\r\n"));
    ck_assert_uint_eq(test_server_num_connections(proxy), 3);
    ck_assert_ptr_null(urlpool_pool_request(a, "GET", "http://b.example/", NULL, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_HOST_CHANGED);
    urlpool_pool_unref(a);
    urlpool_pool_unref(b);
    urlpool_manager_free(manager);
    test_server_stop(proxy);
}
END_TEST

START_TEST(forwarded__connection_that_is_lent_is_the_proxys)
{
    struct test_server *proxy = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = manager_via(via(proxy), NULL, NULL);
    struct urlpool_pool *pool =
        urlpool_manager_pool_for_url(manager, "http://a.example", &test_err);
    struct urlpool_connection *lent = urlpool_pool_acquire(pool, NULL, NULL, &test_err);

    ck_assert_msg(lent != NULL, "%s", test_err.message);
    ck_assert_int_eq(
        urlpool_connection_request(lent, "GET", "http://a.example/b", NULL, NULL, &test_err),
        URLPOOL_OK);
    urlpool_response_free(urlpool_connection_getresponse(lent, &test_err));
    urlpool_pool_release(pool, lent);
    ck_assert(last_head_has(proxy, "GET http://a.example/b HTTP/1.1\r\nHost: a.example\r\n"));
    urlpool_pool_unref(pool);
    urlpool_manager_free(manager);
    test_server_stop(proxy);
}
END_TEST

static void answer_and_go(struct test_peer *peer, const struct test_request *request, void *user)
{
    test_answer_hello(peer, request, user);
    test_peer_close(peer);
}

START_TEST(forwarded__on_a_stale_connection_asks_again_for_the_whole_url)
{
    struct test_server *proxy = test_server_start(answer_and_go, NULL, NULL);
    const struct urlpool_manager_options options = {.proxy = {.url = via(proxy)},
                                                    .retries = TEST_ONE_TRY};
    struct urlpool_manager *manager = test_manager(&options);

    for (int i = 0; i < 20; i++) {
        get(manager, "http://a.example/b");
        ck_assert(last_head_has(proxy, "GET http://a.example/b HTTP/1.1\r\nHost: a.example\r\n"));
        ck_assert(last_head_has(proxy, "\r\nProxy-Authorization: " CREDENTIALS "\r\n"));
    }
    urlpool_manager_free(manager);
    test_server_stop(proxy);
}
END_TEST

static void answer_407(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)request;
    (void)user;
    test_peer_reply(peer, 407, "Proxy-Authenticate: Basic realm=\"way\"\r\n", "who are you");
}

START_TEST(forwarded__refusal_is_an_answer_to_be_read)
{
    struct test_server *proxy = test_server_start(answer_407, NULL, NULL);
    struct urlpool_manager *manager = manager_via(via(proxy), NULL, NULL);
    struct urlpool_response *response = must_get(manager, "http://a.example/");

    ck_assert_int_eq(response->status, 407);
    ck_assert_str_eq((const char *)response->data, "who are you");
    ck_assert_str_eq(urlpool_response_header(response, "Proxy-Authenticate"),
                     "Basic realm=\"way\"");
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    test_server_stop(proxy);
}
END_TEST

START_TEST(no_proxy__hosts_are_asked_themselves)
{
    struct test_server *proxy = test_server_start(test_answer_hello, NULL, NULL);
    struct test_server *origin = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = manager_via(via(proxy), "10.0.0.0/8, 127.0.0.0/8", NULL);

    get(manager, test_server_url(origin, "/b", url_text, sizeof(url_text)));
    ck_assert_uint_eq(test_server_num_connections(proxy), 0);
    ck_assert(last_head_has(origin, "GET /b HTTP/1.1\r\n"));
    ck_assert(!last_head_has(origin, "Proxy-Authorization"));
    get(manager, "http://a.example/");
    ck_assert_uint_eq(test_server_num_connections(proxy), 1);
    urlpool_manager_free(manager);
    test_server_stop(origin);
    test_server_stop(proxy);
}
END_TEST

START_TEST(tunnel__hides_the_request_from_the_proxy_and_the_proxys_secrets_from_the_origin)
{
    const struct proxy_server_options asking = {.authorization = CREDENTIALS};
    struct https_scene origin = https_scene_begin(test_answer_hello, NULL, NULL);
    struct proxy_server *proxy = proxy_server_start(&asking);
    struct urlpool_headers *headers = urlpool_headers_new(&test_err);
    struct urlpool_manager_options options = {
        .proxy = {.url = proxy_url("http", proxy_server_port(proxy)), .headers = headers},
        .tls = origin.tls
    };
    struct urlpool_manager *manager;
    char *head;
    char expected[256];

    ck_assert_int_eq(urlpool_headers_add(headers, "X-Way", "this one", &test_err), URLPOOL_OK);
    manager = test_manager(&options);
    urlpool_headers_free(headers);
    get(manager, test_server_url(origin.server, "/b", url_text, sizeof(url_text)));
    get(manager, url_text);
    head = proxy_server_last_head(proxy);
    snprintf(expected, sizeof(expected), "CONNECT 127.0.0.1:%d HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n",
             test_server_port(origin.server), test_server_port(origin.server));
    ck_assert_int_eq(strncmp(head, expected, strlen(expected)), 0);
    ck_assert_ptr_nonnull(strstr(head, "\r\nProxy-Authorization: " CREDENTIALS "\r\n"));
    ck_assert_ptr_nonnull(strstr(head, "\r\nX-Way: this one\r\n"));
    free(head);
    ck_assert(last_head_has(origin.server, "GET /b HTTP/1.1\r\n"));
    ck_assert(!last_head_has(origin.server, "Proxy-Authorization"));
    ck_assert(!last_head_has(origin.server, "X-Way"));
    ck_assert_uint_eq(proxy_server_num_connections(proxy), 1);
    urlpool_manager_free(manager);
    proxy_server_stop(proxy);
    https_scene_end(&origin);
}
END_TEST

START_TEST(tunnel__that_is_refused_is_not_asked_for_again)
{
    static const struct {
        int status;
        unsigned num_attempts;
    } cases[] = {
        {400, 1},
        {403, 1},
        {407, 1},
        {501, 1},
        {408, 4},
        {429, 4},
        {500, 4},
        {502, 4},
        {503, 4},
        {504, 4},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct proxy_server_options refusing = {.refuses_with = cases[i].status};
        struct proxy_server *proxy = proxy_server_start(&refusing);
        const struct urlpool_manager_options options = {
            .proxy = {.url = proxy_url("http", proxy_server_port(proxy))},
            .retries = {.backoff_factor_ms = URLPOOL_NONE}};
        struct urlpool_manager *manager = test_manager(&options);

        (void)must_fail(manager, "https://a.example/");
        ck_assert_uint_eq(test_err.num_attempts, cases[i].num_attempts);
        if (cases[i].num_attempts == 1) {
            ck_assert_int_eq(test_err.code, URLPOOL_E_PROXY);
            ck_assert_int_eq(test_err.http_status, cases[i].status);
            ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_PROXY);
        } else {
            ck_assert_int_eq(test_err.code, URLPOOL_E_MAX_RETRIES);
            ck_assert_int_eq(test_err.cause, URLPOOL_E_PROXY);
        }
        ck_assert(!test_err.maybe_processed);
        urlpool_manager_free(manager);
        proxy_server_stop(proxy);
    }
}
END_TEST

static void note_head(void *user, const struct urlpool_trace_event *event)
{
    if (event->kind == URLPOOL_TRACE_RESPONSE_HEAD) {
        snprintf(user, 256, "%.*s", (int)event->text_len, event->text);
    }
}

START_TEST(tunnel__answer_of_the_proxy_can_be_read)
{
    const struct proxy_server_options asking = {.authorization = CREDENTIALS};
    struct https_scene origin = https_scene_begin(test_answer_hello, NULL, NULL);
    struct proxy_server *proxy = proxy_server_start(&asking);
    char head[256] = "";
    struct urlpool_manager_options options = {
        .proxy = {.url = proxy_url("http", proxy_server_port(proxy))},
        .tls = origin.tls,
        .trace = {.event = note_head,      .user = head             }
    };
    struct urlpool_manager *manager = test_manager(&options);
    struct urlpool_pool *pool;
    struct urlpool_connection *connection;
    struct urlpool_response *response;

    (void)test_server_url(origin.server, "/", url_text, sizeof(url_text));
    pool = urlpool_manager_pool_for_url(manager, url_text, &test_err);
    connection = urlpool_pool_acquire(pool, NULL, NULL, &test_err);
    ck_assert_msg(connection != NULL, "%s", test_err.message);
    ck_assert_str_eq(urlpool_headers_get(urlpool_connection_proxy_headers(connection), "X-Exit"),
                     "here");
    urlpool_pool_release(pool, connection);
    urlpool_pool_unref(pool);
    response = must_get(manager, url_text);
    ck_assert(response->connection_reused);
    urlpool_manager_free(manager); /* and the connection with it: the response has its own */
    ck_assert_str_eq(urlpool_headers_get(urlpool_response_peer(response).proxy_headers, "X-Exit"),
                     "here");
    urlpool_response_free(response);

    options.proxy.password = "false";
    manager = test_manager(&options);
    (void)must_fail(manager, url_text);
    ck_assert_ptr_nonnull(strstr(test_err.message, " refused: 407 Who; asked for is Basic"));
    ck_assert_ptr_nonnull(strstr(head, "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic\r\n"));
    urlpool_manager_free(manager);
    proxy_server_stop(proxy);
    https_scene_end(&origin);
}
END_TEST

static void answer_with_redirect(struct test_peer *peer, const struct test_request *request,
                                 void *user)
{
    char fields[256];

    (void)request;
    snprintf(fields, sizeof(fields), "Location: %s\r\n", (const char *)user);
    test_peer_reply(peer, 302, fields, "");
}

START_TEST(redirect__makes_the_way_anew)
{
    static char to_origin[128];
    struct test_server *origin = test_server_start(test_answer_hello, NULL, NULL);
    struct test_server *proxy = test_server_start(answer_with_redirect, to_origin, NULL);
    struct urlpool_manager *manager = manager_via(via(proxy), "127.0.0.1", NULL);

    (void)test_server_url(origin, "/landed", to_origin, sizeof(to_origin));
    get(manager, "http://a.example/");
    ck_assert_uint_eq(test_server_num_requests(proxy), 1);
    ck_assert(last_head_has(origin, "GET /landed HTTP/1.1\r\n"));
    ck_assert(!last_head_has(origin, "Proxy-Authorization"));
    urlpool_manager_free(manager);
    test_server_stop(proxy);
    test_server_stop(origin);
}
END_TEST

static void answer_with_two_steps(struct test_peer *peer, const struct test_request *request,
                                  void *user)
{
    if (strcmp(request->target, "http://a.example/") == 0) {
        test_peer_reply(peer, 302, "Location: http://b.example/\r\n", "");
    } else {
        test_answer_hello(peer, request, user);
    }
}

START_TEST(redirect__to_another_origin_still_tells_the_proxy_who_asks)
{
    struct test_server *proxy = test_server_start(answer_with_two_steps, NULL, NULL);
    struct urlpool_manager *manager = manager_via(via(proxy), NULL, NULL);

    get(manager, "http://a.example/");
    ck_assert(last_head_has(proxy, "GET http://b.example/ HTTP/1.1\r\nHost: b.example\r\n"));
    ck_assert(last_head_has(proxy, "\r\nProxy-Authorization: " CREDENTIALS "\r\n"));
    ck_assert_uint_eq(test_server_num_connections(proxy), 1);
    urlpool_manager_free(manager);
    test_server_stop(proxy);
}
END_TEST

START_TEST(proxy__that_is_not_there_is_told_apart_from_the_origin)
{
    struct test_server *proxy = test_server_start(test_answer_hello, NULL, NULL);
    const char *url = via(proxy);
    const struct urlpool_manager_options options = {.proxy = {.url = url}, .retries = TEST_ONE_TRY};
    struct urlpool_manager *manager = test_manager(&options);

    test_server_stop(proxy);
    ck_assert_int_eq(must_fail(manager, "http://a.example/"), URLPOOL_E_PROXY);
    ck_assert_int_eq(test_err.cause, URLPOOL_E_CONNECT);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_PROXY);
    ck_assert_int_eq(must_fail(manager, "https://a.example/"), URLPOOL_E_PROXY);
    ck_assert_int_eq(test_err.cause, URLPOOL_E_CONNECT);
    urlpool_manager_free(manager);
}
END_TEST

START_TEST(https_proxy__is_verified_by_its_own_configuration)
{
    struct https_scene proxy = https_scene_begin(test_answer_hello, NULL, NULL);
    const char *url = proxy_url("https", test_server_port(proxy.server));
    struct urlpool_manager_options options = {.proxy = {.url = url}, .tls = proxy.tls};
    struct urlpool_manager *manager = test_manager(&options);

    /* What the manager trusts for origins is not what it trusts for the proxy. */
    ck_assert_int_eq(must_fail(manager, "http://a.example/"), URLPOOL_E_PROXY);
    ck_assert_int_eq(test_err.cause, URLPOOL_E_TLS_VERIFY);
    ck_assert_uint_eq(test_err.num_attempts, 1);
    ck_assert_uint_eq(test_server_num_requests(proxy.server), 0);
    urlpool_manager_free(manager);

    options = (struct urlpool_manager_options){
        .proxy = {.url = url, .tls = proxy.tls}
    };
    manager = test_manager(&options);
    get(manager, "http://a.example/");
    ck_assert(last_head_has(proxy.server, "GET http://a.example/ HTTP/1.1\r\n"));
    ck_assert(last_head_has(proxy.server, "\r\nProxy-Authorization: " CREDENTIALS "\r\n"));
    urlpool_manager_free(manager);
    https_scene_end(&proxy);
}
END_TEST

/* refuses says with which cause the https proxy at `url` is not spoken to, held to `options`. */
static enum urlpool_code refuses(const char *url, const struct urlpool_tls_options *options)
{
    struct urlpool_tls *tls = urlpool_tls_new(options, &test_err);
    const struct urlpool_manager_options through = {
        .proxy = {.url = url, .tls = tls}
    };
    struct urlpool_manager *manager = test_manager(&through);

    urlpool_tls_unref(tls);
    ck_assert_int_eq(must_fail(manager, "http://a.example/"), URLPOOL_E_PROXY);
    ck_assert_uint_eq(test_err.num_attempts, 1);
    urlpool_manager_free(manager);
    return test_err.cause;
}

START_TEST(https_proxy__is_held_to_its_name_and_fingerprint)
{
    static const struct test_name names[] = {TEST_DNS("proxy.example")};
    static const struct test_cert_options for_another = {.names = names, .num_names = 1};
    struct https_scene proxy = https_scene_begin(test_answer_hello, NULL, &for_another);
    const char *url = proxy_url("https", test_server_port(proxy.server));
    char *pem = test_cert_pem(proxy.ca);
    struct urlpool_tls_options options = {.ca_data = pem, .ca_data_len = strlen(pem)};
    struct urlpool_manager_options through = {.proxy = {.url = url}};
    struct urlpool_manager *manager;

    ck_assert_int_eq(refuses(url, &options), URLPOOL_E_TLS_HOSTNAME);
    options.assert_fingerprint = "00000000000000000000000000000000";
    ck_assert_int_eq(refuses(url, &options), URLPOOL_E_TLS_PIN);
    ck_assert_uint_eq(test_server_num_requests(proxy.server), 0);
    options.assert_fingerprint = NULL;
    options.assert_hostname = "proxy.example";
    through.proxy.tls = urlpool_tls_new(&options, &test_err);
    manager = test_manager(&through);
    urlpool_tls_unref(through.proxy.tls);
    get(manager, "http://a.example/");
    urlpool_manager_free(manager);
    free(pem);
    https_scene_end(&proxy);
}
END_TEST

START_TEST(forward_https__shows_https_requests_to_the_proxy)
{
    struct https_scene proxy = https_scene_begin(test_answer_hello, NULL, NULL);
    struct urlpool_manager_options options = {
        .proxy = {.url = proxy_url("https", test_server_port(proxy.server)),
                  .tls = proxy.tls,
                  .forward_https = true}
    };
    struct urlpool_manager *manager = test_manager(&options);

    get(manager, "https://a.example/b");
    ck_assert(
        last_head_has(proxy.server, "GET https://a.example/b HTTP/1.1\r\nHost: a.example\r\n"));
    get(manager, "http://b.example/");
    ck_assert_uint_eq(test_server_num_connections(proxy.server), 1);
    urlpool_manager_free(manager);
    options.proxy.url = "http://127.0.0.1:1";
    ck_assert_ptr_null(urlpool_manager_new(&options, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_INVALID);
    https_scene_end(&proxy);
}
END_TEST

START_TEST(https_proxy__makes_tunnels_too)
{
    struct https_scene origin = https_scene_begin(test_answer_hello, NULL, NULL);
    const struct proxy_server_options over_tls = {.tls = origin.context,
                                                  .authorization = CREDENTIALS};
    struct proxy_server *proxy = proxy_server_start(&over_tls);
    const struct urlpool_manager_options options = {
        .proxy = {.url = proxy_url("https", proxy_server_port(proxy)), .tls = origin.tls},
        .tls = origin.tls
    };
    struct urlpool_manager *manager = test_manager(&options);

    get(manager, test_server_url(origin.server, "/b", url_text, sizeof(url_text)));
    get(manager, url_text);
    ck_assert(last_head_has(origin.server, "GET /b HTTP/1.1\r\n"));
    ck_assert_uint_eq(proxy_server_num_connections(proxy), 1);
    urlpool_manager_free(manager);
    proxy_server_stop(proxy);
    https_scene_end(&origin);
}
END_TEST

static void expect_seen(struct proxy_server *proxy, const char *expected)
{
    char *seen = proxy_server_seen(proxy);

    ck_assert_msg(strstr(seen, expected) != NULL, "%s is not in: %s", expected, seen);
    free(seen);
}

START_TEST(socks__is_asked_for_the_origin_as_its_scheme_says)
{
    static const struct {
        const char *scheme, *host, *seen;
    } cases[] = {
        {"socks4",  "127.0.0.1", "socks4 127.0.0.1:"     },
        {"socks4a", "a.example", "socks4a a.example:"    },
        {"socks5",  "localhost", "socks5 v4 127.0.0.1:"  },
        {"socks5h", "a.example", "socks5 name a.example:"},
    };
    struct test_server *origin = test_server_start(test_answer_hello, NULL, NULL);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct proxy_server_options plain = {.manner = PROXY_CARRIES};
        struct proxy_server *proxy = proxy_server_start(&plain);
        const struct urlpool_manager_options options = {
            .proxy = {.url = proxy_url(cases[i].scheme, proxy_server_port(proxy)),
                      .user = "",
                      .password = ""},
            .network = {.family = URLPOOL_FAMILY_V4                      }
        };
        struct urlpool_manager *manager = test_manager(&options);

        snprintf(url_text, sizeof(url_text), "http://%s:%d/b", cases[i].host,
                 test_server_port(origin));
        get(manager, url_text);
        ck_assert(last_head_has(origin, "GET /b HTTP/1.1\r\n"));
        expect_seen(proxy, cases[i].seen);
        urlpool_manager_free(manager);
        proxy_server_stop(proxy);
    }
    test_server_stop(origin);
}
END_TEST

START_TEST(preproxy__is_the_way_to_the_proxy)
{
    const struct proxy_server_options plain = {.user = "me", .password = "secret"};
    struct test_server *proxy = test_server_start(test_answer_hello, NULL, NULL);
    struct proxy_server *before = proxy_server_start(&plain);
    const struct urlpool_manager_options options = {
        .proxy = {.url = via(proxy)},
        .preproxy = {.url = proxy_url("socks5h", proxy_server_port(before))}};
    struct urlpool_manager *manager = test_manager(&options);
    char expected[128];

    get(manager, "http://a.example/");
    ck_assert(last_head_has(proxy, "GET http://a.example/ HTTP/1.1\r\n"));
    snprintf(expected, sizeof(expected), "127.0.0.1:%d user me:secret", test_server_port(proxy));
    expect_seen(before, expected);
    urlpool_manager_free(manager);
    proxy_server_stop(before);
    test_server_stop(proxy);
}
END_TEST

START_TEST(environment__is_heard_only_when_the_manager_is_told_to)
{
    struct test_server *proxy = test_server_start(test_answer_hello, NULL, NULL);
    struct test_server *origin = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager_options options = {0};
    struct urlpool_manager *manager;

    (void)test_server_url(origin, "/", url_text, sizeof(url_text));
    ck_assert_int_eq(setenv("http_proxy", via(proxy), 1), 0);
    manager = test_manager(&options);
    get(manager, url_text);
    ck_assert_uint_eq(test_server_num_connections(proxy), 0);
    urlpool_manager_free(manager);

    options.proxy_from_environment = true;
    manager = test_manager(&options);
    ck_assert_int_eq(unsetenv("http_proxy"), 0); /* it was read once */
    get(manager, url_text);
    ck_assert_uint_eq(test_server_num_connections(proxy), 1);
    ck_assert(last_head_has(proxy, "GET http://127.0.0.1:"));
    urlpool_manager_free(manager);

    ck_assert_int_eq(setenv("ALL_PROXY", via(proxy), 1), 0);
    ck_assert_int_eq(setenv("NO_PROXY", "127.0.0.1", 1), 0);
    manager = test_manager(&options);
    get(manager, url_text);
    ck_assert_uint_eq(test_server_num_connections(proxy), 1);
    urlpool_manager_free(manager);
    test_server_stop(origin);
    test_server_stop(proxy);
}
END_TEST

START_TEST(options__that_cannot_be_meant_make_no_manager)
{
    static const struct {
        struct urlpool_manager_options options;
        enum urlpool_code code;
    } cases[] = {
        {{.proxy = {.url = "proxy.example:3128"}},                     URLPOOL_E_SCHEME },
        {{.proxy = {.url = "ftp://proxy.example"}},                    URLPOOL_E_SCHEME },
        {{.preproxy = {.url = "ftp://proxy.example"}},                 URLPOOL_E_SCHEME },
        {{.proxy = {.url = "http://proxy.example:x"}},                 URLPOOL_E_URL    },
        {{.proxy = {.url = "http://proxy", .no_proxy = "10.0.0.0/x"}}, URLPOOL_E_INVALID},
        {{.proxy = {.reserved = {1}}},                                 URLPOOL_E_INVALID},
        {{.preproxy = {.reserved = {[63] = 1}}},                       URLPOOL_E_INVALID},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_ptr_null(urlpool_manager_new(&cases[i].options, &test_err));
        ck_assert_int_eq(test_err.code, cases[i].code);
    }
}
END_TEST

/* One server plays origin and proxy alike, so that every way that differs shows as one more
 * connection to it. */
START_TEST(way__that_differs_is_another_connection)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    const struct proxy_server_options plain = {.manner = PROXY_CARRIES};
    struct proxy_server *before = proxy_server_start(&plain);
    struct urlpool_manager_options options[6] = {{0}};
    char open[128];
    unsigned num = 0;

    (void)test_server_url(server, "/", url_text, sizeof(url_text));
    snprintf(open, sizeof(open), "http://127.0.0.1:%d", test_server_port(server));
    options[1].proxy.url = open;
    options[2].proxy.url = via(server); /* the same with credentials */
    options[3].proxy = (struct urlpool_proxy){.url = open, .no_proxy = "127.0.0.1"};
    options[4].proxy.url = open;
    options[4].preproxy = (struct urlpool_proxy){
        .url = proxy_url("socks5h", proxy_server_port(before)), .user = "", .password = ""};
    options[5].preproxy = options[4].preproxy;
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        struct urlpool_manager *manager = test_manager(&options[i]);

        get(manager, url_text);
        get(manager, url_text);
        ck_assert_msg(test_server_num_connections(server) == ++num, "way %zu", i);
        urlpool_manager_free(manager);
    }
    proxy_server_stop(before);
    test_server_stop(server);
}
END_TEST

START_TEST(way__that_differs_within_one_manager_is_another_connection)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager = manager_via(via(server), "127.0.0.1", NULL);

    /* To the server as itself, and as the proxy of another: the same socket address. */
    get(manager, test_server_url(server, "/", url_text, sizeof(url_text)));
    ck_assert(last_head_has(server, "GET / HTTP/1.1\r\n"));
    get(manager, "http://a.example/");
    ck_assert(last_head_has(server, "GET http://a.example/ HTTP/1.1\r\n"));
    ck_assert_uint_eq(test_server_num_connections(server), 2);
    get(manager, url_text);
    ck_assert(last_head_has(server, "GET / HTTP/1.1\r\n"));
    ck_assert_uint_eq(test_server_num_connections(server), 2);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

RUN_TESTS("through proxies", forwarded__asks_the_proxy_for_the_whole_url,
          forwarded__origins_share_connections, forwarded__pool_in_a_users_hands_is_one_origins,
          forwarded__connection_that_is_lent_is_the_proxys,
          forwarded__on_a_stale_connection_asks_again_for_the_whole_url,
          forwarded__refusal_is_an_answer_to_be_read, no_proxy__hosts_are_asked_themselves,
          tunnel__hides_the_request_from_the_proxy_and_the_proxys_secrets_from_the_origin,
          tunnel__that_is_refused_is_not_asked_for_again, tunnel__answer_of_the_proxy_can_be_read,
          redirect__makes_the_way_anew, redirect__to_another_origin_still_tells_the_proxy_who_asks,
          proxy__that_is_not_there_is_told_apart_from_the_origin,
          https_proxy__is_verified_by_its_own_configuration,
          https_proxy__is_held_to_its_name_and_fingerprint,
          forward_https__shows_https_requests_to_the_proxy, https_proxy__makes_tunnels_too,
          socks__is_asked_for_the_origin_as_its_scheme_says, preproxy__is_the_way_to_the_proxy,
          environment__is_heard_only_when_the_manager_is_told_to,
          options__that_cannot_be_meant_make_no_manager, way__that_differs_is_another_connection,
          way__that_differs_within_one_manager_is_another_connection)
