/* What transcripts cannot show of the codec: the order of calls, the ends of a stream in every
 * state, reading past the codec, and what becomes of it out of memory. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "h1/codec.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"

static struct urlp_h1_codec *codec;
static struct urlpool_error err;
static struct urlp_h1_event event;

static enum urlpool_code try_to_write(const char *method, struct urlp_buf *out)
{
    const struct urlp_field host = {urlp_span_of("Host"), urlp_span_of("a.example:1")};
    bool is_connect = strcmp(method, "CONNECT") == 0;
    const struct urlp_request_head head = {
        .method = urlp_span_of(method),
        .target = urlp_span_of(is_connect ? "a.example:1" : "/"),
        .fields = &host,
        .num_fields = 1,
    };

    return urlp_h1_write_head(codec, &head, out, &err);
}

static void write_request(const char *method)
{
    struct urlp_buf out = {0};

    ck_assert_int_eq(try_to_write(method, &out), URLPOOL_OK);
    urlp_buf_deinit(&out);
}

static void check_refused(void)
{
    struct urlp_buf out = {0};

    ck_assert_int_eq(try_to_write("GET", &out), URLPOOL_E_CANNOT_SEND_REQUEST);
    ck_assert_int_eq(err.code, URLPOOL_E_CANNOT_SEND_REQUEST);
    ck_assert_uint_eq(out.len, 0);
}

/* next gives `text` to the codec and returns how much of it was used; the event is in `event`. Only
 * its type and lengths may be looked at: the bytes are gone. */
static size_t next(const char *text)
{
    uint8_t bytes[512];
    size_t len = strlen(text);
    size_t used = SIZE_MAX;

    ck_assert_uint_le(len, sizeof(bytes));
    memcpy(bytes, text, len);
    ck_assert_int_eq(urlp_h1_next(codec, bytes, len, &used, &event, &err), URLPOOL_OK);
    ck_assert_uint_le(used, len);
    return used;
}

static void begin(const char *method)
{
    codec = urlp_h1_new(NULL, &err);
    ck_assert_ptr_nonnull(codec);
    write_request(method);
}

/* begin_response brings the codec behind the head `text` of a response to GET. */
static void begin_response(const char *text)
{
    begin("GET");
    urlp_h1_request_sent(codec);
    ck_assert_uint_eq(next(text), strlen(text));
    ck_assert_int_eq(event.type, URLP_H1_RESPONSE);
}

static enum urlpool_code end_stream(bool is_clean)
{
    return urlp_h1_end_of_stream(codec, is_clean, &event, &err);
}

#define HEAD_LENGTH_5    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
#define HEAD_LENGTH_0    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define HEAD_CHUNKED     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define HEAD_UNTIL_CLOSE "HTTP/1.1 200 OK\r\n\r\n"

