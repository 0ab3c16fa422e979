/* Codes, classes, phases, and messages that always fit on one line. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "support/run_tests.h"

#define ELLIPSIS "\xe2\x80\xa6"

/* codes are all that urlpool/error.h has, with the value that is ABI. */
static const struct {
    enum urlpool_code code;
    int value;
    const char *name;
} codes[] = {
#define CODE(code, value)  \
    {                      \
        code, value, #code \
    }
    CODE(URLPOOL_OK, 0),
    CODE(URLPOOL_E_NOMEM, 1),
    CODE(URLPOOL_E_INVALID, 2),
    CODE(URLPOOL_E_URL, 3),
    CODE(URLPOOL_E_SCHEME, 4),
    CODE(URLPOOL_E_HEADER, 5),
    CODE(URLPOOL_E_BODY, 6),
    CODE(URLPOOL_E_UNREWINDABLE, 7),
    CODE(URLPOOL_E_SYSTEM, 8),
    CODE(URLPOOL_E_CANNOT_SEND_REQUEST, 20),
    CODE(URLPOOL_E_CANNOT_SEND_HEADER, 21),
    CODE(URLPOOL_E_RESPONSE_NOT_READY, 22),
    CODE(URLPOOL_E_NOT_CONNECTED, 23),
    CODE(URLPOOL_E_NOT_CHUNKED, 24),
    CODE(URLPOOL_E_POOL_CLOSED, 40),
    CODE(URLPOOL_E_POOL_TIMEOUT, 41),
    CODE(URLPOOL_E_HOST_CHANGED, 42),
    CODE(URLPOOL_E_FORKED, 43),
    CODE(URLPOOL_E_POOL_FULL, 44),
    CODE(URLPOOL_E_RESOLVE, 60),
    CODE(URLPOOL_E_CONNECT, 61),
    CODE(URLPOOL_E_CONNECT_TIMEOUT, 62),
    CODE(URLPOOL_E_READ_TIMEOUT, 63),
    CODE(URLPOOL_E_WRITE_TIMEOUT, 64),
    CODE(URLPOOL_E_TOTAL_TIMEOUT, 65),
    CODE(URLPOOL_E_CANCELLED, 66),
    CODE(URLPOOL_E_PROXY, 67),
    CODE(URLPOOL_E_ADDRESS_REFUSED, 68),
    CODE(URLPOOL_E_TLS, 80),
    CODE(URLPOOL_E_TLS_VERIFY, 81),
    CODE(URLPOOL_E_TLS_HOSTNAME, 82),
    CODE(URLPOOL_E_TLS_EXPIRED, 83),
    CODE(URLPOOL_E_TLS_NO_ANCHORS, 84),
    CODE(URLPOOL_E_TLS_CA_FILE, 85),
    CODE(URLPOOL_E_TLS_CLIENT_CERT, 86),
    CODE(URLPOOL_E_TLS_PIN, 87),
    CODE(URLPOOL_E_TLS_KEY_PASSWORD, 88),
    CODE(URLPOOL_E_RESET, 100),
    CODE(URLPOOL_E_REMOTE_DISCONNECTED, 101),
    CODE(URLPOOL_E_INCOMPLETE_READ, 102),
    CODE(URLPOOL_E_BAD_STATUS_LINE, 103),
    CODE(URLPOOL_E_UNKNOWN_PROTOCOL, 104),
    CODE(URLPOOL_E_BAD_FIELD, 105),
    CODE(URLPOOL_E_BAD_LENGTH, 106),
    CODE(URLPOOL_E_TRANSFER_ENCODING, 107),
    CODE(URLPOOL_E_BAD_CHUNK, 108),
    CODE(URLPOOL_E_LINE_TOO_LONG, 109),
    CODE(URLPOOL_E_TOO_MANY_HEADERS, 110),
    CODE(URLPOOL_E_HEAD_TOO_LARGE, 111),
    CODE(URLPOOL_E_PROTOCOL, 112),
    CODE(URLPOOL_E_DECODE, 120),
    CODE(URLPOOL_E_DATA_TOO_LARGE, 121),
    CODE(URLPOOL_E_MAX_RETRIES, 140),
    CODE(URLPOOL_E_TOO_MANY_REDIRECTS, 141),
    CODE(URLPOOL_E_REDIRECT, 142),
#undef CODE
};

