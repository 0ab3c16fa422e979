/* What is known of a method by its name. */

#include "http/method.h"
#include "support/count_of.h"
#include "support/run_tests.h"

START_TEST(method__is_a_token)
{
    static const char *const valid[] = {"GET", "get", "M-SEARCH", "A!#$%&'*+-.^_`|~9"};
    static const char *const invalid[] = {"",      " GET",  "GET ", "GE T",  "GET\r\n",
                                          "GET\t", "G\x7f", "G(",   "G/1.1", "\xc3\xa4",
                                          "G:",    "G\"",   "G@",   "G{",    "G,"};

    for (size_t i = 0; i < COUNT_OF(valid); i++) {
        ck_assert(urlp_method_is_valid(urlp_span_of(valid[i])));
    }
    for (size_t i = 0; i < COUNT_OF(invalid); i++) {
        ck_assert_msg(!urlp_method_is_valid(urlp_span_of(invalid[i])), "%s", invalid[i]);
    }
    ck_assert(!urlp_method_is_valid(urlp_span_make("GET\0", 4)));
}
END_TEST

START_TEST(method__is_presumed_not_idempotent)
{
    static const char *const idempotent[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};
    static const char *const others[] = {"POST", "PATCH", "CONNECT",  "get",     "Get",
                                         "GETS", "",      "PROPFIND", "M-SEARCH"};

    for (size_t i = 0; i < COUNT_OF(idempotent); i++) {
        ck_assert(urlp_method_is_idempotent(urlp_span_of(idempotent[i])));
    }
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        ck_assert_msg(!urlp_method_is_idempotent(urlp_span_of(others[i])), "%s", others[i]);
    }
}
END_TEST

START_TEST(method__expects_a_body)
{
    static const char *const bodied[] = {"POST", "PUT", "PATCH"};
    static const char *const others[] = {"GET",   "HEAD",    "DELETE", "OPTIONS",
                                         "TRACE", "CONNECT", "post",   ""};

    for (size_t i = 0; i < COUNT_OF(bodied); i++) {
        ck_assert(urlp_method_expects_body(urlp_span_of(bodied[i])));
    }
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        ck_assert_msg(!urlp_method_expects_body(urlp_span_of(others[i])), "%s", others[i]);
    }
}
END_TEST

RUN_TESTS("method", method__is_a_token, method__is_presumed_not_idempotent, method__expects_a_body)
