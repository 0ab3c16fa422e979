/* Whom HTTPS does not talk to: each refusal by its code, in the phase TLS, in one sentence; and
 * nothing of the request is sent. */

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/https_scene.h"
#include "support/loopback.h"
#include "support/requests.h"
#include "support/run_tests.h"
#include "support/tls_client.h"

enum {
    HOUR_S = 3600
};

/* expect_refusal asks the scene's server; nothing may reach it. */
static void expect_refusal(const struct https_scene *scene, struct urlpool_manager *manager,
                           enum urlpool_code code, const char *words)
{
    const struct urlpool_request_options secret = {.body = urlpool_body_bytes("secret", 6)};

    ck_assert_int_eq(test_fetch_fails(manager, "POST", scene->server, "/", &secret), code);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_TLS);
    ck_assert_msg(strstr(test_err.message, words) != NULL, "message \"%s\"", test_err.message);
    ck_assert(!test_err.maybe_processed);
    ck_assert_uint_ne(test_err.tls_code, 0);
    ck_assert(urlpool_code_is(test_err.code, URLPOOL_CLASS_TLS));
    ck_assert_uint_eq(test_server_num_requests(scene->server), 0);
    ck_assert_uint_eq(test_stats(manager).open, 0);
    ck_assert_uint_eq(test_stats(manager).dial_failures, 1);
}

/* refuse_leaf makes a server of a certificate, and expects it to be refused. */
static void refuse_leaf(const struct test_cert_options *leaf, enum urlpool_code code,
                        const char *words)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, leaf);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.tls = scene.tls});

    expect_refusal(&scene, manager, code, words);
    urlpool_manager_free(manager);
    https_scene_end(&scene);
}

static const struct test_name loopback_names[] = {TEST_IP("\x7f\x00\x00\x01")};
static const struct test_name other_names[] = {TEST_DNS("other.example")};

START_TEST(refusal__of_an_expired_certificate)
{
    const struct test_cert_options leaf = {
        .names = loopback_names, .num_names = 1, .begin_s = -2 * HOUR_S, .end_s = -HOUR_S};

    refuse_leaf(&leaf, URLPOOL_E_TLS_EXPIRED, "expired");
}
END_TEST

START_TEST(refusal__of_a_certificate_that_is_not_yet_valid)
{
    const struct test_cert_options leaf = {
        .names = loopback_names, .num_names = 1, .begin_s = HOUR_S, .end_s = 2 * HOUR_S};

    refuse_leaf(&leaf, URLPOOL_E_TLS_EXPIRED, "not valid before");
}
END_TEST

START_TEST(refusal__of_a_certificate_for_another_name)
{
    const struct test_cert_options leaf = {.names = other_names, .num_names = 1};

    refuse_leaf(&leaf, URLPOOL_E_TLS_HOSTNAME, "other.example");
}
END_TEST

START_TEST(refusal__of_a_self_signed_certificate)
{
    const struct test_cert_options options = {.names = loopback_names, .num_names = 1};
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct test_cert *lonely = test_cert_new(&options, NULL);
    struct https_scene other = scene;
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.tls = scene.tls});
    struct test_server_options serving = {0};

    other.context = test_cert_context((const struct test_cert *const[]){lonely, NULL});
    serving.tls = other.context;
    other.server = test_server_start(test_answer_hello, NULL, &serving);
    expect_refusal(&other, manager, URLPOOL_E_TLS_VERIFY, "self signed");
    urlpool_manager_free(manager);
    test_server_stop(other.server);
    SSL_CTX_free(other.context);
    test_cert_free(lonely);
    https_scene_end(&scene);
}
END_TEST

START_TEST(refusal__of_an_unknown_ca)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct test_cert *another = test_ca("Another CA");
    struct urlpool_tls *tls = test_trust(another);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.tls = tls, .retries = TEST_ONE_TRY});

    expect_refusal(&scene, manager, URLPOOL_E_TLS_VERIFY,
                   "self signed certificate in certificate chain");
    urlpool_manager_free(manager);
    urlpool_tls_unref(tls);
    test_cert_free(another);
    https_scene_end(&scene);
}
END_TEST

