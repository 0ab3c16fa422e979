/* Resolving references: every example of RFC 3986 section 5.4, and what they leave out. */

#include <string.h>

#include "http/url.h"
#include "support/count_of.h"
#include "support/run_tests.h"

static void assert_resolves(const char *base_text, const char *reference, const char *expected)
{
    struct urlp_url base = {0};
    struct urlp_url url = {0};
    struct urlpool_error err = {0};

    ck_assert_int_eq(urlp_url_parse(urlp_span_of(base_text), &base, &err), URLPOOL_OK);
    ck_assert_msg(urlp_url_resolve(&base, urlp_span_of(reference), &url, &err) == URLPOOL_OK,
                  "%s: %s", reference, err.message);
    ck_assert_msg(urlp_span_is(urlp_span_make(url.text.data, url.text.len), expected),
                  "\"%s\" gives \"%s\", not \"%s\"", reference, (char *)url.text.data, expected);
    urlp_url_deinit(&base);
    urlp_url_deinit(&url);
}

START_TEST(resolve__passes_the_normal_examples)
{
    static const char *const cases[][2] = {
        {"g:h",     "g:h"                 },
        {"g",       "http://a/b/c/g"      },
        {"./g",     "http://a/b/c/g"      },
        {"g/",      "http://a/b/c/g/"     },
        {"/g",      "http://a/g"          },
        {"//g",     "http://g"            },
        {"?y",      "http://a/b/c/d;p?y"  },
        {"g?y",     "http://a/b/c/g?y"    },
        {"#s",      "http://a/b/c/d;p?q#s"},
        {"g#s",     "http://a/b/c/g#s"    },
        {"g?y#s",   "http://a/b/c/g?y#s"  },
        {";x",      "http://a/b/c/;x"     },
        {"g;x",     "http://a/b/c/g;x"    },
        {"g;x?y#s", "http://a/b/c/g;x?y#s"},
        {"",        "http://a/b/c/d;p?q"  },
        {".",       "http://a/b/c/"       },
        {"./",      "http://a/b/c/"       },
        {"..",      "http://a/b/"         },
        {"../",     "http://a/b/"         },
        {"../g",    "http://a/b/g"        },
        {"../..",   "http://a/"           },
        {"../../",  "http://a/"           },
        {"../../g", "http://a/g"          },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_resolves("http://a/b/c/d;p?q", cases[i][0], cases[i][1]);
    }
}
END_TEST

START_TEST(resolve__passes_the_abnormal_examples)
{
    static const char *const cases[][2] = {
        {"../../../g",    "http://a/g"           },
        {"../../../../g", "http://a/g"           },
        {"/./g",          "http://a/g"           },
        {"/../g",         "http://a/g"           },
        {"g.",            "http://a/b/c/g."      },
        {".g",            "http://a/b/c/.g"      },
        {"g..",           "http://a/b/c/g.."     },
        {"..g",           "http://a/b/c/..g"     },
        {"./../g",        "http://a/b/g"         },
        {"./g/.",         "http://a/b/c/g/"      },
        {"g/./h",         "http://a/b/c/g/h"     },
        {"g/../h",        "http://a/b/c/h"       },
        {"g;x=1/./y",     "http://a/b/c/g;x=1/y" },
        {"g;x=1/../y",    "http://a/b/c/y"       },
        {"g?y/./x",       "http://a/b/c/g?y/./x" },
        {"g?y/../x",      "http://a/b/c/g?y/../x"},
        {"g#s/./x",       "http://a/b/c/g#s/./x" },
        {"g#s/../x",      "http://a/b/c/g#s/../x"},
        {"http:g",        "http:g"               }, /* strict */
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_resolves("http://a/b/c/d;p?q", cases[i][0], cases[i][1]);
    }
}
END_TEST

START_TEST(resolve__takes_what_a_reference_lacks_from_its_base)
{
    static const char *const cases[][3] = {
        {"http://a",              "g",        "http://a/g"            },
        {"http://a?q",            "g",        "http://a/g"            },
        {"http://a",              "?y",       "http://a?y"            },
        {"http://a",              "../g",     "http://a/g"            },
        {"http://u:p@A:81/b?q#f", "g",        "http://u:p@a:81/g"     },
        {"http://u:p@A:81/b?q#f", "//g",      "http://g"              },
        {"http://u:p@A:81/b?q#f", "",         "http://u:p@a:81/b?q"   },
        {"http://a/b?q",          "?",        "http://a/b?"           },
        {"http://a/b?q#f",        "#",        "http://a/b?q#"         },
        {"http://[fe80::1%25e]/", "x",        "http://[fe80::1%25e]/x"},
        {"https://a/b/",          "http://c", "http://c"              },
        {"http://a/b/c",          "%2e%2E/g", "http://a/g"            },
        {"http://a/b/",           "\xc3\xa4", "http://a/b/%C3%A4"     },
        {"x:a/b",                 "../c",     "x:/c"                  },
        {"x:b",                   "c",        "x:c"                   },
        {"http://a/b",            "/c//d/..", "http://a/c//"          },
        {"http://a/b",            "HTTP://C", "http://c"              },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_resolves(cases[i][0], cases[i][1], cases[i][2]);
    }
}
END_TEST

