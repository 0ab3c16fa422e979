/* Rows of docs/CONFORMANCE.md that are about more than the bytes of one answer, each test named
 * after its row: what becomes of bytes that nobody asked for, of answers that come too late, and
 * what is never done by itself. */

#define _GNU_SOURCE

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/https_scene.h"
#include "support/proxy_server.h"
#include "support/requests.h"
#include "support/run_tests.h"
#include "support/tls_client.h"
#include "support/tls_kit.h"

enum {
    HEARS_NOTHING_MS = 50
};

/* struct told is a word from the server's thread to the test's, or back. */
struct told {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool is_told;
};

#define TOLD_NOTHING                                                        \
    {                                                                       \
        .mutex = PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false \
    }

static void tell(struct told *told)
{
    pthread_mutex_lock(&told->mutex);
    told->is_told = true;
    pthread_cond_broadcast(&told->cond);
    pthread_mutex_unlock(&told->mutex);
}

static void wait_for(struct told *told)
{
    pthread_mutex_lock(&told->mutex);
    while (!told->is_told) {
        pthread_cond_wait(&told->cond, &told->mutex);
    }
    pthread_mutex_unlock(&told->mutex);
}

/* answer_as_path_says answers "/399" with that status and a Location. */
static void answer_as_path_says(struct test_peer *peer, const struct test_request *request,
                                void *user)
{
    (void)user;
    if (strcmp(request->target, "/there") == 0) {
        test_peer_reply(peer, 200, NULL, "there");
        return;
    }
    test_peer_reply(peer, atoi(request->target + 1),
                    "Location: /there\r\nWWW-Authenticate: Basic realm=\"a\"\r\n", "");
}

/* check_surfaces asks for `path` once, whose status must be the caller's after that one request. */
static void check_surfaces(const char *path, int status,
                           const struct urlpool_request_options *options)
{
    struct test_server *server = test_server_start(answer_as_path_says, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_response *response = test_fetch(manager, "GET", server, path, options);

    ck_assert_int_eq(response->status, status);
    ck_assert_uint_eq(test_server_num_requests(server), 1);
    ck_assert_uint_eq(test_stats(manager).idle, 1);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    test_server_stop(server);
}

START_TEST(r019__a_code_nobody_knows_is_the_first_of_its_class)
{
    check_surfaces("/399", 399, NULL); /* as 300, which is not followed */
    check_surfaces("/299", 299, NULL);
    check_surfaces("/499", 499, NULL);
    check_surfaces("/999", 999, NULL);
}
END_TEST

START_TEST(r168__a_location_elsewhere_is_not_followed)
{
    static const int statuses[] = {200, 201, 202, 300, 304, 305, 306, 400, 410, 500};

    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        char path[8];

        snprintf(path, sizeof(path), "/%d", statuses[i]);
        check_surfaces(path, statuses[i], NULL);
    }
}
END_TEST

START_TEST(r182__a_challenge_is_the_callers)
{
    check_surfaces("/401", 401, NULL);
    check_surfaces("/407", 407, NULL);
}
END_TEST

