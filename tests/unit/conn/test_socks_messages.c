/* The bytes of SOCKS: what we write, and each answer judged at each of its lengths. */

#include <stdio.h>
#include <string.h>

#include "conn/socks_messages.h"
#include "support/run_tests.h"

#define BYTES(text) text, sizeof(text) - 1

static uint8_t out[URLP_SOCKS_MESSAGE_BYTES_MAX];
static char longest[256];
static struct urlpool_error err;

static struct urlp_socks_order by_name(int version, const char *host)
{
    return (struct urlp_socks_order){.version = version, .host = urlp_span_of(host), .port = 443};
}

static struct urlp_socks_order by_address(int version, const char *address)
{
    struct urlp_socks_order order = by_name(version, "www.example");

    ck_assert(urlp_ip_parse(urlp_span_of(address), &order.ip));
    return order;
}

static struct urlp_socks_order with_user(struct urlp_socks_order order, const char *user,
                                         const char *password)
{
    order.has_credentials = true;
    order.user = urlp_span_of(user);
    order.password = urlp_span_of(password);
    return order;
}

static void check_written(size_t len, const char *expected, size_t expected_len)
{
    ck_assert_uint_eq(len, expected_len);
    ck_assert_mem_eq(out, expected, expected_len);
}

START_TEST(messages__of_socks4_hold_an_address_and_a_user_id)
{
    struct urlp_socks_order order = by_address(4, "192.0.2.1");

    check_written(urlp_socks4_write_request(&order, out),
                  BYTES("\x04\x01\x01\xbb\xc0\x00\x02\x01\0"));
    order = with_user(order, "me", "unsaid");
    check_written(urlp_socks4_write_request(&order, out),
                  BYTES("\x04\x01\x01\xbb\xc0\x00\x02\x01me\0"));
}
END_TEST

START_TEST(messages__of_socks4a_hold_a_name_behind_an_impossible_address)
{
    struct urlp_socks_order order = by_name(4, "www.example");

    check_written(urlp_socks4_write_request(&order, out),
                  BYTES("\x04\x01\x01\xbb\0\0\0\x01\0www.example\0"));
    order = with_user(order, "me", "");
    check_written(urlp_socks4_write_request(&order, out),
                  BYTES("\x04\x01\x01\xbb\0\0\0\x01me\0www.example\0"));
}
END_TEST

START_TEST(messages__of_socks5_offer_credentials_only_when_there_are_any)
{
    struct urlp_socks_order order = by_name(5, "www.example");

    check_written(urlp_socks5_write_methods(&order, out), BYTES("\x05\x01\x00"));
    order = with_user(order, "me", "pass");
    check_written(urlp_socks5_write_methods(&order, out), BYTES("\x05\x02\x00\x02"));
    check_written(urlp_socks5_write_credentials(&order, out), BYTES("\x01\x02me\x04pass"));
}
END_TEST

START_TEST(messages__of_socks5_hold_a_name_or_an_address_of_either_family)
{
    struct urlp_socks_order order = by_name(5, "www.example");

    check_written(urlp_socks5_write_request(&order, out),
                  BYTES("\x05\x01\x00\x03\x0bwww.example\x01\xbb"));
    order = by_address(5, "192.0.2.1");
    check_written(urlp_socks5_write_request(&order, out),
                  BYTES("\x05\x01\x00\x01\xc0\x00\x02\x01\x01\xbb"));
    order = by_address(5, "2001:db8::1");
    check_written(urlp_socks5_write_request(&order, out),
                  BYTES("\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x01\xbb"));
}
END_TEST

START_TEST(messages__have_room_for_all_that_passes_the_check)
{
    struct urlp_socks_order order = with_user(by_name(5, longest), longest, longest);

    memset(longest, 'x', 255);
    order.user.len = order.password.len = order.host.len = 255;
    order.version = 4;
    ck_assert_int_eq(urlp_socks_check(&order, &err), URLPOOL_OK);
    ck_assert_uint_eq(urlp_socks4_write_request(&order, out), 8 + 2 * 256);
    order.version = 5;
    ck_assert_int_eq(urlp_socks_check(&order, &err), URLPOOL_OK);
    ck_assert_uint_eq(urlp_socks5_write_credentials(&order, out), 1 + 2 * 256);
    ck_assert_uint_eq(urlp_socks5_write_request(&order, out), 4 + 256 + 2);
}
END_TEST

