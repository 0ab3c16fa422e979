/* Through a real squid: absolute form and CONNECT, with credentials and without, over plain TCP and
 * over TLS. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/https_scene.h"
#include "support/requests.h"
#include "support/run_tests.h"
#include "support/squid.h"

#define BIG_LEN 3000000

/* What each test has: squid, an http and an https origin behind it. */
struct scene {
    struct test_squid *squid;
    struct test_server *http;
    struct https_scene https;
    struct urlpool_tls *to_squid;
    char http_url[64], https_url[64];
};

static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    if (strcmp(request->target, "/big") == 0) {
        char *big = malloc(BIG_LEN + 1);

        ck_assert_ptr_nonnull(big);
        memset(big, 'b', BIG_LEN);
        big[BIG_LEN] = '\0';
        test_peer_reply(peer, 200, NULL, big);
        free(big);
    } else if (request->body_len > 0) {
        test_answer_echo(peer, request, user);
    } else {
        test_answer_hello(peer, request, user);
    }
}

static struct scene begin(bool asks_who)
{
    struct scene scene = {.squid = test_squid_start(asks_who)};
    struct urlpool_tls_options options = {.ca_data = test_squid_ca(scene.squid),
                                          .ca_data_len = strlen(test_squid_ca(scene.squid))};

    scene.http = test_server_start(answer, NULL, NULL);
    scene.https = https_scene_begin(answer, NULL, NULL);
    scene.to_squid = urlpool_tls_new(&options, &test_err);
    ck_assert_msg(scene.to_squid != NULL, "%s", test_err.message);
    (void)test_server_url(scene.http, "", scene.http_url, sizeof(scene.http_url));
    (void)test_server_url(scene.https.server, "", scene.https_url, sizeof(scene.https_url));
    return scene;
}

static void end(struct scene *scene)
{
    urlpool_tls_unref(scene->to_squid);
    test_server_stop(scene->http);
    https_scene_end(&scene->https);
    test_squid_stop(scene->squid);
}

static struct urlpool_manager *manager_for(const struct scene *scene, bool over_tls,
                                           const char *password)
{
    char url[64];
    const struct urlpool_manager_options options = {
        .proxy = {.url = url,
                  .tls = scene->to_squid,
                  .user = password != NULL ? "me" : NULL,
                  .password = password},
        .tls = scene->https.tls
    };

    snprintf(url, sizeof(url), "%s://127.0.0.1:%d", over_tls ? "https" : "http",
             test_squid_port(scene->squid, over_tls));
    return test_manager(&options);
}

static struct urlpool_response *send(struct urlpool_manager *manager, const char *method,
                                     const char *base, const char *path,
                                     const struct urlpool_request_options *options)
{
    char url[128];
    struct urlpool_response *response;

    snprintf(url, sizeof(url), "%s%s", base, path);
    response = urlpool_request(manager, method, url, options, &test_err);
    ck_assert_msg(response != NULL, "%s %s: %s", method, url, test_err.message);
    return response;
}

/* check_traffic makes a round of requests to one origin, all over one connection to the proxy. */
static void check_traffic(struct urlpool_manager *manager, const char *base, bool sees_squid)
{
    const struct urlpool_request_options post = {.body = urlpool_body_bytes("a body", 6)};
    const uint64_t num_before = test_stats(manager).opened;
    struct urlpool_response *response = send(manager, "GET", base, "/", NULL);

    ck_assert_int_eq(response->status, 200);
    ck_assert_str_eq((const char *)response->data, "hello");
    ck_assert((urlpool_response_header(response, "Via") != NULL) == sees_squid);
    urlpool_response_free(response);
    response = send(manager, "POST", base, "/", &post);
    ck_assert_str_eq((const char *)response->data, "a body");
    ck_assert(response->connection_reused);
    urlpool_response_free(response);
    response = send(manager, "GET", base, "/big", NULL);
    ck_assert_uint_eq(response->data_len, BIG_LEN);
    ck_assert_int_eq(response->data[BIG_LEN - 1], 'b');
    urlpool_response_free(response);
    ck_assert_uint_eq(test_stats(manager).opened, num_before + 1);
}

static void check_ways(bool asks_who, bool over_tls)
{
    struct scene scene = begin(asks_who);
    struct urlpool_manager *manager = manager_for(&scene, over_tls, asks_who ? "secret" : NULL);
    char *head;

    check_traffic(manager, scene.http_url, true);
    check_traffic(manager, scene.https_url, false);
    head = test_server_last_head(scene.http);
    ck_assert_ptr_nonnull(strstr(head, "squid")); /* Via: it was there */
    ck_assert_ptr_null(strstr(head, "Proxy-Authorization"));
    free(head);
    urlpool_manager_free(manager);
    end(&scene);
}

