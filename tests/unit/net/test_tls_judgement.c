/* When a peer that was found good is believed again, and that it is judged anew when anything
 * differs: alone, and in handshakes, where a judgement that is false shows which of the two was
 * done. */

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/tls_context.h"
#include "net/tls_judgement.h"
#include "net/tls_session.h"
#include "support/certs.h"
#include "support/failing_allocator.h"
#include "support/foreign_heaps.h"
#include "support/run_tests.h"
#include "support/tls_client.h"
#include "support/tls_kit.h"
#include "support/tls_scene.h"
#include "support/tls_server.h"

enum {
    NOW = 1800000000,
    GOOD_FROM = NOW - 100,
    GOOD_UNTIL = NOW + 100
};

#define HOST   "a.example"
#define VICTIM "victim.example"

static const struct urlp_tls_verdict verdict = {.good_from = GOOD_FROM, .good_until = GOOD_UNTIL};

/* struct trial is a matter that was judged, and what can be changed of it. */
struct trial {
    struct test_cert *ca, *leaf, *renewed;
    struct urlp_tls_checks checks;
    struct urlp_tls_identity identity;
    struct urlp_tls_matter matter;
    struct urlp_tls_judgement *judgement;
};

static struct trial *trial_begin(const char *host)
{
    static struct trial trial;

    trial = (struct trial){.ca = test_ca("CA")};
    trial.leaf = test_leaf(HOST, trial.ca);
    trial.renewed = test_leaf(HOST, trial.ca);
    trial.identity.host = urlp_span_of(host);
    trial.identity.is_ip = urlp_ip_parse(trial.identity.host, &trial.identity.ip);
    trial.matter = (struct urlp_tls_matter){
        .tls_serial = 7,
        .checks = &trial.checks,
        .identity = &trial.identity,
        .shown = test_cert_chain((const struct test_cert *[]){trial.leaf, trial.ca, NULL})};
    trial.judgement = urlp_tls_judgement_new(&trial.matter, &verdict);
    ck_assert_ptr_nonnull(trial.judgement);
    urlp_clock_fake_begin(1);
    urlp_clock_fake_set_wall(NOW);
    return &trial;
}

static void drop_chain(struct trial *trial)
{
    tls_kit_shown_free((struct urlp_tls_shown *)trial->matter.shown);
    trial->matter.shown = NULL;
}

static void trial_end(struct trial *trial)
{
    urlp_clock_fake_end();
    urlp_tls_judgement_unref(trial->judgement);
    drop_chain(trial);
    test_cert_free(trial->renewed);
    test_cert_free(trial->leaf);
    test_cert_free(trial->ca);
}

static bool holds(const struct trial *trial)
{
    return urlp_tls_judgement_holds(trial->judgement, &trial->matter);
}

static void present(struct trial *trial, const struct test_cert *const *certs)
{
    drop_chain(trial);
    trial->matter.shown = test_cert_chain(certs);
}

#define PRESENT(trial, ...) present(trial, (const struct test_cert *[]){__VA_ARGS__, NULL})

START_TEST(judgement__holds_for_the_same_matter)
{
    struct trial *trial = trial_begin(HOST);
    char host[] = HOST;

    ck_assert(holds(trial));
    trial->identity.host = urlp_span_of(host); /* the same bytes elsewhere */
    PRESENT(trial, trial->leaf, trial->ca);
    ck_assert(holds(trial));
    ck_assert_int_eq(urlp_tls_judgement_good_until(trial->judgement), GOOD_UNTIL);
    trial_end(trial);
}
END_TEST

START_TEST(judgement__there_is_none_holds_for_nothing)
{
    struct trial *trial = trial_begin(HOST);

    ck_assert(!urlp_tls_judgement_holds(NULL, &trial->matter));
    ck_assert_ptr_null(urlp_tls_judgement_ref(NULL));
    urlp_tls_judgement_unref(NULL);
    trial_end(trial);
}
END_TEST

START_TEST(judgement__is_of_one_configuration)
{
    struct trial *trial = trial_begin(HOST);

    trial->matter.tls_serial++;
    ck_assert(!holds(trial));
    trial_end(trial);
}
END_TEST

START_TEST(judgement__is_of_one_name)
{
    static const char *const others[] = {"b.example", "a.exampl", "a.example.", "aa.example", ""};
    struct trial *trial = trial_begin(HOST);

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        trial->identity.host = urlp_span_of(others[i]);
        ck_assert_msg(!holds(trial), "%s", others[i]);
    }
    trial->identity.host = urlp_span_of(HOST);
    trial->identity.is_ip = true;
    ck_assert(!holds(trial));
    trial_end(trial);
}
END_TEST