#define NUM_CODES (sizeof(codes) / sizeof(codes[0]))

START_TEST(code__values_and_names_are_as_promised)
{
    for (size_t i = 0; i < NUM_CODES; i++) {
        ck_assert_int_eq((int)codes[i].code, codes[i].value);
        ck_assert_str_eq(urlpool_code_name(codes[i].code), codes[i].name);
    }
}
END_TEST

START_TEST(code__every_other_value_is_unknown)
{
    for (int value = -2; value < 1000; value++) {
        bool is_known = false;

        for (size_t i = 0; i < NUM_CODES; i++) {
            is_known = is_known || codes[i].value == value;
        }
        if (!is_known) {
            ck_assert_str_eq(urlpool_code_name((enum urlpool_code)value), "URLPOOL_E_UNKNOWN");
            ck_assert(!urlpool_code_is((enum urlpool_code)value, ~0U));
        }
    }
}
END_TEST

/* classes_of collects the classes of `code`. */
static unsigned classes_of(enum urlpool_code code)
{
    unsigned classes = 0;

    for (unsigned class = 1; class != 0; class <<= 1) {
        classes |= urlpool_code_is(code, class) ? class : 0;
    }
    return classes;
}

START_TEST(class__groups_codes_as_the_models_do)
{
    ck_assert_uint_eq(classes_of(URLPOOL_OK), 0);
    ck_assert_uint_eq(classes_of(URLPOOL_E_NOMEM), 0);
    ck_assert_uint_eq(classes_of(URLPOOL_E_CANCELLED), 0);
    ck_assert_uint_eq(classes_of(URLPOOL_E_URL), URLPOOL_CLASS_USAGE);
    ck_assert_uint_eq(classes_of(URLPOOL_E_RESPONSE_NOT_READY), URLPOOL_CLASS_USAGE);
    ck_assert_uint_eq(classes_of(URLPOOL_E_POOL_CLOSED), URLPOOL_CLASS_POOL);
    ck_assert_uint_eq(classes_of(URLPOOL_E_POOL_TIMEOUT),
                      URLPOOL_CLASS_POOL | URLPOOL_CLASS_TIMEOUT);
    ck_assert_uint_eq(classes_of(URLPOOL_E_RESOLVE), URLPOOL_CLASS_CONNECT);
    ck_assert_uint_eq(classes_of(URLPOOL_E_CONNECT_TIMEOUT),
                      URLPOOL_CLASS_CONNECT | URLPOOL_CLASS_TIMEOUT);
    ck_assert_uint_eq(classes_of(URLPOOL_E_READ_TIMEOUT), URLPOOL_CLASS_TIMEOUT);
    ck_assert_uint_eq(classes_of(URLPOOL_E_TOTAL_TIMEOUT), URLPOOL_CLASS_TIMEOUT);
    ck_assert_uint_eq(classes_of(URLPOOL_E_TLS), URLPOOL_CLASS_TLS);
    ck_assert_uint_eq(classes_of(URLPOOL_E_TLS_EXPIRED), URLPOOL_CLASS_TLS | URLPOOL_CLASS_CONNECT);
    ck_assert_uint_eq(classes_of(URLPOOL_E_TLS_PIN), URLPOOL_CLASS_TLS | URLPOOL_CLASS_CONNECT);
    ck_assert_uint_eq(classes_of(URLPOOL_E_BAD_CHUNK), URLPOOL_CLASS_PROTOCOL);
    ck_assert_uint_eq(classes_of(URLPOOL_E_RESET), URLPOOL_CLASS_PROTOCOL);
    ck_assert_uint_eq(classes_of(URLPOOL_E_REDIRECT), URLPOOL_CLASS_REDIRECT);
    ck_assert_uint_eq(classes_of(URLPOOL_E_TOO_MANY_REDIRECTS),
                      URLPOOL_CLASS_POOL | URLPOOL_CLASS_REDIRECT);
}
END_TEST

