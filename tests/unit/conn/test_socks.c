/* SOCKS over a scripted stream: each negotiation whole, in single bytes and cut at every offset,
 * and what each failure is called. */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "conn/socks.h"
#include "support/run_tests.h"
#include "support/script_stream.h"

#define BYTES(text) text, sizeof(text) - 1

static struct script *script;
static struct urlpool_error err;
static struct urlp_call call;
static struct urlp_socks_order order;
static char traced[256];

static void record(void *user, const struct urlpool_trace_event *event)
{
    (void)user;
    (void)snprintf(traced, sizeof(traced), "%d %.*s %d", (int)event->kind, (int)event->text_len,
                   event->text, (int)event->number);
}

static const struct urlpool_trace trace = {.event = record};

static void begin(int version)
{
    script = script_new();
    order = (struct urlp_socks_order){
        .version = version, .host = urlp_span_of("www.example"), .port = 443};
    call = (struct urlp_call){
        .by = urlp_deadline_in(3600000), .total_by = URLP_NEVER, .trace = &trace};
    err = (struct urlpool_error){0};
    traced[0] = '\0';
}

static void authenticate(const char *user, const char *password)
{
    order.has_credentials = true;
    order.user = urlp_span_of(user);
    order.password = urlp_span_of(password);
}

static enum urlpool_code talk(void)
{
    return urlp_socks_connect(script_open(script), &order, &call, &err);
}

static void check_written(const char *bytes, size_t len)
{
    ck_assert_uint_eq(script_written_len(script), len);
    ck_assert_mem_eq(script_written(script), bytes, len);
}

static void check_failed(enum urlpool_code code, enum urlpool_code cause, const char *message)
{
    ck_assert_int_eq(talk(), code);
    ck_assert_int_eq(err.code, code);
    ck_assert_int_eq(err.cause, cause);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_PROXY);
    ck_assert_str_eq(err.message, message);
    ck_assert_ptr_null(strstr(script_calls(script), "free"));
    script_free(script);
}

/* struct turn is what the proxy says at a time. */
struct turn {
    const char *bytes;
    size_t len;
};

static const struct turn with_password[] = {
    {BYTES("\x05\x02")},
    {BYTES("\x01\x00")},
    {BYTES("\x05\x00\x00\x03\x05proxy\x04\x38hello")},
};

static const char said_with_password[] = "\x05\x02\x00\x02"
                                         "\x01\x02me\x04pass"
                                         "\x05\x01\x00\x03\x0bwww.example\x01\xbb";

/* give lets the proxy say the first `most` bytes of all in pieces of `piece`, then end. */
static void give(size_t piece, size_t most)
{
    size_t i, at;

    for (i = 0; i < sizeof(with_password) / sizeof(with_password[0]); i++) {
        const struct turn *turn = &with_password[i];

        for (at = 0; at < turn->len && most > 0; at += piece) {
            size_t len = turn->len - at < piece ? turn->len - at : piece;

            len = len < most ? len : most;
            most -= len;
            script_give_bytes(script, turn->bytes + at, len);
        }
    }
    script_end(script, URLP_END_CLEAN);
}

START_TEST(socks5__reads_not_a_byte_behind_the_answer)
{
    static const size_t pieces[] = {64, 7, 3, 2, 1};
    size_t i;

    for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        char rest[6] = "";
        size_t at = 0;
        size_t len;
        enum urlp_end end;

        begin(5);
        authenticate("me", "pass");
        give(pieces[i], SIZE_MAX);
        ck_assert_msg(talk() == URLPOOL_OK, "%s", err.message);
        check_written(BYTES(said_with_password));
        while (at < 5) {
            ck_assert_int_eq(
                urlp_stream_read(script_open(script), rest + at, 5 - at, &len, &end, &call, NULL),
                URLPOOL_OK);
            at += len;
        }
        ck_assert_str_eq(rest, "hello");
        ck_assert_str_eq(traced, "4 www.example:443 0");
        script_free(script);
    }
}
END_TEST