START_TEST(refusal__where_nobody_is_trusted)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager;
    char *dir = test_dir();
    char *empty = test_file(dir, "empty.pem", "");

    ck_assert_int_eq(setenv("SSL_CERT_FILE", empty, 1), 0);
    ck_assert_int_eq(unsetenv("SSL_CERT_DIR"), 0);
    manager = test_manager(NULL);
    ck_assert_int_eq(test_fetch_fails(manager, "GET", scene.server, "/", NULL),
                     URLPOOL_E_TLS_NO_ANCHORS);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_TLS);
    ck_assert_uint_eq(test_server_num_connections(scene.server), 0);
    urlpool_manager_free(manager);
    free(empty);
    test_dir_remove(dir);
    https_scene_end(&scene);
}
END_TEST

START_TEST(refusal__disturbs_no_other_request)
{
    struct https_scene good = https_scene_begin(test_answer_hello, NULL, NULL);
    struct test_cert_options leaf = {.names = other_names, .num_names = 1};
    struct https_scene bad = https_scene_begin(test_answer_hello, NULL, &leaf);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.tls = good.tls});
    struct urlpool_response *response;

    test_get(manager, good.server);
    (void)test_fetch_fails(manager, "GET", bad.server, "/", NULL);
    response = test_fetch(manager, "GET", good.server, "/", NULL);
    ck_assert(response->connection_reused);
    urlpool_response_free(response);
    urlpool_manager_free(manager);
    https_scene_end(&bad);
    https_scene_end(&good);
}
END_TEST

START_TEST(insecure__takes_whom_verification_refuses)
{
    const struct test_cert_options leaf = {
        .names = other_names, .num_names = 1, .begin_s = -2 * HOUR_S, .end_s = -HOUR_S};
    const struct urlpool_tls_options anybody = {.insecure_no_verify = true};
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, &leaf);
    struct urlpool_tls *tls = urlpool_tls_new(&anybody, &test_err);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.tls = tls, .retries = TEST_ONE_TRY});

    test_get(manager, scene.server);
    (void)urlpool_manager_close_idle(manager);
    test_get(manager, scene.server);
    ck_assert_uint_eq(test_stats(manager).tls_full, 2); /* such a session is never resumed */
    ck_assert_uint_eq(test_stats(manager).tls_resumed, 0);
    urlpool_manager_free(manager);
    urlpool_tls_unref(tls);
    https_scene_end(&scene);
}
END_TEST

START_TEST(insecure__lends_nothing_to_a_verified_manager)
{
    const struct test_cert_options leaf = {.names = other_names, .num_names = 1};
    const struct urlpool_tls_options anybody = {.insecure_no_verify = true};
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, &leaf);
    struct urlpool_tls *tls = urlpool_tls_new(&anybody, &test_err);
    struct urlpool_manager *careless =
        test_manager(&(struct urlpool_manager_options){.tls = tls, .retries = TEST_ONE_TRY});
    struct urlpool_manager *careful =
        test_manager(&(struct urlpool_manager_options){.tls = scene.tls});

    test_get(careless, scene.server);
    ck_assert_int_eq(test_fetch_fails(careful, "GET", scene.server, "/", NULL),
                     URLPOOL_E_TLS_HOSTNAME);
    ck_assert_uint_eq(test_server_num_requests(scene.server), 1);
    urlpool_manager_free(careful);
    urlpool_manager_free(careless);
    urlpool_tls_unref(tls);
    https_scene_end(&scene);
}
END_TEST

START_TEST(refusal__of_a_port_that_speaks_http)
{
    const struct urlpool_tls_options anybody = {.insecure_no_verify = true};
    struct urlpool_tls *tls = urlpool_tls_new(&anybody, &test_err);
    struct tls_server *speaker =
        tls_server_start(&(struct tls_server_options){.manner = TLS_SERVER_SPEAKS_HTTP});
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.tls = tls, .retries = TEST_ONE_TRY});
    char url[64];

    snprintf(url, sizeof(url), "https://127.0.0.1:%d/", tls_server_port(speaker));
    ck_assert_ptr_null(urlpool_request(manager, "GET", url, NULL, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_TLS);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_TLS);
    ck_assert_msg(strstr(test_err.message, "the peer does not speak TLS") != NULL, "%s",
                  test_err.message);
    urlpool_manager_free(manager);
    urlpool_tls_unref(tls);
    tls_server_stop(speaker);
}
END_TEST