START_TEST(judgement__is_of_one_set_of_checks)
{
    struct trial *trial = trial_begin(HOST);

    trial->checks.skips_chain = true;
    ck_assert(!holds(trial));
    trial->checks = (struct urlp_tls_checks){.skips_name = true};
    ck_assert(!holds(trial));
    trial_end(trial);
}
END_TEST

static void judge_pins(struct trial *trial, struct urlpool_tls_options options)
{
    urlp_tls_pins_deinit(&trial->checks.pins);
    ck_assert_int_eq(urlp_tls_pins_init(&trial->checks.pins, &options, NULL), URLPOOL_OK);
}

START_TEST(judgement__is_of_one_set_of_pins_and_fingerprints)
{
    struct trial *trial = trial_begin(HOST);
    char *pin = test_cert_pin(trial->leaf), *other_pin = test_cert_pin(trial->ca);
    char *print = test_cert_fingerprint(trial->leaf, 64);
    char *other_print = test_cert_fingerprint(trial->ca, 64);
    char *short_print = test_cert_fingerprint(trial->leaf, 40);
    char both[128];
    /* clang-format 14 does not survive this table. */
    /* clang-format off */
    const struct urlpool_tls_options sets[] = {
        {0},
        {.pins = pin},
        {.pins = other_pin},
        {.pins = both},
        {.assert_fingerprint = print},
        {.assert_fingerprint = other_print},
        {.assert_fingerprint = short_print},
        {.assert_fingerprint = print, .pins = pin},
    };
    /* clang-format on */
    const size_t num = sizeof(sets) / sizeof(sets[0]);

    (void)snprintf(both, sizeof(both), "%s;%s", pin, other_pin);
    for (size_t i = 0; i < num; i++) {
        judge_pins(trial, sets[i]);
        urlp_tls_judgement_unref(trial->judgement);
        trial->judgement = urlp_tls_judgement_new(&trial->matter, &verdict);
        for (size_t j = 0; j < num; j++) {
            judge_pins(trial, sets[j]);
            ck_assert_msg(holds(trial) == (i == j), "%zu and %zu", i, j);
        }
    }
    urlp_tls_pins_deinit(&trial->checks.pins);
    free(pin);
    free(other_pin);
    free(print);
    free(other_print);
    free(short_print);
    trial_end(trial);
}
END_TEST

START_TEST(judgement__is_of_the_certificates_that_were_shown)
{
    struct trial *trial = trial_begin(HOST);

    PRESENT(trial, trial->renewed, trial->ca);
    ck_assert(!holds(trial));
    PRESENT(trial, trial->leaf);
    ck_assert(!holds(trial));
    PRESENT(trial, trial->leaf, trial->ca, trial->ca);
    ck_assert(!holds(trial));
    PRESENT(trial, trial->ca, trial->leaf);
    ck_assert(!holds(trial));
    drop_chain(trial);
    ck_assert(!holds(trial));
    trial_end(trial);
}
END_TEST

START_TEST(judgement__is_of_the_time_in_which_all_certificates_are_valid)
{
    static const struct {
        int64_t now;
        bool holds;
    } times[] = {
        {GOOD_FROM - 1,          false},
        {GOOD_FROM,              true },
        {GOOD_UNTIL - 1,         true },
        {GOOD_UNTIL,             false},
        {0,                      false},
        {INT64_MAX / 2000000000, false}
    };
    struct trial *trial = trial_begin(HOST);

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        urlp_clock_fake_set_wall(times[i].now);
        ck_assert_msg(holds(trial) == times[i].holds, "%zu", i);
    }
    trial_end(trial);
}
END_TEST

START_TEST(judgement__is_not_made_without_memory)
{
    struct urlp_tls_judgement *judgement = NULL;
    struct trial *trial;
    uint64_t nth = 0;

    failing_allocator_install();
    trial = trial_begin(HOST);
    failing_allocator_fail_nth(1);
    ck_assert_ptr_null(urlp_tls_judgement_new(&trial->matter, &verdict));
    failing_allocator_fail_nth(0);
    while (judgement == NULL) {
        foreign_heaps_join(true);
        foreign_heaps_fail(HEAP_OF_TLS, ++nth, false);
        judgement = urlp_tls_judgement_new(&trial->matter, &verdict);
        foreign_heaps_join(false);
    }
    ck_assert_uint_gt(nth, 1);
    urlp_tls_judgement_unref(judgement);
    ERR_clear_error();
    trial_end(trial);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
}
END_TEST

/* --- in handshakes -------------------------------------------------------------------------- */

static void converse(struct tls_scene *scene)
{
    struct urlp_stream *stream = tls_scene_dial(scene, "localhost", NULL);

    ck_assert_ptr_nonnull(stream);
    ck_assert_str_eq(test_ask(stream, "echo hello"), "hello");
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
}

