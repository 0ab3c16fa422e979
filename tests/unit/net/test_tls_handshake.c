/* Handshakes as a user meets them: what is accepted, what is refused, and with which code. */

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "support/certs.h"
#include "support/run_tests.h"
#include "support/tls_client.h"
#include "support/tls_scene.h"
#include "support/tls_server.h"

/* refused shakes hands, expects failure, and gives the error. */
static struct urlpool_error refused(struct tls_scene *scene, const char *host)
{
    struct urlpool_error err = {0};
    struct urlp_stream *stream = tls_scene_dial(scene, host, &err);

    ck_assert_ptr_null(stream);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_TLS);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    return err;
}

START_TEST(handshake__speaks_tls_1_3_with_a_trusted_peer)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct urlp_stream *stream = tls_scene_dial(&scene, "localhost", NULL);
    const char *version;
    const char *cipher;
    bool is_resumed;

    ck_assert_ptr_nonnull(stream);
    ck_assert_str_eq(test_ask(stream, "echo hello"), "hello");
    ck_assert(urlp_tls_describe(stream, &version, &cipher, &is_resumed));
    ck_assert_str_eq(version, "TLSv1.3");
    ck_assert_ptr_nonnull(strstr(cipher, "TLS_"));
    ck_assert(!is_resumed);
    ck_assert_str_eq(stream->ops->name, "tls");
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(handshake__speaks_tls_1_2_with_a_peer_that_knows_no_more)
{
    struct tls_scene scene =
        tls_scene_begin((struct tls_server_options){.max_version = TLS1_2_VERSION});
    struct urlp_stream *stream = tls_scene_dial(&scene, "localhost", NULL);
    const char *version;
    const char *cipher;
    bool is_resumed;

    ck_assert_ptr_nonnull(stream);
    ck_assert(urlp_tls_describe(stream, &version, &cipher, &is_resumed));
    ck_assert_str_eq(version, "TLSv1.2");
    ck_assert_str_eq(test_ask(stream, "echo hello"), "hello");
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(handshake__refuses_tls_1_1)
{
    struct tls_scene scene = tls_scene_begin(
        (struct tls_server_options){.min_version = TLS1_VERSION, .max_version = TLS1_1_VERSION});
    const struct urlpool_error err = refused(&scene, "localhost");

    ck_assert_int_eq(err.code, URLPOOL_E_TLS);
    ck_assert_uint_ne(err.tls_code, 0);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(handshake__asks_for_a_name_lower_case_and_without_its_trailing_dot)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});

    urlp_stream_free(tls_scene_dial(&scene, "LocalHost.", NULL), URLP_CLOSE_POLITE);
    ck_assert_str_eq(tls_server_wait(scene.server, 1).name, "localhost");
    tls_scene_end(&scene);
}
END_TEST

START_TEST(handshake__never_asks_for_an_address_by_sni)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    const struct test_name name = TEST_IP("\x7f\x00\x00\x01");
    struct test_cert *leaf =
        test_cert_new(&(struct test_cert_options){.names = &name, .num_names = 1}, scene.ca);
    struct urlp_stream *stream;

    tls_server_present(scene.server, (const struct test_cert *[]){leaf, NULL});
    stream = tls_scene_dial(&scene, "127.0.0.1", NULL);
    ck_assert_ptr_nonnull(stream);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    ck_assert_str_eq(tls_server_wait(scene.server, 1).name, "");
    test_cert_free(leaf);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(handshake__takes_an_ipv6_address_by_its_octets_alone)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    const struct test_name octets = TEST_IP("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01");
    const struct test_name text = TEST_DNS("::1");
    struct test_cert *right =
        test_cert_new(&(struct test_cert_options){.names = &octets, .num_names = 1}, scene.ca);
    struct test_cert *wrong =
        test_cert_new(&(struct test_cert_options){.names = &text, .num_names = 1}, scene.ca);
    struct urlp_stream *stream;

    tls_server_present(scene.server, (const struct test_cert *[]){right, NULL});
    stream = tls_scene_dial(&scene, "0:0::0:1", NULL);
    ck_assert_ptr_nonnull(stream);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    ck_assert_str_eq(tls_server_wait(scene.server, 1).name, "");
    tls_server_present(scene.server, (const struct test_cert *[]){wrong, NULL});
    ck_assert_int_eq(refused(&scene, "::1").code, URLPOOL_E_TLS_HOSTNAME);
    test_cert_free(right);
    test_cert_free(wrong);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(handshake__refuses_a_host_that_no_certificate_can_be_for)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    const struct urlp_tls_target targets[] = {
        {.host = {"", 0},     .port = 1},
        {.host = {".", 1},    .port = 1},
        {.host = {"a\0b", 3}, .port = 1},
        {.host = {NULL, 0},   .port = 1}
    };
    struct urlp_stream *inner = test_connect(scene.port);
    const struct urlp_call call = test_call();

    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        struct urlpool_error err = {0};

        ck_assert_ptr_null(urlp_tls_wrap(inner, scene.tls, &targets[i], NULL, &call, &err));
        ck_assert_int_eq(err.code, URLPOOL_E_INVALID);
    }
    urlp_stream_free(inner, URLP_CLOSE_SILENT);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(handshake__offers_http_1_1_and_nothing_else)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){.alpn = "http/1.1"});

    urlp_stream_free(tls_scene_dial(&scene, "localhost", NULL), URLP_CLOSE_POLITE);
    ck_assert_str_eq(tls_server_wait(scene.server, 1).alpn, "\x08http/1.1");
    tls_scene_end(&scene);
}
END_TEST

