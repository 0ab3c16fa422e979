/* Sessions kept of one handshake and offered in the next: for whom, how often, and judged again. */

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/tls_session.h"
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

static struct urlp_tls_session_key key_of(const struct tls_scene *scene, const char *host)
{
    return urlp_tls_session_key_make(urlp_tls_serial(scene->tls), scene->port, urlp_span_of(host));
}

/* converse makes one connection and one exchange, which also brings tickets. */
static void converse(struct tls_scene *scene)
{
    struct urlp_stream *stream = tls_scene_dial(scene, "localhost", NULL);

    ck_assert_ptr_nonnull(stream);
    ck_assert_str_eq(test_ask(stream, "echo hello"), "hello");
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
}

static void expect_resumption(struct tls_server_options options)
{
    struct tls_scene scene = tls_scene_begin(options);
    struct tls_server_seen seen;

    for (int i = 0; i < 4; i++) {
        converse(&scene);
    }
    seen = tls_server_wait(scene.server, 4);
    ck_assert_uint_eq(seen.num_handshakes, 4);
    ck_assert_uint_eq(seen.num_resumed, 3);
    ck_assert_uint_eq(scene.counters.tls_full, 1);
    ck_assert_uint_eq(scene.counters.tls_resumed, 3);
    tls_scene_end(&scene);
}

START_TEST(session__is_resumed_by_tls_1_3_tickets)
{
    expect_resumption((struct tls_server_options){.min_version = TLS1_3_VERSION});
}
END_TEST

START_TEST(session__is_resumed_by_tls_1_2_tickets)
{
    expect_resumption((struct tls_server_options){.max_version = TLS1_2_VERSION});
}
END_TEST

START_TEST(session__is_resumed_by_tls_1_2_session_ids)
{
    expect_resumption(
        (struct tls_server_options){.max_version = TLS1_2_VERSION, .refuses_tickets = true});
}
END_TEST

/* Tickets of a server that is no more: the one in its place has other keys. */
static void expect_refusal(uint16_t max_version)
{
    struct tls_scene scene =
        tls_scene_begin((struct tls_server_options){.max_version = max_version});
    struct tls_server *gone = scene.server;

    converse(&scene);
    scene.server = tls_server_start(
        &(struct tls_server_options){.certs = {scene.leaf}, .max_version = max_version});
    tls_server_stop(gone);
    {
        const struct urlp_tls_session_key old_key = key_of(&scene, "localhost");
        struct urlp_tls_session_key new_key;
        struct urlp_tls_judgement *judgement;
        SSL_SESSION *session = urlp_tls_sessions_take(scene.sessions, &old_key, &judgement);

        ck_assert_ptr_nonnull(session);
        scene.port = tls_server_port(scene.server);
        new_key = key_of(&scene, "localhost");
        urlp_tls_sessions_put(scene.sessions, &new_key, session, judgement);
        urlp_tls_judgement_unref(judgement);
        SSL_SESSION_free(session);
    }
    converse(&scene); /* works at once: the handshake was a full one */
    ck_assert_uint_eq(scene.counters.tls_full, 2);
    ck_assert_uint_eq(scene.counters.tls_resumed, 0);
    ck_assert_uint_eq(scene.counters.tls_refused, 1);
    converse(&scene); /* by a ticket of the new server's */
    ck_assert_uint_eq(scene.counters.tls_full, 2);
    ck_assert_uint_eq(scene.counters.tls_resumed, 1);
    ck_assert_uint_eq(scene.counters.tls_refused, 1);
    ck_assert_uint_eq(tls_server_wait(scene.server, 2).num_handshakes, 2);
    tls_scene_end(&scene);
}

START_TEST(session__refused_costs_the_full_handshake_and_nothing_else_in_tls_1_3)
{
    expect_refusal(0);
}
END_TEST

START_TEST(session__refused_costs_the_full_handshake_and_nothing_else_in_tls_1_2)
{
    expect_refusal(TLS1_2_VERSION);
}
END_TEST

START_TEST(session__of_tls_1_3_is_given_out_once)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    const struct urlp_tls_session_key key = key_of(&scene, "localhost");
    size_t num_tickets;
    struct urlp_stream *stream;

    converse(&scene);
    num_tickets = urlp_tls_sessions_count(scene.sessions, &key);
    ck_assert_uint_gt(num_tickets, 0);
    stream = tls_scene_dial(&scene, "localhost", NULL); /* and reads none of the new tickets yet */
    ck_assert_uint_eq(urlp_tls_sessions_count(scene.sessions, &key), num_tickets - 1);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}
