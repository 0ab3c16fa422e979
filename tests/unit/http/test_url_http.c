/* What HTTP asks of a URL. */

#include <string.h>

#include "http/route.h"
#include "http/url.h"
#include "support/count_of.h"
#include "support/run_tests.h"

static struct urlp_url parse(const char *text)
{
    struct urlp_url url = {0};

    ck_assert_int_eq(urlp_url_parse(urlp_span_of(text), &url, NULL), URLPOOL_OK);
    return url;
}

START_TEST(require_http__accepts_http_and_https)
{
    static const char *const cases[] = {"http://a", "HTTPS://a:0/", "http://[::1]", "http://u@a"};

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct urlp_url url = parse(cases[i]);

        ck_assert_int_eq(urlp_url_require_http(&url, NULL), URLPOOL_OK);
        urlp_url_deinit(&url);
    }
}
END_TEST

START_TEST(require_http__refuses_the_rest)
{
    static const struct {
        const char *text;
        enum urlpool_code code;
        const char *words;
    } cases[] = {
        {"",                   URLPOOL_E_SCHEME, "http://"          },
        {"example.com/a",      URLPOOL_E_SCHEME, "\"example.com/a\""},
        {"//example.com/a",    URLPOOL_E_SCHEME, "https://"         },
        {"/a",                 URLPOOL_E_SCHEME, "\"/a\""           },
        {"example.com:80/a",   URLPOOL_E_SCHEME, "\"example.com\""  },
        {"ftp://a/",           URLPOOL_E_SCHEME, "\"ftp\""          },
        {"file:///etc/passwd", URLPOOL_E_SCHEME, "\"file\""         },
        {"gopher://a",         URLPOOL_E_SCHEME, "\"gopher\""       },
        {"httpx://a",          URLPOOL_E_SCHEME, "\"httpx\""        },
        {"http+unix://a",      URLPOOL_E_SCHEME, "\"http+unix\""    },
        {"mailto:a@b",         URLPOOL_E_SCHEME, "\"mailto\""       },
        {"http:a",             URLPOOL_E_URL,    "no host"          },
        {"https:/a",           URLPOOL_E_URL,    "no host"          },
        {"http:",              URLPOOL_E_URL,    "no host"          },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct urlp_url url = parse(cases[i].text);
        struct urlpool_error err = {0};

        ck_assert_msg(urlp_url_require_http(&url, &err) == cases[i].code, "%s", cases[i].text);
        ck_assert_int_eq(err.code, cases[i].code);
        ck_assert_msg(strstr(err.message, cases[i].words) != NULL, "%s: %s", cases[i].text,
                      err.message);
        urlp_url_deinit(&url);
    }
}
END_TEST

START_TEST(require_http__shows_no_password)
{
    static const struct {
        const char *text;
        enum urlpool_code code;
        const char *words;
    } cases[] = {
        {"//user:s3cret@a/b",     URLPOOL_E_SCHEME, "a/b"       },
        {"http:user:s3cret@a/b",  URLPOOL_E_URL,    "\"http:\"" },
        {"https:/user:s3cret@a/", URLPOOL_E_URL,    "\"https:\""},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct urlp_url url = parse(cases[i].text);
        struct urlpool_error err = {0};

        ck_assert_int_eq(urlp_url_require_http(&url, &err), cases[i].code);
        ck_assert_msg(strstr(err.message, "s3cret") == NULL, "%s", err.message);
        ck_assert_msg(strstr(err.message, cases[i].words) != NULL, "%s", err.message);
        urlp_url_deinit(&url);
    }
}
END_TEST

START_TEST(effective_port__is_the_one_written_or_the_schemes)
{
    static const struct {
        const char *text;
        int port;
        bool is_https;
    } cases[] = {
        {"http://a",       80,   false},
        {"https://a",      443,  true },
        {"HTTPS://a:",     443,  true },
        {"http://a:443",   443,  false},
        {"https://a:80",   80,   true },
        {"http://a:0",     0,    false},
        {"https://a:8443", 8443, true },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct urlp_url url = parse(cases[i].text);

        ck_assert_int_eq(urlp_url_effective_port(&url), cases[i].port);
        ck_assert_int_eq(urlp_url_is_https(&url), cases[i].is_https);
        urlp_url_deinit(&url);
    }
}
END_TEST