START_TEST(new__refuses_wrong_limits)
{
    ck_assert_ptr_null(urlp_h1_new(&(struct urlpool_limits){.fields_max = -5}, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_INVALID);
}
END_TEST

START_TEST(free__accepts_null)
{
    urlp_h1_free(NULL);
}
END_TEST

START_TEST(next__tells_that_no_response_is_due_and_goes_on)
{
    uint8_t byte = 'x';
    size_t used;

    codec = urlp_h1_new(NULL, &err);
    ck_assert_int_eq(urlp_h1_next(codec, &byte, 1, &used, &event, &err),
                     URLPOOL_E_RESPONSE_NOT_READY);
    write_request("GET");
    ck_assert_uint_eq(next("HTTP"), 0);
    ck_assert_int_eq(event.type, URLP_H1_NEED_DATA);
    urlp_h1_free(codec);
}
END_TEST

START_TEST(next__tells_that_no_response_is_due_behind_the_end)
{
    uint8_t byte = 'x';
    size_t used;

    begin_response(HEAD_LENGTH_0);
    (void)next("");
    ck_assert_int_eq(event.type, URLP_H1_END);
    ck_assert_int_eq(urlp_h1_next(codec, &byte, 1, &used, &event, &err),
                     URLPOOL_E_RESPONSE_NOT_READY);
    ck_assert(urlp_h1_is_reusable(codec));
    urlp_h1_free(codec);
}
END_TEST

START_TEST(write_head__is_refused_until_the_last_exchange_is_over)
{
    begin("GET");
    check_refused();
    urlp_h1_request_sent(codec);
    check_refused();
    (void)next(HEAD_LENGTH_5);
    check_refused();
    (void)next("hello");
    check_refused();
    (void)next("");
    ck_assert_int_eq(event.type, URLP_H1_END);
    write_request("GET");
    urlp_h1_free(codec);
}
END_TEST

START_TEST(write_head__is_refused_while_the_request_is_owed)
{
    begin("GET");
    (void)next(HEAD_LENGTH_0);
    (void)next("");
    ck_assert_int_eq(event.type, URLP_H1_END);
    ck_assert(!urlp_h1_is_reusable(codec));
    check_refused();
    urlp_h1_request_sent(codec);
    ck_assert(urlp_h1_is_reusable(codec));
    write_request("GET");
    urlp_h1_free(codec);
}
END_TEST

START_TEST(write_head__is_refused_behind_an_error)
{
    uint8_t garbage[] = "garbage";
    size_t used;

    begin("GET");
    urlp_h1_request_sent(codec);
    ck_assert_int_eq(urlp_h1_next(codec, garbage, 7, &used, &event, &err),
                     URLPOOL_E_BAD_STATUS_LINE);
    check_refused();
    ck_assert(!urlp_h1_is_reusable(codec));
    ck_assert(!urlp_h1_is_idle(codec));
    urlp_h1_free(codec);
}
END_TEST

START_TEST(write_head__is_refused_in_a_tunnel)
{
    begin("CONNECT");
    urlp_h1_request_sent(codec);
    (void)next("HTTP/1.1 200 OK\r\n\r\n");
    ck_assert_int_eq(event.type, URLP_H1_SWITCHED);
    check_refused();
    ck_assert(!urlp_h1_is_reusable(codec));
    urlp_h1_free(codec);
}
END_TEST

START_TEST(write_head__appends_all_or_nothing)
{
    struct urlp_buf out;

    codec = urlp_h1_new(NULL, &err);
    urlp_buf_init(&out, 20);
    ck_assert_int_eq(urlp_buf_append_text(&out, "before"), URLPOOL_OK);
    ck_assert_int_eq(try_to_write("GET", &out), URLPOOL_E_DATA_TOO_LARGE);
    ck_assert_uint_eq(out.len, 6);
    out.max = 0;
    ck_assert_int_eq(try_to_write("GET", &out), URLPOOL_OK);
    ck_assert_uint_eq(out.len, 6 + strlen("GET / HTTP/1.1\r\nHost: a.example:1\r\n\r\n"));
    ck_assert_mem_eq(out.data, "beforeGET / HTTP/1.1\r\n", 22);
    urlp_buf_deinit(&out);
    urlp_h1_free(codec);
}
END_TEST

START_TEST(is_idle__is_true_only_outside_of_an_exchange)
{
    codec = urlp_h1_new(NULL, &err);
    ck_assert(urlp_h1_is_idle(codec));
    ck_assert(!urlp_h1_is_reusable(codec));
    write_request("GET");
    ck_assert(!urlp_h1_is_idle(codec));
    (void)next(HEAD_LENGTH_0);
    ck_assert(!urlp_h1_is_idle(codec));
    (void)next("");
    ck_assert(urlp_h1_is_idle(codec));
    urlp_h1_free(codec);
}
END_TEST

START_TEST(end_of_stream__before_a_request_is_a_disconnect)
{
    codec = urlp_h1_new(NULL, &err);
    ck_assert_int_eq(end_stream(true), URLPOOL_E_REMOTE_DISCONNECTED);
    check_refused();
    urlp_h1_free(codec);
}
END_TEST

START_TEST(end_of_stream__behind_a_response_ends_its_reuse)
{
    begin_response(HEAD_LENGTH_0);
    (void)next("");
    ck_assert(urlp_h1_is_reusable(codec));
    ck_assert_int_eq(end_stream(true), URLPOOL_E_REMOTE_DISCONNECTED);
    ck_assert(!urlp_h1_is_reusable(codec));
    ck_assert_int_eq(end_stream(true), URLPOOL_E_REMOTE_DISCONNECTED);
    check_refused();
    urlp_h1_free(codec);
}
END_TEST

START_TEST(end_of_stream__with_the_end_untold_ends_the_message_and_its_reuse)
{
    static const char *const heads[] = {HEAD_LENGTH_0, "HTTP/1.1 204 No Content\r\n\r\n"};

    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        begin_response(heads[i]);
        ck_assert_int_eq(end_stream(false), URLPOOL_OK);
        ck_assert_int_eq(event.type, URLP_H1_END);
        ck_assert(!urlp_h1_is_reusable(codec));
        urlp_h1_free(codec);
    }
}
END_TEST

