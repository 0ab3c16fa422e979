/* Whom a peer has to be, when options say otherwise than the URL, and what is told when it may be
 * anybody. Every handshake is a real one. */

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/tls_session.h"
#include "support/certs.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"
#include "support/tls_client.h"
#include "support/tls_scene.h"
#include "support/tls_server.h"

#define PIN "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

/* struct told is what the trace was told. */
struct told {
    int num_secured, num_insecure;
    char text[320];
};

static void on_event(void *user, const struct urlpool_trace_event *event)
{
    struct told *told = user;

    if (event->kind == URLPOOL_TRACE_SECURED) {
        told->num_secured++;
    }
    if (event->kind == URLPOOL_TRACE_INSECURE) {
        ck_assert_int_eq(told->num_secured, 0);
        told->num_insecure++;
        (void)snprintf(told->text, sizeof(told->text), "%.*s", (int)event->text_len, event->text);
    }
}

/* outcome shakes hands with `host` once more, with `options`, and gives the error. */
static struct urlpool_error outcome(struct tls_scene *scene, const char *host,
                                    struct urlpool_tls_options options, struct told *told)
{
    const struct urlpool_trace trace = {.event = on_event, .user = told};
    struct urlp_call call = test_call();
    struct urlpool_error err = {0};
    struct urlp_stream *stream;

    tls_scene_use(scene, options);
    call.trace = told != NULL ? &trace : NULL;
    stream = test_wrap(scene->port, scene->tls, host, scene->sessions, &call, &err);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    ck_assert_int_eq(stream == NULL, err.code != URLPOOL_OK);
    if (stream != NULL) {
        ck_assert_int_eq(urlp_tls_is_verified(stream), told == NULL || told->num_insecure == 0);
        ck_assert_str_eq(test_ask(stream, "echo hello"), "hello");
        urlp_stream_free(stream, URLP_CLOSE_POLITE);
    }
    return err;
}

static void expect(struct tls_scene *scene, const char *host, struct urlpool_tls_options options,
                   enum urlpool_code code)
{
    const struct urlpool_error err = outcome(scene, host, options, NULL);

    ck_assert_msg(err.code == code, "%s: %s", host, err.message);
}

/* refused_option gives the message of building `options`, which has to be refused. */
static struct urlpool_error refused_option(struct urlpool_tls_options options)
{
    struct urlpool_error err = {0};

    options.insecure_no_verify = true;
    ck_assert_ptr_null(urlpool_tls_new(&options, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_INVALID);
    return err;
}

/* --- server_name and assert_hostname -------------------------------------------------------- */

START_TEST(server_name__is_asked_for_and_looked_for)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});

    expect(&scene, "127.0.0.1", (struct urlpool_tls_options){.server_name = "localhost"},
           URLPOOL_OK);
    ck_assert_str_eq(tls_server_wait(scene.server, 1).name, "localhost");
    expect(&scene, "localhost", (struct urlpool_tls_options){.server_name = "other.example"},
           URLPOOL_E_TLS_HOSTNAME);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(server_name__that_is_an_address_is_looked_for_and_not_asked_for)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    const struct test_name names[] = {TEST_IP("\xc0\x00\x02\x01"),
                                      TEST_IP("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01")};
    struct test_cert *leaf =
        test_cert_new(&(struct test_cert_options){.names = names, .num_names = 2}, scene.ca);

    tls_server_present(scene.server, (const struct test_cert *[]){leaf, NULL});
    expect(&scene, "localhost", (struct urlpool_tls_options){.server_name = "192.0.2.1"},
           URLPOOL_OK);
    ck_assert_str_eq(tls_server_wait(scene.server, 1).name, "");
    expect(&scene, "localhost", (struct urlpool_tls_options){.server_name = "[2001:DB8:0::1%lo]"},
           URLPOOL_OK);
    expect(&scene, "localhost", (struct urlpool_tls_options){.server_name = "192.0.2.2"},
           URLPOOL_E_TLS_HOSTNAME);
    tls_scene_end(&scene);
    test_cert_free(leaf);
}
END_TEST