START_TEST(socks5__cut_anywhere_is_a_failure_with_its_cause)
{
    const size_t len_of_all = 2 + 2 + 12;
    size_t len;

    for (len = 0; len < len_of_all; len++) {
        const bool is_between = len == 0 || len == 2 || len == 4;

        begin(5);
        authenticate("me", "pass");
        give(1, len);
        ck_assert_int_eq(talk(), URLPOOL_E_PROXY);
        ck_assert_int_eq(err.cause,
                         is_between ? URLPOOL_E_REMOTE_DISCONNECTED : URLPOOL_E_INCOMPLETE_READ);
        ck_assert_str_eq(err.message,
                         is_between
                             ? "tunnel to www.example:443: the proxy closed the connection without "
                               "an answer"
                             : "tunnel to www.example:443: the proxy closed the connection amid "
                               "its answer");
        script_free(script);
    }
    begin(5);
    authenticate("me", "pass");
    give(1, len_of_all);
    ck_assert_int_eq(talk(), URLPOOL_OK);
    script_free(script);
}
END_TEST

START_TEST(socks5__waits_for_each_answer_before_it_goes_on)
{
    begin(5);
    authenticate("me", "pass");
    check_failed(URLPOOL_E_CONNECT_TIMEOUT, URLPOOL_E_READ_TIMEOUT,
                 "tunnel to www.example:443: the script has nothing to give");
    begin(5);
    authenticate("me", "pass");
    (void)talk();
    check_written(BYTES("\x05\x02\x00\x02"));
    script_free(script);
    begin(5);
    authenticate("me", "pass");
    script_give_bytes(script, BYTES("\x05\x02"));
    (void)talk();
    check_written(BYTES("\x05\x02\x00\x02\x01\x02me\x04pass"));
    script_free(script);
}
END_TEST

START_TEST(socks5__without_credentials_or_when_nobody_asks_says_none)
{
    begin(5);
    script_give_bytes(script, BYTES("\x05\x00"));
    script_give_bytes(script, BYTES("\x05\x00\x00\x01\0\0\0\0\0\0"));
    ck_assert_int_eq(talk(), URLPOOL_OK);
    check_written(BYTES("\x05\x01\x00\x05\x01\x00\x03\x0bwww.example\x01\xbb"));
    script_free(script);

    begin(5);
    authenticate("me", "pass");
    script_give_bytes(script, BYTES("\x05\x00"));
    script_give_bytes(script, BYTES("\x05\x00\x00\x01\0\0\0\0\0\0"));
    ck_assert_int_eq(talk(), URLPOOL_OK);
    check_written(BYTES("\x05\x02\x00\x02\x05\x01\x00\x03\x0bwww.example\x01\xbb"));
    script_free(script);
}
END_TEST

START_TEST(socks5__puts_short_writes_together)
{
    unsigned i;

    begin(5);
    authenticate("me", "pass");
    for (i = 0; i < sizeof(said_with_password) - 1; i++) {
        script_take(script, 1);
    }
    give(64, SIZE_MAX);
    ck_assert_int_eq(talk(), URLPOOL_OK);
    check_written(BYTES(said_with_password));
    script_free(script);
}
END_TEST

START_TEST(socks5__says_what_was_refused_and_nothing_of_the_credentials)
{
    begin(5);
    script_give_bytes(script, BYTES("\x05\xff"));
    check_failed(URLPOOL_E_PROXY, URLPOOL_OK,
                 "tunnel to www.example:443 refused: the SOCKS5 proxy wants to know who asks");
    ck_assert_str_eq(traced, "");

    begin(5);
    authenticate("me", "pass");
    script_give_bytes(script, BYTES("\x05\x02\x01\x01"));
    check_failed(URLPOOL_E_PROXY, URLPOOL_OK,
                 "tunnel to www.example:443 refused: the SOCKS5 proxy does not accept user and "
                 "password");

    begin(5);
    order.host = urlp_span_of("2001:db8::1");
    script_give_bytes(script, BYTES("\x05\x00\x05\x05"));
    check_failed(URLPOOL_E_PROXY, URLPOOL_OK,
                 "tunnel to [2001:db8::1]:443 refused: the host refused the SOCKS5 proxy's "
                 "connection");
    ck_assert_str_eq(traced, "4 [2001:db8::1]:443 5");
}
END_TEST

