/* What a sink is told of a request on a long way: every kind of event, with its text and its
 * number, in the order in which things happen. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/dns_server.h"
#include "support/https_scene.h"
#include "support/loopback.h"
#include "support/proxy_server.h"
#include "support/requests.h"
#include "support/run_tests.h"

enum {
    TOLD_BYTES = 16384,
    LEAST_HEAD = 40
};

#define TLS_1_3 "TLSv1.3 TLS_"

static const char *const kind_names[] = {
    [URLPOOL_TRACE_LEASED] = "LEASED",
    [URLPOOL_TRACE_RESOLVED] = "RESOLVED",
    [URLPOOL_TRACE_CONNECTED] = "CONNECTED",
    [URLPOOL_TRACE_TUNNELLED] = "TUNNELLED",
    [URLPOOL_TRACE_SECURED] = "SECURED",
    [URLPOOL_TRACE_REQUEST_HEAD] = "REQUEST_HEAD",
    [URLPOOL_TRACE_REQUEST_SENT] = "REQUEST_SENT",
    [URLPOOL_TRACE_FIRST_BYTE] = "FIRST_BYTE",
    [URLPOOL_TRACE_INTERIM_HEAD] = "INTERIM_HEAD",
    [URLPOOL_TRACE_RESPONSE_HEAD] = "RESPONSE_HEAD",
    [URLPOOL_TRACE_BODY_END] = "BODY_END",
    [URLPOOL_TRACE_RETRY] = "RETRY",
    [URLPOOL_TRACE_REDIRECT] = "REDIRECT",
    [URLPOOL_TRACE_CLOSED] = "CLOSED",
    [URLPOOL_TRACE_INSECURE] = "INSECURE",
};

/* What a sink has been told, a line an event: "RETRY(2) status 503". Ports of the test's own are
 * words, and a head's lines end in "|". */
struct told {
    char text[TOLD_BYTES];
    size_t len;
    int64_t last_ns;
    pthread_t thread;
    uint64_t kinds; /* 1 << kind */
    struct {
        unsigned port;
        const char *word;
    } ports[4];
};

static void add(struct told *told, const char *text, size_t len)
{
    ck_assert_uint_lt(told->len + len, TOLD_BYTES);
    memcpy(told->text + told->len, text, len);
    told->len += len;
    told->text[told->len] = '\0';
}

/* add_plainly adds a text with its line ends and ports made plain. */
static void add_plainly(struct told *told, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bool is_port = false;

        for (size_t j = 0; j < 4 && text[i] == ':' && !is_port; j++) {
            char digits[16];
            int num = snprintf(digits, sizeof(digits), ":%u", told->ports[j].port);

            is_port = told->ports[j].word != NULL && len - i >= (size_t)num &&
                      memcmp(text + i, digits, (size_t)num) == 0;
            if (is_port) {
                add(told, ":", 1);
                add(told, told->ports[j].word, strlen(told->ports[j].word));
                i += (size_t)num - 1;
            }
        }
        if (!is_port && text[i] != '\r') {
            add(told, text[i] == '\n' ? "|" : text + i, 1);
        }
    }
}

static void note(void *user, const struct urlpool_trace_event *event)
{
    struct told *told = user;
    char number[24];
    char line[64];
    int num;

    ck_assert_int_ge(event->kind, URLPOOL_TRACE_LEASED);
    ck_assert_uint_lt(event->kind, sizeof(kind_names) / sizeof(kind_names[0]));
    ck_assert_int_ge(event->at_ns, told->last_ns);
    ck_assert(pthread_equal(pthread_self(), told->thread));
    ck_assert_int_eq(event->code, event->kind == URLPOOL_TRACE_RETRY ? (int)event->number : 0);
    told->last_ns = event->at_ns;
    told->kinds |= UINT64_C(1) << event->kind;
    (void)snprintf(number, sizeof(number), "%lld", (long long)event->number);
    if (event->kind == URLPOOL_TRACE_REQUEST_SENT) {
        ck_assert_int_ge(event->number, LEAST_HEAD);
        (void)snprintf(number, sizeof(number), "N"); /* as long as what this build accepts */
    }
    num = snprintf(line, sizeof(line), "%s(%s)%s", kind_names[event->kind], number,
                   event->text_len > 0 ? " " : "");
    add(told, line, (size_t)num);
    if (event->kind == URLPOOL_TRACE_SECURED) {
        ck_assert_uint_gt(event->text_len, strlen(TLS_1_3));
        ck_assert_mem_eq(event->text, TLS_1_3, strlen(TLS_1_3));
        add(told, "TLSv1.3 CIPHER", 14); /* which one is the machine's choice */
    } else {
        add_plainly(told, event->text, event->text_len);
    }
    add(told, "\n", 1);
}

