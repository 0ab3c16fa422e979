/* The length of a body as a function of method, version, status, Content-Length and
 * Transfer-Encoding: every combination of what each of them can be. */

#include <stdint.h>

#include "h1/framing.h"
#include "support/run_tests.h"

enum method {
    GET,
    HEAD,
    CONNECT
};

/* No length, a good one, nought, a bad one; no coding, chunked, another. */
static const char *const lengths[] = {NULL, "5", "0", "x"};
static const char *const codings[] = {NULL, "chunked", "gzip"};

struct message {
    enum method method;
    int version;
    int status;
    const char *length;
    const char *coding;
};

static enum urlpool_code frame(const struct message *message, struct urlp_h1_framing *out)
{
    struct urlp_field fields[2];
    struct urlp_response_head head = {
        .status = message->status, .version = message->version, .fields = fields};

    if (message->length != NULL) {
        fields[head.num_fields++] =
            (struct urlp_field){urlp_span_of("content-length"), urlp_span_of(message->length)};
    }
    if (message->coding != NULL) {
        fields[head.num_fields++] =
            (struct urlp_field){urlp_span_of("TRANSFER-ENCODING"), urlp_span_of(message->coding)};
    }
    return urlp_h1_frame(&head, message->method == HEAD, message->method == CONNECT, out, NULL);
}

typedef void (*check_fn)(const struct message *message);

/* each calls `check` with every combination of fields of both versions. */
static void each(enum method method, int status, check_fn check)
{
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        for (size_t j = 0; j < sizeof(codings) / sizeof(codings[0]); j++) {
            check(&(struct message){method, 11, status, lengths[i], codings[j]});
            check(&(struct message){method, 10, status, lengths[i], codings[j]});
        }
    }
}

static void check_no_body(const struct message *message)
{
    struct urlp_h1_framing framing;

    ck_assert_int_eq(frame(message, &framing), URLPOOL_OK);
    ck_assert_int_eq(framing.kind, URLP_H1_BODY_NONE);
    ck_assert(!framing.is_tunnel);
}

START_TEST(frame__gives_no_body_whatever_the_fields_say)
{
    each(HEAD, 200, check_no_body);
    each(HEAD, 500, check_no_body);
    each(GET, 100, check_no_body);
    each(GET, 103, check_no_body);
    each(GET, 204, check_no_body);
    each(GET, 304, check_no_body);
    each(CONNECT, 304, check_no_body);
}
END_TEST

static void check_tunnel(const struct message *message)
{
    struct urlp_h1_framing framing;

    ck_assert_int_eq(frame(message, &framing), URLPOOL_OK);
    ck_assert_int_eq(framing.kind, URLP_H1_BODY_NONE);
    ck_assert(framing.is_tunnel);
}

START_TEST(frame__makes_every_2xx_to_connect_a_tunnel)
{
    each(CONNECT, 200, check_tunnel);
    each(CONNECT, 204, check_tunnel);
    each(CONNECT, 299, check_tunnel);
}
END_TEST

static bool is_bad(const char *length)
{
    return length != NULL && length[0] == 'x';
}

/* check_body says in other words what steps 3 to 8 come to. */
static void check_body(const struct message *message)
{
    struct urlp_h1_framing framing = {.length = 77};
    enum urlpool_code code = frame(message, &framing);
    bool is_chunked = message->coding != NULL && message->coding[0] == 'c';

    if (is_bad(message->length)) {
        ck_assert_int_eq(code, URLPOOL_E_BAD_LENGTH);
        ck_assert_int_eq(framing.length, 77);
        return;
    }
    if (message->coding != NULL && !is_chunked) {
        ck_assert_int_eq(code, URLPOOL_E_TRANSFER_ENCODING);
        ck_assert_int_eq(framing.length, 77);
        return;
    }
    ck_assert_int_eq(code, URLPOOL_OK);
    ck_assert(!framing.is_tunnel);
    if (is_chunked) {
        ck_assert_int_eq(framing.kind, URLP_H1_BODY_CHUNKED);
        ck_assert_int_eq(framing.is_odd, message->length != NULL || message->version == 10);
    } else if (message->length != NULL) {
        ck_assert_int_eq(framing.kind, URLP_H1_BODY_LENGTH);
        ck_assert_int_eq(framing.length, message->length[0] - '0');
        ck_assert(!framing.is_odd);
    } else {
        ck_assert_int_eq(framing.kind, URLP_H1_BODY_UNTIL_CLOSE);
    }
}

START_TEST(frame__tells_a_body_by_coding_then_length_then_close)
{
    each(GET, 200, check_body);
    each(GET, 205, check_body);
    each(GET, 404, check_body);
    each(GET, 999, check_body);
    each(CONNECT, 407, check_body);
    each(CONNECT, 302, check_body);
}
END_TEST

START_TEST(frame__finds_204_with_content_odd_and_304_not)
{
    struct urlp_h1_framing framing;

    ck_assert_int_eq(frame(&(struct message){GET, 11, 204, "5", NULL}, &framing), URLPOOL_OK);
    ck_assert(framing.is_odd);
    ck_assert_int_eq(frame(&(struct message){GET, 11, 204, NULL, "chunked"}, &framing), URLPOOL_OK);
    ck_assert(framing.is_odd);
    ck_assert_int_eq(frame(&(struct message){GET, 11, 204, "0", NULL}, &framing), URLPOOL_OK);
    ck_assert(!framing.is_odd);
    ck_assert_int_eq(frame(&(struct message){GET, 11, 304, "5", NULL}, &framing), URLPOOL_OK);
    ck_assert(!framing.is_odd);
    ck_assert_int_eq(frame(&(struct message){HEAD, 11, 200, "5", NULL}, &framing), URLPOOL_OK);
    ck_assert(!framing.is_odd);
}
END_TEST

START_TEST(parse_length__reads_a_number_or_the_same_one_again)
{
    static const struct {
        const char *text;
        int64_t length;
    } good[] = {
        {"0",                   0        },
        {"9223372036854775807", INT64_MAX},
        {"007",                 7        },
        {"7,7",                 7        },
        {"7 ,\t7, 7",           7        },
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        int64_t length = -1;

        ck_assert_msg(urlp_h1_parse_length(urlp_span_of(good[i].text), &length), "%s",
                      good[i].text);
        ck_assert_int_eq(length, good[i].length);
    }
}
END_TEST

START_TEST(parse_length__refuses_everything_else)
{
    static const char *const bad[] = {
        "",
        " ",
        ",",
        "7,",
        ",7",
        "7,,7",
        "7,8",
        "7,07",
        "-1",
        "+1",
        "0x1",
        "1.0",
        "1e3",
        "1 2",
        "9223372036854775808",
        "18446744073709551617",
        "\v1",
        "1\f",
        "1;q=",
        "\"1\"",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t length = -1;

        ck_assert_msg(!urlp_h1_parse_length(urlp_span_of(bad[i]), &length), "%s", bad[i]);
        ck_assert_int_eq(length, -1);
    }
}
END_TEST

RUN_TESTS("framing", frame__gives_no_body_whatever_the_fields_say,
          frame__makes_every_2xx_to_connect_a_tunnel,
          frame__tells_a_body_by_coding_then_length_then_close,
          frame__finds_204_with_content_odd_and_304_not,
          parse_length__reads_a_number_or_the_same_one_again, parse_length__refuses_everything_else)
