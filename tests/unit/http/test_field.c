/* Field lines as spans. */

#include <string.h>

#include "http/field.h"
#include "support/count_of.h"
#include "support/run_tests.h"

/* For which bytes `is_valid` accepts 'a', the byte, 'a'; in the order of their codes. */
static void assert_accepts(bool (*is_valid)(struct urlp_span), const char *expected_ascii,
                           bool non_ascii)
{
    char accepted[129];
    size_t num_accepted = 0;

    for (int c = 0; c < 256; c++) {
        char text[3] = {'a', (char)c, 'a'};
        bool is_accepted = is_valid(urlp_span_make(text, 3));

        if (c >= 128) {
            ck_assert_int_eq(is_accepted, non_ascii);
        } else if (is_accepted) {
            ck_assert_int_ne(c, 0);
            accepted[num_accepted++] = (char)c;
        }
    }
    accepted[num_accepted] = '\0';
    ck_assert_str_eq(accepted, expected_ascii);
}

#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define VCHAR "!\"#$%&'()*+,-./0123456789:;<=>?@" UPPER "[\\]^_`" LOWER "{|}~"

START_TEST(field_name__is_a_token)
{
    assert_accepts(urlp_field_name_is_valid, "!#$%&'*+-.0123456789" UPPER "^_`" LOWER "|~", false);
    ck_assert(!urlp_field_name_is_valid(urlp_span_of("")));
    ck_assert(!urlp_field_name_is_valid(urlp_span_of(" a")));
    ck_assert(!urlp_field_name_is_valid(urlp_span_of("a ")));
}
END_TEST

START_TEST(field_value__has_no_control_but_tab)
{
    assert_accepts(urlp_field_value_is_valid, "\t " VCHAR, true);
    ck_assert(urlp_field_value_is_valid(urlp_span_of("")));
}
END_TEST

START_TEST(field_value__is_looked_at_wherever_the_byte_stands)
{
    for (size_t at = 0; at < 20; at++) {
        for (int c = 0; c < 256; c++) {
            char text[20];
            bool is_control = (c < 0x20 && c != '\t') || c == 0x7f;

            memset(text, at % 2 == 0 ? '\xff' : ' ', sizeof(text));
            text[at] = (char)c;
            ck_assert_msg(urlp_field_value_is_valid(urlp_span_make(text, sizeof(text))) !=
                              is_control,
                          "%d at %zu", c, at);
        }
    }
}
END_TEST

START_TEST(target__is_visible_ascii)
{
    assert_accepts(urlp_target_is_valid, VCHAR, false);
    ck_assert(!urlp_target_is_valid(urlp_span_of("")));
    ck_assert(urlp_target_is_valid(urlp_span_of("*")));
    ck_assert(!urlp_target_is_valid(urlp_span_of("/a HTTP/1.1\r\nX: y")));
}
END_TEST

static const struct urlp_field lines[] = {
    {{"A", 1},  {"1", 1}},
    {{"bb", 2}, {"2", 1}},
    {{"a", 1},  {"3", 1}},
    {{"B", 1},  {"4", 1}},
};

START_TEST(find__walks_the_lines_of_a_name)
{
    size_t index = 0;

    ck_assert_ptr_eq(urlp_fields_find(lines, 4, "a", &index), &lines[0]);
    ck_assert_uint_eq(index, 1);
    ck_assert_ptr_eq(urlp_fields_find(lines, 4, "a", &index), &lines[2]);
    ck_assert_uint_eq(index, 3);
    ck_assert_ptr_null(urlp_fields_find(lines, 4, "a", &index));
    ck_assert_ptr_null(urlp_fields_find(lines, 4, "a", &index));
}
END_TEST

START_TEST(find__compares_whole_names_without_case)
{
    size_t index = 0;

    ck_assert_ptr_eq(urlp_fields_find(lines, 4, "BB", &index), &lines[1]);
    index = 0;
    ck_assert_ptr_eq(urlp_fields_find(lines, 4, "b", &index), &lines[3]);
    index = 0;
    ck_assert_ptr_null(urlp_fields_find(lines, 4, "bbb", &index));
    index = 0;
    ck_assert_ptr_null(urlp_fields_find(NULL, 0, "a", &index));
}
END_TEST

START_TEST(secret__is_what_credentials_travel_in)
{
    static const char *const secret[] = {"Authorization", "PROXY-AUTHORIZATION", "cookie",
                                         "Set-Cookie", "X-Api-Key"};
    static const char *const plain[] = {"",        "Host",   "Authorizatio",     "Authorization2",
                                        "Cookies", "Accept", "WWW-Authenticate", "X-Cookie"};

    for (size_t i = 0; i < COUNT_OF(secret); i++) {
        ck_assert_msg(urlp_field_is_secret(urlp_span_of(secret[i])), "%s", secret[i]);
    }
    for (size_t i = 0; i < COUNT_OF(plain); i++) {
        ck_assert_msg(!urlp_field_is_secret(urlp_span_of(plain[i])), "%s", plain[i]);
    }
}
END_TEST

START_TEST(trailer__is_nothing_that_frames_routes_modifies_authenticates_or_says_what_content_is)
{
    static const char *const never[] = {
        "Content-Length",
        "transfer-encoding",
        "Host",
        "TRAILER",
        "Connection",
        "Keep-Alive",
        "TE",
        "Upgrade",
        "Proxy-Connection",
        "Max-Forwards",
        "Cache-Control",
        "Expect",
        "Pragma",
        "Range",
        "If-Match",
        "If-None-Match",
        "If-Modified-Since",
        "if-range",
        "Authorization",
        "Proxy-Authorization",
        "Cookie",
        "Set-Cookie",
        "X-Api-Key",
        "WWW-Authenticate",
        "Proxy-Authenticate",
        "Content-Encoding",
        "Content-Type",
        "Content-Range",
        "Content-Location",
        "Date",
        "Location",
        "Age",
        "Expires",
        "Vary",
        "Retry-After",
        "Warning",
        "X-Forwarded-For",
        "Accept-Encoding",
        "Accept",
        "User-Agent",
    };
    static const char *const may[] = {"Checksum",       "Content-Digest", "Digest", "X-Sum",
                                      "Server-Timing",  "Signature",      "Ifx",    "Hosts",
                                      "Accepted-Bytes", "Content-MD5",    "Dates",  "X-Forwarded"};

    for (size_t i = 0; i < COUNT_OF(never); i++) {
        ck_assert_msg(!urlp_field_may_trail(urlp_span_of(never[i])), "%s", never[i]);
    }
    for (size_t i = 0; i < COUNT_OF(may); i++) {
        ck_assert_msg(urlp_field_may_trail(urlp_span_of(may[i])), "%s", may[i]);
    }
}
END_TEST

RUN_TESTS("field", field_name__is_a_token, field_value__has_no_control_but_tab,
          field_value__is_looked_at_wherever_the_byte_stands, target__is_visible_ascii,
          find__walks_the_lines_of_a_name, find__compares_whole_names_without_case,
          secret__is_what_credentials_travel_in,
          trailer__is_nothing_that_frames_routes_modifies_authenticates_or_says_what_content_is)