START_TEST(end_of_stream__in_a_tunnel_is_a_disconnect)
{
    begin("CONNECT");
    (void)next("HTTP/1.1 200 OK\r\n\r\n");
    ck_assert_int_eq(end_stream(true), URLPOOL_E_REMOTE_DISCONNECTED);
    urlp_h1_free(codec);
}
END_TEST

START_TEST(end_of_stream__tells_a_stale_connection_from_a_cut_response)
{
    begin("GET");
    (void)next("");
    ck_assert_int_eq(end_stream(true), URLPOOL_E_REMOTE_DISCONNECTED);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_HEAD);
    urlp_h1_free(codec);
    begin("GET");
    (void)next("H");
    ck_assert_int_eq(end_stream(true), URLPOOL_E_INCOMPLETE_READ);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_HEAD);
    ck_assert_int_eq(end_stream(true), URLPOOL_E_INCOMPLETE_READ);
    urlp_h1_free(codec);
    begin("GET");
    (void)next("HTTP/1.1 100 Continue\r\n\r\n");
    ck_assert_int_eq(end_stream(true), URLPOOL_E_INCOMPLETE_READ);
    urlp_h1_free(codec);
    begin_response(HEAD_LENGTH_5);
    ck_assert_int_eq(end_stream(true), URLPOOL_E_INCOMPLETE_READ);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_BODY);
    urlp_h1_free(codec);
}
END_TEST

START_TEST(direct_len__is_the_rest_of_a_known_length)
{
    begin_response(HEAD_LENGTH_5);
    ck_assert_uint_eq(urlp_h1_direct_len(codec), 5);
    ck_assert_int_eq(urlp_h1_length_remaining(codec), 5);
    ck_assert_uint_eq(next("h"), 1);
    urlp_h1_took(codec, 3);
    ck_assert_uint_eq(urlp_h1_direct_len(codec), 1);
    ck_assert_int_eq(urlp_h1_length_remaining(codec), 1);
    urlp_h1_took(codec, 1);
    ck_assert_uint_eq(urlp_h1_direct_len(codec), 0);
    (void)next("");
    ck_assert_int_eq(event.type, URLP_H1_END);
    ck_assert(urlp_h1_is_reusable(codec));
    urlp_h1_free(codec);
}
END_TEST

