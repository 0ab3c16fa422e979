/* The cache of sessions, with sessions made by hand: no handshake is needed to keep one. */

#include <openssl/ssl.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "net/tls_session.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"
#include "support/tls_kit.h"

#define GOOD INT64_MAX

static SSL_CTX *context;

static SSL_SESSION *session_with(uint16_t version, size_t ticket_len)
{
    if (context == NULL) {
        context = tls_kit_context();
    }
    return tls_kit_session(context, version, ticket_len);
}

/* keep puts `session`, of a peer that is good until then, by judgement; the reference to it stays
 * the caller's. */
static void keep(struct urlp_tls_sessions *sessions, const struct urlp_tls_session_key *key,
                 SSL_SESSION *session, int64_t good_until)
{
    static const struct urlp_tls_checks checks;
    static const struct urlp_tls_identity identity;
    const struct urlp_tls_matter matter = {.checks = &checks, .identity = &identity};
    const struct urlp_tls_verdict verdict = {.good_until = good_until};
    struct urlp_tls_judgement *judgement = urlp_tls_judgement_new(&matter, &verdict);

    urlp_tls_sessions_put(sessions, key, session, judgement);
    urlp_tls_judgement_unref(judgement);
}

static struct urlp_tls_session_key key_for(const char *host)
{
    return urlp_tls_session_key_make(1, 443, urlp_span_of(host));
}

/* put keeps a new session and returns it; the caller's reference is given up. */
static const SSL_SESSION *put(struct urlp_tls_sessions *sessions,
                              const struct urlp_tls_session_key *key, uint16_t version)
{
    SSL_SESSION *session = session_with(version, 32);

    keep(sessions, key, session, GOOD);
    SSL_SESSION_free(session);
    return session;
}

static void expect_taken(struct urlp_tls_sessions *sessions, const struct urlp_tls_session_key *key,
                         const SSL_SESSION *expected)
{
    struct urlp_tls_judgement *judgement;
    SSL_SESSION *session = urlp_tls_sessions_take(sessions, key, &judgement);

    ck_assert_ptr_eq(session, expected);
    ck_assert_int_eq(judgement != NULL, expected != NULL);
    SSL_SESSION_free(session);
    urlp_tls_judgement_unref(judgement);
}

static void end(struct urlp_tls_sessions *sessions)
{
    urlp_tls_sessions_free(sessions);
    SSL_CTX_free(context);
    context = NULL;
}

START_TEST(session__of_tls_1_3_is_given_out_once)
{
    struct urlp_tls_sessions *sessions = urlp_tls_sessions_new(4, NULL);
    const struct urlp_tls_session_key key = key_for("a.example");
    const SSL_SESSION *session = put(sessions, &key, TLS1_3_VERSION);

    expect_taken(sessions, &key, session);
    expect_taken(sessions, &key, NULL);
    end(sessions);
}
END_TEST

START_TEST(session__of_tls_1_2_stays)
{
    struct urlp_tls_sessions *sessions = urlp_tls_sessions_new(4, NULL);
    const struct urlp_tls_session_key key = key_for("a.example");
    const SSL_SESSION *session = put(sessions, &key, TLS1_2_VERSION);

    expect_taken(sessions, &key, session);
    expect_taken(sessions, &key, session);
    end(sessions);
}
END_TEST

START_TEST(session__newest_goes_first)
{
    struct urlp_tls_sessions *sessions = urlp_tls_sessions_new(4, NULL);
    const struct urlp_tls_session_key key = key_for("a.example");
    const SSL_SESSION *first = put(sessions, &key, TLS1_3_VERSION);
    const SSL_SESSION *second = put(sessions, &key, TLS1_3_VERSION);

    expect_taken(sessions, &key, second);
    expect_taken(sessions, &key, first);
    expect_taken(sessions, &key, NULL);
    end(sessions);
}
END_TEST

START_TEST(session__no_more_than_four_of_a_key_are_kept_the_newest)
{
    struct urlp_tls_sessions *sessions = urlp_tls_sessions_new(4, NULL);
    const struct urlp_tls_session_key key = key_for("a.example");
    const SSL_SESSION *kept[6];

    for (int i = 0; i < 6; i++) {
        kept[i] = put(sessions, &key, TLS1_3_VERSION);
    }
    ck_assert_uint_eq(urlp_tls_sessions_count(sessions, &key), 4);
    for (int i = 5; i >= 2; i--) {
        expect_taken(sessions, &key, kept[i]);
    }
    expect_taken(sessions, &key, NULL);
    end(sessions);
}
END_TEST

START_TEST(session__least_recently_used_key_goes_first)
{
    struct urlp_tls_sessions *sessions = urlp_tls_sessions_new(2, NULL);
    const struct urlp_tls_session_key a = key_for("a.example");
    const struct urlp_tls_session_key b = key_for("b.example");
    const struct urlp_tls_session_key c = key_for("c.example");
    const SSL_SESSION *of_a = put(sessions, &a, TLS1_2_VERSION);

    (void)put(sessions, &b, TLS1_2_VERSION);
    expect_taken(sessions, &a, of_a); /* b is now the least recently used */
    (void)put(sessions, &c, TLS1_2_VERSION);
    ck_assert_uint_eq(urlp_tls_sessions_count(sessions, &a), 1);
    ck_assert_uint_eq(urlp_tls_sessions_count(sessions, &b), 0);
    ck_assert_uint_eq(urlp_tls_sessions_count(sessions, &c), 1);
    end(sessions);
}
END_TEST

