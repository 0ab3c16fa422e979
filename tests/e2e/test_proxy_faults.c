/* What can go wrong with a proxy, of each kind: the failure has its code and phase, and one
 * sentence, comes within its deadline, and neither it nor the trace tells who we are. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/count_of.h"
#include "support/https_scene.h"
#include "support/loopback.h"
#include "support/proxy_server.h"
#include "support/requests.h"
#include "support/run_tests.h"

enum {
    LIMIT_MS = 600,
    SLACK_MS = 6000 /* of a busy machine */
};

/* Kinds of proxies, by the beginning of their URL. */
static const struct kind {
    const char *scheme;
    bool is_tls, is_http;
} kinds[] = {
    {"http",    false, true },
    {"https",   true,  true },
    {"socks4",  false, false},
    {"socks4a", false, false},
    {"socks5",  false, false},
    {"socks5h", false, false},
};

static struct https_scene scene;
static struct test_server *plain;
static struct proxy_server *proxy;
static struct urlpool_manager *manager;
static char url[128];
static char told[16384];

static void listen_to(void *user, const struct urlpool_trace_event *event)
{
    const size_t len = strlen(told);

    (void)user;
    (void)snprintf(told + len, sizeof(told) - len, "%.*s\n", (int)event->text_len, event->text);
}

/* answer_in_pieces says how long its body is, and gives half of it. */
static void answer_in_pieces(struct test_peer *peer, const struct test_request *request, void *user)
{
    if (strcmp(request->target, "/half") != 0) {
        test_answer_hello(peer, request, user);
        return;
    }
    test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
    test_peer_stay(peer);
}

/* start_manager makes one that goes through whoever listens on `port`. */
static void start_manager(const char *scheme, uint16_t port)
{
    struct urlpool_manager_options options = {.tls = scene.tls,
                                              .retries = TEST_ONE_TRY,
                                              .proxy.tls =
                                                  strcmp(scheme, "https") == 0 ? scene.tls : NULL,
                                              .timeout.total_ms = 20000,
                                              .trace.event = listen_to};
    char proxy_url[128];

    (void)snprintf(proxy_url, sizeof(proxy_url), "%s://me%s@127.0.0.1:%u", scheme,
                   strncmp(scheme, "socks4", 6) == 0 ? "secret" : ":secret", (unsigned)port);
    options.proxy.url = proxy_url;
    told[0] = '\0';
    manager = test_manager(&options);
}

static void begin(const struct kind *kind, struct proxy_server_options options)
{
    scene = https_scene_begin(answer_in_pieces, NULL, NULL);
    plain = test_server_start(answer_in_pieces, NULL, NULL);
    options.tls = kind->is_tls ? scene.context : NULL;
    proxy = proxy_server_start(&options);
    start_manager(kind->scheme, proxy_server_port(proxy));
    (void)test_server_url(scene.server, "/", url, sizeof(url));
}

static void end(void)
{
    urlpool_manager_free(manager);
    proxy_server_stop(proxy);
    proxy = NULL;
    test_server_stop(plain);
    https_scene_end(&scene);
}

/* check_discretion holds the sentence of test_err to what all sentences are held to. */
static void check_discretion(void)
{
    const size_t len = strlen(test_err.message);

    ck_assert_uint_gt(len, 0);
    ck_assert_msg(strchr(test_err.message, '\n') == NULL && test_err.message[len - 1] != '.' &&
                      strstr(test_err.message, "failed to") == NULL,
                  "%s", test_err.message);
    ck_assert_msg(strstr(test_err.message, "secret") == NULL &&
                      strstr(test_err.message, "bWU6c2VjcmV0") == NULL,
                  "%s", test_err.message);
    ck_assert_msg(strstr(told, "secret") == NULL && strstr(told, "bWU6c2VjcmV0") == NULL, "%s",
                  told);
}

/* check_fails_somehow asks for `url` in vain, and returns how long that took. */
static int64_t check_fails_somehow(const struct urlpool_timeout *timeout)
{
    const struct urlpool_request_options options = {
        .timeout = timeout != NULL ? *timeout : (struct urlpool_timeout){0}};
    const int64_t begun_ns = urlp_now_ns();
    struct urlpool_response *response = urlpool_request(manager, "GET", url, &options, &test_err);
    const int64_t took_ms = (urlp_now_ns() - begun_ns) / URLP_NS_PER_MS;

    ck_assert_msg(response == NULL, "%d", response != NULL ? response->status : 0);
    ck_assert_int_lt(took_ms, (timeout != NULL ? LIMIT_MS : 0) + SLACK_MS);
    check_discretion();
    return took_ms;
}