/* every_kind is all the kinds there are of a request, as `kinds` counts them; LEAK is the
 * manager's.
 */
static uint64_t every_kind(void)
{
    uint64_t all = 0;

    for (size_t i = URLPOOL_TRACE_LEASED; i < URLPOOL_TRACE_LEAK; i++) {
        ck_assert_ptr_nonnull(kind_names[i]);
        all |= UINT64_C(1) << i;
    }
    return all;
}

/* expect_told compares with the lines of `parts`, up to NULL: a failure shows the first that
 * differs.
 */
static void expect_told(const struct told *told, const char *const *parts)
{
    struct told wanted = {0};
    const char *text = told->text;
    const char *expected = wanted.text;

    for (; *parts != NULL; parts++) {
        add(&wanted, *parts, strlen(*parts));
    }
    while (*text != '\0' || *expected != '\0') {
        size_t len = strcspn(text, "\n");
        size_t expected_len = strcspn(expected, "\n");

        ck_assert_msg(len == expected_len && memcmp(text, expected, len) == 0,
                      "\n%.*s\nand not\n%.*s", (int)len, text, (int)expected_len, expected);
        text += len + (text[len] == '\n');
        expected += len + (expected[len] == '\n');
    }
}

static struct told *told_new(void)
{
    struct told *told = calloc(1, sizeof(*told));

    ck_assert_ptr_nonnull(told);
    told->thread = pthread_self();
    return told;
}

/* The origin: an interim response and a redirect; then a 503; a cut; and an answer that closes. */
static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    unsigned *num = user;

    (void)request;
    switch (++*num) {
    case 1:
        test_peer_send_text(peer, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
        test_peer_reply(peer, 302, "Set-Cookie: hush\r\nLocation: /there#me\r\n", "moved");
        return;
    case 2:
        test_peer_reply(peer, 503, "Retry-After: 0\r\n", "");
        return;
    case 3:
        test_peer_cut(peer);
        return;
    default:
        test_peer_reply(peer, 200, "Connection: close\r\n", "hello");
        test_peer_close(peer);
    }
}

/* What is told of a request once it has a connection. */
#define REQUEST(target)                                                       \
    "REQUEST_HEAD(0) GET " target                                             \
    " HTTP/1.1|Host: 127.0.0.1:ORIGIN|Accept-Encoding: " TEST_ACCEPT_ENCODING \
    "|User-Agent: tracer|Authorization: ***||\n"                              \
    "REQUEST_SENT(N) 127.0.0.1:PROXY\n"

/* What is told of a dial through the proxy to the origin. */
#define DIAL                                                                    \
    "LEASED(0) https://127.0.0.1:ORIGIN\n"                                      \
    "RESOLVED(1) proxy.example\n"                                               \
    "CONNECTED(0) 127.0.0.1:PROXY\n"                                            \
    "REQUEST_HEAD(0) CONNECT 127.0.0.1:ORIGIN HTTP/1.1|Host: 127.0.0.1:ORIGIN|" \
    "Proxy-Authorization: ***||\n"                                              \
    "REQUEST_SENT(N) 127.0.0.1:PROXY\n"                                         \
    "FIRST_BYTE(0)\n"                                                           \
    "RESPONSE_HEAD(200) HTTP/1.1 200 Connection established|X-Exit: here||\n"   \
    "TUNNELLED(200) 127.0.0.1:ORIGIN\n"                                         \
    "INSECURE(0) the certificate of 127.0.0.1 was not verified\n"               \
    "SECURED(0) TLSv1.3 CIPHER\n"

static const char *const long_way[] = {
    DIAL,
    REQUEST("/here"),
    "FIRST_BYTE(0)\n",
    "INTERIM_HEAD(103) HTTP/1.1 103 Early Hints|Link: </a>||\n",
    "RESPONSE_HEAD(302) HTTP/1.1 302 Because|Content-Length: 5|Set-Cookie: ***|",
    "Location: /there#me||\n",
    "BODY_END(5)\n",
    "REDIRECT(302) https://127.0.0.1:ORIGIN/there#me\n",
    "LEASED(1) https://127.0.0.1:ORIGIN\n",
    REQUEST("/there"),
    "FIRST_BYTE(0)\n",
    "RESPONSE_HEAD(503) HTTP/1.1 503 Because|Content-Length: 0|Retry-After: 0||\n",
    "BODY_END(0)\n",
    "RETRY(0) status 503\n",
    "LEASED(1) https://127.0.0.1:ORIGIN\n",
    REQUEST("/there"),
    "RETRY(101) connection closed by the peer before a response\n",
    "CLOSED(0) stale\n",
    DIAL,
    REQUEST("/there"),
    "FIRST_BYTE(0)\n",
    "RESPONSE_HEAD(200) HTTP/1.1 200 Because|Content-Length: 5|Connection: close||\n",
    "BODY_END(5)\n",
    "CLOSED(0) not reusable\n",
    NULL};