START_TEST(session__belongs_to_one_configuration_host_and_port)
{
    struct urlp_tls_sessions *sessions = urlp_tls_sessions_new(8, NULL);
    const struct urlp_tls_session_key key = key_for("a.example");
    const struct urlp_tls_session_key others[] = {
        urlp_tls_session_key_make(2, 443, urlp_span_of("a.example")),
        urlp_tls_session_key_make(1, 444, urlp_span_of("a.example")),
        urlp_tls_session_key_make(1, 443, urlp_span_of("b.example")),
        urlp_tls_session_key_make(1, 443, urlp_span_of("a.exampl")),
    };

    (void)put(sessions, &key, TLS1_2_VERSION);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        expect_taken(sessions, &others[i], NULL);
    }
    ck_assert_uint_eq(urlp_tls_sessions_count(sessions, &key), 1);
    end(sessions);
}
END_TEST

START_TEST(session__belongs_to_one_way_to_the_peer)
{
    struct urlp_tls_sessions *sessions = urlp_tls_sessions_new(8, NULL);
    struct urlp_tls_session_key keys[4];

    for (size_t i = 0; i < 4; i++) {
        keys[i] = key_for(i == 3 ? "a.exampleab" : "a.example");
    }
    urlp_tls_session_key_add_way(&keys[1], urlp_span_of("ab"));
    urlp_tls_session_key_add_way(&keys[2], urlp_span_of("ac"));
    for (size_t i = 0; i < 4; i++) {
        const SSL_SESSION *session = put(sessions, &keys[i], TLS1_2_VERSION);

        for (size_t j = 0; j < 4; j++) {
            ck_assert_uint_eq(urlp_tls_sessions_count(sessions, &keys[j]), j <= i);
        }
        expect_taken(sessions, &keys[i], session);
    }
    end(sessions);
}
END_TEST

START_TEST(session__is_not_given_out_when_its_certificate_has_expired)
{
    struct urlp_tls_sessions *sessions = urlp_tls_sessions_new(4, NULL);
    const struct urlp_tls_session_key key = key_for("a.example");
    SSL_SESSION *session = session_with(TLS1_2_VERSION, 32);
    const int64_t now = urlp_wall_seconds();

    urlp_clock_fake_begin(1);
    urlp_clock_fake_set_wall(now);
    keep(sessions, &key, session, now + 10);
    expect_taken(sessions, &key, session);
    urlp_clock_fake_set_wall(now + 10);
    expect_taken(sessions, &key, NULL);
    ck_assert_uint_eq(urlp_tls_sessions_count(sessions, &key), 0);
    urlp_clock_fake_end();
    SSL_SESSION_free(session);
    end(sessions);
}
END_TEST

START_TEST(session__is_not_given_out_after_its_own_lifetime)
{
    struct urlp_tls_sessions *sessions = urlp_tls_sessions_new(4, NULL);
    const struct urlp_tls_session_key key = key_for("a.example");
    SSL_SESSION *session = session_with(TLS1_2_VERSION, 32);
    const int64_t now = urlp_wall_seconds();

    (void)SSL_SESSION_set_time(session, now);
    (void)SSL_SESSION_set_timeout(session, 100);
    keep(sessions, &key, session, GOOD);
    urlp_clock_fake_begin(1);
    urlp_clock_fake_set_wall(now + 99);
    expect_taken(sessions, &key, session);
    urlp_clock_fake_set_wall(now + 100);
    expect_taken(sessions, &key, NULL);
    urlp_clock_fake_end();
    SSL_SESSION_free(session);
    end(sessions);
}
END_TEST

/* num_kept is how many sessions are kept of one such; without a judgement unless `is_judged`. */
static size_t num_kept(uint16_t version, size_t ticket_len, bool is_judged)
{
    struct urlp_tls_sessions *sessions = urlp_tls_sessions_new(4, NULL);
    const struct urlp_tls_session_key key = key_for("a.example");
    SSL_SESSION *session = session_with(version, ticket_len);
    size_t count;

    if (is_judged) {
        keep(sessions, &key, session, GOOD);
    } else {
        urlp_tls_sessions_put(sessions, &key, session, NULL);
    }
    count = urlp_tls_sessions_count(sessions, &key);
    SSL_SESSION_free(session);
    end(sessions);
    return count;
}

START_TEST(session__with_an_enormous_ticket_is_not_kept)
{
    ck_assert_uint_eq(num_kept(TLS1_3_VERSION, URLP_TLS_TICKET_BYTES_MAX, true), 1);
    ck_assert_uint_eq(num_kept(TLS1_3_VERSION, URLP_TLS_TICKET_BYTES_MAX + 1, true), 0);
}
END_TEST