static void check_fails(enum urlpool_code code, enum urlpool_phase phase,
                        const struct urlpool_timeout *timeout)
{
    const int64_t took_ms = check_fails_somehow(timeout);

    ck_assert(timeout == NULL || took_ms >= LIMIT_MS);
    ck_assert_msg(test_err.code == code && test_err.phase == phase, "%s in %s: %s",
                  urlpool_code_name(test_err.code), urlpool_phase_name(test_err.phase),
                  test_err.message);
    ck_assert(!test_err.maybe_processed);
}

START_TEST(proxy__that_babbles_or_breaks_off_is_the_proxys_failure)
{
    static const struct {
        enum proxy_manner manner;
        unsigned classes; /* of the cause; 0: any */
    } rows[] = {
        {PROXY_GARBLES, URLPOOL_CLASS_PROTOCOL},
        {PROXY_CLOSES,  0                     },
        {PROXY_RESETS,  0                     },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        begin(&kinds[_i], (struct proxy_server_options){.manner = rows[i].manner});
        check_fails(URLPOOL_E_PROXY, URLPOOL_PHASE_PROXY, NULL);
        ck_assert_int_ne(test_err.cause, URLPOOL_OK);
        ck_assert(urlpool_error_is(&test_err, URLPOOL_CLASS_CONNECT));
        ck_assert_msg(rows[i].classes == 0 || urlpool_code_is(test_err.cause, rows[i].classes),
                      "%s", urlpool_code_name(test_err.cause));
        end();
    }
}
END_TEST

START_TEST(proxy__that_says_nothing_is_left_in_time)
{
    const bool is_tls = kinds[_i].is_tls;

    begin(&kinds[_i], (struct proxy_server_options){.manner = PROXY_STALLS});
    check_fails(is_tls ? URLPOOL_E_PROXY : URLPOOL_E_CONNECT_TIMEOUT, URLPOOL_PHASE_PROXY,
                &(struct urlpool_timeout){.connect_ms = LIMIT_MS});
    ck_assert(urlpool_error_is(&test_err, URLPOOL_CLASS_TIMEOUT));
    check_fails(URLPOOL_E_TOTAL_TIMEOUT, URLPOOL_PHASE_PROXY,
                &(struct urlpool_timeout){.total_ms = LIMIT_MS});
    end();
}
END_TEST

START_TEST(proxy__in_a_black_hole_is_left_in_time)
{
    struct loopback_hole hole;
    uint16_t port;

    begin(&kinds[_i], (struct proxy_server_options){0});
    urlpool_manager_free(manager);
    hole = loopback_hole_open("127.0.0.1", 0);
    port = loopback_port(hole.listener);
    start_manager(kinds[_i].scheme, port);
    check_fails(URLPOOL_E_PROXY, URLPOOL_PHASE_PROXY,
                &(struct urlpool_timeout){.connect_ms = LIMIT_MS});
    ck_assert_int_eq(test_err.cause, URLPOOL_E_CONNECT_TIMEOUT);
    loopback_hole_close(&hole);
    end();
}
END_TEST

START_TEST(proxy__that_dies_in_the_handshake_behind_it_ends_that)
{
    begin(&kinds[_i], (struct proxy_server_options){.manner = PROXY_DIES});
    (void)check_fails_somehow(NULL);
    /* What it had not read when it closed is a reset to us. */
    ck_assert_msg(test_err.code == URLPOOL_E_TLS || test_err.code == URLPOOL_E_RESET, "%s",
                  test_err.message);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_TLS);
    ck_assert(!test_err.maybe_processed);
    end();
}
END_TEST

START_TEST(proxy__that_dies_in_the_body_ends_that)
{
    const struct urlpool_request_options stream = {.stream = true};
    struct urlpool_response *response;
    const int64_t begun_ns = urlp_now_ns();
    enum urlpool_code code;
    char data[16] = "";
    size_t len = 0;

    begin(&kinds[_i], (struct proxy_server_options){0});
    (void)test_server_url(scene.server, "/half", url, sizeof(url));
    response = urlpool_request(manager, "GET", url, &stream, &test_err);
    ck_assert_msg(response != NULL, "%s", test_err.message);
    ck_assert_int_eq(urlpool_response_read(response, data, sizeof(data), &len, &test_err),
                     URLPOOL_OK);
    ck_assert_str_eq(data, "half");
    proxy_server_stop(proxy);
    proxy = NULL;
    code = urlpool_response_read(response, data, sizeof(data), &len, &test_err);
    ck_assert_msg(code == URLPOOL_E_INCOMPLETE_READ || code == URLPOOL_E_RESET, "%s: %s",
                  urlpool_code_name(code), test_err.message);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_BODY);
    ck_assert(urlpool_code_is(code, URLPOOL_CLASS_PROTOCOL));
    ck_assert_int_lt((urlp_now_ns() - begun_ns) / URLP_NS_PER_MS, SLACK_MS);
    check_discretion();
    urlpool_response_free(response);
    end();
}
END_TEST

