/* Peers that say one byte each 50 ms, in every part of what they say: no gap is long, so that
 * read_ms never ends it; the total does, or, before there is a connection, connect_ms. All cases
 * are asked at once, each in a thread of its own. */

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "support/count_of.h"
#include "support/dns_server.h"
#include "support/flood_scene.h"
#include "support/requests.h"
#include "support/run_tests.h"
#include "support/tls_client.h"

enum {
    GAP_MS = 50,
    READ_MS = 1500, /* thirty gaps: longer than any, on a busy machine too */
    TOTAL_MS = 700, /* of what has no end before it */
    SLACK_MS = 6000,
    HEAD_ROOM = 8192,
    NUM_BYTES = 36, /* of what comes to its end: more than READ_MS of them */
    WHOLE_MS = 20000
};

/* What the peer speaks before it speaks HTTP, or instead. */
enum speech {
    SPEECH_HTTP,
    SPEECH_CONNECT, /* a proxy */
    SPEECH_SOCKS,
    SPEECH_TLS /* a handshake */
};

/* struct slow is what is said: `before` at once, `text` a byte at a time and over and over. */
struct slow {
    const char *name;
    enum speech speech;
    const char *scheme; /* of the proxy, or NULL */
    const char *before;
    size_t before_len; /* 0: a string */
    const char *text;
    size_t text_len;          /* 0: a string */
    enum urlpool_phase phase; /* in which the total ends it */
};

#define OK          "HTTP/1.1 200 OK\r\n"
#define CHUNKED     OK "Transfer-Encoding: chunked\r\n\r\n"
#define TEXT(text)  (text), 0
#define BYTES(text) (text), sizeof(text) - 1

static const struct slow slow[] = {
  /* clang-format off */
    {"status line", SPEECH_HTTP, NULL, TEXT("HTTP/1.1 200 "), TEXT("o"), URLPOOL_PHASE_HEAD},
    {"beginning of a status line", SPEECH_HTTP, NULL, TEXT(""), TEXT("HTTP/1.1 200 long"),
     URLPOOL_PHASE_HEAD},
    {"field name", SPEECH_HTTP, NULL, TEXT(OK), TEXT("n"), URLPOOL_PHASE_HEAD},
    {"field value", SPEECH_HTTP, NULL, TEXT(OK "A: "), TEXT("v"), URLPOOL_PHASE_HEAD},
    {"fields", SPEECH_HTTP, NULL, TEXT(OK), TEXT("A:\n"), URLPOOL_PHASE_HEAD},
    {"folds", SPEECH_HTTP, NULL, TEXT(OK "A: b\r\n"), TEXT(" \n"), URLPOOL_PHASE_HEAD},
    {"interims", SPEECH_HTTP, NULL, TEXT("HTTP/1.1 100 Continue\r\n\r\n"),
     TEXT("HTTP/1.1 103 Early Hints\r\n\r\n"), URLPOOL_PHASE_HEAD},
    {"body of a length", SPEECH_HTTP, NULL, TEXT(OK "Content-Length: 1000000\r\n\r\n"), TEXT("b"),
     URLPOOL_PHASE_BODY},
    {"body to the end", SPEECH_HTTP, NULL, TEXT(OK "\r\n"), TEXT("b"), URLPOOL_PHASE_BODY},
    {"chunk size", SPEECH_HTTP, NULL, TEXT(CHUNKED), TEXT("000000000000000f"), URLPOOL_PHASE_BODY},
    {"chunk extension", SPEECH_HTTP, NULL, TEXT(CHUNKED "5;a="), TEXT("e"), URLPOOL_PHASE_BODY},
    {"chunk's data", SPEECH_HTTP, NULL, TEXT(CHUNKED "1000\r\n"), TEXT("d"), URLPOOL_PHASE_BODY},
    {"chunks", SPEECH_HTTP, NULL, TEXT(CHUNKED), TEXT("1\r\nx\r\n"), URLPOOL_PHASE_BODY},
    {"trailers", SPEECH_HTTP, NULL, TEXT(CHUNKED "0\r\n"), TEXT("T: u\r\n"), URLPOOL_PHASE_BODY},
    {"trailer's value", SPEECH_HTTP, NULL, TEXT(CHUNKED "0\r\nT: "), TEXT("u"), URLPOOL_PHASE_BODY},
    {"gzip's name", SPEECH_HTTP, NULL,
     BYTES(OK "Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x08\0\0\0\0\0\3"), TEXT("n"),
     URLPOOL_PHASE_BODY},
    {"CONNECT, status line", SPEECH_CONNECT, "http", TEXT("HTTP/1.1 200 "), TEXT("o"),
     URLPOOL_PHASE_PROXY},
    {"CONNECT, fields", SPEECH_CONNECT, "http", TEXT(OK), TEXT("A:\n"), URLPOOL_PHASE_PROXY},
    {"CONNECT, interims", SPEECH_CONNECT, "http", TEXT(""), TEXT("HTTP/1.1 100 On\r\n\r\n"),
     URLPOOL_PHASE_PROXY},
    {"TLS behind CONNECT", SPEECH_CONNECT, "http", TEXT(OK "\r\n"), BYTES("\x16\3\3\x40\0\2\0\x3f\xfc"),
     URLPOOL_PHASE_TLS},
    {"SOCKS5, bound name", SPEECH_SOCKS, "socks5h", BYTES("\5\0\0\3\xff"), TEXT("n"),
     URLPOOL_PHASE_PROXY},
    {"TLS, handshake", SPEECH_TLS, NULL, BYTES("\x16\3\3\x40\0\2\0\x3f\xfc\3\3"), BYTES("\0"),
     URLPOOL_PHASE_TLS},
    {"TLS, head of a record", SPEECH_TLS, NULL, BYTES(""), BYTES("\x16\3\3\x40\0\2\0\x3f\xfc\3\3"
     "\0\0\0\0\0\0\0\0\0\0\0\0"), URLPOOL_PHASE_TLS},
  /* clang-format on */
};