START_TEST(resolve__refuses_what_parsing_refuses)
{
    static const char *const references[] = {
        "a b",     "\r\n",     "\\g",      "//",        "///g", "//:80",   "//u@", "http:///",
        "//a@b@c", "//[v1.x]", "//0x7f.1", "//a:65536", "1x:y", "//a%2fb", "\x7f",
    };
    struct urlp_url base = {0};

    ck_assert_int_eq(urlp_url_parse(urlp_span_of("http://a/b/"), &base, NULL), URLPOOL_OK);
    for (size_t i = 0; i < COUNT_OF(references); i++) {
        struct urlp_url url = {0};
        struct urlpool_error err = {0};

        ck_assert_msg(urlp_url_resolve(&base, urlp_span_of(references[i]), &url, &err) ==
                          URLPOOL_E_URL,
                      "accepted: %s", references[i]);
        ck_assert_int_ne(err.message[0], '\0');
        ck_assert_ptr_null(url.path.data);
        urlp_url_deinit(&url);
    }
    urlp_url_deinit(&base);
}
END_TEST

START_TEST(resolve__refuses_a_base_without_scheme)
{
    struct urlp_url base = {0};
    struct urlp_url url = {0};
    struct urlpool_error err = {0};

    ck_assert_int_eq(urlp_url_parse(urlp_span_of("//a/b"), &base, NULL), URLPOOL_OK);
    ck_assert_int_eq(urlp_url_resolve(&base, urlp_span_of("c"), &url, &err), URLPOOL_E_INVALID);
    ck_assert_int_eq(err.code, URLPOOL_E_INVALID);
    urlp_url_deinit(&base);
    urlp_url_deinit(&url);
}
END_TEST

START_TEST(resolve__keeps_the_result_within_64_kib)
{
    static char path[40000];
    struct urlp_url base = {0};
    struct urlp_url url = {0};

    memset(path, 'x', sizeof(path));
    memcpy(path, "http://a/", 9);
    path[sizeof(path) - 1] = '/';
    ck_assert_int_eq(urlp_url_parse(urlp_span_make(path, sizeof(path)), &base, NULL), URLPOOL_OK);
    memset(path, 'y', sizeof(path));
    ck_assert_int_eq(urlp_url_resolve(&base, urlp_span_make(path, sizeof(path)), &url, NULL),
                     URLPOOL_E_URL);
    ck_assert_int_eq(urlp_url_resolve(&base, urlp_span_make(path, 1000), &url, NULL), URLPOOL_OK);
    urlp_url_deinit(&base);
    urlp_url_deinit(&url);
}
END_TEST

START_TEST(resolve_redirect__inherits_a_missing_fragment)
{
    static const char *const cases[][3] = {
        {"http://a/b#f", "c",     "http://a/c#f"},
        {"http://a/b#f", "c#g",   "http://a/c#g"},
        {"http://a/b#f", "c#",    "http://a/c#" },
        {"http://a/b#",  "c",     "http://a/c#" },
        {"http://a/b",   "c",     "http://a/c"  },
        {"http://a/b#f", "//d?e", "http://d?e#f"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct urlp_url base = {0};
        struct urlp_url url = {0};

        ck_assert_int_eq(urlp_url_parse(urlp_span_of(cases[i][0]), &base, NULL), URLPOOL_OK);
        ck_assert_int_eq(urlp_url_resolve_redirect(&base, urlp_span_of(cases[i][1]), &url, NULL),
                         URLPOOL_OK);
        ck_assert_str_eq((char *)url.text.data, cases[i][2]);
        urlp_url_deinit(&base);
        urlp_url_deinit(&url);
    }
}
END_TEST

RUN_TESTS("url_resolve", resolve__passes_the_normal_examples, resolve__passes_the_abnormal_examples,
          resolve__takes_what_a_reference_lacks_from_its_base,
          resolve__refuses_what_parsing_refuses, resolve__refuses_a_base_without_scheme,
          resolve__keeps_the_result_within_64_kib, resolve_redirect__inherits_a_missing_fragment)
