/* Floods from where no answer is expected, or not this one: proxies on the way, connections at
 * rest, bodies nobody reads, redirects without end, events. */

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/count_of.h"
#include "support/flood_scene.h"
#include "support/requests.h"
#include "support/run_tests.h"

enum {
    LINE = 65536,
    HEAD = 262144,
    DRAIN = 65536,         /* of a body that nobody reads */
    AHEAD = 65536 + 16384, /* what one read may take, of TLS and of HTTP */
    EVENT = 65536,         /* event_bytes_max here */
    NUM_HOPS = 20,
    TOTAL_MS = 100, /* of what ends by it, doubled where that is not enough for a head */
    PATIENCE_MS = 30000,
    WAIT_MS = 5000,
    REQUEST_BYTES = 8 << 20,
    HEAD_ROOM = 131072
};

#define OK "HTTP/1.1 200 OK\r\n"
#define A100                                                                                       \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "aaaaaaaa"
#define A1000       A100 A100 A100 A100 A100 A100 A100 A100 A100 A100
#define BYTES(text) (text), sizeof(text) - 1
#define TEXT(text)  (text), 0

/* end_flood holds what was read against its bound. */
static void end_flood(const struct meter *meter, const char *name, int64_t bytes_max)
{
    const int64_t bytes = meter_end(meter, name, 0);

    ck_assert_msg(bytes <= 2 * bytes_max + AHEAD, "%s: read %lld bytes", name, (long long)bytes);
}

/* check_code is for a request that failed, perhaps at a proxy: then what lay beneath counts. */
static void check_code(const char *name, enum urlpool_code code, enum urlpool_code cause)
{
    ck_assert_msg(test_err.code == code && test_err.cause == cause, "%s: %s, %s: %s", name,
                  urlpool_code_name(test_err.code), urlpool_code_name(test_err.cause),
                  test_err.message);
    ck_assert_uint_lt(strlen(test_err.message), 300);
    ck_assert_ptr_null(strchr(test_err.message, '\n'));
}

/* ---- proxies ---- */

static const struct flood connect_floods[] = {
  /* clang-format off */
    {"empty lines", TEXT(""), TEXT("\r\n"), URLPOOL_E_BAD_STATUS_LINE, 0},
    {"reason", TEXT("HTTP/1.1 200 "), TEXT("a"), URLPOOL_E_LINE_TOO_LONG, LINE},
    {"short fields", TEXT(OK), TEXT("A: b\r\n"), URLPOOL_E_TOO_MANY_HEADERS, HEAD},
    {"long fields", TEXT(OK), TEXT("A: " A1000 A1000 "\r\n"), URLPOOL_E_HEAD_TOO_LARGE, HEAD},
    {"field name", TEXT(OK), TEXT("a"), URLPOOL_E_LINE_TOO_LONG, LINE},
    {"field value", TEXT(OK "A: "), TEXT("b"), URLPOOL_E_LINE_TOO_LONG, LINE},
    {"folds", TEXT(OK "A: b\r\n"), TEXT(" c\r\n"), URLPOOL_E_LINE_TOO_LONG, LINE},
    {"interims", TEXT(""), TEXT("HTTP/1.1 100 Continue\r\n\r\n"), URLPOOL_E_HEAD_TOO_LARGE, HEAD},
    {"body of a 407", TEXT("HTTP/1.1 407 Who\r\n\r\n"), TEXT("x"), URLPOOL_OK, 0},
    {"body of a 407 of a length", TEXT("HTTP/1.1 407 Who\r\nContent-Length: 9223372036854775807"
     "\r\n\r\n"), TEXT("x"), URLPOOL_OK, 0},
    {"chunks of a 502", TEXT("HTTP/1.1 502 No\r\nTransfer-Encoding: chunked\r\n\r\n"),
     TEXT("3\r\nabc\r\n"), URLPOOL_OK, 0},
  /* clang-format on */
};

