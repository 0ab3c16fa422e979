/* The look at an idle TLS connection: what means that it can be used again, and what it costs. */

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "net/tls_session.h"
#include "support/run_tests.h"
#include "support/tls_client.h"
#include "support/tls_scene.h"
#include "support/tls_server.h"

START_TEST(look__is_quiet_when_nothing_has_come)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct test_counts counts = {0};
    struct urlp_stream *stream = tls_scene_dial_counted(&scene, &counts);

    (void)test_ask(stream, "echo hello");
    counts = (struct test_counts){0};
    ck_assert_int_eq(urlp_stream_idle_state(stream), URLP_IDLE_QUIET);
    ck_assert_uint_eq(counts.num_looks, 1);
    ck_assert_uint_eq(counts.num_reads, 0);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(look__swallows_session_tickets_and_keeps_them)
{
    struct tls_scene scene =
        tls_scene_begin((struct tls_server_options){.min_version = TLS1_3_VERSION});
    struct urlp_stream *stream = tls_scene_dial(&scene, "localhost", NULL);
    const struct urlp_tls_session_key key = urlp_tls_session_key_make(
        urlp_tls_serial(scene.tls), scene.port, urlp_span_of("localhost"));

    ck_assert_uint_eq(urlp_tls_sessions_count(scene.sessions, &key), 0);
    test_wait_readable(stream);
    ck_assert_int_eq(urlp_stream_idle_state(stream), URLP_IDLE_QUIET);
    ck_assert_uint_gt(urlp_tls_sessions_count(scene.sessions, &key), 0);
    ck_assert_int_eq(urlp_stream_idle_state(stream), URLP_IDLE_QUIET);
    ck_assert_str_eq(test_ask(stream, "echo healthy"), "healthy");
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(look__tells_bytes_that_nobody_asked_for_and_leaves_them)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct urlp_stream *stream = tls_scene_dial(&scene, "localhost", NULL);

    (void)test_ask(stream, "echo hello");
    test_say(stream, "echo unread");
    test_wait_readable(stream);
    ck_assert_int_eq(urlp_stream_idle_state(stream), URLP_IDLE_UNEXPECTED);
    ck_assert_int_eq(urlp_stream_idle_state(stream), URLP_IDLE_UNEXPECTED);
    ck_assert_str_eq(test_hear(stream), "unread");
    ck_assert_int_eq(urlp_stream_idle_state(stream), URLP_IDLE_QUIET);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(look__tells_bytes_that_were_read_ahead)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct urlp_stream *stream = tls_scene_dial(&scene, "localhost", NULL);
    const struct urlp_call call = test_call();
    enum urlp_end end;
    size_t len = 0;
    char byte;

    (void)test_ask(stream, "echo hello");
    test_say(stream, "echo unread");
    ck_assert_int_eq(urlp_stream_read(stream, &byte, 1, &len, &end, &call, NULL), URLPOOL_OK);
    ck_assert_uint_eq(len, 1);
    ck_assert_int_eq(urlp_stream_idle_state(stream), URLP_IDLE_UNEXPECTED);
    ck_assert_str_eq(test_hear(stream), "nread");
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}
END_TEST

static void expect_look(const char *line, enum urlp_idle_state state)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct urlp_stream *stream = tls_scene_dial(&scene, "localhost", NULL);

    (void)test_ask(stream, "echo hello"); /* also brings the tickets */
    test_say(stream, line);
    test_wait_readable(stream);
    ck_assert_int_eq(urlp_stream_idle_state(stream), state);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}

START_TEST(look__tells_close_notify)
{
    expect_look("close", URLP_IDLE_CLOSED);
}
END_TEST

START_TEST(look__tells_an_end_without_close_notify)
{
    expect_look("cut", URLP_IDLE_CLOSED);
}
END_TEST

START_TEST(look__tells_a_reset)
{
    expect_look("reset", URLP_IDLE_CLOSED);
}
END_TEST

START_TEST(look__tells_a_fatal_alert_that_no_end_follows)
{
    expect_look("alert", URLP_IDLE_CLOSED);
}
END_TEST

START_TEST(look__tells_close_notify_that_no_end_follows)
{
    expect_look("farewell", URLP_IDLE_CLOSED);
}
END_TEST

START_TEST(look__does_not_trust_half_a_record)
{
    expect_look("half", URLP_IDLE_UNEXPECTED);
}
END_TEST

START_TEST(look__does_not_trust_a_record_that_does_not_decrypt)
{
    expect_look("junk", URLP_IDLE_CLOSED);
}
END_TEST

START_TEST(exchange__on_a_kept_connection_is_one_look_one_write_one_read)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct test_counts counts = {0};
    struct urlp_stream *stream = tls_scene_dial_counted(&scene, &counts);

    (void)test_ask(stream, "echo warm");
    for (int i = 0; i < 3; i++) {
        counts = (struct test_counts){0};
        ck_assert_int_eq(urlp_stream_idle_state(stream), URLP_IDLE_QUIET);
        ck_assert_str_eq(test_ask(stream, "echo hello"), "hello");
        ck_assert_uint_eq(counts.num_looks, 1);
        ck_assert_uint_eq(counts.num_writes, 1);
        ck_assert_uint_eq(counts.num_reads, 1);
    }
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}
END_TEST

RUN_TESTS("tls_look", look__is_quiet_when_nothing_has_come,
          look__swallows_session_tickets_and_keeps_them,
          look__tells_bytes_that_nobody_asked_for_and_leaves_them,
          look__tells_bytes_that_were_read_ahead, look__tells_close_notify,
          look__tells_an_end_without_close_notify, look__tells_a_reset,
          look__tells_a_fatal_alert_that_no_end_follows,
          look__tells_close_notify_that_no_end_follows, look__does_not_trust_half_a_record,
          look__does_not_trust_a_record_that_does_not_decrypt,
          exchange__on_a_kept_connection_is_one_look_one_write_one_read)