/* What of the false judgement is changed. */
enum change {
    NOTHING,
    CONFIGURATION,
    NAME,
    ADDRESS,
    CHECKS,
    PINS,
    CERTIFICATE,
    LENGTH,
    BEGIN,
    END,
    NUM_CHANGES
};

/* lie makes the judgement that the scene's leaf, which is for localhost, is good for the victim;
 * but for one thing, as it is asked for. */
static struct urlp_tls_judgement *lie(const struct tls_scene *scene, enum change change)
{
    const struct test_cert *const chain[] = {change == CERTIFICATE ? scene->ca : scene->leaf,
                                             change == LENGTH ? scene->ca : NULL, NULL};
    struct urlp_tls_checks checks = scene->tls->checks;
    struct urlp_tls_identity identity = {.host = urlp_span_of(change == NAME ? "x" : VICTIM),
                                         .is_ip = change == ADDRESS};
    struct urlp_tls_matter matter = {.tls_serial = scene->tls->serial + (change == CONFIGURATION),
                                     .checks = &checks,
                                     .identity = &identity,
                                     .shown = test_cert_chain(chain)};
    const int64_t now = urlp_wall_seconds();
    const struct urlp_tls_verdict good = {.good_from = change == BEGIN ? now + 3600 : 0,
                                          .good_until = change == END ? now - 1 : INT64_MAX};
    struct urlp_tls_judgement *judgement;

    checks.skips_name = change == CHECKS;
    checks.pins.digest[0] ^= change == PINS;
    judgement = urlp_tls_judgement_new(&matter, &good);
    tls_kit_shown_free((struct urlp_tls_shown *)matter.shown);
    ck_assert_ptr_nonnull(judgement);
    return judgement;
}

static struct urlp_tls_session_key key_of(const struct tls_scene *scene, const char *host)
{
    return urlp_tls_session_key_make(urlp_tls_serial(scene->tls), scene->port, urlp_span_of(host));
}

/* plant puts a session of localhost where the victim's are looked for, with `judgement`. */
static void plant(struct tls_scene *scene, struct urlp_tls_judgement *judgement)
{
    const struct urlp_tls_session_key right = key_of(scene, "localhost");
    const struct urlp_tls_session_key wrong = key_of(scene, VICTIM);
    struct urlp_tls_judgement *honest;
    SSL_SESSION *session;

    converse(scene);
    session = urlp_tls_sessions_take(scene->sessions, &right, &honest);
    ck_assert_ptr_nonnull(session);
    urlp_tls_sessions_put(scene->sessions, &wrong, session, judgement);
    ck_assert_uint_eq(urlp_tls_sessions_count(scene->sessions, &wrong), 1);
    SSL_SESSION_free(session);
    urlp_tls_judgement_unref(honest);
    urlp_tls_judgement_unref(judgement);
}

static void expect_hostname_refusal(struct tls_scene *scene)
{
    struct urlpool_error err = {0};

    ck_assert_ptr_null(tls_scene_dial(scene, VICTIM, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_TLS_HOSTNAME);
}

static const uint16_t versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

START_TEST(resumption__believes_a_judgement_of_the_same_and_judges_whatever_differs)
{
    for (size_t i = 0; i < 2; i++) {
        struct tls_scene scene =
            tls_scene_begin((struct tls_server_options){.max_version = versions[i]});
        struct urlp_stream *stream;
        unsigned num_resumed;

        for (int change = NOTHING + 1; change < NUM_CHANGES; change++) {
            plant(&scene, lie(&scene, (enum change)change));
            expect_hostname_refusal(&scene);
        }
        plant(&scene,
              lie(&scene, NOTHING)); /* what no handshake makes shows that it is looked at */
        num_resumed = scene.counters.tls_resumed;
        stream = tls_scene_dial(&scene, VICTIM, NULL);
        ck_assert_ptr_nonnull(stream);
        ck_assert_uint_eq(scene.counters.tls_resumed, num_resumed + 1);
        urlp_stream_free(stream, URLP_CLOSE_POLITE);
        tls_scene_end(&scene);
    }
}
END_TEST

START_TEST(handshake__that_turns_out_full_is_judged_whatever_was_offered)
{
    for (size_t i = 0; i < 2; i++) {
        const struct tls_server_options options = {.max_version = versions[i]};
        struct tls_scene scene = tls_scene_begin(options);
        struct tls_server *gone = scene.server;
        struct urlp_tls_session_key old_key = key_of(&scene, VICTIM), new_key;
        struct tls_server_options anew = options;
        struct urlp_tls_judgement *judgement;
        SSL_SESSION *session;

        plant(&scene, lie(&scene, NOTHING));
        session = urlp_tls_sessions_take(scene.sessions, &old_key, &judgement);
        anew.certs[0] = scene.leaf;
        scene.server = tls_server_start(&anew); /* the same certificate, other keys of tickets */
        tls_server_stop(gone);
        scene.port = tls_server_port(scene.server);
        new_key = key_of(&scene, VICTIM);
        urlp_tls_sessions_put(scene.sessions, &new_key, session, judgement);
        SSL_SESSION_free(session);
        urlp_tls_judgement_unref(judgement);
        expect_hostname_refusal(&scene);
        tls_scene_end(&scene);
    }
}
END_TEST

/* expect_refused_resumption: a session and its judgement, honestly come by, offered under another
 * configuration. */
static void expect_refused_resumption(const struct test_cert *trusted,
                                      struct urlpool_tls_options options, enum urlpool_code code)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct urlp_tls_session_key key = key_of(&scene, "localhost");
    struct urlpool_error err = {0};
    struct urlp_tls_judgement *judgement;
    SSL_SESSION *session;

    converse(&scene);
    session = urlp_tls_sessions_take(scene.sessions, &key, &judgement);
    ck_assert_ptr_nonnull(judgement);
    urlpool_tls_unref(scene.tls);
    scene.tls = test_trust_with(trusted != NULL ? trusted : scene.ca, options);
    key = key_of(&scene, "localhost");
    urlp_tls_sessions_put(scene.sessions, &key, session, judgement);
    SSL_SESSION_free(session);
    urlp_tls_judgement_unref(judgement);
    ck_assert_ptr_null(tls_scene_dial(&scene, "localhost", &err));
    ck_assert_msg(err.code == code, "%s", err.message);
    ck_assert_uint_eq(scene.counters.tls_resumed, 0);
    tls_scene_end(&scene);
}

