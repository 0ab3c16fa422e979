/* Which host names a name in a certificate stands for. Refusals first: they are what counts. */

#include <stdbool.h>
#include <stddef.h>

#include "net/tls_names.h"
#include "support/run_tests.h"

struct row {
    struct urlp_span pattern;
    const char *host;
};
#define SPAN(text)             \
    {                          \
        text, sizeof(text) - 1 \
    }

#define EXPECT_NONE(rows) expect(rows, sizeof(rows) / sizeof(rows[0]), false)
#define EXPECT_ALL(rows)  expect(rows, sizeof(rows) / sizeof(rows[0]), true)

static void expect(const struct row *rows, size_t num_rows, bool matches)
{
    for (size_t i = 0; i < num_rows; i++) {
        ck_assert_msg(urlp_tls_name_matches(rows[i].pattern, urlp_span_of(rows[i].host)) == matches,
                      "'%.*s' and '%s'", (int)rows[i].pattern.len, rows[i].pattern.data,
                      rows[i].host);
    }
}

START_TEST(name__stands_for_itself_in_any_ascii_case)
{
    static const struct row rows[] = {
        {SPAN("example.org"),               "example.org"              },
        {SPAN("Example.ORG"),               "example.org"              },
        {SPAN("localhost"),                 "localhost"                },
        {SPAN("under_score.example.org"),   "under_score.example.org"  },
        {SPAN("xn--bcher-kva.example.org"), "xn--bcher-kva.example.org"},
    };

    EXPECT_ALL(rows);
}
END_TEST

START_TEST(name__stands_for_no_other)
{
    static const struct row rows[] = {
        {SPAN("example.org"),     "www.example.org"},
        {SPAN("www.example.org"), "example.org"    },
        {SPAN("example.org"),     "example.com"    },
        {SPAN("example.or"),      "example.org"    },
        {SPAN(""),                ""               },
        {SPAN(""),                "example.org"    },
        {SPAN("example.org"),     ""               },
    };

    EXPECT_NONE(rows);
}
END_TEST

START_TEST(name__does_not_end_at_nul)
{
    static const struct row rows[] = {
        {SPAN("example.org\0.evil.example"), "example.org"  },
        {SPAN("example.org\0"),              "example.org"  },
        {SPAN("\0example.org"),              "example.org"  },
        {SPAN("*.example.org\0.evil"),       "a.example.org"},
    };

    EXPECT_NONE(rows);
}
END_TEST

START_TEST(name__with_octets_of_no_host_name_stands_for_nothing)
{
    static const struct row rows[] = {
        {SPAN("example.org."),   "example.org"   },
        {SPAN(".example.org"),   "example.org"   },
        {SPAN("a..example.org"), "a..example.org"},
        {SPAN("exam ple.org"),   "exam ple.org"  },
        {SPAN("example.org/"),   "example.org/"  },
        {SPAN("\xc3\xa9.org"),   "\xc3\xa9.org"  },
        {SPAN("\xc3\x89.org"),   "\xc3\xa9.org"  },
    };

    EXPECT_NONE(rows);
}
END_TEST

START_TEST(name__folds_no_letter_outside_ascii)
{
    /* U+212A KELVIN SIGN folds to k, U+017F LONG S to s elsewhere. */
    static const struct row rows[] = {
        {SPAN("\xe2\x84\xaa.example.org"), "k.example.org"},
        {SPAN("example\xc5\xbf.org"),      "examples.org" },
    };

    EXPECT_NONE(rows);
}
END_TEST

START_TEST(wildcard__is_the_whole_leftmost_label)
{
    static const struct row good[] = {
        {SPAN("*.example.org"),   "www.example.org"          },
        {SPAN("*.Example.Org"),   "WWW.example.org"          },
        {SPAN("*.example.org"),   "xn--bcher-kva.example.org"},
        {SPAN("*.a.example.org"), "www.a.example.org"        },
    };
    static const struct row bad[] = {
        {SPAN("w*.example.org"),    "www.example.org"  },
        {SPAN("*w.example.org"),    "www.example.org"  },
        {SPAN("w*w.example.org"),   "www.example.org"  },
        {SPAN("www.*.org"),         "www.example.org"  },
        {SPAN("*.*.org"),           "www.example.org"  },
        {SPAN("**.example.org"),    "www.example.org"  },
        {SPAN("*example.org"),      "www.example.org"  },
        {SPAN("xn--*.example.org"), "xn--a.example.org"},
        {SPAN("*"),                 "localhost"        },
        {SPAN("*."),                "localhost"        },
    };

    EXPECT_ALL(good);
    EXPECT_NONE(bad);
}
END_TEST

START_TEST(wildcard__stands_for_exactly_one_label)
{
    static const struct row rows[] = {
        {SPAN("*.example.org"), "a.b.example.org"},
        {SPAN("*.example.org"), "example.org"    },
        {SPAN("*.example.org"), ".example.org"   },
        {SPAN("*.example.org"), "*.example.org"  },
    };

    EXPECT_NONE(rows);
}
END_TEST

START_TEST(wildcard__does_not_stand_for_a_whole_top_level_domain)
{
    static const struct row rows[] = {
        {SPAN("*.org"),       "example.org"},
        {SPAN("*.localhost"), "a.localhost"},
    };

    EXPECT_NONE(rows);
}
END_TEST

START_TEST(subtree__holds_a_name_and_all_below_it)
{
    ck_assert(urlp_tls_name_is_below(urlp_span_of("example.org"), urlp_span_of("example.org")));
    ck_assert(urlp_tls_name_is_below(urlp_span_of("a.b.Example.org"), urlp_span_of("example.ORG")));
    ck_assert(urlp_tls_name_is_below(urlp_span_of("a.example.org"), urlp_span_of(".example.org")));
    ck_assert(urlp_tls_name_is_below(urlp_span_of("example.org"), urlp_span_of("")));
    ck_assert(!urlp_tls_name_is_below(urlp_span_of("badexample.org"), urlp_span_of("example.org")));
    ck_assert(!urlp_tls_name_is_below(urlp_span_of("org"), urlp_span_of("example.org")));
    ck_assert(!urlp_tls_name_is_below(urlp_span_of("example.com"), urlp_span_of("example.org")));
}
END_TEST

RUN_TESTS("tls_names", name__stands_for_itself_in_any_ascii_case, name__stands_for_no_other,
          name__does_not_end_at_nul, name__with_octets_of_no_host_name_stands_for_nothing,
          name__folds_no_letter_outside_ascii, wildcard__is_the_whole_leftmost_label,
          wildcard__stands_for_exactly_one_label,
          wildcard__does_not_stand_for_a_whole_top_level_domain,
          subtree__holds_a_name_and_all_below_it)