START_TEST(direct_len__is_the_rest_of_a_chunk)
{
    begin_response(HEAD_CHUNKED);
    ck_assert_uint_eq(urlp_h1_direct_len(codec), 0);
    ck_assert_int_eq(urlp_h1_length_remaining(codec), -1);
    ck_assert_uint_eq(next("a\r\n"), 3);
    ck_assert_uint_eq(urlp_h1_direct_len(codec), 10);
    urlp_h1_took(codec, 10);
    ck_assert_uint_eq(urlp_h1_direct_len(codec), 0);
    ck_assert_uint_eq(next("\r\n0\r\n\r\n"), 7);
    ck_assert_int_eq(event.type, URLP_H1_END);
    urlp_h1_free(codec);
}
END_TEST

START_TEST(direct_len__is_without_bound_until_close)
{
    begin_response(HEAD_UNTIL_CLOSE);
    ck_assert_uint_eq(urlp_h1_direct_len(codec), SIZE_MAX);
    ck_assert_int_eq(urlp_h1_length_remaining(codec), -1);
    urlp_h1_took(codec, 1000);
    ck_assert_uint_eq(urlp_h1_direct_len(codec), SIZE_MAX);
    urlp_h1_free(codec);
}
END_TEST

START_TEST(direct_len__is_nought_outside_of_a_body)
{
    begin("GET");
    ck_assert_uint_eq(urlp_h1_direct_len(codec), 0);
    (void)next(HEAD_LENGTH_0);
    ck_assert_uint_eq(urlp_h1_direct_len(codec), 0);
    (void)next("");
    ck_assert_uint_eq(urlp_h1_direct_len(codec), 0);
    urlp_h1_free(codec);
}
END_TEST

START_TEST(took__does_not_go_beyond_the_body)
{
    begin_response(HEAD_LENGTH_5);
    urlp_h1_took(codec, 6);
    ck_assert_uint_eq(urlp_h1_direct_len(codec), 5);
    urlp_h1_free(codec);
}
END_TEST

START_TEST(body_kind__names_all_four)
{
    static const struct {
        const char *head;
        enum urlp_h1_body kind;
    } kinds[] = {
        {HEAD_LENGTH_5,             URLP_H1_BODY_LENGTH     },
        {HEAD_CHUNKED,              URLP_H1_BODY_CHUNKED    },
        {HEAD_UNTIL_CLOSE,          URLP_H1_BODY_UNTIL_CLOSE},
        {"HTTP/1.1 304 no\r\n\r\n", URLP_H1_BODY_NONE       },
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        begin_response(kinds[i].head);
        ck_assert_int_eq(urlp_h1_body_kind(codec), kinds[i].kind);
        urlp_h1_free(codec);
    }
}
END_TEST

START_TEST(next__shows_no_value_of_a_field_that_is_wrong)
{
    static const char *const wrong[] = {
        "Set-Cookie : hush\r\n\r\n",      "Set-Cookie hush\r\n\r\n",
        "Set-Cookie: hush\001\r\n\r\n",   "Set-Cookie: hush\n\r\n",
        "Set-Cookie: a\r\n hush\r\n\r\n", "Set-Cookie: a\r\n hush\001\r\n\r\n",
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const struct urlpool_limits strict = {.refuse_obs_fold = i == 4, .refuse_bare_lf = i == 3};
        uint8_t bytes[128] = "";
        size_t used;

        codec = urlp_h1_new(&strict, &err);
        write_request("GET");
        (void)snprintf((char *)bytes, sizeof(bytes), "HTTP/1.1 200 OK\r\n%s", wrong[i]);
        ck_assert_int_ne(urlp_h1_next(codec, bytes, strlen((char *)bytes), &used, &event, &err),
                         URLPOOL_OK);
        ck_assert_ptr_nonnull(strstr(err.message, "Set-Cookie"));
        ck_assert_ptr_null(strstr(err.message, "hush"));
        urlp_h1_free(codec);
    }
}
END_TEST