/* ask_through asks for an https URL, through the flooding proxy at `scheme`. */
static void ask_through(struct flood_scene *scene, const char *scheme, const char *url,
                        struct meter *out_meter)
{
    struct urlpool_manager_options options = {
        .retries = TEST_ONE_TRY, .dial_pause_max_ms = URLPOOL_NONE, .timeout = {.total_ms = 20000}};
    struct urlpool_manager *direct = scene->manager;
    char proxy[128];

    (void)snprintf(proxy, sizeof(proxy), "%s127.0.0.1:%u", scheme,
                   (unsigned)flood_server_port(scene->server));
    options.proxy.url = proxy;
    options.proxy.tls = strncmp(scheme, "https:", 6) == 0 ? scene->tls : NULL;
    options.tls = scene->tls;
    scene->manager = test_manager(&options);
    memset(&test_err, 0, sizeof(test_err));
    *out_meter = meter_begin(scene->manager);
    ck_assert_ptr_null(urlpool_request(scene->manager, "GET", url, NULL, &test_err));
    ck_assert_uint_eq(test_stats(scene->manager).open, 0);
    urlpool_manager_free(direct);
}

START_TEST(flood__of_an_answer_to_connect_ends_at_its_limit)
{
    const int row = flood_row(_i, 2);
    const struct flood *flood = &connect_floods[row / 2];
    const bool is_tls = row % 2 == 1;
    struct flood_scene scene;
    struct meter meter;
    char name[128];

    (void)snprintf(name, sizeof(name), "CONNECT, %s%s", flood->name, is_tls ? ", TLS" : "");
    flood_scene_begin(&scene, NULL, flood, is_tls, NULL);
    ask_through(&scene, is_tls ? "https://" : "http://", "https://localhost:9/", &meter);
    end_flood(&meter, name, flood->bytes_max);
    check_code(name, URLPOOL_E_PROXY, flood->code);
    flood_scene_end(&scene);
}
END_TEST

START_TEST(flood__behind_a_granted_connect_is_no_tls)
{
    static const struct flood flood = {"", TEXT(OK "\r\n"), TEXT("x"), URLPOOL_E_TLS, 0};
    struct flood_scene scene;
    struct meter meter;

    flood_scene_begin(&scene, NULL, &flood, false, NULL);
    ask_through(&scene, "http://", "https://localhost:9/", &meter);
    end_flood(&meter, "CONNECT, bytes behind the grant", flood.bytes_max);
    check_code("behind the grant", URLPOOL_E_TLS, URLPOOL_OK);
    flood_scene_end(&scene);
}
END_TEST

/* struct socks_flood is what a SOCKS proxy says, an answer to each message of ours, and then. */
struct socks_flood {
    const char *name, *scheme;
    struct {
        const char *data;
        size_t len;
    } answers[2];
    const char *unit;
    size_t unit_len;
    enum urlpool_code code, cause;
};

