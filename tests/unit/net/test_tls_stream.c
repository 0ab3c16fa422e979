/* Bytes inside TLS: reading, writing, how it ends, and TLS over other streams. */

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "net/tls_stream.h"
#include "support/certs.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"
#include "support/tls_client.h"
#include "support/tls_scene.h"
#include "support/tls_server.h"

#define RECORD_BYTES 16384

/* What one read brought. */
struct outcome {
    enum urlpool_code code;
    size_t len;
    enum urlp_end end;
    struct urlpool_error err;
};

static struct outcome read_once(struct urlp_stream *stream, const struct urlp_call *call)
{
    const struct urlp_call patient = test_call();
    struct outcome outcome = {.end = URLP_END_NONE};
    char bytes[64];

    outcome.code = urlp_stream_read(stream, bytes, sizeof(bytes), &outcome.len, &outcome.end,
                                    call != NULL ? call : &patient, &outcome.err);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    return outcome;
}

/* hear_pattern reads `len` bytes of the server's pattern. (An assertion a byte would be slow.) */
static void hear_pattern(struct urlp_stream *stream, size_t len)
{
    const struct urlp_call call = test_call();
    uint8_t bytes[5000];
    size_t num_wrong = 0;

    for (size_t at = 0; at < len;) {
        enum urlp_end end = URLP_END_NONE;
        size_t got = 0;
        const enum urlpool_code code =
            urlp_stream_read(stream, bytes, sizeof(bytes), &got, &end, &call, NULL);

        if (code != URLPOOL_OK || got == 0) {
            ck_abort_msg("%s after %zu of %zu bytes", urlpool_code_name(code), at, len);
        }
        for (size_t i = 0; i < got; i++) {
            num_wrong += bytes[i] != test_pattern(at + i);
        }
        at += got;
    }
    ck_assert_uint_eq(num_wrong, 0);
}

START_TEST(read__brings_a_long_body_whole)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct urlp_stream *stream = tls_scene_dial(&scene, "localhost", NULL);

    test_say(stream, "send 1000000");
    hear_pattern(stream, 1000000);
    ck_assert_str_eq(test_ask(stream, "echo still here"), "still here");
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(read__does_not_cost_a_call_below_for_each_record)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct test_counts counts = {0};
    struct urlp_stream *stream = tls_scene_dial_counted(&scene, &counts);

    (void)test_ask(stream, "echo warm");
    test_say(stream, "drops 2000");
    counts = (struct test_counts){.num_coming = 2000 * 22}; /* a record is larger */
    hear_pattern(stream, 2000);
    ck_assert_uint_lt(counts.num_reads, 2000);

    test_say(stream, "send 3200000");
    counts = (struct test_counts){.num_coming = 3200000}; /* whatever the server's pace */
    hear_pattern(stream, 3200000);
    ck_assert_uint_lt(counts.num_reads, 2 * 3200000 / RECORD_BYTES);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(read__gives_the_large_room_back_when_the_peer_falls_silent)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct urlp_stream *stream = tls_scene_dial(&scene, "localhost", NULL);

    test_say(stream, "send 1000000");
    hear_pattern(stream, 1000000);
    (void)test_ask(stream, "echo small");
    ck_assert_ptr_null(((struct urlp_tls_stream *)stream)->bio.large);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(read__ends_clean_after_close_notify)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct urlp_stream *stream = tls_scene_dial(&scene, "localhost", NULL);

    test_say(stream, "close");
    for (int i = 0; i < 2; i++) {
        const struct outcome outcome = read_once(stream, NULL);

        ck_assert_int_eq(outcome.code, URLPOOL_OK);
        ck_assert_uint_eq(outcome.len, 0);
        ck_assert_int_eq(outcome.end, URLP_END_CLEAN);
    }
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}
END_TEST

static void expect_ragged_end(uint16_t max_version)
{
    struct tls_scene scene =
        tls_scene_begin((struct tls_server_options){.max_version = max_version});
    struct urlp_stream *stream = tls_scene_dial(&scene, "localhost", NULL);

    test_say(stream, "cut");
    for (int i = 0; i < 2; i++) {
        const struct outcome outcome = read_once(stream, NULL);

        ck_assert_int_eq(outcome.code, URLPOOL_OK);
        ck_assert_uint_eq(outcome.len, 0);
        ck_assert_int_eq(outcome.end, URLP_END_RAGGED);
    }
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}