/* act_slowly says it, for as long as the client listens. */
static void act_slowly(struct flood_peer *peer, const void *user)
{
    const struct slow *row = user;
    char head[HEAD_ROOM];
    const size_t before_len = row->before_len > 0 ? row->before_len : strlen(row->before);
    const size_t text_len = row->text_len > 0 ? row->text_len : strlen(row->text);
    bool is_there;

    if (row->speech == SPEECH_SOCKS) {
        is_there = flood_hear_some(peer) && flood_say(peer, "\5\0", 2) && flood_hear_some(peer);
    } else if (row->speech == SPEECH_TLS) {
        is_there = flood_hear_some(peer);
    } else {
        is_there = flood_hear(peer, head, sizeof(head));
    }
    is_there = is_there && flood_say(peer, row->before, before_len);
    while (is_there) {
        is_there = flood_slowly(peer, row->text, text_len, GAP_MS);
    }
}

/* struct asker is one case under way. */
struct asker {
    const struct slow *row;
    struct flood_server *server;
    struct urlpool_timeout timeout;
    bool is_stream;
    struct urlpool_tls *tls; /* that of all: to read the system's roots takes its time */
    pthread_t thread;
    struct urlpool_error err;
    int64_t took_ms;
};

/* read_streamed reads a response to its end or its error. */
static void read_streamed(struct urlpool_response *response, struct urlpool_error *err)
{
    char piece[4096];
    size_t got = 1;
    enum urlpool_code code = URLPOOL_OK;

    while (code == URLPOOL_OK && got > 0) {
        code = urlpool_response_read(response, piece, sizeof(piece), &got, err);
    }
}