START_TEST(class__one_of_several_is_enough)
{
    ck_assert(urlpool_code_is(URLPOOL_E_RESET, URLPOOL_CLASS_TIMEOUT | URLPOOL_CLASS_PROTOCOL));
    ck_assert(!urlpool_code_is(URLPOOL_E_RESET, URLPOOL_CLASS_TIMEOUT | URLPOOL_CLASS_TLS));
    ck_assert(!urlpool_code_is(URLPOOL_E_RESET, 0));
}
END_TEST

START_TEST(error_is__looks_at_the_cause_too)
{
    static const struct {
        enum urlpool_code code, cause;
        unsigned classes;
        bool is;
    } rows[] = {
        {URLPOOL_E_READ_TIMEOUT, URLPOOL_OK,             URLPOOL_CLASS_TIMEOUT,  true },
        {URLPOOL_E_READ_TIMEOUT, URLPOOL_OK,             URLPOOL_CLASS_CONNECT,  false},
        {URLPOOL_E_MAX_RETRIES,  URLPOOL_E_READ_TIMEOUT, URLPOOL_CLASS_TIMEOUT,  true },
        {URLPOOL_E_MAX_RETRIES,  URLPOOL_E_READ_TIMEOUT, URLPOOL_CLASS_POOL,     true },
        {URLPOOL_E_MAX_RETRIES,  URLPOOL_E_READ_TIMEOUT, URLPOOL_CLASS_PROTOCOL, false},
        {URLPOOL_E_MAX_RETRIES,  URLPOOL_OK,             URLPOOL_CLASS_TIMEOUT,  false},
        {URLPOOL_OK,             URLPOOL_OK,             ~0u,                    false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct urlpool_error err = {.code = rows[i].code, .cause = rows[i].cause};

        ck_assert_int_eq(urlpool_error_is(&err, rows[i].classes), rows[i].is);
    }
    ck_assert(!urlpool_error_is(NULL, ~0u));
}
END_TEST

START_TEST(phase__has_a_word_each)
{
    static const char *const words[] = {"none", "pool", "resolve", "connect", "proxy",
                                        "tls",  "send", "head",    "body",    "redirect"};

    for (int phase = 0; phase <= URLPOOL_PHASE_REDIRECT; phase++) {
        ck_assert_str_eq(urlpool_phase_name((enum urlpool_phase)phase), words[phase]);
    }
    ck_assert_str_eq(urlpool_phase_name((enum urlpool_phase)(URLPOOL_PHASE_REDIRECT + 1)),
                     "unknown");
    ck_assert_str_eq(urlpool_phase_name((enum urlpool_phase) - 1), "unknown");
}
END_TEST

START_TEST(fail__fills_the_error_and_returns_the_code)
{
    struct urlpool_error err;

    memset(&err, 0xaa, sizeof(err));
    ck_assert_int_eq(
        urlp_fail(&err, URLPOOL_E_URL, URLPOOL_PHASE_SEND, "port %d of %s", 70000, "x"),
        URLPOOL_E_URL);
    ck_assert_int_eq(err.code, URLPOOL_E_URL);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_SEND);
    ck_assert_str_eq(err.message, "port 70000 of x");
    ck_assert_int_eq(err.cause, URLPOOL_OK);
    ck_assert_int_eq(err.http_status, 0);
    ck_assert_int_eq(err.os_errno, 0);
    ck_assert_uint_eq(err.tls_code, 0);
    ck_assert_uint_eq(err.num_attempts, 0);
    ck_assert(!err.maybe_processed);
    for (size_t i = 0; i < sizeof(err.reserved); i++) {
        ck_assert_int_eq(err.reserved[i], 0);
    }
}
END_TEST