START_TEST(read__tells_an_end_without_close_notify_over_tls_1_3)
{
    expect_ragged_end(0);
}
END_TEST

START_TEST(read__tells_an_end_without_close_notify_over_tls_1_2)
{
    expect_ragged_end(TLS1_2_VERSION);
}
END_TEST

START_TEST(read__tells_a_reset)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct urlp_stream *stream = tls_scene_dial(&scene, "localhost", NULL);
    struct outcome outcome;

    test_say(stream, "reset");
    outcome = read_once(stream, NULL);
    ck_assert_int_eq(outcome.code, URLPOOL_E_RESET);
    ck_assert_int_eq(outcome.err.phase, URLPOOL_PHASE_BODY);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(read__refuses_a_record_that_does_not_decrypt)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct urlp_stream *stream = tls_scene_dial(&scene, "localhost", NULL);
    struct outcome outcome;

    test_say(stream, "junk");
    outcome = read_once(stream, NULL);
    ck_assert_int_eq(outcome.code, URLPOOL_E_TLS);
    ck_assert_int_eq(outcome.err.phase, URLPOOL_PHASE_BODY);
    ck_assert_str_eq(outcome.err.message, "reading over TLS: bad decrypt");
    ck_assert_uint_ne(outcome.err.tls_code, 0);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(read__is_bounded_by_its_deadline)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct urlp_stream *stream = tls_scene_dial(&scene, "localhost", NULL);
    const struct urlp_call gap = {.by = urlp_deadline_in(20), .total_by = URLP_NEVER};
    struct outcome outcome = read_once(stream, &gap);

    ck_assert_int_eq(outcome.code, URLPOOL_E_READ_TIMEOUT);
    ck_assert_int_eq(outcome.err.phase, URLPOOL_PHASE_BODY);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(read__that_timed_out_can_be_tried_again)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct urlp_stream *stream = tls_scene_dial(&scene, "localhost", NULL);
    const struct urlp_call gap = {.by = urlp_deadline_in(5), .total_by = URLP_NEVER};

    ck_assert_int_eq(read_once(stream, &gap).code, URLPOOL_E_READ_TIMEOUT);
    ck_assert_str_eq(test_ask(stream, "echo still here"), "still here");
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    ck_assert_uint_eq(tls_server_wait(scene.server, 1).num_close_notify, 1);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(read__ends_in_the_middle_of_a_record_at_its_deadline)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct urlp_stream *stream = tls_scene_dial(&scene, "localhost", NULL);
    struct urlp_call call;

    test_say(stream, "half");
    test_wait_readable(stream);
    call = (struct urlp_call){.by = urlp_deadline_in(20), .total_by = urlp_deadline_in(20)};
    call.by = call.total_by;
    ck_assert_int_eq(read_once(stream, &call).code, URLPOOL_E_TOTAL_TIMEOUT);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(read__follows_a_change_of_keys)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct urlp_stream *stream = tls_scene_dial(&scene, "localhost", NULL);

    ck_assert_str_eq(test_ask(stream, "update"), "updated");
    ck_assert_str_eq(test_ask(stream, "echo after"), "after");
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(read__refuses_changes_of_keys_without_end)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct urlp_stream *stream = tls_scene_dial(&scene, "localhost", NULL);
    struct outcome outcome;

    test_say(stream, "updates 100");
    outcome = read_once(stream, NULL);
    ck_assert_int_eq(outcome.code, URLPOOL_E_TLS);
    ck_assert_str_eq(outcome.err.message, "reading over TLS: the peer changes keys without end");
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(read__still_brings_what_came_before_a_failed_write)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct test_counts counts = {0};
    struct urlp_stream *stream = tls_scene_dial_counted(&scene, &counts);
    const struct urlp_call call = test_call();
    const struct urlp_iovec run = {"echo lost\n", 10};
    struct urlpool_error err = {0};
    size_t written = 99;

    test_say(stream, "echo early answer");
    test_wait_readable(stream);
    counts.write_code = URLPOOL_E_RESET;
    ck_assert_int_eq(urlp_stream_write(stream, &run, 1, &written, &call, &err), URLPOOL_E_RESET);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_SEND);
    ck_assert_uint_eq(written, 99);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    ck_assert_str_eq(test_hear(stream), "early answer");
    urlp_stream_free(stream, URLP_CLOSE_SILENT);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(write__that_failed_is_told_by_the_alert_that_came_before)
{
    static const uint16_t versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

    for (size_t i = 0; i < 2; i++) {
        struct tls_scene scene =
            tls_scene_begin((struct tls_server_options){.max_version = versions[i]});
        struct test_counts counts = {0};
        struct urlp_stream *stream = tls_scene_dial_counted(&scene, &counts);
        const struct urlp_call call = test_call();
        const struct urlp_iovec run = {"echo lost\n", 10};
        struct urlpool_error err = {0};
        size_t written = 99;

        (void)test_ask(stream, "echo behind the tickets");
        test_say(stream, "alert");
        test_wait_readable(stream);
        counts.write_code = URLPOOL_E_RESET;
        ck_assert_int_eq(urlp_stream_write(stream, &run, 1, &written, &call, &err), URLPOOL_E_TLS);
        ck_assert_str_eq(err.message, "writing over TLS: the peer sent the alert internal error");
        ck_assert_int_eq(err.phase, URLPOOL_PHASE_SEND);
        ck_assert_uint_ne(err.tls_code, 0);
        ck_assert_uint_eq(written, 99);
        ck_assert_uint_eq(ERR_peek_error(), 0);
        urlp_stream_free(stream, URLP_CLOSE_SILENT);
        tls_scene_end(&scene);
    }
}
END_TEST