START_TEST(assert_hostname__is_looked_for_while_sni_stays)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct test_cert *leaf = test_leaf("inner.example", scene.ca);
    struct urlpool_error err;

    tls_server_present(scene.server, (const struct test_cert *[]){leaf, NULL});
    expect(&scene, "localhost", (struct urlpool_tls_options){.assert_hostname = "Inner.Example."},
           URLPOOL_OK);
    ck_assert_str_eq(tls_server_wait(scene.server, 1).name, "localhost");
    expect(&scene, "localhost",
           (struct urlpool_tls_options){.server_name = "outer.example",
                                        .assert_hostname = "inner.example"},
           URLPOOL_OK);
    ck_assert_str_eq(tls_server_wait(scene.server, 2).name, "outer.example");
    err = outcome(&scene, "inner.example",
                  (struct urlpool_tls_options){.assert_hostname = "localhost"}, NULL);
    ck_assert_int_eq(err.code, URLPOOL_E_TLS_HOSTNAME);
    ck_assert_str_eq(err.message, "certificate is for inner.example, not for localhost");
    tls_scene_end(&scene);
    test_cert_free(leaf);
}
END_TEST

START_TEST(names__that_no_certificate_can_be_for_are_refused)
{
    static const char *const names[] = {
        "",         ".",         "a..b",         "*.example.org",
        "exa mple", "a/b",       "a:443",        "[::1",
        "[a]",      "a%b",       "\xc3\xa9.org", "::1::",
        "a\r\nb",   "user@host", "[1.2]",        "::ffff:1.2.3.4.5"};
    char long_name[300];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct urlpool_error err;

        err = refused_option((struct urlpool_tls_options){.server_name = names[i]});
        ck_assert_int_eq(strncmp(err.message, "server_name ", 12), 0);
        err = refused_option((struct urlpool_tls_options){.assert_hostname = names[i]});
        ck_assert_int_eq(strncmp(err.message, "assert_hostname ", 16), 0);
    }
    memset(long_name, 'a', sizeof(long_name));
    long_name[256] = '\0';
    (void)refused_option((struct urlpool_tls_options){.server_name = long_name});
}
END_TEST

/* Of the same configuration, so one name is looked for at two hosts: the sessions of one are not
 * offered to the other. */
START_TEST(assert_hostname__does_not_mix_the_sessions_of_two_hosts)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    const char *hosts[] = {"a.example", "b.example", "a.example"};

    tls_scene_use(&scene, (struct urlpool_tls_options){.assert_hostname = "localhost"});
    for (int i = 0; i < 3; i++) {
        struct urlp_stream *stream = tls_scene_dial(&scene, hosts[i], NULL);

        ck_assert_ptr_nonnull(stream);
        ck_assert_str_eq(test_ask(stream, "echo hello"), "hello");
        urlp_stream_free(stream, URLP_CLOSE_POLITE);
    }
    ck_assert_uint_eq(scene.counters.tls_full, 2);
    ck_assert_uint_eq(scene.counters.tls_resumed, 1);
    tls_scene_end(&scene);
}
END_TEST

/* --- insecure_ switches --------------------------------------------------------------------- */

START_TEST(insecure_no_hostname__still_verifies_the_chain_and_warns)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    const struct urlpool_tls_options options = {.insecure_no_hostname = true};
    struct test_cert *stranger = test_leaf("localhost", NULL);
    struct told told = {0};

    ck_assert_int_eq(outcome(&scene, "other.example", options, &told).code, URLPOOL_OK);
    ck_assert_int_eq(told.num_insecure, 1);
    ck_assert_int_eq(told.num_secured, 1);
    ck_assert_str_eq(told.text, "the certificate was not held against other.example");

    tls_server_present(scene.server, (const struct test_cert *[]){stranger, NULL});
    ck_assert_int_eq(outcome(&scene, "localhost", options, NULL).code, URLPOOL_E_TLS_VERIFY);
    tls_scene_end(&scene);
    test_cert_free(stranger);
}
END_TEST