START_TEST(trace__tells_of_a_long_way_in_order)
{
    struct told *told = told_new();
    unsigned num_answers = 0;
    const struct urlpool_tls_options anybody = {.insecure_no_verify = true};
    struct https_scene scene = https_scene_begin(answer, &num_answers, NULL);
    struct proxy_server *proxy = proxy_server_start(&(struct proxy_server_options){0});
    struct dns_server *dns = dns_server_start();
    struct urlpool_tls *tls = urlpool_tls_new(&anybody, &test_err);
    char proxy_url[64];
    char url[64];
    struct urlpool_manager_options options = {
        .tls = tls,
        .user_agent = "tracer",
        .proxy = {.url = proxy_url},
        .network = {             .dns_servers = dns_server_address(dns)               },
        .trace = { .event = note,                .user = told},
    };
    struct urlpool_manager *manager;
    struct urlpool_response *response;

    dns_server_add(dns, "proxy.example", DNS_A, 60, "127.0.0.1");
    (void)snprintf(proxy_url, sizeof(proxy_url), "http://me:hush@proxy.example:%u",
                   proxy_server_port(proxy));
    (void)snprintf(url, sizeof(url), "https://me:hush@127.0.0.1:%d/here",
                   test_server_port(scene.server));
    told->ports[0].port = (unsigned)test_server_port(scene.server);
    told->ports[0].word = "ORIGIN";
    told->ports[1].port = proxy_server_port(proxy);
    told->ports[1].word = "PROXY";
    manager = test_manager(&options);
    response = urlpool_request(manager, "GET", url, NULL, &test_err);
    ck_assert_msg(response != NULL, "%s\n%s", test_err.message, told->text);
    ck_assert_int_eq(response->status, 200);
    urlpool_response_free(response);
    expect_told(told, long_way);
    ck_assert_uint_eq(told->kinds, every_kind());
    ck_assert_ptr_null(strstr(told->text, "hush"));
    urlpool_manager_free(manager);
    urlpool_tls_unref(tls);
    dns_server_stop(dns);
    proxy_server_stop(proxy);
    https_scene_end(&scene);
    free(told);
}
END_TEST

/* Cuts the first connection, and answers on the next. */
static void cut_first(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    if (request->connection == 1) {
        test_peer_cut(peer);
        return;
    }
    test_peer_reply(peer, 200, NULL, "hello");
}

START_TEST(trace__tells_of_a_dead_connection_before_another_try)
{
    static const char head[] = "REQUEST_HEAD(0) GET / HTTP/1.1|Host: 127.0.0.1:ORIGIN|"
                               "Accept-Encoding: " TEST_ACCEPT_ENCODING "||\n"
                               "REQUEST_SENT(N) 127.0.0.1:ORIGIN\n";
    static const char dial[] = "LEASED(0) http://127.0.0.1:ORIGIN\n"
                               "CONNECTED(0) 127.0.0.1:ORIGIN\n";
    static const char *const expected[] = {
        dial,
        head,
        "CLOSED(0) error\n",
        "RETRY(101) connection closed by the peer before a response\n",
        dial,
        head,
        "FIRST_BYTE(0)\n",
        "RESPONSE_HEAD(200) HTTP/1.1 200 Because|Content-Length: 5||\n",
        "BODY_END(5)\n",
        NULL};
    struct told *told = told_new();
    struct test_server *server = test_server_start(cut_first, NULL, NULL);
    const struct urlpool_manager_options options = {
        .user_agent = "", .trace = {.event = note, .user = told}
    };
    struct urlpool_manager *manager = test_manager(&options);

    told->ports[0].port = (unsigned)test_server_port(server);
    told->ports[0].word = "ORIGIN";
    test_get(manager, server);
    expect_told(told, expected);
    urlpool_manager_free(manager);
    test_server_stop(server);
    free(told);
}
END_TEST