START_TEST(handshake__refuses_a_peer_that_chooses_another_protocol)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){.alpn = "h2"});
    const struct urlpool_error err = refused(&scene, "localhost");

    ck_assert_int_eq(err.code, URLPOOL_E_TLS);
    ck_assert_ptr_nonnull(strstr(err.message, "http/1.1"));
    tls_scene_end(&scene);
}
END_TEST

START_TEST(handshake__refuses_an_expired_certificate_and_says_when)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    const struct test_name name = TEST_DNS("localhost");
    struct test_cert *leaf = test_cert_new(
        &(struct test_cert_options){
            .names = &name, .num_names = 1, .begin_s = -7200, .end_s = -3600},
        scene.ca);
    struct urlpool_error err;

    tls_server_present(scene.server, (const struct test_cert *[]){leaf, NULL});
    err = refused(&scene, "localhost");
    ck_assert_int_eq(err.code, URLPOOL_E_TLS_EXPIRED);
    ck_assert_uint_eq(err.tls_code, X509_V_ERR_CERT_HAS_EXPIRED);
    ck_assert_ptr_nonnull(strstr(err.message, "certificate of localhost expired on "));
    ck_assert_ptr_nonnull(strstr(err.message, " GMT"));
    ck_assert_uint_eq(tls_server_wait(scene.server, 1).alert, SSL_AD_CERTIFICATE_EXPIRED);
    test_cert_free(leaf);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(handshake__refuses_a_certificate_for_another_name_and_names_it)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct test_cert *leaf = test_leaf("other.example", scene.ca);
    struct urlpool_error err;

    tls_server_present(scene.server, (const struct test_cert *[]){leaf, NULL});
    err = refused(&scene, "localhost");
    ck_assert_int_eq(err.code, URLPOOL_E_TLS_HOSTNAME);
    ck_assert_str_eq(err.message, "certificate is for other.example, not for localhost");
    ck_assert_uint_eq(tls_server_wait(scene.server, 1).num_handshakes, 0);
    test_cert_free(leaf);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(handshake__refuses_a_self_signed_certificate)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct test_cert *leaf = test_leaf("localhost", NULL);
    struct urlpool_error err;

    tls_server_present(scene.server, (const struct test_cert *[]){leaf, NULL});
    err = refused(&scene, "localhost");
    ck_assert_int_eq(err.code, URLPOOL_E_TLS_VERIFY);
    ck_assert_uint_eq(err.tls_code, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
    test_cert_free(leaf);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(handshake__refuses_an_unknown_ca_also_over_tls_1_2)
{
    struct test_cert *stranger = test_ca("stranger");
    struct test_cert *leaf = test_leaf("localhost", stranger);
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){
        .certs = {leaf, stranger},
          .max_version = TLS1_2_VERSION
    });
    const struct urlpool_error err = refused(&scene, "localhost");

    ck_assert_int_eq(err.code, URLPOOL_E_TLS_VERIFY);
    ck_assert_uint_eq(err.tls_code, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN);
    ck_assert_uint_eq(tls_server_wait(scene.server, 1).alert, SSL_AD_UNKNOWN_CA);
    tls_scene_end(&scene);
    test_cert_free(leaf);
    test_cert_free(stranger);
}
END_TEST

/* expect_key: a peer with a key of this kind is spoken to. */
static void expect_key(struct test_cert_options options, uint16_t max_version)
{
    static const struct test_name name = TEST_DNS("localhost");
    struct tls_scene scene =
        tls_scene_begin((struct tls_server_options){.max_version = max_version});
    struct test_cert *leaf;
    struct urlp_stream *stream;

    options.names = &name;
    options.num_names = 1;
    leaf = test_cert_new(&options, scene.ca);
    tls_server_present(scene.server, (const struct test_cert *[]){leaf, NULL});
    stream = tls_scene_dial(&scene, "localhost", NULL);
    ck_assert_ptr_nonnull(stream);
    ck_assert_str_eq(test_ask(stream, "echo hello"), "hello");
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
    test_cert_free(leaf);
}