/* --- writing ------------------------------------------------------------------------------- */

static void write_all(struct urlp_stream *stream, struct urlp_iovec *runs, size_t num_runs)
{
    const struct urlp_call call = test_call();

    while (num_runs > 0) {
        size_t written = 0;

        ck_assert_int_eq(urlp_stream_write(stream, runs, num_runs, &written, &call, NULL),
                         URLPOOL_OK);
        ck_assert_uint_gt(written, 0);
        while (num_runs > 0 && written >= runs[0].len) {
            written -= runs[0].len;
            runs++;
            num_runs--;
        }
        if (num_runs > 0) {
            runs[0] =
                (struct urlp_iovec){(const char *)runs[0].data + written, runs[0].len - written};
        }
    }
}

START_TEST(write__sends_head_and_body_in_one_record)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct test_counts counts = {0};
    struct urlp_stream *stream = tls_scene_dial_counted(&scene, &counts);
    struct urlp_iovec runs[] = {
        {"",          0},
        {"echo ",     5},
        {"",          0},
        {"one",       3},
        {" record\n", 8}
    };

    counts = (struct test_counts){0};
    write_all(stream, runs, 5);
    ck_assert_str_eq(test_hear(stream), "one record");
    ck_assert_uint_eq(counts.num_writes, 1);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(write__cuts_a_long_body_into_full_records)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct test_counts counts = {0};
    struct urlp_stream *stream = tls_scene_dial_counted(&scene, &counts);
    const size_t len = 10 * RECORD_BYTES;
    uint8_t *body = malloc(len);
    struct urlp_iovec runs[] = {
        {"sink 163840\n", 12       },
        {body,            100      },
        {body + 100,      len - 100}
    };

    for (size_t i = 0; i < len; i++) {
        body[i] = test_pattern(i);
    }
    counts = (struct test_counts){0};
    write_all(stream, runs, 3);
    ck_assert_str_eq(test_hear(stream), "took 163840 good");
    /* The kernel may take a record in parts. */
    ck_assert_uint_ge(counts.num_writes, 11);
    ck_assert_uint_gt(counts.largest_write, RECORD_BYTES);
    ck_assert_uint_lt(counts.largest_write, RECORD_BYTES + 64);
    free(body);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(write__of_nothing_sends_nothing)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct test_counts counts = {0};
    struct urlp_stream *stream = tls_scene_dial_counted(&scene, &counts);
    const struct urlp_iovec runs[] = {
        {"",   0},
        {NULL, 0}
    };
    const struct urlp_call call = test_call();
    size_t written = 99;

    counts = (struct test_counts){0};
    ck_assert_int_eq(urlp_stream_write(stream, runs, 2, &written, &call, NULL), URLPOOL_OK);
    ck_assert_uint_eq(written, 0);
    ck_assert_uint_eq(counts.num_writes, 0);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(write__is_bounded_by_its_deadline)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct urlp_stream *stream = tls_scene_dial(&scene, "localhost", NULL);
    static const uint8_t bytes[RECORD_BYTES];
    const struct urlp_iovec run = {bytes, sizeof(bytes)};
    const struct urlp_call call = {.by = urlp_deadline_in(200), .total_by = URLP_NEVER};
    struct urlpool_error err = {0};
    enum urlpool_code code = URLPOOL_OK;

    test_say(stream, "stuck");
    while (code == URLPOOL_OK) {
        size_t written;

        code = urlp_stream_write(stream, &run, 1, &written, &call, &err);
    }
    ck_assert_int_eq(code, URLPOOL_E_WRITE_TIMEOUT);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_SEND);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(write__goes_on_when_the_stream_below_takes_little_at_a_time)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct test_counts counts = {0};
    struct urlp_stream *stream = tls_scene_dial_counted(&scene, &counts);

    counts = (struct test_counts){.write_bytes_max = 7};
    ck_assert_str_eq(test_ask(stream, "echo in small pieces"), "in small pieces");
    ck_assert_uint_gt(counts.num_writes, 4);
    counts.write_bytes_max = 0;
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(write__that_timed_out_can_be_tried_again)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct test_counts counts = {0};
    struct urlp_stream *stream = tls_scene_dial_counted(&scene, &counts);
    const struct urlp_call call = test_call();
    /* The same bytes, but elsewhere each time. */
    static const char lines[][16] = {"echo once only\n", "echo once only\n", "echo once only\n"};
    const size_t len = strlen(lines[0]);
    size_t written = 0;

    counts.write_code = URLPOOL_E_WRITE_TIMEOUT;
    for (int i = 0; i < 2; i++) {
        struct urlpool_error err = {0};

        ck_assert_int_eq(urlp_stream_write(stream, &(struct urlp_iovec){lines[i], len}, 1, &written,
                                           &call, &err),
                         URLPOOL_E_WRITE_TIMEOUT);
        ck_assert_int_eq(urlp_stream_idle_state(stream), URLP_IDLE_QUIET);
    }
    counts.write_code = URLPOOL_OK;
    ck_assert_int_eq(
        urlp_stream_write(stream, &(struct urlp_iovec){lines[2], len}, 1, &written, &call, NULL),
        URLPOOL_OK);
    ck_assert_uint_eq(written, len);
    ck_assert_str_eq(test_hear(stream), "once only");
    ck_assert_str_eq(test_ask(stream, "echo and on"), "and on");
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    ck_assert_uint_eq(tls_server_wait(scene.server, 1).num_close_notify, 1);
    tls_scene_end(&scene);
}
END_TEST