START_TEST(proxy__that_asks_who_and_closes_has_said_407)
{
    static const char *const answers[] = {
        "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"r\"\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"r\"\r\nContent-Length: 9\r\n\r\nno",
        "HTTP/1.0 407 Who\r\nProxy-Authenticate: Basic realm=\"r\"\r\n\r\nnobody knows you",
    };

    for (size_t i = 0; kinds[_i].is_http && i < COUNT_OF(answers); i++) {
        begin(&kinds[_i], (struct proxy_server_options){.answer = answers[i]});
        check_fails(URLPOOL_E_PROXY, URLPOOL_PHASE_PROXY, NULL);
        ck_assert_int_eq(test_err.http_status, 407);
        ck_assert_int_eq(test_err.cause, URLPOOL_OK);
        ck_assert_ptr_nonnull(strstr(test_err.message, "Basic realm=\"r\""));
        end();
    }
}
END_TEST

/* RFC 9110 section 9.3.6: a client MUST ignore these in a 2xx answer to CONNECT. */
START_TEST(proxy__that_announces_a_body_with_its_yes_has_none)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 204 Go\r\n\r\n",
    };

    for (size_t i = 0; kinds[_i].is_http && i < COUNT_OF(answers); i++) {
        begin(&kinds[_i], (struct proxy_server_options){.answer = answers[i]});
        for (unsigned num = 0; num < 2; num++) {
            struct urlpool_response *response =
                urlpool_request(manager, "GET", url, NULL, &test_err);

            ck_assert_msg(response != NULL, "%s", test_err.message);
            ck_assert_str_eq((const char *)response->data, "hello");
            ck_assert(response->connection_reused == (num > 0));
            urlpool_response_free(response);
        }
        end();
    }
}
END_TEST

/* TLS where there is none, and none where there is. The other side may wait for the rest of what it
 * takes for its own protocol: then it is the deadline that ends it. */
START_TEST(proxy__spoken_to_in_the_wrong_way_is_the_proxys_failure)
{
    const struct kind other = {.scheme = kinds[_i].scheme, .is_tls = !kinds[_i].is_tls};

    begin(&other, (struct proxy_server_options){0});
    (void)check_fails_somehow(&(struct urlpool_timeout){.connect_ms = LIMIT_MS});
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_PROXY);
    ck_assert_msg(test_err.code == URLPOOL_E_PROXY || test_err.code == URLPOOL_E_CONNECT_TIMEOUT,
                  "%s", test_err.message);
    ck_assert(!test_err.maybe_processed);
    end();
}
END_TEST

START_TEST(origin__spoken_to_in_the_wrong_way_behind_a_proxy_is_its_own_failure)
{
    begin(&kinds[_i], (struct proxy_server_options){0});
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%d/", test_server_port(plain));
    /* The server reads on: it waits for a whole head, which it never gets. */
    check_fails(URLPOOL_E_CONNECT_TIMEOUT, URLPOOL_PHASE_TLS,
                &(struct urlpool_timeout){.connect_ms = LIMIT_MS});
    if (!kinds[_i].is_http) { /* which would be given the request itself */
        (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", test_server_port(scene.server));
        (void)check_fails_somehow(NULL);
        ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_HEAD);
        ck_assert(urlpool_error_is(&test_err, URLPOOL_CLASS_PROTOCOL));
    }
    end();
}
END_TEST

RUN_LOOPS("proxy faults", TEST_ROWS(proxy__that_babbles_or_breaks_off_is_the_proxys_failure, kinds),
          TEST_ROWS(proxy__that_says_nothing_is_left_in_time, kinds),
          TEST_ROWS(proxy__in_a_black_hole_is_left_in_time, kinds),
          TEST_ROWS(proxy__that_dies_in_the_handshake_behind_it_ends_that, kinds),
          TEST_ROWS(proxy__that_dies_in_the_body_ends_that, kinds),
          TEST_ROWS(proxy__that_asks_who_and_closes_has_said_407, kinds),
          TEST_ROWS(proxy__that_announces_a_body_with_its_yes_has_none, kinds),
          TEST_ROWS(proxy__spoken_to_in_the_wrong_way_is_the_proxys_failure, kinds),
          TEST_ROWS(origin__spoken_to_in_the_wrong_way_behind_a_proxy_is_its_own_failure, kinds))