static void check_invalid(struct urlp_socks_order order)
{
    err = (struct urlpool_error){0};
    ck_assert_int_eq(urlp_socks_check(&order, &err), URLPOOL_E_INVALID);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_PROXY);
    ck_assert_ptr_null(strstr(err.message, "secret"));
}

START_TEST(check__refuses_what_cannot_be_said)
{
    static char too_long[257];
    struct urlp_socks_order order;

    memset(too_long, 'x', 256);
    memcpy(too_long, "secret", 6);
    check_invalid(by_name(5, ""));
    check_invalid(by_name(5, too_long));
    check_invalid(by_name(4, too_long));
    check_invalid(with_user(by_name(5, "a"), "", "secret"));
    check_invalid(with_user(by_name(5, "a"), "secret", ""));
    check_invalid(with_user(by_name(5, "a"), too_long, "b"));
    check_invalid(with_user(by_name(5, "a"), "b", too_long));
    check_invalid(with_user(by_name(4, "a"), too_long, ""));
    check_invalid(by_address(4, "2001:db8::1"));
    order = with_user(by_address(4, "192.0.2.1"), "", "");
    order.user = urlp_span_make("secret\0x", 8);
    check_invalid(order);
    order = by_name(4, "");
    order.host = urlp_span_make("a\0b", 3);
    check_invalid(order);
}
END_TEST

START_TEST(check__takes_a_socks4_user_id_of_no_bytes_and_any_credentials_with_an_address)
{
    struct urlp_socks_order order = with_user(by_address(4, "192.0.2.1"), "", "");

    ck_assert_int_eq(urlp_socks_check(&order, &err), URLPOOL_OK);
    order = with_user(by_address(5, "2001:db8::1"), "a", "b\n");
    order.host = urlp_span_of("");
    ck_assert_int_eq(urlp_socks_check(&order, &err), URLPOOL_OK);
}
END_TEST

/* check_granted says that every shorter run of bytes wants more, never past the message's end, and
 * that following what is wanted leads to its end. */
static void check_granted(enum urlp_socks_message message, const struct urlp_socks_order *order,
                          const char *bytes, size_t len, int code)
{
    struct urlp_socks_answer answer;
    size_t i;

    for (i = 0; i < len; i++) {
        answer = urlp_socks_read(message, order, (const uint8_t *)bytes, i);
        ck_assert_int_eq(answer.outcome, URLP_SOCKS_MORE);
        ck_assert_uint_ge(answer.num_missing, 1);
        ck_assert_uint_le(i + answer.num_missing, len);
    }
    answer = urlp_socks_read(message, order, (const uint8_t *)bytes, len);
    ck_assert_int_eq(answer.outcome, URLP_SOCKS_GRANTED);
    ck_assert_int_eq(answer.code, code);
}

START_TEST(answers__that_grant_are_read_to_their_last_byte)
{
    const struct urlp_socks_order plain = by_name(5, "a");
    const struct urlp_socks_order known = with_user(plain, "me", "pass");
    char name[URLP_SOCKS_REPLY_BYTES_MAX] = "\x05\x00\x00\x03\xff";

    check_granted(URLP_SOCKS4_REPLY, &plain, BYTES("\x00\x5a\x01\xbb\x01\x02\x03\x04"), 0x5a);
    check_granted(URLP_SOCKS5_METHOD, &plain, BYTES("\x05\x00"), 0);
    check_granted(URLP_SOCKS5_METHOD, &known, BYTES("\x05\x00"), 0);
    check_granted(URLP_SOCKS5_METHOD, &known, BYTES("\x05\x02"), 2);
    check_granted(URLP_SOCKS5_CREDENTIALS, &known, BYTES("\x01\x00"), 0);
    check_granted(URLP_SOCKS5_REPLY, &plain, BYTES("\x05\x00\x00\x01\x7f\0\0\x01\x04\x38"), 0);
    check_granted(URLP_SOCKS5_REPLY, &plain,
                  BYTES("\x05\x00\x00\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x04\x38"), 0);
    check_granted(URLP_SOCKS5_REPLY, &plain, BYTES("\x05\x00\x00\x03\x03www\x04\x38"), 0);
    check_granted(URLP_SOCKS5_REPLY, &plain, BYTES("\x05\x00\x00\x03\x00\x04\x38"), 0);
    check_granted(URLP_SOCKS5_REPLY, &plain, name, sizeof(name), 0);
}
END_TEST

