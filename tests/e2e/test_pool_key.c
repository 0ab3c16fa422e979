/* What one connection is shared by. Whatever an option changes below HTTP belongs to a manager, and
 * managers share nothing; what a request may say changes nothing below HTTP. Each member of their
 * options has its row here and in test_pool_key_tls.c: tests/tools/test_pool_key holds the rows
 * against the headers, so that an option without one fails. */

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/https_scene.h"
#include "support/loopback.h"
#include "support/requests.h"
#include "support/run_tests.h"

/* struct pair is options that differ in `member` alone. */
struct pair {
    const char *member;
    struct urlpool_manager_options before, after;
};

struct request_row {
    const char *member;
    const char *method;
    struct urlpool_request_options options;
};

static struct pair pairs[64];
static size_t num_pairs;
static struct request_row rows[64];
static size_t num_rows;

static struct test_server *server;
static struct https_scene scene;
static struct urlpool_headers *headers;
static char url[128];

static void begin(void)
{
    server = test_server_start(test_answer_hello, NULL, NULL);
    scene = https_scene_begin(test_answer_hello, NULL, NULL);
    headers = urlpool_headers_new(NULL);
    ck_assert_int_eq(urlpool_headers_add(headers, "X-Row", "yes", NULL), URLPOOL_OK);
    (void)test_server_url(server, "/", url, sizeof(url));
}

static void end(void)
{
    urlpool_headers_free(headers);
    https_scene_end(&scene);
    test_server_stop(server);
}

/* ask makes a request; true when it went over a connection that was there. Whether it succeeds is
 * of no matter: the proxy or the address may be of nobody. */
static bool ask(struct urlpool_manager *manager, const struct urlpool_request_options *options)
{
    static const struct urlpool_request_options once = {.retries = TEST_ONE_TRY};
    struct urlpool_response *response =
        urlpool_request(manager, "GET", url, options != NULL ? options : &once, &test_err);
    const bool is_reused = response != NULL && response->connection_reused;

    urlpool_response_free(response);
    return is_reused;
}

static unsigned num_opened(void)
{
    return test_server_num_connections(server) + test_server_num_connections(scene.server);
}

/* check_apart holds that two managers have nothing of each other's. */
static void check_apart(const struct pair *pair)
{
    const unsigned num_before = num_opened();
    struct urlpool_manager *one = test_manager(&pair->before);
    struct urlpool_manager *other = test_manager(&pair->after);

    ck_assert_msg(!ask(one, NULL), "%s", pair->member);
    ck_assert_msg(num_opened() == num_before + 1, "%s: %s", pair->member, test_err.message);
    ck_assert_msg(!ask(other, NULL), "%s: the other's connection", pair->member);
    ck_assert_msg(ask(one, NULL), "%s: its own connection", pair->member);
    ck_assert_msg(num_opened() <= num_before + 2, "%s", pair->member);
    urlpool_manager_free(one);
    urlpool_manager_free(other);
}

static void check_pairs(void)
{
    ck_assert_uint_gt(num_pairs, 0);
    for (size_t i = 0; i < num_pairs; i++) {
        check_apart(&pairs[i]);
    }
}

static struct pair *add(const char *member)
{
    ck_assert_uint_lt(num_pairs, sizeof(pairs) / sizeof(pairs[0]));
    pairs[num_pairs].member = member;
    return &pairs[num_pairs++];
}

/* after is the row's second half, where the first is the defaults. */
static struct urlpool_manager_options *after(const char *member)
{
    return &add(member)->after;
}

static void ignore(void *user, const struct urlpool_trace_event *event)
{
    (void)user;
    (void)event;
}

static bool allow_all(void *user, const char *host, const char *address, uint16_t port)
{
    (void)user;
    (void)host;
    (void)address;
    (void)port;
    return true;
}

START_TEST(managers__with_the_same_options_share_nothing)
{
    begin();
    (void)add("nothing at all");
    check_pairs();
    end();
}
END_TEST