START_TEST(target__is_path_and_query)
{
    static const char *const cases[][2] = {
        {"http://a",              "/"           },
        {"http://a?",             "/?"          },
        {"http://a?b",            "/?b"         },
        {"http://a/#f",           "/"           },
        {"http://u:p@a:81/b?c#d", "/b?c"        },
        {"http://a/b?",           "/b?"         },
        {"http://a//b",           "//b"         },
        {"http://a/\xc3\xa4",     "/%C3%A4"     },
        {"http://a/b?http://c/",  "/b?http://c/"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct urlp_url url = parse(cases[i][0]);
        struct urlp_buf out = {0};

        ck_assert_int_eq(urlp_url_append_target(&url, &out), URLPOOL_OK);
        ck_assert(urlp_span_is(urlp_span_make(out.data, out.len), cases[i][1]));
        urlp_buf_deinit(&out);
        urlp_url_deinit(&url);
    }
}
END_TEST

START_TEST(shown__is_what_would_be_appended)
{
    static const struct {
        const char *text;
        bool target, authority;
    } cases[] = {
        {"http://a",                  false, true },
        {"http://a?",                 false, true },
        {"http://a/",                 true,  true },
        {"http://u:p@a:81/b?c#d",     true,  true },
        {"http://a/b?",               true,  true },
        {"http://a:80/b",             true,  false},
        {"https://a:80/b",            true,  true },
        {"https://a:0443/b",          true,  false},
        {"https://a:443",             false, false},
        {"http://a:0/",               true,  true },
        {"http://[::1]/",             true,  true },
        {"http://u@[::1]:8080/x",     true,  true },
        {"http://[fe80::1%25eth0]/x", true,  false},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct urlp_url url = parse(cases[i].text);
        const struct urlp_origin origin = urlp_origin_of(&url);
        struct urlp_buf target = {0};
        struct urlp_buf authority = {0};
        struct urlp_span shown;

        ck_assert_int_eq(urlp_url_append_target(&url, &target), URLPOOL_OK);
        ck_assert_int_eq(urlp_origin_append_authority(&origin, false, &authority), URLPOOL_OK);
        ck_assert(urlp_url_shows_target(&url, &shown) == cases[i].target);
        ck_assert(!cases[i].target ||
                  urlp_span_equals(shown, urlp_span_make(target.data, target.len)));
        ck_assert(urlp_url_shows_authority(&url, &shown) == cases[i].authority);
        ck_assert(!cases[i].authority ||
                  urlp_span_equals(shown, urlp_span_make(authority.data, authority.len)));
        urlp_buf_deinit(&target);
        urlp_buf_deinit(&authority);
        urlp_url_deinit(&url);
    }
}
END_TEST

START_TEST(target__goes_in_whole_or_not_at_all)
{
    struct urlp_url url = parse("http://a/path?query");
    struct urlp_buf out;

    urlp_buf_init(&out, 10);
    ck_assert_int_eq(urlp_url_append_target(&url, &out), URLPOOL_E_DATA_TOO_LARGE);
    ck_assert_uint_eq(out.len, 0);
    urlp_buf_deinit(&out);
    urlp_url_deinit(&url);
}
END_TEST

START_TEST(without_secrets__has_no_userinfo)
{
    static const char *const cases[][2] = {
        {"http://user:pw@a/b?c#d", "http://a/b?c#d"},
        {"http://user@a",          "http://a"      },
        {"http://@a",              "http://a"      },
        {"http://a/x@y",           "http://a/x@y"  },
        {"//u:p@[::1]:1/",         "//[::1]:1/"    },
        {"",                       ""              },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct urlp_url url = parse(cases[i][0]);
        struct urlp_buf out = {0};

        ck_assert_int_eq(urlp_url_append_without_secrets(&url, &out), URLPOOL_OK);
        ck_assert(urlp_span_is(urlp_span_make(out.data, out.len), cases[i][1]));
        urlp_buf_deinit(&out);
        urlp_url_deinit(&url);
    }
}
END_TEST

START_TEST(host__may_have_its_port_beside_it)
{
    static const struct {
        const char *host;
        int port;
        int expected; /* -1: none */
    } cases[] = {
        {"a",       0,     -1   },
        {"a:8080",  0,     8080 },
        {"a",       8080,  8080 },
        {"a:8080",  8080,  8080 },
        {"[::1]:1", 1,     1    },
        {"::1",     65535, 65535},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct urlp_url url = {0};

        ck_assert_int_eq(urlp_url_parse_host(cases[i].host, cases[i].port, &url, NULL), URLPOOL_OK);
        ck_assert_int_eq(url.port, cases[i].expected);
        urlp_url_deinit(&url);
    }
}
END_TEST

START_TEST(host__with_a_port_that_cannot_be_is_refused)
{
    static const struct {
        const char *host;
        int port;
    } cases[] = {
        {"a",   -1   },
        {"a",   65536},
        {"a:1", 2    },
        {"a:0", 80   },
        {"a b", 80   },
        {"",    80   },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct urlp_url url = {0};
        struct urlpool_error err = {0};

        ck_assert_int_eq(urlp_url_parse_host(cases[i].host, cases[i].port, &url, &err),
                         URLPOOL_E_URL);
        ck_assert_int_ne(err.message[0], '\0');
        urlp_url_deinit(&url);
    }
}
END_TEST

START_TEST(absolute_target__is_the_url_without_userinfo_fragment_and_zone)
{
    static const struct {
        const char *url, *target;
    } cases[] = {
        {"http://a",                         "http://a/"                },
        {"HTTP://u:p@A:80/b?c#d",            "http://a/b?c"             },
        {"https://a:443/?",                  "https://a/?"              },
        {"https://a:80/b",                   "https://a:80/b"           },
        {"http://a?q",                       "http://a/?q"              },
        {"http://[fe80::1%25eth0]:81/x%2fy", "http://[fe80::1]:81/x%2Fy"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct urlp_url url = parse(cases[i].url);
        struct urlp_buf out = {0};

        ck_assert_int_eq(urlp_url_append_absolute_target(&url, &out), URLPOOL_OK);
        ck_assert_msg(urlp_span_is(urlp_span_make(out.data, out.len), cases[i].target), "%.*s",
                      (int)out.len, (const char *)out.data);
        urlp_buf_deinit(&out);
        urlp_url_deinit(&url);
    }
}
END_TEST

START_TEST(absolute_target__leaves_a_buffer_that_is_too_small_as_it_was)
{
    struct urlp_url url = parse("http://a/bc");

    for (size_t max = 1; max < 11; max++) {
        struct urlp_buf out = {0};

        urlp_buf_init(&out, max);
        ck_assert_int_eq(urlp_url_append_absolute_target(&url, &out), URLPOOL_E_DATA_TOO_LARGE);
        ck_assert_uint_eq(out.len, 0);
        urlp_buf_deinit(&out);
    }
    urlp_url_deinit(&url);
}
END_TEST

RUN_TESTS("url_http", require_http__accepts_http_and_https, require_http__refuses_the_rest,
          require_http__shows_no_password, effective_port__is_the_one_written_or_the_schemes,
          target__is_path_and_query, shown__is_what_would_be_appended,
          target__goes_in_whole_or_not_at_all, without_secrets__has_no_userinfo,
          host__may_have_its_port_beside_it, host__with_a_port_that_cannot_be_is_refused,
          absolute_target__is_the_url_without_userinfo_fragment_and_zone,
          absolute_target__leaves_a_buffer_that_is_too_small_as_it_was)