/* --- closing ------------------------------------------------------------------------------- */

START_TEST(close__polite_sends_close_notify)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct urlp_stream *stream = tls_scene_dial(&scene, "localhost", NULL);

    (void)test_ask(stream, "echo hello");
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    ck_assert_uint_eq(tls_server_wait(scene.server, 1).num_close_notify, 1);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(close__silent_sends_nothing)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct test_counts counts = {0};
    struct urlp_stream *stream = tls_scene_dial_counted(&scene, &counts);

    (void)test_ask(stream, "echo hello");
    counts = (struct test_counts){0};
    urlp_stream_free(stream, URLP_CLOSE_SILENT);
    ck_assert_uint_eq(counts.num_writes, 0);
    ck_assert_uint_eq(tls_server_wait(scene.server, 1).num_close_notify, 0);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(close__polite_does_not_wait_for_room)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct test_counts counts = {0};
    struct urlp_stream *stream = tls_scene_dial_counted(&scene, &counts);
    static const uint8_t bytes[RECORD_BYTES];

    test_say(stream, "stuck");
    while (send(urlp_stream_fd(stream), bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
    }
    counts = (struct test_counts){0};
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    ck_assert_uint_eq(counts.num_writes, 1);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(close__polite_says_nothing_on_a_broken_connection)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct test_counts counts = {0};
    struct urlp_stream *stream = tls_scene_dial_counted(&scene, &counts);

    (void)test_ask(stream, "echo hello");
    test_say(stream, "cut");
    ck_assert_int_eq(read_once(stream, NULL).end, URLP_END_RAGGED);
    counts = (struct test_counts){0};
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    ck_assert_uint_eq(counts.num_writes, 0);
    tls_scene_end(&scene);
}
END_TEST