/* Redirects to nowhere; answers with something nobody asked for behind it. */
static void answer_oddly(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    if (strcmp(request->target, "/refused") == 0) {
        test_peer_reply(peer, 302, "Location: //me:hush@127.0.0.1/\r\n", "");
        return;
    }
    test_peer_reply(peer, 200, NULL, request->body_len > 0 ? "" : "hello");
}

START_TEST(trace__masks_userinfo_of_a_redirect_that_is_refused)
{
    struct told *told = told_new();
    struct test_server *server = test_server_start(answer_oddly, NULL, NULL);
    const struct urlpool_request_options options = {
        .trace = {.event = note, .user = told}
    };
    struct urlpool_manager *manager = test_manager(NULL);

    ck_assert_int_eq(test_fetch_fails(manager, "GET", server, "/refused", &options),
                     URLPOOL_E_REDIRECT);
    ck_assert_ptr_nonnull(strstr(told->text, "Location: //***@127.0.0.1/|"));
    ck_assert_ptr_null(strstr(told->text, "hush"));
    urlpool_manager_free(manager);
    test_server_stop(server);
    free(told);
}
END_TEST

/* note_sent keeps the number of REQUEST_SENT. */
static void note_sent(void *user, const struct urlpool_trace_event *event)
{
    if (event->kind == URLPOOL_TRACE_REQUEST_SENT) {
        *(int64_t *)user = event->number;
    }
}

START_TEST(trace__counts_the_bytes_of_head_and_body)
{
    int64_t sent = 0;
    struct test_server *server = test_server_start(answer_oddly, NULL, NULL);
    const struct urlpool_request_options options = {
        .trace = {.event = note_sent, .user = &sent},
        .body = urlpool_body_bytes("twelve bytes", 12)
    };
    struct urlpool_manager *manager = test_manager(NULL);
    char *head;

    urlpool_response_free(test_fetch(manager, "PUT", server, "/", &options));
    head = test_server_last_head(server);
    ck_assert_int_eq(sent, (int64_t)strlen(head) + 12);
    free(head);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

/* note_reply keeps what TUNNELLED says. */
static void note_reply(void *user, const struct urlpool_trace_event *event)
{
    if (event->kind == URLPOOL_TRACE_TUNNELLED) {
        (void)snprintf(user, 64, "%.*s %lld", (int)event->text_len, event->text,
                       (long long)event->number);
    }
}

/* Proxies, what they say, and what is told of it. */
static const struct {
    const char *scheme;
    int refuses_with;
    int told;
} replies[] = {
    {"http",    0,   200},
    {"http",    403, 403},
    {"socks4",  0,   90 },
    {"socks4",  91,  91 },
    {"socks5h", 0,   0  },
    {"socks5h", 2,   2  },
};

START_TEST(trace__tells_what_a_proxy_has_answered)
{
    const int listener = loopback_listen("127.0.0.1", 0);
    const struct proxy_server_options says = {.refuses_with = replies[_i].refuses_with,
                                              .manner = PROXY_DIES};
    struct proxy_server *proxy = proxy_server_start(&says);
    char told[64] = "";
    char expected[64];
    char proxy_url[64];
    char url[64];
    const struct urlpool_manager_options options = {
        .proxy = {.url = proxy_url},
        .retries = TEST_ONE_TRY,
        .trace = { .event = note_reply,    .user = told}
    };
    struct urlpool_manager *manager;

    (void)snprintf(proxy_url, sizeof(proxy_url), "%s://127.0.0.1:%u", replies[_i].scheme,
                   proxy_server_port(proxy));
    (void)snprintf(url, sizeof(url), "https://192.0.2.1:%u/", loopback_port(listener));
    (void)snprintf(expected, sizeof(expected), "192.0.2.1:%u %d", loopback_port(listener),
                   replies[_i].told);
    manager = test_manager(&options);
    ck_assert_ptr_null(urlpool_request(manager, "GET", url, NULL, &test_err));
    ck_assert_str_eq(told, expected);
    urlpool_manager_free(manager);
    (void)close(listener);
    proxy_server_stop(proxy);
}
END_TEST

RUN_LOOPS("trace", TEST_ONCE(trace__tells_of_a_long_way_in_order),
          TEST_ONCE(trace__tells_of_a_dead_connection_before_another_try),
          TEST_ONCE(trace__masks_userinfo_of_a_redirect_that_is_refused),
          TEST_ONCE(trace__counts_the_bytes_of_head_and_body),
          TEST_ROWS(trace__tells_what_a_proxy_has_answered, replies))