START_TEST(answers__that_refuse_are_known_by_two_bytes)
{
    static const struct {
        enum urlp_socks_message message;
        const char *bytes;
        const char *why;
    } rows[] = {
        {URLP_SOCKS4_REPLY,       "\x00\x5b",
         "the SOCKS4 proxy does not let it through or cannot reach it"                             },
        {URLP_SOCKS4_REPLY,       "\x00\x5c", "the SOCKS4 proxy finds no identd here"              },
        {URLP_SOCKS4_REPLY,       "\x00\x5d", "the identd here does not know the SOCKS4 user id"   },
        {URLP_SOCKS5_METHOD,      "\x05\xff", "the SOCKS5 proxy wants to know who asks"            },
        {URLP_SOCKS5_CREDENTIALS, "\x01\x01", "the SOCKS5 proxy does not accept user and password" },
        {URLP_SOCKS5_CREDENTIALS, "\x01\xff", "the SOCKS5 proxy does not accept user and password" },
        {URLP_SOCKS5_REPLY,       "\x05\x01", "general failure of the SOCKS5 proxy"                },
        {URLP_SOCKS5_REPLY,       "\x05\x02", "the SOCKS5 proxy's rules do not allow it"           },
        {URLP_SOCKS5_REPLY,       "\x05\x03", "the SOCKS5 proxy cannot reach that network"         },
        {URLP_SOCKS5_REPLY,       "\x05\x04", "the SOCKS5 proxy cannot reach that host"            },
        {URLP_SOCKS5_REPLY,       "\x05\x05", "the host refused the SOCKS5 proxy's connection"     },
        {URLP_SOCKS5_REPLY,       "\x05\x06", "the SOCKS5 proxy's connection timed out"            },
        {URLP_SOCKS5_REPLY,       "\x05\x07", "the SOCKS5 proxy does not know CONNECT"             },
        {URLP_SOCKS5_REPLY,       "\x05\x08", "the SOCKS5 proxy does not know that type of address"},
    };
    const struct urlp_socks_order order = by_name(5, "a");
    const struct urlp_socks_order known = with_user(order, "me", "pass");
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const uint8_t *bytes = (const uint8_t *)rows[i].bytes;
        struct urlp_socks_answer answer = urlp_socks_read(rows[i].message, &order, bytes, 2);

        ck_assert_int_eq(urlp_socks_read(rows[i].message, &order, bytes, 1).outcome,
                         URLP_SOCKS_MORE);
        ck_assert_int_eq(answer.outcome, URLP_SOCKS_REFUSED);
        ck_assert_int_eq(answer.code, bytes[1]);
        ck_assert_str_eq(answer.why, rows[i].why);
    }
    ck_assert_str_eq(
        urlp_socks_read(URLP_SOCKS5_METHOD, &known, (const uint8_t *)"\x05\xff", 2).why,
        "the SOCKS5 proxy takes neither user and password nor nobody");
}
END_TEST

