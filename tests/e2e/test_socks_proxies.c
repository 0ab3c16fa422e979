/* SOCKS proxies as a user sees them: requests through each kind, what the proxy is told, what is
 * kept open, and what a failure is called. */

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/https_scene.h"
#include "support/loopback.h"
#include "support/proxy_server.h"
#include "support/requests.h"
#include "support/run_tests.h"

static struct https_scene scene;
static struct proxy_server *proxy;
static struct urlpool_manager *manager;
static char proxy_url[128], traced[8192];

static void record(void *user, const struct urlpool_trace_event *event)
{
    size_t len = strlen(traced);

    (void)user;
    (void)snprintf(traced + len, sizeof(traced) - len, "%d %.*s\n", (int)event->kind,
                   (int)event->text_len, event->text);
}

/* begin starts an https origin and a manager that goes there through `proxy`: "socks5://me:pass@"
 * is the beginning of its URL. */
static void begin(const char *scheme, struct proxy_server_options proxy_options)
{
    struct urlpool_manager_options options = {.trace = {.event = record}, .retries = TEST_ONE_TRY};

    scene = https_scene_begin(test_answer_hello, NULL, NULL);
    proxy = proxy_server_start(&proxy_options);
    (void)snprintf(proxy_url, sizeof(proxy_url), "%s127.0.0.1:%u", scheme,
                   (unsigned)proxy_server_port(proxy));
    options.proxy.url = proxy_url;
    options.tls = scene.tls;
    traced[0] = '\0';
    manager = test_manager(&options);
}

static void end(void)
{
    urlpool_manager_free(manager);
    proxy_server_stop(proxy);
    https_scene_end(&scene);
}

/* get asks the origin as `host`; NULL with test_err when it fails. */
static struct urlpool_response *get(const char *host)
{
    char url[128];

    (void)snprintf(url, sizeof(url), "https://%s:%d/", host, test_server_port(scene.server));
    return urlpool_request(manager, "GET", url, NULL, &test_err);
}

static void check_hello(const char *host)
{
    struct urlpool_response *response = get(host);

    ck_assert_msg(response != NULL, "%s", test_err.message);
    ck_assert_str_eq((const char *)response->data, "hello");
    urlpool_response_free(response);
}

static void check_refused(const char *words)
{
    ck_assert_ptr_null(get("localhost"));
    ck_assert_int_eq(test_err.code, URLPOOL_E_PROXY);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_PROXY);
    ck_assert_msg(strstr(test_err.message, words) != NULL, "%s", test_err.message);
}

/* check_seen compares with what the proxy was asked, once: `how` and the origin's port and `who`.
 */
static void check_seen(const char *how, const char *who)
{
    char *seen = proxy_server_seen(proxy);
    char text[256];

    (void)snprintf(text, sizeof(text), "%s:%d%s\n", how, test_server_port(scene.server), who);
    ck_assert_str_eq(seen, text);
    free(seen);
}

START_TEST(socks__each_kind_tells_the_proxy_what_its_scheme_says)
{
    static const struct {
        const char *scheme, *how, *who;
    } rows[] = {
        {"socks4://",          "socks4 127.0.0.1",      ""           },
        {"socks4a://",         "socks4a localhost",     ""           },
        {"socks5://",          "socks5 v4 127.0.0.1",   ""           },
        {"socks5h://",         "socks5 name localhost", ""           },
        {"socks4://me@",       "socks4 127.0.0.1",      " user me"   },
        {"socks5h://me:p%40@", "socks5 name localhost", " user me:p@"},
    };
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const bool is_known = strchr(rows[i].scheme, '@') != NULL;

        begin(rows[i].scheme,
              (struct proxy_server_options){.user = is_known ? "me" : NULL, .password = "p@"});
        check_hello("localhost");
        check_hello("localhost");
        check_seen(rows[i].how, rows[i].who); /* once: the connection is kept */
        ck_assert_uint_eq(test_stats(manager).opened, 1);
        ck_assert_ptr_null(strstr(traced, "p@"));
        end();
    }
}
END_TEST

START_TEST(socks__of_an_http_request_carries_the_origin_form)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);
    char *head;

    begin("socks5h://", (struct proxy_server_options){0});
    test_get(manager, server);
    head = test_server_last_head(server);
    ck_assert_int_eq(strncmp(head, "GET / HTTP/1.1\r\n", 16), 0);
    ck_assert_ptr_null(strstr(head, "Proxy-"));
    free(head);
    end();
    test_server_stop(server);
}
END_TEST

START_TEST(socks__keeps_the_connections_of_origins_apart)
{
    begin("socks5h://", (struct proxy_server_options){0});
    check_hello("localhost");
    check_hello("127.0.0.1");
    ck_assert_uint_eq(test_stats(manager).opened, 2);
    end();
}
END_TEST

