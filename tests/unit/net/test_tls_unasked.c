/* What a peer may send behind the handshake that is no data: tickets, changes of keys, and what it
 * must not. */

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/clock.h"
#include "net/tls_session.h"
#include "support/run_tests.h"
#include "support/tls_client.h"
#include "support/tls_scene.h"
#include "support/tls_server.h"

enum {
    GAP_MS = 100,
    SLACK_MS = 5000
};

static enum urlpool_code read_once(struct urlp_stream *stream, const struct urlp_call *call,
                                   struct urlpool_error *err)
{
    char byte;
    size_t got = 0;
    enum urlp_end end = URLP_END_NONE;
    const enum urlpool_code code =
        urlp_stream_read(stream, &byte, sizeof(byte), &got, &end, call, err);

    ck_assert_uint_eq(ERR_peek_error(), 0);
    return code;
}

START_TEST(tickets__by_the_thousand_leave_four)
{
    struct tls_scene scene =
        tls_scene_begin((struct tls_server_options){.min_version = TLS1_3_VERSION});
    struct urlp_stream *stream = tls_scene_dial(&scene, "localhost", NULL);
    const struct urlp_tls_session_key key = urlp_tls_session_key_make(
        urlp_tls_serial(scene.tls), scene.port, urlp_span_of("localhost"));

    ck_assert_str_eq(test_ask(stream, "tickets 5000"), "done");
    ck_assert_uint_eq(urlp_tls_sessions_count(scene.sessions, &key), URLP_TLS_TICKETS_A_KEY);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}
END_TEST

/* They keep the socket readable: the deadline has to be looked at all the same. */
START_TEST(tickets__without_end_are_ended_by_the_deadline)
{
    struct tls_scene scene =
        tls_scene_begin((struct tls_server_options){.min_version = TLS1_3_VERSION});
    struct urlp_stream *stream = tls_scene_dial(&scene, "localhost", NULL);
    const int64_t began_ns = urlp_now_ns();
    struct urlp_call call;

    test_say(stream, "tickets 0");
    call = (struct urlp_call){.by = urlp_deadline_in(GAP_MS), .total_by = URLP_NEVER};
    ck_assert_int_eq(read_once(stream, &call, NULL), URLPOOL_E_READ_TIMEOUT);
    ck_assert_int_lt((urlp_now_ns() - began_ns) / 1000000, GAP_MS + SLACK_MS);
    urlp_stream_free(stream, URLP_CLOSE_SILENT);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(tickets__without_end_make_an_idle_connection_unfit)
{
    struct tls_scene scene =
        tls_scene_begin((struct tls_server_options){.min_version = TLS1_3_VERSION});
    struct urlp_stream *stream = tls_scene_dial(&scene, "localhost", NULL);
    const int64_t began_ns = urlp_now_ns();

    test_say(stream, "tickets 0");
    test_wait_readable(stream);
    while (urlp_stream_idle_state(stream) == URLP_IDLE_QUIET) {
        ck_assert_int_lt((urlp_now_ns() - began_ns) / 1000000, SLACK_MS);
    }
    urlp_stream_free(stream, URLP_CLOSE_SILENT);
    tls_scene_end(&scene);
}
END_TEST

/* expect_refusal has the server say what it must not. */
static void expect_refusal(uint16_t version, const char *line, const char *message)
{
    struct tls_scene scene = tls_scene_begin(
        (struct tls_server_options){.min_version = version, .max_version = version});
    const struct urlp_call call = test_call();
    struct urlpool_error err = {0};
    struct urlp_stream *stream;

    tls_scene_use(&scene, (struct urlpool_tls_options){.ciphers = "ECDHE+AESGCM"});
    stream = tls_scene_dial(&scene, "localhost", &err);
    ck_assert_msg(stream != NULL, "%s", err.message);
    test_say(stream, line);
    ck_assert_int_eq(read_once(stream, &call, &err), URLPOOL_E_TLS);
    ck_assert_str_eq(err.message, message);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}

START_TEST(renegotiation__is_refused)
{
    expect_refusal(TLS1_2_VERSION, "renegotiate",
                   "reading over TLS: the peer asks for renegotiation, which is refused");
}
END_TEST

START_TEST(certificate_request__behind_the_handshake_is_refused)
{
    expect_refusal(TLS1_3_VERSION, "whoareyou", "reading over TLS: unexpected message");
}
END_TEST

/* A connection that has left its manager (101, CONNECT) outlives the manager's sessions. */
START_TEST(forget__has_a_connection_keep_no_more_tickets)
{
    struct tls_scene scene =
        tls_scene_begin((struct tls_server_options){.min_version = TLS1_3_VERSION});
    struct urlp_stream *stream = tls_scene_dial(&scene, "localhost", NULL);
    const struct urlp_tls_session_key key = urlp_tls_session_key_make(
        urlp_tls_serial(scene.tls), scene.port, urlp_span_of("localhost"));

    urlp_tls_forget_sessions(stream);
    ck_assert_str_eq(test_ask(stream, "tickets 100"), "done");
    ck_assert_uint_eq(urlp_tls_sessions_count(scene.sessions, &key), 0);
    urlp_tls_sessions_free(scene.sessions);
    scene.sessions = NULL;
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}
END_TEST

RUN_TESTS("tls_unasked", tickets__by_the_thousand_leave_four,
          tickets__without_end_are_ended_by_the_deadline,
          tickets__without_end_make_an_idle_connection_unfit, renegotiation__is_refused,
          certificate_request__behind_the_handshake_is_refused,
          forget__has_a_connection_keep_no_more_tickets)