START_TEST(write__to_a_peer_that_is_gone_raises_no_signal)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct urlp_stream *stream = tls_scene_dial(&scene, "localhost", NULL);
    const struct urlp_iovec run = {"echo lost\n", 10};
    const struct urlp_call call = test_call();
    enum urlpool_code code = URLPOOL_OK;
    size_t written;

    test_say(stream, "reset");
    (void)tls_server_wait(scene.server, 1);
    for (int i = 0; i < 3; i++) {
        code = urlp_stream_write(stream, &run, 1, &written, &call, NULL);
    }
    ck_assert_int_ne(code, URLPOOL_OK);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    tls_scene_end(&scene);
}
END_TEST

/* --- over other streams -------------------------------------------------------------------- */

/* TLS to localhost inside TLS to a proxy, which knows another CA and another name. */
START_TEST(stream__stacks_tls_in_tls)
{
    struct tls_scene origin = tls_scene_begin((struct tls_server_options){0});
    struct test_cert *proxy_ca = test_ca("proxy CA");
    struct test_cert *proxy_leaf = test_leaf("proxy.example", proxy_ca);
    const struct tls_server_options options = {.certs = {proxy_leaf}};
    struct tls_server *proxy = tls_server_start(&options);
    struct urlpool_tls *proxy_tls = test_trust(proxy_ca);
    const struct urlp_tls_target target = {.host = urlp_span_of("localhost"), .port = origin.port};
    const struct urlp_call call = test_call();
    struct urlp_stream *outer =
        test_wrap(tls_server_port(proxy), proxy_tls, "proxy.example", NULL, NULL, NULL);
    struct urlp_stream *inner;
    char line[32];

    ck_assert_ptr_nonnull(outer);
    (void)snprintf(line, sizeof(line), "tunnel %u", (unsigned)origin.port);
    ck_assert_str_eq(test_ask(outer, line), "go");
    inner = urlp_tls_wrap(outer, origin.tls, &target, origin.sessions, &call, NULL);
    ck_assert_ptr_nonnull(inner);
    ck_assert_ptr_eq(inner->ops->below(inner), outer);
    ck_assert_int_eq(urlp_stream_fd(inner), urlp_stream_fd(outer));
    ck_assert_str_eq(test_ask(inner, "echo deep"), "deep");
    ck_assert_int_eq(urlp_stream_idle_state(inner), URLP_IDLE_QUIET);
    test_say(inner, "send 300000");
    hear_pattern(inner, 300000);
    test_say(inner, "echo unread");
    test_wait_readable(inner);
    ck_assert_int_eq(urlp_stream_idle_state(inner), URLP_IDLE_UNEXPECTED);
    ck_assert_str_eq(test_hear(inner), "unread");
    urlp_stream_free(inner, URLP_CLOSE_POLITE);

    ck_assert_uint_eq(tls_server_wait(origin.server, 1).num_close_notify, 1);
    ck_assert_uint_eq(tls_server_wait(proxy, 1).num_close_notify, 1);
    tls_server_stop(proxy);
    urlpool_tls_unref(proxy_tls);
    tls_scene_end(&origin);
    test_cert_free(proxy_leaf);
    test_cert_free(proxy_ca);
}
END_TEST

START_TEST(describe__knows_a_stream_that_is_not_tls)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    struct urlp_stream *stream = test_connect(scene.port);
    const char *version = "untouched";
    const char *cipher = "untouched";
    bool is_resumed = true;

    ck_assert(!urlp_tls_describe(stream, &version, &cipher, &is_resumed));
    ck_assert_str_eq(version, "untouched");
    urlp_stream_free(stream, URLP_CLOSE_SILENT);
    tls_scene_end(&scene);
}
END_TEST