START_TEST(handshake__takes_keys_of_each_kind)
{
    expect_key((struct test_cert_options){.rsa_bits = 2048}, 0);
    expect_key((struct test_cert_options){.rsa_bits = 2048}, TLS1_2_VERSION);
    expect_key((struct test_cert_options){.is_ed25519 = true}, 0);
}
END_TEST

START_TEST(handshake__insecure_takes_any_certificate)
{
    struct test_cert *leaf = test_leaf("other.example", NULL);
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){.certs = {leaf}});
    const struct urlpool_tls_options options = {.insecure_no_verify = true};
    struct urlp_stream *stream;

    urlpool_tls_unref(scene.tls);
    scene.tls = urlpool_tls_new(&options, NULL);
    ck_assert_ptr_nonnull(scene.tls);
    stream = tls_scene_dial(&scene, "localhost", NULL);
    ck_assert_ptr_nonnull(stream);
    ck_assert_str_eq(test_ask(stream, "echo hello"), "hello");
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
    test_cert_free(leaf);
}
END_TEST

START_TEST(handshake__says_when_the_peer_speaks_http)
{
    struct tls_scene scene =
        tls_scene_begin((struct tls_server_options){.manner = TLS_SERVER_SPEAKS_HTTP});
    const struct urlpool_error err = refused(&scene, "localhost");

    ck_assert_int_eq(err.code, URLPOOL_E_TLS);
    ck_assert_str_eq(err.message, "TLS handshake with localhost: the peer does not speak TLS");
    tls_scene_end(&scene);
}
END_TEST