END_TEST

/* A session of one name is put where another name looks for it: BoringSSL alone would resume it
 * with "verify OK". */
static void expect_reverification(uint16_t max_version)
{
    struct tls_scene scene =
        tls_scene_begin((struct tls_server_options){.max_version = max_version});
    const struct urlp_tls_session_key right = key_of(&scene, "localhost");
    const struct urlp_tls_session_key wrong = key_of(&scene, "victim.example");
    struct urlpool_error err;
    struct urlp_tls_judgement *judgement;
    SSL_SESSION *session;

    converse(&scene);
    session = urlp_tls_sessions_take(scene.sessions, &right, &judgement);
    ck_assert_ptr_nonnull(session);
    urlp_tls_sessions_put(scene.sessions, &wrong, session, judgement);
    urlp_tls_judgement_unref(judgement);
    SSL_SESSION_free(session);
    ck_assert_uint_eq(urlp_tls_sessions_count(scene.sessions, &wrong), 1);

    err = refused(&scene, "victim.example");
    ck_assert_int_eq(err.code, URLPOOL_E_TLS_HOSTNAME);
    ck_assert_uint_eq(scene.counters.tls_resumed, 0);
    ck_assert_uint_eq(urlp_tls_sessions_count(scene.sessions, &wrong), 0);
    tls_scene_end(&scene);
}

START_TEST(session__is_verified_again_when_resumed_over_tls_1_3)
{
    expect_reverification(0);
}
END_TEST

START_TEST(session__is_verified_again_when_resumed_over_tls_1_2)
{
    expect_reverification(TLS1_2_VERSION);
}
END_TEST

START_TEST(session__is_not_offered_for_another_name_port_or_configuration)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    const struct test_name names[] = {TEST_DNS("localhost"), TEST_DNS("other.example")};
    struct test_cert *leaf =
        test_cert_new(&(struct test_cert_options){.names = names, .num_names = 2}, scene.ca);
    struct urlpool_tls *twin = test_trust(scene.ca);
    struct urlp_stream *stream;

    tls_server_present(scene.server, (const struct test_cert *[]){leaf, NULL});
    converse(&scene);

    stream = tls_scene_dial(&scene, "other.example", NULL);
    ck_assert_ptr_nonnull(stream);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);

    urlpool_tls_unref(scene.tls);
    scene.tls = twin;
    stream = tls_scene_dial(&scene, "localhost", NULL);
    ck_assert_ptr_nonnull(stream);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);

    ck_assert_uint_eq(scene.counters.tls_full, 3);
    ck_assert_uint_eq(scene.counters.tls_resumed, 0);
    tls_scene_end(&scene);
    test_cert_free(leaf);
}
END_TEST

/* expect_no_resumption: of two configurations that differ in `options`, neither resumes what the
 * other has begun. */
static void expect_no_resumption(struct tls_scene *scene, struct urlpool_tls_options options)
{
    struct urlpool_tls *plain = urlpool_tls_ref(scene->tls);
    unsigned num_resumed;

    converse(scene); /* sessions of the plain one */
    tls_scene_use(scene, options);
    num_resumed = scene->counters.tls_resumed;
    converse(scene);
    ck_assert_uint_eq(scene->counters.tls_resumed, num_resumed);
    converse(scene); /* its own, unless it keeps none */
    urlpool_tls_unref(scene->tls);
    scene->tls = test_trust(scene->ca);
    num_resumed = scene->counters.tls_resumed;
    converse(scene);
    ck_assert_uint_eq(scene->counters.tls_resumed, num_resumed);
    urlpool_tls_unref(scene->tls);
    scene->tls = plain;
}