START_TEST(socks5__of_garbage_is_a_breach_of_protocol)
{
    begin(5);
    script_give(script, "HTTP/1.1 400 Bad Request\r\n\r\n");
    check_failed(URLPOOL_E_PROXY, URLPOOL_E_PROTOCOL,
                 "tunnel to www.example:443: the proxy does not speak SOCKS but HTTP, it seems");
    begin(5);
    script_give_bytes(script, BYTES("\x05\x02"));
    check_failed(URLPOOL_E_PROXY, URLPOOL_E_PROTOCOL,
                 "tunnel to www.example:443: the SOCKS5 proxy chose a method that it was not "
                 "offered");
}
END_TEST

START_TEST(socks__sends_nothing_that_it_cannot_say)
{
    begin(5);
    authenticate("me", "");
    check_failed(URLPOOL_E_INVALID, URLPOOL_OK,
                 "user and password for SOCKS5 have 1 to 255 bytes each");
    begin(5);
    authenticate("me", "");
    (void)talk();
    ck_assert_str_eq(script_calls(script), "");
    script_free(script);
}
END_TEST

START_TEST(socks__ends_as_the_stream_below_does)
{
    begin(5);
    call.total_by = call.by;
    check_failed(URLPOOL_E_TOTAL_TIMEOUT, URLPOOL_OK,
                 "tunnel to www.example:443: the script has nothing to give");
    begin(5);
    script_take(script, 0);
    check_failed(URLPOOL_E_CONNECT_TIMEOUT, URLPOOL_E_WRITE_TIMEOUT,
                 "tunnel to www.example:443: the script has no room");
    begin(5);
    script_fail_read(script, URLPOOL_E_CANCELLED);
    ck_assert_int_eq(talk(), URLPOOL_E_CANCELLED);
    script_free(script);
    begin(4);
    script_fail_write(script, URLPOOL_E_RESET);
    ck_assert_int_eq(talk(), URLPOOL_E_PROXY);
    ck_assert_int_eq(err.cause, URLPOOL_E_RESET);
    ck_assert_int_ne(err.os_errno, 0);
    script_free(script);
}
END_TEST

START_TEST(socks4__cut_anywhere_or_whole)
{
    static const char reply[] = "\x00\x5a\0\0\0\0\0\0hello";
    size_t len;

    for (len = 0; len <= 8; len++) {
        begin(4);
        if (len > 0) {
            script_give_bytes(script, reply, len);
        }
        script_end(script, URLP_END_CLEAN);
        if (len == 8) {
            break;
        }
        ck_assert_int_eq(talk(), URLPOOL_E_PROXY);
        ck_assert_int_eq(err.cause,
                         len == 0 ? URLPOOL_E_REMOTE_DISCONNECTED : URLPOOL_E_INCOMPLETE_READ);
        script_free(script);
    }
    ck_assert_int_eq(talk(), URLPOOL_OK);
    check_written(BYTES("\x04\x01\x01\xbb\0\0\0\x01\0www.example\0"));
    ck_assert_str_eq(traced, "4 www.example:443 90");
    script_free(script);
}
END_TEST

START_TEST(socks4__says_what_was_refused)
{
    begin(4);
    script_give_bytes(script, BYTES("\x00\x5b\0\0\0\0\0\0"));
    check_failed(URLPOOL_E_PROXY, URLPOOL_OK,
                 "tunnel to www.example:443 refused: the SOCKS4 proxy does not let it through or "
                 "cannot reach it");
    ck_assert_str_eq(traced, "4 www.example:443 91");
}
END_TEST

RUN_TESTS("socks", socks5__reads_not_a_byte_behind_the_answer,
          socks5__cut_anywhere_is_a_failure_with_its_cause,
          socks5__waits_for_each_answer_before_it_goes_on,
          socks5__without_credentials_or_when_nobody_asks_says_none,
          socks5__puts_short_writes_together,
          socks5__says_what_was_refused_and_nothing_of_the_credentials,
          socks5__of_garbage_is_a_breach_of_protocol, socks__sends_nothing_that_it_cannot_say,
          socks__ends_as_the_stream_below_does, socks4__cut_anywhere_or_whole,
          socks4__says_what_was_refused)