START_TEST(insecure_no_hostname__does_not_ask_what_the_ca_is_limited_to)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct test_cert *ca = test_cert_new(
        &(struct test_cert_options){
            .common_name = "limited", .is_ca = true, .limits = "permitted;DNS:inner.example"},
        scene.ca);
    struct test_cert *leaf = test_leaf("a.inner.example", ca);
    struct told told = {0};

    tls_server_present(scene.server, (const struct test_cert *[]){leaf, ca, NULL});
    ck_assert_int_eq(outcome(&scene, "outer.example",
                             (struct urlpool_tls_options){.insecure_no_hostname = true}, &told)
                         .code,
                     URLPOOL_OK);
    tls_scene_end(&scene);
    test_cert_free(leaf);
    test_cert_free(ca);
}
END_TEST

START_TEST(insecure_no_verify__warns)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct told told = {0};

    ck_assert_int_eq(outcome(&scene, "a.example",
                             (struct urlpool_tls_options){.insecure_no_verify = true}, &told)
                         .code,
                     URLPOOL_OK);
    ck_assert_int_eq(told.num_insecure, 1);
    ck_assert_str_eq(told.text, "the certificate of a.example was not verified");
    tls_scene_end(&scene);
}
END_TEST

START_TEST(insecure__nothing_is_warned_of_when_all_is_checked)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct told told = {0};

    ck_assert_int_eq(outcome(&scene, "localhost", (struct urlpool_tls_options){0}, &told).code,
                     URLPOOL_OK);
    ck_assert_int_eq(told.num_secured, 1);
    ck_assert_int_eq(told.num_insecure, 0);
    tls_scene_end(&scene);
}
END_TEST

/* expect_no_sessions: with `options`, none is offered, even one that could be resumed, nor kept. */
static void expect_no_sessions(struct urlpool_tls_options options)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct urlp_tls_session_key key;
    struct urlp_tls_judgement *judgement;
    SSL_SESSION *session;

    expect(&scene, "localhost", (struct urlpool_tls_options){0}, URLPOOL_OK);
    key = urlp_tls_session_key_make(urlp_tls_serial(scene.tls), scene.port,
                                    urlp_span_of("localhost"));
    session = urlp_tls_sessions_take(scene.sessions, &key, &judgement);
    ck_assert_ptr_nonnull(session);
    tls_scene_use(&scene, options);
    key = urlp_tls_session_key_make(urlp_tls_serial(scene.tls), scene.port,
                                    urlp_span_of("localhost"));
    urlp_tls_sessions_put(scene.sessions, &key, session, judgement);
    urlp_tls_judgement_unref(judgement);
    SSL_SESSION_free(session);
    for (int i = 0; i < 2; i++) {
        struct urlp_stream *stream = tls_scene_dial(&scene, "localhost", NULL);

        ck_assert_ptr_nonnull(stream);
        ck_assert_str_eq(test_ask(stream, "echo hello"), "hello");
        urlp_stream_free(stream, URLP_CLOSE_POLITE);
    }
    ck_assert_uint_eq(scene.counters.tls_full, 2);
    ck_assert_uint_eq(urlp_tls_sessions_count(scene.sessions, &key), 1);
    tls_scene_end(&scene);
}

START_TEST(insecure__offers_and_keeps_no_session)
{
    expect_no_sessions((struct urlpool_tls_options){.insecure_no_verify = true});
    expect_no_sessions((struct urlpool_tls_options){.insecure_no_hostname = true});
}
END_TEST

/* --- fingerprint and pins ------------------------------------------------------------------- */