START_TEST(next__names_what_is_wrong_in_one_escaped_line)
{
    static const struct {
        const char *response;
        const char *named;
    } wrong[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n",     "\"5x\""    },
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: foo\r\n\r\n", "\"foo\""   },
        {"HTTP/1.1 200 OK\r\nA b: c\r\n\r\n",                 "\"A \""    },
        {"HTTP/1.1 200 OK\r\nX\033: y\r\n\r\n",               "\"X\\x1b\""},
        {"220 smtp.example\r\n",                              "\"220 smtp"},
        {"HTTP/3.0 200 OK\r\n",                               "version 3" },
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        uint8_t bytes[128] = "";
        size_t used;

        begin("GET");
        memcpy(bytes, wrong[i].response, strlen(wrong[i].response));
        ck_assert_int_ne(urlp_h1_next(codec, bytes, strlen(wrong[i].response), &used, &event, &err),
                         URLPOOL_OK);
        ck_assert_msg(strstr(err.message, wrong[i].named) != NULL, "%s", err.message);
        ck_assert_ptr_null(strpbrk(err.message, "\r\n\033"));
        urlp_h1_free(codec);
    }
}
END_TEST

START_TEST(chunk_prefix__is_the_size_in_hex)
{
    static const struct {
        size_t len;
        const char *text;
    } sizes[] = {
        {1,        "1\r\n"               },
        {15,       "f\r\n"               },
        {16,       "10\r\n"              },
        {0xabcdef, "abcdef\r\n"          },
        {SIZE_MAX, "ffffffffffffffff\r\n"},
    };

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char out[URLP_H1_CHUNK_PREFIX_MAX];

        ck_assert_uint_eq(urlp_h1_chunk_prefix(out, sizes[i].len), strlen(sizes[i].text));
        ck_assert_mem_eq(out, sizes[i].text, strlen(sizes[i].text));
    }
    ck_assert_mem_eq(urlp_h1_last_chunk, "0\r\n\r\n", 5);
}
END_TEST

/* exchange does everything that takes memory: a codec, a request that offers Upgrade, and more
 * field lines than there is room for at first. */
static enum urlpool_code exchange(void)
{
    const struct urlp_field fields[] = {
        {urlp_span_of("Host"),       urlp_span_of("a.example")},
        {urlp_span_of("Connection"), urlp_span_of("upgrade")  },
        {urlp_span_of("Upgrade"),    urlp_span_of("h2c")      },
    };
    const struct urlp_request_head head = {.method = urlp_span_of("GET"),
                                           .target = urlp_span_of("/"),
                                           .fields = fields,
                                           .num_fields = 3};
    uint8_t response[1024] = "HTTP/1.1 200 OK\r\n";
    size_t len = strlen((char *)response);
    struct urlp_buf out = {0};
    enum urlpool_code code = URLPOOL_E_NOMEM;
    size_t used;

    for (int i = 0; i < 100; i++) {
        memcpy(response + len, "X: abc\r\n", 8);
        len += 8;
    }
    memcpy(response + len, "\r\n", 2);
    codec = urlp_h1_new(NULL, &err);
    if (codec != NULL) {
        code = urlp_h1_write_head(codec, &head, &out, &err);
    }
    if (code == URLPOOL_OK) {
        code = urlp_h1_next(codec, response, len + 2, &used, &event, &err);
    }
    urlp_buf_deinit(&out);
    urlp_h1_free(codec);
    return code;
}

START_TEST(codec__survives_every_allocation_that_fails)
{
    uint64_t num_failed = 0;

    failing_allocator_install();
    for (uint64_t n = 1;; n++) {
        enum urlpool_code code;

        failing_allocator_fail_nth(n);
        code = exchange();
        ck_assert_int_eq(failing_allocator_num_live(), 0);
        if (!failing_allocator_has_failed()) {
            ck_assert_int_eq(code, URLPOOL_OK);
            break;
        }
        ck_assert_int_eq(code, URLPOOL_E_NOMEM);
        ck_assert_int_eq(err.code, URLPOOL_E_NOMEM);
        num_failed++;
    }
    ck_assert_uint_ge(num_failed, 5);
    failing_allocator_remove();
}
END_TEST