START_TEST(fail__accepts_no_error)
{
    ck_assert_int_eq(urlp_fail(NULL, URLPOOL_E_URL, URLPOOL_PHASE_NONE, "%s", "x"), URLPOOL_E_URL);
    ck_assert_int_eq(urlp_fail_errno(NULL, URLPOOL_E_SYSTEM, URLPOOL_PHASE_NONE, EMFILE, "%s", "x"),
                     URLPOOL_E_SYSTEM);
    ck_assert_int_eq(urlp_fail_nomem(NULL), URLPOOL_E_NOMEM);
}
END_TEST

START_TEST(fail__may_quote_the_message_it_replaces)
{
    struct urlpool_error err;

    (void)urlp_fail(&err, URLPOOL_E_RESET, URLPOOL_PHASE_BODY, "reset by peer");
    (void)urlp_fail(&err, URLPOOL_E_MAX_RETRIES, URLPOOL_PHASE_BODY, "gave up: %s", err.message);
    ck_assert_str_eq(err.message, "gave up: reset by peer");
}
END_TEST

START_TEST(fail__a_message_is_one_line)
{
    struct urlpool_error err;

    (void)urlp_fail(&err, URLPOOL_E_URL, URLPOOL_PHASE_NONE, "a\r\nb\tc\x7f");
    ck_assert_str_eq(err.message, "a??b?c?");
}
END_TEST

START_TEST(fail__a_message_that_just_fits_is_whole)
{
    struct urlpool_error err;

    (void)urlp_fail(&err, URLPOOL_E_URL, URLPOOL_PHASE_NONE, "%255d", 1);
    ck_assert_uint_eq(strlen(err.message), 255);
    ck_assert_int_eq(err.message[254], '1');
}
END_TEST

START_TEST(fail__a_message_too_long_ends_in_an_ellipsis)
{
    struct urlpool_error err;

    (void)urlp_fail(&err, URLPOOL_E_URL, URLPOOL_PHASE_NONE, "%256d", 1);
    ck_assert_uint_eq(strlen(err.message), 255);
    ck_assert_str_eq(err.message + 252, ELLIPSIS);
}
END_TEST

START_TEST(fail__is_not_cut_in_the_middle_of_a_character)
{
    struct urlpool_error err;
    char text[512];

    for (int shift = 0; shift < 4; shift++) {
        size_t len = (size_t)snprintf(text, sizeof(text), "%.*s", shift, "xxxx");

        while (len + 5 < sizeof(text)) {
            len += (size_t)snprintf(text + len, sizeof(text) - len, "\xf0\x9f\x98\x80");
        }
        (void)urlp_fail(&err, URLPOOL_E_URL, URLPOOL_PHASE_NONE, "%s", text);
        len = strlen(err.message);
        ck_assert_str_eq(err.message + len - 3, ELLIPSIS);
        ck_assert_uint_eq((len - 3 - (size_t)shift) % 4, 0);
        ck_assert_uint_gt(len, 250);
    }
}
END_TEST

START_TEST(fail_errno__says_what_the_system_said)
{
    struct urlpool_error err;

    ck_assert_int_eq(urlp_fail_errno(&err, URLPOOL_E_CONNECT, URLPOOL_PHASE_CONNECT, ECONNREFUSED,
                                     "connect to %s", "127.0.0.1:1"),
                     URLPOOL_E_CONNECT);
    ck_assert_str_eq(err.message, "connect to 127.0.0.1:1: Connection refused");
    ck_assert_int_eq(err.os_errno, ECONNREFUSED);
    (void)urlp_fail_errno(&err, URLPOOL_E_CONNECT, URLPOOL_PHASE_CONNECT, 9999, "x");
    ck_assert_str_eq(err.message, "x: errno 9999");
    (void)urlp_fail_errno(&err, URLPOOL_E_CONNECT, URLPOOL_PHASE_CONNECT, ENOENT, "%250d", 1);
    ck_assert_str_eq(err.message + 252, ELLIPSIS);
    (void)urlp_fail_errno(&err, URLPOOL_E_CONNECT, URLPOOL_PHASE_CONNECT, ENOENT, "%300d", 1);
    ck_assert_str_eq(err.message + 252, ELLIPSIS);
}
END_TEST