static const struct socks_flood socks_floods[] = {
  /* clang-format off */
    {"SOCKS5, no answer", "socks5h://", {{TEXT("")}}, BYTES("x"),
     URLPOOL_E_PROXY, URLPOOL_E_PROTOCOL},
    {"SOCKS5, methods", "socks5h://", {{BYTES("\5\0")}}, BYTES("\5\0"),
     URLPOOL_E_PROXY, URLPOOL_E_PROTOCOL},
    {"SOCKS5, verdicts on a password", "socks5h://me:secret@", {{BYTES("\5\2")}}, BYTES("\1\0"),
     URLPOOL_E_PROXY, URLPOOL_E_PROTOCOL},
    {"SOCKS5, refusals", "socks5h://", {{BYTES("\5\0")}, {BYTES("\5\5\0\1\0\0\0\0\0\0")}},
     BYTES("\5\5\0\1\0\0\0\0\0\0"), URLPOOL_E_PROXY, URLPOOL_OK},
    {"SOCKS5, bytes behind a long bound name", "socks5h://",
     {{BYTES("\5\0")}, {BYTES("\5\0\0\3\xff")}}, BYTES("n"), URLPOOL_E_BAD_STATUS_LINE, URLPOOL_OK},
    {"SOCKS5, bytes behind no bound name", "socks5h://",
     {{BYTES("\5\0")}, {BYTES("\5\0\0\3\0\0\0")}}, BYTES("n"), URLPOOL_E_BAD_STATUS_LINE,
     URLPOOL_OK},
    {"SOCKS5, bytes behind a v6 address", "socks5h://",
     {{BYTES("\5\0")}, {BYTES("\5\0\0\4")}}, BYTES("n"), URLPOOL_E_BAD_STATUS_LINE, URLPOOL_OK},
    {"SOCKS4, no answer", "socks4a://", {{TEXT("")}}, BYTES("x"),
     URLPOOL_E_PROXY, URLPOOL_E_PROTOCOL},
    {"SOCKS4, refusals", "socks4a://", {{BYTES("\0\x5b\0\0\0\0\0\0")}},
     BYTES("\0\x5b\0\0\0\0\0\0"), URLPOOL_E_PROXY, URLPOOL_OK},
    {"SOCKS4, bytes behind a grant", "socks4a://", {{BYTES("\0\x5a\0\0\0\0\0\0")}}, BYTES("x"),
     URLPOOL_E_BAD_STATUS_LINE, URLPOOL_OK},
  /* clang-format on */
};

static void act_socks(struct flood_peer *peer, const void *user)
{
    const struct socks_flood *flood = user;

    for (size_t i = 0; i < COUNT_OF(flood->answers) && flood->answers[i].data != NULL; i++) {
        if (!flood_hear_some(peer) ||
            !flood_say(peer, flood->answers[i].data, flood->answers[i].len)) {
            return;
        }
    }
    flood_for_ever(peer, flood->unit, flood->unit_len);
}

START_TEST(flood__of_a_socks_proxy_is_read_to_the_end_of_its_answer)
{
    const struct socks_flood *flood = &socks_floods[_i];
    struct flood_scene scene;
    struct meter meter;

    flood_scene_begin(&scene, act_socks, flood, false, NULL);
    ask_through(&scene, flood->scheme, "http://localhost:9/", &meter);
    end_flood(&meter, flood->name, 0);
    check_code(flood->name, flood->code, flood->cause);
    flood_scene_end(&scene);
}
END_TEST

/* ---- connections at rest ---- */

static const struct flood idle_floods[] = {
    {"idle, bytes",   TEXT(""), TEXT("x"),                                     URLPOOL_OK, 0},
    {"idle, answers", TEXT(""), TEXT(OK "Content-Length: 9\r\n\r\nnot yours"), URLPOOL_OK, 0},
};

/* act_idle answers once, and floods when the answer is read. */
static void act_idle(struct flood_peer *peer, const void *user)
{
    const struct flood *flood = user;
    char head[HEAD_ROOM];

    if (flood_hear(peer, head, sizeof(head)) && flood_good(peer)) {
        flood_await_go(peer);
        flood_for_ever(peer, flood->unit, strlen(flood->unit));
    }
}

/* await_flood waits until so much was said that sockets are full of it. */
static void await_flood(const struct flood_scene *scene, uint64_t most)
{
    int waited_ms = 0;

    while (flood_server_num_bytes(scene->server) < most) {
        ck_assert_int_lt(waited_ms++, WAIT_MS);
        (void)poll(NULL, 0, 1);
    }
}