START_TEST(managers__that_differ_in_an_option_share_nothing)
{
    begin();
    after("urlpool_manager_options.num_pools")->num_pools = 7;
    after("urlpool_manager_options.maxsize")->maxsize = 7;
    after("urlpool_manager_options.block")->block = true;
    after("urlpool_manager_options.idle_ms")->idle_ms = 7000;
    after("urlpool_manager_options.lifetime_ms")->lifetime_ms = 7000;
    after("urlpool_manager_options.requests_max")->requests_max = 7;
    after("urlpool_manager_options.max_total")->max_total = 7;
    after("urlpool_manager_options.max_idle_total")->max_idle_total = 7;
    after("urlpool_manager_options.max_waiters")->max_waiters = 7;
    after("urlpool_manager_options.timeout")->timeout.total_ms = 7000;
    after("urlpool_manager_options.retries")->retries.total = 7;
    after("urlpool_manager_options.limits")->limits.fields_max = 77;
    after("urlpool_manager_options.tls")->tls = scene.tls;
    after("urlpool_manager_options.headers")->headers = headers;
    after("urlpool_manager_options.user_agent")->user_agent = "another";
    after("urlpool_manager_options.redirects_max")->redirects_max = 7;
    after("urlpool_manager_options.data_bytes_max")->data_bytes_max = 7000;
    after("urlpool_manager_options.trace")->trace.event = ignore;
    after("urlpool_manager_options.network")->network.allow_nagle = true;
    after("urlpool_manager_options.proxy")->proxy.url = "http://127.0.0.1:1";
    after("urlpool_manager_options.preproxy")->preproxy.url = "http://127.0.0.1:1";
    after("urlpool_manager_options.proxy_from_environment")->proxy_from_environment = true;
    after("urlpool_manager_options.upkeep_thread")->upkeep_thread = true;
    after("urlpool_manager_options.share_retry_after")->share_retry_after = true;
    after("urlpool_manager_options.ignore_dns_change")->ignore_dns_change = true;
    after("urlpool_manager_options.min_idle")->min_idle = 1;
    after("urlpool_manager_options.dial_pause_max_ms")->dial_pause_max_ms = 7;
    after("urlpool_manager_options.leak_ms")->leak_ms = 7000;
    after("urlpool_manager_options.retry_budget")->retry_budget.tokens = 7;
    check_pairs();
    end();
}
END_TEST

static const char *const answers[] = {"a.example:*:127.0.0.1", NULL};
static const char *const detours[] = {"a.example:80:127.0.0.1:81", NULL};
static const struct urlpool_socket_option socket_options[] = {
    {SOL_SOCKET,  SO_RCVBUF, 54321},
    {SOL_SOCKET,  SO_SNDBUF, 54321},
    {SOL_SOCKET,  SO_RCVBUF, 12345},
    {IPPROTO_IP,  IP_TOS,    8    },
    {IPPROTO_TCP, 6,         8    }, /* TCP_KEEPCNT, whose number SO_TYPE and IP_RECVOPTS share */
};

/* use_socket_option gives the network one option. */
static void use_socket_option(struct urlpool_manager_options *options, size_t index)
{
    options->network.socket_options = &socket_options[index];
    options->network.num_socket_options = 1;
}

static void add_socket_options(void)
{
    struct pair *pair = add("urlpool_network.num_socket_options");

    pair->before.network.socket_options = pair->after.network.socket_options = socket_options;
    pair->after.network.num_socket_options = 1;
    use_socket_option(after("urlpool_network.socket_options"), 0);
    pair = add("urlpool_socket_option.level");
    use_socket_option(&pair->before, 3);
    use_socket_option(&pair->after, 4);
    pair = add("urlpool_socket_option.name");
    use_socket_option(&pair->before, 0);
    use_socket_option(&pair->after, 1);
    pair = add("urlpool_socket_option.value");
    use_socket_option(&pair->before, 0);
    use_socket_option(&pair->after, 2);
}

START_TEST(managers__that_differ_in_a_word_about_the_network_share_nothing)
{
    int reserved = loopback_bind("127.0.0.8", 0);
    struct pair *pair;

    begin();
    after("urlpool_network.family")->network.family = URLPOOL_FAMILY_V4;
    after("urlpool_network.dns_servers")->network.dns_servers = "127.0.0.1:1";
    after("urlpool_network.answers")->network.answers = answers;
    after("urlpool_network.connect_to")->network.connect_to = detours;
    after("urlpool_network.resolve")->network.resolve = urlpool_resolver_libc;
    after("urlpool_network.resolve_user")->network.resolve_user = &num_pairs;
    after("urlpool_network.allow")->network.allow = allow_all;
    after("urlpool_network.allow_user")->network.allow_user = &num_pairs;
    after("urlpool_network.public_only")->network.public_only = true;
    after("urlpool_network.source_address")->network.source_address = "127.0.0.9";
    pair = add("urlpool_network.source_port");
    pair->before.network.source_address = pair->after.network.source_address = "127.0.0.9";
    pair->after.network.source_port = loopback_port(reserved);
    after("urlpool_network.interface_name")->network.interface_name = "lo";
    after("urlpool_network.unix_socket")->network.unix_socket = "/nonexistent/socket";
    after("urlpool_network.allow_nagle")->network.allow_nagle = true;
    after("urlpool_network.keepalive_idle_s")->network.keepalive_idle_s = 7;
    after("urlpool_network.user_timeout_ms")->network.user_timeout_ms = 7000;
    add_socket_options();
    check_pairs();
    (void)close(reserved);
    end();
}
END_TEST