START_TEST(quote__escapes_what_a_log_must_not_see)
{
    ck_assert_str_eq(urlp_quote("GET /a b~", 9).text, "GET /a b~");
    ck_assert_str_eq(urlp_quote("a\r\nb\0\x1b\x7f\xc3", 8).text,
                     "a\\x0d\\x0ab\\x00\\x1b\\x7f\\xc3");
    ck_assert_str_eq(urlp_quote(NULL, 0).text, "");
}
END_TEST

START_TEST(quote__is_bounded)
{
    unsigned char bytes[100];
    struct urlp_quoted quoted;

    memset(bytes, 'x', sizeof(bytes));
    quoted = urlp_quote(bytes, 64);
    ck_assert_uint_eq(strlen(quoted.text), 64);
    quoted = urlp_quote(bytes, 65);
    ck_assert_uint_eq(strlen(quoted.text), 67);
    ck_assert_str_eq(quoted.text + 64, ELLIPSIS);
    memset(bytes, 0xff, sizeof(bytes));
    quoted = urlp_quote(bytes, 100);
    ck_assert_uint_eq(strlen(quoted.text), 64 + 3);
}
END_TEST

START_TEST(fail_with__copies_every_field)
{
    struct urlpool_error why;
    struct urlpool_error err = {0};

    (void)urlp_fail_errno(&why, URLPOOL_E_CONNECT, URLPOOL_PHASE_CONNECT, ECONNREFUSED, "x");
    why.num_attempts = 3;
    ck_assert_int_eq(urlp_fail_with(&err, &why), URLPOOL_E_CONNECT);
    ck_assert_mem_eq(&err, &why, sizeof(err));
    ck_assert_int_eq(urlp_fail_with(NULL, &why), URLPOOL_E_CONNECT);
}
END_TEST

START_TEST(fail_null__is_an_invalid_argument)
{
    struct urlpool_error err = {0};

    ck_assert_int_eq(urlp_fail_null(&err), URLPOOL_E_INVALID);
    ck_assert_str_eq(err.message, "an argument is NULL");
    ck_assert_int_eq(urlp_fail_null(NULL), URLPOOL_E_INVALID);
}
END_TEST

START_TEST(shortage__is_of_this_machine)
{
    ck_assert(urlp_is_shortage(EMFILE));
    ck_assert(urlp_is_shortage(ENFILE));
    ck_assert(urlp_is_shortage(ENOBUFS));
    ck_assert(urlp_is_shortage(ENOMEM));
    ck_assert(!urlp_is_shortage(ECONNREFUSED));
    ck_assert(!urlp_is_shortage(0));
}
END_TEST

RUN_TESTS("error", shortage__is_of_this_machine, code__values_and_names_are_as_promised,
          code__every_other_value_is_unknown, class__groups_codes_as_the_models_do,
          class__one_of_several_is_enough, error_is__looks_at_the_cause_too, phase__has_a_word_each,
          fail__fills_the_error_and_returns_the_code, fail__accepts_no_error,
          fail__may_quote_the_message_it_replaces, fail__a_message_is_one_line,
          fail__a_message_that_just_fits_is_whole, fail__a_message_too_long_ends_in_an_ellipsis,
          fail__is_not_cut_in_the_middle_of_a_character, fail_errno__says_what_the_system_said,
          quote__escapes_what_a_log_must_not_see, quote__is_bounded, fail_with__copies_every_field,
          fail_null__is_an_invalid_argument)