START_TEST(flood__on_an_idle_connection_is_nobodys_answer)
{
    const struct flood *flood = &idle_floods[_i / 4];
    const bool is_tls = _i % 2 == 1;
    const bool maintains = _i / 2 % 2 == 1;
    struct flood_scene scene;
    struct urlpool_response *response;
    struct meter meter;
    char name[128];

    (void)snprintf(name, sizeof(name), "%s%s%s", flood->name, maintains ? ", upkeep" : "",
                   is_tls ? ", TLS" : "");
    flood_scene_begin(&scene, act_idle, flood, is_tls, NULL);
    urlpool_response_free(flood_scene_get(&scene, "GET", "/", NULL));
    ck_assert_uint_eq(test_stats(scene.manager).idle, 1);
    flood_server_go(scene.server);
    await_flood(&scene, 100000);
    meter = meter_begin(scene.manager);
    if (maintains) {
        ck_assert_uint_eq(urlpool_manager_maintain(scene.manager), 1);
    }
    response = flood_scene_get(&scene, "GET", "/", NULL);
    ck_assert_msg(response != NULL, "%s", test_err.message);
    ck_assert(!response->connection_reused);
    ck_assert_mem_eq(response->data, "hello", 6);
    end_flood(&meter, name, 0);
    ck_assert_uint_eq(test_stats(scene.manager).closed[URLPOOL_CLOSED_UNEXPECTED], 1);
    urlpool_response_free(response);
    flood_scene_end(&scene);
}
END_TEST

/* ---- bodies that nobody reads ---- */