START_TEST(resumption__is_judged_by_the_roots_name_and_pins_of_who_resumes)
{
    struct test_cert *other_ca = test_ca("other CA");
    char *pin = test_cert_pin(other_ca), *print = test_cert_fingerprint(other_ca, 64);

    expect_refused_resumption(other_ca, (struct urlpool_tls_options){0}, URLPOOL_E_TLS_VERIFY);
    expect_refused_resumption(NULL, (struct urlpool_tls_options){.pins = pin}, URLPOOL_E_TLS_PIN);
    expect_refused_resumption(NULL, (struct urlpool_tls_options){.assert_fingerprint = print},
                              URLPOOL_E_TLS_PIN);
    expect_refused_resumption(NULL, (struct urlpool_tls_options){.assert_hostname = VICTIM},
                              URLPOOL_E_TLS_HOSTNAME);
    free(pin);
    free(print);
    test_cert_free(other_ca);
}
END_TEST

START_TEST(resumption__of_a_resumed_session_carries_the_judgement_on)
{
    for (size_t i = 0; i < 2; i++) {
        struct tls_scene scene =
            tls_scene_begin((struct tls_server_options){.max_version = versions[i]});
        const struct urlp_tls_session_key key = key_of(&scene, "localhost");
        struct urlp_tls_judgement *first, *later;
        SSL_SESSION *session;

        converse(&scene);
        session = urlp_tls_sessions_take(scene.sessions, &key, &first);
        urlp_tls_sessions_forget(scene.sessions, &key);
        urlp_tls_sessions_put(scene.sessions, &key, session, first);
        SSL_SESSION_free(session);
        converse(&scene);
        ck_assert_uint_eq(scene.counters.tls_resumed, 1);
        session = urlp_tls_sessions_take(scene.sessions, &key, &later);
        ck_assert_ptr_nonnull(session);
        ck_assert_ptr_eq(first, later); /* it was not made again */
        SSL_SESSION_free(session);
        urlp_tls_judgement_unref(first);
        urlp_tls_judgement_unref(later);
        tls_scene_end(&scene);
    }
}
END_TEST

RUN_TESTS("tls_judgement", judgement__holds_for_the_same_matter,
          judgement__there_is_none_holds_for_nothing, judgement__is_of_one_configuration,
          judgement__is_of_one_name, judgement__is_of_one_set_of_checks,
          judgement__is_of_one_set_of_pins_and_fingerprints,
          judgement__is_of_the_certificates_that_were_shown,
          judgement__is_of_the_time_in_which_all_certificates_are_valid,
          judgement__is_not_made_without_memory,
          resumption__believes_a_judgement_of_the_same_and_judges_whatever_differs,
          handshake__that_turns_out_full_is_judged_whatever_was_offered,
          resumption__is_judged_by_the_roots_name_and_pins_of_who_resumes,
          resumption__of_a_resumed_session_carries_the_judgement_on)