START_TEST(squid__forwards_and_tunnels)
{
    check_ways(false, false);
}
END_TEST

START_TEST(squid__forwards_and_tunnels_over_tls)
{
    check_ways(false, true);
}
END_TEST

START_TEST(squid__is_told_who_asks)
{
    check_ways(true, false);
}
END_TEST

START_TEST(squid__is_told_who_asks_over_tls)
{
    check_ways(true, true);
}
END_TEST

START_TEST(squid__that_does_not_know_us_says_so)
{
    struct scene scene = begin(true);
    const char *const passwords[] = {NULL, "wrong"};

    for (size_t i = 0; i < 2; i++) {
        struct urlpool_manager *manager = manager_for(&scene, i == 1, passwords[i]);
        struct urlpool_response *response = send(manager, "GET", scene.http_url, "/", NULL);

        ck_assert_int_eq(response->status, 407);
        ck_assert_str_eq(urlpool_response_header(response, "Proxy-Authenticate"),
                         "Basic realm=\"test\"");
        ck_assert_uint_gt(response->data_len, 0);
        urlpool_response_free(response);
        ck_assert_ptr_null(urlpool_request(manager, "GET", scene.https_url, NULL, &test_err));
        ck_assert_int_eq(test_err.code, URLPOOL_E_PROXY);
        ck_assert_int_eq(test_err.http_status, 407);
        ck_assert_ptr_nonnull(strstr(test_err.message, "asked for is Basic realm=\"test\""));
        ck_assert_uint_eq(test_err.num_attempts, 1);
        ck_assert_ptr_null(strstr(test_err.message, "wrong"));
        urlpool_manager_free(manager);
    }
    ck_assert_uint_eq(test_server_num_requests(scene.http), 0);
    end(&scene);
}
END_TEST

START_TEST(squid__that_cannot_reach_the_origin_says_so)
{
    struct scene scene = begin(false);
    struct urlpool_manager *manager = manager_for(&scene, false, NULL);
    const struct urlpool_request_options once = {.retries = TEST_ONE_TRY};
    struct urlpool_response *response;

    test_server_stop(scene.http);
    scene.http = NULL;
    response = send(manager, "GET", scene.http_url, "/", &once);
    ck_assert_int_eq(response->status, 503);
    urlpool_response_free(response);
    snprintf(scene.https_url, sizeof(scene.https_url), "https%.50s", scene.http_url + 4);
    ck_assert_ptr_null(urlpool_request(manager, "GET", scene.https_url, &once, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_PROXY);
    ck_assert_int_eq(test_err.http_status, 503);
    urlpool_manager_free(manager);
    end(&scene);
}
END_TEST

START_TEST(squid__spoken_to_in_the_wrong_way_is_the_proxys_failure)
{
    struct scene scene = begin(false);
    char url[64];
    struct urlpool_manager_options options = {
        .proxy = {.url = url, .tls = scene.to_squid},
          .retries = TEST_ONE_TRY
    };
    struct urlpool_manager *manager;

    snprintf(url, sizeof(url), "https://127.0.0.1:%d", test_squid_port(scene.squid, false));
    manager = test_manager(&options);
    ck_assert_ptr_null(urlpool_request(manager, "GET", scene.http_url, NULL, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_PROXY);
    ck_assert_int_eq(test_err.cause, URLPOOL_E_TLS);
    urlpool_manager_free(manager);

    snprintf(url, sizeof(url), "http://127.0.0.1:%d", test_squid_port(scene.squid, true));
    manager = test_manager(&options);
    ck_assert_ptr_null(urlpool_request(manager, "GET", scene.https_url, NULL, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_PROXY);
    ck_assert_int_ne(test_err.cause, URLPOOL_OK);
    urlpool_manager_free(manager);
    end(&scene);
}
END_TEST

int main(void)
{
    const TTest *tests[7];

    if (!test_squid_exists()) {
        fprintf(stderr, "skipped: no squid\n");
        return TEST_SKIPPED;
    }
    tests[0] = squid__forwards_and_tunnels;
    tests[1] = squid__forwards_and_tunnels_over_tls;
    tests[2] = squid__is_told_who_asks;
    tests[3] = squid__is_told_who_asks_over_tls;
    tests[4] = squid__that_does_not_know_us_says_so;
    tests[5] = squid__that_cannot_reach_the_origin_says_so;
    tests[6] = squid__spoken_to_in_the_wrong_way_is_the_proxys_failure;
    return run_tests("squid", tests, sizeof(tests) / sizeof(tests[0]));
}