START_TEST(fingerprint__is_looked_at_in_place_of_the_name)
{
    static const int lengths[] = {32, 40, 64};
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        char *right = test_cert_fingerprint(scene.leaf, lengths[i]);
        char *wrong = test_cert_fingerprint(scene.ca, lengths[i]);
        struct told told = {0};
        struct urlpool_error err;

        err = outcome(&scene, "other.example",
                      (struct urlpool_tls_options){.assert_fingerprint = right}, &told);
        ck_assert_msg(err.code == URLPOOL_OK, "%s", err.message);
        ck_assert_int_eq(told.num_insecure, 0);
        err = outcome(&scene, "localhost",
                      (struct urlpool_tls_options){.assert_fingerprint = wrong}, NULL);
        ck_assert_int_eq(err.code, URLPOOL_E_TLS_PIN);
        ck_assert_int_eq(err.phase, URLPOOL_PHASE_TLS);
        ck_assert_uint_ne(err.tls_code, 0);
        ck_assert_ptr_nonnull(strstr(err.message, right));
        ck_assert_ptr_nonnull(strstr(err.message, wrong));
        free(right);
        free(wrong);
    }
    ck_assert_uint_eq(tls_server_wait(scene.server, 6).alert, SSL_AD_BAD_CERTIFICATE);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(fingerprint__does_not_replace_the_chain_unless_told_so)
{
    struct test_cert *leaf = test_leaf("localhost", NULL);
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){.certs = {leaf}});
    char *right = test_cert_fingerprint(leaf, 64);
    char *wrong = test_cert_fingerprint(scene.ca, 64);
    struct told told = {0};

    expect(&scene, "localhost", (struct urlpool_tls_options){.assert_fingerprint = right},
           URLPOOL_E_TLS_VERIFY);
    ck_assert_int_eq(outcome(&scene, "localhost",
                             (struct urlpool_tls_options){.assert_fingerprint = right,
                                                          .insecure_no_verify = true},
                             &told)
                         .code,
                     URLPOOL_OK);
    ck_assert_int_eq(told.num_secured, 1);
    ck_assert_int_eq(told.num_insecure, 0); /* the peer is nobody else */
    expect(&scene, "localhost",
           (struct urlpool_tls_options){.assert_fingerprint = wrong, .insecure_no_verify = true},
           URLPOOL_E_TLS_PIN);
    tls_scene_end(&scene);
    test_cert_free(leaf);
    free(right);
    free(wrong);
}
END_TEST

START_TEST(pins__are_looked_at_besides_chain_and_name)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    char *right = test_cert_pin(scene.leaf);
    char *wrong = test_cert_pin(scene.ca);
    char both[128];
    struct urlpool_error err;

    (void)snprintf(both, sizeof(both), "%s;%s", wrong, right);
    expect(&scene, "localhost", (struct urlpool_tls_options){.pins = right}, URLPOOL_OK);
    expect(&scene, "localhost", (struct urlpool_tls_options){.pins = both}, URLPOOL_OK);
    expect(&scene, "other.example", (struct urlpool_tls_options){.pins = right},
           URLPOOL_E_TLS_HOSTNAME);
    err = outcome(&scene, "localhost", (struct urlpool_tls_options){.pins = wrong}, NULL);
    ck_assert_int_eq(err.code, URLPOOL_E_TLS_PIN);
    ck_assert_ptr_nonnull(strstr(err.message, right));
    ck_assert_ptr_nonnull(strstr(err.message, "localhost"));
    tls_scene_end(&scene);
    free(right);
    free(wrong);
}
END_TEST

START_TEST(pins__hold_without_verification_too)
{
    struct test_cert *leaf = test_leaf("other.example", NULL);
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){.certs = {leaf}});
    char *right = test_cert_pin(leaf);
    char *wrong = test_cert_pin(scene.ca);
    struct told told = {0};

    ck_assert_int_eq(
        outcome(&scene, "localhost",
                (struct urlpool_tls_options){.pins = right, .insecure_no_verify = true}, &told)
            .code,
        URLPOOL_OK);
    ck_assert_int_eq(told.num_insecure, 0);
    expect(&scene, "localhost",
           (struct urlpool_tls_options){.pins = wrong, .insecure_no_verify = true},
           URLPOOL_E_TLS_PIN);
    tls_scene_end(&scene);
    test_cert_free(leaf);
    free(right);
    free(wrong);
}
END_TEST

/* resumed_outcome is what comes of a handshake with `options` in which a session is offered that
 * was made without them. */
static enum urlpool_code resumed_outcome(struct tls_scene *scene,
                                         struct urlpool_tls_options options)
{
    struct urlpool_error err = {0};
    struct urlp_tls_session_key key;
    struct urlp_stream *stream;
    struct urlp_tls_judgement *judgement;
    SSL_SESSION *session;