START_TEST(refusal__of_peers_that_do_not_shake_hands)
{
    static const struct {
        enum tls_server_manner manner;
        const char *words;
    } cases[] = {
        {TLS_SERVER_SPEAKS_GARBAGE, "does not speak TLS"},
        {TLS_SERVER_CLOSES,         "closed"            },
        {TLS_SERVER_RESETS,         "reset"             },
    };
    const struct urlpool_tls_options anybody = {.insecure_no_verify = true};
    struct urlpool_tls *tls = urlpool_tls_new(&anybody, &test_err);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.tls = tls, .retries = TEST_ONE_TRY});

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tls_server *peer =
            tls_server_start(&(struct tls_server_options){.manner = cases[i].manner});
        char url[64];

        snprintf(url, sizeof(url), "https://127.0.0.1:%d/", tls_server_port(peer));
        ck_assert_ptr_null(urlpool_request(manager, "GET", url, NULL, &test_err));
        ck_assert_msg(urlpool_code_is(test_err.code, URLPOOL_CLASS_TLS) ||
                          test_err.code == URLPOOL_E_RESET,
                      "case %zu: %s", i, urlpool_code_name(test_err.code));
        ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_TLS);
        ck_assert_msg(strstr(test_err.message, cases[i].words) != NULL, "case %zu: \"%s\"", i,
                      test_err.message);
        ck_assert(!test_err.maybe_processed);
        tls_server_stop(peer);
    }
    ck_assert_uint_eq(test_stats(manager).open, 0);
    urlpool_manager_free(manager);
    urlpool_tls_unref(tls);
}
END_TEST

/* begin_and_go answers a ClientHello with the beginning of a handshake record, and goes. */
static void *begin_and_go(void *arg)
{
    static const char beginning[] = "\x16\x03\x03\x00\x7a\x02\x00\x00";
    const int *listener = arg;
    int fd = loopback_accept(*listener);
    char hello[4096];

    ck_assert_int_gt(recv(fd, hello, sizeof(hello), 0), 0);
    ck_assert_int_eq(send(fd, beginning, sizeof(beginning) - 1, MSG_NOSIGNAL),
                     sizeof(beginning) - 1);
    close(fd);
    return NULL;
}

START_TEST(refusal__of_a_handshake_cut_short)
{
    int listener = loopback_listen("127.0.0.1", 0);
    const struct urlpool_tls_options anybody = {.insecure_no_verify = true};
    struct urlpool_tls *tls = urlpool_tls_new(&anybody, &test_err);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.tls = tls, .retries = TEST_ONE_TRY});
    pthread_t thread;
    char url[64];

    ck_assert_int_eq(pthread_create(&thread, NULL, begin_and_go, &listener), 0);
    snprintf(url, sizeof(url), "https://127.0.0.1:%d/", loopback_port(listener));
    ck_assert_ptr_null(urlpool_request(manager, "GET", url, NULL, &test_err));
    ck_assert_int_eq(test_err.code, URLPOOL_E_TLS);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_TLS);
    ck_assert_ptr_nonnull(strstr(test_err.message, "closed"));
    pthread_join(thread, NULL);
    close(listener);
    urlpool_manager_free(manager);
    urlpool_tls_unref(tls);
}
END_TEST

START_TEST(refusal__of_http_where_https_is_spoken_names_the_answer)
{
    struct https_scene scene = https_scene_begin(test_answer_hello, NULL, NULL);
    struct urlpool_manager *manager =
        test_manager(&(struct urlpool_manager_options){.retries = TEST_ONE_TRY});
    char url[64];

    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", test_server_port(scene.server));
    ck_assert_ptr_null(urlpool_request(manager, "GET", url, NULL, &test_err));
    ck_assert(test_err.code == URLPOOL_E_BAD_STATUS_LINE ||
              test_err.code == URLPOOL_E_REMOTE_DISCONNECTED || test_err.code == URLPOOL_E_RESET);
    ck_assert_int_eq(test_err.phase, URLPOOL_PHASE_HEAD);
    ck_assert_uint_eq(test_server_num_requests(scene.server), 0);
    urlpool_manager_free(manager);
    https_scene_end(&scene);
}
END_TEST

RUN_TESTS("https refusals", refusal__of_an_expired_certificate,
          refusal__of_a_certificate_that_is_not_yet_valid,
          refusal__of_a_certificate_for_another_name, refusal__of_a_self_signed_certificate,
          refusal__of_an_unknown_ca, refusal__where_nobody_is_trusted,
          refusal__disturbs_no_other_request, insecure__takes_whom_verification_refuses,
          insecure__lends_nothing_to_a_verified_manager, refusal__of_a_port_that_speaks_http,
          refusal__of_peers_that_do_not_shake_hands, refusal__of_a_handshake_cut_short,
          refusal__of_http_where_https_is_spoken_names_the_answer)