/* ask makes the request, which ends somehow. */
static void *ask(void *arg)
{
    struct asker *asker = arg;
    const struct slow *row = asker->row;
    const bool is_tls = row->speech == SPEECH_TLS || row->speech == SPEECH_CONNECT;
    const struct urlpool_request_options options = {.timeout = asker->timeout,
                                                    .stream = asker->is_stream};
    const unsigned port = flood_server_port(asker->server);
    struct urlpool_manager_options own = {.retries = TEST_ONE_TRY, .tls = asker->tls};
    struct urlpool_manager *manager;
    struct urlpool_response *response;
    char proxy[64];
    char url[64];
    const int64_t began_ns = urlp_now_ns();

    if (row->scheme != NULL) {
        (void)snprintf(proxy, sizeof(proxy), "%s://127.0.0.1:%u", row->scheme, port);
        own.proxy.url = proxy;
    }
    (void)snprintf(url, sizeof(url), "http%s://127.0.0.1:%u/", is_tls ? "s" : "", port);
    manager = urlpool_manager_new(&own, &asker->err);
    response = urlpool_request(manager, "GET", url, &options, &asker->err);
    if (response != NULL) {
        asker->err = (struct urlpool_error){0};
        if (asker->is_stream) {
            read_streamed(response, &asker->err);
        }
    }
    asker->took_ms = (urlp_now_ns() - began_ns) / URLP_NS_PER_MS;
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    return NULL;
}

/* num_first is how many rows at the beginning have a connection before they are slow. */
static size_t num_first(void)
{
    size_t num = 0;

    while (slow[num].speech == SPEECH_HTTP) {
        num++;
    }
    return num;
}