/* --- out of memory, many threads ----------------------------------------------------------- */

START_TEST(stream__survives_each_failed_allocation)
{
    const struct urlp_call call = test_call();
    struct urlp_tls_target target = {.host = urlp_span_of("localhost")};
    struct tls_scene scene;
    unsigned num_refused = 0;
    bool has_failed = true;

    failing_allocator_install();
    scene = tls_scene_begin((struct tls_server_options){0});
    target.port = scene.port;
    while (has_failed) {
        static uint64_t nth;
        struct urlp_stream *inner = test_connect(scene.port);
        struct urlpool_error err = {0};
        struct urlp_stream *stream;

        failing_allocator_fail_nth(++nth);
        stream = urlp_tls_wrap(inner, scene.tls, &target, scene.sessions, &call, &err);
        if (stream != NULL) {
            /* A session or room to read ahead that there is no memory for is done without. */
            test_say(stream, "send 300000");
            hear_pattern(stream, 300000);
            has_failed = failing_allocator_has_failed();
            urlp_stream_free(stream, URLP_CLOSE_POLITE);
        } else {
            ck_assert_int_eq(err.code, URLPOOL_E_NOMEM);
            num_refused++;
            urlp_stream_free(inner, URLP_CLOSE_SILENT);
        }
    }
    ck_assert_uint_ge(num_refused, 1);
    failing_allocator_fail_nth(0);
    tls_scene_end(&scene);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
}
END_TEST

#define NUM_THREADS     6
#define NUM_CONNECTIONS 6

static void *use_connections(void *user)
{
    struct tls_scene *scene = user;

    for (int i = 0; i < NUM_CONNECTIONS; i++) {
        struct urlp_stream *stream = tls_scene_dial(scene, "localhost", NULL);

        ck_assert_ptr_nonnull(stream);
        ck_assert_str_eq(test_ask(stream, "echo hello"), "hello");
        ck_assert_int_eq(urlp_stream_idle_state(stream), URLP_IDLE_QUIET);
        urlp_stream_free(stream, URLP_CLOSE_POLITE);
    }
    return NULL;
}

START_TEST(stream__configurations_and_sessions_are_shared_by_threads)
{
    struct tls_scene scene = tls_scene_begin((struct tls_server_options){0});
    pthread_t threads[NUM_THREADS];

    for (int i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, use_connections, &scene), 0);
    }
    for (int i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    }
    ck_assert_uint_eq(scene.counters.tls_full + scene.counters.tls_resumed,
                      NUM_THREADS * NUM_CONNECTIONS);
    ck_assert_uint_gt(scene.counters.tls_resumed, 0);
    tls_scene_end(&scene);
}
END_TEST

RUN_TESTS("tls_stream", read__brings_a_long_body_whole,
          read__does_not_cost_a_call_below_for_each_record,
          read__gives_the_large_room_back_when_the_peer_falls_silent,
          read__ends_clean_after_close_notify, read__tells_an_end_without_close_notify_over_tls_1_3,
          read__tells_an_end_without_close_notify_over_tls_1_2, read__tells_a_reset,
          read__refuses_a_record_that_does_not_decrypt, read__is_bounded_by_its_deadline,
          read__that_timed_out_can_be_tried_again,
          read__ends_in_the_middle_of_a_record_at_its_deadline, read__follows_a_change_of_keys,
          read__refuses_changes_of_keys_without_end,
          read__still_brings_what_came_before_a_failed_write,
          write__that_failed_is_told_by_the_alert_that_came_before,
          write__sends_head_and_body_in_one_record, write__cuts_a_long_body_into_full_records,
          write__of_nothing_sends_nothing, write__is_bounded_by_its_deadline,
          write__goes_on_when_the_stream_below_takes_little_at_a_time,
          write__that_timed_out_can_be_tried_again, close__polite_sends_close_notify,
          close__silent_sends_nothing, close__polite_does_not_wait_for_room,
          close__polite_says_nothing_on_a_broken_connection,
          write__to_a_peer_that_is_gone_raises_no_signal, stream__stacks_tls_in_tls,
          describe__knows_a_stream_that_is_not_tls, stream__survives_each_failed_allocation,
          stream__configurations_and_sessions_are_shared_by_threads)