START_TEST(handshake__refuses_garbage)
{
    struct tls_scene scene =
        tls_scene_begin((struct tls_server_options){.manner = TLS_SERVER_SPEAKS_GARBAGE});

    ck_assert_int_eq(refused(&scene, "localhost").code, URLPOOL_E_TLS);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(handshake__says_that_the_peer_closed)
{
    struct tls_scene scene =
        tls_scene_begin((struct tls_server_options){.manner = TLS_SERVER_CLOSES});
    const struct urlpool_error err = refused(&scene, "localhost");

    ck_assert_int_eq(err.code, URLPOOL_E_TLS);
    ck_assert_str_eq(err.message, "TLS handshake with localhost: the peer closed the connection");
    tls_scene_end(&scene);
}
END_TEST

START_TEST(handshake__says_that_the_peer_reset)
{
    struct tls_scene scene =
        tls_scene_begin((struct tls_server_options){.manner = TLS_SERVER_RESETS});
    const struct urlpool_error err = refused(&scene, "localhost");

    ck_assert_int_eq(err.code, URLPOOL_E_RESET);
    ck_assert_int_eq(err.os_errno, ECONNRESET);
    tls_scene_end(&scene);
}
END_TEST

/* In TLS 1.2 the alerts of a handshake are in the clear until the keys change. The client's second
 * write is its answer to what the server has shown. */
START_TEST(handshake__whose_write_failed_is_told_by_the_alert_that_came_before)
{
    static const struct {
        const char *last_words;
        size_t last_words_len;
        enum urlpool_code code;
        const char *message;
    } cases[] = {
        {"\x15\x03\x03\x00\x02\x02\x28", 7, URLPOOL_E_TLS,
         "TLS handshake with localhost: the peer sent the alert handshake failure"                             },
        {"",                             0, URLPOOL_E_RESET, "TLS handshake with localhost: failed by the test"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tls_scene scene =
            tls_scene_begin((struct tls_server_options){.max_version = TLS1_2_VERSION});
        const struct urlp_tls_target target = {.host = urlp_span_of("localhost"),
                                               .port = scene.port};
        struct test_counts counts = {.write_code = URLPOOL_E_RESET,
                                     .num_writes_first = 1,
                                     .last_words = cases[i].last_words,
                                     .last_words_len = cases[i].last_words_len};
        struct urlp_stream *inner = test_count_calls(test_connect(scene.port), &counts);
        const struct urlp_call call = test_call();
        struct urlpool_error err = {0};

        ck_assert_ptr_null(urlp_tls_wrap(inner, scene.tls, &target, NULL, &call, &err));
        ck_assert_str_eq(err.message, cases[i].message);
        ck_assert_int_eq(err.code, cases[i].code);
        ck_assert_int_eq(err.phase, URLPOOL_PHASE_TLS);
        ck_assert_uint_eq(ERR_peek_error(), 0);
        urlp_stream_free(inner, URLP_CLOSE_SILENT);
        tls_scene_end(&scene);
    }
}
END_TEST

START_TEST(handshake__is_bounded_by_the_connect_deadline)
{
    struct tls_scene scene =
        tls_scene_begin((struct tls_server_options){.manner = TLS_SERVER_STALLS});
    const struct urlp_call call = {.by = urlp_deadline_in(30), .total_by = URLP_NEVER};
    struct urlpool_error err = {0};

    ck_assert_ptr_null(test_wrap(scene.port, scene.tls, "localhost", NULL, &call, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_CONNECT_TIMEOUT);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_TLS);
    ck_assert_str_eq(err.message, "TLS handshake with localhost: timed out");
    tls_scene_end(&scene);
}
END_TEST

START_TEST(handshake__is_bounded_by_the_total_deadline)
{
    struct tls_scene scene =
        tls_scene_begin((struct tls_server_options){.manner = TLS_SERVER_STALLS});
    const struct urlpool_deadline soon = urlp_deadline_in(30);
    const struct urlp_call call = {.by = soon, .total_by = soon};
    struct urlpool_error err = {0};

    ck_assert_ptr_null(test_wrap(scene.port, scene.tls, "localhost", NULL, &call, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_TOTAL_TIMEOUT);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(handshake__ends_when_cancelled)
{
    struct tls_scene scene =
        tls_scene_begin((struct tls_server_options){.manner = TLS_SERVER_STALLS});
    struct urlpool_cancel *cancel = urlpool_cancel_new(NULL);
    struct urlp_call call = test_call();
    struct urlpool_error err = {0};

    call.cancel = cancel;
    urlpool_cancel_now(cancel);
    ck_assert_ptr_null(test_wrap(scene.port, scene.tls, "localhost", NULL, &call, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_CANCELLED);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_TLS);
    urlpool_cancel_free(cancel);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(handshake__leaves_the_connection_to_the_caller_when_it_fails)
{
    struct tls_scene scene =
        tls_scene_begin((struct tls_server_options){.manner = TLS_SERVER_SPEAKS_GARBAGE});
    const struct urlp_tls_target target = {.host = urlp_span_of("localhost"), .port = scene.port};
    const struct urlp_call call = test_call();
    struct urlp_stream *inner = test_connect(scene.port);

    ck_assert_ptr_null(urlp_tls_wrap(inner, scene.tls, &target, NULL, &call, NULL));
    ck_assert_int_ge(urlp_stream_fd(inner), 0);
    urlp_stream_free(inner, URLP_CLOSE_SILENT);
    tls_scene_end(&scene);
}
END_TEST

/* --- trace --------------------------------------------------------------------------------- */

struct told {
    int num;
    char text[80];
    int64_t number;
};

static void on_event(void *user, const struct urlpool_trace_event *event)
{
    struct told *told = user;

    if (event->kind == URLPOOL_TRACE_SECURED) {
        told->num++;
        told->number = event->number;
        (void)snprintf(told->text, sizeof(told->text), "%.*s", (int)event->text_len, event->text);
    }
}

START_TEST(handshake__is_traced_once)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct told told = {.number = -1};
    const struct urlpool_trace trace = {.event = on_event, .user = &told};
    struct urlp_call call = test_call();

    call.trace = &trace;
    urlp_stream_free(test_wrap(scene.port, scene.tls, "localhost", NULL, &call, NULL),
                     URLP_CLOSE_POLITE);
    ck_assert_int_eq(told.num, 1);
    ck_assert_int_eq(told.number, 0);
    ck_assert_int_eq(strncmp(told.text, "TLSv1.3 TLS_", 12), 0);
    tls_scene_end(&scene);
}
END_TEST

RUN_TESTS("tls_handshake", handshake__speaks_tls_1_3_with_a_trusted_peer,
          handshake__speaks_tls_1_2_with_a_peer_that_knows_no_more, handshake__refuses_tls_1_1,
          handshake__asks_for_a_name_lower_case_and_without_its_trailing_dot,
          handshake__never_asks_for_an_address_by_sni,
          handshake__takes_an_ipv6_address_by_its_octets_alone,
          handshake__refuses_a_host_that_no_certificate_can_be_for,
          handshake__offers_http_1_1_and_nothing_else,
          handshake__refuses_a_peer_that_chooses_another_protocol,
          handshake__refuses_an_expired_certificate_and_says_when,
          handshake__refuses_a_certificate_for_another_name_and_names_it,
          handshake__refuses_a_self_signed_certificate,
          handshake__refuses_an_unknown_ca_also_over_tls_1_2, handshake__takes_keys_of_each_kind,
          handshake__insecure_takes_any_certificate, handshake__says_when_the_peer_speaks_http,
          handshake__refuses_garbage, handshake__says_that_the_peer_closed,
          handshake__says_that_the_peer_reset,
          handshake__whose_write_failed_is_told_by_the_alert_that_came_before,
          handshake__is_bounded_by_the_connect_deadline,
          handshake__is_bounded_by_the_total_deadline, handshake__ends_when_cancelled,
          handshake__leaves_the_connection_to_the_caller_when_it_fails, handshake__is_traced_once)