/* ask_all asks all rows from `first` on at once, by the same limits. Servers first: they fork. */
static void ask_all(struct asker *askers, size_t first, struct urlpool_timeout timeout,
                    bool is_stream)
{
    struct test_cert *ca = test_ca("Slow CA");
    struct urlpool_tls *tls = test_trust(ca);

    for (size_t i = first; i < COUNT_OF(slow); i++) {
        askers[i] = (struct asker){.row = &slow[i], .timeout = timeout, .is_stream = is_stream};
        askers[i].tls = tls;
        askers[i].server = flood_server_start(act_slowly, &slow[i], NULL);
    }
    for (size_t i = first; i < COUNT_OF(slow); i++) {
        ck_assert_int_eq(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
    }
    for (size_t i = first; i < COUNT_OF(slow); i++) {
        pthread_join(askers[i].thread, NULL);
        flood_server_stop(askers[i].server);
    }
    urlpool_tls_unref(tls);
    test_cert_free(ca);
}

static void expect(const struct asker *asker, enum urlpool_code code, int64_t least_ms)
{
    const char *name = asker->row->name;

    printf("slow, %s: %s after %lld ms\n", name, urlpool_code_name(asker->err.code),
           (long long)asker->took_ms);
    ck_assert_msg(asker->err.code == code, "%s: %s: %s", name, urlpool_code_name(asker->err.code),
                  asker->err.message);
    ck_assert_msg(asker->took_ms >= least_ms && asker->took_ms < least_ms + SLACK_MS,
                  "%s: took %lld ms", name, (long long)asker->took_ms);
}

START_TEST(slow__peer_is_ended_by_the_total_and_by_no_gap)
{
    static struct asker askers[COUNT_OF(slow)];

    ask_all(askers, 0, (struct urlpool_timeout){.read_ms = READ_MS, .total_ms = TOTAL_MS}, _i == 1);
    for (size_t i = 0; i < COUNT_OF(slow); i++) {
        expect(&askers[i], URLPOOL_E_TOTAL_TIMEOUT, TOTAL_MS);
        /* A busy machine may not have come so far. */
        ck_assert_msg(askers[i].err.phase <= askers[i].row->phase &&
                          askers[i].err.phase >= URLPOOL_PHASE_CONNECT,
                      "%s: phase %s", askers[i].row->name, urlpool_phase_name(askers[i].err.phase));
    }
}
END_TEST

START_TEST(slow__peer_on_the_way_to_a_connection_is_ended_by_connect_ms)
{
    static struct asker askers[COUNT_OF(slow)];

    ask_all(askers, num_first(), (struct urlpool_timeout){.connect_ms = TOTAL_MS}, false);
    for (size_t i = num_first(); i < COUNT_OF(slow); i++) {
        expect(&askers[i], URLPOOL_E_CONNECT_TIMEOUT, TOTAL_MS);
    }
}
END_TEST

/* act_whole says a whole answer, a byte at a time. */
static void act_whole(struct flood_peer *peer, const void *user)
{
    char head[HEAD_ROOM];

    if (flood_hear(peer, head, sizeof(head)) &&
        flood_say_text(peer, OK "Content-Length: 36\r\n\r\n")) {
        (void)flood_slowly(peer, user, NUM_BYTES, GAP_MS);
        flood_stay(peer);
    }
}

START_TEST(slow__peer_that_keeps_within_the_gaps_is_heard_out)
{
    static const char text[] = "as many as it takes, one by one, yes";
    const struct urlpool_request_options options = {
        .timeout = {.read_ms = READ_MS, .total_ms = WHOLE_MS}
    };
    struct flood_scene scene;
    struct urlpool_response *response;
    const int64_t began_ns = urlp_now_ns();

    flood_scene_begin(&scene, act_whole, text, false, NULL);
    response = flood_scene_get(&scene, "GET", "/", &options);
    ck_assert_msg(response != NULL, "%s", test_err.message);
    ck_assert_mem_eq(response->data, text, sizeof(text));
    ck_assert_int_gt((urlp_now_ns() - began_ns) / URLP_NS_PER_MS, READ_MS);
    urlpool_response_free(response);
    flood_scene_end(&scene);
}
END_TEST

/* A name whose answer takes ten seconds. */
#define LABEL  "a-label-that-makes-of-an-answer-by-tcp-some-hundred-bytes"
#define A_NAME LABEL "." LABEL ".example"

START_TEST(slow__name_server_is_ended_by_the_total_at_the_latest)
{
    const struct urlpool_request_options options = {.timeout = {.total_ms = TOTAL_MS}};
    struct dns_server *dns = dns_server_start();
    const struct urlpool_manager_options own = {.network.dns_servers = dns_server_address(dns),
                                                .retries = TEST_ONE_TRY};
    struct urlpool_manager *manager = test_manager(&own);
    const int64_t began_ns = urlp_now_ns();
    int64_t took_ms;

    dns_server_add(dns, A_NAME, DNS_A, 60, "127.0.0.1");
    dns_server_behave(dns, A_NAME, DNS_A, DNS_DRIPS);
    dns_server_behave(dns, A_NAME, DNS_AAAA, DNS_DRIPS);
    ck_assert_ptr_null(
        urlpool_request(manager, "GET", "http://" A_NAME ":9/", &options, &test_err));
    took_ms = (urlp_now_ns() - began_ns) / URLP_NS_PER_MS;
    /* A try by TCP, which is a third of the time there is, may be the end of it before. */
    ck_assert_msg(test_err.code == URLPOOL_E_TOTAL_TIMEOUT || test_err.code == URLPOOL_E_RESOLVE,
                  "%s after %lld ms: %s", urlpool_code_name(test_err.code), (long long)took_ms,
                  test_err.message);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_RESOLVE);
    ck_assert_int_lt(took_ms, TOTAL_MS + SLACK_MS);
    urlpool_manager_free(manager);
    dns_server_stop(dns);
}
END_TEST

RUN_LOOPS("slow_peers", {slow__peer_is_ended_by_the_total_and_by_no_gap, 2},
          TEST_ONCE(slow__peer_on_the_way_to_a_connection_is_ended_by_connect_ms),
          TEST_ONCE(slow__peer_that_keeps_within_the_gaps_is_heard_out),
          TEST_ONCE(slow__name_server_is_ended_by_the_total_at_the_latest))
