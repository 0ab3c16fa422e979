/* Basic credentials: what they become, what is refused, and that no sentence shows them. */

#include <string.h>

#include "http/basic_auth.h"
#include "support/run_tests.h"

static struct urlpool_error err;

static void expect_value(const struct urlp_buf *out, const char *expected)
{
    ck_assert_msg(out->len == strlen(expected) &&
                      (out->len == 0 || memcmp(out->data, expected, out->len) == 0),
                  "\"%.*s\" for \"%s\"", (int)out->len, out->data, expected);
}

START_TEST(basic__is_user_colon_password_in_base64)
{
    static const struct {
        const char *credentials, *value;
    } cases[] = {
        {"Aladdin:open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}, /* RFC 7617 section 2 */
        {"test:123\xc2\xa3",    "Basic dGVzdDoxMjPCow=="            }, /* section 2.1 */
        {"user",                "Basic dXNlcjo="                    },
        {"user:",               "Basic dXNlcjo="                    },
        {":password",           "Basic OnBhc3N3b3Jk"                },
        {"u:a:b",               "Basic dTphOmI="                    },
        {"",                    "Basic Og=="                        },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct urlp_buf out = {0};

        ck_assert_int_eq(
            urlp_basic_auth_append(urlp_span_of(cases[i].credentials), "x", &out, &err),
            URLPOOL_OK);
        expect_value(&out, cases[i].value);
        urlp_buf_deinit(&out);
    }
}
END_TEST

START_TEST(basic__refuses_controls_and_shows_nothing)
{
    static const char controls[] = {'\r', '\n', '\0', '\t', '\x1f', '\x7f'};

    for (size_t i = 0; i < sizeof(controls); i++) {
        const char credentials[] = {'m', 'e', ':', 'h', 'i', controls[i], 'd'};
        struct urlp_buf out = {0};

        ck_assert_int_eq(urlp_basic_auth_append(urlp_span_make(credentials, sizeof(credentials)),
                                                "basic_auth", &out, &err),
                         URLPOOL_E_HEADER);
        ck_assert_str_eq(err.message,
                         "basic_auth holds a control character, which Basic credentials may not");
        ck_assert_uint_eq(out.len, 0);
        urlp_buf_deinit(&out);
    }
}
END_TEST

START_TEST(userinfo__is_decoded_behind_the_split)
{
    static const struct {
        const char *userinfo, *value;
    } cases[] = {
        {"user:password",  "Basic dXNlcjpwYXNzd29yZA=="},
        {"user",           "Basic dXNlcjo="            },
        {"user:",          "Basic dXNlcjo="            },
        {":password",      "Basic OnBhc3N3b3Jk"        },
        {":",              "Basic Og=="                },
        {"u:a%3Ab:c",      "Basic dTphOmI6Yw=="        },
        {"u%40h:p%2F%25",  "Basic dUBoOnAvJQ=="        },
        {"test:123%C2%A3", "Basic dGVzdDoxMjPCow=="    },
        {"u:%252F",        "Basic dTolMkY="            }, /* decoded once */
        {"u:%2",           "Basic dTolMg=="            },
        {"",               ""                          },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct urlp_buf out = {0};

        ck_assert_int_eq(
            urlp_basic_auth_append_userinfo(urlp_span_of(cases[i].userinfo), &out, &err),
            URLPOOL_OK);
        expect_value(&out, cases[i].value);
        urlp_buf_deinit(&out);
    }
}
END_TEST

START_TEST(userinfo__is_refused_when_it_cannot_be_said)
{
    static const struct {
        const char *userinfo, *word;
    } cases[] = {
        {"us%0Aer:pass",  "control"},
        {"user:pa%0Dss",  "control"},
        {"user:pass%00",  "control"},
        {"user:pa%7Fss",  "control"},
        {"us%3Aer:pass",  "colon"  },
        {"us%3aer",       "colon"  },
        {"%3A%0D%0Apass", "colon"  },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct urlp_buf out = {0};

        ck_assert_int_eq(
            urlp_basic_auth_append_userinfo(urlp_span_of(cases[i].userinfo), &out, &err),
            URLPOOL_E_HEADER);
        ck_assert_msg(strstr(err.message, cases[i].word) != NULL, "%s", err.message);
        ck_assert_ptr_null(strstr(err.message, "us%"));
        ck_assert_ptr_null(strstr(err.message, "pass%"));
        ck_assert_uint_eq(out.len, 0);
        urlp_buf_deinit(&out);
    }
}
END_TEST

RUN_TESTS("basic auth", basic__is_user_colon_password_in_base64,
          basic__refuses_controls_and_shows_nothing, userinfo__is_decoded_behind_the_split,
          userinfo__is_refused_when_it_cannot_be_said)