START_TEST(answers__that_are_none_are_malformed)
{
    static const struct {
        enum urlp_socks_message message;
        const char *bytes;
        size_t len;
        const char *why;
    } rows[] = {
        {URLP_SOCKS4_REPLY,       BYTES("\x04"),             "the proxy does not speak this version of SOCKS"   },
        {URLP_SOCKS4_REPLY,       BYTES("HT"),               "the proxy does not speak SOCKS but HTTP, it seems"},
        {URLP_SOCKS4_REPLY,       BYTES("\x00\x00"),         "the SOCKS4 proxy answered with an unknown code"   },
        {URLP_SOCKS4_REPLY,       BYTES("\x00\x5e"),         "the SOCKS4 proxy answered with an unknown code"   },
        {URLP_SOCKS5_METHOD,      BYTES("\x00"),             "the proxy does not speak this version of SOCKS"   },
        {URLP_SOCKS5_METHOD,      BYTES("HTTP/1.1 400"),
         "the proxy does not speak SOCKS but HTTP, it seems"                                                    },
        {URLP_SOCKS5_METHOD,      BYTES("\x05\x01"),
         "the SOCKS5 proxy chose a method that it was not "
         "offered"                                                                                              },
        {URLP_SOCKS5_METHOD,      BYTES("\x05\x02"),
         "the SOCKS5 proxy chose a method that it was not "
         "offered"                                                                                              },
        {URLP_SOCKS5_CREDENTIALS, BYTES("\x05\x00"),
         "the proxy does not speak this version of SOCKS"                                                       },
        {URLP_SOCKS5_REPLY,       BYTES("\x04\x00"),         "the proxy does not speak this version of SOCKS"   },
        {URLP_SOCKS5_REPLY,       BYTES("\x05\x09"),         "the SOCKS5 proxy answered with an unknown code"   },
        {URLP_SOCKS5_REPLY,       BYTES("\x05\xff"),         "the SOCKS5 proxy answered with an unknown code"   },
        {URLP_SOCKS5_REPLY,       BYTES("\x05\x00\x00\x00"),
         "the SOCKS5 proxy's answer holds an unknown type of address"                                           },
        {URLP_SOCKS5_REPLY,       BYTES("\x05\x00\x00\x02"),
         "the SOCKS5 proxy's answer holds an unknown type of address"                                           },
    };
    const struct urlp_socks_order order = by_name(5, "a");
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct urlp_socks_answer answer =
            urlp_socks_read(rows[i].message, &order, (const uint8_t *)rows[i].bytes, rows[i].len);

        ck_assert_int_eq(answer.outcome, URLP_SOCKS_MALFORMED);
        ck_assert_str_eq(answer.why, rows[i].why);
    }
}
END_TEST

START_TEST(answers__of_any_two_bytes_are_bounded)
{
    static const enum urlp_socks_message messages[] = {URLP_SOCKS4_REPLY, URLP_SOCKS5_METHOD,
                                                       URLP_SOCKS5_CREDENTIALS, URLP_SOCKS5_REPLY};
    const struct urlp_socks_order order = by_name(5, "a");
    uint8_t bytes[URLP_SOCKS_REPLY_BYTES_MAX] = {0};
    bool is_bounded = true;
    unsigned i, address_type, n;

    for (i = 0; i < 4 * 256; i++) {
        for (address_type = 0; address_type < 256; address_type++) {
            struct urlp_socks_answer answer;
            size_t len = 0;

            bytes[0] = messages[i % 4] == URLP_SOCKS4_REPLY         ? 0
                       : messages[i % 4] == URLP_SOCKS5_CREDENTIALS ? 1
                                                                    : 5;
            bytes[1] = (uint8_t)(i / 4);
            bytes[3] = bytes[4] = (uint8_t)address_type;
            for (n = 0; n < 8; n++) {
                answer = urlp_socks_read(messages[i % 4], &order, bytes, len);
                len += answer.num_missing;
                is_bounded &= len <= sizeof(bytes);
            }
            is_bounded &= answer.outcome != URLP_SOCKS_MORE;
        }
        ck_assert_msg(is_bounded, "answer %u", i);
    }
}
END_TEST

RUN_TESTS("socks_messages", messages__of_socks4_hold_an_address_and_a_user_id,
          messages__of_socks4a_hold_a_name_behind_an_impossible_address,
          messages__of_socks5_offer_credentials_only_when_there_are_any,
          messages__of_socks5_hold_a_name_or_an_address_of_either_family,
          messages__have_room_for_all_that_passes_the_check, check__refuses_what_cannot_be_said,
          check__takes_a_socks4_user_id_of_no_bytes_and_any_credentials_with_an_address,
          answers__that_grant_are_read_to_their_last_byte,
          answers__that_refuse_are_known_by_two_bytes, answers__that_are_none_are_malformed,
          answers__of_any_two_bytes_are_bounded)