START_TEST(session__is_not_offered_across_a_change_of_trust)
{
    static const uint16_t versions[] = {TLS1_3_VERSION, TLS1_2_VERSION};

    for (size_t i = 0; i < 2; i++) {
        struct tls_scene scene =
            tls_scene_begin((struct tls_server_options){.max_version = versions[i]});
        struct test_cert *client = test_leaf("client", scene.ca);
        char *cert = test_cert_pem(client), *key = test_cert_key_pem(client);
        char *pin = test_cert_pin(scene.leaf);
        char *fingerprint = test_cert_fingerprint(scene.leaf, 64);
        char *dir = test_dir(), *ca = test_cert_pem(client);
        char *file = test_file(dir, "more.pem", ca);
        /* clang-format 14 does not survive this table. */
        /* clang-format off */
        const struct urlpool_tls_options changes[] = {
            {0},
            {.ca_file = file},
            {.insecure_no_verify = true},
            {.insecure_no_hostname = true},
            {.pins = pin},
            {.assert_fingerprint = fingerprint},
            {.assert_hostname = "localhost"},
            {.server_name = "localhost"},
            {.version_max = URLPOOL_TLS_1_2},
            {.cert_data = cert,
             .cert_data_len = strlen(cert),
             .key_data = key,
             .key_data_len = strlen(key)},
        };
        /* clang-format on */

        for (size_t j = 0; j < sizeof(changes) / sizeof(changes[0]); j++) {
            expect_no_resumption(&scene, changes[j]);
        }
        ck_assert_uint_gt(scene.counters.tls_resumed, 8); /* of those that are the same */
        tls_scene_end(&scene);
        test_cert_free(client);
        test_dir_remove(dir);
        free(cert);
        free(key);
        free(pin);
        free(fingerprint);
        free(ca);
        free(file);
    }
}
END_TEST

START_TEST(session__is_neither_kept_nor_offered_without_verification)
{
    struct tls_scene scene =
        tls_scene_begin((struct tls_server_options){.max_version = TLS1_2_VERSION});
    const struct urlpool_tls_options options = {.insecure_no_verify = true};
    struct urlp_tls_session_key key = key_of(&scene, "localhost");
    struct urlp_tls_judgement *judgement;
    SSL_SESSION *session;

    converse(&scene);
    session = urlp_tls_sessions_take(scene.sessions, &key, &judgement);
    ck_assert_ptr_nonnull(session);

    urlpool_tls_unref(scene.tls);
    scene.tls = urlpool_tls_new(&options, NULL);
    key = key_of(&scene, "localhost");
    converse(&scene);
    ck_assert_uint_eq(urlp_tls_sessions_count(scene.sessions, &key), 0);

    urlp_tls_sessions_put(scene.sessions, &key, session, judgement);
    urlp_tls_judgement_unref(judgement);
    SSL_SESSION_free(session);
    converse(&scene);
    ck_assert_uint_eq(scene.counters.tls_full, 3);
    ck_assert_uint_eq(scene.counters.tls_resumed, 0);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(session__is_not_offered_once_its_certificate_has_expired)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    const struct test_name name = TEST_DNS("localhost");
    struct test_cert *brief = test_cert_new(
        &(struct test_cert_options){.names = &name, .num_names = 1, .begin_s = -3600, .end_s = 600},
        scene.ca);
    struct test_cert *next = test_cert_new(
        &(struct test_cert_options){
            .names = &name, .num_names = 1, .begin_s = -3600, .end_s = 86400},
        scene.ca);
    const int64_t now = urlp_wall_seconds();

    tls_server_present(scene.server, (const struct test_cert *[]){brief, NULL});
    converse(&scene);
    tls_server_present(scene.server, (const struct test_cert *[]){next, NULL});
    urlp_clock_fake_begin(urlp_now_ns());
    urlp_clock_fake_set_wall(now + 601);
    converse(&scene); /* the old session would be refused as expired */
    urlp_clock_fake_end();
    ck_assert_uint_eq(scene.counters.tls_full, 2);
    tls_scene_end(&scene);
    test_cert_free(brief);
    test_cert_free(next);
}
END_TEST

START_TEST(session__of_a_refused_handshake_is_not_kept)
{
    struct tls_scene scene =
        tls_scene_begin((struct tls_server_options){.max_version = TLS1_2_VERSION});
    const struct urlp_tls_session_key key = key_of(&scene, "other.example");

    (void)refused(&scene, "other.example");
    ck_assert_uint_eq(urlp_tls_sessions_count(scene.sessions, &key), 0);
    tls_scene_end(&scene);
}
END_TEST

RUN_TESTS("tls_resumption", session__is_resumed_by_tls_1_3_tickets,
          session__is_resumed_by_tls_1_2_tickets, session__is_resumed_by_tls_1_2_session_ids,
          session__refused_costs_the_full_handshake_and_nothing_else_in_tls_1_3,
          session__refused_costs_the_full_handshake_and_nothing_else_in_tls_1_2,
          session__of_tls_1_3_is_given_out_once,
          session__is_verified_again_when_resumed_over_tls_1_3,
          session__is_verified_again_when_resumed_over_tls_1_2,
          session__is_not_offered_for_another_name_port_or_configuration,
          session__is_not_offered_across_a_change_of_trust,
          session__is_neither_kept_nor_offered_without_verification,
          session__is_not_offered_once_its_certificate_has_expired,
          session__of_a_refused_handshake_is_not_kept)