START_TEST(session__without_ticket_or_id_is_not_kept)
{
    ck_assert_uint_eq(num_kept(TLS1_2_VERSION, 32, true), 1);
    ck_assert_uint_eq(num_kept(TLS1_2_VERSION, 0, true), 0);
}
END_TEST

START_TEST(session__without_a_judgement_is_not_kept)
{
    ck_assert_uint_eq(num_kept(TLS1_2_VERSION, 32, false), 0);
}
END_TEST

START_TEST(session__of_a_key_can_be_forgotten)
{
    struct urlp_tls_sessions *sessions = urlp_tls_sessions_new(4, NULL);
    const struct urlp_tls_session_key a = key_for("a.example");
    const struct urlp_tls_session_key b = key_for("b.example");

    (void)put(sessions, &a, TLS1_2_VERSION);
    (void)put(sessions, &b, TLS1_2_VERSION);
    urlp_tls_sessions_forget(sessions, &a);
    urlp_tls_sessions_forget(sessions, &a);
    ck_assert_uint_eq(urlp_tls_sessions_count(sessions, &a), 0);
    ck_assert_uint_eq(urlp_tls_sessions_count(sessions, &b), 1);
    end(sessions);
}
END_TEST

START_TEST(session__cache_of_no_keys_keeps_nothing)
{
    struct urlp_tls_sessions *sessions = urlp_tls_sessions_new(0, NULL);
    const struct urlp_tls_session_key key = key_for("a.example");

    (void)put(sessions, &key, TLS1_2_VERSION);
    expect_taken(sessions, &key, NULL);
    end(sessions);
}
END_TEST

START_TEST(session__no_cache_at_all_is_accepted)
{
    const struct urlp_tls_session_key key = key_for("a.example");

    (void)put(NULL, &key, TLS1_2_VERSION);
    expect_taken(NULL, &key, NULL);
    urlp_tls_sessions_forget(NULL, &key);
    end(NULL);
}
END_TEST

START_TEST(session__is_done_without_when_there_is_no_memory)
{
    const struct urlp_tls_session_key key = key_for("a.example");
    struct urlpool_error err = {0};
    struct urlp_tls_sessions *sessions;

    failing_allocator_install();
    failing_allocator_fail_nth(1);
    ck_assert_ptr_null(urlp_tls_sessions_new(4, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_NOMEM);
    failing_allocator_fail_nth(0);
    sessions = urlp_tls_sessions_new(4, NULL);
    for (uint64_t nth = 1;; nth++) {
        failing_allocator_fail_nth(nth);
        (void)put(sessions, &key, TLS1_2_VERSION);
        if (!failing_allocator_has_failed()) {
            break;
        }
        ck_assert_uint_eq(urlp_tls_sessions_count(sessions, &key), 0);
    }
    ck_assert_uint_eq(urlp_tls_sessions_count(sessions, &key), 1);
    end(sessions);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
}
END_TEST

#define NUM_THREADS 4
#define NUM_ROUNDS  500

static void *put_and_take(void *user)
{
    struct urlp_tls_sessions *sessions = user;
    const struct urlp_tls_session_key keys[] = {key_for("a.example"), key_for("b.example"),
                                                key_for("c.example")};

    for (int i = 0; i < NUM_ROUNDS; i++) {
        struct urlp_tls_judgement *judgement;
        SSL_SESSION *session = tls_kit_session(context, TLS1_3_VERSION, 6);

        keep(sessions, &keys[i % 3], session, GOOD);
        SSL_SESSION_free(session);
        SSL_SESSION_free(urlp_tls_sessions_take(sessions, &keys[(i + 1) % 3], &judgement));
        urlp_tls_judgement_unref(judgement);
        if (i % 50 == 0) {
            urlp_tls_sessions_forget(sessions, &keys[i % 3]);
        }
    }
    return NULL;
}

START_TEST(session__cache_is_shared_by_threads)
{
    struct urlp_tls_sessions *sessions = urlp_tls_sessions_new(2, NULL);
    pthread_t threads[NUM_THREADS];

    context = tls_kit_context();
    for (int i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, put_and_take, sessions), 0);
    }
    for (int i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    }
    end(sessions);
}
END_TEST

RUN_TESTS("tls_session", session__of_tls_1_3_is_given_out_once, session__of_tls_1_2_stays,
          session__newest_goes_first, session__no_more_than_four_of_a_key_are_kept_the_newest,
          session__least_recently_used_key_goes_first,
          session__belongs_to_one_configuration_host_and_port,
          session__belongs_to_one_way_to_the_peer,
          session__is_not_given_out_when_its_certificate_has_expired,
          session__is_not_given_out_after_its_own_lifetime,
          session__with_an_enormous_ticket_is_not_kept, session__without_ticket_or_id_is_not_kept,
          session__without_a_judgement_is_not_kept, session__of_a_key_can_be_forgotten,
          session__cache_of_no_keys_keeps_nothing, session__no_cache_at_all_is_accepted,
          session__is_done_without_when_there_is_no_memory, session__cache_is_shared_by_threads)
