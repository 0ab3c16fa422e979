/* Headers made of plain words: each choice by itself, all together, and what is refused without
 * telling a secret. */

#include <stdio.h>
#include <string.h>

#include "urlpool/urlpool.h"

#include "conn/connection.h"
#include "support/run_tests.h"

static struct urlpool_error err;

/* expect compares the list that `choice` makes with "name: value\n" for each of its lines. */
static void expect(const struct urlpool_headers_choice *choice, const char *expected)
{
    struct urlpool_headers *headers = urlpool_headers_make(choice, &err);
    char got[1024] = "";

    ck_assert_msg(headers != NULL, "%s", err.message);
    for (size_t i = 0; i < urlpool_headers_count(headers); i++) {
        const struct urlpool_field field = urlpool_headers_at(headers, i);
        const size_t len = strlen(got);

        (void)snprintf(got + len, sizeof(got) - len, "%s: %s\n", field.name, field.value);
    }
    ck_assert_str_eq(got, expected);
    urlpool_headers_free(headers);
}

static void expect_refused(const struct urlpool_headers_choice *choice, enum urlpool_code code,
                           const char *word)
{
    memset(&err, 0, sizeof(err));
    ck_assert_ptr_null(urlpool_headers_make(choice, &err));
    ck_assert_int_eq(err.code, code);
    ck_assert_msg(strstr(err.message, word) != NULL, "%s", err.message);
    ck_assert_msg(strstr(err.message, "secret") == NULL, "%s", err.message);
}

START_TEST(make__gives_each_choice_its_line)
{
    expect(&(struct urlpool_headers_choice){0}, "");
    expect(&(struct urlpool_headers_choice){.keep_alive = true}, "Connection: keep-alive\n");
    expect(&(struct urlpool_headers_choice){.accept_encodings = "gzip, br;q=0.5"},
           "Accept-Encoding: gzip, br;q=0.5\n");
    expect(
        &(struct urlpool_headers_choice){.accept_encodings = "identity", .accept_encoding = true},
        "Accept-Encoding: identity\n");
    expect(&(struct urlpool_headers_choice){.user_agent = "me/1 (test)"},
           "User-Agent: me/1 (test)\n");
    expect(&(struct urlpool_headers_choice){.user_agent = ""}, "");
    expect(&(struct urlpool_headers_choice){.basic_auth = "Aladdin:open sesame"},
           "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\n");
    expect(&(struct urlpool_headers_choice){.basic_auth = "user"},
           "Authorization: Basic dXNlcjo=\n");
    expect(&(struct urlpool_headers_choice){.bearer_auth = "mF_9.B5f-4.1JqM"},
           "Authorization: Bearer mF_9.B5f-4.1JqM\n");
    expect(&(struct urlpool_headers_choice){.proxy_basic_auth = "test:123\xc2\xa3"},
           "Proxy-Authorization: Basic dGVzdDoxMjPCow==\n");
    expect(&(struct urlpool_headers_choice){.disable_cache = true}, "Cache-Control: no-cache\n");
}
END_TEST

START_TEST(make__offers_what_this_build_decodes)
{
    char expected[128];

    (void)snprintf(expected, sizeof(expected), "Accept-Encoding: %s\n",
                   urlp_connection_accept_encoding());
    expect(&(struct urlpool_headers_choice){.accept_encoding = true}, expected);
}
END_TEST

START_TEST(make__takes_all_choices_in_their_order)
{
    const struct urlpool_headers_choice choice = {.keep_alive = true,
                                                  .accept_encodings = "gzip",
                                                  .user_agent = "me",
                                                  .bearer_auth = "t",
                                                  .proxy_basic_auth = "user:password",
                                                  .disable_cache = true};

    expect(&choice, "Accept-Encoding: gzip\nUser-Agent: me\nConnection: keep-alive\n"
                    "Authorization: Bearer t\n"
                    "Proxy-Authorization: Basic dXNlcjpwYXNzd29yZA==\n"
                    "Cache-Control: no-cache\n");
}
END_TEST

START_TEST(make__refuses_a_bearer_that_is_no_token)
{
    static const char *const good[] = {"a", "A1-._~+/", "abc=", "abc==="};
    static const char *const bad[] = {
        "",        "=",       "sec ret",    "secret\r\nX: y", "secret=a", " secret",
        "secret ", "secret,", "\"secret\"", "secret\xc3\xa4", "secret\n", "secret:"};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        char expected[64];

        (void)snprintf(expected, sizeof(expected), "Authorization: Bearer %s\n", good[i]);
        expect(&(struct urlpool_headers_choice){.bearer_auth = good[i]}, expected);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        expect_refused(&(struct urlpool_headers_choice){.bearer_auth = bad[i]}, URLPOOL_E_HEADER,
                       "bearer_auth");
    }
}
END_TEST

START_TEST(make__refuses_what_is_not_fit_to_send)
{
    expect_refused(&(struct urlpool_headers_choice){.basic_auth = "me:secret\r\nX: y"},
                   URLPOOL_E_HEADER, "basic_auth holds a control character");
    expect_refused(&(struct urlpool_headers_choice){.proxy_basic_auth = "me:secret\n"},
                   URLPOOL_E_HEADER, "proxy_basic_auth holds a control character");
    expect_refused(&(struct urlpool_headers_choice){.user_agent = "a\r\nb"}, URLPOOL_E_HEADER,
                   "User-Agent");
    expect_refused(&(struct urlpool_headers_choice){.accept_encodings = "gzip\n"}, URLPOOL_E_HEADER,
                   "Accept-Encoding");
}
END_TEST

START_TEST(make__refuses_what_contradicts_itself)
{
    const struct urlpool_headers_choice both = {.basic_auth = "me:secret", .bearer_auth = "secret"};
    struct urlpool_headers_choice unknown = {.keep_alive = true};

    expect_refused(&both, URLPOOL_E_INVALID, "basic_auth and bearer_auth");
    expect_refused(NULL, URLPOOL_E_INVALID, "NULL");
    for (size_t i = 0; i < sizeof(unknown.reserved); i++) {
        unknown.reserved[i] = 1;
        expect_refused(&unknown, URLPOOL_E_INVALID, "headers choice");
        unknown.reserved[i] = 0;
    }
    ck_assert_ptr_null(urlpool_headers_make(&both, NULL));
}
END_TEST

RUN_TESTS("headers make", make__gives_each_choice_its_line, make__offers_what_this_build_decodes,
          make__takes_all_choices_in_their_order, make__refuses_a_bearer_that_is_no_token,
          make__refuses_what_is_not_fit_to_send, make__refuses_what_contradicts_itself)