    expect(scene, "localhost", (struct urlpool_tls_options){0}, URLPOOL_OK);
    key = urlp_tls_session_key_make(urlp_tls_serial(scene->tls), scene->port,
                                    urlp_span_of("localhost"));
    session = urlp_tls_sessions_take(scene->sessions, &key, &judgement);
    ck_assert_ptr_nonnull(session);
    tls_scene_use(scene, options);
    key = urlp_tls_session_key_make(urlp_tls_serial(scene->tls), scene->port,
                                    urlp_span_of("localhost"));
    urlp_tls_sessions_put(scene->sessions, &key, session, judgement);
    urlp_tls_judgement_unref(judgement);
    SSL_SESSION_free(session);
    scene->counters = (struct urlp_counters){0};
    stream = tls_scene_dial(scene, "localhost", &err);
    ck_assert_uint_eq(scene->counters.tls_resumed, stream != NULL);
    if (stream != NULL) {
        urlp_stream_free(stream, URLP_CLOSE_POLITE);
    }
    return err.code;
}

START_TEST(checks__are_the_same_for_a_resumed_handshake)
{
    static const uint16_t versions[] = {TLS1_2_VERSION, 0};

    for (size_t i = 0; i < 2; i++) {
        struct tls_scene scene =
            tls_scene_begin((struct tls_server_options){.max_version = versions[i]});
        char *right_pin = test_cert_pin(scene.leaf);
        char *wrong_pin = test_cert_pin(scene.ca);
        char *right = test_cert_fingerprint(scene.leaf, 64);
        char *wrong = test_cert_fingerprint(scene.ca, 64);
        const struct {
            struct urlpool_tls_options options;
            enum urlpool_code code;
        } rows[] = {
            {{.pins = right_pin},                  URLPOOL_OK            },
            {{.pins = wrong_pin},                  URLPOOL_E_TLS_PIN     },
            {{.assert_fingerprint = right},        URLPOOL_OK            },
            {{.assert_fingerprint = wrong},        URLPOOL_E_TLS_PIN     },
            {{.assert_hostname = "localhost"},     URLPOOL_OK            },
            {{.assert_hostname = "other.example"}, URLPOOL_E_TLS_HOSTNAME},
        };

        for (size_t j = 0; j < sizeof(rows) / sizeof(rows[0]); j++) {
            ck_assert_int_eq(resumed_outcome(&scene, rows[j].options), rows[j].code);
        }
        tls_scene_end(&scene);
        free(right_pin);
        free(wrong_pin);
        free(right);
        free(wrong);
    }
}
END_TEST

START_TEST(names__each_failed_allocation_is_told)
{
    const struct urlpool_tls_options options = {.insecure_no_verify = true,
                                                .server_name = "a.example",
                                                .assert_hostname = "b.example",
                                                .pins = PIN};

    failing_allocator_install();
    for (uint64_t nth = 1;; nth++) {
        struct urlpool_error err = {0};
        struct urlpool_tls *tls;

        failing_allocator_fail_nth(nth);
        tls = urlpool_tls_new(&options, &err);
        urlpool_tls_unref(tls);
        ck_assert_int_eq(failing_allocator_num_live(), 0);
        if (!failing_allocator_has_failed()) {
            ck_assert_ptr_nonnull(tls);
            ck_assert_uint_gt(nth, 4);
            break;
        }
        ck_assert_int_eq(err.code, URLPOOL_E_NOMEM);
    }
}
END_TEST

RUN_TESTS("tls_identity", server_name__is_asked_for_and_looked_for,
          server_name__that_is_an_address_is_looked_for_and_not_asked_for,
          assert_hostname__is_looked_for_while_sni_stays,
          names__that_no_certificate_can_be_for_are_refused,
          assert_hostname__does_not_mix_the_sessions_of_two_hosts,
          insecure_no_hostname__still_verifies_the_chain_and_warns,
          insecure_no_hostname__does_not_ask_what_the_ca_is_limited_to, insecure_no_verify__warns,
          insecure__nothing_is_warned_of_when_all_is_checked, insecure__offers_and_keeps_no_session,
          fingerprint__is_looked_at_in_place_of_the_name,
          fingerprint__does_not_replace_the_chain_unless_told_so,
          pins__are_looked_at_besides_chain_and_name, pins__hold_without_verification_too,
          checks__are_the_same_for_a_resumed_handshake, names__each_failed_allocation_is_told)