START_TEST(socks__that_wants_other_credentials_is_refused_without_showing_them)
{
    const struct proxy_server_options strict = {.user = "me", .password = "secret"};

    begin("socks5h://me:hunter2@", strict);
    check_refused("the SOCKS5 proxy does not accept user and password");
    ck_assert_ptr_null(strstr(test_err.message, "hunter2"));
    ck_assert_ptr_null(strstr(traced, "hunter2"));
    end();
    begin("socks5h://", strict);
    check_refused("the SOCKS5 proxy wants to know who asks");
    end();
    begin("socks4a://you@", strict);
    check_refused("the identd here does not know the SOCKS4 user id");
    end();
}
END_TEST

START_TEST(socks__that_refuses_says_why)
{
    static const struct {
        int reply;
        const char *words;
    } rows[] = {
        {1, "general failure"          },
        {2, "rules do not allow it"    },
        {3, "cannot reach that network"},
        {4, "cannot reach that host"   },
        {5, "the host refused"         },
        {6, "timed out"                },
    };
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin("socks5h://", (struct proxy_server_options){.refuses_with = rows[i].reply});
        check_refused(rows[i].words);
        ck_assert_ptr_nonnull(strstr(test_err.message, "tunnel to localhost:"));
        ck_assert_int_eq(test_err.cause, URLPOOL_OK);
        end();
    }
}
END_TEST

START_TEST(socks__that_is_not_there_is_told_apart)
{
    begin("socks5://", (struct proxy_server_options){0});
    proxy_server_stop(proxy);
    proxy = NULL;
    check_refused("proxy 127.0.0.1:");
    ck_assert_int_eq(test_err.cause, URLPOOL_E_CONNECT);
    end();
}
END_TEST

START_TEST(socks__faults_are_failures_of_the_proxy)
{
    static const enum proxy_manner manners[] = {PROXY_GARBLES, PROXY_CLOSES, PROXY_RESETS};
    size_t i;

    for (i = 0; i < sizeof(manners) / sizeof(manners[0]); i++) {
        begin("socks5h://", (struct proxy_server_options){.manner = manners[i]});
        check_refused("tunnel to localhost:");
        ck_assert_int_ne(test_err.cause, URLPOOL_OK);
        end();
    }
}
END_TEST

START_TEST(socks__that_says_nothing_is_left_in_time)
{
    static const struct urlpool_request_options brief = {.timeout = {.connect_ms = 400}};
    static const struct urlpool_request_options short_of_all = {.timeout = {.total_ms = 400}};

    begin("socks5h://", (struct proxy_server_options){.manner = PROXY_STALLS});
    ck_assert_int_eq(test_fetch_fails(manager, "GET", scene.server, "/", &brief),
                     URLPOOL_E_CONNECT_TIMEOUT);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_PROXY);
    ck_assert_int_eq(test_fetch_fails(manager, "GET", scene.server, "/", &short_of_all),
                     URLPOOL_E_TOTAL_TIMEOUT);
    end();
}
END_TEST

START_TEST(socks__that_dies_in_mid_tunnel_is_a_failure_of_tls)
{
    begin("socks5h://", (struct proxy_server_options){.manner = PROXY_DIES});
    ck_assert_ptr_null(get("localhost"));
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_TLS);
    end();
}
END_TEST

START_TEST(socks__leads_to_an_http_proxy)
{
    struct urlpool_manager_options options = {.retries = TEST_ONE_TRY};
    struct proxy_server *before;
    char before_url[64], expected[64];
    char *seen;

    begin("https://me:pass@", (struct proxy_server_options){.tls = NULL});
    urlpool_manager_free(manager);
    proxy_server_stop(proxy);
    proxy = proxy_server_start(&(struct proxy_server_options){
        .tls = scene.context, .authorization = "Proxy-Authorization: Basic bWU6cGFzcw=="});
    before = proxy_server_start(NULL);
    (void)snprintf(proxy_url, sizeof(proxy_url), "https://me:pass@127.0.0.1:%u",
                   (unsigned)proxy_server_port(proxy));
    (void)snprintf(before_url, sizeof(before_url), "socks5h://127.0.0.1:%u",
                   (unsigned)proxy_server_port(before));
    options.tls = scene.tls;
    options.proxy.url = proxy_url;
    options.proxy.tls = scene.tls;
    options.preproxy.url = before_url;
    manager = test_manager(&options);
    check_hello("localhost");
    check_seen("connect localhost", "");
    seen = proxy_server_seen(before);
    (void)snprintf(expected, sizeof(expected), "socks5 v4 127.0.0.1:%u\n",
                   (unsigned)proxy_server_port(proxy));
    ck_assert_str_eq(seen, expected);
    free(seen);
    end();
    proxy_server_stop(before);
}
END_TEST

RUN_TESTS("socks_proxies", socks__each_kind_tells_the_proxy_what_its_scheme_says,
          socks__of_an_http_request_carries_the_origin_form,
          socks__keeps_the_connections_of_origins_apart,
          socks__that_wants_other_credentials_is_refused_without_showing_them,
          socks__that_refuses_says_why, socks__that_is_not_there_is_told_apart,
          socks__faults_are_failures_of_the_proxy, socks__that_says_nothing_is_left_in_time,
          socks__that_dies_in_mid_tunnel_is_a_failure_of_tls, socks__leads_to_an_http_proxy)