static const struct {
    const char *name, *method, *head;
    const char *unit;
} unread[] = {
    {"HEAD",            "HEAD", OK "Content-Length: 5\r\n\r\n",                   "x"             },
    {"HEAD, chunked",   "HEAD", OK "Transfer-Encoding: chunked\r\n\r\n",          "5\r\nhello\r\n"},
    {"204",             "GET",  "HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n",   "x"             },
    {"304",             "GET",  "HTTP/1.1 304 Not\r\nContent-Length: 5\r\n\r\n",  "x"             },
    {"behind a length", "GET",  OK "Content-Length: 1\r\n\r\n",                   "x"             },
    {"behind chunks",   "GET",  OK "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "x"             },
};

START_TEST(flood__behind_an_answer_ends_its_connection)
{
    const int row = flood_row(_i, 2);
    const struct flood flood = {unread[row / 2].name, TEXT(unread[row / 2].head),
                                TEXT(unread[row / 2].unit), URLPOOL_OK, 0};
    struct flood_scene scene;
    struct urlpool_response *response;
    struct meter meter;
    char name[128];

    (void)snprintf(name, sizeof(name), "bytes behind, %s%s", flood.name, row % 2 ? ", TLS" : "");
    flood_scene_begin(&scene, NULL, &flood, row % 2 == 1, NULL);
    meter = meter_begin(scene.manager);
    response = flood_scene_get(&scene, unread[row / 2].method, "/flood", NULL);
    ck_assert_msg(response != NULL, "%s: %s", name, test_err.message);
    ck_assert_uint_le(response->data_len, 1);
    urlpool_response_free(response);
    end_flood(&meter, name, 0);
    /* Whether more has come is told by a look at the latest. */
    response = flood_scene_get(&scene, "GET", "/good", NULL);
    ck_assert_msg(response != NULL, "%s: %s", name, test_err.message);
    ck_assert(!response->connection_reused);
    urlpool_response_free(response);
    flood_scene_end(&scene);
}
END_TEST

static void give_up(struct urlpool_response *response)
{
    urlpool_response_close(response);
}

static void (*const endings[])(struct urlpool_response *response) = {
    urlpool_response_drain, urlpool_response_release, give_up};

START_TEST(flood__that_is_given_up_is_not_drained_for_long)
{
    const int row = flood_row(_i, 2);
    static const struct flood floods[] = {
        {"chunks",    TEXT(OK "Transfer-Encoding: chunked\r\n\r\n"), TEXT("3\r\nabc\r\n"), URLPOOL_OK,
         3 * DRAIN                                                                                          },
        {"length",    TEXT(OK "Content-Length: 9999999999\r\n\r\n"), TEXT("x"),            URLPOOL_OK, DRAIN},
        {"no length", TEXT(OK "\r\n"),                               TEXT("x"),            URLPOOL_OK, DRAIN},
    };
    const struct flood *flood = &floods[row / 2 % 3];
    struct flood_scene scene;
    struct urlpool_response *response;
    struct meter meter;
    char name[128];

    (void)snprintf(name, sizeof(name), "given up, %s, %s%s", flood->name,
                   (const char *[]){"drain", "release", "close"}[row / 6], row % 2 ? ", TLS" : "");
    flood_scene_begin(&scene, NULL, flood, row % 2 == 1, NULL);
    meter = meter_begin(scene.manager);
    response =
        flood_scene_get(&scene, "GET", "/flood", &(struct urlpool_request_options){.stream = true});
    ck_assert_msg(response != NULL, "%s: %s", name, test_err.message);
    endings[row / 6](response);
    urlpool_response_free(response);
    end_flood(&meter, name, flood->bytes_max);
    flood_scene_is_well(&scene);
    flood_scene_end(&scene);
}
END_TEST

/* begin_stream asks for what never ends. */
static struct urlpool_response *begin_stream(const struct flood_scene *scene, int total_ms)
{
    struct urlpool_request_options options = {.stream = true};
    struct urlpool_response *response = NULL;

    for (; response == NULL && total_ms <= PATIENCE_MS; total_ms *= 2) {
        options.timeout.total_ms = total_ms;
        response = flood_scene_get(scene, "GET", "/flood", &options);
        ck_assert_msg(response != NULL || test_err.code == URLPOOL_E_TOTAL_TIMEOUT, "%s",
                      test_err.message);
    }
    ck_assert_msg(response != NULL, "%s", test_err.message);
    return response;
}

START_TEST(flood__of_a_streamed_body_ends_at_the_total)
{
    static const struct flood flood = {"", TEXT(OK "\r\n"), TEXT("x"), URLPOOL_OK, 0};
    static char piece[65536];
    struct flood_scene scene;
    struct urlpool_response *response;
    struct meter meter;
    enum urlpool_code code = URLPOOL_OK;
    size_t got = 0;

    flood_scene_begin(&scene, NULL, &flood, false, NULL);
    meter = meter_begin(scene.manager);
    response = begin_stream(&scene, TOTAL_MS);
    while (code == URLPOOL_OK) {
        code = urlpool_response_read(response, piece, sizeof(piece), &got, &test_err);
    }
    ck_assert_msg(code == URLPOOL_E_TOTAL_TIMEOUT, "%s", test_err.message);
    urlpool_response_free(response);
    (void)meter_end(&meter, "streamed without end, to the total", 0);
    flood_scene_is_well(&scene);
    flood_scene_end(&scene);
}
END_TEST

START_TEST(flood__of_interims_ends_while_a_body_is_sent)
{
    static const struct flood flood = {"", TEXT(""), TEXT("HTTP/1.1 100 Continue\r\n\r\n"),
                                       URLPOOL_E_HEAD_TOO_LARGE, HEAD};
    struct urlpool_request_options options = {.timeout = {.total_ms = 20000},
                                              .retries = TEST_ONE_TRY};
    char *body = calloc(1, REQUEST_BYTES);
    struct flood_scene scene;
    struct meter meter;

    ck_assert_ptr_nonnull(body);
    options.body = urlpool_body_bytes(body, REQUEST_BYTES);
    flood_scene_begin(&scene, NULL, &flood, _i == 1, NULL);
    meter = meter_begin(scene.manager);
    ck_assert_ptr_null(flood_scene_get(&scene, "PUT", "/flood", &options));
    check_code("interims while sending", flood.code, URLPOOL_OK);
    end_flood(&meter,
              _i == 1 ? "interims while a body is sent, TLS" : "interims while a body is sent",
              flood.bytes_max);
    ck_assert_int_gt(test_stats(scene.manager).bytes_received, meter.bytes);
    flood_scene_is_well(&scene);
    flood_scene_end(&scene);
    free(body);
}
END_TEST

/* ---- redirects, and tries again ---- */

/* act_redirect leads from everywhere to somewhere else, by an answer as `user` wants it. */
static void act_redirect(struct flood_peer *peer, const void *user)
{
    const struct flood *flood = user;
    char head[HEAD_ROOM];
    char answer[HEAD_ROOM];
    unsigned hop = 0;

    while (flood_hear(peer, head, sizeof(head))) {
        (void)sscanf(head, "GET /%u", &hop);
        (void)snprintf(answer, sizeof(answer), "HTTP/1.1 %s\r\nLocation: /%u%s",
                       flood->code == URLPOOL_E_TOO_MANY_REDIRECTS ? "302 On" : "503 Oh", hop + 1,
                       flood->before);
        if (!flood_say_text(peer, answer)) {
            return;
        }
        if (flood->unit != NULL) {
            flood_for_ever(peer, flood->unit, strlen(flood->unit));
            return;
        }
    }
}

/* Each begins behind its Location. */
static const struct flood redirects[] = {
  /* clang-format off */
    {"redirects", TEXT("\r\nContent-Length: 0\r\n\r\n"), NULL, 0,
     URLPOOL_E_TOO_MANY_REDIRECTS, 0},
    {"redirects, long ones", TEXT("?" A1000 A1000 A1000 A1000 A1000 A1000 A1000 A1000
     "\r\nContent-Length: 0\r\n\r\n"), NULL, 0, URLPOOL_E_TOO_MANY_REDIRECTS, 8192 * NUM_HOPS},
    {"redirects with bodies", TEXT("\r\nTransfer-Encoding: chunked\r\n\r\n"),
     TEXT("3\r\nabc\r\n"), URLPOOL_E_TOO_MANY_REDIRECTS, (3 * DRAIN + AHEAD / 2) * NUM_HOPS},
    {"redirects with bodies of a length", TEXT("\r\nContent-Length: 9999999999\r\n\r\n"),
     TEXT("x"), URLPOOL_E_TOO_MANY_REDIRECTS, AHEAD / 2 * NUM_HOPS},
    {"503 with bodies", TEXT("\r\nRetry-After: 0\r\nTransfer-Encoding: chunked\r\n\r\n"),
     TEXT("3\r\nabc\r\n"), URLPOOL_E_DATA_TOO_LARGE, (3 * DRAIN + AHEAD / 2) * 4},
  /* clang-format on */
};

START_TEST(flood__of_redirects_and_retries_ends_at_their_counts)
{
    const int row = flood_row(_i, 2);
    const struct urlpool_manager_options options = {.data_bytes_max = DRAIN};
    const struct flood *flood = &redirects[row / 2];
    struct flood_scene scene;
    struct meter meter;
    char name[128];

    (void)snprintf(name, sizeof(name), "%s%s", flood->name, row % 2 == 1 ? ", TLS" : "");
    flood_scene_begin(&scene, act_redirect, flood, row % 2 == 1, &options);
    meter = meter_begin(scene.manager);
    ck_assert_ptr_null(flood_scene_get(&scene, "GET", "/0", NULL));
    end_flood(&meter, name, flood->bytes_max);
    ck_assert_msg(test_err.code == flood->code, "%s: %s: %s", name,
                  urlpool_code_name(test_err.code), test_err.message);
    ck_assert_uint_le(flood_server_num_connections(scene.server), NUM_HOPS + 1);
    flood_scene_end(&scene);
}
END_TEST

/* ---- events ---- */

#define EVENTS OK "Content-Type: text/event-stream\r\n\r\n"

static const struct flood event_floods[] = {
  /* clang-format off */
    {"event's line", TEXT(EVENTS "data: "), TEXT("x"), URLPOOL_E_DATA_TOO_LARGE, EVENT},
    {"event's lines", TEXT(EVENTS), TEXT("data: x\n"), URLPOOL_E_DATA_TOO_LARGE, EVENT},
    {"event's empty lines of data", TEXT(EVENTS), TEXT("data\n"), URLPOOL_E_DATA_TOO_LARGE, EVENT},
    {"event's type", TEXT(EVENTS "event: "), TEXT("x"), URLPOOL_E_DATA_TOO_LARGE, EVENT},
    {"event's types", TEXT(EVENTS), TEXT("event: x\r\n"), URLPOOL_E_DATA_TOO_LARGE, EVENT},
    {"event's id", TEXT(EVENTS "id: "), TEXT("x"), URLPOOL_E_DATA_TOO_LARGE, EVENT},
    {"event's retry", TEXT(EVENTS "retry: "), TEXT("1"), URLPOOL_E_DATA_TOO_LARGE, EVENT},
    {"event's unknown fields", TEXT(EVENTS), TEXT("x: y\r"), URLPOOL_E_DATA_TOO_LARGE, EVENT},
    {"comment", TEXT(EVENTS ":"), TEXT("x"), URLPOOL_E_DATA_TOO_LARGE, EVENT},
    /* What servers send for days lest a stream be taken for dead. */
    {"comments", TEXT(EVENTS), TEXT(": x\n"), URLPOOL_E_TOTAL_TIMEOUT, 0},
    {"comments by CRLF", TEXT(EVENTS), TEXT(":\r\n"), URLPOOL_E_TOTAL_TIMEOUT, 0},
    {"comments by CR", TEXT(EVENTS), TEXT(": x\r"), URLPOOL_E_TOTAL_TIMEOUT, 0},
    {"empty lines for events", TEXT(EVENTS), TEXT("\r\n"), URLPOOL_E_TOTAL_TIMEOUT, 0},
    {"ids without events", TEXT(EVENTS), TEXT("id: 1\n\n"), URLPOOL_E_TOTAL_TIMEOUT, 0},
    {"events", TEXT(EVENTS), TEXT("id: 1\ndata: x\n\n"), URLPOOL_E_TOTAL_TIMEOUT, 0},
  /* clang-format on */
};

START_TEST(flood__of_events_ends_at_event_bytes_max_or_the_total)
{
    const struct flood *flood = &event_floods[_i];
    struct flood_scene scene;
    struct urlpool_response *response;
    struct urlpool_sse *sse;
    struct urlpool_sse_event event;
    enum urlpool_code code = URLPOOL_OK;
    bool at_end = false;
    struct meter meter;
    int64_t bytes;

    flood_scene_begin(&scene, NULL, flood, false, NULL);
    meter = meter_begin(scene.manager);
    response =
        begin_stream(&scene, flood->code == URLPOOL_E_TOTAL_TIMEOUT ? TOTAL_MS : PATIENCE_MS);
    sse = urlpool_sse_new(response, EVENT, &test_err);
    while (code == URLPOOL_OK) {
        code = urlpool_sse_next(sse, &event, &at_end, &test_err);
        ck_assert(!at_end);
    }
    ck_assert_msg(code == flood->code, "%s: %s", flood->name, test_err.message);
    bytes = meter_end(&meter, flood->name, 0);
    ck_assert(flood->bytes_max == 0 || bytes <= 2 * flood->bytes_max + AHEAD);
    urlpool_sse_free(sse);
    urlpool_response_free(response);
    flood_scene_is_well(&scene);
    flood_scene_end(&scene);
}
END_TEST

RUN_LOOPS("flooding_peers",
          {flood__of_an_answer_to_connect_ends_at_its_limit,
           flood_num_rows(2 * COUNT_OF(connect_floods), 2)},
          TEST_ONCE(flood__behind_a_granted_connect_is_no_tls),
          TEST_ROWS(flood__of_a_socks_proxy_is_read_to_the_end_of_its_answer, socks_floods),
          {flood__on_an_idle_connection_is_nobodys_answer, 4 * COUNT_OF(idle_floods)},
          {flood__behind_an_answer_ends_its_connection, flood_num_rows(2 * COUNT_OF(unread), 2)},
          {flood__that_is_given_up_is_not_drained_for_long,
           flood_num_rows(6 * COUNT_OF(endings), 2)},
          TEST_ONCE(flood__of_a_streamed_body_ends_at_the_total),
          {flood__of_interims_ends_while_a_body_is_sent, 2},
          {flood__of_redirects_and_retries_ends_at_their_counts,
           flood_num_rows(2 * COUNT_OF(redirects), 2)},
          TEST_ROWS(flood__of_events_ends_at_event_bytes_max_or_the_total, event_floods))