/* add_proxy adds the rows of one proxy; `get` finds it in a manager's options. */
static void add_proxy(struct urlpool_proxy *(*get)(struct urlpool_manager_options *),
                      const char *http, const char *https, struct urlpool_tls *other_tls)
{
    static const char *const members[] = {"urlpool_proxy.url",      "urlpool_proxy.user",
                                          "urlpool_proxy.password", "urlpool_proxy.headers",
                                          "urlpool_proxy.tls",      "urlpool_proxy.forward_https",
                                          "urlpool_proxy.no_proxy"};
    struct urlpool_proxy *changed[sizeof(members) / sizeof(members[0])];

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        struct pair *pair = add(members[i]);
        const bool is_https = i == 4 || i == 5;

        *get(&pair->before) = (struct urlpool_proxy){.url = is_https ? https : http,
                                                     .user = "me",
                                                     .password = "one",
                                                     .tls = is_https ? scene.tls : NULL};
        pair->after = pair->before;
        changed[i] = get(&pair->after);
    }
    changed[0]->url = "http://127.0.0.1:1";
    changed[1]->user = "you";
    changed[2]->password = "two";
    changed[3]->headers = headers;
    changed[4]->tls = other_tls;
    changed[5]->forward_https = true;
    changed[6]->no_proxy = "a.example";
}

static struct urlpool_proxy *the_proxy(struct urlpool_manager_options *options)
{
    return &options->proxy;
}

static struct urlpool_proxy *the_preproxy(struct urlpool_manager_options *options)
{
    return &options->preproxy;
}

START_TEST(managers__that_differ_in_a_word_about_a_proxy_share_nothing)
{
    struct urlpool_tls *other_tls;
    char http[64], https[64];

    begin();
    other_tls =
        urlpool_tls_new(&(struct urlpool_tls_options){.insecure_no_verify = true}, &test_err);
    ck_assert_msg(other_tls != NULL, "%s", test_err.message);
    (void)test_server_url(server, "", http, sizeof(http));
    (void)test_server_url(scene.server, "", https, sizeof(https));
    add_proxy(the_proxy, http, https, other_tls);
    add_proxy(the_preproxy, http, https, other_tls);
    check_pairs();
    urlpool_tls_unref(other_tls);
    end();
}
END_TEST

/* What was said of the network is copied: no later word of the caller's changes a manager's way. */
START_TEST(manager__does_not_hear_what_becomes_of_its_options)
{
    struct urlpool_manager_options options = {0};
    struct urlpool_socket_option sockets[] = {
        {SOL_SOCKET, SO_RCVBUF, 54321}
    };
    char answer[64] = "shop.example:*:127.0.0.1", source[64] = "127.0.0.9";
    char *const changing[] = {answer, NULL};
    struct urlpool_manager *manager;

    begin();
    options.network = (struct urlpool_network){.answers = (const char *const *)changing,
                                               .source_address = source,
                                               .socket_options = sockets,
                                               .num_socket_options = 1};
    manager = test_manager(&options);
    (void)snprintf(answer, sizeof(answer), "shop.example:*:127.0.0.77");
    (void)snprintf(source, sizeof(source), "127.0.0.78");
    sockets[0].level = 12345;
    memset(&options, 0xff, sizeof(options));
    (void)snprintf(url, sizeof(url), "http://shop.example:%d/", test_server_port(server));
    for (unsigned i = 1; i <= 2; i++) {
        ck_assert(!ask(manager, NULL));
        ck_assert_uint_eq(test_server_num_connections(server), i);
        (void)urlpool_manager_close_idle(manager);
    }
    urlpool_manager_free(manager);
    end();
}
END_TEST

/* --- one manager --- */

/* check_origins asks for `first`, for `second`, and for `first` again. What is asked without TLS of
 * a port that speaks it fails, but not on somebody else's connection. */
static void check_origins(const char *what, const char *first, const char *second)
{
    const struct urlpool_manager_options options = {.tls = scene.tls};
    struct urlpool_manager *manager = test_manager(&options);
    const char *const urls[] = {first, second};

    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(url, sizeof(url), "%s", urls[i]);
        ck_assert_msg(!ask(manager, NULL), "%s: %s", what, urls[i]);
    }
    (void)snprintf(url, sizeof(url), "%s", first);
    ck_assert_msg(ask(manager, NULL), "%s: %s", what, first);
    urlpool_manager_free(manager);
}