START_TEST(r133__a_misdirected_request_is_the_callers_unless_listed)
{
    const struct urlpool_request_options listed = {
        .retries = {.total = 1, .status_forcelist = {421}}
    };
    struct test_server *server = test_server_start(answer_as_path_says, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_response *response = test_fetch(manager, "GET", server, "/421", &listed);

    ck_assert_int_eq(response->status, 421);
    ck_assert_uint_eq(test_server_num_requests(server), 2);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    test_server_stop(server);
    check_surfaces("/421", 421, NULL);
}
END_TEST

/* struct idle_bytes is what comes on a connection that nobody uses. */
struct idle_bytes {
    const char *bytes;
    struct told may_speak, has_spoken;
};

static void speak_out_of_turn(struct test_peer *peer, const struct test_request *request,
                              void *user)
{
    struct idle_bytes *idle = user;

    if (request->connection > 1) {
        test_peer_reply(peer, 200, NULL, "asked for");
        return;
    }
    test_peer_reply(peer, 200, NULL, "first");
    wait_for(&idle->may_speak);
    test_peer_send_text(peer, idle->bytes);
    tell(&idle->has_spoken);
}

static const char *const idle_bytes[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
    "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
    "H",
    "\n",
    "\r\n",
};

static void check_idle_bytes(struct idle_bytes *idle, struct test_server *server,
                             struct urlpool_tls *tls)
{
    const struct urlpool_manager_options options = {.tls = tls};
    struct urlpool_manager *manager = test_manager(&options);
    struct urlpool_response *response;

    urlpool_response_free(test_fetch(manager, "GET", server, "/", NULL));
    ck_assert_uint_eq(test_stats(manager).idle, 1);
    tell(&idle->may_speak);
    wait_for(&idle->has_spoken);
    response = test_fetch(manager, "POST", server, "/", NULL); /* which is never sent twice */
    ck_assert_str_eq((const char *)response->data, "asked for");
    ck_assert_uint_eq(test_server_num_connections(server), 2);
    ck_assert_uint_eq(test_stats(manager).closed[URLPOOL_CLOSED_UNEXPECTED], 1);
    ck_assert_uint_eq(test_stats(manager).stale_retries, 0);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
}

START_TEST(r124__bytes_on_an_idle_connection_answer_nothing)
{
    struct idle_bytes idle = {idle_bytes[_i], TOLD_NOTHING, TOLD_NOTHING};
    struct test_server *server = test_server_start(speak_out_of_turn, &idle, NULL);

    check_idle_bytes(&idle, server, NULL);
    test_server_stop(server);
}
END_TEST

START_TEST(r124__bytes_on_an_idle_tls_connection_answer_nothing)
{
    struct idle_bytes idle = {idle_bytes[_i], TOLD_NOTHING, TOLD_NOTHING};
    struct https_scene scene = https_scene_begin(speak_out_of_turn, &idle, NULL);

    check_idle_bytes(&idle, scene.server, scene.tls);
    https_scene_end(&scene);
}
END_TEST

/* hear_while_unread answers the first request in part, and says whether more is heard meanwhile. */
static void hear_while_unread(struct test_peer *peer, const struct test_request *request,
                              void *user)
{
    struct told *asked_again = user;

    if (request->connection > 1) {
        test_peer_reply(peer, 200, NULL, "second");
        return;
    }
    test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfi");
    wait_for(asked_again);
    ck_assert(test_peer_hears_nothing(peer, HEARS_NOTHING_MS));
    test_peer_send_text(peer, "rst");
}

START_TEST(r127__a_request_waits_for_no_others_answer_on_its_connection)
{
    struct told asked_again = TOLD_NOTHING;
    struct test_server *server = test_server_start(hear_while_unread, &asked_again, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    const struct urlpool_request_options streamed = {.stream = true};
    struct urlpool_response *first = test_fetch(manager, "GET", server, "/", &streamed);
    struct urlpool_response *second = test_fetch(manager, "GET", server, "/", NULL);

    ck_assert_str_eq((const char *)second->data, "second");
    tell(&asked_again);
    ck_assert_int_eq(urlpool_response_read_all(first, &test_err), URLPOOL_OK);
    ck_assert_str_eq((const char *)first->data, "first");
    urlpool_response_free(first);
    urlpool_response_free(second);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

/* answer_late answers the first request only when the second has been asked. */
static void answer_late(struct test_peer *peer, const struct test_request *request, void *user)
{
    struct told *asked_again = user;

    if (strcmp(request->target, "/late") == 0) {
        wait_for(asked_again);
        test_peer_reply(peer, 200, NULL, "late");
        return;
    }
    tell(asked_again);
    test_peer_reply(peer, 200, NULL, "in time");
}

START_TEST(r129__an_answer_that_comes_too_late_reaches_nobody)
{
    struct told asked_again = TOLD_NOTHING;
    struct test_server *server = test_server_start(answer_late, &asked_again, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    const struct urlpool_request_options hasty = {.retries = TEST_ONE_TRY,
                                                  .timeout = {.read_ms = HEARS_NOTHING_MS}};

    ck_assert_int_eq(test_fetch_fails(manager, "GET", server, "/late", &hasty),
                     URLPOOL_E_READ_TIMEOUT);
    ck_assert_uint_eq(test_stats(manager).open, 0);
    for (int i = 0; i < 3; i++) {
        struct urlpool_response *response = test_fetch(manager, "GET", server, "/", NULL);

        ck_assert_str_eq((const char *)response->data, "in time");
        urlpool_response_free(response);
    }
    ck_assert_uint_eq(test_server_num_connections(server), 2);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

/* echo_head answers with the head as it came. */
static void echo_head(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    if (strcmp(request->target, "/away") == 0) {
        test_peer_reply(peer, 302, "Location: /\r\n", "");
        return;
    }
    test_peer_reply(peer, 200, NULL, request->head);
}

static char *head_of(struct urlpool_manager *manager, const char *method,
                     const struct test_server *server, const char *path,
                     const struct urlpool_request_options *options)
{
    struct urlpool_response *response = test_fetch(manager, method, server, path, options);
    char *head = strdup((const char *)response->data);

    urlpool_response_free(response);
    return head;
}

START_TEST(r155__nothing_of_a_request_is_in_the_next)
{
    struct test_server *server = test_server_start(echo_head, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct urlpool_headers *headers = urlpool_headers_new(&test_err);
    const struct urlpool_request_options put = {.headers = headers,
                                                .body = urlpool_body_json("{}")};
    char *before = head_of(manager, "GET", server, "/", NULL);
    char *after;

    ck_assert_int_eq(urlpool_headers_add(headers, "X-Put", "1", &test_err), URLPOOL_OK);
    free(head_of(manager, "PUT", server, "/", &put));
    after = head_of(manager, "GET", server, "/", NULL);
    ck_assert_str_eq(after, before);
    ck_assert_uint_eq(test_server_num_connections(server), 1);
    free(before);
    free(after);
    urlpool_headers_free(headers);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

START_TEST(r159__no_referer_is_made)
{
    struct test_server *server = test_server_start(echo_head, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    char *head = head_of(manager, "GET", server, "/away", NULL);

    ck_assert_ptr_nonnull(strstr(head, "Host: "));
    ck_assert_ptr_null(strcasestr(head, "Referer"));
    free(head);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

static void lead_to(struct test_peer *peer, const struct test_request *request, void *user)
{
    char fields[256];

    (void)request;
    snprintf(fields, sizeof(fields), "Location: %s\r\n", (const char *)user);
    test_peer_reply(peer, 302, fields, "");
}

START_TEST(r159__a_referer_of_https_stays_behind_where_a_redirect_leaves_it)
{
    char url[256];
    struct test_server *plain = test_server_start(echo_head, NULL, NULL);
    struct https_scene scene =
        https_scene_begin(lead_to, (void *)test_server_url(plain, "/", url, sizeof(url)), NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.tls = scene.tls});
    struct urlpool_headers *headers = urlpool_headers_new(&test_err);
    const struct urlpool_request_options options = {.headers = headers, .allow_downgrade = true};
    char *head;

    ck_assert_int_eq(urlpool_headers_set(headers, "referer", "HTTPS://a/secret", &test_err),
                     URLPOOL_OK);
    head = head_of(manager, "GET", scene.server, "/", &options);
    ck_assert_ptr_null(strcasestr(head, "Referer"));
    free(head);
    ck_assert_int_eq(urlpool_headers_set(headers, "referer", "http://a/", &test_err), URLPOOL_OK);
    head = head_of(manager, "GET", scene.server, "/", &options);
    ck_assert_ptr_nonnull(strstr(head, "\r\nreferer: http://a/\r\n"));
    free(head);
    urlpool_headers_free(headers);
    urlpool_manager_free(manager);
    https_scene_end(&scene);
    test_server_stop(plain);
}
END_TEST

static _Atomic unsigned num_hellos, num_early, num_resuming;

static void see_hello(bool is_early, bool is_resuming)
{
    num_hellos++;
    num_early += is_early;
    num_resuming += is_resuming;
}

static void answer_and_close(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)request;
    (void)user;
    test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    test_peer_close(peer);
}

START_TEST(r218__no_early_data_is_sent_though_the_server_would_take_it)
{
    struct https_scene scene = https_scene_begin(answer_and_close, NULL, NULL);
    const struct urlpool_manager_options options = {.tls = scene.tls};
    struct urlpool_manager *manager = test_manager(&options);

    tls_kit_see_hellos(scene.context, see_hello);
    for (int i = 0; i < 3; i++) {
        test_get(manager, scene.server);
        urlpool_manager_maintain(manager);
    }
    ck_assert_uint_ge(num_hellos, 2);
    ck_assert_uint_ge(num_resuming, 1);
    ck_assert_uint_eq(num_early, 0);
    urlpool_manager_free(manager);
    https_scene_end(&scene);
}
END_TEST

START_TEST(r220__plain_bytes_in_front_of_the_handshake_end_it)
{
    const struct proxy_server_options said = {
        .answer = "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"};
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct proxy_server *proxy = proxy_server_start(&said);
    char proxy_url[64];
    const struct urlpool_manager_options options = {
        .tls = scene.tls, .proxy = {.url = proxy_url}, .retries = TEST_ONE_TRY};
    struct urlpool_manager *manager;

    snprintf(proxy_url, sizeof(proxy_url), "http://127.0.0.1:%d", proxy_server_port(proxy));
    manager = test_manager(&options);
    ck_assert_int_eq(test_fetch_fails(manager, "GET", scene.server, "/", NULL), URLPOOL_E_TLS);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_TLS);
    ck_assert_uint_eq(test_server_num_requests(scene.server), 0);
    ck_assert_uint_eq(test_stats(manager).open, 0);
    urlpool_manager_free(manager);
    proxy_server_stop(proxy);
    https_scene_end(&scene);
}
END_TEST

/* struct asker makes a request of its own where it is asked for a body. */
struct asker {
    struct urlpool_manager *manager;
    struct test_server *server;
    bool has_asked;
};

static enum urlpool_code ask_within(void *user, void *buf, size_t len, size_t *out_len,
                                    struct urlpool_error *err)
{
    struct asker *asker = user;

    (void)err;
    ck_assert_uint_ge(len, 5);
    *out_len = 0;
    if (!asker->has_asked) {
        asker->has_asked = true;
        test_get(asker->manager, asker->server);
        memcpy(buf, "inner", 5);
        *out_len = 5;
    }
    return URLPOOL_OK;
}

/* refuse_second lets every host be dialled but "second.example". */
static bool refuse_second(void *user, const char *host, const char *address, uint16_t port)
{
    unsigned *num_asked = user;

    (void)port;
    ck_assert_str_eq(address, "127.0.0.1");
    ++*num_asked;
    return strcmp(host, "second.example") != 0;
}

START_TEST(r179__each_hop_is_judged_before_it_is_dialled)
{
    static const char *const answers[] = {"first.example:*:127.0.0.1", "second.example:*:127.0.0.1",
                                          NULL};
    unsigned num_asked = 0;
    char there[64];
    char url[64];
    struct test_server *server = test_server_start(lead_to, there, NULL);
    struct urlpool_manager *manager = test_manager(&(struct urlpool_manager_options){
        .network = {.answers = answers, .allow = refuse_second, .allow_user = &num_asked}
    });

    snprintf(there, sizeof(there), "http://second.example:%d/", test_server_port(server));
    snprintf(url, sizeof(url), "http://first.example:%d/", test_server_port(server));
    ck_assert_ptr_null(urlpool_request(manager, "GET", url, NULL, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_ADDRESS_REFUSED);
    ck_assert_uint_eq(num_asked, 2);
    ck_assert_uint_eq(test_server_num_requests(server), 1);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

/* ask_by_proxy says whether `server` was asked as a proxy for http://[fe80::1%25a.example]/. */
static bool ask_by_proxy(struct test_server *server, const char *no_proxy)
{
    const unsigned num_before = test_server_num_requests(server);
    char proxy_url[64];
    const struct urlpool_manager_options options = {
        .proxy = {.url = test_server_url(server, "", proxy_url, sizeof(proxy_url)),
                  .no_proxy = no_proxy},
        .retries = TEST_ONE_TRY
    };
    struct urlpool_manager *manager = test_manager(&options);
    struct urlpool_response *response =
        urlpool_request(manager, "GET", "http://[fe80::1%25a.example]/", NULL, &test_err);
    char *head = test_server_last_head(server);

    if (response != NULL) {
        ck_assert_ptr_eq(strstr(head, "GET http://[fe80::1]/ HTTP/1.1\r\nHost: [fe80::1]\r\n"),
                         head);
    }
    free(head);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    return test_server_num_requests(server) > num_before;
}

START_TEST(r201__a_zone_is_no_matter_to_no_proxy)
{
    struct test_server *server = test_server_start(test_answer_hello, NULL, NULL);

    ck_assert(ask_by_proxy(server, NULL));
    ck_assert(ask_by_proxy(server, ".example, a.example"));
    ck_assert(!ask_by_proxy(server, "fe80::1"));
    ck_assert(!ask_by_proxy(server, "fe80::/10"));
    test_server_stop(server);
}
END_TEST

START_TEST(r235__a_callback_may_make_a_request_of_its_own)
{
    struct test_server *server = test_server_start(test_answer_echo, NULL, NULL);
    struct urlpool_manager *manager = test_manager(NULL);
    struct asker asker = {manager, server, false};
    const struct urlpool_request_options options = {
        .body = urlpool_body_callback(ask_within, NULL, &asker, 0)};
    struct urlpool_response *response = test_fetch(manager, "POST", server, "/", &options);

    ck_assert_str_eq((const char *)response->data, "inner");
    ck_assert_uint_eq(test_server_num_connections(server), 2);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    test_server_stop(server);
}
END_TEST

RUN_LOOPS("conformance", TEST_ONCE(r019__a_code_nobody_knows_is_the_first_of_its_class),
          TEST_ROWS(r124__bytes_on_an_idle_connection_answer_nothing, idle_bytes),
          TEST_ROWS(r124__bytes_on_an_idle_tls_connection_answer_nothing, idle_bytes),
          TEST_ONCE(r127__a_request_waits_for_no_others_answer_on_its_connection),
          TEST_ONCE(r129__an_answer_that_comes_too_late_reaches_nobody),
          TEST_ONCE(r133__a_misdirected_request_is_the_callers_unless_listed),
          TEST_ONCE(r155__nothing_of_a_request_is_in_the_next), TEST_ONCE(r159__no_referer_is_made),
          TEST_ONCE(r159__a_referer_of_https_stays_behind_where_a_redirect_leaves_it),
          TEST_ONCE(r168__a_location_elsewhere_is_not_followed),
          TEST_ONCE(r179__each_hop_is_judged_before_it_is_dialled),
          TEST_ONCE(r201__a_zone_is_no_matter_to_no_proxy),
          TEST_ONCE(r182__a_challenge_is_the_callers),
          TEST_ONCE(r218__no_early_data_is_sent_though_the_server_would_take_it),
          TEST_ONCE(r220__plain_bytes_in_front_of_the_handshake_end_it),
          TEST_ONCE(r235__a_callback_may_make_a_request_of_its_own))