START_TEST(codec__takes_no_memory_for_a_second_response_of_the_same_size)
{
    failing_allocator_install();
    begin_response(HEAD_LENGTH_0);
    (void)next("");
    write_request("GET");
    urlp_h1_request_sent(codec);
    failing_allocator_fail_nth(0);
    (void)next(HEAD_LENGTH_0);
    (void)next("");
    ck_assert_int_eq(event.type, URLP_H1_END);
    ck_assert_uint_eq(failing_allocator_num_tried(), 0);
    urlp_h1_free(codec);
    failing_allocator_remove();
}
END_TEST

START_TEST(failure__is_told_again_in_its_words_or_without_memory_by_its_code)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n";

    failing_allocator_install();
    for (int is_short = 0; is_short < 2; is_short++) {
        max_align_t desk[URLP_H1_DESK_BYTES / sizeof(max_align_t)];
        uint8_t bytes[64];
        size_t used;
        char words[sizeof(err.message)];

        codec = urlp_h1_new(NULL, NULL);
        write_request("GET");
        memcpy(bytes, answer, sizeof(answer));
        ck_assert_int_eq(urlp_h1_next(codec, bytes, 0, &used, &event, &err), URLPOOL_OK);
        urlp_h1_lend(codec, desk, sizeof(desk));
        failing_allocator_fail_nth(is_short != 0 ? 1 : 0);
        ck_assert_int_eq(urlp_h1_next(codec, bytes, sizeof(answer) - 1, &used, &event, &err),
                         URLPOOL_E_BAD_LENGTH);
        ck_assert_int_eq(failing_allocator_has_failed(), is_short != 0);
        failing_allocator_fail_nth(0);
        (void)memcpy(words, err.message, sizeof(words));
        err = (struct urlpool_error){0};
        ck_assert_int_eq(urlp_h1_next(codec, bytes, 0, &used, &event, &err), URLPOOL_E_BAD_LENGTH);
        ck_assert_int_eq(err.code, URLPOOL_E_BAD_LENGTH);
        ck_assert_int_eq(strcmp(err.message, words) == 0, is_short == 0);
        ck_assert_uint_gt(strlen(err.message), 0);
        urlp_h1_free(codec);
    }
    ck_assert_int_eq(failing_allocator_num_live(), 0);
}
END_TEST

RUN_TESTS("codec", failure__is_told_again_in_its_words_or_without_memory_by_its_code,
          new__refuses_wrong_limits, free__accepts_null,
          next__tells_that_no_response_is_due_and_goes_on,
          next__tells_that_no_response_is_due_behind_the_end,
          write_head__is_refused_until_the_last_exchange_is_over,
          write_head__is_refused_while_the_request_is_owed, write_head__is_refused_behind_an_error,
          write_head__is_refused_in_a_tunnel, write_head__appends_all_or_nothing,
          is_idle__is_true_only_outside_of_an_exchange,
          end_of_stream__before_a_request_is_a_disconnect,
          end_of_stream__behind_a_response_ends_its_reuse,
          end_of_stream__with_the_end_untold_ends_the_message_and_its_reuse,
          end_of_stream__in_a_tunnel_is_a_disconnect,
          end_of_stream__tells_a_stale_connection_from_a_cut_response,
          direct_len__is_the_rest_of_a_known_length, direct_len__is_the_rest_of_a_chunk,
          direct_len__is_without_bound_until_close, direct_len__is_nought_outside_of_a_body,
          took__does_not_go_beyond_the_body, body_kind__names_all_four,
          next__shows_no_value_of_a_field_that_is_wrong,
          next__names_what_is_wrong_in_one_escaped_line, chunk_prefix__is_the_size_in_hex,
          codec__survives_every_allocation_that_fails,
          codec__takes_no_memory_for_a_second_response_of_the_same_size)