START_TEST(origins__of_one_manager_share_nothing)
{
    struct test_server *second;
    char one[64], other[64];

    begin();
    second = test_server_start(test_answer_hello, NULL, NULL);
    (void)test_server_url(scene.server, "/", one, sizeof(one));
    (void)snprintf(other, sizeof(other), "http://127.0.0.1:%d/", test_server_port(scene.server));
    check_origins("scheme", one, other);
    (void)test_server_url(server, "/", one, sizeof(one));
    (void)snprintf(other, sizeof(other), "http://localhost:%d/", test_server_port(server));
    check_origins("host", one, other);
    (void)snprintf(other, sizeof(other), "http://localhost.:%d/", test_server_port(server));
    check_origins("dot", one, other);
    (void)snprintf(other, sizeof(other), "http://127.0.0.1:%d/", test_server_port(second));
    check_origins("port", one, other);
    test_server_stop(second);
    end();
}
END_TEST

static struct urlpool_request_options *request(const char *member, const char *method)
{
    ck_assert_uint_lt(num_rows, sizeof(rows) / sizeof(rows[0]));
    rows[num_rows].member = member;
    rows[num_rows].method = method;
    return &rows[num_rows++].options;
}

static void add_requests(struct urlpool_form *form, const struct urlpool_cancel *cancel)
{
    static char room[64];
    struct urlpool_request_options *row;

    request("urlpool_request_options.headers", "GET")->headers = headers;
    row = request("urlpool_request_options.merge_headers", "GET");
    row->headers = headers;
    row->merge_headers = true;
    request("urlpool_request_options.skip", "GET")->skip = URLPOOL_SKIP_USER_AGENT;
    request("urlpool_request_options.body", "POST")->body = urlpool_body_bytes("body", 4);
    request("urlpool_request_options.fields", "POST")->fields = form;
    row = request("urlpool_request_options.fields_urlencoded", "POST");
    row->fields = form;
    row->fields_urlencoded = true;
    request("urlpool_request_options.timeout", "GET")->timeout.total_ms = 7000;
    request("urlpool_request_options.retries", "GET")->retries.total = 7;
    request("urlpool_request_options.redirects_max", "GET")->redirects_max = 7;
    request("urlpool_request_options.return_redirects", "GET")->return_redirects = true;
    request("urlpool_request_options.allow_downgrade", "GET")->allow_downgrade = true;
    request("urlpool_request_options.redirect_schemes", "GET")->redirect_schemes =
        URLPOOL_SCHEME_HTTPS;
    request("urlpool_request_options.keep_post", "GET")->keep_post = URLPOOL_KEEP_POST_301;
    request("urlpool_request_options.stream", "GET")->stream = true;
    request("urlpool_request_options.keep_encoded", "GET")->keep_encoded = true;
    request("urlpool_request_options.data_bytes_max", "GET")->data_bytes_max = 7000;
    request("urlpool_request_options.into", "GET")->into =
        (struct urlpool_into){.buf = room, .len = sizeof(room)};
    request("urlpool_request_options.keep_partial", "GET")->keep_partial = true;
    request("urlpool_request_options.recycle", "GET");
    request("urlpool_request_options.cancel", "GET")->cancel = cancel;
    request("urlpool_request_options.trace", "GET")->trace.event = ignore;
}

START_TEST(requests__of_one_manager_share_connections_whatever_they_say)
{
    struct urlpool_form *form = urlpool_form_new(&test_err);
    struct urlpool_cancel *cancel = urlpool_cancel_new(&test_err);
    struct urlpool_manager *manager;

    begin();
    ck_assert_int_eq(urlpool_form_add(form, "a", "b", &test_err), URLPOOL_OK);
    add_requests(form, cancel);
    manager = test_manager(NULL);
    ck_assert(!ask(manager, NULL));
    for (size_t i = 0; i < num_rows; i++) {
        struct urlpool_response *response;

        if (strcmp(rows[i].member, "urlpool_request_options.recycle") == 0) {
            rows[i].options.recycle = urlpool_request(manager, "GET", url, NULL, &test_err);
        }
        response = urlpool_request(manager, rows[i].method, url, &rows[i].options, &test_err);
        ck_assert_msg(response != NULL, "%s: %s", rows[i].member, test_err.message);
        ck_assert_msg(response->connection_reused, "%s", rows[i].member);
        urlpool_response_free(response);
    }
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    urlpool_manager_free(manager);
    urlpool_cancel_free(cancel);
    urlpool_form_free(form);
    end();
}
END_TEST

RUN_TESTS("pool key", managers__with_the_same_options_share_nothing,
          managers__that_differ_in_an_option_share_nothing,
          managers__that_differ_in_a_word_about_the_network_share_nothing,
          managers__that_differ_in_a_word_about_a_proxy_share_nothing,
          manager__does_not_hear_what_becomes_of_its_options, origins__of_one_manager_share_nothing,
          requests__of_one_manager_share_connections_whatever_they_say)
